"""All methods of the second factor, and which of them a person has."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from rules.refusals import not_found
from rules.second_factor import Method, demand_enrolment, last_factor, no_factor
from services.accounts.account_row import locked_account
from services.accounts.second_factor.app import App
from services.accounts.second_factor.enrolling import close
from services.accounts.second_factor.methods import Offer, SecondFactor
from services.accounts.second_factor.passkeys import Passkeys
from services.accounts.second_factor.recovery_codes import RecoveryCodes
from services.accounts.second_factor.sms import Sms
from services.accounts.sessions import Current, OpenedSession, Visitor

METHODS: Mapping[Method, SecondFactor] = {
    one.method: one for one in (App(), Passkeys(), Sms(), RecoveryCodes())
}


async def offers(session: AsyncSession, person_id: UUID) -> Sequence[Offer]:
    """The methods that a person has set up, in the order in which they are offered."""
    found = [await METHODS[method].offer(session, person_id) for method in Method]
    return [offer for offer in found if offer is not None]


def chosen(offered: Sequence[Offer], wish: str) -> Offer:
    """The offer with this name, else the first one. Raises Refusal 409 if there is none."""
    for offer in offered:
        if offer.method == wish:
            return offer
    if not offered:
        raise no_factor()
    return offered[0]


def has_factor(offered: Sequence[Offer]) -> bool:
    """Whether a second factor is set up; recovery codes alone only stand in for one."""
    return any(offer.method is not Method.RECOVERY for offer in offered)


async def remove(
    database: Database,
    current: Current,
    method: Method,
    visitor: Visitor,
    now: datetime,
    which: UUID | None = None,
) -> OpenedSession:
    """Remove a method, or `which` of several passkeys, though never the last factor.

    Other sessions and access tokens end; this session gets a new token. Raises Refusal 403
    `second_factor_needed` if no factor was entered for it, 404, 409 for the last one.
    """
    demand_enrolment(current.checked_at, now)
    async with database.work() as session:
        await locked_account(session, current.person_id)
        if not await METHODS[method].remove(session, current.person_id, which):
            raise not_found()
        await session.flush()
        if not has_factor(await offers(session, current.person_id)):
            raise last_factor()
        return await close(session, current, method, visitor, now)
