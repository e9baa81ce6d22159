"""Counts that are shown give away none that are hidden."""

from collections.abc import Sequence
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from rules.credentials.small_cells import SMALLEST, guarded, with_sums

TABLES = st.integers(1, 4).flatmap(
    lambda width: st.lists(
        st.lists(st.sampled_from([0, 0, 1, 2, 4, 7, 9, 30, 200]), min_size=width, max_size=width),
        min_size=1,
        max_size=5,
    )
)


def betrayed(table: Sequence[Sequence[int | None]]) -> list[int]:
    """The hidden cells that the sums determine, by solving the equations of all lines."""
    height, width = len(table), len(table[0])
    hidden = {
        (r, c): n
        for n, (r, c) in enumerate(
            (r, c) for r in range(height) for c in range(width) if table[r][c] is None
        )
    }

    def equation(cells: list[tuple[int, int]]) -> list[Fraction]:
        line = [Fraction(0)] * len(hidden)
        for place, cell in enumerate(cells):
            if cell in hidden:
                line[hidden[cell]] = Fraction(-1 if place == len(cells) - 1 else 1)
        return line

    lines = [equation([(r, c) for c in range(width)]) for r in range(height)]
    lines += [equation([(r, c) for r in range(height)]) for c in range(width)]
    done = 0
    for column in range(len(hidden)):
        pivot = next((n for n in range(done, len(lines)) if lines[n][column]), None)
        if pivot is None:
            continue
        lines[done], lines[pivot] = lines[pivot], lines[done]
        lines[done] = [x / lines[done][column] for x in lines[done]]
        for n, line in enumerate(lines):
            if n != done and line[column]:
                times = line[column]
                lines[n] = [a - times * b for a, b in zip(line, lines[done], strict=True)]
        done += 1
    return [next(n for n, x in enumerate(line) if x) for line in lines if sum(map(bool, line)) == 1]


@given(TABLES)
def test_no_hidden_cell_can_be_computed(table: list[list[int]]) -> None:
    """Whoever knows all the sums that are shown learns no hidden number."""
    whole = with_sums(table)
    shown = guarded(whole)
    for line, seen in zip(whole, shown, strict=True):
        for n, cell in zip(line, seen, strict=True):
            assert cell in (None, n)
            assert cell is None or not 0 < n < SMALLEST
    assert betrayed(shown) == []


def test_a_small_cell_takes_others_with_it() -> None:
    """One small cell hides the least that keeps it: a rectangle of four."""
    shown = guarded(with_sums([[3, 40, 50], [60, 70, 80]]))
    assert shown == [[None, None, 50, 93], [None, None, 80, 210], [63, 110, 130, 303]]
    assert betrayed([[None, 40, 50, 93], [60, 70, 80, 210], [63, 110, 130, 303]]) == [0]


def test_nothing_is_hidden_without_need() -> None:
    """Zeros and large counts stand."""
    assert guarded(with_sums([[0, 12], [9, 0]])) == with_sums([[0, 12], [9, 0]])
