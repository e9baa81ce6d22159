"""Catalogue files: what ships is good, mistakes are named, loading twice changes nothing."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import col, select

from clients.database import Database
from models.tables.catalogue import CaseTypeVersion, Programme, Reason
from services.catalogue import lookup as catalogue
from services.catalogue.files import CatalogueError
from services.catalogue.loading import load
from tests.catalogue.conftest import DATA

Write = Callable[[str, str], Path]
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)

PROGRAMME = """
programmes:
  - code: CARD-036
    title: Кардиология
    kind: course
    organisation: Академия
    hours: 36
    certified_hours: 36
"""

TYPE = """
types:
  - key: qualification
    version: 1
    kind: application
    title: Заявка
    addressee: hr
    sections:
      - {name: s, title: О вас, fields: [{name: snils, label: СНИЛС, kind: snils}]}
    attachments:
      - {kind: diploma, title: Копия диплома}
"""


async def test_catalogue_that_ships_is_loaded_once(empty: Database) -> None:
    """All three types of training, different documents, hours and terms; again: no change (A1)."""
    async with empty.work() as session:
        loaded = await load(session, DATA)
    assert len(loaded.added) >= 12
    async with empty.work() as session:
        assert not await load(session, DATA)
        programmes = await catalogue.programmes(session)
        definition = await catalogue.case_type(session, "qualification")
        assert {each.kind for each in programmes} == {"course", "distance", "seminar"}
        assert {2, 576} <= {each.hours for each in programmes}
        assert any(each.rules.add for each in programmes)
        waivers = [waiver for each in programmes for waiver in each.rules.waive]
        assert any(waiver.kind == "diploma" and waiver.reason for waiver in waivers)
        assert len({str(each.rules.terms) for each in programmes}) > 2
        assert any(each.rules.checklist for each in programmes)
        assert [rule.kind for rule in definition.attachments if rule.required] == [
            "previous_education",
            "workplace_reference",
            "diploma",
        ]
        for outcome in ("approve", "clarify", "reject"):
            assert len(await catalogue.reasons(session, outcome)) >= 3


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            PROGRAMME.replace("hours: 36\n    c", "hours: 1\n    c"),
            "catalogue.yaml:7: programmes CARD-036: hours: Input should be greater than or equal",
        ),
        (
            PROGRAMME.replace("kind: course", "kind: lecture"),
            "catalogue.yaml:5: programmes CARD-036: kind: Input should be 'course'",
        ),
        (
            PROGRAMME.replace("    title: Кардиология\n", ""),
            "catalogue.yaml:3: programmes CARD-036",
        ),
        (PROGRAMME + "    colour: red\n", "catalogue.yaml:9: programmes CARD-036: colour: Extra"),
        (PROGRAMME + "    hours: 36\n", "catalogue.yaml:9: hours is written twice"),
        (
            PROGRAMME.replace("certified_hours: 36", "certified_hours: 37"),
            "catalogue.yaml:3: programmes CARD-036: certified_hours are more than hours",
        ),
        (
            PROGRAMME + "    attachments: {waive: [{kind: photo, reason: не нужно}]}\n",
            "programmes CARD-036: attachments.waive: 'photo' is not asked for anyway",
        ),
        (
            PROGRAMME + "    attachments: {add: [{kind: photo, title: Фото}]}\n",
            "programmes CARD-036: attachments.add: no category of documents 'photo'",
        ),
        (
            PROGRAMME + "    terms: {review: 5, review_reminders: [5]}\n",
            "programmes CARD-036: terms: reminders (5,) lie outside a term of 5 days",
        ),
        (PROGRAMME + PROGRAMME.split("\n", 2)[2], "programme CARD-036 is also in catalogue.yaml"),
        (PROGRAMME + "   - [", "catalogue.yaml: while parsing"),
        ("программы", "catalogue.yaml: expected a mapping"),
        ("", "catalogue.yaml: expected a mapping"),
        ("reasons: [{key: a, outcome: maybe, title: Так, text: Так}]", "reasons a: outcome"),
        (
            "calendar: [{day: 2028-13-01, working: true, source: Указ}]",
            "catalogue.yaml:1: calendar 2028-13-01: day",
        ),
        (
            TYPE.replace("name: s,", "name: check,").replace("key: q", "key: other_q"),
            "catalogue.yaml:9: types other_qualification: sections: check: a page of the draft",
        ),
    ],
)
async def test_mistakes_are_named_and_nothing_is_loaded(
    empty: Database, write: Write, text: str, problem: str
) -> None:
    """Whoever edits a file hears which file, line, entry and field to mend."""
    files = [write("types.yaml", TYPE), write("catalogue.yaml", text)]
    with pytest.raises(CatalogueError) as refused:
        async with empty.work() as session:
            await load(session, files)
    assert any(problem in each for each in refused.value.problems), refused.value.problems
    async with empty.work() as session:
        assert (await session.exec(select(CaseTypeVersion))).all() == []


async def test_all_mistakes_are_told_at_once(empty: Database, write: Write) -> None:
    """One run names every mistake in every file, a missing file too."""
    files = [
        write("a.yaml", PROGRAMME.replace("36", "many")),
        write("b.yaml", TYPE.replace("version: 1", "version: 0")),
        Path("/nowhere/c.yaml"),
    ]
    with pytest.raises(CatalogueError) as refused:
        async with empty.work() as session:
            await load(session, files)
    assert {each.split(":")[0] for each in refused.value.problems} == {
        "a.yaml",
        "b.yaml",
        "c.yaml",
    }


async def test_programme_needs_a_type_to_apply_with(empty: Database, write: Write) -> None:
    """Programmes alone are refused while there is no form for them."""
    with pytest.raises(CatalogueError, match="no type 'qualification'"):
        async with empty.work() as session:
            await load(session, [write("p.yaml", PROGRAMME)])


async def test_changed_programme_is_a_new_version(empty: Database, write: Write) -> None:
    """Cases keep the programme they began with; the catalogue offers the new one (A6, O6)."""
    types = write("types.yaml", TYPE)
    async with empty.work() as session:
        await load(session, [types, write("p.yaml", PROGRAMME)], NOW)
        [first] = await catalogue.programmes(session)
    longer = PROGRAMME.replace("hours: 36", "hours: 72")
    async with empty.work() as session:
        loaded = await load(session, [types, write("p.yaml", longer)], NOW)
        assert loaded.changed == ["CARD-036"]
        [second] = await catalogue.programmes(session)
        assert (second.version, second.hours) == (2, 72)
        assert (await catalogue.programme(session, first.id)).hours == 36
        assert not await catalogue.is_offered(session, first.id)
        assert await catalogue.is_offered(session, second.id)


async def test_effective_date_is_awaited(empty: Database, write: Write) -> None:
    """A version with a later date is stored, and offered only from that day on (O6)."""
    types = write("types.yaml", TYPE)
    tomorrow = (datetime.now(UTC) + timedelta(days=2)).date()
    later = PROGRAMME.replace("hours: 36", "hours: 72") + f"    valid_from: {tomorrow}\n"
    async with empty.work() as session:
        await load(session, [types, write("p.yaml", PROGRAMME)])
        await load(session, [types, write("p.yaml", later)])
        [offered] = await catalogue.programmes(session)
        assert offered.hours == 36
        pending = (await session.exec(select(Programme).where(Programme.version == 2))).one()
        assert pending.valid_from.isoformat() == f"{tomorrow - timedelta(days=1)}T21:00:00+00:00"
        pending.valid_from = NOW - timedelta(days=400)
        session.add(pending)
        await session.flush()
        [offered] = await catalogue.programmes(session)
        assert offered.hours == 72


async def test_programme_taken_out_is_withdrawn_and_may_return(
    empty: Database, write: Write
) -> None:
    """A programme missing from the files is no longer offered, and kept for its cases."""
    types, programme = write("types.yaml", TYPE), write("p.yaml", PROGRAMME)
    async with empty.work() as session:
        await load(session, [types, programme])
        assert not await load(session, [types])
        loaded = await load(session, [types, write("none.yaml", "programmes: []")])
        assert loaded.withdrawn == ["CARD-036"]
        assert list(await catalogue.programmes(session)) == []
        assert (await load(session, [types, programme])).changed == ["CARD-036"]
        [again] = await catalogue.programmes(session)
        assert again.version == 1


async def test_changed_type_needs_a_new_version(empty: Database, write: Write) -> None:
    """A definition that cases may have begun with never changes under them."""
    async with empty.work() as session:
        await load(session, [write("types.yaml", TYPE)])
    renamed = TYPE.replace("title: Заявка", "title: Прошение")
    with pytest.raises(CatalogueError, match="raise `version`"):
        async with empty.work() as session:
            await load(session, [write("types.yaml", renamed)])
    raised = renamed.replace("version: 1", "version: 2")
    async with empty.work() as session:
        assert (await catalogue.case_type(session, "qualification")).version == 1
        assert await load(session, [write("types.yaml", raised)])
        assert (await catalogue.case_type(session, "qualification")).title == "Прошение"
        assert (await catalogue.case_type(session, "qualification", 1)).title == "Заявка"


async def test_reasons_are_edited_in_place(filled: Database, write: Write) -> None:
    """The stock follows the file: order, words, and what is no longer offered (A4)."""
    one = "{key: reject_full, outcome: reject, title: Мест нет, text: Мест больше нет.}"
    async with filled.work() as session:
        loaded = await load(session, [write("r.yaml", f"reasons: [{one}]")])
        assert loaded.changed == ["reject_full"]
        assert "approve_fits" in loaded.withdrawn
        [reason] = await catalogue.reasons(session)
        assert reason.text == "Мест больше нет."
        kept = await session.exec(select(Reason).where(col(Reason.active).is_(False)))
        assert len(kept.all()) == len(loaded.withdrawn)
