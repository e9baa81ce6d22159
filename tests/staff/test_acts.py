"""Lock, unlock, end of sessions, departure and transfer of people (I6, I8)."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import httpx
import pytest
from sqlalchemy import update
from sqlmodel import col, select

from models.tables.accounts import Account, KnownDevice
from models.tables.cases import Case
from models.tables.journal import JournalEntry
from models.tables.notices import Notice
from models.tables.people import Person, RoleGrant, Unit
from rules.access import Actor, Role
from rules.clock import now
from rules.refusals import Refusal
from services import access
from services.accounts.sessions import hash_token
from services.staff import departures, importing
from services.staff.acts import StaffActs
from tests.accounts.test_ending import opens, token_of
from tests.accounts.test_sessions import lives
from tests.shared.cabinet import TOKEN
from tests.staff.hospital import Staff, staff
from tests.staff.test_importing import table
from tests.staff.test_invitations import kinds, state

__all__ = ["staff"]
WHY = "Потерян телефон"


async def asked(
    browser: httpx.AsyncClient, person: Actor, what: str, status: int = 204, **more: Any
) -> httpx.Response:
    """An act by the API."""
    answer = await browser.post(
        f"/api/v1/people/{person.person_id}/{what}",
        json={"reason": WHY, **more},
        headers={"Idempotency-Key": str(uuid4())},
    )
    assert answer.status_code == status, answer.text
    return answer


async def told(staff: Staff, person: Actor) -> list[str]:
    """The kinds of notices in the person's cabinet, oldest first."""
    async with staff.database.work() as session:
        found = await session.exec(
            select(Notice.kind)
            .where(Notice.person_id == person.person_id, Notice.channel == "cabinet")
            .order_by(col(Notice.created_at))
        )
        return list(found.all())


async def grants(staff: Staff, person: Actor) -> dict[str, datetime | None]:
    """The roles of a person with their end."""
    async with staff.database.work() as session:
        found = await session.exec(
            select(RoleGrant.role, RoleGrant.valid_until).where(
                RoleGrant.person_id == person.person_id
            )
        )
        return dict(found.all())


async def test_a_lock_ends_everything_at_once_on_the_pages(staff: Staff) -> None:
    """The next request of the session and of the token is refused; unlocked, sign-in is open."""
    nurse = await staff.person("Орлова Анна", Role.NURSE)
    theirs, admin = await staff.browser(nurse), await staff.browser(staff.admin)
    token = await token_of(theirs)
    url = f"/people/{nurse.person_id}"
    page = await admin.get(f"{url}/act/lock")
    assert "Заблокировать" in page.text
    form = {"csrf_token": TOKEN.findall(page.text)[0], "act_id": str(uuid4())}
    short = await admin.post(f"{url}/act/lock", data={**form, "reason": " "})
    assert short.status_code == 422
    assert await lives(theirs)
    done = await admin.post(f"{url}/act/lock", data={**form, "reason": WHY})
    assert done.headers["location"] == f"{url}?done=locked", done.text
    assert not await lives(theirs)
    async with staff.client() as program:
        assert (await program.get("/api/v1/session", headers=token)).status_code == 401
    assert await state(staff, nurse) == "locked"
    shown = (await admin.get(url)).text
    assert WHY in shown
    assert "Снять блокировку" in shown
    async with staff.database.work() as session:
        assert (await session.get_one(Account, nurse.person_id)).locked_reason == "administrator"
    again = await admin.post(f"{url}/act/lock", data={**form, "reason": WHY})
    assert again.status_code == 303, "the same act again changes nothing"
    await asked(admin, nurse, "lock", 409)
    await asked(admin, nurse, "unlock")
    assert await state(staff, nurse) == "active"
    assert await told(staff, nurse) == ["security", "account_locked", "account_unlocked"]
    assert (await kinds(staff, nurse.person_id))[-2:] == ["account.locked", "account.unlocked"]
    assert await kinds(staff, staff.admin.person_id) == ["account.locked", "account.unlocked"]


async def test_an_act_id_stands_for_one_act(staff: Staff) -> None:
    """Sent again with another reason it is refused."""
    nurse = await staff.person("Орлова Анна", Role.NURSE)
    acts, act_id = staff.container.staff, uuid4()
    for _ in range(2):
        await acts.lock(staff.admin, act_id, nurse.person_id, WHY)
    with pytest.raises(Refusal, match="act_id_reused"):
        await acts.lock(staff.admin, act_id, nurse.person_id, "Другая причина")
    assert (await kinds(staff, nurse.person_id)).count("account.locked") == 1


@pytest.mark.asvs("7.4.5")
async def test_sessions_end_one_by_one_by_device_or_all(staff: Staff) -> None:
    """One session; those of a device, which is forgotten; all, with the tokens."""
    nurse = await staff.person("Орлова Анна", Role.NURSE)
    admin = await staff.browser(staff.admin)
    first, second, third = [await staff.browser(nurse) for _ in range(3)]
    token = await token_of(third)
    seen = (await second.get("/api/v1/sessions")).json()
    mine = next(one["id"] for one in seen if one["is_this"])
    await asked(admin, nurse, "sessions/end", session_id=mine)
    assert [await lives(one) for one in (first, second, third)] == [True, False, True]
    await asked(admin, nurse, "sessions/end", 404, session_id=mine)
    async with staff.database.work() as session:
        device = KnownDevice(
            person_id=nurse.person_id,
            device_hash=hash_token(first.cookies["medcab-device"]),
            name="Firefox, Linux",
            first_seen=now(),
            last_seen=now(),
        )
        session.add(device)
    await asked(admin, nurse, "sessions/end", device_id=str(device.id))
    await asked(admin, nurse, "sessions/end", 404, device_id=str(device.id))
    assert [await lives(one) for one in (first, third)] == [False, True]
    await asked(admin, nurse, "sessions/end")
    assert not await lives(third)
    assert not await opens(staff, token)  # type: ignore[arg-type]


@pytest.mark.asvs("7.4.2")
async def test_whoever_leaves_has_nothing_left(staff: Staff) -> None:
    """Roles end, sessions and tokens are refused, reviews go on, heads know of cases (I8)."""
    office = staff.office
    leaver = await staff.person("Уходит Кадровик", Role.HR_REVIEWER, office.hr)
    head = await staff.person("Глава Отделения", Role.UNIT_HEAD)
    doctor = await staff.person("Врач Уходит", Role.DOCTOR)
    own = await office.in_review(doctor)
    under = await office.in_review(office.clinician)
    async with staff.database.work() as session:
        await session.exec(
            update(Case)
            .where(col(Case.id) == under)
            .values(reviewer_id=leaver.person_id, assigned_at=now())
        )
    theirs, admin = await staff.browser(doctor), await staff.browser(staff.admin)
    token = await token_of(theirs)
    await asked(admin, leaver, "departure", 200)
    async with staff.database.work() as session:
        assert (await session.get_one(Case, under)).reviewer_id not in (None, leaver.person_id)
    await asked(admin, doctor, "departure", 200)
    assert not await lives(theirs)
    assert not await opens(staff, token)  # type: ignore[arg-type]
    assert None not in (await grants(staff, doctor)).values()
    assert await state(staff, doctor) == "left"
    assert await told(staff, head) == ["applicant_left"]
    seen = await (await staff.browser(head)).get("/desk?left=1")
    async with staff.database.work() as session:
        number = (await session.get_one(Case, own)).number
    assert str(number) in seen.text
    assert "заявитель уволен" in seen.text
    assert "leaving" in await told(staff, doctor)
    assert (await kinds(staff, doctor.person_id))[-3:] == [
        "person.leaving",
        "role.ended",
        "person.left",
    ]
    await asked(admin, doctor, "departure", 409)
    await asked(admin, doctor, "lock", 409)


async def test_a_departure_ahead_takes_effect_by_itself(staff: Staff) -> None:
    """At the end of the day in the unit's own zone; the sweeper does the rest, once (I8)."""
    async with staff.database.work() as session:
        east = Unit(
            code="east", name="Восток", parent_id=staff.office.ward, time_zone="Asia/Vladivostok"
        )
        session.add(east)
    async with staff.database.work() as session:
        staff.admin = await access.actor_for(session, staff.admin.person_id, now())
    nurse = await staff.person("Орлова Анна", Role.NURSE, east.id)
    zone = ZoneInfo("Asia/Vladivostok")
    today = now().astimezone(zone).date()
    admin = await staff.browser(staff.admin)
    theirs = await staff.browser(nurse)
    for day in (today - timedelta(days=1), today + timedelta(days=400)):
        await asked(admin, nurse, "departure", 422, last_day=day.isoformat())
    set_ = await asked(admin, nurse, "departure", 200, last_day=today.isoformat())
    left_at = datetime.fromisoformat(set_.json()["left_at"])
    midnight = datetime.combine(today + timedelta(days=1), time(), zone)
    assert left_at == midnight.astimezone(UTC)
    assert await lives(theirs)
    assert await grants(staff, nurse) == {"nurse": None}
    assert await departures.sweep(staff.database) == 0
    later = (today + timedelta(days=3)).isoformat()
    await asked(admin, nurse, "departure", 409, last_day=later)
    await asked(admin, nurse, "departure", 200, last_day=later, shown=left_at.isoformat())
    await asked(admin, nurse, "departure/cancel")
    await asked(admin, nurse, "departure/cancel", 409)
    await asked(admin, nurse, "departure", 200, last_day=today.isoformat())
    async with staff.database.work() as session:
        await session.exec(
            update(Person)
            .where(col(Person.id) == nurse.person_id)
            .values(left_at=now() - timedelta(seconds=1))
        )
    assert not await lives(theirs), "before anything sweeps"
    swept = await asyncio.gather(*(departures.sweep(staff.database) for _ in range(3)))
    assert sum(swept) == 1
    assert None not in (await grants(staff, nurse)).values()
    assert (await kinds(staff, nurse.person_id)).count("person.left") == 1
    assert await told(staff, nurse) == ["leaving", "leaving", "stays", "leaving"]


async def test_nobody_locks_or_dismisses_themselves(staff: Staff) -> None:
    """It is said with the remedy, and an administrator more does not help (I6)."""
    await staff.person("Второй", Role.ADMINISTRATOR, staff.office.institution)
    admin = await staff.browser(staff.admin)
    for what in ("lock", "departure", "sessions/end"):
        refused = await asked(admin, staff.admin, what, 409)
        assert refused.json()["code"] == "oneself"
    assert await lives(admin)


@pytest.mark.parametrize("what", ["lock", "leave"])
async def test_the_last_who_manages_people_stays(staff: Staff, what: str) -> None:
    """Nor from the command line; whoever leaves, is locked or has no account is no successor."""
    acts = staff.container.staff
    do = getattr(acts, what)

    async def refused() -> None:
        with pytest.raises(Refusal) as why:
            await do(None, uuid4(), staff.admin.person_id, WHY)
        assert why.value.code == "last_manager"

    await refused()
    institution = staff.office.institution
    without = await staff.person("Без Записи", Role.ADMINISTRATOR, institution, account=False)
    assert without
    await staff.person("Только Отделения", Role.ADMINISTRATOR, staff.office.ward)
    await refused()
    second = await staff.person("Второй", Role.ADMINISTRATOR, institution)
    tomorrow = now().date() + timedelta(days=1)
    await acts.leave(staff.admin, uuid4(), second.person_id, WHY, tomorrow)
    await refused()
    await acts.stay(staff.admin, uuid4(), second.person_id, WHY)
    await do(None, uuid4(), staff.admin.person_id, WHY)
    with pytest.raises(Refusal, match="last_manager"):
        await do(None, uuid4(), second.person_id, WHY)


@pytest.mark.parametrize("what", ["lock", "leave"])
async def test_of_two_administrators_one_stays(staff: Staff, what: str) -> None:
    """Whether they act on each other at once, or the command line on both: one is refused."""
    institution = staff.office.institution
    pairs: list[tuple[Actor | None, Actor]] = []
    second = await staff.person("Второй", Role.ADMINISTRATOR, institution)
    pairs = [(staff.admin, second), (second, staff.admin)]
    do: Callable[..., Coroutine[Any, Any, Any]] = getattr(StaffActs(staff.database), what)
    done = await asyncio.gather(
        *(do(by, uuid4(), whom.person_id, WHY) for by, whom in pairs), return_exceptions=True
    )
    assert [getattr(one, "code", None) for one in done if isinstance(one, Refusal)] == ["forbidden"]
    third = await staff.person("Третий", Role.ADMINISTRATOR, institution)
    left = second if isinstance(done[0], Refusal) else staff.admin
    done = await asyncio.gather(
        *(do(None, uuid4(), whom.person_id, WHY) for whom in (left, third)), return_exceptions=True
    )
    assert [getattr(one, "code", None) for one in done if isinstance(one, Refusal)] == [
        "last_manager"
    ]


async def test_rights_of_the_moment_count(staff: Staff) -> None:
    """Whoever lost the right since the page was opened is refused, and so is another's unit."""
    second = await staff.person("Второй", Role.ADMINISTRATOR, staff.office.institution)
    local = await staff.person("Местный", Role.ADMINISTRATOR, staff.office.hr)
    nurse = await staff.person("Орлова Анна", Role.NURSE)
    acts = staff.container.staff
    with pytest.raises(Refusal, match="not_found"):
        await acts.lock(local, uuid4(), nurse.person_id, WHY)
    await acts.lock(staff.admin, uuid4(), second.person_id, WHY)
    with pytest.raises(Refusal, match="forbidden"):
        await acts.lock(second, uuid4(), nurse.person_id, WHY)


async def _transferred(staff: Staff, nurse: Actor, how: str) -> None:
    admin = await staff.browser(staff.admin)
    if how == "API":
        await asked(admin, nurse, "transfer", unit_id=str(staff.office.hr))
        await asked(admin, nurse, "transfer", 422, unit_id=str(staff.office.hr))
        await asked(admin, nurse, "transfer", 404, unit_id=str(uuid4()))
        return
    email = await staff.email(nurse)
    row = f"hr;;;Орлова;Анна;;медицинская сестра;{email};;;"
    body, inspection = table(row), staff.container.inspection
    plan = await importing.dry_run(staff.database, inspection, staff.admin, body)
    assert not plan.wrong, plan.wrong
    await importing.apply(staff.database, inspection, staff.admin, body, plan.digest, uuid4())


@pytest.mark.parametrize("how", ["API", "import"])
async def test_a_transfer_ends_the_roles_of_the_old_unit(staff: Staff, how: str) -> None:
    """Those in and below it end at once, and so do sessions; one for the whole stays (I8)."""
    office = staff.office
    nurse = await staff.person("Орлова Анна", Role.NURSE)
    async with staff.database.work() as session:
        below = Unit(code="below", name="Палата", parent_id=office.ward)
        session.add(below)
        await session.flush()
        for role, unit in (
            (Role.UNIT_HEAD, below.id),
            (Role.TECHNICIAN, office.institution),
            (Role.CLERK, office.hr),
        ):
            session.add(
                RoleGrant(
                    person_id=nurse.person_id, role=role.value, unit_id=unit, valid_from=now()
                )
            )
    theirs = await staff.browser(nurse)
    await _transferred(staff, nurse, how)
    held = await grants(staff, nurse)
    assert {role for role, until in held.items() if until is None} == {"technician", "clerk"}
    assert not await lives(theirs)
    again = await staff.browser(nurse)
    roles = {one["role"] for one in (await again.get("/api/v1/session")).json()["roles"]}
    assert roles == {"technician", "clerk"}
    assert await told(staff, nurse) == ["transferred"]
    async with staff.database.work() as session:
        assert (await session.get_one(Person, nurse.person_id)).unit_id == office.hr
        ended = await session.exec(
            select(JournalEntry.facts).where(
                JournalEntry.chain == nurse.person_id, JournalEntry.kind == "role.ended"
            )
        )
        assert {one["why"] for one in ended.all()} == {"transferred"}
