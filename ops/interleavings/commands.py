"""The command `medcab interleave`."""

from typing import Annotated

import typer

from ops.commands import end_at_once


def interleave(
    seeds: Annotated[int, typer.Option(min=1, help="Interleavings of each family.")] = 1000,
    first: Annotated[int, typer.Option(min=0, help="The first seed.")] = 0,
    family: Annotated[str, typer.Option(help="A part of the name of one family.")] = "",
) -> None:
    """Let people act at once on the clinic, statement by statement, and compare what came of it."""
    from ops.interleavings.run import run

    end_at_once(run(seeds, first, family))
