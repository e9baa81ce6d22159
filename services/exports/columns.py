"""The columns and words of an exported list. Exports are in Russian, like certificates."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlmodel.ext.asyncio.session import AsyncSession

from rules.archive import ExportKind
from rules.cases.kinds import process_of
from rules.cases.process import CaseKind
from services.accounts import people
from services.archive import search as archive
from services.archive.search import ArchiveFilters
from services.cases.lists import CaseLine
from services.exports.rendering import Head
from services.papers.typesetting import utc_shift

COLUMNS = (
    "Номер",
    "Вид",
    "Название",
    "Заявитель",
    "Подразделение",
    "Состояние",
    "Подано",
    "Изменено",
)
MOMENTS = (COLUMNS.index("Подано"), COLUMNS.index("Изменено"))
MEDIA_TYPES = {
    ExportKind.PDF: "application/pdf",
    ExportKind.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

AUDIT_COLUMNS = ("Время", "Кто", "Что сделано", "Событие", "Дело", "О ком", "Адрес", "Запись")
AUDIT_ABOUT = "Medcab: журнал действий и обращений"
"""What a file of the audit is headed by."""

COURSE_TITLE = "Курс о защите данных"
CREDENTIALS_TITLE = "Сроки квалификации"
CREDENTIAL_COLUMNS = (
    "Сотрудник",
    "Должность",
    "Подразделение",
    "Документ",
    "Специальность или тема",
    "Действует до",
    "Состояние",
    "Напоминаний отправлено",
    "Последнее",
    "Ответ",
)
COURSE_COLUMNS = ("Сотрудник", "Должность", "Подразделение", "Прошёл в последний раз", "Срок")


def row(line: CaseLine, titles: Mapping[str, str], zone: ZoneInfo) -> list[str]:
    """A case as one row, in the order of `COLUMNS`; times to the minute, in the given zone."""
    title = line.title if line.programme_kind else titles.get(line.type, line.title)
    return [
        line.number or "",
        process_of(line.kind).word,
        title,
        line.applicant or "",
        line.unit,
        process_of(line.kind).words[line.status],
        _minute(line.submitted_at or line.created_at, zone),
        _minute(line.since, zone),
    ]


async def titles(session: AsyncSession) -> dict[str, str]:
    """Titles of the types of case."""
    return {one.key: one.title for one in await archive.types(session)}


async def head(
    session: AsyncSession, institution: str, filters: ArchiveFilters, at: datetime, zone: ZoneInfo
) -> Head:
    """The lines above the list: its date, and its filters."""
    narrowed = await conditions(session, filters, zone)
    local = at.astimezone(zone)
    moment = f"{local:%d.%m.%Y, %H:%M}"
    return Head(
        lang="ru",
        institution=institution,
        title="Архив",
        about=[
            f"Список на {moment}. Дни и время по часам {utc_shift(local)}",
            f"Условия: {'; '.join(narrowed)}" if narrowed else "Условия: все дела",
        ],
        columns=COLUMNS,
        moments=MOMENTS,
        footer=f"Архив, список на {moment}",
        at=int(at.timestamp()),
    )


async def conditions(
    session: AsyncSession, filters: ArchiveFilters, zone: ZoneInfo
) -> Sequence[str]:
    """The filters in words."""
    words: list[str] = []
    if filters.number:
        words.append(f"номер {filters.number}")
    if filters.text:
        words.append(f"в названии «{filters.text}»")
    if filters.kind:
        words.append(f"вид: {process_of(filters.kind).word.lower()}")
    if filters.type:
        words.append(f"тип: {(await titles(session)).get(filters.type, filters.type)}")
    if filters.status:
        said = {
            process_of(kind).words[status]
            for status in filters.status
            for kind in ([filters.kind] if filters.kind else CaseKind)
            if status in process_of(kind).words
        }
        words.append(f"состояние: {', '.join(sorted(said))}")
    if filters.unit_id:
        names = dict(await people.units(session))
        words.append(f"подразделение: {names.get(filters.unit_id, '—')}")
    if filters.submitted_from:
        words.append(f"поданы не раньше {_day(filters.submitted_from, zone)}")
    if filters.submitted_until:
        words.append(f"поданы до {_local(filters.submitted_until, zone):%d.%m.%Y, %H:%M}")
    return words


def _minute(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).replace(tzinfo=None).isoformat(timespec="minutes")


def _day(at: datetime, zone: ZoneInfo) -> str:
    return f"{_local(at, zone):%d.%m.%Y}"


def _local(at: datetime, zone: ZoneInfo) -> datetime:
    """The moment in a zone; at the ends of the calendar, in the zone it came with."""
    try:
        return at.astimezone(zone)
    except OverflowError:
        return at
