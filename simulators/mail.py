"""A mail server that stores what it gets and shows it on a page: `python -m simulators.mail`.

Real SMTP for the product, a page for people, JSON for tests (`/messages`). With `--file` every
message is also appended to a file of JSON lines and read again at the next start, so that mails can
be compared by Message-ID after any fault. Every copy is kept: nothing is deduplicated.
"""

import argparse
import asyncio
import email
import email.policy
import json
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from email.message import EmailMessage
from enum import StrEnum
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session
from fastapi import FastAPI, HTTPException
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from simulators.mail_bounces import report, tell
from simulators.pages.mail import pages_of


class MailFaultMode(StrEnum):
    """The ways in which a mail server misbehaves."""

    OK = "ok"
    SLOW = "slow"
    REFUSE_FOR_NOW = "refuse_for_now"
    REFUSE = "refuse"
    CUT = "cut"
    BOUNCE = "bounce"
    DOWN = "down"


class MailFault(BaseModel):
    """The switch: `cut` stores the message and hangs up before the reply, `down` stops listening.

    `bounce` takes the message and returns a delivery report with `status` to `callback`, or else to
    the callback of the system that this server works for; without either nothing is returned.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    mode: MailFaultMode = MailFaultMode.OK
    seconds: float = Field(2.0, ge=0, le=3600, description="How long `slow` takes.")
    recipient: str = Field(
        "", description="Only recipients whose address contains this are affected."
    )
    status: str = Field("5.1.1", pattern=r"^[245]\.[0-9]{1,3}\.[0-9]{1,3}$")
    callback: str = ""
    until: AwareDatetime | None = None


class StoredMessage(BaseModel):
    """One message as it was received."""

    model_config = ConfigDict(frozen=True)

    id: int
    received_at: datetime
    sender: str
    to: list[str]
    subject: str
    message_id: str
    language: str
    text: str
    html: str
    raw: str


def _read(number: int, envelope: Envelope) -> StoredMessage:
    content = envelope.content if isinstance(envelope.content, bytes) else b""
    message = email.message_from_bytes(content, policy=email.policy.default)

    def part(kind: str) -> str:
        body = message.get_body((kind,))
        return str(body.get_content()) if isinstance(body, EmailMessage) else ""

    return StoredMessage(
        id=number,
        received_at=datetime.now(UTC),
        sender=envelope.mail_from or "",
        to=list(envelope.rcpt_tos),
        subject=str(message.get("Subject", "")),
        message_id=str(message.get("Message-ID", "")).strip(),
        language=str(message.get("Content-Language", "")),
        text=part("plain"),
        html=part("html"),
        raw=content.decode("utf-8", "replace"),
    )


def _cut(protocol: SMTP) -> None:
    """Drop the connection without a word."""
    # Transports of uvloop have the method without being asyncio's class.
    abort = getattr(protocol.transport, "abort", None)
    if abort is not None:
        abort()


class MailSink:
    """The stored messages, the fault switch, and the SMTP server that obeys it."""

    def __init__(
        self,
        smtp_port: int,
        file: Path | None = None,
        host: str = "127.0.0.1",
        callback: str = "",
        secret: str = "",
    ) -> None:
        self.host = host
        self.smtp_port = smtp_port
        self.file = file
        self.fault = MailFault()
        self.callback = callback
        self.secret = secret
        self._bounces: set[asyncio.Task[None]] = set()
        self.messages: dict[int, StoredMessage] = {}
        self._last = 0
        self._server: asyncio.Server | None = None
        self._sessions: set[SMTP] = set()
        if file is not None and file.exists():
            for line in file.read_text("utf-8").splitlines():
                # A kill during writing leaves the last line torn: it is skipped.
                with suppress(ValidationError):
                    self._keep(StoredMessage.model_validate_json(line))

    def _keep(self, message: StoredMessage) -> None:
        self.messages[message.id] = message
        self._last = max(self._last, message.id)

    def _mode(self, recipients: list[str]) -> MailFaultMode:
        fault = self.fault
        if fault.until is not None and datetime.now(UTC) >= fault.until:
            self.fault = MailFault()
            return MailFaultMode.OK
        if fault.recipient and not any(fault.recipient in one for one in recipients):
            return MailFaultMode.OK
        return fault.mode

    async def handle_RCPT(  # noqa: N802 - the name that aiosmtpd calls
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Accept or refuse one recipient."""
        mode = self._mode([address])
        if mode is MailFaultMode.REFUSE_FOR_NOW:
            return "451 4.3.0 try again later"
        if mode is MailFaultMode.REFUSE:
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(  # noqa: N802 - the name that aiosmtpd calls
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """Store the message, then answer; late or never where the switch says so."""
        mode = self._mode(envelope.rcpt_tos)
        if mode is MailFaultMode.SLOW:
            await asyncio.sleep(self.fault.seconds)
        message = _read(self._last + 1, envelope)
        self._keep(message)
        if self.file is not None:
            with self.file.open("a", encoding="utf-8") as lines:
                lines.write(message.model_dump_json() + "\n")
        if mode is MailFaultMode.CUT:
            _cut(server)
        if mode is MailFaultMode.BOUNCE:
            self._bounce(message)
        return "250 2.0.0 kept"

    def _bounce(self, message: StoredMessage) -> None:
        url = self.fault.callback or self.callback
        if not url or not self.secret:
            return
        headers = message.raw.replace("\r\n", "\n").partition("\n\n")[0] + "\n\n"
        content = report(", ".join(message.to), message.sender, headers, self.fault.status)
        task = asyncio.ensure_future(tell(url, self.secret, content))
        self._bounces.add(task)
        task.add_done_callback(self._bounces.discard)

    def _session(self) -> SMTP:
        protocol = SMTP(self, enable_SMTPUTF8=True, hostname="mail.simulator", ident="Simulator")
        self._sessions = {one for one in self._sessions if one.transport is not None}
        self._sessions.add(protocol)
        return protocol

    async def listen(self) -> None:
        """Open the SMTP port."""
        if self._server is None:
            loop = asyncio.get_running_loop()
            self._server = await loop.create_server(
                self._session, self.host, self.smtp_port, reuse_address=True
            )

    async def hang_up(self) -> None:
        """Close the SMTP port and every open connection."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
        for protocol in self._sessions:
            _cut(protocol)
        self._sessions.clear()

    async def turn(self, fault: MailFault) -> None:
        """Turn the fault switch."""
        self.fault = fault
        if fault.mode is not MailFaultMode.DOWN:
            await self.listen()
            return
        await self.hang_up()
        if fault.until is not None:
            wait = (fault.until - datetime.now(UTC)).total_seconds()
            asyncio.get_running_loop().call_later(max(wait, 0), self._come_back, fault)

    def _come_back(self, fault: MailFault) -> None:
        if self.fault is fault:
            self._returning = asyncio.ensure_future(self.turn(MailFault()))

    def found(self, to: str = "", message_id: str = "") -> list[StoredMessage]:
        """Messages newest first; `to` is a part of a recipient."""
        wanted = to.strip().lower()
        return [
            message
            for message in reversed(self.messages.values())
            if (not wanted or any(wanted in one.lower() for one in message.to))
            and (not message_id or message.message_id == message_id)
        ]

    def delete(self, numbers: list[int]) -> None:
        """Forget messages, in the file too."""
        for number in numbers:
            self.messages.pop(number, None)
        if self.file is not None:
            kept = [message.model_dump_json() + "\n" for message in self.messages.values()]
            self.file.write_text("".join(kept), "utf-8")


def create_app(sink: MailSink) -> FastAPI:
    """The page and the JSON routes; the SMTP port is open as long as the application runs."""

    @asynccontextmanager
    async def listening(_: FastAPI) -> AsyncIterator[None]:
        await sink.listen()
        yield
        await sink.hang_up()

    app = FastAPI(title="Почта (имитация)", version="1", lifespan=listening)
    app.state.sink = sink
    app.include_router(pages_of(sink))

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/faults")
    async def show() -> MailFault:
        return sink.fault

    @app.put("/faults")
    async def turn(fault: MailFault) -> MailFault:
        await sink.turn(fault)
        return fault

    @app.get("/messages")
    async def messages(to: str = "", message_id: str = "") -> list[dict[str, Any]]:
        """Newest first, without the bodies."""
        short = {"raw", "html", "text"}
        found = sink.found(to, message_id)
        return [json.loads(message.model_dump_json(exclude=short)) for message in found]

    @app.get("/messages/{number}")
    async def message(number: int) -> StoredMessage:
        if number not in sink.messages:
            raise HTTPException(404, "no such message")
        return sink.messages[number]

    @app.delete("/messages/{number}", status_code=204)
    async def delete(number: int) -> None:
        sink.delete([number])

    @app.delete("/messages", status_code=204)
    async def delete_all() -> None:
        sink.delete(list(sink.messages))

    return app


def made(options: Sequence[str]) -> tuple[FastAPI, int]:
    """The simulator that these options describe, and its port on loopback."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--smtp-port", type=int, default=1025)
    parser.add_argument("--http-port", type=int, default=8025)
    parser.add_argument("--file", type=Path, help="Folder that keeps messages over restarts.")
    chosen = parser.parse_args(options)
    public = os.environ.get("MEDCAB_PUBLIC_URL", "").rstrip("/")
    sink = MailSink(
        chosen.smtp_port,
        chosen.file,
        callback=f"{public}/api/v1/callbacks/mail" if public else "",
        secret=os.environ.get("MEDCAB_MAIL_CALLBACK_SECRET", ""),
    )
    return create_app(sink), chosen.http_port
