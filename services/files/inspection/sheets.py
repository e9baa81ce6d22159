"""Tables of staff and of patients as files: XLSX or CSV, read as text; nothing is evaluated."""

import csv
import zipfile
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from io import BytesIO, StringIO
from typing import Any, TypeVar

from pydantic import TypeAdapter

from rules.patients import table as patients
from rules.refusals import Refusal, Words
from rules.staff.table import HEADER_WITHIN, MOST_COLUMNS, MOST_OCTETS, Sheet, read, unreadable
from rules.texts.cleaning import clean

_UNPACKED = 64 * 1024 * 1024
_PARTS = 1000
_LINES = 1_048_576
"""The most lines that a sheet can have."""
_ROUNDED_FROM = 10**15
"""Spreadsheets keep fifteen digits of a number: what has more was rounded."""
_SHEET = TypeAdapter(Sheet)
Contents = TypeVar("Contents")
Line = tuple[int, Sequence[str]]
PatientCells = tuple[int, patients.Cells]
_ODD = "Файл не читается. Сохраните таблицу ещё раз как XLSX или CSV."


def told(body: bytes) -> dict[str, Any]:
    """The contents of the file as JSON, or why it is refused."""
    try:
        sheet = sheet_of(body)
    except Refusal as refusal:
        return {"refused": refusal.message}
    words = [
        (one.message.msgid, one.message.facts) if isinstance(one.message, Words) else None
        for one in sheet.wrong
    ]
    return {"sheet": _SHEET.dump_python(sheet, mode="json"), "words": words}


def heard(report: Mapping[str, Any] | None, *, late: bool) -> Sheet:
    """Read what `told` returned in another process.

    Raises Refusal 422, also if nothing came back.
    """
    if report is None or not report:
        raise unreadable(
            "Чтение таблицы заняло слишком много времени и было остановлено. Оставьте в файле"
            " только список сотрудников, без формул и оформления, и сохраните его как CSV."
            if late
            else "Таблица слишком сложна, чтобы её прочитать. Оставьте в файле только список"
            " сотрудников, без формул и оформления, и сохраните его как CSV."
        )
    if "refused" in report:
        raise unreadable(report["refused"])
    sheet = _SHEET.validate_python(report["sheet"])
    wrong = [
        one if words is None else replace(one, message=Words(words[0], **words[1]))
        for one, words in zip(sheet.wrong, report["words"], strict=True)
    ]
    return replace(sheet, wrong=wrong)


def told_patients(body: bytes) -> dict[str, Any]:
    """The cells of a table of patients as JSON, or why it is refused."""
    try:
        return {"rows": _taken(body, patients.rows)}
    except Refusal as refusal:
        return {"refused": refusal.message}


def heard_patients(report: Mapping[str, Any] | None, *, late: bool) -> Sequence[PatientCells]:
    """Read what `told_patients` returned. Raises Refusal 422, also if nothing came back."""
    if not report:
        raise patients.unreadable(
            "Чтение таблицы заняло слишком много времени и было остановлено. Сохраните её как CSV."
            if late
            else "Таблица слишком сложна, чтобы её прочитать. Сохраните её как CSV."
        )
    if "refused" in report:
        raise patients.unreadable(report["refused"])
    return [(line, cells) for line, cells in report["rows"]]


def sheet_of(body: bytes) -> Sheet:
    """The contents of the file. Raises Refusal 422 if it cannot be read."""
    return _taken(body, read)


def _taken(body: bytes, read_lines: Callable[[Iterator[Line]], Contents]) -> Contents:
    if len(body) > MOST_OCTETS:
        raise unreadable("Файл больше 2 МБ. Разделите его на части.")
    lines = _of_workbook(body) if body.startswith(b"PK") else _of_text(body)
    try:
        return read_lines(lines)
    except (Refusal, MemoryError):
        raise
    except Exception as error:
        # A broken workbook can fail anywhere in the library, with any error.
        raise unreadable(_ODD) from error


def _of_workbook(body: bytes) -> Iterator[Line]:
    """The rows of the first sheet; of formulas, the values computed when the file was saved."""
    with zipfile.ZipFile(BytesIO(body)) as packed:
        parts = packed.infolist()
        if len(parts) > _PARTS or sum(part.file_size for part in parts) > _UNPACKED:
            raise unreadable(_ODD)
    # Imported here: only the process that reads such files needs it.
    from openpyxl import load_workbook

    book = load_workbook(BytesIO(body), read_only=True, data_only=True, keep_links=False)
    try:
        sheet = book.worksheets[0]
        sheet.reset_dimensions()
        rows = sheet.iter_rows(max_row=_LINES, max_col=MOST_COLUMNS, values_only=True)
        for number, row in enumerate(rows, start=1):
            yield number, [_text(value) for value in row]
    finally:
        book.close()


def _text(value: object) -> str:
    """A cell as text; a whole number without a fraction, a rounded one as spreadsheets show it."""
    if isinstance(value, int | float) and abs(value) >= _ROUNDED_FROM:
        return f"{value:.14e}"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if value is None else clean(str(value))


def _decoded(body: bytes) -> str:
    """Decode UTF-8, UTF-16 (Excel's «Текст Юникод»), or else Windows-1251."""
    if body.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        return body.decode("utf-16")
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return body.decode("cp1251")


def _of_text(body: bytes) -> Iterator[Line]:
    text = _decoded(body)
    if "\x00" in text:
        raise unreadable(_ODD)
    # A line above the row of titles may have commas of its own.
    head = [line for line in text.splitlines() if line.strip()][:HEADER_WITHIN]
    delimiter = max(";,\t", key=lambda sign: max((line.count(sign) for line in head), default=0))
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    for row in reader:
        yield line, [clean(cell) for cell in row[:MOST_COLUMNS]]
        line = reader.line_num + 1
