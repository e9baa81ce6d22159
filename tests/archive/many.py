"""Cases by the thousand, copied in by SQL from one that was made by the services."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import text

from models.tables.people import Unit
from tests.shared.office import Office

_COPY = """
insert into "case" (
  id, kind, type, type_version, programme_id, number, applicant_id, unit_id, responsible_unit_id,
  status, step, version, created_at, submitted_at, since, closed_at, waits_for, term_zone, alarms,
  rings, draft_attachments
)
select gen_random_uuid(), kind, type, type_version, programme_id,
  'ПК-2025-' || lpad(n::text, 7, '0') || '-' || left(md5(:mark), 6), applicant_id, unit_id,
  cast(:unit as uuid), :status, step, version,
  cast(:began as timestamptz) - n % 60 * interval '1 day',
  cast(:began as timestamptz) + n * interval '1 second', since,
  cast(:closed as timestamptz), 'nobody', term_zone, 0, 0, '[]'
from "case", generate_series(1, :number) n
where id = :template
"""


async def copied(
    office: Office,
    template: UUID,
    number: int,
    *,
    unit: UUID,
    began: datetime,
    status: str = "rejected",
    closed: datetime | None = None,
) -> None:
    """So many copies of a case, a second apart, for a department of the test's own."""
    values = {
        "template": template,
        "number": number,
        "unit": unit,
        "began": began,
        "status": status,
        "closed": closed or began,
        "mark": f"{unit}{status}{began}",
    }
    async with office.database.work() as session:
        await session.exec(text("set local statement_timeout = 0"))  # type: ignore[call-overload]
        await session.exec(text(_COPY), params=values)  # type: ignore[call-overload]


async def own_department(office: Office, time_zone: str = "Europe/Moscow") -> Unit:
    """A department of this test's own, so that other tests' cases are not in its lists."""
    unit = Unit(
        code=uuid4().hex,
        name="Кадры филиала",
        parent_id=office.institution,
        time_zone=time_zone,
    )
    async with office.database.work() as session:
        session.add(unit)
    return unit
