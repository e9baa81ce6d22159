"""Absences, with invented patients."""

from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

from cabinet.absences import pages
from cabinet.absences.views import (
    AbsencePlanLine,
    AbsenceView,
    DisplacedLine,
    DisplacedPage,
    TimeButton,
)
from cabinet.frame.states import StatusTag
from cabinet.frame.views import FieldView, Option
from rules.absences import STATE_WORDS, AbsenceState, DisplacedOutcome
from tests.cabinet.samples.cases import frame
from tests.cabinet.samples.sample import Sample

_ID = UUID(int=1)
_LONG = "Константинопольская-Преображенская Александра Вячеславовна"


def _line(number: int, **more: Any) -> DisplacedLine:
    line = DisplacedLine(
        id=UUID(int=number),
        version=1,
        act_id=_ID,
        url="#",
        when=f"01.12.2026, {9 + number:02}:30",
        patient=_LONG if number % 2 else "Ким Ян",
        phone="",
        to="Соколова Анна Игоревна",
        to_when=f"02.12.2026, {9 + number:02}:00",
        outcome=None,
        telling="",
        calls=False,
        decided=False,
        settled_by="",
        appointment_url="#",
        moved_url="",
    )
    return replace(line, **more)


def _tag(outcome: DisplacedOutcome) -> StatusTag:
    tone, icon = pages.BECAME[outcome]
    return StatusTag("перенесена" if outcome is DisplacedOutcome.MOVED else "отменена", tone, icon)


def _absence(state: AbsenceState, waits: int) -> AbsencePlanLine:
    tone, icon = pages.LOOKS[state]
    return AbsencePlanLine(
        url="#",
        person=_LONG,
        position="врач-кардиолог",
        unit="Кардиологическое отделение",
        days="01.12.2026 — 07.12.2026",
        reason="болезнь",
        state=StatusTag(STATE_WORDS[state], tone, icon),
        waits=waits,
        earliest="01.12.2026, 10:30" if waits else "",
    )


def _day(name: str, label: str, value: str) -> FieldView:
    return FieldView(name, label, "date", value=value, hint="Как дд.мм.гггг")


def absence_pages() -> list[Sample]:
    """The list, an absence as a work list, entering one, another time for one appointment."""
    here = frame("schedule")
    lines = [_absence(AbsenceState.OPEN, 12), _absence(AbsenceState.SETTLED, 0)]
    moved = {"outcome": _tag(DisplacedOutcome.MOVED), "decided": True, "moved_url": "#"}
    days = [_day("first_day", "Первый день", "01.12.2026"), _day("last_day", "Последний день", "")]
    reasons = [Option("illness", "болезнь"), Option("leave", "отпуск")]
    reason = FieldView("reason", "Причина", "choice", value="illness", options=reasons)
    who = [Option(str(_ID), _LONG, group="врач-кардиолог")]
    why = "В это время занят врач. Выберите другое."
    undecided = [_line(1), _line(2, refused=why), _line(3, to_when="", to="")]
    view = AbsenceView(
        line=lines[0],
        id=_ID,
        version=2,
        zone="Europe/Moscow",
        changeable=True,
        undecided=undecided,
        accept_id=_ID,
        proposed=undecided[:2],
        to_tell=[
            _line(4, **moved, telling="СМС отправляется"),
            _line(
                5,
                outcome=_tag(DisplacedOutcome.CANCELLED),
                decided=True,
                telling="нужно позвонить",
                calls=True,
                phone="+79000000001",
            ),
        ],
        done=[_line(6, **moved, telling="пациенту сообщили", settled_by="Лаптева Ирина")],
        days=[*days, reason],
    )
    times = [
        TimeButton(_ID, "", f"{hour}:00", _LONG if hour == 9 else "Ким Ян") for hour in (9, 10)
    ]
    one = DisplacedPage(
        line=_line(1),
        back="#",
        days=[(date(2026, 12, 2), times), (date(2026, 12, 3), times)],
        reason=FieldView("reason", "Почему отменяется", error="Напишите причину."),
        cancel_id=_ID,
    )
    wrong: dict[str, Any] = {"errors": []}
    return [
        Sample("absences", "absences/list.html", here, {"lines": lines}),
        Sample("absences-none", "absences/list.html", here, {"lines": []}),
        Sample(
            "absence-new",
            "absences/new.html",
            here,
            {
                "fields_shown": [
                    FieldView("person", "Кто отсутствует", "choice", options=who),
                    *days,
                    reason,
                ],
                "act_id": _ID,
                **wrong,
            },
        ),
        Sample("absence", "absences/absence.html", here, {"view": view, **wrong}),
        Sample("absence-appointment", "absences/appointment.html", here, {"view": one, **wrong}),
    ]
