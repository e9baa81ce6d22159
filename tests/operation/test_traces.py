"""One trace for each act, from the request through the workflow to its activities; no contents."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from opentelemetry import propagate
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from temporalio.api.common.v1 import Header, Payload, WorkflowExecution
from temporalio.api.enums.v1 import WorkflowTaskFailedCause
from temporalio.api.workflowservice.v1 import SignalWorkflowExecutionRequest
from temporalio.client import Client
from temporalio.worker import Replayer

from clients.database import Database
from clients.payload_codec import data_converter, is_encrypted
from clients.telemetry.act_tracing import HEADER, ActTracing, EncryptedCarriers
from clients.telemetry.collector import traces_of
from clients.telemetry.spans import ATTRIBUTES, SentTraces
from clients.temporal.client import StandingWorkflow, connect, ensure_standing
from clients.temporal.replays import read
from crypto.key_ring import KeyRing
from models.messages import WAKE_UP, WorkflowName, case_workflow_id
from models.visibility import OpsText
from ops.local.home import CHECKOUT
from rules.cases.process import Status
from server import create_app
from settings import Settings
from tests.shared.desk import Desk
from tests.shared.office import SNILS, Office
from tests.shared.served import with_new_database
from tests.shared.waiting import until
from tests.workflows.test_replay import type_of
from worker import WORKFLOWS, build

HISTORIES = CHECKOUT / "tests" / "histories"
STRANGERS = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
SECRET = "Соколова"


class Collector:
    """A small OTLP receiver: the spans that were sent, by their trace."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.raw = b""
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def start(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._take, "127.0.0.1", 0)

    async def stop(self) -> None:
        """Close."""
        assert self._server is not None
        self._server.close()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length")
        )
        body = await reader.readexactly(length)
        self.raw += body
        for of_resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            for of_scope in of_resource.scope_spans:
                self.spans += of_scope.spans
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    def named(self, name: str) -> list[Span]:
        """The spans of this name."""
        return [span for span in self.spans if span.name == name]

    def of_trace(self, trace_id: bytes) -> set[str]:
        """The names of the spans of one trace."""
        return {span.name for span in self.spans if span.trace_id == trace_id}


@dataclass
class Traced:
    """The application and a worker whose spans the collector takes."""

    collector: Collector
    desk: Desk
    client: Client
    settings: Settings

    @property
    def office(self) -> Office:
        """The people."""
        return self.desk.office

    async def spans(self, name: str, seconds: float = 20.0) -> list[Span]:
        """The spans of this name, as soon as the collector has one."""

        async def look() -> list[Span]:
            return self.collector.named(name)

        return await until(look, seconds)

    async def submit(self) -> UUID:
        """Submit an application through the API and wait until it is in review."""
        case_id = await self.office.draft()
        program = await self.desk.program(self.office.clinician)
        reply = await program.post(
            f"/applications/{case_id}/submit?note={SECRET}",
            json={"step": 0},
            headers={"Idempotency-Key": str(uuid4()), "traceparent": STRANGERS},
        )
        assert reply.status_code == 200, reply.text
        await self.stands_at(case_id, Status.IN_REVIEW)
        return case_id

    async def stands_at(self, case_id: UUID, status: Status) -> None:
        """Wait until the case stands there."""

        async def look() -> bool:
            return (await self.office.case(case_id)).status == status

        await until(look)

    async def approve(self, case_id: UUID) -> None:
        """Approve through the API and wait for the act."""
        case = await self.office.case(case_id)
        program = await self.desk.program(self.office.reviewer)
        reply = await program.post(
            f"/applications/{case_id}/decision",
            json={
                "step": case.step,
                "outcome": "approve",
                "reason": "Всё верно.",
                "checklist": await self.office.checklist(case_id),
            },
            headers={"Idempotency-Key": str(uuid4())},
        )
        assert reply.status_code == 200, reply.text

        async def closed() -> bool:
            return (await self.office.case(case_id)).closed_at is not None

        await until(closed)


@pytest.fixture
async def traced(
    settings: Settings,
    new_database: Callable[[], dict[str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Traced]:
    """Both processes in one, each with traces of its own."""
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
    collector = Collector()
    await collector.start()
    chosen = with_new_database(settings, new_database())
    chosen = chosen.model_copy(update={"otlp_url": collector.url, "demo": True})
    keys = KeyRing.parse(chosen.keys.get_secret_value())
    before = propagate.get_global_textmap()
    traces = traces_of(chosen, "medcab-worker")
    assert traces is not None
    client = await connect(chosen, keys, traces=traces)
    database = Database.from_settings(chosen)
    app = create_app(chosen)
    async with app.router.lifespan_context(app), build(chosen, client, database):
        yield Traced(collector, await Desk.open(app), client, chosen)
    await asyncio.to_thread(traces.close)
    await database.close()
    await collector.stop()
    propagate.set_global_textmap(before)


async def test_one_trace_holds_request_workflow_and_activities(traced: Traced) -> None:
    """A submission: the span of the request, the start of the workflow, its run, its check."""
    await traced.submit()
    (check,) = await traced.spans("RunActivity:check")
    names = {
        "POST /api/v1/applications/{case_id}/submit",
        "StartWorkflow:QualificationApplication",
        "RunWorkflow:QualificationApplication",
        "RunActivity:check",
    }

    async def whole() -> bool:
        return names <= traced.collector.of_trace(check.trace_id)

    await until(whole)
    assert check.trace_id.hex() not in STRANGERS


async def test_decision_is_a_trace_of_its_own_with_what_follows(traced: Traced) -> None:
    """An approval: request, signal and the activity that makes the act, apart from the rest."""
    case_id = await traced.submit()
    await traced.approve(case_id)
    (issued,) = await traced.spans("RunActivity:issue_act")
    names = {
        "POST /api/v1/applications/{case_id}/decision",
        "SignalWithStartWorkflow:QualificationApplication",
        "HandleSignal:approve",
        "RunActivity:issue_act",
    }

    async def whole() -> bool:
        return names <= traced.collector.of_trace(issued.trace_id)

    await until(whole)
    assert "RunActivity:check" not in traced.collector.of_trace(issued.trace_id)


async def test_what_a_clock_does_is_linked_to_the_last_act(
    traced: Traced, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Long after an act, what a run does begins a trace that names the act it came from."""
    monkeypatch.setattr("clients.telemetry.act_tracing.LATER", timedelta(seconds=-1))
    await traced.submit()
    (clock, *_) = await traced.spans("Clock:QualificationApplication")
    (run,) = await traced.spans("RunWorkflow:QualificationApplication")
    assert clock.trace_id != run.trace_id
    assert [link.trace_id for link in clock.links] == [run.trace_id]
    (check,) = await traced.spans("RunActivity:check")
    assert check.trace_id == clock.trace_id


async def test_nothing_personal_leaves(traced: Traced) -> None:
    """Neither addresses nor queries, forms, names, reasons nor the words of errors."""
    case_id = await traced.submit()
    async with traced.desk.anonymous() as stranger:
        await stranger.get(f"/applications/{case_id}?who={SECRET}")
    await traced.approve(case_id)
    await traced.spans("RunActivity:issue_act")
    await traced.spans("GET /api/v1/applications/{case_id}")
    for planted in (SECRET, SNILS, "Всё верно", "university", "note=", "127.0.0.1:8000", "Bearer"):
        assert planted.encode() not in traced.collector.raw
    told = {a.key for span in traced.collector.spans for a in span.attributes}
    assert told <= ATTRIBUTES
    assert not any(span.status.message for span in traced.collector.spans)


def test_errors_are_told_by_their_type_alone() -> None:
    """The message of an exception may hold what people entered."""
    told = InMemorySpanExporter()
    sent = SentTraces("test", told)
    tracer = sent.provider.get_tracer("x")
    step = tracer.start_as_current_span("step", attributes={"form": SECRET})
    with pytest.raises(ValueError, match=SECRET), step:
        raise ValueError(SECRET)
    sent.close()
    (span,) = told.get_finished_spans()
    assert dict(span.attributes or {}) == {}
    assert span.status.description is None
    (event,) = span.events
    assert dict(event.attributes or {}) == {"exception.type": "ValueError"}


async def test_context_is_encrypted_and_histories_replay_without_it(traced: Traced) -> None:
    """Headers are sealed; a traced history replays with the interceptor and without."""
    case_id = await traced.submit()
    await traced.approve(case_id)
    handle = traced.client.get_workflow_handle(case_workflow_id(case_id))
    await handle.result()
    history = await handle.fetch_history()
    sealed = [
        header
        for event in history.events
        for header in (
            event.workflow_execution_started_event_attributes.header,
            event.workflow_execution_signaled_event_attributes.header,
        )
        if HEADER in header.fields
    ]
    # The start and the signal: the steps that the worker takes itself leave no headers behind.
    assert len(sealed) == 2
    assert all(is_encrypted(header.fields[HEADER]) for header in sealed)
    keys = KeyRing.parse(traced.settings.keys.get_secret_value())
    converter = data_converter(keys)
    interceptor = ActTracing(TracerProvider().get_tracer("x"), keys)
    for interceptors in ([], [interceptor]):
        replayer = Replayer(
            workflows=WORKFLOWS, data_converter=converter, interceptors=interceptors
        )
        await replayer.replay_workflow(history)


async def test_recorded_histories_replay_under_the_interceptor() -> None:
    """Those of before there were traces: the interceptor adds no command to any workflow."""
    # Of each workflow the longest: the interceptor treats all runs of one alike.
    by_length = sorted(HISTORIES.glob("*.json"), key=lambda file: file.stat().st_size)
    files = {type_of(json.loads(file.read_text("utf-8"))): file for file in by_length}
    keys = KeyRing.parse((HISTORIES / "key-ring").read_text().strip())
    told = InMemorySpanExporter()
    sent = SentTraces("test", told)
    replayer = Replayer(
        workflows=WORKFLOWS,
        data_converter=data_converter(keys),
        interceptors=[sent.interceptor(keys)],
    )
    assert len(files) == len(WORKFLOWS)
    for file in files.values():
        await replayer.replay_workflow(read(file))
    sent.close()
    assert not told.get_finished_spans()


async def test_header_typed_by_hand_stops_nothing(traced: Traced) -> None:
    """A signal with a context that nobody can read is heard like any other (no failed tasks)."""
    case_id = await traced.submit()
    for payload in (Payload(), Payload(metadata={"encoding": b"json/plain"}, data=b'{"a": 1}')):
        await traced.client.workflow_service.signal_workflow_execution(
            SignalWorkflowExecutionRequest(
                namespace=traced.client.namespace,
                workflow_execution=WorkflowExecution(workflow_id=case_workflow_id(case_id)),
                signal_name=WAKE_UP,
                header=Header(fields={HEADER: payload}),
            )
        )
    await traced.approve(case_id)
    history = await traced.client.get_workflow_handle(case_workflow_id(case_id)).fetch_history()
    failed = [each.workflow_task_failed_event_attributes for each in history.events]
    # A signal that comes while a task is answered makes the server ask for the task once more.
    known = (WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND, 0)
    assert not [one for one in failed if one.cause not in known]


def test_sealed_carriers_open_only_under_their_key() -> None:
    """What another installation sealed is no context."""
    ours, theirs = KeyRing({"a": bytes(32)}), KeyRing({"a": bytes(range(32))})
    carrier = {"traceparent": STRANGERS}
    (payload,) = EncryptedCarriers(theirs).to_payloads([carrier])
    assert EncryptedCarriers(theirs).from_payloads([payload]) == [carrier]
    assert EncryptedCarriers(ours).from_payloads([payload]) == [{}]


async def test_standing_workflows_are_not_traced(traced: Traced) -> None:
    """What runs for ever has no trace, nor has what it does."""
    queue = traced.settings.task_queue
    one = StandingWorkflow(WorkflowName.JOURNAL_SEALER, f"sealer-{uuid4().hex}", OpsText("test"))
    await ensure_standing(traced.client, queue, [one])
    await traced.submit()
    await traced.spans("RunActivity:check")
    assert not [span for span in traced.collector.spans if "JournalSealer" in span.name]
    assert not traced.collector.named("RunActivity:seal_journal")
    await traced.client.get_workflow_handle(one.id).terminate()


def test_without_a_collector_nothing_is_even_loaded() -> None:
    """Off unless an address is set: no provider, no exporter, no interceptor."""
    shown = subprocess.run(
        [sys.executable, "-c", QUIET],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": os.defpath, "MEDCAB_COOKIE_SECURE": "true"},
        cwd=CHECKOUT,
    )
    assert shown.stdout.split() == ["ProxyTracerProvider", "False", "False"]
    assert traces_of(Settings(), "medcab-api") is None


QUIET = """
import sys
from opentelemetry import trace
from server import create_app
import worker
app = create_app()
print(type(trace.get_tracer_provider()).__name__)
print("opentelemetry.sdk.trace" in sys.modules, app._native_telemetry.enabled())
"""
