"""`medcab import`: dictionaries and lists that are loaded; a dry run first says what changes."""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from ops.commands import refusals_told, settings_here

if TYPE_CHECKING:
    from rules.records.icd10 import Icd10Change
    from services.patients.importing import PatientPlan
    from settings import Settings

app = typer.Typer(no_args_is_help=True, help="Load a file; without --apply only say what.")

SHOWN = 10
"""How many changes of each kind are named."""


@app.callback()
def _of_several() -> None:
    """Load a file; without --apply only say what would change."""


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


@app.command()
def patients(
    file: Annotated[Path, typer.Argument(help="XLSX or CSV: see docs/patients.md.")],
    by: Annotated[str, typer.Option(help="Mail address of the registrar who answers for it.")],
    apply: Annotated[bool, typer.Option("--apply", help="Do it.")] = False,
) -> None:
    """Patients, with the rights of a registrar. Whoever is known stays as they are."""
    from rules.patients.table import TITLES
    from rules.refusals import Refusal
    from words.translation import catalogue

    said = catalogue("en").gettext
    settings = settings_here(running=True)
    with refusals_told(NotImportedError, OSError):
        try:
            plan = asyncio.run(enter_patients(settings, file.read_bytes(), by, apply=apply))
        except Refusal as refusal:
            raise NotImportedError(said(refusal.message)) from None
    for word, named in (
        ("wrong", [f"{one.line} {said(TITLES[one.column])}: {one.message}" for one in plan.wrong]),
        (
            "known otherwise",
            [
                f"{one.line}: {', '.join(said(TITLES[it]) for it in one.fields)}"
                for one in plan.known
            ],
        ),
    ):
        typer.echo(f"{word}: {len(named)}")
        for line in named[:SHOWN]:
            typer.echo(f"    line {line}")
        if len(named) > SHOWN:
            typer.echo(f"    and {len(named) - SHOWN} more")
    typer.echo(f"there already: {plan.left_alone}\nnew: {len(plan.added)}")
    typer.echo("Done." if apply else "Nothing was changed: add --apply to do this.")


class NotImportedError(RuntimeError):
    """A file was refused; nothing was changed."""


async def enter_patients(
    settings: "Settings", body: bytes, email: str, *, apply: bool
) -> "PatientPlan":
    """What a file would do; with `apply` it is done. Raises Refusal."""
    from clients.database import Database
    from rules.clock import now
    from rules.ids import new_id
    from services import access
    from services.files.inspection.client import Inspection
    from services.patients import importing
    from services.staff.directory import by_address

    database, inspection = Database.from_settings(settings), Inspection()
    try:
        async with database.work() as session:
            person = await by_address(session, email)
            actor = await access.actor_for(session, person.id, now())
        plan = await importing.dry_run(database, inspection, actor, body)
        if apply:
            await importing.apply(database, inspection, actor, body, plan.digest, new_id())
        return plan
    finally:
        await inspection.close()
        await database.close()


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
