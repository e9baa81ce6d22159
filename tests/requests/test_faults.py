"""What goes wrong on the way to the module and back: each ends in a right state (S3, S4)."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import update
from sqlmodel import col, select
from temporalio.client import Client

from clients.database import Database
from clients.gov_service import Acknowledgement
from clients.objects import Objects
from models.messages import ActRef, case_workflow_id
from models.tables.cases import Outage
from models.tables.notices import Notice
from models.tables.requests import RequestMessage
from rules.access import Role
from rules.cases.process import CaseKind, Party, Status
from rules.clock import now
from services.gov_service.line import Exchange
from services.requests import handover
from services.requests.acknowledgements import message_id_of
from settings import Settings
from tests.requests.living import (
    asked_until,
    behave,
    due,
    journaled,
    page_of,
    stands_at,
)
from tests.shared.counter import Counter
from tests.shared.waiting import until
from worker import build


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
    again = Acknowledgement(state="answered", at=now(), envelope=b"another answer")
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
    await stands_at(bureau, case_id, Status.PROCESSING, version=2)
    step = (await bureau.office.case(case_id)).step
    late = Acknowledgement(state="answered", at=now(), envelope=b"to the first version")
    await bureau.requests.receipt(message_id_of(case_id, 1), late)
    await asyncio.sleep(0.5)
    case = await bureau.office.case(case_id)
    assert (case.status, case.step) == (Status.PROCESSING, step)
    assert await journaled(bureau, case_id, "request.odd_receipt")


async def test_lost_worker_costs_nothing(
    bureau: Counter,
    settings: Settings,
    temporal: Client,
    database: Database,
    module: httpx.AsyncClient,
) -> None:
    """Sent while no worker runs; handed over by one, answered under another; given over once."""
    case_id = await bureau.sent()
    async with build(settings, temporal, database):
        await stands_at(bureau, case_id, Status.PROCESSING)
    async with build(settings, temporal, database):
        await asked_until(bureau, case_id, Status.READY)
    number = (await bureau.office.case(case_id)).number
    known = [one for one in (await module.get("/messages")).json() if one["number"] == number]
    assert [one["handed_over"] for one in known] == [1]


async def test_killed_after_handing_over_is_given_again_and_answered_once(
    bureau: Counter,
    settings: Settings,
    temporal: Client,
    database: Database,
    module: httpx.AsyncClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The module has it and our note of that was lost: the same envelope again, one answer."""
    note = handover._note_handed_over
    lost: list[Acknowledgement] = []

    async def lose_the_first(
        exchange: Exchange, message: RequestMessage, receipt: Acknowledgement
    ) -> Any:
        if not lost:
            lost.append(receipt)
            raise ConnectionError("killed")
        return await note(exchange, message, receipt)

    monkeypatch.setattr(handover, "_note_handed_over", lose_the_first)
    case_id = await bureau.sent()
    async with build(settings, temporal, database):
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


async def test_signal_typed_by_hand_answers_nothing(
    bureau: Counter, temporal: Client, worker: None, module: httpx.AsyncClient
) -> None:
    """Nobody can answer a request by talking to Temporal; who tries is journaled."""
    await behave(module, answer="never")
    case_id = await bureau.sent()
    await stands_at(bureau, case_id, Status.PROCESSING)
    handle = temporal.get_workflow_handle(case_workflow_id(case_id, CaseKind.REQUEST))
    for signal in ("answer", "receipt"):
        await handle.signal(signal, ActRef(act_id=uuid4()))

    async def noted() -> bool:
        kinds = [entry.kind for entry in await bureau.office.journal(case_id)]
        return kinds.count("case.signal_without_act") == 2

    await until(noted)
    assert (await bureau.office.case(case_id)).status == Status.PROCESSING
