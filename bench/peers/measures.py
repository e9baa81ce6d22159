"""P9, P10 and P11: whole cases of Medcab beside whole cases of its peers."""

from statistics import quantiles

from bench.ground import Office
from bench.method import Block, Comparison, Costs, Figure, Promise, Series, judge
from bench.peers import LEFT_OUT, PACKAGES
from bench.peers.side import PeerSide
from bench.throughput import together
from bench.whole import Legs, MedcabSide, Papers, Side

EACH = 20
"""Cases in a block of P9 and P10."""
TOGETHER, IN_FLIGHT = 32, 16
"""Cases in a block of P11, and how many of them at once."""


async def peers(office: Office, scale: float) -> list[Figure]:
    """P9, P10 and P11 against each peer, then whether a second worker helps."""
    papers = Papers()
    ours = MedcabSide(office, papers)
    found: list[Figure] = []
    for name, package in PACKAGES.items():
        async with PeerSide.open(name, office, papers) as peer:
            found += await _one_by_one(ours, peer, package, scale)
            found += await _at_once(ours, peer, package, scale)
    return found


async def _one_by_one(ours: Side, peer: Side, package: str, scale: float) -> list[Figure]:
    """Processor time and waiting, from the same cases."""
    count = max(4, round(EACH * min(1.0, scale * 2)))
    notes: dict[str, str] = {"left out": LEFT_OUT}
    for side in (ours, peer, ours, peer):
        legs = Legs(side, count)
        await legs.live()
        notes |= {f"{side.name}, {what}": told for what, told in legs.told().items()}
    promises = [
        Promise("processor", "P9", f"processor time of a case, {package}", Comparison.AT_MOST, 1.8),
        Promise("p50", "P10", f"waiting in a case, p50, {package}", Comparison.AT_MOST, 1.5),
        Promise("p95", "P10", f"waiting in a case, p95, {package}", Comparison.AT_MOST, 1.6),
    ]

    def block(side: Side) -> Block:
        async def lived() -> Costs:
            legs = Legs(side, count)
            await legs.live()
            p50, p95 = (quantiles(legs.waits, n=20, method="inclusive")[at] for at in (9, 18))
            return {"processor": legs.processor, "p50": p50, "p95": p95}

        return lived

    series = Series(6, 1).scaled(scale)
    return await judge(promises, block(ours), block(peer), series, count, notes)


async def _at_once(ours: Side, peer: Side, package: str, scale: float) -> list[Figure]:
    """Whole cases in a second."""
    count = max(IN_FLIGHT, round(TOGETHER * min(1.0, scale * 2)))
    what = f"whole cases, {IN_FLIGHT} in flight, {package}"
    promise = Promise("case", "P11", what, Comparison.AT_LEAST, 0.6)
    blocks = (many(ours, count, IN_FLIGHT), many(peer, count, IN_FLIGHT))
    return await judge([promise], *blocks, Series(6, 1).scaled(scale), count)


def many(side: Side, count: int, in_flight: int) -> Block:
    """A block of whole cases, so many at a time."""

    async def whole() -> None:
        case = await side.draft()
        await side.submit(case)
        await side.approve(case)

    async def block() -> Costs:
        side.papers.make(count)
        cost = await together([whole() for _ in range(count)], in_flight)
        await side.settle()
        return {"case": cost}

    return block
