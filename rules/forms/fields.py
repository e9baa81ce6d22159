"""One field of a form: what it accepts, and how it is read, checked, shown and described.

The same definition draws the field, checks it while a person types and again on the server, and
stands in OpenAPI. Labels and hints are Russian gettext msgids. Messages say what to write.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date
from enum import StrEnum
from functools import lru_cache
from typing import Any, Literal, Self

import re2
from pydantic import BaseModel, ConfigDict, model_validator
from pydantic import Field as Described

from rules.refusals import Words
from rules.texts import identifiers
from rules.texts.cleaning import clean, one_line
from rules.texts.identifiers import IdentifierError

Value = str | int | bool
"""A canonical value. Text, ISO date, identifier and choice are `str`; a checkbox is `bool`."""

NAME = r"^[a-z][a-z0-9_]{0,39}$"
TITLE = r"\S"
"""A title is not empty: gettext would translate an empty text to the header of its catalogue."""
_TEXT, _LONG_TEXT, _DRAFT = 300, 4000, 20_000
_POLICY = re.compile("[0-9]{16}")
_YES = frozenset({"true", "on", "1", "yes", "да"})
_NO = frozenset({"", "false", "off", "0", "no", "нет"})


class FieldKind(StrEnum):
    """The kinds of field."""

    TEXT = "text"
    LONG_TEXT = "long_text"
    NUMBER = "number"
    DATE = "date"
    SNILS = "snils"
    INN = "inn"
    PHONE = "phone"
    LICENCE = "licence"
    PATIENT_ID = "patient_id"
    ICD10 = "icd10"
    CHOICE = "choice"
    CHECKBOX = "checkbox"


_SUGGESTED = frozenset(
    {FieldKind.TEXT, FieldKind.INN, FieldKind.LICENCE, FieldKind.PATIENT_ID, FieldKind.PHONE}
)
"""Kinds of one-line field for which a form may suggest values."""


class Definition(BaseModel):
    """Base of the parts of a form: frozen; an unknown key is an error, so that typos are found."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Choice(Definition):
    """One of several answers. A plain text in its place is both value and label."""

    value: str
    label: str

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, raw: Any) -> Any:
        return {"value": raw, "label": raw} if isinstance(raw, str) else raw


class Field(Definition):
    """One field of a form.

    `min` and `max` bound numbers, or dates as ISO; `today` and `this_year` are allowed too.
    `prefill` names the fact that fills the field, such as `person.snils` or `programme.title`; a
    `locked` field shows that fact and accepts nothing else. `pattern` is the whole shape of a text,
    or of an institution's own patient identifier in place of the policy number; `example` shows one
    that fits. `suggestions` are values that people rarely know by heart, such as a laboratory's
    licence: the form offers them by their labels, a typed label stands for its value, and any other
    value that fits is accepted as well. `not_before` names the date of the same form that this date
    may not precede.
    """

    name: str = Described(pattern=NAME)
    label: str = Described(pattern=TITLE)
    hint: str = ""
    kind: FieldKind = FieldKind.TEXT
    required: bool = True
    min: int | date | Literal["today", "this_year"] | None = None
    max: int | date | Literal["today", "this_year"] | None = None
    max_length: int | None = Described(None, gt=0, le=_DRAFT)
    pattern: str | None = Described(None, max_length=200)
    example: str | None = Described(None, max_length=80)
    choices: tuple[Choice, ...] = ()
    suggestions: tuple[Choice, ...] = ()
    autocomplete: str | None = None
    inputmode: Literal["text", "numeric", "tel"] | None = None
    prefill: str | None = Described(None, pattern=r"^[a-z_]+\.[a-z_]+$")
    locked: bool = False
    not_before: str | None = Described(None, pattern=NAME)

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        if (self.kind is FieldKind.CHOICE) != bool(self.choices):
            raise ValueError(f"{self.name}: a choice has choices, other fields have none")
        for offered in self.suggestions:
            if self.kind not in _SUGGESTED or check_field(self, offered.value)[0] != offered.value:
                raise ValueError(f"{self.name}: {offered.value} does not suggest its value")
        if self.pattern is not None:
            if self.kind not in (FieldKind.TEXT, FieldKind.PATIENT_ID):
                raise ValueError(f"{self.name}: only a text or a patient identifier has a pattern")
            _shape(self.pattern)
            if not self.example or not _shape(self.pattern).fullmatch(self.example):
                raise ValueError(f"{self.name}: a pattern comes with an example that fits it")
        if self.not_before is not None and self.kind is not FieldKind.DATE:
            raise ValueError(f"{self.name}: only a date is not before another date")
        if self.locked and not self.prefill:
            raise ValueError(f"{self.name}: a locked field says what it is prefilled with")
        for bound in (self.min, self.max):
            fits = {
                FieldKind.NUMBER: isinstance(bound, int) or bound == "this_year",
                FieldKind.DATE: isinstance(bound, date) or bound == "today",
            }.get(self.kind, False)
            if bound is not None and not fits:
                raise ValueError(f"{self.name}: {bound} does not bound a {self.kind.value}")
        return self

    @property
    def longest(self) -> int:
        """The most characters it accepts."""
        return self.max_length or (_LONG_TEXT if self.kind is FieldKind.LONG_TEXT else _TEXT)


@lru_cache(maxsize=256)
def _shape(pattern: str) -> Any:
    """A pattern of a form, compiled once by RE2, whose time grows only linearly with the text.

    A match cannot be interrupted, so a pattern must not be able to run for long. Syntax:
    https://github.com/google/re2/wiki/Syntax. Raises ValueError for an invalid pattern.
    """
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        why = error.args[0].decode() if error.args else "unknown"
        raise ValueError(f"{pattern!r} is no regular expression of RE2: {why}") from None


def check_field(
    field: Field, raw: Any, today: date | None = None
) -> tuple[Value | None, str | None]:
    """Read what was typed. Returns the canonical value, or else a message that says what to write.

    Empty input gives `(None, None)`: whether a value is required is up to `check_form`. `today` is
    the local day; without it, bounds that depend on the present day are not checked.
    """
    if isinstance(raw, bool) and field.kind is FieldKind.CHECKBOX:
        return raw, None
    if raw is None:
        return None, None
    if isinstance(raw, bool) or not isinstance(raw, str | int):
        return None, "Напишите значение текстом"
    if isinstance(raw, int) and abs(raw) >= 10**18:
        return None, "Сократите значение"
    text = clean(str(raw))
    if not text.strip():
        return (False, None) if field.kind is FieldKind.CHECKBOX else (None, None)
    if len(text) > _DRAFT:
        return None, Words("Сократите текст до {max} знаков", max=field.longest)
    named = " ".join(text.split()).casefold()
    text = next((one.value for one in field.suggestions if one.label.casefold() == named), text)
    try:
        return _READERS[field.kind](field, text, today), None
    except (IdentifierError, _Wrong) as error:
        return None, error.message


def too_long(value: Any) -> bool:
    """Whether a text is too long even for a draft: far longer than any field accepts."""
    return isinstance(value, str) and len(value) > _DRAFT


def too_long_words() -> Words:
    """The message for a text that is too long."""
    return Words("Сократите текст до {max} знаков", max=_DRAFT)


def form_value(field: Field, raw: Any) -> str:
    """What a form shows of a stored value, right or wrong; of a ticked checkbox «true»."""
    if field.kind is FieldKind.CHECKBOX:
        return "true" if raw in (True, "true", "on", "1") else ""
    if field.kind is FieldKind.DATE:
        return display(field, raw) or ""
    return "" if raw is None else str(raw)


def display(field: Field, value: Any) -> str | None:
    """A stored value as people read it: 04.12.2026, the label of a choice, «Да» or «Нет».

    A policy number is written in groups of four; an institution's own identifier as it is.
    """
    if value is None or value == "":
        return None
    if field.kind is FieldKind.CHECKBOX:
        return "Да" if value is True else "Нет"
    if field.kind is FieldKind.CHOICE:
        return next((c.label for c in field.choices if c.value == value), str(value))
    if field.kind is FieldKind.DATE:
        try:
            return f"{date.fromisoformat(str(value)):%d.%m.%Y}"
        except ValueError:
            return str(value)
    if field.kind is FieldKind.PATIENT_ID and not field.pattern and _POLICY.fullmatch(str(value)):
        return "\u00a0".join(re.findall(".{4}", str(value)))
    return str(value)


_PATTERNS = {
    FieldKind.SNILS: r"^[0-9]{3}-[0-9]{3}-[0-9]{3} [0-9]{2}$",
    FieldKind.INN: r"^[0-9]{12}$",
    FieldKind.PHONE: r"^\+[0-9]{8,15}$",
    FieldKind.LICENCE: r"^(Л041-[0-9]{5}-[0-9]{2}/[0-9]{8}|ЛО-[0-9]{2}-[0-9]{2}-[0-9]{6})$",
    FieldKind.PATIENT_ID: r"^[0-9]{16}$",
    FieldKind.ICD10: r"^[A-Z][0-9]{2}(\.[0-9]{1,2})?$",
}


def field_schema(field: Field) -> dict[str, Any]:
    """The canonical value of the field as JSON Schema 2020-12."""
    schema: dict[str, Any] = {"title": field.label}
    if field.hint:
        schema["description"] = field.hint
    match field.kind:
        case FieldKind.NUMBER:
            schema["type"] = "integer"
            for word, bound in (("minimum", field.min), ("maximum", field.max)):
                if isinstance(bound, int):
                    schema[word] = bound
        case FieldKind.CHECKBOX:
            schema["type"] = "boolean"
            if field.required:
                schema["const"] = True
        case FieldKind.DATE:
            schema |= {"type": "string", "format": "date"}
        case FieldKind.CHOICE:
            schema |= {"type": "string", "enum": [choice.value for choice in field.choices]}
        case FieldKind.TEXT | FieldKind.LONG_TEXT:
            schema |= {"type": "string", "minLength": 1, "maxLength": field.longest}
            if field.pattern:
                schema["pattern"] = f"^(?:{field.pattern})$"
        case _:
            own = f"^(?:{field.pattern})$" if field.pattern else None
            schema |= {"type": "string", "pattern": own or _PATTERNS[field.kind]}
    if field.locked:
        schema["readOnly"] = True
    if field.suggestions:
        schema["examples"] = [offered.value for offered in field.suggestions]
    if field.not_before:
        schema["x-not-before"] = field.not_before
    return schema


class _Wrong(ValueError):
    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def missing(field: Field) -> str:
    """The message for a required field that is empty."""
    match field.kind:
        case FieldKind.CHECKBOX:
            return "Поставьте отметку, без неё продолжить нельзя"
        case FieldKind.CHOICE:
            return "Выберите один из вариантов"
        case FieldKind.DATE | FieldKind.NUMBER | FieldKind.TEXT | FieldKind.LONG_TEXT:
            return Words("Заполните поле «{label}»", label=field.label)
    try:
        _READERS[field.kind](field, "-", None)
    except (IdentifierError, _Wrong) as error:
        return error.message
    return Words("Заполните поле «{label}»", label=field.label)


def _read_text(field: Field, text: str, today: date | None) -> str:
    if field.kind is FieldKind.LONG_TEXT:
        lines = map(one_line, text.splitlines())
        text = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
    else:
        text = " ".join(text.split())
    if len(text) > field.longest:
        raise _Wrong(Words("Сократите текст до {max} знаков", max=field.longest))
    if field.pattern and not _shape(field.pattern).fullmatch(text):
        raise _Wrong(Words("Напишите так, как в примере: {example}", example=field.example))
    return text


def _read_number(field: Field, text: str, today: date | None) -> int:
    this_year = today.year if today else None
    low = this_year if field.min == "this_year" else field.min
    high = this_year if field.max == "this_year" else field.max
    plain = re.sub(r"[.,]0+$", "", re.sub(r"\s", "", identifiers.tidy(text)))
    if re.fullmatch(r"[+-]?\d{1,15}", plain, re.ASCII):
        number = int(plain)
        too_small = isinstance(low, int) and number < low
        too_large = isinstance(high, int) and number > high
        if not too_small and not too_large:
            return number
    if low is not None and high is not None:
        raise _Wrong(Words("Напишите целое число от {min} до {max}", min=low, max=high))
    if low is not None:
        raise _Wrong(Words("Напишите целое число не меньше {min}", min=low))
    if high is not None:
        raise _Wrong(Words("Напишите целое число не больше {max}", max=high))
    raise _Wrong("Напишите целое число")


def _read_date(field: Field, text: str, today: date | None) -> str:
    low = today if field.min == "today" else field.min
    high = today if field.max == "today" else field.max
    day = identifiers.day(text)
    if isinstance(low, date) and day < low:
        raise _Wrong(Words("Напишите дату не раньше {min}", min=f"{low:%d.%m.%Y}"))
    if isinstance(high, date) and day > high:
        raise _Wrong(Words("Напишите дату не позже {max}", max=f"{high:%d.%m.%Y}"))
    return day.isoformat()


def _read_patient(field: Field, text: str, today: date | None) -> str:
    """The number of a compulsory insurance policy: 16 digits, the last one checks (Luhn).

    An institution that numbers its patients otherwise gives the field a pattern of its own.
    """
    if field.pattern:
        return _read_text(field, re.sub(r"\s", "", identifiers.tidy(text)).upper(), today)
    digits = re.sub(r"[\s-]", "", identifiers.tidy(text))
    if not re.fullmatch(r"\d{16}", digits, re.ASCII):
        raise _Wrong("Напишите 16 цифр полиса ОМС")
    doubled = (int(digit) * (2 - place % 2) for place, digit in enumerate(digits))
    if sum(number - 9 if number > 9 else number for number in doubled) % 10:
        raise _Wrong("Проверьте номер полиса ОМС: контрольная цифра не сходится")
    return digits


def _read_choice(field: Field, text: str, today: date | None) -> str:
    plain = " ".join(text.split())
    for choice in field.choices:
        if plain == choice.value or plain.casefold() == choice.label.casefold():
            return choice.value
    raise _Wrong("Выберите один из вариантов")


def _read_checkbox(field: Field, text: str, today: date | None) -> bool:
    plain = text.strip().casefold()
    if plain not in _YES | _NO:
        raise _Wrong("Поставьте или снимите отметку")
    return plain in _YES


def _identifier(read: Callable[[str], str]) -> Callable[[Field, str, date | None], str]:
    return lambda field, text, today: read(text)


_READERS: Mapping[FieldKind, Callable[[Field, str, date | None], Value]] = {
    FieldKind.TEXT: _read_text,
    FieldKind.LONG_TEXT: _read_text,
    FieldKind.NUMBER: _read_number,
    FieldKind.DATE: _read_date,
    FieldKind.SNILS: _identifier(identifiers.snils),
    FieldKind.INN: _identifier(identifiers.inn),
    FieldKind.PHONE: _identifier(identifiers.phone),
    FieldKind.LICENCE: _identifier(identifiers.licence),
    FieldKind.PATIENT_ID: _read_patient,
    FieldKind.ICD10: _identifier(identifiers.icd10),
    FieldKind.CHOICE: _read_choice,
    FieldKind.CHECKBOX: _read_checkbox,
}
