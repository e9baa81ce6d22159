"""Stock reasons as administrators change them; a change is valid at once."""

from datetime import datetime

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.catalogue import Reason
from rules.catalogue.entries import Subject
from services.catalogue_admin.kinds import Entry, EntryChange, EntryKind, Values, read_as_in_file


def _entry(row: Reason) -> Entry:
    values = {"key": row.key, "outcome": row.outcome, "title": row.title, "text": row.text}
    return Entry(Subject.REASON, row.key, row.title, values, offered=row.active)


async def _checked(_session: AsyncSession, values: Values) -> Entry:
    checked = read_as_in_file("reasons", values)
    return Entry(Subject.REASON, checked.key, checked.title, checked.model_dump())


async def _save(session: AsyncSession, change: EntryChange) -> datetime:
    row = await session.get(Reason, change.wanted.key)
    values = {**change.wanted.values, "active": change.wanted.offered}
    if row is None:
        last = (await session.exec(select(func.max(Reason.position)))).one()
        row = Reason(**values, position=(last or 0) + 1)
    session.add(row.sqlmodel_update(values))
    return change.now


REASONS = EntryKind(
    subject=Subject.REASON,
    key="key",
    section="reasons",
    rows=select(Reason).order_by(col(Reason.outcome), col(Reason.position), col(Reason.key)),
    column=col(Reason.key),
    entry=_entry,
    checked=_checked,
    save=_save,
)
