"""`medcab faults`: put cases through while servers fail, then prove that nothing was lost.

A run has servers, data and people of its own, in a folder that is removed when all went well.
"""

import asyncio
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from api.http.auth import cookie_names
from clients.database import Database
from clients.temporal.client import connect
from crypto.key_ring import KeyRing, key_ring, use_key_ring
from ops.faults import checks, people
from ops.faults.account_people import gather_for_accounts
from ops.faults.applications import ApplicationStory
from ops.faults.clients import TRIES, TRY_SECONDS, ApiClient, ApiTransport, NoAnswer
from ops.faults.clinic.appointments import AppointmentStory
from ops.faults.clinic.people import REGISTRARS, gather_for_clinic
from ops.faults.clinic.results import ResultStory
from ops.faults.evidence import Evidence
from ops.faults.installation import FaultsInstallation
from ops.faults.locks import LockStory
from ops.faults.qualification.accreditations import AccreditationStory
from ops.faults.qualification.credentials import CredentialStory
from ops.faults.qualification.handovers import HandoverStory
from ops.faults.qualification.people import gather_for_qualification
from ops.faults.requests import RequestStory
from ops.faults.rights import RightsStory
from ops.faults.schedule import ELSEWHERE, QUICK, Hand, crash, draw, lanes
from ops.faults.story import Story
from ops.faults.verifications import VerificationStory
from services.crash_points import CrashPoint

ANSWERED_BAR = 0.95
ALL_POINTS = 3
"""Times that each crash point is hit in a run of at least `LONG` faults."""
LONG = 50
HITS_WITHIN = 180.0
CATCH_UP, CATCHES_UP_EVERY, TEMPORAL_WITHIN = "laboratory-catch-up", 8.0, timedelta(seconds=5)
REQUESTS = 0.35
"""The share of requests among the cases."""
RIGHTS = 0.08
"""The share of changes of rights."""
VERIFICATIONS = 0.06
"""The share of accounts to be confirmed."""
LOCKS = 0.05
"""The share of accounts that are locked."""
QUALIFICATION = {"credential": 0.07, "accreditation": 0.05, "handover": 0.04}
"""The shares of stories about qualification."""
APPOINTMENTS = 0.12
"""The share of appointments."""
RESULTS_EVERY = 6
"""One story in so many brings the results of one doctor."""
ONE_OF_EACH = ("rights", "verification", "lock", *QUALIFICATION, "appointment", "result")
"""Kinds of story that a run has at least once, however short it is: its first ones."""


@dataclass(frozen=True)
class Plan:
    """What a run is to do. Durations are in seconds."""

    cases: int
    kills: int
    seed: int
    hits: Mapping[CrashPoint, int] = field(default_factory=dict)
    workers: int = 2
    apis: int = 2
    in_flight: int = 10
    pause: float = 4.0
    settle_within: float = 60.0
    first: tuple[str, ...] = ONE_OF_EACH
    """The kinds of the first stories."""

    @classmethod
    def of(cls, cases: int, kills: int, seed: int) -> "Plan":
        """The run of the command: each crash point three times, less often in short runs."""
        times = min(ALL_POINTS, max(1, kills * ALL_POINTS // LONG))
        points = (point for point in CrashPoint if point not in ELSEWHERE)
        return cls(cases, kills, seed, dict.fromkeys(points, times))


def run(cases: int, kills: int, seed: int) -> int:
    """Do a run and print what was tried and found: 0 when nothing was lost, 1 otherwise."""
    plan = Plan.of(cases, kills, seed)
    folder = Path(tempfile.mkdtemp(prefix="medcab-faults-"))
    return rehearse(plan, FaultsInstallation(folder, workers=plan.workers, apis=plan.apis))


def rehearse(plan: Plan, ground: FaultsInstallation) -> int:
    """Do a run on its installation, which is stopped at the end, and kept when the run failed."""
    began = time.monotonic()

    def say(text: str) -> None:
        sys.stdout.write(f"{time.monotonic() - began:6.1f} s  {text}\n")
        sys.stdout.flush()

    # SIGTERM ends the run as Ctrl-C does, so that its servers are stopped too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    good = False
    try:
        say(f"{plan.cases} cases, {plan.kills} faults, seed {plan.seed}: starting the servers")
        ground.start()
        keys = ground.settings.keys.get_secret_value()
        use_key_ring(KeyRing.installed(keys, ground.settings.home))
        good = asyncio.run(_Run(plan, ground, say).whole())
    finally:
        say("stopping")
        ground.stop(keep=not good)
        if not good:
            say(f"FAILED. Logs and data are kept in {ground.folder}")
    return 0 if good else 1


class _Run:
    """One run, from the first case to the verdict."""

    def __init__(self, plan: Plan, ground: FaultsInstallation, say: Callable[[str], None]) -> None:
        self.plan, self.ground, self.say = plan, ground, say
        self.evidence = Evidence()
        self.transport = ApiTransport.open(ground.settings.public_url, self.evidence.tally)
        self.database = Database.from_settings(ground.settings)
        self.dice = random.Random(plan.seed)  # noqa: S311 - repeatable, nothing secret
        self.begun = 0
        self.under_way: set[asyncio.Task[None]] = set()
        self.faults_over = asyncio.Event()

    async def whole(self) -> bool:
        """Do the whole run. True when every bar holds."""
        cast = await people.gather(self.database, max(3, self.plan.cases // 10))
        names = cookie_names(self.ground.settings)
        self.rights = await people.gather_for_rights(
            self.database, names, max(2, self.plan.cases // 30)
        )
        self.accounts = await gather_for_accounts(
            self.database, names, max(2, self.plan.cases // 8)
        )
        receiver = self.ground.system.address_of("subscriber")
        self.qualification = await gather_for_qualification(
            self.database, self.ground.settings, names, max(4, self.plan.cases // 5), receiver
        )
        self.clinic = await gather_for_clinic(self.database)
        browsers = await people.settle_in(self.database, self.ground.settings, cast)
        self.evidence.browsers.update(browsers)
        reviewers = len(cast.reviewers) + len(cast.leavers)
        self.say(f"{len(cast.applicants)} applicants, {reviewers} reviewers")
        for simulator in ("gov_service", "accreditation_centre"):
            await self.ground.turn(simulator, to="behaviour", **QUICK)
        hand = Hand(self.ground, self.transport, self.evidence, self.dice, self.say)
        cases = asyncio.create_task(self._cases(cast))
        faults = asyncio.create_task(self._faults(hand, cast))
        beside = [
            asyncio.create_task(self.transport.watch()),
            asyncio.create_task(self._catch_up()),
        ]
        await asyncio.gather(cases, faults)
        settled = await self._settle()
        for task in beside:
            task.cancel()
        report = await checks.check(
            self.ground.settings, self.database, self.ground.sink, self.evidence, receiver
        )
        await self.database.close()
        await self.transport.http.aclose()
        return self._verdict(report, settled)

    async def _cases(self, cast: people.Cast) -> None:
        """Begin cases, `in_flight` at a time, until there are enough and the faults are over."""
        places = asyncio.Semaphore(self.plan.in_flight)
        while self.begun < self.plan.cases or not self.faults_over.is_set():
            if not await self._place(places):
                return
            task = asyncio.create_task(
                self._tell(cast, self.begun), name=f"case {self.begun} came to no end"
            )
            self.begun += 1
            self.under_way.add(task)
            task.add_done_callback(self.under_way.discard)
            task.add_done_callback(lambda _: places.release())

    async def _place(self, places: asyncio.Semaphore) -> bool:
        """Wait for a place in flight; False once no further case is wanted."""
        taken = asyncio.create_task(places.acquire())
        over = asyncio.create_task(self.faults_over.wait())
        await asyncio.wait([taken, over], return_when=asyncio.FIRST_COMPLETED)
        over.cancel()
        if not taken.done() and self.begun >= self.plan.cases:
            taken.cancel()
            return False
        return await taken

    async def _tell(self, cast: people.Cast, number: int) -> None:
        dice = random.Random(f"{self.plan.seed}/{number}")  # noqa: S311
        story = self._story(cast, number, dice)
        try:
            await story.tell()
        except Exception as reason:
            what = "" if isinstance(reason, NoAnswer) else f"{type(reason).__name__}: "
            self.evidence.failed.append(f"case {number} ({story.ending}): {what}{reason}")
            self.say(self.evidence.failed[-1])

    async def _catch_up(self) -> None:
        """Have the list of the laboratory read every few seconds, not every hour."""
        while True:
            await asyncio.sleep(CATCHES_UP_EVERY)
            with suppress(Exception):
                client = await connect(self.ground.settings, key_ring())
                await client.get_schedule_handle(CATCH_UP).trigger(rpc_timeout=TEMPORAL_WITHIN)

    def _story(self, cast: people.Cast, number: int, dice: random.Random) -> Story:
        applicant = ApiClient(self.transport, dice.choice(cast.applicants))
        share, first = dice.random(), self.plan.first
        kind = first[number] if number < len(first) else _kind(number, share)
        if kind == "rights":
            return self._rights_story(dice)
        if kind == "verification" and self.accounts.registered:
            return VerificationStory(
                self.evidence,
                ApiClient(self.transport, self.accounts.registered.pop()),
                dice,
                self._several(self.accounts.operators),
                self.database,
            )
        if kind == "lock" and self.accounts.owners:
            return LockStory(
                self.evidence,
                ApiClient(self.transport, self.accounts.owners.pop()),
                dice,
                self._several(self.accounts.operators),
                self._several(self.rights.guards),
                self.database,
                self.ground.sink,
            )
        if kind in QUALIFICATION and self.qualification.owners:
            return self._qualification_story(cast, kind, dice)
        if kind == "appointment":
            registrars = self._several(dice.sample(self.clinic.registrars, REGISTRARS))
            return AppointmentStory(self.evidence, registrars, dice, self.clinic)
        if kind == "result":
            doctors = self._several(dice.sample(self.clinic.doctors, 2))
            registrar = ApiClient(self.transport, dice.choice(self.clinic.registrars))
            laboratory = self.ground.system.address_of("laboratory")
            return ResultStory(self.evidence, doctors, registrar, dice, self.clinic, laboratory)
        if kind == "request":
            return RequestStory(self.evidence, applicant, dice, self._several(cast.clerks))
        reviewers = self._several((*cast.reviewers, *cast.leavers.values()))
        return ApplicationStory(
            self.evidence, applicant, dice, reviewers, dice.choice(cast.programmes)
        )

    def _qualification_story(self, cast: people.Cast, kind: str, dice: random.Random) -> Story:
        owner = self.qualification.owners.pop()
        snils = self.qualification.snils[owner.person_id]
        hers = ApiClient(self.transport, owner)
        if kind == "credential":
            return CredentialStory(self.evidence, hers, dice, self.database)
        if kind == "accreditation":
            reviewers = self._several(cast.reviewers)
            return AccreditationStory(self.evidence, hers, dice, reviewers, snils, self.database)
        officers = self._several(self.qualification.officers)
        authority = ApiClient(self.transport, self.qualification.authority)
        return HandoverStory(self.evidence, hers, dice, officers, authority, snils)

    def _several(self, players: Sequence[people.ApiUser]) -> list[ApiClient]:
        return [ApiClient(self.transport, one) for one in players]

    def _rights_story(self, dice: random.Random) -> Story:
        cast = self.rights
        heads, guards = self._several(cast.heads), self._several(cast.guards)
        asker = ApiClient(self.transport, dice.choice(cast.askers))
        return RightsStory(self.evidence, asker, dice, heads, guards, cast.units)

    async def _faults(self, hand: Hand, cast: people.Cast) -> None:
        """Make faults in step with the cases.

        Half-way, some reviewers stop, each in another way.
        """
        crashes = [
            asyncio.create_task(crash(self.ground, self.evidence, lane, self.plan.pause))
            for lane in lanes(self.plan.hits, self.dice)
        ]
        faults = draw(self.plan.kills, self.dice)
        for number, fault in enumerate(faults):
            while self.begun < self.plan.cases * number / len(faults):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
            await asyncio.sleep(self.dice.uniform(0.25, 1.75) * self.plan.pause)
            if number == len(faults) // 2:
                for how, leaver in cast.leavers.items():
                    await self._part(leaver, how)
            await hand.make(fault)
        await hand.lifted()
        if crashes:
            await asyncio.wait(crashes, timeout=HITS_WITHIN)
        for task in crashes:
            task.cancel()
        self.ground.disarm()
        self.faults_over.set()

    async def _part(self, leaver: people.ApiUser, how: people.Parting) -> None:
        while True:
            try:
                await people.part(self.database, leaver, how)
            except Exception as error:
                # The database may just be down; the run has to go on.
                self.say(f"{leaver.name}: not yet, {type(error).__name__}")
                await asyncio.sleep(1)
            else:
                self.say(f"a reviewer {how}")
                return

    async def _settle(self) -> float | None:
        """Seconds until nothing was under way any more; None when it took too long."""
        self.say("no more faults: everything has to settle")
        began = time.monotonic()
        left = ""
        while time.monotonic() - began < self.plan.settle_within:
            if self.under_way:
                left = f"{len(self.under_way)} stories under way"
            elif not (left := await checks.unsettled(self.ground.settings, self.database)):
                return time.monotonic() - began
            await asyncio.sleep(1)
        self.say(f"NOT settled after {self.plan.settle_within:g} s: {left}")
        self.evidence.failed += [task.get_name() for task in self.under_way]
        for task in self.under_way:
            task.cancel()
        await asyncio.gather(*self.under_way, return_exceptions=True)
        return None

    def _verdict(self, report: checks.CheckReport, settled: float | None) -> bool:
        """Print what was tried and found."""
        tally, evidence = self.evidence.tally, self.evidence
        self.say(f"stories: {dict(evidence.stories)}")
        self.say(f"faults:  {dict(evidence.faults)}")
        self.say(f"settled: {'never' if settled is None else f'after {settled:.1f} s'}")
        hits = {point: self.ground.hits(point) for point in self.plan.hits}
        self.say(f"crash points hit: { {point.value: n for point, n in hits.items()} }")
        self.say(
            f"requests: {tally.rounds} rounds of {TRIES} x {TRY_SECONDS:g} s,"
            f" {tally.unanswered} unanswered ({tally.share:.2%} answered); begun while the servers"
            f" were down: {tally.during_outage}, {tally.unanswered_then} unanswered;"
            f" {tally.retried} tries repeated, {tally.hung_up} cut after sending,"
            f" {tally.refused} refused"
        )
        for line in report.lines():
            self.say(line)
        bars = {
            "cases were put through": evidence.stories.total() >= self.plan.cases,
            "faults were made": evidence.faults.total() == self.plan.kills,
            "every crash point was hit": all(hits[p] >= n for p, n in self.plan.hits.items()),
            f"{ANSWERED_BAR:.0%} of requests were answered": tally.share >= ANSWERED_BAR,
            "every story came to its end": not evidence.failed,
            f"settled within {self.plan.settle_within:g} s": settled is not None,
            "all checks hold": report.holds,
        }
        for bar, holds in bars.items():
            self.say(f"{'ok    ' if holds else 'FAULT '} {bar}")
        return all(bars.values())


def _kind(number: int, share: float) -> str:
    """The kind of a story, by its number, or by where in its share of all it lies."""
    if number % RESULTS_EVERY == 0:
        return "result"
    for kind, part in (
        ("request", REQUESTS),
        ("verification", VERIFICATIONS),
        ("lock", LOCKS),
        ("rights", RIGHTS),
        ("appointment", APPOINTMENTS),
        *QUALIFICATION.items(),
    ):
        if share < part:
            return kind
        share -= part
    return "application"
