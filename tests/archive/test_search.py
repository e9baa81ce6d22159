"""The archive's list: what stands in it, for whom, and in which order (S7)."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlmodel import col, select

from models.tables.cases import Case
from models.tables.catalogue import Programme
from rules.access import Actor, Role
from rules.cases.process import CaseKind, Status, Transition
from rules.refusals import Refusal
from rules.texts.cleaning import folded
from services.archive import search as archive
from services.archive.search import ArchiveFilters
from services.catalogue import lookup as catalogue
from tests.archive.many import copied, own_department
from tests.shared.office import Office


async def seen(office: Office, actor: Actor, **filters: object) -> set[str]:
    """Numbers of all cases that a person finds with these filters."""
    asked = ArchiveFilters.model_validate(filters)
    numbers: list[str] = []
    async for batch in archive.walk(office.database, actor, asked):
        numbers += [line.number or "" for line in batch.lines]
    assert len(numbers) == len(set(numbers))
    async with office.database.work() as session:
        assert await archive.count(session, actor, asked, most=100_000) == len(numbers)
    return set(numbers)


async def number_of(office: Office, case_id: object) -> str:
    """The number of a case."""
    return (await office.case(case_id)).number or ""  # type: ignore[arg-type]


async def test_everyone_sees_own_cases_and_those_of_their_units(office: Office) -> None:
    """Q9, I6: the clinician, the department that reviews, the head of the unit; nobody else."""
    number = await number_of(office, await office.in_review())
    colleague = await office.person("Коллега", Role.DOCTOR, office.ward)
    head = await office.person("Заведующий", Role.UNIT_HEAD, office.ward)
    auditor = await office.person("Проверяющий", Role.AUDITOR, office.institution)
    assert await seen(office, office.clinician) == {number}
    for actor in (office.reviewer, office.head, head):
        assert number in await seen(office, actor, number=number)
    for actor in (colleague, auditor):
        assert await seen(office, actor, number=number) == set()


async def test_drafts_are_no_part_of_the_archive(office: Office) -> None:
    """What was never sent has no number and no place here."""
    await office.draft()
    assert await seen(office, office.clinician) == set()


async def test_filters_narrow_together(office: Office) -> None:
    """By date, kind, type, status, unit, number as typed, and words of the title."""
    first = await office.in_review()
    second = await office.in_review()
    await office.decide(second, Transition.REJECT)
    a, b = await number_of(office, first), await number_of(office, second)
    who = office.clinician
    assert await seen(office, who, status=(Status.REJECTED,)) == {b}
    assert await seen(office, who, status=(Status.REJECTED, Status.IN_REVIEW)) == {a, b}
    assert await seen(office, who, kind=CaseKind.APPLICATION) == {a, b}
    assert await seen(office, who, kind=CaseKind.REQUEST) == set()
    assert await seen(office, who, type="qualification") == {a, b}
    assert await seen(office, who, unit_id=office.ward) == {a, b}
    assert await seen(office, who, unit_id=office.hr) == set()
    typed = a.replace("ПК", "pk").replace("-", " ")
    assert await seen(office, who, number=typed) == {a}
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    assert await seen(office, who, submitted_from=tomorrow) == set()
    assert await seen(office, who, submitted_until=tomorrow) == {a, b}
    programme = (await office.case(first)).programme_id
    async with office.database.work() as session:
        title = (await catalogue.programme(session, programme)).title  # type: ignore[arg-type]
    word = title.split()[0].upper()
    assert await seen(office, who, text=word) == {a, b}
    assert await seen(office, who, text=word, status=(Status.REJECTED,)) == {b}
    assert await seen(office, who, text="такого названия нет") == set()
    assert a in await seen(office, office.reviewer, text=word, status=(Status.IN_REVIEW,))


async def test_each_filter_finds_the_same_for_a_department_as_one_plain_question(
    office: Office,
) -> None:
    """The walks along indexes leave nothing out and give nothing twice, whatever is asked."""
    hr = await own_department(office)
    reviewer = await office.person("Кадровик", Role.HR_REVIEWER, hr.id)
    template = await office.in_review()
    began = datetime(2025, 3, 1, tzinfo=UTC)
    await copied(office, template, 700, unit=hr.id, began=began)
    await copied(office, template, 120, unit=hr.id, began=began, status="lapsed")
    assert len(await seen(office, reviewer)) == 820
    assert len(await seen(office, reviewer, status=(Status.LAPSED,))) == 120
    both = await seen(office, reviewer, status=(Status.LAPSED, Status.REJECTED))
    assert len(both) == 820
    assert len(await seen(office, reviewer, unit_id=office.ward)) == 820
    assert len(await seen(office, reviewer, type="qualification")) == 820
    half = began + timedelta(seconds=351)
    assert len(await seen(office, reviewer, submitted_from=half, status=(Status.REJECTED,))) == 350
    assert len(await seen(office, reviewer, text="нет такой программы")) == 0


_MIXED = """
update "case" set
  programme_id = (cast(:programmes as uuid[]))[1 + n % :many],
  kind = case when n % 5 = 0 then 'request' else kind end,
  type = case when n % 5 = 0 then (array['insurance', 'equipment'])[1 + n / 90 % 2] else type end,
  number = case when n % 7 = 0 then null else number end,
  status = (array['lapsed', 'rejected', 'approved'])[1 + n / 7 % 3],
  submitted_at = date_trunc('minute', submitted_at)
from (
  select id, row_number() over (order by id) n from "case" where responsible_unit_id = :unit
) numbered
where "case".id = numbered.id
"""


async def test_words_find_the_same_as_one_look_at_all_titles(office: Office) -> None:
    """Of programmes and of types without one, over several pages, alone and with other filters."""
    hr = await own_department(office)
    reviewer = await office.person("Кадровик", Role.HR_REVIEWER, hr.id)
    began = datetime(2025, 3, 1, tzinfo=UTC)
    await copied(office, await office.in_review(), 900, unit=hr.id, began=began)
    async with office.database.work() as session:
        offered = await catalogue.programmes(session)
        values = {
            "programmes": [*(one.id for one in offered), None],
            "many": len(offered) + 1,
            "unit": hr.id,
        }
        await session.exec(text(_MIXED), params=values)  # type: ignore[call-overload]
    async with office.database.work() as session:
        titles = {one.key: folded(one.title) for one in await archive.types(session)}
        found = await session.exec(
            select(Case, Programme.search_text, Programme.kind)
            .outerjoin(Programme, col(Programme.id) == col(Case.programme_id))
            .where(Case.responsible_unit_id == hr.id, col(Case.number).is_not(None))
        )
        known = [(case, title or titles[case.type], kind) for case, title, kind in found.all()]
    narrowed: list[tuple[dict[str, object], Callable[[Case, str | None], bool]]] = [
        ({}, lambda *_: True),
        ({"status": (Status.LAPSED,)}, lambda case, _: case.status == "lapsed"),
        ({"kind": CaseKind.REQUEST}, lambda case, _: case.kind == "request"),
        ({"unit_id": office.ward}, lambda case, _: case.unit_id == office.ward),
        ({"programme_kind": "course"}, lambda _, kind: kind == "course"),
    ]
    for words in ("а", "сосудов", "страх", "квалификации", "нет такого"):
        for filters, holds in narrowed:
            asked = {
                one.number for one, title, kind in known if words in title and holds(one, kind)
            }
            assert await seen(office, reviewer, text=words, **filters) == asked, (words, filters)
            assert bool(asked) == (words != "нет такого") or filters, words


async def test_pages_hold_while_new_cases_come_in(office: Office) -> None:
    """Keyset pages: a case that comes in meanwhile shifts nothing, and none is shown twice."""
    hr = await own_department(office)
    reviewer = await office.person("Кадровик", Role.HR_REVIEWER, hr.id)
    template = await office.in_review()
    began = datetime(2025, 3, 1, tzinfo=UTC)
    await copied(office, template, 30, unit=hr.id, began=began)
    numbers: list[str] = []
    after = None
    for turn in range(3):
        async with office.database.work() as session:
            page = await archive.page(session, reviewer, ArchiveFilters(), after, 10)
        numbers += [line.number or "" for line in page.lines]
        after = page.after
        later = began + timedelta(days=turn + 1)
        await copied(office, template, 5, unit=hr.id, began=later)
    assert len(set(numbers)) == 30
    assert after is None
    assert numbers == sorted(numbers, reverse=True)


async def test_a_wrong_number_is_told(office: Office) -> None:
    """A refusal with words, not an empty list that looks like an answer."""
    async with office.database.work() as session:
        with pytest.raises(Refusal, match="wrong_number"):
            await archive.page(session, office.clinician, ArchiveFilters(number="ПК-1"))
