"""A home whose servers do not run: its settings, and its servers for the time of a repair."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from ops.backup import BackupError, Say
from ops.local.home import Home
from ops.local.reaching import UNREACHED, in_one_line
from ops.local.running import adopt_running, stop_leftovers
from ops.local.servers import Server, ServerFailed
from ops.local.servers.process import Interrupted
from ops.local.system import System
from settings import Settings, get_settings


def settings_at_rest(home: Home) -> Settings:
    """The settings of the running system, or those that it would have if it ran."""
    if adopt_running(home) or not (home.folder / "secrets.json").exists():
        return get_settings()
    return system_at_rest(home).settings


def system_at_rest(home: Home, say: Say = lambda name, text: None) -> System:
    """The system of a home, with nothing started.

    Ports are drawn, so that no usual one is taken.
    """
    # This home is repaired, whatever home the environment names.
    given = {**os.environ, "MEDCAB_HOME": str(home.folder)}
    system = System(home, given=given, usual=False, say=say)
    system.door.close()
    return system


ARCHIVER = "archiver.lock"


@contextmanager
def held(home: Home) -> Iterator[None]:
    """Hold a home in which nothing runs. Raises BackupError with the remedy."""
    from ops.local.running import console

    with home.taken() as mine:
        if not mine:
            raise BackupError("Medcab is running here: `medcab down` first")
        stop_leftovers(home, console())
        yield


@contextmanager
def alone(home: Home) -> Iterator[None]:
    """Hold the lock of the archiver, so that none runs meanwhile.

    Raises BackupError with the remedy.
    """
    with home.taken(ARCHIVER) as mine:
        if not mine:
            raise BackupError("`medcab archive` is running here: stop it first")
        yield


def archives(home: Home) -> bool:
    """Whether an archiver runs here and fetches the log that the server keeps for it."""
    with home.taken(ARCHIVER) as mine:
        return not mine


@contextmanager
def started(system: System, servers: list[Server]) -> Iterator[System]:
    """Run some servers of the system meanwhile. Raises BackupError when one does not start."""
    try:
        for server in servers:
            server.obtain(lambda text, name=server.name: system.say(name, text))  # type: ignore[misc]
        system.start(servers)
        yield system
    except ServerFailed as error:
        raise BackupError(str(error)) from error
    except Interrupted:
        raise BackupError("cancelled") from None
    finally:
        system.stop()


@contextmanager
def reached() -> Iterator[None]:
    """Turn errors of servers that do not answer, or refuse, into BackupError."""
    try:
        yield
    except BackupError:
        raise
    except UNREACHED as error:
        raise BackupError(in_one_line(error)) from error


def named(system: System, *names: str) -> list[Server]:
    """Those servers of these names that this installation starts itself."""
    return [each for each in system.outer if each.name in names]


def is_given(name: str) -> bool:
    """Whether the environment gives the server's address, so that others run it."""
    from ops.local.system import GIVEN_BY

    return GIVEN_BY[name] in os.environ
