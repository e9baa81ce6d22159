"""`medcab module-keys`: the keys of the line to the gov service, shown and renewed.

Renewing takes three steps, and none of them needs the other side at the same moment: `rotate` makes
a key and prints its certificate for the people of the gov service; once they took it in, `use`
signs with it; what was encrypted for the older key is still opened until `retire`.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from services.gov_service.keys import Keys
    from settings import Settings

app = typer.Typer(no_args_is_help=True, help="Keys for messages to and from the gov service.")


@app.command("list")
def show() -> None:
    """Show our keys and the certificates of the gov service, and until when they are valid."""
    from rich.table import Table

    from ops.local.running import console
    from services.gov_service.key_folder import GovServiceKeysError

    table = Table("whose", "id", "does", "valid until", box=None)
    try:
        for whose, id_, does, until in _ring()[1].described():
            table.add_row(whose, id_, does, f"{until:%Y-%m-%d}")
    except GovServiceKeysError as reason:
        _fail(reason)
    console().print(table)


@app.command()
def rotate(
    file: Annotated[
        Path | None,
        typer.Option(
            help="A key that an authority certified: PKCS#12 (GOST: PEM); else one is made."
        ),
    ] = None,
    password: Annotated[
        str, typer.Option(envvar="MEDCAB_NEW_KEY_PASSWORD", help="Password of that file.")
    ] = "",
) -> None:
    """Take in a new key and print its certificate, which the people of the gov service need."""
    from crypto.certificates import as_pem
    from services.gov_service.key_folder import GovServiceKeysError
    from services.gov_service.keys import gov_service_folder, keys_in

    settings, keys = _ring()
    try:
        if file is not None:
            made = keys.take(file, password)
        else:
            made = keys.add("Личный кабинет", settings.institution)
        first = [key.id for key in keys.key_ring().own] == [made.id]
        if first:
            keys.use(made.id)
    except GovServiceKeysError as reason:
        _fail(reason)
    crypto = settings.module_crypto
    simulated = keys_in(gov_service_folder(settings.home, crypto), crypto)
    if simulated.folder.exists():
        simulated.trust(made.certificate)
        keys.use(made.id)
        typer.echo(f"{made.id} signs from now on; the simulated gov service trusts it.")
        return
    typer.echo(as_pem(made.certificate), nl=False)
    then = "" if first else f", then: medcab module-keys use {made.id}"
    typer.echo(f"Give this to the people of the gov service{then}")


@app.command()
def use(id_: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """Sign with this key from now on; the others still open what was encrypted for them."""
    from services.gov_service.key_folder import GovServiceKeysError

    try:
        _ring()[1].use(id_)
    except GovServiceKeysError as reason:
        _fail(reason)
    typer.echo(f"{id_} signs from now on.")


@app.command()
def retire(
    id_: Annotated[str, typer.Argument(metavar="ID")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Remove a key. What was encrypted for it alone can never be opened again."""
    from services.gov_service.key_folder import GovServiceKeysError

    keys = _ring()[1]
    if not yes:
        typer.confirm(f"Remove {id_} from {keys.folder}?", abort=True)
    try:
        keys.retire(id_)
    except GovServiceKeysError as reason:
        _fail(reason)
    typer.echo(f"{id_} is removed.")


@app.command()
def trust(
    file: Annotated[Path, typer.Argument(help="A certificate of the gov service, PEM.")],
) -> None:
    """Take in a certificate of the gov service: answers may be signed by it, requests go to it."""
    from crypto.certificates import from_pem
    from services.gov_service.key_folder import GovServiceKeysError

    try:
        certificate = from_pem(file.read_bytes())
    except (OSError, ValueError) as reason:
        _fail(f"{file} cannot be read as a certificate: {reason}")
    try:
        _ring()[1].trust(certificate)
    except (ValueError, GovServiceKeysError) as reason:
        _fail(reason)
    typer.echo(f"Trusted until {certificate.not_valid_after_utc:%Y-%m-%d}.")


@app.command()
def distrust(
    begins: Annotated[str, typer.Argument(help="How its id begins, as `list` shows it.")],
) -> None:
    """Forget a certificate of the gov service at once."""
    found = _ring()[1].distrust(begins)
    if not found:
        _fail(f"no certificate of the gov service has an id that begins with {begins}")
    typer.echo(f"{found} is no longer trusted.")


def _ring() -> "tuple[Settings, Keys]":
    from ops.local.home import Home, default_home
    from ops.local.running import adopt_running
    from services.gov_service.key_folder import GovServiceKeysError
    from services.gov_service.keys import keys_of
    from settings import Settings

    home = default_home()
    adopt_running(Home(home))
    settings = Settings(home=home)
    try:
        return settings, keys_of(settings)
    except GovServiceKeysError as reason:
        _fail(reason)


def _fail(reason: object) -> NoReturn:
    typer.echo(str(reason), err=True)
    raise typer.Exit(1)
