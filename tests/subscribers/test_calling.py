"""Whom we call, how it is signed, and that the documented verification refuses what is wrong."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from clients.delivery.subscribers import AddressError, CallFailed, SubscriberClient, parsed
from models.tables.subscribers import Subscriber
from ops.local.home import CHECKOUT
from rules.clock import now
from rules.ids import new_id
from services.subscribers import keeping
from services.subscribers.delivering import signed
from simulators.subscriber import holds
from tests.subscribers.receiving import NEAR, Line


def documented() -> Callable[..., bool]:
    """The verification as docs/webhooks.md has it."""
    text = (CHECKOUT / "docs" / "webhooks.md").read_text("utf-8")
    found = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert found is not None
    names: dict[str, Any] = {}
    exec(found[1], names)  # noqa: S102 - our own documentation
    verified: Callable[..., bool] = names["verified"]
    return verified


def subscriber(secret: str, earlier: str | None = None) -> Subscriber:
    """A subscriber with these secrets."""
    return Subscriber(
        name="МИС",
        url="https://his.example/hooks",
        types=[],
        secret=secret,
        earlier_secret=earlier,
        earlier_until=now() + timedelta(hours=1),
        added_at=now(),
    )


def test_the_documented_verification_takes_what_we_sign_and_nothing_else() -> None:
    """A wrong secret, another body, another id, an old time; two secrets while one is replaced."""
    verified, body, at = documented(), b'{"a": "\xd1\x8f"}', now()
    first, second = keeping.new_secret(), keeping.new_secret()
    headers = dict(signed(subscriber(second, first), new_id(), body, at))
    clock = at.timestamp()

    def simulated(secret: str, told: dict[str, str], sent: bytes, moment: float) -> bool:
        return holds([secret], told, sent, moment)

    checks: tuple[Callable[..., bool], ...] = (verified, simulated)
    for check in checks:
        assert check(first, headers, body, clock)
        assert check(second, headers, body, clock + 299)
        assert not check(keeping.new_secret(), headers, body, clock)
        assert not check(second, headers, body + b" ", clock)
        assert not check(second, {**headers, "webhook-id": "other"}, body, clock)
        assert not check(second, headers, body, clock + 302)
        assert not check(second, headers, body, clock - 302)
        later = {**headers, "webhook-timestamp": str(int(clock) + 400)}
        assert not check(second, later, body, clock + 400)
        assert not check(second, {**headers, "webhook-signature": ""}, body, clock)
    over = subscriber(second, first)
    over.earlier_until = at - timedelta(seconds=1)
    assert not verified(first, dict(signed(over, new_id(), body, at)), body, clock)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("ftp://his.example/", "form"),
        ("https://", "form"),
        ("https://user:secret@his.example/", "form"),
        ("https://his.example/#part", "form"),
        ("https://his.example:99999/", "form"),
        ("https://his.example/ two", "form"),
        ("http://his.example/", "unencrypted"),
        ("https://127.0.0.1/", "private"),
        ("https://[::1]/", "private"),
        ("https://[::ffff:10.0.0.1]/", "private"),
        ("https://[64:ff9b::7f00:1]/", "private"),
        ("https://[2002:7f00:1::]/", "private"),
        ("https://10.1.2.3/", "private"),
        ("https://169.254.169.254/latest", "private"),
        ("https://100.64.0.1/", "private"),
        ("https://224.0.0.1/", "private"),
        ("https://0.0.0.0/", "private"),
        ("https://[fe80::1]/", "private"),
        ("https://[fd00::1]/", "private"),
    ],
)
def test_no_such_address_is_taken(url: str, why: str) -> None:
    """Loopback, private and translated addresses in all their forms; nothing without TLS."""
    with pytest.raises(AddressError) as refused:
        parsed(url, "")
    assert str(refused.value) == why


def test_public_addresses_and_named_networks_are_taken() -> None:
    """What the settings name may be near, and without TLS."""
    assert parsed("https://his.example/hooks?key=1", "").hostname == "his.example"
    assert parsed("https://93.184.216.34:8443/", "").port == 8443
    assert parsed("http://10.20.3.4/hooks", "10.20.0.0/16").hostname == "10.20.3.4"
    with pytest.raises(AddressError):
        parsed("https://10.21.3.4/hooks", "10.20.0.0/16")


@asynccontextmanager
async def answering(reply: bytes, times: int = 1, pause: float = 0) -> AsyncIterator[str]:
    """A server that says this to whatever it is asked."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for _ in range(times):
            writer.write(reply)
            await asyncio.sleep(pause)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://localhost:{server.sockets[0].getsockname()[1]}/"
    finally:
        server.close()


async def test_a_call_is_bounded_and_goes_nowhere_else() -> None:
    """A redirect is not followed, a long answer and a slow one end, no name leads near."""
    near = SubscriberClient(NEAR, within=0.4)
    moved = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
    async with answering(moved) as url, near.line(url) as line:
        assert await line.post(b"{}", {}) == 302
    endless = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n" + b"x" * 20_000
    async with answering(endless, times=3) as url, near.line(url) as line:
        with pytest.raises(CallFailed, match="endless"):
            await line.post(b"{}", {})
    async with answering(b"HTTP/1.1 200 OK\r\n", pause=2.0) as url, near.line(url) as line:
        with pytest.raises(CallFailed, match="timeout"):
            await line.post(b"{}", {})
    far = SubscriberClient("192.0.2.0/24", within=0.4)
    async with answering(moved) as url, far.line(url) as line:
        with pytest.raises(CallFailed, match="private"):
            await line.post(b"{}", {})
    async with near.line("http://127.0.0.1:9/") as line:
        with pytest.raises(CallFailed, match="connect"):
            await line.post(b"{}", {})


async def test_a_secret_is_replaced_without_a_gap(line: Line) -> None:
    """Both sign for a day; one that leaked does not. Neither stands in the database as it is."""
    id_, name = await line.subscribe()
    known = line.inbox.receivers[name].secrets[0]
    async with line.database.work() as session:
        fresh = await keeping.rotate(session, id_, None, now(), leaked=False)
        await keeping.test(session, id_, None, now())
    assert fresh != known
    assert await line.look(id_) is None
    assert [one["type"] for one in line.got(name)] == ["ru.medcab.subscriber.test"]
    async with line.database.work() as session:
        await keeping.rotate(session, id_, None, now(), leaked=True)
        await keeping.test(session, id_, None, now())
    assert await line.look(id_) is not None
    assert line.inbox.refused == 1
    row = await line.row(id_)
    assert row.earlier_secret is None
    async with line.database.line() as raw:
        stored = await (await raw.execute("select secret, url from subscriber")).fetchall()
    assert stored
    assert all(b"whsec_" not in secret and b"127.0.0.1" not in url for secret, url in stored)
