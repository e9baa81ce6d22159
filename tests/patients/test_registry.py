"""Patients and their registry: found, differs, several, nobody, down (W2)."""

from datetime import timedelta
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import update
from sqlmodel import col

from clients.clinic.patient_registry import PatientRegistry
from clients.registers import RegisterDown
from models.tables.patients import Patient, PatientCheck
from rules.access import Role
from rules.clock import now
from rules.patients.checks import GIVEN_UP_AFTER, RegistryOutcome, differences, pause
from rules.refusals import Refusal
from services.patients import checks
from services.patients.checks import PatientChecks
from simulators.registers import patients as simulated
from tests.patients.people import fresh_snils, identity, patient
from tests.patients.test_emergencies import woken
from tests.shared.office import Office


def test_only_what_the_registry_says_can_differ() -> None:
    """Case, ё and blanks do not count; a number that it leaves out is no difference."""
    who = identity("Королёва Анна", snils="112-233-445 95", phone="+79160000000")
    same = {"name": "КОРОЛЕВА  АННА", "birth_date": "1961-03-14", "sex": "female", "snils": ""}
    assert differences(who, same) == []
    assert differences(who, {**same, "sex": "male", "policy": "7" * 16}) == ["sex", "policy"]
    assert [pause(n) for n in (1, 2, 9)] == [
        timedelta(minutes=1),
        timedelta(minutes=5),
        timedelta(hours=2),
    ]


async def test_a_patient_is_compared_with_the_registry(office: Office) -> None:
    """Each outcome, over HTTP; while it is down the next try is named, and one day is the end."""
    registrar = await office.person("Лаптева Ирина", Role.REGISTRAR, office.institution)
    number = fresh_snils()
    who = identity("Королёва Наталья Петровна", snils=number)
    key = await patient(office.database, office.ward, who)
    app = simulated.create_app()
    registry = PatientRegistry("http://registry")
    registry._http = httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://registry"
    )
    acts = PatientChecks(office.database, woken)
    known = {"name": who.name, "birth_date": "1961-03-14", "sex": "female", "snils": number}

    async def compared() -> PatientCheck:
        await acts.ask(registrar, key)
        again = await checks.look(office.database, registry, key)
        async with office.database.work() as session:
            row = await session.get_one(PatientCheck, key)
            assert row.next_try_at == again
            return row

    assert (await compared()).outcome == RegistryOutcome.NOBODY
    await registry._http.put("/patients", json=known)
    assert (await compared()).outcome == RegistryOutcome.SAME
    for answers, outcome in (("differs", "differs"), ("several", "several"), ("nobody", "nobody")):
        await registry._http.put("/answers", json={"answers": answers})
        row = await compared()
        assert row.outcome == outcome
        assert (row.said or {}).get("name") == (
            "Другова Анна Сергеевна" if answers == "differs" else None
        )
    await registry._http.put("/faults", json={"mode": "fail"})
    down = await compared()
    assert (down.outcome, down.tries) == (None, 1)
    assert down.next_try_at is not None
    assert now() < down.next_try_at < now() + timedelta(minutes=2)
    assert await checks.look(office.database, registry, key) == down.next_try_at, "not sooner"
    async with office.database.work() as session:
        past = now() - GIVEN_UP_AFTER - timedelta(minutes=1)
        await session.exec(
            update(PatientCheck)
            .where(col(PatientCheck.id) == key)
            .values(asked_at=past, next_try_at=past)
        )
    assert await checks.look(office.database, registry, key) is None
    async with office.database.work() as session:
        row = await session.get_one(PatientCheck, key)
        assert row.outcome == RegistryOutcome.GIVEN_UP
        state = await checks.state_of(session, await session.get_one(Patient, key))
        assert state is not None
        assert not state.outdated
    with pytest.raises(Refusal, match="forbidden"):
        await acts.ask(office.clinician, key)
    with pytest.raises(Refusal, match="not_found"):
        await acts.ask(registrar, UUID(int=uuid4().int))
    with pytest.raises(RegisterDown):
        await PatientRegistry("http://127.0.0.1:1", 0.2).look_up(who)
