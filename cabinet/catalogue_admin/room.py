"""What the administrator's pages have to know of a kind of entry.

Each kind describes itself in a file of `rooms`; `cabinet.catalogue_admin.register` names them all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from cabinet.catalogue_admin.differences import named
from cabinet.catalogue_admin.fields import (
    SINCE,
    EntryField,
    FormChoices,
    Typed,
    read_field,
    typed_in,
)
from cabinet.catalogue_admin.views import Boxes, Difference, Editor, Preview
from clients.database import DatabaseSession
from rules.catalogue.entries import Subject, unfit
from rules.refusals import FieldError
from services.catalogue_admin.kinds import Entry
from words.translation import gettext as _

NEW = "new"
"""Stands in the address of an entry that is not there yet."""


@dataclass(frozen=True)
class Shown:
    """What the page of an entry is drawn from."""

    room: "Room"
    key: str
    entry: Entry | None
    choices: FormChoices

    @property
    def values(self) -> Mapping[str, Any]:
        """What stands; nothing for a new entry."""
        return self.entry.values if self.entry else {}


@dataclass(frozen=True)
class Room:
    """One kind of entry on the administrator's pages. Words are gettext msgids.

    `adds` stands on the button to a new entry, empty where none is added; `offered` beside the
    tick without which an entry is withdrawn, empty where that is not possible. A `versioned` entry
    may be changed from a later day on. A kind whose form is more than its fields overrides methods.
    """

    name: str
    subject: Subject
    icon: str
    title: str
    text: str
    adds: str = ""
    fields: Sequence[EntryField] = ()
    offered: str = ""
    versioned: bool = False
    code: bool = False
    """Whether its one field is the text of a file."""

    def url(self, key: str) -> str:
        """Where the form of an entry is posted to."""
        return f"/administration/{self.name}/{key}"

    def heading(self, entry: Entry) -> str:
        """What an entry is called in a list and on its page."""
        return _(entry.title) if entry.title else entry.key

    def note(self, entry: Entry, choices: FormChoices) -> str:
        """What else a list says of an entry."""
        raise NotImplementedError

    def asks(self, choices: FormChoices, *, known: bool) -> list[EntryField]:
        """The fields of the form; `known`: the entry exists."""
        return [*self.fields, *self._always()]

    def _always(self) -> list[EntryField]:
        offered = EntryField("offered", self.offered, "checkbox", required=False, read=None)
        return [*([offered] if self.offered else ()), *([SINCE] if self.versioned else ())]

    def boxes(self, typed: Typed, choices: FormChoices) -> list[Boxes]:
        """Choices of several at once."""
        return []

    def typed(self, shown: Shown) -> dict[str, str]:
        """An entry as it would be typed into its form; for a new one, what is usual."""
        entry = shown.entry
        fields = [one for one in self.asks(shown.choices, known=entry is not None) if one.read]
        typed = typed_in(fields, shown.values)
        return {**typed, "offered": "true" if entry is None or entry.offered else ""}

    def values(self, typed: Typed, shown: Shown) -> dict[str, Any]:
        """What was typed, as an entry of a file. Raises Refusal 422 for what cannot be read."""
        errors: list[FieldError] = []
        fields = self.asks(shown.choices, known=shown.entry is not None)
        values = {
            one.name: shown.values[one.name]
            if one.fixed and shown.entry
            else read_field(one, typed, errors)
            for one in fields
            if one.read
        }
        values |= self.more_values(typed, shown, errors)
        if errors:
            raise unfit(_with_missing(fields, typed, errors))
        return values

    def more_values(self, typed: Typed, shown: Shown, errors: list[FieldError]) -> dict[str, Any]:
        """What takes more than one field; what cannot be read is told among the errors."""
        return {}

    def asked(self, typed: Typed, shown: Shown, since: date | None) -> dict[str, Any]:
        """What the administration is asked for. Raises Refusal 422."""
        return self.values(typed, shown)

    def compared(self, typed: Typed, shown: Shown) -> Mapping[str, Any] | None:
        """What is compared with what a colleague has saved meanwhile, if it can be."""
        return self.values(typed, shown)

    def acted(self, typed: Typed, shown: Shown) -> Typed | None:
        """The form after a button of its own; None for the buttons of every form."""
        return None

    def drafted(self, typed: Typed, shown: Shown) -> Entry | None:
        """What the preview shows before anything is tried, where that is not what stands."""
        return None

    def drawn(
        self, editor: Editor, typed: Typed, shown: Shown, errors: Mapping[str, str]
    ) -> Editor:
        """The page with the form: what was typed, and what is wrong with it."""
        known = shown.entry is not None
        return replace(
            editor,
            fields=[
                one.drawn(typed, shown.choices, known=known, errors=errors)
                for one in self.asks(shown.choices, known=known)
            ],
            boxes=self.boxes(typed, shown.choices),
        )

    def told(
        self, lines: Sequence[Difference], editor: Editor, shown: Shown, *known: Mapping[str, Any]
    ) -> list[Difference]:
        """Differences in the words of the form; `known` are the values that name its parts."""
        return named(lines, editor.fields, editor.boxes)

    def preview(self, entry: Entry, choices: FormChoices) -> Preview | None:
        """An entry as people will see it."""
        return None

    async def beside(
        self,
        session: DatabaseSession,
        editor: Editor,
        shown: Shown,
        would: Entry | None,
        version: int,
    ) -> Editor:
        """The page with what stands beside the form; `would` is what the change would make."""
        entry = would or shown.entry
        return replace(editor, preview=self.preview(entry, shown.choices)) if entry else editor


def _with_missing(
    fields: Sequence[EntryField], typed: Typed, told: Sequence[FieldError]
) -> list[FieldError]:
    """With what else is not filled in, in the form's order: it comes back once, not by field."""
    known = {one.path for one in told}
    missing = [
        FieldError(one.name, "Заполните поле.")
        for one in fields
        if one.required and one.name not in known and not typed.get(one.name, "").strip()
    ]
    places = {one.name: place for place, one in enumerate(fields)}
    return sorted([*told, *missing], key=lambda one: places.get(one.path, len(places)))
