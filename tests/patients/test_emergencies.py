"""Emergencies: opened at once, judged in time by somebody else, with consequences (W2)."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import update
from sqlmodel import col, select

from models.tables.notices import Notice
from models.tables.patients import Emergency
from models.tables.people import Absence, Person, RoleChange
from rules.access import Actor, Permission, Role
from rules.cases.terms import WorkingCalendar
from rules.clock import now
from rules.notices.kinds import NoticeKind
from rules.patients import emergencies as rules
from rules.refusals import Refusal
from services.access_changes.asking import AccessChanges
from services.cases.signals import CaseSignals
from services.own_workflows import Wake
from services.patients import judging, openings, seen
from services.patients.judging import Judgements
from services.patients.openings import Openings
from tests.patients.people import patient
from tests.shared.office import Office


async def woken(row_id: UUID, *, signal: str = "", anew: bool = False) -> bool:
    """Temporal is not what these tests are about."""
    del row_id, signal, anew
    return True


async def told(office: Office, *people: Actor) -> set[tuple[str, str]]:
    """What these people were told in the cabinet: name and kind."""
    async with office.database.work() as session:
        found = await session.exec(
            select(Person.name, Notice.kind)
            .join(Person, col(Person.id) == col(Notice.person_id))
            .where(
                Notice.channel == "cabinet",
                col(Notice.person_id).in_([one.person_id for one in people]),
            )
        )
        return set(found.all())


async def opened(office: Office, who: Actor) -> UUID:
    """A record that somebody opened at once; the id of the emergency."""
    key = await patient(office.database, office.ward)
    acts = Openings(office.database, woken)
    await acts.open_at_once(who, key, "Остановка сердца")
    async with office.database.work() as session:
        found = await session.exec(
            select(Emergency.id)
            .where(Emergency.person_id == who.person_id)
            .order_by(col(Emergency.id).desc())
        )
        return found.first() or uuid4()


def judgements(office: Office, wake: Wake = woken) -> Judgements:
    """What information security does."""
    signals = CaseSignals(office.heard)
    rights = AccessChanges(office.database, signals, "Europe/Moscow")
    return Judgements(office.database, wake, rights.propose_end)


async def late(office: Office, emergency_id: UUID, by: timedelta) -> None:
    """Let time go by for an emergency."""
    moment = now() - by
    async with office.database.work() as session:
        await session.exec(
            update(Emergency)
            .where(col(Emergency.id) == emergency_id)
            .values(looks_at=moment, due_at=moment + timedelta(hours=1))
        )


def test_the_term_is_two_working_days() -> None:
    """A Friday evening ends on Tuesday at 24:00; reminders come on working mornings."""
    calendar, zone = WorkingCalendar(), "Europe/Moscow"
    friday = now().replace(year=2026, month=11, day=27, hour=18, minute=0)
    due = rules.due(friday, zone, calendar)
    assert f"{due:%Y-%m-%d %H:%M}" == "2026-12-01 21:00"
    first = rules.next_look(friday, due, zone, calendar)
    assert f"{first:%Y-%m-%d %H:%M}" == "2026-11-30 06:00"
    assert rules.next_look(due - timedelta(hours=1), due, zone, calendar) == due
    assert rules.next_look(due, due, zone, calendar) > due


async def test_a_good_judgement_ends_it(office: Office) -> None:
    """Security alone judges, once; the patient is not named to it; the person is told."""
    judge = await office.person("Ершова Нина", Role.SECURITY, office.institution)
    emergency, acts = await opened(office, office.clinician), judgements(office)
    async with office.database.work() as session:
        [one] = [x for x in await seen.to_judge(session, judge, now(), everything=False)
                 if x.id == emergency]  # fmt: skip
        assert (one.words, one.judge) == ("Остановка сердца", None)
        assert not [name for name in vars(one) if "patient" in name]
        with pytest.raises(Refusal, match="forbidden"):
            await seen.to_judge(session, office.head, now(), everything=False)
    for nobody in (office.clinician, office.head, office.reviewer):
        with pytest.raises(Refusal, match="forbidden"):
            await acts.judge(nobody, emergency, justified=True, reason="Так надо")
    await acts.take(judge, emergency)
    await acts.judge(judge, emergency, justified=True, reason="Жизни грозила опасность")
    with pytest.raises(Refusal, match="changed_meanwhile"):
        await acts.judge(judge, emergency, justified=False, reason="Передумали")
    assert await judging.look(office.database, emergency) is None
    assert "emergency_justified" in {kind for _, kind in await told(office, office.clinician)}
    async with office.database.work() as session:
        assert not await openings.is_suspended(session, office.clinician.person_id)


async def test_a_bad_judgement_has_consequences(office: Office) -> None:
    """Person and head are told, the right is up to two people, no emergency until then."""
    judge = await office.person("Ершова Нина", Role.SECURITY, office.institution)
    doctor = await office.person("Лихой Егор", Role.DOCTOR, office.ward)
    head = await office.person("Заведующая Ида", Role.UNIT_HEAD, office.ward)
    emergency = await opened(office, doctor)
    await judgements(office).judge(judge, emergency, justified=False, reason="Пациент - сосед")
    kinds = await told(office, doctor, head)
    assert (doctor.name, NoticeKind.EMERGENCY_UNJUSTIFIED) in kinds
    assert (head.name, NoticeKind.EMERGENCY_UNJUSTIFIED_STAFF) in kinds
    with pytest.raises(Refusal, match="emergency_suspended"):
        await opened(office, doctor)
    async with office.database.work() as session:
        found = await session.exec(
            select(RoleChange).where(RoleChange.subject_id == doctor.person_id)
        )
        [change] = found.all()
        assert (change.proposed, change.role, change.open) == (True, "doctor", True)
        mine = await seen.own(session, doctor, now())
        assert [(one.id, one.verdict) for one in mine] == [(emergency, "Пациент - сосед")]
        assert emergency in {one.id for one in await seen.own(session, head, now())}
        change.open = False
        session.add(change)
    assert await opened(office, doctor) != emergency, "what was refused suspends no longer"


async def test_who_opened_never_judges(office: Office) -> None:
    """Nor is it shown to them, whatever roles they hold; the database says so too."""
    both = await office.person("Двойной Пётр", Role.DOCTOR, office.ward)
    both = await office.with_more(both, (Role.SECURITY, office.institution))
    emergency = await opened(office, both)
    assert both.may(Permission.JUDGE_EMERGENCIES)
    for act in (
        judgements(office).take(both, emergency),
        judgements(office).judge(both, emergency, justified=True, reason="Сам знаю"),
    ):
        with pytest.raises(Refusal, match="oneself"):
            await act
    async with office.database.work() as session:
        assert emergency not in {
            one.id for one in await seen.to_judge(session, both, now(), everything=True)
        }


async def test_who_left_loses_it_and_nobody_is_forgotten(office: Office) -> None:
    """Reminded in the morning, escalated at the end; an absent judge's deputy has it, or all."""
    first, second = [
        await office.person(name, Role.SECURITY, office.institution)
        for name in ("Первая Нина", "Вторая Нина")
    ]
    head = await office.person("Заведующая Ида", Role.UNIT_HEAD, office.ward)
    emergency = await opened(office, office.clinician)
    await judgements(office).take(first, emergency)
    await late(office, emergency, timedelta(minutes=1))
    again = await judging.look(office.database, emergency)
    assert again is not None
    assert again > now()
    assert (first.name, NoticeKind.EMERGENCY_WAITS) in await told(office, first)
    today = now().date()
    async with office.database.work() as session:
        session.add(
            Absence(
                person_id=first.person_id,
                first_day=today - timedelta(days=1),
                last_day=today + timedelta(days=1),
                deputy_id=second.person_id,
            )
        )
    await judging.look(office.database, emergency)
    async with office.database.work() as session:
        row = await session.get_one(Emergency, emergency)
        assert row.judge_id == second.person_id
        gone = await session.get_one(Person, second.person_id)
        gone.left_at = now() - timedelta(seconds=1)
        session.add(gone)
    await judging.look(office.database, emergency)
    async with office.database.work() as session:
        assert (await session.get_one(Emergency, emergency)).judge_id is None
    await late(office, emergency, timedelta(hours=2))
    await judging.look(office.database, emergency)
    await judging.look(office.database, emergency)
    assert (head.name, NoticeKind.EMERGENCY_LATE_STAFF) in await told(office, head)
    async with office.database.work() as session:
        row = await session.get_one(Emergency, emergency)
        assert (row.reminded, row.state) == (2, "waits"), "looking twice reminds once"
