"""`medcab people` and `medcab bootstrap`: accounts, where nobody who may manage them signs in.

Whoever may run commands on the server may do this: it is journaled as done by the command line. The
last who manages people cannot be removed here either.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ops.commands import refusals_told, settings_here

if TYPE_CHECKING:
    from sqlmodel.ext.asyncio.session import AsyncSession

    from models.tables.people import Person
    from services.staff.acts import StaffActs
    from settings import Settings

app = typer.Typer(no_args_is_help=True, help="Accounts of people: invite, lock, dismiss, transfer.")

Email = Annotated[str, typer.Argument(help="The person's mail address.")]
Reason = Annotated[str, typer.Option(help="Why; it is journaled.")]
Act = Callable[["StaffActs", "Person"], Awaitable[Any]]


class NotDoneError(RuntimeError):
    """An act was refused; nothing was changed."""


@app.command()
def invite(email: Email) -> None:
    """Invite somebody without an account: prints the link and mails it; an earlier one ends."""
    settings = settings_here(running=True)
    secret = _done(settings, email, lambda acts, person: acts.invite_here(person.id))
    typer.echo(link(settings, secret))


@app.command()
def lock(email: Email, reason: Reason) -> None:
    """Lock an account: sessions and tokens end at once."""
    _one(email, lambda acts, person: acts.lock(None, _id(), person.id, reason))
    typer.echo("Locked; sessions and tokens have ended.")


@app.command()
def unlock(email: Email, reason: Reason) -> None:
    """Let a person sign in again."""
    _one(email, lambda acts, person: acts.unlock(None, _id(), person.id, reason))
    typer.echo("Unlocked.")


@app.command("end-sessions")
def end_sessions(email: Email, reason: Reason) -> None:
    """End all sessions and access tokens of a person."""
    _one(email, lambda acts, person: acts.end_sessions(None, _id(), person.id, reason))
    typer.echo("All sessions and tokens have ended.")


@app.command()
def leave(
    email: Email,
    reason: Reason,
    last_day: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="The last day at work; without it, at once."),
    ] = None,
) -> None:
    """Dismiss a person: roles, sessions and tokens end, and cases go to others."""
    day = last_day.date() if last_day else None

    def dismiss(acts: "StaffActs", person: "Person") -> Awaitable[datetime]:
        return acts.leave(None, _id(), person.id, reason, day, shown=person.left_at)

    left_at = _one(email, dismiss)
    typer.echo(f"Nothing is open to this person from {left_at:%Y-%m-%d %H:%M} UTC on.")


@app.command()
def stay(email: Email, reason: Reason) -> None:
    """Take back a departure that is still ahead."""
    _one(email, lambda acts, person: acts.stay(None, _id(), person.id, reason))
    typer.echo("The departure is taken back.")


@app.command()
def transfer(
    email: Email,
    reason: Reason,
    to: Annotated[str, typer.Option(help="Code of the new unit.")],
) -> None:
    """Move a person to another unit: roles held on account of the old one end."""
    from services.catalogue.lookup import unit_id

    settings = settings_here(running=True)
    where = _run(settings, lambda session: unit_id(session, to))
    _done(
        settings, email, lambda acts, person: acts.transfer(None, _id(), person.id, where, reason)
    )
    typer.echo("Transferred; roles of the former unit have ended.")


def bootstrap(
    admin_name: Annotated[
        str, typer.Option(prompt="Administrator: surname, given name, patronymic")
    ],
    admin_email: Annotated[str, typer.Option(prompt="Administrator: mail address")],
    security_name: Annotated[
        str, typer.Option(prompt="Information security: surname, given name, patronymic")
    ],
    security_email: Annotated[str, typer.Option(prompt="Information security: mail address")],
) -> None:
    """Start an empty installation: the institution, the catalogue and the first two people.

    Prints a link for each, valid once and for 72 hours, and mails it.
    """
    from ops.data import bootstrap as beginning

    settings = settings_here(running=True)
    first = [
        beginning.administrator(admin_name, admin_email),
        beginning.security(security_name, security_email),
    ]
    with refusals_told(beginning.BootstrapRefusedError):
        invited = beginning.bootstrap(settings, first)
    for one in invited:
        typer.echo(f"{one.name} <{one.email}>\n    {link(settings, one.secret)}")
    typer.echo("Each link is valid once, for 72 hours; it goes by mail too where mail is set up.")


def link(settings: "Settings", secret: str) -> str:
    """The address that an invitation leads to."""
    return f"{settings.public_url.rstrip('/')}/invitation/{secret}"


def _id() -> Any:
    from rules.ids import new_id

    return new_id()


def _one(email: str, act: Act) -> Any:
    return _done(settings_here(running=True), email, act)


def _done(settings: "Settings", email: str, act: Act) -> Any:
    """Do something about the person with this address; a refusal is said in a line."""
    from clients.database import Database
    from services.staff.acts import StaffActs
    from services.staff.directory import by_address

    person = _run(settings, lambda session: by_address(session, email))

    async def do() -> Any:
        database = Database.from_settings(settings)
        try:
            return await act(StaffActs(database), person)
        finally:
            await database.close()

    return _told(do)


def _run(settings: "Settings", read: "Callable[[AsyncSession], Awaitable[Any]]") -> Any:
    from clients.database import Database

    async def do() -> Any:
        database = Database.from_settings(settings)
        try:
            async with database.work() as session:
                return await read(session)
        finally:
            await database.close()

    return _told(do)


def _told(do: Callable[[], Awaitable[Any]]) -> Any:
    """Run it; what the rules refuse is said in English."""
    from rules.refusals import Refusal
    from words.translation import catalogue

    async def whole() -> Any:
        try:
            return await do()
        except Refusal as refusal:
            if refusal.code == "not_found":
                raise NotDoneError("Nobody has this address.") from None
            raise NotDoneError(catalogue("en").gettext(refusal.message)) from None
        except LookupError as error:
            raise NotDoneError(f"Not done: {error}.") from None

    with refusals_told(NotDoneError):
        return asyncio.run(whole())
