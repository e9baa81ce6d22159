"""Who a patient is: entered once, corrected by version, found only by who can name them (W2)."""

from datetime import date, timedelta
from uuid import uuid4

import pytest
from sqlmodel import select

from models.tables.journal import JournalEntry
from models.tables.patients import Patient
from rules.access import Role
from rules.accounts import Limit
from rules.clock import now
from rules.patients import identity as rules
from rules.refusals import Refusal
from services.patients import duplicates, searching
from services.patients.duplicates import Why
from services.patients.entering import identity_of
from services.patients.registering import Patients
from tests.patients.people import fresh_snils, identity, patient
from tests.shared.office import Office

TODAY = date(2026, 11, 30)
TYPED = {"name": "Сидорова Анна Львовна", "birth_date": "14.3.1961", "sex": "female"}


def test_what_is_typed_is_read_or_each_field_says_what_to_write() -> None:
    """SNILS by its check digits, a policy by its length, a birth date that can be meant."""
    read = rules.read({**TYPED, "snils": "112 233 445-95", "policy": "7700 0000 0000 0001"}, TODAY)
    assert (read.snils, read.policy, read.birth_date) == (
        "112-233-445 95",
        "7700000000000001",
        date(1961, 3, 14),
    )
    wrong = {
        "name": "Сидорова",
        "birth_date": "01.12.2026",
        "sex": "",
        "snils": "112-233-445 96",
        "policy": "77",
        "phone": "1",
        "email": "a",
    }
    with pytest.raises(Refusal) as refused:
        rules.read(wrong, TODAY)
    assert {one.path for one in refused.value.fields} == set(wrong)
    for born in ("01.01.1890", "31.02.2000"):
        with pytest.raises(Refusal):
            rules.read({**TYPED, "birth_date": born}, TODAY)


async def test_a_patient_is_entered_once_and_corrected_by_version(office: Office) -> None:
    """The same again changes nothing; a stale save is refused and overwrites nothing."""
    registrar = await office.person("Лаптева Ирина", Role.REGISTRAR, office.institution)
    patients, key, number = Patients(office.database), uuid4(), fresh_snils()
    typed = {**TYPED, "snils": number, "phone": "+7 916 123-45-67"}
    for _ in range(2):
        await patients.register(registrar, key, office.ward, typed)
    with pytest.raises(Refusal, match="number_taken") as taken:
        await patients.register(registrar, uuid4(), office.ward, typed)
    assert taken.value.facts["patients"] == str(key)
    with pytest.raises(Refusal, match="entered_already"):
        await patients.register(registrar, key, office.ward, {**TYPED, "name": "Другая Ольга"})
    assert [one.path for one in taken.value.fields] == ["snils"]
    better = {**typed, "name": "Сидорова-Ким Анна Львовна"}
    assert await patients.correct(registrar, key, 1, better) == 2
    assert await patients.correct(registrar, key, 2, better) == 2, "nothing has changed"
    with pytest.raises(Refusal, match="stale_identity"):
        await patients.correct(registrar, key, 1, typed)
    other = await patient(office.database, office.ward)
    with pytest.raises(Refusal, match="number_taken"):
        await patients.correct(registrar, other, 1, typed)
    async with office.database.work() as session:
        row = await session.get_one(Patient, key)
        assert (identity_of(row).name, row.version, row.phone) == (
            "Сидорова-Ким Анна Львовна",
            2,
            "+79161234567",
        )
        found = await session.exec(select(JournalEntry).where(JournalEntry.chain == key))
        entries = [(one.kind, one.facts) for one in found.all()]
    assert [kind for kind, _ in entries] == ["patient.registered", "patient.corrected"]
    assert entries[1][1] == {"version": 2, "fields": ["name"]}, "nothing personal in the clear"
    for nobody in (office.clinician, office.head):
        with pytest.raises(Refusal, match="forbidden"):
            await patients.correct(nobody, key, 2, better)
        with pytest.raises(Refusal, match="forbidden"):
            await patients.correct(nobody, uuid4(), 2, better)


async def test_the_same_person_is_suggested(office: Office) -> None:
    """Exactly by number, by likeness of names within one birth date, and nobody else."""
    number = fresh_snils()
    first = await patient(office.database, office.ward, identity("Ершова Алёна", snils=number))
    cases = {
        "Ершова Алена": {Why.NAME},
        "Алена Ершова": {Why.NAME},
        "Ершова Елена": {Why.NAME},
        "Иванов Пётр": set(),
    }
    async with office.database.work() as session:
        for name, why in cases.items():
            found = await duplicates.likely(session, identity(name))
            assert {w for one in found if one.patient_id == first for w in one.why} == why, name
        exact = await duplicates.likely(session, identity("Иванов Пётр", snils=number))
        assert [(one.patient_id, list(one.why)) for one in exact] == [(first, [Why.SNILS])]
        assert not await duplicates.likely(session, identity("Ершова Алёна"), but={first})


async def test_a_patient_is_found_by_who_can_name_them(office: Office) -> None:
    """By number, whole name, or a part of it with the birth date; never a list of all."""
    number = fresh_snils()
    who = identity("Незабудкина Фёкла Ильинична", snils=number)
    key = await patient(office.database, office.ward, who)
    asked = [
        (number, ""),
        (number.replace("-", "").replace(" ", ""), ""),
        ("незабудкина  фекла ильинична", ""),
        ("Незабудк", "14.03.1961"),
    ]
    registrar = await office.person("Лаптева Ирина", Role.REGISTRAR, office.institution)
    async with office.database.work() as session:
        for text, born in asked:
            found = await searching.search(session, office.clinician, text, born, now())
            assert [one.id for one in found.found] == [key], text
        for text, born in (("Незабудкина", ""), ("", ""), ("112-233-445 96", ""), ("77", "")):
            with pytest.raises(Refusal, match="wrong_fields"):
                await searching.search(session, registrar, text, born, now())
        nobody = await searching.search(session, registrar, "Незабудкина Фёкла", "", now())
        assert not nobody.found
        for stranger in (office.reviewer, office.head):
            for text in (number, "Совсем Никто"):
                with pytest.raises(Refusal, match="forbidden"):
                    await searching.search(session, stranger, text, "", now())
        assert not await searching.recent(session, registrar, now())


async def test_searching_has_a_limit(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever goes through names or dates is stopped."""
    monkeypatch.setattr(searching, "SEARCHES", Limit("patient_search", 2, timedelta(hours=1)))
    registrar = await office.person("Лаптева Ирина", Role.REGISTRAR, office.institution)
    async with office.database.work() as session:
        for _ in range(2):
            await searching.search(session, registrar, "Совсем Никто", "", now())
        with pytest.raises(Refusal, match="too_often"):
            await searching.search(session, registrar, "Совсем Никто", "", now())
