"""The simulated gov service: `python -m simulators.gov_service --keys FOLDER`.

A party of its own with keys of its own, and a process of its own where it is killed or counted by
itself (`ops.local.system`). It takes encrypted requests, refuses what it cannot open
or verify, acknowledges, works for some seconds, answers in an envelope of its own and calls back,
signed by the rules of Standard Webhooks. `PUT /faults` spoils the connection; `PUT /behaviour`
spoils what the service itself does; `DELETE /messages` makes it forget everything.
"""

import argparse
import asyncio
import base64
import json
import os
import secrets
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import httpx
import structlog
from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse
from jinja2 import Environment, FileSystemLoader
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from clients.serving import serve
from crypto.certificates import in_force
from crypto.cms_encryption import encrypt
from crypto.cms_signatures import sign_content
from crypto.signing_keys import new_line_signer
from services.gov_service.envelopes import GOV_SERVICE, MEDCAB, EnvelopeRefused, Envelopes
from services.gov_service.keys import Keys, keys_in
from services.gov_service.messages import (
    GovServiceAnswer,
    GovServiceRequest,
    GovServiceWithdrawal,
    MessageUnreadable,
    refusal,
)
from services.seal import FileSeal, Seal, ensure_test_seal
from settings import ModuleCrypto
from simulators.calling import caller, signed_headers
from simulators.faults import FaultSwitch, FaultyServer
from simulators.gov_answers import DocumentUnreadable, answer_to, data_of
from simulators.gov_messages import Callback, KeptMessage, Messages

log = structlog.get_logger(__name__)

LIMIT = 128 * 1024 * 1024
IN_A_CALLBACK = 700 * 1024
"""Bytes of an envelope that a callback carries; a larger one has to be asked for."""
TICK = 0.1
_PAGES = Path(__file__).with_name("gov_pages")
_STYLE = Path(__file__).with_name("pages") / "files" / "style.css"
_POLICY = "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'"
_WORDS = {
    "accepted": "Принят",
    "working": "В работе",
    "answered": "Дан ответ",
    "refused": "Отказано",
    "withdrawn": "Отозван",
}


class GovServiceBehaviour(BaseModel):
    """How the service itself misbehaves. At `until` all but `delay` goes back to normal."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    delay: float = Field(6.0, ge=0, le=86400, description="Seconds from acceptance to answer.")
    answer: Literal[
        "ordinary",
        "refused",
        "never",
        "garbled",
        "tampered",
        "other_message",
        "other_signer",
        "other_request",
    ] = "ordinary"
    twice: bool = Field(False, description="Answer again, differently, a moment later.")
    callbacks: Literal["sent", "lost", "twice", "unsigned", "late", "foreign"] = "sent"
    until: AwareDatetime | None = None


class Module:
    """The gov service behind its routes."""

    def __init__(
        self,
        keys: Keys,
        seal: Seal,
        secret: str,
        messages: Messages,
        behaviour: GovServiceBehaviour,
    ) -> None:
        self.keys = keys
        self._seal = seal
        self.messages = messages
        self._envelopes = Envelopes(keys, GOV_SERVICE)
        self._secret = secret
        self._behaviour = behaviour
        self._http = caller()
        self._taken = asyncio.Event()

    @property
    def behaviour(self) -> GovServiceBehaviour:
        """How the service behaves now."""
        until = self._behaviour.until
        if until is not None and datetime.now(UTC) >= until:
            self._behaviour = GovServiceBehaviour(delay=self._behaviour.delay)
        return self._behaviour

    @behaviour.setter
    def behaviour(self, behaviour: GovServiceBehaviour) -> None:
        self._behaviour = behaviour

    def take(self, id_: UUID, service: str, callback: str, envelope: bytes) -> tuple[int, str]:
        """Take a message.

        Gives the status of the reply, and the code of the reason if it is refused.
        """
        try:
            opened = self._envelopes.open_(envelope, message_id=id_)
            request = GovServiceRequest.read(opened.plain)
            data_of(request)
        except EnvelopeRefused as error:
            return 422, error.code.value
        except MessageUnreadable:
            return 422, "message_unreadable"
        except DocumentUnreadable:
            return 422, "document_unreadable"
        if request.service != service or urlsplit(callback).scheme not in ("http", "https"):
            return 422, "wrong_address"
        digest = sha256(opened.plain).hexdigest()
        known = self.messages.get(id_)
        if known is not None:
            self.messages.handed_over_again(id_)
            return (200, "") if known.digest == digest else (409, "other_contents")
        self.messages.take(
            KeptMessage(
                id=id_,
                service=service,
                number=request.number,
                version=request.version,
                digest=digest,
                request=opened.plain,
                callback=callback,
                state="accepted",
                at=datetime.now(UTC),
                taken=time.time(),
                handed_over=1,
                answers=0,
                envelope=None,
                reason=None,
            )
        )
        self._taken.set()
        return 202, ""

    def withdraw(self, id_: UUID, envelope: bytes) -> tuple[int, str]:
        """Stop work on a message.

        Gives the status of the reply, and the code of the reason if refused.
        """
        try:
            told = GovServiceWithdrawal.read(self._envelopes.open_(envelope, message_id=id_).plain)
        except EnvelopeRefused as error:
            return 422, error.code.value
        except MessageUnreadable:
            return 422, "message_unreadable"
        known = self.messages.get(id_)
        if known is None:
            return 404, "unknown_message"
        if (known.number, known.version) != (told.withdrawn_number, told.withdrawn_version):
            return 422, "other_request"
        self.messages.withdraw(id_, datetime.now(UTC))
        return 200, ""

    async def work(self) -> None:
        """Answer and call back, for ever; rest while there is nothing to do."""
        while True:
            await asyncio.sleep(TICK)
            self._taken.clear()
            try:
                if not self.messages.busy:
                    await self._taken.wait()
                for message in self.messages.open_ones():
                    await self._move(message)
                await asyncio.gather(*map(self._call, self.messages.due_callbacks()))
            except Exception:  # one message must not stop the others
                log.exception("gov_service_failed")

    async def _move(self, message: KeptMessage) -> None:
        behaviour = self.behaviour
        age = time.time() - message.taken
        if age >= behaviour.delay and behaviour.answer != "never":
            envelope, state = await asyncio.to_thread(self._answer, message, behaviour)
            self._reach(message, state, behaviour, envelope)
            if behaviour.twice:
                await asyncio.sleep(TICK)
                envelope, state = await asyncio.to_thread(
                    self._answer, message, behaviour, again=True
                )
                self._reach(message, state, behaviour, envelope)
        elif age >= behaviour.delay / 3 and message.state == "accepted":
            self._reach(message, "working", behaviour, None)

    def _reach(
        self,
        message: KeptMessage,
        state: str,
        behaviour: GovServiceBehaviour,
        envelope: bytes | None,
    ) -> None:
        at = datetime.now(UTC)
        reason = "by_rule" if state == "refused" else None
        told = shown(replace(message, state=state, at=at, envelope=envelope, reason=reason))
        if envelope is not None and len(envelope) > IN_A_CALLBACK:
            told["envelope"] = None
        body = json.dumps(told | {"message_id": str(message.id)}).encode()
        calls = {"lost": 0, "twice": 2}.get(behaviour.callbacks, 1)
        due = time.time()
        self.messages.reach(
            message.id,
            state,
            at,
            envelope=envelope,
            reason=reason,
            callbacks=[(body, behaviour.callbacks, due)] * calls,
        )

    def _answer(
        self, message: KeptMessage, behaviour: GovServiceBehaviour, *, again: bool = False
    ) -> tuple[bytes, str]:
        """The encrypted answer, spoilt as `behaviour` says, and the state that it brings."""
        at = datetime.now(UTC)
        request = GovServiceRequest.read(message.request)
        if behaviour.answer == "refused":
            answer = refusal(request, "Запрос отклонён. Исправьте его и направьте снова.", at)
        else:
            answer = answer_to(request, message.id, at, self._seal, again=again)
        if behaviour.answer == "other_request":
            answer = answer.model_copy(update={"number": "НЕ-2026-000000-0"})
        return self._sealed(message.id, answer, behaviour.answer), answer.outcome

    def _sealed(self, id_: UUID, answer: GovServiceAnswer, spoilt: str) -> bytes:
        plain = answer.packed()
        if spoilt == "garbled":
            return b"not an envelope"
        if spoilt == "other_signer":
            stranger = new_line_signer("Чужой модуль", "Неизвестно")
            now = datetime.now(UTC)
            head = f"Message: {id_}\r\nTo: {MEDCAB}\r\n\r\n".encode()
            readers = [each for each in self.keys.key_ring().theirs if in_force(each, now)]
            return encrypt(sign_content(stranger, head + plain, now), readers)
        about = uuid4() if spoilt == "other_message" else id_
        envelope = self._envelopes.wrap(plain, message_id=about, addressee=MEDCAB)
        if spoilt == "tampered":
            middle = len(envelope) // 2
            flipped = bytes([envelope[middle] ^ 1])
            return envelope[:middle] + flipped + envelope[middle + 1 :]
        return envelope

    async def _call(self, callback: Callback) -> None:
        """Make one callback, signed, or signed wrongly, as was decided when it was stored."""
        at = datetime.now(UTC)
        if callback.sign == "late":
            at = at.replace(year=at.year - 1, day=1)
        secret = self._secret
        if callback.sign == "foreign":
            secret = "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()
        headers = signed_headers(secret, callback.id, at, callback.body.decode())
        if callback.sign == "unsigned":
            headers["webhook-signature"] = ""
        try:
            reply = await self._http.post(callback.address, content=callback.body, headers=headers)
        except httpx.HTTPError as error:
            self.messages.called(callback, type(error).__name__, again=True)
            return
        again = reply.status_code >= 500 or reply.status_code in (408, 425, 429)
        self.messages.called(callback, str(reply.status_code), again=again)

    async def close(self) -> None:
        """Close the HTTP client and the file."""
        await self._http.aclose()
        self.messages.close()


def shown(message: KeptMessage) -> dict[str, Any]:
    """A message as its sender may see it."""
    envelope = message.envelope
    return {
        "state": message.state,
        "at": message.at.isoformat(),
        "envelope": base64.b64encode(envelope).decode() if envelope is not None else None,
        "reason": message.reason,
    }


def create_app(
    keys: Path,
    secret: str,
    file: Path | None = None,
    behaviour: GovServiceBehaviour | None = None,
    crypto: ModuleCrypto = "standard",
) -> FastAPI:
    """The gov service over one folder of keys; `app.state.faults` is its fault switch."""
    seal = FileSeal.read(ensure_test_seal(keys, "Модуль госуслуг"))
    module = Module(
        keys_in(keys, crypto), seal, secret, Messages(file), behaviour or GovServiceBehaviour()
    )
    switch = FaultSwitch()

    @asynccontextmanager
    async def working(_: FastAPI) -> AsyncIterator[None]:
        task = asyncio.create_task(module.work())
        yield
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await module.close()

    app = FastAPI(title="Модуль госуслуг (имитация)", version="1", lifespan=working)
    app.state.faults, app.state.module = switch, module
    app.include_router(switch.router())
    app.add_middleware(FaultyServer, switch=switch)
    templates = Environment(loader=FileSystemLoader(_PAGES), autoescape=True)

    def reply(id_: UUID, status: int, code: str) -> JSONResponse:
        found = module.messages.get(id_)
        if code or found is None:
            return JSONResponse({"code": code}, status)
        return JSONResponse(shown(found), status)

    @app.put("/v1/messages/{id_}")
    async def take(id_: UUID, service: str, callback: str, request: Request) -> JSONResponse:
        """Take an encrypted message: 202, 200 for one that is known already, 409, 413 or 422."""
        body = await _body(request)
        if body is None:
            return JSONResponse({"code": "too_large"}, 413)
        return reply(id_, *module.take(id_, service, callback, body))

    @app.put("/v1/messages/{id_}/withdrawal")
    async def withdraw(id_: UUID, request: Request) -> JSONResponse:
        """Withdraw a message: 200 with its state, also when it is repeated; 404, 413 or 422."""
        body = await _body(request)
        if body is None:
            return JSONResponse({"code": "too_large"}, 413)
        return reply(id_, *module.withdraw(id_, body))

    @app.get("/v1/messages/{id_}")
    async def state(id_: UUID) -> JSONResponse:
        """The state of a message, with the answer if there is one."""
        found = module.messages.get(id_)
        if found is None:
            return JSONResponse({"code": "unknown_message"}, 404)
        return JSONResponse(shown(found))

    @app.get("/messages")
    async def listed() -> list[dict[str, Any]]:
        """All messages, newest first, without contents; for tests."""
        return [
            {
                "id": str(one.id),
                "service": one.service,
                "number": one.number,
                "version": one.version,
                "state": one.state,
                "handed_over": one.handed_over,
                "answers": one.answers,
                "callbacks": module.messages.outcomes(one.id),
            }
            for one in module.messages.all()
        ]

    @app.delete("/messages", status_code=204)
    async def forget() -> None:
        module.messages.forget()

    @app.get("/behaviour")
    async def behaves() -> GovServiceBehaviour:
        return module.behaviour

    @app.put("/behaviour")
    async def behave(chosen: GovServiceBehaviour) -> GovServiceBehaviour:
        module.behaviour = chosen
        return chosen

    @app.get("/", include_in_schema=False)
    async def page() -> HTMLResponse:
        html = templates.get_template("list.html").render(
            messages=module.messages.all()[:500], words=_WORDS, fault=switch.fault.mode.value
        )
        return HTMLResponse(html, headers={"Content-Security-Policy": _POLICY})

    @app.get("/style.css", include_in_schema=False)
    async def style() -> FileResponse:
        return FileResponse(_STYLE, media_type="text/css")

    return app


async def _body(request: Request) -> bytes | None:
    """What was sent; None where it is too large."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > LIMIT:
            return None
    return bytes(body)


def made(options: Sequence[str]) -> tuple[FastAPI, int]:
    """The simulator that these options describe, and its port on loopback.

    The secret of callbacks comes from the environment.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8091)
    parser.add_argument(
        "--keys", type=Path, required=True, help="Folder of the simulated gov service's keys."
    )
    parser.add_argument("--file", type=Path, help="Folder that keeps messages over restarts.")
    parser.add_argument("--crypto", choices=["standard", "gost"], default="standard")
    parser.add_argument("--delay", type=float, default=6.0, help="Seconds until an answer.")
    chosen = parser.parse_args(options)
    app = create_app(
        chosen.keys,
        os.environ["MEDCAB_GOV_SERVICE_CALLBACK_SECRET"],
        chosen.file,
        GovServiceBehaviour(delay=chosen.delay),
        chosen.crypto,
    )
    return app, chosen.port


def main() -> None:
    """Serve on loopback until stopped."""
    serve(*made(sys.argv[1:]))


if __name__ == "__main__":
    main()
