"""Types of entry in a patient's record, as data: their form, their edition, the norm behind them.

A definition is stored as JSON with its version, as a category of credentials is: a version of an
entry keeps the definition it was written by. Titles are Russian gettext msgids. Source: W2.
"""

from functools import cached_property
from typing import Self

from pydantic import Field as Described
from pydantic import model_validator

from rules.forms.definitions import Section
from rules.forms.fields import NAME, TITLE, Definition, Field, FieldKind


class Warned(Definition):
    """That entries of a type stand at the head of every page of the patient, as allergies do.

    `by` names the choice that says how bad it is; its answers go from the worst to the least, and
    `dangerous` are those that are shown as a danger.
    """

    by: str = Described(pattern=NAME)
    dangerous: tuple[str, ...] = Described(min_length=1)


class EntryTypeDefinition(Definition):
    """One version of a type: what is asked of a clinician who writes such an entry.

    `about` names the field that lines show beside the title. `norm` is a key of the norms of law,
    `edition` and `year` say which edition of the form was entered here.
    """

    key: str = Described(pattern=NAME)
    version: int = Described(ge=1, le=100_000)
    title: str = Described(pattern=TITLE)
    order: int = Described(0, ge=0, le=1000, description="Place in lists, the lowest first.")
    hint: str = ""
    form_number: str = Described("", max_length=20, description="As it is printed.")
    edition: str = Described(pattern=TITLE, max_length=200)
    year: int = Described(ge=1990, le=2100)
    norm: str = Described(min_length=1, max_length=40)
    shared: bool = Described(
        False, description="Whether whoever treats the patient may correct what another wrote."
    )
    about: str = Described(pattern=NAME)
    warned: Warned | None = None
    sections: tuple[Section, ...] = Described(min_length=1, max_length=12)

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        for names in ([one.name for one in self.sections], [field.name for field in self._all]):
            if twice := {name for name in names if names.count(name) > 1}:
                raise ValueError(f"named twice: {', '.join(sorted(twice))}")
        if self.about not in self.fields:
            raise ValueError(f"about names no field: {self.about}")
        if self.warned is not None:
            by = self.fields.get(self.warned.by)
            offered = {choice.value for choice in by.choices} if by else set()
            if not set(self.warned.dangerous) <= offered:
                raise ValueError("warned.by is a choice, and warned.dangerous are answers of it")
        return self

    @property
    def _all(self) -> list[Field]:
        return [field for section in self.sections for field in section.fields]

    @cached_property
    def fields(self) -> dict[str, Field]:
        """All fields by name, in the order of the form."""
        return {field.name: field for field in self._all}

    @cached_property
    def codes(self) -> tuple[str, ...]:
        """The fields that hold a code of МКБ-10."""
        return tuple(name for name, field in self.fields.items() if field.kind is FieldKind.ICD10)

    def rank(self, answer: object) -> int:
        """How bad an answer of `warned.by` is: 0 is the worst; unknown ones come last."""
        choices = self.fields[self.warned.by].choices if self.warned else ()
        return next((n for n, one in enumerate(choices) if one.value == answer), len(choices))
