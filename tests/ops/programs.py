"""Small programs that stand for servers where only their starting and stopping matters."""

import socket
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from ops.local.servers import Launch
from ops.local.servers.ports import choose_port, listening, return_port

# Listens on its port until it is told to stop.
LISTENS = """
import signal, socket, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("listening", flush=True)
while True:
    with listener.accept()[0] as asker:
        asker.sendall(b"done")
"""


class Program:
    """A server whose program is a few lines of Python."""

    address = ""

    def __init__(self, name: str, code: str = LISTENS, ready_within: float = 20.0) -> None:
        self.name = name
        self.code = code
        self.ready_within = ready_within
        self.port = 0
        self.settled = 0
        self.directory = Path("/")

    def obtain(self, say: Callable[[str], None]) -> None:
        """Python is here."""

    def prepare(self) -> None:
        """Choose a port."""
        return_port(self.port)
        self.port = choose_port()

    def launch(self, environment: Mapping[str, str]) -> Launch:
        """Run the lines with the port."""
        command = [sys.executable, "-I", "-c", self.code, str(self.port)]
        return Launch(command, dict(environment), directory=self.directory, stop_within=1.0)

    def ready(self, pid: int) -> bool:
        """The port answers."""
        return listening(self.port)

    def works(self, pid: int) -> bool:
        """It answers those whom it lets in, which is more than letting them in."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=1) as asked:
            asked.settimeout(1)
            try:
                return asked.recv(10) == b"done"
            except TimeoutError:
                return False

    def settle(self) -> None:
        """Count."""
        self.settled += 1

    def variables(self) -> dict[str, str]:
        """A variable of its own."""
        return {f"{self.name.upper()}_PORT": str(self.port)}
