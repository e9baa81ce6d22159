"""What only the running workflow knows: whom a case waits for, until when, what happens then."""

import asyncio
from datetime import timedelta
from uuid import UUID

import structlog
from temporalio.client import Client

from models.messages import PRESENT_STATE, PresentState, case_workflow_id
from rules.cases import CaseKind

log = structlog.get_logger(__name__)

PATIENCE = 2.0


async def present_state(
    client: Client, case_id: UUID, kind: CaseKind = CaseKind.APPLICATION
) -> PresentState | None:
    """Ask the running case. None when it does not answer within two seconds (A8).

    The caller then shows what the database knows, and says so.
    """
    handle = client.get_workflow_handle(case_workflow_id(case_id, kind))
    try:
        async with asyncio.timeout(PATIENCE):
            answer: PresentState | None = await handle.query(
                PRESENT_STATE,
                result_type=PresentState,
                rpc_timeout=timedelta(seconds=PATIENCE),
            )
            return answer
    except Exception as error:
        log.info("case_not_answering", case=str(case_id), error=type(error).__name__)
        return None
