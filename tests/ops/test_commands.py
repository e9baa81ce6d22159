"""Commands of `medcab` where nothing of Medcab runs (O3).

One of each sort is a process of its own: it has only its arguments, the environment and the home.
"""

import json
import os
import shutil
import subprocess
import sys
from contextlib import chdir
from pathlib import Path

import pytest

from clients.temporal.replays import KEYS_FILE
from ops.backup.configuration import arrange
from ops.backup.restore.stopped_home import settings_at_rest
from ops.local.home import BACKUP_RECORD, CHECKOUT, RESTORED, Home
from ops.local.system import GIVEN_BY
from ops.upkeep import replay
from tests.ops.backup.test_places import backed_up
from tests.shared.typed import typed

HISTORIES = CHECKOUT / "tests" / "histories"


class Place:
    """A home in which nothing runs, and a folder from which commands are given."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = Home(folder / "home")
        self.environment = {
            key: value
            for key, value in os.environ.items()
            if key not in GIVEN_BY.values() and not key.startswith(("MEDCAB_", "DATABASE_", "S3_"))
        } | {"MEDCAB_HOME": str(self.home.folder), "COLUMNS": "200"}

    def run(self, *arguments: str, code: int, **more: str) -> str:
        """Run a command in the folder; its output, which has no traceback."""
        done = subprocess.run(
            [Path(sys.executable).with_name("medcab"), *arguments],
            cwd=self.folder,
            env=self.environment | more,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        assert "Traceback" not in done.stdout, done.stdout
        assert done.returncode == code, done.stdout
        return done.stdout

    def typed(self, *arguments: str, code: int, **more: str) -> str:
        """Run a command in this process, with as little; its output."""
        with chdir(self.folder):
            ended, told = typed(self.environment | more, *arguments)
        assert ended == code, told
        return told

    def given(self, command: str, *, code: int, alone: str, **more: str) -> str:
        """Run a command as a process if it is the one that is run `alone`, otherwise in this."""
        run = self.run if command == alone else self.typed
        return run(command, code=code, **more)


def _backed_up(place: Place) -> Path:
    """Where a backup of the home is, of its keys alone."""
    where, _ = arrange(place.home, settings_at_rest(place.home), place.folder / "backups")
    backed_up(place.home, where)
    return where.folder


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A home of its own."""
    return Place(tmp_path)


def test_a_history_of_the_installation_is_replayed_with_its_keys(place: Place) -> None:
    """Ops download one from the Temporal UI, where no keys lie beside it (O4)."""
    place.home.make()
    place.home.secrets()
    kept = place.home.folder / "secrets.json"
    told = json.loads(kept.read_text()) | {"keys": (HISTORIES / KEYS_FILE).read_text().strip()}
    kept.write_text(json.dumps(told))
    shutil.copy(HISTORIES / "rejected.json", place.folder)
    assert "Histories: 1, failed: 0" in place.run("replay", "rejected.json", code=0)


def test_the_recorded_histories_are_found_from_any_folder(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They lie in the checkout, not where the command is given: those that `test_replay` replays.

    Here the first of them is enough.
    """
    found: list[Path] = []

    def first(path: Path) -> list[Path]:
        found.extend(sorted(path.glob("*.json")))
        return found[:1]

    monkeypatch.setattr(replay, "_files", first)
    assert "Histories: 1, failed: 0" in place.typed("replay", code=0)
    assert found == sorted(HISTORIES.glob("*.json"))


def test_what_cannot_be_replayed_is_said_without_keys_too(place: Place) -> None:
    """A mistyped path is named, and a folder without histories proves nothing."""
    assert "No such file" in place.typed("replay", "mistyped.json", code=1)
    assert "nothing is proved" in place.typed("replay", str(place.folder), code=1)


def test_backups_go_only_where_something_can_be_written(place: Place) -> None:
    """A folder that cannot be made is named, and not remembered for the next backup (O5)."""
    (place.folder / "file").touch()
    given = {
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing",
        "MEDCAB_BACKUP_KEY": "A" * 43 + "=",
    }
    told = place.typed("backup", "--to", "file", code=1, **given)
    assert f"{place.folder / 'file'} cannot be made" in told
    keys = {"MEDCAB_BACKUP_KEYS_FOLDER": str(place.folder / "file")}
    told = place.typed("backup", "--to", "backups", code=1, **given, **keys)
    assert f"{place.folder / 'file'} cannot be made" in told
    assert not (place.home.folder / BACKUP_RECORD).exists()


def test_a_restore_that_cannot_write_or_read_says_where(place: Place) -> None:
    """A mistyped file of the phrase, a folder that is a file: nothing is done (O5)."""
    (place.folder / "file").touch()
    (place.folder / "backups").mkdir()
    told = place.typed("restore", "backups", "--part", "keys", "--phrase", "mistyped", code=2)
    assert "mistyped" in told
    place.home.make()
    place.home.secrets()
    where = _backed_up(place)
    told = place.typed("restore", str(where), "--into", "file", code=1)
    assert f"Not done: [Errno 17] File exists: '{place.folder / 'file'}'" in told
    assert not (place.home.folder / RESTORED).exists()


def test_a_health_check_of_nothing_we_know_is_not_healthy(place: Place) -> None:
    """A misspelled one would say for ever that all is well (O3)."""
    assert "not one of" in place.typed("healthy", "wroker", code=2)


def test_a_port_is_one_that_exists(place: Place) -> None:
    """The loop would serve at another one, without a word."""
    assert "not in the range" in place.typed("api", "--port", "73536", code=2)


@pytest.mark.parametrize("command", ["migrate", "seed", "verify", "self-check", "demo", "backup"])
def test_a_command_that_needs_the_servers_says_when_they_do_not_run(
    place: Place, command: str
) -> None:
    """Nobody has to read a traceback to see that nothing was started (O3)."""
    told = place.typed(command, code=1)
    assert "Nothing of Medcab is running here" in told


@pytest.mark.parametrize("command", ["migrate", "seed", "verify", "self-check", "demo"])
def test_a_database_that_does_not_answer_is_said_in_one_line(place: Place, command: str) -> None:
    """In a server room its address is given, and it may be down (O3)."""
    given = {"DATABASE_URL": "postgresql://nobody:secret@127.0.0.1:1/nothing"}
    given |= {"MEDCAB_KEYS": f"k1:{'A' * 43}=", "MEDCAB_DEMO": "true"}
    given |= {"S3_SECRET_KEY": "secret"}
    [told] = place.given(command, code=1, alone="migrate", **given).splitlines()
    assert "Not done: " in told
    assert "secret" not in told


@pytest.mark.parametrize("command", ["doctor", "migrate", "worker"])
def test_a_setting_that_cannot_be_used_is_named(place: Place, command: str) -> None:
    """The variable and what is wrong with it, not what it holds, which may be a secret (O3)."""
    given = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing"}
    given |= {"MEDCAB_TIME_ZONE": "nowhere", "MEDCAB_DATABASE_POOL": "secret"}
    told = place.given(command, code=1, alone="worker", **given)
    assert "MEDCAB_TIME_ZONE: Value error, name a zone" in told
    assert "MEDCAB_DATABASE_POOL: Input should be a valid integer" in told
    assert "secret" not in told


def test_an_account_of_the_store_that_is_missing_is_named(place: Place) -> None:
    """A variable left empty, as by a script, is said in one line (O3)."""
    given = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing", "MEDCAB_DEMO": "true"}
    told = place.typed("verify", code=1, S3_SECRET_KEY="", **given)
    assert told.strip().startswith("S3_SECRET_KEY is empty")


@pytest.mark.parametrize("command", ["worker", "api"])
def test_a_process_without_keys_does_not_start(place: Place, command: str) -> None:
    """Where they are to be had from is said in a line (I10)."""
    assert place.given(command, code=1, alone="api").startswith("MEDCAB_KEYS is empty")


def test_nothing_is_reconciled_where_nothing_was_restored(place: Place) -> None:
    """A mistyped home is not made into an empty installation that is all right (O5)."""
    assert "holds no database" in place.typed("reconcile", code=1)
    assert not (place.home.folder / "secrets.json").exists()
