"""The line to Temporal: rings that never raise, and handlers that no hand can block (O1)."""

import asyncio
import inspect
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from temporalio import workflow
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import TypedSearchAttributes
from temporalio.worker import Worker

from clients.payload_codec import data_converter
from clients.temporal.client import (
    SignalWithStart,
    StandingWorkflow,
    all_stand,
    connect,
    ensure_standing,
    signal_with_start,
)
from crypto.key_ring import KeyRing
from models.visibility import OpsText
from settings import Settings
from tests.clients.probes import Child, Note, Probe, answer, fail
from tests.shared.waiting import PATIENCE, until
from workflows.applications import QualificationApplication
from workflows.notices import NoticesMail
from workflows.standing import FileSweep, JournalSealer, Sweeper

KEYS = KeyRing({"k1": bytes(range(32))})


@pytest.mark.parametrize(
    "kind", [QualificationApplication, NoticesMail, Sweeper, JournalSealer, FileSweep, Probe]
)
def test_every_signal_may_come_without_input(kind: Any) -> None:
    """A bare signal typed by hand must not fail the workflow task: arguments have defaults."""
    definition = workflow._Definition.must_from_class(kind)
    for signal in definition.signals.values():
        parameters = list(inspect.signature(signal.fn).parameters.values())[1:]
        assert all(p.default is not inspect.Parameter.empty for p in parameters), signal.name


def call_to(workflow_id: str, text: str) -> SignalWithStart:
    """A note to a probe."""
    return SignalWithStart(
        workflow="Probe",
        workflow_id=workflow_id,
        start=Note(text="started"),
        signal="hear",
        args=[Note(text=text)],
        summary=OpsText("probe"),
        attributes=TypedSearchAttributes([]),
    )


async def test_ring_starts_then_signals_then_finds_it_closed(temporal_client: Client) -> None:
    """The first ring starts the run, the next is heard by it, and a closed run stays closed."""
    queue, name = f"probe-{uuid4()}", f"probe-{uuid4()}"
    async with Worker(
        temporal_client, task_queue=queue, workflows=[Probe, Child], activities=[answer, fail]
    ):
        assert await signal_with_start(temporal_client, call_to(name, "one"), queue)
        assert await signal_with_start(temporal_client, call_to(name, "two"), queue)
        handle = temporal_client.get_workflow_handle_for(Probe.run, name)
        await handle.signal(Probe.end)
        result = await handle.result()
        assert {"one", "two"} <= set(result)
        first = (await handle.describe()).run_id
        assert not await signal_with_start(temporal_client, call_to(name, "late"), queue)
        assert (await handle.describe()).run_id == first
        assert await signal_with_start(temporal_client, call_to(name, "again"), queue, again=True)
        described = await handle.describe()
        assert described.run_id != first
        assert described.status is WorkflowExecutionStatus.RUNNING
        await handle.terminate()
        assert await signal_with_start(temporal_client, call_to(name, "after terminate"), queue)
        await handle.terminate()


async def test_ring_of_a_server_that_is_down_is_false_within_its_deadline(
    unused_tcp_port_factory: Callable[[], int],
) -> None:
    """An act is answered while Temporal is down: the ring gives up and the sweeper follows."""
    settings = Settings(TEMPORAL_ADDRESS=f"127.0.0.1:{unused_tcp_port_factory()}")
    client = await connect(settings, KEYS, lazy=True)
    async with asyncio.timeout(PATIENCE):
        assert not await signal_with_start(
            client, call_to("probe", "nobody hears"), "probe", deadline=0.5
        )


async def test_standing_workflows_are_started_once(temporal_client: Client) -> None:
    """However many workers ensure them, one run stands; after a terminate it stands again."""
    queue, name = f"probe-{uuid4()}", f"standing-{uuid4()}"
    standing = (StandingWorkflow("Sweeper", name, OpsText("stands")),)
    for _ in range(3):
        await ensure_standing(temporal_client, queue, standing)
    handle = temporal_client.get_workflow_handle(name)
    first = (await handle.describe()).run_id
    await ensure_standing(temporal_client, queue, standing)
    assert (await handle.describe()).run_id == first
    await handle.terminate()
    await ensure_standing(temporal_client, queue, standing)
    assert (await handle.describe()).run_id != first
    await handle.terminate()


async def test_one_that_ended_is_missed(temporal_client: Client) -> None:
    """Counting them shows that all stand, or that one does not."""
    names = [f"standing-{uuid4()}", f"standing-{uuid4()}"]
    standing = [StandingWorkflow("Sweeper", name, OpsText("stands")) for name in names]
    await ensure_standing(temporal_client, f"probe-{uuid4()}", standing)
    await until(lambda: all_stand(temporal_client, standing))
    await temporal_client.get_workflow_handle(names[0]).terminate()

    async def missed() -> bool:
        return not await all_stand(temporal_client, standing)

    await until(missed)
    assert await all_stand(temporal_client, standing[1:])
    await temporal_client.get_workflow_handle(names[1]).terminate()


async def test_client_of_the_settings_encrypts(temporal_client: Client) -> None:
    """The client that the product uses has the sealing data converter."""
    client = await connect(
        Settings(TEMPORAL_ADDRESS=temporal_client.service_client.config.target_host), KEYS
    )
    assert type(client.data_converter) is type(data_converter(KEYS))
    assert client.data_converter.payload_codec is not None
