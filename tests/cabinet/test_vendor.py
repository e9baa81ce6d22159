"""What was taken from others is there unchanged, with its licence."""

import hashlib
import json
import re
from pathlib import Path

import pytest

from cabinet.frame.assets import STATIC_FOLDER, STYLESHEETS, assets

VENDOR = STATIC_FOLDER / "vendor"
PACKAGES = json.loads((VENDOR / "manifest.json").read_text("utf-8"))["packages"]


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package["package"])
def test_files_are_those_of_the_package(package: dict[str, object]) -> None:
    """Every vendored file has the digest that the manifest states."""
    folder = VENDOR / str(package["folder"])
    files = package["files"]
    assert isinstance(files, list)
    assert files
    for file in files:
        content = (folder / file["file"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == file["sha256"], file["file"]
    assert (folder / str(package["licence_file"])).read_text("utf-8").strip()


def test_nothing_else_is_vendored() -> None:
    """A file that the manifest does not name has not come in."""
    named = {VENDOR / "manifest.json"}
    for package in PACKAGES:
        folder = VENDOR / package["folder"]
        named |= {folder / file["file"] for file in package["files"]}
        named.add(folder / package["licence_file"])
    assert {path for path in VENDOR.rglob("*") if path.is_file()} == named


@pytest.mark.asvs("14.2.3")
def test_the_stylesheet_asks_nobody_outside() -> None:
    """The stylesheet names only files of ours, and the typeface of another house is gone."""
    style = assets().files["medcab.css"].body.decode()
    assert "GDS Transport" not in style
    assert "@import" not in style
    addresses = set(re.findall(r"""url\(["']?([^"')]+)""", style))
    assert addresses
    for address in addresses:
        assert address.startswith("data:") or address in assets().files, address


def test_every_stylesheet_is_in_the_bundle() -> None:
    """No stylesheet is forgotten."""
    there = {path.stem for path in (STATIC_FOLDER / "css").glob("*.css")}
    assert there == set(STYLESHEETS)


def test_addresses_change_with_contents(tmp_path: Path) -> None:
    """Files are kept for a year, so their address holds a digest of everything static."""
    version = assets().version
    assert assets().url("medcab.css") == f"/static/{version}/medcab.css"
    with pytest.raises(KeyError):
        assets().url("no-such.css")
