"""A clinician's times as a calendar that a device reads by a secret address (W1).

The address is shown once, and only its hash is kept. The calendar says when and where, and nothing
of a patient. It names no rule of repetition, of which other programs make other times: each
appointment is an event of its own, in UTC, and keeps its name when it changes.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from models.tables.people import Person
from models.tables.schedule import Appointment, CalendarFeed, TreatmentRoom
from rules.access import Actor, Permission
from rules.clock import now as present
from rules.journal.entries import JournalKind
from rules.refusals import Refusal, not_found
from rules.schedule.hours import wrong
from rules.schedule.states import AppointmentState
from rules.texts.cleaning import one_line
from services import access, turns
from services.journal import entries as journal
from services.meetings.calendar_file import escaped, folded
from words.translation import catalogue, marked

BEFORE, AHEAD = timedelta(days=7), timedelta(days=60)
"""The window of the calendar."""
MOST_EVENTS = 2000
MOST_FEEDS = 10
LONGEST_NAME = 60
READ_NOTED = timedelta(minutes=1)
"""That the calendar was read is written at most so often."""
TITLE = marked("Приём")
_STAMP = "%Y%m%dT%H%M%SZ"
_GONE = (AppointmentState.CANCELLED.value, AppointmentState.MOVED.value)


@dataclass(frozen=True)
class CalendarFile:
    """The calendar as a file; `tag` is another one when anything in it is."""

    body: bytes
    tag: str


class CalendarFeeds:
    """What a clinician does with the calendars of their own devices."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def make(self, actor: Actor, name: str) -> str:
        """Let a device read the calendar. Returns the secret, which is shown once.

        Raises Refusal 403, 409 for too many, 422.
        """
        actor.demand(Permission.TREAT)
        said = one_line(name)
        if not 1 <= len(said) <= LONGEST_NAME:
            raise wrong("name", "Назовите устройство: до 60 знаков.")
        token, now = secrets.token_urlsafe(32), present()
        async with self._database.work() as session:
            await turns.of_person(session, actor.person_id)
            if len(await of_person(session, actor.person_id)) >= MOST_FEEDS:
                raise Refusal("too_many", "Устройств уже десять. Отключите лишнее.", 409)
            feed = CalendarFeed(
                person_id=actor.person_id, name=said, token_hash=_hash(token), made_at=now
            )
            session.add(feed)
            await session.flush()
            await _note(session, actor, JournalKind.CALENDAR_FEED_MADE, feed.id, now)
        return token

    async def revoke(self, actor: Actor, feed_id: UUID) -> None:
        """Let a device read no more. Doing it again changes nothing. Raises Refusal 404."""
        now = present()
        async with self._database.work() as session:
            feed = await session.get(CalendarFeed, feed_id, with_for_update=True)
            if feed is None or feed.person_id != actor.person_id:
                raise not_found()
            if feed.revoked_at is None:
                feed.revoked_at = now
                session.add(feed)
                await session.flush()
                await _note(session, actor, JournalKind.CALENDAR_FEED_REVOKED, feed.id, now)

    async def read(self, token: str) -> CalendarFile:
        """The calendar of whoever has this secret.

        Raises Refusal 404 where it is unknown or revoked, or its person treats nobody any more.
        """
        now = present()
        async with self._database.work() as session:
            found = await session.exec(
                select(CalendarFeed).where(
                    CalendarFeed.token_hash == _hash(token), col(CalendarFeed.revoked_at).is_(None)
                )
            )
            feed = found.one_or_none()
            if feed is None or not await _may_read(session, feed.person_id, now):
                raise not_found()
            if feed.read_at is None or now - feed.read_at > READ_NOTED:
                await session.exec(
                    update(CalendarFeed)
                    .where(col(CalendarFeed.id) == feed.id)
                    .values(read_at=now)
                    .execution_options(synchronize_session=False)
                )
            events = await _events(session, feed.person_id, now)
            person = await session.get_one(Person, feed.person_id)
            title = escaped(catalogue(person.language).gettext(TITLE))
        body = "".join(f"{folded(line)}\r\n" for line in _lines(events, title)).encode()
        return CalendarFile(body, f'"{hashlib.sha256(body).hexdigest()[:32]}"')


def address(public_url: str, token: str) -> str:
    """Where a device reads the calendar."""
    return f"{public_url.rstrip('/')}/calendars/{token}.ics"


async def of_person(session: AsyncSession, person_id: UUID) -> Sequence[CalendarFeed]:
    """The person's devices that may read, the newest first."""
    found = await session.exec(
        select(CalendarFeed)
        .where(CalendarFeed.person_id == person_id, col(CalendarFeed.revoked_at).is_(None))
        .order_by(col(CalendarFeed.id).desc())
    )
    return found.all()


async def _may_read(session: AsyncSession, person_id: UUID, now: datetime) -> bool:
    """Whether the person still works here, treats patients, and is not locked."""
    allowed = await session.exec(
        select(Person.id).where(Person.id == person_id, access.works_here(), access.can_sign_in()),
        params={"now": now},
    )
    if allowed.one_or_none() is None:
        return False
    return (await access.actor_for(session, person_id, now)).may(Permission.TREAT)


async def _events(
    session: AsyncSession, person_id: UUID, now: datetime
) -> Sequence[tuple[Appointment, str | None]]:
    found = await session.exec(
        select(Appointment, TreatmentRoom.name)
        .outerjoin(TreatmentRoom, col(TreatmentRoom.id) == col(Appointment.room_id))
        .where(
            Appointment.clinician_id == person_id,
            Appointment.starts_at >= now - BEFORE,
            Appointment.starts_at < now + AHEAD,
            Appointment.state != AppointmentState.HELD.value,
        )
        .order_by(col(Appointment.starts_at), col(Appointment.id))
        .limit(MOST_EVENTS)
    )
    return found.all()


def _lines(events: Sequence[tuple[Appointment, str | None]], title: str) -> list[str]:
    """The file line by line (RFC 5545). Nothing in it depends on the moment at which it is read."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Medcab//Schedule//RU"]
    lines += ["METHOD:PUBLISH", f"X-WR-CALNAME:{title}"]
    for one, room in events:
        lines += [
            "BEGIN:VEVENT",
            f"UID:{one.id}@medcab",
            f"SEQUENCE:{one.version}",
            f"DTSTAMP:{one.changed_at.astimezone(UTC):{_STAMP}}",
            f"DTSTART:{one.starts_at.astimezone(UTC):{_STAMP}}",
            f"DTEND:{one.ends_at.astimezone(UTC):{_STAMP}}",
            f"SUMMARY:{title}",
            *([f"LOCATION:{escaped(room)}"] if room else []),
            f"STATUS:{'CANCELLED' if one.state in _GONE else 'CONFIRMED'}",
            "CLASS:PRIVATE",
            "END:VEVENT",
        ]
    return [*lines, "END:VCALENDAR"]


async def _note(
    session: AsyncSession, actor: Actor, kind: JournalKind, feed_id: UUID, now: datetime
) -> None:
    await journal.append(
        session,
        chain=actor.person_id,
        kind=kind,
        at=now,
        by=actor.person_id,
        facts={"feed": str(feed_id)},
        lock=True,
    )


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
