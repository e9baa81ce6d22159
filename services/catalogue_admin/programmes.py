"""Programmes as administrators change them: stored in versions, withdrawn with all of them."""

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.catalogue import Programme
from rules.catalogue.entries import Subject, unfit
from rules.clock import now as present
from rules.forms.definitions import ProgrammeRules
from rules.refusals import FieldError
from rules.texts.cleaning import in_order
from services.catalogue.files import entry_of
from services.catalogue.loading import odd_names
from services.catalogue_admin.kinds import Entry, EntryChange, EntryKind, Values, read_as_in_file

_VALUES = (
    "code", "title", "kind", "organisation", "hours", "certified_hours", "starts_on",
    "intake_limits", "description", "specialties", "attachments", "checklist", "terms",
)  # fmt: skip


def _entry(row: Programme) -> Entry:
    values = {name: getattr(row, name) for name in _VALUES}
    offered = row.withdrawn_at is None
    return Entry(
        Subject.PROGRAMME, row.code, row.title, values, row.version, row.valid_from, offered
    )


def unsaved_programme(entry: Entry) -> Programme:
    """The programme that an entry would make; it is not stored. Raises ValueError."""
    values = entry.values
    own = {**values["attachments"], "checklist": values["checklist"], "terms": values["terms"]}
    ProgrammeRules.model_validate(own)
    return Programme(
        version=entry.version or 1,
        sort_key="",
        search_text="",
        valid_from=present(),
        **{name: value for name, value in values.items() if name != "valid_from"},
    )


async def _checked(session: AsyncSession, values: Values) -> Entry:
    checked = read_as_in_file("programmes", values)
    if odd := await odd_names(session, checked):
        raise unfit([FieldError("attachments", one) for one in odd])
    dumped = checked.model_dump(mode="json", exclude={"valid_from"})
    return Entry(Subject.PROGRAMME, checked.code, checked.title, dumped)


async def _save(session: AsyncSession, change: EntryChange) -> datetime:
    """Save a changed programme as a new version; a withdrawn one keeps its versions for cases."""
    before, wanted = change.before, change.wanted
    version = before.version if before else None
    if before is None or before.values != wanted.values:
        version = before.next_version if before else 1
        columns = entry_of("programmes", wanted.values).columns
        session.add(Programme(code=wanted.key, version=version, valid_from=change.since, **columns))
        await session.flush()
    of_code = col(Programme.code) == wanted.key
    if wanted.offered:
        newest = of_code & (col(Programme.version) == version)
        await session.exec(update(Programme).where(newest).values(withdrawn_at=None))
    else:
        on_offer = of_code & col(Programme.withdrawn_at).is_(None)
        await session.exec(update(Programme).where(on_offer).values(withdrawn_at=change.now))
    return change.since


PROGRAMMES = EntryKind(
    subject=Subject.PROGRAMME,
    key="code",
    section="programmes",
    rows=select(Programme)
    .ext(distinct_on(col(Programme.code)))
    .order_by(col(Programme.code), col(Programme.version).desc()),
    column=col(Programme.code),
    entry=_entry,
    checked=_checked,
    save=_save,
    order=lambda entry: in_order(entry.title),
)
