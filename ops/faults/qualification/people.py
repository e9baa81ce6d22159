"""Those who keep credentials in a run, who hands documents over, and who asks and hears of them."""

import base64
from dataclasses import dataclass
from functools import partial
from uuid import UUID

import httpx
from sqlmodel import col, select

from api.http.auth import CookieNames
from clients.database import Database
from crypto.certificates import as_pem
from crypto.key_ring import key_ring
from crypto.signing_keys import new_seal_signer
from models.tables.people import Person, Unit
from ops.faults.people import ApiUser, join, session_holders
from rules.access import Role
from rules.clock import now
from rules.subscribers import EventType
from services.handovers import authorities
from services.subscribers import keeping
from services.subscribers.keeping import NewSubscriber
from settings import Settings

RECEIVER = "faults"
"""The name by which the simulated subscriber knows this run."""


@dataclass
class QualificationCast:
    """Owners of credentials, one for each story, and who acts beside them."""

    owners: list[ApiUser]
    officers: tuple[ApiUser, ...]
    authority: ApiUser
    snils: dict[UUID, str]
    """By which the authority asks for an owner."""


async def gather_for_qualification(
    database: Database, settings: Settings, names: CookieNames, number: int, receiver: str
) -> QualificationCast:
    """So many owners, an authority, and a subscriber at the address of the simulated one."""
    async with database.work() as session:
        found = (await session.exec(select(Unit))).all()
    root = next(one.id for one in found if one.parent_id is None)
    ward = next(one.id for one in found if one.code == "therapy")
    owners = [await join(database, f"Врач {n}", Role.DOCTOR, ward) for n in range(number)]
    holders = partial(session_holders, database, names)
    officers = await holders("Начальник кадров", Role.HR_HEAD, root, 2)
    # Numbers as low as these have no check digits.
    snils = {one.person_id: f"000-900-{n:03} 00" for n, one in enumerate(owners)}
    holder = new_seal_signer("Ведомство", "Министерство")
    async with database.work() as session:
        people = await session.exec(select(Person).where(col(Person.id).in_(snils)))
        for person in people.all():
            person.snils = snils[person.id]
            person.snils_blind = key_ring().blind(person.snils)
            session.add(person)
        pem = as_pem(holder.certificate).encode()
        authority, secret = await authorities.add(session, "Министерство", pem)
        url, types = f"{receiver}/events/{RECEIVER}", [one.value for one in EventType]
        new = NewSubscriber("Система-подписчик", url, types)
        _, signs = await keeping.add(session, new, settings.subscriber_networks, None, now())
    async with httpx.AsyncClient(trust_env=False, timeout=10) as http:
        told = await http.put(
            f"{receiver}/receivers/{RECEIVER}", json={"name": RECEIVER, "secrets": [signs]}
        )
        told.raise_for_status()
    basic = base64.b64encode(f"{authority}:{secret}".encode()).decode()
    asks = ApiUser(authority, "Министерство", "", {"Authorization": f"Basic {basic}"})
    return QualificationCast(owners, officers, asks, snils)
