"""What a person chose: channels by group of events, quiet hours, digest (N2). Holds at once."""

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
from models.tables.people import Person
from rules.access import Actor, Permission
from rules.notices.kinds import CHOSEN, ON_BY_DEFAULT, Channel, NoticeGroup, NoticeState, kinds_of
from rules.refusals import Refusal
from rules.zones import is_zone
from services import access

OUTER = tuple(ON_BY_DEFAULT)
"""The channels outside the cabinet."""

_ONLY_FOR = {
    NoticeGroup.REVIEW: Permission.REVIEW,
    NoticeGroup.OPERATION: Permission.WATCH_OPERATION,
}


@dataclass(frozen=True)
class Cell:
    """One channel of one group; `locked` cannot be turned off."""

    group: NoticeGroup
    channel: Channel
    on: bool
    locked: bool


def groups_for(actor: Actor) -> tuple[NoticeGroup, ...]:
    """The groups that a person can be told of, security last."""
    mine = [group for group in CHOSEN if group not in _ONLY_FOR or actor.may(_ONLY_FOR[group])]
    return (*mine, NoticeGroup.SECURITY)


def is_locked(group: NoticeGroup, channel: Channel) -> bool:
    """Whether a channel is on whatever is chosen: security by mail and push."""
    return group is NoticeGroup.SECURITY and ON_BY_DEFAULT[channel]


async def table(session: AsyncSession, actor: Actor) -> list[Cell]:
    """What holds for each group and channel of the person."""
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
    """Turn channels on or off, for what happens from now on and for what still waits.

    Raises 422 for what cannot be chosen, 409 for turning off what is locked.
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
    """What waits and is no longer wanted is not sent; what is being sent is let go."""
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
    """Quiet hours and digest as the person sees them; None where not asked for."""

    zone: str
    quiet_from: time | None = None
    quiet_to: time | None = None
    digest_hour: int | None = None


async def wishes_of(session: AsyncSession, actor: Actor) -> Wishes:
    """What the person asked for; as long as that is nothing, in the zone of their unit."""
    row = await session.get(NoticePreferences, actor.person_id)
    if row is None:
        return Wishes((await access.zone_of(session, actor.unit_id)).key)
    return Wishes(row.zone, row.quiet_from, row.quiet_to, row.digest_hour)


async def wish(
    session: AsyncSession, actor: Actor, changes: Mapping[str, Any], now: datetime
) -> None:
    """Change quiet hours or digest by the names of `Wishes`; what is not named stays as it is.

    What they hold back now is looked at again at once. Raises 422 for half a pair of hours, an hour
    that is none or an unknown zone.
    """
    # Two changes at once are made one after the other, each on top of what the first left.
    await session.exec(
        select(Person.id).where(Person.id == actor.person_id).with_for_update(key_share=True)
    )
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
