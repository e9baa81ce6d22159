"""The mail sink: what people see of it, and that hostile mail harms nobody."""

import json
import smtplib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from simulators.pages.mail import linked
from tests.shared.servers import Simulators
from tests.shared.waiting import PATIENCE

EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>"


@pytest.fixture
def sink(simulators: Simulators) -> Iterator[httpx.Client]:
    """The sink over HTTP, empty."""
    with httpx.Client(base_url=simulators.mail.address, trust_env=False) as client:
        client.put("/faults", json={"mode": "ok"}).raise_for_status()
        client.delete("/messages").raise_for_status()
        yield client


@pytest.fixture
def hand_in(simulators: Simulators) -> Callable[..., None]:
    """Hand in one message by SMTP."""
    url = urlsplit(simulators.mail.variables()["SMTP_URL"])

    def send(
        to: str = "anna@hospital.example",
        subject: str = "Привет",
        text: str = "текст",
        html: str | None = None,
    ) -> None:
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = "a@b.example", to, subject
        message["Message-ID"] = "<1@b.example>"
        message.set_content(text)
        if html:
            message.add_alternative(html, subtype="html")
        with smtplib.SMTP(url.hostname or "", url.port or 0, timeout=5) as line:
            line.send_message(message)

    return send


def test_list_is_searched_by_recipient(sink: httpx.Client, hand_in: Any) -> None:
    """A part of the address is enough, in any case of letters."""
    hand_in("anna@hospital.example", "Первое")
    hand_in("boris@hospital.example", "Второе")
    page = sink.get("/", params={"to": "ANNA@"}).text
    assert "Первое" in page
    assert "Второе" not in page


def test_links_in_the_text_are_clickable(sink: httpx.Client, hand_in: Any) -> None:
    """The address without the full stop behind it, other text escaped."""
    hand_in(text="Откройте https://cabinet.example/cases/1?a=b&c=d. Или нет.")
    page = sink.get(f"/view/{sink.get('/messages').json()[0]['id']}").text
    assert '<a href="https://cabinet.example/cases/1?a=b&amp;c=d">' in page


def test_hostile_mail_is_shown_harmlessly(sink: httpx.Client, hand_in: Any) -> None:
    """Text is escaped; the HTML part stands in a sandbox without scripts."""
    hand_in(subject=EVIL, text=EVIL, html=f"<p>{EVIL}</p>")
    number = sink.get("/messages").json()[0]["id"]
    for address in ("/", f"/view/{number}"):
        reply = sink.get(address)
        assert "<script>" not in reply.text
        assert "default-src 'none'" in reply.headers["content-security-policy"]
    body = sink.get(f"/html/{number}")
    assert "sandbox" in body.headers["content-security-policy"]
    assert "allow-scripts" not in body.headers["content-security-policy"]


def test_messages_are_deleted_by_the_page_only(sink: httpx.Client, hand_in: Any) -> None:
    """A form of another site deletes nothing."""
    hand_in()
    number = sink.get("/messages").json()[0]["id"]
    foreign = sink.post(f"/delete/{number}", headers={"sec-fetch-site": "cross-site"})
    assert foreign.status_code == 403
    own = sink.post(f"/delete/{number}", headers={"sec-fetch-site": "same-origin"})
    assert own.status_code == 303
    assert sink.get("/messages").json() == []
    assert sink.get(f"/view/{number}").status_code == 404


def test_linked_leaves_no_markup() -> None:
    """Only addresses become links."""
    assert str(linked("<b>javascript:alert(1)")) == "&lt;b&gt;javascript:alert(1)"


def test_messages_survive_a_restart(
    tmp_path: Path, unused_tcp_port_factory: Callable[[], int]
) -> None:
    """With a file, what was told can be compared after the sink was killed."""
    file = tmp_path / "mail.jsonl"
    smtp, http = unused_tcp_port_factory(), unused_tcp_port_factory()
    command = [sys.executable, "-m", "simulators.together", "mail", "--smtp-port", str(smtp)]
    command += ["--http-port", str(http), "--file", str(file)]
    for round_ in (1, 2):
        process = subprocess.Popen(command)
        try:
            _await(f"http://127.0.0.1:{http}/health")
            found = httpx.get(f"http://127.0.0.1:{http}/messages", trust_env=False).json()
            assert len(found) == round_ - 1
            with smtplib.SMTP("127.0.0.1", smtp, timeout=PATIENCE) as line:
                line.sendmail("a@b.example", ["c@d.example"], b"Message-ID: <1@x>\r\n\r\nx")
        finally:
            process.kill()
            process.wait()
    assert [json.loads(line)["message_id"] for line in file.open()] == ["<1@x>", "<1@x>"]


def _await(address: str) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            httpx.get(address, trust_env=False)
            return
        except httpx.HTTPError:
            time.sleep(0.1)
    raise TimeoutError(address)
