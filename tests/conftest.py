"""What all tests may ask for: real servers, and the settings that lead to them."""

import gc
import json
import os
import ssl
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import hypothesis
import pytest

from crypto.key_ring import KeyRing, use_key_ring
from ops.local.home import Home
from services.files.inspection.client import Inspection
from settings import Settings
from tests.shared.servers import KEYS, Servers, Simulators, begin, stop_servers, worker_settings

# Nothing that is loaded is garbage: it is not looked for until all tests are, see below.
gc.disable()

pytest_plugins = [
    "tests.shared.accounts",
    "tests.shared.administration",
    "tests.shared.browsers",
    "tests.shared.cabinet",
    "tests.shared.desk",
    "tests.shared.fixtures",
    "tests.shared.hospital",
    "tests.shared.ledger",
]

FOLDER = pytest.StashKey[Path]()
RUN = pytest.StashKey[int]()
SESSION = pytest.StashKey[pytest.Session]()
NESTED = "MEDCAB_TESTS_NESTED"
"""Set by a test that runs others: the run whose servers they use."""

# Tests ask faster than people do; those of the limits set limits of their own.
os.environ.setdefault("MEDCAB_WATCH_USE", "0")
# How long one example takes says more of the machine than of the code.
hypothesis.settings.register_profile("medcab", deadline=None)
hypothesis.settings.load_profile("medcab")


def pytest_configure(config: pytest.Config) -> None:
    """One folder per test run, known to all its processes."""
    given = _given(config)
    if given is None:
        config.stash[FOLDER] = Path(tempfile.mkdtemp(prefix="medcab-tests-"))
        # The account that PostgreSQL runs under passes through it.
        config.stash[FOLDER].chmod(0o711)
        config.stash[RUN] = os.getpid()
    else:
        config.stash[FOLDER] = Path(given["medcab_folder"])
        config.stash[RUN] = given["medcab_run"]


def _given(config: pytest.Config) -> dict[str, Any] | None:
    """What a process of a run is told by the first one, or a run by the test that starts it."""
    told: dict[str, Any] | None = getattr(config, "workerinput", None)
    return json.loads(os.environ[NESTED]) if told is None and NESTED in os.environ else told


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest comes first: at the end the other processes would only watch it."""
    items.sort(key=lambda item: item.get_closest_marker("installation") is None)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What was loaded is never looked through for garbage; what comes from now on is."""
    try:
        return (yield)
    finally:
        gc.freeze()
        # Looking for it seven hundred objects at a time was every twentieth second.
        gc.set_threshold(10_000, 20, 50)
        gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell each process of pytest-xdist the folder and the run."""
    node.workerinput["medcab_folder"] = str(node.config.stash[FOLDER])
    node.workerinput["medcab_run"] = node.config.stash[RUN]


def pytest_sessionstart(session: pytest.Session) -> None:
    """Keep the session, whose exit status is the run's.

    The servers of a run of all tests start while these are collected.
    """
    config = session.config
    config.stash[SESSION] = session
    whole = config.args_source is config.ArgsSource.TESTPATHS and not config.option.collectonly
    if whole and _given(config) is None:
        begin(config.stash[FOLDER], config.stash[RUN])


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """The run is over: stop its servers, and leave with an exit code that tells the truth.

    An interpreter that ran a Temporal worker may abort while it ends, after all was done.
    """
    if hasattr(config, "workerinput") or FOLDER not in config.stash:
        return
    if NESTED not in os.environ:
        stop_servers(config.stash[FOLDER])
    session = config.stash.get(SESSION, None)
    if session is not None and "temporalio.worker" in sys.modules:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(int(session.exitstatus))


@pytest.fixture(scope="session", autouse=True)
def known_authorities() -> Iterator[None]:
    """The authorities that clients trust are read from their file once, not by each client."""
    read = ssl.create_default_context
    kept: dict[str, ssl.SSLContext] = {}

    def known(*purpose: ssl.Purpose, **given: Any) -> ssl.SSLContext:
        if purpose or set(given) != {"cafile"}:
            return read(*purpose, **given)
        if given["cafile"] not in kept:
            kept[given["cafile"]] = read(**given)
        return kept[given["cafile"]]

    ssl.create_default_context = known
    yield
    ssl.create_default_context = read


@pytest.fixture(scope="module", autouse=True)
def run_keys() -> None:
    """Columns are encrypted with the keys of the run, whatever ring an earlier file has used."""
    use_key_ring(KeyRing.parse(KEYS))


@pytest.fixture(scope="session")
def process_name(request: pytest.FixtureRequest) -> str:
    """The name of this process of the run: `gw0`, `gw1`, …, or `main`."""
    return str((_given(request.config) or {}).get("workerid", "main"))


@pytest.fixture(scope="session")
def home(request: pytest.FixtureRequest, process_name: str) -> Home:
    """The home of this process of the run."""
    made = Home(request.config.stash[FOLDER] / process_name)
    made.make()
    return made


@pytest.fixture(scope="session")
def servers(request: pytest.FixtureRequest) -> Servers:
    """PostgreSQL, Temporal and MinIO, shared by all processes of the run."""
    return Servers.of_run(request.config.stash[FOLDER], request.config.stash[RUN])


@pytest.fixture(scope="session")
def simulators(home: Home) -> Iterator[Simulators]:
    """The register and the mail sink of this process; tests may switch faults or kill them."""
    world = Simulators.start(home)
    yield world
    world.stop()


@pytest.fixture(scope="session")
def settings(servers: Servers, simulators: Simulators, process_name: str, home: Home) -> Settings:
    """The settings of this process: own database, bucket, task queue and simulators."""
    return worker_settings(servers, simulators, process_name, home)


@pytest.fixture(scope="session")
def left_databases() -> list[tuple[str, dict[str, str]]]:
    """Empty databases that earlier tests of this process have left, with their URLs."""
    return []


@pytest.fixture
def new_database(
    servers: Servers, left_databases: list[tuple[str, dict[str, str]]]
) -> Iterator[Callable[[], dict[str, str]]]:
    """Make empty migrated databases for one test: call it for their two URLs.

    A test that changes more than rows makes its database with `Servers.new_database`.
    """
    given: list[tuple[str, dict[str, str]]] = []

    def make() -> dict[str, str]:
        if left_databases:
            given.append(left_databases.pop())
        else:
            name = f"medcab_{uuid4().hex}"
            given.append((name, servers.new_database(name)))
        return given[-1][1]

    yield make
    for name, _ in given:
        servers.empty_database(name)
    left_databases += given


@pytest.fixture(scope="session")
async def inspection() -> AsyncIterator[Inspection]:
    """The checking process of this process of the run; starting one takes a second."""
    started = Inspection()
    await started.start()
    yield started
    await started.close()
