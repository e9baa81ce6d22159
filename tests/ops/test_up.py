"""`medcab up` and what belongs to it, with all real servers (O3)."""

import io
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest
from minio import Minio
from psycopg.types.json import Jsonb
from rich.console import Console

from ops.demo.story import Demo, paper
from ops.local.home import CHECKOUT, Home
from ops.local.servers.postgres import data_folder_aside
from ops.local.servers.process import Running
from ops.local.system import GIVEN_BY, settings_from
from rules.access import Permission, Role
from services.accounts.sessions import hash_token
from tests.shared.typed import typed
from tests.shared.waiting import PATIENCE

pytestmark = pytest.mark.installation

USUAL_PORT = 8000
STOPPING = re.compile(r"(\S+) +stopping")


class Installation:
    """A home of its own, and the command in it."""

    def __init__(self, folder: Path) -> None:
        self.home = Home(folder)
        self.environment = {
            key: value
            for key, value in os.environ.items()
            if key not in GIVEN_BY.values() and not key.startswith(("MEDCAB_", "S3_", "DATABASE_"))
        } | {"MEDCAB_HOME": str(folder), "COLUMNS": "200"}

    def command(self, *arguments: str) -> list[str]:
        """The command as a program."""
        return [sys.executable, "-m", "ops.cli", *arguments]

    def run(self, *arguments: str, code: int = 0) -> str:
        """Run a command to its end; its output."""
        done = subprocess.run(
            self.command(*arguments),
            cwd=CHECKOUT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=900,
            check=False,
        )
        assert done.returncode == code, done.stdout
        return done.stdout

    def typed(self, *arguments: str, code: int = 0) -> str:
        """Run a command in this process, which has loaded already what takes it seconds."""
        ended, told = typed(self.environment, *arguments)
        assert ended == code, told
        return told

    def begin(self) -> subprocess.Popen[str]:
        """Start in the foreground, as in a terminal of its own."""
        return subprocess.Popen(
            self.command("up"),
            cwd=CHECKOUT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def servers(self) -> dict[str, dict[str, Any]]:
        """What is recorded of each server."""
        return {each["name"]: each for each in self.home.recorded()["servers"]}

    def running(self) -> list[Running]:
        """All recorded processes, the supervisor last."""
        recorded = self.home.recorded()
        each = [*recorded["servers"], recorded["supervisor"]]
        return [Running(one["pid"], one["started"]) for one in each]

    def objects(self) -> Minio:
        """The object store."""
        told = self.home.recorded()["environment"]
        endpoint = told["S3_ENDPOINT"].removeprefix("http://")
        return Minio(endpoint, told["S3_ACCESS_KEY"], told["S3_SECRET_KEY"], secure=False)


@pytest.fixture
def installation() -> Iterator[Installation]:
    """An installation in a new home, stopped and removed in the end."""
    folder = Path(tempfile.mkdtemp(prefix="medcab-up-"))
    folder.chmod(0o711)
    made = Installation(folder / "home")
    yield made
    made.run("down")
    shutil.rmtree(data_folder_aside(made.home), ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


def within(seconds: float, happened: Callable[[], bool]) -> bool:
    """Whether something happens in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if happened():
            return True
        time.sleep(0.1)
    return False


def said_until(supervisor: subprocess.Popen[str], words: str) -> str:
    """What it prints, up to the line with these words."""
    assert supervisor.stdout is not None
    said = ""
    for line in supervisor.stdout:
        said += line
        if words in line:
            return said
    raise AssertionError(said)


def test_an_installation_survives_its_supervisor_and_tells_the_story(
    installation: Installation,
) -> None:
    """Start, lose a worker, then the supervisor, and start again with the data. The demo holds in
    every step, whatever its people have set before, and so do the commands of the README. Told to
    stop, the supervisor stops its children in reverse order and says so: none is left (O3)."""
    with ExitStack() as stack:
        with suppress(OSError):  # somebody else has it: just as well
            stack.enter_context(socket.create_server(("127.0.0.1", USUAL_PORT)))
        told = installation.run("up", "--detach", "--workers", "2", "--api", "2")

    for title, codes in {
        "Cabinet": {200},
        "API docs": {200},
        "Temporal UI": {200, 401},
        "Mail": {200},
    }.items():
        found = re.search(rf"{title}\s+(http://127\.0\.0\.1:\d+\S*)", told)
        assert found, f"{title} is not among the addresses:\n{told}"
        answer = httpx.get(found[1], follow_redirects=True, timeout=10, trust_env=False)
        assert answer.status_code in codes, found[1]
        assert f":{USUAL_PORT}/" not in found[1] + "/", "the usual port was taken"

    told = installation.typed("status")
    for name in ("postgres", "temporal", "minio", "worker-2", "api-2"):
        assert re.search(rf"{name}\s+runs", told), told
    assert "already running" in installation.run("up")

    worker = Running(*(installation.servers()["worker-1"][key] for key in ("pid", "started")))
    os.kill(worker.pid, signal.SIGKILL)
    assert within(PATIENCE, lambda: installation.servers()["worker-1"]["restarts"] == 1)
    assert installation.servers()["worker-1"]["pid"] != worker.pid

    installation.objects().put_object("medcab", "planted", io.BytesIO(b"kept"), 4)
    before = installation.running()
    os.kill(before[-1].pid, signal.SIGKILL)
    assert within(PATIENCE, lambda: not before[-1].alive)
    assert "down" not in installation.typed("status", code=0)
    supervisor = installation.begin()
    told = said_until(supervisor, "Ctrl-C")
    assert "left over" in told
    assert "Cabinet" in told
    assert not any(each.alive for each in before)
    with installation.objects().get_object("medcab", "planted") as kept:
        assert kept.read() == b"kept"

    set_before = changed_by_people(installation)
    told = installation.typed("demo")
    assert re.search(r"All [0-9]{2,} steps went as they should", told)
    assert "signed in otherwise: set back" in told
    assert chosen_notices(installation) == set_before, "the demo leaves what people chose"
    readme_commands(installation)
    backups = installation.home.folder.parent / "backups"
    assert "recovery phrase" in installation.run("backup", "--to", str(backups))
    assert installation.typed("backup", "--verify", str(backups))
    assert "All of it holds." in installation.typed("verify")
    last = installation.running()
    assert all(each.alive for each in last)
    assert "Stopped." in installation.run("down")
    after, _ = supervisor.communicate(timeout=90)
    assert supervisor.returncode == 0
    outside = ["simulators", "minio", "temporal", "postgres"]
    assert STOPPING.findall(after) == ["archiver", "api-1", "worker-1", *outside]
    assert not any(each.alive for each in last)
    assert "Nothing of Medcab" in installation.typed("status", code=1)
    assert "Nothing of Medcab" in installation.typed("down")

    installation.typed("reset", "--yes")
    assert not installation.home.folder.exists()


def owner(installation: Installation) -> psycopg.Connection[Any]:
    """A connection of the tables' owner."""
    url: str = installation.home.recorded()["environment"]["DATABASE_OWNER_URL"]
    return psycopg.connect(url)


def changed_by_people(installation: Installation) -> list[Any]:
    """All demo people hold notices back, sign in otherwise, read English and are away."""
    with owner(installation) as connection:
        for statement in (
            "insert into notice_preferences (person_id, zone, quiet_from, quiet_to, digest_hour,"
            " changed_at) select id, 'Asia/Vladivostok', '00:00', '23:59', 9, now() from person",
            'insert into notice_setting (person_id, "group", channel, "on", changed_at)'
            " select id, g, c, c = 'sms', now() from person,"
            " unnest(array['cases', 'comments', 'service']) g,"
            " unnest(array['mail', 'sms']) c",
            "update account set password_hash = 'another', locked_at = now()",
            "update person set language = 'en'",
            "insert into absence (id, person_id, first_day, last_day)"
            " select gen_random_uuid(), id, current_date - 1, current_date + 1 from person",
        ):
            connection.execute(statement)
    return chosen_notices(installation)


def chosen_notices(installation: Installation) -> list[Any]:
    """What all people have chosen, by person."""
    with owner(installation) as connection:
        settings = connection.execute(
            'select person_id, "group", channel, "on" from notice_setting'
            " where \"group\" in ('cases', 'comments', 'service')"
            " and channel in ('mail', 'sms') order by 1, 2, 3"
        ).fetchall()
        wishes = connection.execute(
            "select person_id, quiet_from, quiet_to, digest_hour from notice_preferences order by 1"
        ).fetchall()
    return [settings, wishes]


def token_of(database: str, person_id: UUID | None) -> str:
    """A token that somebody made: on the page it asks for one more code, half a minute later."""
    text = f"mcb_{uuid4().hex}"
    scope = Jsonb([Permission.APPLY, Permission.KEEP_DOCUMENTS])
    with psycopg.connect(database) as connection:
        connection.execute(
            "insert into access_token (id, person_id, name, token_hash, hint, scope, created_at,"
            " ends_at) values (%s, %s, 'x', %s, 'x', %s, now(), now() + interval '1 hour')",
            [uuid4(), person_id, hash_token(text), scope],
        )
    return text


def readme_commands(installation: Installation) -> None:
    """Those of the README, with a token of a doctor: they name the files, and end in a number."""
    if shutil.which("jq") is None or shutil.which("curl") is None:
        pytest.skip("the commands of the README are written with curl and jq")
    readme = (CHECKOUT / "README.md").read_text()
    [begin, finish] = re.findall(r"```sh\n(.+?)```", readme, re.DOTALL)
    environment = installation.home.recorded()["environment"]
    story = Demo(settings_from(environment), Console(quiet=True))
    doctor = next(one for one in story.accounts if Role.DOCTOR in one.roles)
    begin = begin.replace("mcb_…", token_of(environment["DATABASE_URL"], doctor.person_id))
    begin = re.sub(r"^M=\S+/api", f"M={environment['MEDCAB_PUBLIC_URL']}/api", begin)
    folder = installation.home.folder.parent / "papers"
    folder.mkdir()

    def shell(commands: str) -> str:
        return subprocess.run(
            ["bash", "-c", commands], cwd=folder, capture_output=True, text=True, check=True
        ).stdout

    named = re.findall(r"^(\w+\.pdf): ", shell(begin), re.MULTILINE)
    assert "diploma.pdf" in named
    for name in named:
        (folder / name).write_bytes(paper(name))
    told = shell(begin + finish)
    assert re.search(r'"number": "ПК-', told), told
    assert '"live": true' in told, told


def test_an_interrupted_start_leaves_nothing(installation: Installation) -> None:
    """Ctrl-C, which the terminal sends to the whole group, stops what was started, in order."""
    supervisor = installation.begin()
    said_until(supervisor, "ready")
    os.killpg(supervisor.pid, signal.SIGINT)
    after, _ = supervisor.communicate(timeout=90)
    in_order = ["simulators", "minio", "temporal", "postgres"]
    stopped = STOPPING.findall(after)
    assert stopped == [name for name in in_order if name in stopped]
    assert _commands(str(installation.home.folder)) == []
    assert installation.home.recorded() == {}


def _commands(naming: str) -> list[str]:
    """The commands of all processes that name something."""
    found = []
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            found.append(each.read_text().replace("\0", " "))
    return [command for command in found if naming in command]
