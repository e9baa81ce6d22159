"""An installation on servers of its own, with one backup, to be destroyed and brought back."""

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from crypto.key_ring import KeyRing, use_key_ring
from ops.local.home import Home
from ops.local.servers.postgres import data_folder_aside
from ops.local.system import GIVEN_BY
from tests.ops.backup.installation import Installation


@pytest.fixture(scope="package")
def folder() -> Iterator[Path]:
    """A folder that the account of PostgreSQL may pass through; pytest closes its own to others."""
    made = Path(tempfile.mkdtemp(prefix="medcab-backup-"))
    made.chmod(0o711)
    yield made
    shutil.rmtree(data_folder_aside(Home(made / "home")), ignore_errors=True)
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="package")
async def installation(folder: Path) -> AsyncIterator[Installation]:
    """An installation with one backup, whose log is archived; the files of this folder share it."""
    # Where the run was started from a home of its own, that one is not to be touched.
    monkeypatch = pytest.MonkeyPatch()
    for name in list(os.environ):
        if name in GIVEN_BY.values() or name.startswith(("MEDCAB_", "DATABASE_", "S3_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("MEDCAB_HOME", str(folder / "elsewhere"))
    made = Installation(folder)
    await made.start()
    try:
        await made.work()
        await made.cases()
        await made.back_up()
        await made.archive()
        yield made
    finally:
        with suppress(Exception):
            await made.end()
        assert not (folder / "elsewhere").exists()
        monkeypatch.undo()


@pytest.fixture(scope="module")
def place(installation: Installation) -> Installation:
    """The same, with its own keys: those of the run stood in their place when the file began."""
    use_key_ring(KeyRing.parse(installation.settings.keys.get_secret_value()))
    return installation


@pytest.fixture
def copy(place: Installation, tmp_path: Path) -> Path:
    """A copy of the backups, to be damaged."""
    shutil.copytree(place.backups, tmp_path / "backups")
    return tmp_path / "backups"
