"""What the programs of all peers share: tables, routes of the draft, and the outside world."""

import asyncio
import hashlib
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Any, Self
from uuid import UUID, uuid4

import httpx
import psycopg
from fastapi import APIRouter, Depends, HTTPException, Request
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb
from psycopg_pool import AsyncConnectionPool
from pydantic import BaseModel

from bench.least.same import make_certificate
from bench.peers import URL
from clients.delivery.mail import Mailer
from clients.objects import Objects
from crypto.key_ring import KeyRing, use_key_ring
from services.seal import open_seal
from settings import Settings

SUBMIT = """
update application set status = 'checking', changed_at = now(),
    number = 'ПК-' || nextval('application_number')
where id = %s and applicant_id = %s and status = 'draft' returning number
"""
APPROVE = """
update application set status = 'approved', changed_at = now()
where id = %s and status = 'in_review' returning number
"""

KINDS = ("diploma", "certificate", "consent")
MAILS = {
    "in_review": "Заявка проверена и передана на рассмотрение",
    "approved": "Заявка одобрена, акт о зачислении готов",
}
"""What is told by mail."""


@dataclass(frozen=True)
class Caller:
    """Who sends a request."""

    id: UUID
    name: str
    email: str
    snils: str

    def contact(self) -> dict[str, str]:
        """What a workflow is given: whom to look up, and whom to write to."""
        return {"name": self.name, "email": self.email, "snils": self.snils}


@dataclass(frozen=True)
class Outside:
    """All that a program of a peer talks to but its engine."""

    settings: Settings
    lines: AsyncConnectionPool[psycopg.AsyncConnection[Any]]
    objects: Objects
    mailer: Mailer
    http: httpx.AsyncClient
    seal: Any

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: Settings) -> AsyncIterator[Self]:
        """Open all connections."""
        use_key_ring(KeyRing.parse(settings.keys.get_secret_value()))
        objects = Objects(settings)
        lines = AsyncConnectionPool(
            os.environ[URL],
            min_size=1,
            max_size=2 * settings.database_pool,
            open=False,
            kwargs={"autocommit": True, "row_factory": dict_row},
        )
        # Servers hang up after five idle seconds: a request must not meet that moment.
        idle = httpx.Limits(keepalive_expiry=2)
        web = httpx.AsyncClient(base_url=settings.register_url, trust_env=False, limits=idle)
        async with lines, web:
            mailer = Mailer(settings.smtp_url, settings.mail_from)
            yield cls(settings, lines, objects, mailer, web, open_seal(settings))
            await objects.close()

    async def one(self, query: str, *values: Any) -> dict[str, Any] | None:
        """The first row of a statement that commits by itself."""
        async with self.lines.connection() as line:
            found: dict[str, Any] | None = await (await line.execute(query, values)).fetchone()
            return found

    async def do(self, statement: str, *values: Any) -> None:
        """A statement without rows that commits by itself."""
        async with self.lines.connection() as line:
            await line.execute(statement, values)

    async def in_register(self, snils: str) -> bool:
        """Whether the register knows this person."""
        reply = await self.http.post("/v1/workers/search", json={"snils": snils})
        if reply.status_code == 404:
            return False
        return bool(reply.raise_for_status().json()["snils"])

    async def tell(self, case_id: str, person: dict[str, str], of: str) -> None:
        """Send a mail about a case, one of `MAILS`."""
        what = MAILS[of]
        number = self.mailer.message_id(f"{case_id}-{secrets.token_hex(4)}")
        text = f"{person['name']}, здравствуйте!\n\n{what}.\n\n{self.settings.public_url}/{case_id}"
        html = "".join(f"<p>{line}</p>" for line in text.split("\n\n"))
        await self.mailer.send(number, person["email"], what, text, html)

    async def issue(self) -> str:
        """Make, sign and store an enrolment certificate. Returns its key."""
        signed = await asyncio.to_thread(make_certificate, self.settings, self.seal)
        key = Objects.fresh_key("peers")
        await self.objects.put(key, signed, len(signed), "application/pdf")
        return key


def outside_of(request: Request) -> Outside:
    """The connections of the running program."""
    outside: Outside = request.app.state.outside
    return outside


OutsideDep = Annotated[Outside, Depends(outside_of)]


async def signed_in(request: Request, outside: OutsideDep) -> Caller:
    """Whose token it is."""
    token = request.headers.get("authorization", "").removeprefix("Bearer ")
    found = await outside.one(
        "select id, name, email, snils from person where token = %s",
        hashlib.sha256(token.encode()).digest(),
    )
    if found is None:
        raise HTTPException(401, "unknown token")
    return Caller(**found)


CurrentPerson = Annotated[Caller, Depends(signed_in)]


class BegunIn(BaseModel):
    """Which programme the case is for."""

    programme_id: UUID


class Attachment(BaseModel):
    """A document that the case cites."""

    kind: str
    document_id: UUID


class SavedIn(BaseModel):
    """The form as it was filled in."""

    data: dict[str, str | bool]
    attachments: list[Attachment]


router = APIRouter()


@router.get("/health/ready")
async def ready() -> dict[str, str]:
    """Answers as soon as requests are taken."""
    return {"status": "ready"}


@router.post("/applications")
async def draft(body: BegunIn, person: CurrentPerson, outside: OutsideDep) -> dict[str, str]:
    """Begin a draft: one insert."""
    case_id = uuid4()
    await outside.do(
        "insert into application (id, applicant_id, programme_id, status)"
        " values (%s, %s, %s, 'draft')",
        case_id,
        person.id,
        body.programme_id,
    )
    return {"id": str(case_id), "status": "draft"}


@router.get("/applications/{case_id}")
async def show(case_id: UUID, person: CurrentPerson, outside: OutsideDep) -> dict[str, Any]:
    """The case, and which documents it wants."""
    found = await outside.one(
        "select * from application where id = %s and applicant_id = %s", case_id, person.id
    )
    if found is None:
        raise HTTPException(404, "no such case")
    return {**found, "kinds": KINDS}


@router.post("/documents")
async def upload(
    request: Request, category: str, title: str, person: CurrentPerson, outside: OutsideDep
) -> dict[str, str]:
    """Store the bytes as they come, and one row."""
    size, key = int(request.headers["content-length"]), Objects.fresh_key("peers")
    stored = await outside.objects.put(key, request.stream(), size, "application/pdf")
    document_id = uuid4()
    await outside.do(
        "insert into document (id, owner_id, category, title, object_key, size, sha256)"
        " values (%s, %s, %s, %s, %s, %s, %s)",
        document_id,
        person.id,
        category,
        title,
        key,
        size,
        stored.sha256,
    )
    return {"id": str(document_id)}


@router.put("/applications/{case_id}/draft")
async def save(
    case_id: UUID, body: SavedIn, person: CurrentPerson, outside: OutsideDep
) -> dict[str, str]:
    """Save the form: one update."""
    cited = [one.model_dump(mode="json") for one in body.attachments]
    found = await outside.one(
        "update application set data = %s, attachments = %s, changed_at = now()"
        " where id = %s and applicant_id = %s and status = 'draft' returning status",
        Jsonb(body.data),
        Jsonb(cited),
        case_id,
        person.id,
    )
    if found is None:
        raise HTTPException(409, "no such draft")
    return {"id": str(case_id), "status": "draft"}
