"""The processor time that each process of a run used, for a unit of work."""

from collections.abc import Mapping
from pathlib import Path

import psutil

from bench.peers import PACKAGES

Used = Mapping[str, float]

_NAMES = {
    "postgres": "PostgreSQL",
    "temporal": "Temporal",
    "minio": "object store",
    "simulators.together": "simulators",
    "simulators.gov_service": "gov-service module",
    "services.files.inspection.warden": "inspection",
    "ops.local.servers.fork_server": "fork server",
    "bench.least worker": "worker",
    "bench.least api": "API",
    "bench.peers": "program",
    "ops.cli worker": "worker",
    "ops.cli api": "API",
}
OUTSIDE = frozenset({"client", "simulators"})
"""The client, and what stands for the outside world."""
NOT_OF_PEERS = frozenset({"Temporal", "inspection", "fork server", "gov-service module"})
"""What the programs of peers do not use, though it runs beside them."""
_PROGRAMS = {
    "Medcab": "ops.cli",
    "least": "bench.least",
    **{n: f"bench.peers {n}" for n in PACKAGES},
}


def used(side: str, folder: Path) -> Used:
    """Seconds of processor time so far by process; of programs only those of `side` count.

    PostgreSQL, whose data is in `folder`, runs under an account of its own and is not a child of
    the run.
    """
    others = [program for name, program in _PROGRAMS.items() if name != side]
    mine = psutil.Process()
    found: dict[str, float] = {}
    for one in {mine, *mine.children(recursive=True), *_postgres(folder)}:
        try:
            command, times = " ".join(one.cmdline()), one.cpu_times()
        except psutil.Error:
            continue
        if any(other in command for other in others):
            continue
        name = next((name for part, name in _NAMES.items() if part in command), "client")
        # What ended and was waited for, such as the check of one file, counts with its parent.
        found[name] = found.get(name, 0.0) + sum(times[:4])
    return found


def _postgres(folder: Path) -> list[psutil.Process]:
    for one in psutil.process_iter(["name", "cmdline"]):
        command = " ".join(one.info["cmdline"] or [])
        if one.info["name"] == "postgres" and str(folder) in command:
            return [one, *one.children()]
    return []


def of_case(side: str, folder: Path) -> Used:
    """Like `used`, without the client and what stands for the outside world."""
    apart = OUTSIDE | NOT_OF_PEERS if side in PACKAGES else OUTSIDE
    return {name: seconds for name, seconds in used(side, folder).items() if name not in apart}


def spent(before: Used, after: Used, units: int) -> str:
    """Milliseconds of processor time for one unit, in all and by process, the largest first."""
    each = {name: (after[name] - before.get(name, 0.0)) / units * 1000 for name in after}
    shown = sorted(((cost, name) for name, cost in each.items() if cost >= 0.5), reverse=True)
    parts = [f"{name} {cost:.0f}" for cost, name in shown]
    return f"{sum(each.values()):.0f} ms: {', '.join(parts)}"
