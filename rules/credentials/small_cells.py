"""Tables of counts that give nobody away: small cells are hidden, and what would betray them.

A count below `SMALLEST` could point at a person. It cannot be hidden alone: whoever knows the sums
subtracts. A hidden cell can be computed exactly if it is the only link between two parts of the
table; so further cells are hidden until there is no such link. (A table with its sums is a graph of
lines and columns; the hidden cells are its edges, and a cell that can be computed is a bridge.)
"""

from collections.abc import Mapping, Sequence

SMALLEST = 5

Cell = tuple[int, int]


def with_sums(table: Sequence[Sequence[int]]) -> list[list[int]]:
    """The table with a sum at the end of each line, and a line of sums at the end."""
    lines = [[*line, sum(line)] for line in table]
    return [*lines, [sum(column) for column in zip(*lines, strict=True)]]


def guarded(table: Sequence[Sequence[int]]) -> list[list[int | None]]:
    """A table with its sums, as `with_sums` makes it, without what has to be hidden."""
    cells = {(r, c): n for r, line in enumerate(table) for c, n in enumerate(line)}
    hidden = {cell for cell, n in cells.items() if 0 < n < SMALLEST}
    while (bridge := _bridge(hidden)) and (more := _next(bridge, cells, hidden)):
        hidden.add(more)
    return [
        [None if (r, c) in hidden else n for c, n in enumerate(line)]
        for r, line in enumerate(table)
    ]


def _bridge(hidden: set[Cell]) -> Cell | None:
    """A hidden cell that the sums betray."""
    return next((cell for cell in sorted(hidden) if not _linked(cell, hidden - {cell})), None)


def _linked(cell: Cell, others: set[Cell]) -> bool:
    """Whether the line and the column of a cell are linked by other hidden cells."""
    lines, columns = {cell[0]}, set[int]()
    while True:
        more_columns = {c for r, c in others if r in lines} - columns
        columns |= more_columns
        more_lines = {r for r, c in others if c in columns} - lines
        lines |= more_lines
        if cell[1] in columns:
            return True
        if not more_columns and not more_lines:
            return False


def _next(bridge: Cell, cells: Mapping[Cell, int], hidden: set[Cell]) -> Cell | None:
    """The shown cell that is hidden next: one that makes another way round the bridge, if small.

    It lies in the line or the column of the bridge, where that has no other hidden cell. Cells that
    cross hidden ones come first, since they close a circle; zeros come last.
    """
    line, column = bridge
    alone = sum(r == line for r, _ in hidden) == 1, sum(c == column for _, c in hidden) == 1

    def rank(cell: Cell) -> tuple[bool, bool, bool, int, Cell]:
        beside = cell[0] == line, cell[1] == column
        crossing = any(cell[1] == c if beside[0] else cell[0] == r for r, c in hidden)
        fits = (alone[0] and beside[0]) or (alone[1] and beside[1])
        return not fits, not crossing, cells[cell] == 0, cells[cell], cell

    return min((cell for cell in cells if cell not in hidden), key=rank, default=None)
