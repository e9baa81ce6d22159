"""P9, P10 and P11: whole cases of Medcab beside whole cases of its peers, in one run.

The bars are those against DBOS, the durable one. What SpiffWorkflow costs is told without a bar.
"""

from dataclasses import replace
from statistics import quantiles

from bench.ground import Office
from bench.method import Block, Comparison, Costs, Figure, Promise, Series, judge
from bench.peers import BUILT, LEFT_OUT
from bench.peers.side import PeerSide
from bench.throughput import together
from bench.whole import Legs, MedcabSide, Papers, Side

EACH = 16
"""Cases in a block of P9 and P10."""
TOGETHER, FEWER, IN_FLIGHT = 32, 8, 16
"""Cases in a block of P11, and how many of them at once."""
DURABLE = "dbos"
PROCESSOR, MEDIAN, SLOW, RATE = 1.8, 1.5, 1.6, 0.6
"""The bars."""


async def dbos(office: Office, scale: float) -> list[Figure]:
    """P9, P10 and P11 beside DBOS."""
    return await _beside("dbos", office, scale)


async def spiff(office: Office, scale: float) -> list[Figure]:
    """The same beside SpiffWorkflow."""
    return await _beside("spiff", office, scale)


async def workers(office: Office, scale: float) -> list[Figure]:
    """Whether more cases in flight are more cases in a second, when a second worker runs."""
    ours = MedcabSide(office, Papers())
    count = max(IN_FLIGHT, round(TOGETHER * min(1.0, scale * 2)))
    what = f"two workers, {IN_FLIGHT} in flight against {FEWER}"
    promise = Promise("case", "P11", what, Comparison.AT_LEAST, 1.0)
    blocks = (_many(ours, count, IN_FLIGHT), _many(ours, count, FEWER))
    async with office.ground.second_worker():
        return await judge([promise], *blocks, Series(4, 1).scaled(scale), count)


async def _beside(name: str, office: Office, scale: float) -> list[Figure]:
    papers = Papers()
    ours = MedcabSide(office, papers)
    async with PeerSide.open(name, office, papers) as peer:
        found = await _one_by_one(ours, peer, scale)
        return found + await _at_once(ours, peer, scale)


async def _one_by_one(ours: Side, peer: Side, scale: float) -> list[Figure]:
    """Processor time and waiting, of the same cases."""
    count = max(8, round(EACH * min(1.0, scale * 2)))
    name = peer.name.upper()
    notes = {f"{name} is": BUILT[peer.name], f"{name} leaves out": LEFT_OUT}
    for side in (ours, peer, ours, peer):
        legs = Legs(side, count)
        await legs.live()
        notes |= {f"{side.name}, {what}": told for what, told in legs.told().items()}

    def block(side: Side) -> Block:
        async def lived() -> Costs:
            legs = Legs(side, count)
            await legs.live()
            p50, p95 = (quantiles(legs.waits, n=20, method="inclusive")[at] for at in (9, 18))
            return {"processor": legs.processor, "p50": p50, "p95": p95}

        return lived

    promises = [
        _promise("processor", "P9", "processor time of a case", PROCESSOR, peer),
        _promise("p50", "P10", "waiting in a case, p50", MEDIAN, peer),
        _promise("p95", "P10", "waiting in a case, p95", SLOW, peer),
    ]
    series = Series(6, 1).scaled(scale)
    first, *others = await judge(promises, block(ours), block(peer), series, count, notes)
    return [first, *(replace(one, notes={}) for one in others)]


async def _at_once(ours: Side, peer: Side, scale: float) -> list[Figure]:
    """Whole cases in a second."""
    count = max(IN_FLIGHT, round(TOGETHER * min(1.0, scale * 2)))
    what = f"cases in a second, {IN_FLIGHT} in flight"
    promise = _promise("case", "P11", what, RATE, peer, Comparison.AT_LEAST)
    blocks = (_many(ours, count, IN_FLIGHT), _many(peer, count, IN_FLIGHT))
    return await judge([promise], *blocks, Series(5, 1).scaled(scale), count)


def _promise(
    cost: str,
    name: str,
    what: str,
    bar: float,
    peer: Side,
    bound: Comparison = Comparison.AT_MOST,
) -> Promise:
    kept = bar if peer.name == DURABLE else None
    return Promise(cost, name, f"{what}, {peer.name.upper()}", bound, kept)


def _many(side: Side, count: int, in_flight: int) -> Block:
    """A block of whole cases, so many at a time."""

    async def whole() -> None:
        case = await side.draft()
        await side.submit(case)
        await side.approve(case)

    async def block() -> Costs:
        await side.prepare(count)
        cost = await together([whole() for _ in range(count)], in_flight)
        await side.settle()
        return {"case": cost}

    return block
