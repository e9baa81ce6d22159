"""COST and P13: what one whole case costs the machine, by process and by leg of its life.

A case here begins earlier than in P2: the draft is made, three documents of 64 KiB are uploaded and
looked through, the draft is saved, submitted, checked, approved, and both mails are sent. Its
applicants have chosen mail alone. The client, and the servers that stand for the outside world
(mail, SMS, push, register), are left out of the sums.
"""

import asyncio
import json
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from io import BytesIO
from urllib.parse import quote
from uuid import UUID

import psutil
import psycopg
from PIL import Image

from bench.counts import own
from bench.ground import Office
from bench.method import Comparison, Figure, Interval
from bench.processes import OUTSIDE, Used, spent, used
from bench.wire import Wire
from ops.faults.applications import FORM
from ops.faults.people import HABITS
from rules.clock import now
from rules.files.checks import MediaType
from services.files.inspection.client import Inspection

KIB = 1024
PAPER = 64 * KIB
UPLOADS = 3
CASES = 32
INSPECTED = 40
"""Files in a block of P13."""
INSPECTION_MS = 15.0
COMMITS = 11
"""The bar of commits is the figure that was reached, so that it gets no worse unnoticed: one for
the draft, one for each upload, one for the saved draft, and the six of P6."""


def paper(dice: random.Random) -> bytes:
    """A scanned page as a PDF of about 64 KiB; each is another one."""
    size = 300, 412
    noise = Image.frombytes("L", size, dice.randbytes(size[0] * size[1]))
    body = BytesIO()
    noise.save(body, "PDF", resolution=36, quality=68)
    return body.getvalue()


@dataclass
class Legs:
    """The three legs of cases, each done for all cases before the next begins."""

    office: Office
    papers: list[bytes]
    cases: list[tuple[UUID, Wire]] = field(default_factory=list)

    async def draft(self, count: int) -> None:
        """Make complete drafts with documents of their own."""
        office = self.office
        quiet = [
            one
            for number, one in enumerate(office.cast.applicants)
            if not HABITS[number % len(HABITS)].chosen
        ]
        starts = (now() + timedelta(days=30)).date().isoformat()
        for number in range(count):
            wire = office.medcab[quiet[number % len(quiet)].person_id]
            asked = {"programme_id": str(office.programme_id)}
            made = await wire.tell("POST", "/api/v1/applications", asked)
            shown = json.loads(await wire.ask("GET", f"/api/v1/applications/{made['id']}"))
            rules = [one["kind"] for one in shown["attachment_rules"] if not one["waived_reason"]]
            kept = [await self._upload(wire, kind) for kind in rules[:UPLOADS]]
            edit = {"data": {**FORM, "starts_on": starts}, "attachments": kept}
            await wire.tell("PUT", f"/api/v1/applications/{made['id']}/draft", edit)
            self.cases.append((UUID(made["id"]), wire))

    async def _upload(self, wire: Wire, kind: str) -> dict[str, str]:
        path = f"/api/v1/documents?category={kind}&title={quote('Документ')}&file_name=scan.pdf"
        told = json.loads(await wire.ask("POST", path, self.papers.pop(), kind="application/pdf"))
        return {"kind": kind, "document_version_id": told["version"]["id"]}

    async def submit(self) -> None:
        """Submit them all, one after another, each until its review is open."""
        for case_id, wire in self.cases:
            await self.office.submit(case_id, wire)
            await self.office.watches["medcab"].until(case_id, "in_review")

    async def approve(self) -> None:
        """Approve them all, each until its certificate can be downloaded."""
        for case_id, _ in self.cases:
            await self.office.approve(case_id)
            await self.office.watches["medcab"].until(case_id, "closed")


async def cost(office: Office, scale: float) -> list[Figure]:
    """Processor time, commits, flushes and bytes of whole cases; then the inspection of a PDF."""
    count = max(4, round(CASES * scale))
    dice = random.Random(20)  # noqa: S311 - repeatable, nothing secret
    papers = [paper(dice) for _ in range(2 * UPLOADS * count)]
    await _run(office, Legs(office, papers), count)
    legs = Legs(office, papers)
    start = await asyncio.to_thread(office.ground.log.position)
    flushed = await _flushes(office)
    notes = await _run(office, legs, count)
    flushes = await _flushes(office) - flushed
    end = await asyncio.to_thread(office.ground.log.position)
    commits = len(own(await asyncio.to_thread(office.ground.log.commits, start, end))) / count
    octets = await office.watches["medcab"].one("select %s::pg_lsn - %s::pg_lsn", (end, start))
    notes["of the write-ahead log"] = (
        f"{flushes / count:.1f} flushes, {octets / count / KIB:.0f} KiB"
    )
    exact = Interval(commits, commits, commits)
    return [
        Figure(
            "COST",
            "commits of a case with its draft and uploads",
            Comparison.AT_MOST,
            COMMITS,
            exact,
            None,
            count,
            commits,
            COMMITS,
            unit="commits",
            notes=notes,
        ),
        await p13(papers=[paper(dice) for _ in range(INSPECTED)], scale=scale),
    ]


async def _run(office: Office, legs: Legs, count: int) -> dict[str, str]:
    """Let cases live through their legs. Returns what each leg cost, by process."""
    steps: Sequence[tuple[str, Callable[[], Awaitable[None]]]] = (
        ("draft and uploads", lambda: legs.draft(count)),
        ("submit until in_review", legs.submit),
        ("approve until the act", legs.approve),
    )
    notes: dict[str, str] = {}
    first = before = _inside(office)
    for name, step in steps:
        await step()
        await office.settle()
        after = _inside(office)
        notes[name] = spent(before, after, count)
        before = after
    return {"whole case": spent(first, before, count), **notes}


def _inside(office: Office) -> Used:
    """Processor time so far, without the client and what stands for the outside world."""
    found = used("Medcab", office.ground.folder)
    return {name: seconds for name, seconds in found.items() if name not in OUTSIDE}


async def _flushes(office: Office) -> int:
    asked = "select sum(fsyncs) from pg_stat_io where object = 'wal'"
    with psycopg.connect(office.ground.log.url) as line:
        row = await asyncio.to_thread(lambda: line.execute(asked).fetchone())
    return int(row[0]) if row else 0


async def p13(papers: Sequence[bytes], scale: float) -> Figure:
    """Processor time of the inspection of one PDF of 64 KiB: the warden and its children."""
    inspection = Inspection()
    await inspection.start()
    blocks = []
    try:
        [warden] = [
            one
            for one in psutil.Process().children()
            if "services.files.inspection.warden" in " ".join(one.cmdline())
        ]
        for _ in range(max(5, round(12 * scale))):
            before = _seconds(warden)
            for body in papers:
                with inspection.intake() as file:
                    file.write(body)
                    report = await inspection.examine(file, [MediaType.PDF])
                    if not report.good:
                        raise RuntimeError(f"the paper was refused: {report.findings}")
            blocks.append((_seconds(warden) - before) / len(papers) * 1000)
    finally:
        await inspection.close()
    found = Interval.of(blocks[1:])
    return Figure(
        "P13",
        "inspection of a PDF of 64 KiB, processor time",
        Comparison.AT_MOST,
        INSPECTION_MS,
        found,
        None,
        len(papers) * len(blocks),
        found.median,
        INSPECTION_MS,
        unit="ms",
    )


def _seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(sum(times[:4]))
