"""Makes the files, has each inspected as an upload is, and proves what became of them."""

import asyncio
import io
import re
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, BinaryIO

import pikepdf

from ops.corpus.kinds import KINDS, Kind, Must
from rules.files.checks import Code, MediaType
from services.files.inspection.client import Inspection, InspectionDownError, InspectionReport

FALSE_REFUSALS = 0.02
"""The share of good files that may be refused."""
_LONGEST = 600
_ACTIVE = re.compile(
    rb"/(JavaScript|JS|Launch|SubmitForm|ImportData|GoToR|GoToE|Rendition|RichMedia|EF|XFA)"
    rb"(?![\w#.-])"
)


class WatchedInspection(Inspection):
    """The inspection, which also tells how the process of its last check ended."""

    died = False

    async def _ask(
        self, request: Mapping[str, Any], file: BinaryIO, out: BinaryIO | None = None
    ) -> tuple[dict[str, Any] | None, dict[str, Any]]:
        report, ending = await super()._ask(request, file, out)
        self.died = self.died or report is None
        return report, ending


@dataclass
class Row:
    """What became of the files of one kind."""

    kind: Kind
    tried: int = 0
    refused: int = 0
    accepted: int = 0
    errors: int = 0
    """Answers that were none, and good files that could not be shown."""
    dead: int = 0
    """Processes that died of a file that is not there to kill one, and wardens that died."""
    released: int = 0
    """Files that passed though they do something by themselves."""
    reasons: Counter[Code] = field(default_factory=Counter)
    examples: list[Path] = field(default_factory=list)


@dataclass
class CorpusResult:
    """What became of all of them."""

    rows: list[Row]

    def total(self, of: Callable[[Row], int], must: Must | None = None) -> int:
        """The sum of one column, of all kinds or of those that must end so."""
        return sum(of(row) for row in self.rows if must in (None, row.kind.must))

    @property
    def faults(self) -> list[str]:
        """Why the proof fails; empty if it holds."""
        good = self.total(lambda row: row.tried, Must.GOOD)
        refused = self.total(lambda row: row.refused, Must.GOOD)
        counted = {
            "server errors": self.total(lambda row: row.errors),
            "dead processes": self.total(lambda row: row.dead),
            "active files released": self.total(lambda row: row.released),
            "bad files accepted": self.total(lambda row: row.accepted, Must.BAD),
        }
        found = [f"{number} {what}" for what, number in counted.items() if number]
        if not good or refused > FALSE_REFUSALS * good:
            found.append(f"{refused} of {good} good files refused")
        return found


def still_acts(content: bytes) -> bool:
    """Whether qpdf, when it repairs and unpacks the file, finds a name of something active."""
    out = io.BytesIO()
    try:
        with pikepdf.open(io.BytesIO(content), suppress_warnings=True) as document:
            document.save(
                out,
                object_stream_mode=pikepdf.ObjectStreamMode.disable,
                stream_decode_level=pikepdf.StreamDecodeLevel.generalized,
                compress_streams=False,
                fix_metadata_version=False,
            )
    except (pikepdf.PdfError, pikepdf.PasswordError, RuntimeError, ValueError):
        return False
    return _ACTIVE.search(out.getvalue()) is not None


async def tried(
    inspection: WatchedInspection,
    row: Row,
    content: bytes,
    acts: Callable[[bytes], bool] = still_acts,
) -> bool:
    """Have one file inspected, and shown if it passes. Returns whether all is as it must be.

    `acts` judges files of which nobody knows beforehand whether they do something by themselves.
    """
    kind, inspection.died = row.kind, False
    before = row.errors, row.dead, row.released
    row.tried += 1
    with tempfile.TemporaryFile() as file:
        file.write(content)
        file.flush()
        try:
            report = await inspection.examine(file, [kind.claim], kind.dpi)
            shown = not report.good or await _shown(inspection, file, report)
        except InspectionDownError:
            row.dead += 1
            return False
        except Exception:
            row.errors += 1
            return False
    row.accepted += report.good
    row.refused += not report.good
    row.reasons.update(finding.code for finding in report.findings)
    row.dead += inspection.died and not kind.heavy
    row.errors += not shown and kind.must is Must.GOOD
    chance = kind.must is Must.EITHER and kind.claim is MediaType.PDF
    row.released += report.good and (kind.active or (chance and acts(content)))
    as_meant = kind.must is Must.EITHER or report.good == (kind.must is Must.GOOD)
    return as_meant and before == (row.errors, row.dead, row.released)


async def _shown(inspection: Inspection, file: BinaryIO, report: InspectionReport) -> bool:
    if report.media_type is None:
        return False
    drawn = await inspection.draw(file, report.media_type, 1, _LONGEST)
    if drawn is not None:
        drawn[0].close()
    return drawn is not None


@asynccontextmanager
async def watched() -> AsyncIterator[WatchedInspection]:
    """An inspection that is closed at the end."""
    inspection = WatchedInspection()
    try:
        yield inspection
    finally:
        await inspection.close()


async def prove(
    files: int, seed: int, keep: Path | None = None, kinds: Sequence[Kind] = KINDS
) -> CorpusResult:
    """Inspect at least so many files, as many of each kind; what is amiss goes to `keep`."""
    rounds, outcome = -(-files // len(kinds)), CorpusResult([Row(kind) for kind in kinds])
    async with watched() as inspection:
        for row in outcome.rows:
            for number in range(rounds):
                rng = Random(f"{seed} {row.kind.name} {number}")  # noqa: S311 - no secret
                content = row.kind.make(rng)
                if not await tried(inspection, row, content) and keep is not None:
                    path = keep / f"{row.kind.name.replace(' ', '-')}-{number}"
                    path.write_bytes(content)
                    row.examples.append(path)
    return outcome


def run(files: int, seed: int) -> int:
    """Prove, print the table, and return the exit code."""
    keep = Path(tempfile.mkdtemp(prefix="medcab-corpus-"))
    outcome = asyncio.run(prove(files, seed, keep))
    heads = ("kind", "must be", "tried", "refused", "accepted", "server errors", "dead processes")
    print(f"{heads[0]:<38}{heads[1]:>8}" + "".join(f"{head:>16}" for head in heads[2:]))
    for row in outcome.rows:
        figures = (row.tried, row.refused, row.accepted, row.errors, row.dead)
        reasons = ", ".join(code for code, _ in row.reasons.most_common(3))
        told = "".join(f"{number:>16}" for number in figures)
        print(f"{row.kind.name:<38}{row.kind.must.value:>8}{told}  {reasons}")
    print(f"\n{outcome.total(lambda row: row.tried)} files, seed {seed}.")
    for path in (path for row in outcome.rows for path in row.examples):
        print(f"amiss: {path}")
    if not any(keep.iterdir()):
        keep.rmdir()
    print(f"Failed: {'; '.join(outcome.faults)}." if outcome.faults else "All holds.")
    return 1 if outcome.faults else 0
