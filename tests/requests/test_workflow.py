"""The workflow of a request on a real Temporal, with a real worker and the module's simulator."""

import hashlib
from datetime import timedelta

import httpx
from sqlmodel import select
from temporalio.client import Client

from clients.gov_service import Acknowledgement
from clients.objects import Objects
from models.messages import case_workflow_id
from models.tables.notices import Notice
from rules.access import Role
from rules.cases.process import CaseKind, Party, Status
from rules.clock import now
from services.cases import running
from services.files.inspection.client import Inspection
from services.files.intake import Files
from services.requests import files as request_files
from services.requests.acknowledgements import message_id_of
from settings import Settings
from tests.requests.living import (
    asked_until,
    behave,
    due,
    journaled,
    page_of,
    stands_at,
    told,
)
from tests.shared.counter import FORMS, Counter
from tests.shared.waiting import until

BY_PEOPLE = {"workplace_certificate", "equipment"}


async def test_from_sending_to_the_verified_answer(
    bureau: Counter, settings: Settings, temporal: Client, worker: None, module: httpx.AsyncClient
) -> None:
    """S3, S4: accepted, handed over, answered; paper and answer lie in the store, with a signer."""
    case_id = await bureau.sent()
    await stands_at(bureau, case_id, Status.PROCESSING)
    await asked_until(bureau, case_id, Status.READY)
    page = await page_of(bureau, case_id)
    assert [paper.sealed for paper in page.papers] == [True]
    (answer,) = page.answers
    assert answer.outcome is Status.READY
    assert answer.signer
    assert answer.by is None
    objects = Objects(settings)
    async with bureau.database.work() as session:
        paper = await request_files.open_paper(session, objects, bureau.clinician, case_id, None)
        given = await request_files.open_answer(
            session, Files(objects, Inspection()), bureau.clinician, case_id, None, 1
        )
    assert b"".join([piece async for piece in paper.opened.chunks()]).startswith(b"%PDF-")
    kept = b"".join([piece async for piece in given.opened.chunks()])
    assert hashlib.sha256(kept).hexdigest() == answer.files[0].sha256
    await objects.close()
    kinds = [entry.kind for entry in await bureau.office.journal(case_id)]
    assert kinds == ["case.drafted", "case.submitted", "request.sent", "request.answered"]
    handle = temporal.get_workflow_handle(case_workflow_id(case_id, CaseKind.REQUEST))
    result = await handle.result()
    assert result["status"] == Status.READY


async def test_at_most_two_mails_when_all_goes_well(
    bureau: Counter, worker: None, module: httpx.AsyncClient
) -> None:
    """S5: every change is in the cabinet; what the next mail says as well is not mailed."""
    case_id = await bureau.sent()
    await asked_until(bureau, case_id, Status.READY)
    seen = await told(bureau, case_id)
    shown = [kind for kind, channel in seen if channel == "cabinet"]
    assert shown == ["request_accepted", "request_processing", "request_ready"]
    async with bureau.database.work() as session:
        found = await session.exec(
            select(Notice.kind).where(
                Notice.case_id == case_id, Notice.channel == "mail", Notice.state == "waiting"
            )
        )
        assert set(found.all()) == {"request_ready"}


async def test_every_type_of_the_module_is_answered(
    bureau: Counter, worker: None, module: httpx.AsyncClient
) -> None:
    """S1: with a signed document; of laboratory results the values themselves are kept too."""
    sent = {key: await bureau.sent(key) for key in FORMS if key not in BY_PEOPLE}
    assert len(sent) == 5
    for key, case_id in sent.items():
        await asked_until(bureau, case_id, Status.READY)
        (answer,) = (await page_of(bureau, case_id)).answers
        assert answer.signer, key
        kinds = [file.media_type for file in answer.files]
        assert kinds == ["application/pdf", "application/json"][: len(kinds)], key
        if key == "laboratory_results":
            assert len(kinds) == 2
            assert answer.data
            assert answer.data["results"]


async def test_refusal_comes_with_its_reason_and_can_be_corrected(
    bureau: Counter, worker: None, module: httpx.AsyncClient
) -> None:
    """S6: «Отказано» says why; the request, corrected, is answered, and the refusal stays."""
    await behave(module, answer="refused")
    case_id = await bureau.sent()
    await asked_until(bureau, case_id, Status.REFUSED)
    (refused,) = (await page_of(bureau, case_id)).answers
    assert refused.message
    await behave(module)
    await bureau.corrected(case_id, purpose="В поликлинику")
    await asked_until(bureau, case_id, Status.READY)
    answers = (await page_of(bureau, case_id)).answers
    assert [one.outcome for one in answers] == [Status.REFUSED, Status.READY]


async def test_sent_again_after_the_answer_in_a_new_run(
    bureau: Counter, temporal: Client, worker: None, module: httpx.AsyncClient
) -> None:
    """S6: after «Готов» too; the earlier version, its paper and its answer stay."""
    case_id = await bureau.sent()
    await asked_until(bureau, case_id, Status.READY)
    handle = temporal.get_workflow_handle(case_workflow_id(case_id, CaseKind.REQUEST))
    first = (await handle.describe()).run_id
    await handle.result()
    await bureau.corrected(case_id, purpose="В поликлинику")
    await asked_until(bureau, case_id, Status.READY)
    page = await page_of(bureau, case_id)
    assert [one.version for one in page.answers] == [1, 2]
    assert [one.version for one in page.papers] == [1, 2]
    assert (await handle.describe()).run_id != first
    assert page.case.closed_at is not None


async def test_overdue_request_is_told_to_ops_and_once_to_the_applicant(
    bureau: Counter, worker: None, module: httpx.AsyncClient
) -> None:
    """S5: a term that is over is said plainly; the request goes on, and nothing is refused."""
    engineer = await bureau.office.person("Фёдоров Илья", Role.OPS, bureau.office.institution)
    await behave(module, answer="never")
    case_id = await bureau.sent()
    await stands_at(bureau, case_id, Status.PROCESSING)
    past = now() - timedelta(days=12)
    await bureau.office.set_times(case_id, since=past, due_at=past + timedelta(days=4))
    await due(bureau, case_id)

    async def escalated() -> bool:
        return await journaled(bureau, case_id, "case.escalated")

    await until(escalated)
    case = await bureau.office.case(case_id)
    assert case.status == Status.PROCESSING
    assert case.escalated_at is not None
    assert case.wakes_at is not None
    assert case.wakes_at > now()
    kinds = [kind for kind, channel in await told(bureau, case_id) if channel == "cabinet"]
    assert kinds.count("request_overdue") == 1
    async with bureau.database.work() as session:
        found = await session.exec(
            select(Notice.kind).where(
                Notice.person_id == engineer.person_id, Notice.channel == "cabinet"
            )
        )
        assert found.all() == ["request_late"]


async def test_desk_request_waits_for_people_and_closes_its_workflow(
    bureau: Counter, temporal: Client, worker: None
) -> None:
    """W8: equipment is answered by the supply unit; a paper is formed, no module is asked."""
    case_id = await bureau.sent("equipment")
    await stands_at(bureau, case_id, Status.PROCESSING)
    case = await bureau.office.case(case_id)
    assert (case.waits_for, case.reviewer_id is not None) == (Party.REVIEWER, True)

    async def known() -> bool:
        """The workflow has heard of what its activity committed."""
        state = await running.present_state(temporal, case)
        return state is not None and state.waits_for is Party.REVIEWER

    await until(known)
    await bureau.answered(case_id)
    handle = temporal.get_workflow_handle(case_workflow_id(case_id, CaseKind.REQUEST))
    result = await handle.result()
    assert result["status"] == Status.READY
    assert [paper.sealed for paper in (await page_of(bureau, case_id)).papers] == [False]


async def test_withdrawn_request_ends_its_workflow(
    bureau: Counter, temporal: Client, worker: None, module: httpx.AsyncClient
) -> None:
    """«Отозван»: the module hears of it, and what it says later is journaled only."""
    await behave(module, answer="never")
    case_id = await bureau.sent()
    await stands_at(bureau, case_id, Status.PROCESSING)
    act = await bureau.act(case_id)
    await bureau.requests.withdraw(bureau.clinician, case_id, act, "Передумала.")
    handle = temporal.get_workflow_handle(case_workflow_id(case_id, CaseKind.REQUEST))
    result = await handle.result()
    assert (result["status"], result["owes"]) == (Status.WITHDRAWN, False)
    kept = (await module.get(f"/v1/messages/{message_id_of(case_id, 1)}")).json()
    assert kept["state"] == "withdrawn"
    assert await journaled(bureau, case_id, "request.withdrawal_told")
    late = Acknowledgement(state="answered", at=now(), envelope=b"late")
    await bureau.requests.receipt(message_id_of(case_id, 1), late)
    assert await journaled(bureau, case_id, "request.odd_receipt")
