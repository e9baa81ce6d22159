"""A database of one's own for each test, people in it, and a mail server with a fault switch."""

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from clients.database import Database
from clients.delivery.mail import Mailer
from clients.delivery.push import SubscribedBrowser
from models.tables.cases import Case
from models.tables.notices import NoticeSetting
from models.tables.people import Person, Unit
from rules.clock import now
from services.notices import outbox
from services.notices.wording import Addresses
from settings import Settings
from tests.shared.servers import Simulators
from tests.shared.waiting import PATIENCE

NUMBER = "ПК-2026-000123-0"


@pytest.fixture
async def own_database(
    settings: Settings, new_database: Callable[[], dict[str, str]]
) -> AsyncIterator[Database]:
    """An empty migrated database, as the application's role."""
    made = Database(new_database()["DATABASE_URL"], 10)
    yield made
    await made.close()


async def tell(
    database: Database,
    person: Person,
    key: str = "",
    kind: Any = "application_in_review",
    **more: Any,
) -> None:
    """Commit an event; of one kind it is the same again unless `key` is another."""
    async with database.work() as session:
        await outbox.enqueue(
            session,
            person_id=person.id,
            kind=kind,
            event_key=f"{person.id}:{key or kind}",
            facts={"number": NUMBER},
            **{"now": now(), **more},
        )


@pytest.fixture(name="tell")
def teller(own_database: Database) -> Any:
    """Write a notice and commit."""

    async def write(
        person: Person,
        kind: Any = "application_in_review",
        key: str = "1",
        at: datetime | None = None,
    ) -> None:
        async with own_database.work() as session:
            await outbox.enqueue(
                session,
                person_id=person.id,
                kind=kind,
                event_key=f"{key}:{kind}",
                facts={"number": NUMBER},
                now=at or now(),
            )

    return write


@dataclass
class Staff:
    """Makes people to be told something."""

    database: Database
    unit_id: UUID

    async def person(
        self,
        email: str = "",
        language: str = "ru",
        *,
        phone: str | None = None,
        **chosen: bool,
    ) -> Person:
        """Someone with an address nobody else has; `chosen` turns channels on or off.

        Whoever chooses SMS and says nothing of mail gets no mail.
        """
        made = Person(
            unit_id=self.unit_id,
            position="врач-терапевт",
            name="Иванова Анна Сергеевна",
            email=email or f"{uuid4()}@hospital.example",
            snils="112-233-445 95",
            language=language,
            phone=phone,
            created_at=now(),
        )
        if chosen.get("sms"):
            chosen.setdefault("mail", False)
        async with self.database.work() as session:
            session.add(made)
            await session.flush()
            for channel, on in chosen.items():
                session.add(
                    NoticeSetting(
                        person_id=made.id,
                        group="cases",
                        channel=channel,
                        on=on,
                        changed_at=now(),
                    )
                )
        return made

    async def case(self, applicant: Person) -> UUID:
        """A case that a notice can be about."""
        made = Case(
            kind="application",
            type="qualification",
            type_version=1,
            applicant_id=applicant.id,
            unit_id=self.unit_id,
            responsible_unit_id=self.unit_id,
            status="draft",
            created_at=now(),
            since=now(),
            waits_for="applicant",
            term_zone="Europe/Moscow",
        )
        async with self.database.work() as session:
            session.add(made)
        return made.id


@pytest.fixture
async def staff(own_database: Database) -> Staff:
    """People of one unit."""
    unit = Unit(code="therapy", name="Терапевтическое отделение")
    async with own_database.work() as session:
        session.add(unit)
    return Staff(own_database, unit.id)


@pytest.fixture
async def anna(staff: Staff) -> Person:
    """Someone who is told things."""
    return await staff.person()


class Post:
    """The mail sink as tests use it."""

    def __init__(self, address: str) -> None:
        self.http = httpx.Client(base_url=address, trust_env=False)

    def fault(self, mode: str = "ok", **more: Any) -> None:
        """Turn the fault switch."""
        self.http.put("/faults", json={"mode": mode, **more}).raise_for_status()

    def to(self, person: Person) -> list[dict[str, Any]]:
        """Whole messages to a person, oldest first."""
        found = self.http.get("/messages", params={"to": person.email}).json()
        return [self.http.get(f"/messages/{one['id']}").json() for one in reversed(found)]


@pytest.fixture
def post(simulators: Simulators) -> Iterator[Post]:
    """The sink, well at the start of the test and after it."""
    made = Post(simulators.mail.address)
    made.fault()
    yield made
    made.fault()
    made.http.close()


class Phones:
    """The simulated SMS gateway as tests use it."""

    def __init__(self, address: str, token: str) -> None:
        self.address = address
        self.token = token
        self.http = httpx.Client(base_url=address, trust_env=False)

    def fault(self, mode: str = "ok", **more: Any) -> None:
        """Turn the fault switch."""
        self.http.put("/faults", json={"mode": mode, **more}).raise_for_status()

    def behave(self, **how: Any) -> None:
        """Say what becomes of messages from now on."""
        self.http.put("/behaviour", json=how).raise_for_status()

    def to(self, person: Person) -> list[dict[str, Any]]:
        """Messages to a person, oldest first."""
        found = self.http.get("/messages", params={"to": person.phone}).json()
        return list(reversed(found))


@pytest.fixture
def phones(simulators: Simulators) -> Iterator[Phones]:
    """The gateway, well and empty at the start of the test, and well after it."""
    made = Phones(simulators.sms.address, simulators.secrets["MEDCAB_SMS_TOKEN"])
    made.fault()
    made.behave()
    made.http.delete("/messages").raise_for_status()
    yield made
    made.fault()
    made.behave()
    made.http.close()


@pytest.fixture
def mailer(settings: Settings, simulators: Simulators) -> Mailer:
    """The line to the sink, impatient."""
    return Mailer(simulators.mail.variables()["SMTP_URL"], settings.mail_from, timeout=PATIENCE)


@pytest.fixture
def addresses() -> Addresses:
    """Where links lead."""
    return Addresses(
        public="https://cabinet.example",
        temporal="https://temporal.example/namespaces/default",
        institution="Городская клиническая больница № 7",
    )


class Browsers:
    """The simulated push service as tests use it."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.http = httpx.Client(base_url=address, trust_env=False)

    def fresh(self) -> SubscribedBrowser:
        """A browser that has just subscribed."""
        told = self.http.post("/subscriptions").json()
        return SubscribedBrowser(told["endpoint"], told["keys"]["p256dh"], told["keys"]["auth"])

    def fault(self, mode: str) -> None:
        """Turn the fault switch."""
        self.http.put("/faults", json={"mode": mode, "seconds": 3}).raise_for_status()

    def answer(self, status: int = 201, only: SubscribedBrowser | None = None) -> None:
        """What subscriptions get as an answer from now on."""
        name = only.endpoint.rpartition("/")[2] if only else ""
        self.http.put(
            "/behaviour", json={"answer": status, "subscription": name}
        ).raise_for_status()

    def read(self, browser: SubscribedBrowser) -> list[dict[str, Any]]:
        """What a browser decrypted, oldest first."""
        name = browser.endpoint.rpartition("/")[2]
        return list(reversed(self.http.get("/messages", params={"to": name}).json()))


@pytest.fixture
def browsers(simulators: Simulators) -> Iterator[Browsers]:
    """The service, well at the start of the test and after it."""
    made = Browsers(simulators.push.address)
    made.fault("ok")
    made.answer()
    yield made
    made.fault("ok")
    made.answer()
    made.http.close()
