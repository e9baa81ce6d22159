"""The whole way round: the application, a worker, Temporal and the module that calls back (S4)."""

import asyncio
from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest

from clients.database import Database
from clients.gov_service import CALLBACK_PATH
from clients.temporal.client import CaseSignaller, connect
from crypto.key_ring import KeyRing
from rules.cases.process import Status
from server import create_app
from settings import Settings
from tests.requests.living import behave, journaled, page_of, stands_at
from tests.shared.counter import Counter
from tests.shared.served import Served, with_new_database
from tests.shared.servers import Servers
from tests.shared.waiting import PATIENCE
from worker import build


@pytest.fixture
def own(settings: Settings, servers: Servers) -> Iterator[Settings]:
    """The settings of one installation, which the module can call back."""
    name = f"medcab_called_{uuid4().hex}"
    yield with_new_database(settings, servers.new_database(name))
    servers.drop_database(name)


@pytest.mark.parametrize("callbacks", ["sent", "twice"])
async def test_answer_comes_by_callback(own: Settings, callbacks: str) -> None:
    """Nothing is asked: the callback is kept, rings the workflow, and the answer is verified."""
    standing = Served(create_app(own))
    standing.start()
    told = own.model_copy(update={"gov_service_callback_url": standing.url + CALLBACK_PATH})
    database = Database.from_settings(told)
    client = await connect(told, KeyRing.parse(told.keys.get_secret_value()))
    try:
        async with httpx.AsyncClient(base_url=told.gov_service_url, timeout=PATIENCE) as module:
            await behave(module, delay=1, callbacks=callbacks)
            async with build(told, client, database):
                counter = await Counter.open(database, CaseSignaller(client, told.task_queue))
                case_id = await counter.sent()
                await stands_at(counter, case_id, Status.READY)
                await asyncio.sleep(0.5)
        (answer,) = (await page_of(counter, case_id)).answers
        assert answer.signer
        assert not await journaled(counter, case_id, "request.odd_receipt")
        kinds = [entry.kind for entry in await counter.office.journal(case_id)]
        assert kinds.count("request.answered") == 1
    finally:
        standing.stop()
        await database.close()
