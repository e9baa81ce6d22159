"""The programs of the bench on peers: what they need, and the case that they live."""

import hashlib
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4
from xml.etree import ElementTree

import httpx
import psycopg
import pytest

import bench.peers
import bench.runs
from bench.ground import BenchProgram
from bench.peers import PACKAGES, TABLES, URL, missing
from bench.peers.__main__ import main
from bench.peers.case import MAILS
from clients.objects import Objects
from ops.faults.people import SNILS
from ops.local.home import CHECKOUT, Home
from ops.local.servers.medcab import Door
from ops.local.servers.postgres import make_database
from ops.local.servers.process import ServerProcess
from settings import Settings
from tests.shared.servers import Servers, Simulators
from tests.shared.waiting import until

BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
TOKEN = "a token of the bench"


@pytest.fixture
def absent(monkeypatch: pytest.MonkeyPatch) -> None:
    """None of the peers is installed."""
    monkeypatch.setattr(bench.peers, "find_spec", lambda name: None)


def test_without_the_peers_the_bench_says_how_to_install_them(
    absent: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """It ends with one line before it starts a server."""
    assert bench.runs.run(["peers"]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.endswith("uv pip install --python .venv/bin/python -r pyproject.toml --extra peers")
    assert all(package in line for package in PACKAGES.values())


@pytest.mark.parametrize("peer", PACKAGES)
def test_a_program_without_its_peer_says_how_to_install_it(absent: None, peer: str) -> None:
    """Its name is told, not the place where an import failed."""
    with pytest.raises(SystemExit, match=f"{PACKAGES[peer]}, not installed.*--extra peers"):
        main(peer, "--socket", "0")


def test_only_its_own_program_imports_a_peer() -> None:
    """The bench runs without them, and each program without the other peer."""
    for file in (CHECKOUT / "bench").rglob("*.py"):
        imported = set(re.findall(r"^\s*(?:from|import) (\w+)", file.read_text(), re.MULTILINE))
        own = {PACKAGES[file.stem.removeprefix("on_")]} if file.stem.startswith("on_") else set()
        assert imported & set(PACKAGES.values()) == own, file


def test_the_model_asks_the_register_first_and_makes_the_act_after_the_decision() -> None:
    """The BPMN model is one line of tasks, with two mails."""
    file = CHECKOUT / "bench" / "peers" / "application.bpmn"
    model = ElementTree.parse(file).getroot()  # noqa: S314 - our own file
    flows = {
        one.get("sourceRef"): one.get("targetRef") for one in model.iter(f"{BPMN}sequenceFlow")
    }
    way = ["start"]
    while (following := flows.get(way[-1])) is not None:
        way.append(following)
    assert way[:4] == ["start", "register", "tell_review", "decision"]
    assert way[4:] == ["act", "close_case", "tell_act", "end"]
    assert [one.get("id") for one in model.iter(f"{BPMN}userTask")] == ["decision"]


@pytest.fixture
def person() -> str:
    """The address of somebody."""
    return f"{uuid4().hex}@hospital.example"


@pytest.fixture
def url(person: str, servers: Servers, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database of the peers with one person who has a token."""
    name = f"peer_{uuid4().hex}"
    with psycopg.connect(servers.superuser_url, autocommit=True) as line:
        make_database(line, name)
    owner = servers.environment["DATABASE_OWNER_URL"]
    made = urlunsplit(urlsplit(owner)._replace(path=f"/{name}"))
    with psycopg.connect(made) as line:
        line.execute(TABLES)
        digest = hashlib.sha256(TOKEN.encode()).digest()
        row = (uuid4(), digest, "Заявитель", person, SNILS)
        line.execute("insert into person values (%s, %s, %s, %s, %s)", row)
    monkeypatch.setenv(URL, made)
    return made


@pytest.fixture
def running(
    url: str,
    servers: Servers,
    simulators: Simulators,
    settings: Settings,
    home: Home,
    tmp_path: Path,
) -> Iterator[Callable[[str], httpx.AsyncClient]]:
    """Starts the program of a peer, for somebody who has a token."""
    variables = {
        **servers.environment,
        **simulators.variables,
        "S3_BUCKET": settings.s3_bucket,
        "MEDCAB_HOME": str(home.folder),
        "PATH": os.defpath,
        URL: url,
    }
    door = Door(None)
    started: list[ServerProcess] = []

    def start(peer: str) -> httpx.AsyncClient:
        started.append(ServerProcess(BenchProgram(peer, door, peer, "bench.peers"), tmp_path))
        started[-1].start(variables)
        started[-1].await_ready()
        headers = {"Authorization": f"Bearer {TOKEN}"}
        return httpx.AsyncClient(base_url=door.address, headers=headers, trust_env=False)

    yield start
    for process in started:
        process.stop()
    door.close()


@pytest.mark.parametrize("peer", PACKAGES)
async def test_a_case_lives_from_the_draft_to_the_second_mail(
    peer: str,
    running: Callable[[str], httpx.AsyncClient],
    url: str,
    person: str,
    objects: Objects,
    simulators: Simulators,
) -> None:
    """Files are stored, the register is asked, the act is a signed PDF, two mails are sent."""
    if PACKAGES[peer] in missing():
        pytest.skip("an extra that `make install` leaves out")
    async with running(peer) as web:
        begun = await web.post("/applications", json={"programme_id": str(uuid4())})
        case = f"/applications/{begun.raise_for_status().json()['id']}"

        async def shown() -> dict[str, Any]:
            found: dict[str, Any] = (await web.get(case)).raise_for_status().json()
            return found

        async def stands_at(status: str) -> bool:
            return bool((await shown())["status"] == status)

        cited = []
        for kind in (await shown())["kinds"]:
            path = f"/documents?category={kind}&title=T"
            kept = await web.post(path, content=b"%PDF-" + kind.encode())
            cited.append({"kind": kind, "document_id": kept.raise_for_status().json()["id"]})
        saved = {"data": {"purpose": "Нужно"}, "attachments": cited}
        (await web.put(f"{case}/draft", json=saved)).raise_for_status()
        assert (await web.post(f"{case}/decision")).status_code == 409
        (await web.post(f"{case}/submit")).raise_for_status()
        await until(lambda: stands_at("in_review"))
        assert (await web.post(f"{case}/submit")).status_code == 409
        (await web.post(f"{case}/decision")).raise_for_status()
        await until(lambda: stands_at("closed"))
        closed = await shown()
        assert closed["in_register"] is True
        assert closed["attachments"] == cited
        act = await objects.read(closed["act_key"])
        assert act.startswith(b"%PDF-")
        assert b"/ByteRange" in act
        async with httpx.AsyncClient(trust_env=False, base_url=simulators.mail.address) as post:

            async def told() -> list[str]:
                mails = (await post.get("/messages", params={"to": person})).json()
                return [one["subject"] for one in mails] if len(mails) == 2 else []

            assert sorted(await until(told)) == sorted(MAILS.values())
    with psycopg.connect(url) as line:
        keys = line.execute("select object_key from document").fetchall()
    assert len({(await objects.read(key)) for [key] in keys}) == 3
