"""Web push: encrypted for the browser, told once, gone browsers forgotten (N2, N3)."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from sqlmodel import select

from clients.database import Database
from clients.delivery.push import PushSender, SubscribedBrowser
from models.tables.notices import Notice, PushSubscription
from models.tables.people import Person
from rules.clock import now
from rules.notices.kinds import Channel, NoticeGroup, NoticeState
from rules.refusals import Refusal
from services.notices import push_subscriptions
from services.notices import settings as notice_settings
from services.notices.channels import PushWay
from services.notices.sender import Stop, drain
from settings import Settings
from tests.notices.conftest import Browsers, Staff, tell
from tests.notices.test_inbox import actor

CONTACT = "mailto:security@hospital.example"
REAL = "https://fcm.googleapis.com/fcm/send/abc"


@pytest.fixture
async def sender(settings: Settings, browsers: Browsers) -> AsyncIterator[PushSender]:
    """The line to it."""
    key = settings.vapid_key.get_secret_value()
    async with PushSender(key, CONTACT, settings.push_hosts, browsers.address, 1.0) as made:
        yield made


async def subscribed(
    own_database: Database, sender: PushSender, person: Person, browser: SubscribedBrowser
) -> None:
    """The person lets this browser show notices."""
    async with own_database.work() as session:
        await push_subscriptions.subscribe(
            session, sender, actor(person), browser, "Chrome, Android", now()
        )


async def pushes(own_database: Database, person: Person) -> list[Notice]:
    """The person's rows of the channel."""
    async with own_database.work() as session:
        found = await session.exec(
            select(Notice).where(
                Notice.person_id == person.id, Notice.channel == Channel.PUSH.value
            )
        )
        return list(found)


async def held(own_database: Database, person: Person) -> list[PushSubscription]:
    """The person's browsers."""
    async with own_database.work() as session:
        return list(await push_subscriptions.browsers_of(session, person.id))


async def test_the_browser_reads_a_title_and_a_path(
    own_database: Database, anna: Person, sender: PushSender, browsers: Browsers
) -> None:
    """Signed by us, encrypted so that only the browser reads it, and nothing of a person in it."""
    browser = browsers.fresh()
    await subscribed(own_database, sender, anna, browser)
    await tell(own_database, anna)
    assert (await drain(own_database, PushWay(sender))).told == 1
    [read] = browsers.read(browser)
    [row] = await pushes(own_database, anna)
    assert json.loads(read["text"]) == {
        "title": "Заявка ПК-2026-000123-0 передана в отдел кадров",
        "path": "/cases/None",
        "language": "ru",
        "tag": row.id.hex,
    }
    assert (read["topic"], read["contact"], read["urgency"]) == (row.id.hex, CONTACT, "normal")
    assert 0 < read["ttl"] <= 86400
    [one] = await held(own_database, anna)
    assert one.last_ok_at is not None


async def test_on_by_default_once_there_is_a_browser(
    own_database: Database, anna: Person, sender: PushSender, browsers: Browsers
) -> None:
    """No browser, no row; with one every event is told, until the person turns it off (N2)."""
    await tell(own_database, anna)
    assert await pushes(own_database, anna) == []
    await subscribed(own_database, sender, anna, browsers.fresh())
    await tell(own_database, anna, kind="application_approved")
    assert len(await pushes(own_database, anna)) == 1
    async with own_database.work() as session:
        off = {(NoticeGroup.CASES, Channel.PUSH): False}
        await notice_settings.choose(session, actor(anna), off, now())
    await tell(own_database, anna, kind="application_rejected")
    await tell(own_database, anna, kind="new_device")
    told = sorted(row.kind for row in await pushes(own_database, anna))
    assert told == ["application_approved", "new_device"]


async def test_every_browser_is_told(
    own_database: Database, anna: Person, sender: PushSender, browsers: Browsers
) -> None:
    """A phone and a computer both; one that is slow to answer does not make the other wait."""
    phone, computer = browsers.fresh(), browsers.fresh()
    for browser in (phone, computer):
        await subscribed(own_database, sender, anna, browser)
    browsers.answer(500, only=phone)
    await tell(own_database, anna)
    assert (await drain(own_database, PushWay(sender))).told == 1
    assert (len(browsers.read(phone)), len(browsers.read(computer))) == (0, 1)


@pytest.mark.parametrize("status", [404, 410])
async def test_a_browser_that_is_gone_is_forgotten(
    own_database: Database, anna: Person, sender: PushSender, browsers: Browsers, status: int
) -> None:
    """The last one gone, the message has failed and the cabinet says why."""
    await subscribed(own_database, sender, anna, browsers.fresh())
    browsers.answer(status)
    await tell(own_database, anna)
    await drain(own_database, PushWay(sender))
    [row] = await pushes(own_database, anna)
    assert (row.state, row.failure_reason) == (NoticeState.FAILED, "no device")
    assert await held(own_database, anna) == []
    await tell(own_database, anna, kind="application_approved")
    assert len(await pushes(own_database, anna)) == 1


@pytest.mark.parametrize("status", [429, 500])
async def test_a_service_that_cannot_now_is_tried_again(
    own_database: Database, anna: Person, sender: PushSender, browsers: Browsers, status: int
) -> None:
    """One maker's service that is down does not stop the messages to another's."""
    boris_browser, anna_browser = browsers.fresh(), browsers.fresh()
    await subscribed(own_database, sender, anna, anna_browser)
    browsers.answer(status, only=anna_browser)
    await tell(own_database, anna)
    done = await drain(own_database, PushWay(sender))
    assert (done.ended, done.told) == (Stop.NOTHING_DUE, 0)
    [row] = await pushes(own_database, anna)
    assert (row.state, row.tries) == (NoticeState.WAITING, 1)
    assert browsers.read(boris_browser) == []
    assert len(await held(own_database, anna)) == 1


@pytest.mark.parametrize("mode", ["fail", "silent", "cut"])
async def test_a_silent_service_delays_the_message(
    own_database: Database, anna: Person, sender: PushSender, browsers: Browsers, mode: str
) -> None:
    """Nothing is lost: it is tried again with growing pauses."""
    await subscribed(own_database, sender, anna, browsers.fresh())
    await tell(own_database, anna)
    browsers.fault(mode)
    await drain(own_database, PushWay(sender))
    [row] = await pushes(own_database, anna)
    assert (row.state, row.tries) == (NoticeState.WAITING, 1)


async def test_a_message_sent_again_replaces_itself(
    own_database: Database, anna: Person, sender: PushSender, browsers: Browsers
) -> None:
    """Killed between sending and noting: the same topic and tag again, so one is shown."""
    browser = browsers.fresh()
    await subscribed(own_database, sender, anna, browser)
    await tell(own_database, anna)
    await drain(own_database, PushWay(sender))
    async with own_database.work() as session:
        [row] = await session.exec(select(Notice).where(Notice.channel == Channel.PUSH.value))
        row.state = NoticeState.WAITING.value
        session.add(row)
    await drain(own_database, PushWay(sender))
    [read] = browsers.read(browser)
    assert read["copies"] == 2


async def test_a_browser_changes_hands(
    own_database: Database, anna: Person, staff: Staff, sender: PushSender, browsers: Browsers
) -> None:
    """Whoever subscribes in it last is told there; nobody reads what another is told."""
    boris, browser = await staff.person(), browsers.fresh()
    await subscribed(own_database, sender, anna, browser)
    await subscribed(own_database, sender, boris, browser)
    assert await held(own_database, anna) == []
    await tell(own_database, anna)
    assert await pushes(own_database, anna) == []
    [one] = await held(own_database, boris)
    async with own_database.work() as session:
        with pytest.raises(Refusal):
            await push_subscriptions.unsubscribe(session, actor(anna), one.id)
        await push_subscriptions.forget_browser(session, actor(anna), browser.endpoint)
    assert len(await held(own_database, boris)) == 1
    async with own_database.work() as session:
        await push_subscriptions.unsubscribe(session, actor(boris), one.id)
    assert await held(own_database, boris) == []


async def test_a_person_has_ten_browsers_at_most(
    own_database: Database, anna: Person, sender: PushSender, browsers: Browsers
) -> None:
    """The eleventh takes the place of the first."""
    first, *others = [browsers.fresh() for _ in range(11)]
    for browser in (first, *others):
        await subscribed(own_database, sender, anna, browser)
    endpoints = {one.contents["endpoint"] for one in await held(own_database, anna)}
    assert endpoints == {browser.endpoint for browser in others}


async def test_ten_browsers_at_most_also_when_they_come_at_once(
    own_database: Database, anna: Person, sender: PushSender, browsers: Browsers
) -> None:
    """Windows that subscribe side by side do not make one too many."""
    made = [browsers.fresh() for _ in range(20)]
    await asyncio.gather(*(subscribed(own_database, sender, anna, browser) for browser in made))
    assert len(await held(own_database, anna)) == push_subscriptions.MOST


@pytest.mark.asvs("1.3.6")
@pytest.mark.asvs("13.2.4")
@pytest.mark.parametrize(
    "endpoint",
    [
        "http://fcm.googleapis.com/fcm/send/abc",
        "https://fcm.googleapis.com.evil.example/x",
        "https://evil.example/fcm.googleapis.com",
        "https://fcm.googleapis.com:8443/x",
        "https://user@fcm.googleapis.com/x",
        "https://push.services.mozilla.com/x",
        "http://127.0.0.1:9000/medcab",
        "https://[::1]/x",
        "https://",
        "file:///etc/passwd",
        "https://fcm.googleapis.com:port/",
        "https://fcm.googleapis.com/\x01x",
        "https://fcm.goo\tgleapis.com/x",
        " https://fcm.googleapis.com/x",
        "https://fcm.googleapis.com/ж",
        "https://evil.example\\.push.apple.com/",
    ],
)
async def test_nobody_makes_us_call_another_server(
    own_database: Database, anna: Person, sender: PushSender, browsers: Browsers, endpoint: str
) -> None:
    """Only the known push services are believed; ours on loopback in development only."""
    keys = browsers.fresh()
    with pytest.raises(Refusal) as refused:
        await subscribed(
            own_database, sender, anna, SubscribedBrowser(endpoint, keys.p256dh, keys.auth)
        )
    assert refused.value.status == 422
    assert await held(own_database, anna) == []


async def test_real_services_are_known_and_keys_are_looked_at(
    sender: PushSender, browsers: Browsers, settings: Settings
) -> None:
    """The makers' own addresses pass, keys that are none do not."""
    for endpoint in (
        REAL,
        "https://updates.push.services.mozilla.com/wpush/v2/abc",
        "https://web.push.apple.com/abc",
        "https://wns2-par02p.notify.windows.com/w/?token=abc",
    ):
        assert sender.knows(endpoint), endpoint
    sound = browsers.fresh()
    assert sound.sound
    for p256dh, auth in (("", sound.auth), (sound.p256dh, ""), ("AAAA", "AAAA"), ("☃", "☃")):
        assert not SubscribedBrowser(REAL, p256dh, auth).sound
    outside = PushSender("", CONTACT, settings.push_hosts)
    assert outside.public_key == ""
    assert not outside.knows(f"{browsers.address}/push/x")


async def test_endpoints_stand_encrypted(
    own_database: Database, anna: Person, sender: PushSender, browsers: Browsers
) -> None:
    """Whoever reads the table cannot push to anybody (I10)."""
    browser = browsers.fresh()
    await subscribed(own_database, sender, anna, browser)
    async with own_database.work() as session:
        connection = await session.connection()
        raw = (await connection.exec_driver_sql("select * from push_subscription")).all()
    assert browser.endpoint not in str(raw)
    assert browser.auth not in str(raw)
