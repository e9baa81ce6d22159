"""Runs of faults as the tests want them: short, and with a part broken on purpose.

A program of its own, since it kills servers and serves a key ring of its own:
`python -m tests.ops.faults.faulty short FOLDER`, or, with that part broken, `claims FOLDER`, and
beside servers that are not its own `sweeper FOLDER` or `events FOLDER`.
"""

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg

from models.messages import CaseSignal, CaseState
from ops.cli import app
from ops.faults.installation import FaultsInstallation
from ops.faults.run import Plan, rehearse
from ops.local.home import Home
from ops.local.servers import Launch
from ops.local.servers.fork_server import FORKED
from ops.local.servers.forking import ForkServer
from ops.local.servers.medcab import Api, Door, Worker
from rules.cases.process import CaseKind
from services.crash_points import CrashPoint

SHORT = Plan(
    cases=12,
    kills=8,
    seed=7,
    hits=dict.fromkeys(
        (
            CrashPoint.ACT_COMMITTED,
            CrashPoint.ACT_FILED,
            CrashPoint.MAIL_HANDED_OVER,
            CrashPoint.PORTFOLIO_FILED,
            CrashPoint.PORTFOLIO_SENT,
            CrashPoint.EVENT_SENT,
        ),
        1,
    ),
    workers=1,
    apis=1,
    in_flight=4,
    pause=0.5,
)
BROKEN = Plan(
    cases=6,
    kills=0,
    seed=7,
    hits={},
    workers=1,
    apis=1,
    in_flight=6,
    pause=0.0,
    settle_within=15.0,
    first=("application", "application", "rights", "verification", "lock"),
)
"""Signals of one case never arrive: only the sweeper could wake it."""
EVENTS = replace(BROKEN, cases=1, first=("credential",))
"""What a credential brings is noted as delivered, and never sent."""
CLAIMS = replace(BROKEN, cases=4, first=("appointment",) * 4)
"""Nothing keeps two people from having one time."""
PLANS = {"short": SHORT, "sweeper": BROKEN, "events": EVENTS, "claims": CLAIMS}

THIS = "tests.ops.faults.faulty"
GIVEN = "servers.json"
"""In the folder of a run with a broken part: the servers that are not its own."""


def break_sweeper() -> None:
    """The sweeper walks and sees nobody, and signals of the first application are lost."""
    from services.cases import wakeups
    from services.cases.signals import CaseSignals

    async def sees_nobody(*_: Any, **__: Any) -> int:
        return 0

    send, lost = CaseSignals.send, set[UUID]()

    def loses_one(self: CaseSignals, case: CaseState, signal: CaseSignal) -> None:
        if case.kind is CaseKind.APPLICATION and not lost:
            lost.add(case.case_id)
        if case.case_id not in lost:
            send(self, case, signal)

    wakeups.sweep = sees_nobody
    CaseSignals.send = loses_one  # type: ignore[method-assign]


def break_events() -> None:
    """Calls to subscribers go nowhere and are taken for answered."""
    from clients.delivery.subscribers import SubscriberLine

    async def pretends(*_: Any, **__: Any) -> int:
        return 204

    SubscriberLine.post = pretends  # type: ignore[method-assign]


BREAK = {"sweeper": break_sweeper, "events": break_events}


class BrokenWorker(Worker):
    """A worker with a broken part."""

    def __init__(self, name: str, part: str) -> None:
        super().__init__(name)
        self.part = part

    def launch(self, environment: Mapping[str, str]) -> Launch:
        """The same command, broken first."""
        return _broken(super().launch(environment), self.part)


class BrokenApi(Api):
    """An API process with a broken part."""

    def __init__(self, name: str, door: Door, part: str) -> None:
        super().__init__(name, door)
        self.part = part

    def launch(self, environment: Mapping[str, str]) -> Launch:
        """The same command, broken first."""
        return _broken(super().launch(environment), self.part)


class WithoutConstraint(FaultsInstallation):
    """An installation in which claims may meet."""

    def start(self) -> None:
        """Start everything, and drop the constraint."""
        super().start()
        owner = self.settings.database_owner_url or self.settings.database_url
        with psycopg.connect(owner.get_secret_value(), autocommit=True) as line:
            line.execute("alter table claim drop constraint claim_taken_once")


def _broken(launch: Launch, part: str) -> Launch:
    arguments = launch.command[launch.command.index("ops.cli") + 1 :]
    command = [sys.executable, "-m", THIS, "serve", part, *arguments]
    return Launch(
        command,
        launch.environment,
        directory=launch.directory,
        stop_within=launch.stop_within,
        inherited=launch.inherited,
    )


def _ground(what: str, folder: Path) -> FaultsInstallation:
    home = Home(folder / "run")
    home.make()
    # What this program has loaded, its servers need not load again.
    forks = ForkServer.of_this_process(home.logs, (*FORKED, THIS))
    if what in ("short", "claims"):
        kind = WithoutConstraint if what == "claims" else FaultsInstallation
        return kind(home.folder, workers=1, apis=1, forks=forks)
    return FaultsInstallation(
        home.folder,
        workers=1,
        apis=1,
        forks=forks,
        given=json.loads((folder / GIVEN).read_text()),
        make_worker=lambda name: BrokenWorker(name, what),
        make_api=lambda name, door: BrokenApi(name, door, what),
    )


def _end_with_the_tests() -> None:
    """Stop all servers when the tests are gone, however they ended."""
    parent = os.getppid()
    while os.getppid() == parent:
        time.sleep(0.5)
    os.kill(os.getpid(), signal.SIGTERM)


def main() -> None:
    """Do what is asked; the exit code is the run's."""
    what, rest = sys.argv[1], sys.argv[2:]
    if what == "serve":
        BREAK[rest[0]]()
        app(rest[1:])
        return
    ground = _ground(what, Path(rest[0]))
    threading.Thread(target=_end_with_the_tests, daemon=True).start()
    code = rehearse(PLANS[what], ground)
    sys.stdout.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
