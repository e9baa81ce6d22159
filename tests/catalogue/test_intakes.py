"""Places in the intakes of a programme: nobody gets one twice, and nobody loses one."""

import asyncio
from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest
from sqlmodel import select

from cabinet.cases.filling import Editing
from cabinet.cases.intakes import chosen_fact, intake_view
from models.tables.catalogue import IntakeCount, Programme
from rules.access import Actor, Role
from rules.cases.process import Status, Transition
from rules.clock import now
from rules.ids import new_id
from rules.refusals import Refusal
from services.cases.acts import Act
from services.catalogue import intakes
from services.dossier import page as dossier
from tests.shared.office import Office

TODAY = now().date()
FIRST, SECOND = TODAY + timedelta(days=40), TODAY + timedelta(days=80)


@pytest.fixture
async def office(office: Office) -> Office:
    """The office with a programme of two intakes: one has two places, the other any number."""
    async with office.database.work() as session:
        like = (await session.get_one(Programme, office.programme_id)).model_dump()
        made = Programme(
            **like
            | {
                "id": new_id(),
                "code": f"T{uuid4().hex[:12].upper()}",
                "starts_on": [FIRST.isoformat(), SECOND.isoformat()],
                "intake_limits": {
                    FIRST.isoformat(): {
                        "places": 2,
                        "apply_until": (TODAY + timedelta(days=30)).isoformat(),
                    }
                },
            }
        )
        session.add(made)
    office.programme_id = made.id
    return office


async def taken(office: Office) -> dict[date, int]:
    """How many places are taken of each intake."""
    async with office.database.work() as session:
        code = (await session.get_one(Programme, office.programme_id)).code
        found = await session.exec(select(IntakeCount).where(IntakeCount.programme_code == code))
        return {one.starts_on: one.taken for one in found if one.taken}


async def drafted(office: Office, day: date) -> tuple[Actor, UUID]:
    """A draft of a new colleague for the intake of a day."""
    colleague = await office.person(f"Врач {uuid4().hex[:6]}", Role.DOCTOR, office.ward)
    return colleague, await office.draft(colleague, starts_on=day.isoformat())


async def handed_in(office: Office, actor: Actor, case_id: UUID) -> bool:
    """Whether the draft was taken; False where its intake was refused."""
    try:
        await office.applications.submit(actor, case_id, Act(uuid4(), 0))
    except Refusal as refusal:
        if [fault.path for fault in refusal.fields] != ["starts_on"]:
            raise
        return False
    return True


@pytest.mark.asvs("2.3.4")
async def test_of_many_at_once_as_many_get_a_place_as_there_are(office: Office) -> None:
    """Five hand in at the same moment for two places; whoever gets none keeps the draft (A1)."""
    drafts = [await drafted(office, FIRST) for _ in range(5)]
    done = await asyncio.gather(*[handed_in(office, *one) for one in drafts])
    assert sum(done) == 2
    assert await taken(office) == {FIRST: 2}
    left = next(one for one, got in zip(drafts, done, strict=True) if not got)
    case = await office.case(left[1])
    assert (case.status, case.number, case.intake_on) == (Status.DRAFT, None, None)
    _, errors = await office.applications.save_draft(*left, {"starts_on": SECOND.isoformat()})
    assert errors == []
    assert await handed_in(office, *left)
    assert await taken(office) == {FIRST: 2, SECOND: 1}


async def test_a_place_is_free_again_when_a_case_ends_without_success(office: Office) -> None:
    """Withdrawn and rejected cases give theirs back; one approved, or asked about, keeps it."""
    first, second = [await drafted(office, FIRST) for _ in range(2)]
    assert await handed_in(office, *first)
    assert await handed_in(office, *second)
    case = await office.case(first[1])
    await office.applications.withdraw(*first, Act(uuid4(), case.step), "")
    assert await taken(office) == {FIRST: 1}
    await office.check(second[1])
    await office.decide(second[1], Transition.CLARIFY)
    assert await taken(office) == {FIRST: 1}

    # To another intake and back, on the own initiative and as an answer.
    for day in (SECOND, FIRST):
        await office.applications.save_draft(*second, {"starts_on": day.isoformat()})
        case = await office.case(second[1])
        act = Act(uuid4(), case.step)
        if case.status == Status.CLARIFICATION:
            await office.applications.resubmit(*second, act)
        else:
            await office.applications.correct(*second, act)
        assert await taken(office) == {day: 1}
    await office.check(second[1])
    await office.decide(second[1], Transition.REJECT)
    assert await taken(office) == {}


async def test_a_day_that_is_no_intake_is_refused_and_told_at_once(office: Office) -> None:
    """A draft says so while it is typed; the form offers what there is; a reviewer sees it."""
    actor, case_id = await drafted(office, FIRST)
    between = {"starts_on": (FIRST + timedelta(days=2)).isoformat()}
    _, errors = await office.applications.save_draft(actor, case_id, between)
    assert [error.path for error in errors] == ["starts_on"]
    assert not await handed_in(office, actor, case_id)

    async with office.database.work() as session:
        page = await dossier.page(session, actor, case_id)
    edited = Editing(page, page.case.draft or {}, [], {}, TODAY)
    assert "Выберите один из наборов" in edited.errors(complete=False)["starts_on"]
    view = intake_view(edited, page.definition.fields["starts_on"], "", "")
    assert [option.value for option in view.options] == [FIRST.isoformat(), SECOND.isoformat()]
    assert "свободно мест: 2 из 2" in view.options[0].hint
    assert (view.kind, view.label) == ("choice", "Набор")

    await office.applications.save_draft(actor, case_id, {"starts_on": FIRST.isoformat()})
    assert await handed_in(office, actor, case_id)
    async with office.database.work() as session:
        seen = await dossier.page(session, office.reviewer, case_id)
        left = [one.left for one in await intakes.of_programme(session, seen.programme)]
    [(label, words)] = chosen_fact(seen, seen.newest)
    # The same word in the form, on the page of the case and wherever answers are shown.
    assert label == seen.definition.fields["starts_on"].label == "Набор"
    assert "свободно мест: 1 из 2" in words
    assert left == [1, None]
