"""veraPDF, the reference validator of PDF/A: Java, with a library that Maven fetches."""

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from settings import cache_folder

HERE = Path(__file__).parent


def claims(papers: Mapping[str, bytes], folder: Path) -> dict[str, str]:
    """Which PDF/A each paper claims to be, and what is wrong with it: `2a true` if nothing is.

    It starts Java once for all. Skips the test where neither the library nor Maven is here.
    """
    java, library = shutil.which("java"), _library(folder)
    if java is None:
        pytest.skip("veraPDF needs Java: install it to check PDF/A to the letter")
    for name, paper in papers.items():
        (folder / name).write_bytes(paper)
    said = subprocess.run(
        [java, "-cp", f"{library}/*", HERE / "Check.java", *papers],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    told = dict.fromkeys(papers, "")
    names = iter(papers)
    for line in said.stdout.splitlines():
        if line.endswith((" true", " false")):
            name = next(names)
        told[name] += line
    return told


def _library(folder: Path) -> Path:
    library, maven = cache_folder() / "verapdf-1.30.2", shutil.which("mvn")
    if library.exists():
        return library
    if maven is None:
        pytest.skip("veraPDF needs Maven: install it to check PDF/A to the letter")
    copy = ["dependency:copy-dependencies", f"-DoutputDirectory={folder / 'lib'}"]
    got = subprocess.run(
        [maven, "-q", "-B", "-f", HERE / "pom.xml", *copy], capture_output=True, check=False
    )
    if got.returncode:
        pytest.skip(f"Maven could not get veraPDF: {got.stdout[-300:].decode()}")
    library.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(folder / "lib", library, dirs_exist_ok=True)
    return library
