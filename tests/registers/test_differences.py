"""A difference is shown, and only the person takes it over or disputes it (Q7, Q8)."""

import asyncio
from datetime import date
from uuid import UUID, uuid4

import pytest
from sqlmodel import col, select

from clients.register_batches import AccreditationRecord
from clients.registers import RegisterCard
from models.tables.credentials import CredentialReminder, CredentialVersion
from models.tables.journal import JournalEntry
from models.tables.notices import Notice
from rules.access import Actor, Role
from rules.clock import now
from rules.credentials.reminders import ReminderAnswer, ReminderState
from rules.credentials.statuses import CredentialStatus
from rules.credentials.versions import How
from rules.journal.entries import JournalKind
from rules.notices.kinds import NoticeKind
from rules.refusals import Refusal
from rules.registers.comparison import DifferenceKind, is_same
from rules.registers.kinds import RegisterName
from rules.registers.records import latest_effective
from services.credentials.acts import Credentials, asleep
from services.credentials.drafts import CredentialDrafts
from services.registers import differences, disputes
from services.registers.differences import Differences, RegisterDifference
from services.registers.disputes import Disputes
from services.registers.items import items_of
from services.registers.records import PersonCompared, is_of
from tests.credentials.conftest import Keeping, keeping
from tests.registers.said import ACCREDITATION, COURSE, OF, has_said
from tests.shared.office import Office

__all__ = ["keeping"]
TODAY = date(2026, 11, 30)


async def found_of(office: Office, person: UUID) -> list[RegisterDifference]:
    """The differences as the person sees them now."""
    async with office.database.work() as session:
        return list((await differences.of_person(session, person, TODAY)).differences)


async def told(office: Office, person: UUID, kind: NoticeKind) -> int:
    """How often a person was told in the cabinet."""
    async with office.database.work() as session:
        found = await session.exec(
            select(Notice.id).where(
                Notice.person_id == person,
                Notice.kind == kind.value,
                Notice.channel == "cabinet",
            )
        )
        return len(found.all())


def test_of_two_records_the_latest_in_effect_counts() -> None:
    """One to come counts only where none is in effect; the same day again is a correction."""
    days = [date(2024, 1, 1), date(2022, 1, 1), date(2027, 1, 1)]

    def counted(*some: date) -> list[date]:
        return list(latest_effective(some, lambda _: "one", lambda day: day, TODAY))

    assert counted(*days) == counted(*reversed(days)) == [date(2024, 1, 1)]
    assert counted(date(2028, 1, 1), date(2027, 1, 1)) == [date(2027, 1, 1)]
    pairs = [("a", date(2024, 1, 1)), ("b", date(2024, 1, 1))]
    assert latest_effective(pairs, lambda _: 1, lambda one: one[1], TODAY) == [pairs[1]]
    old = AccreditationRecord.model_validate({**ACCREDITATION, "number": "1"})
    new = old.model_copy(update={"number": "2", "passed": date(2025, 1, 1)})
    assert [(one.data["number"], one.counts) for one in items_of([old, new], TODAY)] == [
        ("1", False),
        ("2", True),
    ]


@pytest.mark.parametrize(
    ("name", "ours", "theirs", "same"),
    [
        ("number", "7724 030123456", "7724030123456", True),
        ("number", "AB 12", "АВ-12", True),
        ("issuer", "ФГБУ «Центр учёта»", "ФГБУ Центр учета", True),
        ("hours", "36", 36, True),
        ("issuer", None, "РМАНПО", False),
        ("valid_until", "2029-11-25", "2030-11-25", False),
    ],
)
def test_what_means_the_same_does_not_differ(
    name: str, ours: object, theirs: object, same: bool
) -> None:
    """Neither spaces nor quotes, ё or look-alike letters are a difference."""
    assert is_same(name, ours, theirs) is same


def test_a_card_of_a_namesake_is_not_ours() -> None:
    """The name fits and the SNILS does not: nothing of it is believed."""
    general = {"surname": "Соколова", "name": "Анна", "birth_date": "1980-01-01"}
    ours = PersonCompared(uuid4(), OF, "11223344595", None, None, "Europe/Moscow")
    for snils, fits in (("112-233-445 95", True), ("141-592-653 61", False)):
        card = RegisterCard.model_validate({"snils": snils, "general": general})
        assert is_of(ours, card) is fits


async def test_a_difference_is_shown_and_taken_over_by_the_person(
    office: Office, keeping: Keeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The register is said to say so since when; accepted, it is a version with its source."""
    person, database = office.clinician.person_id, office.database
    acts = Differences(database, asleep, CredentialDrafts(database, Credentials(database)))
    mine = await keeping.add(valid_until="25.11.2028")
    await has_said(office.database, person, RegisterName.ACCREDITATION, 1, ACCREDITATION)
    await has_said(office.database, person, RegisterName.EDUCATION, 1, COURSE)
    differs, new = await found_of(office, person)
    assert await told(office, person, NoticeKind.REGISTER_DIFFERS) == 1
    assert (differs.kind, differs.credential_id) == (DifferenceKind.DIFFERS, mine)
    assert [(one.name, one.ours, one.theirs) for one in differs.fields] == [
        ("valid_until", "2028-11-25", "2029-11-25")
    ]
    assert differs.since == date(2026, 1, 15)
    assert (new.kind, new.category.key) == (DifferenceKind.NEW, "course")
    act, reminder = uuid4(), (mine, date(2028, 11, 25), 30)
    async with office.database.work() as session:
        session.add(
            CredentialReminder(
                credential_id=mine,
                last_day=date(2028, 11, 25),
                days=30,
                state=ReminderState.SENT.value,
                due_at=now(),
                sent_at=now(),
            )
        )
    twice = [acts.accept(office.clinician, act, differs.key) for _ in range(2)]
    assert await asyncio.gather(*twice) == [mine, mine]
    with pytest.raises(Refusal, match="act_id_reused"):
        await acts.accept(office.head, act, differs.key)
    with pytest.raises(Refusal, match="changed_meanwhile"):
        await acts.accept(office.clinician, uuid4(), differs.key)
    with monkeypatch.context() as patched:
        patched.setattr("services.credentials.acts.MOST", 1)
        with pytest.raises(Refusal, match="too_many"):
            await acts.accept(office.clinician, uuid4(), new.key)
    for actor, used in ((office.clinician, mine), (office.reviewer, act)):
        with pytest.raises(Refusal, match="act_id_reused"):
            await acts.accept(actor, used, new.key)
    course = await acts.accept(office.clinician, uuid4(), new.key)
    seen = await keeping.one(mine)
    assert (seen.version, str(seen.current.valid_until)) == (2, "2029-11-25")
    assert (seen.current.source, seen.current.how) == ("accreditation", How.ACCEPTED)
    assert len(seen.current.files) == 1
    got = await keeping.one(course)
    assert (got.current.source, got.current.data["certified_hours"]) == ("education", 36)
    assert await found_of(office, person) == []
    async with office.database.work() as session:
        agreed = (await differences.of_person(session, person, TODAY)).agreed
        old = await session.exec(
            select(CredentialVersion.source)
            .where(CredentialVersion.credential_id == mine)
            .order_by(col(CredentialVersion.number))
        )
        assert old.all() == ["own", "accreditation"]
        told_of_end = await session.get_one(CredentialReminder, reminder)
        assert told_of_end.answer == ReminderAnswer.UPDATED
    assert set(agreed) == {mine, course}


async def test_what_the_register_alone_has_comes_into_the_file(
    office: Office, keeping: Keeping
) -> None:
    """A newer accreditation takes the place of the old one; of a diploma the day is asked."""
    person, database = office.clinician, office.database
    drafts = CredentialDrafts(database, Credentials(database))
    acts = Differences(database, asleep, drafts)
    mine = await keeping.add(number="7724 1", issued_on="25.11.2019", valid_until="25.11.2027")
    await has_said(database, person.person_id, RegisterName.ACCREDITATION, 1, ACCREDITATION)
    (new,) = await found_of(office, person.person_id)
    made = await acts.accept(person, uuid4(), new.key)
    old = await keeping.one(mine)
    assert (old.status, old.replaced_by) == (CredentialStatus.REPLACED, made)
    studied = {
        "kind": "диплом специалиста",
        "specialty": "Лечебное дело",
        "series_number": "107704 0012345",
        "organisation": "Первый медицинский университет",
        "graduated": 2012,
    }
    card = {
        "snils": "112-233-445 95",
        "general": {
            "surname": "Соколова",
            "name": "Анна",
            "patronymic": "Сергеевна",
            "birth_date": "1980-01-01",
        },
        "profs": [studied],
    }
    await has_said(database, person.person_id, RegisterName.WORKERS, 1, card)
    (diploma,) = await found_of(office, person.person_id)
    assert (diploma.kind, diploma.category.key) == (DifferenceKind.NEW, "diploma")
    act = uuid4()
    with pytest.raises(Refusal, match="incomplete") as refused:
        await acts.accept(person, act, diploma.key)
    assert [one.path for one in refused.value.fields] == ["issued_on"]
    assert {await acts.complete(person, act, diploma.key) for _ in range(2)} == {act}
    await drafts.attach(person, act, await office.document(person, "diploma"))
    await drafts.save(person, act, {"issued_on": "30.06.2012"}, {})
    await drafts.finish(person, act)
    got = await keeping.one(act)
    assert (got.number, got.current.data["level"]) == ("107704 0012345", "specialist")
    assert await found_of(office, person.person_id) == []


async def test_a_mistyped_number_is_a_difference_and_not_a_new_one(
    office: Office, keeping: Keeping
) -> None:
    """The same specialty of the same day is the same paper; what was withdrawn is not compared."""
    person = office.clinician.person_id
    mine = await keeping.add(number="7724 030123465", valid_until="25.11.2029")
    await has_said(office.database, person, RegisterName.ACCREDITATION, 1, ACCREDITATION)
    (one,) = await found_of(office, person)
    assert [field.name for field in one.fields] == ["number"]
    await keeping.acts.withdraw(office.clinician, mine, "Внесено по ошибке")
    (one,) = await found_of(office, person)
    assert (one.kind, one.credential_id) == (DifferenceKind.NEW, None)


async def test_a_dispute_is_answered_by_somebody_else(office: Office, keeping: Keeping) -> None:
    """The words reach the personnel department alone, once; a new revision shows it anew."""
    person, acts = office.clinician, Disputes(office.database)
    hr = await office.person("Кадрова Ирина Львовна", Role.HR_HEAD, office.institution)
    stranger = await office.person("Чужой Пётр Ильич", Role.HR_HEAD, office.hr)
    await keeping.add(valid_until="25.11.2028")
    await has_said(office.database, person.person_id, RegisterName.ACCREDITATION, 1, ACCREDITATION)
    (one,) = await found_of(office, person.person_id)
    act = uuid4()
    with pytest.raises(Refusal, match="incomplete"):
        await acts.dispute(person, act, one.key, " ")
    words = "В удостоверении другой год"
    await asyncio.gather(*(acts.dispute(person, act, one.key, words) for _ in range(2)))
    with pytest.raises(Refusal, match="disputed_already"):
        await acts.dispute(person, uuid4(), one.key, "И ещё раз")
    assert await told(office, hr.person_id, NoticeKind.REGISTER_DISPUTED) == 1
    assert await told(office, stranger.person_id, NoticeKind.REGISTER_DISPUTED) == 0

    async def listed(actor: Actor) -> list[UUID]:
        async with office.database.work() as session:
            return [each.id for each in await disputes.waiting(session, actor)]

    assert act in await listed(hr)
    assert act not in await listed(stranger)
    for refused in (person, stranger):
        with pytest.raises(Refusal, match="not_found"):
            await acts.answer(refused, act, "Верно")
    await acts.answer(hr, act, "Реестр исправят до пятницы")
    await acts.answer(hr, act, "Реестр исправят до пятницы")
    with pytest.raises(Refusal, match="answered_already"):
        await acts.answer(hr, act, "Передумали")
    assert act not in await listed(hr)
    assert await told(office, person.person_id, NoticeKind.REGISTER_ANSWERED) == 1
    async with office.database.work() as session:
        mine = (await disputes.own(session, person.person_id))[one.subject]
        assert (mine.words, mine.answer) == (
            "В удостоверении другой год",
            "Реестр исправят до пятницы",
        )
        noted = await session.exec(
            select(JournalEntry.kind, JournalEntry.facts).where(
                JournalEntry.chain == person.person_id,
                col(JournalEntry.kind).startswith("register."),
            )
        )
        kinds = dict(noted.all())
    assert set(kinds) == {
        JournalKind.REGISTER_DISPUTED.value,
        JournalKind.REGISTER_DISPUTE_ANSWERED.value,
    }
    assert "год" not in str(kinds)
    newer = {**ACCREDITATION, "valid_until": "2030-11-25"}
    await has_said(office.database, person.person_id, RegisterName.ACCREDITATION, 2, newer)
    with pytest.raises(Refusal, match="changed_meanwhile"):
        await acts.dispute(person, uuid4(), one.key, "Год прежний")
    (again,) = await found_of(office, person.person_id)
    assert again.subject == one.subject
    await acts.dispute(person, uuid4(), again.key, "И теперь неверно")
