"""Temporal against the database: every open case has its run, and no run goes on without a case."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlmodel import col, select
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.converter import DefaultPayloadConverter
from temporalio.service import RPCError, RPCStatusCode

from clients.database import Database
from clients.temporal.client import CaseSignaller, connect
from crypto.key_ring import KeyRing
from models.messages import WAKE_UP, CaseSignal, CaseState, case_workflow_id
from models.tables.cases import Case
from ops.backup import BackupError
from ops.backup.reconcile.findings import Findings
from rules.cases.kinds import PROCESSES
from rules.cases.process import CaseKind
from services.cases.transitions import state_of
from services.requests import acknowledgements as _known_to_the_engine  # noqa: F401
from settings import Settings

AT_ONCE = 500
RPC_WITHIN = timedelta(seconds=10)
REASON = "its case does not exist: the database was restored to a time before it"


@dataclass
class Runs:
    """The runs of cases that Temporal knows, by workflow id, and whether each is open."""

    client: Client
    queue: str
    open: dict[str, bool]

    @classmethod
    async def look(cls, settings: Settings, keys: KeyRing) -> "Runs":
        """Ask Temporal. Raises BackupError when it does not answer."""
        found: dict[str, bool] = {}
        try:
            client = await connect(settings, keys)
            types = ", ".join(repr(one.workflow) for one in PROCESSES.values())
            async for run in client.list_workflows(f"WorkflowType in ({types})"):
                running = run.status is WorkflowExecutionStatus.RUNNING
                found[run.id] = found.get(run.id, False) or running
        except (RuntimeError, RPCError) as error:
            raise BackupError(f"Temporal does not answer: {error}") from error
        return cls(client, settings.task_queue, found)

    async def strangers(self, database: Database) -> set[str]:
        """Workflow ids whose cases the database does not have."""
        async with database.reading() as session:
            rows = (await session.exec(select(Case.id, Case.kind))).all()
        return set(self.open) - {case_workflow_id(id_, CaseKind(kind)) for id_, kind in rows}

    async def numbers(self, database: Database) -> list[str]:
        """The numbers of cases that are gone, read from the summaries of their runs."""
        words, told = DefaultPayloadConverter(), []
        for id_ in await self.strangers(database):
            described = await self.client.get_workflow_handle(id_).describe(rpc_timeout=RPC_WITHIN)
            metadata = described.raw_description.execution_config.user_metadata
            # Our summaries are plain text, for ops. One in another encoding is not ours.
            if metadata.summary.metadata.get("encoding") == b"json/plain":
                summary: str = words.from_payload(metadata.summary, str)
                told.append(summary.partition(" · ")[0])
        return told

    async def settle(self, database: Database, found: Findings, *, signal_all: bool) -> None:
        """Start runs that are missing, end runs without a case.

        An open run of a closed case is woken: it reads its case and ends by itself. With
        `signal_all` every run is woken, as after a restore, so that each reads its case again.
        """
        ended = [id_ for id_ in await self.strangers(database) if self.open[id_]]
        for id_ in ended:
            try:
                handle = self.client.get_workflow_handle(id_)
                await handle.terminate(reason=REASON, rpc_timeout=RPC_WITHIN)
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:
                    raise BackupError(f"Temporal does not answer: {error}") from error
        found.add("workflows", len(ended), "ended: their cases do not exist", examples=ended)
        signaller = CaseSignaller(self.client, self.queue, deadline=RPC_WITHIN.total_seconds())
        started, signalled, unheard = 0, 0, []
        async for state in _submitted(database):
            running = self.open.get(case_workflow_id(state.case_id, state.kind), False)
            wanted = (signal_all or not running) if state.open else running
            if not wanted:
                continue
            if not await signaller(state, CaseSignal(signal=WAKE_UP)):
                unheard.append(state.number)
            elif running:
                signalled += 1
            else:
                started += 1
        found.add("workflows", started, "started for open cases that had none")
        found.add("workflows", signalled, "signalled, to read their cases again")
        found.fault("workflows", unheard, "open cases have no run", "every open case has its run")


async def _submitted(database: Database) -> AsyncIterator[CaseState]:
    """The state of every case that was ever submitted, read in portions."""
    last = UUID(int=0)
    while True:
        async with database.work() as session:
            found = await session.exec(
                select(Case)
                .where(col(Case.number).is_not(None), Case.id > last)
                .order_by(col(Case.id))
                .limit(AT_ONCE)
            )
            states = [await state_of(session, case) for case in found.all()]
        if not states:
            return
        for state in states:
            yield state
        last = states[-1].case_id
