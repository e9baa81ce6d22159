"""The page of one person: account, roles, cases, sessions, devices, attempts to sign in.

Whoever may see the person is decided by `services.staff.directory`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import and_, func, or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.accounts import AccessToken, Account, KnownDevice
from models.tables.cases import Case
from models.tables.journal import JournalEntry
from models.tables.people import Person, RoleGrant, Unit
from rules.access import Actor, Permission
from rules.cases.kinds import SEEN_BY_HEADS
from rules.clock import now as present
from rules.journal.entries import JournalKind
from rules.journal.tags import ViewCode
from rules.staff.people import PersonState
from services.accounts import login_log
from services.accounts.last_seen import Activity
from services.accounts.login_log import AttemptSeen
from services.accounts.sessions import SessionSeen, sessions_of_person
from services.cases import audience
from services.cases.assignment import HELD
from services.journal import entries as journal
from services.staff import invitations
from services.staff.directory import look_at, may_manage, state_at
from services.staff.invitations import InvitationSeen
from services.staff.provenance import may_end, provenance_of

LINES = 20
"""Attempts to sign in, and open cases, that the page of a person shows."""
GRANTS = 200


@dataclass(frozen=True)
class GrantSeen:
    """A role that a person holds, held or will hold, and who gave it.

    `by` and `system` are both None where the journal does not say.
    """

    role: str
    unit: str
    valid_from: datetime
    valid_until: datetime | None
    by: str | None
    system: str | None
    id: UUID
    asked_by: str | None = None
    confirmed_by: str | None = None
    approved_by: str | None = None
    number: str | None = None
    """Of the change of rights that gave it."""
    urgent: bool = False
    ended_by: str | None = None
    may_end: bool = False
    """Whether whoever looks may end it at once."""


@dataclass(frozen=True)
class CaseSeen:
    """An open case of the person that whoever asks may see."""

    id: UUID
    number: str


@dataclass(frozen=True)
class DeviceSeen:
    """A device on which the person has signed in."""

    id: UUID
    name: str
    first_seen: datetime
    last_seen: datetime


@dataclass(frozen=True)
class PersonCard:
    """A person with the account, as those see them who may."""

    id: UUID
    name: str
    position: str
    unit_id: UUID
    unit: str
    email: str
    state: PersonState
    left_at: datetime | None
    locked_at: datetime | None
    locked_reason: str | None
    manageable: bool
    """Whether whoever asks may change the account; nobody may change their own here."""
    unfinished: bool
    """Whether the account has no second factor yet: signing in was never finished."""
    invitation: InvitationSeen | None
    """The last invitation of somebody who has no account, or an unfinished one."""
    grants: Sequence[GrantSeen]
    own_open: int
    under_review: int
    cases: Sequence[CaseSeen]
    sessions: Sequence[SessionSeen]
    tokens: int
    devices: Sequence[DeviceSeen]
    attempts: Sequence[AttemptSeen]


async def card(
    session: AsyncSession,
    actor: Actor,
    person_id: UUID,
    now: datetime,
    idle: timedelta,
    activity: Activity,
) -> PersonCard:
    """One person's page; that it was looked at is recorded (I9). Raises Refusal 403 and 404."""
    person = await look_at(session, actor, person_id)
    await journal.record_view(session, actor, person_id, ViewCode.PERSON, at=now)
    found = await session.exec(
        select(Unit.name, state_at(now), Account.locked_at)
        .select_from(Person)
        .join(Unit, col(Unit.id) == col(Person.unit_id))
        .outerjoin(Account, col(Account.person_id) == col(Person.id))
        .where(col(Person.id) == person_id)
    )
    unit, state, locked_at = found.one()
    without = state in (PersonState.NONE, PersonState.INVITED)
    active = state == PersonState.ACTIVE
    unfinished = active and not await invitations.is_set_up(session, person_id)
    asked = without or unfinished
    own_open, under_review, cases = await _cases(session, actor, person_id)
    return PersonCard(
        id=person.id,
        name=person.name,
        position=person.position,
        unit_id=person.unit_id,
        unit=unit,
        email=person.email,
        state=PersonState(state),
        left_at=person.left_at,
        locked_at=locked_at,
        locked_reason=await _why_locked(session, person_id) if locked_at else None,
        manageable=may_manage(actor, person),
        unfinished=unfinished,
        invitation=await invitations.last_of(session, person_id, now) if asked else None,
        grants=await grants(session, person_id, actor),
        own_open=own_open,
        under_review=under_review,
        cases=cases,
        sessions=await sessions_of_person(session, person_id, now, idle, activity),
        tokens=await _tokens(session, person_id, now),
        devices=await _devices(session, person_id),
        attempts=await login_log.attempts_of(session, person_id, now, LINES),
    )


async def _why_locked(session: AsyncSession, person_id: UUID) -> str | None:
    """The reason for the last lock: it is personal, and stands in the journal alone."""
    found = await session.exec(
        select(JournalEntry)
        .where(
            JournalEntry.chain == person_id,
            JournalEntry.kind == JournalKind.ACCOUNT_LOCKED.value,
            col(JournalEntry.facts)["by_me"].is_(None),
        )
        .order_by(col(JournalEntry.position).desc())
        .limit(1)
    )
    entry = found.first()
    contents = entry.contents if entry is not None else None
    return str(contents["reason"]) if contents else None


async def grants(
    session: AsyncSession, person_id: UUID, viewer: Actor | None = None
) -> list[GrantSeen]:
    """The grants of a person, the latest first; those that have ended stay in the list (I7)."""
    given = await session.exec(
        select(JournalEntry.facts, JournalEntry.by_system, Person.name)
        .outerjoin(Person, col(Person.id) == col(JournalEntry.by_person))
        .where(
            JournalEntry.chain == person_id,
            JournalEntry.kind == JournalKind.ROLE_GRANTED.value,
        )
        .order_by(col(JournalEntry.position).desc())
        .limit(GRANTS)
    )
    sources: dict[tuple[str, str], list[tuple[str | None, str | None]]] = {}
    for facts, system, name in given:
        key = (str(facts.get("role")), str(facts.get("unit")))
        sources.setdefault(key, []).append((name, system))
    held = await session.exec(
        select(RoleGrant, Unit.name)
        .join(Unit, col(Unit.id) == col(RoleGrant.unit_id))
        .where(RoleGrant.person_id == person_id)
        .order_by(col(RoleGrant.valid_from).desc(), col(RoleGrant.id).desc())
        .limit(GRANTS)
    )
    rows = list(held.all())
    came = await provenance_of(session, [grant for grant, _ in rows])
    seen = []
    for grant, unit in rows:
        # The same role given twice was journaled twice, in the same order.
        known = sources.get((grant.role, str(grant.unit_id)), [])
        by, system = known.pop(0) if known else (None, None)
        how = came[grant.id]
        seen.append(
            GrantSeen(
                grant.role,
                unit,
                grant.valid_from,
                grant.valid_until,
                by,
                system,
                grant.id,
                asked_by=how.asked_by,
                confirmed_by=how.confirmed_by,
                approved_by=how.approved_by,
                number=how.number,
                urgent=grant.urgent,
                ended_by=how.ended_by,
                may_end=viewer is not None and may_end(viewer, grant, present()),
            )
        )
    return seen


async def _cases(
    session: AsyncSession, actor: Actor, person_id: UUID
) -> tuple[int, int, list[CaseSeen]]:
    """How many open cases are the person's own and how many are reviewed; those to be seen."""
    own = and_(col(Case.applicant_id) == person_id, col(Case.number).is_not(None))
    reviewed = and_(col(Case.reviewer_id) == person_id, col(Case.status).in_(HELD))
    is_open = col(Case.closed_at).is_(None)
    counted = await session.exec(
        select(func.count().filter(own), func.count().filter(reviewed)).where(
            is_open, or_(own, reviewed)
        )
    )
    own_open, under_review = counted.one()
    visible = or_(
        audience.reviewed_by(actor),
        and_(
            col(Case.unit_id).in_(actor.units_with(Permission.VIEW_UNIT_CASES)),
            col(Case.kind).in_(SEEN_BY_HEADS),
        ),
    )
    found = await session.exec(
        select(Case.id, Case.number)
        .where(is_open, or_(own, reviewed), visible)
        .order_by(col(Case.submitted_at).desc(), col(Case.id))
        .limit(LINES)
    )
    return own_open, under_review, [CaseSeen(id_, number or "") for id_, number in found]


async def _tokens(session: AsyncSession, person_id: UUID, now: datetime) -> int:
    counted = await session.exec(
        select(func.count())
        .select_from(AccessToken)
        .where(
            AccessToken.person_id == person_id,
            col(AccessToken.ended_at).is_(None),
            AccessToken.ends_at > now,
        )
    )
    return counted.one()


async def _devices(session: AsyncSession, person_id: UUID) -> list[DeviceSeen]:
    found = await session.exec(
        select(KnownDevice)
        .where(KnownDevice.person_id == person_id)
        .order_by(col(KnownDevice.last_seen).desc())
        .limit(LINES)
    )
    return [DeviceSeen(one.id, one.name, one.first_seen, one.last_seen) for one in found]
