"""What only the running workflow knows: whom a case waits for, until when, what happens then."""

import asyncio
from datetime import timedelta
from uuid import UUID

import structlog
from temporalio.client import Client

from models.messages import PRESENT_STATE, PresentState, application_workflow_id

log = structlog.get_logger(__name__)

PATIENCE = 2.0


async def present_state(client: Client, case_id: UUID) -> PresentState | None:
    """Ask the running case. None when it does not answer within two seconds (A8).

    The caller then shows what the database knows, and says so.
    """
    handle = client.get_workflow_handle(application_workflow_id(case_id))
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
