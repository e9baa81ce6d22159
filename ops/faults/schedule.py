"""The faults of a run, drawn from a seed, and how each is made."""

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ops.faults.clients import ApiTransport
from ops.faults.evidence import Evidence
from ops.faults.installation import FaultsInstallation
from services.crash_points import CrashPoint

BEYOND_ACTIVITY = 17.0
"""Seconds: more than the start-to-close of an activity (15), so that the thawed one is a zombie."""
BEYOND_LOCK = 33.0
"""Seconds: more than PostgreSQL leaves a transaction idle (30), so that a sender loses its lock."""
HANG_UPS = 4

RESTART_SECONDS = 180.0
"""Within which a server has to work again, also on a busy machine."""
IN_API = frozenset({CrashPoint.ACT_COMMITTED, CrashPoint.DOCUMENT_STORED})
RARE = (
    CrashPoint.SWEPT,
    CrashPoint.SEALED,
    CrashPoint.DOCUMENT_STORED,
    CrashPoint.PORTFOLIO_FILED,
    CrashPoint.PORTFOLIO_SENT,
    CrashPoint.EVENT_SENT,
)
"""Points that few processes reach: armed beside the others, until one does."""


@dataclass(frozen=True)
class Fault:
    """One fault: what is done, to which server or group of servers, and for how many seconds."""

    what: str
    whom: str
    seconds: float = 0.0

    def __str__(self) -> str:
        return f"{self.what} {self.whom}" + (f" {self.seconds:g} s" if self.seconds else "")


ESSENTIAL = (
    Fault("kill", "worker"),
    Fault("kill", "postgres"),
    Fault("kill", "temporal"),
    Fault("kill", "api"),
    Fault("kill", "minio"),
    Fault("freeze", "worker", BEYOND_ACTIVITY),
    Fault("cut", "mail", 3.0),
    Fault("hang up", "clients"),
)
"""Every run has these, in some order."""

FURTHER = (
    Fault("fail", "register", 6.0),
    Fault("silent", "register", 8.0),
    Fault("slow", "register", 6.0),
    Fault("garbage", "register", 4.0),
    Fault("cut", "register", 4.0),
    Fault("down", "mail", 6.0),
    Fault("slow", "mail", 5.0),
    Fault("refuse_for_now", "mail", 4.0),
    Fault("kill", "simulators"),
    Fault("fail", "sms", 6.0),
    Fault("silent", "sms", 6.0),
    Fault("slow", "sms", 5.0),
    Fault("lose answers", "sms", 5.0),
    Fault("answer late", "sms", 5.0),
    Fault("lose receipts", "sms", 10.0),
    Fault("receipts twice", "sms", 10.0),
    Fault("bounce", "sms", 6.0),
    Fault("fail", "push", 6.0),
    Fault("silent", "push", 6.0),
    Fault("slow", "push", 5.0),
    Fault("lose answers", "push", 4.0),
    Fault("end a subscription", "push"),
    Fault("kill", "gov_service"),
    Fault("fail", "gov_service", 8.0),
    Fault("silent", "gov_service", 8.0),
    Fault("garbage", "gov_service", 4.0),
    Fault("cut", "gov_service", 5.0),
    Fault("lose callbacks", "gov_service", 10.0),
    Fault("answer twice", "gov_service", 10.0),
    Fault("fail", "subscriber", 6.0),
    Fault("silent", "subscriber", 8.0),
    Fault("lose answers", "subscriber", 4.0),
    Fault("fail", "accreditation_centre", 8.0),
    Fault("garbage", "accreditation_centre", 4.0),
    Fault("lose answers", "accreditation_centre", 6.0),
    Fault("push twice", "laboratory", 10.0),
    Fault("hold pushes", "laboratory", 8.0),
    Fault("lose pushes", "laboratory", 5.0),
    Fault("garbage", "laboratory", 4.0),
    Fault("freeze", "api", 6.0),
    Fault("freeze", "postgres", 6.0),
    Fault("freeze", "temporal", 8.0),
    Fault("freeze", "minio", 8.0),
    Fault("freeze", "worker", BEYOND_LOCK),
    Fault("kill", "worker"),
    Fault("kill", "worker"),
    Fault("kill", "api"),
    Fault("kill", "postgres"),
    Fault("kill", "temporal"),
    Fault("hang up", "clients"),
)

QUICK: Mapping[str, object] = {"delay": 1.0}
USUAL: Mapping[str, Mapping[str, object]] = {
    "gov_service": QUICK,
    "accreditation_centre": QUICK,
    "sms": {},
    "push": {},
    "subscriber": {},
    "laboratory": {},
}
"""How simulators behave between faults: the gov service and the federal centre are quick."""
BEHAVIOUR: Mapping[tuple[str, str], Mapping[str, object]] = {
    ("lose callbacks", "gov_service"): {**QUICK, "callbacks": "lost"},
    ("answer twice", "gov_service"): {**QUICK, "twice": True},
    ("lose answers", "sms"): {"reply": "lost"},
    ("answer late", "sms"): {"reply": "late"},
    ("lose receipts", "sms"): {"receipts": "lost"},
    ("receipts twice", "sms"): {"receipts": "twice"},
    ("bounce", "sms"): {"result": "bounced"},
    ("lose answers", "push"): {"reply": "lost"},
    ("lose answers", "subscriber"): {"reply": "lost"},
    ("lose answers", "accreditation_centre"): {**QUICK, "lost": True},
    ("push twice", "laboratory"): {"pushes": "twice"},
    ("hold pushes", "laboratory"): {"pushes": "held"},
    ("lose pushes", "laboratory"): {"pushes": "lost"},
}
"""How simulators misbehave during a fault."""
ELSEWHERE = frozenset(
    {
        CrashPoint.BATCH_ASKED,
        CrashPoint.BATCH_STORED,
    }
)
"""Points that no case of a run comes to: those of batches, died at by `medcab bench sync`."""
KEEPS_UNNOTED = frozenset({"simulators"})
"""Servers that store a repeated message as one more: killed before answering, they get it twice."""


def draw(kills: int, dice: random.Random) -> list[Fault]:
    """So many faults in random order: first all the essential ones, then others by chance."""
    chosen = list(ESSENTIAL[:kills])
    while len(chosen) < kills:
        further = dice.sample(FURTHER, len(FURTHER))
        chosen += further[: kills - len(chosen)]
        # After all of the others the essential ones come again.
        chosen += ESSENTIAL[: kills - len(chosen)]
    dice.shuffle(chosen)
    return chosen


@dataclass
class Hand:
    """Makes faults and counts them."""

    ground: FaultsInstallation
    transport: ApiTransport
    evidence: Evidence
    dice: random.Random
    say: Callable[[str], None]
    _lasting: set[asyncio.Task[None]] = field(default_factory=set)

    async def make(self, fault: Fault) -> None:
        """Make a fault. One that lasts goes on beside those that follow."""
        self.say(f"fault {self.evidence.faults.total() + 1:>3}: {fault}")
        self.evidence.faults[f"{fault.what} {fault.whom}"] += 1
        dies_with_it = fault.what == "kill" and fault.whom in KEEPS_UNNOTED
        if fault.whom in ("worker", "postgres") or dies_with_it:
            self.evidence.sender_interrupted += 1
        task = asyncio.create_task(self._do(fault))
        self._lasting.add(task)
        task.add_done_callback(self._lasting.discard)
        if not fault.seconds:
            await task

    async def lifted(self) -> None:
        """Wait until no fault lasts any more."""
        if self._lasting:
            await asyncio.gather(*self._lasting)

    async def _do(self, fault: Fault) -> None:
        if fault.what == "hang up":
            self.transport.to_cut += HANG_UPS
        elif fault.what == "kill":
            self.ground.kill(await self._one_of(fault.whom))
        elif fault.what == "freeze":
            frozen = self.ground.freeze(await self._one_of(fault.whom))
            try:
                await asyncio.sleep(fault.seconds)
            finally:
                self.ground.thaw(frozen)
        elif fault.what == "end a subscription":
            if (name := self.evidence.next_to_go()) is not None:
                await self.ground.end_subscription(name)
        elif (fault.what, fault.whom) == ("cut", "mail"):
            with self.evidence.cutting():
                await self._spoil(fault)
        else:
            await self._spoil(fault)

    async def _spoil(self, fault: Fault) -> None:
        wrong = BEHAVIOUR.get((fault.what, fault.whom))
        if wrong is not None:
            await self.ground.turn(fault.whom, to="behaviour", **wrong)
            await asyncio.sleep(fault.seconds)
            await self.ground.turn(fault.whom, to="behaviour", **USUAL[fault.whom])
            return
        slow: dict[str, object] = {"seconds": 3.0} if fault.what in ("slow", "silent") else {}
        await self.ground.turn(fault.whom, "faults", mode=fault.what, **slow)
        await asyncio.sleep(fault.seconds)
        await self.ground.turn(fault.whom, mode="ok")

    async def _one_of(self, whom: str) -> str:
        """A server of the kind, once all of them work: one that is down cannot be killed."""
        group = _group(self.ground, whom)
        await _working(self.ground, group)
        return self.dice.choice(group)


def _group(ground: FaultsInstallation, whom: str) -> list[str]:
    return {"worker": ground.workers, "api": ground.apis}.get(whom, [whom])


async def _working(ground: FaultsInstallation, names: Sequence[str]) -> None:
    async with asyncio.timeout(RESTART_SECONDS):
        while not ground.ready(names):  # noqa: ASYNC110 - other programs are watched
            await asyncio.sleep(0.1)


def lanes(hits: Mapping[CrashPoint, int], dice: random.Random) -> list[list[CrashPoint]]:
    """Split the points to hit into lists that are worked through at the same time.

    Common points share one list, in random order. Each rare point has a list of its own, since
    waiting for it would hold up the others.
    """
    common = [point for point, times in hits.items() if point not in RARE for _ in range(times)]
    dice.shuffle(common)
    return [common, *([point] * hits[point] for point in RARE if hits.get(point))]


async def crash(
    ground: FaultsInstallation, evidence: Evidence, points: Sequence[CrashPoint], pause: float
) -> None:
    """Make processes die at these points, one after another, waiting until each was hit."""
    for point in points:
        group = _group(ground, "api" if point in IN_API else "worker")
        # One death at a time in each lane: what dies all the time cannot show that it recovers.
        await _working(ground, group)
        await asyncio.sleep(pause / 2)
        before = ground.hits(point)
        ground.arm(point)
        while ground.hits(point) == before:  # noqa: ASYNC110 - another program is watched
            await asyncio.sleep(0.1)
        evidence.sender_interrupted += point not in IN_API
        await asyncio.sleep(pause / 2)
