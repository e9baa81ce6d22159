"""The line to the mail server: what is sent, and what can never be."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from clients.delivery.mail import Delivered, MailDown, Mailer, MailLater, MailRefused
from rules.texts import mail_addresses
from rules.texts.identifiers import IdentifierError
from tests.shared.servers import Simulators


@pytest.fixture(scope="module")
def mailer(simulators: Simulators) -> Mailer:
    """The line to the sink."""
    return Mailer(simulators.mail.variables()["SMTP_URL"], "Кабинет <no-reply@medcab.example>", 3)


@pytest.fixture(scope="module")
def sink(simulators: Simulators) -> Iterator[httpx.Client]:
    """The sink over HTTP."""
    with httpx.Client(base_url=simulators.mail.address, trust_env=False) as client:
        yield client
        client.put("/faults", json={"mode": "ok"})


async def send(
    mailer: Mailer,
    to: str = "anna@hospital.example",
    subject: str = "Заявка",
    message_id: str = "<1@x>",
) -> Delivered:
    """Send something."""
    return await mailer.send(message_id, to, subject, "текст\n.\nещё", "<p>текст</p>")


async def test_message_arrives_as_it_was_written(mailer: Mailer, sink: Any) -> None:
    """Cyrillic subject and sender, both bodies, a line of one dot, and the Message-ID."""
    sink.delete("/messages")
    await send(mailer)
    [found] = sink.get("/messages").json()
    message = sink.get(f"/messages/{found['id']}").json()
    assert message["subject"] == "Заявка"
    assert message["text"].splitlines() == ["текст", ".", "ещё"]
    assert message["html"].strip() == "<p>текст</p>"
    assert message["message_id"] == "<1@x>"
    assert message["sender"] == "no-reply@medcab.example"


@pytest.mark.parametrize(
    ("mode", "error"),
    [("refuse_for_now", MailLater), ("refuse", MailRefused), ("cut", MailDown), ("down", MailDown)],
)
async def test_errors_say_what_to_do_next(
    mailer: Mailer, sink: Any, mode: str, error: type[Exception]
) -> None:
    """For now, for good, and the server is not there: three different things."""
    sink.put("/faults", json={"mode": mode}).raise_for_status()
    with pytest.raises(error):
        await send(mailer)
    sink.put("/faults", json={"mode": "ok"}).raise_for_status()
    await send(mailer)


async def test_slow_server_is_given_up(simulators: Simulators, sink: Any) -> None:
    """The timeout is for the whole message."""
    hasty = Mailer(simulators.mail.variables()["SMTP_URL"], "no-reply@medcab.example", 0.3)
    sink.put("/faults", json={"mode": "slow", "seconds": 2}).raise_for_status()
    with pytest.raises(MailDown):
        await send(hasty)
    sink.put("/faults", json={"mode": "ok"}).raise_for_status()


@pytest.mark.asvs("1.3.11")
@hypothesis_settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    to=st.text(max_size=30) | st.emails(),
    subject=st.text(max_size=40)
    | st.sampled_from(["a\r\nBcc: evil@x.example", "a\nX: y", "a\u2028b", "a\x00b"]),
)
async def test_no_text_adds_a_header_or_a_recipient(mailer: Mailer, to: str, subject: str) -> None:
    """Whatever stands in address and subject, a message has our headers or is refused."""
    try:
        message = mailer.compose("<1@x>", to, subject, "t", "<p>t</p>", "ru")
    except MailRefused:
        return
    raw = message.as_bytes()
    head, _, _ = raw.partition(b"\r\n\r\n")
    names = [line.split(b":")[0] for line in head.split(b"\r\n") if line[:1] not in b" \t"]
    assert sorted(names) == sorted(set(names))
    assert b"Bcc" not in names
    assert len(message["To"].addresses) == 1


@hypothesis_settings(
    deadline=None,
    max_examples=200,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.emails()
    | st.builds(
        "{}@{}.{}".format,
        st.text(alphabet="ab1._-+'", min_size=1, max_size=12),
        st.text(alphabet="абё-a1.", min_size=1, max_size=20),
        st.sampled_from(["рф", "example", "local"]),
    )
)
@example("a@xn--clc6i.example").via("a letter with a mark")
async def test_what_is_taken_at_entry_can_be_sent(mailer: Mailer, typed: str) -> None:
    """An address that people may enter is never refused by the line to the mail server."""
    try:
        address = mail_addresses.read(typed)
    except IdentifierError:
        return
    message = mailer.compose("<1@x>", address, "Заявка", "t", "<p>t</p>", "ru")
    assert message["To"].addresses[0].addr_spec.isascii()
    assert mail_addresses.read(address) == address


async def test_a_domain_in_cyrillic_is_sent_as_idna(mailer: Mailer, sink: Any) -> None:
    """The envelope and the header say it in ASCII: no server has to know more."""
    await send(mailer, to="anna@больница.рф")
    [found] = sink.get("/messages", params={"to": "anna@xn--80abvlke3d3b.xn--p1ai"}).json()
    assert found["subject"] == "Заявка"


def test_the_sender_may_have_a_cyrillic_domain() -> None:
    """Message-ID and sender are in ASCII."""
    assert Mailer("smtp://x", "no-reply@почта.рф").message_id("1") == "<1@xn--80a1acny.xn--p1ai>"


@pytest.mark.parametrize("url", ["http://x", "smtp://", "smtp://x?starttls=maybe", "x"])
def test_odd_address_of_the_server_is_refused_at_the_start(url: str) -> None:
    """A misspelt SMTP_URL is found when the program starts, not by the first message."""
    with pytest.raises(ValueError, match="SMTP_URL"):
        Mailer(url, "no-reply@medcab.example")
