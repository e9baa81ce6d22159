"""Meetings by video: when they are held, how often they are missed, what is compared in them.

Source: requirements I3, I4.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from rules.refusals import FieldError, Refusal
from rules.texts.cleaning import clean

LENGTH = timedelta(minutes=30)
"""Every meeting is so long and begins on a whole or half hour, so none overlaps another."""
LATEST_BOOKING = timedelta(minutes=15)
"""So long before its beginning a meeting can be booked or moved at the latest."""
FURTHEST = timedelta(days=60)
MOST_OPENED = 64
"""How many times an operator opens at once."""
MOST_AHEAD = 1000
"""How many times of one operator may lie ahead."""
MOST_SHOWN = 100
"""How many free times are offered at once."""
REMINDERS = (timedelta(hours=24), timedelta(minutes=30))
"""So long before a meeting both people are reminded."""
OUTCOME_WITHIN = timedelta(days=2)
"""So long after a meeting its outcome is awaited; then the person is asked to book again."""
MISSED_AT_MOST = 3
MISSED_WITHIN = timedelta(days=30)
"""Whoever misses so many meetings within this time can book again only when it has passed."""
REASON = 3, 1000
MOST_MARKED = 50
"""How much of what a purpose asks for can be marked."""


class Purpose(StrEnum):
    """What a meeting is for. Values are stored: never rename."""

    VERIFICATION = "verification"
    UNLOCK = "unlock"


class MeetingState(StrEnum):
    """Where a meeting stands. Values are stored: never rename."""

    BOOKED = "booked"
    CANCELLED = "cancelled"
    CONFIRMED = "confirmed"
    NOT_CONFIRMED = "not_confirmed"
    MISSED = "missed"
    """The person did not come."""
    UNRECORDED = "unrecorded"
    """The operator recorded no outcome in time: the person books again."""


OUTCOMES = (MeetingState.CONFIRMED, MeetingState.NOT_CONFIRMED, MeetingState.MISSED)
"""What an operator records."""
TAKES_SLOT = tuple(one for one in MeetingState if one is not MeetingState.CANCELLED)
"""In these states nobody else can have the time of the meeting."""

STATE_WORDS: Mapping[MeetingState, str] = {
    MeetingState.BOOKED: "назначена",
    MeetingState.CANCELLED: "отменена",
    MeetingState.CONFIRMED: "личность подтверждена",
    MeetingState.NOT_CONFIRMED: "личность не подтверждена",
    MeetingState.MISSED: "человек не пришёл",
    MeetingState.UNRECORDED: "итог не записан",
}
PURPOSE_WORDS: Mapping[Purpose, str] = {
    Purpose.VERIFICATION: "Подтверждение учётной записи",
    Purpose.UNLOCK: "Снятие блокировки",
}
ASKED_WORDS: Mapping[Purpose, tuple[str, str]] = {
    Purpose.UNLOCK: (
        "Какие способы входа настроил сам владелец",
        "Пройдите их вместе: что не отмечено, будет удалено, когда блокировку снимут. Если не "
        "отмечено ничего, после встречи вы назовёте человеку код для нового пароля.",
    ),
}
"""What is asked besides the checklist, and what follows from it (msgids)."""

CHECKLIST: Mapping[str, str] = {
    "face": "Лицо на видео совпадает с фотографией в документе",
    "document": "Человек показал подлинник документа, его видно целиком",
    "name": "Фамилия, имя и отчество совпадают с документом и с учётной записью",
    "dates": "Дата рождения совпадает, срок действия документа не истёк",
    "alone": "Человек отвечал сам, без подсказок и по своей воле",
}
"""What the operator compares; all of it has to be true for an identity to be confirmed."""


def slots_between(
    day: date, first: time, last: time, zone: ZoneInfo, now: datetime
) -> Sequence[datetime]:
    """The beginnings of all meetings of one day from `first` until `last`, by the clock of a zone.

    Raises Refusal 422 for a day that is over or too far away, and for times off the half hour.
    """
    step = int(LENGTH.total_seconds()) // 60
    if any((one.hour * 60 + one.minute) % step or one.second for one in (first, last)):
        raise _wrong("first", "Укажите время с точностью до получаса, например 09:30.")
    if first >= last:
        raise _wrong("last", "Окончание должно быть позже начала.")
    today = now.astimezone(zone).date()
    if not today <= day <= today + FURTHEST:
        raise _wrong("day", "Выберите день от сегодняшнего и не позже чем через 60 дней.")
    begin = datetime.combine(day, first, zone).astimezone(ZoneInfo("UTC"))
    end = datetime.combine(day, last, zone).astimezone(ZoneInfo("UTC"))
    found = [begin + LENGTH * n for n in range((end - begin) // LENGTH)]
    ahead = [one for one in found if one > now]
    if not ahead:
        raise _wrong("first", "Это время уже прошло.")
    return ahead[:MOST_OPENED]


def demand_outcome(
    outcome: str, compared: Sequence[str], reason: str
) -> tuple[MeetingState, list[str], str]:
    """The outcome as it is recorded: the state, what was compared, the reason.

    Raises Refusal 422: whoever confirms has compared everything, whoever does not says why.
    """
    if outcome not in OUTCOMES:
        raise _wrong("outcome", "Выберите итог встречи.")
    state, said = MeetingState(outcome), clean(reason).strip()
    seen = [name for name in CHECKLIST if name in compared]
    if state is MeetingState.CONFIRMED and len(seen) < len(CHECKLIST):
        raise _wrong("compared", "Чтобы подтвердить личность, отметьте всё, что вы сверили.")
    shortest, longest = REASON
    needs = state is MeetingState.NOT_CONFIRMED
    if len(said) > longest or (needs and len(said) < shortest):
        raise _wrong("reason", "Напишите причину: от 3 до 1000 знаков.")
    return state, seen, said


def next_look(starts_at: datetime, reminded: int) -> datetime:
    """When a booked meeting wants to be looked at next: a reminder, else the missing outcome."""
    if reminded < len(REMINDERS):
        return starts_at - REMINDERS[reminded]
    return starts_at + LENGTH + OUTCOME_WITHIN


def reminded_by(starts_at: datetime, now: datetime) -> int:
    """How many reminders are over at `now`: whoever books late is not reminded of the past."""
    return sum(starts_at - before <= now for before in REMINDERS)


def room_link(template: str, room: str) -> str:
    """The address of a room: `{room}` in the template of the provider is its id."""
    return template.replace("{room}", room)


def not_needed() -> Refusal:
    """The person needs no meeting for this purpose now."""
    return Refusal("not_needed", "Встреча для этого сейчас не нужна.", 409)


def slot_taken() -> Refusal:
    """Somebody else has this time, or it is no longer offered."""
    return Refusal("slot_taken", "Это время уже занято. Выберите другое.", 409)


def already_booked() -> Refusal:
    """One open meeting for each purpose."""
    return Refusal("already_booked", "Встреча у вас уже назначена. Её можно перенести.", 409)


def meeting_over() -> Refusal:
    """The meeting is no longer booked."""
    return Refusal("meeting_over", "Эта встреча уже завершена или отменена.", 409)


def too_late() -> Refusal:
    """The meeting begins too soon."""
    return Refusal("too_late", "До начала встречи меньше 15 минут: изменить её нельзя.", 409)


def too_early() -> Refusal:
    """The meeting has not begun."""
    return Refusal("too_early", "Встреча ещё не началась: итог записывают после начала.", 409)


def missed_too_often(retry_after: int) -> Refusal:
    """Too many meetings were missed; `retry_after` in seconds."""
    words = "Вы пропустили три встречи подряд. Записаться снова можно через 30 дней после первой."
    return Refusal("missed_too_often", words, 429, retry_after=retry_after)


def not_yourself() -> Refusal:
    """Operators meet others only."""
    return Refusal("oneself", "Подтвердить собственную личность нельзя.", 403)


def _wrong(field: str, words: str) -> Refusal:
    return Refusal("incomplete", words, 422, [FieldError(field, words)])
