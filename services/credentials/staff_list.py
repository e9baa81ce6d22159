"""The list of what the people of one's units have, as a workbook."""

from zoneinfo import ZoneInfo

from clients.database import Database
from rules.access import Actor
from rules.archive import ExportKind
from rules.clock import now
from rules.journal.entries import JournalKind
from rules.refusals import Refusal
from services import access
from services.credentials import overview
from services.credentials.overview import STANDING_WORDS, StaffCredential, StaffQuery
from services.exports.columns import CREDENTIAL_COLUMNS, CREDENTIALS_TITLE, MEDIA_TYPES
from services.exports.lists import made
from services.exports.rendering import Head
from services.journal import entries as journal

MEDIA_TYPE = MEDIA_TYPES[ExportKind.XLSX]
MOST = 5000
"""How many lines one file has; of more, the filters are to be narrowed."""


async def workbook(database: Database, actor: Actor, institution: str, query: StaffQuery) -> bytes:
    """The list that the page shows, whole; journaled. Raises Refusal 403, 422 for one too long."""
    at = now()
    async with database.work() as session:
        found = await overview.page(session, actor, query, at, size=MOST)
        if found.after is not None:
            raise Refusal("too_long", "В списке больше 5000 строк. Сузьте условия.", 422)
        zone = await access.zone_of(session, actor.unit_id)
        await journal.append(
            session,
            chain=actor.person_id,
            kind=JournalKind.EXPORT_DOWNLOADED,
            by=actor.person_id,
            facts={"kind": "credentials", "rows": len(found.lines)},
            lock=True,
        )
    shown = f"{at.astimezone(zone):%d.%m.%Y, %H:%M}"
    head = Head(
        lang="ru",
        institution=institution,
        title=CREDENTIALS_TITLE,
        about=[f"Состояние на {shown}", f"Документов: {len(found.lines)}"],
        columns=CREDENTIAL_COLUMNS,
        moments=(),
        footer=f"Сроки квалификации, {shown}",
        at=int(at.timestamp()),
    )
    return await made(ExportKind.XLSX, head, [_row(line, zone) for line in found.lines])


def _row(line: StaffCredential, zone: ZoneInfo) -> list[str]:
    return [
        line.name,
        line.position,
        line.unit,
        line.category.title,
        line.about,
        f"{line.valid_until:%d.%m.%Y}" if line.valid_until else "",
        STANDING_WORDS[line.standing],
        str(line.sent),
        f"{line.last_sent.astimezone(zone):%d.%m.%Y}" if line.last_sent else "",
        f"{line.answered.astimezone(zone):%d.%m.%Y}" if line.answered else "",
    ]
