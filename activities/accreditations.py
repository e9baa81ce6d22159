"""Activities of the workflow of a periodic accreditation. Each is safe to repeat.

A portfolio takes its time, so sending heartbeats: Temporal notices at once if the worker dies.
"""

from collections.abc import Awaitable
from http import HTTPStatus

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.shifts import beating
from clients.accreditation_centre import CentreRefused
from models.messages import CaseState, Look
from rules.refusals import Refusal
from services.accreditations import answers, checks, forwarding
from services.accreditations.line import CentreLine
from services.accreditations.portfolio import PortfolioTooLarge


class AccreditationActivities:
    """Activities of accreditations, with the line to the federal centre."""

    def __init__(self, line: CentreLine) -> None:
        self._line = line

    @activity.defn
    async def check_portfolio(self, case: CaseState) -> CaseState:
        """Check the newest version and open the review."""
        return await checks.check(self._line.settings, self._line.database, case.case_id, case.step)

    @activity.defn
    async def wake_accreditation(self, case: CaseState) -> CaseState:
        """A reminder or term is due: remind, escalate, or close a case that was never answered."""
        return await checks.wake(self._line.database, case.case_id)

    @activity.defn
    async def forward_portfolio(self, look: Look) -> CaseState:
        """Make, sign and send the portfolio, or wait for the federal centre if it is down."""
        return await _mended_by_no_try(
            forwarding.forward(self._line, look.case.case_id, look.rings)
        )

    @activity.defn
    async def tend_accreditation(self, look: Look) -> CaseState:
        """Ask the centre how the portfolio stands, follow its answer, and act on the term."""
        return await _mended_by_no_try(answers.tend(self._line, look.case.case_id, look.rings))


async def _mended_by_no_try(effect: Awaitable[CaseState]) -> CaseState:
    """Run `effect`. An error that only people can mend is not retried: ops are told at once."""
    try:
        async with beating():
            return await effect
    except CentreRefused as error:
        kind = f"CentreRefused.{error.code}"
        raise ApplicationError("the centre refuses", type=kind, non_retryable=True) from None
    except Refusal as refusal:
        if refusal.status != HTTPStatus.NOT_FOUND:
            raise
        # A document that is lost, or of which no picture can be made.
        kind = f"Refusal.{refusal.code}"
        raise ApplicationError("a document", type=kind, non_retryable=True) from None
    except PortfolioTooLarge as error:
        kind = "PortfolioTooLarge"
        raise ApplicationError(str(error), type=kind, non_retryable=True) from None
