"""Who asks for, confirms, approves and ends a right, and that nobody does two of these (I7)."""

import asyncio
from collections.abc import Coroutine
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from models.tables.accounts import AccountSession
from models.tables.people import Person, RoleChange, RoleGrant, Unit
from rules.access import Actor, Permission, Role
from rules.cases.process import Status, Transition
from rules.clock import now
from rules.refusals import Refusal
from services import access
from services.access_changes import deciding, grants
from services.access_changes.asking import RightsWish
from services.cases.acts import Act
from services.dossier.moment import moment
from services.staff import departures
from tests.access_changes.story import WHY, Story
from tests.staff.hospital import Staff, staff

__all__ = ["staff"]
CONFIRM, APPROVE, REJECT = Transition.CONFIRM_ACCESS, Transition.APPROVE, Transition.REJECT


async def refused(code: str, act: Coroutine[Any, Any, Any]) -> None:
    """The act is refused with this code."""
    with pytest.raises(Refusal) as found:
        await act
    assert found.value.code == code


async def code_entered(staff: Staff, who: Actor, at: datetime) -> None:
    """Let the last code of the person's session have been entered at this moment."""
    async with staff.database.work() as session:
        await session.exec(
            update(AccountSession)
            .where(col(AccountSession.person_id) == who.person_id)
            .values(second_factor_at=at)
        )


async def test_a_right_needs_two_other_people(staff: Staff) -> None:
    """Asked by the person, confirmed by the head, approved by security: then it is there."""
    story = await Story.begin(staff)
    asked = await story.ask()
    assert (asked.status, asked.number[:2]) == (Status.CONFIRMING, "ИП")
    case, _ = await story.change(asked)
    assert case.reviewer_id == story.head.person_id
    await refused("not_found", story.decide(asked, APPROVE, staff.security))
    await refused("not_now", story.decide(asked, APPROVE, story.head))
    confirmed = await story.decide(asked, CONFIRM, story.head)
    assert confirmed.status is Status.IN_REVIEW
    case, _ = await story.change(asked)
    assert case.reviewer_id == staff.security.person_id
    assert not await story.may(story.nurse, Permission.REVIEW)
    done = await story.decide(confirmed, APPROVE, staff.security)
    assert (done.status, done.open) == (Status.APPROVED, False)
    assert await story.may(story.nurse, Permission.REVIEW)
    [grant] = await story.grants()
    assert (grant.asked_by, grant.confirmed_by, grant.approved_by, grant.case_id) == (
        story.nurse.person_id,
        story.head.person_id,
        staff.security.person_id,
        asked.case_id,
    )
    assert await story.told(story.nurse) == [
        "access_submitted",
        "access_confirmed",
        "rights_changed",
        "access_approved",
    ]
    assert await story.told(story.head) == ["access_assigned"]
    assert await story.told(staff.security) == ["access_assigned"]
    # The head, who decided as well, looks back: at the own decision, and at the end.
    async with staff.database.work() as session:
        over = await moment(session, await story.fresh(story.head), asked.case_id)
        assert [one.outcome for one in over.page.decisions] == [CONFIRM, APPROVE]
        assert not over.unknown.any
        [own] = [one for one in over.positions if one.kind == "case.confirmed"]
        then = await moment(session, story.head, asked.case_id, own.position)
        assert [one.outcome for one in then.page.decisions] == [CONFIRM]
        assert then.unknown.decisions == 1


async def test_nobody_takes_part_twice(staff: Staff) -> None:
    """Requester, subject, head and security are different, whatever roles one of them holds."""
    story = await Story.begin(staff)
    office = staff.office
    both = await staff.person("Громов Пётр Ильич", Role.UNIT_HEAD)
    async with staff.database.work() as session:
        for who, role in ((both, Role.SECURITY), (staff.admin, Role.UNIT_HEAD)):
            session.add(
                RoleGrant(
                    person_id=who.person_id,
                    role=role.value,
                    unit_id=office.institution,
                    valid_from=now(),
                )
            )
    asked = await story.ask(staff.admin)
    await refused("own_case", story.decide(asked, CONFIRM, await story.fresh(staff.admin)))
    act = uuid4()
    confirmed = await story.decide(asked, CONFIRM, both, act)
    # The first answer may never have arrived.
    assert await story.decide(asked, CONFIRM, both, act) == confirmed
    await refused("second_person", story.decide(confirmed, APPROVE, both))
    await story.decide(confirmed, APPROVE, staff.security)
    # The subject decides nothing either, though they hold the right.
    of_head = await staff.container.access_changes.ask(
        await story.fresh(staff.admin),
        uuid4(),
        both.person_id,
        RightsWish(role=Role.CLERK, unit_id=story.ward, reason=WHY),
    )
    await refused("second_person", story.decide(of_head, CONFIRM, both))
    case, _ = await story.change(of_head)
    assert case.reviewer_id == story.head.person_id
    await story.decide(of_head, CONFIRM, story.head)
    case, _ = await story.change(of_head)
    assert case.reviewer_id == staff.security.person_id


async def test_twenty_tries_at_once_change_nothing_twice(staff: Staff) -> None:
    """Of twenty confirmations and approvals at once one each counts, and one grant is made."""
    story = await Story.begin(staff)
    others = [await staff.person("Белова Инна Сергеевна", Role.UNIT_HEAD) for _ in range(2)]
    asks = await asyncio.gather(*(story.ask() for _ in range(20)), return_exceptions=True)
    [asked] = [one for one in asks if not isinstance(one, BaseException)]
    assert {one.code for one in asks if isinstance(one, Refusal)} == {"asked_already"}
    heads = [story.head, *others]
    tries = (story.decide(asked, CONFIRM, heads[n % 3]) for n in range(20))
    done = await asyncio.gather(*tries, return_exceptions=True)
    [confirmed] = [one for one in done if not isinstance(one, BaseException)]
    assert {one.code for one in done if isinstance(one, Refusal)} <= {
        "stale",
        "not_found",
        "second_person",
    }
    tries = (story.decide(confirmed, APPROVE, staff.security) for _ in range(20))
    done = await asyncio.gather(*tries, return_exceptions=True)
    assert len([one for one in done if not isinstance(one, BaseException)]) == 1
    assert {one.code for one in done if isinstance(one, Refusal)} == {"stale"}
    assert len(await story.grants()) == 1


async def test_the_database_refuses_a_grant_without_two_others(staff: Staff) -> None:
    """Whatever the program does: a grant of a change has three people, or ends within a day."""
    story = await Story.begin(staff)
    asked = await story.ask()
    people = [story.nurse.person_id, story.head.person_id, staff.security.person_id]
    ward, wrong = story.ward, []
    for confirmed, approved, until in (
        (None, None, None),
        (people[1], None, None),
        (people[1], people[1], None),
        (people[0], people[2], None),
        (None, None, now() + timedelta(hours=25)),
    ):
        try:
            async with staff.database.work() as session:
                session.add(
                    RoleGrant(
                        person_id=people[0],
                        role="clerk",
                        unit_id=ward,
                        valid_from=now(),
                        valid_until=until,
                        case_id=asked.case_id,
                        asked_by=people[0],
                        confirmed_by=confirmed,
                        approved_by=approved,
                        urgent=until is not None,
                    )
                )
        except IntegrityError as error:
            wrong.append("four_eyes" in str(error))
    assert wrong == [True] * 5


async def test_a_confirmation_lapses_with_the_right_to_give_it(staff: Staff) -> None:
    """The head lost the role before security approved: the change goes back to another head."""
    story = await Story.begin(staff)
    confirmed = await story.decide(await story.ask(), CONFIRM, story.head)
    async with staff.database.work() as session:
        await session.exec(
            update(RoleGrant)
            .where(col(RoleGrant.person_id) == story.head.person_id)
            .values(valid_until=now())
        )
    await refused("confirmation_lapsed", story.decide(confirmed, APPROVE, staff.security))
    case, change = await story.change(confirmed)
    assert (case.status, change.confirmed_by) == (Status.CONFIRMING, None)
    assert case.reviewer_id is None, "nobody is left to confirm"
    assert await story.grants() == []
    other = await staff.person("Белова Инна Сергеевна", Role.UNIT_HEAD)
    state = await deciding.wake(staff.database, confirmed.case_id)
    confirmed = await story.decide(state, CONFIRM, other)
    done = await story.decide(confirmed, APPROVE, staff.security)
    assert done.status is Status.APPROVED
    assert [one.confirmed_by for one in await story.grants()] == [other.person_id]


async def test_the_head_of_the_unit_comes_before_those_above(staff: Staff) -> None:
    """The unit's own head is asked; without one, the head above."""
    story = await Story.begin(staff)
    above = await staff.person("Крылов Олег Ильич", Role.UNIT_HEAD, staff.office.institution)
    case, _ = await story.change(await story.ask())
    assert case.reviewer_id == story.head.person_id
    case, _ = await story.change(await story.ask(unit_id=staff.office.hr))
    assert case.reviewer_id == above.person_id


async def test_whoever_leaves_while_a_right_is_given_gets_none(staff: Staff) -> None:
    """The person is read anew when locked, though the unit of work has read them before."""
    nurse = await staff.person("Орлова Анна Павловна", Role.NURSE)
    change = RoleChange(
        case_id=uuid4(),
        subject_id=nurse.person_id,
        asked_by=nurse.person_id,
        role="clerk",
        unit_id=staff.office.ward,
    )
    async with staff.database.work() as session:
        before = await session.get_one(Person, nurse.person_id)
        async with staff.database.work() as meanwhile:
            (await meanwhile.get_one(Person, nurse.person_id)).left_at = now()
        assert before.left_at is None
        await refused("has_left", grants.give_urgently(session, change, now()))


async def test_urgent_access_is_short_told_and_judged_afterwards(staff: Staff) -> None:
    """Only where the unit allows it, for a day at most; a no ends it at once."""
    story = await Story.begin(staff)
    await refused("incomplete", story.ask(urgent=True))
    await staff.container.revocations.set_urgent(staff.security, uuid4(), story.ward, allowed=True)
    async with staff.database.work() as session:
        assert (await session.get_one(Unit, story.ward)).urgent_access
    await refused("incomplete", story.ask(urgent=True, role=Role.ADMINISTRATOR))
    asked = await story.ask(urgent=True)
    assert await story.may(story.nurse, Permission.REVIEW)
    [grant] = await story.grants()
    assert grant.valid_until is not None
    assert grant.valid_until - grant.valid_from == timedelta(hours=24)
    assert "access_urgent" in await story.told(story.head)
    assert "access_urgent" in await story.told(staff.security)
    await story.decide(asked, REJECT, story.head)
    assert not await story.may(story.nurse, Permission.REVIEW)
    [grant] = await story.grants()
    assert grant.ended_by == story.head.person_id
    # What was refused cannot be had once more before anybody has decided, anywhere.
    for where in (story.ward, staff.office.institution):
        await staff.container.revocations.set_urgent(staff.security, uuid4(), where, allowed=True)
        await refused("incomplete", story.ask(urgent=True, unit_id=where))
    # What is approved in the end follows the urgent grant.
    again = await story.ask(urgent=True, role=Role.TECHNICIAN)
    confirmed = await story.decide(again, CONFIRM, story.head)
    await story.decide(confirmed, APPROVE, staff.security)
    assert [(one.urgent, one.valid_until is None) for one in await story.grants()] == [
        (True, False),
        (True, False),
        (False, True),
    ]
    withdrawn = await story.ask(urgent=True, role=Role.DOCTOR)
    await staff.container.access_changes.withdraw(
        story.nurse, withdrawn.case_id, Act(uuid4(), withdrawn.step), ""
    )
    assert (await story.grants())[-1].ended_by == story.nurse.person_id
    await refused("incomplete", story.ask(urgent=True, role=Role.DOCTOR))


async def test_a_right_is_ended_at_once_and_its_history_stays(staff: Staff) -> None:
    """Security or the head ends it alone; the row keeps who asked, confirmed and approved."""
    story = await Story.begin(staff)
    await story.given()
    [grant] = await story.grants()
    end, whose = staff.container.revocations.end, story.nurse.person_id
    await refused("forbidden", end(story.nurse, uuid4(), whose, grant.id, WHY))
    await refused("incomplete", end(staff.security, uuid4(), whose, grant.id, " "))
    act = uuid4()
    await end(staff.security, act, whose, grant.id, WHY)
    await end(staff.security, act, whose, grant.id, WHY)
    assert not await story.may(story.nurse, Permission.REVIEW)
    await refused("ended_already", end(story.head, uuid4(), whose, grant.id, WHY))
    [kept] = await story.grants()
    assert (kept.ended_by, kept.approved_by) == (
        staff.security.person_id,
        staff.security.person_id,
    )
    # The last who manages people keeps the right, whoever takes it.
    async with staff.database.work() as session:
        admins = await session.exec(select(RoleGrant).where(RoleGrant.role == "administrator"))
        last = admins.one()
    await refused("last_manager", end(staff.security, uuid4(), last.person_id, last.id, WHY))


async def test_the_same_way_by_the_api(staff: Staff) -> None:
    """Asked for, confirmed and approved over JSON; the reasons are read by these three alone."""
    story = await Story.begin(staff)
    clients = [await staff.browser(who) for who in (story.nurse, story.head, staff.security)]

    def key() -> dict[str, str]:
        return {"Idempotency-Key": str(uuid4())}

    wish = {"person_id": str(story.nurse.person_id), "role": "clerk", "unit_id": str(story.ward)}
    made = await clients[0].post("/api/v1/rights", json={**wish, "reason": WHY}, headers=key())
    assert made.status_code == 201, made.text
    state = made.json()
    path = f"/api/v1/applications/{state['id']}/decision"
    # A session that is merely open decides nothing, alone or together with other cases.
    await code_entered(staff, story.head, now() - timedelta(minutes=6))
    decision = {"step": state["step"], "outcome": "confirm_access", "reason": WHY}
    old = await clients[1].post(path, json=decision, headers=key())
    assert (old.status_code, old.json()["code"]) == (403, "second_factor_needed")
    await code_entered(staff, story.head, now())
    one = {"case_id": state["id"], "act_id": str(uuid4()), "step": state["step"]}
    several = {"outcome": "reject", "reason": WHY, "cases": [one]}
    done = await clients[1].post("/api/v1/desk/decisions", json=several)
    assert [each["refused"] for each in done.json()] == ["second_factor_needed"]
    for client, outcome in ((clients[1], "confirm_access"), (clients[2], "approve")):
        decision = {"step": state["step"], "outcome": outcome, "reason": f"{WHY} {outcome}-72"}
        done = await client.post(path, json=decision, headers=key())
        assert done.status_code == 200, done.text
        state = done.json()
    assert (await clients[0].get(f"/api/v1/rights/{state['id']}")).json()["status"] == "approved"
    others = (
        await staff.person("Лебедев Иван Олегович", Role.DOCTOR),
        await staff.person("Зорина Ольга Ильинична", Role.HR_HEAD, staff.office.hr),
        staff.admin,
    )
    clients += [await staff.browser(who) for who in others]
    case = state["id"]
    for room in ("/api/v1/rights/", "/rights/", "/api/v1/archive/cases/"):
        texts = [(await client.get(f"{room}{case}")).text for client in clients]
        if room == "/api/v1/rights/":
            assert all("confirm_access-72" in text for text in texts[:3])
        told = ("confirm_access-72", "approve-72")
        assert not [one for one in told for text in texts[3:] if one in text], room
    assert await story.may(story.nurse, Permission.REVIEW)


async def test_of_a_change_whose_person_left_those_are_told_who_decide_it(staff: Staff) -> None:
    """The head who is to confirm, and not HR, whose queue does not have it (I8)."""
    story = await Story.begin(staff)
    hr = await staff.person("Кадрова Инна", Role.HR_HEAD, staff.office.institution)
    await story.ask()
    async with staff.database.work() as session:
        person = await session.get_one(Person, story.nurse.person_id)
        person.left_at = now()
        await departures.carry_out(session, person, now())
    assert await story.told(story.head) == ["access_assigned", "applicant_left"]
    assert await story.told(hr) == []


async def test_taking_a_right_needs_the_same_people(staff: Staff) -> None:
    """A role is taken as it is given; the last administrator's cannot be approved."""
    story = await Story.begin(staff)
    await story.given()
    [grant] = await story.grants()
    taken = {"role": None, "unit_id": None, "takes_grant_id": grant.id}
    await story.given(staff.admin, **taken)
    assert not await story.may(story.nurse, Permission.REVIEW)
    [ended] = await story.grants()
    assert ended.ended_by == staff.security.person_id
    assert ended.ended_case_id is not None


async def test_a_single_permission_goes_the_same_way(staff: Staff) -> None:
    """Asked for by the administrator, it holds at once in pages, API, queue; and ends so (I6)."""
    story = await Story.begin(staff)
    nurse, whose = story.nurse, story.nurse.person_id
    single: dict[str, Any] = {"role": None, "permission": Permission.REVIEW}
    browser = await staff.browser(nurse)
    assert (await browser.get("/desk")).status_code == 403
    last = now().date() + timedelta(days=5)
    await story.given(staff.admin, **single, last_day=last)
    assert (await browser.get("/desk")).status_code == 200, "the same session"
    assert await story.may(nurse, Permission.REVIEW)
    assert not (await story.fresh(nurse)).may(Permission.REVIEW, staff.office.hr)
    assert not await story.may(nurse, Permission.OVERSEE_REVIEWS)
    async with staff.database.work() as session:
        held = await access.present_reviewers(session, story.ward, now())
    assert held == [whose], "who reviews is chosen by the same function"
    [grant] = await story.grants()
    assert (grant.role, grant.valid_until is None) == ("review", False)
    words = "Отдельное право: рассматривать заявки"
    for page in ("/profile", f"/people/{whose}/rights"):
        assert words in (await browser.get(page)).text
    held_now = [one["role"] for one in (await browser.get("/api/v1/session")).json()["roles"]]
    assert held_now == ["nurse", "review"]
    guard = await staff.browser(staff.security)
    for page in ("/rights/matrix", f"/people/{whose}", f"/people/{whose}/rights"):
        assert words in (await guard.get(page)).text, page
    card = (await guard.get(f"/api/v1/people/{whose}")).json()
    assert {one["role"] for one in card["grants"]} == {"nurse", "review"}
    then = (await guard.get(f"/api/v1/people/{whose}/rights")).json()
    assert {one["role"] for one in then["rights"]} == {"nurse", "review"}
    matrix = (await guard.get("/api/v1/rights/matrix")).json()
    assert [one["single"] for one in matrix["units"] if one["single"]] == [{"review": 1}]
    await refused("asked_already", _twice(story, staff.admin, single))
    await staff.container.revocations.end(staff.security, uuid4(), whose, grant.id, WHY)
    assert (await browser.get("/desk")).status_code == 403
    # Not what everybody has, nor both at once; an auditor's has an end, as the role has.
    for wish in ({"permission": Permission.ASK_ACCESS}, {"role": Role.CLERK}):
        await refused("incomplete", story.ask(staff.admin, **{**single, **wish}))
    audits: dict[str, Any] = {**single, "permission": Permission.AUDIT_CASES}
    await refused("auditor_needs_end", story.ask(staff.admin, **audits))
    async with staff.database.work() as session:
        endless = RoleGrant(
            person_id=whose, role="audit_cases", unit_id=story.ward, valid_from=now()
        )
        session.add(endless)
        with pytest.raises(IntegrityError, match="auditor_ends"):
            await session.flush()
        await session.rollback()


async def _twice(story: Story, by: Actor, wish: dict[str, Any]) -> None:
    for _ in range(2):
        await story.ask(by, **wish)


async def test_what_is_asked_for_is_checked(staff: Staff) -> None:
    """Strangers ask for nobody, dates make sense, an auditor has an end, the same is asked once."""
    story = await Story.begin(staff)
    stranger = await staff.person("Лебедев Иван Олегович", Role.DOCTOR)
    await refused("not_found", story.ask(stranger))
    today = now().date()
    await refused("incomplete", story.ask(first_day=today - timedelta(days=2)))
    await refused("incomplete", story.ask(last_day=today - timedelta(days=2)))
    await refused("incomplete", story.ask(role=None))
    await refused("incomplete", story.ask(reason=""))
    await refused("auditor_needs_end", story.ask(role=Role.AUDITOR))
    act = uuid4()
    first = await story.ask(act=act, last_day=today + timedelta(days=5))
    again = await story.ask(act=act, last_day=today + timedelta(days=5))
    assert (again.case_id, again.step) == (first.case_id, first.step)
    await refused("act_id_reused", story.ask(act=act, role=Role.DOCTOR))
    await refused("asked_already", story.ask())
    confirmed = await story.decide(first, CONFIRM, story.head)
    await story.decide(confirmed, APPROVE, staff.security)
    [grant] = await story.grants()
    assert grant.valid_until is not None
    assert timedelta(days=4) < grant.valid_until - now() < timedelta(days=7)
    # Every role has a name by which it is asked for.
    for role in Role:
        await story.ask(role=role, last_day=today + timedelta(days=30))
