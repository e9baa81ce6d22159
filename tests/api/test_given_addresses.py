"""Every address that a letter, a message or a paper gives out leads to a page that is there."""

import asyncio
import re
from collections.abc import Mapping
from html import unescape
from io import BytesIO
from pathlib import Path
from uuid import UUID

import pikepdf
from pypdfium2 import PdfDocument  # type: ignore[import-untyped]
from sqlmodel import select

from api.container import Container
from models.tables.cases import IssuedAct
from rules.access import Role
from rules.notices.event import Event
from rules.notices.events import EVENTS
from rules.notices.kinds import NoticeKind, RecipientRole
from services.applications.enrolment_certificate import SealFacts, build_act, code_hash
from services.dossier import receipt_paper
from services.notices.wording import Addresses, digest, letter, push_message, short_message
from services.papers.typesetting import PAPERS
from services.seal import FileSeal, ensure_test_seal
from tests.api.world import BASE, World
from tests.papers.samples import CODE, act_facts, receipt_facts

ADDRESSES = Addresses(BASE, f"{BASE}/temporal/namespaces/default", "Больница")
IN_THE_CLINIC = frozenset({Role.DOCTOR, Role.UNIT_HEAD, Role.REGISTRAR})
"""Whoever hears of results, of the schedule and of patients."""
OPENED_BY = {
    RecipientRole.APPLICANT: {Role.DOCTOR},
    RecipientRole.REVIEWER: {Role.HR_HEAD},
    RecipientRole.PARTNER: {Role.HR_HEAD},
    RecipientRole.ACCOUNT: {Role.HR_HEAD},
    RecipientRole.OPS: {Role.OPS},
    RecipientRole.OPERATOR: {Role.OPERATOR},
    RecipientRole.SECURITY: {Role.SECURITY},
    RecipientRole.ADMINISTRATOR: {Role.ADMINISTRATOR},
}


def readers_of(event: Event) -> frozenset[Role]:
    """The roles of somebody to whom the event is told."""
    if event.path.startswith(("/results", "/schedule", "/patients")):
        return IN_THE_CLINIC | {Role.SECURITY}
    return frozenset(OPENED_BY[event.audience])


def in_messages(kind: NoticeKind, case_id: UUID, facts: Mapping[str, str]) -> set[str]:
    """All addresses in the letter, the digest, the SMS and the push message of an event."""
    told: tuple[str, dict[str, str], UUID, str] = (kind, dict(facts), case_id, "ru")
    written = [
        letter(*told, ADDRESSES),
        digest([(kind, dict(facts), case_id)], "ru", ADDRESSES),
    ]
    texts = [text for one in written for text in (one.text, one.html)]
    texts.append(short_message(*told, ADDRESSES))
    found = {address for text in texts for address in re.findall(r'https?://[^\s"<>]+', text)}
    return {unescape(one) for one in found} | {BASE + push_message(*told)["path"]}


def papers(home: Path) -> list[bytes]:
    """Every paper of ours that prints an address or links to one."""
    seal = FileSeal.read(ensure_test_seal(home, "Больница"))
    receipt = receipt_paper.form(receipt_facts(seal.certificate, BASE), b"{}", seal)
    return [build_act(act_facts(SealFacts.of(seal), BASE)), receipt]


def on_paper(paper: bytes) -> set[str]:
    """All addresses of a paper: links, and what is printed to be typed in."""
    text = "".join(page.get_textpage().get_text_range() for page in PdfDocument(paper))
    host = re.escape(BASE.removeprefix("http://"))
    found = {f"http://{one}" for one in re.findall(rf"{host}[^\s,;]*", text)}
    with pikepdf.open(BytesIO(paper)) as pdf:
        notes = [each for page in pdf.pages for each in page.obj.get("/Annots") or []]
        return found | {str(each.A.URI) for each in notes if "/A" in each}


async def test_every_address_given_out_opens(world: World, tmp_path: Path) -> None:
    """What a letter, a message or a paper leads to is there, for whom it was written (A5, N2)."""
    wrong = []
    things = (await world.holder(Role.DOCTOR)).things
    clinic = (await world.holder(*IN_THE_CLINIC, Role.SECURITY)).things
    clients = {
        roles: await world.sign_in((await world.holder(*roles)).actor)
        for roles in {readers_of(event) for event in EVENTS.values()}
    }
    given: dict[tuple[frozenset[Role], str], NoticeKind] = {}
    for kind, event in EVENTS.items():
        about = things["request_id" if kind.startswith("request_") else "case_id"]
        result = clinic["unmatched_id" if "unmatched" in event.path else "result_id"]
        facts = {"person": things["person_id"], "result": result}
        for address in in_messages(kind, UUID(about), facts):
            given.setdefault((readers_of(event), address), kind)
    for (roles, address), kind in given.items():
        answer = await clients[roles].get(address, follow_redirects=True)
        assert answer.url.path != "/sign-in", address
        # The Temporal UI stands behind the cabinet and is down here: 503 is its own refusal.
        if answer.status_code != (503 if "/temporal/" in address else 200):
            wrong.append(f"{kind}: {address} {answer.status_code}")
    assert not wrong, "\n".join(wrong)

    container: Container = world.app.state.container
    async with container.database.work() as session:
        case_id = UUID(things["approved_id"])
        acts = await session.exec(select(IssuedAct).where(IssuedAct.case_id == case_id))
        acts.one().public_code_hash = code_hash(CODE)
    printed = {
        address
        for paper in await asyncio.to_thread(papers, tmp_path)
        for address in on_paper(paper)
    }
    assert len(printed) >= 2
    async with world.anonymous() as anybody:
        for address in (*printed, f"{BASE}/verify/"):  # as older acts print it
            answer = await anybody.get(address)
            assert answer.status_code == 200, address
        half = await anybody.get(f"{BASE}/verify", params={"code": CODE[:12]})
    assert half.status_code == 422
    assert "Введите код целиком" in half.text
    assert "доверять нельзя" not in half.text


def test_every_paper_with_an_address_is_opened() -> None:
    """A template that prints or links to an address is one of those drawn here."""
    drawn = {"act.typ", "receipt.typ"}
    for template in PAPERS.glob("*.typ"):
        text = template.read_text("utf-8")
        assert (template.name in drawn) == ("link(" in text or "://" in text), template.name
