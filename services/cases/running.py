"""What only the running workflow knows: whom a case waits for, until when, what happens then."""

import asyncio
from datetime import timedelta

import structlog
from temporalio.client import Client

from models.messages import PRESENT_STATE, PresentState, case_workflow_id
from models.tables.cases import Case
from rules.cases.process import CaseKind, Party, Status
from rules.cases.terms import in_zone
from rules.clock import now

log = structlog.get_logger(__name__)

PATIENCE = 2.0


async def live_or_stored(client: Client, case: Case) -> tuple[bool, PresentState]:
    """Whether the case's workflow answered, and the present state.

    If it does not answer, or answers for an earlier step, the state is what the database knows.
    A later step is news: the case has moved since it was read.
    """
    answer = await present_state(client, case)
    if answer is not None and answer.step >= case.step:
        return True, answer
    return False, PresentState(
        status=Status(case.status),
        step=case.step,
        waits_for=Party(case.waits_for),
        until=in_zone(case.due_at, case.term_zone) if case.due_at else None,
        term_zone=case.term_zone,
        then=None,
        as_of=now(),
        stuck=case.stuck is not None,
    )


async def present_state(client: Client, case: Case) -> PresentState | None:
    """Ask the workflow of a case. None if it does not answer within two seconds, or has ended (A8).

    The caller then shows what the database knows, and says so.
    """
    if case.closed_at is not None or not case.number:
        return None
    handle = client.get_workflow_handle(case_workflow_id(case.id, CaseKind(case.kind)))
    try:
        async with asyncio.timeout(PATIENCE):
            answer: PresentState | None = await handle.query(
                PRESENT_STATE,
                result_type=PresentState,
                rpc_timeout=timedelta(seconds=PATIENCE),
            )
            return answer
    except Exception as error:
        log.info("case_not_answering", case=str(case.id), error=type(error).__name__)
        return None
