"""No case stays with somebody who may not act on it: rights, locks, departures, absences."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import update
from sqlmodel import col, select

from models.tables.accounts import Account
from models.tables.cases import CaseReading
from models.tables.notices import Notice
from models.tables.people import Absence, Person, RoleGrant
from rules.access import Actor, Role
from rules.cases.process import Status, Transition
from rules.clock import now
from rules.notices.kinds import NoticeKind
from rules.refusals import Refusal
from services.accounts import sign_in as accounts
from services.cases import assignment
from services.cases import lists as case_lists
from services.conversation import Conversations
from services.staff import absences
from tests.cases.test_assignment import Desk, desk

__all__ = ["desk"]


async def told(desk: Desk, person: Actor, kind: NoticeKind) -> list[dict[str, Any]]:
    """What a person was told of a kind in the cabinet."""
    async with desk.office.database.work() as session:
        found = await session.exec(
            select(Notice.facts).where(
                Notice.person_id == person.person_id,
                Notice.kind == kind.value,
                Notice.channel == "cabinet",
            )
        )
        return [dict(one) for one in found.all()]


async def figures(desk: Desk, actor: Actor) -> tuple[dict[str, int], dict[UUID, int], set[UUID]]:
    """The counts of the queue, those of the team page, and the list «Не назначены»."""
    async with desk.office.database.work() as session:
        counts = await case_lists.counts(session, actor, now())
        team = await absences.reviewers(session, actor, desk.unit)
        filters = case_lists.Filters(reviewer="nobody", waiting=True)
        nobody = await case_lists.desk(session, actor, filters)
    return counts, {one.id: one.in_review for one in team}, {one.id for one in nobody.lines}


async def role_ends(desk: Desk, person: Actor) -> None:
    """The role is taken back in the table, as nobody's act."""
    async with desk.office.database.work() as session:
        await session.exec(
            update(RoleGrant)
            .where(col(RoleGrant.person_id) == person.person_id)
            .values(valid_until=now())
        )


async def leaves(desk: Desk, person: Actor) -> None:
    """The last day was yesterday."""
    async with desk.office.database.work() as session:
        await session.exec(
            update(Person).where(col(Person.id) == person.person_id).values(left_at=now())
        )


async def is_locked(desk: Desk, person: Actor) -> None:
    """The account is locked in the table."""
    moment = now()
    async with desk.office.database.work() as session:
        session.add(
            Account(
                person_id=person.person_id,
                login=uuid4().hex,
                password_hash="none",
                password_changed_at=moment,
                created_at=moment,
                locked_at=moment,
            )
        )


async def is_away(desk: Desk, person: Actor) -> None:
    """An absence began at midnight."""
    today = desk.today
    async with desk.office.database.work() as session:
        session.add(
            Absence(
                person_id=person.person_id,
                first_day=today - timedelta(days=1),
                last_day=today + timedelta(days=2),
            )
        )


async def is_transferred(desk: Desk, person: Actor) -> None:
    """The role goes on in another unit."""
    async with desk.office.database.work() as session:
        await session.exec(
            update(RoleGrant)
            .where(col(RoleGrant.person_id) == person.person_id)
            .values(unit_id=desk.office.ward)
        )


Loses = Callable[[Desk, Actor], Awaitable[None]]
EVERY_WAY = pytest.mark.parametrize(
    "loses", [role_ends, leaves, is_locked, is_away, is_transferred]
)


@EVERY_WAY
async def test_cases_of_whoever_may_not_act_are_passed_on(desk: Desk, loses: Loses) -> None:
    """A11, I8: by the sweeper, to the least laden; the new ones and the head hear once."""
    head = await desk.office.person("Громова Ольга", Role.HR_HEAD, desk.unit)
    gone, *others = desk.reviewers
    cases = [await desk.opened() for _ in range(4)]
    for case_id in cases:
        await desk.office.take(case_id, gone)
    await desk.office.decide(cases[3], Transition.CLARIFY, by=gone)
    await loses(desk, gone)
    counts, team, nobody = await figures(desk, head)
    assert counts["unassigned"] == 3
    assert nobody == set(cases[:3])
    assert await assignment.sweep(desk.office.database) >= 4
    holders = [await desk.holder(case_id) for case_id in cases]
    assert gone.person_id not in holders
    assert None not in holders
    counts, team, nobody = await figures(desk, head)
    assert (counts["unassigned"], nobody) == (0, set())
    assert team.get(gone.person_id, 0) == 0
    assert sum(team.values()) == 3
    for case_id, holder in zip(cases, holders, strict=True):
        entry = (await desk.office.journal(case_id))[-1]
        assert entry.kind == "case.assigned"
        assert (entry.facts["from"], entry.facts["to"]) == (str(gone.person_id), str(holder))
    received = [
        fact["count"]
        for one in (*others, head)
        for fact in await told(desk, one, NoticeKind.CASES_RECEIVED)
    ]
    assert sum(int(str(count)) for count in received) == 4
    assert len(received) == len(set(holders))
    assert await told(desk, head, NoticeKind.CASES_PASSED_ON) == [{"count": 4}]
    assert await told(desk, desk.office.clinician, NoticeKind.CASES_RECEIVED) == []
    assert await assignment.sweep(desk.office.database) == 0


@EVERY_WAY
async def test_reminders_go_to_somebody_who_may_act(desk: Desk, loses: Loses) -> None:
    """A11: also where the sweeper has not come by yet, the clock passes the case on first."""
    case_id = await desk.opened()
    gone = await desk.who_has(case_id)
    await loses(desk, gone)
    past, soon = now() - timedelta(days=11), now() + timedelta(hours=2)
    await desk.office.set_times(case_id, since=past, due_at=soon)
    await desk.office.wake(case_id)
    holder = await desk.holder(case_id)
    assert holder not in (None, gone.person_id)
    reminded = next(one for one in desk.reviewers if one.person_id == holder)
    assert len(await told(desk, reminded, NoticeKind.REVIEW_REMINDER)) == 1
    assert await told(desk, gone, NoticeKind.REVIEW_REMINDER) == []


async def test_the_deputy_has_the_cases_from_the_first_day(desk: Desk) -> None:
    """A11: noting the absence passes them on in the same act; none is given back meanwhile."""
    gone, deputy, other = desk.reviewers
    cases = [await desk.opened() for _ in range(3)]
    for case_id in cases:
        await desk.office.take(case_id, gone)
    today = desk.today
    async with desk.office.database.work() as session:
        absence = await absences.set_absence(
            session, gone, desk.unit, gone.person_id, today, today, deputy.person_id
        )
    assert {await desk.holder(case_id) for case_id in cases} == {deputy.person_id}
    assert await told(desk, deputy, NoticeKind.CASES_RECEIVED) == [{"count": 3}]
    entry = (await desk.office.journal(cases[0]))[-1]
    assert entry.facts["stands_in_for"] == str(gone.person_id)
    with pytest.raises(Refusal) as refused:
        await desk.office.take(cases[0], gone)
    assert refused.value.code == "away"
    with pytest.raises(Refusal) as refused:
        await desk.office.hand_over(cases[0], deputy, gone)
    assert refused.value.code == "away"
    async with desk.office.database.work() as session:
        await absences.end_absence(session, gone, desk.unit, absence.id)
    assert other.person_id not in [await desk.holder(case_id) for case_id in cases]


async def test_who_comes_back_gets_back_what_was_not_begun(desk: Desk) -> None:
    """A11: a day away costs nobody the desk; what is begun, taken or being read stays there."""
    head = await desk.office.person("Громова Ольга", Role.HR_HEAD, desk.unit)
    gone, deputy, other = desk.reviewers
    untouched, asked, written, taken, read, answered = [await desk.opened() for _ in range(6)]
    cases = (untouched, asked, written, taken, read, answered)
    for case_id in cases:
        await desk.office.take(case_id, gone)
    await desk.office.decide(answered, Transition.CLARIFY, gone)
    async with desk.office.database.work() as session:
        absence = await absences.set_absence(
            session, gone, desk.unit, gone.person_id, desk.today, desk.today, deputy.person_id
        )
    await desk.office.decide(asked, Transition.CLARIFY, deputy)
    await Conversations(desk.office.database).say(deputy, written, "Проверьте стаж.", internal=True)
    await desk.office.take(taken, other)
    await desk.office.reviews.read(deputy, read)
    async with desk.office.database.work() as session:
        await absences.end_absence(session, gone, desk.unit, absence.id)
    holders = [await desk.holder(case_id) for case_id in cases]
    own, theirs = gone.person_id, deputy.person_id
    assert holders == [own, theirs, theirs, other.person_id, theirs, own]
    entry = (await desk.office.journal(untouched))[-1]
    assert (entry.facts["from"], entry.facts["to"]) == (str(theirs), str(own))
    assert await told(desk, gone, NoticeKind.CASES_RECEIVED) == [{"count": 2}]
    assert await told(desk, head, NoticeKind.CASES_PASSED_ON) == [{"count": 6}]
    async with desk.office.database.work() as session:
        await session.exec(
            update(CaseReading)
            .where(col(CaseReading.case_id) == read)
            .values(at=now() - timedelta(minutes=2))
        )
    assert await assignment.sweep(desk.office.database) == 1
    assert await desk.holder(read) == own


async def test_an_absence_to_come_moves_nothing_yet(desk: Desk) -> None:
    """A11: whoever is away next week works until then."""
    case_id = await desk.opened()
    before = await desk.holder(case_id)
    gone = next(one for one in desk.reviewers if one.person_id == before)
    day = desk.today + timedelta(days=7)
    async with desk.office.database.work() as session:
        await absences.set_absence(session, gone, desk.unit, gone.person_id, day, day, None)
    assert await desk.holder(case_id) == before


async def test_what_nobody_can_take_waits_for_whoever_comes_first(desk: Desk) -> None:
    """A11: the head hears that nobody is there; whoever comes back gets the cases."""
    head = await desk.office.person("Громова Ольга", Role.HR_HEAD, desk.unit)
    case_id = await desk.opened()
    today = desk.today
    made = {}
    for one in (*desk.reviewers, head):
        async with desk.office.database.work() as session:
            made[one.person_id] = await absences.set_absence(
                session, one, desk.unit, one.person_id, today, today, None
            )
    assert await desk.holder(case_id) is None
    assert await told(desk, head, NoticeKind.CASES_WITHOUT_REVIEWER) == [{"count": 1}]
    assert await assignment.sweep(desk.office.database) == 0
    back = desk.reviewers[1]
    async with desk.office.database.work() as session:
        await absences.end_absence(session, back, desk.unit, made[back.person_id].id)
    assert await desk.holder(case_id) == back.person_id


async def test_a_lock_passes_the_cases_on_at_once(desk: Desk) -> None:
    """I8: locking an account is one act with passing on what its person had."""
    case_id = await desk.opened()
    gone = await desk.who_has(case_id)
    moment = now()
    async with desk.office.database.work() as session:
        person = await session.get_one(Person, gone.person_id)
        await accounts.create_account(session, person, uuid4().hex, moment)
        await accounts.lock(session, gone.person_id, "потерян телефон", moment)
    assert await desk.holder(case_id) not in (None, gone.person_id)
    async with desk.office.database.work() as session:
        await accounts.unlock(session, gone.person_id)


async def test_a_decided_case_keeps_its_name(desk: Desk) -> None:
    """What was decided is not passed on: there is nothing to act on, and the page says who did."""
    case_id = await desk.opened()
    gone = await desk.who_has(case_id)
    await desk.office.decide(case_id, Transition.APPROVE, by=gone)
    await leaves(desk, gone)
    await assignment.sweep(desk.office.database)
    case = await desk.office.case(case_id)
    assert (case.status, case.reviewer_id) == (Status.APPROVED, gone.person_id)


async def test_a_message_on_an_old_case_reaches_somebody(desk: Desk) -> None:
    """A8: when whoever decided has left, the applicant's question goes to those who are there."""
    case_id = await desk.opened()
    gone = await desk.who_has(case_id)
    await desk.office.decide(case_id, Transition.APPROVE, by=gone)
    await leaves(desk, gone)
    talk = Conversations(desk.office.database)
    await talk.say(desk.office.clinician, case_id, "Когда начало занятий?")
    others = [one for one in desk.reviewers if one is not gone]
    assert [len(await told(desk, one, NoticeKind.COMMENT_ADDED)) for one in others] == [1, 1]
    assert await told(desk, gone, NoticeKind.COMMENT_ADDED) == []
