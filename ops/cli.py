"""The `medcab` command. Every command imports what it needs itself, so that each starts quickly."""

import gc
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NoReturn

import typer

from ops import proofs
from ops.commands import Commands, moment_of, phrase_from, refusals_told
from ops.commands import end_at_once as _end_at_once
from ops.commands import settings_here as _settings
from ops.keys import commands as keys
from ops.local.home import RESTORED, Home, default_home
from ops.upkeep import authorities, gov_service_keys, imports, people, subscribers

if TYPE_CHECKING:
    from settings import Settings

app = Commands(
    name="medcab",
    help="Run, check, back up and restore one installation of Medcab.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Workers = Annotated[int, typer.Option("--workers", min=1, help="Processes that run workflows.")]
Apis = Annotated[int, typer.Option("--api", min=1, help="Processes that serve pages and the API.")]
Port = Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")]

app.add_typer(gov_service_keys.app, name="module-keys")
app.add_typer(keys.app, name="keys")
app.add_typer(people.app, name="people")
app.add_typer(authorities.app, name="authorities")
app.add_typer(subscribers.app, name="subscribers")
app.add_typer(imports.app, name="import")
app.command()(people.bootstrap)
for proof in (proofs.faults, proofs.interleave, proofs.corpus, proofs.bench):
    app.command()(proof)


@app.command()
def up(
    workers: Workers = 1,
    api: Apis = 1,
    detach: Annotated[bool, typer.Option("--detach", help="Return when all is ready.")] = False,
) -> None:
    """Start all servers, print the addresses and keep everything running until Ctrl-C."""
    from ops import up as supervisor
    from ops.local.running import console

    start = supervisor.up_detached if detach else supervisor.up
    _end(start(_home(), console(), workers=workers, apis=api))


@app.command()
def down() -> None:
    """Stop what `up` started."""
    from ops import up as supervisor
    from ops.local.running import console

    _end(supervisor.down(_home(), console()))


@app.command()
def status() -> None:
    """Show what runs and where."""
    from ops import up as supervisor
    from ops.local.running import console

    _end(supervisor.status(_home(), console()))


@app.command()
def doctor() -> None:
    """Say what is missing on this machine, and the remedy."""
    from ops import doctor as examination
    from ops.local.running import console

    _end(examination.run(_home(), console()))


@app.command()
def reset(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Remove the local data, keys and logs. There is no way back."""
    from ops import up as supervisor
    from ops.local.running import console

    home = _home()
    if not home.folder.exists():
        typer.echo("There is nothing to remove.")
        return
    if not yes:
        typer.confirm(f"Remove all data, keys and logs in {home.folder}?", abort=True)
    _end(supervisor.reset(home, console()))


@app.command()
def migrate() -> None:
    """Bring database, Temporal namespace and bucket to what this version needs."""
    from ops.upkeep.migrate import NotMigratedError
    from ops.upkeep.migrate import migrate as bring

    settings = _settings(running=True)
    with refusals_told(NotMigratedError):
        bring(settings)


@app.command()
def seed(
    clinic: Annotated[
        int | None,
        typer.Option(
            help="Also a demo clinic: 50 clinicians, 3000 patients, a month of days. "
            "The same number makes the same clinic.",
            min=1,
            max=999,
        ),
    ] = None,
) -> None:
    """Enter the catalogue and the demo accounts; refused where other people have cases."""
    from ops.data.seed import SeedRefusedError
    from ops.data.seed import seed as enter

    settings = _settings(running=True)
    with refusals_told(SeedRefusedError):
        accounts = enter(settings, typer.echo, clinic)
    for account in accounts:
        typer.echo(account)


@app.command()
def worker() -> None:
    """Run workflows and activities until SIGTERM; what was begun is finished first."""
    _refuse_restored()
    with _loading():
        from worker import main

    _refuse_without_keys(_settings())
    main()
    _end_at_once(0)


@app.command()
def api(
    port: Port = 8000,
    host: Annotated[
        str, typer.Option(help="Address to listen on; any but loopback needs a proxy before it.")
    ] = "",
    listening: Annotated[
        int, typer.Option("--socket", help="File descriptor of a socket that listens already.")
    ] = -1,
) -> None:
    """Serve the pages and the API until SIGTERM."""
    _refuse_restored()
    with _loading():
        import uvicorn

        from api.http.protocol import GuardedProtocol
        from clients.serving import RestingServer
        from clients.telemetry.logs import log_in_json
        from crypto.front_door import tls_1_3
        from ops.local.servers.ports import LOOPBACK
        from server import create_app

        log_in_json()
        settings = _settings()
        _refuse_without_keys(settings)
        served = create_app(settings)
    config = uvicorn.Config(
        served,
        host=host or LOOPBACK,
        port=port,
        loop="uvloop",
        http=GuardedProtocol,
        ws="none",
        # Addresses of pages name cases and people: they are in the journal, not in a log.
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies or None,
        timeout_graceful_shutdown=15,
        ssl_certfile=settings.tls_certificate,
        ssl_keyfile=settings.tls_key,
    )
    config.load()
    if config.ssl is not None:
        tls_1_3(config.ssl)
    # When uvicorn has ended, it raises the signal that stopped it again: that is no failure.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    server = RestingServer(config)
    server.run(sockets=[socket.socket(fileno=listening)] if listening >= 0 else None)
    _end_at_once(0 if server.started else 1)


@app.command(hidden=True)
def healthy(
    what: Annotated[Literal["worker", "api", "archiver"], typer.Argument(help="Which process.")],
    port: Port = 8000,
) -> None:
    """Exit code 0 when the process in this container does its work; for health checks."""
    import asyncio

    from ops.local.servers.asking import answers
    from ops.local.servers.medcab import HEALTH_PATH, polls
    from ops.local.servers.ports import LOOPBACK
    from settings import get_settings

    if what == "api":
        _end(int(not answers(f"http://{LOOPBACK}:{port}{HEALTH_PATH}")))
    settings = get_settings()
    if what == "archiver":
        from ops.backup.freshness import keeps_up

        _end(int(not keeps_up(_home(), settings)))
    queue = settings.temporal_address, settings.temporal_namespace, settings.task_queue
    _end_at_once(int(not asyncio.run(polls(*queue))))


@app.command()
def replay(
    path: Annotated[
        Path | None,
        typer.Argument(help="A history, or a folder of them; by default those recorded for tests."),
    ] = None,
) -> None:
    """Replay recorded histories against the workflows as they are now."""
    from ops.upkeep.replay import HISTORIES, run

    _end_at_once(run(path or HISTORIES, _settings_at_rest))


@app.command()
def verify(
    what: Annotated[
        str, typer.Argument(help="`journal`, `receipt` with its file, or `accept`.")
    ] = "journal",
    file: Annotated[
        Path | None, typer.Argument(help="The file of the receipt, PDF or JSON.")
    ] = None,
    here: Annotated[
        bool, typer.Option(help="Compare the receipt with this installation's journal too.")
    ] = False,
    reason: Annotated[str, typer.Option(help="For `accept`: why these entries are accepted.")] = "",
) -> None:
    """Check the journal's chains and checkpoints, or a receipt, which needs no running system.

    `accept` accepts what checkpoints refuse, after people examined it: the institution declares it,
    and information security confirms that. Exit code 3: all holds, but a declaration waits to be
    confirmed.
    """
    from ops.upkeep.verify import run, run_accept, run_receipt

    if what == "journal" and file is None:
        settings = _settings(running=True)
        with refusals_told():
            code = run(settings)
        _end(code)
    if what == "accept" and file is None:
        if not reason.strip():
            raise typer.BadParameter("give the reason with --reason: it is journaled")
        settings = _settings(running=True)
        with refusals_told():
            code = run_accept(settings, reason.strip())
        _end(code)
    if what != "receipt" or file is None:
        raise typer.BadParameter(
            "write `medcab verify`, `medcab verify receipt FILE` or `medcab verify accept`"
        )
    compared = _settings(running=True) if here else None
    with refusals_told():
        code = run_receipt(compared, file)
    _end(code)


@app.command("self-check")
def self_check() -> None:
    """Examine the protective measures, and verify the whole journal."""
    from ops.upkeep.self_check import run

    settings = _settings(running=True)
    with refusals_told():
        code = run(settings)
    _end(code)


@app.command()
def backup(
    to: Annotated[Path | None, typer.Option("--to", help="Folder that the backup goes to.")] = None,
    keep: Annotated[
        int | None,
        typer.Option(
            "--keep", min=0, help="Keep the newest backup of each of so many days; 0: all."
        ),
    ] = None,
    verify: Annotated[
        Path | None,
        typer.Option(
            "--verify", help="Take none; check the backups in this folder, or one of them."
        ),
    ] = None,
    new_phrase: Annotated[
        bool,
        typer.Option("--new-phrase", help="Make a new recovery phrase, for this and later ones."),
    ] = False,
) -> None:
    """Back up database, files, workflows and keys of the running system, encrypted."""
    from ops.backup import commands
    from ops.local.running import console

    if verify is not None:
        _end(commands.check(_settings_at_rest(), console(), verify))
    settings = _settings(running=True)
    _end(commands.back_up(_home(), settings, console(), to, keep, new_phrase=new_phrase))


@app.command()
def restore(
    source: Annotated[Path, typer.Argument(help="The folder of the backups, or one of them.")],
    at: Annotated[
        str | None, typer.Option("--at", help="As of this time, such as 2026-11-23T12:00:00+03:00.")
    ] = None,
    part: Annotated[
        list[str] | None,
        typer.Option("--part", help="Only keys, database, objects or temporal; may be repeated."),
    ] = None,
    keys: Annotated[
        Path | None, typer.Option("--keys", help="Folder of the backed-up keys.")
    ] = None,
    phrase: Annotated[
        Path | None, typer.Option("--phrase", help="A file with the recovery phrase.")
    ] = None,
    into: Annotated[
        Path | None,
        typer.Option(
            "--into", help="Only write the database's files here, for a server run elsewhere."
        ),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="First put aside the data that this home holds.")
    ] = False,
) -> None:
    """Bring back what was lost. Nothing may run here; `medcab reconcile` comes next."""
    from ops.backup import commands
    from ops.backup.restore.restore import Part, RestoreOptions
    from ops.local.running import console

    try:
        parts = [Part(each) for each in part or []]
    except ValueError as error:
        raise typer.BadParameter(f"parts are {', '.join(Part)}") from error
    order = RestoreOptions(source, moment_of(at), parts, keys, replace)
    if into is not None:
        _end(commands.lay_out(_home(), console(), order, into))
    _end(commands.bring_back(_home(), console(), order, lambda: phrase_from(phrase)))


@app.command()
def reconcile(
    deep: Annotated[bool, typer.Option("--deep", help="Read every object too.")] = False,
    accept: Annotated[
        bool, typer.Option("--accept", help="Let people work even if faults are left.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Make database, files, workflows and journal agree; after a restore, before anybody works."""
    from ops.backup import commands
    from ops.local.running import console

    _end_at_once(
        commands.make_right(_home(), console(), deep=deep, accept=accept, for_machines=json)
    )


@app.command(hidden=True)
def archive() -> None:
    """Archive the database's log and take the backups that are due, until SIGTERM."""
    from ops.backup import commands
    from ops.local.running import console

    _end(commands.archive(_home(), _settings(), console()))


@app.command(hidden=True)
def bounce() -> None:
    """Read a delivery report of a mail server from standard input, as its pipe gives it."""
    from ops.upkeep.bounce import run

    _end(run(_settings(), sys.stdin.buffer))


@app.command()
def demo() -> None:
    """Go through cases, requests, notices, the clinic and the archive on the running system."""
    from ops.data.seed import SeedRefusedError
    from ops.demo import run

    settings = _settings(running=True)
    with refusals_told(SeedRefusedError):
        code = run(settings)
    _end(code)


def _home() -> Home:
    return Home(default_home())


def _refuse_restored() -> None:
    """Refuse a restored home: its workers would send notices and give numbers a second time."""
    if (_home().folder / RESTORED).exists():
        typer.echo("This home was restored: `medcab reconcile` comes first.", err=True)
        raise typer.Exit(1)


def _refuse_without_keys(settings: "Settings") -> None:
    """Refuse to start a process that could read nothing of what is stored."""
    from crypto.key_ring import KeyRing

    try:
        KeyRing.installed(settings.keys.get_secret_value(), settings.home)
    except ValueError as reason:
        typer.echo(reason, err=True)
        raise typer.Exit(1) from reason


def _settings_at_rest() -> "Settings":
    """The settings of the running system, or those that it would have if it ran."""
    from ops.backup.restore.stopped_home import settings_at_rest

    return settings_at_rest(_home())


def _end(code: int) -> NoReturn:
    raise typer.Exit(code)


@contextmanager
def _loading() -> Iterator[None]:
    """Import what stays as long as the process, and leave it out of garbage collections."""
    gc.disable()
    yield
    gc.freeze()
    gc.enable()


def main() -> None:
    """Do what the arguments say."""
    app()


if __name__ == "__main__":
    main()
