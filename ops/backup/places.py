"""Where the backups of a home go, and for whom its keys are encrypted."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from ops.backup import BackupError
from ops.backup.manifest import Repository
from ops.backup.recovery import new_phrase, recipient_of
from ops.backup.sealed import BackupKey
from ops.home import Home, write_private
from settings import Settings

RECORD = "backup.json"


@dataclass(frozen=True)
class Places:
    """The two folders, and the public half of the recovery phrase."""

    folder: Path
    keys_folder: Path
    recipient: str

    @property
    def repository(self) -> Repository:
        """The folder of the backups."""
        return Repository(self.folder)


def key_of(settings: Settings) -> BackupKey:
    """The key that backups are encrypted with. Raises BackupError with the remedy."""
    text = settings.backup_key.get_secret_value()
    if not text:
        raise BackupError("set MEDCAB_BACKUP_KEY: openssl rand -base64 32")
    return BackupKey.parse(text)


def known(home: Home, settings: Settings) -> Places | None:
    """Where backups of this home go; None before the first one."""
    try:
        recorded = json.loads((home.folder / RECORD).read_text())
    except (OSError, ValueError):
        recorded = {}
    folder = settings.backup_folder or recorded.get("folder")
    recipient = settings.backup_recipient or recorded.get("recipient")
    if not folder or not recipient:
        return None
    keys = settings.backup_keys_folder or recorded.get("keys_folder") or _beside(Path(folder))
    return Places(Path(folder), Path(keys), recipient)


def arrange(home: Home, settings: Settings, to: Path | None) -> tuple[Places, str | None]:
    """The places of a backup, remembered for the next ones; with a new phrase when there was none.

    The phrase is known to nobody else: it must be shown. Raises BackupError where the first backup
    of a home does not say its folder: on the data's own disk it would be lost together with it.
    """
    before = known(home, settings)
    phrase = None
    recipient = settings.backup_recipient or (before.recipient if before else _recorded(home))
    if to is None and settings.backup_folder is None and before is None:
        raise BackupError(
            "say where backups go, best on another machine: medcab backup --to FOLDER. It is "
            "remembered for the next ones. Where this home was restored, name the folder it was "
            "restored from"
        )
    if not recipient:
        phrase = new_phrase()
        recipient = recipient_of(phrase)
    folder = to or settings.backup_folder or (before.folder if before else home.folder / "backups")
    folder = folder.resolve()
    keys = settings.backup_keys_folder
    if keys is None:
        same = before is not None and before.folder == folder
        keys = before.keys_folder if before is not None and same else _beside(folder)
    places = Places(folder, keys, recipient)
    home.make()
    told = {name: str(value) for name, value in asdict(places).items()}
    write_private(home.folder / RECORD, told)
    return places, phrase


def _recorded(home: Home) -> str:
    try:
        return str(json.loads((home.folder / RECORD).read_text()).get("recipient", ""))
    except (OSError, ValueError):
        return ""


def _beside(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}-keys")


def keys_beside(where: Path) -> Path:
    """The usual folder of the keys for a repository, or for one backup in it."""
    repository = where.parent if (where / "manifest.json").exists() else where
    return _beside(repository.resolve())
