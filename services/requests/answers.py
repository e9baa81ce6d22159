"""Answers of the gov service: asked for, decrypted, verified, stored; trusted by signature only.

An answer that cannot be verified is refused, journaled and reported to ops; the request goes on
waiting.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import Table, Uuid, bindparam, update
from sqlalchemy import select as choose
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlmodel import SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.gov_service import GovServiceDown, GovServiceRefused
from clients.objects import Stored
from models.encrypted_columns import bound_row
from models.messages import CaseSignal, CaseState
from models.tables.cases import Case
from models.tables.requests import (
    RequestAcknowledgement,
    RequestAnswer,
    RequestFile,
    RequestMessage,
)
from rules.access import Permission
from rules.cases.process import Status, Transition
from rules.clock import now as present
from rules.ids import new_id
from rules.journal.entries import JournalKind
from services import access, outages
from services.cases.transitions import CaseNotice, heard, lock, move, state_of
from services.cases.wakeups import note_false_signals
from services.crash_points import CrashPoint, reach
from services.gov_service.envelopes import EnvelopeRefused, OpenedEnvelope
from services.gov_service.line import Exchange
from services.gov_service.messages import GovServiceAnswer, MessageUnreadable
from services.journal import entries as journal
from services.notices import outbox
from services.outages import GOV_SERVICE
from services.requests.acknowledgements import ENDS, is_late, journal_odd, keep
from services.requests.acts import FOLDER
from services.requests.alarms import next_ask, note_down, set_alarm
from services.requests.withdrawal import tell_of_withdrawal


class AnswerRefused(Exception):
    """An answer that is signed, but is not the answer to this request."""


async def tend(exchange: Exchange, case_id: UUID, signals: Sequence[CaseSignal] = ()) -> CaseState:
    """Do what is due on a request that is with its addressee. Returns the state of the case.

    Processes acknowledgements that came, asks the gov service if callbacks are lost, and sends what
    the term requires; tells the gov service of a request that was withdrawn. Safe to repeat: each
    effect is one transaction, on the row that it processes.
    """
    async with exchange.database.work() as session:
        case = await lock(session, case_id)
        waiting = await _waiting(session, case)
        await note_false_signals(session, case, signals, {one.id for one, _ in waiting})
        await heard(session, case, present())
        withdrawn = case.status == Status.WITHDRAWN
        if not withdrawn and case.status != Status.PROCESSING:
            return await state_of(session, case)
        came = None if withdrawn else await _take_states(session, case, waiting)
    if withdrawn:
        return await tell_of_withdrawal(exchange, case_id)
    ended = await _take_answers(exchange, case_id, came)
    if ended is not None:
        return ended
    again = await _ask(exchange, case_id)
    return await _finish(exchange, case_id, again)


async def _finish(exchange: Exchange, case_id: UUID, again: datetime | None = None) -> CaseState:
    """Set the clock of a request that still waits."""
    async with exchange.database.work() as session:
        case = await lock(session, case_id)
        if case.status == Status.PROCESSING:
            message = await session.get(RequestMessage, (case.id, case.version))
            await set_alarm(session, case, message, present(), again)
        return await state_of(session, case)


_Waiting = Sequence[tuple[RequestAcknowledgement, RequestMessage]]
_OF_CASE = (
    select(RequestAcknowledgement, RequestMessage)
    .join(RequestMessage, col(RequestMessage.message_id) == col(RequestAcknowledgement.message_id))
    .where(
        col(RequestMessage.case_id) == bindparam("case_id"),
        col(RequestAcknowledgement.taken_at).is_(None),
    )
    .order_by(col(RequestAcknowledgement.id))
)


async def _waiting(session: AsyncSession, case: Case) -> _Waiting:
    """The acknowledgements of a locked case that wait to be processed, in order of arrival."""
    return (await session.exec(_OF_CASE, params={"case_id": case.id})).all()


@dataclass(frozen=True)
class _Came:
    """An answer that waits to be decrypted; `more` if acknowledgements wait behind it."""

    receipt_id: UUID
    state: str
    envelope: bytes
    number: str
    message_id: UUID
    version: int
    more: bool


async def _take_states(session: AsyncSession, case: Case, waiting: _Waiting) -> _Came | None:
    """Process what waits up to the first answer, on a locked case. Returns that answer, if any.

    Before an answer there may be notes that the gov service has the message, works on it, or has an
    answer that must be asked for, and answers that come too late.
    """
    now = present()
    for place, (row, message) in enumerate(waiting, start=1):
        if row.state in ENDS and row.envelope is not None:
            if (late := is_late(case, message)) is None:
                return _Came(
                    row.id,
                    row.state,
                    row.envelope,
                    case.number or "",
                    message.message_id,
                    message.version,
                    place < len(waiting),
                )
            row.taken_at, row.verdict, row.envelope = now, late, None
            session.add(row)
            await journal_odd(session, case, message, row, now)
            continue
        row.taken_at, row.verdict = now, "taken"
        message.state = row.state
        if row.state in ENDS:
            row.verdict = "without_envelope"
            message.ask_at = now
        session.add_all([row, message])
    return None


async def _take_answers(exchange: Exchange, case_id: UUID, came: _Came | None) -> CaseState | None:
    """Process the waiting answers, oldest first. Returns the case once one has closed it."""
    ended: CaseState | None = None
    while came is not None:
        ended = await _take_answer(exchange, case_id, came) or ended
        if ended is not None and not came.more:
            break
        came = await _next(exchange, case_id)
    return ended


async def _next(exchange: Exchange, case_id: UUID) -> _Came | None:
    """The next answer that waits. After the end there is none: each would come too late."""
    async with exchange.database.work() as session:
        case = await lock(session, case_id)
        if case.closed_at is None and case.status != Status.PROCESSING:
            return None
        return await _take_states(session, case, await _waiting(session, case))


@dataclass(frozen=True)
class _Kept:
    """The stored objects of an answer."""

    envelope: Stored
    files: Sequence[Stored]


async def _take_answer(exchange: Exchange, case_id: UUID, came: _Came) -> CaseState | None:
    """Decrypt, verify and store an answer, which closes the request at the version it answers.

    Returns None if it is refused, or if the request has changed meanwhile.
    """
    try:
        opened, answer = await asyncio.to_thread(_open, exchange, came)
    except (EnvelopeRefused, MessageUnreadable, AnswerRefused) as error:
        code = error.code.value if isinstance(error, EnvelopeRefused) else type(error).__name__
        await _refuse_answer(exchange, case_id, came, code)
        return None
    kept = await _put_all(exchange, came.envelope, answer)
    reach(CrashPoint.ANSWER_FILED)
    now = present()
    async with exchange.database.work() as session:
        case, message, row = await _locked(session, case_id, came)
        if row.taken_at is not None or case.status != Status.PROCESSING:
            return None
        if is_late(case, message):
            return None
        answered = answer.outcome == "answered"
        told = RequestAnswer(
            id=new_id(),
            case_id=case.id,
            version=case.version,
            outcome=(Status.READY if answered else Status.REFUSED).value,
            at=now,
            signer=f"{opened.signer}, {opened.signer_serial}",
            signed_at=opened.signed_at,
            title=answer.title or None,
            document_number=answer.document_number or None,
            message=answer.reason or None,
            data=answer.data or None,
            envelope_key=kept.envelope.key,
            envelope_sha256=kept.envelope.sha256,
        )
        files = [
            RequestFile(
                answer_id=told.id,
                position=place,
                name=file.name,
                media_type=file.media_type,
                object_key=stored.key,
                sha256=stored.sha256,
                size=stored.size,
            )
            for place, (file, stored) in enumerate(
                zip(answer.files, kept.files, strict=True), start=1
            )
        ]
        await _write(session, row, told, files)
        await move(
            session,
            case,
            Transition.ANSWER if answered else Transition.REFUSE,
            now=now,
            facts={
                "version": case.version,
                "answer": str(told.id),
                "envelope_sha256": kept.envelope.sha256,
                "signer_serial": opened.signer_serial,
            },
            contents={"reason": answer.reason} if answer.reason else None,
            tell=[
                CaseNotice("request_ready" if answered else "request_refused", case.applicant_id)
            ],
        )
        return await state_of(session, case)


async def _write(
    session: AsyncSession,
    row: RequestAcknowledgement,
    told: RequestAnswer,
    files: Sequence[RequestFile],
) -> None:
    """Store the answer with its files, and mark its acknowledgement as processed."""
    values = {f"answer_{name}": value for name, value in bound_row(told).items()}
    for n, file in enumerate(files):
        values |= {f"file{n}_{name}": value for name, value in bound_row(file).items()}
    taken = {"of_message": row.message_id, "of_receipt": row.id, "outcome": row.state}
    await session.exec(_writing(len(files)), params=values | taken | {"now": told.at})


@lru_cache(maxsize=32)
def _writing(files: int) -> Insert:
    """The statement for an answer with so many files; built once."""
    tables = SQLModel.metadata.tables
    receipts, messages = tables["request_receipt"], tables["request_message"]

    def given(table: Table, prefix: str) -> dict[str, Any]:
        return {one.name: bindparam(f"{prefix}_{one.name}", type_=one.type) for one in table.c}

    taken = (
        update(receipts)
        .where(receipts.c.id == bindparam("of_receipt"))
        .values(taken_at=bindparam("now"), verdict="taken", envelope=None)
        .cte("taken")
    )
    said = (
        update(messages)
        .where(messages.c.message_id == bindparam("of_message"))
        .values(state=bindparam("outcome"), ask_at=None)
        .cte("said")
    )
    answer = insert(tables["request_answer"]).values(given(tables["request_answer"], "answer"))
    if not files:
        return answer.add_cte(taken, said)
    of_answer = tables["request_file"]
    rows = [given(of_answer, f"file{n}") for n in range(files)]
    return insert(of_answer).values(rows).add_cte(answer.cte("answer"), taken, said)


def _open(exchange: Exchange, came: _Came) -> tuple[OpenedEnvelope, GovServiceAnswer]:
    """What the gov service signed, if it answers this very version. Call outside the event loop."""
    opened = exchange.envelopes.open_(came.envelope, message_id=came.message_id)
    answer = GovServiceAnswer.read(opened.plain)
    if (answer.number, answer.version) != (came.number, came.version):
        raise AnswerRefused("another request")
    if answer.outcome != came.state:
        raise AnswerRefused("another outcome")
    return opened, answer


async def _put_all(exchange: Exchange, envelope: bytes, answer: GovServiceAnswer) -> _Kept:
    async def put(body: bytes, media_type: str) -> Stored:
        key = exchange.objects.fresh_key(FOLDER)
        return await exchange.objects.put(key, body, len(body), media_type)

    sealed, *files = await asyncio.gather(
        put(envelope, "application/cms"),
        *(put(one.content, one.media_type) for one in answer.files),
    )
    return _Kept(envelope=sealed, files=files)


async def _refuse_answer(exchange: Exchange, case_id: UUID, came: _Came, code: str) -> None:
    """Refuse an answer that must not be trusted: keep it as evidence, journal it, tell ops."""
    now = present()
    async with exchange.database.work() as session:
        case, message, row = await _locked(session, case_id, came)
        if row.taken_at is not None:
            return
        row.taken_at, row.verdict = now, f"unverified:{code}"
        session.add(row)
        await journal.append(
            session,
            chain=case.id,
            kind=JournalKind.REQUEST_ANSWER_UNVERIFIED,
            at=now,
            system=GOV_SERVICE,
            step=case.step,
            facts={"version": message.version, "code": code, "digest": row.digest},
        )
        people = await access.people_with(
            session, Permission.WATCH_OPERATION, case.responsible_unit_id, now
        )
        for person in people:
            await outbox.enqueue(
                session,
                person_id=person,
                kind="request_answer_unverified",
                case_id=case.id,
                # Once for each version and fault: a gov service that keeps answering so is reported
                # once.
                event_key=f"{case.id}:{message.version}:unverified:{code}",
                facts={"number": case.number},
                now=now,
            )


async def _ask(exchange: Exchange, case_id: UUID) -> datetime | None:
    """Ask the gov service if it is time. Returns when to try again if it is down."""
    now = present()
    async with exchange.database.reading() as session:
        found = await session.exec(
            select(RequestMessage)
            .join(Case, col(Case.id) == col(RequestMessage.case_id))
            .where(
                RequestMessage.case_id == case_id,
                col(RequestMessage.version) == col(Case.version),
                Case.status == Status.PROCESSING.value,
                col(RequestMessage.ask_at) <= now,
            )
        )
        message = found.one_or_none()
    if message is None or message.service is None:
        return None
    try:
        try:
            receipt = await exchange.module.ask(message.message_id)
        except GovServiceRefused as refused:
            if refused.code != "unknown_message":
                raise
            # The gov service has lost what it had accepted.
            envelope = await exchange.objects.read(message.envelope_key or "")
            receipt = await exchange.module.hand_over(
                message.message_id, message.service, envelope, exchange.callback_url
            )
    except GovServiceDown:
        async with exchange.database.work() as session:
            case = await lock(session, case_id)
            again = await note_down(session, case, now)
            await _ask_at(session, message, again, asked=False)
            return again
    async with exchange.database.work() as session:
        case = await lock(session, case_id)
        await outages.end(session, GOV_SERVICE, now)
        row = await _ask_at(session, message, next_ask(message.asks + 1, now), asked=True)
        await keep(session, case, row, receipt, "asked", now)
    await _take_answers(exchange, case_id, await _next(exchange, case_id))
    return None


async def _ask_at(
    session: AsyncSession, message: RequestMessage, at: datetime, *, asked: bool
) -> RequestMessage:
    row = await session.get_one(RequestMessage, (message.case_id, message.version))
    row.ask_at = at
    row.asks += asked
    session.add(row)
    return row


_FOR_ANSWER: Any = (
    choose(
        RequestMessage,
        RequestAcknowledgement,
        *journal.head_columns(bindparam("case_id", type_=Uuid())),
    )
    .join(
        RequestAcknowledgement,
        col(RequestAcknowledgement.message_id) == col(RequestMessage.message_id),
    )
    .where(col(RequestAcknowledgement.id) == bindparam("receipt_id"))
)
"""What an answer is written to, with the end of the journal's chain; sent under the lock."""


async def _locked(
    session: AsyncSession, case_id: UUID, came: _Came
) -> tuple[Case, RequestMessage, RequestAcknowledgement]:
    """The locked case, with the message and the acknowledgement as they are now."""
    case = await lock(session, case_id)
    found = await session.exec(
        _FOR_ANSWER, params={"case_id": case_id, "receipt_id": came.receipt_id}
    )
    message, row, position, digest = found.one()
    journal.head_is_known(session, case_id, position, digest)
    return case, message, row
