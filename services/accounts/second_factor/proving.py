"""Proving possession: a try is counted before it is checked, and all methods count together (I14).

Checking may take a while (recovery codes are hashed like passwords), so it runs between two short
units of work. The second one uses up what was recognised, together with what it is good for.
"""

from dataclasses import dataclass
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from rules.accounts import Limit, Outcome, Step, too_often
from rules.refusals import Refusal
from rules.second_factor import Method
from services import rate_limits
from services.accounts import devices, login_log
from services.accounts.second_factor.methods import Attempt, Provable, Use
from services.accounts.sessions import Visitor


@dataclass(frozen=True)
class Proof:
    """A right answer that is not used up yet."""

    attempt: Attempt
    step: Step
    method: Method
    allowance: rate_limits.Allowance
    refusal: Refusal
    _use: Use

    async def accept(self, session: AsyncSession) -> bool:
        """Use up the answer. False if somebody else has: nothing may follow from it then."""
        if not await self._use(session):
            return False
        await rate_limits.give_back(session, [self.allowance])
        return True

    async def note(self, session: AsyncSession, *, accepted: bool) -> None:
        """Write into the login journal whether the answer was accepted, or used before."""
        outcome = Outcome.PASSED if accepted else Outcome.REUSED
        await _note(session, self.attempt, self.step, self.method, outcome)


async def prove(
    database: Database,
    attempt: Attempt,
    step: Step,
    factor: Provable,
    answer: str,
    limit: Limit,
) -> Proof:
    """Count a try and check the answer. What it proves holds once `Proof.accept` has succeeded.

    Raises Refusal 422 for a wrong answer, 429 after too many wrong ones of whatever method.
    """
    method = factor.method
    async with database.work() as session:
        allowance = await _allowance(session, attempt.person_id, attempt.visitor, limit)
        wait = await rate_limits.take(session, [allowance], attempt.now)
        if wait:
            await _note(session, attempt, step, method, Outcome.TOO_OFTEN)
    if wait:
        raise too_often(wait)
    use = await factor.recognise(database, attempt, answer)
    if use is None:
        async with database.work() as session:
            await _note(session, attempt, step, method, Outcome.WRONG)
        raise factor.refusal()
    return Proof(attempt, step, method, allowance, factor.refusal(), use)


async def _allowance(
    session: AsyncSession, person_id: UUID, visitor: Visitor, limit: Limit
) -> rate_limits.Allowance:
    """The person's allowance; a device that the person has used before has one of its own."""
    known = await devices.knows_device(session, person_id, visitor)
    return limit, f"{person_id}:{visitor.device_hash}" if known else str(person_id)


async def _note(
    session: AsyncSession, attempt: Attempt, step: Step, method: Method, outcome: Outcome
) -> None:
    await login_log.note(
        session,
        step,
        outcome,
        attempt.visitor,
        attempt.now,
        person_id=attempt.person_id,
        method=method,
    )
