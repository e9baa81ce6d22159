"""Starting, keeping and stopping all servers together (O3)."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ops.local import replacing
from ops.local.home import Home
from ops.local.servers import ServerFailed
from ops.local.servers.ports import choose_port, is_free, listening
from ops.local.servers.process import Running
from ops.local.system import System, settings_from
from tests.ops.programs import LISTENS, Program


def within(seconds: float, happened: Callable[[], bool]) -> bool:
    """Whether something happens in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if happened():
            return True
        time.sleep(0.02)
    return False


@pytest.fixture
def said() -> list[tuple[str, str]]:
    """What the system said."""
    return []


@pytest.fixture
def system(tmp_path: Path, said: list[tuple[str, str]]) -> Iterator[System]:
    """A system of two small programs."""
    made = System(
        Home(tmp_path / "home"), given={}, usual=False, say=lambda *told: said.append(told)
    )
    made.outer = [Program("first"), Program("second")]
    yield made
    made.stop()


def test_all_are_started_and_lead_to_each_other(system: System) -> None:
    """Those started later read the addresses of those before."""
    system.start_outer()
    ports = [getattr(server, "port", 0) for server in system.outer]
    assert all(map(listening, ports))
    assert system.environment["FIRST_PORT"] == str(ports[0])


def test_they_are_stopped_in_reverse_order(system: System, said: list[tuple[str, str]]) -> None:
    """What others stand on goes last, and nothing is left."""
    system.start_outer()
    running = [Running.of(each.pid) for each in system.processes.values() if each.pid]
    said.clear()
    system.stop()
    assert [name for name, told in said if told == "stopping"] == ["second", "first"]
    assert len(running) == 2
    assert not any(each.alive for each in running)


def test_a_server_that_dies_is_started_again(system: System, said: list[tuple[str, str]]) -> None:
    """The same address serves again, and people are told."""
    system.start_outer()
    process = system.processes["first"]
    port, pid = getattr(process.server, "port", 0), process.pid
    system.kill("first")
    assert within(20, lambda: ("first", "ready again") in said)
    assert process.pid not in (None, pid)
    assert listening(port)
    assert process.restarts == 1
    assert any("ended with -9" in told for _, told in said)


MUTE = f"""
import os, socket, sys
if os.path.exists(sys.argv[1] + ".mute"):
    exec({LISTENS!r})
open(sys.argv[1] + ".mute", "w").close()
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    listener.accept()
"""
"""Lets everybody in and says nothing; started again it works."""


@pytest.mark.parametrize("broken", ["mute", "frozen"])
def test_a_server_that_runs_and_does_no_work_is_replaced(
    system: System, said: list[tuple[str, str]], tmp_path: Path, broken: str
) -> None:
    """Its process lives and its port answers, which is not enough (O3)."""
    first, second = system.outer
    assert isinstance(first, Program)
    first.directory = tmp_path
    if broken == "mute":
        first.code = MUTE
    system.look_every = 0.05
    system.start_outer()
    pid = system.processes["first"].pid
    assert pid is not None
    if broken == "frozen":
        os.kill(pid, signal.SIGSTOP)
    assert listening(first.port)
    assert within(60, lambda: ("first", "ready again") in said)
    assert ("first", "runs and does no work: replacing it") in said
    assert system.processes["first"].pid not in (None, pid)
    assert system.processes["first"].works(5)
    assert within(60, lambda: "servers" in system.home.recorded()), "it is written down last"
    recorded = {each["name"]: each for each in system.home.recorded()["servers"]}
    assert (recorded["first"]["replaced"], recorded[second.name]["replaced"]) == (1, 0)
    assert system.processes[second.name].restarts == 0, "one that works is left alone"


def test_one_that_is_replaced_again_and_again_is_told_each_time(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ops learn of it although it never does any work in between (O3, O7)."""
    first = system.outer[0]
    assert isinstance(first, Program)
    told: list[str] = []
    monkeypatch.setattr(replacing, "journal_replacing", lambda _, server: told.append(server))
    system.environment["DATABASE_URL"] = "postgresql://nobody@127.0.0.1/nothing"
    system.look_every = 0.05
    monkeypatch.setattr(first, "works", lambda pid: False)
    system.start_outer()
    assert within(60, lambda: told.count("first") >= 2)


def test_servers_that_come_back_together_are_all_kept(system: System) -> None:
    """Their keepers write down what runs at the same moment, and none of them dies of it."""
    with ThreadPoolExecutor(max_workers=8) as keepers:
        list(keepers.map(system.record, ["ready"] * 80))
    assert system.home.recorded()["state"] == "ready"


def test_one_that_fails_fails_the_start_with_its_log(system: System) -> None:
    """The others are stopped with it."""
    system.outer.append(Program("third", "raise SystemExit('out of paper')"))
    with pytest.raises(ServerFailed, match=r"third ended with exit code 1[\s\S]*out of paper"):
        system.start_outer()
    system.stop()
    assert all(process.pid is None for process in system.processes.values())


@pytest.mark.parametrize(
    ("given", "offered"),
    [
        ({}, True),
        ({"MEDCAB_DEMO": "false"}, False),
        ({"MEDCAB_OIDC_ISSUER": "https://provider.example"}, False),
    ],
)
def test_a_demo_has_an_identity_provider(
    tmp_path: Path, given: dict[str, str], offered: bool
) -> None:
    """«Войти через» can be tried at once; nobody else's people come in by a simulator."""
    made = System(Home(tmp_path / "home"), given=given)
    found = {one.name: one.variables() for one in made.simulators}
    made.door.close()
    assert ("oidc" in found) is offered
    if offered:
        made.environment.update(found["oidc"])
        assert made.settings.oidc_issuer.startswith("http://127.0.0.1:")
        assert "имитация" in made.settings.oidc_name


def test_what_the_environment_names_is_not_started(tmp_path: Path) -> None:
    """A server given by URL is somebody else's."""
    given = {
        "DATABASE_URL": "postgresql://medcab@db/medcab",
        "SMTP_URL": "smtp://mail:25",
        "MEDCAB_REGISTER_URL": "https://register.example",
    }
    made = System(Home(tmp_path / "home"), given=given, usual=False)
    outside = {"simulators", "gov_service"}
    assert {server.name for server in made.outer} == {"temporal", "minio", *outside}
    assert made.address_of("identity")
    with pytest.raises(KeyError):
        made.address_of("register")
    assert made.settings.database_url.get_secret_value() == given["DATABASE_URL"]
    assert made.settings.smtp_url == given["SMTP_URL"]
    made.door.close()


def test_a_busy_port_falls_back_to_a_free_one() -> None:
    """Another program on the usual port stops nobody."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        assert not is_free(taken)
        chosen = choose_port(taken)
        assert chosen != taken
        assert is_free(chosen)


def test_the_cabinet_comes_back_to_its_address(tmp_path: Path) -> None:
    """QR codes and links given out lead to it; where they cannot, the start tells of it."""
    import socket

    home = Home(tmp_path / "home")

    def start() -> System:
        made = System(home, given={}, usual=False)
        home.keep_port(made.door.port)
        made.door.close()
        return made

    first = start().door.port
    assert (again := start()).door.port == first
    assert again.lost_addresses() == []
    with socket.create_server(("127.0.0.1", first)):
        elsewhere = start()
        assert elsewhere.door.port != first
        assert elsewhere.lost_addresses() == [f"http://127.0.0.1:{first}"]
    back = start()
    assert back.door.port == first
    assert back.lost_addresses() == [elsewhere.door.address]
    proxied = System(home, given={"MEDCAB_PUBLIC_URL": "https://cabinet.example"}, usual=False)
    proxied.door.close()
    assert proxied.lost_addresses() == []


def test_a_port_is_given_once() -> None:
    """Two servers that start at once do not fight for one port."""
    ports = [choose_port() for _ in range(50)]
    assert len(set(ports)) == 50


def test_secrets_are_made_once_and_are_private(tmp_path: Path) -> None:
    """A second start reads what the first one wrote, and nobody else reads it."""
    home = Home(tmp_path / "home")
    home.make()
    first = home.secrets()
    assert Home(tmp_path / "home").secrets() == first
    assert (home.folder / "secrets.json").stat().st_mode & 0o777 == 0o600
    values = [first.postgres_owner, first.postgres_app, first.minio_password, first.keys]
    assert len(set(values)) == len(values)


def test_variables_are_read_like_the_environment() -> None:
    """What a child process reads is what the supervisor says."""
    settings = settings_from(
        {"MEDCAB_TASK_QUEUE": "q", "S3_BUCKET": "b", "MEDCAB_COOKIE_SECURE": "false", "PATH": "/"}
    )
    assert (settings.task_queue, settings.s3_bucket, settings.cookie_secure) == ("q", "b", False)
