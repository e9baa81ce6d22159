"""Whose a result is: found by hand, found wrong and taken out, named otherwise later (W2)."""

from uuid import uuid4

import pytest
from sqlmodel import select

from models.tables.results import LabMatch
from rules.access import Role
from rules.clock import now
from rules.patients.identity import Identity, Sex
from rules.refusals import Refusal
from rules.results.life import ResultState
from services.patients import openings
from services.results import seen, unmatched
from tests.patients.people import fresh_snils, identity, patient
from tests.results.clinic import Clinic, code_of


async def test_a_result_for_nobody_finds_its_patient(clinic: Clinic) -> None:
    """Unlike names are for a person to judge; its desk shows no value; the clinician gets it."""
    misspelt = {**clinic.said().patient.model_dump(), "name": "Королева Наталия Петровна"}
    first = clinic.said(patient=misspelt)
    result = await clinic.take(first)
    row = await clinic.row(result)
    assert (row.state, row.patient_id) == (ResultState.UNMATCHED, None)
    assert row.answers_id in (clinic.head.person_id, clinic.registrar.person_id)
    async with clinic.database.work() as session:
        assert result in {one.id for one in await unmatched.waiting(session, clinic.registrar)}
        shown = await unmatched.one(session, clinic.registrar, result)
        assert "5.4" not in repr(shown)
        suggestion = shown.suggestions[0]
        assert (suggestion.id, suggestion.by_number) == (clinic.patient, True)
        with pytest.raises(Refusal, match="not_found"):
            await seen.one(session, clinic.registrar, result)
    with pytest.raises(Refusal):
        await clinic.acts.match(clinic.doctor, result, clinic.patient, 1)
    assert await code_of(clinic.acts.match(clinic.registrar, result, uuid4(), 1)) == "not_found"
    assert await code_of(clinic.acts.match(clinic.registrar, result, clinic.patient, 2)) == (
        "superseded"
    )
    await clinic.acts.match(clinic.registrar, result, clinic.patient, 1)
    await clinic.acts.match(clinic.registrar, result, clinic.patient, 1)
    assert (await clinic.row(result)).answers_id == clinic.doctor.person_id
    assert await clinic.notices(clinic.doctor) == ["yours"]
    stranger = await clinic.take(clinic.said(patient={"name": "Никто Неизвестный"}))
    await clinic.acts.give_back(clinic.registrar, stranger, 1, "Такого пациента у нас нет")
    row = await clinic.row(stranger)
    assert (row.state, row.answers_id) == (ResultState.RETURNED, None)
    await clinic.look(stranger)
    assert (await clinic.journal(stranger))[-1].facts["became"] == "not_connected"
    assert await clinic.look(stranger) is None
    assert await clinic.troubles(result, stranger) == []


async def test_a_wrong_match_leaves_its_trace_on_both(clinic: Clinic) -> None:
    """Who had read it is told and sees whose it was not; the right patient gets it (trap 13)."""
    result = await clinic.take(clinic.said())
    await clinic.open_page(clinic.doctor, result)
    await clinic.confirm(clinic.doctor, result, 1)
    reader = await clinic.office.person("Читаев Ян Игоревич", Role.DOCTOR, clinic.unit)
    async with clinic.database.work() as session:
        await openings.open_for(session, reader, clinic.patient, "consent", "", now())
        await seen.one(session, reader, result)
    right = await patient(
        clinic.database,
        clinic.unit,
        Identity("Королёва Надежда Петровна", clinic.who.birth_date, Sex.FEMALE, fresh_snils()),
    )
    why = "Пробирки перепутаны"
    assert await code_of(clinic.acts.detach(reader, result, clinic.patient, why)) == "not_found"
    await clinic.acts.detach(clinic.doctor, result, clinic.patient, why)
    assert (await clinic.row(result)).state == ResultState.UNMATCHED
    assert await clinic.notices(reader) == ["detached"]
    await clinic.acts.match(clinic.registrar, result, right, 1)
    async with clinic.database.work() as session:
        for who in (reader, clinic.doctor):
            (trace,) = await unmatched.traces(session, who)
            assert (trace.patient, trace.reason) == (clinic.who.name, why)
        (left,) = await unmatched.traces_of_patient(session, frozenset({clinic.patient}))
        assert left.result_id == result
        assert await seen.of_patient(session, frozenset({clinic.patient})) == []
        (there,) = await seen.of_patient(session, frozenset({right}))
        assert (there.state, there.answers_id) == (
            ResultState.AWAITING,
            clinic.doctor.person_id,
        )
        matches = await session.exec(select(LabMatch).where(LabMatch.result_id == result))
        assert len(matches.all()) == 2
    assert await code_of(clinic.confirm(clinic.doctor, result, 1)) == "another_patient"
    page = await clinic.open_page(clinic.doctor, result)
    assert page.versions[0].confirmed_at is None, "what was confirmed there is not confirmed here"
    await clinic.confirm(clinic.doctor, result, 1, patient_id=right)


async def test_the_laboratory_names_another_patient(clinic: Clinic) -> None:
    """Its correction of the patient takes it out of the wrong record by itself."""
    other = identity("Сидорова Анна Львовна", snils=fresh_snils())
    whose = await patient(clinic.database, clinic.unit, other)
    first = clinic.said()
    result = await clinic.take(first)
    await clinic.open_page(clinic.doctor, result)
    await clinic.acts.offer(clinic.doctor, result, clinic.colleague.person_id, "Прошу помочь")
    said = {
        "name": other.name,
        "birth_date": other.birth_date,
        "sex": "female",
        "snils": other.snils,
    }
    await clinic.take(clinic.said(first.number, 2, stage="corrected", patient=said))
    row = await clinic.row(result)
    assert (row.patient_id, row.state, row.answers_id) == (
        whose,
        ResultState.AWAITING,
        clinic.doctor.person_id,
    )
    assert "detached" in await clinic.notices(clinic.doctor)
    opened = clinic.open_page(clinic.colleague, result)
    assert await code_of(opened) == "patient_closed", "who was asked about the one opens no other"
    assert await clinic.troubles(result) == []
