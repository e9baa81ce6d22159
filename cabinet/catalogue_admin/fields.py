"""Fields of the administrator's forms, described as data: drawn, read and named in one way."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from cabinet.frame.views import FieldView, Option
from rules.catalogue.entries import unfit
from rules.forms.definitions import CaseTypeDefinition
from rules.refusals import FieldError
from rules.texts import identifiers
from rules.texts.identifiers import IdentifierError
from services.catalogue_admin.kinds import Entry
from words.translation import gettext as _
from words.translation import marked

Typed = Mapping[str, str]


@dataclass(frozen=True)
class FormChoices:
    """What forms choose from."""

    units: Sequence[Entry]
    application: CaseTypeDefinition | None

    @property
    def unit_names(self) -> dict[str, str]:
        """Names of units by their codes."""
        return {unit.key: unit.title for unit in self.units}


def written_plainly(value: Any) -> str:
    """A value as it would be typed."""
    return "" if value is None else str(value)


@dataclass(frozen=True)
class EntryField:
    """One field of a form. Label, hint and options are gettext msgids, but for what is chosen from
    the catalogue.

    `read` makes a value of what was typed and raises IdentifierError, which says what to write;
    it is None where the value takes more than this one field. A `fixed` field is asked once.
    """

    name: str
    label: str
    kind: str = "text"
    hint: str = ""
    required: bool = True
    options: Mapping[str, str] | Callable[[FormChoices], Mapping[str, str]] = field(
        default_factory=dict
    )
    max_length: int = 0
    fixed: bool = False
    read: Callable[[str], Any] | None = str.strip
    written: Callable[[Any], str] = written_plainly
    usual: str = ""

    def drawn(
        self,
        typed: Typed,
        choices: FormChoices,
        *,
        known: bool = False,
        at: str = "",
        errors: Mapping[str, str] | None = None,
    ) -> FieldView:
        """The field with what was typed, `at` a part of the page; `known`: the entry exists."""
        path = f"{at}-{self.name}" if at else self.name
        words = self.options
        options = (
            [Option(value, text) for value, text in words(choices).items()]
            if callable(words)
            else [Option(value, _(text)) for value, text in words.items()]
        )
        return FieldView(
            path,
            _(self.label),
            self.kind,  # type: ignore[arg-type]
            value=typed.get(self.name, ""),
            hint=_(self.hint) if self.hint else "",
            error=(errors or {}).get(path, ""),
            required=self.required,
            options=options,
            max_length=self.max_length,
            locked=self.fixed and known,
        )


def typed_in(fields: Sequence[EntryField], values: Mapping[str, Any]) -> dict[str, str]:
    """The values as they would be typed into the fields; what is usual where there is none."""
    return {one.name: one.written(values.get(one.name)) or one.usual for one in fields}


def number(text: str) -> int:
    """A whole number as it was typed. Raises IdentifierError."""
    found = identifiers.whole(text, 0, 99_999)
    if found is None:
        raise IdentifierError("Напишите число.")
    return found


def read_field(field: EntryField, typed: Typed, errors: list[FieldError]) -> Any:
    """The value of a field; None for what cannot be read, which is told among the errors."""
    try:
        return field.read(typed.get(field.name, "")) if field.read else None
    except IdentifierError as error:
        errors.append(FieldError(field.name, error.message))
        return None


SINCE = EntryField(
    "valid_from",
    marked("Дата начала действия"),
    "date",
    marked("День, месяц и год. Пусто: сразу после сохранения"),
    required=False,
    read=None,
)


def first_day(typed: Typed) -> date | None:
    """The first day of a change as it was typed; None for at once. Raises Refusal 422."""
    try:
        text = typed.get(SINCE.name, "")
        return identifiers.day(text) if text.strip() else None
    except IdentifierError as error:
        raise unfit([FieldError(SINCE.name, error.message)]) from error
