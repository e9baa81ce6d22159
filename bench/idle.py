"""IDLE: what an installation costs while nobody does anything, by process.

It is one as `medcab up` starts it, in a home of its own. P12a is the processor time of all its
processes, P12b the memory that would be free without them: a page that several processes share
counts once, in parts (PSS).
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from bench.method import Comparison, Figure, Interval
from ops.local.home import CHECKOUT, Home
from ops.local.servers.postgres import data_folder_aside
from ops.local.system import GIVEN_BY

PROCESSOR_MS = 15.0
MEMORY_MIB = 850.0
QUIET_AFTER = 60.0
"""Seconds after the start in which its own work, such as compiling and caching, comes to rest."""
SPAN = 60.0
"""Seconds of one measurement: what happens once a minute is in each."""
SPANS = 5

Costs = dict[str, float]


def idle(scale: float) -> list[Figure]:
    """Processor time by process, some minutes long, and the memory at the end."""
    with _installation() as home:
        time.sleep(QUIET_AFTER)
        spans: list[Costs] = []
        before = _seconds(home)
        for _ in range(max(1, round(SPANS * scale))):
            began = time.monotonic()
            time.sleep(SPAN)
            after = _seconds(home)
            each = time.monotonic() - began
            spans.append({name: (after[name] - before[name]) / each * 1000 for name in after})
            before = after
        memory = _memory(home)
    mean = {name: sum(one[name] for one in spans) / len(spans) for name in spans[0]}
    processor = Interval.of([sum(one.values()) for one in spans])
    whole = sum(memory.values())
    return [
        Figure(
            "P12a",
            "processor time of an idle installation",
            Comparison.AT_MOST,
            PROCESSOR_MS,
            processor,
            None,
            len(spans),
            processor.median,
            PROCESSOR_MS,
            unit="ms/s",
            notes={"by process, ms/s": _by_process(mean, 2)},
        ),
        Figure(
            "P12b",
            "memory of an idle installation (PSS)",
            Comparison.AT_MOST,
            MEMORY_MIB,
            Interval(whole, whole, whole),
            None,
            len(memory),
            whole,
            MEMORY_MIB,
            unit="MiB",
            notes={"by process, MiB": _by_process(memory, 0)},
        ),
    ]


@contextmanager
def _installation() -> Iterator[Home]:
    """A new installation that runs, stopped and removed in the end."""
    folder = Path(tempfile.mkdtemp(prefix="medcab-idle-"))
    # PostgreSQL may run under another account.
    folder.chmod(0o711)
    home = Home(folder / "home")
    ours = {
        key: value
        for key, value in os.environ.items()
        if key not in GIVEN_BY.values() and not key.startswith(("MEDCAB_", "DATABASE_", "S3_"))
    }

    def medcab(*arguments: str) -> None:
        done = subprocess.run(  # noqa: S603 - our own command
            [sys.executable, "-m", "ops.cli", *arguments],
            cwd=CHECKOUT,
            env=ours | {"MEDCAB_HOME": str(home.folder)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"medcab {' '.join(arguments)} failed:\n{done.stdout}")

    try:
        medcab("up", "--detach")
        yield home
    finally:
        medcab("down")
        shutil.rmtree(data_folder_aside(home), ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)


def _processes(home: Home) -> Iterator[tuple[str, psutil.Process]]:
    """Every process of the installation with the name of its server."""
    recorded = home.recorded()
    for server in [*recorded["servers"], {"name": "supervisor", **recorded["supervisor"]}]:
        first = psutil.Process(server["pid"])
        # The other servers are children of the supervisor, which is left without them here.
        others = [] if server["name"] == "supervisor" else first.children(recursive=True)
        for one in (first, *others):
            yield server["name"], one
    known = {server["pid"] for server in recorded["servers"]}
    for one in psutil.Process(recorded["supervisor"]["pid"]).children():
        if one.pid not in known:
            yield "fork server", one


def _seconds(home: Home) -> Costs:
    """Processor time so far. What ended and was waited for counts with its parent."""
    found: Costs = {}
    for name, one in _processes(home):
        # Some are short-lived, such as those that clean PostgreSQL's tables.
        with suppress(psutil.NoSuchProcess):
            found[name] = found.get(name, 0.0) + sum(one.cpu_times()[:4])
    return found


def _memory(home: Home) -> Costs:
    found: Costs = {}
    for name, one in _processes(home):
        with suppress(psutil.NoSuchProcess):
            found[name] = found.get(name, 0.0) + one.memory_full_info().pss / 2**20
    return found


def _by_process(costs: Costs, digits: int) -> str:
    parts = sorted(costs.items(), key=lambda one: -one[1])
    return ", ".join(f"{name} {cost:.{digits}f}" for name, cost in parts)
