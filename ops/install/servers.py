"""Obtains the programs of the servers before a start with a time limit would wait for them."""

import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from ops.local.servers import ServerFailed
from ops.local.servers.binaries import MINIO, TEMPORAL

PROGRAMS = (TEMPORAL, MINIO)


def _teller(name: str) -> Callable[[str], None]:
    """A callback that prints the present step whenever it changes."""
    last = ""

    def tell(text: str) -> None:
        nonlocal last
        doing = text.partition(":")[0]
        if doing != last:
            print(f"{name}: {text}", flush=True)
        last = doing

    return tell


def main() -> int:
    """Obtain all programs in parallel; 1 where one cannot be had."""
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
