"""What simulators keep over a kill: messages, browsers, and what was not settled yet."""

import asyncio
from pathlib import Path

import pytest

from rules.clock import now
from simulators.kept import KeptLines
from simulators.push import Browser, PushService, StoredPush
from simulators.sms import Sent, SmsBox, StoredSms, create_app
from tests.shared.waiting import PATIENCE

NUMBER = "+79160000001"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file that is not there yet."""
    return tmp_path / "kept.jsonl"


async def test_a_torn_line_costs_one_message(file: Path) -> None:
    """Killed while it wrote, a simulator loses the torn line and neither those before nor after."""
    box = SmsBox(file)
    box.take("first-message", Sent(to=NUMBER, text="1"))
    with file.open("a") as lines:
        lines.write('{"id": "torn-mess')
    again = SmsBox(file)
    again.take("third-message", Sent(to=NUMBER, text="3"))
    assert list(SmsBox(file).messages) == ["first-message", "third-message"]


async def test_what_a_gateway_took_is_settled_after_its_restart(file: Path) -> None:
    """A gateway that was killed after taking a message delivers it when it is back."""
    at = now()
    taken = StoredSms(
        id="taken-message",
        received_at=at,
        to=NUMBER,
        text="1",
        receipts="",
        state="accepted",
        at=at,
    )
    KeptLines(file, StoredSms).add(taken)
    box = SmsBox(file)
    app = create_app(box)
    async with app.router.lifespan_context(app), asyncio.timeout(PATIENCE):
        while box.messages[taken.id].state != "delivered":  # noqa: ASYNC110 - a task settles it
            await asyncio.sleep(0.01)
    assert SmsBox(file).messages[taken.id].state == "delivered"


def test_browsers_and_copies_survive(file: Path, message: StoredPush) -> None:
    """Browsers read what is sent to them after a restart, and copies are counted on."""
    service = PushService(file)
    name, browser = service.subscribe()
    service.end(service.subscribe()[0])
    service.keep(message)
    again = PushService(file)
    again.keep(message)
    assert [one.copies for one in PushService(file).found()] == [2]
    assert list(again.browsers) == [name]
    assert _keys(again.browsers[name]) == _keys(browser)


@pytest.fixture
def message() -> StoredPush:
    """A message as it was kept."""
    return StoredPush.model_validate(
        {
            "subscription": "browser",
            "received_at": "2026-03-02T09:00:00Z",
            "topic": "topic",
            "ttl": 60,
            "urgency": "normal",
            "contact": "",
            "text": "{}",
        }
    )


def _keys(browser: Browser) -> object:
    return browser.subscription("")["keys"], browser.key.private_numbers().private_value
