"""A lock by suspicion: nothing is open, and only a meeting and a third person open it (I4)."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from crypto.key_ring import key_ring
from models.tables.accounts import (
    Account,
    AccountLock,
    AccountSession,
    DeviceToken,
    ProviderLink,
)
from models.tables.journal import JournalEntry
from models.tables.meetings import Meeting, MeetingSlot
from models.tables.notices import Notice
from models.tables.people import Person, RoleGrant, Unit
from models.tables.results import LabResult
from models.tables.second_factor import Passkey, SmsFactor
from rules.access import Actor, Role
from rules.account_locks import (
    CODES,
    LINKS,
    REMINDERS,
    SECURITY_TOLD,
    LockState,
    demand_third,
    next_look,
)
from rules.accounts import Stage
from rules.clock import now
from rules.ids import new_id
from rules.meetings import CHECKLIST, MeetingState, Purpose
from rules.refusals import Refusal
from rules.results.life import ResultState
from rules.results.values import Urgency
from rules.risks import RiskKind
from rules.second_factor import Method
from services import access
from services.account_locks import reminders
from services.accounts import devices, password_reset, sign_in
from services.accounts.risks.events import raise_event
from services.accounts.second_factor import inventory, recovery_codes
from services.accounts.sessions import open_session
from services.meetings import times
from services.own_workflows import wake_late
from tests.meetings.test_meetings import begun, codes, opened
from tests.shared.accounts import visitor_at
from tests.staff.hospital import Staff, staff

__all__ = ["staff"]
NEW_PASSWORD = "река Ока весной шумит"


async def lock_of(staff: Staff, owner: Actor) -> AccountLock:
    """The newest lock of somebody."""
    async with staff.database.work() as session:
        found = await session.exec(
            select(AccountLock)
            .where(AccountLock.person_id == owner.person_id)
            .order_by(col(AccountLock.at).desc())
        )
        return found.first()  # type: ignore[return-value]


async def secrets_of(staff: Staff, owner: Actor) -> Sequence[str]:
    """The secrets of the links to choose a meeting, oldest first."""
    found = await paths_of(staff, owner)
    return [path.removeprefix("/unlock/") for path in found if path.startswith("/unlock/")]


async def paths_of(staff: Staff, owner: Actor) -> Sequence[str]:
    """The links in the mails, oldest first."""
    async with staff.database.work() as session:
        found = await session.exec(
            select(Notice.contents)
            .where(Notice.person_id == owner.person_id, Notice.channel == "mail")
            .order_by(col(Notice.id))
        )
        return [str(one["path"]) for one in found if one and "path" in one]


async def told(staff: Staff, who: Actor) -> list[str]:
    """The kinds of notices in somebody's cabinet, oldest first."""
    async with staff.database.work() as session:
        found = await session.exec(
            select(Notice.kind)
            .where(Notice.person_id == who.person_id, Notice.channel == "cabinet")
            .order_by(col(Notice.id))
        )
        return list(found)


async def locked(staff: Staff, name: str = "Соколова Анна") -> Actor:
    """Somebody who has locked the own account."""
    owner = await staff.person(name, Role.DOCTOR)
    await staff.container.account_locks.lock_own(owner.person_id, visitor_at())
    return owner


async def test_results_of_whoever_is_locked_are_looked_at_at_once(staff: Staff) -> None:
    """By the person or by an administrator: a critical result does not wait for midnight."""
    people = [await staff.person("Соколова Анна", Role.DOCTOR) for _ in range(2)]
    later = now() + timedelta(days=1)
    results = [
        LabResult(
            id=new_id(),
            number="Л-1",
            unit_id=staff.office.ward,
            answers_id=one.person_id,
            state=ResultState.UNMATCHED.value,
            urgency=Urgency.CRITICAL.value,
            version=1,
            opened_at=now(),
            due_at=later,
            looks_at=later,
        )
        for one in people
    ]
    ids = [one.id for one in results]
    async with staff.database.work() as session:
        session.add_all(results)
    own, others = people
    await staff.container.account_locks.lock_own(own.person_id, visitor_at())
    await staff.container.staff.lock(staff.admin, new_id(), others.person_id, "Потерян")
    async with staff.database.work() as session:
        found = await session.exec(select(LabResult.looks_at).where(col(LabResult.id).in_(ids)))
        assert all(one is not None and one < later for one in found)
        rows = update(LabResult).where(col(LabResult.id).in_(ids))
        await session.exec(rows.values(looks_at=None))


async def met(
    staff: Staff,
    owner: Actor,
    operator: Actor,
    outcome: MeetingState = MeetingState.CONFIRMED,
    marked: Sequence[str] = (),
) -> UUID:
    """The owner books by the link, and the operator records the outcome. Gives the meeting."""
    (slot, *_) = await opened(staff, operator)
    secret = (await secrets_of(staff, owner))[-1]
    await staff.container.account_locks.book(secret, slot)
    async with staff.database.work() as session:
        found = await session.exec(
            select(Meeting.id).where(
                Meeting.person_id == owner.person_id, Meeting.state == MeetingState.BOOKED
            )
        )
        meeting = found.one()
    await begun(staff, meeting)
    compared = list(CHECKLIST) if outcome is MeetingState.CONFIRMED else []
    record = staff.container.meetings.record
    await record(operator, meeting, outcome, compared, "Так и было", marked)
    return meeting


async def team(staff: Staff) -> tuple[Actor, Actor]:
    """An operator, and a second person of information security, who is an operator as well."""
    root = staff.office.institution
    operator = await staff.person("Орлова Вера", Role.OPERATOR, root)
    both = await staff.person("Зимин Олег", Role.SECURITY, root)
    async with staff.database.work() as session:
        session.add(
            RoleGrant(person_id=both.person_id, role=Role.OPERATOR, unit_id=root, valid_from=now())
        )
        await session.flush()
        return operator, await access.actor_for(session, both.person_id, now())


@pytest.mark.parametrize("state", list(REMINDERS))
def test_every_wait_has_a_next_reminder(state: LockState) -> None:
    """The intervals grow, and after the last one there is one a week, for ever."""
    since = now()
    looks = [next_look(state, since, n) for n in range(12)]
    assert looks == sorted(set(looks))
    assert looks[0] == since + timedelta(days=1)
    assert looks[-1] - looks[-2] == timedelta(days=7)


async def test_a_lock_is_opened_by_a_meeting_and_a_third_person(staff: Staff) -> None:
    """From the link in the mail to a password that must be changed; nobody skips a step."""
    operator, _ = await team(staff)
    owner = await locked(staff)
    acts, lock = staff.container.account_locks, await lock_of(staff, owner)
    assert await told(staff, owner) == ["locked_by_suspicion"]
    early = await codes(
        acts.approve(staff.security, lock.id),
        staff.container.staff.unlock(staff.admin, new_id(), owner.person_id, "Ошибка"),
        staff.container.staff.unlock(None, new_id(), owner.person_id, "Ошибка"),
    )
    assert early == ["changed_meanwhile", "locked_by_suspicion", "locked_by_suspicion"]
    await met(staff, owner, operator, MeetingState.NOT_CONFIRMED)
    assert (await lock_of(staff, owner)).state == LockState.MEETING
    assert "unlock_not_confirmed" in await told(staff, staff.security)
    meeting = await met(staff, owner, operator)
    waits = await lock_of(staff, owner)
    assert (waits.state, waits.operator_id) == (LockState.APPROVAL, operator.person_id)
    assert "unlock_to_approve" in await told(staff, staff.security)
    assert await codes(acts.approve(staff.security, lock.id)) == ["no_way_in"]
    await acts.give_code(operator, meeting)
    async with staff.database.work() as session:
        assert (await session.get_one(Account, owner.person_id)).locked_at is not None
    await acts.approve(staff.security, lock.id)
    await acts.approve(staff.security, lock.id)
    async with staff.database.work() as session:
        account = await session.get_one(Account, owner.person_id)
        assert (account.locked_at, account.locked_reason) == (None, None)
        assert account.password_hash is None, "whoever it was locked against may know it"
        chained = await session.exec(
            select(JournalEntry.kind)
            .where(
                JournalEntry.chain == owner.person_id, col(JournalEntry.kind).startswith("account.")
            )
            .order_by(col(JournalEntry.position))
        )
        assert chained.all() == [
            "account.locked",
            "account.met",
            "account.recovery_codes_made",
            "account.unlocked",
        ]
    assert (await told(staff, owner))[-1] == "unlocked_by_meeting"
    assert await reminders.look(staff.database, lock.id) is None


async def test_owner_operator_and_approver_are_three_people_under_races(staff: Staff) -> None:
    """Whoever met the owner does not agree, though holding both rights; of several, one decides."""
    _, both = await team(staff)
    owner = await locked(staff)
    acts, lock = staff.container.account_locks, await lock_of(staff, owner)
    meeting = await met(staff, owner, both)
    await acts.give_code(both, meeting)
    refused = await codes(acts.approve(both, lock.id), acts.approve(owner, lock.id))
    assert refused == ["not_found", "same_person"]
    with pytest.raises(Refusal, match="oneself"):
        demand_third(owner.person_id, owner.person_id, both.person_id)
    others = [
        await staff.person(f"Страж {n}", Role.SECURITY, staff.office.institution) for n in "абвг"
    ]
    decided = await codes(
        *(acts.approve(one, lock.id) for one in others),
        acts.send_back(staff.security, lock.id, "Видео прервалось"),
    )
    assert decided == ["changed_meanwhile"] * 4 + ["done"]
    # Whatever the code does, the database keeps them apart.
    with pytest.raises(IntegrityError):
        async with staff.database.work() as session:
            await session.exec(
                update(AccountLock)
                .where(col(AccountLock.id) == lock.id)
                .values(operator_id=both.person_id, approver_id=both.person_id)
            )


async def test_the_word_of_an_operator_who_lost_the_right_does_not_count(staff: Staff) -> None:
    """Then another meeting is needed, and nobody without the right agrees either."""
    operator, _ = await team(staff)
    owner = await locked(staff)
    acts, lock = staff.container.account_locks, await lock_of(staff, owner)
    await met(staff, owner, operator)
    for who, code in ((operator, "operator_lost_right"), (staff.security, "not_found")):
        async with staff.database.work() as session:
            await session.exec(
                update(RoleGrant)
                .where(col(RoleGrant.person_id) == who.person_id)
                .values(valid_until=now())
            )
        assert await codes(acts.approve(staff.security, lock.id)) == [code]
        assert (await lock_of(staff, owner)).state == LockState.MEETING
    assert (await told(staff, owner))[-1] == "unlock_sent_back"


async def test_a_lock_is_one_however_often_it_is_asked_for(staff: Staff) -> None:
    """Ten clicks lock once; after it is open, it can be locked again."""
    owner = await staff.person("Соколова Анна", Role.DOCTOR)
    acts = staff.container.account_locks
    await asyncio.gather(*(acts.lock_own(owner.person_id, visitor_at()) for _ in range(10)))
    async with staff.database.work() as session:
        found = await session.exec(
            select(AccountLock.id).where(AccountLock.person_id == owner.person_id)
        )
        assert len(found.all()) == 1
    assert await told(staff, owner) == ["locked_by_suspicion"]


async def test_a_lock_cannot_be_lost(staff: Staff) -> None:
    """The owner is reminded with a new link each time, security after two weeks; once each."""
    operator, _ = await team(staff)
    owner = await locked(staff)
    lock = await lock_of(staff, owner)
    assert await reminders.look(staff.database, lock.id) == lock.looks_at
    for n in range(1, SECURITY_TOLD + 1):
        await due(staff, lock.id)
        looked = await asyncio.gather(*(reminders.look(staff.database, lock.id) for _ in range(3)))
        assert len(set(looked)) == 1
        assert (await lock_of(staff, owner)).reminded == n
    assert await told(staff, owner) == ["locked_by_suspicion"] + ["unlock_reminder"] * 4
    assert (await told(staff, staff.security)).count("unlock_late") == 1
    *old, newest = await secrets_of(staff, owner)
    async with staff.client() as browser:
        assert {(await browser.get(f"/unlock/{one}")).status_code for one in old} == {409}
        page = await browser.get(f"/unlock/{newest}")
        assert page.status_code == 200
        assert "Соколова" not in page.text
    await met(staff, owner, operator)
    await due(staff, lock.id)
    await reminders.look(staff.database, lock.id)
    assert (await told(staff, staff.security)).count("unlock_to_approve") == 2


async def due(staff: Staff, lock_id: UUID) -> None:
    """Let the time of a lock be past."""
    async with staff.database.work() as session:
        await session.exec(
            update(AccountLock)
            .where(col(AccountLock.id) == lock_id)
            .values(looks_at=now() - timedelta(minutes=2))
        )


async def test_late_locks_are_woken_and_those_of_leavers_end(staff: Staff) -> None:
    """Temporal may have lost a run; who works here no longer has nothing to open."""
    owner = await locked(staff)
    lock, woken = await lock_of(staff, owner), []

    async def wake(row_id: UUID, *, signal: str = "", anew: bool = False) -> bool:
        woken.append((row_id, anew))
        return True

    async def swept() -> int:
        minute = timedelta(minutes=1)
        return await wake_late(staff.database, reminders.OWN, wake, now(), minute)

    assert await swept() == 0
    await due(staff, lock.id)
    assert [await swept(), await swept()] == [1, 0]
    assert woken == [(lock.id, False)]
    async with staff.database.work() as session:
        (await session.get_one(Person, owner.person_id)).left_at = now()
    assert await reminders.look(staff.database, lock.id) is None
    assert (await lock_of(staff, owner)).state == LockState.LEFT


async def test_a_meeting_for_unlocking_is_for_locked_accounts_only(staff: Staff) -> None:
    """Nobody else books one, and no operator is chosen who is the owner."""
    operator, _ = await team(staff)
    owner = await staff.person("Соколова Анна", Role.DOCTOR)
    (slot, *_) = await opened(staff, operator)
    with pytest.raises(Refusal, match="not_needed"):
        await staff.container.meetings.book(owner.person_id, Purpose.UNLOCK, slot)
    await staff.container.account_locks.lock_own(operator.person_id, visitor_at())
    async with staff.database.work() as session:
        assert await times.offered(session, operator.person_id, now()) == []


async def test_what_an_administrator_locked_no_link_opens(staff: Staff) -> None:
    """It does not become a lock that others open, and the link is still good afterwards."""
    owner = await staff.person("Соколова Анна", Role.DOCTOR)
    async with staff.database.work() as session:
        await raise_event(session, RiskKind.NEW_PLACE, owner.person_id, visitor_at(), now())
    link = (await paths_of(staff, owner))[-1].removeprefix("/not-me/")
    acts, people = staff.container.account_locks, staff.container.staff
    await people.lock(staff.admin, new_id(), owner.person_id, "Проверка")
    assert await codes(acts.lock_by_link(link, visitor_at())) == ["changed_meanwhile"]
    async with staff.database.work() as session:
        account = await session.get_one(Account, owner.person_id)
        assert account.locked_reason == "administrator"
    await people.unlock(staff.admin, new_id(), owner.person_id, "Проверено")
    await acts.lock_by_link(link, visitor_at())
    assert (await lock_of(staff, owner)).state == LockState.MEETING


async def test_only_factors_that_the_owner_confirms_stay(staff: Staff) -> None:
    """What an attacker set up goes, and so do the password and all that was open (I4, I14)."""
    operator, _ = await team(staff)
    owner = await staff.person("Соколова Анна", Role.DOCTOR)
    person_id, moment = owner.person_id, now()
    async with staff.database.work() as session:
        account = await session.get_one(Account, person_id)
        account.totp_secret, account.totp_confirmed_at = "JBSWY3DPEHPK3PXP", moment
        keys = [
            Passkey(
                person_id=person_id,
                credential_id=name.encode(),
                public_key=b"",
                sign_count=0,
                name=name,
                created_at=moment,
            )
            for name in ("Мой телефон", "Чужой")
        ]
        sms = SmsFactor(person_id=person_id, phone="+79161234567", created_at=moment)
        session.add_all([account, *keys, sms])
        await recovery_codes.replace(session, person_id, await recovery_codes.draw(), moment)
        visitor = visitor_at()
        await open_session(session, person_id, Stage.OPEN, visitor, moment)
        await devices.remember_device(session, person_id, visitor, moment)
    acts = staff.container.account_locks
    await acts.lock_own(person_id, visitor_at())
    lock = await lock_of(staff, owner)
    kept = ["app", f"passkey:{keys[0].id}", "passkey:another", "phone"]
    meeting = await met(staff, owner, operator, marked=kept)
    assert await codes(acts.give_code(operator, meeting)) == ["changed_meanwhile"]
    await acts.approve(staff.security, lock.id)
    async with staff.database.work() as session:
        left = await inventory.factors_of(session, person_id)
        assert [one.name for one in left] == kept[:2]
        assert not await devices.knows_device(session, person_id, visitor)
        for table in (AccountSession, DeviceToken):
            alive = select(table.id).where(
                col(table.person_id) == person_id, col(table.ended_at).is_(None)
            )
            assert (await session.exec(alive)).all() == []


@pytest.mark.asvs("6.4.4")
async def test_who_has_no_factor_left_sets_the_password_by_mail_and_the_code_told(
    staff: Staff,
) -> None:
    """Neither of them is enough; the code is another one each time, and works once (I14)."""
    operator, both = await team(staff)
    owner = await locked(staff)
    acts, lock = staff.container.account_locks, await lock_of(staff, owner)
    meeting = await met(staff, owner, operator)
    assert await codes(acts.give_code(both, meeting)) == ["changed_meanwhile"]
    told = [await acts.give_code(operator, meeting) for _ in range(CODES.times)]
    assert len(set(told)) == CODES.times
    assert await codes(acts.give_code(operator, meeting)) == ["too_often"]
    await acts.approve(staff.security, lock.id)
    async with staff.database.work() as session:
        email = (await session.get_one(Person, owner.person_id)).email
    await password_reset.ask(staff.database, email, visitor_at(), now())
    secret = (await paths_of(staff, owner))[-1].removeprefix(f"{password_reset.PATH}/")

    async def reset(code: str) -> None:
        how = staff.database, secret, Method.RECOVERY, code, NEW_PASSWORD, visitor_at(), now()
        await password_reset.complete(*how)

    assert await codes(reset(told[0])) == ["wrong_code"]
    assert await codes(reset(told[-1])) == ["done"]
    opened = await sign_in.sign_in(staff.database, email, NEW_PASSWORD, visitor_at(), now())
    async with staff.database.work() as session:
        row = await session.get_one(AccountSession, opened.session_id)
        assert row.stage == Stage.SETUP, "nothing opens before a factor of the owner's own"


async def test_a_link_is_sent_again_three_times_an_hour(staff: Staff) -> None:
    """However often it is asked for, nobody's mail box is filled."""
    owner = await locked(staff)
    acts, lock = staff.container.account_locks, await lock_of(staff, owner)
    asked = await codes(*(acts.resend(staff.security, lock.id) for _ in range(5)))
    assert asked == ["done"] * LINKS.times + ["too_often"] * 2
    assert len(await secrets_of(staff, owner)) == 1 + LINKS.times


async def test_a_lock_takes_the_link_of_a_provider_along(staff: Staff) -> None:
    """Else whoever had linked the own one would go on without the password that is changed."""
    owner = await staff.person("Соколова Анна", Role.DOCTOR)
    async with staff.database.work() as session:
        session.add(
            ProviderLink(
                person_id=owner.person_id,
                subject="somebody else",
                subject_blind=key_ring().blind("somebody else"),
                linked_at=now(),
            )
        )
    await staff.container.account_locks.lock_own(owner.person_id, visitor_at())
    async with staff.database.work() as session:
        assert (await session.exec(select(ProviderLink))).all() == []


async def test_the_owner_chooses_by_the_clock_of_the_own_unit(staff: Staff) -> None:
    """As in the mails about the meeting, though nobody is signed in."""
    operator, _ = await team(staff)
    async with staff.database.work() as session:
        (await session.get_one(Unit, staff.office.ward)).time_zone = "Asia/Vladivostok"
    owner = await locked(staff)
    (slot, *_) = await opened(staff, operator)
    async with staff.database.work() as session:
        starts_at = (await session.get_one(MeetingSlot, slot)).starts_at
    here = starts_at.astimezone(ZoneInfo("Asia/Vladivostok"))
    async with staff.client() as browser:
        page = await browser.get(f"/unlock/{(await secrets_of(staff, owner))[-1]}")
    assert f">{here:%H:%M}<" in page.text
