"""A periodic accreditation on real servers: its portfolio, the federal centre, its terms (A10)."""

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from io import BytesIO
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pikepdf
import pytest
import rfc8785
from sqlmodel import select

from clients.accreditation_centre import CentreHasOther, digest_of
from clients.temporal.client import connect
from crypto.key_ring import KeyRing
from models.messages import case_workflow_id
from models.tables.cases import CaseAttachment
from models.tables.credentials import Credential, CredentialFile, CredentialVersion
from models.tables.documents import DocumentVersion
from rules.access import Role
from rules.cases.process import CaseKind, Party, Status, Transition
from rules.clock import now
from rules.refusals import Refusal
from services.accreditations.granting import _renewed
from services.cases.acts import Act
from services.credentials import rows
from services.credentials.seen import of_person
from settings import Settings
from tests.accreditations.living import OLD_NUMBER, OLD_ONE, TODAY, Accredited, centre, course
from tests.shared.desk import Desk
from tests.shared.served import in_process
from tests.shared.servers import Servers
from tests.shared.waiting import until
from worker import build


@pytest.fixture(scope="module")
async def desk(settings: Settings, servers: Servers) -> AsyncIterator[Desk]:
    """An application with a worker."""
    async with in_process(settings, servers) as app:
        opened = await Desk.open(app)
        own = opened.container.settings
        client = await connect(own, KeyRing.parse(own.keys.get_secret_value()))
        async with build(own, client, opened.container.database):
            yield opened


@pytest.fixture
async def someone(desk: Desk) -> Accredited:
    """Somebody of this test's own."""
    person = await desk.office.person("Соколова Анна Сергеевна", Role.DOCTOR, desk.office.ward)
    made = Accredited(desk, person)
    await made.full_file()
    return made


async def test_from_documents_to_the_accreditation(someone: Accredited) -> None:
    """Checked, approved, sealed, forwarded, decided; everybody is told; the portfolio is whole."""
    desk = someone.desk
    async with centre(desk.container.settings.accreditation_centre_url) as switches:
        case_id = await someone.handed_in()
        await someone.stands(case_id, Status.IN_REVIEW)
        assert str((await someone.case(case_id)).number).startswith("АК-")
        assert await someone.findings(case_id) == [
            "hours_fine",
            "filed_in_time",
            "attachments_fine",
        ]
        await someone.decide(case_id, Transition.APPROVE)
        await someone.stands(case_id, Status.ACCREDITED)
        package = await someone.package(case_id)
        assert package is not None
        assert package.decision
        assert package.decision["number"]
        kept = (await switches.get("/packages")).json()
        assert [one["sent"] for one in kept if one["id"] == str(package.package_id)] == [1]
    assert await someone.told() == [
        "accreditation_submitted",
        "accreditation_in_review",
        "accreditation_approved",
        "accreditation_forwarded",
        "accreditation_with_commission",
        "accreditation_granted",
    ]
    assert await in_file(someone) == [(OLD_NUMBER, True), (package.decision["number"], False)]
    granted, copies = await granted_to(someone, package.decision["number"])
    assert (granted.source, granted.made_by) == ("accreditation_centre", None)
    assert [(one.media_type, one.verdict, one.pages) for one in copies] == [
        ("application/pdf", "ok", 1)
    ]
    kept_at = copies[0].object_key or ""
    assert (await desk.container.objects.read(kept_at)).startswith(b"%PDF-")
    assert "accreditation_answered" in await someone.told(desk.office.reviewer)
    browser, theirs = await desk.browser(someone.person), await desk.browser(desk.office.reviewer)
    number = (await someone.case(case_id)).number or ""
    shown = (await browser.get(f"/accreditations/{case_id}")).text
    assert "Аккредитация действует до" in shown
    assert package.decision["number"] in shown
    assert number in (await browser.get("/accreditations")).text
    assert number in (await browser.get("/archive?kind=accreditation")).text
    for who, path in (
        (browser, f"/accreditations/{case_id}/portfolio"),
        (theirs, f"/api/v1/accreditations/{case_id}/portfolio"),
    ):
        portfolio = (await who.get(path)).content
        assert digest_of(rfc8785.dumps(package.application), portfolio) == package.digest
    with pikepdf.open(BytesIO(portfolio)) as document:
        assert len(document.pages) >= package.portfolio_pages + 2
        assert document.Root.Outlines.Count != 0
        assert "/AcroForm" in document.Root
    whole = await browser.get(f"/archive/cases/{case_id}")
    assert "Портфолио".encode() in whole.content
    run = desk.container.temporal.get_workflow_handle(
        case_workflow_id(case_id, CaseKind.ACCREDITATION)
    )
    assert (await run.describe()).workflow_type == "PeriodicAccreditation"
    stranger = await desk.office.person("Чужой Пётр", Role.DOCTOR, desk.office.hr)
    assert (
        await (await desk.browser(stranger)).get(f"/accreditations/{case_id}/portfolio")
    ).status_code == 404


async def test_the_centre_asks_and_is_answered(someone: Accredited) -> None:
    """Remarks come back to the applicant; the answer goes through the department again."""
    acts, url = someone.acts, someone.desk.container.settings.accreditation_centre_url
    async with centre(url, answer="remarks") as switches:
        case_id = await someone.handed_in()
        await someone.stands(case_id, Status.IN_REVIEW)
        await someone.decide(case_id, Transition.APPROVE)
        await someone.stands(case_id, Status.CLARIFICATION)
        browser = await someone.desk.browser(someone.person)
        assert (
            "Федеральный центр просит исправить"
            in (await browser.get(f"/accreditations/{case_id}")).text
        )
        assert "уточните стаж" in (await browser.get(f"/accreditations/{case_id}/draft")).text
        await switches.put("/behaviour", json={"delay": 0, "answer": "refused"})
        await acts.save_draft(someone.person, case_id, {"experience": 13})
        step = (await someone.case(case_id)).step
        await acts.resubmit(someone.person, case_id, Act(uuid4(), step))
        await someone.stands(case_id, Status.IN_REVIEW)
        await someone.decide(case_id, Transition.APPROVE)
        await someone.stands(case_id, Status.REFUSED)
    first, second = await someone.package(case_id), await someone.package(case_id, 2)
    assert first is not None
    assert second is not None
    assert first.package_id != second.package_id
    shown = (await browser.get(f"/accreditations/{case_id}")).text
    assert "Решение федерального центра" in shown
    copy = await acts.copy(someone.person, case_id)
    assert copy.draft["experience"] == 13
    assert (await acts.create_draft(someone.person)).id == copy.id


async def test_a_lost_answer_and_a_centre_that_is_down(someone: Accredited) -> None:
    """The package is made once and sent until it is known; down is said so; broken is no answer."""
    desk = someone.desk
    url = desk.container.settings.accreditation_centre_url
    async with centre(url, lost=True) as switches:
        case_id = await someone.handed_in()
        await someone.stands(case_id, Status.IN_REVIEW)
        await someone.decide(case_id, Transition.APPROVE)

        async def waits() -> bool:
            return (await someone.case(case_id)).waits_for == Party.FEDERAL_CENTRE

        await until(waits)
        assert (await someone.case(case_id)).status == Status.APPROVED
        shown = (await (await desk.browser(someone.person)).get(f"/accreditations/{case_id}")).text
        assert "Центр не отвечает" in shown
        await switches.put("/behaviour", json={"delay": 0, "answer": "silent"})
        await desk.office.set_times(case_id, wakes_at=now() - timedelta(seconds=1))
        await someone.stands(case_id, Status.FORWARDED)
        package = await someone.package(case_id)
        assert package is not None
        kept = {one["id"]: one["sent"] for one in (await switches.get("/packages")).json()}
        assert kept[str(package.package_id)] >= 2
        # A centre that has lost everything gets the same package again.
        await switches.delete(f"/packages/{package.package_id}")
        # An extract that acts when it is opened is not kept; the accreditation counts all the same.
        spoilt = {"answer": "accredited", "garbled": True, "extract": "active"}
        await switches.put("/behaviour", json={"delay": 0, **spoilt})
        await someone.ask_now(case_id)
        assert (await someone.case(case_id)).status == Status.FORWARDED
        await switches.put("/behaviour", json={"delay": 0})
        await someone.ask_now(case_id)
        await someone.stands(case_id, Status.ACCREDITED)
        package = await someone.package(case_id)
        assert package is not None
        assert package.decision
        assert (await granted_to(someone, package.decision["number"]))[1] == []


async def test_other_contents_under_our_id_are_an_alarm(someone: Accredited) -> None:
    """The centre has something else: the case is stuck, ops are told, nothing is believed."""
    desk = someone.desk
    ops = await desk.office.person("Орехов Денис", Role.OPS, desk.office.institution)
    line = desk.container.settings.accreditation_centre_url
    async with centre(line) as switches:
        case_id = await someone.handed_in()
        await someone.stands(case_id, Status.IN_REVIEW)
        from clients.accreditation_centre import AccreditationCentre
        from services.accreditations.packaging import package_id_of

        other = rfc8785.dumps({"number": "другое", "version": 1})
        async with AccreditationCentre(line) as client:
            await client.submit(package_id_of(case_id, 1), other, b"%PDF-1.7 other")
            with pytest.raises(CentreHasOther):
                await client.standing(package_id_of(case_id, 1), "0" * 64)
        await someone.decide(case_id, Transition.APPROVE)

        async def stuck() -> bool:
            return (await someone.case(case_id)).stuck == "CentreRefused.other_contents"

        await until(stuck)
        assert (await someone.case(case_id)).status == Status.APPROVED
        assert (await switches.get("/packages")).status_code == 200
    assert "accreditation_stuck" in await someone.told(ops)


async def test_a_lost_document_is_told_to_ops(someone: Accredited) -> None:
    """What no try can mend stops the case at once, and somebody learns of it."""
    desk = someone.desk
    ops = await desk.office.person("Орехов Денис", Role.OPS, desk.office.institution)
    case_id = await someone.handed_in()
    await someone.stands(case_id, Status.IN_REVIEW)
    async with desk.container.database.work() as session:
        found = await session.exec(
            select(DocumentVersion.object_key)
            .join(CaseAttachment)
            .where(CaseAttachment.case_id == case_id, CaseAttachment.kind == "course")
        )
        key = found.one()
    assert key is not None
    await desk.container.objects.remove(key)
    await someone.decide(case_id, Transition.APPROVE)

    async def stuck() -> bool:
        return (await someone.case(case_id)).stuck == "Refusal.file_missing"

    await until(stuck)
    assert "accreditation_stuck" in await someone.told(ops)


async def test_the_term_of_the_centre_is_watched(someone: Accredited) -> None:
    """A silent centre: heads are told when 20 working days are over, the applicant once."""
    desk = someone.desk
    async with centre(desk.container.settings.accreditation_centre_url, answer="silent"):
        case_id = await someone.handed_in()
        await someone.stands(case_id, Status.IN_REVIEW)
        await someone.decide(case_id, Transition.APPROVE)
        await someone.stands(case_id, Status.FORWARDED)
        case = await someone.case(case_id)
        assert case.due_at is not None
        assert 26 <= (case.due_at - now()).days <= 50
        past = now() - timedelta(days=60)
        await desk.office.set_times(
            case_id, since=past, due_at=past + timedelta(days=28), wakes_at=now()
        )
        await someone.sweep()

        async def told() -> bool:
            return "accreditation_overdue" in await someone.told()

        await until(told)
        assert (await someone.case(case_id)).status == Status.FORWARDED
        assert (await someone.told()).count("accreditation_overdue") == 1
        assert "accreditation_centre_late" in await someone.told(desk.office.head)


async def test_what_may_not_be_handed_in(someone: Accredited) -> None:
    """A long break, a second case of the same specialty; one draft, which is gone on with."""
    acts = someone.acts
    with pytest.raises(Refusal, match="incomplete") as refused:
        await someone.handed_in(worked_until="2015-01-01")
    assert [one.path for one in refused.value.fields] == ["worked_until"]
    draft = await acts.create_draft(someone.person)
    await acts.save_draft(someone.person, draft.id, {"worked_until": ""})
    await acts.submit(someone.person, draft.id, Act(uuid4(), 0))
    with pytest.raises(Refusal, match="incomplete") as refused:
        await someone.handed_in()
    assert [one.path for one in refused.value.fields] == ["specialty"]
    assert len({(await acts.create_draft(someone.person)).id for _ in range(2)}) == 1


async def test_of_two_credentials_the_right_one_is_replaced(someone: Accredited) -> None:
    """«Продлить» of both led to the one draft: the number in the form says which it renews."""
    numbers = "7725 000999998", "7725 000999999"
    two = [await someone.has("accreditation", {**OLD_ONE, "number": one}) for one in numbers]
    draft = await someone.acts.create_draft(someone.person)
    async with someone.desk.container.database.work() as session:
        for one in two:
            (await session.get_one(Credential, one)).renewal_case_id = draft.id
    async with someone.desk.container.database.work() as session:
        for number, right in zip((*numbers, "неизвестен"), (*two, None), strict=True):
            version: Any = SimpleNamespace(data={"previous_number": number})
            found = await _renewed(session, draft, version)
            assert (found.id if found else None) == right


async def granted_to(
    someone: Accredited, number: str
) -> tuple[CredentialVersion, Sequence[DocumentVersion]]:
    """What the file says of the accreditation with this number, and its copies."""
    async with someone.desk.container.database.work() as session:
        owner = someone.person.person_id
        known = await rows.with_number(session, owner, "accreditation", {"number": number})
        assert known is not None
        version = await rows.current(session, await session.get_one(Credential, known))
        copies = await session.exec(
            select(DocumentVersion)
            .join(CredentialFile)
            .where(CredentialFile.version_id == version.id)
        )
        return version, copies.all()


async def in_file(someone: Accredited) -> list[tuple[str, bool]]:
    """The accreditations of the file by number, and whether each was replaced."""
    async with someone.desk.container.database.work() as session:
        _, seen = await of_person(session, someone.person, someone.person.person_id, now())
    known = [one for one in seen if one.category.key == "accreditation"]
    return sorted((one.number, one.replaced_by is not None) for one in known)


async def test_what_is_missing_and_who_gives_it(desk: Desk) -> None:
    """The page and the API say it; the draft follows the file; hours are nobody's to type."""
    person = await desk.office.person("Новикова Дарья", Role.DOCTOR, desk.office.ward)
    someone = Accredited(desk, person)
    await someone.has("accreditation", OLD_ONE)
    await someone.has("course", course(36, 20))
    old = (TODAY - timedelta(days=6 * 366)).isoformat()
    days = {"began_on": old, "ended_on": old, "issued_on": old}
    await someone.has("course", {**course(200, 200, "2"), **days})
    browser = await desk.browser(person)
    needs = (await browser.get("/api/v1/accreditations/needs")).json()
    assert (needs["hours"], needs["certified_hours"]) == (36, 20)
    assert (needs["missing"], needs["certified_missing"]) == (108, 52)
    assert needs["alone"] is True
    assert all(one["hours"] >= 108 for one in needs["programmes"])
    shown = (await browser.get("/accreditations")).text
    assert "Часы обучения: 36 из 144" in shown
    assert needs["programmes"][0]["title"] in shown
    assert "старше пяти лет" in shown
    case = await someone.acts.create_draft(person)
    assert case.draft["specialty"] == "cardiology"
    assert case.draft["previous_number"] == OLD_NUMBER
    assert (case.draft["hours"], case.draft["certified_hours"]) == (36, 20)
    assert sorted(one["kind"] for one in case.draft_attachments) == ["accreditation", "course"]
    saved, _ = await someone.acts.save_draft(person, case.id, {"hours": 500, "experience": 4})
    assert saved.draft["hours"] == 36
    await someone.has("course", course(108, 60, "3"))
    fresh = await someone.acts.refresh(person, case.id)
    assert (fresh.draft["hours"], fresh.draft["certified_hours"]) == (144, 80)
    assert fresh.draft["experience"] == 4
    assert len(fresh.draft_attachments) == 3
