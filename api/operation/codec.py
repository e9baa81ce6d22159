"""Decrypts payloads for the Temporal UI: for whom it is allowed, and with an entry in the journal.

The UI sends payloads here and shows what comes back. It is served from our own origin (see
`api.operation.temporal_pages`), so the person's session decides; the `temporal` command line sends
a personal access token instead: `--codec-endpoint {public_url}/codec --codec-auth "Bearer mcb_…"`.
"""

import json
from typing import Annotated

from fastapi import APIRouter, Request, Response
from google.protobuf.json_format import MessageToJson, ParseDict, ParseError
from temporalio.api.common.v1 import Payload, Payloads

from api.container import ContainerDep, Work
from api.http.auth import require
from api.http.entrance import CleanRoute
from clients.payload_codec import decrypt, is_encrypted, owner_of
from crypto.key_ring import KeyRing, UndecryptableError
from rules.access import Actor, Permission
from rules.clock import now
from rules.journal.entries import SYSTEM_CHAIN, JournalKind
from rules.refusals import Refusal
from services.journal import entries as journal

router = APIRouter(route_class=CleanRoute, prefix="/codec", include_in_schema=False)

Decoder = Annotated[Actor, require(Permission.DECODE_PAYLOADS)]

OWNERS_NAMED = 50
"""Workflows that one journal entry names at most. Their number is always written."""
OWNER_LENGTH = 200


@router.post("/decode")
async def decode(
    request: Request, container: ContainerDep, session: Work, reader: Decoder
) -> Response:
    """Decrypt our payloads and return all others as they came. Each call is journaled first."""
    payloads = Payloads()
    try:
        body = json.loads(await request.body())
        if not isinstance(body, dict):
            raise ValueError("not an object")
        ParseDict(body, payloads)
    except (ParseError, ValueError, TypeError, AttributeError, RecursionError):
        raise Refusal("not_payloads", "Здесь нужны payload процессов Temporal.", 422) from None
    encrypted = [payload for payload in payloads.payloads if is_encrypted(payload)]
    if encrypted:
        owners = sorted({_plain(owner_of(payload)) for payload in encrypted})
        await journal.append(
            session,
            chain=SYSTEM_CHAIN,
            kind=JournalKind.PAYLOAD_DECODED,
            at=now(),
            by=reader.person_id,
            facts={
                "payloads": len(encrypted),
                "workflows": owners[:OWNERS_NAMED],
                "of_workflows": len(owners),
            },
        )
    opened = Payloads(payloads=[_opened(container.keys, payload) for payload in payloads.payloads])
    return Response(
        MessageToJson(opened), media_type="application/json", headers={"Cache-Control": "no-store"}
    )


def _plain(owner: str) -> str:
    """A workflow id that the journal can store: the caller may have sent anything."""
    return owner.replace("\x00", "")[:OWNER_LENGTH]


def _opened(keys: KeyRing, payload: Payload) -> Payload:
    try:
        return decrypt(keys, payload) if is_encrypted(payload) else payload
    except UndecryptableError:
        return payload


@router.post("/encode")
async def encode(reader: Decoder) -> Response:
    """Always refused: nobody changes what a workflow carries by typing into the Temporal UI."""
    del reader
    raise Refusal(
        "encode_refused", "Данные процесса меняют только действия в кабинете, не ввод вручную.", 403
    )
