"""Administrators change the catalogue: versions, first days, mistakes, two at once, open cases."""

import asyncio
from datetime import date, datetime, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import col, select

from models.tables.cases import Case
from models.tables.catalogue import CatalogueChange
from models.tables.journal import JournalEntry
from rules import clock
from rules.catalogue.entries import Subject
from rules.forms.definitions import CaseTypeDefinition
from rules.journal.entries import SYSTEM_CHAIN, JournalKind
from rules.refusals import Refusal
from services.cases.acts import Act
from services.catalogue import lookup as catalogue
from services.catalogue_admin import entries, type_upgrades
from services.catalogue_admin.changes import Wish
from services.catalogue_admin.kinds import NOTHING, Entry
from services.catalogue_admin.types import as_file
from tests.shared.administration import SHIPPED, Admins

TYPE = "qualification"
TERMS = {"review": 3, "review_reminders": [1], "answer": 4, "answer_reminders": [2]}


async def newest(admins: Admins, subject: Subject, key: str) -> Entry:
    """The entry as it stands."""
    async with admins.database.work() as session:
        found = await entries.newest(session, subject, key)
    assert found is not None
    return found


async def wish(admins: Admins, subject: Subject, key: str, **more: object) -> Wish:
    """A wish on top of what stands now."""
    stands = await newest(admins, subject, key)
    return Wish(uuid4(), stands.digest, **more)  # type: ignore[arg-type]


async def system_journal(admins: Admins) -> list[JournalEntry]:
    """What the system's chain says of the catalogue."""
    async with admins.database.work() as session:
        found = await session.exec(
            select(JournalEntry)
            .where(
                JournalEntry.chain == SYSTEM_CHAIN, col(JournalEntry.kind).startswith("catalogue")
            )
            .order_by(col(JournalEntry.position))
        )
        return list(found.all())


async def in_force(admins: Admins) -> int:
    """The version of the type that new applications begin with."""
    async with admins.database.work() as session:
        catalogue.forget(session)
        return (await catalogue.case_type(session, TYPE)).version


async def code_of_programme(admins: Admins) -> str:
    """A programme of the catalogue that ships."""
    async with admins.database.work() as session:
        return (await catalogue.programmes(session))[0].code


async def test_other_terms_do_not_touch_running_cases(admins: Admins) -> None:
    """A case keeps the terms it began with; the next one gets the new ones (O6)."""
    case_id = await admins.office.in_review()
    before = await admins.office.case(case_id)
    made = await admins.change_terms(TYPE, TERMS, await wish(admins, Subject.TYPE, TYPE))
    assert (made.version, made.values["terms"]["review"]) == (SHIPPED + 1, 3)
    after = await admins.office.case(case_id)
    assert (after.type_version, after.due_at) == (before.type_version, before.due_at)
    later = await admins.office.case(await admins.office.in_review())
    assert later.type_version == SHIPPED + 1
    assert later.due_at is not None
    assert before.due_at is not None
    assert later.due_at < before.due_at


async def test_a_future_version_is_used_from_its_day_on(
    admins: Admins, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until its first day nobody begins with it; the clock decides, at midnight of the place."""
    zone = ZoneInfo("Europe/Moscow")
    day = (clock.now().astimezone(zone) + timedelta(days=10)).date()
    made = await admins.change_terms(
        TYPE, TERMS, await wish(admins, Subject.TYPE, TYPE, valid_from=day)
    )
    assert made.valid_from == datetime.combine(day, datetime.min.time(), zone)
    assert made.waits
    assert await in_force(admins) == SHIPPED
    for seconds, version in ((-1, SHIPPED), (1, SHIPPED + 1)):
        moment = made.valid_from + timedelta(seconds=seconds)
        monkeypatch.setattr(clock, "now", lambda at=moment: at)
        assert await in_force(admins) == version


async def test_a_programme_changes_in_versions(admins: Admins) -> None:
    """A new version is offered, cases keep theirs, and one withdrawn is offered to nobody."""
    code = await code_of_programme(admins)
    stands = await newest(admins, Subject.PROGRAMME, code)
    title = f"{stands.title}, обновлённая"
    first = await wish(admins, Subject.PROGRAMME, code)
    made = await admins.administration.change(
        admins.admin, Subject.PROGRAMME, {**stands.values, "title": title}, first
    )
    assert (made.version, made.title) == ((stands.version or 0) + 1, title)
    async with admins.database.work() as session:
        offered = [p for p in await catalogue.programmes(session) if p.code == code]
        assert [p.version for p in offered] == [made.version]
    gone = await admins.administration.change(
        admins.admin,
        Subject.PROGRAMME,
        made.values,
        await wish(admins, Subject.PROGRAMME, code, offered=False),
    )
    assert not gone.offered
    async with admins.database.work() as session:
        assert code not in [p.code for p in await catalogue.programmes(session)]
        told = await entries.history(session, Subject.PROGRAMME, code)
    assert ("title", stands.title, title) in told[-1].lines
    assert told[0].by == "Админов Пётр"
    kinds = [e.kind for e in await system_journal(admins)]
    assert kinds == [JournalKind.CATALOGUE_CHANGED] * 2


async def test_reasons_units_and_days_are_changed_at_once(admins: Admins) -> None:
    """What has no versions holds from now on, and its history says who made it so."""
    administer = admins.administration.change
    reason = {"key": "no_seats", "outcome": "reject", "title": "Нет мест", "text": "Мест нет."}
    await administer(admins.admin, Subject.REASON, reason, Wish(uuid4(), NOTHING))
    unit = {
        "code": "neurology",
        "name": "Неврология",
        "parent": "institution",
        "time_zone": "Asia/Omsk",
    }
    await administer(admins.admin, Subject.UNIT, unit, Wish(uuid4(), NOTHING))
    day = {"day": "2027-01-11", "working": False, "source": "Постановление 1"}
    await administer(admins.admin, Subject.DAY, day, Wish(uuid4(), NOTHING))
    async with admins.database.work() as session:
        assert "no_seats" in [r.key for r in await catalogue.reasons(session, "reject")]
        calendar = await catalogue.calendar(session)
        assert not calendar.is_working(date(2027, 1, 11))
    renamed = await administer(
        admins.admin,
        Subject.UNIT,
        {**unit, "name": "Неврологическое отделение"},
        await wish(admins, Subject.UNIT, "neurology"),
    )
    assert renamed.values["name"] == "Неврологическое отделение"
    with pytest.raises(Refusal) as moved:
        await administer(
            admins.admin,
            Subject.UNIT,
            {**renamed.values, "parent": "hr"},
            await wish(admins, Subject.UNIT, "neurology"),
        )
    assert [f.path for f in moved.value.fields] == ["parent"]


@pytest.mark.parametrize(
    ("found", "put", "told"),
    [
        ("kind: checkbox", "kind: tickbox", "kind"),
        ("title: Диплом об", "titel: Диплом об", "titel"),
        (f"version: {SHIPPED + 1}", f"version: {SHIPPED}", "raise `version`"),
        ("addressee: hr", "addressee: nobody", "addressee: подразделения nobody нет"),
        ("key: qualification", "key: other", "key: ожидается qualification"),
        ("review: 3", "review: 0", "terms"),
    ],
)
async def test_a_bad_definition_is_refused_with_its_line(
    admins: Admins, found: str, put: str, told: str
) -> None:
    """The mistake is named with the line it stands in, and nothing is changed."""
    stands = await newest(admins, Subject.TYPE, TYPE)
    good = as_file({**stands.values, "terms": TERMS}, SHIPPED + 1)
    assert found in good
    text = good.replace(found, put)
    with pytest.raises(Refusal) as refused:
        await admins.change_type(TYPE, text, await wish(admins, Subject.TYPE, TYPE))
    assert refused.value.status == 422
    line = text.split("\n").index(next(one for one in text.split("\n") if put in one)) + 1
    named = [f.message for f in refused.value.fields if told in f.message]
    assert named, [f.message for f in refused.value.fields]
    if told != "raise `version`":
        near = {f"Строка {n}:" for n in (line - 1, line, line + 1)}
        assert any(one.startswith(tuple(near)) for one in named), (line, named)
    assert (await newest(admins, Subject.TYPE, TYPE)).version == SHIPPED


async def test_broken_yaml_is_refused_with_its_line(admins: Admins) -> None:
    """A text that is no YAML at all says where it breaks."""
    text = "types:\n  - key: qualification\n    title: [\n    version: 2\n"
    with pytest.raises(Refusal) as refused:
        await admins.change_type(TYPE, text, await wish(admins, Subject.TYPE, TYPE))
    assert "Строка" in refused.value.fields[0].message


async def test_wrong_fields_of_a_programme_are_named(admins: Admins) -> None:
    """Each field says what to mend; odd documents and specialties too."""
    stands = await newest(admins, Subject.PROGRAMME, await code_of_programme(admins))
    for change, path in (
        ({"hours": 1}, "hours"),
        ({"title": "a"}, "title"),
        ({"kind": "lecture"}, "kind"),
        ({"specialties": ["astrology"]}, "attachments"),
    ):
        with pytest.raises(Refusal) as refused:
            await admins.administration.change(
                admins.admin,
                Subject.PROGRAMME,
                {**stands.values, **change},
                Wish(uuid4(), stands.digest),
            )
        assert path in [f.path for f in refused.value.fields]


async def test_two_administrators_at_once(admins: Admins) -> None:
    """The second learns that something changed, and nobody's change is lost."""
    stands = await newest(admins, Subject.REASON, await first_reason(admins))
    tries = [
        admins.administration.change(
            admins.admin,
            Subject.REASON,
            {**stands.values, "title": title},
            Wish(uuid4(), stands.digest),
        )
        for title in ("Первый заголовок", "Второй заголовок")
    ]
    done = await asyncio.gather(*tries, return_exceptions=True)
    refused = [one for one in done if isinstance(one, Refusal)]
    made = [one for one in done if isinstance(one, Entry)]
    assert [one.code for one in refused] == ["changed_meanwhile"]
    assert (await newest(admins, Subject.REASON, stands.key)).title == made[0].title


async def first_reason(admins: Admins) -> str:
    """A reason of the stock."""
    async with admins.database.work() as session:
        return (await catalogue.reasons(session))[0].key


async def test_the_same_act_again_changes_nothing(admins: Admins) -> None:
    """A click repeated after a lost answer makes no second version; another body is refused."""
    stands = await newest(admins, Subject.TYPE, TYPE)
    asked = Wish(uuid4(), stands.digest)
    text = as_file({**stands.values, "terms": TERMS}, SHIPPED + 1)
    made = await admins.change_type(TYPE, text, asked)
    assert made.version == SHIPPED + 1
    assert await admins.change_type(TYPE, text, asked) == made
    async with admins.database.work() as session:
        assert len((await session.exec(select(CatalogueChange))).all()) == 1
    await admins.change_terms(TYPE, {**TERMS, "review": 4}, await wish(admins, Subject.TYPE, TYPE))
    assert await admins.change_type(TYPE, text, asked) == made, "whatever was changed since"
    with pytest.raises(Refusal) as refused:
        await admins.change_type(TYPE, text + "\n# more\n", asked)
    assert refused.value.code == "act_id_reused"


async def test_nothing_is_changed_afterwards(admins: Admins) -> None:
    """A first day that is over is refused: what was decided under other rules stays decided."""
    past = (clock.now() - timedelta(days=2)).date()
    with pytest.raises(Refusal) as refused:
        await admins.change_terms(
            TYPE, TERMS, await wish(admins, Subject.TYPE, TYPE, valid_from=past)
        )
    assert [f.path for f in refused.value.fields] == ["valid_from"]


async def test_only_administrators_change_the_catalogue(admins: Admins) -> None:
    """A reviewer may use the catalogue, not write it (I6)."""
    stands = await newest(admins, Subject.TYPE, TYPE)
    with pytest.raises(Refusal) as refused:
        await admins.change_terms(TYPE, TERMS, Wish(uuid4(), stands.digest), by=admins.office.head)
    assert refused.value.status == 403


async def with_new_field(admins: Admins) -> Entry:
    """Version 2 asks for a field that nobody has answered, and is stricter in time."""
    stands = await newest(admins, Subject.TYPE, TYPE)
    values = {**stands.values, "terms": TERMS}
    first, *rest = values["sections"]
    wanted = {"name": "ward_phone", "label": "Телефон отделения", "kind": "phone"}
    values["sections"] = [{**first, "fields": [*first["fields"], wanted]}, *rest]
    text = as_file(values, SHIPPED + 1)
    return await admins.change_type(TYPE, text, Wish(uuid4(), stands.digest))


async def tried(admins: Admins, entry: Entry) -> type_upgrades.Effect:
    """The dry run of a version."""
    async with admins.database.work() as session:
        return await type_upgrades.effect(session, CaseTypeDefinition.model_validate(entry.values))


async def number_of(admins: Admins, case_id: UUID) -> str:
    """The number of a case."""
    return (await admins.office.case(case_id)).number or ""


async def test_dry_run_says_what_would_change_for_whom(admins: Admins) -> None:
    """Numbers of cases by what a version would mean for them; a dry run changes nothing."""
    one, two = await admins.office.in_review(), await admins.office.in_review()
    await admins.office.draft()
    numbers = {await number_of(admins, one), await number_of(admins, two)}
    entry = await with_new_field(admins)
    told = await tried(admins, entry)
    assert (told.open, told.drafts, told.whole) == (2, 1, 0)
    assert set(told.unfit) == numbers
    assert set(told.sooner) == numbers
    assert not told.later
    assert {(await admins.office.case(c)).type_version for c in (one, two)} == {SHIPPED}


async def test_cases_are_moved_only_where_nothing_breaks(admins: Admins) -> None:
    """After the dry run those that stay whole are moved, each with an entry in its journal."""
    moving = await admins.office.in_review()
    before = await admins.office.case(moving)
    made = await admins.change_terms(TYPE, TERMS, await wish(admins, Subject.TYPE, TYPE))
    told = await tried(admins, made)
    assert (told.whole, told.sooner) == (1, (before.number,))
    act = uuid4()
    moved = await type_upgrades.move_cases(admins.database, admins.admin, TYPE, SHIPPED + 1, act)
    assert (moved.moved, moved.left) == (1, 0)
    after = await admins.office.case(moving)
    assert after.type_version == SHIPPED + 1
    assert after.due_at is not None
    assert before.due_at is not None
    assert after.due_at < before.due_at
    entry = (await admins.office.journal(moving))[-1]
    assert entry.kind == JournalKind.CASE_TYPE_CHANGED
    assert (entry.facts["from"], entry.facts["to"]) == (SHIPPED, SHIPPED + 1)
    again = await type_upgrades.move_cases(admins.database, admins.admin, TYPE, SHIPPED + 1, act)
    assert again == moved, "the answer of then, though nothing is left to move"
    with pytest.raises(Refusal, match="act_id_reused"):
        await type_upgrades.move_cases(admins.database, admins.admin, "other", SHIPPED + 1, act)
    assert [e.kind for e in await system_journal(admins)][-1] == JournalKind.CATALOGUE_CASES_MOVED


async def test_cases_that_would_break_stay(admins: Admins) -> None:
    """Nobody's application is made incomplete behind their back."""
    case_id = await admins.office.in_review()
    await with_new_field(admins)
    moved = await type_upgrades.move_cases(
        admins.database, admins.admin, TYPE, SHIPPED + 1, uuid4()
    )
    assert (moved.moved, moved.left) == (0, 1)
    assert (await admins.office.case(case_id)).type_version == SHIPPED


async def test_cases_are_not_moved_to_what_is_not_in_force(admins: Admins) -> None:
    """A version of tomorrow binds nobody today."""
    day = (clock.now() + timedelta(days=5)).date()
    await admins.change_terms(TYPE, TERMS, await wish(admins, Subject.TYPE, TYPE, valid_from=day))
    with pytest.raises(Refusal) as refused:
        await type_upgrades.move_cases(admins.database, admins.admin, TYPE, SHIPPED + 1, uuid4())
    assert refused.value.code == "not_in_force"


async def test_dates_are_judged_by_the_day_they_were_sent(admins: Admins) -> None:
    """What was right when it was submitted is right for a new version, however old the draft."""
    case_id = await admins.office.draft(graduation_year=str(clock.now().year))
    async with admins.database.work() as session:
        case = await session.get_one(Case, case_id)
        case.created_at = clock.now() - timedelta(days=800)
        session.add(case)
    await admins.office.applications.submit(admins.office.clinician, case_id, Act(uuid4(), 0))
    await admins.office.check(case_id)
    made = await admins.change_terms(TYPE, TERMS, await wish(admins, Subject.TYPE, TYPE))
    told = await tried(admins, made)
    assert (told.unfit, told.whole) == ((), 1)
