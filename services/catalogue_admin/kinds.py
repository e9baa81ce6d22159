"""What the administration of the catalogue has to know of a kind of entry.

Each kind is described in a file of its own; `services.catalogue_admin.entries` lists them all.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from sqlmodel.ext.asyncio.session import AsyncSession

from rules.catalogue.entries import Subject, unfit
from rules.clock import now as present
from rules.ids import hash_of
from rules.refusals import FieldError
from services.catalogue.files import entry_of
from services.catalogue_admin.type_upgrades import Effect

NOTHING = "new"
"""The digest of an entry that does not exist yet."""
Values = Mapping[str, Any]


@dataclass(frozen=True)
class Entry:
    """One entry, as a file would have it; `offered` is False if it was withdrawn."""

    subject: Subject
    key: str
    title: str
    values: dict[str, Any]
    version: int | None = None
    valid_from: datetime | None = None
    offered: bool = True

    @property
    def digest(self) -> str:
        """The digest of what an editor shows: a change is only accepted on top of it."""
        shown = {
            "values": self.values,
            "version": self.version,
            "from": self.valid_from.isoformat() if self.valid_from else None,
            "offered": self.offered,
        }
        return hash_of(shown)

    @property
    def kept(self) -> dict[str, Any]:
        """The entry as the history keeps it."""
        return {**self.values, **({} if self.offered else {"offered": False})}

    @property
    def waits(self) -> bool:
        """Whether it becomes valid later."""
        return self.valid_from is not None and self.valid_from > present()

    @property
    def next_version(self) -> int:
        """The number of the version that a change makes."""
        return (self.version or 0) + 1


@dataclass(frozen=True)
class EntryChange:
    """A change to be saved: the entry before, the one wanted, and the first moment asked for."""

    before: Entry | None
    wanted: Entry
    since: datetime
    now: datetime
    zone: str


@dataclass(frozen=True)
class ChangePreview:
    """What a change would make of an entry; for a type, also the effect on open cases."""

    entry: Entry
    effect: Effect | None = None


@dataclass(frozen=True)
class EntryKind:
    """One kind of entry.

    - `key`: the value that names an entry.
    - `section`: where it stands in a file; empty if it stands in none.
    - `rows`: selects the newest row of every entry, including those not valid yet; `entry` reads a
      row.
    - `column`: is compared with `stored_key` of a key, which raises ValueError for an invalid one.
    - `checked`: the requested values as an entry; raises Refusal 422 by field.
    - `save`: stores the entry, and returns from when it is valid.
    - `by_text`: the values are the text of a file, which only `tried` and `save` read.
    - `tried`: what a change would make of an entry; None if `checked` says it all.
    """

    subject: Subject
    key: str
    rows: Any
    column: Any
    entry: Callable[[Any], Entry]
    checked: Callable[[AsyncSession, Values], Awaitable[Entry]]
    save: Callable[[AsyncSession, EntryChange], Awaitable[datetime]]
    stored_key: Callable[[str], Any] = str
    order: Callable[[Entry], Any] | None = None
    section: str = ""
    by_text: bool = False
    tried: Callable[[AsyncSession, Values, datetime, str], Awaitable[ChangePreview]] | None = None

    @property
    def asked_at(self) -> str:
        """The field at which an error about a taken key is shown."""
        return "text" if self.by_text else self.key

    async def listed(self, session: AsyncSession) -> list[Entry]:
        """The newest entry of every key."""
        found = [self.entry(row) for row in (await session.exec(self.rows)).all()]
        return sorted(found, key=self.order) if self.order else found

    async def newest(self, session: AsyncSession, key: str) -> Entry | None:
        """The newest entry of a key; None if there is none."""
        try:
            stored = self.stored_key(key)
        except ValueError:
            return None
        row = (await session.exec(self.rows.where(self.column == stored))).one_or_none()
        return None if row is None else self.entry(row)


def read_as_in_file(section: str, values: Values, *, deep: bool = False) -> Any:
    """Values checked as an entry of this section of a file.

    Raises Refusal 422 by field; with `deep` by path, such as `sections.0.title`.
    """
    try:
        return entry_of(section, values)
    except ValidationError as error:
        raise unfit([_at_field(fault, deep=deep) for fault in error.errors()]) from error


def _at_field(fault: Any, *, deep: bool) -> FieldError:
    path = [str(step) for step in fault["loc"][2:]]
    words = _WORDS.get(fault["type"])
    told = fault["msg"].removeprefix("Value error, ") if words is None else words
    facts = fault.get("ctx", {})
    return FieldError(
        ".".join(path) if deep else path[0] if path else "code",
        told % facts if words is not None and "%(" in told else told,
    )


_WORDS = {
    "missing": "Заполните поле.",
    "string_too_short": "Напишите подробнее.",
    "string_too_long": "Слишком длинно.",
    "string_pattern_mismatch": "Только латинские буквы, цифры и дефис.",
    "int_parsing": "Напишите число.",
    "int_type": "Напишите число.",
    "greater_than_equal": "Не меньше %(ge)s.",
    "less_than_equal": "Не больше %(le)s.",
    "literal_error": "Выберите одно из допустимых значений.",
    "date_from_datetime_parsing": "Напишите дату: день, месяц, год.",
    "date_parsing": "Напишите дату: день, месяц, год.",
}
