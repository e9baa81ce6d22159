"""Notices of a person: written with the event, read in the cabinet, resent on demand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import CTE, bindparam, cast, func, union_all, update
from sqlalchemy import select as choose
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.orm import aliased
from sqlmodel import SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.base import new_id
from models.tables.notices import Notice, NoticeAttempt
from models.tables.people import Person
from rules.notices import EVENTS, SUPERSEDES, Channel, NoticeKind, NoticeState
from rules.permissions import Actor
from rules.refusals import Refusal, not_found
from services.letters import Wording, worded


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

    The same `event_key` for the same person again changes nothing. `facts` hold numbers and ids
    only. Raises ValueError for an unknown kind.
    """
    event = Happened(person_id, NoticeKind(kind), event_key, case_id, facts or {}, contents)
    await enqueue_all(session, [event], now)


@dataclass(frozen=True)
class Happened:
    """An event that a person is to be told of; see `enqueue`."""

    person_id: UUID
    kind: NoticeKind
    event_key: str
    case_id: UUID | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    contents: Any = None


async def enqueue_all(session: AsyncSession, events: Sequence[Happened], now: datetime) -> None:
    """`enqueue` for several events, in one statement."""
    rows = [_row(one, channel, now) for one in events for channel in EVENTS[one.kind].channels]
    if not rows:
        return
    spare = tuple(one for one in events if SUPERSEDES[one.kind] and one.case_id is not None)
    named = {f"row{n}_{name}": value for n, row in enumerate(rows) for name, value in row.items()}
    for n, one in enumerate(spare):
        named |= {f"spared_person_{n}": one.person_id, f"spared_case_{n}": one.case_id}
    await session.exec(_write(len(rows), tuple(one.kind for one in spare)), params=named)


def _row(one: Happened, channel: Channel, now: datetime) -> dict[str, Any]:
    at_once = channel is Channel.CABINET
    due = now if at_once else now + EVENTS[one.kind].delay
    return {
        "id": new_id(),
        "event_key": one.event_key,
        "person_id": one.person_id,
        "case_id": one.case_id,
        "kind": one.kind.value,
        "channel": channel.value,
        "facts": dict(one.facts),
        "contents": one.contents,
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
def _write(rows: int, spare: tuple[NoticeKind, ...]) -> Insert:
    """The statement for so many rows and for mails that these kinds of notices make needless.

    Built once: SQLAlchemy compiles lists of values each time.
    """
    table = SQLModel.metadata.tables["notice"]

    def given(name: str, n: int) -> Any:
        kind = table.c[name].type
        return cast(bindparam(f"row{n}_{name}", type_=kind), kind)

    lines = [
        choose(
            *[given(name, n) for name in _WRITTEN],
            choose(col(Person.language))
            .where(Person.id == given("person_id", n))
            .scalar_subquery(),
        )
        for n in range(rows)
    ]
    values = union_all(*lines) if rows > 1 else lines[0]
    written = insert(table).from_select([*_WRITTEN, "language"], values).on_conflict_do_nothing()
    return written.add_cte(*[_supersede(kind, n) for n, kind in enumerate(spare)])


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
class NoticeView:
    """A notice as its person sees it, with what became of the mail about the same event."""

    id: UUID
    kind: str
    case_id: UUID | None
    at: datetime
    read_at: datetime | None
    wording: Wording
    mail_id: UUID | None
    mail_state: str | None
    mail_at: datetime | None
    mail_reason: str | None


async def mine(
    session: AsyncSession,
    actor: Actor,
    *,
    language: str = "ru",
    unread_only: bool = False,
    before: UUID | None = None,
    limit: int = 50,
) -> list[NoticeView]:
    """The person's notices, newest first; `before` is the id of the last one already shown."""
    mail = aliased(Notice)
    query = (
        select(Notice, mail)
        .outerjoin(
            mail,
            (col(mail.event_key) == col(Notice.event_key))
            & (col(mail.person_id) == col(Notice.person_id))
            & (col(mail.channel) == Channel.MAIL.value),
        )
        .where(Notice.person_id == actor.person_id, Notice.channel == Channel.CABINET.value)
        .order_by(col(Notice.id).desc())
        .limit(limit)
    )
    if unread_only:
        query = query.where(col(Notice.read_at).is_(None))
    if before is not None:
        query = query.where(col(Notice.id) < before)
    return [_view(notice, sent, language) for notice, sent in await session.exec(query)]


def _view(notice: Notice, mail: Notice | None, language: str) -> NoticeView:
    return NoticeView(
        id=notice.id,
        kind=notice.kind,
        case_id=notice.case_id,
        at=notice.created_at,
        read_at=notice.read_at,
        wording=worded(notice.kind, notice.facts, notice.case_id, language),
        mail_id=mail.id if mail else None,
        mail_state=mail.state if mail else None,
        mail_at=(mail.told_at or mail.failed_at) if mail else None,
        mail_reason=mail.failure_reason if mail else None,
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
    """Try a mail that failed once more. Raises `not_found`, and 409 unless it failed."""
    found = await session.exec(select(Notice).where(Notice.id == notice_id).with_for_update())
    notice = found.one_or_none()
    if notice is None or notice.person_id != actor.person_id:
        raise not_found()
    if notice.state != NoticeState.FAILED:
        raise Refusal("not_failed", "Это письмо уже отправлено или ещё отправляется.", 409)
    notice.state = NoticeState.WAITING.value
    notice.tries = 0
    notice.failed_at = None
    notice.failure_reason = None
    notice.next_try_at = now
    session.add(notice)
