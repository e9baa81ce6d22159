"""When somebody is reminded of the end of a credential (Q4). Pure functions.

Days are days in the zone of the owner's unit; a credential is valid through the end of its last
day. Each reminder of each end is sent once at most: its state is kept, and never goes back.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from rules.refusals import FieldError, Refusal

DEFAULT_LEADS = (90, 60, 30, 14, 7, 1, 0)
"""How many days ahead people are reminded who have chosen nothing; 0 is the last day itself."""
LONGEST_LEAD, MOST_LEADS = 730, 12
AT = time(9)
"""The hour of a reminder, by the clock of the owner's unit: not in the middle of the night."""
END = -1
"""Stands for the end itself where reminders are counted in days ahead."""
NEWS = timedelta(days=30)
"""How far back what a register says is news: its owner may not know of it."""


class ReminderState(StrEnum):
    """Where a reminder stands. Values are stored for ever.

    `skipped`: it was missed, and a later one said it, or nothing was left to remind of. `dropped`:
    it is not wanted any more, or its moment had passed when the end became known.
    """

    PLANNED = "planned"
    SENT = "sent"
    SKIPPED = "skipped"
    DROPPED = "dropped"


class ReminderAnswer(StrEnum):
    """What an owner did after a reminder. Values are stored for ever."""

    RENEWAL = "renewal"
    UPDATED = "updated"
    REPLACED = "replaced"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class Reminder:
    """One reminder of one end, so many days ahead."""

    days: int
    due_at: datetime
    state: ReminderState


def reminder_at(last_day: date, days: int, zone: ZoneInfo) -> datetime:
    """The moment of the reminder so many days before the last day."""
    return datetime.combine(last_day - timedelta(days), AT, zone).astimezone(UTC)


def over_at(last_day: date, zone: ZoneInfo) -> datetime:
    """The moment from which on a credential is not valid any more."""
    return datetime.combine(last_day + timedelta(1), time(), zone).astimezone(UTC)


def known_since(made_at: datetime, *, by_owner: bool) -> datetime:
    """From when on reminders of an end count, which became known at `made_at`.

    Whoever has just typed a day needs no reminder of it; what a register told is news for a while.
    """
    return made_at if by_owner else made_at - NEWS


def planned(
    last_day: date,
    leads: Collection[int],
    zone: ZoneInfo,
    known: Mapping[int, Reminder],
    *,
    since: datetime,
    now: datetime,
) -> list[Reminder]:
    """All reminders of an end, the earliest first: those that are known, and new ones.

    Of new ones those are wanted whose moment comes after `since` (see `known_since`). One that was
    dropped is wanted again only if its moment is still to come.
    """
    made = []
    for days in sorted({*leads, *known}, reverse=True):
        at, before = reminder_at(last_day, days, zone), known.get(days)
        if before is not None and before.state in (ReminderState.SENT, ReminderState.SKIPPED):
            made.append(before)
            continue
        counts_from = since if before is None else now
        waits = before is not None and before.state is ReminderState.PLANNED
        wanted = days in leads and (waits or at > counts_from)
        state = ReminderState.PLANNED if wanted else ReminderState.DROPPED
        made.append(Reminder(days, at, state))
    return made


@dataclass(frozen=True)
class DueReminders:
    """What is to be done now: the reminder to send, if any, and all as they stand afterwards."""

    send: Reminder | None
    all: Sequence[Reminder]


def due(
    reminders: Sequence[Reminder], last_day: date, zone: ZoneInfo, now: datetime
) -> DueReminders:
    """Of several that an outage held back only the last is sent, and none after the end."""
    late = [one for one in reminders if one.state is ReminderState.PLANNED and one.due_at <= now]
    if not late:
        return DueReminders(None, reminders)
    last = min(late, key=lambda one: one.days)
    send = last if now < over_at(last_day, zone) else None
    after = [
        one
        if one not in late
        else replace(one, state=ReminderState.SENT if one is send else ReminderState.SKIPPED)
        for one in reminders
    ]
    return DueReminders(send, after)


def next_moment(
    reminders: Sequence[Reminder], last_day: date, zone: ZoneInfo, now: datetime
) -> datetime | None:
    """When the next reminder comes, or the end; None after the end."""
    over = over_at(last_day, zone)
    if over <= now:
        return None
    waiting = [one.due_at for one in reminders if one.state is ReminderState.PLANNED]
    return min([*waiting, over])


def demand_leads(leads: Collection[int]) -> tuple[int, ...]:
    """The chosen days ahead in order, each once; none means no reminders. Raises Refusal 422."""
    chosen = tuple(sorted(set(leads), reverse=True))
    words = ""
    if len(chosen) > MOST_LEADS:
        words = "Выберите не больше двенадцати напоминаний."
    elif any(not 0 <= one <= LONGEST_LEAD for one in chosen):
        words = "Укажите дни от 0 до 730: за сколько дней до окончания напомнить."
    if words:
        raise Refusal("incomplete", words, 422, [FieldError("leads", words)])
    return chosen
