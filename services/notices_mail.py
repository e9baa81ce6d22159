"""Telling notices by e-mail: one message, one transaction, each try written down.

The row stays locked while its message is sent, so several senders never send the same one; a
sender that freezes loses its lock when PostgreSQL ends its idle transaction after 30 s. A mail
server that is down costs a message no tries: only refusals count.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import structlog
from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from clients.mail import MailDown, Mailer, MailLater, MailRefused
from models.tables.notices import Notice, NoticeAttempt
from models.tables.people import Person
from rules.clock import now as present
from rules.notices import Channel, NoticeKind, NoticeState, Outcome, pause_after
from services import notices
from services.crash_points import CrashPoint, reach
from services.letters import Addresses, letter

LANES = 4
"""Messages that are sent side by side when many wait."""
OUTAGE_IS_JOURNALED_EVERY = timedelta(minutes=5)

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Tried:
    """One message that was tried, and what came of it."""

    outcome: Outcome
    reason: str = ""


class Stop(StrEnum):
    """Why a round of sending ended."""

    NOTHING_DUE = "nothing due"
    DOWN = "down"
    ASKED = "asked"


@dataclass
class Round:
    """What a round of sending did."""

    tried: int = 0
    told: int = 0
    ended: Stop = Stop.NOTHING_DUE
    reason: str = ""


async def send_next(database: Database, mailer: Mailer, addresses: Addresses) -> Tried | None:
    """Try the message that is due longest and that nobody else is sending; None where none is."""
    async with database.work() as session:
        found = await session.exec(
            select(Notice)
            .where(
                Notice.channel == Channel.MAIL.value,
                Notice.state == NoticeState.WAITING.value,
                Notice.next_try_at <= present(),
            )
            .order_by(col(Notice.next_try_at), col(Notice.id))
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        notice = found.one_or_none()
        if notice is None:
            return None
        tried = await _try(session, notice, mailer, addresses)
        await _write_down(session, notice, tried, present())
        return tried


async def _try(
    session: AsyncSession, notice: Notice, mailer: Mailer, addresses: Addresses
) -> Tried:
    try:
        person = await session.get_one(Person, notice.person_id)
        said = letter(notice.kind, notice.facts, notice.case_id, notice.language, addresses)
        await mailer.send(
            mailer.message_id(notice.message_name),
            person.email,
            said.subject,
            said.text,
            said.html,
            notice.language,
        )
        reach(CrashPoint.MAIL_HANDED_OVER)
    except MailDown as error:
        return Tried(Outcome.DOWN, str(error))
    except MailLater as error:
        return Tried(Outcome.LATER, str(error))
    except MailRefused as error:
        return Tried(Outcome.REFUSED, str(error))
    except Exception as error:
        # One message that cannot be written must not hold up all the others.
        log.exception("letter_not_written", notice=str(notice.id), kind=notice.kind)
        return Tried(Outcome.LATER, type(error).__name__)
    return Tried(Outcome.TOLD)


async def _write_down(session: AsyncSession, notice: Notice, tried: Tried, now: datetime) -> None:
    """Keep the attempt, and say when the next one is due."""
    if tried.outcome is Outcome.DOWN and await _known_to_be_down(session, notice, now):
        return
    session.add(
        NoticeAttempt(notice_id=notice.id, at=now, outcome=tried.outcome.value, reason=tried.reason)
    )
    session.add(notice)
    if tried.outcome is Outcome.TOLD:
        notice.state = NoticeState.TOLD.value
        notice.told_at = now
        return
    if tried.outcome is Outcome.DOWN:
        return
    notice.tries += 1
    pause = pause_after(notice.tries)
    if tried.outcome is Outcome.LATER and pause is not None:
        notice.next_try_at = now + pause
        return
    notice.state = NoticeState.FAILED.value
    notice.failed_at = now
    notice.failure_reason = tried.reason
    await notices.enqueue(
        session,
        person_id=notice.person_id,
        kind=NoticeKind.DELIVERY_FAILED,
        case_id=notice.case_id,
        event_key=f"{notice.id}:{NoticeKind.DELIVERY_FAILED}",
        facts={"kind": notice.kind, **notice.facts},
        now=now,
    )


async def _known_to_be_down(session: AsyncSession, notice: Notice, now: datetime) -> bool:
    """Whether the journal of this message says so already: one line for some minutes of outage."""
    found = await session.exec(
        select(NoticeAttempt)
        .where(NoticeAttempt.notice_id == notice.id)
        .order_by(col(NoticeAttempt.id).desc())
        .limit(1)
    )
    last = found.one_or_none()
    return (
        last is not None
        and last.outcome == Outcome.DOWN.value
        and now - last.at < OUTAGE_IS_JOURNALED_EVERY
    )


async def drain_mail(
    database: Database,
    mailer: Mailer,
    addresses: Addresses,
    heartbeat: Callable[[Round], None] = lambda _: None,
    asked_to_stop: Callable[[], bool] = lambda: False,
) -> Round:
    """Send all that is due, several side by side; ends at once when the mail server is down."""
    done = Round()
    if await _one(database, mailer, addresses, done, heartbeat):
        async with asyncio.TaskGroup() as lanes:
            for _ in range(LANES):
                lanes.create_task(
                    _lane(database, mailer, addresses, done, heartbeat, asked_to_stop)
                )
    return done


async def _lane(
    database: Database,
    mailer: Mailer,
    addresses: Addresses,
    done: Round,
    heartbeat: Callable[[Round], None],
    asked_to_stop: Callable[[], bool],
) -> None:
    while done.ended is not Stop.DOWN:
        if asked_to_stop():
            done.ended = Stop.ASKED
            return
        if not await _one(database, mailer, addresses, done, heartbeat):
            return


async def _one(
    database: Database,
    mailer: Mailer,
    addresses: Addresses,
    done: Round,
    heartbeat: Callable[[Round], None],
) -> bool:
    """Try one message; False where none is due or the server is down."""
    tried = await send_next(database, mailer, addresses)
    if tried is None:
        return False
    done.tried += 1
    done.told += tried.outcome is Outcome.TOLD
    heartbeat(done)
    if tried.outcome is Outcome.DOWN:
        done.ended, done.reason = Stop.DOWN, tried.reason
        return False
    return True


async def waiting(database: Database) -> int:
    """How many mails are due and not told."""
    async with database.work() as session:
        found = await session.exec(
            select(func.count())
            .select_from(Notice)
            .where(
                Notice.channel == Channel.MAIL.value,
                Notice.state == NoticeState.WAITING.value,
                Notice.due_at <= present(),
            )
        )
        return found.one()
