"""P2 and P2r: whole cases, and whole requests, in a second."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from uuid import uuid4

from bench.desk import BenchDesk
from bench.ground import Office
from bench.method import Comparison, Costs, Figure, Promise, Series, judge
from bench.processes import spent, used

IN_FLIGHT = {1: 6, 8: 32, 32: 96}
"""How many cases are in flight at once: how many cases make a block."""

Cases = Sequence[Awaitable[None]]


@dataclass(frozen=True)
class _Sides:
    """How a number of whole cases is prepared on either side, and what is done after a block."""

    name: str
    what: str
    ours: Callable[[int], Awaitable[Cases]]
    least: Callable[[int], Awaitable[Cases]]
    settle: Callable[[], Awaitable[None]]


async def p2(office: Office, scale: float) -> list[Figure]:
    """From submission to the enrolment certificate, with so many cases in flight."""

    async def ours(count: int) -> Cases:
        return [office.whole(*one) for one in await office.drafts(count)]

    async def least(count: int) -> Cases:
        return [office.whole_least(uuid4()) for _ in range(count)]

    return await _measured(office, _Sides("P2", "cases", ours, least, office.settle), scale)


async def p2r(office: Office, scale: float) -> list[Figure]:
    """From submission to the answer, with so many requests in flight; the gov service answers at
    once.

    Both sides wait alike for the one process of the gov service, which looks for work ten times a
    second and takes some 50 ms of a processor for an answer. With one request in flight that wait
    is a good part of the whole; the processor times printed beside it, and P1r and P3r, say more.
    """
    async with BenchDesk.open(office) as desk:
        await desk.behave(0)

        async def ours(count: int) -> Cases:
            return [desk.whole(*one) for one in await desk.drafts(count)]

        async def least(count: int) -> Cases:
            return [desk.whole_least(uuid4()) for _ in range(count)]

        async def settle() -> None:
            await desk.forget()
            await office.settle()

        found = await _measured(office, _Sides("P2r", "requests", ours, least, settle), scale)
        unanswered = (
            "select count(*) from \"case\" where kind = 'request' and number is not null"
            " and status <> 'ready'"
        )
        if left := await office.watches["medcab"].one(unanswered):
            raise RuntimeError(f"{left} requests were not answered")
        return found


async def _measured(office: Office, sides: _Sides, scale: float) -> list[Figure]:
    found = []
    for in_flight, each in IN_FLIGHT.items():
        count = max(in_flight, round(each * min(1.0, scale * 2)))

        async def ours(in_flight: int = in_flight, count: int = count) -> Costs:
            cost = await together(await sides.ours(count), in_flight)
            await sides.settle()
            return {"case": cost}

        async def least(in_flight: int = in_flight, count: int = count) -> Costs:
            cost = await together(await sides.least(count), in_flight)
            await sides.settle()
            return {"case": cost}

        what = f"whole {sides.what}, {in_flight} in flight"
        promise = Promise("case", sides.name, what, Comparison.AT_LEAST, 0.85)
        notes = await _processors(office, sides, count, in_flight)
        found += await judge([promise], ours, least, Series(12, 1).scaled(scale), count, notes)
    return found


async def _processors(office: Office, sides: _Sides, count: int, in_flight: int) -> dict[str, str]:
    """The processor time of a case on each side, by process. Measuring it warms both sides up."""
    notes: dict[str, str] = {}
    for side in ("least", "Medcab", "least", "Medcab"):
        cases = await (sides.ours if side == "Medcab" else sides.least)(count)
        before = used(side, office.ground.folder)
        await together(cases, in_flight)
        notes[f"processors, {side}"] = spent(before, used(side, office.ground.folder), count)
        await sides.settle()
    return notes


async def together(cases: Cases, in_flight: int) -> float:
    """Seconds for one case, with `in_flight` cases at a time."""
    places = asyncio.Semaphore(in_flight)

    async def one(case: Awaitable[None]) -> None:
        async with places:
            await case

    began = time.perf_counter()
    await asyncio.gather(*map(one, cases))
    return (time.perf_counter() - began) / len(cases)
