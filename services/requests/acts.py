"""What people do with a service request, and what its addressee says of it (S1-S6).

The applicant drafts, submits, corrects and withdraws; the people of a unit answer or refuse;
acknowledgements of the gov service are stored here, and the workflow processes them.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from clients.gov_service import Acknowledgement
from models.messages import RECEIPT, CaseSignal, CaseState
from models.tables.cases import Case
from models.tables.requests import RequestAnswer, RequestFile, RequestMessage
from rules.access import Actor, Permission
from rules.cases import deciding
from rules.cases.numbers import NumberKind
from rules.cases.process import CaseKind, Status, Transition
from rules.clock import now as present
from rules.files.checks import EXTENSIONS, MediaType
from rules.forms.definitions import AnswerKind, CaseTypeDefinition, prefilled
from rules.ids import new_id
from rules.refusals import FieldError, Refusal, forbidden, not_found
from services.cases import assignment
from services.cases.acts import Act, Doing, was_done
from services.cases.drafts import Drafts, RefusalTexts, facts_of, rules_of
from services.cases.signals import CaseSignals
from services.cases.transitions import CaseNotice, lock, move, state_of
from services.catalogue import lookup as catalogue
from services.files.intake import Files, Incoming, Received
from services.files.uploads import counted
from services.requests.acknowledgements import about, keep
from services.webhooks import WebhookCall

FOLDER = "requests"
OBJECTS = {
    FOLDER: (
        col(RequestMessage.paper_key),
        col(RequestMessage.envelope_key),
        col(RequestAnswer.envelope_key),
        col(RequestFile.object_key),
    )
}
"""The columns that name the objects of this folder."""
LONGEST = 4000


@dataclass(frozen=True)
class Answer:
    """The answer of the people of a unit: a message, a file, or both, as the type requires."""

    message: str = ""
    file: Incoming | None = None


class Requests(Drafts):
    """The acts on service requests. `files` takes in the files of answers."""

    kind = CaseKind.REQUEST
    number_kind = NumberKind.REQUEST
    spoken = RefusalTexts(
        not_closed="Копировать можно только отозванный запрос.",
        not_now="Этот запрос уже нельзя изменить.",
        nothing_changed="В запросе ничего не изменено.",
        incomplete="Запрос пока нельзя отправить: исправьте отмеченные поля.",
    )

    def __init__(
        self,
        database: Database,
        signals: CaseSignals,
        institution_zone: str,
        files: Files | None = None,
    ) -> None:
        super().__init__(database, signals, institution_zone)
        self._files = files

    def notices_of(self, transition: Transition, case: Case) -> list[CaseNotice]:
        """Notify the applicant; of a withdrawal, also the person who was to answer."""
        if transition is not Transition.WITHDRAW:
            return [CaseNotice("request_accepted", case.applicant_id)]
        told = [CaseNotice("request_withdrawn", case.applicant_id)]
        if case.reviewer_id is not None:
            told.append(CaseNotice("request_cancelled", case.reviewer_id))
        return told

    async def types(self, actor: Actor) -> Sequence[CaseTypeDefinition]:
        """What may be requested, in the order of the catalogue (S1)."""
        actor.demand(Permission.APPLY)
        async with self._database.work() as session:
            return await catalogue.request_types(session)

    async def create_draft(self, actor: Actor, type_key: str) -> Case:
        """Begin a request of this type, filled in with what is known already."""
        actor.demand(Permission.APPLY)
        async with self._database.work() as session:
            offered = {one.key: one for one in await catalogue.request_types(session)}
            if (definition := offered.get(type_key)) is None:
                raise not_found()
            begun_by = await self._beginner(session, actor)
            draft = prefilled(definition, facts_of(begun_by.person))
            return await self._new_case(session, begun_by, definition, None, draft, [], None)

    async def answer(self, actor: Actor, case_id: UUID, act: Act, answer: Answer) -> CaseState:
        """Answer a request that waits for the people of the person's unit.

        Raises Refusal: `own_case`, `not_found`, `stale`, `not_now`, `incomplete`, `act_id_reused`,
        `too_many_uploads`, and 503 if the file cannot be stored or checked now.
        """
        # Take no file in before it is known that the person may answer.
        async with self._database.work() as session:
            await _answerable(session, actor, case_id, act)
        received = await self._take_in(actor, answer.file) if answer.file is not None else None
        message = answer.message.strip()
        body = {"message": message, "file": received.sha256 if received else None}
        kept = False

        async def write(doing: Doing) -> None:
            nonlocal kept
            session, case = doing.session, doing.case
            definition, _ = await rules_of(session, case)
            _check_answer(definition, message, received)
            row = _row(case, actor, Status.READY, message, doing.now)
            session.add(row)
            if received is not None:
                await session.flush()
                session.add(_file(row, received))
            await _end(doing, Transition.ANSWER, actor, row, body)
            kept = True

        try:
            return await self._once(
                actor,
                act,
                Transition.ANSWER,
                body,
                find=_to_answer(actor, case_id, act),
                write=write,
            )
        finally:
            if not kept and received is not None and received.key and self._files:
                await self._files.discard(received.key)

    async def refuse(self, actor: Actor, case_id: UUID, act: Act, reason: str) -> CaseState:
        """Refuse a request that waits for the people of the person's unit, with a reason."""
        reason = reason.strip()
        body = {"reason": reason}

        async def write(doing: Doing) -> None:
            if not 3 <= len(reason) <= LONGEST:
                raise _incomplete("reason", "Напишите причину отказа: от 3 до 4000 знаков.")
            row = _row(doing.case, actor, Status.REFUSED, reason, doing.now)
            doing.session.add(row)
            await _end(doing, Transition.REFUSE, actor, row, body)

        return await self._once(
            actor, act, Transition.REFUSE, body, find=_to_answer(actor, case_id, act), write=write
        )

    async def receipt(
        self, message_id: UUID, receipt: Acknowledgement, call: WebhookCall | None = None
    ) -> None:
        """Store what the gov service says of a message, and signal the workflow. Safe to repeat.

        `call` is the callback that brought it, stored as received in the same transaction. Raises
        `not_found` for a message that was never made.
        """
        now = present()
        async with self._database.work() as session:
            found = await about(session, message_id, call, now)
            if found is None:
                return
            case, message = found
            kept = await keep(session, case, message, receipt, "callback", now)
            if kept is None:
                return
            if case.wakes_at is None or case.wakes_at > now:
                # If the signal is lost, the sweeper wakes the case.
                case.wakes_at = now
                session.add(case)
            state = await state_of(session, case)
        self._signals.send(state, CaseSignal(signal=RECEIPT, act_id=kept.id))

    async def _take_in(self, actor: Actor, file: Incoming) -> Received:
        if self._files is None:
            raise Refusal("files_unavailable", "Файлы сейчас не принимаются.", 503)
        async with counted(self._database, actor, file, self._files.limit) as incoming:
            received = await self._files.receive(incoming, None, FOLDER)
        if received.key is None:
            raise _incomplete("file", " ".join(one.text for one in received.findings))
        return received


def _to_answer(actor: Actor, case_id: UUID, act: Act) -> Callable[[AsyncSession], Awaitable[Case]]:
    return lambda session: _answerable(session, actor, case_id, act)


async def _answerable(session: AsyncSession, actor: Actor, case_id: UUID, again: Act) -> Case:
    """The locked case, if people of this person's unit answer it. Others get `not_found`.

    Replaying the act `again` returns the stored answer even if the person has lost the right since:
    the first response may never have arrived.
    """
    case = await lock(session, case_id)
    if case.kind != CaseKind.REQUEST or not case.version:
        raise not_found()
    if not deciding.holds(actor, case) and not await was_done(session, case, again, actor):
        raise forbidden() if case.applicant_id == actor.person_id else not_found()
    if case.applicant_id == actor.person_id:
        raise Refusal("own_case", "Нельзя отвечать на собственный запрос.", 403)
    definition, _ = await rules_of(session, case)
    if not definition.answered_by_people:
        raise Refusal("not_now", "На этот запрос отвечает внешняя система.", 409)
    return case


def _check_answer(definition: CaseTypeDefinition, message: str, received: Received | None) -> None:
    """Refuse an answer that is not of the kind that the type promises."""
    if definition.answer is AnswerKind.DOCUMENT and received is None:
        raise _incomplete("file", "Приложите файл ответа: PDF или JPEG.")
    if definition.answer is not AnswerKind.DOCUMENT and not message:
        raise _incomplete("message", "Напишите ответ.")
    if len(message) > LONGEST:
        raise _incomplete("message", "Сократите ответ до 4000 знаков.")


def _incomplete(path: str, words: str) -> Refusal:
    return Refusal(
        "incomplete",
        "Ответ пока нельзя отправить: исправьте отмеченные поля.",
        422,
        [FieldError(path, words)],
    )


def _row(case: Case, actor: Actor, outcome: Status, message: str, now: datetime) -> RequestAnswer:
    return RequestAnswer(
        id=new_id(),
        case_id=case.id,
        version=case.version,
        outcome=outcome.value,
        at=now,
        by=actor.person_id,
        message=message or None,
    )


def _file(answer: RequestAnswer, received: Received) -> RequestFile:
    media_type = received.media_type or MediaType.PDF
    return RequestFile(
        answer_id=answer.id,
        position=1,
        name=f"answer{EXTENSIONS[media_type]}",
        media_type=media_type.value,
        object_key=received.key or "",
        sha256=received.sha256 or "",
        size=received.size,
    )


async def _end(
    doing: Doing,
    transition: Transition,
    actor: Actor,
    answer: RequestAnswer,
    contents: dict[str, Any],
) -> None:
    case = doing.case
    assignment.give(case, case.reviewer_id or actor.person_id, doing.now)
    kind = "request_ready" if transition is Transition.ANSWER else "request_refused"
    await move(
        doing.session,
        case,
        transition,
        now=doing.now,
        by=actor,
        facts={"version": case.version, "answer": str(answer.id)},
        contents=contents,
        tell=[CaseNotice(kind, case.applicant_id)],
    )
