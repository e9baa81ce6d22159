"""Callbacks of the gov-service module: signed, in time, once; what is refused is seen (S4, O2)."""

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from secrets import token_bytes
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from sqlmodel import col, select
from standardwebhooks.webhooks import Webhook

from api.container import Container
from clients.gov_service import CALLBACK_PATH, Acknowledgement, callback_url
from models.tables.journal import JournalEntry
from models.tables.requests import HeardCallback, RequestAcknowledgement, RequestMessage
from rules.cases.process import Transition
from rules.clock import now as present
from rules.journal.entries import JournalKind
from rules.refusals import not_found
from services.cases.transitions import lock, move
from services.requests import acts as requests
from services.requests.acknowledgements import message_id_of
from services.webhooks import KEPT_FOR, WebhookCall
from settings import Settings
from tests.shared.counter import Counter
from tests.shared.served import in_process
from tests.shared.servers import Servers

SECRET = "whsec_" + b64encode(token_bytes(24)).decode()
OLD_SECRET = "whsec_" + b64encode(token_bytes(24)).decode()
FOREIGN = "whsec_" + b64encode(token_bytes(24)).decode()


@dataclass
class Taken:
    """Stands where requests take receipts; knows all messages but those told to be unknown."""

    receipts: list[tuple[UUID, Acknowledgement]] = field(default_factory=list)
    unknown: set[UUID] = field(default_factory=set)

    async def receipt(self, message_id: UUID, receipt: Acknowledgement, call: WebhookCall) -> None:
        """Remember the receipt."""
        if message_id in self.unknown:
            raise not_found()
        self.receipts.append((message_id, receipt))


@pytest.fixture(scope="module")
async def app(settings: Settings, servers: Servers) -> AsyncIterator[FastAPI]:
    """The application with two secrets, the newer first."""
    both = settings.model_copy(
        update={"gov_service_callback_secret": SecretStr(f"{SECRET}, {OLD_SECRET}")}
    )
    async with in_process(both, servers) as app:
        yield app


@pytest.fixture
def taken(app: FastAPI) -> Taken:
    """What the callbacks of this test bring."""
    container: Container = app.state.container
    container.__dict__["requests"] = fresh = Taken()
    return fresh


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """The caller: no session, no token."""
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as opened:
        yield opened


def told(about: UUID, **changed: Any) -> str:
    """The body of a callback."""
    ordinary = {
        "message_id": str(about),
        "state": "answered",
        "at": "2026-12-04T13:05:00+00:00",
        "envelope": b64encode(b"sealed").decode(),
        "reason": None,
    }
    return json.dumps({**ordinary, **changed})


def signed(
    body: str, secret: str = SECRET, at: datetime | None = None, **more: str
) -> dict[str, str]:
    """The headers of a callback."""
    at, id_ = at or datetime.now(UTC), more.pop("id", f"msg_{uuid4().hex}")
    return {
        "Content-Type": "application/json",
        "webhook-id": id_,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(id_, at, body),
        **more,
    }


async def call(
    client: httpx.AsyncClient, body: str | bytes, headers: dict[str, str]
) -> httpx.Response:
    """Send it."""
    return await client.post(CALLBACK_PATH, content=body, headers=headers)


async def refused(app: FastAPI) -> list[str]:
    """Why callbacks were refused, as the journal has it."""
    container: Container = app.state.container
    async with container.database.reading() as session:
        rows = await session.exec(
            select(col(JournalEntry.facts))
            .where(col(JournalEntry.kind) == JournalKind.CALLBACK_REFUSED.value)
            .order_by(col(JournalEntry.position))
        )
        return [row["why"] for row in rows]


@pytest.mark.parametrize("secret", [SECRET, OLD_SECRET], ids=["present", "old"])
async def test_a_signed_callback_is_taken(
    client: httpx.AsyncClient, taken: Taken, secret: str
) -> None:
    """By the newer and the older secret; what it says arrives whole."""
    id_ = uuid4()
    body = told(id_)
    assert (await call(client, body, signed(body, secret))).status_code == 204
    ((message_id, receipt),) = taken.receipts
    assert (message_id, receipt.state, receipt.envelope) == (id_, "answered", b"sealed")


@pytest.fixture
async def awaited(app: FastAPI) -> tuple[Counter, UUID]:
    """Requests as they are, and a message of one that waits for its answer."""
    container: Container = app.state.container
    counter = await Counter.open(container.database)
    container.__dict__["requests"] = counter.requests
    case_id = await counter.sent()
    message_id = message_id_of(case_id, 1)
    async with counter.database.work() as session:
        session.add(
            RequestMessage(
                case_id=case_id,
                version=1,
                message_id=message_id,
                service="vaccination-certificates",
                formed_at=datetime.now(UTC),
                paper_key=uuid4().hex,
                paper_sha256="0" * 64,
                paper_size=1,
            )
        )
        await move(session, await lock(session, case_id), Transition.HAND_OVER, now=present())
    return counter, message_id


async def kept(counter: Counter, message_id: UUID) -> list[str]:
    """The states of the receipts that were kept of a message."""
    async with counter.database.reading() as session:
        rows = await session.exec(
            select(col(RequestAcknowledgement.state))
            .where(col(RequestAcknowledgement.message_id) == message_id)
            .order_by(col(RequestAcknowledgement.id))
        )
        return list(rows)


async def test_the_same_callback_changes_nothing_again(
    client: httpx.AsyncClient, awaited: tuple[Counter, UUID]
) -> None:
    """Sent twice or played back: the second is answered, and nothing happens, nor with its id."""
    counter, message_id = awaited
    before = len(counter.office.heard.signals)
    body, other, id_ = told(message_id), told(message_id, state="refused"), f"msg_{uuid4().hex}"
    calls = [(body, signed(body, id=id_))] * 3 + [(other, signed(other, id=id_))]
    answers = [await call(client, *one) for one in calls]
    assert [each.status_code for each in answers] == [204] * 4
    assert await kept(counter, message_id) == ["answered"]
    assert len(counter.office.heard.signals) == before + 1
    assert (await call(client, other, signed(other))).status_code == 204
    assert await kept(counter, message_id) == ["answered", "refused"]


async def test_a_callback_that_failed_is_taken_when_it_comes_again(
    client: httpx.AsyncClient, awaited: tuple[Counter, UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is noted as heard with its effect or not at all."""
    counter, message_id = awaited

    async def failing(*_: Any) -> None:
        raise ConnectionError

    body = told(message_id)
    headers = signed(body)
    with monkeypatch.context() as patched:
        patched.setattr(requests, "keep", failing)
        assert (await call(client, body, headers)).status_code == 503
    assert await kept(counter, message_id) == []
    assert (await call(client, body, headers)).status_code == 204
    assert await kept(counter, message_id) == ["answered"]


async def test_callbacks_at_once_are_all_answered(
    client: httpx.AsyncClient, awaited: tuple[Counter, UUID]
) -> None:
    """Ten copies of one call race; none of them fails, and one takes effect."""
    counter, message_id = awaited
    before = len(counter.office.heard.signals)
    body = told(message_id)
    headers = signed(body)
    answers = await asyncio.gather(*(call(client, body, headers) for _ in range(10)))
    assert {each.status_code for each in answers} == {204}
    assert await kept(counter, message_id) == ["answered"]
    assert len(counter.office.heard.signals) == before + 1


async def test_calls_are_forgotten_after_a_day(
    client: httpx.AsyncClient, awaited: tuple[Counter, UUID]
) -> None:
    """By then their own time refuses them; the table does not grow."""
    counter, message_id = awaited
    old = HeardCallback(source="gov_service", webhook_id=uuid4().hex, at=present() - KEPT_FOR * 2)
    async with counter.database.work() as session:
        session.add(old)
    body = told(message_id)
    assert (await call(client, body, signed(body))).status_code == 204
    async with counter.database.reading() as session:
        assert await session.get(HeardCallback, (old.source, old.webhook_id)) is None


def _flipped(body: str) -> str:
    return body.replace('"answered"', '"refused"')


@pytest.mark.asvs("16.3.3")
@pytest.mark.parametrize(
    "wrong",
    ["foreign", "changed", "old", "early", "no_id", "long_id", "other_id", "unsigned", "garbage"],
)
async def test_a_callback_that_does_not_verify_is_refused_and_seen(
    app: FastAPI, client: httpx.AsyncClient, taken: Taken, wrong: str
) -> None:
    """Another secret, body, time or id: 403, nothing happens, and the journal says so."""
    body, now = told(uuid4()), datetime.now(UTC)
    headers = {
        "foreign": signed(body, FOREIGN),
        "old": signed(body, at=now - timedelta(minutes=6)),
        "early": signed(body, at=now + timedelta(minutes=6)),
        "long_id": signed(body, id="m" * 201),
        "other_id": signed(body) | {"webhook-id": "msg_other"},
        "no_id": signed(body) | {"webhook-id": ""},
        "unsigned": signed(body) | {"webhook-signature": ""},
        "garbage": signed(body) | {"webhook-signature": "v1,%%%,x v1 a,b,c"},
    }.get(wrong, signed(body))
    before = len(await refused(app))
    reply = await call(client, _flipped(body) if wrong == "changed" else body, headers)
    assert (reply.status_code, reply.json()["code"]) == (403, "signature")
    assert taken.receipts == []
    assert (await refused(app))[before:] == ["signature"]


async def test_without_a_secret_nobody_is_believed(settings: Settings, servers: Servers) -> None:
    """An installation that agreed on no secret takes no callback, however signed."""
    bare = settings.model_copy(update={"gov_service_callback_secret": SecretStr("")})
    async with in_process(bare, servers) as app:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            body = told(uuid4())
            assert (await call(client, body, signed(body))).status_code == 403
            assert await refused(app) == ["no_secret"]


@pytest.mark.parametrize(
    "body",
    [
        "not json",
        "[]",
        told(uuid4(), message_id="x"),
        told(uuid4(), state="lost"),
        told(uuid4(), envelope="%%"),
        told(uuid4(), at="yesterday"),
    ],
)
async def test_what_cannot_be_read_is_refused_and_seen(
    app: FastAPI, client: httpx.AsyncClient, taken: Taken, body: str
) -> None:
    """Signed, and yet no receipt: 422."""
    before = len(await refused(app))
    reply = await call(client, body, signed(body))
    assert (reply.status_code, reply.json()["code"]) == (422, "unreadable")
    assert taken.receipts == []
    assert (await refused(app))[before:] == ["unreadable"]


async def test_a_message_nobody_sent_is_refused_and_seen(
    app: FastAPI, client: httpx.AsyncClient, taken: Taken
) -> None:
    """The module speaks of a message that we never formed."""
    id_ = uuid4()
    taken.unknown.add(id_)
    body = told(id_)
    before = len(await refused(app))
    assert (await call(client, body, signed(body))).status_code == 404
    assert (await refused(app))[before:] == ["unknown_message"]


async def test_a_callback_without_end_is_cut_off(client: httpx.AsyncClient, taken: Taken) -> None:
    """A megabyte is the most: larger answers are asked for."""
    body = told(uuid4(), envelope="A" * (1 << 20))
    assert (await call(client, body, signed(body))).status_code == 413
    assert taken.receipts == []


async def test_rubbish_cannot_fill_the_journal(
    app: FastAPI, client: httpx.AsyncClient, taken: Taken
) -> None:
    """Every refusal is answered, only so many of an hour are journaled."""
    body = told(uuid4())
    for _ in range(40):
        assert (await call(client, body, signed(body, FOREIGN))).status_code == 403
    before = len(await refused(app))
    assert (await call(client, body, signed(body, FOREIGN))).status_code == 403
    assert len(await refused(app)) == before <= 40


def test_the_module_is_told_where_to_call(settings: Settings) -> None:
    """Below the public address, unless an installation has another way in."""
    assert callback_url(settings) == f"{settings.public_url}{CALLBACK_PATH}"
    inner = settings.model_copy(update={"gov_service_callback_url": "http://api:8000/x"})
    assert callback_url(inner) == "http://api:8000/x"
