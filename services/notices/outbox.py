"""The notices of a person: written with the event, and sent again on demand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import CTE, bindparam, cast, exists, func, union_all, update
from sqlalchemy import select as choose
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlmodel import SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.encrypted_columns import bound
from models.tables.notices import Notice, NoticeSetting, PushSubscription
from models.tables.people import Person
from rules.access import Actor
from rules.ids import new_id
from rules.notices.events import EVENTS, SUPERSEDES
from rules.notices.kinds import ON_BY_DEFAULT, Channel, NoticeGroup, NoticeKind, NoticeState
from rules.refusals import Refusal, not_found
from services.journal.entries import Along


async def enqueue(
    session: AsyncSession,
    *,
    person_id: UUID,
    kind: str,
    event_key: str,
    now: datetime,
    case_id: UUID | None = None,
    facts: Mapping[str, Any] | None = None,
    contents: Any = None,
) -> None:
    """Write the notice of an event for each channel of its kind; the caller's unit of work commits.

    The same `event_key` for the same person again changes nothing. `facts` hold numbers, ids, days
    and titles of the catalogue, nothing personal. Raises ValueError for an unknown kind.
    """
    event = NoticeEvent(person_id, NoticeKind(kind), event_key, case_id, facts or {}, contents)
    await enqueue_all(session, [event], now)


class Demand(StrEnum):
    """Under which conditions a message outside the cabinet is written.

    `CHOSEN`: the person's settings allow it. `SECURE`: the same, but only for channels that are off
    by default. `REACHABLE`: the person has an address. `CERTAIN`: always; the event brings the
    address.
    """

    CHOSEN = "chosen"
    SECURE = "secure"
    REACHABLE = "reachable"
    CERTAIN = "certain"


@dataclass(frozen=True)
class Shape:
    """The properties of a row on which the statement that writes it depends."""

    channel: Channel
    demand: Demand
    group: NoticeGroup


@dataclass(frozen=True)
class NoticeEvent:
    """An event that a person is to be notified of; see `enqueue`.

    `channels` replace those of the kind, whatever the person chose; messages then go to
    `contents["to"]`.
    """

    person_id: UUID
    kind: NoticeKind
    event_key: str
    case_id: UUID | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    contents: Any = None
    channels: tuple[Channel, ...] = ()


async def enqueue_all(session: AsyncSession, events: Sequence[NoticeEvent], now: datetime) -> None:
    """`enqueue` for several events, in one statement."""
    if (rows := rows_of(events, now)) is not None:
        await session.exec(rows.statement, params=rows.values)


def rows_of(events: Sequence[NoticeEvent], now: datetime) -> Along | None:
    """The statement of `enqueue_all`, to be sent together with an entry of the journal."""
    rows: list[dict[str, Any]] = []
    shapes: list[Shape] = []
    for one in events:
        event = EVENTS[one.kind]
        for channel in one.channels or event.channels:
            rows.append(_row(one, channel, now))
            demand = Demand.SECURE if event.security else Demand.CHOSEN
            shapes.append(Shape(channel, Demand.CERTAIN if one.channels else demand, event.group))
    if not rows:
        return None
    spare = tuple(one for one in events if SUPERSEDES[one.kind] and one.case_id is not None)
    named = _named(rows)
    for n, one in enumerate(spare):
        named |= {f"spared_person_{n}": one.person_id, f"spared_case_{n}": one.case_id}
    return Along(_write(tuple(shapes), tuple(one.kind for one in spare)), named)


def _named(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {f"row{n}_{name}": value for n, row in enumerate(rows) for name, value in row.items()}


def mail_to(
    session: AsyncSession,
    address: str,
    kind: NoticeKind,
    event_key: str,
    path: str,
    language: str,
    now: datetime,
) -> None:
    """Write a mail with a link to an address of which nobody is known who has it."""
    contents = {"to": address, "path": path}
    _to_nobody(session, kind, Channel.MAIL, event_key, contents, language, now)


def code_to(
    session: AsyncSession, phone: str, kind: NoticeKind, event_key: str, code: str, now: datetime
) -> None:
    """Write an SMS with a code to the number of somebody who is no person of the institution."""
    contents = {"to": phone, "code": code}
    _to_nobody(session, kind, Channel.SMS, event_key, contents, "ru", now)


def message_to(
    session: AsyncSession,
    phone: str,
    kind: NoticeKind,
    event_key: str,
    facts: Mapping[str, str],
    now: datetime,
) -> UUID:
    """Write an SMS to the number of a patient; what became of it stands in the row returned."""
    return _to_nobody(session, kind, Channel.SMS, event_key, {"to": phone}, "ru", now, facts)


def _to_nobody(
    session: AsyncSession,
    kind: NoticeKind,
    channel: Channel,
    event_key: str,
    contents: Mapping[str, str],
    language: str,
    now: datetime,
    facts: Mapping[str, str] | None = None,
) -> UUID:
    notice_id = new_id()
    session.add(
        Notice(
            id=notice_id,
            event_key=event_key,
            person_id=None,
            kind=kind,
            channel=channel,
            language=language,
            facts=dict(facts or {}),
            contents=dict(contents),
            created_at=now,
            due_at=now,
            state=NoticeState.WAITING,
            next_try_at=now,
        )
    )
    return notice_id


async def call_off(session: AsyncSession, event_key: str) -> None:
    """Send no message of this event that still waits; one being sent is left alone."""
    waiting = (
        select(Notice.id)
        .where(Notice.event_key == event_key, Notice.state == NoticeState.WAITING.value)
        .with_for_update(skip_locked=True)
    )
    await session.exec(
        update(Notice)
        .where(col(Notice.id).in_(waiting))
        .values(state=NoticeState.SUPERSEDED.value)
        .execution_options(synchronize_session=False)
    )


async def take_over(
    session: AsyncSession, failed: Notice, others: Sequence[Channel], now: datetime
) -> None:
    """Let another channel send what one could not: the first one that its person allows.

    Nothing is written if another channel is sending, or has sent, a message about the same event.
    """
    told = await session.exec(
        select(Notice.id).where(
            Notice.event_key == failed.event_key,
            Notice.person_id == failed.person_id,
            col(Notice.channel).not_in([Channel.CABINET.value, failed.channel]),
            col(Notice.state).in_([NoticeState.WAITING.value, NoticeState.TOLD.value]),
        )
    )
    if told.first() is not None:
        return
    kind = NoticeKind(failed.kind)
    event = NoticeEvent(failed.addressee, kind, failed.event_key, failed.case_id, failed.facts)
    for channel in others:
        if channel not in EVENTS[kind].channels:
            continue
        row = _row(event, channel, now) | {"due_at": now, "next_try_at": now}
        demand = Demand.REACHABLE if EVENTS[kind].security else Demand.CHOSEN
        shape = Shape(channel, demand, EVENTS[kind].group)
        written = await session.exec(_write((shape,), ()), params=_named([row]))
        if written.rowcount:
            return


def _row(one: NoticeEvent, channel: Channel, now: datetime) -> dict[str, Any]:
    at_once = channel is Channel.CABINET
    due = now if at_once else now + EVENTS[one.kind].delay
    notice_id = new_id()
    return {
        "id": notice_id,
        "event_key": one.event_key,
        "person_id": one.person_id,
        "case_id": one.case_id,
        "kind": one.kind.value,
        "channel": channel.value,
        "facts": dict(one.facts),
        "contents": None if at_once else bound(one.contents, notice_id),
        "created_at": now,
        "due_at": due,
        "state": (NoticeState.TOLD if at_once else NoticeState.WAITING).value,
        "tries": 0,
        "next_try_at": due,
        "told_at": now if at_once else None,
    }


_WRITTEN = (
    "id",
    "event_key",
    "person_id",
    "case_id",
    "kind",
    "channel",
    "facts",
    "contents",
    "created_at",
    "due_at",
    "state",
    "tries",
    "next_try_at",
    "told_at",
)


@lru_cache
def _write(shapes: tuple[Shape, ...], spare: tuple[NoticeKind, ...]) -> Insert:
    """The statement for rows of these shapes, and for mails that these kinds make superfluous.

    A row is written if its person wants it, by the settings at that moment. The statement is built
    once: SQLAlchemy would compile lists of values each time.
    """
    table = SQLModel.metadata.tables["notice"]

    def given(name: str, n: int) -> Any:
        kind = table.c[name].type
        return cast(bindparam(f"row{n}_{name}", type_=kind), kind)

    lines = []
    for n, shape in enumerate(shapes):
        person_id = given("person_id", n)
        language = choose(col(Person.language)).where(Person.id == person_id).scalar_subquery()
        line = choose(*[given(name, n) for name in _WRITTEN], language)
        lines.append(line.where(*_wanted(shape, person_id)))
    values = union_all(*lines) if len(lines) > 1 else lines[0]
    written = (
        insert(table)
        .from_select([*_WRITTEN, "language"], values, include_defaults=False)
        .on_conflict_do_nothing()
    )
    return written.add_cte(*[_supersede(kind, n) for n, kind in enumerate(spare)])


def _wanted(shape: Shape, person_id: Any) -> list[Any]:
    """The conditions under which a person is notified by a channel."""
    channel, demand = shape.channel, shape.demand
    if channel is Channel.CABINET or demand is Demand.CERTAIN:
        return []
    conditions: list[Any] = []
    default = ON_BY_DEFAULT[channel]
    if demand is Demand.CHOSEN or (demand is Demand.SECURE and not default):
        chosen = (
            choose(col(NoticeSetting.on))
            .where(
                col(NoticeSetting.person_id) == person_id,
                col(NoticeSetting.group) == shape.group.value,
                col(NoticeSetting.channel) == channel.value,
            )
            .scalar_subquery()
        )
        conditions.append(func.coalesce(chosen, default))
    if channel is Channel.SMS:
        conditions.append(
            exists().where(col(Person.id) == person_id, col(Person.phone).is_not(None))
        )
    if channel is Channel.PUSH:
        conditions.append(exists().where(col(PushSubscription.person_id) == person_id))
    return conditions


def _supersede(kind: NoticeKind, n: int) -> CTE:
    """Cancel waiting mails that the new one makes superfluous; one being sent is left alone."""
    table = SQLModel.metadata.tables["notice"]
    spared = (
        choose(table.c.id)
        .where(
            table.c.person_id == bindparam(f"spared_person_{n}"),
            table.c.case_id == bindparam(f"spared_case_{n}"),
            table.c.kind.in_([one.value for one in SUPERSEDES[kind]]),
            table.c.channel != Channel.CABINET.value,
            table.c.state == NoticeState.WAITING.value,
            table.c.tries == 0,
        )
        .with_for_update(skip_locked=True)
    )
    superseded = {"state": NoticeState.SUPERSEDED.value}
    return update(table).where(table.c.id.in_(spared)).values(superseded).cte(f"superseded_{n}")


async def resend(session: AsyncSession, actor: Actor, notice_id: UUID, now: datetime) -> None:
    """Try once more to send a message that failed; to its provider it is a new one.

    Raises `not_found`, and Refusal 409 unless it failed.
    """
    found = await session.exec(select(Notice).where(Notice.id == notice_id).with_for_update())
    notice = found.one_or_none()
    if notice is None or notice.person_id != actor.person_id:
        raise not_found()
    if notice.state != NoticeState.FAILED:
        raise Refusal("not_failed", "Это сообщение уже отправлено или ещё отправляется.", 409)
    notice.state = NoticeState.WAITING.value
    notice.tries = 0
    notice.sendings += 1
    notice.receipt = notice.receipt_at = notice.held_until = notice.told_with = None
    notice.due_at = now
    notice.failed_at = None
    notice.failure_reason = None
    notice.next_try_at = now
    session.add(notice)
