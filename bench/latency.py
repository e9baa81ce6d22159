"""P1, P3, P4 and P5: how long people wait."""

import os
import time
from collections.abc import Awaitable, Callable
from statistics import median
from uuid import UUID, uuid4

import psycopg
from psycopg.rows import dict_row

from bench.archive import MANY, crowd
from bench.ground import BenchInstallation, Office
from bench.least.programs import LIST
from bench.method import Block, Comparison, Costs, Figure, Promise, Series, judge
from bench.wire import Wire

KIB = 1024
LINES = 50


async def p1(office: Office, scale: float) -> list[Figure]:
    """From submitting to the answer with the number, and to the open review in PostgreSQL."""
    each = 5

    async def ours() -> Costs:
        waiting = await office.drafts(each)
        costs = []
        for case_id, wire in waiting:
            began = time.perf_counter()
            await office.submit(case_id, wire)
            answered = time.perf_counter()
            await office.watches["medcab"].until(case_id, "in_review")
            costs.append((answered - began, time.perf_counter() - began))
        await office.settle()
        return _both(costs)

    async def least() -> Costs:
        costs = []
        for _ in range(each):
            case_id = uuid4()
            began = time.perf_counter()
            await office.least.ask("POST", f"/checks/{case_id}")
            answered = time.perf_counter()
            await office.watches["least"].until(case_id, "checked")
            costs.append((answered - began, time.perf_counter() - began))
        return _both(costs)

    return await judge(
        [
            Promise("answer", "P1a", "submit until the number", Comparison.AT_MOST, 1.15),
            Promise("review", "P1b", "submit until in_review", Comparison.AT_MOST, 1.3),
        ],
        ours,
        least,
        Series(40).scaled(scale),
        each,
    )


def _both(costs: list[tuple[float, float]]) -> Costs:
    return {"answer": median(c[0] for c in costs), "review": median(c[1] for c in costs)}


async def p3(office: Office, scale: float) -> list[Figure]:
    """From approving to an enrolment certificate that can be downloaded."""
    each = 4

    async def ours() -> Costs:
        waiting = [case_id for case_id, _ in await _in_review(office, each)]
        return await _timed(waiting, office.approve, office.watches["medcab"].until, "closed")

    async def least() -> Costs:
        waiting = [uuid4() for _ in range(each)]
        for case_id in waiting:
            await office.least.ask("POST", f"/cases/{case_id}")
        for case_id in waiting:
            await office.watches["least"].until(case_id, "checked")

        async def approve(case_id: UUID) -> None:
            await office.least.ask("POST", f"/cases/{case_id}/approval")

        return await _timed(waiting, approve, office.watches["least"].until, "issued")

    promise = Promise("act", "P3", "approve until the act is ready", Comparison.AT_MOST, 1.3)
    return await judge([promise], ours, least, Series(30).scaled(scale), each)


async def _in_review(office: Office, count: int) -> list[tuple[UUID, Wire]]:
    made = await office.drafts(count)
    for case_id, wire in made:
        await office.submit(case_id, wire)
    for case_id, _ in made:
        await office.watches["medcab"].until(case_id, "in_review")
    await office.settle()
    return made


async def _timed(
    waiting: list[UUID],
    approve: Callable[[UUID], Awaitable[None]],
    until: Callable[[UUID, str], Awaitable[None]],
    status: str,
) -> Costs:
    costs = []
    for case_id in waiting:
        began = time.perf_counter()
        await approve(case_id)
        await until(case_id, status)
        costs.append(time.perf_counter() - began)
    return {"act": median(costs)}


async def p4(office: Office, scale: float) -> list[Figure]:
    """A list of fifty cases, alone and among many of others; the time of raw SQL beside it."""
    each, many = 25, int(MANY * scale)
    player = office.cast.applicants[0]
    await office.drafts(LINES + 10, player)
    path = f"/api/v1/applications?limit={LINES}"
    mine = office.medcab[player.person_id]
    if len(await office.least.ask("GET", "/cases")) < 10_000:
        raise RuntimeError("the least list is no list of fifty")

    def reading(wire: Wire, at: str) -> Block:
        async def block() -> Costs:
            costs = []
            for _ in range(each):
                began = time.perf_counter()
                await wire.ask("GET", at)
                costs.append(time.perf_counter() - began)
            return {"list": median(costs)}

        return block

    ours, least = reading(mine, path), reading(office.least, "/cases")
    figures = []
    for name, words in (("P4", ""), ("P4 many", f" among {many} cases and credentials")):
        if words:
            await crowd(office, many)
        what = f"list of {LINES} cases{words}, p50"
        promise = Promise("list", name, what, Comparison.AT_MOST, 1.3)
        notes = {"raw SQL alone, p50": f"{await _raw(office, player.person_id) * 1000:.2f} ms"}
        figures += await judge([promise], ours, least, Series(90).scaled(scale), each, notes)
    return figures


async def _raw(office: Office, person_id: UUID) -> float:
    costs = []
    url = office.ground.settings.database_url.get_secret_value()
    async with await psycopg.AsyncConnection.connect(
        url, autocommit=True, row_factory=dict_row
    ) as line:
        for _ in range(200):
            began = time.perf_counter()
            await (await line.execute(LIST, (person_id,))).fetchall()
            costs.append(time.perf_counter() - began)
    return median(costs)


PDF_BEGINS = b"%PDF-1.7\n"
"""A body that begins otherwise would be refused before it is read."""
UPLOADS = {
    "64 KiB": (64 * KIB, 8, 0.5),
    "1 MiB": (KIB * KIB, 6, 0.7),
    "10 MiB": (10 * KIB * KIB, 2, 0.85),
}
"""Size in bytes, uploads in a block, and the share of the direct PUT's throughput."""


async def p5(office: Office, scale: float) -> list[Figure]:
    """Uploads without the inspection of files, against a direct PUT and one commit."""
    ground: BenchInstallation = office.ground
    ground.start_unchecked()
    player = office.cast.applicants[0]
    unchecked = Wire(ground.unchecked_door.address, player.token)
    to = "/api/v1/documents?category=diploma&file_name=diploma.pdf"
    found = []
    for size, (octets, each, share) in UPLOADS.items():

        def sending(wire: Wire, path: str, octets: int = octets, each: int = each) -> Block:
            async def block() -> Costs:
                costs = []
                for _ in range(each):
                    body = PDF_BEGINS + os.urandom(octets - len(PDF_BEGINS))
                    began = time.perf_counter()
                    await wire.ask("POST", path, body, kind="application/pdf")
                    costs.append(time.perf_counter() - began)
                return {"upload": median(costs)}

            return block

        promise = Promise("upload", "P5", f"upload of {size}", Comparison.AT_LEAST, share)
        ours, least = sending(unchecked, to), sending(office.least, "/files")
        found += await judge([promise], ours, least, Series(40).scaled(scale), each)
    unchecked.close()
    return found
