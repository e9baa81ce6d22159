"""What a person chose: channels by group of events, quiet hours, digest (N2). Effective at once."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.notices import Notice, NoticePreferences, NoticeSetting
from rules.access import Actor, Permission
from rules.cases.kinds import DECIDING
from rules.notices.events import CHOSEN, kinds_of
from rules.notices.kinds import ON_BY_DEFAULT, Channel, NoticeGroup, NoticeState
from rules.refusals import Refusal
from rules.zones import is_zone
from services import access, turns

OUTER = tuple(ON_BY_DEFAULT)
"""The channels outside the cabinet."""

_ONLY_FOR = {
    NoticeGroup.REVIEW: DECIDING,
    NoticeGroup.OPERATION: (Permission.WATCH_OPERATION,),
    NoticeGroup.SCHEDULE: (Permission.TREAT,),
}


@dataclass(frozen=True)
class Cell:
    """One channel of one group; if `locked`, it cannot be turned off."""

    group: NoticeGroup
    channel: Channel
    on: bool
    locked: bool


def groups_for(actor: Actor) -> tuple[NoticeGroup, ...]:
    """The groups of which a person can be notified, security last."""
    mine = [
        group
        for group in CHOSEN
        if group not in _ONLY_FOR or any(actor.may(right) for right in _ONLY_FOR[group])
    ]
    return (*mine, NoticeGroup.SECURITY)


def is_locked(group: NoticeGroup, channel: Channel) -> bool:
    """Whether a channel is on whatever is chosen: security by mail and push."""
    return group is NoticeGroup.SECURITY and ON_BY_DEFAULT[channel]


async def table(session: AsyncSession, actor: Actor) -> list[Cell]:
    """The setting of each group and channel for the person."""
    found = await session.exec(
        select(NoticeSetting).where(NoticeSetting.person_id == actor.person_id)
    )
    chosen = {(one.group, one.channel): one.on for one in found}
    return [
        Cell(
            group,
            channel,
            is_locked(group, channel)
            or chosen.get((group.value, channel.value), ON_BY_DEFAULT[channel]),
            is_locked(group, channel),
        )
        for group in groups_for(actor)
        for channel in OUTER
    ]


async def choose(
    session: AsyncSession,
    actor: Actor,
    wishes: Mapping[tuple[NoticeGroup, Channel], bool],
    now: datetime,
) -> None:
    """Turn channels on or off, for future events and for messages that still wait.

    Raises Refusal 422 for an unknown setting, 409 for turning off a locked one.
    """
    for (group, channel), on in wishes.items():
        if group not in groups_for(actor) or channel not in OUTER:
            raise Refusal("no_such_setting", "Такой настройки нет.", 422)
        if is_locked(group, channel):
            if on:
                continue
            raise Refusal(
                "security_is_always_told", "Уведомления о безопасности нельзя отключить.", 409
            )
        row = {
            "person_id": actor.person_id,
            "group": group.value,
            "channel": channel.value,
            "on": on,
            "changed_at": now,
        }
        changed = {"on": on, "changed_at": now}
        await session.exec(
            insert(NoticeSetting)
            .values(row)
            .on_conflict_do_update(index_elements=["person_id", "group", "channel"], set_=changed)
        )
        if not on:
            await _drop_waiting(session, actor.person_id, group, channel)


async def _drop_waiting(
    session: AsyncSession, person_id: UUID, group: NoticeGroup, channel: Channel
) -> None:
    """Cancel waiting messages that are no longer wanted; one being sent is left alone."""
    waiting = (
        select(Notice.id)
        .where(
            Notice.person_id == person_id,
            Notice.channel == channel.value,
            Notice.state == NoticeState.WAITING.value,
            col(Notice.kind).in_([kind.value for kind in kinds_of(group)]),
            col(Notice.contents).is_(None),
        )
        .with_for_update(skip_locked=True)
    )
    await session.exec(
        update(Notice)
        .where(col(Notice.id).in_(waiting))
        .values(state=NoticeState.OFF.value)
        .execution_options(synchronize_session=False)
    )


@dataclass(frozen=True)
class Wishes:
    """Quiet hours and digest as shown to the person; None if not chosen."""

    zone: str
    quiet_from: time | None = None
    quiet_to: time | None = None
    digest_hour: int | None = None


async def wishes_of(session: AsyncSession, actor: Actor) -> Wishes:
    """What the person chose; a person who chose nothing has the zone of their unit."""
    row = await session.get(NoticePreferences, actor.person_id)
    if row is None:
        return Wishes((await access.zone_of(session, actor.unit_id)).key)
    return Wishes(row.zone, row.quiet_from, row.quiet_to, row.digest_hour)


async def wish(
    session: AsyncSession, actor: Actor, changes: Mapping[str, Any], now: datetime
) -> None:
    """Change quiet hours or digest, by the names of `Wishes`; others stay as they are.

    Messages that they hold back are looked at again at once. Raises Refusal 422 for half a pair of
    hours, an invalid hour or an unknown zone.
    """
    # Locked, so that two changes at once are made one after the other.
    await turns.of_person(session, actor.person_id)
    wishes = replace(await wishes_of(session, actor), **changes)
    _check(wishes)
    row = {**vars(wishes), "changed_at": now}
    await session.exec(
        insert(NoticePreferences)
        .values(person_id=actor.person_id, **row)
        .on_conflict_do_update(index_elements=["person_id"], set_=row)
    )
    await session.exec(
        update(Notice)
        .where(
            col(Notice.person_id) == actor.person_id,
            col(Notice.state) == NoticeState.WAITING.value,
            col(Notice.held_until) > now,
        )
        .values(held_until=None, next_try_at=now)
        .execution_options(synchronize_session=False)
    )


def _check(wishes: Wishes) -> None:
    if (wishes.quiet_from is None) is not (wishes.quiet_to is None):
        raise Refusal("half_quiet", "Укажите и начало, и конец тихих часов.", 422)
    if wishes.digest_hour is not None and not 0 <= wishes.digest_hour <= 23:
        raise Refusal("no_such_hour", "Час сводки: от 0 до 23.", 422)
    if not is_zone(wishes.zone):
        raise Refusal("no_such_zone", "Такого часового пояса нет.", 422)
