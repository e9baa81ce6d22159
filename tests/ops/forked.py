"""A program to fork: it writes what it finds, and runs until it is told to stop."""

import json
import os
import random
import secrets
import signal
import sys
from pathlib import Path

from rules.ids import new_id


def main() -> None:
    """Write where it is as JSON, ended by a line, and wait for a signal."""
    found = {
        "drawn": [str(new_id()), random.random(), secrets.token_hex()],  # noqa: S311
        "arguments": sys.argv[1:],
        "environment": dict(os.environ),
        "directory": str(Path.cwd()),
        "leads": [os.getpid() == os.getpgid(0), os.getpid() == os.getsid(0)],
        "files": [one for one in range(100) if Path(f"/proc/self/fd/{one}").exists()],
    }
    sys.stdout.write(f"{json.dumps(found)}\n")
    sys.stdout.flush()
    sys.stderr.write("to the log too\n")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))
    while True:
        signal.pause()
