"""`medcab authorities`: who outside may ask for documents of people's qualification (Q5)."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar
from uuid import UUID

import typer

from ops.commands import refusals_told, settings_here

if TYPE_CHECKING:
    from sqlmodel.ext.asyncio.session import AsyncSession

app = typer.Typer(
    no_args_is_help=True, help="Authorities that may ask for documents of qualification."
)

Done = TypeVar("Done")


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="What people read: the name of the authority.")],
    certificate: Annotated[Path, typer.Option(help="Its certificate, PEM: packages go to it.")],
) -> None:
    """Add an authority, and print its id and its secret. The secret is shown this once."""
    from services.handovers import authorities

    with refusals_told(authorities.CertificateError, OSError):
        pem = certificate.read_bytes()
        id_, secret = _run(lambda session: authorities.add(session, name, pem))
    typer.echo(f"id {id_}\nsecret {secret}")


@app.command("list")
def show() -> None:
    """All authorities."""
    from services.handovers import authorities

    with refusals_told():
        found = _run(authorities.every)
    for one in found:
        ended = f", ended {one.ended_at:%Y-%m-%d}" if one.ended_at else ""
        typer.echo(f"{one.id} {one.name}, since {one.added_at:%Y-%m-%d}{ended}")


@app.command()
def end(authority: Annotated[UUID, typer.Argument(help="Its id.")]) -> None:
    """Let an authority ask and fetch nothing any more."""
    from services.handovers import authorities

    with refusals_told():
        ended = _run(lambda session: authorities.end(session, authority))
    if not ended:
        typer.echo("There is no such authority, or it was ended before.", err=True)
        raise typer.Exit(1)


def _run(work: "Callable[[AsyncSession], Awaitable[Done]]") -> Done:
    from clients.database import Database

    async def do() -> Done:
        database = Database.from_settings(settings_here())
        try:
            async with database.work() as session:
                return await work(session)
        finally:
            await database.close()

    return asyncio.run(do())
