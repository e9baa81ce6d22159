"""A Chromium for the browser tests: there already, the system's package, or playwright's own.

The headless shell is the same engine without a window: with it tests take a third of the processor
time. Only a whole Chromium records the notifications that a page has shown.
"""

import os
import shutil
import sys
from pathlib import Path

from ops.install import system_packages

SHELLS = ("chromium-headless-shell", "chrome-headless-shell", "headless_shell")
WHOLE = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")
REMEDY = (
    "no Chromium is here. Any of these: `apt-get install chromium` (as root), "
    "`.venv/bin/playwright install --with-deps chromium`, or the path of one in MEDCAB_CHROMIUM"
)
PACKAGES = ("chromium", "chromium-headless-shell")


class ChromiumMissing(RuntimeError):
    """There is no Chromium; the text is the remedy."""


def find(*, whole: bool = False) -> Path:
    """The Chromium of this machine: a headless shell, unless it has to be a whole one.

    Raises ChromiumMissing.
    """
    given = os.environ.get("MEDCAB_CHROMIUM")
    if given:
        if os.access(given, os.X_OK):
            return Path(given)
        raise ChromiumMissing(f"MEDCAB_CHROMIUM names {given}, which cannot be run")
    own = sorted(_playwright_folder().glob("chromium*/chrome-*/*"), reverse=True)
    for name in WHOLE if whole else SHELLS + WHOLE:
        on_path = shutil.which(name)
        if on_path:
            return Path(on_path)
        for each in own:
            if each.name == name and os.access(each, os.X_OK):
                return each
    raise ChromiumMissing(REMEDY)


def find_or_install() -> Path:
    """Like `find`, but installs a whole Chromium where there is none.

    Raises ChromiumMissing with what was tried.
    """
    tried: list[str] = []
    ways = [] if os.environ.get("MEDCAB_CHROMIUM") else _ways()
    while True:
        try:
            find(whole=True)
            return find()
        except ChromiumMissing:
            if not ways:
                break
        print(f"No Chromium here; trying: {' '.join(ways[0])}", flush=True)
        tried.append(f"  {' '.join(ways[0])}: {system_packages.run(ways.pop(0))}")
    raise ChromiumMissing("\n".join([REMEDY, "Tried:", *tried]))


def _ways() -> list[list[str]]:
    return [
        *system_packages.ways(*PACKAGES),
        [sys.executable, "-m", "playwright", "install", "chromium"],
    ]


def _playwright_folder() -> Path:
    given = os.environ.get("PLAYWRIGHT_BROWSERS_PATH")
    if given and given != "0":
        return Path(given)
    cache = Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache")
    return cache / "ms-playwright"


def main() -> int:
    """Print which Chromium the browser tests will use."""
    try:
        print(f"Browser tests use {find_or_install()}")
    except ChromiumMissing as reason:
        print(f"Browser tests will fail: {reason}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
