"""Notices of a person: written with the event, read in the cabinet, resent on demand."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import CTE, bindparam, cast, exists, func, union_all, update
from sqlalchemy import select as choose
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.orm import aliased
from sqlmodel import SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.encrypted_columns import bound
from models.tables.cases import Case
from models.tables.catalogue import Programme
from models.tables.notices import Notice, NoticeAttempt, NoticeSetting, PushSubscription
from models.tables.people import Person
from rules.access import Actor
from rules.ids import new_id
from rules.notices.kinds import (
    EVENTS,
    ON_BY_DEFAULT,
    SUPERSEDES,
    Channel,
    NoticeGroup,
    NoticeKind,
    NoticeState,
    kinds_of,
)
from rules.refusals import Refusal, not_found
from services.journal.entries import Along
from services.notices.wording import Wording, worded


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
    """Write the notice of an event for each channel of its kind; the caller's work commits.

    The same `event_key` for the same person again changes nothing. `facts` hold numbers, ids,
    days and titles of the catalogue, nothing personal. Raises ValueError for an unknown kind.
    """
    event = Happened(person_id, NoticeKind(kind), event_key, case_id, facts or {}, contents)
    await enqueue_all(session, [event], now)


class Demand(StrEnum):
    """Which messages outside the cabinet are written: what the person chose, and what must be.

    `CHOSEN` asks the settings; `SECURE` asks them only for channels that are off by default;
    `REACHABLE` asks only for an address, `CERTAIN` for nothing: the address comes with the event.
    """

    CHOSEN = "chosen"
    SECURE = "secure"
    REACHABLE = "reachable"
    CERTAIN = "certain"


@dataclass(frozen=True)
class Shape:
    """What of a row the statement that writes it depends on."""

    channel: Channel
    demand: Demand
    group: NoticeGroup


@dataclass(frozen=True)
class Happened:
    """An event that a person is to be told of; see `enqueue`.

    `channels` are used in place of those of the kind, whatever was chosen; messages then go to
    `contents["to"]`.
    """

    person_id: UUID
    kind: NoticeKind
    event_key: str
    case_id: UUID | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    contents: Any = None
    channels: tuple[Channel, ...] = ()


async def enqueue_all(session: AsyncSession, events: Sequence[Happened], now: datetime) -> None:
    """`enqueue` for several events, in one statement."""
    if (rows := rows_of(events, now)) is not None:
        await session.exec(rows.statement, params=rows.values)


def rows_of(events: Sequence[Happened], now: datetime) -> Along | None:
    """The statement of `enqueue_all`, to be sent along with an entry of the journal."""
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


async def take_over(
    session: AsyncSession, failed: Notice, others: Sequence[Channel], now: datetime
) -> None:
    """Let the first of the other channels that its person allows tell what one could not.

    Nothing is added where another one tells, or has told, the same event.
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
    event = Happened(failed.person_id, kind, failed.event_key, failed.case_id, failed.facts)
    for channel in others:
        if channel not in EVENTS[kind].channels:
            continue
        row = _row(event, channel, now) | {"due_at": now, "next_try_at": now}
        demand = Demand.REACHABLE if EVENTS[kind].security else Demand.CHOSEN
        shape = Shape(channel, demand, EVENTS[kind].group)
        written = await session.exec(_write((shape,), ()), params=_named([row]))
        if written.rowcount:
            return


def _row(one: Happened, channel: Channel, now: datetime) -> dict[str, Any]:
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
    """The statement for rows of these shapes and for mails that these kinds make needless.

    A row is written where its person wants it, by the settings as they stand now. Built once:
    SQLAlchemy compiles lists of values each time.
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
    """The conditions under which a person is told by a channel."""
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
    """Spare mails that wait and that the new one says as well; one being sent is let go."""
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


@dataclass(frozen=True)
class Delivery:
    """What became of the message about an event by one channel outside the cabinet."""

    id: UUID
    channel: str
    state: str
    at: datetime | None
    reason: str | None
    receipt: str | None
    held_until: datetime | None


@dataclass(frozen=True)
class NoticeView:
    """A notice as its person sees it, with what became of the messages about the same event."""

    id: UUID
    kind: str
    case_id: UUID | None
    at: datetime
    read_at: datetime | None
    wording: Wording
    deliveries: tuple[Delivery, ...]
    programme: str = ""
    """What the application is for that it is about."""


@dataclass(frozen=True)
class Sought:
    """Which notices are looked for; all where nothing is said."""

    unread: bool = False
    failed: bool = False
    group: NoticeGroup | None = None


async def mine(
    session: AsyncSession,
    actor: Actor,
    *,
    language: str = "ru",
    sought: Sought | None = None,
    before: UUID | None = None,
    limit: int = 50,
) -> list[NoticeView]:
    """The person's notices, newest first; `before` is the id of the last one already shown."""
    query = (
        select(Notice)
        .where(Notice.person_id == actor.person_id, Notice.channel == Channel.CABINET.value)
        .order_by(col(Notice.id).desc())
        .limit(limit)
    )
    sought = sought or Sought()
    if sought.unread:
        query = query.where(col(Notice.read_at).is_(None))
    if sought.group is not None:
        query = query.where(col(Notice.kind).in_([k.value for k in kinds_of(sought.group)]))
    if sought.failed:
        other = aliased(Notice)
        query = query.where(
            exists().where(
                col(other.event_key) == col(Notice.event_key),
                col(other.person_id) == col(Notice.person_id),
                col(other.channel) != Channel.CABINET.value,
                col(other.state) == NoticeState.FAILED.value,
            )
        )
    if before is not None:
        query = query.where(col(Notice.id) < before)
    return await _views(session, list(await session.exec(query)), language)


async def one(
    session: AsyncSession, actor: Actor, notice_id: UUID, language: str = "ru"
) -> NoticeView:
    """A notice in the cabinet of the person. Raises `not_found`."""
    notice = await session.get(Notice, notice_id)
    if (
        notice is None
        or notice.person_id != actor.person_id
        or notice.channel != Channel.CABINET.value
    ):
        raise not_found()
    return (await _views(session, [notice], language))[0]


async def follow(
    session: AsyncSession,
    actor: Actor,
    notice_id: UUID,
    language: str,
    temporal: str,
    now: datetime,
) -> Wording:
    """Mark a notice of the person as read; its wording says where it leads. Raises `not_found`."""
    notice = await session.get(Notice, notice_id)
    if notice is None or notice.person_id != actor.person_id:
        raise not_found()
    await mark_read(session, actor, now, ids=[notice_id])
    return worded(notice.kind, notice.facts, notice.case_id, language, temporal)


async def _views(session: AsyncSession, found: Sequence[Notice], language: str) -> list[NoticeView]:
    """The notices with what became of them by all channels, and what they are about."""
    if not found:
        return []
    others = await session.exec(
        select(Notice)
        .where(
            col(Notice.event_key).in_([notice.event_key for notice in found]),
            Notice.person_id == found[0].person_id,
            Notice.channel != Channel.CABINET.value,
        )
        .order_by(col(Notice.id))
    )
    by_event: dict[str, list[Delivery]] = {}
    for other in others:
        by_event.setdefault(other.event_key, []).append(_delivery(other))
    programmes = await session.exec(
        select(Case.id, Programme.title)
        .join(Programme)
        .where(col(Case.id).in_({notice.case_id for notice in found if notice.case_id}))
    )
    titles = dict(programmes.all())
    return [
        NoticeView(
            id=notice.id,
            kind=notice.kind,
            case_id=notice.case_id,
            at=notice.created_at,
            read_at=notice.read_at,
            wording=worded(notice.kind, notice.facts, notice.case_id, language),
            deliveries=tuple(by_event.get(notice.event_key, ())),
            programme=titles.get(notice.case_id, "") if notice.case_id else "",
        )
        for notice in found
    ]


def _delivery(notice: Notice) -> Delivery:
    return Delivery(
        id=notice.id,
        channel=notice.channel,
        state=notice.state,
        at=notice.failed_at or notice.told_at,
        reason=notice.failure_reason,
        receipt=notice.receipt,
        held_until=notice.held_until,
    )


async def unread_count(session: AsyncSession, actor: Actor) -> int:
    """How many notices in the cabinet the person has not read."""
    found = await session.exec(
        select(func.count())
        .select_from(Notice)
        .where(
            Notice.person_id == actor.person_id,
            Notice.channel == Channel.CABINET.value,
            col(Notice.read_at).is_(None),
        )
    )
    return found.one()


async def cases_with_unread(
    session: AsyncSession, actor: Actor, kinds: Collection[NoticeKind]
) -> set[UUID]:
    """The cases about which the person has not read a notice of these kinds."""
    found = await session.exec(
        select(Notice.case_id).where(
            Notice.person_id == actor.person_id,
            Notice.channel == Channel.CABINET.value,
            col(Notice.read_at).is_(None),
            col(Notice.kind).in_(kinds),
        )
    )
    return {case_id for case_id in found.all() if case_id is not None}


async def mark_read(
    session: AsyncSession,
    actor: Actor,
    now: datetime,
    *,
    ids: Sequence[UUID] | None = None,
    case_id: UUID | None = None,
) -> None:
    """Mark notices of the person as read: those named, those of a case, or all."""
    statement = update(Notice).where(
        col(Notice.person_id) == actor.person_id,
        col(Notice.channel) == Channel.CABINET.value,
        col(Notice.read_at).is_(None),
    )
    if ids is not None:
        statement = statement.where(col(Notice.id).in_(ids))
    if case_id is not None:
        statement = statement.where(col(Notice.case_id) == case_id)
    await session.exec(statement.values(read_at=now).execution_options(synchronize_session=False))


async def attempts(session: AsyncSession, actor: Actor, notice_id: UUID) -> Sequence[NoticeAttempt]:
    """The tries to tell one notice of the person, oldest first. Raises `not_found`."""
    notice = await session.get(Notice, notice_id)
    if notice is None or notice.person_id != actor.person_id:
        raise not_found()
    found = await session.exec(
        select(NoticeAttempt)
        .where(NoticeAttempt.notice_id == notice_id)
        .order_by(col(NoticeAttempt.id))
    )
    return found.all()


async def resend(session: AsyncSession, actor: Actor, notice_id: UUID, now: datetime) -> None:
    """Try a message that failed once more, as a new one to its provider.

    Raises `not_found`, and 409 unless it failed.
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
