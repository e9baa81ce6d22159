"""Who reaches what of a patient, by role and by relation, in one table (W2)."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlmodel.ext.asyncio.session import AsyncSession

from rules.access import Actor, Role
from rules.clock import now
from rules.refusals import Refusal
from services.patients import openings, searching, seen, ways
from tests.patients.people import patient
from tests.shared.office import Office

Reach = Callable[[AsyncSession, Actor, UUID], Awaitable[object]]
RELATIONS = ("own", "reason", "expired", "emergency", "none")
OPEN = {"own", "reason", "emergency"}
"""Relations by which who treats sees the record."""
TREATS = {Role.DOCTOR, Role.NURSE}
REGISTERS = {Role.REGISTRAR}
ROLES = (
    Role.DOCTOR,
    Role.NURSE,
    Role.REGISTRAR,
    Role.UNIT_HEAD,
    Role.SECURITY,
    Role.HR_HEAD,
    Role.ADMINISTRATOR,
    Role.AUDITOR,
)


async def _record(session: AsyncSession, actor: Actor, key: UUID) -> object:
    return await ways.look(session, actor, key, now())


async def _identity(session: AsyncSession, actor: Actor, key: UUID) -> object:
    return await seen.identity_page(session, actor, key, now())


async def _search(session: AsyncSession, actor: Actor, key: UUID) -> object:
    del key
    return await searching.search(session, actor, "Совсем Никто", "", now())


async def _emergencies(session: AsyncSession, actor: Actor, key: UUID) -> object:
    del key
    return await seen.to_judge(session, actor, now(), everything=False)


EXPECTED: dict[Reach, Callable[[Role, str], bool]] = {
    _record: lambda role, relation: role in TREATS and relation in OPEN,
    _identity: lambda role, relation: role in REGISTERS,
    _search: lambda role, relation: role in TREATS | REGISTERS,
    _emergencies: lambda role, relation: role is Role.SECURITY,
}
"""The table. An invited patient has no role and no session of the staff: test_invitations.py."""


async def test_each_role_reaches_what_its_relation_opens(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything else is refused, and the refusal is the same for patients who are not there."""
    lists: set[tuple[UUID, UUID]] = set()

    async def on_the_list(
        session: AsyncSession, actor: Actor, ids: frozenset[UUID], at: datetime
    ) -> frozenset[UUID]:
        del session, at
        return frozenset(one for one in ids if (actor.person_id, one) in lists)

    monkeypatch.setattr(ways, "_FACTS", {})
    ways.opens("list", on_the_list, "В списке на сегодня")
    wrong: list[str] = []
    keys = {relation: await patient(office.database, office.ward) for relation in RELATIONS}
    for role in ROLES:
        actor = await office.person(f"Некто {role}", role, office.institution)
        lists.add((actor.person_id, keys["own"]))
        async with office.database.work() as session:
            if role in TREATS:
                past = now() - timedelta(hours=4)
                await openings.open_for(session, actor, keys["reason"], "consent", "", now())
                await openings.open_for(session, actor, keys["expired"], "consent", "", past)
                await openings.open_at_once(session, actor, keys["emergency"], "Кома", now())
        for relation, key in keys.items():
            for reach, expected in EXPECTED.items():
                try:
                    async with office.database.work() as session:
                        await reach(session, actor, key)
                    got = True
                except Refusal as refusal:
                    got = refusal.status != 403
                if got is not expected(role, relation):
                    wrong.append(f"{role}, {relation}, {reach.__name__}: {got}")
    assert not wrong, "\n".join(wrong)
