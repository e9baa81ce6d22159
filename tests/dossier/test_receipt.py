"""The applicant's receipt can be checked without us, and shows a journal that was rewritten."""

import asyncio
import base64
import json
import re
import subprocess
import sys
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

import pikepdf
import pytest

from crypto.certificates import fingerprint
from models.tables.cases import Case, CaseVersion
from models.tables.people import Person, Unit
from ops.local.home import CHECKOUT
from ops.upkeep import verify as verify_command
from rules.clock import now
from rules.journal.entries import JournalKind
from rules.refusals import Refusal
from services.dossier import receipt as receipts
from services.dossier import receipt_paper
from services.dossier.receipt import ReceiptError
from services.dossier.receipt_paper import ReceiptFacts
from services.seal import FileSeal, ensure_test_seal
from tests.papers.reading import words
from tests.papers.samples import receipt_facts
from tests.shared.ledger import Ledger

DIGEST = "ab" * 32


async def submitted(ledger: Ledger) -> UUID:
    """A case whose first version was submitted, and journaled on both sides of it."""
    async with ledger.database.work() as session:
        unit = Unit(code=f"u{now().timestamp()}", name="Отделение")
        session.add(unit)
        await session.flush()
        person = Person(unit_id=unit.id, position="Врач", name="А", email="a@b", created_at=now())
        session.add(person)
        await session.flush()
        case = Case(
            kind="application",
            type="qualification",
            type_version=1,
            number=f"ПК-{now().timestamp()}",
            applicant_id=person.id,
            unit_id=unit.id,
            responsible_unit_id=unit.id,
            status="checking",
            version=1,
            created_at=now(),
            since=now(),
            waits_for="system",
            term_zone="Europe/Moscow",
        )
        session.add(case)
        await session.flush()
        session.add(
            CaseVersion(
                case_id=case.id,
                number=1,
                data={},
                salt=bytes(32),
                digest=DIGEST,
                submitted_at=now(),
                submitted_by=person.id,
            )
        )
    await ledger.write(case.id, JournalKind.CASE_DRAFTED, by=person.id)
    await ledger.write(case.id, JournalKind.CASE_SUBMITTED, by=person.id, facts={"version": 1})
    return case.id


async def issue(ledger: Ledger, case: UUID) -> bytes:
    """Its receipt."""
    async with ledger.database.work() as session:
        return await receipts.issue(session, ledger.seal, "Больница № 7", case)


async def neighbours(ledger: Ledger, number: int) -> None:
    """Other chains in the same seal, so that the tree has branches."""
    for _ in range(number):
        await ledger.story()


@pytest.mark.parametrize("later", [0, 1, 3])
@pytest.mark.parametrize("others", [0, 1, 4])
async def test_a_receipt_leads_to_the_seal(ledger: Ledger, later: int, others: int) -> None:
    """However many entries came between it and the seal, and however many chains beside it."""
    case = await submitted(ledger)
    await ledger.write(case, *[JournalKind.CASE_COMMENTED] * later)
    await neighbours(ledger, others)
    await ledger.put_seal()
    receipt = receipts.read(await issue(ledger, case), [ledger.seal.certificate])
    assert receipt.sealed_by == 1
    assert (receipt.chain, receipt.position, receipt.version) == (case, 2, 1)
    assert receipt.version_sha256 == DIGEST


async def test_before_the_first_seal_the_receipt_says_so(ledger: Ledger) -> None:
    """It is signed all the same."""
    receipt = receipts.read(await issue(ledger, await submitted(ledger)))
    assert receipt.sealed_by is None


async def test_a_case_without_a_submission_has_no_receipt(ledger: Ledger) -> None:
    """There is nothing to state."""
    with pytest.raises(Refusal, match="not_found"):
        await issue(ledger, UUID(int=1))


async def made(facts: ReceiptFacts, data: bytes, seal: FileSeal) -> bytes:
    """The paper of a receipt."""
    return await asyncio.to_thread(receipt_paper.form, facts, data, seal)


async def test_the_paper_is_read_by_people_and_holds_like_its_data(
    ledger: Ledger, tmp_path: Path
) -> None:
    """PDF/A-3 with the JSON inside; a change of either, or something added, is found (A7)."""
    case = await submitted(ledger)
    await ledger.put_seal()
    data, trusted = await issue(ledger, case), [ledger.seal.certificate]
    facts = receipt_facts(ledger.seal.certificate)
    paper = await made(facts, data, ledger.seal)
    assert receipts.read(paper, trusted) == receipts.read(data, trusted)

    text = words(paper)
    for said in (
        facts.institution,
        "Расписка",
        "№ ПК-2026-000123-0, версия 2",
        facts.what,
        facts.applicant,
        "4 декабря 2026 г., 16:05:00 (UTC+3)",
        "№ 7 в журнале этого дела. Заверена печатью журнала № 31",
        " ".join([DIGEST[:8]] * 8),
        "cabinet.example/verify",
        fingerprint(ledger.seal.certificate)[:8],
    ):
        assert said in text, said
    with pikepdf.open(BytesIO(paper)) as pdf:
        assert list(pdf.attachments) == ["receipt.json"]
        assert pdf.attachments["receipt.json"].get_file().read_bytes() == data
        with pdf.open_metadata() as stated:
            assert (stated["pdfaid:part"], stated["pdfaid:conformance"]) == ("3", "A")

    forger = FileSeal.read(ensure_test_seal(tmp_path / "forger", "Больница № 7"))
    other = replace(facts, what="Заявка: другое")
    spot = paper.index(b"/Reason") + 10
    for wrong in (
        paper + b" ",
        paper[:spot] + bytes([paper[spot] ^ 1]) + paper[spot + 1 :],
        await made(other, data, forger),
        await made(facts, data.replace(b'"version": 1', b'"version": 2'), ledger.seal),
        b"%PDF-1.7",
    ):
        with pytest.raises(ReceiptError):
            receipts.read(wrong, trusted)


def shift(value: Any) -> Any:
    """The same kind of value, but another."""
    if isinstance(value, int):
        return value + 1
    if value is None:
        return "x"
    return ("1" if value[0] != "1" else "2") + value[1:]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths to all single values."""
    if isinstance(value, dict):
        return [p for key, one in value.items() for p in places(one, (*path, key))]
    if isinstance(value, list):
        return [p for index, one in enumerate(value) for p in places(one, (*path, index))]
    return [path]


@pytest.mark.asvs("11.4.3")
async def test_any_change_in_a_receipt_is_found(ledger: Ledger) -> None:
    """Every single value, changed by one character."""
    case = await submitted(ledger)
    await ledger.write(case, JournalKind.CASE_COMMENTED)
    await neighbours(ledger, 3)
    await ledger.put_seal()
    file = await issue(ledger, case)
    paths = places(json.loads(file)["receipt"])
    assert len(paths) > 20
    for path in paths:
        whole = json.loads(file)
        spot = whole["receipt"]
        for step in path[:-1]:
            spot = spot[step]
        spot[path[-1]] = shift(spot[path[-1]])
        with pytest.raises(ReceiptError):
            receipts.read(json.dumps(whole).encode(), [ledger.seal.certificate])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("index", 99),
        ("links", []),
        ("proof", []),
        ("leaf", ["chain", "00000000-0000-0000-0000-000000000001", 3, "00" * 32]),
        ("signature", base64.b64encode(b"x").decode()),
    ],
)
async def test_a_proof_that_does_not_fit_is_found(ledger: Ledger, field: str, value: Any) -> None:
    """Even where the institution itself signed the wrong proof."""
    case = await submitted(ledger)
    await ledger.write(case, JournalKind.CASE_COMMENTED)
    await neighbours(ledger, 3)
    await ledger.put_seal()
    stated = json.loads(await issue(ledger, case))["receipt"]
    stated["seal"][field] = value
    with pytest.raises(ReceiptError):
        receipts.read(receipts.signed(stated, ledger.seal))


async def test_a_receipt_of_another_seal_is_refused(ledger: Ledger, tmp_path: Path) -> None:
    """A forger's certificate inside does not make it ours."""
    case = await submitted(ledger)
    ours = ledger.seal
    ledger.seal = FileSeal.read(ensure_test_seal(tmp_path / "forger", "Больница"))
    forged = await issue(ledger, case)
    assert receipts.read(forged)
    with pytest.raises(ReceiptError, match="trusted"):
        receipts.read(forged, [ours.certificate])


@pytest.mark.parametrize(
    "file",
    [
        b"",
        b"{}",
        b"[]",
        b"\xff",
        b'{"receipt": 1, "certificate": ""}',
        b"[" * 200_000,
        b'{"receipt": ' * 100_000 + b"1" + b"}" * 100_000,
    ],
)
def test_what_is_no_receipt_is_refused_in_words(file: bytes) -> None:
    """Any file may be dropped on the command."""
    with pytest.raises(ReceiptError):
        receipts.read(file)


async def test_the_documented_way_with_openssl(ledger: Ledger, tmp_path: Path) -> None:
    """The commands in docs/receipts.md, run as they stand there, hold, and fail on a change."""
    case = await submitted(ledger)
    await ledger.put_seal()
    file = tmp_path / "receipt.json"
    page = (CHECKOUT / "docs" / "receipts.md").read_text()
    block = re.search(r"^    python3 .*?^    openssl x509[^\n]*", page, re.M | re.S)
    assert block
    script = re.sub(r"^    ", "", block[0], flags=re.M).replace("python3", sys.executable)
    for number, holds in (("ПК", True), ("ЗС", False)):
        file.write_bytes((await issue(ledger, case)).replace("ПК".encode(), number.encode()))
        run = await asyncio.to_thread(
            subprocess.run, ["bash", "-ec", script], cwd=tmp_path, capture_output=True, text=True
        )
        assert (run.returncode == 0) is holds, run.stderr
        assert ("CMS Verification successful" in run.stderr) is holds


async def test_the_command_checks_offline_and_against_the_journal(
    ledger: Ledger, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A journal rewritten with all its seals still disagrees with a receipt that was kept."""
    case = await submitted(ledger)
    await ledger.put_seal()
    data = await issue(ledger, case)
    file = tmp_path / "receipt.json"
    file.write_bytes(data)
    assert verify_command.run_receipt(None, file) == 0
    file = tmp_path / "Расписка.pdf"
    file.write_bytes(await made(receipt_facts(ledger.seal.certificate), data, ledger.seal))
    assert verify_command.run_receipt(None, file) == 0
    check = verify_command.run_receipt
    assert await asyncio.to_thread(check, ledger.settings, file) == 0
    assert "position 2" in capsys.readouterr().out
    ledger.tamper("update journal_entry set hash = sha256('x') where position = 2")
    assert await asyncio.to_thread(check, ledger.settings, file) == 1
    assert "is not what the receipt says" in capsys.readouterr().out
    ledger.tamper("update case_version set digest = 'x' where case_id = %s", case)
    ledger.tamper("delete from journal_entry where position = 2")
    ledger.tamper("delete from journal_seal")
    assert await asyncio.to_thread(check, ledger.settings, file) == 1
    said = capsys.readouterr().out
    assert "it is missing" in said
    assert "receipt says was submitted" in said
    assert "is not the checkpoint" in said
    file.write_bytes(b"{}")
    assert verify_command.run_receipt(None, file) == 1
