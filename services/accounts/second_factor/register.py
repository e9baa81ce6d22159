"""All methods of the second factor, and which of them a person has."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from rules.second_factor import Method, no_such_method
from services.accounts.second_factor.app import App
from services.accounts.second_factor.methods import Offer, SecondFactor
from services.accounts.second_factor.recovery_codes import RecoveryCodes

METHODS: Mapping[Method, SecondFactor] = {one.method: one for one in (App(), RecoveryCodes())}


async def offers(session: AsyncSession, person_id: UUID) -> Sequence[Offer]:
    """The methods that a person has set up, in the order in which they are offered."""
    found = [await METHODS[method].offer(session, person_id) for method in Method]
    return [offer for offer in found if offer is not None]


def chosen(offered: Sequence[Offer], wish: str) -> Offer:
    """The offer with this name, else the first one. Raises Refusal 422 if there is none."""
    for offer in offered:
        if offer.method == wish:
            return offer
    if not offered:
        raise no_such_method()
    return offered[0]


def has_factor(offered: Sequence[Offer]) -> bool:
    """Whether a second factor is set up; recovery codes alone only stand in for one."""
    return any(offer.method is not Method.RECOVERY for offer in offered)
