"""Categories of credentials as administrators change them: each change is a new version.

A credential keeps the version by which it was written.
"""

from datetime import datetime

from sqlalchemy.dialects.postgresql import distinct_on
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.credentials import CredentialCategory
from rules.catalogue.entries import Subject
from rules.credentials.categories import CategoryDefinition
from services.catalogue_admin.kinds import Entry, EntryChange, EntryKind, Values, read_as_in_file


def _entry(row: CredentialCategory) -> Entry:
    """A version of a category; what was added to definitions later has its default."""
    definition = CategoryDefinition.model_validate(row.definition)
    values = definition.model_dump(mode="json")
    return Entry(Subject.CATEGORY, row.key, definition.title, values, row.version, row.valid_from)


async def versions(session: AsyncSession, key: str) -> list[Entry]:
    """All versions of a category, oldest first."""
    found = await session.exec(
        select(CredentialCategory)
        .where(CredentialCategory.key == key)
        .order_by(col(CredentialCategory.version))
    )
    return [_entry(row) for row in found.all()]


def checked_category(values: Values) -> Entry:
    """The values as an entry. Raises Refusal 422 by path, such as `form.0.label`."""
    read = read_as_in_file("credentials", values, deep=True)
    return Entry(Subject.CATEGORY, read.key, read.title, read.definition, read.version)


async def _checked(_session: AsyncSession, values: Values) -> Entry:
    return checked_category(values)


async def _save(session: AsyncSession, change: EntryChange) -> datetime:
    """Store the next version. The one that stands, saved again, makes no version."""
    before, wanted = change.before, change.wanted
    number = before.next_version if before else 1
    definition = {**wanted.values, "version": number}
    if before is None or {**definition, "version": before.version} != before.values:
        session.add(
            CredentialCategory(
                key=wanted.key, version=number, definition=definition, valid_from=change.since
            )
        )
    return change.since


CATEGORIES = EntryKind(
    subject=Subject.CATEGORY,
    key="key",
    section="credentials",
    rows=select(CredentialCategory)
    .ext(distinct_on(col(CredentialCategory.key)))
    .order_by(col(CredentialCategory.key), col(CredentialCategory.version).desc()),
    column=col(CredentialCategory.key),
    entry=_entry,
    checked=_checked,
    save=_save,
    order=lambda entry: (entry.values["order"], entry.key),
)
