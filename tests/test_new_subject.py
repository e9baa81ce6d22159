"""What the page on new kinds of case tells is done, in a copy of the tree, and works."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ops.local.home import CHECKOUT
from tests.conftest import FOLDER, NESTED, RUN
from tests.shared.servers import Servers

PAGE = CHECKOUT / "docs" / "new-subject.md"
MOST_LINES = 35
"""Lines that a kind may add to files that are not its own."""
LEFT_OUT = shutil.ignore_patterns(".*", "*.pyc.*", "histories", "pictures")
"""Compiled files come along, but for those that are just being written: they took longest."""

NEW = re.compile(r"^New file (\S+):\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ADDED = re.compile(
    r"^In `(\S+)`, (below|instead of) `([^`\n]+)`:\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL
)


def written(page: str, tree: Path) -> None:
    """Write the files that are the kind's own."""
    for path, content in NEW.findall(page):
        file = tree / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)


def registered(page: str, tree: Path) -> int:
    """Add the lines to files of others; how many they are."""
    lines = 0
    for path, how, place, text in ADDED.findall(page):
        file = tree / path
        content = file.read_text()
        assert content.count(place) == 1, f"{place} stands {content.count(place)} times in {path}"
        if how == "below":
            end = content.index("\n", content.index(place)) + 1
            content = content[:end] + text + content[end:]
        else:
            content = content.replace(place, text.rstrip("\n"))
        file.write_text(content)
        lines += len(text.strip("\n").splitlines())
    return lines


@pytest.mark.installation
def test_the_page_on_new_kinds_makes_one(
    request: pytest.FixtureRequest, servers: Servers, tmp_path: Path
) -> None:
    """A kind with two statuses is on every surface; what it costs elsewhere is counted."""
    tree, page = tmp_path / "tree", PAGE.read_text()
    shutil.copytree(CHECKOUT, tree, ignore=LEFT_OUT)
    written(page, tree)
    lines = registered(page, tree)
    sys.stdout.write(f"a new kind adds {lines} lines to files that are not its own\n")
    assert lines <= MOST_LINES
    stash = request.config.stash
    run = {"medcab_folder": str(stash[FOLDER]), "medcab_run": stash[RUN], "workerid": "nested"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/trials"],
        cwd=tree,
        env={**os.environ, NESTED: json.dumps(run), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
