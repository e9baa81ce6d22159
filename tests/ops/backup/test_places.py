"""A backup goes on with the recovery phrase and key of its folder, or says why not (O5, I10)."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
from sqlmodel import SQLModel

from activities.files import FOLDERS
from ops.backup import BackupError, WrongKeyError
from ops.backup.configuration import Places, arrange, key_of, known
from ops.backup.keys import back_up_keys, open_keys, recipient_in, recipient_of
from ops.backup.repository.manifest import Backup, Manifest
from ops.backup.restore.restore import Part, RestoreOptions, restore
from ops.backup.restore.stopped_home import settings_at_rest
from ops.backup.stores.objects import key_columns
from ops.local.home import BACKUP_RECORD, Home
from rules.clock import now

ID = "20261123T121700Z"


def made(folder: Path, name: str = "home") -> Home:
    """A home with keys of its own."""
    home = Home(folder / name)
    home.make()
    home.secrets()
    return home


def backed_up(home: Home, where: Places, id_: str = ID) -> None:
    """There is a backup, of keys alone."""
    settings, moment = settings_at_rest(home), now()
    key = key_of(settings)
    backup = Backup(
        where.folder / id_,
        Manifest(
            id=id_,
            begun_at=moment,
            ended_at=moment,
            medcab="",
            tables="",
            key_id=key.id.hex(),
            objects=0,
            object_bytes=0,
            last_number=0,
            files=(),
        ),
    )
    backup.folder.mkdir(parents=True)
    backup.write(key)
    back_up_keys(where.keys_folder, id_, where.recipient, home, settings)


@pytest.fixture(autouse=True)
def nothing_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """No installation of the environment is touched."""
    for name in list(os.environ):
        if name.startswith(("MEDCAB_", "DATABASE_", "S3_")):
            monkeypatch.delenv(name)


@pytest.fixture
def backups(tmp_path: Path) -> tuple[Home, Places, str]:
    """A home, where its backups are, and the phrase."""
    home = made(tmp_path)
    where, phrase = arrange(home, settings_at_rest(home), tmp_path / "backups")
    assert phrase is not None
    backed_up(home, where)
    return home, where, phrase


def test_another_installation_does_not_mix_with_old_backups(
    backups: tuple[Home, Places, str], tmp_path: Path
) -> None:
    """Begun anew after a total loss: it says so, and leaves folder and home as they were."""
    _, where, _ = backups
    anew = made(tmp_path, "anew")
    for new_phrase in (False, True):
        with pytest.raises(BackupError, match=r"another key.*medcab restore .*empty folder"):
            arrange(anew, settings_at_rest(anew), where.folder, new_phrase=new_phrase)
    assert not (anew.folder / BACKUP_RECORD).exists()
    assert recipient_in(where.keys_folder) == where.recipient


def test_a_new_phrase_is_made_only_when_it_is_asked_for(
    backups: tuple[Home, Places, str], tmp_path: Path
) -> None:
    """The keys survived, what the home knew of its backups did not."""
    home, where, phrase = backups
    settings = settings_at_rest(home)
    (home.folder / BACKUP_RECORD).unlink()
    with pytest.raises(BackupError, match=r"another recovery phrase.*--part keys.*--new-phrase"):
        arrange(home, settings, where.folder)
    arranged, newer = arrange(home, settings, where.folder, new_phrase=True)
    assert newer is not None
    assert replace(arranged, recipient=where.recipient) == where
    backed_up(home, arranged, "20261124T121700Z")
    assert open_keys(where.keys_folder, newer)
    with pytest.raises(WrongKeyError):
        open_keys(where.keys_folder, phrase)
    # From now on it is this one, without asking.
    assert arrange(home, settings, None) == (arranged, None)
    # Another folder is begun for the same phrase.
    other, none = arrange(home, settings, tmp_path / "other")
    assert (other.recipient, none) == (arranged.recipient, None)


def test_a_phrase_given_by_the_environment_counts(
    backups: tuple[Home, Places, str],
) -> None:
    """It is taken without asking, and no other one is made: the next backup would not know it."""
    home, where, _ = backups
    (home.folder / BACKUP_RECORD).unlink()
    given = {"backup_recipient": recipient_of("-".join(["AAAA"] * 8))}
    settings = settings_at_rest(home).model_copy(update=given)
    with pytest.raises(BackupError, match="MEDCAB_BACKUP_RECIPIENT"):
        arrange(home, settings, where.folder, new_phrase=True)
    arranged, none = arrange(home, settings, where.folder)
    assert (arranged.recipient, none) == (given["backup_recipient"], None)


def test_after_a_restore_backups_go_on_as_before(
    backups: tuple[Home, Places, str], tmp_path: Path
) -> None:
    """Folder, folder of the keys and phrase are known; nothing is archived there until a person
    takes a backup and names the folder, as this may be a rehearsal beside the home of before."""
    _, where, phrase = backups
    elsewhere = tmp_path / "safe"
    where.keys_folder.rename(elsewhere)
    home = Home(tmp_path / "restored")
    order = RestoreOptions(where.folder, None, [Part.KEYS], elsewhere)
    restore(home, order, lambda: phrase, lambda name, text: None)
    settings = settings_at_rest(home)
    assert known(home, settings) is None
    expected = replace(where, keys_folder=elsewhere)
    with pytest.raises(BackupError, match=f"--to {where.folder}.*rehearsal, name another folder"):
        arrange(home, settings, None)
    assert known(home, settings) is None
    assert arrange(home, settings, where.folder) == (expected, None)
    assert known(home, settings) == expected
    assert arrange(home, settings, None) == (expected, None)


def test_a_home_that_knows_its_backups_keeps_them(
    backups: tuple[Home, Places, str], tmp_path: Path
) -> None:
    """Keys restored from a copy of the backups: the archiver and the next backup stay where they
    were."""
    home, where, phrase = backups
    copy = where.folder.rename(tmp_path / "copy")
    (home.folder / "secrets.json").unlink()
    order = RestoreOptions(copy, None, [Part.KEYS], where.keys_folder)
    restore(home, order, lambda: phrase, lambda name, text: None)
    assert known(home, settings_at_rest(home)) == where


def test_every_column_that_names_objects_is_backed_up() -> None:
    """What the nightly sweep keeps because a row names it, a backup keeps too (O5)."""
    backed = {(each.key.table.name, each.key.name) for each in key_columns()}
    swept = {(one.table.name, one.key) for columns in FOLDERS.values() for one in columns}
    assert swept <= backed
    others = {("programme", "sort_key"), ("notice", "event_key"), ("passkey", "public_key")}
    named = {
        (table.name, column.name)
        for table in SQLModel.metadata.sorted_tables
        for column in table.c
        if column.name.endswith("_key")
    }
    assert named - backed == others
