"""What a command says in a line, not by a traceback: a wrong setting, a refusal, a server down.

Libraries are imported where they are needed, so that each command starts quickly.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import typer

if TYPE_CHECKING:
    from datetime import datetime

    from settings import Settings


class Commands(typer.Typer):
    """Commands that name the settings which they cannot use, without what these hold."""

    def __call__(self, *args: Any, **options: Any) -> Any:
        try:
            return super().__call__(*args, **options)
        except ValueError as error:
            from pydantic import ValidationError

            from settings import MissingSettingError

            if isinstance(error, MissingSettingError):
                typer.echo(error, err=True)
                sys.exit(1)
            if not isinstance(error, ValidationError) or error.title != "Settings":
                raise
            wrong = error.errors(include_url=False, include_input=False)
        for each in wrong:
            name = str(each["loc"][0])
            variable = f"MEDCAB_{name}".upper() if name.islower() else name
            typer.echo(f"{variable}: {each['msg']}", err=True)
        sys.exit(1)


@contextmanager
def refusals_told(*refusals: type[Exception]) -> Iterator[None]:
    """Say why something was refused, or which server does not answer, and end with exit code 1."""
    from ops.local.reaching import UNREACHED, in_one_line

    try:
        yield
    except refusals as reason:
        told = str(reason)
    except UNREACHED as error:
        told = f"Not done: {in_one_line(error)}"
    else:
        return
    typer.echo(told, err=True)
    raise typer.Exit(1)


def settings_here(*, running: bool = False) -> "Settings":
    """The settings of the running system, or of the environment. `running` demands one."""
    from ops.local.home import Home, default_home
    from ops.local.running import adopt_running
    from settings import get_settings

    found = adopt_running(Home(default_home()))
    if running and not found and "DATABASE_URL" not in os.environ:
        typer.echo("Nothing of Medcab is running here. `make up` starts it.", err=True)
        raise typer.Exit(1)
    return get_settings()


def end_at_once(code: int) -> NoReturn:
    """Exit with this code, without taking the interpreter down.

    That may abort, long after all work was done, on what a Temporal client has left behind, and the
    code would be another one.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def moment_of(text: str | None) -> "datetime | None":
    """A point in time with its zone."""
    from datetime import datetime

    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter("write a time as 2026-11-23T12:00:00+03:00") from error
    if at.tzinfo is None:
        raise typer.BadParameter("add the time zone: 2026-11-23T12:00:00+03:00")
    return at


def phrase_from(file: Path | None) -> str:
    """The recovery phrase: from a file, the environment, or typed."""
    if file is not None:
        try:
            return file.read_text()
        except (OSError, UnicodeDecodeError) as error:
            raise typer.BadParameter(f"the file with the phrase cannot be read: {error}") from error
    given = os.environ.get("MEDCAB_RECOVERY_PHRASE")
    return given or str(typer.prompt("Recovery phrase", hide_input=True))
