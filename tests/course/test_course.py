"""The course on protecting data: when it is due, passing it, being late, being reminded (I12)."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as some
from sqlmodel import col, select

from models.tables.accounts import Account
from models.tables.journal import JournalEntry
from models.tables.notices import Notice
from models.tables.people import CoursePass, Person
from rules.access import Actor, Role
from rules.accounts import AccountState
from rules.clock import now
from rules.course import LIFE, NEAR, TERM, CoursePassed, assigned_at
from rules.ids import new_id
from rules.journal.entries import JournalKind
from rules.notices.kinds import NoticeKind
from rules.refusals import Refusal
from services.course import passing
from services.course.contents import course
from tests.shared.office import Office

RIGHT = {one.name: one.right for one in course().questions}


def test_the_text_is_whole_in_both_languages() -> None:
    """Every text and every choice; no choice is right for being the first or the longest."""
    known = course()
    texts = [known.title, *(one.title for one in known.sections)]
    texts += [text for one in known.sections for text in one.text]
    for question in known.questions:
        texts += [question.question, *question.choices.values()]
        assert question.right in question.choices
        assert len(question.choices) >= 3
    assert all(one.said("ru") and one.said("en") and one.ru != one.en for one in texts)
    assert len({list(one.choices).index(one.right) for one in known.questions}) > 1


def test_when_it_is_assigned() -> None:
    """With the account or the first version, a year after a pass, and at a new version."""
    account, since = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)
    assert assigned_at(account, since, 1, None) == since
    assert assigned_at(since, account, 1, None) == since
    passed = since + timedelta(days=5)
    assert assigned_at(account, since, 1, CoursePassed(1, passed)) == passed + LIFE
    newer = passed + timedelta(days=100)
    assert assigned_at(account, newer, 2, CoursePassed(1, passed)) == newer
    assert assigned_at(account, passed + 2 * LIFE, 2, CoursePassed(1, passed)) == passed + LIFE


@given(some.dictionaries(some.sampled_from([*RIGHT, "other"]), some.sampled_from(["refuse", "x"])))
def test_only_all_right_answers_pass(answers: dict[str, str]) -> None:
    """Whatever is missing or wrong is named; another version is refused as a whole."""
    wrong = [name for name in RIGHT if answers.get(name) != RIGHT[name]]
    with pytest.raises(Refusal) as refused:
        course().demand_right(course().version, answers)
    assert [fault.path for fault in refused.value.fields] == [f"answers.{one}" for one in wrong]
    with pytest.raises(Refusal, match="course_changed"):
        course().demand_right(course().version + 1, RIGHT)


async def with_account(office: Office, actor: Actor, since: datetime, **more: Any) -> Actor:
    """Give the person an account that was made then."""
    async with office.database.work() as session:
        account = Account(
            person_id=actor.person_id,
            login=uuid4().hex,
            password_hash="none",
            password_changed_at=since,
            state=AccountState.ACTIVE,
            created_at=since,
            **more,
        )
        session.add(account)
    return actor


async def passed(office: Office, actor: Actor, at: datetime, version: int | None = None) -> None:
    """Let the person have passed."""
    async with office.database.work() as session:
        number = version or course().version
        session.add(CoursePass(id=new_id(), person_id=actor.person_id, version=number, at=at))


@pytest.fixture
def late_since(monkeypatch: pytest.MonkeyPatch) -> datetime:
    """A moment so long ago that a course assigned then is late; the version began before it."""
    monkeypatch.setattr(passing, "_since", lambda: datetime(2020, 1, 1, tzinfo=UTC))
    return now() - TERM - timedelta(days=1)


async def test_passing_is_recorded_once(office: Office, late_since: datetime) -> None:
    """Twenty windows at once make one pass and one entry; afterwards nothing is open."""
    actor = await with_account(office, office.clinician, late_since)
    version = course().version
    done = await asyncio.gather(
        *(passing.answer(office.database, actor, version, RIGHT) for _ in range(20))
    )
    assert not any(one.open for one in done)
    async with office.database.work() as session:
        rows = await session.exec(
            select(CoursePass.version).where(CoursePass.person_id == actor.person_id)
        )
        assert rows.all() == [version]
        entries = await session.exec(
            select(JournalEntry.facts).where(
                JournalEntry.chain == actor.person_id,
                JournalEntry.kind == JournalKind.ACCOUNT_COURSE_PASSED,
            )
        )
        assert entries.all() == [{"version": version}]


async def test_whoever_is_late_is_listed_to_security_and_the_own_head(
    office: Office, late_since: datetime
) -> None:
    """Not who has time left, passed, left or is locked; the head sees the own unit alone."""
    person = office.person
    late = await with_account(office, await person("Опоздал", Role.DOCTOR, office.ward), late_since)
    other = await with_account(office, await person("Кадровик", Role.CLERK, office.hr), late_since)
    for name, since, more in (
        ("Новый", now(), {}),
        ("Прошёл", late_since, {}),
        ("Закрыт", late_since, {"locked_at": now()}),
    ):
        actor = await with_account(
            office, await person(name, Role.DOCTOR, office.ward), since, **more
        )
        if name == "Прошёл":
            await passed(office, actor, now())
    gone = await person("Ушёл", Role.DOCTOR, office.ward, left_at=None)
    await with_account(office, gone, late_since)
    async with office.database.work() as session:
        (await session.get_one(Person, gone.person_id)).left_at = now()
    head = await person("Заведующая", Role.UNIT_HEAD, office.ward)
    security = await person("Охранова", Role.SECURITY, office.institution)
    async with office.database.work() as session:
        seen = {one.person_id for one in await passing.late(session, security)}
        assert {late.person_id, other.person_id} <= seen
        assert gone.person_id not in seen
        own = await passing.late(session, head)
        names = {one.name for one in own}
        assert "Опоздал" in names
        assert not names & {"Новый", "Прошёл", "Закрыт", "Ушёл", "Кадровик"}
        assert await passing.number_late(session, now()) >= 2
        with pytest.raises(Refusal, match="forbidden"):
            await passing.late(session, office.reviewer)


@pytest.mark.parametrize("version", [None, 0], ids=["this version", "an older one"])
async def test_the_list_and_the_page_agree(
    office: Office, late_since: datetime, version: int | None
) -> None:
    """The database computes the day as the rule does, also for who passed before."""
    actor = await with_account(office, office.clinician, late_since - LIFE)
    await passed(office, actor, late_since - LIFE + timedelta(hours=1), version)
    head = await office.person("Заведующая", Role.UNIT_HEAD, office.ward)
    async with office.database.work() as session:
        state = await passing.state_of(session, actor.person_id)
        listed = {one.person_id: one.due for one in await passing.late(session, head)}
    assert listed[actor.person_id] == state.due
    assert state.overdue


async def test_each_is_reminded_once_of_each_stage(office: Office, late_since: datetime) -> None:
    """Assigned, a week before the end, and after it; several rounds at once tell it once."""
    fresh, near = now() - timedelta(hours=1), now() - TERM + NEAR - timedelta(hours=1)
    people = {
        NoticeKind.COURSE_ASSIGNED: fresh,
        NoticeKind.COURSE_NEAR: near,
        NoticeKind.COURSE_OVERDUE: late_since,
    }
    told = {
        kind: await with_account(
            office, await office.person("Сотрудник", Role.DOCTOR, office.ward), since
        )
        for kind, since in people.items()
    }
    done = await office.person("Прошла", Role.DOCTOR, office.ward)
    await passed(office, await with_account(office, done, late_since), now())
    await asyncio.gather(*(passing.remind(office.database) for _ in range(3)))
    await passing.remind(office.database)
    async with office.database.work() as session:
        ids = [one.person_id for one in told.values()] + [done.person_id]
        found = await session.exec(
            select(Notice.person_id, Notice.kind).where(
                col(Notice.person_id).in_(ids), Notice.channel == "cabinet"
            )
        )
        assert sorted(found.all()) == sorted(
            (one.person_id, kind.value) for kind, one in told.items()
        )


async def test_nothing_closes_to_whoever_is_late(office: Office, late_since: datetime) -> None:
    """A person long overdue applies as before."""
    await with_account(office, office.clinician, late_since - LIFE)
    assert await office.in_review()
