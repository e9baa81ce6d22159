"""The life of an appointment: which step leads where, and what it needs (W1).

There is no way back but by an arrow that needs a reason.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from rules.refusals import FieldError, Refusal
from rules.texts.cleaning import clean

HELD_FOR = timedelta(minutes=5)
"""So long a time is kept for somebody who still decides."""
REMINDED_BEFORE = timedelta(hours=1)
"""So long before an appointment its clinician hears of the day ahead."""
MISSED_AFTER = timedelta(hours=1)
"""So long after the end of an appointment to which nobody came, it counts as missed."""
SHORTEST, LONGEST = timedelta(minutes=5), timedelta(hours=8)
FURTHEST = timedelta(days=366)
"""Nothing is booked further ahead."""
REASON = 3, 500


class AppointmentState(StrEnum):
    """Where an appointment stands. Values are stored: never rename."""

    HELD = "held"
    BOOKED = "booked"
    ARRIVED = "arrived"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    NO_SHOW = "no_show"
    CANCELLED = "cancelled"
    MOVED = "moved"


class VisitStep(StrEnum):
    """What somebody does to an appointment. Values are public: never rename."""

    CONFIRM = "confirm"
    ARRIVE = "arrive"
    BEGIN = "begin"
    COMPLETE = "complete"
    MISS = "miss"
    CANCEL = "cancel"
    UNDO = "undo"


@dataclass(frozen=True)
class Arrow:
    """Where a step leads, and whether it needs a reason."""

    to: AppointmentState
    reason: bool = False


_S = AppointmentState
ARROWS: Mapping[tuple[AppointmentState, VisitStep], Arrow] = {
    (_S.HELD, VisitStep.CONFIRM): Arrow(_S.BOOKED),
    (_S.HELD, VisitStep.CANCEL): Arrow(_S.CANCELLED),
    (_S.BOOKED, VisitStep.ARRIVE): Arrow(_S.ARRIVED),
    (_S.BOOKED, VisitStep.MISS): Arrow(_S.NO_SHOW),
    (_S.BOOKED, VisitStep.CANCEL): Arrow(_S.CANCELLED, reason=True),
    (_S.ARRIVED, VisitStep.BEGIN): Arrow(_S.IN_PROGRESS),
    (_S.ARRIVED, VisitStep.CANCEL): Arrow(_S.CANCELLED, reason=True),
    (_S.ARRIVED, VisitStep.UNDO): Arrow(_S.BOOKED, reason=True),
    (_S.IN_PROGRESS, VisitStep.COMPLETE): Arrow(_S.COMPLETED),
    (_S.IN_PROGRESS, VisitStep.UNDO): Arrow(_S.ARRIVED, reason=True),
    (_S.COMPLETED, VisitStep.UNDO): Arrow(_S.IN_PROGRESS, reason=True),
    (_S.NO_SHOW, VisitStep.UNDO): Arrow(_S.ARRIVED, reason=True),
}
MOVES_FROM = _S.BOOKED
"""Only from here an appointment is moved: a new one takes its place, and the old one names it."""
OVER = frozenset({_S.COMPLETED, _S.NO_SHOW, _S.CANCELLED, _S.MOVED})
FREES = frozenset({_S.CANCELLED, _S.MOVED})
"""In these states an appointment takes nobody's time."""
VISITS = frozenset({_S.ARRIVED, _S.IN_PROGRESS, _S.COMPLETED})
"""The patient has come: the appointment is a visit."""
TREATING = frozenset({VisitStep.BEGIN, VisitStep.COMPLETE})
"""What a clinician does to their own appointments alone."""

STATE_WORDS: Mapping[AppointmentState, str] = {
    _S.HELD: "время удерживается",
    _S.BOOKED: "записан",
    _S.ARRIVED: "пришёл",
    _S.IN_PROGRESS: "на приёме",
    _S.COMPLETED: "приём завершён",
    _S.NO_SHOW: "не пришёл",
    _S.CANCELLED: "запись отменена",
    _S.MOVED: "запись перенесена",
}
STEP_WORDS: Mapping[VisitStep, str] = {
    VisitStep.CONFIRM: "Подтвердить запись",
    VisitStep.ARRIVE: "Пришёл",
    VisitStep.BEGIN: "Начать приём",
    VisitStep.COMPLETE: "Завершить приём",
    VisitStep.MISS: "Не пришёл",
    VisitStep.CANCEL: "Отменить запись",
    VisitStep.UNDO: "Вернуть назад",
}


def steps_from(state: AppointmentState) -> tuple[VisitStep, ...]:
    """The steps that are possible in a state."""
    return tuple(step for (at, step) in ARROWS if at is state)


def demand_arrow(
    state: AppointmentState,
    step: VisitStep,
    reason: str,
    starts_at: datetime,
    zone: str,
    now: datetime,
) -> Arrow:
    """The arrow of a step. Raises Refusal 409 where there is none or it is too early, 422."""
    arrow = ARROWS.get((state, step))
    if arrow is None:
        raise not_now(state)
    if arrow.reason:
        demand_reason(reason)
    here = ZoneInfo(zone)
    if step is VisitStep.ARRIVE and now.astimezone(here).date() < starts_at.astimezone(here).date():
        raise Refusal("too_early", "День этой записи ещё не наступил.", 409)
    if step is VisitStep.MISS and now < starts_at:
        raise Refusal("too_early", "Время этой записи ещё не наступило.", 409)
    return arrow


def demand_reason(reason: str) -> str:
    """The reason as it is kept. Raises Refusal 422."""
    said = clean(reason).strip()
    shortest, longest = REASON
    if not shortest <= len(said) <= longest:
        words = "Напишите причину: от 3 до 500 знаков."
        raise Refusal("incomplete", words, 422, [FieldError("reason", words)])
    return said


def demand_time(starts_at: datetime, length: timedelta, now: datetime) -> None:
    """Raise Refusal 422 for a time that is over, too far ahead, too short or too long."""
    if not SHORTEST <= length <= LONGEST:
        raise _wrong("minutes", "Приём длится от 5 минут до 8 часов.")
    if starts_at + length <= now:
        raise _wrong("starts_at", "Это время уже прошло.")
    if starts_at - now > FURTHEST:
        raise _wrong("starts_at", "Записать можно не дальше чем на год вперёд.")


def looks_at(
    state: AppointmentState,
    starts_at: datetime,
    ends_at: datetime,
    held_until: datetime | None,
    now: datetime,
) -> datetime | None:
    """When the clock looks at an appointment next: end of the hold, reminder, nobody came."""
    if state is AppointmentState.HELD:
        return held_until
    if state is not AppointmentState.BOOKED:
        return None
    reminder = starts_at - REMINDED_BEFORE
    return reminder if reminder > now else ends_at + MISSED_AFTER


def not_now(state: AppointmentState) -> Refusal:
    """The appointment is in another state than this step begins at."""
    words = "Сейчас это невозможно: запись уже в другом состоянии. Откройте её заново."
    return Refusal("not_now", words, 409, state=state.value)


def changed() -> Refusal:
    """Somebody else changed it after the page was opened."""
    words = "Пока вы смотрели, запись изменилась. Откройте её заново."
    return Refusal("stale", words, 409)


def hold_over() -> Refusal:
    """The hold has run out."""
    return Refusal("hold_over", "Время больше не удерживается. Выберите его заново.", 409)


_TAKEN: Mapping[tuple[str, ...], str] = {
    ("clinician",): "В это время врач уже занят. Выберите другое время.",
    ("patient",): "В это время у пациента уже есть запись. Выберите другое время.",
    ("room",): "В это время кабинет занят. Выберите другое время.",
    ("clinician", "patient"): "В это время врач занят, а у пациента уже есть запись. "
    "Выберите другое время.",
    ("clinician", "room"): "В это время заняты врач и кабинет. Выберите другое время.",
    ("patient", "room"): "В это время кабинет занят, а у пациента уже есть запись. "
    "Выберите другое время.",
    ("clinician", "patient", "room"): "В это время заняты врач и кабинет, а у пациента уже есть "
    "запись. Выберите другое время.",
}


def taken(*, clinician: bool, patient: bool, room: bool) -> Refusal:
    """Who or what has this time already. It names nobody."""
    named = {"clinician": clinician, "patient": patient, "room": room}
    names = tuple(name for name, is_taken in named.items() if is_taken)
    return Refusal("taken", _TAKEN[names], 409, taken=list(names))


def not_working() -> Refusal:
    """The clinician does not see patients then."""
    words = "В это время врач не принимает. Выберите другое время или запишите сверх расписания."
    return Refusal("not_working", words, 409)


def absent() -> Refusal:
    """The clinician is absent on that day: nothing is booked, whatever the reason."""
    return Refusal("absent", "В этот день врач отсутствует. Выберите другой день или врача.", 409)


def _wrong(field: str, words: str) -> Refusal:
    return Refusal("incomplete", words, 422, [FieldError(field, words)])
