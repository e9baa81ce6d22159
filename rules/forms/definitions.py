"""Forms as data: types of cases with their sections, documents, questions and terms.

A definition is stored as JSON with its version; pages draw it, `check_form` decides on the server,
`json_schema` tells programs. Titles are Russian gettext msgids.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import Any, Protocol, Self

from pydantic import Field as Described
from pydantic import model_validator

from rules.cases.kinds import process_of
from rules.cases.process import CaseKind
from rules.cases.terms import Terms
from rules.forms.fields import (
    NAME,
    TITLE,
    Choice,
    Definition,
    Field,
    FieldKind,
    Value,
    check_field,
    display,
    field_schema,
    missing,
)
from rules.refusals import FieldError, Words
from rules.texts.cleaning import AccusativeTitle, clean

__all__ = [
    "RESERVED_SECTIONS",
    "AnswerKind",
    "AnsweringSide",
    "AttachmentRule",
    "CaseTypeDefinition",
    "ChecklistItem",
    "Choice",
    "Field",
    "FieldChange",
    "FieldKind",
    "FormFields",
    "ProgrammeRules",
    "Ruled",
    "Section",
    "Value",
    "Waiver",
    "Words",
    "check_attachments",
    "check_field",
    "check_form",
    "difference",
    "differs",
    "display",
    "json_schema",
    "merged_attachments",
    "merged_checklist",
    "merged_terms",
    "prefilled",
    "with_locked",
]


RESERVED_SECTIONS = frozenset({"attachments", "autosave", "check", "discard", "submit"})
"""Names that the pages of a draft use themselves: a section of that name could not be opened."""


class Section(Definition):
    """Fields on one subject: one page of the form, and one line of its task list."""

    name: str = Described(pattern=NAME)
    title: str = Described(pattern=TITLE)
    hint: str = ""
    fields: tuple[Field, ...] = Described(min_length=1)


class AttachmentRule(Definition):
    """A kind of document that is attached to a case. A waived one is shown with the reason."""

    kind: str = Described(pattern=NAME)
    title: str = Described(pattern=TITLE)
    hint: str = ""
    required: bool = True
    waived_reason: str | None = None


class ChecklistItem(Definition):
    """A question that the reviewer answers by yes or no."""

    name: str = Described(pattern=NAME)
    question: str


class Waiver(Definition):
    """A kind of document that a programme does not require, and why."""

    kind: str
    reason: str = Described(min_length=3)


class ProgrammeRules(Definition):
    """What a programme changes in the type of its applications (A2, A3)."""

    add: tuple[AttachmentRule, ...] = ()
    waive: tuple[Waiver, ...] = ()
    checklist: tuple[ChecklistItem, ...] = ()
    terms: Terms | None = None


class Ruled(Protocol):
    """Whatever changes the rules of a type, such as a programme."""

    @property
    def rules(self) -> ProgrammeRules:
        """What it changes in the type of its applications."""


class FormFields(Protocol):
    """Whatever has fields to be filled in: a type of case, a category of credentials."""

    @property
    def title(self) -> str:
        """What is filled in."""

    @property
    def fields(self) -> Mapping[str, Field]:
        """All fields by name, in the order of the form."""


class AnsweringSide(StrEnum):
    """Who answers a request: the gov service (`MODULE`), or people of a unit (`DESK`)."""

    MODULE = "module"
    DESK = "desk"


class AnswerKind(StrEnum):
    """What a request is answered with."""

    DOCUMENT = "document"
    DATA = "data"
    MESSAGE = "message"


class CaseTypeDefinition(Definition):
    """A type of case: its form, attachments, reviewer's questions, terms and addressee.

    A request has a `channel`; if the gov service answers it, `service` names the service there. The
    term of a request is `terms.review`.
    """

    key: str = Described(pattern=NAME)
    version: int = Described(ge=1, le=100_000)
    kind: CaseKind
    title: str = Described(pattern=TITLE)
    sections: tuple[Section, ...] = Described(min_length=1)
    attachments: tuple[AttachmentRule, ...] = ()
    checklist: tuple[ChecklistItem, ...] = ()
    terms: Terms = Terms()
    addressee: str
    """Code of the unit that decides on applications.

    For requests: of the unit that answers, or that is responsible for the exchange with the gov
    service.
    """
    hint: str = ""
    group: str = Described("", description="Heading under which the catalogue shows it.")
    order: int = Described(0, ge=0, description="Place in the catalogue, the lowest first.")
    channel: AnsweringSide | None = None
    service: str | None = Described(None, pattern=r"^[a-z][a-z0-9-]{1,63}$")
    recipient: str = Described("", description="The addressee in words, where it is no unit.")
    answer: AnswerKind | None = None

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        for names in (
            [section.name for section in self.sections],
            [field.name for section in self.sections for field in section.fields],
            [rule.kind for rule in self.attachments],
            [item.name for item in self.checklist],
        ):
            if twice := {name for name in names if names.count(name) > 1}:
                raise ValueError(f"named twice: {', '.join(sorted(twice))}")
        return self

    @model_validator(mode="after")
    def _dates_follow(self) -> Self:
        dates: set[str] = set()
        for field in (field for section in self.sections for field in section.fields):
            if field.not_before is not None and field.not_before not in dates:
                raise ValueError(
                    f"{field.name}: not_before names no date that stands before it in the form: "
                    f"{field.not_before}"
                )
            if field.kind is FieldKind.DATE:
                dates.add(field.name)
        return self

    @model_validator(mode="after")
    def _says_who_answers(self) -> Self:
        is_answered = process_of(self.kind).has_addressee
        if is_answered != (self.channel is not None and self.answer is not None):
            raise ValueError(
                "a kind with an addressee, as a request, names its channel and kind of answer;"
                " another one, as an application, none"
            )
        if (self.channel is AnsweringSide.MODULE) != (self.service is not None):
            raise ValueError(
                "a type names a service if, and only if, its channel is `module`, the gov service"
            )
        return self

    @property
    def answered_by_people(self) -> bool:
        """Whether people of the addressed unit answer it, not the gov service."""
        return self.channel is AnsweringSide.DESK

    @cached_property
    def fields(self) -> dict[str, Field]:
        """All fields by name, in the order of the form."""
        return {field.name: field for section in self.sections for field in section.fields}


def with_label(definition: CaseTypeDefinition, name: str, label: str) -> CaseTypeDefinition:
    """The type with another label for the field; unchanged if it has no such field."""
    sections = tuple(
        section.model_copy(
            update={
                "fields": tuple(
                    field.model_copy(update={"label": label}) if field.name == name else field
                    for field in section.fields
                )
            }
        )
        for section in definition.sections
    )
    known = {key: getattr(definition, key) for key in CaseTypeDefinition.model_fields}
    return CaseTypeDefinition.model_construct(**known | {"sections": sections})


def check_form(
    definition: FormFields,
    data: Mapping[str, Any],
    complete: bool,
    today: date | None = None,
) -> tuple[dict[str, Value], list[FieldError]]:
    """Check a whole form. Returns canonical values, and errors in the order of the form.

    With `complete=False`, as for a draft, missing fields are allowed, and a wrong value is flagged
    but kept as it was typed, so that nobody loses what they wrote.
    """
    values: dict[str, Value] = {}
    errors: list[FieldError] = []
    for name, field in definition.fields.items():
        raw = data.get(name)
        value, message = check_field(field, raw, today)
        if message is None and value is not None:
            message = _too_early(definition, field, value, values, today)
        if message is None and complete and field.required and value in (None, False):
            message = missing(field)
        if message is not None:
            errors.append(FieldError(name, message))
            if not complete and isinstance(raw, str):
                values[name] = clean(raw)
        elif value is not None:
            values[name] = value
    errors += [
        FieldError(str(name)[:80], "Такого поля нет в форме, уберите его")
        for name in data
        if name not in definition.fields
    ]
    return values, errors


def _too_early(
    definition: FormFields,
    field: Field,
    value: Value,
    values: Mapping[str, Value],
    today: date | None,
) -> str | None:
    """The error for a date before the one that `not_before` names; None if the order is right."""
    if field.not_before is None:
        return None
    earlier = definition.fields[field.not_before]
    start, wrong = check_field(earlier, values.get(earlier.name), today)
    if wrong is not None or not isinstance(start, str) or str(value) >= start:
        return None
    return Words(
        "Напишите дату не раньше, чем «{label}»: {min}",
        label=earlier.label,
        min=display(earlier, start),
    )


def prefilled(definition: CaseTypeDefinition, facts: Mapping[str, Any]) -> dict[str, Value]:
    """Values that are known already, for the fields whose `prefill` is among the facts.

    Facts have flat names: `{"person.snils": "112-233-445 95", "programme.hours": 36}`. A choice is
    known by its value, or by the words that people read.
    """
    known: dict[str, Value] = {}
    for name, field in definition.fields.items():
        if field.prefill and (raw := facts.get(field.prefill)) is not None:
            value, message = check_field(field, chosen(field, raw))
            if message is None and value is not None:
                known[name] = value
    return known


def chosen(field: Field, words: Any) -> Any:
    """The value of the choice that is called so; without one, what was given."""
    if field.kind is not FieldKind.CHOICE or not isinstance(words, str):
        return words
    wanted = _folded(words)
    return next((one.value for one in field.choices if _folded(one.label) == wanted), words)


def _folded(words: str) -> str:
    return " ".join(words.split()).casefold().replace("ё", "е")


def with_locked(
    definition: CaseTypeDefinition, data: Mapping[str, Any], facts: Mapping[str, Any]
) -> dict[str, Any]:
    """The data with every locked field set to its fact, whatever was sent for it."""
    known = prefilled(definition, facts)
    locked = {name for name, field in definition.fields.items() if field.locked}
    kept = {name: value for name, value in data.items() if name not in locked}
    return kept | {name: known[name] for name in definition.fields if name in locked & set(known)}


def check_attachments(rules: Iterable[AttachmentRule], given: Collection[str]) -> list[FieldError]:
    """Errors for documents that are missing or not asked for; paths are `attachments.<kind>`."""
    rules = tuple(rules)
    missing = [
        FieldError(
            f"attachments.{rule.kind}",
            Words("Приложите {document}", document=AccusativeTitle(rule.title)),
        )
        for rule in rules
        if rule.required and rule.waived_reason is None and rule.kind not in given
    ]
    unknown = sorted(set(given) - {rule.kind for rule in rules})
    return missing + [
        FieldError(f"attachments.{kind}", "Этот вид документа здесь не нужен, уберите его")
        for kind in unknown
    ]


def merged_attachments(
    definition: CaseTypeDefinition, programme: Ruled | None
) -> tuple[AttachmentRule, ...]:
    """The documents of an application: the type's, changed by the rules of the programme."""
    rules = {rule.kind: rule for rule in definition.attachments}
    if programme is not None:
        own = programme.rules
        rules |= {rule.kind: rule for rule in own.add}
        for waiver in own.waive:
            if (rule := rules.get(waiver.kind)) is not None:
                change = {"required": False, "waived_reason": waiver.reason}
                rules[waiver.kind] = rule.model_copy(update=change)
    return tuple(rules.values())


def merged_checklist(
    definition: CaseTypeDefinition, programme: Ruled | None
) -> tuple[ChecklistItem, ...]:
    """The reviewer's questions: the type's, then the programme's. One of the same name replaces."""
    items = {item.name: item for item in definition.checklist}
    if programme is not None:
        items |= {item.name: item for item in programme.rules.checklist}
    return tuple(items.values())


def merged_terms(definition: CaseTypeDefinition, programme: Ruled | None) -> Terms:
    """The programme's terms if it has its own, otherwise the type's."""
    own = programme.rules.terms if programme is not None else None
    return own or definition.terms


@dataclass(frozen=True)
class FieldChange:
    """A field that differs between two versions.

    Values are as people read them; None for no value.
    """

    field: str
    label: str
    old: str | None
    new: str | None


def difference(
    definition: FormFields, old: Mapping[str, Any], new: Mapping[str, Any]
) -> list[FieldChange]:
    """What changed between two versions, in the order of the form."""
    return [
        FieldChange(name, field.label, display(field, old.get(name)), display(field, new.get(name)))
        for name, field in definition.fields.items()
        if differs(old.get(name), new.get(name))
    ]


def differs(old: Any, new: Any) -> bool:
    """Whether two answers differ. No answer and an empty one are the same."""
    return (None if old == "" else old) != (None if new == "" else new)


def json_schema(definition: FormFields) -> dict[str, Any]:
    """The canonical data of a complete form as JSON Schema 2020-12."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": definition.title,
        "type": "object",
        "properties": {name: field_schema(field) for name, field in definition.fields.items()},
        "required": [
            name for name, field in definition.fields.items() if field.required and not field.locked
        ],
        "additionalProperties": False,
    }
