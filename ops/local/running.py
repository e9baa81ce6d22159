"""What runs in a home by its record, and the console that commands print to."""

import os
import signal
import sys
from typing import Any

from rich.console import Console

from ops.local.home import Home
from ops.local.servers.process import Running


def stop_leftovers(home: Home, console: Console) -> bool:
    """Stop servers whose supervisor was killed. True when there were any."""
    recorded = home.recorded()
    stopped = False
    for server in reversed(recorded.get("servers", [])):
        running = running_of(server)
        if running is not None and running.alive:
            console.print(f"Stopping {server['name']}, left over from a start that was killed")
            running.stop(signal.Signals(server["stop_signal"]))
            stopped = True
    home.forget()
    return stopped


def adopt_running(home: Home) -> bool:
    """Put the variables of the running system into our environment. False when none runs."""
    recorded = home.recorded()
    supervisor = running_of(recorded.get("supervisor"))
    if supervisor is None or not supervisor.alive:
        return False
    for key, value in recorded["environment"].items():
        os.environ.setdefault(key, value)
    return True


def running_of(recorded: dict[str, Any] | None) -> Running | None:
    """The process of a record; None where none was started."""
    if not recorded or not recorded.get("pid"):
        return None
    return Running(recorded["pid"], recorded["started"])


def console() -> Console:
    """Where people read: as wide as the terminal, unwrapped in files."""
    return Console(width=None if sys.stdout.isatty() else 160, soft_wrap=not sys.stdout.isatty())
