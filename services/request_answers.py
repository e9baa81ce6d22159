"""Answers of the module: asked for, opened, verified, kept; believed by their signature alone.

An answer that does not verify is refused, journaled, told to ops, and the request goes on waiting.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.gov_service import GovServiceDown, GovServiceRefused
from clients.objects import Stored
from models.messages import CaseState, Ring
from models.tables.base import new_id
from models.tables.cases import Case
from models.tables.requests import RequestAnswer, RequestFile, RequestMessage, RequestReceipt
from rules.cases import Status, Transition
from rules.clock import now as present
from rules.journal import JournalKind
from rules.permissions import Permission
from services import access, journal, notices, outages
from services.cases import Notice, heard, lock, move, state_of
from services.crash_points import CrashPoint, reach
from services.envelopes import EnvelopeRefused, Opened
from services.exchange import Exchange
from services.module_messages import MessageUnreadable, ModuleAnswer
from services.outages import GOV_SERVICE
from services.request_clock import next_ask, note_down, set_alarm
from services.request_receipts import ENDS, is_late, journal_odd, keep
from services.request_withdrawal import tell_of_withdrawal
from services.requests import FOLDER
from services.watching import note_false_rings


class AnswerRefused(Exception):
    """An answer that is signed, and is not the answer to this request."""


async def tend(exchange: Exchange, case_id: UUID, rings: Sequence[Ring] = ()) -> CaseState:
    """Do what is due on a request that is with its addressee, and say what is true.

    Takes the receipts that came, asks the module when callbacks are lost, tells what the term says;
    of a request that was taken back, tells the module.
    Safe to repeat: each effect is one transaction, on the row that it takes.
    """
    async with exchange.database.work() as session:
        case = await lock(session, case_id)
        await note_false_rings(session, case, rings)
        await heard(session, case, present())
        waiting = case.status == Status.PROCESSING
        withdrawn = case.status == Status.WITHDRAWN
    if withdrawn:
        return await tell_of_withdrawal(exchange, case_id)
    if not waiting:
        return await _finish(exchange, case_id)
    await _take_all(exchange, case_id)
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


async def _take_all(exchange: Exchange, case_id: UUID) -> None:
    """Take every receipt that waits, in the order in which they came."""
    async with exchange.database.reading() as session:
        found = await session.exec(
            select(RequestReceipt)
            .join(
                RequestMessage,
                col(RequestMessage.message_id) == col(RequestReceipt.message_id),
            )
            .where(RequestMessage.case_id == case_id, col(RequestReceipt.taken_at).is_(None))
            .order_by(col(RequestReceipt.id))
        )
        waiting = found.all()
    for receipt in waiting:
        if receipt.state in ENDS and receipt.envelope is not None:
            await _take_answer(exchange, case_id, receipt, receipt.envelope)
        else:
            await _take_state(exchange, case_id, receipt)


async def _take_state(exchange: Exchange, case_id: UUID, receipt: RequestReceipt) -> None:
    """The module has it, works on it, or has an answer that has to be asked for."""
    now = present()
    async with exchange.database.work() as session:
        _, message, row = await _locked(session, case_id, receipt)
        if row.taken_at is not None:
            return
        row.taken_at, row.verdict = now, "taken"
        message.state = row.state
        if row.state in ENDS:
            row.verdict = "without_envelope"
            message.ask_at = now
        session.add_all([row, message])


@dataclass(frozen=True)
class _Kept:
    """The objects of an answer."""

    envelope: Stored
    files: Sequence[Stored]


async def _take_answer(
    exchange: Exchange, case_id: UUID, receipt: RequestReceipt, envelope: bytes
) -> None:
    """Open, verify and keep an answer; it closes the request at the version that it answers."""
    async with exchange.database.work() as session:
        case, message, row = await _locked(session, case_id, receipt)
        if row.taken_at is not None:
            return
        if late := is_late(case, message):
            row.taken_at, row.verdict, row.envelope = present(), late, None
            session.add(row)
            await journal_odd(session, case, message, row, present())
            return
    try:
        opened, answer = await asyncio.to_thread(
            _open, exchange, case, message, receipt.state, envelope
        )
    except (EnvelopeRefused, MessageUnreadable, AnswerRefused) as error:
        code = error.code.value if isinstance(error, EnvelopeRefused) else type(error).__name__
        await _refuse_answer(exchange, case_id, receipt, code)
        return
    kept = await _put_all(exchange, envelope, answer)
    reach(CrashPoint.ANSWER_FILED)
    now = present()
    async with exchange.database.work() as session:
        case, message, row = await _locked(session, case_id, receipt)
        if row.taken_at is not None or case.status != Status.PROCESSING:
            return
        if is_late(case, message):
            return
        row.taken_at, row.verdict, row.envelope = now, "taken", None
        message.state, message.ask_at = row.state, None
        session.add_all([row, message])
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
        session.add(told)
        await session.flush()
        session.add_all(
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
        )
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
            tell=[Notice("request_ready" if answered else "request_refused", case.applicant_id)],
        )


def _open(
    exchange: Exchange, case: Case, message: RequestMessage, state: str, envelope: bytes
) -> tuple[Opened, ModuleAnswer]:
    """What the module signed, if it is the answer to this very version. Not for the event loop."""
    opened = exchange.envelopes.open_(envelope, message_id=message.message_id)
    answer = ModuleAnswer.read(opened.plain)
    if (answer.number, answer.version) != (case.number, message.version):
        raise AnswerRefused("another request")
    if answer.outcome != state:
        raise AnswerRefused("another outcome")
    return opened, answer


async def _put_all(exchange: Exchange, envelope: bytes, answer: ModuleAnswer) -> _Kept:
    async def put(body: bytes, media_type: str) -> Stored:
        key = exchange.objects.fresh_key(FOLDER)
        return await exchange.objects.put(key, body, len(body), media_type)

    sealed, *files = await asyncio.gather(
        put(envelope, "application/cms"),
        *(put(one.content, one.media_type) for one in answer.files),
    )
    return _Kept(envelope=sealed, files=files)


async def _refuse_answer(
    exchange: Exchange, case_id: UUID, receipt: RequestReceipt, code: str
) -> None:
    """An answer that must not be believed: kept as evidence, journaled, told to ops."""
    now = present()
    async with exchange.database.work() as session:
        case, message, row = await _locked(session, case_id, receipt)
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
            await notices.enqueue(
                session,
                person_id=person,
                kind="request_answer_unverified",
                case_id=case.id,
                # Once a version and fault: a module that keeps answering so tells it once.
                event_key=f"{case.id}:{message.version}:unverified:{code}",
                facts={"number": case.number},
                now=now,
            )


async def _ask(exchange: Exchange, case_id: UUID) -> datetime | None:
    """Ask the module if it is time; answers when to try again where it is down."""
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
            # The module lost what it had taken.
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
        await _ask_at(session, message, next_ask(message.asks + 1, now), asked=True)
        await keep(session, case, message, receipt, "asked", now)
    await _take_all(exchange, case_id)
    return None


async def _ask_at(
    session: AsyncSession, message: RequestMessage, at: datetime, *, asked: bool
) -> None:
    row = await session.get_one(RequestMessage, (message.case_id, message.version))
    row.ask_at = at
    row.asks += asked
    session.add(row)


async def _locked(
    session: AsyncSession, case_id: UUID, receipt: RequestReceipt
) -> tuple[Case, RequestMessage, RequestReceipt]:
    """The locked case, with the message and the receipt as they are now."""
    case = await lock(session, case_id)
    found = await session.exec(
        select(RequestMessage).where(RequestMessage.message_id == receipt.message_id)
    )
    return case, found.one(), await session.get_one(RequestReceipt, receipt.id)
