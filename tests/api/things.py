"""What people of the access table have: accounts, cases, documents, notices, and all else."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pyotp
from sqlmodel import SQLModel, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.accounts import AccessToken, Account, AccountLock, RiskEvent
from models.tables.archive import Export, SavedView
from models.tables.cases import Case, CaseVersion, IssuedAct
from models.tables.documents import Document, DocumentVersion
from models.tables.meetings import Meeting, MeetingSlot
from models.tables.notices import ContactChange, Notice, PushSubscription
from models.tables.people import Absence
from models.tables.second_factor import Passkey, RecoveryCode
from rules.access import Actor
from rules.account_locks import LockState
from rules.accounts import AccountState, Stage
from rules.cases.process import Status
from rules.clock import now
from rules.ids import new_id
from rules.journal.entries import JournalKind
from rules.risks import LockedBy, RiskKind
from services.accounts.sessions import open_session
from services.applications.enrolment_certificate import code_hash, new_code
from services.journal import entries as journal
from tests.api.absence_rows import give_absence
from tests.api.accreditation_rows import give_accreditations
from tests.api.credential_rows import give_credentials
from tests.api.handover_samples import give_handovers
from tests.api.patient_rows import give_patients
from tests.api.people_rows import give_records
from tests.api.record_rows import give_record
from tests.api.register_rows import give_dispute
from tests.api.request_samples import give_requests
from tests.api.rights_samples import give_rights
from tests.api.schedule_rows import give_schedule
from tests.api.subscriber_rows import give_subscriber
from tests.api.verification_rows import give_verifications
from tests.results.rows import give_results
from tests.shared.accounts import visitor_at
from tests.shared.office import Office


async def give(
    session: AsyncSession, office: Office, actor: Actor, template: UUID, away: Actor
) -> dict[str, str]:
    """An account with sessions and tokens, cases in three states, documents, notices, absences.

    `away` is who the absences are of: the person, or for others somebody who is a reviewer.
    """
    moment, person_id = now(), actor.person_id
    session.add(
        Account(
            person_id=person_id,
            login=uuid4().hex,
            password_hash="none",
            password_changed_at=moment,
            totp_secret=pyotp.random_base32(),
            totp_confirmed_at=moment,
            state=AccountState.CONFIRMED,
            created_at=moment,
        )
    )
    await session.flush()
    spare = [
        await open_session(session, person_id, Stage.OPEN, visitor_at(), moment) for _ in range(2)
    ]
    case = {
        status: await _copy_case(session, template, actor, status)
        for status in (Status.DRAFT, Status.IN_REVIEW, Status.APPROVED)
    }
    await journal.append(
        session, chain=case[Status.IN_REVIEW], kind=JournalKind.CASE_DRAFTED, by=person_id
    )
    tokens = [_token(person_id) for _ in range(2)]
    documents = [_document(person_id) for _ in range(3)]
    days = [_absence(away.person_id, day) for day in (100, 200)]
    told = [_notice(person_id, channel) for channel in ("cabinet", "mail")]
    views = [_saved_view(person_id, name) for name in ("первая", "вторая", "третья")]
    export = _export(person_id)
    shown = [_browser(person_id) for _ in range(2)]
    change = _change(person_id)
    keys = [_passkey(person_id) for _ in range(2)]
    risk = _risk(person_id)
    code = RecoveryCode(person_id=person_id, number=1, code_hash="none", created_at=moment)
    await _add(
        session, code, *keys, *tokens, *documents, *days, *told, *views, export, *shown, change
    )
    lock = _lock(person_id)
    await _add(session, risk, lock)
    versions = [_version(document) for document in documents]
    await _add(session, *versions)
    slots = [_slot(person_id, day) for day in (1, 2)] + [_slot(away.person_id, 3)]
    await _add(session, *slots)
    meeting = _meeting(person_id, slots[2])
    await _add(session, meeting)
    requests = await give_requests(session, actor, office.hr)
    schedule = await give_schedule(session, actor)
    return {
        **requests,
        **await give_verifications(session, actor),
        **await give_accreditations(session, actor, office.hr),
        **await give_rights(session, actor),
        **schedule,
        **await give_absence(session, actor, UUID(schedule["appointment_id"])),
        **await give_handovers(session, actor),
        **await give_subscriber(session),
        **await give_results(session, actor, office.clinician),
        **await give_patients(session, actor),
        **await give_records(session, actor.person_id),
        **await give_credentials(session, actor, versions[2]),
        **await give_dispute(session, actor),
        **await give_record(session, actor),
        "person_id": str(person_id),
        "unit_id": str(actor.unit_id),
        "hr_person_id": str(away.person_id),
        "case_id": str(case[Status.IN_REVIEW]),
        "draft_id": str(case[Status.DRAFT]),
        "approved_id": str(case[Status.APPROVED]),
        "session_id": str(spare[0].session_id),
        "second_session_id": str(spare[1].session_id),
        "token_id": str(tokens[0].id),
        "second_token_id": str(tokens[1].id),
        "codes": "recovery",
        "passkey_id": str(keys[0].id),
        "second_passkey_id": str(keys[1].id),
        "document_id": str(documents[0].id),
        "first_spare_document_id": str(documents[1].id),
        "second_spare_document_id": str(documents[2].id),
        "version_id": str(versions[0].id),
        "notice_id": str(told[0].id),
        "mail_id": str(told[1].id),
        "subscription_id": str(shown[0].id),
        "second_subscription_id": str(shown[1].id),
        "change_id": str(change.id),
        "event_id": str(risk.id),
        "lock_id": str(lock.id),
        "export_id": str(export.id),
        "view_id": str(views[0].id),
        "second_view_id": str(views[1].id),
        "third_view_id": str(views[2].id),
        "hr_absence_id": str(days[0].id),
        "second_hr_absence_id": str(days[1].id),
        "programme_id": str(office.programme_id),
        "slot_id": str(slots[0].id),
        "second_slot_id": str(slots[1].id),
        "meeting_id": str(meeting.id),
    }


def _lock(person_id: UUID) -> AccountLock:
    moment = now()
    return AccountLock(
        person_id=person_id,
        how=LockedBy.PERSON,
        at=moment,
        state=LockState.MEETING,
        since=moment,
        secret_hash=uuid4().hex,
        looks_at=moment,
    )


def _risk(person_id: UUID) -> RiskEvent:
    moment = now()
    return RiskEvent(
        person_id=person_id,
        kind=RiskKind.RATE,
        key=uuid4().hex,
        at=moment,
        last_at=moment,
        address="192.0.2.1",
        device="Firefox, Linux",
        device_kind="computer",
        facts={},
    )


def _passkey(person_id: UUID) -> Passkey:
    return Passkey(
        person_id=person_id,
        credential_id=uuid4().bytes,
        public_key=b"none",
        sign_count=0,
        name="ключ",
        created_at=now(),
    )


def _slot(operator_id: UUID, days: int) -> MeetingSlot:
    # Several people of one world may have the same operator, who has each time once.
    at = now() + timedelta(days=days)
    return MeetingSlot(id=new_id(), operator_id=operator_id, starts_at=at)


def _meeting(person_id: UUID, slot: MeetingSlot) -> Meeting:
    return Meeting(
        id=new_id(),
        person_id=person_id,
        purpose="verification",
        slot_id=slot.id,
        room="room",
        state="booked",
        looks_at=slot.starts_at,
        booked_at=now(),
    )


def _token(person_id: UUID) -> AccessToken:
    return AccessToken(
        id=new_id(),
        person_id=person_id,
        name="отчёт",
        token_hash=uuid4().hex,
        hint="abcd",
        scope=["apply"],
        created_at=now(),
        ends_at=now() + timedelta(days=30),
    )


def _document(person_id: UUID) -> Document:
    return Document(
        id=new_id(), owner_id=person_id, category="diploma", title="Диплом", created_at=now()
    )


def _version(document: Document) -> DocumentVersion:
    return DocumentVersion(
        id=new_id(),
        document_id=document.id,
        number=1,
        object_key=f"documents/{uuid4().hex}/original",
        file_name="diploma.pdf",
        media_type="application/pdf",
        size=1000,
        pages=1,
        sha256=uuid4().hex * 2,
        verdict="ok",
        uploaded_at=now(),
        uploaded_by=document.owner_id,
    )


def _absence(person_id: UUID, day: int) -> Absence:
    return Absence(
        id=new_id(),
        person_id=person_id,
        first_day=(now() + timedelta(days=day)).date(),
        last_day=(now() + timedelta(days=day + 1)).date(),
    )


def _browser(person_id: UUID) -> PushSubscription:
    endpoint = f"https://fcm.googleapis.com/{uuid4()}"
    return PushSubscription(
        id=new_id(),
        person_id=person_id,
        contents={"endpoint": endpoint, "p256dh": "", "auth": ""},
        endpoint_blind=uuid4().hex,
        device="Chrome, Android",
        created_at=now(),
    )


def _change(person_id: UUID) -> ContactChange:
    return ContactChange(
        id=new_id(),
        person_id=person_id,
        channel="mail",
        value="new@example.org",
        code_hash="none",
        created_at=now(),
        ends_at=now() + timedelta(hours=1),
    )


def _notice(person_id: UUID, channel: str) -> Notice:
    return Notice(
        id=new_id(),
        event_key=f"{person_id}:test",
        person_id=person_id,
        kind="security",
        channel=channel,
        language="ru",
        facts={},
        created_at=now(),
        due_at=now(),
        state="told" if channel == "cabinet" else "failed",
        next_try_at=now(),
    )


def _export(person_id: UUID) -> Export:
    folder = f"exports/{uuid4().hex}"
    return Export(
        id=new_id(),
        person_id=person_id,
        kind="pdf",
        filters={},
        scope={"own": False, "reviews": [], "views": []},
        zone="Europe/Moscow",
        state="ready",
        total=1,
        done=1,
        folder=folder,
        object_key=f"{folder}/file.pdf",
        size=1,
        asked_at=now(),
        beat_at=now(),
        ends_at=now() + timedelta(days=7),
    )


def _saved_view(person_id: UUID, name: str) -> SavedView:
    return SavedView(id=new_id(), person_id=person_id, name=name, query="", created_at=now())


async def _add(session: AsyncSession, *rows: SQLModel) -> None:
    session.add_all(rows)
    await session.flush()


async def _copy_case(session: AsyncSession, template: UUID, actor: Actor, status: Status) -> UUID:
    """A case of this person that looks like the template, which a workflow once checked."""
    moment, id_ = now(), new_id()
    row: dict[str, Any] = (await session.get_one(Case, template)).model_dump()
    is_draft = status is Status.DRAFT
    row |= {
        "id": id_,
        "number": None if is_draft else f"ПК-2026-{uuid4().int % 10**6:06}-{uuid4().int % 10**4}",
        "applicant_id": actor.person_id,
        "unit_id": actor.unit_id,
        "reviewer_id": None,
        "status": status.value,
        "version": 0 if is_draft else 1,
        "closed_at": moment if status is Status.APPROVED else None,
        "wakes_at": None,
    }
    versions = await session.exec(select(CaseVersion).where(CaseVersion.case_id == template))
    version = versions.one().model_dump()
    row["draft"] = version["data"]
    await _add(session, Case(**row))
    if not is_draft:
        await _add(
            session,
            CaseVersion(**version | {"case_id": id_, "submitted_by": actor.person_id}),
        )
    if not is_draft:
        await journal.append(
            session,
            chain=id_,
            kind=JournalKind.CASE_SUBMITTED,
            by=actor.person_id,
            facts={"version": 1},
            lock=True,
        )
    if status is Status.APPROVED:
        act = IssuedAct(
            id=new_id(),
            case_id=id_,
            number=uuid4().hex,
            issued_at=moment,
            outcome="approved",
            object_key=f"acts/{uuid4().hex}",
            sha256=uuid4().hex * 2,
            size=1000,
            public_code_hash=code_hash(new_code()),
        )
        await _add(session, act)
    return id_
