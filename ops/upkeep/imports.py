"""`medcab import`: dictionaries that an institution loads; a dry run first says what changes."""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from ops.commands import refusals_told, settings_here

if TYPE_CHECKING:
    from rules.records.icd10 import Icd10Change
    from settings import Settings

app = typer.Typer(no_args_is_help=True, help="Load a dictionary; without --apply only say what.")

SHOWN = 10
"""How many changes of each kind are named."""


@app.callback()
def _of_several() -> None:
    """Load a dictionary; without --apply only say what would change."""


@app.command()
def icd10(
    file: Annotated[Path, typer.Argument(help="CSV or JSON with MKB_CODE and MKB_NAME.")],
    edition: Annotated[str, typer.Option(help="How its publisher numbers it, such as 2.27.")],
    since: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="From this day on.")
    ] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Do it.")] = False,
) -> None:
    """МКБ-10. Codes that the file leaves out or names otherwise are closed, never deleted."""
    from rules.records.icd10 import Icd10FileError

    if not 0 < len(edition.strip()) <= 60:
        raise typer.BadParameter("an edition has a short name")
    with refusals_told(Icd10FileError, OSError):
        body = file.read_bytes()
        made = asyncio.run(bring_in(settings_here(), body, edition.strip(), since, apply=apply))
    for word, named in (
        ("new", [f"{code} {name}" for code, name in made.added]),
        ("other name", [f"{code} {name}" for code, name in made.renamed]),
        ("closed", list(made.closed)),
    ):
        typer.echo(f"{word}: {len(named)}")
        for line in named[:SHOWN]:
            typer.echo(f"    {line}")
        if len(named) > SHOWN:
            typer.echo(f"    and {len(named) - SHOWN} more")
    if made.passed_over:
        typer.echo(f"lines without a code, such as blocks: {made.passed_over}")
    typer.echo("Done." if apply else "Nothing was changed: add --apply to do this.")


async def bring_in(
    settings: "Settings", body: bytes, edition: str, since: datetime | None, *, apply: bool
) -> "Icd10Change":
    """What a file changes in the dictionary; with `apply` it is done. Raises Icd10FileError."""
    from clients.database import Database
    from rules.clock import now
    from services.records import icd10 as dictionary

    day = since.date() if since else now().astimezone(ZoneInfo(settings.time_zone)).date()
    database = Database.from_settings(settings)
    try:
        async with database.work() as session:
            if apply:
                return await dictionary.carry_out(session, body, edition, day)
            return await dictionary.plan(session, body)
    finally:
        await database.close()
