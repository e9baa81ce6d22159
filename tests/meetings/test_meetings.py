"""Meetings over the database: booked once, moved, missed, ended, by the right people only."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import datetime, time, timedelta
from uuid import UUID

import pytest
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.journal import JournalEntry
from models.tables.meetings import Meeting, MeetingSlot
from models.tables.notices import Notice
from models.tables.people import Person
from rules.access import Actor, Role
from rules.clock import now
from rules.meetings import CHECKLIST, LENGTH, OUTCOME_WITHIN, MeetingState, Purpose
from rules.refusals import Refusal
from services import access
from services.meetings import acts as meeting_acts
from services.meetings import purposes, sweep, times
from services.meetings import seen as meetings
from services.meetings.acts import Booked
from services.meetings.purposes import MeetingPurpose
from services.staff import departures
from tests.staff.hospital import Staff, staff

__all__ = ["staff"]
FOR = Purpose.UNLOCK


@pytest.fixture(autouse=True)
def purpose() -> Iterator[list[MeetingState]]:
    """A purpose of which everybody may make use; the outcomes that it was told."""
    before = dict(purposes._PURPOSES)
    ended: list[MeetingState] = []

    async def demand(_session: object, _person: UUID) -> None:
        return None

    async def told(_session: object, meeting: Meeting, _now: datetime) -> list[object]:
        ended.append(MeetingState(meeting.state))
        return []

    async def case(_session: object, _person: UUID) -> None:
        return None

    purposes.register(FOR, MeetingPurpose(demand, told, case))  # type: ignore[arg-type]
    yield ended
    purposes._PURPOSES.clear()
    purposes._PURPOSES.update(before)


async def opened(staff: Staff, operator: Actor, days: int = 3, count: int = 2) -> list[UUID]:
    """Times of an operator, from nine o'clock on some days ahead."""
    async with staff.database.work() as session:
        day = (await access.day_in(session, operator.unit_id, now())) + timedelta(days=days)
        last = time(9 + count // 2, 30 * (count % 2))
        await times.open_times(session, operator, day, time(9), last, now())
        found = await session.exec(
            select(MeetingSlot.id)
            .where(MeetingSlot.operator_id == operator.person_id)
            .order_by(col(MeetingSlot.starts_at))
        )
        return list(found.all())[-count:]


async def begun(staff: Staff, meeting: UUID, ago: timedelta = timedelta(minutes=5)) -> None:
    """Let the meeting have begun a while ago."""
    at = now() - ago
    async with staff.database.work() as session:
        one = await session.get_one(Meeting, meeting)
        slot = await session.get_one(MeetingSlot, one.slot_id)
        slot.starts_at = at
        one.reminded, one.looks_at = 2, at + LENGTH + OUTCOME_WITHIN
        session.add_all([one, slot])


async def state(staff: Staff, meeting: UUID) -> str:
    """Where the meeting stands."""
    async with staff.database.work() as session:
        return (await session.get_one(Meeting, meeting)).state


async def told(staff: Staff, who: Actor) -> list[str]:
    """The notices of somebody's cabinet, oldest first."""
    async with staff.database.work() as session:
        found = await session.exec(
            select(Notice.kind)
            .where(Notice.person_id == who.person_id, Notice.channel == "cabinet")
            .order_by(col(Notice.id))
        )
        return list(found.all())


async def codes(*acts: object) -> list[str]:
    """What each of several acts at once came to: `done`, or the code of its refusal."""
    found = await asyncio.gather(*acts, return_exceptions=True)  # type: ignore[call-overload]
    return sorted(one.code if isinstance(one, Refusal) else "done" for one in found)


async def test_a_meeting_is_booked_moved_and_held(
    staff: Staff, purpose: list[MeetingState]
) -> None:
    """Nobody is booked twice, under whatever race; the outcome says what was compared."""
    operator = await staff.person("Орлова Вера", Role.OPERATOR, staff.office.institution)
    anna, boris = await staff.person("Соколова Анна"), await staff.person("Белов Борис")
    first, second = await opened(staff, operator)
    acts = staff.container.meetings
    assert await codes(
        acts.book(anna.person_id, FOR, first),
        acts.book(boris.person_id, FOR, first),
        acts.book(anna.person_id, FOR, first),
    ) in (["done", "done", "slot_taken"], ["done", "slot_taken", "slot_taken"])
    async with staff.database.work() as session:
        taken = (await session.exec(select(Meeting))).one()
    who, other = (anna, boris) if taken.person_id == anna.person_id else (boris, anna)
    assert await acts.book(who.person_id, FOR, first) == taken.id
    with pytest.raises(Refusal, match="already_booked"):
        await acts.book(who.person_id, FOR, second)
    with pytest.raises(Refusal, match="not_found"):
        await acts.move(other.person_id, taken.id, second)
    await acts.move(who.person_id, taken.id, second)
    async with staff.database.work() as session:
        moved = await session.get_one(Meeting, taken.id)
        assert (moved.slot_id, moved.changes) == (second, 1)
        assert moved.room != taken.room
        free = await times.offered(session, other.person_id, now())
        assert [one.slot_id for one in free] == [first]
        # Operators are offered to others, not to themselves.
        assert await times.offered(session, operator.person_id, now()) == []
    await acts.book(other.person_id, FOR, first)
    with pytest.raises(Refusal, match="too_early"):
        await acts.record(operator, taken.id, "missed", [], "")
    await begun(staff, taken.id)
    everything = list(CHECKLIST)
    for actor in (staff.admin, who):
        with pytest.raises(Refusal, match="forbidden"):
            await acts.record(actor, taken.id, "confirmed", everything, "")
    assert (
        await codes(
            *[acts.record(operator, taken.id, "confirmed", everything, "") for _ in range(4)],
        )
        == ["done"] * 4
    )
    with pytest.raises(Refusal, match="meeting_over"):
        await acts.record(operator, taken.id, "missed", [], "")
    assert purpose == [MeetingState.CONFIRMED]
    assert await told(staff, who) == ["meeting_booked"] * 2 + ["meeting_confirmed"]
    async with staff.database.work() as session:
        found = await session.exec(
            select(JournalEntry.kind, JournalEntry.by_person)
            .where(JournalEntry.chain == who.person_id)
            .order_by(col(JournalEntry.position))
        )
        assert found.all() == [
            ("meeting.booked", who.person_id),
            ("meeting.moved", who.person_id),
            ("meeting.ended", operator.person_id),
        ]


async def test_an_operator_never_meets_themselves(staff: Staff) -> None:
    """Neither by a time of their own nor by recording the outcome of their own meeting."""
    one = await staff.person("Орлова Вера", Role.OPERATOR, staff.office.institution)
    other = await staff.person("Котова Нина", Role.OPERATOR, staff.office.institution)
    (own, *_), (slot, *_) = await opened(staff, one), await opened(staff, other)
    acts = staff.container.meetings
    with pytest.raises(Refusal, match="slot_taken"):
        await acts.book(one.person_id, FOR, own)
    meeting = await acts.book(one.person_id, FOR, slot)
    await begun(staff, meeting)
    with pytest.raises(Refusal, match="oneself"):
        await acts.record(one, meeting, "confirmed", list(CHECKLIST), "")
    # An operator of another unit does not see it at all.
    far = await staff.person("Чужая Ольга", Role.OPERATOR, staff.office.hr)
    anna = await staff.person("Соколова Анна")
    async with staff.database.work() as session:
        with pytest.raises(Refusal, match="not_found"):
            await meetings.to_hold(session, far, meeting)
        await opened(staff, far, days=5)
        operators = {one.operator_id for one in await times.offered(session, anna.person_id, now())}
    assert far.person_id not in operators


async def test_whoever_misses_three_meetings_waits(staff: Staff) -> None:
    """And can book again when thirty days have passed since the first; one may miss once."""
    operator = await staff.person("Орлова Вера", Role.OPERATOR, staff.office.institution)
    anna = await staff.person("Соколова Анна")
    acts, slots = staff.container.meetings, await opened(staff, operator, count=5)
    held: list[UUID] = []
    for slot in slots[:3]:
        meeting = await acts.book(anna.person_id, FOR, slot)
        await begun(staff, meeting, timedelta(minutes=5 + len(held)))
        await acts.record(operator, meeting, "missed", [], "")
        held.append(meeting)
    with pytest.raises(Refusal, match="missed_too_often") as refused:
        await acts.book(anna.person_id, FOR, slots[3])
    assert 0 < refused.value.facts["retry_after"] <= timedelta(days=30).total_seconds()
    async with staff.database.work() as session:
        await session.exec(
            update(Meeting)
            .where(col(Meeting.id) == held[0])
            .values(ended_at=now() - timedelta(days=31))
        )
    await acts.book(anna.person_id, FOR, slots[3])


async def test_the_clock_reminds_and_ends(staff: Staff, purpose: list[MeetingState]) -> None:
    """A day and half an hour before both are told; without an outcome the person books again."""
    operator = await staff.person("Орлова Вера", Role.OPERATOR, staff.office.institution)
    anna = await staff.person("Соколова Анна")
    slot, spare = await opened(staff, operator)
    acts = staff.container.meetings
    meeting = await acts.book(anna.person_id, FOR, slot)

    async def passes(left: timedelta) -> None:
        async with staff.database.work() as session:
            one = await session.get_one(Meeting, meeting)
            time_of = await session.get_one(MeetingSlot, one.slot_id)
            time_of.starts_at = now() + left
            one.looks_at = now() - timedelta(seconds=1)
            session.add_all([one, time_of])
        await sweep.sweep(staff.database)
        await sweep.sweep(staff.database)

    for left in (timedelta(hours=23), timedelta(minutes=29)):
        await passes(left)
    assert (await told(staff, anna)).count("meeting_soon") == 2
    await passes(-LENGTH - OUTCOME_WITHIN)
    assert await state(staff, meeting) == MeetingState.UNRECORDED
    assert purpose == [MeetingState.UNRECORDED]
    assert (await told(staff, anna))[-1] == "meeting_unrecorded"
    await acts.book(anna.person_id, FOR, spare)


async def test_a_time_that_is_gone_frees_the_person(staff: Staff) -> None:
    """Withdrawn, or of an operator who left: the meeting is cancelled, and the person is told."""
    acts = staff.container.meetings

    async def withdrawn(operator: Actor, slot: UUID, meeting: UUID) -> None:
        await acts.withdraw_time(operator, slot)

    async def gone(operator: Actor, slot: UUID, meeting: UUID) -> None:
        async with staff.database.work() as session:
            person = await session.get_one(Person, operator.person_id)
            person.left_at = now()
            await departures.carry_out(session, person, now())

    async def without_the_right(operator: Actor, slot: UUID, meeting: UUID) -> None:
        async with staff.database.work() as session:
            person = await session.get_one(Person, operator.person_id)
            person.left_at = now()
            one = await session.get_one(Meeting, meeting)
            one.looks_at = now() - timedelta(seconds=1)
            session.add_all([person, one])
        await sweep.sweep(staff.database)

    ways: list[Callable[[Actor, UUID, UUID], object]] = [withdrawn, gone, without_the_right]
    for n, way in enumerate(ways):
        operator = await staff.person(f"Орлова {n}", Role.OPERATOR, staff.office.institution)
        anna = await staff.person(f"Соколова {n}")
        slot, _ = await opened(staff, operator, days=n + 3)
        meeting = await acts.book(anna.person_id, FOR, slot)
        await way(operator, slot, meeting)  # type: ignore[misc]
        assert await state(staff, meeting) == MeetingState.CANCELLED
        assert (await told(staff, anna))[-1] == "meeting_cancelled"
        async with staff.database.work() as session:
            offered = await times.offered(session, anna.person_id, now())
            assert slot not in [one.slot_id for one in offered]


async def test_a_meeting_that_has_just_been_moved_stays(
    staff: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a person who moves and an operator who withdraws the time at once, neither loses."""
    operator = await staff.person("Орлова Вера", Role.OPERATOR, staff.office.institution)
    anna = await staff.person("Соколова Анна")
    first, second = await opened(staff, operator)
    acts = staff.container.meetings
    meeting = await acts.book(anna.person_id, FOR, first)
    locked = meeting_acts.locked

    async def moved_before(session: AsyncSession, meeting_id: UUID) -> Booked:
        monkeypatch.setattr(meeting_acts, "locked", locked)
        await acts.move(anna.person_id, meeting, second)
        return await locked(session, meeting_id)

    monkeypatch.setattr(meeting_acts, "locked", moved_before)
    await acts.withdraw_time(operator, first)
    assert await state(staff, meeting) == MeetingState.BOOKED


async def test_the_pages_lead_through_a_meeting(staff: Staff) -> None:
    """A person books, keeps it in a calendar, moves and cancels; the operator sees and records."""
    operator = await staff.person("Орлова Вера", Role.OPERATOR, staff.office.institution)
    anna = await staff.person("Соколова Анна")
    theirs, hers = await staff.browser(operator), await staff.browser(anna)
    day = (now() + timedelta(days=4)).date()
    wrong = await theirs.post("/meetings/mine", data={"day": "вчера", "first": "9", "last": "x"})
    assert wrong.status_code == 422
    sent = {"day": f"{day:%d.%m.%Y}", "first": "09:00", "last": "10:00"}
    assert (await theirs.post("/meetings/mine", data=sent)).status_code == 303
    free = (await hers.get("/api/v1/meetings/times")).json()
    assert len(free) == 2
    page = await hers.get(f"/meetings?purpose={FOR}")
    assert page.text.count("button-small number") == 2
    booked = await hers.post("/meetings", data={"purpose": FOR, "slot_id": free[0]["slot_id"]})
    assert booked.status_code == 303
    (meeting,) = (await hers.get("/api/v1/meetings")).json()
    page = await hers.get(f"/meetings?purpose={FOR}")
    assert meeting["room"] in page.text
    assert len(meeting["room"].rpartition("/")[2]) >= 22
    file = await hers.get(f"/meetings/{meeting['id']}/calendar")
    assert file.headers["content-type"].startswith("text/calendar")
    moved = {"slot_id": free[1]["slot_id"]}
    assert (await hers.post(f"/meetings/{meeting['id']}/move", data=moved)).status_code == 303
    shown = await theirs.get(f"/meetings/{meeting['id']}")
    assert "Соколова Анна" in shown.text
    assert "Итог записывают после начала встречи" in shown.text
    await begun(staff, UUID(meeting["id"]))
    url = f"/meetings/{meeting['id']}/outcome"
    refused = await theirs.post(url, data={"outcome": "confirmed", "compared": ["face"]})
    assert refused.status_code == 422
    assert "отметьте всё, что вы сверили" in refused.text
    done = await theirs.post(url, data={"outcome": "not_confirmed", "reason": "Лица не видно."})
    assert done.status_code == 303
    assert "Лица не видно." in (await hers.get(f"/meetings?purpose={FOR}")).text
    assert "Лица не видно." in (await theirs.get(f"/meetings/{meeting['id']}")).text


async def test_no_time_is_withdrawn_beneath_a_meeting(staff: Staff) -> None:
    """A meeting that stands has a time that is offered, whoever is quicker."""
    operator = await staff.person("Орлова Вера", Role.OPERATOR, staff.office.institution)
    acts, slots = staff.container.meetings, await opened(staff, operator, count=6)
    people = [await staff.person(f"Человек {n}") for n in "абвгде"]
    done = await codes(
        *(
            act
            for who, slot in zip(people, slots, strict=True)
            for act in (
                acts.book(who.person_id, FOR, slot),
                acts.withdraw_time(operator, slot),
            )
        )
    )
    assert set(done) <= {"done", "slot_taken"}
    assert done.count("done") >= len(slots)
    async with staff.database.work() as session:
        standing = select(Meeting.id).where(
            col(Meeting.slot_id).in_(slots), Meeting.state == MeetingState.BOOKED.value
        )
        assert (await session.exec(standing)).all() == []
        left = select(MeetingSlot.id).where(
            col(MeetingSlot.id).in_(slots), col(MeetingSlot.withdrawn_at).is_(None)
        )
        assert (await session.exec(left)).all() == []
    (slot, *_) = await opened(staff, operator, days=4)
    await acts.book(people[0].person_id, FOR, slot)
    with pytest.raises(IntegrityError, match="meeting_in_offered_time"):
        async with staff.database.work() as session:
            await session.exec(
                update(MeetingSlot).where(col(MeetingSlot.id) == slot).values(withdrawn_at=now())
            )
