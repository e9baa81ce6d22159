"""`medcab replay`: run recorded histories through the workflows as they are now.

A workflow that would now do something else than it did then cannot go on with open cases: such a
change needs `workflow.patched`. Histories are JSON as the Temporal UI and its CLI download them.
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from clients.codec import data_converter
from models.encryption import KeyRing
from settings import get_settings
from worker import WORKFLOWS

KEYS_FILE = "key-ring"
"""Beside the histories: the keys that open them. Otherwise those of the environment do."""


@dataclass(frozen=True)
class Replayed:
    """One history, and what was wrong with it."""

    name: str
    workflow: str
    events: int
    failure: str | None


def run(path: Path) -> int:
    """Replay a history, or all of a folder, and print each: 0 when all went as recorded.

    1 when one did not, or when there was none: that proves nothing.
    """
    try:
        done = asyncio.run(replay(path))
    except (OSError, ValueError) as error:
        print(f"Cannot read {path}: {error}")
        return 1
    for one in done:
        print(f"{'FAULT' if one.failure else 'ok   '}  {one.name}: {one.workflow}", end="")
        print(f", {one.events} events")
        if one.failure:
            print(f"       {one.failure}")
    failed = sum(one.failure is not None for one in done)
    if not done:
        print(f"There are no histories in {path}, so nothing is proved.")
        return 1
    print(f"Histories: {len(done)}, failed: {failed}")
    return 1 if failed else 0


async def replay(path: Path, workflows: Sequence[type] = tuple(WORKFLOWS)) -> list[Replayed]:
    """Replay through these workflows. Raises OSError and ValueError for what cannot be read."""
    files, keys = _opened(path)
    replayer = Replayer(workflows=workflows, data_converter=data_converter(keys))
    done: list[Replayed] = []
    for file in files:
        history = read(file)
        started = history.events[0].workflow_execution_started_event_attributes
        result = await replayer.replay_workflow(history, raise_on_replay_failure=False)
        failure = result.replay_failure
        done.append(
            Replayed(
                file.stem,
                started.workflow_type.name,
                len(history.events),
                " ".join(str(failure).split()) if failure else None,
            )
        )
    return done


def read(file: Path) -> WorkflowHistory:
    """A recorded history; its first event names the workflow. Raises OSError and ValueError."""
    content = json.loads(file.read_text("utf-8"))
    try:
        first = content["events"][0]["workflowExecutionStartedEventAttributes"]
        return WorkflowHistory.from_json(first["workflowId"], content)
    except (KeyError, IndexError, TypeError) as error:
        raise ValueError(f"{file.name} is not a whole history of a workflow") from error


def _opened(path: Path) -> tuple[list[Path], KeyRing]:
    """The files to replay, and the keys of their payloads."""
    files = sorted(path.glob("*.json")) if path.is_dir() else [path]
    beside = (path if path.is_dir() else path.parent) / KEYS_FILE
    if beside.exists():
        return files, KeyRing.parse(beside.read_text().strip())
    return files, KeyRing.parse(get_settings().keys.get_secret_value())
