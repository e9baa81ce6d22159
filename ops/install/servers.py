"""The programs of the servers, obtained before anybody waits for a server with a limit."""

import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from ops.local.servers import ServerFailed
from ops.local.servers.binaries import MINIO, TEMPORAL

PROGRAMS = (TEMPORAL, MINIO)


def _teller(name: str) -> Callable[[str], None]:
    """Tells what is being done each time that it is something else."""
    last = ""

    def tell(text: str) -> None:
        nonlocal last
        doing = text.partition(":")[0]
        if doing != last:
            print(f"{name}: {text}", flush=True)
        last = doing

    return tell


def main() -> int:
    """Obtain them side by side; 1 where one cannot be had."""
    with ThreadPoolExecutor() as together:
        asked = [together.submit(each.obtain, _teller(each.name)) for each in PROGRAMS]
    missing = 0
    for one in asked:
        try:
            print(f"Servers: {one.result()}")
        except ServerFailed as reason:
            print(reason, file=sys.stderr)
            missing = 1
    return missing


if __name__ == "__main__":
    sys.exit(main())
