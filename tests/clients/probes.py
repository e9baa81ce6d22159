"""Workflows made only to look into what Temporal stores of them."""

import asyncio
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from pydantic import BaseModel, ConfigDict

    from models.visibility import OpsText

SECRET = "Иванова Анна Сергеевна, 112-233-445 95"


class Note(BaseModel):
    """A message with something secret in it."""

    model_config = ConfigDict(frozen=True)

    text: str


@activity.defn
async def answer(note: Note) -> Note:
    """Give back what was said, heartbeating it too."""
    activity.heartbeat(note)
    await asyncio.sleep(0)
    return Note(text=note.text.upper())


@activity.defn
async def fail(note: Note) -> None:
    """Fail with the secret in message and details."""
    raise ApplicationError(f"no {note.text}", note, type="Refused", non_retryable=True)


@workflow.defn
class Child:
    """Gives back what it is given; fails on demand."""

    @workflow.run
    async def run(self, note: Note) -> Note:
        """Echo."""
        if note.text == "fail":
            raise ApplicationError("child fails", note, type="ChildRefused", non_retryable=True)
        parent = workflow.info().parent
        if parent is not None:
            outside = workflow.get_external_workflow_handle(parent.workflow_id)
            await outside.signal("hear", Note(text="from outside"))
        return note


@workflow.defn
class Probe:
    """Uses every way in which payloads travel, then waits until told to end."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.ended = False

    @workflow.run
    async def run(self, note: Note) -> list[str]:
        """Walk through activity, child, failure and external signal."""
        workflow.set_current_details(OpsText("waits for HR until 04.12.2026"))
        said = await workflow.execute_activity(
            answer,
            note,
            start_to_close_timeout=timedelta(seconds=10),
            summary=OpsText("asks the register"),
        )
        child = await workflow.execute_child_workflow(
            Child.run, note, id=f"{workflow.info().workflow_id}-child"
        )
        failures = []
        try:
            await workflow.execute_activity(
                fail, note, start_to_close_timeout=timedelta(seconds=10)
            )
        except Exception as error:
            failures.append(str(error.__cause__))
        try:
            await workflow.execute_child_workflow(
                Child.run, Note(text="fail"), id=f"{workflow.info().workflow_id}-failing"
            )
        except Exception as error:
            failures.append(str(error.__cause__))
        await workflow.sleep(0.01, summary="a plain summary of the timer")
        await workflow.wait_condition(lambda: self.ended)
        return [said.text, child.text, *failures, *self.heard]

    @workflow.signal
    def hear(self, note: Note | None = None) -> None:
        """Take a note; a bare signal is heard too, or its task would fail for ever."""
        self.heard.append(note.text if note else "nothing")

    @workflow.signal
    def end(self) -> None:
        """Stop waiting."""
        self.ended = True

    @workflow.query
    def so_far(self, note: Note) -> Note:
        """What was heard."""
        return Note(text=note.text + ":" + ",".join(self.heard))

    @workflow.update
    def rename(self, note: Note) -> Note:
        """Answer an update."""
        return Note(text=f"renamed {note.text}")
