"""P2: whole cases in a second."""

import asyncio
import time
from collections.abc import Awaitable, Sequence
from uuid import uuid4

from bench.ground import Office
from bench.method import Bound, Costs, Figure, Promise, Series, judge
from bench.processes import spent, used

IN_FLIGHT = {1: 6, 8: 32, 32: 96}
"""Cases in flight, and how many make a block."""


async def p2(office: Office, scale: float) -> list[Figure]:
    """From submission to act, with so many in flight."""
    found = []
    for in_flight, each in IN_FLIGHT.items():
        count = max(in_flight, round(each * min(1.0, scale * 2)))

        async def ours(in_flight: int = in_flight, count: int = count) -> Costs:
            waiting = await office.drafts(count)
            cost = await _together([office.whole(*one) for one in waiting], in_flight)
            await office.settle()
            return {"case": cost}

        async def least(in_flight: int = in_flight, count: int = count) -> Costs:
            cases = [office.whole_least(uuid4()) for _ in range(count)]
            return {"case": await _together(cases, in_flight)}

        promise = Promise("case", "P2", f"whole cases, {in_flight} in flight", Bound.AT_LEAST, 0.85)
        notes = await _processors(office, count, in_flight)
        found += await judge([promise], ours, least, Series(12, 1).scaled(scale), count, notes)
    return found


async def _processors(office: Office, count: int, in_flight: int) -> dict[str, str]:
    """What a case costs in processors on each side, by process; this warms both sides up too."""
    notes: dict[str, str] = {}
    for side in ("least", "Medcab", "least", "Medcab"):
        waiting = await office.drafts(count) if side == "Medcab" else []
        cases = [office.whole(*one) for one in waiting] or [
            office.whole_least(uuid4()) for _ in range(count)
        ]
        before = used(side, office.ground.folder)
        await _together(cases, in_flight)
        notes[f"processors, {side}"] = spent(before, used(side, office.ground.folder), count)
        await office.settle()
    return notes


async def _together(cases: Sequence[Awaitable[None]], in_flight: int) -> float:
    """Seconds for one case, so many at a time."""
    places = asyncio.Semaphore(in_flight)

    async def one(case: Awaitable[None]) -> None:
        async with places:
            await case

    began = time.perf_counter()
    await asyncio.gather(*map(one, cases))
    return (time.perf_counter() - began) / len(cases)
