"""The rows of results: locked, read as a standing, journaled, told of."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.people import Unit
from models.tables.results import LabMatch, LabOffer, LabReading, LabResult, LabVersion
from rules.journal.entries import JournalKind
from rules.notices.kinds import NoticeKind
from rules.refusals import not_found
from rules.results.life import OfferState, Passed, ResultStanding, ResultState
from rules.results.terms import ResultTerms
from rules.results.values import Urgency
from services.catalogue import lookup as catalogue
from services.journal import entries as journal
from services.notices import outbox
from services.notices.outbox import NoticeEvent
from services.results import answering

SYSTEM = "results"
_NUMBERS = UUID("5f2b6a0e-1c47-4d3e-9f63-2b8a7c9d4e10")


def id_of(number: str) -> UUID:
    """The row of the result that the laboratory has under this number."""
    return uuid5(_NUMBERS, number)


async def locked(session: AsyncSession, result_id: UUID) -> LabResult:
    """A result, locked until the unit of work ends. Raises Refusal 404."""
    row = await session.get(LabResult, result_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise not_found()
    return row


async def standing_of(session: AsyncSession, row: LabResult) -> ResultStanding:
    """Where a locked result stands."""
    offer = await open_offer(session, row.id)
    return ResultStanding(
        state=ResultState(row.state),
        version=row.version,
        patient_id=row.patient_id,
        answers_id=row.answers_id,
        offered_to=offer.to_id if offer else None,
        confirmed_by=row.confirmed_by,
        confirmed_version=row.confirmed_version,
    )


def put(row: LabResult, standing: ResultStanding) -> None:
    """Write what was decided into the row."""
    row.state, row.version = standing.state.value, standing.version
    row.patient_id, row.answers_id = standing.patient_id, standing.answers_id
    row.confirmed_by, row.confirmed_version = standing.confirmed_by, standing.confirmed_version


async def open_offer(session: AsyncSession, result_id: UUID) -> LabOffer | None:
    """The offer that waits for an answer."""
    found = await session.exec(
        select(LabOffer).where(
            LabOffer.result_id == result_id, LabOffer.state == OfferState.OFFERED.value
        )
    )
    return found.one_or_none()


async def open_match(session: AsyncSession, result_id: UUID) -> LabMatch | None:
    """In whose record it is."""
    found = await session.exec(
        select(LabMatch).where(LabMatch.result_id == result_id, col(LabMatch.ended_at).is_(None))
    )
    return found.one_or_none()


async def version_of(session: AsyncSession, result_id: UUID, number: int) -> LabVersion | None:
    """What the laboratory said in one version."""
    found = await session.exec(
        select(LabVersion).where(LabVersion.result_id == result_id, LabVersion.number == number)
    )
    return found.one_or_none()


async def saw(session: AsyncSession, match_id: UUID, person_id: UUID, version: int) -> bool:
    """Whether somebody has seen a version in that record."""
    return await session.get(LabReading, (match_id, person_id, version)) is not None


async def readers(session: AsyncSession, match_id: UUID) -> set[UUID]:
    """Everybody who saw any version of it in that record."""
    found = await session.exec(
        select(LabReading.person_id).where(LabReading.match_id == match_id).distinct()
    )
    return set(found.all())


async def wait_anew(
    session: AsyncSession, row: LabResult, terms: ResultTerms, now: datetime
) -> None:
    """Let the term of its class begin now."""
    with session.no_autoflush:
        zone = (await session.get_one(Unit, row.unit_id)).time_zone
        calendar = await catalogue.calendar(session)
    row.opened_at, row.alarms, row.escalated_at = now, 0, None
    row.due_at = terms[Urgency(row.urgency)].due(now, zone, calendar)
    row.looks_at = now


async def pass_to(
    session: AsyncSession, row: LabResult, before: UUID | None, why: Passed, now: datetime
) -> None:
    """Journal that somebody else answers for it now, and tell both; the row says who."""
    if row.answers_id == before or row.answers_id is None:
        return
    await end_offer(session, row.id, OfferState.WITHDRAWN, now)
    facts = {"from": str(before) if before else None, "to": str(row.answers_id), "why": why.value}
    await note(session, row, JournalKind.RESULT_PASSED, now, facts=facts)
    await tell(session, row, [row.answers_id], NoticeKind.RESULT_YOURS, now)


async def end_offer(
    session: AsyncSession, result_id: UUID, state: OfferState, now: datetime
) -> LabOffer | None:
    """End the offer that waits, if there is one."""
    offer = await open_offer(session, result_id)
    if offer is not None:
        offer.state, offer.ended_at = state.value, now
        session.add(offer)
        await session.flush()
    return offer


async def answerer(
    session: AsyncSession, row: LabResult, state: str, preferred: UUID | None, now: datetime
) -> UUID:
    """Who is to answer for it in this state. Raises Refusal 503 where nobody could."""
    unmatched = state == ResultState.UNMATCHED
    return await answering.choose(session, row.unit_id, preferred, now, unmatched=unmatched)


async def tell(
    session: AsyncSession,
    row: LabResult,
    people: Iterable[UUID],
    kind: NoticeKind,
    now: datetime,
    key: str = "",
) -> None:
    """Tell people of it, once for each moment: which result, and nothing about the patient."""
    key = key or f"{row.id}:{kind.value}:{now.isoformat()}"
    facts = {"result": str(row.id)}
    events = [NoticeEvent(one, kind, key, facts=facts) for one in sorted(set(people))]
    await outbox.enqueue_all(session, events, now)


async def note(
    session: AsyncSession,
    row: LabResult,
    kind: JournalKind,
    now: datetime,
    *,
    by: UUID | None = None,
    facts: dict[str, Any] | None = None,
    contents: dict[str, Any] | None = None,
) -> None:
    """Journal what happened, in the chain of the result, whose row is locked."""
    await journal.append(
        session,
        chain=row.id,
        kind=kind,
        at=now,
        by=by,
        system=None if by else SYSTEM,
        facts={"version": row.version, **(facts or {})},
        contents=contents,
    )
