"""What the laboratory says, taken in: stored as a version, matched to a patient, given to a person.

A message has the whole result with its version. It may come twice, late and in any order: the
newest version counts, older ones are kept beside it, and the same one again changes nothing.
"""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

import rfc8785
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.clinic.laboratory import LabMessage
from clients.database import Database
from crypto.key_ring import key_ring
from models.tables.people import Person, Unit
from models.tables.results import LabResult, LabVersion
from rules.clock import now as present
from rules.journal.entries import JournalKind
from rules.notices.kinds import NoticeKind
from rules.refusals import Refusal
from rules.results import life
from rules.results.life import Matching, OfferState, Passed, ResultState
from rules.results.terms import ResultTerms
from rules.results.values import DANGER, Urgency, urgency_of
from services.journal import entries as journal
from services.own_workflows import Wake
from services.results import answering, finding, rows
from services.results.terms import known_in_unit, reference_of


async def take(database: Database, said: LabMessage, terms: ResultTerms, wake: Wake) -> bool:
    """Take a message in. Returns whether it said anything new.

    Raises Refusal 409 for another message under the number and version of a known one, and 503
    where nobody could answer for the result.
    """
    result_id = rows.id_of(said.number)
    async with database.work() as session:
        # No row yet may be there to be locked.
        await journal.lock_chain(session, result_id)
        if not await _is_news(session, result_id, said):
            return False
        now = present()
        row = await session.get(LabResult, result_id, with_for_update=True)
        version = _version(result_id, said, now)
        if row is None:
            await _first(session, said, version, terms, now)
        else:
            await _again(session, row, said, version, terms, now)
    await wake(result_id)
    return True


async def is_known(session: AsyncSession, said: LabMessage) -> bool:
    """Whether this version of this result was heard."""
    return await rows.version_of(session, rows.id_of(said.number), said.version) is not None


async def _is_news(session: AsyncSession, result_id: UUID, said: LabMessage) -> bool:
    known = await rows.version_of(session, result_id, said.version)
    if known is None:
        return True
    if not key_ring().is_blind(known.body_hash, _body(said)):
        words = "Под этим номером и версией уже есть другой результат. Дайте новой версии номер."
        raise Refusal("version_reused", words, 409)
    return False


def _body(said: LabMessage) -> str:
    return rfc8785.dumps(said.model_dump(mode="json")).decode()


def _version(result_id: UUID, said: LabMessage, now: datetime) -> LabVersion:
    return LabVersion(
        result_id=result_id,
        number=said.version,
        stage=said.stage.value,
        urgency=urgency(said).value,
        heard_at=now,
        body_hash=key_ring().blind(_body(said)),
        said=said.model_dump(mode="json"),
    )


def urgency(said: LabMessage) -> Urgency:
    """How dangerous a message is: by its flag, its own reference, and our dictionary."""
    known = known_in_unit(said)
    critical = known.critical if known is not None else None
    return urgency_of(said.value, said.flag, reference_of(said), critical)


async def _first(
    session: AsyncSession, said: LabMessage, version: LabVersion, terms: ResultTerms, now: datetime
) -> None:
    """A result that nobody has heard of."""
    ordered_by = await _clinician(session, said.ordered_by)
    unit_id = await _unit(session, said.unit, ordered_by)
    patient_id = await finding.exact(session, said.patient)
    state = ResultState.UNMATCHED if patient_id is None else ResultState.AWAITING
    preferred = ordered_by.id if ordered_by and patient_id else None
    answers = await answering.choose(
        session, unit_id, preferred, now, unmatched=state is ResultState.UNMATCHED
    )
    row = LabResult(
        id=version.result_id,
        number=said.number,
        unit_id=unit_id,
        ordered_by=ordered_by.id if ordered_by else None,
        repeats_id=rows.id_of(said.repeats) if said.repeats else None,
        patient_id=patient_id,
        answers_id=answers,
        state=state.value,
        urgency=version.urgency,
        version=version.number,
        opened_at=now,
    )
    await rows.wait_anew(session, row, terms, now)
    session.add(row)
    await session.flush()
    session.add(version)
    await _note_heard(session, row, version, now)
    if patient_id is not None:
        await finding.put_into(session, row, patient_id, Matching.NUMBER, None, now)
    await _tell_ready(session, row, now)


async def _again(
    session: AsyncSession,
    row: LabResult,
    said: LabMessage,
    version: LabVersion,
    terms: ResultTerms,
    now: datetime,
) -> None:
    """Another version of a known result, whose row is locked."""
    session.add(version)
    before = await rows.standing_of(session, row)
    after = life.heard(before, said.version)
    if after == before:
        await session.flush()
        await _note_heard(session, row, version, now)
        return
    was, row.urgency = Urgency(row.urgency), version.urgency
    found = await finding.exact(session, said.patient)
    if after.patient_id is not None and await finding.is_another(session, said, after.patient_id):
        await finding.take_out(session, row, None, None, now)
        await rows.end_offer(session, row.id, OfferState.WITHDRAWN, now)
        after = life.detached(after, after.patient_id, after.answers_id)
    matching = after.state is ResultState.UNMATCHED and found is not None
    if matching:
        after = replace(after, state=ResultState.AWAITING, patient_id=found)
    preferred = row.ordered_by if matching else after.answers_id
    answers = await rows.answerer(session, row, after.state, preferred, now)
    rows.put(row, replace(after, answers_id=answers))
    reopened = before.state not in (ResultState.AWAITING, after.state)
    worse = DANGER.index(Urgency(row.urgency)) < DANGER.index(was)
    if reopened or worse or row.due_at is None:
        row.return_reason = row.return_told_at = None
        due = row.due_at
        await rows.wait_anew(session, row, terms, now)
        # A correction never gives more time than there was.
        row.due_at = min(filter(None, (due, row.due_at)))
    row.looks_at = now
    session.add(row)
    await session.flush()
    await _note_heard(session, row, version, now)
    if matching and found is not None:
        await finding.put_into(session, row, found, Matching.NUMBER, None, now)
    if before.state is ResultState.CONFIRMED and row.state == ResultState.AWAITING:
        await rows.note(session, row, JournalKind.RESULT_REOPENED, now)
    await rows.pass_to(session, row, before.answers_id, Passed.REOPENED, now)
    if before.state is ResultState.CONFIRMED:
        await rows.tell(session, row, [answers], NoticeKind.RESULT_REOPENED, now)
    else:
        await _tell_ready(session, row, now)


async def _note_heard(
    session: AsyncSession, row: LabResult, version: LabVersion, now: datetime
) -> None:
    facts = {"heard": version.number, "stage": version.stage, "urgency": version.urgency}
    await rows.note(session, row, JournalKind.RESULT_HEARD, now, facts=facts)


async def _tell_ready(session: AsyncSession, row: LabResult, now: datetime) -> None:
    """Tell who answers for it that there is something to do."""
    if row.answers_id is None:
        return
    kind = NoticeKind.RESULT_READY
    if row.state == ResultState.UNMATCHED:
        kind = NoticeKind.RESULT_UNMATCHED
    elif row.urgency == Urgency.CRITICAL:
        kind = NoticeKind.RESULT_CRITICAL
    await rows.tell(session, row, [row.answers_id], kind, now)


async def _clinician(session: AsyncSession, snils: str) -> Person | None:
    if not snils:
        return None
    found = await session.exec(select(Person).where(Person.snils_blind == key_ring().blind(snils)))
    return found.one_or_none()


async def _unit(session: AsyncSession, code: str, ordered_by: Person | None) -> UUID:
    """Whose days and whose head count: the named unit, that of the clinician, or the whole."""
    found = await session.exec(select(Unit.id).where(Unit.code == code))
    if (named := found.one_or_none()) is not None:
        return named
    if ordered_by is not None:
        return ordered_by.unit_id
    whole = await session.exec(
        select(Unit.id).where(col(Unit.parent_id).is_(None)).order_by(col(Unit.id)).limit(1)
    )
    return whole.one()
