"""SYNC: 10 000 people compared with three registers while the worker is killed five times.

An installation of its own, with the worker and the simulated registers as they are. People are
those whom the registers know by their seed. The worker is killed with kill -9 at shares of the way,
twice between a register's answer and what it is stored with. The registers themselves count how
often they were asked, and the most within any second.
"""

import asyncio
import tempfile
import time
from pathlib import Path
from uuid import uuid4

import httpx
from sqlalchemy import func
from sqlmodel import col, select

from bench.method import Comparison, Figure, Interval
from clients.database import Database
from clients.temporal.client import connect
from crypto.key_ring import KeyRing
from models.messages import WorkflowName
from models.tables.people import Person, Unit
from models.tables.registers import RegisterRun, RegisterRunPerson
from ops.faults.installation import FaultsInstallation
from rules.clock import now
from rules.registers.kinds import RegisterName
from services.crash_points import CrashPoint
from simulators.registers.people import full_name_of, snils_of

PEOPLE, KILLS = 10_000, 5
LIMIT = 15
"""So many requests a second a register answers; we have agreed to ask ten times."""
SERVERS = ("register", "accreditation_register", "education_portal")
PATIENCE = 1800.0
AT_ONCE = 1000


def sync(scale: float) -> list[Figure]:
    """Nobody twice, nobody missed, no register asked too often; and how long it takes."""
    folder = Path(tempfile.mkdtemp(prefix="medcab-sync-"))
    folder.chmod(0o711)
    ground = FaultsInstallation(folder, workers=1, apis=0)
    keep = True
    try:
        ground.start()
        figures = asyncio.run(_measure(ground, max(300, round(PEOPLE * scale))))
        keep = False
        return figures
    finally:
        ground.stop(keep=keep)


async def _measure(ground: FaultsInstallation, people: int) -> list[Figure]:
    settings = ground.settings
    database = Database.from_settings(settings)
    await _employ(database, people)
    urls = [ground.system.address_of(name) for name in SERVERS]
    async with httpx.AsyncClient(trust_env=False, timeout=10) as http:
        for url in urls:
            await http.put(f"{url}/limit", json={"times": LIMIT, "seconds": 1.0})
        client = await connect(settings, KeyRing.parse(settings.keys.get_secret_value()))
        began = time.monotonic()
        run = await client.start_workflow(
            WorkflowName.REGISTER_SYNC, id=f"sync-{uuid4()}", task_queue=settings.task_queue
        )
        for number in range(1, KILLS + 1):
            await _until_done(database, people * number // (KILLS + 1))
            if number % 2:
                ground.kill("worker-1")
            else:
                ground.arm(CrashPoint.BATCH_ASKED)
        await asyncio.wait_for(run.result(), PATIENCE)
        took = time.monotonic() - began
        counted = [(await http.get(f"{url}/limit")).json() for url in urls]
    async with database.work() as session:
        different_people = func.count(col(RegisterRunPerson.person_id).distinct())
        rows = await session.exec(
            select(func.count(), different_people).select_from(RegisterRunPerson)
        )
        handled, different = rows.one()
        worked = (await session.exec(select(func.max(RegisterRun.worked)))).one()
    await database.close()
    wrong = abs(handled - people * len(RegisterName)) + abs(different - people)
    highest = max(one["highest"] for one in counted)
    notes = {
        "people": str(people),
        "worker killed": f"{KILLS} times, of them {ground.hits(CrashPoint.BATCH_ASKED)} after a"
        " register's answer and before it was stored",
        "rows of people and registers": f"{handled}, of {different} people",
        "requests": ", ".join(
            f"{one['asked']} of which {one['refused']} refused" for one in counted
        ),
        "most in any second": ", ".join(str(one["highest"]) for one in counted),
        "seconds of work of the slowest register": f"{worked:.0f}",
    }

    def figure(name: str, what: str, bar: float, value: float, unit: str) -> Figure:
        exact = Interval(value, value, value)
        return Figure(
            name, what, Comparison.AT_MOST, bar, exact, None, people, value, bar, unit, notes
        )

    return [
        figure("SYNC", "people compared twice, or not at all", 0, wrong, "people"),
        figure("SYNCa", "most requests in a second; 15 are answered", LIMIT, highest, ""),
        figure("SYNCb", "seconds for everybody, with the kills", PATIENCE, took, "s of wall time"),
    ]


async def _employ(database: Database, people: int) -> None:
    """Let them all work here."""
    async with database.work() as session:
        unit = Unit(code=uuid4().hex, name="Отделение")
        session.add(unit)
    for first in range(0, people, AT_ONCE):
        async with database.work() as session:
            session.add_all(
                Person(
                    unit_id=unit.id,
                    position="врач",
                    name=full_name_of(number),
                    email=f"{number}@example.org",
                    snils=snils_of(number),
                    created_at=now(),
                )
                for number in range(first, min(first + AT_ONCE, people))
            )


async def _until_done(database: Database, people: int) -> None:
    """Wait until one register has been compared with so many."""
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends:
        async with database.reading() as session:
            done = (await session.exec(select(func.max(RegisterRun.done)))).one()
        if (done or 0) >= people:
            return
        await asyncio.sleep(0.05)
    raise RuntimeError("the comparison does not go on")
