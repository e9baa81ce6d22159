"""Offers to answer for a result instead: until one is accepted nobody is rid of it."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.results import LabOffer, LabResult
from rules.access import Actor, Permission
from rules.journal.entries import JournalKind
from rules.notices.kinds import NoticeKind
from rules.refusals import FieldError, Refusal, not_found
from rules.results import life
from rules.results.life import OfferState, Passed
from rules.results.terms import ResultTerms
from rules.results.values import Urgency
from services.results import answering, rows


async def make(
    session: AsyncSession,
    row: LabResult,
    by: UUID,
    to: UUID,
    reason: str,
    terms: ResultTerms,
    now: datetime,
) -> UUID:
    """Offer a locked result to somebody who could answer for it today. Returns the offer.

    Raises Refusal 409 and 422.
    """
    standing = await rows.standing_of(session, row)
    open_one = await rows.open_offer(session, row.id)
    if open_one is not None and (open_one.from_id, open_one.to_id) == (by, to):
        return open_one.id
    life.offered(standing, by, to)
    if not await answering.can_answer(session, to, row.unit_id, now, unmatched=False):
        words = "Этот сотрудник сейчас не может подтверждать результаты. Выберите другого."
        raise Refusal("incomplete", words, 422, [FieldError("to", words)])
    offer = LabOffer(
        result_id=row.id,
        from_id=by,
        to_id=to,
        reason=reason,
        made_at=now,
        lapses_at=now + timedelta(minutes=terms[Urgency(row.urgency)].offer_minutes),
        state=OfferState.OFFERED.value,
    )
    session.add(offer)
    row.looks_at = now
    session.add(row)
    await session.flush()
    facts, contents = {"offer": str(offer.id), "to": str(to)}, {"reason": reason}
    kind = JournalKind.RESULT_OFFERED
    await rows.note(session, row, kind, now, by=by, facts=facts, contents=contents)
    key = f"{offer.id}:offered"
    await rows.tell(session, row, [to], NoticeKind.RESULT_OFFERED, now, key)
    return offer.id


async def answer(
    session: AsyncSession,
    actor: Actor,
    row: LabResult,
    offer_id: UUID,
    state: OfferState,
    now: datetime,
) -> None:
    """End an offer on a locked result by the word of one of its two people.

    Raises Refusal 403, 404 for anybody else, 409 for one that is over.
    """
    offer = await session.get(LabOffer, offer_id, populate_existing=True)
    theirs = OfferState.WITHDRAWN if offer and offer.from_id == actor.person_id else None
    if offer is None or offer.result_id != row.id:
        raise not_found()
    if theirs is None and offer.to_id != actor.person_id:
        raise not_found()
    if state not in _SAID or (state is OfferState.WITHDRAWN) != (theirs is OfferState.WITHDRAWN):
        raise not_found()
    if offer.state == state.value:
        return
    if offer.state != OfferState.OFFERED.value or offer.lapses_at <= now:
        raise life.offer_over()
    before = row.answers_id
    if state is OfferState.ACCEPTED:
        if not actor.may(Permission.OVERSEE_RESULTS, row.unit_id):
            actor.demand(Permission.TREAT)
        rows.put(row, life.accepted(await rows.standing_of(session, row), actor.person_id))
    await _end(session, row, offer, state, actor.person_id, now)
    if state is OfferState.ACCEPTED:
        facts = {"from": str(before), "to": str(actor.person_id), "why": Passed.ACCEPTED.value}
        await rows.note(session, row, JournalKind.RESULT_PASSED, now, facts=facts)


async def lapse(session: AsyncSession, row: LabResult, now: datetime) -> LabOffer | None:
    """Let an offer come back that nobody answered in time. Returns the one that still waits."""
    offer = await rows.open_offer(session, row.id)
    if offer is None or offer.lapses_at > now:
        return offer
    await _end(session, row, offer, OfferState.LAPSED, None, now)
    return None


async def _end(
    session: AsyncSession,
    row: LabResult,
    offer: LabOffer,
    state: OfferState,
    by: UUID | None,
    now: datetime,
) -> None:
    offer.state, offer.ended_at = state.value, now
    row.looks_at = now
    session.add(offer)
    session.add(row)
    await session.flush()
    facts = {"offer": str(offer.id), "became": state.value}
    await rows.note(session, row, JournalKind.RESULT_OFFER_ENDED, now, by=by, facts=facts)
    if state in _TOLD:
        key = f"{offer.id}:{state.value}"
        await rows.tell(session, row, [offer.from_id], _TOLD[state], now, key)


_SAID = (OfferState.ACCEPTED, OfferState.REFUSED, OfferState.WITHDRAWN)
"""What people say to an offer; it lapses by itself."""
_TOLD = {
    OfferState.ACCEPTED: NoticeKind.RESULT_ACCEPTED,
    OfferState.REFUSED: NoticeKind.RESULT_CAME_BACK,
    OfferState.LAPSED: NoticeKind.RESULT_CAME_BACK,
}
