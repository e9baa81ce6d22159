"""One run: servers, measures, the table and the file with the results."""

import asyncio
import json
import os
import platform
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bench.archive import export, p7
from bench.clinic.home import home
from bench.clinic.race import race
from bench.clinic.schedule import book, week
from bench.cost import cost
from bench.counts import p6, p6r
from bench.ground import BenchInstallation, Office
from bench.idle import idle
from bench.latency import p1, p3, p4, p5
from bench.method import BarVerdict, Figure
from bench.peers import INSTALL, missing
from bench.peers.measures import dbos, spiff, workers
from bench.requests import p1r, p3r
from bench.statements import statements
from bench.sync import sync
from bench.throughput import p2, p2r
from ops.local.home import CHECKOUT
from ops.local.servers.postgres import CONFIGURATION
from settings import Settings

Measure = Callable[[Office, float], Awaitable[list[Figure]]]
MEASURES: dict[str, Measure] = {
    "P6": p6,
    "P4": p4,
    "P1": p1,
    "P3": p3,
    "P5": p5,
    "P2": p2,
    "P6R": p6r,
    "P1R": p1r,
    "P3R": p3r,
    "P2R": p2r,
    "P7": p7,
    "COST": cost,
    "DBOS": dbos,
    "SPIFF": spiff,
    "WORKERS": workers,
    "EXPORT": export,
    "SQL": statements,
    "RACE": race,
    "BOOK": book,
    "WEEK": week,
    "HOME": home,
}
ALONE: dict[str, Callable[[float], list[Figure]]] = {"IDLE": idle, "SYNC": sync}
"""Measures of an installation that they start themselves, with no other beside it."""
PEERS = {"DBOS", "SPIFF", "WORKERS"}
"""None of it is measured without the peers."""
GROUPS = {"PEERS": PEERS, "SCHEDULE": {"RACE", "BOOK", "WEEK", "HOME"}}
"""Names that stand for several measures."""
KEPT = {BarVerdict.HOLDS, BarVerdict.TOLD}
QUICK, QUICK_SCALE = "quick", 0.25
RESULTS = CHECKOUT / "bench-results"


def run(names: list[str]) -> int:
    """Measure the named figures, all by default.

    0 when every bar holds and something was measured.
    """
    asked = {name.upper() for name in names if name.lower() != QUICK}
    wanted = {one for name in asked for one in GROUPS.get(name, {name})}
    known = [*ALONE, *MEASURES]
    unknown = sorted(wanted - set(known))
    if unknown:
        sys.stderr.write(
            f"There is no {', '.join(unknown)}: choose of {', '.join([*known, *GROUPS])}.\n"
        )
        return 2
    chosen = {name: one for name, one in MEASURES.items() if not wanted or name in wanted}
    if PEERS & chosen.keys() and (absent := missing()):
        sys.stderr.write(f"PEERS compares with {', '.join(absent)}, not installed: {INSTALL}\n")
        if wanted:
            return 2
        chosen = {name: one for name, one in chosen.items() if name not in PEERS}
    scale = QUICK_SCALE if QUICK in map(str.lower, names) else 1.0
    console = Console(width=None if sys.stdout.isatty() else 140, highlight=False)
    # SIGTERM ends the run by way of `finally`, so that no server is left behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    figures: list[Figure] = []
    failed: dict[str, str] = {}
    for name, measure in ALONE.items():
        if not wanted or name in wanted:
            console.print(f"{name}: an installation of its own, for some minutes")
            try:
                found = measure(scale)
            except Exception as error:
                failed[name] = f"{type(error).__name__}: {error}"
            else:
                figures += found
                _show(found, console)
    if chosen:
        _run_on_servers(chosen, scale, console, figures, failed)
    console.print("all figures")
    _show(figures, console)
    for name, reason in failed.items():
        console.print(f"{name} [red]could not be measured[/]: {reason}", markup=True)
    _keep(figures, failed, scale)
    good = bool(figures) and not failed and all(f.verdict in KEPT for f in figures)
    return 0 if good else 1


def _run_on_servers(
    chosen: dict[str, Measure],
    scale: float,
    console: Console,
    figures: list[Figure],
    failed: dict[str, str],
) -> None:
    """Measure on servers of the run; their logs and data are kept when something failed."""
    ground = BenchInstallation()
    keep = True
    try:
        console.print("starting servers of our own")
        ground.start()
        _tell_configuration(ground.settings, console)
        asyncio.run(_measure(ground, chosen, scale, console, figures, failed))
        keep = bool(failed)
    finally:
        ground.stop(keep=keep)
        if keep:
            console.print(f"logs and data are kept in {ground.folder}")


async def _measure(
    ground: BenchInstallation,
    chosen: dict[str, Measure],
    scale: float,
    console: Console,
    figures: list[Figure],
    failed: dict[str, str],
) -> None:
    async with Office.open(ground) as office:
        for name, measure in chosen.items():
            began = time.monotonic()
            try:
                found = await measure(office, scale)
            except Exception as error:
                # A figure that cannot be measured fails the run; the others are still measured.
                failed[name] = f"{type(error).__name__}: {error}"
                console.print(f"{name}: {failed[name]}", markup=False)
            else:
                figures += found
                _show(found, console)
            console.print(f"{name} took {time.monotonic() - began:.0f} s")


def _tell_configuration(settings: Settings, console: Console) -> None:
    """Print how both sides are set, because a ratio means nothing without it."""
    durability = {key: CONFIGURATION[key] for key in ("fsync", "synchronous_commit")}
    console.print(
        f"{platform.platform()}, {os.cpu_count()} processors, Python {platform.python_version()},"
        f" load {os.getloadavg()[0]:.1f}\n"
        f"PostgreSQL {durability}, pools of {settings.database_pool}, object store encrypted,"
        " Temporal with a database file\n"
        "each side: one worker (2000 cached workflows, 32 activities), one uvicorn (uvloop,"
        " httptools)"
    )


def _show(figures: list[Figure], console: Console) -> None:
    table = Table(
        "",
        "what",
        "ratio [95 %]",
        "bar",
        "control",
        "Medcab",
        "least or peer",
        "tried",
        "",
        box=None,
    )
    for one in sorted(figures, key=lambda figure: figure.name):
        colour = "green" if one.verdict in KEPT else "red"
        table.add_row(
            one.name,
            one.what,
            escape(str(one.ratio)) if one.control else f"{one.ratio.median:.3g}",
            "none" if one.bar is None else f"{one.bound} {one.bar:g}",
            escape(str(one.control)) if one.control else "exact",
            _cost(one.ours, one.unit),
            _cost(one.least, one.unit),
            str(one.tried),
            f"[{colour}]{one.verdict}[/]",
        )
    console.print(table)
    for one in figures:
        for what, value in one.notes.items():
            console.print(f"{one.name}: {what}: {value}", markup=False)


def _cost(value: float, unit: str) -> str:
    return f"{value * 1000:.2f} ms" if unit == "s" else f"{value:.3g} {unit}"


def _keep(figures: list[Figure], failed: dict[str, str], scale: float) -> Path:
    """Store the figures as JSON, for a comparison with other runs."""
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / f"{time.strftime('%Y%m%d-%H%M%S')}.json"
    content = {
        "at": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "quick": scale < 1,
        "platform": platform.platform(),
        "figures": [{**asdict(one), "verdict": one.verdict} for one in figures],
        "failed": failed,
    }
    file.write_text(json.dumps(content, ensure_ascii=False, indent=1))
    return file
