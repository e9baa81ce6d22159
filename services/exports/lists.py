"""Lists as jobs for the child that makes files; apart from it, since it imports next to nothing."""

import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

from rules.archive import ExportKind
from services.exports.rendering import Head, ListJob, make, write_rows


def list_job(kind: ExportKind, head: Head, rows: Path, out: Path) -> ListJob:
    """The job that makes a file of this kind from the rows."""
    work: Literal["list_pdf", "list_xlsx"] = "list_pdf" if kind is ExportKind.PDF else "list_xlsx"
    return ListJob(work=work, head=head, rows=str(rows), out=str(out))


async def made(kind: ExportKind, head: Head, lines: Iterable[Sequence[str]]) -> bytes:
    """The file of a short list, while the person waits. Raises ExportFileError."""
    with tempfile.TemporaryDirectory(prefix="medcab-export-") as folder:
        rows, out = Path(folder) / "rows", Path(folder) / "out"
        rows.touch()
        write_rows(rows, lines)
        await make(list_job(kind, head, rows, out))
        return out.read_bytes()
