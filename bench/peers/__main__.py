"""Runs the program of one peer: `python -m bench.peers dbos --socket N`."""

import sys
from importlib import import_module

from bench.least.same import serve
from bench.peers import INSTALL, PACKAGES, missing
from settings import get_settings


def main(peer: str, *options: str) -> None:
    """Serve the case on this peer until told to stop."""
    if peer not in PACKAGES:
        raise SystemExit(f"There is no peer {peer}: choose of {', '.join(PACKAGES)}.")
    if (package := PACKAGES[peer]) in missing():
        raise SystemExit(f"{package}, not installed: {INSTALL}")
    # Only the program of a peer imports it, so that the others need not be installed.
    program = import_module(f"bench.peers.on_{peer}")
    serve(program.create_app(get_settings()), int(options[-1]))


if __name__ == "__main__":
    main(*sys.argv[1:])
