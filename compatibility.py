"""Whether a worker of this build may start: its workflows must be able to go on with open cases."""

import asyncio
import fcntl
import hashlib
import importlib.metadata
import inspect
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import structlog
from temporalio.client import Client, WorkflowHistory
from temporalio.service import RPCError
from temporalio.workflow import _Definition as Definition

from clients.temporal.replays import KEYS_FILE, Replayed, kept_in, open_in, replay_all
from crypto.key_ring import KeyRing
from settings import Settings, cache_folder

log = structlog.get_logger(__name__)

HERE = Path(__file__).resolve().parent
HISTORIES = HERE / "tests" / "histories"
ROOMS = ("rules", "crypto", "models", "activities", "workflows")
LIBRARIES = ("temporalio", "pydantic")
"""The rooms and libraries that a replay runs through."""

SAMPLE = 10
"""How many open runs of each type are replayed: the newest ones."""

RECORD = "replayed"
"""The name of a file that records successful replays, in a home and in the cache.

In a home it holds the build with which the open runs were replayed, in the cache a digest for each
replay of the recorded histories on this machine.
"""
KEPT = 50
"""How many replays the cache remembers."""
WAITS_FOR_ANOTHER = 60.0
"""How many seconds a worker waits while another one replays the same."""


class IncompatibleError(Exception):
    """Workflows would not do what recorded histories say; the message names them and the remedy."""


async def demand_compatible(
    settings: Settings, client: Client, keys: KeyRing, workflows: Sequence[type]
) -> None:
    """Replay the recorded histories and some open runs, once for each state of the code.

    Raises IncompatibleError if one differs, unless the settings say that such runs begin anew. Any
    other fault of a run, such as one that was started by hand, does not keep the worker from
    starting.
    """
    build, record = fingerprint(), settings.home / RECORD
    if record.exists() and record.read_text() == build:
        return
    done = await _recorded(workflows)
    opened: list[tuple[str, WorkflowHistory]] = []
    try:
        for workflow in workflows:
            name = str(Definition.must_from_class(workflow).name)
            opened += [one async for one in open_in(client, name, SAMPLE)]
    except RPCError as error:
        log.warning("open_runs_not_replayed", error=error.status.name)
        build = ""  # The next start replays them.
    if opened:
        done += await replay_all(opened, keys, workflows)
    differing = [one for one in done if one.differs]
    log.info("histories_replayed", number=len(done), differing=len(differing))
    if differing:
        if settings.begin_anew:
            log.warning("histories_differ", runs=[one.name for one in differing][:SAMPLE])
            return
        raise IncompatibleError(_told(differing))
    settings.home.mkdir(parents=True, exist_ok=True)
    record.write_text(build)


async def _recorded(workflows: Sequence[type]) -> list[Replayed]:
    """Replay the histories in the source tree, unless this machine has replayed them before.

    An image may be built without histories.
    """
    if not HISTORIES.exists():
        return []
    files = sorted(HISTORIES.glob("*.json"))
    asked = _asked(files, workflows)
    cache = cache_folder()
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with (cache / RECORD).open("a+") as record:
            await _alone(record.fileno())
            record.seek(0)
            known = record.read().split()
            if asked in known:
                return []
            done = await _replayed(files, workflows)
            if not any(one.failure for one in done):
                record.truncate(0)
                record.write("\n".join([*known[1 - KEPT :], asked, ""]))
            return done
    except OSError as error:
        # Without a place for the cache, every new home replays the histories.
        log.info("replays_not_cached", error=type(error).__name__)
        return await _replayed(files, workflows)


async def _replayed(files: Sequence[Path], workflows: Sequence[type]) -> list[Replayed]:
    keys = KeyRing.parse((HISTORIES / KEYS_FILE).read_text().strip())
    return await replay_all(kept_in(files), keys, workflows)


async def _alone(file: int) -> None:
    """Lock the file, so that another worker finishes its replays first; wait a limited time."""
    deadline = time.monotonic() + WAITS_FOR_ANOTHER
    while time.monotonic() < deadline:
        with suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        await asyncio.sleep(0.2)


def _asked(files: Sequence[Path], workflows: Sequence[type]) -> str:
    """A digest of these histories, these workflows, and everything that a replay runs through."""
    digest = hashlib.sha256(fingerprint().encode())
    for workflow in workflows:
        source = Path(inspect.getfile(workflow)).read_bytes()
        digest.update(f"{workflow.__qualname__} {len(source)}\0".encode() + source)
    for file in (*files, HISTORIES / KEYS_FILE):
        digest.update(file.name.encode() + b"\0" + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def fingerprint() -> str:
    """A digest that changes when code changes that a replay runs through."""
    digest = hashlib.sha256(sys.version.encode())
    for library in LIBRARIES:
        digest.update(importlib.metadata.version(library).encode() + b"\0")
    for room in ROOMS:
        for file in sorted((HERE / room).rglob("*.py")):
            digest.update(str(file.relative_to(HERE)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def _told(differing: Sequence[Replayed]) -> str:
    shown = "\n".join(f"    {one.name} ({one.workflow}): {one.failure}" for one in differing[:5])
    return (
        f"This worker does not start: with its workflows {len(differing)} recorded histories would "
        f"go another way than they did, so open cases would stand still.\n{shown}\n"
        "Start the former release, or mend the workflow with `workflow.patched`. Where runs may "
        "begin anew, each at the step where its case stands: MEDCAB_BEGIN_ANEW=true."
    )
