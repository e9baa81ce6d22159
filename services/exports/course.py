"""The list of those who are late with the course, as a workbook."""

from clients.database import Database
from rules.access import Actor
from rules.archive import ExportKind
from rules.clock import now
from rules.journal.entries import JournalKind
from services import access
from services.course import passing
from services.exports.columns import COURSE_COLUMNS, COURSE_TITLE, MEDIA_TYPES
from services.exports.lists import made
from services.exports.rendering import Head
from services.journal import entries as journal

MEDIA_TYPE = MEDIA_TYPES[ExportKind.XLSX]


async def late_list(database: Database, actor: Actor, institution: str) -> bytes:
    """Those who are late in the units that the person watches over; journaled.

    Raises Refusal 403 without the right.
    """
    at = now()
    async with database.work() as session:
        found = await passing.late(session, actor)
        zone = await access.zone_of(session, actor.unit_id)
        await journal.append(
            session,
            chain=actor.person_id,
            kind=JournalKind.EXPORT_DOWNLOADED,
            by=actor.person_id,
            facts={"kind": "course", "rows": len(found)},
            lock=True,
        )
    shown = f"{at.astimezone(zone):%d.%m.%Y, %H:%M}"
    head = Head(
        lang="ru",
        institution=institution,
        title=COURSE_TITLE,
        about=[f"Не прошли курс в срок, {shown}", f"Сотрудников: {len(found)}"],
        columns=COURSE_COLUMNS,
        moments=(4,),
        footer=f"Курс о защите данных, {shown}",
        at=int(at.timestamp()),
    )
    return await made(
        ExportKind.XLSX,
        head,
        [
            [
                one.name,
                one.position,
                one.unit,
                f"{one.passed_at.astimezone(zone):%d.%m.%Y}" if one.passed_at else "",
                one.due.astimezone(zone).replace(tzinfo=None).isoformat(timespec="minutes"),
            ]
            for one in found
        ],
    )
