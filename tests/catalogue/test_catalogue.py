"""The catalogue as services read it, from a real PostgreSQL."""

from collections.abc import Callable
from datetime import date
from uuid import UUID, uuid4

import pytest

from clients.database import Database
from models.tables.catalogue import CalendarDay, Programme
from models.tables.people import Unit
from rules.ids import new_id
from rules.refusals import Refusal
from rules.texts.cleaning import folded
from services.catalogue import lookup as catalogue
from tests.shared.statements import statements

SPOKEN = {
    "ЭКГ": "CARD-036",
    "экг вебинаром": "CARD-036",
    "кардиологии": "CARD-144",
    "УЗИ сосудов": "ULTR-072",
    "СЛР": "RESU-016",
    "КТ": "RADI-144",
    "курсы для врачей": "INFE-036",
    "антибиотик": "ANTI-018",
}
"""What people ask for, and what has to be among the answers."""
MISTYPED = {"кардиалогия": "кардиология", "Онкалогический": "онкологический"}


async def test_filters_narrow_the_catalogue(filled: Database) -> None:
    """By type, by all words of a text in any case, and by specialty (A1)."""
    async with filled.work() as session:
        everything = await catalogue.programmes(session)
        seminars = await catalogue.programmes(session, kind="seminar")
        assert {each.kind for each in seminars} == {"seminar"}
        assert 0 < len(seminars) < len(everything)
        [found] = await catalogue.programmes(session, text="  ДИСТАНЦИОННОГО электрокардиография ")
        assert found.code == "CARD-036"
        [found] = await catalogue.programmes(session, text="сердечно-легочная")
        assert found.code == "RESU-016"
        for asked, code in SPOKEN.items():
            found_by = [each.code for each in await catalogue.programmes(session, text=asked)]
            assert code in found_by, asked
        for typed, meant in MISTYPED.items():
            assert not await catalogue.programmes(session, text=typed)
            assert await catalogue.mended_question(session, typed) == meant
            assert await catalogue.programmes(session, text=meant)
        for cardiology in await catalogue.programmes(session, specialty="cardiology"):
            assert not cardiology.specialties or "cardiology" in cardiology.specialties
        open_to_all = await catalogue.programmes(session, specialty="unheard_of")
        assert open_to_all
        assert all(not each.specialties for each in open_to_all)


@pytest.mark.parametrize("text", ["%", "_", "\\", "' or 1=1 --", "\x00", "ё" * 5000])
async def test_strange_searches_find_nothing_and_break_nothing(filled: Database, text: str) -> None:
    """Wildcards and quotes are looked for as they are written."""
    async with filled.work() as session:
        found = await catalogue.programmes(session, text=text)
        everything = await catalogue.programmes(session)
        assert list(found) == (list(everything) if text == "\x00" else [])


async def test_pages_follow_each_other_without_gaps(filled: Database) -> None:
    """Page by page gives what the whole list gives, in Russian alphabetical order."""
    async with filled.work() as session:
        whole = [each.id for each in await catalogue.programmes(session)]
        walked: list[UUID] = []
        after: tuple[str, UUID] | None = None
        while page := await catalogue.programmes(session, after=after, limit=5):
            walked += [each.id for each in page]
            after = (page[-1].sort_key, page[-1].id)
        assert walked == whole
        titles = [each.title for each in await catalogue.programmes(session)]
        assert titles == sorted(titles, key=folded)


async def test_what_is_not_there_is_refused(filled: Database) -> None:
    """Unknown programmes, types and versions get the same answer."""
    async with filled.work() as session:
        for missing in (
            catalogue.programme(session, uuid4()),
            catalogue.offered_programme(session, uuid4()),
            catalogue.case_type(session, "holiday"),
            catalogue.case_type(session, "qualification", 99),
        ):
            with pytest.raises(Refusal) as refused:
                await missing
            assert refused.value.status == 404


async def test_withdrawn_programme_takes_no_new_applications(filled: Database) -> None:
    """It is still read for the cases that began with it (A1)."""
    async with filled.work() as session:
        first = (await catalogue.programmes(session))[0]
        assert await catalogue.offered_programme(session, first.id) is first
        stored = await session.get_one(Programme, first.id)
        stored.withdrawn_at = stored.valid_from
        session.add(stored)
        await session.flush()
        assert (await catalogue.programme(session, first.id)).id == first.id
        with pytest.raises(Refusal) as refused:
            await catalogue.offered_programme(session, first.id)
        assert refused.value.code == "programme_not_offered"


async def test_types_and_calendar_are_asked_once(filled: Database) -> None:
    """A busy process does not ask the database again for what does not change."""
    with statements(filled) as asked:
        for _ in range(3):
            async with filled.work() as session:
                newest = await catalogue.case_type(session, "qualification")
                await catalogue.case_type(session, "qualification", newest.version)
                await catalogue.calendar(session)
    assert len(asked) == 3


async def test_calendar_heeds_the_institutions_table(filled: Database) -> None:
    """A decree entered into the table counts after at most five minutes, or at once here."""
    async with filled.work() as session:
        assert (await catalogue.calendar(session)).is_working(date(2028, 1, 10))
        session.add(CalendarDay(day=date(2028, 1, 10), working=False, source="Постановление"))
    async with filled.work() as session:
        assert (await catalogue.calendar(session)).is_working(date(2028, 1, 10))
        catalogue.forget(session)
        assert not (await catalogue.calendar(session)).is_working(date(2028, 1, 10))


async def test_databases_are_not_mixed_up(
    filled: Database, new_database: Callable[[], dict[str, str]]
) -> None:
    """What a process remembers belongs to one database, so two in one process do not mix."""
    other = Database(new_database()["DATABASE_URL"], pool=1)
    async with filled.work() as session:
        known = await catalogue.case_type(session, "qualification")
    with pytest.raises(Refusal):
        async with other.work() as session:
            await catalogue.case_type(session, "qualification", known.version)
    await other.close()


async def test_addressee_is_found_by_code(filled: Database) -> None:
    """The unit that decides is named by its code in the type; a missing one is told plainly."""
    async with filled.work() as session:
        with pytest.raises(LookupError, match="'hr'"):
            await catalogue.unit_id(session, "hr")
        hr = Unit(id=new_id(), code="hr", name="Отдел кадров")
        session.add(hr)
        await session.flush()
        assert await catalogue.unit_id(session, "hr") == hr.id
