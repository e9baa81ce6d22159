"""COST and P13: what one whole case costs the machine, by process and by leg of its life.

`bench.whole` says what a case is here. The client, and the servers that stand for the outside world
(mail, SMS, push, register), are left out of the sums.
"""

import asyncio
from collections.abc import Sequence

import psutil
import psycopg

from bench.counts import own
from bench.ground import Office
from bench.method import Comparison, Figure, Interval
from bench.whole import KIB, Legs, MedcabSide, Papers
from rules.files.checks import MediaType
from services.files.inspection.client import Inspection

CASES = 32
INSPECTED = 40
"""Files in a block of P13."""
INSPECTION_MS = 15.0
COMMITS = 11
"""The bar of commits is the figure that was reached, so that it gets no worse unnoticed: one for
the draft, one for each upload, one for the saved draft, and the six of P6."""


async def cost(office: Office, scale: float) -> list[Figure]:
    """Processor time, commits, flushes and bytes of whole cases; then the inspection of a PDF."""
    count = max(4, round(CASES * scale))
    side = MedcabSide(office, Papers())
    side.papers.make(2 * count)
    await Legs(side, count).live()
    legs = Legs(side, count)
    async with office.ground.log.written() as written:
        flushed = await _flushes(office)
        await legs.live()
        flushes = (await _flushes(office) - flushed) / count
    commits = len(own(written.commits)) / count
    each = written.octets / count / KIB
    notes = legs.told() | {"of the write-ahead log": f"{flushes:.1f} flushes, {each:.0f} KiB"}
    side.papers.make(INSPECTED)
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
        await p13(papers=[side.papers.take() for _ in range(INSPECTED)], scale=scale),
    ]


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
