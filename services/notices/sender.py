"""Sending notices by one channel: one message, one transaction, each try recorded.

The row stays locked while its message is sent, so that several senders never send the same one; a
sender that freezes loses its lock when PostgreSQL ends its idle transaction after 30 s. A server
that is down costs a message no tries: only refusals count. If a message finally fails, the cabinet
says so, and the next channel that the person allows takes it over.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

import structlog
from sqlalchemy import Uuid, bindparam, func, insert, literal_column, update
from sqlalchemy import select as choose
from sqlmodel import SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database, DirectRows, DirectStatement
from models.tables.base import UtcDateTime
from models.tables.notices import Notice, NoticeAttempt, NoticePreferences
from rules.clock import now as present
from rules.notices.delivery import GIVEN_UP_AFTER, DeliveryOutcome, asked_again_after, pause_after
from rules.notices.events import CHOSEN, EVENTS
from rules.notices.kinds import SPARE, Channel, NoticeKind, NoticeState
from rules.notices.quiet_hours import Quiet, digest_at, held_until
from services.notices import bounces, outbox

TOPIC = "notice_due"
"""A trigger announces the channel of a message that waits, or is now to be sent earlier."""
LANES = 4
"""How many messages are sent side by side if many wait."""
OUTAGE_IS_JOURNALED_EVERY = timedelta(minutes=5)

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class SendAttempt:
    """The result of one try to send a message.

    `awaits_receipt`: the provider accepted it, and will report more later.
    """

    outcome: DeliveryOutcome
    reason: str = ""
    awaits_receipt: bool = False


class Way(Protocol):
    """A channel as the sender uses it."""

    @property
    def channel(self) -> Channel:
        """The channel whose notices it sends."""

    async def send(self, session: AsyncSession, told: Sequence[Notice]) -> SendAttempt:
        """Send one message about these notices of one person; more than one make a digest.

        Returns the result. An exception only delays this message.
        """

    async def follow_up(self, database: Database) -> datetime | None:
        """Do what is left between rounds, such as asking what became of messages.

        Returns when it is due again; None while nothing is.
        """


class Stop(StrEnum):
    """Why a round of sending ended."""

    NOTHING_DUE = "nothing due"
    DOWN = "down"
    ASKED = "asked"


@dataclass
class Round:
    """What a round of sending did, and when the next message is due; None while none waits."""

    tried: int = 0
    told: int = 0
    ended: Stop = Stop.NOTHING_DUE
    reason: str = ""
    next_at: datetime | None = None

    @property
    def more(self) -> bool:
        """Whether a message is due now."""
        return self.next_at is not None and self.next_at <= present()


_DUE = DirectRows(
    choose(Notice, NoticePreferences)
    .outerjoin(NoticePreferences, col(NoticePreferences.person_id) == col(Notice.person_id))
    .where(
        col(Notice.channel) == bindparam("channel"),
        col(Notice.state) == NoticeState.WAITING.value,
        col(Notice.next_try_at) <= bindparam("now", type_=UtcDateTime()),
    )
    .order_by(col(Notice.next_try_at), col(Notice.id))
    # A limit that it does not know would have PostgreSQL plan it anew each time.
    .limit(literal_column("1"))
    .with_for_update(skip_locked=True, of=Notice)
)
"""Built once. The address is read apart: one that cannot be decrypted must not hold up others."""


async def send_next(database: Database, way: Way) -> SendAttempt | None:
    """Try the message that has been due longest and that nobody else is sending; None if none is.

    A message that its person does not want now is postponed, and the next one is tried.
    """
    while True:
        async with database.work() as session:
            asked = {"channel": way.channel.value, "now": present()}
            row = await _DUE.one_or_none(session, asked)
            if row is None:
                return None
            notice, wishes = row
            now = present()
            if wishes is not None and (until := _put_off(notice, wishes, now)) is not None:
                notice.held_until = notice.next_try_at = until
                session.add(notice)
                continue
            told = [notice]
            if wishes is not None and way.channel is Channel.MAIL and _gathers(notice, wishes):
                told += await _gathered_with(session, notice, wishes, now)
            tried = await _try(session, way, told)
            for one in told:
                if tried.outcome is DeliveryOutcome.TOLD:
                    await _write_told(session, one, notice, tried, present())
                else:
                    await _write_down(session, one, tried, present())
            return tried


def _quiet(wishes: NoticePreferences) -> Quiet:
    return Quiet(wishes.zone, wishes.quiet_from, wishes.quiet_to, wishes.digest_hour)


def _gathers(notice: Notice, wishes: NoticePreferences) -> bool:
    """Whether the notice goes into its person's digest."""
    return wishes.digest_hour is not None and EVENTS[NoticeKind(notice.kind)].group in CHOSEN


def _put_off(notice: Notice, wishes: NoticePreferences, now: datetime) -> datetime | None:
    """Until when the person does not want this message; None if it may go now."""
    if EVENTS[NoticeKind(notice.kind)].group not in CHOSEN:
        return None
    quiet = _quiet(wishes)
    if notice.channel == Channel.MAIL.value:
        gathered = digest_at(quiet, notice.created_at)
        if gathered is not None and gathered > now:
            return gathered
    return held_until(quiet, now)


async def _gathered_with(
    session: AsyncSession, first: Notice, wishes: NoticePreferences, now: datetime
) -> list[Notice]:
    """The other mails of the same person that are due with the digest, oldest first."""
    chosen = [kind.value for kind, event in EVENTS.items() if event.group in CHOSEN]
    found = await session.exec(
        select(Notice)
        .where(
            Notice.channel == first.channel,
            Notice.person_id == first.person_id,
            Notice.state == NoticeState.WAITING.value,
            Notice.id != first.id,
            Notice.next_try_at <= now,
            col(Notice.kind).in_(chosen),
        )
        .order_by(col(Notice.id))
        .with_for_update(skip_locked=True)
    )
    quiet = _quiet(wishes)
    return [one for one in found if (digest_at(quiet, one.created_at) or now) <= now]


async def _try(session: AsyncSession, way: Way, told: Sequence[Notice]) -> SendAttempt:
    try:
        return await way.send(session, told)
    except Exception as error:
        # One message that cannot be written must not hold up all the others.
        log.exception("message_not_written", notice=str(told[0].id), kind=told[0].kind)
        return SendAttempt(DeliveryOutcome.LATER, type(error).__name__)


_NOTICE, _ATTEMPT = (SQLModel.metadata.tables[name] for name in ("notice", "notice_attempt"))
_TOLD = DirectStatement(
    update(_NOTICE)
    .where(_NOTICE.c.id == bindparam("notice_id"))
    .values(
        state=NoticeState.TOLD.value,
        told_at=bindparam("at"),
        ask_at=bindparam("asked_again_at"),
        asks=0,
        told_with=func.coalesce(bindparam("first_id", type_=Uuid()), _NOTICE.c.told_with),
    )
    .add_cte(
        insert(_ATTEMPT)
        .values({one.name: bindparam(f"attempt_{one.name}") for one in _ATTEMPT.c})
        .cte("attempt")
    )
)


async def _write_told(
    session: AsyncSession, notice: Notice, first: Notice, tried: SendAttempt, now: datetime
) -> None:
    """Record that a message was sent, in one statement: `first` is the notice of its mail."""
    attempt = _attempt(notice, tried.outcome, tried.reason, now)
    pause = asked_again_after(0)
    await _TOLD.run(
        session,
        {
            "notice_id": notice.id,
            "at": now,
            "asked_again_at": now + pause if tried.awaits_receipt and pause else None,
            "first_id": None if notice is first else first.id,
            **{f"attempt_{name}": value for name, value in attempt.model_dump().items()},
        },
    )


async def _write_down(
    session: AsyncSession, notice: Notice, tried: SendAttempt, now: datetime
) -> None:
    """Record a try that failed, and set when the next one is due."""
    given_up = _given_up(notice, tried, now)
    if (
        tried.outcome is DeliveryOutcome.DOWN
        and not given_up
        and await _known_to_be_down(session, notice, now)
    ):
        return
    note(session, notice, tried.outcome, tried.reason, now)
    session.add(notice)
    if tried.outcome is DeliveryOutcome.DOWN and not given_up:
        return
    if tried.outcome is not DeliveryOutcome.DOWN:
        notice.tries += 1
    pause = pause_after(notice.tries) if tried.outcome is DeliveryOutcome.LATER else None
    if pause is not None and not given_up:
        notice.next_try_at = now + pause
        return
    await fail(session, notice, tried.reason, now)


def _given_up(notice: Notice, tried: SendAttempt, now: datetime) -> bool:
    """Whether the message was refused or its server down for longer than the message is useful."""
    limit = GIVEN_UP_AFTER.get(Channel(notice.channel))
    waits_since = max(notice.due_at, notice.held_until or notice.due_at)
    return (
        limit is not None
        and tried.outcome in (DeliveryOutcome.DOWN, DeliveryOutcome.LATER)
        and now - waits_since > limit
    )


def note(
    session: AsyncSession, notice: Notice, outcome: DeliveryOutcome, reason: str, now: datetime
) -> None:
    """Add a line to the journal of a message."""
    session.add(_attempt(notice, outcome, reason, now))


def _attempt(notice: Notice, outcome: DeliveryOutcome, reason: str, now: datetime) -> NoticeAttempt:
    return NoticeAttempt(notice_id=notice.id, at=now, outcome=outcome.value, reason=reason)


async def fail(session: AsyncSession, notice: Notice, reason: str, now: datetime) -> None:
    """Give a message up: the cabinet tells its person, and another channel takes it over."""
    notice.state = NoticeState.FAILED.value
    notice.failed_at = now
    notice.failure_reason = reason
    notice.ask_at = None
    session.add(notice)
    await bounces.given_up(session, notice, now)
    if notice.person_id is None:
        return
    kind = NoticeKind.DELIVERY_FAILED
    said = outbox.NoticeEvent(
        notice.person_id,
        kind,
        f"{notice.id}:{kind}",
        notice.case_id,
        {"kind": notice.kind, "channel": notice.channel, **notice.facts},
    )
    await outbox.enqueue_all(session, [said], now)
    if notice.contents is None:
        others = [way for way in SPARE if way.value != notice.channel]
        await outbox.take_over(session, notice, others, now)


async def _known_to_be_down(session: AsyncSession, notice: Notice, now: datetime) -> bool:
    """Whether the message's journal records the outage already: one line for some minutes of it."""
    found = await session.exec(
        select(NoticeAttempt)
        .where(NoticeAttempt.notice_id == notice.id)
        .order_by(col(NoticeAttempt.id).desc())
        .limit(1)
    )
    last = found.one_or_none()
    return (
        last is not None
        and last.outcome == DeliveryOutcome.DOWN.value
        and now - last.at < OUTAGE_IS_JOURNALED_EVERY
    )


async def drain(
    database: Database,
    way: Way,
    heartbeat: Callable[[Round], None] = lambda _: None,
    asked_to_stop: Callable[[], bool] = lambda: False,
) -> Round:
    """Send everything due by a channel, several side by side; stops if its server is down.

    Usually a single message is due: no parallel tasks are started for it, which would find nothing.
    """
    done = Round()
    another = await _one(database, way, done, heartbeat)
    done.next_at = await next_at(database, way.channel)
    if another and done.more:
        async with asyncio.TaskGroup() as lanes:
            for _ in range(LANES):
                lanes.create_task(_lane(database, way, done, heartbeat, asked_to_stop))
        done.next_at = await next_at(database, way.channel)
    return done


async def next_at(database: Database, channel: Channel) -> datetime | None:
    """When the next message of a channel is due, perhaps in the past; None while none waits."""
    async with database.line() as line:
        found = await line.execute(
            "select min(next_try_at) from notice where channel = %s and state = 'waiting'",
            [channel.value],
        )
        row = await found.fetchone()
    return row[0] if row else None


async def _lane(
    database: Database,
    way: Way,
    done: Round,
    heartbeat: Callable[[Round], None],
    asked_to_stop: Callable[[], bool],
) -> None:
    while done.ended is not Stop.DOWN:
        if asked_to_stop():
            done.ended = Stop.ASKED
            return
        if not await _one(database, way, done, heartbeat):
            return


async def _one(
    database: Database, way: Way, done: Round, heartbeat: Callable[[Round], None]
) -> bool:
    """Try one message; False if none is due or the server is down."""
    tried = await send_next(database, way)
    if tried is None:
        return False
    done.tried += 1
    done.told += tried.outcome is DeliveryOutcome.TOLD
    heartbeat(done)
    if tried.outcome is DeliveryOutcome.DOWN:
        done.ended, done.reason = Stop.DOWN, tried.reason
        return False
    return True


async def waiting(database: Database, channel: Channel) -> int:
    """How many messages of a channel are due and not sent."""
    async with database.work() as session:
        found = await session.exec(
            select(func.count())
            .select_from(Notice)
            .where(
                Notice.channel == channel.value,
                Notice.state == NoticeState.WAITING.value,
                func.coalesce(Notice.held_until, Notice.due_at) <= present(),
            )
        )
        return found.one()
