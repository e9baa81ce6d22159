"""Keys rotate while people work and cases are open; whoever is killed loses nothing (I10)."""

import asyncio
import base64
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from clients.database import Database
from clients.objects import Objects
from clients.temporal.client import CaseSignaller, connect
from crypto import recovery_phrase
from crypto.key_ring import KeyRing, key_ring, place_of, ring_file, use_key_ring
from models.tables.accounts import Account
from models.tables.notices import PushSubscription
from models.tables.people import Person
from ops.backup import BackupError
from ops.backup.keys import open_keys, recipient_of
from ops.keys.rotation import LEARNED, Installation
from ops.keys.use import key_uses
from ops.local.home import CHECKOUT, Home
from ops.local.servers import Launch
from ops.local.servers.forking import Forked, ForkServer
from ops.local.system import settings_from
from rules.cases.process import Status, Transition
from rules.clock import now
from rules.ids import new_id
from services.accounts import sign_in
from services.encrypted_values.rotation import stored
from services.encrypted_values.verification import each_value
from services.journal import checkpoints
from services.journal.checkpoint_files import checkpoints_folder
from services.journal.checkpoints import trusted_certificates
from services.journal.verification import verify
from services.seal import open_seal
from tests.shared.accounts import PASSWORD, account_with_password, visitor_at
from tests.shared.office import Office
from tests.shared.servers import Servers, Simulators, worker_settings
from tests.shared.waiting import PATIENCE, until
from worker import build

A = ("1" * 32).encode()
KILLED_AFTER = (
    "the keys are backed up",
    "encrypts; earlier keys only read",
    "rows encrypted anew",
    "rows encrypted anew",
    "blind indexes made anew",
)
"""What the command has just said when it is killed, one time after the other."""


def ring(text: str) -> KeyRing:
    """A ring of keys called as here, with a key for each."""
    keys = (
        f"{name}:{base64.b64encode(name[:2].ljust(32).encode()).decode()}:{state}".rstrip(":")
        for name, _, state in (part.partition(":") for part in text.split())
    )
    return KeyRing.parse(",".join(keys))


def test_a_key_comes_in_steps_and_leaves_no_gap() -> None:
    """Known first, then in use beside the one before, then alone; each step reads all."""
    before = ring("k1")
    stages = [before, before.with_new_key()]
    stages.append(stages[-1].with_newest_in_use(7))
    stages.append(stages[-1].with_newest_alone())
    assert [list(stage.keys) for stage in stages] == [["k1"], ["k2", "k1"], *[["k2", "k1"]] * 2]
    assert [stage.in_use for stage in stages] == [["k1"], ["k1"], ["k2", "k1"], ["k2"]]
    assert [stage.blind("x").count(".") for stage in stages] == [0, 0, 1, 1]
    for one, other in pairwise(stages[1:]):
        assert other.decrypt(one.encrypt(b"x", b"here"), b"here") == b"x"
        assert one.decrypt(other.encrypt(b"x", b"here"), b"here") == b"x"
        assert one.is_blind(other.blind("x"), "x")
        assert other.is_blind(one.blind("x"), "x")
        assert not other.is_blind(one.blind("x"), "y")
    assert [KeyRing.parse(stage.text()) for stage in stages] == stages
    again = stages[-1].with_new_key().with_newest_in_use(9).with_newest_alone()
    assert KeyRing.parse(again.text()).since == {"k2": 7, "k3": 9}, "earlier keys keep theirs"
    assert stages[-1].without("k1").text().endswith(":7")


@pytest.mark.parametrize(
    ("before", "after", "indexes"),
    [
        ("a", "k2", "a"),
        ("k2", "k3", "k2"),
        ("k3 k2 k1", "k4", "k1"),
        ("2026 2025", "k2028", "2025"),
    ],
)
def test_rings_written_by_hand_rotate_too(before: str, after: str, indexes: str) -> None:
    """The new key fills the other place of an index than the oldest, which went on indexing."""
    began = ring(before)
    rotated = began.with_new_key().with_newest_in_use(1)
    assert rotated.in_use == [after, indexes]
    assert place_of(after) != place_of(indexes)
    assert rotated.blind("x").split(".")[place_of(indexes)] in began.blind("x").split(".")


@pytest.mark.parametrize(
    "text", ["", "k1", "k1:eA==", "k1:{0}:later", "k1:{0}:reads", "k1:{0}:1:2"]
)
def test_a_ring_that_cannot_work_is_refused(text: str) -> None:
    """Too short, of no known state, or without a key that encrypts."""
    with pytest.raises(ValueError):  # noqa: PT011
        KeyRing.parse(text.format(base64.b64encode(A).decode()))


def test_a_process_follows_the_file(tmp_path: Path) -> None:
    """What another process rotates holds here at once where it is needed to read."""
    text = f"k1:{base64.b64encode(A).decode()}"
    here = KeyRing.installed(text, tmp_path)
    there = KeyRing.installed(text, tmp_path).with_new_key().with_newest_in_use(1)
    ring_file(tmp_path).parent.mkdir()
    ring_file(tmp_path).write_text(there.text())
    assert here.decrypt(there.encrypt(b"x", b"here"), b"here") == b"x"
    assert here.in_use == there.in_use
    assert KeyRing.installed(text, tmp_path) == there


@dataclass
class Ward:
    """An installation on the servers of the run: database, bucket and home are its own."""

    place: Installation
    database: Database
    office: Office
    person: Person
    phrase: str
    forks: ForkServer
    said: Path
    """What the last command said."""

    def command(self, *arguments: str) -> Forked:
        """`medcab keys` in a process of its own."""
        settings = self.place.settings
        owner, phrase = settings.database_owner_url, recipient_of(self.phrase)
        assert owner is not None
        launch = Launch(
            [sys.executable, "-m", "ops.cli", "keys", *arguments],
            {
                "PATH": os.defpath,
                "MEDCAB_HOME": str(self.place.home.folder),
                "MEDCAB_KEYS": settings.keys.get_secret_value(),
                "DATABASE_URL": settings.database_url.get_secret_value(),
                "DATABASE_OWNER_URL": owner.get_secret_value(),
                "TEMPORAL_ADDRESS": settings.temporal_address,
                "MEDCAB_BACKUP_FOLDER": str(settings.backup_folder),
                "MEDCAB_BACKUP_RECIPIENT": phrase,
            },
            CHECKOUT,
        )
        with self.said.open("wb") as said:
            process = self.forks.fork(launch, said)
        assert process is not None
        return process

    async def kill_after(self, words: str, *arguments: str) -> None:
        """Kill the command as soon as it says this."""
        process = await asyncio.to_thread(self.command, *arguments)

        async def has_said() -> bool:
            said = self.said.read_text()
            assert words in said or process.poll() is None, said
            return words in said

        await until(has_said, every=0.01)
        process.send_signal(signal.SIGKILL)
        await asyncio.to_thread(process.wait)

    async def ended(self, code: int, *arguments: str) -> str:
        """What the command said until it ended with this exit code."""
        process = await asyncio.to_thread(self.command, *arguments)
        ended = await asyncio.to_thread(process.wait, PATIENCE)
        said = self.said.read_text()
        assert ended == code, said
        return said

    async def add(self, email: str) -> UUID:
        """Somebody new with an account, a SNILS and a browser."""
        async with self.database.work() as session:
            person = Person(
                unit_id=self.office.ward,
                position="медсестра",
                name="Новая Анна",
                email=email,
                snils=email,
                snils_blind=key_ring().blind(email),
                created_at=now(),
            )
            session.add(person)
            await session.flush()
            session.add(account_with_password(person, now()))
            browser = {"endpoint": f"https://push.example/{email}", "p256dh": "", "auth": ""}
            session.add(
                PushSubscription(
                    id=new_id(),
                    person_id=person.id,
                    contents=browser,
                    endpoint_blind=key_ring().blind(f"push:{browser['endpoint']}"),
                    device="Firefox",
                    created_at=now(),
                )
            )
            return person.id

    async def people_work(self, ended: asyncio.Event) -> int:
        """Until it ends: somebody is found, somebody comes, and nobody comes twice."""
        rounds = 0
        while not ended.is_set():
            rounds += 1
            async with self.database.work() as session:
                login = sign_in.login_of(self.person.email)
                found = await session.exec(select(Account).where(col(Account.login) == login))
                assert found.one().person_id == self.person.id
            email = f"{uuid4().hex}@example.org"
            person_id = await self.add(email)
            with pytest.raises(IntegrityError):
                await self.add(email)
            async with self.database.work() as session:
                known = await session.get_one(Person, person_id)
                assert known.email == email
            await asyncio.sleep(0.05)
        return rounds


@pytest.fixture
async def ward(servers: Servers, simulators: Simulators, tmp_path: Path) -> AsyncIterator[Ward]:
    """A ward with a person, whose cases a real worker moves."""
    home = Home(tmp_path / "home")
    home.make()
    phrase = recovery_phrase.new_phrase()
    settings = worker_settings(servers, simulators, f"keys-{uuid4().hex}", home).model_copy(
        update={
            "backup_folder": tmp_path / "backups",
            "backup_recipient": recipient_of(phrase),
        }
    )
    database = Database.from_settings(settings)
    client = await connect(settings, key_ring())
    office = await Office.open(database, CaseSignaller(client, settings.task_queue))
    async with database.work() as session:
        person = await session.get_one(Person, office.clinician.person_id)
        session.add(account_with_password(person, now()))
    place = Installation(home, settings, lambda _: None)
    forks = ForkServer(home.logs, ["ops.cli"], ["ops.keys.use"])
    async with build(settings, client, database):
        yield Ward(place, database, office, person, phrase, forks, tmp_path / "said")
    forks.close()
    await database.close()


@pytest.mark.asvs("11.2.2")
async def test_keys_rotate_while_people_work_and_the_command_is_killed(ward: Ward) -> None:
    """Killed five times; nobody is kept out, no address is taken twice, and every value is read."""
    office, place = ward.office, ward.place
    case_id = await office.submitted()

    async def stands(status: Status) -> bool:
        return (await office.case(case_id)).status == status

    await until(lambda: stands(Status.IN_REVIEW), 60)
    for _ in range(3):
        await ward.add(f"{uuid4().hex}@example.org")
    assert [use.id for use in await key_uses(place)] == ["test"]

    ended = asyncio.Event()
    work = asyncio.create_task(ward.people_work(ended))
    keys_folder = Path(f"{place.settings.backup_folder}-keys")
    await asyncio.to_thread(keys_folder.touch)
    with pytest.raises(BackupError):
        await place.rotate(go_on=False)
    assert place.ring().reads == {"k2"}, "backed up before it is used"
    await asyncio.to_thread(keys_folder.unlink)
    for words in KILLED_AFTER:
        await ward.kill_after(words, "rotate", "--go-on")
    await ward.ended(0, "rotate", "--go-on")
    ended.set()
    assert await work > 5

    rotated = place.ring()
    assert (rotated.in_use, list(rotated.keys)) == (["k2"], ["k2", "test"])
    async with place.engine() as engine, engine.connect() as connection:
        found = await stored(connection, rotated)
        assert set(found.values) == {"k2"}
        assert {one for one, number in found.indexes.items() if number} == {"k2"}
        faults = [fault async for fault in each_value(connection, rotated) if fault]
    assert faults == []
    await sign_in.sign_in(ward.database, ward.person.email, PASSWORD, visitor_at(), now())
    await office.decide(case_id, Transition.APPROVE)
    await until(lambda: stands(Status.APPROVED), 60)
    settings = place.settings
    report = await verify(
        ward.database, checkpoints_folder(settings.home), trusted_certificates(settings), rotated
    )
    assert report.faults == []
    kept = open_keys(keys_folder, ward.phrase)
    assert "k2" in KeyRing.parse(kept["keys/ring"].decode()).keys

    assert await place.rotate(go_on=True) is None
    told = await ward.ended(1, "retire", "test")
    assert "workflows that began under it" in told
    assert "entries of the journal that wait for a checkpoint" in told
    # Long after, when its workflows are gone, and all entries stand in checkpoints.
    folder, objects = checkpoints_folder(settings.home), Objects(settings)
    await checkpoints.take(ward.database, open_seal(settings), folder, objects)
    await objects.close()
    place.write(KeyRing.parse(rotated.text().replace(str(rotated.since["k2"]), "1")))
    await ward.ended(0, "retire", "test")
    assert list(place.ring().keys) == ["k2"]
    [last_key] = await key_uses(place)
    assert last_key.needed[0] == "it encrypts"
    use_key_ring(place.ring())
    await ward.add("after@example.org")


async def test_keys_written_by_hand_rotate_and_wait_for_whoever_writes(
    new_database: Callable[[], dict[str, str]], tmp_path: Path
) -> None:
    """Of two keys of one place nobody is lost, nor who is stored when the last pass is over."""
    home = Home(tmp_path / "home")
    home.make()
    given = {"MEDCAB_KEYS": ring("k3 k1").text(), "MEDCAB_HOME": str(home.folder)}
    settings = settings_from({**new_database(), **given, "S3_SECRET_KEY": "none is needed"})
    database, place = Database.from_settings(settings), Installation(home, settings, print)
    office = await Office.open(database)
    async with database.work() as session:
        person = await session.get_one(Person, office.clinician.person_id)
        session.add(account_with_password(person, now()))
    async with database.work() as session:
        late = Person(
            unit_id=office.ward,
            position="медсестра",
            name="Новая Анна",
            email="late@example.org",
            snils="late",
            snils_blind=key_ring().blind("late"),
            created_at=now(),
        )
        session.add(late)
        await session.flush()
        rotating = asyncio.create_task(place.rotate(go_on=False))
        await asyncio.wait([rotating], timeout=3 * LEARNED)
    await rotating
    use_key_ring(place.ring())
    assert key_ring().in_use == ["k4"]
    async with database.work() as session:
        login, snils = sign_in.login_of(person.email), key_ring().blind("late")
        accounts = await session.exec(select(Account.person_id).where(Account.login == login))
        assert accounts.all() == [person.id]
        people = await session.exec(select(Person.id).where(Person.snils_blind == snils))
        assert people.all() == [late.id]
    await database.close()
