"""Ports on loopback: the usual one when it is free, otherwise another."""

import random
import socket
import threading

LOOPBACK = "127.0.0.1"
# Below the range from which systems draw the near ends of outgoing connections.
RANGE = range(20_000, 32_000)

_given: set[int] = set()
_lock = threading.Lock()


def is_free(port: int) -> bool:
    """Whether nobody listens on the port of loopback, nor on the same port of all addresses."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOOPBACK, port))
            listener.listen(1)
        except OSError:
            return False
    return True


def choose_port(*preferred: int | None) -> int:
    """The first preferred port that is free, or another. Never the same one twice in a process."""
    with _lock:
        drawn = (random.choice(RANGE) for _ in range(1000))  # noqa: S311 - not a secret
        for port in [*preferred, *drawn]:
            if port and port not in _given and is_free(port):
                _given.add(port)
                return port
    raise OSError(f"no free port on {LOOPBACK} in {RANGE.start}-{RANGE.stop}")


def return_port(port: int) -> None:
    """Give a port back: it may be chosen again."""
    with _lock:
        _given.discard(port)


def listening(port: int, host: str = LOOPBACK) -> bool:
    """Whether somebody accepts connections there."""
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False
