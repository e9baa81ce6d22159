"""The administrator's screens as they are shown (O6)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cabinet.frame.views import FieldView
from services.catalogue_admin.entries import Changed

Difference = tuple[str, str, str]
"""Where, what stood there, and what stands there now."""


@dataclass(frozen=True)
class RoomCard:
    """One kind of things to change, on the first page."""

    url: str
    icon: str
    title: str
    text: str
    count: int


@dataclass(frozen=True)
class EntryLine:
    """One entry of a list."""

    url: str
    key: str
    title: str
    version: int | None
    valid_from: datetime | None
    waits: bool = False
    offered: bool = True
    note: str = ""


@dataclass(frozen=True)
class Boxes:
    """Several choices at once: `(value, words, ticked)`."""

    name: str
    label: str
    hint: str
    options: Sequence[tuple[str, str, bool]]


@dataclass(frozen=True)
class SectionPreview:
    """One section of a form as people will see it."""

    title: str
    hint: str
    fields: Sequence[FieldView]


@dataclass(frozen=True)
class TypePreview:
    """A type of case as people and reviewers will see it."""

    title: str
    sections: Sequence[SectionPreview]
    documents: Sequence[tuple[str, bool]]
    questions: Sequence[str]
    terms: Sequence[str]
    addressee: str


@dataclass(frozen=True)
class EffectLine:
    """What would change for some open cases; `numbers` are the first of them."""

    words: str
    count: int
    tone: str
    numbers: Sequence[str]


@dataclass(frozen=True)
class EffectView:
    """A dry run over open cases."""

    version: int
    summary: str
    lines: Sequence[EffectLine]
    limited: str = ""
    move_url: str = ""
    movable: int = 0
    act_id: str = ""


@dataclass(frozen=True)
class VersionLine:
    """A version of a type."""

    number: int
    valid_from: datetime
    word: str
    tone: str
    url: str
    shown: bool


@dataclass(frozen=True)
class PartView:
    """A section, a field or a document of a type: it can be moved, put aside and taken back."""

    at: str
    title: str
    note: str
    fields: Sequence[FieldView]
    hidden: Sequence[tuple[str, str]]
    aside: bool
    open: bool
    focus: bool
    first: bool
    last: bool


@dataclass(frozen=True)
class TypeForm:
    """A type as a form: its sections with their fields, its documents, and what it is called."""

    head: Sequence[FieldView]
    sections: Sequence[tuple[PartView, Sequence[PartView]]]
    documents: Sequence[PartView]
    rest: Sequence[FieldView]
    file_url: str = ""
    """Where the same is shown as the text of a file."""
    fields_only: bool = False
    """Whether it is one list of fields, without sections and documents."""

    @property
    def labels(self) -> dict[str, str]:
        """Every field by its path, called as it is found: «Специальность: Подсказка»."""
        parts = [*self.documents]
        for section, fields in self.sections:
            parts += [section, *fields]
        named = {one.name: one.label for one in (*self.head, *self.rest)}
        for part in parts:
            named |= {one.name: f"{part.title}: {one.label}" for one in part.fields}
        return named


@dataclass(frozen=True)
class Preview:
    """An entry as people will see it: a macro of `catalogue_admin/parts.html`, and its view."""

    macro: str
    view: Any


@dataclass(frozen=True)
class Editor:
    """The page of one entry: form, what it would look like, what it changes, what was changed."""

    url: str
    back_url: str
    back: str
    title: str
    act_id: str
    based_on: str
    fields: Sequence[FieldView] = ()
    boxes: Sequence[Boxes] = ()
    form: TypeForm | None = None
    code: bool = False
    """Whether the one field is the text of a file."""
    differences: Sequence[Difference] = ()
    looked: bool = False
    preview: Preview | None = None
    effect: EffectView | None = None
    versions: Sequence[VersionLine] = ()
    history: Sequence[Changed] = ()
    notes: Sequence[str] = ()

    @property
    def labels(self) -> dict[str, str]:
        """What each field is called, by its path."""
        return self.form.labels if self.form else {one.name: one.label for one in self.fields}
