"""A unit by another clock than the institution's: its terms and quiet hours, for every reader."""

from dataclasses import dataclass
from datetime import datetime, time
from uuid import UUID
from zoneinfo import ZoneInfo

import httpx
import pytest
from babel.dates import format_date

from models.tables.cases import Case
from models.tables.notices import NoticePreferences
from rules.access import Actor, Role
from rules.cases.terms import last_day
from tests.archive.many import own_department
from tests.shared.desk import Desk

ZONE = "Europe/Kaliningrad"
CITY = "Калининград"


@dataclass
class Far:
    """A case of somebody in Kaliningrad, on a desk in Moscow."""

    desk: Desk
    person: Actor
    case: Case
    day: str

    @property
    def id(self) -> UUID:
        """Of the case."""
        return self.case.id


@pytest.fixture(scope="module")
async def far(desk: Desk) -> Far:
    """Submitted and in review."""
    unit = await own_department(desk.office, time_zone=ZONE)
    person = await desk.office.person("Балтийская Анна Юрьевна", Role.DOCTOR, unit.id)
    case = await desk.office.case(await desk.office.in_review(person))
    assert case.due_at is not None
    day = format_date(last_day(case.due_at, ZONE), "d MMMM", locale="ru")
    return Far(desk, person, case, day)


async def text(browser: httpx.AsyncClient, path: str) -> str:
    """A page."""
    answer = await browser.get(path)
    assert answer.status_code == 200, answer.text
    return answer.text


async def test_the_desk_tells_the_same_day_as_the_unit_and_names_its_zone(far: Far) -> None:
    """The queue and the page of the case: one term, that of the unit (A11)."""
    reviewer = await far.desk.browser(far.desk.office.reviewer)
    assert f"до {far.day} ({CITY})," in await text(reviewer, "/desk")
    page = await text(reviewer, f"/desk/cases/{far.id}")
    assert f"конца дня {far.day} ({CITY})" in page
    assert "01:00" not in page


async def test_the_applicant_reads_the_term_by_the_clock_on_the_wall(far: Far) -> None:
    """In one's own zone nothing needs to be named; times of what happened are local too."""
    browser = await far.desk.browser(far.person)
    page = await text(browser, f"/applications/{far.id}")
    assert f"конца дня {far.day}" in page
    assert CITY not in page
    since = far.case.since.astimezone(ZoneInfo(ZONE))
    assert f"{since:%H:%M}" in page
    assert CITY not in await text(browser, "/applications")


async def test_programs_are_told_the_zone_of_the_term(far: Far) -> None:
    """The case, its state and the lists; the moment is the same in all of them."""
    program = await far.desk.program(far.person)
    for path in (f"/applications/{far.id}", f"/applications/{far.id}/state"):
        told = (await program.get(path)).json()
        due = datetime.fromisoformat(told.get("due_at") or told["until"])
        assert (due, told["term_zone"]) == (far.case.due_at, ZONE)
    [line] = (await program.get("/applications")).json()["items"]
    assert line["term_zone"] == ZONE


async def test_quiet_hours_are_those_of_the_unit(far: Far) -> None:
    """What is chosen on the page or by a program that names no zone holds by the local clock."""
    program, browser = await far.desk.program(far.person), await far.desk.browser(far.person)
    shown = (await program.get("/notices/settings")).json()
    assert shown["wishes"]["zone"] == ZONE
    sent = {"quiet": "true", "quiet_from": "22:00", "quiet_to": "07:00", "digest_hour": ""}
    assert (await browser.post("/notices/wishes", data=sent)).status_code == 303
    async with far.desk.container.database.work() as session:
        kept = await session.get_one(NoticePreferences, far.person.person_id)
        assert (kept.zone, kept.quiet_from) == (ZONE, time(22))
    assert (await program.put("/notices/wishes", json={})).status_code == 204
    shown = (await program.get("/notices/settings")).json()
    assert shown["wishes"]["zone"] == ZONE
