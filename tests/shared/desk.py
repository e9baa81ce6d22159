"""An application with an office in it, and programs that hold access tokens."""

import base64
import json
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import unquote
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI
from sqlmodel import col, func, select

from api.container import Container
from models.tables.accounts import AccessToken
from models.tables.cases import Case, CaseAct, CaseComment, CaseDecision, CaseVersion
from models.tables.documents import Document
from models.tables.journal import JournalEntry
from models.tables.notices import Notice
from models.tables.people import Absence
from rules.access import Actor, Permission, Role
from rules.clock import now
from services.accounts import access_tokens
from services.accounts.recognising import recognise
from settings import Settings
from tests.shared.accounts import browser_of, cookies_of, session_of, visitor_at
from tests.shared.office import Office
from tests.shared.served import in_process
from tests.shared.servers import NOWHERE, Servers
from tests.shared.waiting import PATIENCE

SCOPE = (
    Permission.APPLY,
    Permission.KEEP_DOCUMENTS,
    Permission.KEEP_NOTICES,
    Permission.REVIEW,
    Permission.OVERSEE_REVIEWS,
)
COUNTED = (CaseVersion, CaseAct, CaseDecision, CaseComment, JournalEntry, Document, Absence, Notice)


@dataclass
class Desk:
    """An office, and the application that serves it."""

    app: FastAPI
    office: Office

    @classmethod
    async def open(cls, app: FastAPI) -> "Desk":
        """People and the catalogue in this application's database."""
        container: Container = app.state.container
        return cls(app, await Office.open(container.database))

    @property
    def container(self) -> Container:
        """What the application works with."""
        found: Container = self.app.state.container
        return found

    def anonymous(self) -> httpx.AsyncClient:
        """A program without a token."""
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        base_url = f"{self.container.settings.public_url}/api/v1"
        return httpx.AsyncClient(transport=transport, base_url=base_url, timeout=PATIENCE)

    async def program(
        self, actor: Actor, scope: Collection[Permission] = SCOPE
    ) -> httpx.AsyncClient:
        """A program of the person's, with a token for as much of the scope as the person may."""
        opened = await session_of(self.container, actor.person_id)
        visitor, moment = visitor_at(), now()
        container = self.container
        idle = container.settings.session_idle
        current = await recognise(
            container.database,
            cookies_of(opened),
            moment,
            timedelta(seconds=idle),
            container.activity,
            counts=False,
        )
        async with container.database.work() as session:
            held = [right for right in scope if current.actor.may(right)]
            made = await access_tokens.make(session, current, "тест", held, 1, visitor, moment)
        client = self.anonymous()
        client.headers["Authorization"] = f"Bearer {made.text}"
        return client

    async def browser(self, actor: Actor) -> httpx.AsyncClient:
        """A browser in which the person has just signed in."""
        return await browser_of(self.app, actor)

    async def traces(self) -> dict[str, Any]:
        """How much of everything there is, and how all cases stand."""
        async with self.container.database.work() as session:
            counts = {
                table.__name__: (await session.exec(select(func.count()).select_from(table))).one()
                for table in (*COUNTED, AccessToken)
            }
            cases = (await session.exec(select(Case).order_by(col(Case.id)))).all()
            return {**counts, "cases": [case.model_dump() for case in cases]}


@pytest.fixture(scope="module")
async def app_alone(settings: Settings, servers: Servers) -> AsyncIterator[FastAPI]:
    """The application over real PostgreSQL and MinIO, with Temporal down."""
    without = settings.model_copy(update={"temporal_address": NOWHERE})
    async with in_process(without, servers) as app:
        yield app


@pytest.fixture(scope="module")
async def desk(app_alone: FastAPI) -> Desk:
    """An office in that application."""
    return await Desk.open(app_alone)


@pytest.fixture
async def clinician(desk: Desk) -> Actor:
    """A doctor of this test's own."""
    return await desk.office.person("Соколова Анна Сергеевна", Role.DOCTOR, desk.office.ward)


def told(answer: httpx.Response, status: int = 200) -> Any:
    """The body of an answer that had to have this status."""
    assert answer.status_code == status, answer.text
    return answer.json()


def key(act: UUID | None = None) -> dict[str, str]:
    """The header that an act takes."""
    return {"Idempotency-Key": str(act or uuid4())}


def raw(body: Any) -> dict[str, Any]:
    """JSON written as ASCII, so that it may hold what no text may."""
    return {
        "content": json.dumps(body).encode(),
        "headers": {**key(), "Content-Type": "application/json"},
    }


def cursor(text: str) -> str:
    """A place in a list as somebody might forge it."""
    return base64.urlsafe_b64encode(text.encode()).decode()


def file_name(answer: httpx.Response) -> str:
    """What a browser calls the file of an answer (RFC 8187)."""
    said = answer.headers["content-disposition"]
    assert said.startswith("attachment"), said
    return unquote(said.partition("filename*=UTF-8''")[2])
