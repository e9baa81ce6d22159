"""A patient reads who looked into the record: by a personal link, with a code at each entry (W2).

The link alone opens nothing: at each entry a code goes to the telephone number that the institution
knows of this patient. Link, code and session belong to one patient; only their hashes are kept, and
each ends. What is wrong is answered alike, and tries are counted before anything is looked up.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from crypto.key_ring import key_ring
from models.tables.patients import Patient, PatientEntry, PatientInvitation
from rules.access import Actor, Permission
from rules.accounts import Limit, code_digits, too_often, wrong_code
from rules.clock import now as present
from rules.ids import new_id
from rules.journal.entries import JournalKind
from rules.notices.kinds import NoticeKind
from rules.refusals import Refusal, not_found
from rules.texts.names import Name
from services import rate_limits
from services.accounts.sessions import hash_token, new_link
from services.journal import entries as journal
from services.notices import outbox

LINK_LIVES = timedelta(days=90)
CODE_LIVES = timedelta(minutes=10)
ENTRY_LIVES = timedelta(minutes=30)
TRIES = 5
CODES = Limit("patient_code", 5, timedelta(hours=1))
"""How many codes are sent for one link."""
WRONG = Limit("patient_wrong_code", 15, timedelta(days=1))
"""How many codes may be entered for one link, right or wrong: they are six digits."""
ADDRESSES = Limit("patient_address", 30, timedelta(hours=1))
"""How often one address may ask for a code or enter one."""


@dataclass(frozen=True)
class InvitationState:
    """The invitation of a patient that has not ended."""

    created_at: datetime
    ends_at: datetime
    entered_at: datetime | None


@dataclass(frozen=True)
class InvitedPatient:
    """A patient who has entered. `name` is the form of address."""

    patient_id: UUID
    name: str
    until: datetime


class PatientInvitations:
    """What those do who register patients."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def invite(self, actor: Actor, patient_id: UUID) -> str:
        """A new link, shown this once; an earlier one ends. Returns its secret.

        Raises Refusal 403, 404, 409 where the patient has no telephone number.
        """
        now = present()
        secret, secret_hash = new_link()
        async with self._database.work() as session:
            row = await _patient(session, actor, patient_id)
            if not row.phone:
                words = "Сначала запишите телефон пациента: на него придёт код."
                raise Refusal("no_phone", words, 409)
            await _end(session, actor, patient_id, now)
            invitation = PatientInvitation(
                patient_id=patient_id,
                secret_hash=secret_hash,
                created_by=actor.person_id,
                created_at=now,
                ends_at=now + LINK_LIVES,
            )
            session.add(invitation)
            await session.flush()
            await _note(session, invitation, JournalKind.PATIENT_INVITED, now, actor.person_id)
        return secret

    async def revoke(self, actor: Actor, patient_id: UUID) -> None:
        """End the link and every entry by it. Raises Refusal 403, 404."""
        async with self._database.work() as session:
            await _patient(session, actor, patient_id)
            await _end(session, actor, patient_id, present())


def link_of(public_url: str, secret: str) -> str:
    """The address that a patient is given."""
    return f"{public_url.rstrip('/')}/patient/enter/{secret}"


async def state_of(
    session: AsyncSession, patient_id: UUID, now: datetime
) -> InvitationState | None:
    """The invitation of a patient that opens something now."""
    found = await session.exec(
        select(PatientInvitation).where(PatientInvitation.patient_id == patient_id, _lives(now))
    )
    row = found.first()
    return InvitationState(row.created_at, row.ends_at, row.entered_at) if row else None


async def send_code(database: Database, secret: str, address: str) -> None:
    """Send a code to the number of the patient whom the link invites.

    An unknown link, one that is over and a patient without a number are answered as if a code had
    been sent. Raises Refusal 429.
    """
    now = present()
    asked = [(CODES, hash_token(secret)), (ADDRESSES, address)]
    async with database.work() as session:
        if wait := await rate_limits.take(session, asked, now):
            raise too_often(wait)
        invitation = await _invitation(session, secret, now)
        phone = await _phone(session, invitation)
        if invitation is None or phone is None:
            return
        code = f"{secrets.randbelow(10**6):06}"
        entry = PatientEntry(
            id=new_id(), invitation_id=invitation.id, asked_at=now, ends_at=now + CODE_LIVES
        )
        entry.code_hash = key_ring().label(_text(entry.id, code))
        session.add(entry)
        outbox.code_to(session, phone, NoticeKind.PATIENT_CODE, f"{entry.id}:code", code, now)


async def enter(database: Database, secret: str, code: str, address: str) -> tuple[str, datetime]:
    """Enter by the newest code. Returns the token of the session and when it ends.

    Raises Refusal 422 for a wrong code, whatever is wrong, and 429.
    """
    now, token = present(), secrets.token_urlsafe(32)
    tried = [(WRONG, hash_token(secret)), (ADDRESSES, address)]
    async with database.work() as session:
        wait = await rate_limits.take(session, tried, now)
        opened = None if wait else await _opened(session, secret, code, token, now)
    if wait:
        raise too_often(wait)
    if opened is None:
        raise wrong_code()
    return token, opened


async def _opened(
    session: AsyncSession, secret: str, code: str, token: str, now: datetime
) -> datetime | None:
    """Turn the newest code into a session, if it is the right one; a wrong try is counted."""
    invitation = await _invitation(session, secret, now)
    if invitation is None or await _phone(session, invitation) is None:
        return None
    found = await session.exec(
        select(PatientEntry)
        .where(PatientEntry.invitation_id == invitation.id)
        .order_by(col(PatientEntry.asked_at).desc())
        .limit(1)
        .with_for_update()
    )
    entry = found.first()
    if entry is None or entry.code_hash is None or entry.ends_at <= now or entry.tries >= TRIES:
        return None
    entry.tries += 1
    typed = key_ring().label(_text(entry.id, code_digits(code) or ""))
    if secrets.compare_digest(entry.code_hash, typed):
        entry.code_hash, entry.token_hash = None, hash_token(token)
        entry.ends_at = min(now + ENTRY_LIVES, invitation.ends_at)
        invitation.entered_at = now
        session.add(invitation)
    session.add(entry)
    await session.flush()
    if entry.token_hash is None:
        return None
    await _note(session, invitation, JournalKind.PATIENT_ENTERED, now, None)
    return entry.ends_at


async def entered(session: AsyncSession, token: str, now: datetime) -> InvitedPatient:
    """Who has entered by this token. Raises Refusal 404 for one that opens nothing now."""
    found = await session.exec(
        select(PatientEntry.ends_at, Patient)
        .join(PatientInvitation, col(PatientInvitation.id) == col(PatientEntry.invitation_id))
        .join(Patient, col(Patient.id) == col(PatientInvitation.patient_id))
        .where(
            PatientEntry.token_hash == hash_token(token), PatientEntry.ends_at > now, _lives(now)
        )
    )
    row = found.first()
    if row is None:
        raise not_found()
    until, patient = row
    return InvitedPatient(patient.id, Name.of(patient.name).polite or patient.name, until)


async def leave(database: Database, token: str) -> None:
    """End the session of this token."""
    now = present()
    async with database.work() as session:
        await session.exec(
            update(PatientEntry)
            .where(
                col(PatientEntry.token_hash) == hash_token(token), col(PatientEntry.ends_at) > now
            )
            .values(ends_at=now)
            .execution_options(synchronize_session=False)
        )


async def _invitation(
    session: AsyncSession, secret: str, now: datetime
) -> PatientInvitation | None:
    found = await session.exec(
        select(PatientInvitation).where(
            PatientInvitation.secret_hash == hash_token(secret), _lives(now)
        )
    )
    return found.first()


async def _phone(session: AsyncSession, invitation: PatientInvitation | None) -> str | None:
    if invitation is None:
        return None
    return (await session.get_one(Patient, invitation.patient_id)).phone


def _lives(now: datetime) -> ColumnElement[bool]:
    return and_(col(PatientInvitation.ended_at).is_(None), col(PatientInvitation.ends_at) > now)


def _text(entry_id: UUID, code: str) -> str:
    return f"patient entry {entry_id} {code}"


async def _patient(session: AsyncSession, actor: Actor, patient_id: UUID) -> Patient:
    """The patient, locked, for who registers patients there. Raises Refusal 403, 404."""
    actor.demand(Permission.REGISTER_PATIENTS)
    row = await session.get(Patient, patient_id, with_for_update={"key_share": True})
    if row is None:
        raise not_found()
    actor.demand(Permission.REGISTER_PATIENTS, row.unit_id)
    return row


async def _end(session: AsyncSession, actor: Actor, patient_id: UUID, now: datetime) -> None:
    """End the open invitation of a locked patient, if there is one."""
    found = await session.exec(
        select(PatientInvitation).where(
            PatientInvitation.patient_id == patient_id, col(PatientInvitation.ended_at).is_(None)
        )
    )
    row = found.first()
    if row is not None:
        row.ended_at, row.ended_by = now, actor.person_id
        session.add(row)
        await session.flush()
        await _note(session, row, JournalKind.PATIENT_INVITATION_ENDED, now, actor.person_id)


async def _note(
    session: AsyncSession,
    row: PatientInvitation,
    kind: JournalKind,
    now: datetime,
    by: UUID | None,
) -> None:
    await journal.append(
        session,
        chain=row.patient_id,
        kind=kind,
        at=now,
        by=by,
        system=None if by else "patient",
        facts={"invitation": str(row.id)},
        lock=True,
    )
