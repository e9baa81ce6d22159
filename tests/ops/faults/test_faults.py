"""Faults, shortly: nothing is lost while servers die, and a part broken on purpose is found."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from ops.faults.checks import CHECKS
from ops.local.home import CHECKOUT, Home, write_private
from ops.local.servers.forking import NOT_FOR_IT
from ops.local.servers.postgres import data_folder_aside
from services import crash_points
from services.crash_points import CrashPoint
from settings import Settings
from tests.ops.faults.faulty import GIVEN
from tests.shared.servers import Servers

pytestmark = pytest.mark.installation

PATIENCE = 600.0
SHARED = (
    "TEMPORAL_ADDRESS",
    "S3_ENDPOINT",
    "S3_ACCESS_KEY",
    "S3_SECRET_KEY",
    "S3_OWNER_ACCESS_KEY",
    "S3_OWNER_SECRET_KEY",
)


@contextmanager
def folder() -> Iterator[Path]:
    """A folder that the account of PostgreSQL may pass through; pytest closes its own to others."""
    made = Path(tempfile.mkdtemp(prefix="medcab-faults-"))
    made.chmod(0o711)
    try:
        yield made
    finally:
        shutil.rmtree(data_folder_aside(Home(made / "run")), ignore_errors=True)
        shutil.rmtree(made, ignore_errors=True)


@contextmanager
def folder_with_others(servers: Servers) -> Iterator[Path]:
    """Servers of the test run for what is not broken, with database, bucket and namespace apart."""
    name = f"medcab_{uuid4().hex}"
    given = {key: servers.environment[key] for key in SHARED} | servers.new_database(name)
    given |= {
        "TEMPORAL_NAMESPACE": name,
        "S3_BUCKET": name.replace("_", "-"),
    }
    try:
        with folder() as made:
            write_private(made / GIVEN, given)
            yield made
    finally:
        servers.drop_database(name)


def rehearse(what: str, folder: Path) -> tuple[int, str]:
    """Do a run as a program of its own; its exit code and what it printed."""
    run = subprocess.Popen(
        [sys.executable, "-m", "tests.ops.faults.faulty", what, str(folder)],
        cwd=CHECKOUT,
        # What it was given could be read in the servers that are forked from it.
        env={k: v for k, v in os.environ.items() if not k.startswith(NOT_FOR_IT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        printed, _ = run.communicate(timeout=PATIENCE)
    except BaseException:
        run.terminate()
        run.wait(60)
        raise
    print(printed)  # noqa: T201 - shown when the test fails
    return run.returncode, printed


def faults_of(printed: str) -> dict[int, int]:
    """How many faults each check found."""
    return {
        int(check): int(count) for check, count in re.findall(r"check (\d+): (\d+) FAULTS", printed)
    }


def test_nothing_is_lost_while_servers_die() -> None:
    """Each server killed, a worker frozen beyond its tasks, requests cut, six crash points."""
    with folder() as place:
        code, printed = rehearse("short", place)
    assert code == 0
    assert faults_of(printed) == {}
    assert all(f"check {number}: holds" in printed for number in CHECKS)
    assert printed.count("  ok  ") == 7


def test_a_broken_part_is_found(servers: Servers) -> None:
    """A case whose signal died with its process sleeps for ever without a sweeper: the checks of a
    run find one among many. What each check finds alone: `tests.ops.faults.test_checker`."""
    with folder_with_others(servers) as place:
        code, printed = rehearse("sweeper", place)
    assert code == 1
    assert faults_of(printed).keys() >= {1, 7}


def test_crash_points_are_for_development_only(settings: Settings, tmp_path: Path) -> None:
    """No configuration makes a process of an installation die at a named place."""
    armed = settings.model_copy(update={"crash_points": tmp_path, "demo": False})
    with pytest.raises(RuntimeError, match="development only"):
        crash_points.arm(armed)


def test_crash_points_are_inert_without_a_folder(settings: Settings) -> None:
    """Reaching a place changes nothing where nobody asked for it."""
    crash_points.arm(settings.model_copy(update={"crash_points": None}))
    for point in CrashPoint:
        crash_points.reach(point)
