"""Patients who are one person: joined by two people as a link, parted exactly (W2, trap 15)."""

import random
from collections.abc import Mapping
from uuid import UUID

import pytest
from sqlalchemy import func, text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.patients import RecordOpening
from rules.access import Actor, Role
from rules.clock import now
from rules.patients.grounds import REASON_OPENS
from rules.refusals import Refusal
from services.patients import links
from services.patients.joining import Joining
from tests.patients.people import patient
from tests.shared.office import Office

ROWS = text("select id::text, md5(patient::text) from patient where id = any(:ids)")
STORIES, STEPS = 60, 4


async def registrars(office: Office) -> list[Actor]:
    """Two people who register patients."""
    return [
        await office.person(name, Role.REGISTRAR, office.institution)
        for name in ("Лаптева Ирина", "Сомов Кирилл")
    ]


async def rows_of(session: AsyncSession, ids: list[UUID]) -> Mapping[str, str]:
    """A digest of the whole row of each patient."""
    connection = await session.connection()
    found = await connection.execute(ROWS, {"ids": ids})
    return {row[0]: row[1] for row in found.all()}


async def write(office: Office, keys: list[UUID]) -> None:
    """Some work on patients: here rows that open their records."""
    moment = now()
    async with office.database.work() as session:
        session.add_all(
            RecordOpening(
                patient_id=key,
                person_id=office.clinician.person_id,
                ground="consent",
                at=moment,
                ends_at=moment + REASON_OPENS,
            )
            for key in keys
        )


async def read(session: AsyncSession, key: UUID) -> int:
    """How much work is read of the person whom this patient is."""
    them = await links.joined(session, key)
    found = await session.exec(
        select(func.count(col(RecordOpening.id))).where(col(RecordOpening.patient_id).in_(them.ids))
    )
    return found.one()


async def test_two_people_join_and_one_parts(office: Office) -> None:
    """Nobody confirms what they proposed; no row changes, before, between or after."""
    one, other = await registrars(office)
    joining = Joining(office.database)
    a, b, c = [await patient(office.database, office.ward) for _ in range(3)]
    async with office.database.work() as session:
        before = await rows_of(session, [a, b, c])
    link = await joining.propose(one, a, b, "Один человек")
    assert await joining.propose(one, a, b, "Один человек") == link
    with pytest.raises(Refusal, match="proposed_already"):
        await joining.propose(other, a, c, "Другой человек")
    with pytest.raises(Refusal, match="oneself"):
        await joining.make(one, link)
    async with office.database.work() as session:
        assert (await links.joined(session, a)).ids == {a}, "a proposal joins nothing"
    await joining.make(other, link)
    await joining.make(other, link)
    for first, second in ((b, a), (a, c)):
        with pytest.raises(Refusal, match="joined_already"):
            await joining.propose(one, first, second, "И ещё")
    second = await joining.propose(one, b, c, "И третий")
    await joining.make(other, second)
    async with office.database.work() as session:
        for key in (a, b, c):
            assert await links.joined(session, key) == links.Joined(c, frozenset({a, b, c}))
    await joining.end(one, second, "Разные люди")
    await joining.end(one, second, "Разные люди")
    async with office.database.work() as session:
        assert await links.joined(session, a) == links.Joined(b, frozenset({a, b}))
        assert await links.joined(session, c) == links.Joined(c, frozenset({c}))
        assert await rows_of(session, [a, b, c]) == before
    for nobody in (office.clinician, office.reviewer):
        with pytest.raises(Refusal, match="forbidden"):
            await joining.propose(nobody, a, c, "Просто так")


async def test_stories_of_joining_writing_and_parting(office: Office) -> None:
    """Whatever is joined, written and parted in whichever order: each keeps what was its own.

    Hundreds of seeded acts against a model of sets; what is written goes to the patient it was
    meant for, and is read for all who are joined to it then.
    """
    one, other = await registrars(office)
    chance, joining = random.Random(14), Joining(office.database)  # noqa: S311
    keys = [await patient(office.database, office.ward) for _ in range(5)]
    written: dict[UUID, int] = dict.fromkeys(keys, 0)
    open_links: dict[UUID, tuple[UUID, UUID]] = {}
    done = {"join": 0, "part": 0, "write": 0, "refused": 0}
    async with office.database.work() as session:
        before = await rows_of(session, keys)
    for _ in range(STORIES):
        for _ in range(STEPS):
            act = chance.choice(("join", "part", "write", "write"))
            if act == "write":
                several = [chance.choice(keys) for _ in range(4)]
                await write(office, several)
                for key in several:
                    written[key] += 1
            elif act == "part" and open_links:
                link = chance.choice(sorted(open_links))
                if chance.random() < 0.2:
                    await joining.end(one, link, "Разные люди")
                    del open_links[link]
            elif act == "join" and chance.random() < 0.2:
                first, second = chance.sample(keys, 2)
                if any(first in pair[:1] or second in pair[:1] for pair in open_links.values()):
                    with pytest.raises(Refusal, match="joined_already"):
                        await joining.propose(one, first, second, "Один человек")
                    done["refused"] += 1
                    continue
                link = await joining.propose(one, first, second, "Один человек")
                await joining.make(other, link)
                open_links[link] = (first, second)
            done[act] += 1
    async with office.database.work() as session:
        for key in keys:
            group = {key}
            for _ in keys:
                for pair in open_links.values():
                    if group & set(pair):
                        group |= set(pair)
            assert (await links.joined(session, key)).ids == group
            assert await read(session, key) == sum(written[one] for one in group)
        assert await rows_of(session, keys) == before
    for link in open_links:
        await joining.end(one, link, "Разные люди")
    async with office.database.work() as session:
        for key in keys:
            assert await read(session, key) == written[key], "parted exactly"
    assert all(done.values()), done
