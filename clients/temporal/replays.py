"""Replaying histories: whether workflows would do the same again.

A workflow whose code would now do something else cannot go on with open cases.
"""

import json
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHistory
from temporalio.worker import Replayer
from temporalio.workflow import NondeterminismError

from clients.payload_codec import data_converter
from crypto.key_ring import KeyRing

WORKFLOW_TASK_SCHEDULED = EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED

KEYS_FILE = "key-ring"
"""The file with the keys of the histories beside it; without it the environment's keys are used."""


@dataclass(frozen=True)
class Replayed:
    """One history, and what was wrong with it.

    `differs`: the workflow would now do something else.
    """

    name: str
    workflow: str
    events: int
    failure: str | None
    differs: bool = False


async def replay_all(
    histories: Iterable[tuple[str, WorkflowHistory]], keys: KeyRing, workflows: Sequence[type]
) -> list[Replayed]:
    """Replay each history through these workflows, by one replayer: making one ready takes longer.

    A run that waits for its first task, as a run does for a moment after it is started anew, has
    done nothing yet, and the replayer would wait for it for ever.
    """
    replayer = Replayer(workflows=workflows, data_converter=data_converter(keys))
    done: list[Replayed] = []
    names: list[str] = []

    async def begun() -> AsyncIterator[WorkflowHistory]:
        for name, history in histories:
            if any(each.event_type == WORKFLOW_TASK_SCHEDULED for each in history.events):
                names.append(name)
                yield history
            else:
                done.append(_replayed(name, history, None))

    async with replayer.workflow_replay_iterator(begun()) as results:
        async for one in results:
            done.append(_replayed(names.pop(), one.history, one.replay_failure))
    return done


def _replayed(name: str, history: WorkflowHistory, failure: BaseException | None) -> Replayed:
    started = history.events[0].workflow_execution_started_event_attributes
    return Replayed(
        name,
        started.workflow_type.name,
        len(history.events),
        " ".join(str(failure).split()) if failure else None,
        isinstance(failure, NondeterminismError),
    )


def kept_in(files: Sequence[Path]) -> Iterator[tuple[str, WorkflowHistory]]:
    """The histories in these files. Raises OSError and ValueError for one that cannot be read."""
    for file in files:
        yield file.stem, read(file)


async def open_in(
    client: Client, workflow: str, most: int
) -> AsyncIterator[tuple[str, WorkflowHistory]]:
    """The histories of open runs of one type, at most `most`, the newest first. Raises RPCError."""
    query = f"WorkflowType = '{workflow}' AND ExecutionStatus = 'Running'"
    async for run in client.list_workflows(query, limit=most):
        handle = client.get_workflow_handle(run.id, run_id=run.run_id)
        yield run.id, await handle.fetch_history()


def read(file: Path) -> WorkflowHistory:
    """A recorded history. Its first event names the workflow. Raises OSError and ValueError."""
    content = json.loads(file.read_text("utf-8"))
    try:
        first = content["events"][0]["workflowExecutionStartedEventAttributes"]
        return WorkflowHistory.from_json(first["workflowId"], content)
    except (KeyError, IndexError, TypeError) as error:
        raise ValueError(f"{file.name} is not a whole history of a workflow") from error
