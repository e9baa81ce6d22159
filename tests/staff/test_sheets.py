"""Tables of staff as programs save them."""

from codecs import BOM_UTF16_BE
from collections.abc import AsyncIterator
from dataclasses import replace
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from openpyxl import Workbook

from rules.files.checks import LIMITS
from rules.refusals import Refusal, Words
from rules.staff.table import MOST_OCTETS, Sheet
from services.files.inspection import sheets
from services.files.inspection.client import Inspection
from services.files.inspection.sheets import sheet_of
from tests.shared.waiting import PATIENCE

MEMORY = 300 * 1024 * 1024
"""Bytes in which the checking process starts, and no heavy table is read."""

LINES = (
    "Список сотрудников, по отделениям, на 01.12.2026",
    "",
    "Код подразделения;Подразделение;ФИО;Должность;Почта",
    "00-000123;Неврология;Орлова Анна Львовна;врач, невролог;anna@example.org",
)


@pytest.mark.parametrize(
    "body",
    [
        "\r\n".join(LINES).encode("utf-8-sig"),
        "\r\n".join(LINES).encode("cp1251"),
        "\r\n".join(LINES).encode("utf-16"),
        BOM_UTF16_BE + "\r\n".join(LINES).encode("utf-16-be"),
        "\r\n".join(LINES).replace(";", "\t").encode("utf-16"),
    ],
    ids=["utf-8", "cp1251", "utf-16", "utf-16-be", "unicode text of Excel"],
)
def test_a_table_is_read_in_every_coding(body: bytes) -> None:
    """Also under a title, whose commas divide nothing, and with codes of a personnel program."""
    told = sheet_of(body)
    assert not told.wrong
    [anna] = told.people
    assert (anna.line, anna.unit, anna.position) == (4, "00-000123", "врач, невролог")


TABLE = "\r\n".join(LINES).encode()


@pytest.fixture
async def inspection() -> AsyncIterator[Inspection]:
    """A checking process of the test's own."""
    made = Inspection()
    yield made
    await made.close()


async def test_a_table_is_read_in_the_process_that_can_be_killed(
    inspection: Inspection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a reader here would do, the answer is that of the other process, mistakes too."""
    mistaken = TABLE.replace(b"00-000123", b"a!")
    here = [sheet_of(TABLE), sheet_of(mistaken)]

    def never(body: bytes) -> Sheet:
        raise AssertionError("a sheet is read in the process of the API")

    monkeypatch.setattr(sheets, "sheet_of", never)
    there = [await inspection.sheet(TABLE), await inspection.sheet(mistaken)]
    assert there == here
    [[wrong]] = [one.wrong for one in there[1:]]
    assert isinstance(wrong.message, Words)
    assert (wrong.message.msgid, set(wrong.message.facts)) == (
        "Уберите из кода знак {sign}.",
        {"sign"},
    )
    for body in (b"PK damaged", b"", "Имя\nАнна".encode()):
        with pytest.raises(Refusal) as refused:
            await inspection.sheet(body)
        assert (refused.value.status, refused.value.fields[0].path) == (422, "file")


@pytest.mark.asvs("5.2.3")
async def test_a_table_past_the_limits_is_refused_in_words() -> None:
    """It is killed after its seconds, or has no more memory; the next table is read as ever."""
    body = heavy()
    for limits, words in (
        (replace(LIMITS, seconds=0.3), "слишком много времени"),
        (replace(LIMITS, memory=MEMORY, seconds=PATIENCE), "слишком сложна"),
    ):
        narrow = Inspection(limits)
        try:
            with pytest.raises(Refusal) as refused:
                await narrow.sheet(body)
            assert refused.value.status == 422
            assert words in refused.value.message
            assert "CSV" in refused.value.message
        finally:
            await narrow.close()


def heavy() -> bytes:
    """A small workbook with eight million cells in a row: seconds and a gigabyte to read."""
    made = Workbook()
    assert made.active is not None
    made.active.append(["Код подразделения"])
    whole = BytesIO()
    made.save(whole)
    out = BytesIO()
    with ZipFile(whole) as old, ZipFile(out, "w", ZIP_DEFLATED) as new:
        for part in old.infolist():
            content = old.read(part)
            if part.filename == "xl/worksheets/sheet1.xml":
                row = b"<row>" + b"<c/>" * 8_000_000 + b"</row>"
                content = content.replace(b"</sheetData>", row + b"</sheetData>")
            new.writestr(part.filename, content)
    assert len(out.getvalue()) < MOST_OCTETS
    return out.getvalue()
