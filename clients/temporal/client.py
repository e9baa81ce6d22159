"""The client of Temporal: it encrypts, signals with start, and starts the standing workflows."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.query.v1 import WorkflowQuery
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.api.workflowservice.v1 import QueryWorkflowRequest
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleCalendarSpec,
    ScheduleHandle,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from temporalio.common import (
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.converter import DefaultPayloadConverter
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.runtime import Runtime
from temporalio.service import GrpcCompression, RPCError

from clients.payload_codec import data_converter
from clients.telemetry.traces import Traces, untraced
from crypto.key_ring import KeyRing
from models.messages import (
    ANEW,
    WAKE_UP,
    ActRef,
    CaseRef,
    CaseSignal,
    CaseState,
    WorkflowName,
    case_workflow_id,
)
from models.visibility import OpsText, attributes_of
from rules.cases.kinds import process_of
from rules.cases.process import Transition
from settings import Settings

log = structlog.get_logger(__name__)


async def connect(
    settings: Settings,
    keys: KeyRing,
    *,
    lazy: bool = False,
    runtime: Runtime | None = None,
    traces: Traces | None = None,
) -> Client:
    """A client of the configured namespace. With `lazy` it connects at the first call.

    Without `lazy`, raises RuntimeError if the server does not answer.
    """
    return await Client.connect(
        settings.temporal_address,
        namespace=settings.temporal_namespace,
        data_converter=data_converter(keys),
        lazy=lazy,
        runtime=runtime,
        interceptors=[traces.interceptor(keys)] if traces else [],
        grpc_compression=GrpcCompression.NONE,
    )


@dataclass(frozen=True)
class SignalWithStart:
    """A workflow to start, or to signal if a run is open. Without `signal` it is only started."""

    workflow: str
    workflow_id: str
    start: Any
    signal: str | None
    args: Sequence[Any]
    summary: OpsText
    attributes: TypedSearchAttributes
    anew: bool = False
    """Whether to end an open run and begin another in its place."""


async def signal_with_start(
    client: Client,
    call: SignalWithStart,
    task_queue: str,
    *,
    again: bool = False,
    deadline: float = 2.0,
) -> bool:
    """Signal a workflow, and start it if none is open. False if Temporal did not accept it.

    Waits at most `deadline` seconds and never raises: the sweeper makes up for what fails here. A
    run that ended well is only started again with `again`.
    """
    reuse = (
        WorkflowIDReusePolicy.ALLOW_DUPLICATE
        if again
        else WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY
    )
    try:
        async with asyncio.timeout(deadline):
            await client.start_workflow(
                call.workflow,
                call.start,
                id=call.workflow_id,
                task_queue=task_queue,
                id_reuse_policy=reuse,
                id_conflict_policy=(
                    WorkflowIDConflictPolicy.TERMINATE_EXISTING
                    if call.anew
                    else WorkflowIDConflictPolicy.UNSPECIFIED
                ),
                search_attributes=call.attributes,
                start_signal=call.signal,
                start_signal_args=call.args if call.signal else [],
                static_summary=call.summary,
                rpc_timeout=timedelta(seconds=deadline),
            )
    except WorkflowAlreadyStartedError:
        log.info("signal_to_closed_run", workflow=call.workflow_id, signal=call.signal)
        return call.signal is None
    except Exception as error:
        log.warning(
            "signal_failed",
            workflow=call.workflow_id,
            signal=call.signal,
            error=type(error).__name__,
            status=error.status.name if isinstance(error, RPCError) else None,
        )
        return False
    return True


class CaseSignaller:
    """Signals the workflow of a case: the `Signaller` of `services.cases.signals`."""

    def __init__(self, client: Client, task_queue: str, deadline: float = 2.0) -> None:
        self._client = client
        self._task_queue = task_queue
        self._deadline = deadline

    async def __call__(self, case: CaseState, signal: CaseSignal) -> bool:
        """Signal the workflow, and return whether nothing is left to do.

        If the case is closed, its workflow may be closed as well. The sweeper only wakes cases that
        are open and late: it starts a new run even if one ended well, as after a restore of the
        database. A closed case that was reopened begins a new run as well.
        """
        call = SignalWithStart(
            workflow=process_of(case.kind).workflow,
            workflow_id=case_workflow_id(case.case_id, case.kind),
            start=CaseRef(case_id=case.case_id, state=case),
            # A run that begins reads everything a signal would tell it.
            signal=None if signal.signal in (Transition.SUBMIT, ANEW) else signal.signal,
            args=[ActRef(act_id=signal.act_id)] if signal.act_id else [],
            summary=OpsText(f"{case.number} · {case.type}"),
            attributes=attributes_of(case),
            anew=signal.signal == ANEW,
        )
        again = signal.signal == ANEW or (
            case.open and (signal.signal == WAKE_UP or process_of(case.kind).may_reopen)
        )
        done = await signal_with_start(
            self._client, call, self._task_queue, again=again, deadline=self._deadline
        )
        return done or not case.open


@dataclass(frozen=True)
class StandingWorkflow:
    """A workflow that always runs, under one fixed id; it can start without an argument."""

    workflow: str
    id: str
    summary: OpsText


STANDING: tuple[StandingWorkflow, ...] = (
    StandingWorkflow(WorkflowName.NOTICES_MAIL, "notices-mail", OpsText("sends notices by e-mail")),
    StandingWorkflow(WorkflowName.NOTICES_SMS, "notices-sms", OpsText("sends notices by SMS")),
    StandingWorkflow(
        WorkflowName.NOTICES_PUSH, "notices-push", OpsText("sends notices by web push")
    ),
    StandingWorkflow(WorkflowName.SWEEPER, "sweeper", OpsText("wakes the cases that are late")),
    StandingWorkflow(
        WorkflowName.JOURNAL_SEALER,
        "journal-sealer",
        OpsText("makes a checkpoint of the journal once a minute"),
    ),
    StandingWorkflow(
        WorkflowName.CLINIC_CLOCKS, "clinic-clocks", OpsText("does what is due in the clinic")
    ),
)


async def ensure_standing(
    client: Client,
    task_queue: str,
    standing: Sequence[StandingWorkflow] = STANDING,
    *,
    anew: bool = False,
) -> None:
    """Start the standing workflows that do not run; safe to repeat. Raises RPCError.

    With `anew` open runs are ended, and others begun in their place.
    """
    for one in standing:
        with untraced():
            await client.start_workflow(
                one.workflow,
                id=one.id,
                task_queue=task_queue,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                id_conflict_policy=(
                    WorkflowIDConflictPolicy.TERMINATE_EXISTING
                    if anew
                    else WorkflowIDConflictPolicy.USE_EXISTING
                ),
                static_summary=one.summary,
                rpc_timeout=timedelta(seconds=5),
            )


async def all_stand(client: Client, standing: Sequence[StandingWorkflow] = STANDING) -> bool:
    """Whether the standing workflows run, as Temporal's lists know it. Raises RPCError.

    One count costs the server a tenth of what starting each of them does.
    """
    names = ", ".join(f"'{one.id}'" for one in standing)
    with untraced():
        told = await client.count_workflows(
            f"WorkflowId IN ({names}) AND ExecutionStatus = 'Running'",
            rpc_timeout=timedelta(seconds=5),
        )
    return told.count >= len(standing)


SCHEDULED: Mapping[str, tuple[WorkflowName, ScheduleRange]] = {
    "archive-night": (WorkflowName.ARCHIVE_NIGHT, ScheduleRange(2)),
    "laboratory-catch-up": (WorkflowName.LABORATORY_CATCH_UP, ScheduleRange(0, 23)),
    "file-sweep": (WorkflowName.FILE_SWEEP, ScheduleRange(3)),
    "personnel-comparison": (WorkflowName.PERSONNEL_COMPARISON, ScheduleRange(0, 23)),
    "register-sync": (WorkflowName.REGISTER_SYNC, ScheduleRange(1)),
}
"""By id of the schedule, which its workflow has too: the workflow, and the hours it starts at."""
NIGHT_ENDS = timedelta(hours=20)
"""After so long a run is ended: one that cannot go on would keep all later ones away."""


async def ensure_schedules(client: Client, task_queue: str, time_zone: str) -> None:
    """Create the schedules, or give them this zone; safe to repeat.

    Raises RPCError.
    """
    for schedule_id, (workflow, hours) in SCHEDULED.items():
        try:
            await client.create_schedule(
                schedule_id,
                Schedule(
                    action=ScheduleActionStartWorkflow(
                        workflow,
                        id=schedule_id,
                        task_queue=task_queue,
                        execution_timeout=NIGHT_ENDS,
                    ),
                    spec=ScheduleSpec(
                        calendars=[ScheduleCalendarSpec(hour=[hours])],
                        jitter=timedelta(minutes=20),
                        time_zone_name=time_zone,
                    ),
                    policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP),
                ),
            )
        except ScheduleAlreadyRunningError:
            await _keep_schedule(client.get_schedule_handle(schedule_id), time_zone)


async def _keep_schedule(handle: ScheduleHandle, time_zone: str) -> None:
    """Give a schedule that an earlier version made its end, and one of another zone this zone."""

    def kept(schedule: Schedule) -> bool:
        action = schedule.action
        assert isinstance(action, ScheduleActionStartWorkflow)  # noqa: S101 - there is no other
        ends, zone = action.execution_timeout, schedule.spec.time_zone_name
        action.execution_timeout, schedule.spec.time_zone_name = NIGHT_ENDS, time_zone
        return (ends, zone) == (NIGHT_ENDS, time_zone)

    def changed(asked: ScheduleUpdateInput) -> ScheduleUpdate:
        kept(asked.description.schedule)
        return ScheduleUpdate(asked.description.schedule)

    if not kept((await handle.describe()).schedule):
        await handle.update(changed)


@dataclass(frozen=True)
class OpsView:
    """What the Temporal UI shows of a run without a key."""

    summary: str
    details: str


async def ops_view(client: Client, workflow_id: str) -> OpsView:
    """Read what ops see: the static summary, and the current details of the running workflow.

    Raises RPCError, for example if no worker answers.
    """
    words = DefaultPayloadConverter()
    described = await client.get_workflow_handle(workflow_id).describe()
    metadata = described.raw_description.execution_config.user_metadata
    reply = await client.workflow_service.query_workflow(
        QueryWorkflowRequest(
            namespace=client.namespace,
            execution=WorkflowExecution(workflow_id=workflow_id),
            query=WorkflowQuery(query_type="__temporal_workflow_metadata"),
        ),
        timeout=timedelta(seconds=10),
    )
    told: WorkflowMetadata = words.from_payload(reply.query_result.payloads[0], WorkflowMetadata)
    summary = words.from_payload(metadata.summary, str) if metadata.HasField("summary") else ""
    return OpsView(summary=summary, details=told.current_details)
