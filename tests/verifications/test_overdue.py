"""Who is told of a verification that nobody decides in time (I2)."""

from uuid import UUID

from models.tables.cases import Case
from rules.access import Actor, Permission, Role
from rules.cases.process import Status
from rules.cases.terms import Alarm
from rules.clock import now
from services.verifications import checks
from tests.staff.hospital import Staff, staff

__all__ = ["staff"]


async def test_somebody_is_always_told(staff: Staff) -> None:
    """At first its operator, at the end of the term all of them, without any those who watch."""
    anna = await staff.person("Соколова Анна", Role.NURSE)
    ops = await staff.person("Дежурный", Role.TECHNICIAN, staff.office.institution)
    case = await staff.container.verifications.create_draft(anna)

    async def told(what: Alarm, reviewer: Actor | None = None) -> set[UUID]:
        async with staff.database.work() as session:
            row = await session.get_one(Case, case.id)
            row.status = Status.IN_REVIEW.value
            row.review_permission = Permission.MEET_PEOPLE.value
            row.reviewer_id = reviewer.person_id if reviewer else None
            return set(await checks._whom(session, row, what, now()))

    assert await told(Alarm.REMIND) == await told(Alarm.ESCALATE) == {ops.person_id}
    one, other = [
        await staff.person(name, Role.OPERATOR, staff.office.institution)
        for name in ("Орлова Вера", "Белов Борис")
    ]
    assert await told(Alarm.REMIND, one) == {one.person_id}
    assert await told(Alarm.ESCALATE, one) == {one.person_id, other.person_id}
