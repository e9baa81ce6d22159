"""Emergencies: a record was opened at once, and information security judges it afterwards."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from rules.cases.terms import MORNING, WorkingCalendar, deadline
from rules.refusals import Refusal

TERM_DAYS = 2
"""Working days within which an emergency is judged."""


class EmergencyState(StrEnum):
    """How far the judgement is. Values are stored for ever."""

    WAITS = "waits"
    JUSTIFIED = "justified"
    UNJUSTIFIED = "unjustified"


EMERGENCY_WORDS: Mapping[EmergencyState, str] = {
    EmergencyState.WAITS: "ждёт оценки отдела ИБ",
    EmergencyState.JUSTIFIED: "признан обоснованным",
    EmergencyState.UNJUSTIFIED: "признан необоснованным",
}
"""The states in words (msgids)."""


def due(at: datetime, zone: str, calendar: WorkingCalendar) -> datetime:
    """Until when an emergency of this moment is judged: the end of the second working day."""
    return deadline(at, TERM_DAYS, zone, calendar)


def next_look(now: datetime, due_at: datetime, zone: str, calendar: WorkingCalendar) -> datetime:
    """When whoever judges is reminded next: every working morning, and when the term is over."""
    place = ZoneInfo(zone)
    day = calendar.add(now.astimezone(place).date(), 1)
    morning = datetime.combine(day, MORNING, place).astimezone(now.tzinfo)
    return min(morning, due_at) if now < due_at else morning


def judged_already() -> Refusal:
    """Somebody else has judged meanwhile."""
    words = "Этот доступ уже оценили. Откройте список заново."
    return Refusal("changed_meanwhile", words, 409)


def own_emergency() -> Refusal:
    """Whoever opened a record never judges it."""
    words = "Этот доступ открыли вы. Оценивает его другой сотрудник."
    return Refusal("oneself", words, 409)


def suspended() -> Refusal:
    """An earlier emergency was found unjustified, and it is not decided yet what follows."""
    words = (
        "Экстренное открытие карт для вас приостановлено: прежний доступ признан необоснованным, "
        "и решение о ваших правах ещё не принято. Откройте карту на основании из списка или "
        "позовите коллегу."
    )
    return Refusal("emergency_suspended", words, 409)
