"""Days that a decree has made working or not, as administrators enter them."""

from datetime import date, datetime

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.catalogue import CalendarDay
from rules.catalogue.entries import Subject
from services.catalogue.files import entry_of
from services.catalogue_admin.kinds import Entry, EntryChange, EntryKind, Values, read_as_in_file


def _entry(row: CalendarDay) -> Entry:
    day = row.day.isoformat()
    values = {"day": day, "working": row.working, "source": row.source}
    return Entry(Subject.DAY, day, day, values)


async def _checked(_session: AsyncSession, values: Values) -> Entry:
    dumped = read_as_in_file("calendar", values).model_dump(mode="json")
    return Entry(Subject.DAY, dumped["day"], dumped["day"], dumped)


async def _save(session: AsyncSession, change: EntryChange) -> datetime:
    checked = entry_of("calendar", change.wanted.values)
    await session.merge(CalendarDay(**checked.model_dump()))
    return change.now


DAYS = EntryKind(
    subject=Subject.DAY,
    key="day",
    section="calendar",
    rows=select(CalendarDay).order_by(col(CalendarDay.day)),
    column=col(CalendarDay.day),
    entry=_entry,
    checked=_checked,
    save=_save,
    stored_key=date.fromisoformat,
)
