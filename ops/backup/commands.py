"""What `medcab backup`, `restore`, `reconcile` and `archive` do and print."""

import asyncio
import json
import signal
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from ops.backup import BackupError, configuration
from ops.backup.pruning import prune
from ops.backup.reconcile.reconcile import in_words, reconcile
from ops.backup.restore import postgres, restore
from ops.backup.restore.restore import RestoreOptions
from ops.backup.restore.stopped_home import alone, archives
from ops.backup.schedule import back_up_regularly
from ops.backup.stores.postgres_wal import WalArchiver
from ops.backup.take import Taken, take
from ops.backup.verify import verify
from ops.local.home import Home
from ops.local.progress import Board
from settings import Settings


def back_up(
    home: Home,
    settings: Settings,
    console: Console,
    to: Path | None,
    keep: int | None,
    *,
    new_phrase: bool = False,
) -> int:
    """Take a backup and print where it is.

    0 when it is whole and nothing that belongs to it was missing.
    """
    try:
        where, phrase = configuration.arrange(home, settings, to, new_phrase=new_phrase)
        if phrase is not None:
            _show_phrase(console, phrase)
        with Board(console) as board:
            taken = asyncio.run(take(home, settings, where, board.say, archive=_archives(home)))
            days = settings.backup_keep if keep is None else keep
            if days:
                key = configuration.key_of(settings)
                removed = prune(where.repository, where.keys_folder, key, days)
                board.say("retention", f"ready: {removed.backups} old backups removed")
    except (BackupError, OSError) as error:
        return _refuse(console, error)
    _tell(console, taken)
    return 1 if taken.problems else 0


def _archives(home: Home) -> bool:
    """Whether an archiver runs here, or is just being started by `up`."""
    servers = home.recorded().get("servers", [])
    return archives(home) or any(each["name"] == "archiver" for each in servers)


def _show_phrase(console: Console, phrase: str) -> None:
    console.print(
        "\nThe recovery phrase of this installation, shown this once. Without it, backups cannot be"
        "\nread where the keys of this machine are lost. Write it down and keep it elsewhere:\n"
    )
    console.print(f"    {phrase}\n", markup=False, highlight=False)


def _tell(console: Console, taken: Taken) -> None:
    manifest = taken.backup.manifest
    size = sum(each.size for each in manifest.files) + taken.copied_bytes
    console.print(f"Backup {taken.backup.folder}", markup=False, highlight=False)
    console.print(f"Keys   {taken.keys}", markup=False, highlight=False)
    console.print(
        f"{manifest.objects} objects, {taken.copied} of them new; {size / 1e6:.1f} MB written"
        f" in {taken.seconds:.1f} s, all of it encrypted."
    )
    for problem in taken.problems:
        console.print(f"FAULT  {problem}", markup=False, highlight=False)


def check(settings: Settings, console: Console, where: Path) -> int:
    """Read a backup as a restore would, and print what was tried. 0 when all of it holds."""
    try:
        with Board(console) as board:
            done = verify(where.resolve(), configuration.key_of(settings), board.say)
    except (BackupError, OSError) as error:
        return _refuse(console, error)
    console.print(
        f"Read: {done.backups} backups with {done.files} files, {done.objects} objects, "
        f"{done.segments} log segments."
    )
    for fault in done.faults:
        console.print(f"FAULT  {fault}", markup=False, highlight=False)
    console.print(f"Faults found: {len(done.faults)}" if done.faults else "All of it holds.")
    return 1 if done.faults else 0


def bring_back(
    home: Home, console: Console, order: RestoreOptions, phrase: Callable[[], str]
) -> int:
    """Restore, and print what comes next. 0 when all that was asked for was restored."""
    try:
        with Board(console) as board:
            done = restore.restore(home, order, phrase, board.say)
    except (BackupError, OSError) as error:
        return _refuse(console, error)
    console.print(f"Restored from {done.backup.folder}: {', '.join(done.parts)}", markup=False)
    if done.point is not None:
        console.print(f"The database is as of {done.point:%Y-%m-%d %H:%M:%S} UTC.")
    console.print(f"{done.objects} objects were put back; it took {done.seconds:.1f} s.")
    for name in done.missing:
        console.print(f"FAULT  object {name} cannot be put back", markup=False, highlight=False)
    console.print(
        "Now `medcab reconcile`, then `medcab up`, then a new `medcab backup --to FOLDER`: the same"
        " folder, or another one for a rehearsal."
    )
    return 1 if done.missing else 0


def lay_out(home: Home, console: Console, order: RestoreOptions, folder: Path) -> int:
    """Lay base and log out for a server that is not ours, which replays the log when it starts."""
    try:
        ours = restore.lay_out(home, order, folder)
    except (BackupError, OSError) as error:
        return _refuse(console, error)
    console.print(f"Laid out: {folder / 'data'}, {folder / postgres.LOG_FOLDER}", markup=False)
    console.print("Give both to the server's account and start it on `data`: it replays the log.")
    if ours:
        console.print(
            "This home is marked as restored: `medcab restore … --part objects`, then "
            "`medcab reconcile`, before any worker or API process starts."
        )
    return 0


def make_right(
    home: Home, console: Console, *, deep: bool, accept: bool, for_machines: bool
) -> int:
    """Reconcile and print the findings. 0 only when all is right."""
    quiet = Console(stderr=True) if for_machines else console
    try:
        with Board(quiet) as board:
            findings = reconcile(home, board.say, deep=deep, accept=accept)
    except (BackupError, OSError) as error:
        return _refuse(quiet, error)
    if for_machines:
        print(as_json(findings.told()))
    else:
        for line in in_words(findings):
            console.print(line, markup=False, highlight=False)
    return 0 if findings.good else 1


def archive(home: Home, settings: Settings, console: Console) -> int:
    """Archive the log until SIGTERM, and take the backups that are due."""

    async def keep() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        backups = asyncio.create_task(back_up_regularly(home, settings, stop))
        await WalArchiver(home, settings).run(stop)
        await backups

    try:
        with alone(home):
            asyncio.run(keep())
    except (BackupError, OSError) as error:
        return _refuse(console, error)
    return 0


def _refuse(console: Console, error: Exception) -> int:
    console.print(f"Not done: {error}", markup=False, highlight=False)
    return 1


def as_json(told: object) -> str:
    """A report as one JSON object, for programs."""
    return json.dumps(told, ensure_ascii=False, indent=2, default=str)
