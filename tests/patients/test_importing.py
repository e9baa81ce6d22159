"""Import of patients from a file: looked at first, done once, and nobody known is changed (W2)."""

from datetime import date
from uuid import uuid4

import pytest
from sqlmodel import col, select

from models.tables.journal import JournalEntry
from models.tables.patients import Patient
from rules.access import Role
from rules.journal.entries import SYSTEM_CHAIN, JournalKind
from rules.patients.table import Reading, rows
from rules.refusals import Refusal
from services.files.inspection.client import Inspection
from services.files.inspection.sheets import told_patients
from services.patients import importing
from services.patients.entering import identity_of
from services.patients.importing import PatientCounts
from tests.patients.people import fresh_snils, identity, patient
from tests.shared.office import Office
from tests.staff.test_importing import book, table

TODAY = date(2026, 11, 30)
HEADER = "ФИО;Дата рождения;Пол;СНИЛС;Полис ОМС;Телефон;Почта;Код подразделения"


def test_lines_are_read_or_each_cell_says_what_to_write() -> None:
    """Titles of several kinds, dates as spreadsheets have them; each mistake has its place."""
    read = rows(
        [
            (1, ["Список пациентов"]),
            (2, ["Фамилия", "Имя", "Date of birth", "Sex", "СНИЛС", "Полис", "Телефон"]),
            (3, ["Ким\u200b", "Анна", "1961-03-14 00:00:00", "Ж", "100199877", "", ""]),
            (4, ["", "", "", "", "", "", " "]),
            (5, ["Ким", "Анна", "14.03.2961", "?", "", "7.80000000000000e+15", "12"]),
            (6, ["Ким", "Яна", "14.03.1961", "жен.", "001-001-998 77", "", ""]),
            (7, ["Ким", "Яна", "14.03.1961", "жен.", "", "", ""]),
            (8, ["я" * 900, "Яна", "14.03.1961", "м", "112-233-445 95", "", ""]),
        ]
    )
    reading = Reading()
    good = [row for line, cells in read if (row := reading.take(line, cells, TODAY))]
    assert [(one.line, one.identity.name, one.identity.snils) for one in good] == [
        (3, "Ким Анна", "001-001-998 77")
    ]
    assert {(one.line, one.column) for one in reading.wrong} == {
        *((5, name) for name in ("birth_date", "sex", "policy", "phone")),
        (6, "snils"),
        (7, "snils"),
        (8, "name"),
    }


def test_what_is_no_table_of_patients_is_refused() -> None:
    """In words at the field of the file; a rounded number is shown as the spreadsheet has it."""
    wrong = [
        b"",
        b"PK\x03\x04 no zip",
        table("x", header="ФИО;СНИЛС"),
        table(header=HEADER),
        table(*["Ким Яна;1.1.1961;ж;;;;;"] * 5001, header=HEADER),
        b"x" * (2 * 1024 * 1024 + 1),
    ]
    assert all("refused" in told_patients(body) for body in wrong)
    told = told_patients(
        book(
            ("ФИО", "Дата рождения", "Полис ОМС", "СНИЛС"),
            ("=1+1", date(1961, 3, 14), 7_800_000_000_000_001, 100199877),
        )
    )
    assert told["rows"] == [
        (
            2,
            {
                "birth_date": "1961-03-14 00:00:00",
                "policy": "7.80000000000000e+15",
                "snils": "100199877",
            },
        )
    ]


async def test_a_file_is_looked_at_and_then_done_once(
    office: Office, inspection: Inspection
) -> None:
    """New ones are entered once; who is known stays, and what differs is for a person to judge."""
    registrar = await office.person("Лаптева Ирина", Role.REGISTRAR, office.institution)
    same, other, new, second = (fresh_snils() for _ in range(4))
    await patient(office.database, office.ward, identity("Ёлкина Анна", snils=same))
    key = await patient(office.database, office.ward, identity("Котова Вера", snils=other))
    named = await patient(office.database, office.ward, identity("Лисина Яна Загрузочная"))
    body = table(
        f"елкина  анна;14.03.1961;ж;{same};;;;",
        f"Котова Вера;14.03.1961;ж;{other};;+7 916 123-45-67;;",
        f"Лисина Яна Загрузочная;14.03.1961;ж;{second};;;;",
        f"Новая Пациентка;1.2.1990;ж;{new};;;;cardiology",
        header=HEADER,
    )
    told = await importing.dry_run(office.database, inspection, registrar, body)
    assert not told.wrong
    assert told.counts == PatientCounts(added=1, left_alone=1, to_judge=2)
    assert [(one.line, one.patient_id, list(one.fields)) for one in told.known] == [
        (3, key, ["phone"]),
        (4, named, ["snils"]),
    ]
    act_id = uuid4()
    for _ in range(2):
        done = await importing.apply(
            office.database, inspection, registrar, body, told.digest, act_id
        )
        assert done == told.counts
    with pytest.raises(Refusal, match="changed_meanwhile"):
        await importing.apply(office.database, inspection, registrar, body, told.digest, uuid4())
    again = await importing.dry_run(office.database, inspection, registrar, body)
    assert again.counts == PatientCounts(left_alone=2, to_judge=2)
    with pytest.raises(Refusal, match="nothing_changed"):
        await importing.apply(office.database, inspection, registrar, body, again.digest, uuid4())
    async with office.database.work() as session:
        found = await session.exec(
            select(Patient).where(
                Patient.created_by == registrar.person_id, Patient.unit_id == office.ward
            )
        )
        entered = found.one()
        assert (identity_of(entered).name, identity_of(entered).snils) == ("Новая Пациентка", new)
        entry = await session.exec(select(JournalEntry).where(JournalEntry.chain == entered.id))
        assert [(one.kind, one.by_person) for one in entry.all()] == [
            (JournalKind.PATIENT_REGISTERED, registrar.person_id)
        ]
        whole = await session.exec(
            select(JournalEntry.facts).where(
                JournalEntry.chain == SYSTEM_CHAIN,
                col(JournalEntry.kind) == JournalKind.PATIENTS_IMPORTED,
                col(JournalEntry.by_person) == registrar.person_id,
            )
        )
        assert whole.all() == [{"change": str(act_id), **vars(told.counts)}]


async def test_others_are_refused_and_wrong_files_change_nothing(
    office: Office, inspection: Inspection
) -> None:
    """Who registers no patients learns nothing; a mistake keeps the whole file out."""
    registrar = await office.person("Лаптева Ирина", Role.REGISTRAR, office.ward)
    body = table(
        f"Новая Анна;1.2.1990;ж;{fresh_snils()};;;;",
        f"Чужая Анна;1.2.1990;ж;{fresh_snils()};;;;hr",
        header=HEADER,
    )
    for actor in (office.clinician, office.head):
        with pytest.raises(Refusal, match="forbidden"):
            await importing.dry_run(office.database, inspection, actor, body)
    told = await importing.dry_run(office.database, inspection, registrar, body)
    assert [(one.line, one.column) for one in told.wrong] == [(3, "unit")]
    with pytest.raises(Refusal, match="patients_wrong_rows"):
        await importing.apply(office.database, inspection, registrar, body, told.digest, uuid4())
