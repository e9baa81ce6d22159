"""`medcab subscribers`: which systems hear of changes of credentials (docs/webhooks.md)."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, TypeVar
from uuid import UUID

import typer

from ops.commands import refusals_told, settings_here

if TYPE_CHECKING:
    from sqlmodel.ext.asyncio.session import AsyncSession

app = typer.Typer(
    no_args_is_help=True, help="Systems that hear of changes of credentials by webhooks."
)

Done = TypeVar("Done")
Id = Annotated[UUID, typer.Argument(help="Its id.")]


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="What people read: the name of the system.")],
    url: Annotated[str, typer.Option(help="Where events are sent: https://…")],
    types: Annotated[
        list[str] | None, typer.Option("--type", help="A type of event; by default all.")
    ] = None,
) -> None:
    """Add a subscriber, and print its id and its secret. The secret is shown this once."""
    from rules.clock import now
    from rules.subscribers import EventType
    from services.subscribers import keeping

    near = settings_here().subscriber_networks
    new = keeping.NewSubscriber(name, url, types or [one.value for one in EventType])
    id_, secret = _run(lambda session: keeping.add(session, new, near, None, now()))
    typer.echo(f"id {id_}\nsecret {secret}")


@app.command("list")
def show() -> None:
    """All subscribers: what waits for each, and what was given up."""
    from services.subscribers import seen

    for one in _run(seen.rows):
        state = "ended" if one.ended_at else "paused" if one.paused_at else "connected"
        failing = f", failing since {one.failing_since:%Y-%m-%d %H:%M}" if one.failing_since else ""
        typer.echo(f"{one.id} {one.name}: {state}{failing}, waiting {one.waiting}, dead {one.dead}")


@app.command()
def rotate(
    subscriber: Id,
    *,
    leaked: Annotated[bool, typer.Option("--leaked", help="The one before ends now.")] = False,
) -> None:
    """Make a new secret, and print it. The one before signs as well for a day."""
    from rules.clock import now
    from services.subscribers import keeping

    secret = _run(lambda session: keeping.rotate(session, subscriber, None, now(), leaked=leaked))
    typer.echo(f"secret {secret}")


@app.command()
def pause(subscriber: Id) -> None:
    """Send nothing until told to go on; events wait."""
    _set_paused(subscriber, paused=True)


@app.command()
def resume(subscriber: Id) -> None:
    """Go on, with what has waited."""
    _set_paused(subscriber, paused=False)


@app.command()
def test(subscriber: Id) -> None:
    """Send an event that says nothing, within moments."""
    from rules.clock import now
    from services.subscribers import keeping

    event = _run(lambda session: keeping.test(session, subscriber, None, now()))
    typer.echo(f"event {event}")


@app.command()
def resend(
    subscriber: Id,
    event: Annotated[UUID | None, typer.Option(help="One event; by default all.")] = None,
) -> None:
    """Send again what was given up."""
    from rules.clock import now
    from services.subscribers import keeping

    count = _run(lambda session: keeping.resend(session, subscriber, event, None, now()))
    typer.echo(f"{count} on their way again")


@app.command()
def end(subscriber: Id) -> None:
    """Disconnect a subscriber for good."""
    from rules.clock import now
    from services.subscribers import keeping

    _run(lambda session: keeping.end(session, subscriber, None, now()))


def _set_paused(subscriber: UUID, *, paused: bool) -> None:
    from rules.clock import now
    from services.subscribers import keeping

    _run(lambda session: keeping.set_paused(session, subscriber, None, now(), paused=paused))


def _run(work: "Callable[[AsyncSession], Awaitable[Done]]") -> Done:
    """Do it in one unit of work; a refusal is told in its words."""
    from clients.database import Database
    from rules.refusals import Refusal

    async def do() -> Done:
        database = Database.from_settings(settings_here())
        try:
            async with database.work() as session:
                return await work(session)
        except Refusal as refusal:
            raise ValueError(refusal.message) from None
        finally:
            await database.close()

    with refusals_told(ValueError):
        return asyncio.run(do())
