"""The workflow of a request on a real Temporal, with a real worker and the module's simulator."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import update
from sqlmodel import col, select
from temporalio.client import Client

from clients.database import Database
from clients.gov_service import Receipt
from clients.objects import Objects
from clients.temporal import CaseRinger, connect
from models.encryption import KeyRing
from models.messages import ActRef, case_workflow_id
from models.tables.cases import Outage
from models.tables.notices import Notice
from models.tables.requests import RequestMessage
from rules.cases import CaseKind, Party, Status
from rules.clock import now
from rules.permissions import Role
from services import case_pages, live, request_handover, request_pages, watching
from services.bell import Bell
from services.case_pages import CasePage
from services.exchange import Exchange
from services.request_receipts import message_id_of
from settings import Settings
from tests.requests.counter import Counter
from worker import build


@pytest.fixture(scope="session")
async def client(settings: Settings) -> Client:
    """A client of the test run's Temporal."""
    return await connect(settings, KeyRing.parse(settings.keys.get_secret_value()))


@pytest.fixture
async def bureau(settings: Settings, database: Database, client: Client) -> Counter:
    """A counter whose acts ring real workflows."""
    return await Counter.open(database, CaseRinger(client, settings.task_queue))


@pytest.fixture
async def module(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """The simulator's switches; it answers at once, and is ordinary again afterwards."""
    async with httpx.AsyncClient(base_url=settings.gov_service_url) as switches:
        await behave(switches)
        yield switches
        await behave(switches)
        await switches.put("/faults", json={"mode": "ok"})


async def behave(module: httpx.AsyncClient, **chosen: Any) -> None:
    """How the module goes wrong, if at all."""
    reply = await module.put("/behaviour", json={"delay": 0, "callbacks": "lost", **chosen})
    assert reply.status_code == 200


@asynccontextmanager
async def working(settings: Settings, client: Client, database: Database) -> AsyncIterator[None]:
    """A worker for as long as the block lasts."""
    async with build(settings, client, database):
        yield


@pytest.fixture
async def worker(settings: Settings, client: Client, database: Database) -> AsyncIterator[None]:
    """A worker for the whole test."""
    async with working(settings, client, database):
        yield


async def until(what: Callable[[], Awaitable[bool]], seconds: float = 20.0) -> None:
    """Wait until something holds; fails after `seconds`."""
    async with asyncio.timeout(seconds):
        while not await what():  # noqa: ASYNC110 - the answer stands in a database
            await asyncio.sleep(0.05)


async def stands_at(counter: Counter, case_id: UUID, status: Status) -> None:
    """Wait until the request stands there."""

    async def check() -> bool:
        return (await counter.office.case(case_id)).status == status

    await until(check)


async def due(counter: Counter, case_id: UUID) -> None:
    """Let the time come at which the module is asked."""
    async with counter.database.work() as session:
        await session.exec(
            update(RequestMessage)
            .where(col(RequestMessage.case_id) == case_id)
            .values(ask_at=now() - timedelta(seconds=1))
        )
    await counter.office.set_times(case_id, wakes_at=now() - timedelta(hours=1), rung_at=None)
    ringer = counter.office.heard
    await watching.sweep(counter.database, Bell(ringer), grace=1.0)


async def asked_until(counter: Counter, case_id: UUID, status: Status) -> None:
    """Ask again and again, as the hours go by, until the request stands there."""

    async def check() -> bool:
        if (await counter.office.case(case_id)).status == status:
            return True
        await due(counter, case_id)
        await asyncio.sleep(0.3)
        return False

    await until(check)


async def journaled(counter: Counter, case_id: UUID, kind: str) -> bool:
    """Whether the journal of the request holds such an entry."""
    return kind in [entry.kind for entry in await counter.office.journal(case_id)]


async def page_of(counter: Counter, case_id: UUID) -> CasePage:
    """What the applicant sees."""
    async with counter.database.work() as session:
        return await case_pages.page(session, counter.clinician, case_id)


async def told(counter: Counter, case_id: UUID) -> list[tuple[str, str]]:
    """Kinds and channels of the notices about the request, oldest first."""
    async with counter.database.work() as session:
        found = await session.exec(
            select(Notice).where(Notice.case_id == case_id).order_by(col(Notice.id))
        )
        return [(one.kind, one.channel) for one in found.all()]


async def test_from_sending_to_the_verified_answer(
    bureau: Counter, settings: Settings, client: Client, worker: None, module: httpx.AsyncClient
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
        paper = await request_pages.open_paper(session, objects, bureau.clinician, case_id, None)
        given = await request_pages.open_answer(
            session, objects, bureau.clinician, case_id, None, 1
        )
    assert b"".join([piece async for piece in paper.opened.chunks()]).startswith(b"%PDF-")
    kept = b"".join([piece async for piece in given.opened.chunks()])
    assert hashlib.sha256(kept).hexdigest() == answer.files[0].sha256
    await objects.close()
    kinds = [entry.kind for entry in await bureau.office.journal(case_id)]
    assert kinds == ["case.drafted", "case.submitted", "request.sent", "request.answered"]
    handle = client.get_workflow_handle(case_workflow_id(case_id, CaseKind.REQUEST))
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


async def test_results_come_as_data_too(
    bureau: Counter, worker: None, module: httpx.AsyncClient
) -> None:
    """S1: of laboratory results the values themselves are kept beside the document."""
    case_id = await bureau.sent("laboratory_results")
    await asked_until(bureau, case_id, Status.READY)
    (answer,) = (await page_of(bureau, case_id)).answers
    assert answer.data
    assert answer.data["results"]
    assert [file.media_type for file in answer.files] == ["application/pdf", "application/json"]


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
    bureau: Counter, client: Client, worker: None, module: httpx.AsyncClient
) -> None:
    """S6: after «Готов» too; the earlier version, its paper and its answer stay."""
    case_id = await bureau.sent()
    await asked_until(bureau, case_id, Status.READY)
    handle = client.get_workflow_handle(case_workflow_id(case_id, CaseKind.REQUEST))
    first = (await handle.describe()).run_id
    await handle.result()
    await bureau.corrected(case_id, purpose="В поликлинику")
    await asked_until(bureau, case_id, Status.READY)
    page = await page_of(bureau, case_id)
    assert [one.version for one in page.answers] == [1, 2]
    assert [one.version for one in page.papers] == [1, 2]
    assert (await handle.describe()).run_id != first
    assert page.case.closed_at is not None


@pytest.mark.parametrize(
    "spoilt", ["tampered", "garbled", "other_signer", "other_message", "other_request"]
)
async def test_answer_that_does_not_verify_is_refused_and_told(
    bureau: Counter, worker: None, module: httpx.AsyncClient, spoilt: str
) -> None:
    """An answer is believed by its signature alone: else ops are told and the request waits on."""
    engineer = await bureau.office.person("Фёдоров Илья", Role.OPS, bureau.office.institution)
    await behave(module, answer=spoilt)
    case_id = await bureau.sent()
    await stands_at(bureau, case_id, Status.PROCESSING)

    async def refused() -> bool:
        await due(bureau, case_id)
        await asyncio.sleep(0.2)
        return await journaled(bureau, case_id, "request.answer_unverified")

    await until(refused)
    assert (await bureau.office.case(case_id)).status == Status.PROCESSING
    assert (await page_of(bureau, case_id)).answers == []
    async with bureau.database.work() as session:
        found = await session.exec(
            select(Notice.kind).where(
                Notice.person_id == engineer.person_id, Notice.case_id == case_id
            )
        )
        assert set(found.all()) == {"request_answer_unverified"}
    shown = [entry.kind for entry in (await page_of(bureau, case_id)).timeline]
    assert "request.answer_unverified" not in shown


async def test_module_that_answers_twice_is_heard_once(
    bureau: Counter, worker: None, module: httpx.AsyncClient
) -> None:
    """The first answer that verifies counts; another one is journaled and changes nothing."""
    case_id = await bureau.sent()
    await asked_until(bureau, case_id, Status.READY)
    before = (await page_of(bureau, case_id)).answers
    again = Receipt(state="answered", at=now(), envelope=b"another answer")
    for _ in range(3):
        await bureau.requests.receipt(message_id_of(case_id, 1), again)
    assert (await page_of(bureau, case_id)).answers == before
    kinds = [entry.kind for entry in await bureau.office.journal(case_id)]
    assert kinds.count("request.odd_receipt") == 1


async def test_answer_to_an_earlier_version_changes_nothing(
    bureau: Counter, worker: None, module: httpx.AsyncClient
) -> None:
    """What was asked before the correction is not the answer to what is asked now."""
    await behave(module, answer="never")
    case_id = await bureau.sent()
    await stands_at(bureau, case_id, Status.PROCESSING)
    await bureau.corrected(case_id, purpose="В поликлинику")

    async def second() -> bool:
        case = await bureau.office.case(case_id)
        return (case.version, case.status) == (2, Status.PROCESSING)

    await until(second)
    step = (await bureau.office.case(case_id)).step
    late = Receipt(state="answered", at=now(), envelope=b"to the first version")
    await bureau.requests.receipt(message_id_of(case_id, 1), late)
    await asyncio.sleep(0.5)
    case = await bureau.office.case(case_id)
    assert (case.status, case.step) == (Status.PROCESSING, step)
    assert await journaled(bureau, case_id, "request.odd_receipt")


async def test_lost_worker_costs_nothing(
    bureau: Counter,
    settings: Settings,
    client: Client,
    database: Database,
    module: httpx.AsyncClient,
) -> None:
    """Sent while no worker runs; handed over by one, answered under another; given over once."""
    case_id = await bureau.sent()
    async with working(settings, client, database):
        await stands_at(bureau, case_id, Status.PROCESSING)
    async with working(settings, client, database):
        await asked_until(bureau, case_id, Status.READY)
    number = (await bureau.office.case(case_id)).number
    known = [one for one in (await module.get("/messages")).json() if one["number"] == number]
    assert [one["handed_over"] for one in known] == [1]


async def test_killed_after_handing_over_is_given_again_and_answered_once(
    bureau: Counter,
    settings: Settings,
    client: Client,
    database: Database,
    module: httpx.AsyncClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The module has it and our note of that was lost: the same envelope again, one answer."""
    note = request_handover._note_handed_over
    lost: list[Receipt] = []

    async def lose_the_first(exchange: Exchange, message: RequestMessage, receipt: Receipt) -> Any:
        if not lost:
            lost.append(receipt)
            raise ConnectionError("killed")
        return await note(exchange, message, receipt)

    monkeypatch.setattr(request_handover, "_note_handed_over", lose_the_first)
    case_id = await bureau.sent()
    async with working(settings, client, database):
        # It was answered meanwhile, so the reply to the second handing over is the answer.
        await stands_at(bureau, case_id, Status.READY)
    number = (await bureau.office.case(case_id)).number
    known = [one for one in (await module.get("/messages")).json() if one["number"] == number]
    assert [(one["handed_over"], one["answers"]) for one in known] == [(2, 1)]
    kinds = [entry.kind for entry in await bureau.office.journal(case_id)]
    assert kinds.count("request.sent") == kinds.count("request.answered") == 1


async def test_module_down_for_hours_delays_and_loses_nothing(
    bureau: Counter, worker: None, module: httpx.AsyncClient
) -> None:
    """One outage, one entry in the journal; the person sees for whom it waits; then it goes on."""
    await module.put("/faults", json={"mode": "fail"})
    case_id = await bureau.sent()

    async def waits() -> bool:
        return (await bureau.office.case(case_id)).waits_for == Party.ADDRESSEE

    await until(waits)
    assert (await page_of(bureau, case_id)).outage_since is not None
    async with bureau.database.work() as session:
        await session.exec(
            update(Outage)
            .where(col(Outage.system) == "gov-service", col(Outage.until).is_(None))
            .values(since=now() - timedelta(hours=5))
        )
    await due(bureau, case_id)

    async def later() -> bool:
        wakes = (await bureau.office.case(case_id)).wakes_at
        return wakes is not None and wakes > now() + timedelta(minutes=9)

    await until(later)
    assert (await bureau.office.case(case_id)).status == Status.ACCEPTED
    await module.put("/faults", json={"mode": "ok"})
    await asked_until(bureau, case_id, Status.READY)
    kinds = [entry.kind for entry in await bureau.office.journal(case_id)]
    assert kinds.count("request.addressee_down") == 1
    async with bureau.database.work() as session:
        found = await session.exec(
            select(Outage.id).where(Outage.system == "gov-service", col(Outage.until).is_(None))
        )
        assert found.all() == []


async def test_module_that_forgot_everything_is_given_it_again(
    bureau: Counter, worker: None, module: httpx.AsyncClient
) -> None:
    """A module restored from an older backup answers in the end, by the same envelope."""
    await behave(module, answer="never")
    case_id = await bureau.sent()
    await stands_at(bureau, case_id, Status.PROCESSING)
    await module.delete("/messages")
    await behave(module)
    await asked_until(bureau, case_id, Status.READY)


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


async def test_what_the_module_will_never_take_is_stuck_and_told(
    bureau: Counter, settings: Settings, worker: None, module: httpx.AsyncClient
) -> None:
    """A refusal of the envelope itself needs people: ops are told at once, nothing is lost."""
    engineer = await bureau.office.person("Фёдоров Илья", Role.OPS, bureau.office.institution)
    case_id = await bureau.draft()
    message_id = message_id_of(case_id, 1)
    # Other contents under the same id: what the module took once it never takes otherwise.
    taken = await bureau.sent()
    await asked_until(bureau, taken, Status.READY)
    async with bureau.database.work() as session:
        before = await session.get_one(RequestMessage, (taken, 1))
        paper = {**before.model_dump(), "case_id": case_id, "message_id": message_id}
        paper |= {"paper_key": uuid4().hex, "handed_over_at": None, "ask_at": None}
        paper["envelope_key"] = None
        session.add(RequestMessage(**paper))
    objects = Objects(settings)
    stored = await objects.put(f"requests/{uuid4().hex}", b"no envelope", 11, "application/cms")
    await objects.close()
    async with bureau.database.work() as session:
        row = await session.get_one(RequestMessage, (case_id, 1))
        row.envelope_key = stored.key
        session.add(row)
    await bureau.requests.submit(bureau.clinician, case_id, await bureau.act(case_id))

    async def stuck() -> bool:
        return (await bureau.office.case(case_id)).stuck is not None

    await until(stuck)
    assert (await bureau.office.case(case_id)).stuck == "GovServiceRefused.unreadable"
    async with bureau.database.work() as session:
        found = await session.exec(
            select(Notice.kind).where(
                Notice.person_id == engineer.person_id, Notice.channel == "cabinet"
            )
        )
        assert found.all() == ["request_stuck"]


async def test_desk_request_waits_for_people_and_closes_its_workflow(
    bureau: Counter, client: Client, worker: None
) -> None:
    """W8: equipment is answered by the supply unit; a paper is formed, no module is asked."""
    case_id = await bureau.sent("equipment")
    await stands_at(bureau, case_id, Status.PROCESSING)
    case = await bureau.office.case(case_id)
    assert (case.waits_for, case.reviewer_id is not None) == (Party.REVIEWER, True)
    state = await live.present_state(client, case_id, CaseKind.REQUEST)
    assert state is not None
    assert state.waits_for is Party.REVIEWER
    await bureau.answered(case_id)
    handle = client.get_workflow_handle(case_workflow_id(case_id, CaseKind.REQUEST))
    result = await handle.result()
    assert result["status"] == Status.READY
    assert [paper.sealed for paper in (await page_of(bureau, case_id)).papers] == [False]


async def test_withdrawn_request_ends_its_workflow(
    bureau: Counter, client: Client, worker: None, module: httpx.AsyncClient
) -> None:
    """«Отозван»: nobody waits any more, and what the module says later is journaled only."""
    await behave(module, answer="never")
    case_id = await bureau.sent()
    await stands_at(bureau, case_id, Status.PROCESSING)
    act = await bureau.act(case_id)
    await bureau.requests.withdraw(bureau.clinician, case_id, act, "Передумала.")
    handle = client.get_workflow_handle(case_workflow_id(case_id, CaseKind.REQUEST))
    result = await handle.result()
    assert result["status"] == Status.WITHDRAWN
    late = Receipt(state="answered", at=now(), envelope=b"late")
    await bureau.requests.receipt(message_id_of(case_id, 1), late)
    assert await journaled(bureau, case_id, "request.odd_receipt")


async def test_signal_typed_by_hand_answers_nothing(
    bureau: Counter, client: Client, worker: None, module: httpx.AsyncClient
) -> None:
    """Nobody can answer a request by talking to Temporal; who tries is journaled."""
    await behave(module, answer="never")
    case_id = await bureau.sent()
    await stands_at(bureau, case_id, Status.PROCESSING)
    handle = client.get_workflow_handle(case_workflow_id(case_id, CaseKind.REQUEST))
    for signal in ("answer", "receipt"):
        await handle.signal(signal, ActRef(act_id=uuid4()))

    async def noted() -> bool:
        kinds = [entry.kind for entry in await bureau.office.journal(case_id)]
        return kinds.count("case.signal_without_act") == 2

    await until(noted)
    assert (await bureau.office.case(case_id)).status == Status.PROCESSING
