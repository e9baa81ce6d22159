"""What people do with results. The same act again changes nothing."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from models.tables.patients import Patient
from models.tables.results import LabCall, LabConfirmation, LabOffer, LabResult
from rules.access import Actor, Permission
from rules.clock import now as present
from rules.journal.entries import JournalKind
from rules.notices.kinds import NoticeKind
from rules.refusals import FieldError, Refusal, not_found
from rules.results import life
from rules.results.life import Matching, NextStep, OfferState, Passed, ResultState
from rules.results.terms import ResultTerms
from rules.results.values import Urgency
from rules.staff.people import demand_reason
from rules.texts.cleaning import clean
from services.own_workflows import Wake
from services.results import answering, finding, offers, rows

LONGEST = 2000


@dataclass(frozen=True)
class Confirmed:
    """What somebody confirms: which version of whose result, and what follows."""

    version: int
    patient_id: UUID
    next_step: NextStep
    follows: str


@dataclass(frozen=True)
class Telling:
    """How a critical value was told: when and by whom, or that nobody rang."""

    version: int
    told_at: datetime | None
    words: str


class ResultActs:
    """The acts on results."""

    def __init__(self, database: Database, wake: Wake, terms: ResultTerms) -> None:
        self._database = database
        self._wake = wake
        self._terms = terms

    async def confirm(self, actor: Actor, result_id: UUID, said: Confirmed) -> None:
        """Confirm a version that the actor has seen, and say what follows.

        Raises Refusal 403, 404, 409 for another version, patient or answerer, or a critical value
        without a word on how it was told, and 422 for words that are too long.
        """
        now, follows = present(), _words(said.follows, "follows")
        if said.next_step is not NextStep.NOTHING and not follows:
            raise _wrong("follows", "Напишите, что именно нужно сделать.")
        async with self._database.work() as session:
            row = await _may_answer(session, actor, result_id)
            before = await rows.standing_of(session, row)
            match = await rows.open_match(session, row.id)
            saw = match and await rows.saw(session, match.id, actor.person_id, said.version)
            after = life.confirmed(
                before, actor.person_id, said.version, said.patient_id, saw=bool(saw)
            )
            if after == before or match is None:
                return
            if row.urgency == Urgency.CRITICAL and not await _is_told(session, row):
                words = "Сначала запишите, кто и когда сообщил о результате по телефону."
                raise Refusal("not_told", words, 409)
            await rows.end_offer(session, row.id, OfferState.WITHDRAWN, now)
            rows.put(row, after)
            row.confirmed_at, row.due_at, row.looks_at = now, None, now
            session.add(row)
            session.add(
                LabConfirmation(
                    result_id=row.id,
                    match_id=match.id,
                    version=said.version,
                    by=actor.person_id,
                    at=now,
                    next_step=said.next_step.value,
                    follows=follows,
                )
            )
            await session.flush()
            facts = {"confirmed": said.version, "next_step": said.next_step.value}
            kind, contents = JournalKind.RESULT_CONFIRMED, {"follows": follows}
            by = actor.person_id
            await rows.note(session, row, kind, now, by=by, facts=facts, contents=contents)
        await self._wake(result_id)

    async def record_call(self, actor: Actor, result_id: UUID, said: Telling) -> None:
        """Record how the newest, critical version was told. Raises Refusal 403, 404, 409, 422."""
        now, words = present(), _words(said.words, "words")
        if not words:
            raise _wrong("words", "Напишите, кто сообщил и кому.")
        async with self._database.work() as session:
            row = await _may_answer(session, actor, result_id)
            if said.version != row.version:
                message = "Пришла новая версия результата. Посмотрите её."
                raise Refusal("superseded", message, 409, current=row.version)
            if row.state != ResultState.AWAITING or await _is_told(session, row):
                return
            version = await rows.version_of(session, row.id, row.version)
            if said.told_at is not None and version is not None and said.told_at > now:
                raise _wrong("told_at", "Это время ещё не наступило.")
            call = LabCall(
                result_id=row.id,
                version=row.version,
                rang=said.told_at is not None,
                told_at=said.told_at,
                words=words,
                by=actor.person_id,
                at=now,
            )
            session.add(call)
            await session.flush()
            facts = {"told": call.rang}
            kind, by = JournalKind.RESULT_TOLD, actor.person_id
            await rows.note(session, row, kind, now, by=by, facts=facts, contents={"words": words})

    async def offer(self, actor: Actor, result_id: UUID, to: UUID, reason: str) -> UUID:
        """Ask a colleague to answer for it. Until they accept, the actor does. Returns the offer.

        Raises Refusal 403, 404, 409, 422.
        """
        now, said = present(), demand_reason(reason)
        async with self._database.work() as session:
            row = await _may_answer(session, actor, result_id)
            made = await offers.make(session, row, actor.person_id, to, said, self._terms, now)
        await self._wake(result_id)
        return made

    async def answer_offer(
        self, actor: Actor, result_id: UUID, offer_id: UUID, state: OfferState
    ) -> None:
        """Accept or refuse what was offered to the actor, or take back what they offered.

        Raises Refusal 403, 404, 409 for an offer that is over.
        """
        now = present()
        _demand_answering(actor)
        async with self._database.work() as session:
            row = await rows.locked(session, result_id)
            await offers.answer(session, actor, row, offer_id, state, now)
        await self._wake(result_id)

    async def take(self, actor: Actor, result_id: UUID) -> None:
        """Take a result of one's unit upon oneself, as its head. Raises Refusal 403, 404, 409."""
        now = present()
        actor.demand(Permission.OVERSEE_RESULTS)
        async with self._database.work() as session:
            row = await rows.locked(session, result_id)
            if not actor.may(Permission.OVERSEE_RESULTS, row.unit_id):
                raise not_found()
            if row.state != ResultState.AWAITING:
                raise life.settled()
            before = row.answers_id
            row.answers_id, row.looks_at = actor.person_id, now
            session.add(row)
            await session.flush()
            await rows.pass_to(session, row, before, Passed.TAKEN, now)
            if before is not None and before != actor.person_id:
                await rows.tell(session, row, [before], NoticeKind.RESULT_TAKEN, now)
        await self._wake(result_id)

    async def match(self, actor: Actor, result_id: UUID, patient_id: UUID, version: int) -> None:
        """Say whose a result for nobody is. Raises Refusal 403, 404, 409."""
        now = present()
        async with self._database.work() as session:
            row = await _may_match(session, actor, result_id)
            if row.patient_id == patient_id:
                return
            patient = await session.exec(select(Patient.id).where(Patient.id == patient_id))
            if patient.one_or_none() is None:
                raise life.unknown_patient()
            _same_version(row, version)
            before = await rows.standing_of(session, row)
            if before.state is not ResultState.UNMATCHED:
                raise life.settled()
            answers = await answering.choose(
                session, row.unit_id, row.ordered_by, now, unmatched=False
            )
            rows.put(row, life.matched(before, patient_id, answers))
            await rows.wait_anew(session, row, self._terms, now)
            session.add(row)
            await session.flush()
            by = actor.person_id
            await finding.put_into(session, row, patient_id, Matching.PERSON, by, now)
            await rows.pass_to(session, row, before.answers_id, Passed.MATCHED, now)
        await self._wake(result_id)

    async def detach(self, actor: Actor, result_id: UUID, patient_id: UUID, reason: str) -> None:
        """Take it out of the record of a patient whose it is not; who had read it is told.

        Raises Refusal 403, 404, 409, 422.
        """
        now, said = present(), demand_reason(reason)
        async with self._database.work() as session:
            row = await rows.locked(session, result_id)
            answers_for_it = row.answers_id == actor.person_id and actor.may(Permission.TREAT)
            if not answers_for_it and not actor.may(Permission.MATCH_RESULTS, row.unit_id):
                raise not_found()
            before = await rows.standing_of(session, row)
            desk = await answering.choose(session, row.unit_id, None, now, unmatched=True)
            after = life.detached(before, patient_id, desk)
            await finding.take_out(session, row, actor.person_id, said, now)
            await rows.end_offer(session, row.id, OfferState.WITHDRAWN, now)
            rows.put(row, after)
            row.confirmed_at = None
            await rows.wait_anew(session, row, self._terms, now)
            session.add(row)
            await session.flush()
            await rows.pass_to(session, row, before.answers_id, Passed.DETACHED, now)
        await self._wake(result_id)

    async def give_back(self, actor: Actor, result_id: UUID, version: int, reason: str) -> None:
        """Return a result for nobody to the laboratory, with a reason. Raises Refusal 403, 404,
        409, 422.
        """
        now, said = present(), demand_reason(reason)
        async with self._database.work() as session:
            row = await _may_match(session, actor, result_id)
            if row.state == ResultState.RETURNED and row.return_reason == said:
                return
            _same_version(row, version)
            rows.put(row, life.returned(await rows.standing_of(session, row)))
            row.return_reason, row.return_told_at = said, None
            row.due_at, row.looks_at = None, now
            session.add(row)
            await session.flush()
            kind, by = JournalKind.RESULT_RETURNED, actor.person_id
            await rows.note(session, row, kind, now, by=by, contents={"reason": said})
        await self._wake(result_id)


async def _may_answer(session: AsyncSession, actor: Actor, result_id: UUID) -> LabResult:
    """The result, locked, for one who may confirm results. Raises Refusal 403, 404.

    Whose turn it is, the rules say: the answer to a colleague who had it is why not.
    """
    _demand_answering(actor)
    row = await rows.locked(session, result_id)
    if row.answers_id != actor.person_id and not await _knew(session, actor, row):
        raise not_found()
    return row


def _demand_answering(actor: Actor) -> None:
    """Raise Refusal 403 unless the actor may answer for results at all."""
    if not actor.may(Permission.OVERSEE_RESULTS):
        actor.demand(Permission.TREAT)


async def _knew(session: AsyncSession, actor: Actor, row: LabResult) -> bool:
    """Whether the actor had to do with the result before, and may learn that it has moved on."""
    offered = await session.exec(
        select(LabOffer.id).where(LabOffer.result_id == row.id, LabOffer.from_id == actor.person_id)
    )
    match = await rows.open_match(session, row.id)
    return offered.first() is not None or (
        match is not None and actor.person_id in await rows.readers(session, match.id)
    )


async def _may_match(session: AsyncSession, actor: Actor, result_id: UUID) -> LabResult:
    """The result, locked, for one who finds patients there. Raises Refusal 403, 404."""
    actor.demand(Permission.MATCH_RESULTS)
    row = await rows.locked(session, result_id)
    if not actor.may(Permission.MATCH_RESULTS, row.unit_id):
        raise not_found()
    return row


def _same_version(row: LabResult, version: int) -> None:
    if row.version != version:
        words = "Пришла новая версия результата. Посмотрите её."
        raise Refusal("superseded", words, 409, current=row.version)


async def _is_told(session: AsyncSession, row: LabResult) -> bool:
    """Whether somebody recorded how the newest version was told."""
    found = await session.exec(
        select(LabCall.id).where(LabCall.result_id == row.id, LabCall.version == row.version)
    )
    return found.first() is not None


def _words(text: str, field: str) -> str:
    said = clean(text).strip()
    if len(said) > LONGEST:
        raise _wrong(field, "Не больше 2000 знаков.")
    return said


def _wrong(field: str, message: str) -> Refusal:
    return Refusal("incomplete", message, 422, [FieldError(field, message)])
