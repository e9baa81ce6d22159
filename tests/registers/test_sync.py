"""Everybody is compared once, whatever dies meanwhile, and no register is asked too often (Q8)."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func
from sqlmodel import col, select

from clients.database import Database
from clients.register_batches import AskedAbout
from clients.temporal.client import connect
from crypto.key_ring import KeyRing
from models.messages import WorkflowName
from models.tables.journal import JournalEntry
from models.tables.registers import RegisterRecord, RegisterRun, RegisterRunPerson
from rules.journal.entries import JournalKind
from rules.registers.kinds import RecordState, RegisterName
from services import outages
from services.crash_points import CrashPoint
from services.registers import pacing, syncing
from services.registers.asking import NoAnswerError, RegisterLines
from settings import Settings
from simulators.registers.people import snils_of
from tests.registers.comparing import worker_of
from tests.registers.everybody import employ
from tests.shared.servers import Simulators
from tests.shared.waiting import until

PEOPLE, AT_ONCE, MOST_A_SECOND = 300, 50, 30


@pytest.fixture
async def own(
    settings: Settings, new_database: Callable[[], dict[str, str]], tmp_path: Path
) -> AsyncIterator[tuple[Settings, Database, dict[str, str]]]:
    """A database of this test's own: everybody in it is counted."""
    urls = new_database()
    chosen = settings.model_copy(
        update={"task_queue": tmp_path.name, "crash_points": tmp_path, "register_rate": 20.0}
    )
    database = Database(urls["DATABASE_URL"], 10)
    yield chosen, database, urls
    await database.close()


class Switches:
    """The switches of the three simulated registers."""

    def __init__(self, simulators: Simulators) -> None:
        world = (
            simulators.register,
            simulators.accreditation_register,
            simulators.education_portal,
        )
        self.addresses = [one.address for one in world]

    def limit(self, times: int, seconds: float = 1.0) -> None:
        """Set the limit of each, and count anew."""
        for address in self.addresses:
            self.put(address, "limit", {"times": times, "seconds": seconds})

    def put(self, address: str, switch: str, body: object) -> None:
        """Turn one switch."""
        httpx.put(f"{address}/{switch}", json=body, trust_env=False).raise_for_status()

    def counted(self) -> list[dict[str, int]]:
        """What each has counted since its limit was set."""
        return [httpx.get(f"{one}/limit", trust_env=False).json() for one in self.addresses]


@pytest.fixture
def switches(simulators: Simulators) -> Iterator[Switches]:
    """The switches, back in their places after the test."""
    turned = Switches(simulators)
    turned.limit(MOST_A_SECOND)
    yield turned
    turned.limit(MOST_A_SECOND)
    for address in turned.addresses:
        turned.put(address, "faults", {"mode": "ok"})


async def done_in(database: Database, at_least: int) -> bool:
    """Whether each register has been compared with so many people."""
    async with database.work() as session:
        found = (await session.exec(select(RegisterRun.done))).all()
    return len(found) == len(RegisterName) and min(found) >= at_least


async def test_everybody_is_compared_once_though_the_worker_is_killed(
    own: tuple[Settings, Database, dict[str, str]],
    settings: Settings,
    simulators: Simulators,
    switches: Switches,
    tmp_path: Path,
) -> None:
    """A worker dies after the registers answered and before that is stored; another goes on."""
    chosen, database, urls = own
    await employ(database, PEOPLE)
    client = await connect(chosen, KeyRing.parse(chosen.keys.get_secret_value()))
    program = subprocess.Popen(  # noqa: ASYNC220 - started once, never waited for in the loop
        [sys.executable, "-m", "tests.registers.comparing"],
        env={
            **os.environ,
            **simulators.variables,
            **urls,
            "TEMPORAL_ADDRESS": settings.temporal_address,
            "MEDCAB_KEYS": settings.keys.get_secret_value(),
            "MEDCAB_TASK_QUEUE": chosen.task_queue,
            "MEDCAB_CRASH_POINTS": str(tmp_path),
            "MEDCAB_DEMO": "true",
            "MEDCAB_REGISTER_RATE": "3",
        },
    )
    run = await client.start_workflow(
        WorkflowName.REGISTER_SYNC, id=chosen.task_queue, task_queue=chosen.task_queue
    )
    try:
        await until(lambda: done_in(database, AT_ONCE))
        (tmp_path / CrashPoint.BATCH_ASKED).touch()

        async def died() -> bool:
            return program.poll() is not None

        await until(died)
        assert not await done_in(database, PEOPLE)
        async with worker_of(chosen, client, database):
            told = await run.result()
    finally:
        program.kill()
    assert told == {name.value: PEOPLE for name in RegisterName}
    async with database.work() as session:
        for name in RegisterName:
            compared = await session.exec(
                select(func.count())
                .select_from(RegisterRunPerson)
                .join(RegisterRun, col(RegisterRun.id) == col(RegisterRunPerson.run_id))
                .where(
                    RegisterRun.source == name.value,
                    RegisterRunPerson.state == RecordState.FOUND.value,
                )
            )
            # Nobody twice: the key of the rows would refuse that.
            assert compared.one() == PEOPLE
        assert (await session.exec(select(func.count(col(RegisterRecord.id))))).one() == 3 * PEOPLE
        noted = await session.exec(
            select(func.count(col(JournalEntry.id))).where(
                JournalEntry.kind == JournalKind.REGISTER_COMPARED.value
            )
        )
        assert noted.one() == len(RegisterName)
    for counted in switches.counted():
        assert counted["refused"] == 0
        assert counted["highest"] <= MOST_A_SECOND
        # One batch was asked twice, of the register whose worker died.
        assert PEOPLE // AT_ONCE <= counted["asked"] <= PEOPLE // AT_ONCE + 1
    await _the_next_night(chosen, database, switches)


async def _the_next_night(settings: Settings, database: Database, switches: Switches) -> None:
    """Whatever is unchanged is not sent again; what has changed is found; figures stay."""
    switches.put(switches.addresses[0], "changes", {"every": 30})
    lines = RegisterLines.of(settings, database)
    begun = await syncing.begin(database, RegisterName.ACCREDITATION)
    assert (await syncing.begin(database, RegisterName.ACCREDITATION)).run_id == begun.run_id
    while begun.under_way:
        begun = await syncing.shift(database, lines, begun.run_id)
    async with database.work() as session:
        run = await session.get_one(RegisterRun, begun.run_id)
        assert (run.done, run.changed, run.unknown) == (PEOPLE, PEOPLE // 30, 0)
        kept = await session.exec(
            select(func.count())
            .select_from(RegisterRunPerson)
            .join(RegisterRun, col(RegisterRun.id) == col(RegisterRunPerson.run_id))
            .where(RegisterRun.source == RegisterName.ACCREDITATION.value)
        )
        assert kept.one() == PEOPLE
    await lines.close()


async def test_no_register_is_asked_before_its_time(
    own: tuple[Settings, Database, dict[str, str]], switches: Switches
) -> None:
    """Slots are one after another; a register that says «too often» is left alone by everybody."""
    settings, database, _ = own
    lines = RegisterLines.of(settings, database)
    somebody = [AskedAbout("20000000018")]
    name, soon = RegisterName.EDUCATION, timedelta(seconds=1)
    loop = asyncio.get_running_loop()
    began = loop.time()
    await asyncio.gather(*(pacing.turn(database, name, 10.0, soon) for _ in range(6)))
    assert loop.time() - began >= 0.45
    switches.limit(1, 2.0)
    assert (await lines.ask(name, somebody, soon))[0].revision
    with pytest.raises(NoAnswerError):
        await lines.ask(name, somebody, soon)
    with pytest.raises(pacing.NoSlotError):
        await pacing.turn(database, name, 10.0, soon)
    assert switches.counted()[2]["refused"] == 1
    await lines.close()


@pytest.mark.parametrize("fault", ["fail", "garbage", "cut"])
async def test_a_register_that_is_down_is_asked_again_and_said_to_be(
    own: tuple[Settings, Database, dict[str, str]], switches: Switches, fault: str
) -> None:
    """The run stays where it is with the time of the next try, and goes on after it."""
    settings, database, _ = own
    await employ(database, 3, 500)
    lines = RegisterLines.of(settings, database)
    switches.put(switches.addresses[0], "faults", {"mode": fault})
    begun = await syncing.begin(database, RegisterName.WORKERS)
    stopped = await syncing.shift(database, lines, begun.run_id)
    assert stopped.under_way
    assert stopped.again_at is not None
    assert stopped.done == 0
    async with database.work() as session:
        assert await outages.open_since(session, outages.REGISTER) is not None
    switches.put(switches.addresses[0], "faults", {"mode": "ok"})
    done = await syncing.shift(database, lines, begun.run_id)
    assert (done.under_way, done.done, done.again_at) == (False, 3, None)
    async with database.work() as session:
        assert await outages.open_since(session, outages.REGISTER) is None
    await lines.close()


async def test_who_is_not_found_or_bears_another_name_keeps_nobody_away(
    own: tuple[Settings, Database, dict[str, str]], switches: Switches
) -> None:
    """The record of somebody else is not stored; a garbled one leaves the others alone."""
    settings, database, _ = own
    await employ(database, 2, 700)
    await employ(database, 1, 50_000)
    nothing: dict[str, object] = {"accreditation": [], "qualifications": []}
    other = {"surname": "Другой", "name": "Человек", "birth_date": "1980-01-01"}
    workers = switches.addresses[0]
    switches.put(workers, "people", [{"snils": snils_of(701), "general": other, **nothing}])
    lines = RegisterLines.of(settings, database)

    async def states() -> list[str]:
        begun = await syncing.begin(database, RegisterName.WORKERS)
        await syncing.shift(database, lines, begun.run_id)
        async with database.work() as session:
            found = await session.exec(
                select(RegisterRunPerson.state)
                .where(RegisterRunPerson.run_id == begun.run_id)
                .order_by(col(RegisterRunPerson.person_id))
            )
            return list(found.all())

    assert await states() == ["found", "other", "unknown"]
    garbled = {"surname": 17}
    switches.put(workers, "people", [{"snils": snils_of(700), "general": garbled, **nothing}])
    assert await states() == ["unreadable", "other", "unknown"]
    async with database.work() as session:
        kept = (await session.exec(select(RegisterRecord))).all()
        assert sorted(len(one.records) for one in kept) == [0, 0, 1]
    await lines.close()
