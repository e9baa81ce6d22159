"""Where the backups of a home go, and for whom its keys are encrypted."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from crypto import recovery_phrase
from crypto.backup_files import BackupKey
from ops.backup import BackupError
from ops.backup.keys import recipient_in, recipient_of
from ops.backup.repository.manifest import Repository
from ops.local.home import BACKUP_RECORD, Home, write_private
from settings import Settings

_PAUSED = "paused"


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
    return read_key(text)


def read_key(text: str) -> BackupKey:
    """The key as settings hold it. Raises BackupError with the remedy."""
    try:
        return BackupKey.parse(text)
    except ValueError as error:
        raise BackupError(str(error)) from None


def known(home: Home, settings: Settings) -> Places | None:
    """Where backups of this home go; None before the first one, also the first after a restore."""
    recorded = _recorded(home)
    return _places({} if recorded.get(_PAUSED) else recorded, settings)


def _places(recorded: Mapping[str, Any], settings: Settings) -> Places | None:
    folder = settings.backup_folder or recorded.get("folder")
    recipient = settings.backup_recipient or recorded.get("recipient")
    if not folder or not recipient:
        return None
    keys = settings.backup_keys_folder or recorded.get("keys_folder") or _beside(Path(folder))
    return Places(Path(folder), Path(keys), recipient)


def arrange(
    home: Home, settings: Settings, to: Path | None, *, new_phrase: bool = False
) -> tuple[Places, str | None]:
    """The places of a backup, stored for the next ones; with a new phrase when there was none.

    The phrase is stored nowhere: it must be shown. Raises BackupError where the first backup of a
    home does not name its folder: on the data's own disk it would be lost together with the data,
    and after a restore this may be a rehearsal, whose backups belong elsewhere. Raises it too for a
    folder whose backups were made with another key, or, unless that was asked for, for another
    phrase; for one in the home itself; and for one that cannot be written.
    """
    recorded = _recorded(home)
    before = _places(recorded, settings)
    if to is None and before is not None and known(home, settings) is None:
        raise BackupError(
            f"this home was restored from the backups in {before.folder}. Where it takes the place "
            f"of the installation from now on: medcab backup --to {before.folder}. Where it is a "
            "rehearsal, name another folder"
        )
    recipient = settings.backup_recipient or recorded.get("recipient", "")
    wanted = to or settings.backup_folder or (before.folder if before else None)
    if wanted is None:
        raise BackupError(
            "say where backups go, best on another machine: medcab backup --to FOLDER. It is "
            "remembered for the next ones. Where this home was restored, name the folder it was "
            "restored from"
        )
    if new_phrase and settings.backup_recipient:
        raise BackupError(
            "MEDCAB_BACKUP_RECIPIENT says for which phrase keys are encrypted: unset it first"
        )
    folder = wanted.resolve()
    same = recorded.get("folder") == str(folder)
    keys = settings.backup_keys_folder or (recorded.get("keys_folder") if same else None)
    places = Places(folder, Path(keys or _beside(folder)), recipient)
    if not same:
        _refuse_inside(home, places)
        _refuse_others(places, settings, given=new_phrase or bool(settings.backup_recipient))
    _refuse_unwritable(places)
    phrase = None
    if new_phrase or not recipient:
        phrase = recovery_phrase.new_phrase()
        places = replace(places, recipient=recipient_of(phrase))
    home.make()
    _record(home, places)
    return places, phrase


def _refuse_others(places: Places, settings: Settings, *, given: bool) -> None:
    """Raise BackupError for a folder new to this home whose backups its key or phrase does not
    open.

    With `given` somebody chose the phrase, so only the key is compared.
    """
    newest = places.repository.newest()
    if newest is not None and newest.manifest.key_id != key_of(settings).id.hex():
        raise BackupError(
            f"{places.folder} holds backups that were made with another key. To go on with them, "
            f"restore them first: medcab restore {places.folder}. To begin anew, name an empty "
            "folder"
        )
    if given:
        return
    theirs = recipient_in(places.keys_folder)
    if theirs not in ("", places.recipient) or (newest is not None and not places.recipient):
        raise BackupError(
            f"{places.folder} holds backups that another recovery phrase opens. To go on with that "
            f"phrase: medcab restore {places.folder} --part keys, which asks for it. To have a new "
            f"one from now on: medcab backup --to {places.folder} --new-phrase"
        )


def _refuse_inside(home: Home, places: Places) -> None:
    """Raise BackupError for a folder in the home itself, with which it would be lost or reset."""
    for folder in (places.folder, places.keys_folder):
        if folder.resolve().is_relative_to(home.folder):
            raise BackupError(
                f"{folder} is a part of what is backed up, and would be lost with it: name a "
                "folder elsewhere, best on another machine"
            )


def _refuse_unwritable(places: Places) -> None:
    """Make both folders. Raises BackupError for one in which nothing can be written."""
    for folder in (places.folder, places.keys_folder):
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise BackupError(f"{folder} cannot be made: {error.strerror}") from error
        if not os.access(folder, os.W_OK | os.X_OK):
            raise BackupError(f"{folder} cannot be written by this account")


def remember(home: Home, folder: Path, keys_folder: Path) -> None:
    """After keys were restored: let the next backup go there, for the same recovery phrase.

    A home that knows this phrase keeps its places. Until somebody takes that backup the archiver is
    paused: this may be a rehearsal, while the installation itself still archives there.
    """
    places = Places(folder.resolve(), keys_folder.resolve(), recipient_in(keys_folder))
    if _recorded(home).get("recipient") != places.recipient:
        _record(home, places, paused=True)


def _record(home: Home, places: Places, *, paused: bool = False) -> None:
    told: dict[str, Any] = {name: str(value) for name, value in asdict(places).items()}
    write_private(home.folder / BACKUP_RECORD, told | ({_PAUSED: True} if paused else {}))


def _recorded(home: Home) -> dict[str, Any]:
    try:
        recorded: dict[str, Any] = json.loads((home.folder / BACKUP_RECORD).read_text())
    except (OSError, ValueError):
        return {}
    return recorded


def _beside(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}-keys")


def keys_beside(where: Path) -> Path:
    """The usual folder of the keys for a repository, or for one backup in it."""
    repository = where.parent if (where / "manifest.json").exists() else where
    return _beside(repository.resolve())
