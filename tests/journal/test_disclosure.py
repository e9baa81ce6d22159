"""Every reason and remark is read by those it was written for, and by nobody else, on any surface.

A story in which everything is done with a reason is read by every role over every route that
answers to GET, with the archive of each case and its paper, and in the notices of all channels.
"""

import re
import zipfile
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from io import BytesIO

import httpx
import pypdfium2  # type: ignore[import-untyped]
import pytest
from fastapi import FastAPI
from sqlmodel import col, select

from api.container import Container
from api.http.openapi import routes
from models.tables.journal import JournalEntry
from models.tables.notices import Notice
from rules.access import Actor, Role
from rules.journal.disclosure import DISCLOSURES
from rules.journal.entries import JournalKind
from services.notices.wording import Addresses, letter, short_message
from settings import Settings
from tests.journal.disclosure_story import OUTSIDERS, Mark, Story
from tests.shared.accounts import browser_of
from tests.shared.served import in_process
from tests.shared.servers import Servers

COLLEAGUES = {"reviewer", "colleague", "head of HR", "auditor"}
PARTIES = COLLEAGUES | {"applicant", "unit head"}
ON_REQUESTS = {"applicant", "clerk", "auditor"}

EXPECTED: Mapping[Mark, set[str]] = {
    Mark.HAND_OVER: COLLEAGUES,
    Mark.REMARK: COLLEAGUES,
    Mark.MESSAGE: PARTIES,
    Mark.CLARIFY: PARTIES,
    Mark.CLARIFY_FIELD: PARTIES,
    Mark.REJECT: PARTIES,
    Mark.APPROVE: PARTIES,
    Mark.WITHDRAW: PARTIES,
    # Of what keepers of the archive decided the journal tells those who also see the case.
    Mark.EXTEND: {"head of HR", "auditor"},
    Mark.RELEASE: {"head of HR", "auditor"},
    Mark.HOLD: {"head of HR", "administrator", "auditor"},
    Mark.KEEPER_NAME: {"head of HR", "administrator", "auditor"},
    Mark.REFUSE: ON_REQUESTS,
    Mark.ANSWER: ON_REQUESTS,
    Mark.RETRY: set(),
    Mark.TELL_HEAD: set(),
    Mark.SEND_NOW: set(),
    Mark.ASK_AGAIN: set(),
    Mark.OPS_NAME: {"ops"},
    Mark.HEADS_OWN_REMARK: {"reviewer", "colleague", "auditor"},
    Mark.HEADS_OWN_HAND_OVER: {"reviewer", "colleague", "auditor"},
    Mark.HEADS_OWN_HOLD: {"administrator", "auditor"},
}
"""Who finds each mark somewhere."""

REQUESTS = {"refused", "answered"}
FIRST = {"application", "answered"}
"""A case of each kind: what only the other kind has is asked of it too."""

SHOWN_TO_OUTSIDERS = FIRST | {"approved"}
"""No case is theirs, however it ended: one with every act, one with its paper, and a request."""

OF_ONE_KIND = re.compile("/(applications|requests|verifications|rights|accreditations)/")
"""Routes to cases of one kind."""


def asked_of(kind: str) -> set[str]:
    """Cases of another kind that routes of this one are asked for.

    Of kinds that are not in the story the case with every act says enough.
    """
    return FIRST if kind in ("applications", "requests") else {"application"}


ELSEWHERE = {
    JournalKind.CASE_CONFIRMED,
    JournalKind.CENTRE_ASKED,
    JournalKind.CENTRE_RETURNED,
    JournalKind.CENTRE_REFUSED,
    JournalKind.CENTRE_ACCREDITED,
}
"""Said in cases of other kinds, and looked for with these: what heads confirm of rights in
`tests/access_changes/test_changes.py::test_the_same_way_by_the_api`, what the centre wrote in
`tests/accreditations`."""

OF_CASES = "case_id"
OF_ACCOUNTS = "account|people|sign-in|profile|sessions?|login-attempts|tokens|contacts|notices/\\w+"
OF_OFFERS = "programmes|verify|offline|sw.js|manifest.*|documents/categories|requests/new"
APART = re.compile(
    rf"(/api/v1)?/({OF_ACCOUNTS}|{OF_OFFERS})(/.*)?|/temporal.*|/render|/api/docs|/health/.*"
    r"|/archive/cases/.*"
)
"""What is not about cases, and the page that gives the same archive as the JSON API."""


@pytest.fixture(scope="module")
async def app(settings: Settings, servers: Servers) -> AsyncIterator[FastAPI]:
    """The application over real servers, with an empty database."""
    async with in_process(settings, servers) as made:
        yield made


@pytest.fixture(scope="module")
async def story(app: FastAPI) -> Story:
    """All has happened."""
    container: Container = app.state.container
    return await Story.tell(container)


@pytest.fixture(scope="module")
async def read(app: FastAPI, story: Story) -> Mapping[str, Mapping[str, str]]:
    """What each person reads, by route."""
    return {
        name: await _reading(
            app, story, one, SHOWN_TO_OUTSIDERS if name == "outsider" else list(story.cases)
        )
        for name, one in story.people.items()
    }


def _addresses(
    app: FastAPI, story: Story, steps: Mapping[str, int], cases: Collection[str]
) -> Iterator[str]:
    """Every address that answers to GET, for each of the cases where it is about one."""
    for method, path, _ in routes(app):
        names = set(re.findall(r"{(\w+)", path))
        if method != "GET" or APART.fullmatch(path) or not names <= {OF_CASES, "step", "position"}:
            continue
        if not names:
            yield path
            continue
        for name in cases:
            of_kind, own = (
                OF_ONE_KIND.search(path),
                "requests" if name in REQUESTS else "applications",
            )
            if of_kind is None or of_kind[1] == own or name in FIRST & asked_of(of_kind[1]):
                ids = {OF_CASES: story.cases[name], "step": steps[name], "position": steps[name]}
                yield path.format_map(ids)


async def _reading(
    app: FastAPI, story: Story, actor: Actor, cases: Collection[str]
) -> Mapping[str, str]:
    browser = await browser_of(app, actor)
    # As a script asks: whatever is refused is told without a page around it.
    browser.headers.update({"Accept": "text/html, */*", "Sec-Fetch-Mode": "cors"})
    steps = {name: (await story.office.case(id_)).step for name, id_ in story.cases.items()}
    found: dict[str, str] = {}
    for address in _addresses(app, story, steps, cases):
        answer = await browser.get(address)
        # Names are answered for elsewhere; one's own stands in the frame of every page.
        own = actor.name.split()[0]
        found[address] = _text(answer).replace(own, "") if own.isdigit() else _text(answer)
        assert answer.status_code != 500, address
    if actor.name.split()[0].isdigit():
        found["own name"] = actor.name
    await browser.aclose()
    return found


def _text(answer: httpx.Response) -> str:
    """All text of an answer, of a paper in an archive too."""
    if answer.headers.get("content-type", "") != "application/zip":
        return answer.text
    archive = zipfile.ZipFile(BytesIO(answer.content))
    parts = list(archive.namelist())
    for name in archive.namelist():
        body = archive.read(name)
        if name.startswith("Дело-"):
            pages = pypdfium2.PdfDocument(body)
            parts += [page.get_textpage().get_text_range() for page in pages]
        else:
            parts.append(body.decode("utf-8", "replace"))
    return " ".join(parts)


def test_every_role_reads(story: Story) -> None:
    """Whoever may come is there: a new role is given to somebody, or to the outsider."""
    held = {grant.right for one in story.people.values() for grant in one.grants}
    assert held == set(Role)
    assert {grant.right for grant in story.people["outsider"].grants} == OUTSIDERS


@pytest.mark.asvs("8.2.3")
def test_each_mark_is_found_by_those_it_is_for(read: Mapping[str, Mapping[str, str]]) -> None:
    """The table above, whatever page, answer, file or paper somebody reads."""
    wrong: dict[str, dict[str, list[str]]] = {}
    for mark in Mark:
        seen = {
            who: sorted(where for where, text in texts.items() if mark in text)
            for who, texts in read.items()
        }
        found = {who: where for who, where in seen.items() if where}
        if set(found) != EXPECTED[mark]:
            wrong[mark.name] = found
    assert not wrong


async def test_each_kind_that_says_something_is_in_the_story(story: Story) -> None:
    """A kind of entry of which contents are shown to somebody is done and looked for here."""
    async with story.container.database.work() as session:
        entries = (
            await session.exec(
                select(JournalEntry).where(col(JournalEntry.chain).in_(story.cases.values()))
            )
        ).all()
    told = {entry.kind for entry in entries if entry.contents}
    shown = {kind for (kind, _, _), row in DISCLOSURES.items() if row.contents}
    of_ops = {JournalKind.OPERATION_RETRIED, JournalKind.OPERATION_HEAD_TOLD}
    assert told == (shown - ELSEWHERE) | of_ops


async def test_no_notice_says_a_reason(story: Story) -> None:
    """Letters, SMS and what a push is made of: a link to the case, never what was written on it."""
    at = Addresses("https://cabinet.example", "https://temporal.example", "Больница № 7")
    async with story.container.database.work() as session:
        told = (await session.exec(select(Notice))).all()
    assert {one.channel for one in told} >= {"cabinet", "mail"}
    for one in told:
        mail = letter(one.kind, one.facts, one.case_id, one.language, at)
        sms = short_message(one.kind, one.facts, one.case_id, one.language, at)
        said = f"{mail} {sms} {one.facts} {one.contents}"
        assert not [mark.name for mark in Mark if mark in said], one.kind
