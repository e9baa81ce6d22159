"""Handing a request over: its paper is made, signed, encrypted, stored, and given to the addressee.

The addressee is the gov service, or the people of a unit (S3).
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.gov_service import Acknowledgement, GovServiceDown
from clients.objects import Stored
from models.messages import CaseSignal, CaseState
from models.tables.cases import Case, CaseAttachment, CaseVersion
from models.tables.documents import DocumentVersion
from models.tables.people import Person, Unit
from models.tables.requests import RequestMessage
from rules.cases.process import Status, Transition
from rules.clock import now as present
from rules.forms.definitions import CaseTypeDefinition, display
from services import outages
from services.cases import assignment
from services.cases.drafts import rules_of
from services.cases.transitions import CaseNotice, heard, lock, move, state_of
from services.cases.wakeups import note_false_signals
from services.crash_points import CrashPoint, reach
from services.gov_service.line import Exchange
from services.gov_service.messages import GovServiceFile, GovServiceRequest
from services.outages import GOV_SERVICE
from services.requests.acknowledgements import ENDS, keep, message_id_of
from services.requests.acts import FOLDER
from services.requests.alarms import next_ask, note_down, set_alarm
from services.requests.paper import RequestAttachment, RequestFacts, RequestField, form


@dataclass(frozen=True)
class _Subject:
    """One version of a request, with everything that its paper says."""

    case_id: UUID
    step: int
    version: int
    number: str
    definition: CaseTypeDefinition
    facts: RequestFacts
    attachments: Sequence[DocumentVersion]


async def hand_over(
    exchange: Exchange, case_id: UUID, signals: Sequence[CaseSignal] = ()
) -> CaseState:
    """Hand over the newest version of an accepted request. Returns the state of the case.

    In any other status nothing is done. Safe to repeat: what was made is stored and handed over
    again unchanged, and the gov service knows it by its id. Raises GovServiceRefused and
    GovServiceKeysError, which only people can mend.
    """
    async with exchange.database.work() as session:
        case = await lock(session, case_id)
        await note_false_signals(session, case, signals)
        await heard(session, case, present())
        if not _awaits_handover(case):
            return await state_of(session, case)
        message = await session.get(RequestMessage, (case.id, case.version))
        subject = await _subject(exchange, session, case) if message is None else None
    envelope: bytes | None = None
    if subject is not None:
        message, envelope = await _form(exchange, subject)
        if message is None:
            return await _as_it_is(exchange, case_id)
    assert message is not None  # noqa: S101 - read or formed
    if message.service is None:
        return await _give_to_people(exchange, message)
    if envelope is None:
        envelope = await exchange.objects.read(message.envelope_key or "")
    try:
        receipt = await exchange.module.hand_over(
            message.message_id, message.service, envelope, exchange.callback_url
        )
    except GovServiceDown:
        return await _wait_for_module(exchange, case_id)
    reach(CrashPoint.REQUEST_HANDED_OVER)
    return await _note_handed_over(exchange, message, receipt)


def _awaits_handover(case: Case) -> bool:
    return case.status == Status.ACCEPTED and case.closed_at is None


async def _as_it_is(exchange: Exchange, case_id: UUID) -> CaseState:
    async with exchange.database.work() as session:
        return await state_of(session, await lock(session, case_id))


async def _subject(exchange: Exchange, session: AsyncSession, case: Case) -> _Subject:
    definition, _ = await rules_of(session, case)
    version = await session.get_one(CaseVersion, (case.id, case.version))
    applicant = await session.get_one(Person, case.applicant_id)
    unit = await session.get_one(Unit, case.responsible_unit_id)
    cited = await session.exec(
        select(CaseAttachment, DocumentVersion)
        .join(DocumentVersion, col(DocumentVersion.id) == col(CaseAttachment.document_version_id))
        .where(CaseAttachment.case_id == case.id, CaseAttachment.case_version == case.version)
        .order_by(col(CaseAttachment.kind), col(DocumentVersion.id))
    )
    titles = {rule.kind: rule.title for rule in definition.attachments}
    attachments = cited.all()
    facts = RequestFacts(
        number=case.number or "",
        version=case.version,
        type_title=definition.title,
        institution=exchange.settings.institution,
        applicant=f"{applicant.name}, {applicant.position}",
        fields=[
            RequestField(
                label=one.label,
                value=display(one, version.data.get(name)) or "",
                canonical=version.data.get(name),
                key=name,
            )
            for name, one in definition.fields.items()
        ],
        attachments=[
            RequestAttachment(titles.get(each.kind, each.kind), file.sha256 or "")
            for each, file in attachments
        ],
        created_at=version.submitted_at,
        zone=case.term_zone,
        type_key=definition.key,
        addressee=definition.recipient or unit.name,
    )
    files = [file for _, file in attachments]
    return _Subject(case.id, case.step, case.version, case.number or "", definition, facts, files)


async def _form(
    exchange: Exchange, subject: _Subject
) -> tuple[RequestMessage | None, bytes | None]:
    """Make, sign, encrypt and store it; None if the case has moved meanwhile.

    An object that was stored without its row is swept.
    """
    message_id = message_id_of(subject.case_id, subject.version)
    files = [
        GovServiceFile.of(
            one.file_name, one.media_type, await exchange.objects.read(one.object_key or "")
        )
        for one in subject.attachments
    ]
    pdf, envelope = await asyncio.to_thread(_make, exchange, subject, message_id, files)
    bodies = [(pdf, "application/pdf"), *([(envelope, "application/cms")] if envelope else [])]
    paper, *rest = await asyncio.gather(*(_put(exchange, *one) for one in bodies))
    sealed = rest[0] if rest else None
    reach(CrashPoint.REQUEST_FILED)
    async with exchange.database.work() as session:
        case = await lock(session, subject.case_id)
        if case.step != subject.step or not _awaits_handover(case):
            return None, None
        kept = await session.get(RequestMessage, (case.id, case.version))
        if kept is not None:
            # Another try was quicker: hand over what it made.
            return kept, None
        message = RequestMessage(
            case_id=case.id,
            version=case.version,
            message_id=message_id,
            service=subject.definition.service,
            formed_at=present(),
            paper_key=paper.key,
            paper_sha256=paper.sha256,
            paper_size=paper.size,
            envelope_key=sealed.key if sealed else None,
            envelope_sha256=sealed.sha256 if sealed else None,
            envelope_size=sealed.size if sealed else None,
        )
        session.add(message)
    return message, envelope


def _make(
    exchange: Exchange, subject: _Subject, message_id: UUID, files: Sequence[GovServiceFile]
) -> tuple[bytes, bytes | None]:
    """The signed paper, and the envelope if the gov service reads it.

    Call outside the event loop.
    """
    pdf = exchange.seal.sign_pdf(form(subject.facts).pdf, reason="Запрос")
    service = subject.definition.service
    if service is None:
        return pdf, None
    plain = GovServiceRequest.model_construct(
        service=service,
        number=subject.number,
        version=subject.version,
        document=GovServiceFile.of("request.pdf", "application/pdf", pdf),
        attachments=tuple(files),
    ).packed()
    return pdf, exchange.envelopes.wrap(plain, message_id=message_id)


async def _put(exchange: Exchange, body: bytes, media_type: str) -> Stored:
    key = exchange.objects.fresh_key(FOLDER)
    return await exchange.objects.put(key, body, len(body), media_type)


async def _give_to_people(exchange: Exchange, message: RequestMessage) -> CaseState:
    """Put the request on the desk of the unit: with a reviewer, if one is present."""
    now = present()
    async with exchange.database.work() as session:
        case = await lock(session, message.case_id)
        if case.version == message.version and _awaits_handover(case):
            await assignment.take_turn(session, case.responsible_unit_id)
            reviewer, absent = await assignment.choose(session, case, now)
            assignment.give(case, reviewer, now, instead_of=assignment.owner_of(case))
            tell = [CaseNotice("request_processing", case.applicant_id)]
            if reviewer is not None:
                tell.append(CaseNotice("request_assigned", reviewer))
            facts = {
                "reviewer": str(reviewer) if reviewer else None,
                "stands_in_for": str(absent) if absent else None,
            }
            await _move_on(session, case, message, now, facts, tell)
        return await state_of(session, case)


async def _note_handed_over(
    exchange: Exchange, message: RequestMessage, receipt: Acknowledgement
) -> CaseState:
    now = present()
    async with exchange.database.work() as session:
        case = await lock(session, message.case_id)
        await outages.end(session, GOV_SERVICE, now)
        kept = await session.get_one(RequestMessage, (message.case_id, message.version))
        await keep(session, case, kept, receipt, "handed_over", now)
        if case.version == message.version and _awaits_handover(case):
            facts = {"service": message.service, "message": str(message.message_id)}
            tell = [CaseNotice("request_processing", case.applicant_id)]
            # If our note of an earlier handover was lost, an answer given since is processed at
            # once.
            ask_at = now if receipt.state in ENDS else next_ask(0, now)
            await _move_on(session, case, message, now, facts, tell, ask_at)
        return await state_of(session, case)


async def _move_on(
    session: AsyncSession,
    case: Case,
    message: RequestMessage,
    now: datetime,
    facts: dict[str, Any],
    tell: Sequence[CaseNotice],
    ask_at: datetime | None = None,
) -> None:
    """Note that the addressee has the request: «В обработке»."""
    kept = await session.get_one(RequestMessage, (message.case_id, message.version))
    kept.handed_over_at = now
    kept.ask_at = ask_at
    session.add(kept)
    await move(
        session,
        case,
        Transition.HAND_OVER,
        now=now,
        facts={"version": case.version, "sha256": kept.paper_sha256, **facts},
        tell=tell,
    )
    await set_alarm(session, case, kept, now)


async def _wait_for_module(exchange: Exchange, case_id: UUID) -> CaseState:
    """Note that the gov service is down, and set when it is tried again; the term goes on."""
    now = present()
    async with exchange.database.work() as session:
        case = await lock(session, case_id)
        if _awaits_handover(case):
            again = await note_down(session, case, now)
            await set_alarm(session, case, None, now, again)
        return await state_of(session, case)
