"""The commands that prove what Medcab promises, on servers of their own."""

from pathlib import Path
from typing import Annotated

import typer

from ops.commands import end_at_once


def faults(
    cases: Annotated[int, typer.Option(min=1, help="Cases to put through.")] = 200,
    kills: Annotated[int, typer.Option(min=1, help="Faults to cause meanwhile.")] = 50,
    seed: Annotated[int, typer.Option(help="The same seed makes the same faults.")] = 1,
) -> None:
    """Put cases, appointments and results through while servers fail; prove that none is lost."""
    from ops.faults.run import run

    end_at_once(run(cases, kills, seed))


def interleave(
    seeds: Annotated[int, typer.Option(min=1, help="Interleavings of each family.")] = 1000,
    first: Annotated[int, typer.Option(min=0, help="The first seed.")] = 0,
    family: Annotated[str, typer.Option(help="A part of the name of one family.")] = "",
) -> None:
    """Let people act at once on the clinic, statement by statement, and compare what came of it."""
    from ops.interleavings.run import run

    end_at_once(run(seeds, first, family))


def corpus(
    files: Annotated[int, typer.Option(min=1, help="How many files to make at least.")] = 1000,
    seed: Annotated[int, typer.Option(help="The same seed makes the same files.")] = 1,
    folder: Annotated[
        list[Path] | None, typer.Option(help="Inspect the files of a folder or archive instead.")
    ] = None,
    sdist: Annotated[
        list[str] | None,
        typer.Option(help="Inspect the test files of a project's source package, got by pip."),
    ] = None,
) -> None:
    """Make good and bad PDFs and JPEGs, and prove that the inspection tells them apart."""
    if folder or sdist:
        from ops.corpus import found

        end_at_once(found.run(folder or [], sdist or []))
    from ops.corpus.run import run

    end_at_once(run(files, seed))


def bench(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            help="IDLE, COST, P1 to P7, P1R, P2R, P3R, P6R, PEERS, EXPORT, SQL, SCHEDULE."
        ),
    ] = None,
) -> None:
    """Measure what docs promise, against the least program that does the same work."""
    from bench import run

    raise typer.Exit(run(names or []))
