"""`medcab keys`: which key of the ring does what, a new one, and the end of an old one."""

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from ops.commands import end_at_once, refusals_told, settings_here

if TYPE_CHECKING:
    from ops.keys.rotation import Installation

app = typer.Typer(no_args_is_help=True, help="Keys that encrypt stored data.")


@app.command()
def status() -> None:
    """Show the keys of the ring, and how much still stands under which."""
    from rich.table import Table

    from ops.keys.use import key_uses
    from ops.local.running import console

    with refusals_told(RuntimeError):
        uses = asyncio.run(key_uses(_place()))
    table = Table("key", "does", "since", "rows", "workflows", "backups", box=None)
    for use in uses:
        since = f"{use.since:%Y-%m-%d %H:%M} UTC" if use.since else ""
        backups = f"{len(use.backups)}"
        table.add_row(use.id, use.does, since, ", ".join(use.rows), str(use.histories), backups)
    console().print(table)
    end_at_once(0)


@app.command()
def rotate(
    go_on: Annotated[
        bool, typer.Option("--go-on", help="Only end a rotation that was begun and cut off.")
    ] = False,
) -> None:
    """Make a new key and bring everything stored under it; may be cut off, and called again."""
    from ops.backup import BackupError
    from services.encrypted_values.rotation import NotAllEncryptedError

    place = _place()
    with (
        refusals_told(NotAllEncryptedError, BackupError),
        place.home.taken("rotating") as mine,
    ):
        if not mine:
            typer.echo("A rotation runs here already.", err=True)
            raise typer.Exit(1)
        done = asyncio.run(place.rotate(go_on=go_on))
    if done is None:
        typer.echo("No rotation was begun.")
        return
    for where in done.unreadable:
        typer.echo(f"{where}: no key opens it; see `medcab verify`", err=True)
    for where in done.unmatched:
        typer.echo(f"{where}: the index of another value; the key before stays for it", err=True)
    typer.echo(f"Done: {done.encrypted} rows encrypted anew, {done.indexed} indexes made anew.")
    raise typer.Exit(int(bool(done.unreadable or done.unmatched)))


@app.command()
def retire(id_: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """Remove a key that nothing needs any more; otherwise say what needs it."""
    from ops.keys.use import key_uses
    from rules.journal.entries import JournalKind

    place = _place()
    with refusals_told(RuntimeError), place.home.taken("rotating") as mine:
        use = next((one for one in asyncio.run(key_uses(place)) if one.id == id_), None)
        if not mine or use is None or use.needed:
            why = use.needed if use else ["no key of the ring has this id"]
            why = why if mine else ["a rotation runs here"]
            typer.echo("Not retired:\n" + "\n".join(f"- {one}" for one in why), err=True)
            end_at_once(1)
        place.write(place.ring().without(id_))
        asyncio.run(place.journal(JournalKind.KEY_RETIRED, id_))
    typer.echo(f"{id_} is retired.")
    end_at_once(0)


def _place() -> "Installation":
    from ops.keys.rotation import Installation
    from ops.local.home import Home

    settings = settings_here(running=True)
    return Installation(Home(settings.home), settings, typer.echo)
