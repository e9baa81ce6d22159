"""Ops read the Temporal UI behind the cabinet; who may decode reads payloads, and it is journaled.

O1: what a case is, where it stands, whom it waits for and until when, without personal data.
"""

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from google.protobuf.json_format import MessageToJson, Parse
from playwright.async_api import Browser
from sqlmodel import col, select
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.client import WorkflowHandle
from temporalio.worker import Worker

from api.operation.temporal_pages import drawn
from clients.payload_codec import encrypt
from crypto.key_ring import KeyRing
from models.tables.journal import JournalEntry
from models.visibility import OpsText
from ops.local.servers.binaries import TEMPORAL
from rules.access import Permission, Role
from rules.clock import now
from rules.journal.entries import JournalKind
from services.accounts import access_tokens
from services.accounts.recognising import Cookies, recognise
from tests.clients.histories import laid_open
from tests.clients.probes import SECRET, Child, Note, Probe, answer, fail
from tests.operation.conftest import Door
from tests.shared.accounts import FIREFOX, visitor_at
from tests.shared.servers import KEYS
from tests.shared.waiting import until

PLAIN = Payload(
    metadata={"encoding": b"json/plain"},
    data=json.dumps({"text": SECRET}, ensure_ascii=False).encode(),
)
PATIENCE = 60_000
"""Milliseconds: the pages are two hundred small files."""


def sealed(workflow_id: str = "application-1") -> str:
    """What the Temporal UI sends: one payload of ours and one that is not."""
    ours = encrypt(KeyRing.parse(KEYS), PLAIN, workflow_id)
    foreign = Payload(metadata={"encoding": b"json/plain"}, data=b'"typed by hand"')
    return MessageToJson(Payloads(payloads=[ours, foreign]))


async def journaled(door: Door) -> list[JournalEntry]:
    """The entries about decoding."""
    async with door.house.container.database.work() as session:
        found = await session.exec(
            select(JournalEntry)
            .where(JournalEntry.kind == JournalKind.PAYLOAD_DECODED.value)
            .order_by(col(JournalEntry.position))
        )
        return list(found)


async def test_who_may_decode_reads_and_leaves_a_trace(door: Door) -> None:
    """What is ours is opened, what is not comes back as it was, and the journal says who."""
    ops = await door.browser_of(Role.OPS)
    reply = await ops.post("/codec/decode", content=sealed())
    assert reply.status_code == 200
    assert reply.headers["cache-control"] == "no-store"
    ours, foreign = Parse(reply.content, Payloads()).payloads
    assert SECRET in ours.data.decode()
    assert foreign.data == b'"typed by hand"'
    [entry] = await journaled(door)
    assert entry.facts == {"payloads": 1, "workflows": ["application-1"], "of_workflows": 1}
    assert entry.by_person is not None


@pytest.mark.parametrize("role", [r for r in Role if r is not Role.OPS])
async def test_nobody_else_decodes(door: Door, role: Role) -> None:
    """Not even who watches the operation."""
    browser = await door.browser_of(role)
    reply = await browser.post("/codec/decode", content=sealed())
    assert reply.status_code == 403
    assert SECRET not in reply.text
    assert await journaled(door) == []


async def test_strangers_and_other_sites_decode_nothing(door: Door) -> None:
    """Without a session, with a session that another site abuses, or with a made-up token."""
    ops = await door.browser_of(Role.OPS)
    foreign = await ops.post(
        "/codec/decode", content=sealed(), headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert foreign.status_code == 403
    ops.cookies.clear()
    assert (await ops.post("/codec/decode", content=sealed())).status_code == 401
    token = {"Authorization": "Bearer mcb_made_up"}
    assert (await ops.post("/codec/decode", content=sealed(), headers=token)).status_code == 401
    assert await journaled(door) == []


async def test_encoding_is_refused(door: Door) -> None:
    """Nobody makes a payload of ours by typing it into the Temporal UI."""
    ops = await door.browser_of(Role.OPS)
    assert (await ops.post("/codec/encode", content=sealed())).status_code == 403


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b'{"payloads": [{"data": 7}]}'])
async def test_garbage_is_refused_in_words(door: Door, body: bytes) -> None:
    """A body that is no payloads is a 422, never a 500."""
    ops = await door.browser_of(Role.OPS)
    assert (await ops.post("/codec/decode", content=body)).status_code == 422


async def test_payload_that_lies_about_its_workflow_stays_closed(door: Door) -> None:
    """The workflow id is authenticated: a relabelled payload is given back as it came."""
    ops = await door.browser_of(Role.OPS)
    body = json.loads(sealed())
    body["payloads"][0]["metadata"]["workflow"] = "b3RoZXI="
    reply = await ops.post("/codec/decode", json=body)
    assert reply.status_code == 200
    assert reply.json()["payloads"][0] == body["payloads"][0]


@asynccontextmanager
async def waiting_probe(door: Door) -> AsyncIterator[WorkflowHandle[Any, Any]]:
    """A workflow that stands as a case does: told what it is, and waiting."""
    queue = f"probe-{uuid4()}"
    async with Worker(
        door.temporal,
        task_queue=queue,
        workflows=[Probe, Child],
        activities=[answer, fail],
        graceful_shutdown_timeout=timedelta(seconds=5),
    ):
        handle = await door.temporal.start_workflow(
            Probe.run,
            Note(text=SECRET),
            id=f"application-{uuid4()}",
            task_queue=queue,
            static_summary=OpsText("ПК-2026-000123-0 · qualification"),
        )

        async def heard() -> bool:
            return "from outside" in (await handle.query(Probe.so_far, Note(text=""))).text

        await until(heard)
        yield handle
        await handle.terminate()


async def test_token_reads_on_the_command_line(door: Door) -> None:
    """`temporal workflow show` decodes with a personal access token made for that."""
    ops = await door.browser_of(Role.OPS)
    async with door.house.container.database.work() as session:
        kept = [ops.cookies[f"medcab{name}"] for name in ("", "-device", "-account")]
        current = await recognise(
            door.house.container.database,
            Cookies(*kept),
            now(),
            timedelta(minutes=15),
            door.house.container.activity,
            counts=False,
        )
        assert current is not None
        made = await access_tokens.make(
            session, current, "cli", [Permission.DECODE_PAYLOADS], 1, visitor_at(), now()
        )
    async with waiting_probe(door) as handle:
        command = [str(TEMPORAL.find()), "workflow", "show", "--workflow-id", handle.id]
        command += ["--address", door.house.settings.temporal_address, "--output", "json"]
        shown = await asyncio.to_thread(
            subprocess.run, command, capture_output=True, text=True, timeout=30
        )
        assert shown.returncode == 0
        assert SECRET not in laid_open(shown.stdout)
        command += ["--codec-endpoint", f"{door.address}/codec"]
        command += ["--codec-auth", f"Bearer {made.text}"]
        shown = await asyncio.to_thread(
            subprocess.run, command, capture_output=True, text=True, timeout=30
        )
        assert shown.returncode == 0, shown.stderr
        assert SECRET in laid_open(shown.stdout)


@pytest.mark.parametrize(
    ("role", "status"),
    [(Role.OPS, 200), (Role.TECHNICIAN, 200), (Role.DOCTOR, 403), (Role.HR_HEAD, 403)],
)
async def test_pages_are_for_those_who_watch_the_operation(
    door: Door, role: Role, status: int
) -> None:
    """The pages, their scripts and their data alike."""
    browser = await door.browser_of(role)
    for path in (
        "/temporal",
        "/temporal/namespaces/default/workflows",
        "/temporal/api/v1/namespaces",
    ):
        reply = await browser.get(path)
        assert reply.status_code == status, path
    browser.cookies.clear()
    assert (await browser.get("/temporal/api/v1/namespaces")).status_code == 401
    led = await browser.get("/temporal")
    assert led.status_code == 303
    assert led.headers["location"].startswith("/sign-in")


async def test_what_is_done_by_the_pages_is_journaled_first(door: Door) -> None:
    """I9: who resets or ends a workflow by hand; reading leaves no entry."""
    ops = await door.browser_of(Role.OPS)
    path = "/api/v1/namespaces/default/workflows/application-1/terminate"
    await ops.get("/temporal/api/v1/namespaces")
    await ops.post(f"/temporal{path}", json={})
    async with door.house.container.database.work() as session:
        found = await session.exec(
            select(JournalEntry).where(JournalEntry.kind == JournalKind.TEMPORAL_ACTED.value)
        )
        [entry] = found.all()
    assert entry.facts == {"path": path}
    assert entry.by_person is not None


async def test_pages_never_see_the_session(door: Door) -> None:
    """Cookies of the cabinet stay in the cabinet; only the UI's own token goes through."""
    browser = await door.browser_of(Role.OPS)
    reply = await browser.get("/temporal")
    assert "script-src 'self' 'sha256-" in reply.headers["content-security-policy"]
    assert "'unsafe-inline'" not in reply.headers["content-security-policy"].split("style-src")[0]
    cookies = reply.headers.get_list("set-cookie")
    assert all(cookie.startswith("_csrf=") and "Path=/temporal;" in cookie for cookie in cookies)


def test_drawn_texts_hold_no_markup_but_ours() -> None:
    """Headings, bullets, bold; whatever else stands there is text."""
    assert drawn("### STUCK\n**a** <b>\n- one\n- two\n") == (
        "<h3>STUCK</h3><p><strong>a</strong> &lt;b&gt;</p><ul><li>one</li><li>two</li></ul>"
    )
    assert "<script" not in drawn("<script>alert(1)</script>\n**<img onerror=x>**")


async def test_calls_of_the_pages_do_not_count_as_activity(door: Door) -> None:
    """The UI asks again and again by itself: that must not keep a session alive (I5)."""
    ops = await door.browser_of(Role.OPS)
    await ops.get("/temporal/api/v1/namespaces")
    await ops.post("/codec/decode", content=sealed())
    assert not door.house.container.activity.sessions


@pytest.mark.browser
async def test_real_browser_shows_words_to_all_ops_and_payloads_to_those_who_may(
    door: Door, browser: Browser
) -> None:
    """Summary and current details stand in the clear; contents only for who may decode."""
    context = await browser.new_context(user_agent=FIREFOX)
    context.set_default_timeout(PATIENCE)
    page = await context.new_page()
    refused = []
    page.on(
        "console",
        lambda said: refused.append(said.text) if "Security Policy" in said.text else None,
    )
    async with waiting_probe(door) as handle:
        of_run = f"/temporal/namespaces/default/workflows/{handle.id}/{handle.result_run_id}"
        for role, reads in ((Role.TECHNICIAN, False), (Role.OPS, True)):
            person = await door.browser_of(role)
            await context.clear_cookies()
            await context.add_cookies(
                [
                    {"name": name, "value": value, "url": door.address}
                    for name, value in person.cookies.items()
                ]
            )
            await page.goto(f"{door.address}{of_run}/user-metadata")
            drawn = page.locator("iframe[title='output']")
            for place, words in enumerate(("ПК-2026-000123-0", "waits for HR until 04.12.2026")):
                await drawn.nth(place).content_frame.get_by_text(words).wait_for()
            await page.goto(f"{door.address}{of_run}/history")
            await page.get_by_text("Event History").first.wait_for()
            if reads:
                await page.get_by_text("Иванова Анна Сергеевна").first.wait_for()
                assert await journaled(door)
            else:
                await page.get_by_text("asks the register").first.wait_for()
                assert "Иванова" not in await page.content()
                assert await journaled(door) == []
    assert refused == []
    await context.close()
