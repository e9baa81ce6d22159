"""Notices as their person reads them in the cabinet, with what became of each outside."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import exists, func, update
from sqlalchemy.orm import aliased
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.cases import Case
from models.tables.catalogue import Programme
from models.tables.notices import Notice, NoticeAttempt
from rules.access import Actor, Permission
from rules.cases.kinds import decides_anywhere
from rules.notices.events import EVENTS, kinds_of
from rules.notices.kinds import Channel, NoticeGroup, NoticeKind, NoticeState, RecipientRole
from rules.refusals import not_found
from services.notices.wording import Wording, worded


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
    """A notice as shown to its person, with what became of the messages about the same event."""

    id: UUID
    kind: str
    case_id: UUID | None
    at: datetime
    read_at: datetime | None
    wording: Wording
    deliveries: tuple[Delivery, ...]
    programme: str = ""
    """The title of the programme, for a notice about an application."""


@dataclass(frozen=True)
class Sought:
    """Which notices are asked for; by default all."""

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
    """A notice in the person's cabinet. Raises `not_found`."""
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
    """Mark a notice of the person as read. Its wording says where it leads. Raises `not_found`.

    Whoever watches the operation hears of cases that nobody may decide, and does not see them: to
    them such a notice leads to the ops desk.
    """
    notice = await session.get(Notice, notice_id)
    if notice is None or notice.person_id != actor.person_id:
        raise not_found()
    await mark_read(session, actor, now, ids=[notice_id])
    wording = worded(notice.kind, notice.facts, notice.case_id, language, temporal)
    event = EVENTS[NoticeKind(notice.kind)]
    to_reviewers = (event.audience, event.group) == (RecipientRole.REVIEWER, NoticeGroup.REVIEW)
    if to_reviewers and actor.may(Permission.WATCH_OPERATION) and not decides_anywhere(actor):
        return replace(wording, path="/operation")
    return wording


async def _views(session: AsyncSession, found: Sequence[Notice], language: str) -> list[NoticeView]:
    """The notices, with what became of them by all channels, and the programmes they are about."""
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
    """The cases about which the person has an unread notice of these kinds."""
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
    """The tries to send one notice of the person, oldest first. Raises `not_found`."""
    notice = await session.get(Notice, notice_id)
    if notice is None or notice.person_id != actor.person_id:
        raise not_found()
    found = await session.exec(
        select(NoticeAttempt)
        .where(NoticeAttempt.notice_id == notice_id)
        .order_by(col(NoticeAttempt.id))
    )
    return found.all()
