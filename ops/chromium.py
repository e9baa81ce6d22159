"""A Chromium for the browser tests: there already, the system's package, or playwright's own.

The headless shell is the same engine without a window: its tests take a third of the processor
time of a whole Chromium, so it is taken first, and installed where there is neither.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome-stable",
    "google-chrome",
    "chrome",
)
REMEDY = (
    "no Chromium is here. Any of these: `apt-get install chromium-headless-shell` (as root), "
    "`.venv/bin/playwright install --with-deps chromium`, or the path of one in MEDCAB_CHROMIUM"
)
INSTALL_WITHIN = 600.0


class ChromiumMissing(RuntimeError):
    """There is no Chromium; the text is the remedy."""


def find() -> Path:
    """The Chromium of this machine. Raises ChromiumMissing."""
    given = os.environ.get("MEDCAB_CHROMIUM")
    if given:
        if os.access(given, os.X_OK):
            return Path(given)
        raise ChromiumMissing(f"MEDCAB_CHROMIUM names {given}, which cannot be run")
    for name in NAMES:
        on_path = shutil.which(name)
        if on_path:
            return Path(on_path)
    for each in sorted(_playwright_folder().glob("chromium*/chrome-*/*"), reverse=True):
        if each.name in ("chrome", "headless_shell", "chrome-headless-shell") and os.access(
            each, os.X_OK
        ):
            return each
    raise ChromiumMissing(REMEDY)


def find_or_install() -> Path:
    """The same, installing one when there is none. Raises ChromiumMissing with what was tried."""
    try:
        return find()
    except ChromiumMissing:
        if os.environ.get("MEDCAB_CHROMIUM"):
            raise
    tried = []
    for command in _ways():
        print(f"No Chromium here; trying: {' '.join(command)}", flush=True)
        try:
            done = subprocess.run(
                command,
                env=os.environ
                | {
                    "DEBIAN_FRONTEND": "noninteractive",
                    "PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT": "10000",
                },
                capture_output=True,
                text=True,
                timeout=INSTALL_WITHIN,
                check=False,
            )
            told = (done.stdout + done.stderr).strip().splitlines()
            told = [line for line in told if "rror" in line] or told
        except (OSError, subprocess.TimeoutExpired) as reason:
            told = [str(reason)]
        try:
            return find()
        except ChromiumMissing:
            tried.append(f"  {' '.join(command)}: {told[-1] if told else 'left none'}")
    raise ChromiumMissing("\n".join([REMEDY, "Tried:", *tried]))


def _ways() -> list[list[str]]:
    apt = shutil.which("apt-get")
    ways = []
    if apt and (os.geteuid() == 0 or shutil.which("sudo")):
        as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
        package = [apt, "install", "-y", "--no-install-recommends", "chromium-headless-shell"]
        ways += [[*as_root, *package]]
        ways += [[*as_root, "sh", "-c", f"{apt} update && {' '.join(package)}"]]
    return [*ways, [sys.executable, "-m", "playwright", "install", "chromium"]]


def _playwright_folder() -> Path:
    given = os.environ.get("PLAYWRIGHT_BROWSERS_PATH")
    if given and given != "0":
        return Path(given)
    cache = Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache")
    return cache / "ms-playwright"


def main() -> int:
    """Say which Chromium the browser tests will use."""
    try:
        print(f"Browser tests use {find_or_install()}")
    except ChromiumMissing as reason:
        print(f"Browser tests will fail: {reason}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
