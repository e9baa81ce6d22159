"""Registering by oneself: a link by mail, with which a password is chosen (I1).

Asking is answered alike for every address, in the same time and by the same statements: each has
a registration, and gets a mail. Only the mail says which it is: to an unknown address it has the
link, to a known one it says that there is an account. The person comes with the account, when the
link is used; until then there is a row that is cleared away after 72 hours, with its mail.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from models.encrypted_columns import bound_row
from models.tables.accounts import Account, Registration
from models.tables.notices import Notice, NoticeAttempt
from models.tables.people import Person, Unit
from rules.access import Actor, Permission
from rules.accounts import Outcome, SignInLimits, Step, check_password, too_often
from rules.clock import now as present
from rules.journal.entries import JournalKind
from rules.notices.kinds import NoticeKind, NoticeState
from rules.refusals import not_found
from rules.staff.people import INVITATION_LIFE
from rules.staff.registration import Applicant, address_taken, no_such_unit, registration_over
from services import access, rate_limits
from services.accounts import login_log
from services.accounts.common_passwords import common_passwords
from services.accounts.password_reset import FLOOR
from services.accounts.sessions import OpenedSession, Visitor, hash_token, new_link
from services.accounts.sign_in import LIMITS, create_account, login_of
from services.notices import bounces, outbox
from services.notices.outbox import NoticeEvent
from services.staff.invitations import come_in
from settings import Settings

PATH = "/registration"
_MOST = 1000
"""How many mails are cleared away at once."""
MOST_SHOWN = 200


def demand_open(settings: Settings) -> None:
    """Raise `not_found` where people are only invited."""
    if not settings.registration:
        raise not_found()


async def open_units(session: AsyncSession, settings: Settings) -> Sequence[Unit]:
    """The units that people may register for; without a choice, the institution itself."""
    codes = [code.strip() for code in settings.registration_units.split(",") if code.strip()]
    chosen = col(Unit.code).in_(codes) if codes else col(Unit.parent_id).is_(None)
    return (await session.exec(select(Unit).where(chosen).order_by(Unit.name))).all()


async def ask(
    database: Database,
    settings: Settings,
    applicant: Applicant,
    visitor: Visitor,
    language: str,
    now: datetime,
    limits: SignInLimits = LIMITS,
) -> None:
    """Send a mail to the address: a link, or that an account exists. The answer is the same.

    Raises Refusal 422 for a unit that is not open, 429 after too many requests.
    """
    shown_at = asyncio.get_running_loop().time() + FLOOR
    login = login_of(applicant.email)
    async with database.work() as session:
        unit_id = _unit(await open_units(session, settings), applicant.unit)
        allowances = [
            (limits.registration, login),
            (limits.registration_address, visitor.address),
        ]
        wait = await rate_limits.take(session, allowances, now)
        if not wait:
            await _send(session, applicant, login, unit_id, language, now)
        outcome = Outcome.TOO_OFTEN if wait else Outcome.PASSED
        step = Step.REGISTRATION_ASKED
        await login_log.note(session, step, outcome, visitor, now, login=login)
    await asyncio.sleep(shown_at - asyncio.get_running_loop().time())
    if wait:
        raise too_often(wait)


def _unit(units: Sequence[Unit], code: str) -> UUID:
    """The unit that was chosen; where there is one only, nothing has to be."""
    fitting = [unit.id for unit in units if code in (unit.code, "")]
    if len(fitting) != 1:
        raise no_such_unit()
    return fitting[0]


async def _send(
    session: AsyncSession,
    applicant: Applicant,
    login: str,
    unit_id: UUID,
    language: str,
    now: datetime,
) -> None:
    found = await session.exec(
        select(Person.language)
        .join(Account, col(Account.person_id) == col(Person.id))
        .where(Account.login == login)
    )
    known = found.one_or_none()
    replaced = await session.exec(
        delete(Registration)
        .where(col(Registration.email_blind) == login)
        .returning(col(Registration.id))
    )
    for (before,) in replaced.all():
        await outbox.call_off(session, _event_key(before))
    secret, secret_hash = new_link()
    made = Registration(
        unit_id=unit_id,
        name=applicant.name,
        email=applicant.email,
        email_blind=login,
        language=language,
        secret_hash=secret_hash,
        created_at=now,
        ends_at=now + INVITATION_LIFE,
    )
    row = insert(Registration).values(bound_row(made)).on_conflict_do_nothing()
    if (await session.exec(row.returning(col(Registration.id)))).first() is None:
        return  # Sent twice at once: the other one mails the link.
    kind = NoticeKind.REGISTRATION if known is None else NoticeKind.REGISTRATION_KNOWN
    path = f"{PATH}/{secret}" if known is None else "/sign-in"
    outbox.mail_to(
        session, applicant.email, kind, _event_key(made.id), path, known or language, now
    )


def _event_key(registration_id: UUID) -> str:
    return f"{registration_id}:registration"


@dataclass(frozen=True)
class Registering:
    """Whose link it is, as its page shows them."""

    name: str
    email: str


async def look(session: AsyncSession, secret: str, now: datetime) -> Registering:
    """Whose link this is; looking does not use it up. Raises Refusal 409 for a dead link."""
    found = await _open(session, secret, now)
    return Registering(found.name, found.email)


async def _open(
    session: AsyncSession, secret: str, now: datetime, *, lock: bool = False
) -> Registration:
    asked = select(Registration).where(
        Registration.secret_hash == hash_token(secret), Registration.ends_at > now
    )
    found = await session.exec(asked.with_for_update() if lock else asked)
    registration = found.one_or_none()
    if registration is None:
        raise registration_over()
    return registration


async def accept(
    database: Database,
    secret: str,
    password: str,
    visitor: Visitor,
    now: datetime,
    institution: str = "",
) -> OpenedSession:
    """Make person and account; the session that opens goes on to the second factor.

    Raises Refusal 409 for a link that is over, or whose address has got an account meanwhile; 422
    for a password that is too weak.
    """
    async with database.work() as session:
        asked = await _open(session, secret, now)
    check_password(password, common_passwords(), (asked.name, asked.email, institution))
    try:
        async with database.work() as session:
            asked = await _open(session, secret, now, lock=True)
            person = Person(
                unit_id=asked.unit_id,
                position="",
                name=asked.name,
                email=asked.email,
                language=asked.language,
                created_at=now,
            )
            session.add(person)
            await session.flush()
            await create_account(session, person, password, now, given=False)
            await session.delete(asked)
            facts = {
                "registration": str(asked.id),
                "terms_accepted_at": asked.created_at.isoformat(),
            }
            kind = JournalKind.PERSON_REGISTERED
            return await come_in(session, person, kind, facts, visitor, now)
    except IntegrityError:
        raise address_taken() from None


def is_over(now: Any) -> ColumnElement[bool]:
    """The condition that the mail of a registration, and so the registration, is out of date."""
    return and_(col(Notice.person_id).is_(None), col(Notice.created_at) <= now - INVITATION_LIFE)


async def forget(database: Database) -> None:
    """Clear away registrations that nobody completed, and the mails of all of them."""
    now = present()
    async with database.work() as session:
        over = select(Notice.id).where(is_over(now)).limit(_MOST)
        ids = (await session.exec(over.with_for_update(skip_locked=True))).all()
        await session.exec(delete(NoticeAttempt).where(col(NoticeAttempt.notice_id).in_(ids)))
        await session.exec(delete(Notice).where(col(Notice.id).in_(ids)))
        await session.exec(delete(Registration).where(col(Registration.ends_at) <= now))


@dataclass(frozen=True)
class Undelivered:
    """Somebody who registers and whose mail did not arrive."""

    name: str
    email: str
    unit: str
    at: datetime
    reason: str


async def undelivered(session: AsyncSession, actor: Actor) -> Sequence[Undelivered]:
    """Who registers in the actor's units and gets no mail, the newest first. Raises Refusal 403."""
    actor.demand(Permission.MEET_PEOPLE)
    found = await session.exec(
        select(Notice.event_key, Notice.failure_reason).where(
            col(Notice.person_id).is_(None),
            Notice.kind == NoticeKind.REGISTRATION.value,
            Notice.state == NoticeState.FAILED.value,
        )
    )
    reasons = {_registration_of(key): reason or "" for key, reason in found.all()}
    units = actor.units_with(Permission.MEET_PEOPLE)
    rows = await session.exec(
        select(Registration, Unit.name)
        .join(Unit, col(Unit.id) == col(Registration.unit_id))
        .where(col(Registration.id).in_(reasons), col(Registration.unit_id).in_(units))
        .order_by(col(Registration.created_at).desc())
        .limit(MOST_SHOWN)
    )
    return [
        Undelivered(one.name, one.email, unit, one.created_at, reasons[one.id])
        for one, unit in rows.all()
    ]


def _registration_of(event_key: str) -> UUID:
    return UUID(event_key.partition(":")[0])


async def _not_delivered(session: AsyncSession, notice: Notice, now: datetime) -> None:
    """Tell the operators of the unit, once a day: anybody can write any address into the form."""
    asked = await session.get(Registration, _registration_of(notice.event_key))
    if asked is None:
        return
    operators = await access.people_with(session, Permission.MEET_PEOPLE, asked.unit_id, now)
    day = await access.day_in(session, asked.unit_id, now)
    key = f"{asked.unit_id}:{day.isoformat()}:registration_failed"
    kind = NoticeKind.REGISTRATION_FAILED
    await outbox.enqueue_all(session, [NoticeEvent(one, kind, key) for one in operators], now)


bounces.register(NoticeKind.REGISTRATION, _not_delivered)
