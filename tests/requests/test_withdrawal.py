"""The module hears that a request was taken back, whatever stands in the way (S3, S4)."""

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import httpx
from temporalio.client import Client

from clients.database import Database
from clients.gov_service import GovService
from models.messages import case_workflow_id
from ops.faults import checks
from ops.faults.checks import requests
from rules.access import Role
from rules.cases.process import CaseKind, Status
from rules.clock import now
from rules.operation.states import Remedy, Trouble
from services.cases import wakeups
from services.cases.acts import Act
from services.cases.signals import CaseSignals
from services.operation.desk import desk
from services.operation.remedies import OperationActs, RemedyOrder
from services.operation.temporal_health import Standings
from services.requests.acknowledgements import message_id_of
from settings import Settings
from tests.gov_service.line import Line
from tests.requests.living import behave, journaled, stands_at
from tests.shared.counter import Counter
from tests.shared.waiting import PATIENCE, until
from worker import build

TOLD = "request.withdrawal_told"


async def _withdraw(bureau: Counter, case_id: UUID) -> None:
    act = await bureau.act(case_id)
    await bureau.requests.withdraw(bureau.clinician, case_id, act, "Передумала.")


async def _at_the_module(module: httpx.AsyncClient, case_id: UUID, version: int = 1) -> str:
    reply = await module.get(f"/v1/messages/{message_id_of(case_id, version)}")
    return str(reply.json().get("state") or reply.json()["code"])


async def _worked_on_for_nothing(
    settings: Settings, database: Database, bureau: Counter, case_id: UUID
) -> bool:
    """Whether the checker of faults finds that the module works on what was taken back."""
    report = checks.CheckReport()
    await requests.check(report, database, settings, [await bureau.office.case(case_id)])
    found = f"{message_id_of(case_id, 1)} was taken back"
    return any(fault.startswith(found) for fault in report.faults[requests.CHECK])


async def _ring_what_is_due(bureau: Counter, case_id: UUID) -> None:
    past = now() - timedelta(hours=1)
    await bureau.office.set_times(case_id, wakes_at=past, rung_at=None)
    await wakeups.sweep(bureau.database, CaseSignals(bureau.office.heard), grace=1.0)


async def test_module_that_is_down_hears_of_it_later(
    bureau: Counter, temporal: Client, worker: None, module: httpx.AsyncClient
) -> None:
    """The request is withdrawn at once; the workflow lives until the module knows."""
    await behave(module, answer="never")
    case_id = await bureau.sent()
    await stands_at(bureau, case_id, Status.PROCESSING)
    await module.put("/faults", json={"mode": "fail"})
    await _withdraw(bureau, case_id)
    case = await bureau.office.case(case_id)
    assert (case.status, case.closed_at is None) == (Status.WITHDRAWN, False)

    async def waits() -> bool:
        found = await bureau.office.case(case_id)
        return found.wakes_at is not None and found.wakes_at > now()

    await until(waits)
    assert not await journaled(bureau, case_id, TOLD)
    await module.put("/faults", json={"mode": "ok"})
    assert await _at_the_module(module, case_id) == "working"
    await _ring_what_is_due(bureau, case_id)
    handle = temporal.get_workflow_handle(case_workflow_id(case_id, CaseKind.REQUEST))
    assert (await handle.result())["owes"] is False
    assert await _at_the_module(module, case_id) == "withdrawn"
    kinds = [entry.kind for entry in await bureau.office.journal(case_id)]
    assert kinds.count(TOLD) == 1
    assert (await bureau.office.case(case_id)).wakes_at is None


async def test_every_version_that_the_module_has_is_told_of(
    bureau: Counter, worker: None, module: httpx.AsyncClient
) -> None:
    """A correction leaves the earlier version with the module: both are taken back."""
    await behave(module, answer="never")
    case_id = await bureau.sent()
    await stands_at(bureau, case_id, Status.PROCESSING)
    await bureau.corrected(case_id, purpose="В поликлинику")
    await stands_at(bureau, case_id, Status.PROCESSING, version=2)
    await _withdraw(bureau, case_id)

    async def told() -> bool:
        kinds = [entry.kind for entry in await bureau.office.journal(case_id)]
        return kinds.count(TOLD) == 2

    await until(told)
    states = [await _at_the_module(module, case_id, version) for version in (1, 2)]
    assert states == ["withdrawn", "withdrawn"]


async def test_answer_that_crossed_the_withdrawal_is_journaled_only(
    bureau: Counter, temporal: Client, worker: None, module: httpx.AsyncClient
) -> None:
    """The module had answered and nobody had asked yet: the answer reaches nobody."""
    await behave(module, delay=86400)
    case_id = await bureau.sent()
    await stands_at(bureau, case_id, Status.PROCESSING)
    await behave(module)

    async def answered() -> bool:
        return await _at_the_module(module, case_id) == "answered"

    await until(answered)
    await _withdraw(bureau, case_id)
    handle = temporal.get_workflow_handle(case_workflow_id(case_id, CaseKind.REQUEST))
    assert (await handle.result())["status"] == Status.WITHDRAWN
    assert await journaled(bureau, case_id, "request.odd_receipt")
    assert await journaled(bureau, case_id, TOLD)


async def test_module_that_never_had_it_is_not_asked_for_ever(
    bureau: Counter, temporal: Client, worker: None, module: httpx.AsyncClient
) -> None:
    """A module that lost everything has nothing to stop."""
    await behave(module, answer="never")
    case_id = await bureau.sent()
    await stands_at(bureau, case_id, Status.PROCESSING)
    await module.delete("/messages")
    await _withdraw(bureau, case_id)
    handle = temporal.get_workflow_handle(case_workflow_id(case_id, CaseKind.REQUEST))
    assert (await handle.result())["owes"] is False
    assert await _at_the_module(module, case_id) == "unknown_message"


async def test_run_that_was_lost_is_begun_again_and_tells(
    bureau: Counter,
    settings: Settings,
    temporal: Client,
    database: Database,
    module: httpx.AsyncClient,
) -> None:
    """Terminated before it told: the sweeper begins another, which finds what is owed."""
    await behave(module, answer="never")
    async with build(settings, temporal, database):
        case_id = await bureau.sent()
        await stands_at(bureau, case_id, Status.PROCESSING)
    handle = temporal.get_workflow_handle(case_workflow_id(case_id, CaseKind.REQUEST))
    await handle.terminate("a test")
    act = await bureau.act(case_id)
    silent = await Counter.open(database)
    await silent.requests.withdraw(bureau.clinician, case_id, act, "Передумала.")
    assert await _worked_on_for_nothing(settings, database, bureau, case_id)
    async with build(settings, temporal, database):
        await _ring_what_is_due(bureau, case_id)

        async def told() -> bool:
            return await journaled(bureau, case_id, TOLD)

        await until(told)
    assert await _at_the_module(module, case_id) == "withdrawn"
    assert not await _worked_on_for_nothing(settings, database, bureau, case_id)


async def test_module_that_refuses_to_hear_is_told_of_to_ops(
    bureau: Counter, settings: Settings, temporal: Client, worker: None, module: httpx.AsyncClient
) -> None:
    """The request stays withdrawn; its workflow is stuck, and goes on once that is mended."""
    await behave(module, answer="never")
    case_id = await bureau.draft()
    async with GovService(settings) as line:
        await Line(settings, line).hand_over(id_=message_id_of(case_id, 1))
    await bureau.requests.submit(bureau.clinician, case_id, Act(uuid4(), 0))

    async def stuck(why: str) -> bool:
        return (await bureau.office.case(case_id)).stuck == f"GovServiceRefused.{why}"

    await until(lambda: stuck("other_contents"))
    await _withdraw(bureau, case_id)
    await until(lambda: stuck("other_request"))
    assert (await bureau.office.case(case_id)).status == Status.WITHDRAWN
    await module.delete("/messages")
    await _ring_what_is_due(bureau, case_id)
    handle = temporal.get_workflow_handle(case_workflow_id(case_id, CaseKind.REQUEST))
    async with asyncio.timeout(PATIENCE):
        assert (await handle.result())["owes"] is False


async def test_request_that_people_answer_owes_nobody(
    bureau: Counter, temporal: Client, worker: None
) -> None:
    """There is no module to tell: the workflow ends with the withdrawal."""
    case_id = await bureau.sent("equipment")
    await stands_at(bureau, case_id, Status.PROCESSING)
    await _withdraw(bureau, case_id)
    handle = temporal.get_workflow_handle(case_workflow_id(case_id, CaseKind.REQUEST))
    assert (await handle.result())["owes"] is False
    assert not await journaled(bureau, case_id, TOLD)


async def test_withdrawal_that_the_module_refuses_is_on_the_desk_until_it_is_told(
    bureau: Counter, temporal: Client, worker: None, module: httpx.AsyncClient
) -> None:
    """The case is closed and its run is stuck: ops see it, ring it, and it is gone (O7)."""
    engineer = await bureau.office.person("Фёдоров Илья", Role.OPS, bureau.office.institution)
    await behave(module, answer="never")
    case_id = await bureau.sent()
    await stands_at(bureau, case_id, Status.PROCESSING)
    standings = Standings(temporal, f"desk-{uuid4().hex}")

    async def listed() -> bool:
        found = await desk(bureau.database, standings, engineer, 60)
        sections = {section.trouble: section.lines for section in found.sections}
        return str(case_id) in {line.subject for line in sections.get(Trouble.CASE_STUCK, ())}

    number = str((await bureau.office.case(case_id)).number)
    await bureau.office.set_times(case_id, number="another than the module was told")
    await _withdraw(bureau, case_id)
    await until(listed)
    assert (await bureau.office.case(case_id)).stuck == "GovServiceRefused.other_request"
    await bureau.office.set_times(case_id, number=number)
    acts = OperationActs(bureau.database, CaseSignals(bureau.office.heard), standings)
    again = RemedyOrder(Remedy.RETRY, str(case_id), "The number is right again.")
    await acts.act(engineer, uuid4(), again)
    handle = temporal.get_workflow_handle(case_workflow_id(case_id, CaseKind.REQUEST))
    assert (await handle.result())["owes"] is False
    assert await _at_the_module(module, case_id) == "withdrawn"
    assert not await listed()
