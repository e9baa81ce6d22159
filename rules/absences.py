"""What becomes of appointments whose clinician is absent: proposals, terms, words. Pure functions.

A proposal is the time that is nearest to what the patient had: a colleague of the same post on the
same day; the same clinician where they are back within a week; else the first time that is free
with anybody of these.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

from rules.refusals import FieldError, Refusal
from rules.schedule.hours import FreeSlot, Span


class AbsenceReason(StrEnum):
    """Why somebody is absent. Values are stored: never rename."""

    ILLNESS = "illness"
    LEAVE = "leave"
    OTHER = "other"


class AbsenceState(StrEnum):
    """Where the work on an absence stands. Values are stored: never rename."""

    OPEN = "open"
    """Appointments wait for a decision, or patients to be told."""
    SETTLED = "settled"
    """Each has its outcome, and who had to be told was told. More may come."""
    WITHDRAWN = "withdrawn"


class DisplacedOutcome(StrEnum):
    """What became of a displaced appointment. Values are stored: never rename."""

    MOVED = "moved"
    CANCELLED = "cancelled"
    ELSEWHERE = "elsewhere"
    """Somebody has moved or cancelled it by itself, or the patient has come."""
    STAYS = "stays"
    """The absence was withdrawn or shortened, and nothing changes for the patient."""


class PatientTelling(StrEnum):
    """How far the patient is told. Values are stored: never rename."""

    SMS = "sms"
    """A message is on its way."""
    CALL = "call"
    """Somebody has to call: there is no number for messages, or the message did not arrive."""
    TOLD = "told"
    NOT_NEEDED = "not_needed"


REASON_WORDS: Mapping[AbsenceReason, str] = {
    AbsenceReason.ILLNESS: "болезнь",
    AbsenceReason.LEAVE: "отпуск",
    AbsenceReason.OTHER: "другая причина",
}
STATE_WORDS: Mapping[AbsenceState, str] = {
    AbsenceState.OPEN: "есть записи без врача",
    AbsenceState.SETTLED: "все записи устроены",
    AbsenceState.WITHDRAWN: "отсутствие отменено",
}
OUTCOME_WORDS: Mapping[DisplacedOutcome, str] = {
    DisplacedOutcome.MOVED: "перенесена",
    DisplacedOutcome.CANCELLED: "отменена",
    DisplacedOutcome.ELSEWHERE: "изменена в расписании",
    DisplacedOutcome.STAYS: "остаётся как была",
}
TELLING_WORDS: Mapping[PatientTelling, str] = {
    PatientTelling.SMS: "СМС отправляется",
    PatientTelling.CALL: "нужно позвонить",
    PatientTelling.TOLD: "пациенту сообщили",
    PatientTelling.NOT_NEEDED: "",
}

FOR_GOOD = date.max
"""The last day of an absence of somebody who has left, and does not come back."""
LONGEST = 366
"""Days that one absence lasts at most."""
WAITS_FOR_OWN = timedelta(days=7)
"""So many days a patient waits for the same clinician before a colleague is proposed."""
AHEAD = 31
"""Days that are searched for free time, from the day of the appointment on."""
ACCEPTED_AT_ONCE = 100
"""So many proposals are accepted together."""
URGENT = timedelta(days=1)
"""So long before a displaced appointment the head hears that nobody has decided."""


def demand_days(first: date, last: date, today: date | None = None) -> None:
    """Raise Refusal 422 for days that are no absence, or all over by `today`."""
    if last < first:
        raise _wrong("last_day", "Последний день не может быть раньше первого.")
    if (last - first).days >= LONGEST:
        raise _wrong("last_day", "Отсутствие не бывает дольше года.")
    if today is not None and last < today:
        raise _wrong("last_day", "Эти дни уже прошли.")


def reminds_at(now: datetime, earliest: datetime) -> datetime:
    """When people are reminded next of appointments of which the first is at `earliest`.

    Once a day, in the last three days every four hours, in the last day every hour.
    """
    if is_urgent(now, earliest):
        return now + timedelta(hours=1)
    soon = earliest - now <= timedelta(days=3)
    pause = timedelta(hours=4) if soon else timedelta(days=1)
    return min(now + pause, earliest - URGENT)


def is_urgent(now: datetime, earliest: datetime) -> bool:
    """Whether the head hears of it too."""
    return earliest - now <= URGENT


@dataclass(frozen=True)
class Displaced:
    """An appointment that needs another time."""

    id: UUID
    clinician_id: UUID
    patient_id: UUID
    starts_at: datetime
    ends_at: datetime


class FreeBoard:
    """Free times of a unit, out of which each is proposed once.

    `busy` says when patients have other appointments.
    """

    def __init__(
        self, slots: Iterable[FreeSlot], busy: Mapping[UUID, Sequence[Span]], zone: str
    ) -> None:
        self._zone = ZoneInfo(zone)
        self._busy = busy
        self._days: dict[date, list[FreeSlot]] = {}
        for slot in slots:
            self._days.setdefault(self._day(slot.starts_at), []).append(slot)
        self._order = sorted(self._days)

    def _day(self, at: datetime) -> date:
        return at.astimezone(self._zone).date()

    def take(self, one: Displaced, clinician_id: UUID, starts_at: datetime) -> bool:
        """Keep a time for an appointment, if it is free and fits."""
        for slot in self._days.get(self._day(starts_at), ()):
            if (slot.clinician_id, slot.starts_at) == (clinician_id, starts_at):
                return self._fits(one, slot) and self._remove(slot)
        return False

    def propose(self, one: Displaced) -> FreeSlot | None:
        """The best time for an appointment; nobody else is proposed it."""
        day = self._day(one.starts_at)
        found = (
            self._same_day(one, day)
            or self._first(one, day, day + WAITS_FOR_OWN, own=True)
            or self._first(one, day, date.max, own=False)
        )
        if found is not None:
            self._remove(found)
        return found

    def others(self, one: Displaced, most: int) -> list[FreeSlot]:
        """Times that would do, in order of time: for people to choose from."""
        return [
            slot
            for day in self._order
            for slot in sorted(self._days[day], key=lambda each: each.starts_at)
            if self._fits(one, slot)
        ][:most]

    def _same_day(self, one: Displaced, day: date) -> FreeSlot | None:
        fitting = [slot for slot in self._days.get(day, ()) if self._fits(one, slot)]
        return min(fitting, key=lambda slot: abs(slot.starts_at - one.starts_at), default=None)

    def _first(self, one: Displaced, after: date, until: date, *, own: bool) -> FreeSlot | None:
        for day in self._order[bisect_left(self._order, after) :]:
            if day > until:
                return None
            for slot in self._days[day]:
                if own and slot.clinician_id != one.clinician_id:
                    continue
                if self._fits(one, slot):
                    return slot
        return None

    def _fits(self, one: Displaced, slot: FreeSlot) -> bool:
        """Long enough, and the patient has nothing else then."""
        if slot.ends_at - slot.starts_at < one.ends_at - one.starts_at:
            return False
        return not any(
            begins < slot.ends_at and slot.starts_at < ends
            for begins, ends in self._busy.get(one.patient_id, ())
        )

    def _remove(self, slot: FreeSlot) -> bool:
        self._days[self._day(slot.starts_at)].remove(slot)
        return True


def settled_already() -> Refusal:
    """Somebody has decided, or something else became of the appointment."""
    return Refusal("settled", "По этой записи уже решено. Откройте список заново.", 409)


def nothing_proposed() -> Refusal:
    """There is no proposal to be accepted."""
    return Refusal("nothing_proposed", "Свободного времени нет: выберите его сами.", 409)


def changed_elsewhere() -> Refusal:
    """The days were entered by another part of the house, which alone changes them."""
    words = "Это отсутствие внесено кадровым учётом или отделом: измените его там."
    return Refusal("entered_elsewhere", words, 409)


def _wrong(field: str, words: str) -> Refusal:
    return Refusal("incomplete", words, 422, [FieldError(field, words)])
