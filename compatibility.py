"""Whether a worker of this build may start: open cases must be able to go on with its workflows."""

import hashlib
import importlib.metadata
from collections.abc import Sequence
from pathlib import Path

import structlog
from temporalio.client import Client
from temporalio.service import RPCError
from temporalio.workflow import _Definition as Definition

from clients.replays import KEYS_FILE, Replayed, kept_in, open_in, replay_all
from models.encryption import KeyRing
from settings import Settings

log = structlog.get_logger(__name__)

HERE = Path(__file__).resolve().parent
HISTORIES = HERE / "tests" / "histories"
ROOMS = ("rules", "models", "activities", "workflows")
"""What a replay runs through."""

SAMPLE = 10
"""Open runs of each type that are replayed: those that began last."""

RECORD = "replayed"


class IncompatibleError(Exception):
    """Workflows do other things than recorded histories; the message says which, and the remedy."""


async def demand_compatible(
    settings: Settings, client: Client, keys: KeyRing, workflows: Sequence[type]
) -> None:
    """Replay the recorded histories and some of open runs, once for each state of the code.

    Raises IncompatibleError where one differs, unless the settings say that such runs begin anew.
    Whatever else is wrong with a run, such as one started by hand, is no reason to stand still.
    """
    build, record = fingerprint(), settings.home / RECORD
    if record.exists() and record.read_text() == build:
        return
    done = await _recorded(workflows)
    try:
        for workflow in workflows:
            name = str(Definition.must_from_class(workflow).name)
            done += await replay_all(open_in(client, name, SAMPLE), keys, workflows)
    except RPCError as error:
        log.warning("open_runs_not_replayed", error=error.status.name)
        build = ""  # The next start looks at them.
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
    """Those that come with the program; an image may be made without them."""
    if not HISTORIES.exists():
        return []
    keys = KeyRing.parse((HISTORIES / KEYS_FILE).read_text().strip())
    return await replay_all(kept_in(sorted(HISTORIES.glob("*.json"))), keys, workflows)


def fingerprint() -> str:
    """Changes when code changes that a replay runs through."""
    digest = hashlib.sha256(importlib.metadata.version("temporalio").encode())
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
