"""Requests that belong to somebody, as rows: for tests of who may see and do what."""

from datetime import timedelta
from uuid import UUID, uuid4

from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.cases import Case, CaseVersion
from models.tables.requests import RequestAnswer, RequestFile, RequestMessage
from rules.access import Actor
from rules.cases.process import CaseKind, Party, Status
from rules.clock import now
from rules.ids import new_id
from rules.journal.entries import JournalKind
from services.catalogue import lookup as catalogue
from services.journal import entries as journal
from services.requests.acknowledgements import message_id_of

TYPE = "workplace_certificate"
DATA = {"position": "врач", "subject": "experience", "since": "2019-02-01", "purpose": "Центр"}


async def give_requests(session: AsyncSession, actor: Actor, unit_id: UUID) -> dict[str, str]:
    """A request that people of the unit answer, with a paper and an earlier answer, and a draft."""
    version = (await catalogue.case_type(session, TYPE)).version
    sent = _case(actor, unit_id, Status.PROCESSING, version)
    draft = _case(actor, unit_id, Status.DRAFT, version)
    session.add_all([sent, draft])
    await session.flush()
    session.add(
        CaseVersion(
            case_id=sent.id,
            number=1,
            data=DATA,
            salt=b"salt",
            digest=uuid4().hex,
            submitted_at=now(),
            submitted_by=actor.person_id,
        )
    )
    message = RequestMessage(
        case_id=sent.id,
        version=1,
        message_id=message_id_of(sent.id, 1),
        formed_at=now(),
        paper_key=f"requests/{uuid4().hex}",
        paper_sha256=uuid4().hex * 2,
        paper_size=1000,
        handed_over_at=now(),
    )
    answer = RequestAnswer(
        id=new_id(),
        case_id=sent.id,
        version=1,
        outcome=Status.READY.value,
        at=now(),
        message="Готово.",
    )
    session.add_all([message, answer])
    await session.flush()
    session.add(
        RequestFile(
            answer_id=answer.id,
            position=1,
            name="answer.pdf",
            media_type="application/pdf",
            object_key=f"requests/{uuid4().hex}",
            sha256=uuid4().hex * 2,
            size=1000,
        )
    )
    await journal.append(
        session,
        chain=sent.id,
        kind=JournalKind.CASE_SUBMITTED,
        by=actor.person_id,
        facts={"version": 1},
        lock=True,
    )
    return {
        "request_id": str(sent.id),
        "request_draft_id": str(draft.id),
        "request_section": "contents",
    }


def _case(actor: Actor, unit_id: UUID, status: Status, version: int) -> Case:
    is_draft = status is Status.DRAFT
    number = f"ЗС-2026-{uuid4().int % 10**6:06}-{uuid4().int % 10**4}"
    return Case(
        id=new_id(),
        kind=CaseKind.REQUEST.value,
        type=TYPE,
        type_version=version,
        number=None if is_draft else number,
        applicant_id=actor.person_id,
        unit_id=actor.unit_id,
        responsible_unit_id=unit_id,
        status=status.value,
        step=0 if is_draft else 2,
        version=0 if is_draft else 1,
        created_at=now(),
        since=now(),
        waits_for=(Party.APPLICANT if is_draft else Party.REVIEWER).value,
        due_at=None if is_draft else now() + timedelta(days=3),
        term_zone="Europe/Moscow",
        draft=DATA if is_draft else None,
    )
