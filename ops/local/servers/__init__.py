"""The local servers that `medcab up` and the tests start, one module each.

A server knows how to get its program, prepare its data, say what to run, tell when it is ready,
and which variables lead others to it. Starting, watching and stopping are the same for all:
`process.py`.
"""

import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


class ServerFailed(RuntimeError):
    """A server did not start. The text carries what to do and its last log lines."""


@dataclass(frozen=True)
class OsAccount:
    """An account of the operating system that a program is run under."""

    uid: int
    gid: int
    name: str


@dataclass(frozen=True)
class Launch:
    """One program to run: its environment is complete, nothing is inherited."""

    command: list[str]
    environment: Mapping[str, str]
    directory: Path = Path("/")
    account: OsAccount | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    stop_within: float = 20.0
    inherited: tuple[int, ...] = field(default=())


class Server(Protocol):
    """What the starting, watching and stopping of a server needs to know about it."""

    @property
    def name(self) -> str:
        """Unique within a system; names the log file."""

    @property
    def address(self) -> str:
        """Where people or programs reach it; empty when nobody connects to it."""

    @property
    def ready_within(self) -> float:
        """Seconds from start to readiness after which it counts as failed."""

    def obtain(self, say: Callable[[str], None]) -> None:
        """Get the program onto this machine, in minutes perhaps; `say` reports what takes long."""

    def prepare(self) -> None:
        """Choose ports and make the data folder. Called again before a second try."""

    def launch(self, environment: Mapping[str, str]) -> Launch:
        """What to run, given the variables of the servers started before."""

    def ready(self, pid: int) -> bool:
        """Ask the server with this process id whether it does its work. False on no answer."""

    def works(self, pid: int) -> bool:
        """Like `ready`, asked again and again afterwards: a server that says no for long is
        replaced.

        True where it cannot be known, such as when a server that it depends on does not answer.
        """

    def settle(self) -> None:
        """Once it is ready: make roles, namespaces, buckets. Safe to repeat."""

    def variables(self) -> dict[str, str]:
        """The variables by which `Settings` finds it."""
