"""Import of staff and units: looked at first, applied once, without rights and accounts (O6)."""

from collections.abc import Sequence
from contextlib import suppress
from io import BytesIO
from uuid import UUID, uuid4

import pytest
from openpyxl import Workbook
from sqlalchemy import text
from sqlmodel import SQLModel, col, func, select

from crypto.key_ring import key_ring
from models.tables.accounts import Account
from models.tables.journal import JournalEntry
from models.tables.people import Person, RoleGrant, Unit
from rules.access import Role
from rules.clock import now
from rules.journal.entries import SYSTEM_CHAIN, JournalKind
from rules.refusals import Refusal
from rules.staff.table import Column
from services import access
from services.accounts.sign_in import create_account
from services.files.inspection.sheets import sheet_of
from services.staff import importing
from services.staff.importing import Counts, DryRun
from tests.shared.administration import Admins

HEADER = (
    "Код подразделения;Подразделение;Код вышестоящего;Фамилия;Имя;Отчество;Должность;"
    "Эл. почта;Телефон;СНИЛС;Роль"
)
ANNA = (
    "neurology;Неврология;institution;Орлова;Анна;Львовна;врач-невролог;"
    "anna.orlova@example.org;8 916 765-43-21;001-001-998 77;Врач"
)
IVAN = "neurology;;;Котов;Иван;;медбрат;ivan.kotov@example.org;;;"


def table(*rows: str, header: str = HEADER) -> bytes:
    """A CSV file with these rows."""
    return "\r\n".join((header, *rows)).encode("utf-8-sig")


def book(*rows: Sequence[object]) -> bytes:
    """An XLSX file with these rows."""
    made = Workbook()
    assert made.active is not None
    for row in rows:
        made.active.append(list(row))
    out = BytesIO()
    made.save(out)
    return out.getvalue()


async def looked(admins: Admins, body: bytes) -> DryRun:
    """What the file would do, asked with the rights of now: of new units too."""
    async with admins.database.work() as session:
        admins.admin = await access.actor_for(session, admins.admin.person_id, now())
    return await importing.dry_run(admins.database, admins.inspection, admins.admin, body)


async def applied(admins: Admins, body: bytes, act_id: UUID | None = None) -> Counts:
    """The file looked at and applied."""
    told = await looked(admins, body)
    return await importing.apply(
        admins.database,
        admins.inspection,
        admins.admin,
        body,
        told.digest,
        act_id or uuid4(),
    )


async def count(admins: Admins, model: type[SQLModel]) -> int:
    """How many rows a table has."""
    async with admins.database.work() as session:
        return (await session.exec(select(func.count()).select_from(model))).one()


async def person(admins: Admins, mail: str) -> Person:
    """The person with this address."""
    async with admins.database.work() as session:
        return next(p for p in (await session.exec(select(Person))).all() if p.email == mail)


async def entries(admins: Admins) -> list[JournalEntry]:
    """The imports in the journal."""
    async with admins.database.work() as session:
        found = await session.exec(
            select(JournalEntry).where(
                JournalEntry.chain == SYSTEM_CHAIN,
                col(JournalEntry.kind) == JournalKind.STAFF_IMPORTED,
            )
        )
        return list(found.all())


async def test_a_dry_run_writes_nothing(admins: Admins) -> None:
    """Units and people to be added are told, roles are proposals, and the tables stay."""
    before = [await count(admins, model) for model in (Person, Unit, JournalEntry)]
    told = await looked(admins, table(ANNA, IVAN))
    assert (told.rows, told.counts) == (2, Counts(units_added=1, people_added=2))
    assert not told.wrong
    assert [(row.line, role) for row, role in told.proposed] == [(2, Role.DOCTOR)]
    assert [await count(admins, model) for model in (Person, Unit, JournalEntry)] == before


async def test_what_was_looked_at_is_applied_once(admins: Admins) -> None:
    """The same act again answers the same; rights and accounts are not given (I7)."""
    body, act_id = table(ANNA, IVAN), uuid4()
    told = await looked(admins, body)
    grants, accounts = await count(admins, RoleGrant), await count(admins, Account)
    people = await count(admins, Person)
    for _ in range(2):
        done = await importing.apply(
            admins.database,
            admins.inspection,
            admins.admin,
            body,
            told.digest,
            act_id,
        )
        assert done == told.counts
    assert await count(admins, Person) == people + 2
    assert (await count(admins, RoleGrant), await count(admins, Account)) == (
        grants,
        accounts,
    )
    anna = await person(admins, "anna.orlova@example.org")
    assert (anna.name, anna.phone) == ("Орлова Анна Львовна", "+79167654321")
    assert anna.snils_blind == key_ring().blind("001-001-998 77")
    async with admins.database.work() as session:
        unit = await session.get_one(Unit, anna.unit_id)
        assert (unit.code, unit.parent_id) == ("neurology", admins.office.institution)
    with pytest.raises(Refusal) as refused:
        await importing.apply(
            admins.database,
            admins.inspection,
            admins.admin,
            table(IVAN),
            told.digest,
            act_id,
        )
    assert refused.value.code == "act_id_reused"
    again = await looked(admins, body)
    assert again.counts == Counts(left_alone=3)


async def test_the_journal_and_the_table_tell_nobody_by_name(admins: Admins) -> None:
    """The entry counts in the clear; names and contacts stand encrypted in the table."""
    act_id = uuid4()
    await applied(admins, table(ANNA, IVAN), act_id)
    (entry,) = await entries(admins)
    assert entry.by_person == admins.admin.person_id
    assert entry.facts == {"change": str(act_id), **vars(Counts(units_added=1, people_added=2))}
    async with admins.database.work() as session:
        stored = (await session.exec(text("select person::text from person"))).all()  # type: ignore[call-overload]
    assert not [row for row in stored if "Орлова" in row[0] or "anna.orlova" in row[0]]


async def test_changes_are_told_and_made(admins: Admins) -> None:
    """A person is found by SNILS though the address is new; an empty cell leaves what is there."""
    await applied(admins, table(ANNA, IVAN))
    moved = (
        "cardiology;;;Орлова;Анна;Львовна;заведующая;a.orlova@example.org;;00100199877;",
        "neurology;Неврологическое отделение;;Котов;Иван;;медбрат;IVAN.KOTOV@example.org;;;",
    )
    told = await looked(admins, table(*moved))
    assert told.counts == Counts(units_changed=1, people_changed=1, left_alone=2)
    assert {column for column, _, _ in told.people[0].differences} == {
        Column.POSITION,
        Column.UNIT,
        Column.EMAIL,
    }
    await applied(admins, table(*moved))
    anna = await person(admins, "a.orlova@example.org")
    assert (anna.position, anna.phone) == ("заведующая", "+79167654321")
    assert anna.unit_id == admins.office.ward


async def test_contacts_of_an_account_stay(admins: Admins) -> None:
    """An address that somebody signs in with is changed by that person alone."""
    await applied(admins, table(ANNA))
    anna = await person(admins, "anna.orlova@example.org")
    async with admins.database.work() as session:
        await create_account(session, anna, "Длинный пароль для проверки 42", now())
    told = await looked(admins, table(ANNA.replace("anna.orlova@", "thief@")))
    assert not told.counts.any
    assert [row.line for row in told.own_contacts] == [2]


async def test_wrong_rows_are_told_with_line_and_column(admins: Admins) -> None:
    """Every mistake has its place, and nothing of such a file is applied."""
    body = table(
        ANNA.replace("77;Врач", "77;Волшебник"),
        "",
        "neurology;;;;Иван;;медбрат;no-mail;12;112-233-445 96;",
        "Неврология 2;;;;;;;;;;",
        "nowhere;;;Котов;Пётр;;медбрат;p@example.org;;;",
        "hr;;cardiology;;;;;;;;",
        "ring-a;Кольцо;ring-b;;;;;;;;",
        "ring-b;Кольцо;ring-a;;;;;;;;",
        "cardiology;;;Котов;Пётр;;медбрат;P@example.org;;;",
    )
    told = await looked(admins, body)
    assert {(one.line, one.column) for one in told.wrong} == {
        (2, Column.ROLE),
        (4, Column.SURNAME),
        (4, Column.EMAIL),
        (4, Column.PHONE),
        (4, Column.SNILS),
        (5, Column.UNIT),
        (6, Column.UNIT_NAME),
        (7, Column.PARENT),
        (8, Column.PARENT),
        (9, Column.PARENT),
        (10, Column.EMAIL),
    }
    units = await count(admins, Unit)
    with pytest.raises(Refusal) as refused:
        await importing.apply(
            admins.database,
            admins.inspection,
            admins.admin,
            body,
            told.digest,
            uuid4(),
        )
    assert refused.value.code == "staff_wrong_rows"
    assert await count(admins, Unit) == units


async def test_only_what_was_looked_at_is_applied(admins: Admins) -> None:
    """Another file, or other data since the look, is refused with 409."""
    told = await looked(admins, table(ANNA))
    await applied(admins, table("neurology;Неврология;institution;;;;;;;;"))
    for body in (table(ANNA), table(IVAN, ANNA)):
        with pytest.raises(Refusal) as refused:
            await importing.apply(
                admins.database,
                admins.inspection,
                admins.admin,
                body,
                told.digest,
                uuid4(),
            )
        assert (refused.value.status, refused.value.code) == (409, "changed_meanwhile")


async def test_a_workbook_and_old_encodings_are_read(admins: Admins) -> None:
    """XLSX with a SNILS that lost its zeros, a formula not evaluated; CSV by commas in cp1251."""
    header = ("Unit", "Название отделения", "Parent", "Фамилия (полностью)", "ИМЯ", "Должность")
    more = ("E-mail", "СНИЛС", "Примечание")
    anna = ("hr", None, None, "Орлова", "Анна", "кадровик", "anna@example.org", 100199877)
    told = await looked(admins, book((*header, *more), (*anna, "=1+1")))
    assert not told.wrong
    assert told.people[0].row.snils == "001-001-998 77"
    told = await looked(admins, book((*header, *more), (*anna[:5], "=1+1", *anna[6:])))
    assert [(one.line, one.column) for one in told.wrong] == [(2, Column.POSITION)]
    lines = "Код подразделения,Фамилия,Имя,Должность,Почта\nhr,Орлова,Анна,кадровик,a@example.org"
    told = await looked(admins, lines.encode("cp1251"))
    assert told.people[0].row.name == "Орлова Анна"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"PK\x03\x04 no zip at all",
        table(),
        table("x", header="Фамилия;Имя"),
        table(ANNA, header=HEADER.replace("Роль", "СНИЛС")),
        table(*["hr;;;;;;;;;;"] * 5001),
        b"\x00" * 10,
        b"x" * (2 * 1024 * 1024 + 1),
        'Код подразделения;Имя\nhr;"open'.encode(),
    ],
)
async def test_what_is_no_table_is_refused(admins: Admins, body: bytes) -> None:
    """Each is refused with 422 at the field of the file, not with an error of ours."""
    with pytest.raises(Refusal) as refused:
        await looked(admins, body)
    assert (refused.value.status, refused.value.fields[0].path) == (422, "file")


async def test_others_are_refused(admins: Admins) -> None:
    """Who does not manage people neither looks nor applies (I6)."""
    for actor in (admins.office.reviewer, admins.office.head):
        with pytest.raises(Refusal) as refused:
            await importing.dry_run(admins.database, admins.inspection, actor, table(ANNA))
        assert refused.value.status == 403
        with pytest.raises(Refusal) as refused:
            await importing.apply(
                admins.database, admins.inspection, actor, table(ANNA), "", uuid4()
            )
        assert refused.value.status == 403


def test_a_workbook_damaged_on_its_way_is_refused_in_words() -> None:
    """O6: whichever octet is wrong, the file is read or the remedy told, and nothing else."""
    whole = book(HEADER.split(";"), *([ANNA.split(";")] * 20))
    places, read = range(4, len(whole), 13), 0
    for place in places:
        damaged = bytearray(whole)
        damaged[place] ^= 0xFF
        with suppress(Refusal):
            sheet_of(bytes(damaged))
            read += 1
    assert read < len(places) / 2
