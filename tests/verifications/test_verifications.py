"""The verification of an account on real servers: its workflow, its register, its operator."""

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import httpx
import pytest
from temporalio.client import Client, WorkflowExecutionStatus

from clients.temporal.client import connect
from crypto.key_ring import KeyRing
from models.messages import case_workflow_id
from rules.access import Permission, Role
from rules.accounts import AccountState
from rules.cases.process import CaseKind, Party, Status, Transition
from rules.clock import now
from rules.meetings import MeetingState
from rules.notices.kinds import Channel
from rules.refusals import Refusal
from services.cases.acts import Act
from services.cases.wakeups import applicant_did_more
from settings import Settings
from tests.shared.desk import Desk
from tests.shared.served import in_process
from tests.shared.servers import Servers
from tests.shared.waiting import until
from tests.verifications.living import NEEDED, Verified, identity
from worker import build


@pytest.fixture(scope="module")
async def office(settings: Settings, servers: Servers) -> AsyncIterator[Desk]:
    """An application with a worker and an operator of the whole institution."""
    async with in_process(settings, servers) as app:
        desk = await Desk.open(app)
        own = desk.container.settings
        client = await connect(own, KeyRing.parse(own.keys.get_secret_value()))
        async with build(own, client, desk.container.database):
            yield desk


@pytest.fixture
async def verified(office: Desk) -> Verified:
    """Somebody of this test's own, and an operator."""
    operator = await office.office.person("Орлова Вера", Role.OPERATOR, office.office.institution)
    return await Verified.open(office, operator)


async def stands(verified: Verified, case_id: UUID, status: Status) -> None:
    """Wait until the case has this status."""

    async def reached() -> bool:
        return (await verified.case(case_id)).status == status

    await until(reached)


async def is_state(verified: Verified, state: AccountState) -> None:
    """Wait until the account has this state."""

    async def reached() -> bool:
        return await verified.state() is state

    await until(reached)


async def wake(verified: Verified) -> None:
    """What follows a step outside of the case."""
    container = verified.desk.container
    async with container.database.work() as session:
        woken = await applicant_did_more(session, verified.person.person_id, now())
    container.signals.wake(woken)


def client_of(desk: Desk) -> Client:
    """The line to Temporal."""
    return desk.container.temporal


async def test_an_account_becomes_confirmed_by_itself(verified: Verified) -> None:
    """Documents, contacts, meeting and factor, in this order; each opens its own (I1, I2, I3)."""
    desk, person = verified.desk, verified.person
    assert not person.may(Permission.APPLY)
    with pytest.raises(Refusal, match="account_state"):
        await desk.container.requests.types(person)
    case_id = await verified.handed_in()
    await stands(verified, case_id, Status.IN_REVIEW)
    assert "identity_fine" in await verified.findings(case_id)
    assert "mark_missing" in await verified.findings(case_id)
    case = await verified.case(case_id)
    assert (case.reviewer_id, case.review_permission) == (
        verified.operator.person_id,
        Permission.MEET_PEOPLE,
    )
    # HR of the institution sees nothing of it.
    hr = await desk.office.person("Кадрова Инна", Role.HR_HEAD, desk.office.institution)
    browser = await desk.browser(hr)
    assert (await browser.get(f"/desk/cases/{case_id}")).status_code == 404
    assert (case.number or "") not in (await browser.get("/desk?what=verification")).text
    await verified.decide(case_id, Transition.APPROVE)
    await stands(verified, case_id, Status.APPROVED)
    assert await verified.state() is AccountState.REGISTERED
    await verified.confirms(Channel.MAIL)
    await verified.confirms(Channel.SMS)
    await wake(verified)
    await is_state(verified, AccountState.ACTIVE)
    assert (await verified.reread()).may(Permission.APPLY)
    await desk.container.requests.types(verified.person)
    await verified.enrols()
    await verified.meets()
    await stands(verified, case_id, Status.CONFIRMED)
    assert await verified.state() is AccountState.CONFIRMED
    assert await verified.told() == [
        "verification_submitted",
        "verification_in_review",
        "verification_approved",
        "account_active",
        "meeting_booked",
        "meeting_confirmed",
        "verification_confirmed",
    ]
    run = client_of(desk).get_workflow_handle(case_workflow_id(case_id, CaseKind.VERIFICATION))

    async def is_over() -> bool:
        described = await run.describe()
        assert described.workflow_type == "AccountVerification"
        return described.status == WorkflowExecutionStatus.COMPLETED

    await until(is_over)
    with pytest.raises(Refusal, match="confirmed_already"):
        await desk.container.verifications.create_draft(verified.person)


async def test_steps_are_done_in_any_order(verified: Verified) -> None:
    """Meeting, factor and contacts come first; with the documents the account is confirmed."""
    await verified.meets(MeetingState.NOT_CONFIRMED)
    await verified.meets()
    with pytest.raises(Refusal, match="not_needed"):
        await verified.meets()
    await verified.enrols()
    await verified.confirms(Channel.MAIL)
    await verified.confirms(Channel.SMS)
    assert await verified.state() is AccountState.REGISTERED
    case_id = await verified.handed_in()
    await stands(verified, case_id, Status.IN_REVIEW)
    await verified.decide(case_id, Transition.APPROVE)
    await stands(verified, case_id, Status.CONFIRMED)
    assert await verified.state() is AccountState.CONFIRMED
    assert "account_active" not in await verified.told()


async def test_the_register_is_waited_for_and_its_word_is_shown(verified: Verified) -> None:
    """Down: said so, with the next try. Then somebody else, then nobody, and never a lost case."""
    desk = verified.desk
    async with identity(desk.container.settings.identity_url) as switches:
        await switches.put("/answers", json={"answers": "differs"})
        await switches.put("/faults", json={"mode": "fail"})
        case_id = await verified.handed_in()

        async def waits() -> bool:
            return (await verified.case(case_id)).waits_for == Party.IDENTITY_REGISTER

        await until(waits)
        case = await verified.case(case_id)
        assert case.wakes_at is not None
        assert case.wakes_at > case.since
        browser = await desk.browser(verified.person)
        assert "Ждём реестр" in (await browser.get("/verifications")).text
        assert "Реестр не отвечает" in (await browser.get(f"/verifications/{case_id}")).text
        await switches.put("/faults", json={"mode": "slow", "seconds": 0.5})
        await stands(verified, case_id, Status.IN_REVIEW)
        assert (await verified.findings(case_id))[0] == "identity_differs"
        await verified.decide(case_id, Transition.CLARIFY, remarks={"inn": "Проверьте номер."})
        await switches.put("/answers", json={"answers": "not_found"})
        await stands(verified, case_id, Status.CLARIFICATION)
        acts = desk.container.verifications
        await acts.save_draft(verified.person, case_id, {"personnel_number": "ТН-1"})
        step = (await verified.case(case_id)).step
        await acts.resubmit(verified.person, case_id, Act(uuid4(), step))
        await stands(verified, case_id, Status.IN_REVIEW)
        assert (await verified.findings(case_id))[0] == "identity_unknown"
    await verified.decide(case_id, Transition.REJECT)
    await stands(verified, case_id, Status.REJECTED)
    assert await verified.state() is AccountState.REGISTERED
    again = await desk.container.verifications.copy(verified.person, case_id)
    assert (await verified.case(again.id)).status == Status.DRAFT


async def test_what_is_missing_or_unfit_is_not_handed_in(verified: Verified) -> None:
    """One of two numbers, the documents that the answers need, scans of 300 dpi."""
    acts, person = verified.desk.container.verifications, verified.person
    case_id = await verified.draft(inn="", has_category=True)

    async def refused() -> set[str]:
        with pytest.raises(Refusal, match="incomplete") as why:
            await acts.submit(person, case_id, Act(uuid4(), 0))
        return {one.path for one in why.value.fields}

    assert await refused() == {"inn", "attachments.attestation"}
    assert (await acts.create_draft(person)).id == case_id
    files = [await verified.file(kind, dpi=300) for kind in NEEDED if kind != "diploma"]
    coarse = await verified.file("diploma", dpi=299)
    draft = await verified.case(case_id)
    gone = list(draft.draft_attachments)
    for one in gone:
        await acts.detach(person, case_id, one["kind"], UUID(one["document_version_id"]))
    answers = {"personnel_number": "ТН-000731", "has_category": False}
    await acts.save_draft(person, case_id, answers, [*files, coarse])
    assert await refused() == {"attachments.diploma"}
    await acts.detach(person, case_id, "diploma", UUID(coarse["document_version_id"]))
    sharp = await verified.file("diploma", dpi=300, mark=True)
    await acts.attach(person, case_id, "diploma", UUID(sharp["document_version_id"]))
    await acts.submit(person, case_id, Act(uuid4(), 0))


async def test_an_operator_never_confirms_their_own_documents(verified: Verified) -> None:
    """Whoever is under verification has no part in it, with whatever role."""
    desk = verified.desk
    both = await Verified.open(desk, verified.operator)
    both.person = verified.operator
    async with desk.container.database.work() as session:
        from models.tables.accounts import Account
        from models.tables.people import Person
        from tests.shared.accounts import account_with_password

        if await session.get(Account, both.person.person_id) is None:
            row = await session.get_one(Person, both.person.person_id)
            account = account_with_password(row, now())
            account.state = AccountState.REGISTERED.value
            session.add(account)
    case_id = await both.handed_in()
    await stands(both, case_id, Status.IN_REVIEW)
    assert (await both.case(case_id)).reviewer_id != both.person.person_id
    with pytest.raises(Refusal, match=r"own_case|second_person"):
        await both.decide(case_id, Transition.APPROVE)


async def test_the_page_says_what_is_left_and_the_api_too(verified: Verified) -> None:
    """Steps, closed parts with the reason, the table of documents; refusals lead here."""
    browser = await verified.desk.browser(verified.person)
    page = (await browser.get("/verifications")).text
    for words in ("зарегистрирована", "Ждём вас", "Какие документы нужны", "300 точек на дюйм"):
        assert words in page
    home = (await browser.get("/")).text
    assert "Подтвердите учётную запись" in home
    closed = await browser.get("/requests/new")
    assert closed.status_code == 403
    assert "/verifications" in closed.text
    state = (await browser.get("/api/v1/verifications/state")).json()
    assert (state["state"], state["done"]) == ("registered", [])
    begun = await browser.post("/verifications")
    draft: httpx.Response = await browser.get(begun.headers["location"])
    assert "Документы для подтверждения" in draft.text
    assert "Продолжить" in (await browser.get("/verifications")).text
