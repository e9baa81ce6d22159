"""Requests that people of a unit answer: who sees them, who may answer, and what with (W8)."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlmodel import select

from clients.database import Database
from clients.objects import Objects
from models.tables.notices import Notice
from rules.access import Role
from rules.cases.process import Party, Status, Transition
from rules.clock import now
from rules.files.checks import LIMITS
from rules.refusals import Refusal
from services.cases import assignment, clock
from services.cases import lists as case_lists
from services.cases.acts import Act
from services.cases.transitions import lock
from services.dossier import page as dossier
from services.files.inspection.client import Inspection
from services.files.intake import Files, Incoming
from services.requests import alarms
from services.requests import files as request_files
from services.requests.acts import Answer
from services.reviews.decisions import Decision
from tests.files.samples import pdf
from tests.shared.counter import Counter


@pytest.fixture
async def filing(database: Database, objects: Objects) -> AsyncIterator[Counter]:
    """A counter that takes files in."""
    inspection = Inspection(LIMITS)
    yield await Counter.open(database, files=Files(objects, inspection))
    await inspection.close()


def a_file(body: bytes) -> Incoming:
    """A PDF on its way."""

    async def pieces() -> AsyncIterator[bytes]:
        yield body

    return Incoming(pieces(), "ответ.pdf", "application/pdf", len(body))


async def test_request_lies_in_the_queue_of_its_unit_only(counter: Counter) -> None:
    """The supply unit finds it among its own, with its term; HR does not see it at all."""
    case_id = await counter.laid_on_the_desk()
    async with counter.database.work() as session:
        listing = await case_lists.desk(session, counter.clerk)
        counts = await case_lists.counts(session, counter.clerk, now())
        line = next(one for one in listing.lines if one.id == case_id)
        assert line.title == "Оборудование и расходные материалы"
        assert line.waits_for == Party.REVIEWER
        assert counts["in_review"] >= 1
        others = await case_lists.desk(session, counter.office.reviewer)
        assert case_id not in {one.id for one in others.lines}
        with pytest.raises(Refusal) as refused:
            await dossier.page(session, counter.office.reviewer, case_id)
    assert refused.value.status == 404


async def test_head_of_a_unit_sees_no_requests_of_its_people(counter: Counter) -> None:
    """Requests tell of health: the right to see a unit's applications does not reach them."""
    head = await counter.office.person("Волков Николай", Role.UNIT_HEAD, counter.office.ward)
    case_id = await counter.sent("laboratory_results")
    async with counter.database.work() as session:
        listing = await case_lists.desk(session, head, order=case_lists.Order.NEWEST)
        assert case_id not in {one.id for one in listing.lines}
        with pytest.raises(Refusal) as refused:
            await dossier.page(session, head, case_id)
    assert refused.value.status == 404


async def test_answer_closes_the_request_and_is_shown(counter: Counter) -> None:
    """«Готов»: the applicant reads the answer and by whom, and may send the request again."""
    case_id = await counter.laid_on_the_desk()
    await counter.answered(case_id)
    async with counter.database.work() as session:
        page = await dossier.page(session, counter.clinician, case_id)
    (answer,) = page.answers
    assert (answer.message, answer.by) == ("Выдано со склада.", "Панова Вера Юрьевна")
    assert page.editable
    assert Transition.CORRECT in page.may


async def test_same_act_again_answers_once(counter: Counter) -> None:
    """A double click answers once; the same id with other words is refused."""
    case_id = await counter.laid_on_the_desk()
    act = await counter.act(case_id)
    first = await counter.requests.answer(counter.clerk, case_id, act, Answer("Выдано."))
    again = await counter.requests.answer(counter.clerk, case_id, act, Answer("Выдано."))
    assert (again.status, again.step) == (first.status, first.step)
    with pytest.raises(Refusal) as refused:
        await counter.requests.answer(counter.clerk, case_id, act, Answer("Не выдано."))
    assert refused.value.code == "act_id_reused"


async def test_nobody_answers_their_own_request(counter: Counter) -> None:
    """A clerk who asks for equipment is answered by a colleague."""
    case_id = await counter.sent("equipment", counter.clerk)
    with pytest.raises(Refusal) as refused:
        await counter.requests.answer(
            counter.clerk, case_id, await counter.act(case_id), Answer("Да.")
        )
    assert refused.value.code == "own_case"


async def test_of_two_clerks_who_take_a_request_at_once_one_has_it(counter: Counter) -> None:
    """S3: the other is told whose it is, in the words of requests."""
    case_id = await counter.laid_on_the_desk()
    case = await counter.office.case(case_id)
    unit = case.responsible_unit_id
    clerks = [await counter.office.person(f"Кладовщик {n}", Role.CLERK, unit) for n in range(2)]
    answers = await asyncio.gather(
        *(counter.office.reviews.take(one, case_id, case.step, case.reviewer_id) for one in clerks),
        return_exceptions=True,
    )
    (refusal,) = [one for one in answers if isinstance(one, Refusal)]
    holder = (await counter.office.case(case_id)).reviewer_id
    winner = clerks[1] if answers[0] is refusal else clerks[0]
    assert holder == winner.person_id
    assert refusal.message.startswith(f"Запрос теперь у другого сотрудника: {winner.name}.")


async def test_people_do_not_answer_for_a_module(counter: Counter) -> None:
    """What the module of a service answers, nobody answers in its place."""
    everywhere = await counter.office.person("Власов", Role.CLERK, counter.office.institution)
    case_id = await counter.sent()
    with pytest.raises(Refusal) as refused:
        await counter.requests.answer(
            everywhere, case_id, await counter.act(case_id), Answer("Вот.")
        )
    assert refused.value.code == "not_now"


async def test_applications_are_not_answered_nor_requests_decided(counter: Counter) -> None:
    """Each kind has acts of its own; the other's are not found there."""
    application = await counter.office.in_review()
    with pytest.raises(Refusal) as refused:
        await counter.requests.answer(
            counter.office.reviewer, application, Act(uuid4(), 2), Answer("Да.")
        )
    assert refused.value.status == 404
    with pytest.raises(Refusal) as refused:
        await counter.requests.withdraw(counter.clinician, application, Act(uuid4(), 2), "")
    assert refused.value.status == 404
    case_id = await counter.laid_on_the_desk()
    decision = Decision(Transition.APPROVE, "Причина.")
    with pytest.raises(Refusal) as refused:
        await counter.office.reviews.decide(
            counter.clerk, case_id, await counter.act(case_id), decision
        )
    assert refused.value.status == 404


async def test_refusal_needs_its_reason(counter: Counter) -> None:
    """«Отказано» always says why."""
    case_id = await counter.laid_on_the_desk()
    with pytest.raises(Refusal) as refused:
        await counter.requests.refuse(counter.clerk, case_id, await counter.act(case_id), " ")
    assert [one.path for one in refused.value.fields] == ["reason"]
    state = await counter.requests.refuse(
        counter.clerk, case_id, await counter.act(case_id), "Нет в наличии."
    )
    assert (state.status, state.open) == (Status.REFUSED, False)


async def test_document_is_given_as_a_checked_file(filing: Counter, objects: Objects) -> None:
    """A certificate is a file: without one the answer is refused, a spoilt one is not kept."""
    case_id = await filing.laid_on_the_desk("workplace_certificate")
    reviewer = filing.office.reviewer
    for answer in (Answer("Готово."), Answer("", a_file(b"no PDF at all"))):
        with pytest.raises(Refusal) as refused:
            await filing.requests.answer(reviewer, case_id, await filing.act(case_id), answer)
        assert [one.path for one in refused.value.fields] == ["file"]
    body = pdf()
    await filing.requests.answer(
        reviewer, case_id, await filing.act(case_id), Answer("", a_file(body))
    )
    async with filing.database.work() as session:
        files = Files(objects, Inspection())
        given = await request_files.open_answer(session, files, filing.clinician, case_id, None, 1)
        assert b"".join([piece async for piece in given.opened.chunks()]) == body
        stranger = await filing.office.person("Чужой", Role.DOCTOR, filing.office.ward)
        with pytest.raises(Refusal) as refused:
            await request_files.open_answer(session, files, stranger, case_id, None, 1)
    assert refused.value.status == 404


async def test_lost_right_still_hears_its_answer(counter: Counter) -> None:
    """An answer that was kept and whose reply was lost is never called refused."""
    case_id = await counter.laid_on_the_desk()
    act = await counter.act(case_id)
    await counter.requests.refuse(counter.clerk, case_id, act, "Нет в наличии.")
    dismissed = replace(counter.clerk, grants=())
    again = await counter.requests.refuse(dismissed, case_id, act, "Нет в наличии.")
    assert again.status is Status.REFUSED


async def test_overdue_request_is_told_to_the_unit_and_the_applicant(counter: Counter) -> None:
    """The clock escalates what was missed once, tells the applicant plainly, refuses nothing."""
    case_id = await counter.laid_on_the_desk()
    unit = (await counter.office.case(case_id)).responsible_unit_id
    head = await counter.office.person("Громова", Role.HR_HEAD, unit)
    past = now() - timedelta(days=20)
    await counter.office.set_times(case_id, since=past, due_at=past + timedelta(days=8))
    for _ in range(2):
        async with counter.database.work() as session:
            case = await lock(session, case_id)
            due = await clock.sound(session, case, now(), alarms.whom)
        assert due.next_at is not None
        assert due.next_at > now()
    case = await counter.office.case(case_id)
    assert case.status == Status.PROCESSING
    assert case.escalated_at is not None
    kinds = [entry.kind for entry in await counter.office.journal(case_id)]
    assert kinds.count("case.escalated") == 1
    async with counter.database.work() as session:
        found = await session.exec(
            select(Notice.person_id, Notice.kind).where(
                Notice.case_id == case_id, Notice.channel == "cabinet"
            )
        )
        told = set(found.all())
    assert (counter.clinician.person_id, "request_overdue") in told
    assert (head.person_id, "request_escalated") in told


async def test_correction_comes_back_to_the_same_person(counter: Counter) -> None:
    """S6: who answered the first version is given the second one."""
    case_id = await counter.laid_on_the_desk()
    before = (await counter.office.case(case_id)).reviewer_id
    await counter.corrected(case_id, quantity=3)
    case = await counter.office.case(case_id)
    assert (case.status, case.version) == (Status.ACCEPTED, 2)
    async with counter.database.work() as session:
        assert await assignment.choose(session, case, now()) == (before, None)
