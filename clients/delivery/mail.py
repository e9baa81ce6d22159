"""The client of the mail server: one message at a time by SMTP; errors tell what to do next."""

import asyncio
import re
import ssl
from dataclasses import dataclass
from email.errors import MessageError
from email.headerregistry import Address, HeaderRegistry
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from functools import cache
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import aiosmtplib

from rules import clock
from rules.texts.mail_addresses import sendable

_ADDRESS = re.compile(r"<?[^\s<>]+@[^\s<>]+>?")


class _Headers(HeaderRegistry):
    """Keeps the class of each header, which Python's library makes anew for every message."""

    @cache  # noqa: B019 - there is one registry, and no more than ten headers
    def __getitem__(self, name: str) -> type[Any]:
        return super().__getitem__(name)


_POLICY = SMTP.clone(header_factory=_Headers())
_PORTS = {"smtp": 25, "smtps": 465}


class MailDown(Exception):
    """The mail server cannot be reached or serves nobody: stop sending, and try again later."""


class MailLater(Exception):
    """The server refused this message for now (4xx): try this one again later."""


class MailRefused(Exception):
    """This message will never be accepted: its address is bad, or it was refused for good (5xx)."""


@dataclass(frozen=True)
class Delivered:
    """The server accepted the message; `reply` is what it said."""

    reply: str


def _one_line(text: str) -> str:
    """Return the text, which must not be able to start another header line. Raises MailRefused."""
    if any(ord(sign) < 32 or ord(sign) in (127, 0x85, 0x2028, 0x2029) for sign in text):
        raise MailRefused("control characters in a header")
    return text


def _address(text: str) -> Address:
    """A plain address in ASCII, so that any server accepts it. Raises MailRefused."""
    try:
        return Address(addr_spec=sendable(_one_line(text.strip())))
    except (MessageError, ValueError, IndexError):
        raise MailRefused("not an e-mail address") from None


class Mailer:
    """Sends by `smtp://user:password@host:port?starttls=always|if-offered|never` or `smtps://`.

    STARTTLS is `always` by default, but `never` on loopback. `timeout` is for a whole message, in
    seconds. Each message has a connection of its own, so that a fault leaves no half-sent dialogue.
    """

    def __init__(self, smtp_url: str, mail_from: str, timeout: float = 15.0) -> None:
        url = urlsplit(smtp_url)
        if url.scheme not in _PORTS or not url.hostname:
            raise ValueError("SMTP_URL: write smtp://host:port or smtps://host:port")
        self._host = url.hostname
        self._port = url.port or _PORTS[url.scheme]
        self._implicit_tls = url.scheme == "smtps"
        loopback = self._host in {"127.0.0.1", "::1", "localhost"}
        asked = parse_qs(url.query).get("starttls", ["never" if loopback else "always"])[0]
        if asked not in {"always", "if-offered", "never"}:
            raise ValueError("SMTP_URL: starttls is always, if-offered or never")
        self._starttls = {"always": True, "if-offered": None, "never": False}[asked]
        self._user = unquote(url.username) if url.username else None
        self._password = unquote(url.password) if url.password else None
        name, sender = parseaddr(mail_from)
        self._sender = Address(display_name=name, addr_spec=sendable(sender))
        self._timeout = timeout

    def message_id(self, name: str) -> str:
        """The Message-ID of the message called `name` here: the same name gives the same id."""
        return f"<{name}@{self._sender.domain}>"

    async def send(
        self, message_id: str, to: str, subject: str, text: str, html: str, language: str = "ru"
    ) -> Delivered:
        """Hand one message over to the server.

        Raises MailDown, MailLater, MailRefused. After a lost connection nobody knows whether the
        server accepted the message: send it again with the same `message_id`.
        """
        message = self.compose(message_id, to, subject, text, html, language)
        try:
            async with asyncio.timeout(self._timeout):
                return await self._hand_over(message, _address(to))
        except (TimeoutError, OSError, ssl.SSLError) as error:
            raise MailDown(type(error).__name__) from None

    def compose(
        self, message_id: str, to: str, subject: str, text: str, html: str, language: str
    ) -> EmailMessage:
        """The message as it is handed over.

        Raises MailRefused for a value that cannot be a header.
        """
        message = EmailMessage(policy=_POLICY)
        try:
            message["From"] = self._sender
            message["To"] = _address(to)
            message["Subject"] = _one_line(subject)
            message["Message-ID"] = _one_line(message_id)
            _one_line(language)
        except ValueError:
            raise MailRefused("a header cannot be written") from None
        message["Date"] = format_datetime(clock.now())
        message["Auto-Submitted"] = "auto-generated"
        message["X-Auto-Response-Suppress"] = "All"
        message.set_content(text, cte="base64")
        message.add_alternative(html, subtype="html", cte="base64")
        message["Content-Language"] = language
        return message

    async def _hand_over(self, message: EmailMessage, to: Address) -> Delivered:
        line = aiosmtplib.SMTP(
            hostname=self._host,
            port=self._port,
            use_tls=self._implicit_tls,
            start_tls=False if self._implicit_tls else self._starttls,
            username=self._user,
            password=self._password,
            timeout=self._timeout,
        )
        try:
            await line.connect()
        except aiosmtplib.SMTPException as error:
            line.close()
            raise MailDown(type(error).__name__) from None
        try:
            _, reply = await line.sendmail(
                self._sender.addr_spec, [to.addr_spec], message.as_bytes()
            )
        except aiosmtplib.SMTPRecipientsRefused as error:
            raise _refusal(error.recipients[0].code, error.recipients[0].message) from None
        except aiosmtplib.SMTPSenderRefused as error:
            raise MailDown(f"{error.code}: the sender is refused") from None
        except aiosmtplib.SMTPResponseException as error:
            raise _refusal(error.code, error.message) from None
        except aiosmtplib.SMTPNotSupported:
            raise MailRefused("the server does not take such addresses") from None
        except aiosmtplib.SMTPException as error:
            raise MailDown(type(error).__name__) from None
        finally:
            line.close()
        return Delivered(reply)


def _refusal(code: int, words: str) -> Exception:
    """The error for a reply of the server: 421 closes the service, 4xx is for now, 5xx is for good.

    Servers repeat the address in their reply. Addresses are cut out, since the reason is stored in
    the clear.
    """
    said = f"{code} {_ADDRESS.sub('…', ' '.join(words.split()))[:200]}"
    if code == 421 or code < 400:
        return MailDown(said)
    return MailLater(said) if code < 500 else MailRefused(said)
