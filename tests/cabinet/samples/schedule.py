"""The schedule, with invented patients."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from cabinet.frame.views import ErrorItem, FieldView, Option
from cabinet.schedule.lines import state_tag
from cabinet.schedule.views import (
    AppointmentPage,
    BookingPage,
    DayColumn,
    DayNav,
    DayPage,
    FoundPatient,
    FreeButton,
    GridPage,
    HoursLine,
    Line,
    PlanPage,
    StepButton,
    VisitJournalPage,
    WaitingLine,
)
from models.tables.schedule import CalendarFeed
from rules.schedule.states import AppointmentState
from tests.cabinet.samples.cases import frame
from tests.cabinet.samples.sample import Sample

_ID = UUID(int=1)
_DAY = date(2026, 12, 1)
_NAMES = (
    "Константинопольская-Преображенская Александра Вячеславовна",
    "Ким Ян",
    "Соловьёв Пётр Андреевич",
)
_ZONE = "Europe/Moscow"


def _nav(base: str, step: int = 1) -> DayNav:
    return DayNav(_DAY, _DAY - timedelta(days=step), _DAY + timedelta(days=step), _DAY, base)


def _step(step: str, words: str, *, main: bool = True) -> StepButton:
    return StepButton(step, words, _ID, main)


def _line(number: int, state: AppointmentState, *steps: StepButton, **more: Any) -> Line:
    starts = datetime(2026, 12, 1, 9, tzinfo=UTC) + number * timedelta(minutes=30)
    return Line(
        starts=f"{starts:%H:%M}",
        ends=f"{starts + timedelta(minutes=30):%H:%M}",
        id=UUID(int=number + 1),
        version=1,
        patient=_NAMES[number % 3],
        patient_url="#",
        clinician="Соколова Анна Игоревна",
        room="204",
        state=state_tag(state),
        steps=steps,
        **more,
    )


def _lines() -> list[Line]:
    state = AppointmentState
    return [
        _line(0, state.COMPLETED),
        _line(1, state.IN_PROGRESS, _step("complete", "Завершить приём")),
        _line(2, state.ARRIVED, _step("begin", "Начать приём"), overbooked=True),
        _line(3, state.BOOKED, _step("arrive", "Пришёл")),
        Line(starts="11:00", ends="11:30", book_url="#"),
        _line(5, state.NO_SHOW),
        _line(6, state.HELD, _step("confirm", "Записать")),
        _line(7, state.BOOKED, trouble="врач в это время не принимает"),
    ]


def _day(**more: Any) -> DayPage:
    return DayPage(
        **{
            "title": "Мой день",
            "position": "врач-кардиолог",
            "own": True,
            "nav": _nav("/schedule"),
            "lines": _lines(),
            "here": "/schedule?day=2026-12-01",
            "clinician_id": _ID,
            "zone": _ZONE,
            "booked": 7,
            "free": 1,
            **more,
        }
    )


def _booking(**more: Any) -> BookingPage:
    options = [
        Option("врач-кардиолог", "Любой: врач-кардиолог", group="врач-кардиолог"),
        Option(str(_ID), "Соколова Анна Игоревна", group="врач-кардиолог"),
    ]
    who = FieldView("clinician", "К кому", "choice", value=str(_ID), options=options)
    return BookingPage(
        **{
            "patient": _NAMES[0],
            "patient_id": _ID,
            "search": [
                FieldView("text", "Пациент", hint="СНИЛС, полис или имя целиком"),
                FieldView("born", "Дата рождения", "date", required=False),
            ],
            "found": None,
            "more": False,
            "filters": [who],
            "days": [
                (
                    _DAY + timedelta(days=n),
                    [
                        FreeButton(_ID, "#", f"{9 + m // 2:02}:{m % 2 * 30:02}", "Соколова А. И.")
                        for m in range(9)
                    ],
                )
                for n in range(2)
            ],
            "beside": [
                replace(who, name="whom"),
                FieldView("on_day", "День", "date", value="01.12.2026"),
                FieldView("at", "Время", hint="Например, 09:30", width="width-5"),
                FieldView("minutes", "Сколько минут", "number", value="15"),
                FieldView("beside", "Почему сверх расписания", max_length=500),
            ],
            "act_id": _ID,
            "moving": None,
            "move_day": None,
            "url": "/schedule/book",
            "nav": _nav("/schedule/book", 7),
            "waits": [(_ID, "Отделение кардиологии")],
            **more,
        }
    )


def _appointment(state: AppointmentState, **more: Any) -> dict[str, Any]:
    page = AppointmentPage(
        **{
            "line": _line(3, state),
            "day": _DAY,
            "position": "врач-кардиолог",
            "zone": _ZONE,
            "reason": "",
            "held": state is AppointmentState.HELD,
            "steps": [_step("arrive", "Пришёл"), _step("miss", "Не пришёл", main=False)],
            "reasoned": [_step("cancel", "Отменить запись", main=False)],
            "reason_field": FieldView("reason", "Причина", max_length=500),
            "move_url": "#",
            "moved_url": "",
            "back": "",
            **more,
        }
    )
    return {"page": page, "tag": state_tag(state), "errors": []}


def _plan() -> PlanPage:
    who = [Option(str(_ID), "Соколова Анна Игоревна, врач-кардиолог")]
    rooms = [Option("", "без кабинета"), Option(str(_ID), "204")]
    off = [Option("no", "Не принимает")]
    line = HoursLine(_ID, "Соколова Анна Игоревна", "понедельник, 09:00–15:00", "204", "01.01.2026")
    return PlanPage(
        unit="Отделение кардиологии",
        unit_id=_ID,
        zone=_ZONE,
        weekly=[line, replace(line, when="вторник, 12:00–24:00", room="")],
        exceptions=[replace(line, when="31.12.2026, 00:00–24:00", valid="не принимает")],
        rooms=[(_ID, "204")],
        hours=[
            FieldView("clinician", "Врач или сестра", "choice", options=who),
            FieldView("room", "Кабинет", "choice", options=rooms, required=False),
            FieldView(
                "starts", "С", hint="Например, 09:00", width="width-5", error="Укажите время"
            ),
            FieldView("ends", "До", hint="До 24:00", width="width-5"),
            FieldView("step", "Минут на приём", "number", value="15"),
            FieldView("valid_from", "С какого дня", "date", value="01.12.2026"),
            FieldView("valid_until", "По какой день", "date", required=False),
        ],
        weekdays=[(n, word, n < 5) for n, word in enumerate(("понедельник", "вторник", "среда"))],
        weekdays_error="Выберите дни недели.",
        exception=[
            FieldView("x_clinician", "Врач или сестра", "choice", options=who),
            FieldView("x_day", "День", "date"),
            FieldView("x_works", "Что в этот день", "choice", options=off),
            FieldView("x_starts", "С", required=False, width="width-5"),
            FieldView("x_ends", "До", required=False, width="width-5"),
        ],
        room=FieldView("name", "Кабинет", hint="Например, «204»"),
        today=_DAY,
    )


def schedule_pages() -> list[Sample]:
    """A day, a week, a unit; booking; planning."""
    here = frame("/schedule")
    lines = _lines()
    columns = [
        DayColumn(f"{n + 1} декабря 2026", "#", lines[: 2 + n % 4], today=n == 0, day=_DAY)
        for n in range(6)
    ] + [DayColumn("7 декабря 2026", "#", [], day=_DAY)]
    week = GridPage(
        "Соколова Анна Игоревна",
        _nav("/schedule/clinicians/1/week", 7),
        columns,
        "/schedule",
        clinician_id=_ID,
        books=True,
    )
    unit = GridPage(
        "Отделение кардиологии",
        _nav("/schedule/units/1"),
        [DayColumn("Соколова Анна Игоревна", "#", lines), DayColumn("Ким Ян", "#", lines[:3])],
        "/schedule/units/1",
        to_settle=[replace(lines[7], starts="07.12.2026, 12:30", steps=())],
        units=[("#", "Отделение кардиологии", True), ("#", "Хирургическое отделение", False)],
        unit_id=_ID,
        plans=True,
        books=True,
    )
    chips = [("#", "Все", True), ("#", "пришёл", False), ("#", "не пришёл", False)]
    journal = VisitJournalPage("Отделение кардиологии", _nav("/v"), lines[:4], chips, _ID)
    feed = CalendarFeed(
        id=_ID,
        person_id=_ID,
        name="Телефон",
        token_hash="",
        made_at=datetime(2026, 11, 1, 9, tzinfo=UTC),
    )
    field = FieldView("name", "Устройство", hint="Например, «Телефон»", max_length=60)
    address = "https://medcab.example.org/calendars/q1w2e3r4t5y6u7i8o9p0.ics"
    waits = [WaitingLine(_ID, _NAMES[0], "#", "", "после 17:00", _DAY)]
    found = [FoundPatient("#", name, "14.03.1961") for name in _NAMES]
    search = _booking(patient="", patient_id=None, found=found, more=True)
    wrong = "В это время врач уже занят. Выберите другое время."
    booked = {"chosen": "", "open_beside": False, "errors": []}
    held = _appointment(
        AppointmentState.HELD, steps=[_step("confirm", "Записать")], reasoned=[], move_url=""
    )
    return [
        Sample("schedule-day", "schedule/day.html", here, {"page": _day()}),
        Sample("schedule-day-none", "schedule/day.html", here, {"page": _day(lines=[], booked=0)}),
        Sample("schedule-sheet", "schedule/sheet.html", here, {"page": _day(lines=lines[:4])}),
        Sample("schedule-week", "schedule/week.html", here, {"grid": week}),
        Sample("schedule-unit", "schedule/unit.html", here, {"grid": unit}),
        Sample(
            "schedule-unit-none",
            "schedule/unit.html",
            here,
            {"grid": replace(unit, columns=[], to_settle=[])},
        ),
        Sample("schedule-journal", "schedule/journal.html", here, {"journal": journal}),
        Sample("schedule-book-patient", "schedule/book.html", here, {"booking": search, **booked}),
        Sample(
            "schedule-book-time",
            "schedule/book.html",
            here,
            {
                "booking": _booking(),
                **booked,
                "open_beside": True,
                "errors": [ErrorItem(wrong)],
            },
        ),
        Sample(
            "schedule-move",
            "schedule/book.html",
            here,
            {
                "booking": _booking(moving=lines[3], move_day=_DAY, days=[]),
                **booked,
            },
        ),
        Sample("schedule-held", "schedule/appointment.html", here, held),
        Sample(
            "schedule-appointment",
            "schedule/appointment.html",
            here,
            _appointment(AppointmentState.BOOKED, reason="Острая боль", moved_url="#"),
        ),
        Sample("schedule-plan", "schedule/plan.html", here, {"plan": _plan()}),
        Sample("schedule-waiting", "schedule/waiting.html", here, {"lines": waits}),
        Sample("schedule-waiting-none", "schedule/waiting.html", here, {"lines": []}),
        Sample(
            "schedule-calendars",
            "schedule/calendars.html",
            here,
            {"devices": [feed], "address": address, "field": field, "errors": []},
        ),
    ]
