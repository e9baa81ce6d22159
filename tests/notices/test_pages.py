"""Notices in a real browser: settings, journal, contacts, the bell, push to a service worker."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest
from playwright.async_api import Browser, BrowserContext, Page, Playwright, expect
from sqlmodel import col, select

from clients.delivery.mail import Mailer
from clients.delivery.push import PushSender
from models.tables.notices import Notice
from ops.install.chromium import find
from rules.access import Actor
from rules.clock import now
from rules.notices.kinds import Channel, NoticeState
from services.notices import outbox
from services.notices.channels import MailWay, PushWay
from services.notices.sender import drain
from services.notices.wording import Addresses
from tests.shared.browsers import launched
from tests.shared.cabinet import PHONE, Site, faults_of, signed_in, watch
from tests.shared.office import Office
from tests.shared.servers import Simulators
from tests.shared.waiting import PATIENCE, until

pytestmark = pytest.mark.browser

NUMBER = "ПК-2026-000123-0"
SUBSCRIBES = """
(() => {
  const given = %s;
  const made = () => ({
    endpoint: given.endpoint,
    toJSON: () => given,
    unsubscribe: async () => { localStorage.removeItem("held"); return true; },
  });
  const known = () => (localStorage.getItem("held") ? made() : null);
  PushManager.prototype.getSubscription = async () => known();
  PushManager.prototype.subscribe = async (options) => {
    if (options.applicationServerKey.length !== 65) throw new Error("no key");
    localStorage.setItem("held", "1");
    return made();
  };
})();
"""
"""A browser's line to its maker's push service is the maker's: here it leads to the simulator."""
SHOWN = """
navigator.serviceWorker.ready.then(r => r.getNotifications())
  .then(all => all.map(n => ({title: n.title, path: n.data.path})))
"""
"""The notifications that the browser shows for the cabinet.

Chromium forgets a notification that is asked for while it is being put up: this is asked only when
the service worker says that it is up.
"""
COUNTS = """
(() => {
  const { showNotification } = ServiceWorkerRegistration.prototype;
  self.put = 0;
  ServiceWorkerRegistration.prototype.showNotification = function (...given) {
    return showNotification.apply(this, given).then(() => { self.put += 1; });
  };
})()
"""
"""The service worker counts the notifications that it has put up."""
PUSHED = (
    ("это не JSON", "Новое уведомление", "/notices"),
    ('{"title": "А", "path": "https://evil.example/"}', "А", "/notices"),
    ('{"title": "Б", "path": "//evil.example/"}', "Б", "/notices"),
    ('{"title": "В", "path": "/requests/1"}', "В", "/requests/1"),
)
"""What is pushed, and the title and the path of the notification that comes of it."""


async def tell(office: Office, person: Actor, kind: Any = "application_in_review") -> None:
    """Commit an event."""
    async with office.database.work() as session:
        await outbox.enqueue(
            session,
            person_id=person.person_id,
            kind=kind,
            event_key=f"{person.person_id}:{uuid4()}",
            facts={"number": NUMBER},
            now=now(),
        )


async def row(office: Office, person: Actor, channel: Channel) -> Notice:
    """The person's last notice of a channel."""
    async with office.database.work() as session:
        found = await session.exec(
            select(Notice)
            .where(Notice.person_id == person.person_id, Notice.channel == channel.value)
            .order_by(col(Notice.id).desc())
            .limit(1)
        )
        return found.one()


@pytest.fixture(scope="module")
async def whole_browser(playwright: Playwright) -> AsyncIterator[Browser]:
    """A whole Chromium, at thrice the price: a headless shell keeps no notifications."""
    async with launched(playwright, find(whole=True)) as started:
        yield started


@pytest.fixture
async def context(browser: Browser, site: Site, office: Office) -> AsyncIterator[BrowserContext]:
    """A browser in which a clinician has signed in."""
    made = await signed_in(browser, site, office, office.clinician)
    yield made
    await made.close()


async def test_a_box_holds_as_soon_as_it_is_ticked(
    context: BrowserContext, site: Site, office: Office
) -> None:
    """No button: the next event is told as the boxes say (N2)."""
    page = await context.new_page()
    wrong = watch(page)
    await page.goto(f"{site.url}/notices/settings")
    await expect(page.get_by_role("button", name="Сохранить").first).to_be_hidden()
    box = page.get_by_label("Заявки и запросы: Почта")
    await expect(box).to_be_checked()
    await expect(page.get_by_label("Безопасность: Почта")).to_be_disabled()
    await box.uncheck()
    await expect(page.locator("#channels-note")).to_contain_text("Сохранено в")
    await tell(office, office.clinician)
    assert (await row(office, office.clinician, Channel.CABINET)).kind == "application_in_review"
    with pytest.raises(Exception, match="No row"):
        await row(office, office.clinician, Channel.MAIL)
    await page.get_by_label("Не беспокоить в тихие часы").check()
    await expect(page.locator("#wishes-note")).to_contain_text("Сохранено в")
    await page.locator("#field-quiet_to").fill("когда-нибудь")
    await page.locator("#field-quiet_to").blur()
    await expect(page.locator("#wishes-note")).to_contain_text("22:00")
    await page.reload()
    await expect(box).not_to_be_checked()
    await expect(page.get_by_label("Не беспокоить в тихие часы")).to_be_checked()
    assert await faults_of(page) == []
    assert not [line for line in wrong if "422" not in line]


async def test_settings_without_scripts(browser: Browser, site: Site, office: Office) -> None:
    """The same form with a button, on a phone."""
    context = await signed_in(
        browser, site, office, office.clinician, java_script_enabled=False, viewport=PHONE
    )
    page = await context.new_page()
    await page.goto(f"{site.url}/notices/settings")
    await page.locator("[value='comments:mail']").uncheck()
    await page.get_by_role("button", name="Сохранить").first.click()
    await expect(page.locator(".flash")).to_contain_text("Сохранено")
    await expect(page.locator("[value='comments:mail']")).not_to_be_checked()
    await expect(page.locator("[value='cases:mail']")).to_be_checked()
    await expect(page.locator("[value='security:mail']")).to_be_checked()
    await context.close()


async def test_the_journal_says_how_each_was_delivered(
    context: BrowserContext, site: Site, office: Office
) -> None:
    """A failure stands there with its reason, is found by the filter, and is sent again (N3)."""
    await tell(office, office.clinician)
    sent = await row(office, office.clinician, Channel.MAIL)
    async with office.database.work() as session:
        mail = await session.get_one(Notice, sent.id)
        mail.state, mail.failed_at = NoticeState.FAILED.value, now()
        mail.failure_reason = "550 5.1.1 no such mailbox"
        session.add(mail)
    page = await context.new_page()
    wrong = watch(page)
    await page.goto(f"{site.url}/notices")
    await page.get_by_role("link", name="Не доставлены").click()
    await expect(page.locator(".delivery-bad")).to_contain_text("550 5.1.1 no such mailbox")
    await page.get_by_role("link", name="Подробности").click()
    await expect(page.locator("h1")).to_have_text(f"Заявка {NUMBER} передана в отдел кадров")
    assert await faults_of(page) == []
    await page.get_by_role("button", name="Отправить ещё раз").click()
    await expect(page.locator(".flash")).to_have_text("Отправим ещё раз.")
    await expect(page.locator(".delivery-waiting")).to_contain_text("отправляется")
    await page.get_by_role("link", name="Непрочитанные").click()
    await expect(page.locator(".notice-list > li")).to_have_count(1)
    await page.get_by_role("link", name="Безопасность").click()
    await expect(page.locator("h2")).to_have_text("Таких уведомлений нет")
    assert wrong == []


async def test_the_bell_is_live_and_counts_as_no_activity(
    context: BrowserContext, site: Site, office: Office
) -> None:
    """The count changes within some seconds on any page; asking prolongs no session."""
    page = await context.new_page()
    asked: list[dict[str, str]] = []
    page.on(
        "request",
        lambda sent: asked.append(sent.headers) if sent.url.endswith("/notices/bell") else None,
    )
    await page.goto(f"{site.url}/profile")
    await expect(page.locator("[data-bell] .count")).to_be_hidden()
    await tell(office, office.clinician)
    await expect(page.locator("[data-bell] .count")).to_contain_text("1")
    await page.goto(f"{site.url}/notices")
    await page.get_by_role("button", name="Отметить все прочитанными").click()
    await expect(page.locator("[data-bell] .count")).to_be_hidden()
    assert asked
    assert all(headers["x-medcab-background"] == "1" for headers in asked)


async def test_a_new_address_is_confirmed_by_a_code(
    context: BrowserContext, site: Site, office: Office, simulators: Simulators
) -> None:
    """Asked for, read in the new mailbox, entered: from now on it holds (N3)."""
    new = f"{uuid4().hex}@new.example"
    page = await context.new_page()
    await page.goto(f"{site.url}/notices/contacts")
    await page.locator("#field-mail").fill("не адрес")
    await page.get_by_role("button", name="Получить код").first.click()
    await expect(page.locator(".govuk-error-summary")).to_be_focused()
    assert await faults_of(page) == []
    await page.locator("#field-mail").fill(new)
    await page.get_by_role("button", name="Получить код").first.click()
    await expect(page.locator(".flash")).to_contain_text("Мы отправили код")
    settings = site.settings
    mailer = Mailer(settings.smtp_url, settings.mail_from)
    await drain(office.database, MailWay(mailer, Addresses.of(settings)))
    async with httpx.AsyncClient(
        base_url=simulators.mail.address, trust_env=False, timeout=PATIENCE
    ) as sink:
        [found] = (await sink.get("/messages", params={"to": new})).json()
        letter = (await sink.get(f"/messages/{found['id']}")).json()["text"]
    await page.locator("#field-code_mail").fill("000000")
    await page.get_by_role("button", name="Подтвердить").click()
    await expect(page.locator("#error-code_mail")).to_contain_text("Неверный код")
    await page.locator("#field-code_mail").fill(re.findall(r"\b\d{6}\b", letter)[-1])
    await page.get_by_role("button", name="Подтвердить").click()
    await expect(page.locator(".flash")).to_contain_text("Новый контакт подтверждён")
    await expect(page.locator("main")).to_contain_text(new)


async def test_the_cabinet_can_be_installed(context: BrowserContext, site: Site) -> None:
    """Manifest, icons and service worker come as a browser wants them."""
    page = await context.new_page()
    wrong = watch(page)
    await page.goto(f"{site.url}/notices/settings")
    line = await context.new_cdp_session(page)
    told = await line.send("Page.getAppManifest")
    assert told["errors"] == []
    manifest = json.loads(told["data"])
    assert (manifest["start_url"], manifest["display"]) == ("/", "standalone")
    for icon in manifest["icons"]:
        answer = await context.request.get(f"{site.url}{icon['src']}")
        assert answer.headers["content-type"] == "image/png"
    worker = await context.request.get(f"{site.url}/sw.js")
    assert worker.headers["cache-control"] == "no-cache"
    assert worker.headers["content-type"].startswith("text/javascript")
    assert "default-src 'none'" in worker.headers["content-security-policy"]
    problems = await line.send("Page.getInstallabilityErrors")
    assert [one["errorId"] for one in problems["installabilityErrors"]] in ([], ["in-incognito"])
    assert wrong == []


async def test_without_a_line_a_page_says_so(context: BrowserContext, site: Site) -> None:
    """The one page that is kept is the same for everybody; no page of a person is kept."""
    page = await context.new_page()
    await page.goto(f"{site.url}/notices/settings")
    await page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    await page.goto(f"{site.url}/profile")
    await context.set_offline(True)
    await page.goto(f"{site.url}/applications")
    await expect(page.locator("h1")).to_have_text("Нет связи с кабинетом")
    await context.set_offline(False)
    kept = await page.evaluate(
        "caches.keys().then(names => Promise.all(names.map(name => caches.open(name)"
        ".then(cache => cache.keys()).then(keys => keys.map(one => new URL(one.url).pathname)))))"
    )
    assert [path for paths in kept for path in paths if "/static/" not in path] == ["/offline"]


async def test_push_from_the_button_to_the_notification(
    whole_browser: Browser, site: Site, office: Office, simulators: Simulators
) -> None:
    """Subscribed by the button, encrypted, decrypted with the browser's keys, shown, and followed.

    What the makers' push services do stands in the simulator; the service worker is the real one,
    and Chromium hands it the very bytes that were decrypted. Whatever else is pushed leads into
    the cabinet too: what cannot be read is shown without words of its own, no path leads elsewhere.
    """
    context = await signed_in(whole_browser, site, office, office.clinician)
    service = httpx.AsyncClient(base_url=simulators.push.address, trust_env=False, timeout=PATIENCE)
    given = (await service.post("/subscriptions")).json()
    await context.grant_permissions(["notifications"], origin=site.url)
    await context.add_init_script(SUBSCRIBES % json.dumps(given))
    page = await context.new_page()
    await page.goto(f"{site.url}/notices/settings")
    await page.get_by_role("button", name="Показывать уведомления на этом устройстве").click()
    await expect(page.locator("[data-push-said]")).to_have_text(
        "Это устройство показывает уведомления."
    )
    await expect(page.locator("[data-push-key] ~ .table-wrap th[scope=row]")).to_contain_text(
        "Chrom"
    )
    assert await faults_of(page) == []
    await tell(office, office.clinician)
    async with PushSender.from_settings(site.settings) as sender:
        await drain(office.database, PushWay(sender))
    name = given["endpoint"].rpartition("/")[2]
    [read] = (await service.get("/messages", params={"to": name})).json()
    await service.aclose()
    push = await pushes(page, site.url)
    [shown] = await push(read["text"])
    assert shown["title"] == f"Заявка {NUMBER} передана в отдел кадров"
    assert shown["path"].startswith("/cases/")
    for data, title, path in PUSHED:
        assert await push(data) == [{"title": title, "path": path}]
    await page.get_by_role("button", name="Больше не показывать на этом устройстве").click()
    await expect(page.locator("[data-push-said]")).to_contain_text("не показывает")
    await expect(page.locator("[data-push-key] ~ .table-wrap")).to_have_count(0)
    await context.close()


async def pushes(page: Page, origin: str) -> Callable[[str], Awaitable[list[dict[str, str]]]]:
    """A function that hands a message to the service worker, as the browser does when its service
    sends one, and says which notifications the browser shows that it did not show before."""
    line = await page.context.new_cdp_session(page)
    known: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    seen: list[dict[str, str]] = []

    def note(told: dict[str, Any]) -> None:
        for one in told["registrations"]:
            if not known.done() and not one["isDeleted"]:
                known.set_result(one["registrationId"])

    await page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    line.on("ServiceWorker.workerRegistrationUpdated", note)
    await line.send("ServiceWorker.enable")
    async with asyncio.timeout(PATIENCE):
        registration = await known
    [worker] = page.context.service_workers
    await worker.evaluate(COUNTS)

    async def push(data: str) -> list[dict[str, str]]:
        before = await worker.evaluate("self.put")
        await line.send(
            "ServiceWorker.deliverPushMessage",
            {"origin": origin, "registrationId": registration, "data": data},
        )

        async def up() -> bool:
            return bool(await worker.evaluate("self.put") > before)

        await until(up)
        shown = [one for one in await page.evaluate(SHOWN) if one not in seen]
        seen.extend(shown)
        return shown

    return push
