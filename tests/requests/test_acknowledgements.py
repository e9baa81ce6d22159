"""Receipts that wait side by side, and states that nobody has to take (S4)."""

import asyncio
from uuid import UUID

import httpx
import pytest
from sqlmodel import col, select

from clients.database import Database
from clients.gov_service import Acknowledgement
from clients.objects import Objects
from models.tables.requests import RequestAcknowledgement, RequestMessage
from rules.cases.process import Status
from rules.clock import now
from services.gov_service.line import Exchange
from services.requests import answers, handover
from services.requests.acknowledgements import message_id_of
from services.seal import open_seal
from settings import Settings
from tests.requests.living import behave, page_of
from tests.shared.counter import Counter
from tests.shared.waiting import PATIENCE


@pytest.fixture
def exchange(settings: Settings, database: Database) -> Exchange:
    """What the activities of requests work with."""
    return Exchange.of(settings, database, Objects(settings), open_seal(settings))


@pytest.fixture
async def handed_over(counter: Counter, exchange: Exchange, module: httpx.AsyncClient) -> UUID:
    """A request that the module has, and of which it calls nobody."""
    await behave(module, delay=0, callbacks="lost")
    case_id = await counter.sent()
    await handover.hand_over(exchange, case_id)
    return case_id


async def verdicts(counter: Counter, case_id: UUID) -> list[tuple[str, str | None]]:
    """States and verdicts of the receipts that were kept, oldest first."""
    async with counter.database.reading() as session:
        found = await session.exec(
            select(RequestAcknowledgement.state, RequestAcknowledgement.verdict)
            .where(RequestAcknowledgement.message_id == message_id_of(case_id, 1))
            .order_by(col(RequestAcknowledgement.id))
        )
        return list(found.all())


async def answered(exchange: Exchange, case_id: UUID) -> Acknowledgement:
    """The module's answer."""
    async with asyncio.timeout(PATIENCE):
        while True:
            receipt = await exchange.module.ask(message_id_of(case_id, 1))
            if receipt.state == "answered":
                return receipt
            await asyncio.sleep(0.05)


async def test_a_state_is_taken_as_it_is_kept(
    counter: Counter, exchange: Exchange, handed_over: UUID
) -> None:
    """That the module works on it is noted in the callback's transaction, and rings nobody."""
    before = len(counter.office.heard.signals)
    message_id = message_id_of(handed_over, 1)
    await counter.requests.receipt(message_id, Acknowledgement(state="working", at=now()))
    async with counter.database.reading() as session:
        message = await session.get(RequestMessage, (handed_over, 1))
    assert message is not None
    assert message.state == "working"
    assert await verdicts(counter, handed_over) == [("accepted", "taken"), ("working", "taken")]
    assert len(counter.office.heard.signals) == before


async def test_of_answers_that_wait_the_first_that_verifies_counts(
    counter: Counter, exchange: Exchange, handed_over: UUID
) -> None:
    """One look takes all that wait: what is not signed is refused, what comes after it is odd."""
    message_id = message_id_of(handed_over, 1)
    good = await answered(exchange, handed_over)
    for envelope in (b"nobody signed this", good.envelope, b"nor this"):
        receipt = Acknowledgement(state="answered", at=now(), envelope=envelope)
        await counter.requests.receipt(message_id, receipt)
    state = await answers.tend(exchange, handed_over)
    assert (state.status, state.open) == (Status.READY, False)
    kinds = [entry.kind for entry in await counter.office.journal(handed_over)]
    assert kinds[-3:] == ["request.answer_unverified", "request.answered", "request.odd_receipt"]
    (answer,) = (await page_of(counter, handed_over)).answers
    assert answer.signer
    said = [verdict for _, verdict in await verdicts(counter, handed_over)]
    assert said == ["taken", "unverified:unreadable", "taken", "closed"]
