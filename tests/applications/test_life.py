"""The life of an application in the database: every arrow, and what must not happen."""

import asyncio
from dataclasses import replace
from datetime import date, timedelta
from uuid import uuid4

import pytest
from sqlmodel import col, select

from models.messages import CaseState
from models.tables.catalogue import Programme
from models.tables.notices import Notice
from rules.access import Role
from rules.cases.process import Status, Transition
from rules.cases.terms import last_day
from rules.clock import now
from rules.refusals import Refusal
from services.cases.acts import Act
from services.reviews.decisions import Decision
from tests.shared.office import Office


async def test_submitted_application_gets_a_number_and_rings(office: Office) -> None:
    """A3: submission registers the case, and the workflow is rung by the name of the act."""
    case_id = await office.submitted()
    case = await office.case(case_id)
    assert case.status == Status.CHECKING
    assert case.number is not None
    assert case.number.startswith("ПК-")
    await asyncio.sleep(0)
    assert [signal.signal for _, signal in office.heard.signals] == [Transition.SUBMIT]


async def test_check_opens_the_review_with_a_term_and_a_reviewer(office: Office) -> None:
    """A3: the review has a reviewer, a term of ten working days and a first reminder."""
    case = await office.case(await office.in_review())
    assert case.status == Status.IN_REVIEW
    assert case.reviewer_id is not None
    assert case.due_at is not None
    assert case.wakes_at is not None
    assert now() < case.wakes_at < case.due_at


async def test_same_act_again_gives_the_same_answer(office: Office) -> None:
    """A double click decides once: the second answer is the first, and nothing is written."""
    case_id = await office.draft()
    act = Act(uuid4(), 0)
    first = await office.applications.submit(office.clinician, case_id, act)
    entries = len(await office.journal(case_id))
    again = await office.applications.submit(office.clinician, case_id, act)
    assert (again.number, again.step) == (first.number, first.step)
    assert len(await office.journal(case_id)) == entries


async def test_same_act_again_is_answered_to_one_who_lost_the_right_since(office: Office) -> None:
    """A decision that was kept and whose answer was lost is never called refused; a new one is."""
    case_id = await office.in_review()
    act = Act(uuid4(), (await office.case(case_id)).step)
    decision = Decision(Transition.REJECT, "Не по профилю.")
    await office.reviews.decide(office.reviewer, case_id, act, decision)
    dismissed = replace(office.reviewer, grants=())
    again = await office.reviews.decide(dismissed, case_id, act, decision)
    assert again.status is Status.REJECTED
    for other in (Act(uuid4(), act.at_step), Act(uuid4(), act.at_step + 1)):
        with pytest.raises(Refusal) as refused:
            await office.reviews.decide(dismissed, case_id, other, decision)
        assert refused.value.status == 404


async def test_same_act_id_with_another_body_is_refused(office: Office) -> None:
    """An act id that was used for something else gives 422 and changes nothing."""
    case_id = await office.in_review()
    case = await office.case(case_id)
    act = Act(uuid4(), case.step)
    await office.reviews.decide(
        office.reviewer, case_id, act, Decision(Transition.REJECT, "Не по профилю.")
    )
    with pytest.raises(Refusal) as refused:
        await office.reviews.decide(
            office.reviewer, case_id, act, Decision(Transition.REJECT, "Другая причина.")
        )
    assert (refused.value.status, refused.value.code) == (422, "act_id_reused")


async def test_two_reviewers_at_once_decide_once(office: Office) -> None:
    """Of two decisions on the same step the first commit wins, the other is told so."""
    case_id = await office.in_review()
    results = await asyncio.gather(
        office.decide(case_id, Transition.REJECT, by=office.reviewer),
        office.decide(case_id, Transition.CLARIFY, by=office.head),
        return_exceptions=True,
    )
    refusals = [r for r in results if isinstance(r, Refusal)]
    assert len(refusals) == 1
    assert refusals[0].code in ("stale", "not_now")
    decisions = [e for e in await office.journal(case_id) if e.by_person and e.step == 3]
    assert len(decisions) == 1


async def test_decision_on_an_outdated_version_is_refused(office: Office) -> None:
    """A reviewer who saw the version before the correction decides nothing."""
    case_id = await office.in_review()
    seen = (await office.case(case_id)).step
    await office.applications.save_draft(office.clinician, case_id, {"purpose": "Иначе."})
    await office.applications.correct(office.clinician, case_id, Act(uuid4(), seen))
    await office.check(case_id)
    with pytest.raises(Refusal) as refused:
        await office.reviews.decide(
            office.reviewer,
            case_id,
            Act(uuid4(), seen),
            Decision(Transition.REJECT, "Не по профилю."),
        )
    assert refused.value.code == "stale"
    assert (await office.case(case_id)).status == Status.IN_REVIEW


async def test_nobody_decides_on_their_own_application(office: Office) -> None:
    """A11: a reviewer's own application is decided by somebody else."""
    case_id = await office.in_review(office.reviewer)
    with pytest.raises(Refusal) as refused:
        await office.decide(case_id, Transition.REJECT, by=office.reviewer)
    assert refused.value.code == "own_case"
    assert (await office.case(case_id)).reviewer_id != office.reviewer.person_id


async def test_someone_without_the_right_learns_nothing(office: Office) -> None:
    """Q9: a colleague who does not review gets the same answer as for a case that is not there."""
    stranger = await office.person("Петров Пётр", Role.DOCTOR, office.ward)
    case_id = await office.in_review()
    with pytest.raises(Refusal) as refused:
        await office.decide(case_id, Transition.REJECT, by=stranger, remarks={})
    assert refused.value.status == 404


async def test_approval_needs_the_whole_checklist(office: Office) -> None:
    """A3: an unanswered question of the programme keeps the approval back, and says which."""
    case_id = await office.in_review()
    answers = await office.checklist(case_id)
    missing = next(iter(answers))
    with pytest.raises(Refusal) as refused:
        await office.decide(
            case_id, Transition.APPROVE, checklist={k: k != missing for k in answers}
        )
    assert [error.path for error in refused.value.fields] == [f"checklist.{missing}"]


async def test_clarification_pauses_the_clock_and_keeps_what_is_left(office: Office) -> None:
    """The review term stops while the applicant is awaited, and goes on afterwards."""
    case_id = await office.in_review()
    await office.decide(case_id, Transition.CLARIFY)
    case = await office.case(case_id)
    assert case.status == Status.CLARIFICATION
    assert case.term_left is not None
    await office.set_times(case_id, term_left=4)
    await office.applications.save_draft(office.clinician, case_id, {"purpose": "Подробно."})
    await office.applications.resubmit(office.clinician, case_id, Act(uuid4(), case.step))
    await office.check(case_id)
    case = await office.case(case_id)
    assert case.version == 2
    assert case.due_at is not None
    assert case.due_at - now() < timedelta(days=12)


async def test_overdue_review_is_escalated_not_rejected(office: Office) -> None:
    """A case never dies because a reviewer was on holiday."""
    case_id = await office.in_review()
    past = now() - timedelta(days=30)
    await office.set_times(case_id, since=past, due_at=past + timedelta(days=14))
    for _ in range(4):
        await office.wake(case_id)
    case = await office.case(case_id)
    assert case.status == Status.IN_REVIEW
    assert case.escalated_at is not None
    assert case.wakes_at is not None
    assert case.wakes_at > now()


async def test_what_an_outage_missed_is_told_once(office: Office) -> None:
    """A11: a reminder, the escalation and eleven mornings later the head gets one notice."""
    case_id = await office.in_review()
    past = now() - timedelta(days=30)
    await office.set_times(case_id, since=past, due_at=past + timedelta(days=14))
    for _ in range(3):
        await office.wake(case_id)
    kinds = [e.kind for e in await office.journal(case_id)]
    assert (kinds.count("case.reminded"), kinds.count("case.escalated")) == (0, 1)
    async with office.database.work() as session:
        found = await session.exec(
            select(Notice.kind).where(
                Notice.case_id == case_id,
                Notice.person_id == office.head.person_id,
                Notice.channel == "mail",
            )
        )
    assert found.all() == ["review_escalated"]


async def test_reminders_of_a_clarification_missed_are_told_once(office: Office) -> None:
    """A6, A9: two reminders that an outage swallowed are one mail; mails say until when."""
    case_id = await office.in_review()
    await office.decide(case_id, Transition.CLARIFY)
    asked = await office.case(case_id)
    past = now() - timedelta(days=20)
    await office.set_times(case_id, since=past, due_at=now() + timedelta(hours=1))
    for _ in range(3):
        await office.wake(case_id)
    async with office.database.work() as session:
        found = await session.exec(
            select(Notice).where(
                Notice.case_id == case_id,
                col(Notice.kind).in_(["application_clarification", "clarification_reminder"]),
                Notice.channel == "mail",
            )
        )
        notices = found.all()
        programme = await session.get_one(Programme, asked.programme_id)
    assert len(notices) == 2
    told = {notice.kind: notice.facts for notice in notices}
    assert asked.due_at is not None
    assert told["application_clarification"] == {
        "number": asked.number,
        "programme": programme.title,
        "until": last_day(asked.due_at, asked.term_zone).isoformat(),
    }
    reminded = told.pop("clarification_reminder")
    assert date.fromisoformat(reminded["until"]) - now().date() <= timedelta(days=1)


async def test_unanswered_clarification_lapses_and_can_be_copied(office: Office) -> None:
    """A6: a case closed without an answer loses nothing: it is copied into a new draft."""
    case_id = await office.in_review()
    await office.decide(case_id, Transition.CLARIFY)
    past = now() - timedelta(days=40)
    await office.set_times(case_id, since=past, due_at=past + timedelta(days=14))
    for _ in range(5):
        await office.wake(case_id)
    case = await office.case(case_id)
    assert case.status == Status.LAPSED
    assert case.closed_at is not None
    copied = await office.applications.copy(office.clinician, case_id)
    assert copied.draft is not None
    assert copied.draft["purpose"]
    assert len(copied.draft_attachments) == 3


@pytest.mark.parametrize("stage", ["checking", "in_review", "clarification"])
async def test_withdrawn_at_any_open_stage(office: Office, stage: str) -> None:
    """The applicant may take the application back as long as it is open."""
    case_id = await (office.submitted() if stage == "checking" else office.in_review())
    if stage == "clarification":
        await office.decide(case_id, Transition.CLARIFY)
    case = await office.case(case_id)
    await office.applications.withdraw(
        office.clinician, case_id, Act(uuid4(), case.step), "Передумала."
    )
    assert (await office.case(case_id)).status == Status.WITHDRAWN


async def test_incomplete_draft_is_not_submitted_and_nothing_is_lost(office: Office) -> None:
    """What is missing is named by field; the draft keeps what was typed."""
    case_id = await office.draft(snils="112-233-445 96", purpose="")
    with pytest.raises(Refusal) as refused:
        await office.applications.submit(office.clinician, case_id, Act(uuid4(), 0))
    assert {error.path for error in refused.value.fields} == {"snils", "purpose"}
    case = await office.case(case_id)
    assert (case.status, case.number) == (Status.DRAFT, None)
    assert case.draft is not None
    assert case.draft["snils"] == "112-233-445 96"


async def test_only_own_accepted_documents_can_be_attached(office: Office) -> None:
    """Q9, Q10: somebody else's document, or a refused one, is not taken."""
    case = await office.applications.create_draft(office.clinician, office.programme_id)
    for version in (
        await office.document(office.reviewer, "diploma"),
        await office.document(office.clinician, "diploma", verdict="refused"),
    ):
        with pytest.raises(Refusal) as refused:
            await office.applications.save_draft(
                office.clinician,
                case.id,
                attachments=[{"kind": "diploma", "document_version_id": str(version)}],
            )
        assert refused.value.code == "not_your_document"


async def test_handing_over_is_for_the_holder_and_the_head(office: Office) -> None:
    """A11: a reviewer gives away only what is theirs, the head of HR moves anything."""
    other = await office.person("Сидорова Инна", Role.HR_REVIEWER, office.hr)
    case_id = await office.in_review()
    await office.take(case_id)
    with pytest.raises(Refusal):
        await office.hand_over(case_id, other, office.head)
    await office.hand_over(case_id, office.head, other, "Отпуск")
    assert (await office.case(case_id)).reviewer_id == other.person_id


async def test_the_same_act_again_is_answered_as_before(office: Office) -> None:
    """Whatever became of the case since: a key gives one answer, however often it is asked."""
    case_id, act = await office.draft(), Act(uuid4(), 0)

    def told(state: CaseState) -> tuple[object, ...]:
        return state.number, state.status, state.step, state.open, state.waits_for, state.due_at

    first = await office.applications.submit(office.clinician, case_id, act)
    await office.check(case_id)
    clarify = Act(uuid4(), (await office.case(case_id)).step)
    decision = Decision(Transition.CLARIFY, "Причина решения.", {"purpose": "Подробнее."})
    asked = await office.reviews.decide(office.reviewer, case_id, clarify, decision)
    back = Act(uuid4(), asked.step)
    ended = await office.applications.withdraw(office.clinician, case_id, back, "Передумала")
    for _ in range(3):
        again = await asyncio.gather(
            office.applications.submit(office.clinician, case_id, act),
            office.reviews.decide(office.reviewer, case_id, clarify, decision),
            office.applications.withdraw(office.clinician, case_id, back, "Передумала"),
        )
        assert [told(one) for one in again] == [told(one) for one in (first, asked, ended)]
    assert (asked.open, ended.open) == (True, False)
    assert asked.due_at is not None


async def test_a_correction_that_was_typed_outlives_the_lapse(office: Office) -> None:
    """What was typed for an answer and never sent stands in the copy of the lapsed case (A6)."""
    case_id = await office.in_review()
    await office.decide(case_id, Transition.CLARIFY)
    await office.applications.save_draft(office.clinician, case_id, {"purpose": "Почти готово."})
    paper = await office.document(office.clinician, "diploma")
    await office.applications.attach(office.clinician, case_id, "diploma", paper)
    past = now() - timedelta(days=40)
    await office.set_times(case_id, since=past, due_at=past + timedelta(days=14))
    for _ in range(5):
        await office.wake(case_id)
    assert (await office.case(case_id)).status == Status.LAPSED
    copied = await office.applications.copy(office.clinician, case_id)
    assert copied.draft is not None
    assert copied.draft["purpose"] == "Почти готово."
    assert str(paper) in {one["document_version_id"] for one in copied.draft_attachments}
