"""Packages of the system that tests use, where an account may install them."""

import os
import shutil
import subprocess

# A limit only for what waits for ever: a large package over a slow line may finish.
INSTALL_WITHIN = 3600.0


def ways(*packages: str) -> list[list[str]]:
    """Commands to try, one after another; none where this account may not install anything."""
    apt = shutil.which("apt-get")
    if not apt or not (os.geteuid() == 0 or shutil.which("sudo")):
        return []
    as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    install = [apt, "install", "-y", "--no-install-recommends", *packages]
    update_first = ["sh", "-c", f"{apt} update && {' '.join(install)}"]
    return [[*as_root, *install], [*as_root, *update_first]]


def run(command: list[str]) -> str:
    """Run a command to its end. Gives the last line of what it printed, or of its errors."""
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
    except (OSError, subprocess.TimeoutExpired) as reason:
        return str(reason)
    lines = (done.stdout + done.stderr).strip().splitlines()
    lines = [line for line in lines if "rror" in line] or lines
    return lines[-1] if lines else "left none"
