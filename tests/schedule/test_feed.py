"""The calendar of a device, as another program reads it (W1)."""

from datetime import UTC, timedelta
from importlib import import_module
from typing import Any

import pytest
from sqlmodel import col, select

from models.tables.people import Person
from models.tables.schedule import CalendarFeed
from rules.accounts import AccountState
from rules.clock import now
from rules.refusals import Refusal
from rules.schedule.states import VisitStep
from services.schedule import feed
from services.schedule.feed import CalendarFeeds
from tests.schedule.clinic import Clinic, clinic
from tests.shared.accounts import account_with_password

__all__ = ["clinic"]


async def accounted(clinic: Clinic) -> CalendarFeeds:
    """The feeds of a clinician who has an account."""
    async with clinic.database.work() as session:
        person = await session.get_one(Person, clinic.doctor.person_id)
        account = account_with_password(person, now())
        account.state = AccountState.CONFIRMED
        session.add(account)
    return CalendarFeeds(clinic.database)


async def test_a_calendar_names_times_and_never_a_patient(clinic: Clinic) -> None:
    """Each appointment is an event of its own, in UTC; it keeps its name when it is cancelled."""
    feeds = await accounted(clinic)
    token = await feeds.make(clinic.doctor, "Телефон")
    kept, gone = await clinic.book(), await clinic.book(patient=1, slot=1)
    await clinic.book(patient=2, slot=2, hold=True)
    before = await feeds.read(token)
    assert before == await feeds.read(token)
    await clinic.step(gone, VisitStep.CANCEL, "Пациент отказался")
    after = await feeds.read(token)
    assert after.tag != before.tag
    calendar: Any = import_module("icalendar").Calendar.from_ical(after.body)
    events = {str(one["UID"]): one for one in calendar.walk("VEVENT")}
    assert set(events) == {f"{kept.id}@medcab", f"{gone.id}@medcab"}
    stays, cancelled = events[f"{kept.id}@medcab"], events[f"{gone.id}@medcab"]
    assert stays.decoded("DTSTART") == clinic.first.astimezone(UTC)
    assert stays.decoded("DTEND") - stays.decoded("DTSTART") == timedelta(minutes=30)
    assert (int(stays["SEQUENCE"]), str(stays["STATUS"])) == (1, "CONFIRMED")
    assert (int(cancelled["SEQUENCE"]), str(cancelled["STATUS"])) == (2, "CANCELLED")
    assert not any("RRULE" in one for one in events.values())
    text = after.body.decode()
    for secret in ("Пациент", *(str(one) for one in clinic.patients), "отказался"):
        assert secret not in text
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))


async def test_the_secret_is_kept_as_a_hash_and_ends_with_its_device_or_its_person(
    clinic: Clinic,
) -> None:
    """Nobody reads it out of the database; one device of several can be turned off."""
    feeds = await accounted(clinic)
    phone, tablet = [await feeds.make(clinic.doctor, name) for name in ("Телефон", "Планшет")]
    async with clinic.database.work() as session:
        rows = await feed.of_person(session, clinic.doctor.person_id)
        assert [one.read_at for one in rows] == [None, None]
        assert not {phone, tablet} & {one.token_hash for one in rows}
        first = next(one.id for one in rows if one.name == "Телефон")
    with pytest.raises(Refusal, match="not_found"):
        await feeds.revoke(clinic.registrar, first)
    for _ in range(2):
        await feeds.revoke(clinic.doctor, first)
    with pytest.raises(Refusal, match="not_found"):
        await feeds.read(phone)
    await feeds.read(tablet)
    async with clinic.database.work() as session:
        read = await session.exec(
            select(CalendarFeed.read_at).where(
                CalendarFeed.person_id == clinic.doctor.person_id,
                col(CalendarFeed.revoked_at).is_(None),
            )
        )
        assert read.one() is not None
        person = await session.get_one(Person, clinic.doctor.person_id)
        person.left_at = now() - timedelta(seconds=1)
        session.add(person)
    with pytest.raises(Refusal, match="not_found"):
        await feeds.read(tablet)
    with pytest.raises(Refusal, match="forbidden"):
        await feeds.make(clinic.registrar, "Телефон")
