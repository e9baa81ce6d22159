"""Papers and sheets made in a process of their own: `python -m services.exports.rendering`.

typst keeps in memory what it has set. So the work is done by a child process that ends with it, and
a long list is set in stretches, each in a fork of that child: a long export takes no more memory
than a short one, and gives it back. The child reads one job as JSON from its standard input; rows
are in a file, one JSON list a line. Only the child loads the libraries that make the files.
"""

import asyncio
import json
import os
import sys
import tempfile
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, Literal, TypedDict
from weakref import WeakKeyDictionary

from services.papers.typesetting import PAPERS, typeset

STRETCH = 200
"""How many rows are set at once."""

AT_A_TIME = 2
"""How many children run at once; each takes a processor and some memory for seconds."""

_TURNS: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()
_WIDTHS = (24, 20, 60, 32, 32, 20, 17, 17)
_LAST_WORDS = 600


class ExportFileError(RuntimeError):
    """The child failed; the message is the end of its output."""


class Head(TypedDict):
    """The lines above a list."""

    lang: str
    institution: str
    title: str
    about: Sequence[str]
    columns: Sequence[str]
    moments: Sequence[int]
    """Places of the columns that hold moments: ISO 8601 in the zone of the list."""
    footer: str
    at: int
    """The moment of the list, in seconds since 1970: the same list gives the same bytes."""


class ListJob(TypedDict):
    """A list to be written to `out`."""

    work: Literal["list_pdf", "list_xlsx"]
    head: Head
    rows: str
    out: str


class PaperJob(TypedDict):
    """A paper to be written to `out` by one of the templates beside this file."""

    work: Literal["paper"]
    template: str
    facts: Mapping[str, Any]
    at: int
    out: str


async def make(job: ListJob | PaperJob) -> None:
    """Have a child do a job. Two run at a time; others wait for their turn.

    Raises ExportFileError. If the call is cancelled, the child is killed.
    """
    turns = _TURNS.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(AT_A_TIME))
    async with turns:
        await _done_by_child(job)


async def _done_by_child(job: ListJob | PaperJob) -> None:
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "services.exports.rendering",
        cwd=PAPERS.parents[2],
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        _, said = await child.communicate(json.dumps(job, ensure_ascii=False).encode())
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if child.returncode != 0:
        raise ExportFileError(said[-_LAST_WORDS:].decode(errors="replace"))


def write_rows(file: Path, rows: Iterable[Sequence[str]]) -> None:
    """Append rows to a file, in the form that `make` reads."""
    with file.open("a", encoding="utf-8") as out:
        out.writelines(json.dumps(list(row), ensure_ascii=False) + "\n" for row in rows)


def read_rows(file: Path) -> Iterator[list[str]]:
    """The rows of a file, one after another."""
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def list_xlsx(head: Head, rows: Iterable[Sequence[str]], out: Path) -> None:
    """A workbook of texts and moments, which Excel can sort and filter as such.

    A text that begins like a formula stays text, also when it is edited. Cells know no zone: the
    lines above the list name it. It is written row by row, so that memory does not grow with the
    list.
    """
    import xlsxwriter  # type: ignore[import-untyped]

    book = xlsxwriter.Workbook(
        str(out), {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    book.set_properties({"title": head["title"], "company": head["institution"]})
    bold = book.add_format({"bold": True, "bottom": 1, "quote_prefix": True})
    cell = book.add_format({"quote_prefix": True})
    moment = book.add_format({"num_format": "dd.mm.yyyy hh:mm", "align": "left"})
    sheet = book.add_worksheet(head["title"][:31])
    for column, width in enumerate(_WIDTHS):
        sheet.set_column(column, column, width)
    first = len(head["about"]) + 2
    for line, words in enumerate((head["institution"], *head["about"])):
        sheet.write_string(line, 0, words, cell)
    for column, word in enumerate(head["columns"]):
        sheet.write_string(first, column, word, bold)
    sheet.freeze_panes(first + 1, 1)
    last = first
    for last, row in enumerate(rows, first + 1):
        for column, value in enumerate(row):
            if column in head["moments"]:
                sheet.write_datetime(last, column, datetime.fromisoformat(value), moment)
            else:
                sheet.write_string(last, column, value, cell)
    sheet.autofilter(first, 0, max(last, first + 1), len(head["columns"]) - 1)
    book.close()


def list_pdf(head: Head, rows: Iterable[Sequence[str]], out: Path) -> None:
    """A table over as many pages as it needs, set in stretches and joined."""
    import pikepdf

    waiting = iter(rows)
    with tempfile.TemporaryDirectory(dir=out.parent) as folder, pikepdf.new() as whole:
        # Pages of a part are only read when the whole file is saved, so parts stay open until then.
        opened: list[pikepdf.Pdf] = []
        pages = 0
        while (stretch := list(islice(waiting, STRETCH))) or not opened:
            shown = [_by_day(row, head["moments"]) for row in stretch]
            facts = {**head, "rows": shown, "first": not opened, "pages_before": pages}
            file = Path(folder) / f"{len(opened)}.pdf"
            _set_apart(file, facts, head["at"])
            part = pikepdf.open(file)
            opened.append(part)
            pages += len(part.pages)
            whole.pages.extend(part.pages)
        with whole.open_metadata() as about:
            about["dc:title"] = head["title"]
            about["dc:language"] = [head["lang"]]
        whole.Root.Lang = pikepdf.String(head["lang"])
        whole.save(out, deterministic_id=True, object_stream_mode=pikepdf.ObjectStreamMode.generate)
        for part in opened:
            part.close()


def _by_day(row: Sequence[str], moments: Sequence[int]) -> list[str]:
    """A row for a narrow table, with days in place of moments."""
    return [
        f"{datetime.fromisoformat(value):%d.%m.%Y}" if column in moments else value
        for column, value in enumerate(row)
    ]


def _set_apart(file: Path, facts: Mapping[str, Any], at: int) -> None:
    """Set one stretch in a fork, so that typst's memory of it ends with the fork."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            file.write_bytes(_typeset("list.typ", facts, at, standard="1.7", tagged=False))
            code = 0
        except Exception:
            traceback.print_exc()
        finally:
            os._exit(code)
    if os.waitpid(pid, 0)[1] != 0:
        raise RuntimeError("a stretch of the list could not be set")


def _typeset(template: str, facts: Mapping[str, Any], at: int, **more: Any) -> bytes:
    return typeset(PAPERS / template, facts, at=datetime.fromtimestamp(at, UTC), **more)


def main() -> None:
    """Do the job on the standard input."""
    job: Any = json.load(sys.stdin)
    out = Path(job["out"])
    match job["work"]:
        case "paper":
            out.write_bytes(_typeset(job["template"], job["facts"], job["at"], standard="a-2a"))
        case "list_pdf":
            list_pdf(job["head"], read_rows(Path(job["rows"])), out)
        case "list_xlsx":
            list_xlsx(job["head"], read_rows(Path(job["rows"])), out)
        case work:
            raise ValueError(f"unknown work {work}")


if __name__ == "__main__":
    main()
