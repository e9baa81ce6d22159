"""Activities of the workflow of a service request. Each is safe to repeat.

Papers and the gov service take their time, so each sends heartbeats: Temporal notices at once if
the worker dies.
"""

from collections.abc import Awaitable

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.shifts import beating
from clients.gov_service import GovServiceRefused
from models.messages import CaseState, Look
from services.gov_service.key_folder import GovServiceKeysError
from services.gov_service.line import Exchange
from services.requests import answers, handover


class RequestActivities:
    """Activities of service requests, with the clients and keys that the worker opened."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    @activity.defn
    async def hand_over_request(self, look: Look) -> CaseState:
        """Write, sign, encrypt and hand over the newest version, or wait for the gov service."""
        case_id = look.case.case_id
        return await _mended_by_no_try(handover.hand_over(self._exchange, case_id, look.rings))

    @activity.defn
    async def tend_request(self, look: Look) -> CaseState:
        """Take the acknowledgements that came, ask where none came, and act on the term."""
        case_id = look.case.case_id
        return await _mended_by_no_try(answers.tend(self._exchange, case_id, look.rings))


async def _mended_by_no_try(effect: Awaitable[CaseState]) -> CaseState:
    """Run `effect`.

    An error that only people can mend is not retried, so that ops are told at once.
    """
    try:
        async with beating():
            return await effect
    except GovServiceRefused as error:
        kind = f"GovServiceRefused.{error.code}"
        raise ApplicationError("the gov service refuses", type=kind, non_retryable=True) from None
    except GovServiceKeysError as error:
        # The type is stored in histories and journals under the name it was given first.
        raise ApplicationError(str(error), type="ModuleKeysError", non_retryable=True) from None
