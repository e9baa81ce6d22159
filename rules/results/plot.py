"""Values over time as a figure: where each lies, the band of what is normal, ticks at both axes.

The figure is in units of a fixed field; the page scales it. It says nothing that the table beside
it does not say.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from rules.results.values import Bounds, Urgency

WIDTH, HEIGHT = 640, 220
LEFT, RIGHT, TOP, BOTTOM = 56, 16, 16, 32
"""Room for the words at the axes."""
TICKS = 4
_MEANT = range(-12, 13)
"""No laboratory means a number of another power of ten: it stands in the table alone."""


@dataclass(frozen=True)
class PlotPoint:
    """One value: where it lies, and what it is."""

    x: float
    y: float
    at: datetime
    value: Decimal
    urgency: Urgency


@dataclass(frozen=True)
class Plot:
    """The figure. `band` is where values are normal, from top to foot; None where nobody says."""

    points: Sequence[PlotPoint]
    band: tuple[float, float] | None
    ticks: Sequence[tuple[float, str]]
    """On the vertical axis: where, and the number."""

    @property
    def line(self) -> str:
        """The points as SVG has them in a polyline."""
        return " ".join(f"{one.x},{one.y}" for one in self.points)


def plot_of(
    values: Sequence[tuple[datetime, Decimal, Urgency]], reference: Bounds | None
) -> Plot | None:
    """The figure of these values, the oldest first; None where there are fewer than two."""
    values = [one for one in values if _is_meant(one[1])]
    if len(values) < 2:
        return None
    normal = reference or Bounds()
    low_end, high_end = (
        one if one is not None and _is_meant(one) else None for one in (normal.low, normal.high)
    )
    bounds = [one for one in (low_end, high_end) if one is not None]
    numbers = [value for _, value, _ in values] + bounds
    low, high = min(numbers), max(numbers)
    room = (high - low) / 10 or abs(high) / 10 or Decimal(1)
    low, high = low - room, high + room

    def y(value: Decimal) -> float:
        share = float((value - low) / (high - low))
        return round(HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM), 1)

    first, last = values[0][0].timestamp(), values[-1][0].timestamp()

    def x(at: datetime, n: int) -> float:
        share = (at.timestamp() - first) / (last - first) if last > first else n / (len(values) - 1)
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)

    band = None
    if bounds:
        top = y(high_end) if high_end is not None else float(TOP)
        foot = y(low_end) if low_end is not None else float(HEIGHT - BOTTOM)
        band = (top, foot)
    step = (high - low) / TICKS
    ticks = [low + step * n for n in range(TICKS + 1)]
    return Plot(
        [PlotPoint(x(at, n), y(v), at, v, u) for n, (at, v, u) in enumerate(values)],
        band,
        [(y(one), _written(one, step)) for one in ticks],
    )


def _is_meant(number: Decimal) -> bool:
    return not number or number.adjusted() in _MEANT


def _written(number: Decimal, step: Decimal) -> str:
    """A number at the axis, with as many digits as the steps need, and a comma."""
    digits = max(0, 1 - step.adjusted())
    return f"{number:.{min(digits, 6)}f}".replace(".", ",")
