"""What Temporal keeps of us is unreadable, and what others put there is harmless (O1)."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleSpec,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowQueryFailedError,
    WorkflowUpdateFailedError,
)
from temporalio.converter import ActivitySerializationContext, WorkflowSerializationContext
from temporalio.exceptions import ApplicationError
from temporalio.worker import Worker

from clients.payload_codec import UNREADABLE, EncryptingCodec, data_converter, is_encrypted
from clients.temporal.client import ops_view
from clients.temporal.sandbox import SandboxedRunner
from crypto.key_ring import KeyRing
from models.visibility import OpsText
from tests.clients.histories import laid_open
from tests.clients.probes import SECRET, Child, Note, Probe, answer, fail
from tests.shared.waiting import PATIENCE, until

KEYS = KeyRing({"k1": bytes(range(32))})
OTHER_KEYS = KeyRing({"k1": bytes(range(1, 33))})


def for_workflow(workflow_id: str, keys: KeyRing = KEYS) -> EncryptingCodec:
    """The codec as the SDK sets it up for one workflow."""
    return EncryptingCodec(keys).with_context(WorkflowSerializationContext("default", workflow_id))


def plain(text: str = SECRET) -> Payload:
    """A payload as a hand writes it into the Temporal UI."""
    return Payload(metadata={"encoding": b"json/plain"}, data=json.dumps({"text": text}).encode())


async def test_activity_and_workflow_share_the_workflow_id() -> None:
    """What a workflow sealed for its activity, the activity opens."""
    sealed = await for_workflow("application-1").encode([plain()])
    context = ActivitySerializationContext(
        "default", "7", "check", "medcab", "application-1", "QualificationApplication", False
    )
    assert await EncryptingCodec(KEYS).with_context(context).decode(sealed) == [plain()]


@pytest.mark.parametrize(
    "foreign",
    [
        plain(),
        Payload(),
        Payload(metadata={"encoding": b"json/plain", "medcab-readable": b"ops"}, data=b'"x"'),
        Payload(metadata={"encoding": b"binary/medcab-sealed"}),
        Payload(metadata={"encoding": b"binary/medcab-sealed", "workflow": b"a"}, data=b"\x01\xff"),
        Payload(metadata={"encoding": b"binary/medcab-sealed", "workflow": b"\xff"}, data=b""),
    ],
)
async def test_foreign_payload_becomes_unreadable_and_never_raises(foreign: Payload) -> None:
    """Nothing that was not sealed here comes through, and nothing of it raises."""
    [opened] = await for_workflow("a").decode([foreign])
    assert opened == Payload(metadata={"encoding": UNREADABLE})


async def test_payload_of_another_workflow_is_foreign() -> None:
    """A sealed payload that was copied from one case to another is not accepted."""
    [sealed] = await for_workflow("application-1").encode([plain()])
    [moved] = await for_workflow("application-2").decode([sealed])
    sealed.metadata["workflow"] = b"application-2"
    [relabelled] = await for_workflow("application-2").decode([sealed])
    assert moved.metadata["encoding"] == relabelled.metadata["encoding"] == UNREADABLE


async def test_payload_of_another_key_is_foreign() -> None:
    """A ring that lost its key reads nothing, but does not fail either."""
    sealed = await for_workflow("a", OTHER_KEYS).encode([plain()])
    [opened] = await for_workflow("a").decode(sealed)
    assert opened.metadata["encoding"] == UNREADABLE


async def test_older_keys_of_the_ring_still_open() -> None:
    """Rotation of keys leaves open workflows readable."""
    sealed = await for_workflow("a").encode([plain()])
    rotated = KeyRing({"k2": bytes(32), "k1": bytes(range(32))})
    assert await for_workflow("a", rotated).decode(sealed) == [plain()]


async def test_run_of_a_schedule_opens_what_the_schedule_sealed() -> None:
    """A schedule seals for its own id, and its runs get that id with a time behind it."""
    sealed = await for_workflow("nightly").encode([plain()])
    started = for_workflow("nightly-2026-12-04T18:00:00Z")
    assert await started.decode(sealed) == [plain()]
    [other] = await for_workflow("nightly-and-more").decode(sealed)
    assert other.metadata["encoding"] == UNREADABLE


async def test_words_for_ops_stay_readable_and_plain_words_do_not() -> None:
    """Only what is marked as meant for ops is left in the clear."""
    converter = data_converter(KEYS).with_context(WorkflowSerializationContext("default", "a"))
    [readable, secret] = await converter.encode([OpsText("waits for HR"), SECRET])
    assert readable.metadata["encoding"] == b"json/plain"
    assert is_encrypted(secret)


@asynccontextmanager
async def office(client: Client, **options: int) -> AsyncIterator[str]:
    """A worker with the probes; gives its task queue."""
    queue = f"probe-{uuid4()}"
    async with Worker(
        client,
        task_queue=queue,
        workflows=[Probe, Child],
        activities=[answer, fail],
        workflow_runner=SandboxedRunner(),
        **options,  # type: ignore[arg-type]
    ):
        yield queue


async def settled(handle: WorkflowHandle[Probe, list[str]]) -> None:
    """Wait until the probe has walked through everything and waits."""

    async def heard() -> bool:
        return "from outside" in (await handle.query(Probe.so_far, Note(text=""))).text

    await until(heard)


async def history_of(client: Client, workflow_id: str) -> str:
    """All that Temporal stores of a workflow, with every base64 text opened."""
    return laid_open((await client.get_workflow_handle(workflow_id).fetch_history()).to_json())


@pytest.mark.parametrize("cached", [100, 0])
async def test_every_way_of_a_payload_is_encrypted_and_comes_back(
    temporal_client: Client, cached: int
) -> None:
    """Inputs, results, heartbeats, failures, signals, queries, updates, children: also replayed."""
    async with office(temporal_client, max_cached_workflows=cached) as queue:
        name = f"probe-{uuid4()}"
        handle = await temporal_client.start_workflow(
            Probe.run,
            Note(text=SECRET),
            id=name,
            task_queue=queue,
            static_summary=OpsText("ПК-2026-000123-4"),
            start_signal="hear",
            start_signal_args=[Note(text="with the start")],
        )
        await handle.signal(Probe.hear, Note(text=SECRET))
        await settled(handle)
        assert SECRET in (await handle.query(Probe.so_far, Note(text="q"))).text
        assert (await handle.execute_update(Probe.rename, Note(text=SECRET))).text.endswith(SECRET)
        seen = await ops_view(temporal_client, name)
        assert (seen.summary, seen.details) == ("ПК-2026-000123-4", "waits for HR until 04.12.2026")
        await handle.signal(Probe.end)
        result = await handle.result()
    assert result[:4] == [
        SECRET.upper(),
        SECRET,
        f"Refused: no {SECRET}",
        "ChildRefused: child fails",
    ]
    assert set(result[4:]) == {"with the start", SECRET, "from outside"}
    for stored in (name, f"{name}-child", f"{name}-failing"):
        history = await history_of(temporal_client, stored)
        assert "Иванова" not in history.lower().title()
        assert "child fails" not in history
        assert "a plain summary of the timer" not in history
    assert "asks the register" in await history_of(temporal_client, name)


async def test_signal_typed_by_hand_leaves_the_workflow_healthy(
    temporal_client: Client, plain_client: Client
) -> None:
    """A hand that types JSON into the Temporal UI decides nothing and blocks nothing."""
    async with office(temporal_client) as queue:
        handle = await temporal_client.start_workflow(
            Probe.run, Note(text="x"), id=f"probe-{uuid4()}", task_queue=queue
        )
        await settled(handle)
        by_hand = plain_client.get_workflow_handle(handle.id)
        await by_hand.signal("hear", {"text": "by hand"})
        await by_hand.signal("hear", "approve everything")
        await by_hand.signal("hear")
        await by_hand.signal("hear", args=[{"text": "by hand"}, 2])
        await by_hand.signal("nobody_hears_this", {"text": "by hand"})
        with pytest.raises(WorkflowQueryFailedError):
            await by_hand.query("so_far", {"text": "by hand"})
        with pytest.raises(WorkflowUpdateFailedError):
            await by_hand.execute_update("rename", {"text": "by hand"})
        await handle.signal(Probe.hear, Note(text="a real one"))
        await handle.signal(Probe.end)
        result = await asyncio.wait_for(handle.result(), PATIENCE)
        assert result[-2:] == ["nothing", "a real one"]
        assert "by hand" not in " ".join(result)
        history = await handle.fetch_history()
        assert not [
            e for e in history.events if e.HasField("workflow_task_failed_event_attributes")
        ]


async def test_failure_of_a_workflow_is_readable_only_with_the_key(
    temporal_client: Client, plain_client: Client
) -> None:
    """The message of a failed workflow reaches our client and no other."""
    async with office(temporal_client) as queue:
        handle = await temporal_client.start_workflow(
            Child.run, Note(text="fail"), id=f"child-{uuid4()}", task_queue=queue
        )
        with pytest.raises(WorkflowFailureError) as ours:
            await handle.result()
    assert isinstance(ours.value.cause, ApplicationError)
    assert ours.value.cause.message == "child fails"
    assert ours.value.cause.details[0] == {"text": "fail"}
    assert "child fails" not in await history_of(plain_client, handle.id)


async def test_schedule_starts_a_workflow_that_reads_its_input(temporal_client: Client) -> None:
    """The suffix that a schedule puts behind the workflow id does not lock the input out."""
    async with office(temporal_client) as queue:
        name = f"nightly-{uuid4()}"
        schedule = await temporal_client.create_schedule(
            name,
            Schedule(
                action=ScheduleActionStartWorkflow(
                    Child.run, Note(text=SECRET), id=name, task_queue=queue
                ),
                spec=ScheduleSpec(),
            ),
            trigger_immediately=True,
        )
        try:

            async def actions() -> Any:
                return (await schedule.describe()).info.recent_actions

            recent = await until(actions)
            started = recent[0].action.workflow_id
            run = temporal_client.get_workflow_handle(started, result_type=Note)
            assert (await asyncio.wait_for(run.result(), PATIENCE)).text == SECRET
            assert "Иванова" not in await history_of(temporal_client, started)
        finally:
            await schedule.delete(rpc_timeout=timedelta(seconds=PATIENCE))


async def test_reason_of_a_retry_fits_into_what_temporal_keeps() -> None:
    """Ops see why an activity is tried again, however long the stack of its error is (O1)."""

    def fall(depth: int) -> None:
        if depth:
            fall(depth - 1)
        raise ConnectionError("the line was lost " * 10)

    def wrapped(times: int) -> Exception:
        try:
            try:
                if times:
                    raise wrapped(times - 1)
                fall(60)
            except Exception as error:
                raise RuntimeError("connection failed: " * 10) from error
        except Exception as error:
            return error
        raise AssertionError

    failure = Failure()
    converter = data_converter(KEYS).with_context(WorkflowSerializationContext("default", "w"))
    await converter.encode_failure(wrapped(5), failure)
    assert failure.ByteSize() < 4096
    assert "connection failed" not in str(failure)
    error = await converter.decode_failure(failure)
    assert "connection failed" in str(error)
    assert "connection failed" in str(error.__cause__)
