"""Every way by which a file leaves, for all rights: a photograph goes as it is to its giver."""

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from sqlmodel import select

from api.container import Container
from api.http.openapi import routes
from models.tables.cases import CaseAttachment
from models.tables.documents import DocumentVersion
from models.tables.requests import RequestAnswer
from ops.local.home import CHECKOUT
from rules.access import Actor, Role
from server import create_app
from services.conversation import Conversations
from services.requests.acts import Answer
from settings import Settings
from tests.files import samples as s
from tests.shared.accounts import browser_of
from tests.shared.counter import Counter
from tests.shared.hospital import sent
from tests.shared.office import Office

MARK = b"taken at home"
"""Stands in the metadata of every photograph of the tests."""
PLACE = re.compile(r"\{(\w+)(?::\w+)?\}")
BASE = "http://127.0.0.1:8000"
API = "/api/v1"

WAYS = {
    "cited": {
        f"{API}/documents/versions/{{version_id}}/file",
        "/documents/versions/{version_id}/file",
    },
    "written": {
        f"{API}/documents/versions/{{version_id}}/file",
        "/documents/versions/{version_id}/file",
    },
    "case": {f"{API}/archive/cases/{{case_id}}", "/archive/cases/{case_id}"},
    "answer": {
        f"{API}/requests/{{case_id}}/answer/{{position}}",
        "/requests/{case_id}/answers/{number}/{position}/file",
        f"{API}/archive/cases/{{case_id}}",
        "/archive/cases/{case_id}",
    },
}
"""By which routes whoever gave the photograph has it as it is."""


@dataclass
class House:
    """An application with real files behind it."""

    app: FastAPI
    container: Container
    counter: Counter

    @property
    def office(self) -> Office:
        """Its people."""
        return self.counter.office

    async def browser(self, actor: Actor) -> httpx.AsyncClient:
        """A browser in which this person has signed in."""
        return await browser_of(self.app, actor)

    async def photographed(self, version_id: UUID) -> None:
        """Let this version of a document be a photograph, in the store too."""
        body = s.photo((700, 900), None)
        async with self.container.database.work() as session:
            version = await session.get_one(DocumentVersion, version_id)
            stored = await self.container.objects.put(
                version.object_key or "", body, len(body), "image/jpeg"
            )
            version.media_type, version.file_name, version.pages = "image/jpeg", "Снимок.jpg", 1
            version.sha256, version.size = stored.sha256, stored.size
            session.add(version)


@pytest.fixture(scope="module")
async def house(settings: Settings) -> AsyncIterator[House]:
    """The application over the servers of this run."""
    app = create_app(settings.model_copy(update={"cookie_secure": False, "public_url": BASE}))
    async with app.router.lifespan_context(app):
        container: Container = app.state.container
        yield House(app, container, await Counter.open(container.database, files=container.files))


def paths(house: House, things: Mapping[str, str]) -> list[tuple[str, str]]:
    """Every GET about a thing: the route, and its address for these things."""
    return [
        (path, PLACE.sub(lambda place: things[place[1]], path))
        for method, path, _ in routes(house.app)
        if method == "GET" and PLACE.search(path) and set(PLACE.findall(path)) <= set(things)
    ]


@dataclass
class Walk:
    """The routes by which a person gets a file at all, and those by which the original."""

    files: set[str]
    as_given: set[str]


async def walk(house: House, actor: Actor, ways: list[tuple[str, str]]) -> Walk:
    """Go all the ways as this person."""
    done = Walk(set(), set())
    async with await house.browser(actor) as browser:
        for route, address in ways:
            answer = await browser.get(address)
            kind = answer.headers.get("content-type", "")
            if answer.status_code == 200 and not kind.startswith(("text/html", "application/json")):
                done.files.add(route)
            if MARK in answer.content:
                done.as_given.add(route)
    return done


async def others(office: Office) -> list[Actor]:
    """Somebody with every role, each where it sees what others submit, and somebody with none of
    them but a doctor's: rights only ever open more."""
    everything = await office.person("Всё и сразу", Role.HR_HEAD, office.institution)
    more = ((role, office.ward if role is Role.UNIT_HEAD else office.institution) for role in Role)
    return [
        await office.with_more(everything, *more),
        await office.person("Другой врач", Role.DOCTOR, office.institution),
    ]


async def things_of(house: House, subject: str) -> tuple[Actor, dict[str, str]]:
    """Who gave a photograph, and what stands for the names in the paths that lead to it."""
    office, counter = house.office, house.counter
    same = {"page": "1", "position": "1", "number": "1"}
    if subject == "answer":
        case_id = await counter.laid_on_the_desk("workplace_certificate")
        given = sent(s.photo((2480, 3508), 300), "Справка.jpg", "image/jpeg")
        act = await counter.act(case_id)
        await counter.requests.answer(office.reviewer, case_id, act, Answer("", given))
        async with office.database.work() as session:
            found = await session.exec(
                select(RequestAnswer).where(RequestAnswer.case_id == case_id)
            )
            assert found.one().by == office.reviewer.person_id
        return office.reviewer, {**same, "case_id": str(case_id)}
    case_id = await office.in_review()
    async with office.database.work() as session:
        cited = await session.exec(
            select(CaseAttachment.document_version_id).where(CaseAttachment.case_id == case_id)
        )
        version_id = cited.all()[0]
    giver = office.clinician
    if subject == "written":
        giver, version_id = office.reviewer, await office.document(office.reviewer, "message")
        say = Conversations(office.database).say
        await say(office.reviewer, case_id, "Смотрите", files=[version_id])
    await house.photographed(version_id)
    if subject == "case":
        return giver, {"case_id": str(case_id)}
    return giver, {**same, "version_id": str(version_id)}


@pytest.mark.parametrize("subject", WAYS)
async def test_a_photograph_leaves_as_given_for_its_giver_only(house: House, subject: str) -> None:
    """Page, API, ZIP, conversation and answer: others have a picture made anew, or nothing."""
    giver, things = await things_of(house, subject)
    ways = paths(house, things)
    everything, doctor = await others(house.office)
    own, theirs = await walk(house, giver, ways), await walk(house, everything, ways)
    assert own.as_given == WAYS[subject]
    assert theirs.as_given == set()
    assert theirs.files >= WAYS[subject], "somebody else reads it there, and not the original"
    assert (await walk(house, doctor, ways)).as_given == set()


def test_nothing_else_reads_the_originals() -> None:
    """The key of an original is known to the room that decides, and to what never sends it out."""
    known = {
        str(path.relative_to(CHECKOUT))
        for folder in ("services", "api", "cabinet")
        for path in (CHECKOUT / folder).rglob("*.py")
        if re.search(r"version\.object_key|DocumentVersion\.object_key", path.read_text("utf-8"))
    }
    assert known == {
        "services/documents/copies.py",
        "services/documents/acts.py",
        "services/dossier/archive_file.py",
        "services/archive/erasure.py",
        "services/credentials/checks.py",
        "services/files/intake.py",
        "services/credentials/rows.py",
        "services/handovers/deciding.py",
    }
