"""A case as it was at any act: what was known, who held which rights, what came later (I7, I13)."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlmodel import col, select, update

from models.tables.journal import RecordView
from models.tables.people import RoleGrant, Unit
from rules.access import Actor, Role
from rules.cases.process import Status, Transition
from rules.clock import now
from rules.journal.entries import JournalKind as K
from rules.journal.tags import ViewCode
from rules.refusals import Refusal
from services.cases.acts import Act
from services.conversation import Conversations
from services.dossier import moment as dossier
from services.dossier.moment import Moment, NotYetKnown
from services.staff.rights import GrantThen, rights_at
from tests.shared.office import Office


@pytest.fixture
async def auditor(office: Office) -> Actor:
    """Somebody who audits the whole institution."""
    return await office.person("Ревизорова Вера", Role.AUDITOR, office.institution)


async def at(office: Office, actor: Actor, case_id: UUID, kind: K | None = None) -> Moment:
    """The case after the last act of this kind; without a kind, as it stands."""
    position = None
    if kind is not None:
        entries = await office.journal(case_id)
        position = max(entry.position for entry in entries if entry.kind == kind)
    async with office.database.work() as session:
        return await dossier.moment(session, actor, case_id, position)


async def lived(office: Office) -> UUID:
    """A case that was sent back, talked about, sent again, checked and rejected."""
    case_id = await office.in_review()
    say = Conversations(office.database).say
    await say(office.reviewer, case_id, "Похоже на ошибку в дипломе", internal=True)
    await office.decide(case_id, Transition.CLARIFY)
    await say(office.clinician, case_id, "Сейчас поправлю")
    await office.applications.save_draft(
        office.clinician, case_id, {"purpose": "Открываем кабинет эхокардиографии."}, None
    )
    step = (await office.case(case_id)).step
    await office.applications.resubmit(office.clinician, case_id, Act(uuid4(), step))
    await office.check(case_id)
    await office.decide(case_id, Transition.REJECT)
    return case_id


async def test_each_act_shows_what_was_known_and_nothing_of_later(
    office: Office, auditor: Actor
) -> None:
    """Versions, findings, decisions, conversation and state, act by act."""
    case_id = await lived(office)

    sent = await at(office, auditor, case_id, K.CASE_SUBMITTED)
    assert [one.number for one in sent.page.versions] == [1]
    assert (sent.page.versions[0].checked_at, sent.page.versions[0].findings) == (None, ())
    assert (sent.page.decisions, sent.page.comments) == ([], [])
    assert (sent.status, sent.step, sent.reviewer) == (Status.CHECKING, 1, None)
    assert (sent.unknown.versions, sent.unknown.findings) == (1, 1)
    assert (sent.unknown.decisions, sent.unknown.messages) == (2, 2)

    asked = await at(office, auditor, case_id, K.CASE_CLARIFICATION_ASKED)
    assert asked.page.versions[0].checked_at is not None
    assert [one.outcome for one in asked.page.decisions] == [Transition.CLARIFY]
    assert [one.text for one in asked.page.comments] == ["Похоже на ошибку в дипломе"]
    assert asked.status is Status.CLARIFICATION
    assert asked.due_at is not None
    assert (asked.unknown.versions, asked.unknown.decisions, asked.unknown.messages) == (1, 1, 1)

    over = await at(office, auditor, case_id)
    assert [one.number for one in over.page.versions] == [1, 2]
    assert [one.outcome for one in over.page.decisions] == [Transition.CLARIFY, Transition.REJECT]
    assert len(over.page.comments) == 2
    assert over.status is Status.REJECTED
    assert over.unknown == NotYetKnown(0, 0, 0, 0, 0)
    assert (over.step, over.status) == (
        (await office.case(case_id)).step,
        Status((await office.case(case_id)).status),
    )
    # A reason is told with its act, and not before it.
    entry = over.positions[0]
    assert over.reason(entry) == "Причина решения."
    assert asked.reason(entry) == ""


async def test_rights_are_those_of_that_moment(office: Office, auditor: Actor) -> None:
    """A role that ended since was held then; one that began since was not."""
    case_id = await office.in_review()
    await office.decide(case_id, Transition.REJECT)
    decided = await at(office, auditor, case_id, K.CASE_REJECTED)
    async with office.database.work() as session:
        held = col(RoleGrant.person_id) == office.reviewer.person_id
        await session.exec(update(RoleGrant).where(held).values(valid_until=now()))
        later = RoleGrant(
            person_id=office.reviewer.person_id,
            role=Role.HR_HEAD.value,
            unit_id=office.hr,
            valid_from=now(),
        )
        session.add(later)
    again = await at(office, auditor, case_id, K.CASE_REJECTED)
    roles = {one.role for one in again.rights if one.person == office.reviewer.name}
    assert roles == {Role.HR_REVIEWER}
    assert {(one.person, one.role) for one in decided.rights} == {
        (one.person, one.role) for one in again.rights
    }
    async with office.database.work() as session:
        then = await rights_at(session, auditor, office.reviewer.person_id, decided.at, now())
        assert {(one.role, stood) for one, stood in then.grants} == {
            (Role.HR_REVIEWER, GrantThen.HELD),
            (Role.HR_HEAD, GrantThen.AHEAD),
        }
        today = await rights_at(
            session, office.reviewer, office.reviewer.person_id, now() + timedelta(days=1), now()
        )
        assert {(one.role, stood) for one, stood in today.grants} == {
            (Role.HR_REVIEWER, GrantThen.OVER),
            (Role.HR_HEAD, GrantThen.HELD),
        }


async def test_auditors_and_whoever_decided_look_back_and_nobody_else(
    office: Office, auditor: Actor
) -> None:
    """Not the applicant, a colleague who did not decide, the unit's head, or security."""
    case_id = await office.in_review()
    with pytest.raises(Refusal, match="not_found"):
        await at(office, office.reviewer, case_id)
    await office.decide(case_id, Transition.REJECT)
    assert (await at(office, office.reviewer, case_id)).status is Status.REJECTED
    head = await office.person("Заведующая", Role.UNIT_HEAD, office.ward)
    security = await office.person("Охранова", Role.SECURITY, office.institution)
    for stranger in (office.clinician, office.head, head, security):
        with pytest.raises(Refusal, match="not_found"):
            await at(office, stranger, case_id)
    far = await office.person("Ревизор снабжения", Role.AUDITOR, await unit_apart(office))
    with pytest.raises(Refusal, match="not_found"):
        await at(office, far, case_id)


async def unit_apart(office: Office) -> UUID:
    """A unit that has nothing to do with the case."""

    async with office.database.work() as session:
        unit = Unit(code=uuid4().hex, name="Филиал", parent_id=office.institution)
        session.add(unit)
        return unit.id


async def test_each_look_is_recorded_and_drafts_are_nobodys(office: Office, auditor: Actor) -> None:
    """A view of its own kind; a draft that was never sent is not there, nor is a later act."""
    case_id = await office.in_review()
    await at(office, auditor, case_id)
    await at(office, auditor, case_id, K.CASE_SUBMITTED)
    async with office.database.work() as session:
        seen = await session.exec(
            select(RecordView.what).where(RecordView.by_person == auditor.person_id)
        )
        assert seen.all() == [ViewCode.CASE_AT, ViewCode.CASE_AT]
        for position in (0, 10_000):
            with pytest.raises(Refusal, match="not_found"):
                await dossier.moment(session, auditor, case_id, position)
    with pytest.raises(Refusal, match="not_found"):
        await at(office, auditor, await office.draft())


async def test_a_case_is_found_by_its_whole_number_alone(office: Office, auditor: Actor) -> None:
    """As typed; a part, another's number or no right finds nothing."""
    case_id = await office.in_review()
    number = (await office.case(case_id)).number or ""
    async with office.database.work() as session:
        assert await dossier.found(session, auditor, number.replace("-", " ").lower()) == case_id
        for wrong in (number[:-2], "", "ПК-2026-000000-0"):
            with pytest.raises(Refusal, match="unknown_number"):
                await dossier.found(session, auditor, wrong)
        with pytest.raises(Refusal, match="forbidden"):
            await dossier.found(session, office.head, number)
