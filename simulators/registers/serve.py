"""Registers in one process, each on a port of its own.

`python -m simulators.registers.serve register=8090 identity=8092`. Apart they would cost an
installation some 35 MiB each.
"""

import sys
from collections.abc import Callable, Mapping

from fastapi import FastAPI

from clients.serving import serve_all
from simulators.registers import identity, register

APPS: Mapping[str, Callable[[], FastAPI]] = {
    "register": register.create_app,
    "identity": identity.create_app,
}
"""How each is made, by its name."""


def main() -> None:
    """Serve those that the arguments name, on loopback, until told to stop."""
    chosen = (one.partition("=") for one in sys.argv[1:])
    serve_all([(APPS[name](), int(port)) for name, _, port in chosen])


if __name__ == "__main__":
    main()
