"""How two programs are compared: short blocks in the order ABBA, ratios, and what may be concluded.

The cost of a block is in seconds for one unit (a request, a case, a byte). A block of both programs
is measured twice in the order A B B A, so that a machine that slows down in between favours
neither; each four of blocks gives one ratio. The first fours only warm up and are dropped. The
result is the median of the ratios with its 95 % bootstrap interval, and a bar holds only when the
worse end of the interval keeps it. Before that, the second program is compared with itself: when
that interval leaves 0.95–1.05, the machine was too restless and the run is void.
"""

import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from statistics import median

Costs = Mapping[str, float]
Block = Callable[[], Awaitable[Costs]]

CONTROL = (0.95, 1.05)
RESAMPLES = 4000


class BarVerdict(StrEnum):
    """Whether a figure keeps its bar; void when the machine was too restless to tell.

    A figure without a bar is only told.
    """

    HOLDS = "holds"
    MISSES = "MISSES"
    VOID = "VOID"
    TOLD = "told"


class Comparison(StrEnum):
    """Whether a bar is an upper or a lower limit for its figure."""

    AT_MOST = "≤"
    AT_LEAST = "≥"


@dataclass(frozen=True)
class Interval:
    """The median of some ratios with its 95 % bootstrap interval."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, ratios: Sequence[float]) -> "Interval":
        """The interval of at least one ratio.

        The resampling has a fixed seed, so it can be repeated.
        """
        dice = random.Random(20)  # noqa: S311 - repeatable, nothing secret
        medians = sorted(median(dice.choices(ratios, k=len(ratios))) for _ in range(RESAMPLES))
        cut = RESAMPLES // 40
        return cls(median(ratios), medians[cut], medians[-cut - 1])

    def within(self, low: float, high: float) -> bool:
        """Whether all of it lies between the two."""
        return low <= self.low and self.high <= high

    def __str__(self) -> str:
        return f"{self.median:.3f} [{self.low:.3f}–{self.high:.3f}]"


@dataclass(frozen=True)
class Figure:
    """One measured promise. `tried` counts the units; costs are medians in seconds for one unit."""

    name: str
    what: str
    bound: Comparison
    bar: float | None
    ratio: Interval
    control: Interval | None
    tried: int
    ours: float
    least: float
    unit: str = "s"
    notes: Mapping[str, str] = field(default_factory=dict)

    @property
    def verdict(self) -> BarVerdict:
        """Void unless the control held.

        The bar holds when the worse end of the interval keeps it.
        """
        if self.control is not None and not self.control.within(*CONTROL):
            return BarVerdict.VOID
        if self.bar is None:
            return BarVerdict.TOLD if self.tried else BarVerdict.MISSES
        if self.bound is Comparison.AT_MOST:
            good = self.ratio.high <= self.bar
        else:
            good = self.ratio.low >= self.bar
        return BarVerdict.HOLDS if good and self.tried else BarVerdict.MISSES


@dataclass(frozen=True)
class Series:
    """How long a comparison lasts, in fours of blocks, warming up included."""

    fours: int
    warm_up: int = 2

    def scaled(self, by: float) -> "Series":
        """A shorter or longer series, with at least three counted fours."""
        return Series(max(self.warm_up + 3, round(self.fours * by)), self.warm_up)


@dataclass
class Compared:
    """The counted blocks of one comparison, by cost."""

    ratios: dict[str, list[float]] = field(default_factory=dict)
    ours: dict[str, list[float]] = field(default_factory=dict)
    least: dict[str, list[float]] = field(default_factory=dict)


async def compare(ours: Block, least: Block, series: Series) -> Compared:
    """Run the fours one after another. Ratios are those of `ours` to `least`."""
    found = Compared()
    for number in range(series.fours):
        costs = [await block() for block in (ours, least, least, ours)]
        if number < series.warm_up:
            continue
        for name in costs[0]:
            a, b = costs[0][name] + costs[3][name], costs[1][name] + costs[2][name]
            found.ratios.setdefault(name, []).append(a / b)
            found.ours.setdefault(name, []).append(a / 2)
            found.least.setdefault(name, []).append(b / 2)
    return found


@dataclass(frozen=True)
class Promise:
    """The bar promised for one cost of a comparison.

    A lower limit (`AT_LEAST`) is put on the inverse of the ratio of costs, as for requests in a
    second.
    """

    cost: str
    name: str
    what: str
    bound: Comparison
    bar: float | None


async def judge(
    promises: Sequence[Promise],
    ours: Block,
    least: Block,
    series: Series,
    units: int,
    notes: Mapping[str, str] | None = None,
) -> list[Figure]:
    """Run the control, then the comparison. `units` are tried in one block."""
    control = await compare(least, least, series)
    found = await compare(ours, least, series)
    counted = (series.fours - series.warm_up) * 2 * units

    def oriented(ratios: Sequence[float], bound: Comparison) -> Interval:
        return Interval.of([1 / one if bound is Comparison.AT_LEAST else one for one in ratios])

    return [
        Figure(
            name=one.name,
            what=one.what,
            bound=one.bound,
            bar=one.bar,
            ratio=oriented(found.ratios[one.cost], one.bound),
            control=Interval.of(control.ratios[one.cost]),
            tried=counted,
            ours=median(found.ours[one.cost]),
            least=median(found.least[one.cost]),
            notes=notes or {},
        )
        for one in promises
    ]
