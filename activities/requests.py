"""What the workflow of a service request lets happen in the world. Each is safe to repeat.

Papers and the module take their time, so each heartbeats: a worker that died is missed at once.
"""

from collections.abc import Awaitable

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.shifts import beating
from clients.gov_service import GovServiceRefused
from models.messages import CaseState, Look
from services.gov_service.key_folder import ModuleKeysError
from services.gov_service.line import Exchange
from services.requests import answers, handover


class RequestActivities:
    """Activities of service requests over the lines out that the worker opened."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    @activity.defn
    async def hand_over_request(self, look: Look) -> CaseState:
        """Form, sign, seal and hand over the newest version, or wait for the module."""
        case_id = look.case.case_id
        return await _mended_by_no_try(handover.hand_over(self._exchange, case_id, look.rings))

    @activity.defn
    async def tend_request(self, look: Look) -> CaseState:
        """Take the receipts that came, ask where none comes, tell what the term says."""
        case_id = look.case.case_id
        return await _mended_by_no_try(answers.tend(self._exchange, case_id, look.rings))


async def _mended_by_no_try(effect: Awaitable[CaseState]) -> CaseState:
    """The effect; what people have to mend is not tried again, so that ops are told at once."""
    try:
        async with beating():
            return await effect
    except GovServiceRefused as error:
        kind = f"GovServiceRefused.{error.code}"
        raise ApplicationError("the module refuses", type=kind, non_retryable=True) from None
    except ModuleKeysError as error:
        kind = type(error).__name__
        raise ApplicationError(str(error), type=kind, non_retryable=True) from None
