"""Categories of credentials as data: their fields, their end, their register, who vouches for them.

A definition is stored as JSON with its version, as that of a type of case is: a version of a
credential keeps the definition it was written by. Titles are Russian gettext msgids. Source: Q1.
"""

from enum import StrEnum
from functools import cached_property
from typing import Self

from pydantic import Field as Described
from pydantic import model_validator

from rules.access import Role
from rules.files.categories import Category
from rules.forms.fields import NAME, TITLE, Definition, Field, FieldKind

NUMBER, ISSUER, ISSUED_ON, VALID_UNTIL = "number", "issuer", "issued_on", "valid_until"
MOST_FILES = 10


class End(StrEnum):
    """Whether credentials of a category end."""

    REQUIRED = "required"
    POSSIBLE = "possible"
    NONE = "none"


class StateRegister(StrEnum):
    """Which register of the state knows credentials of a category."""

    NONE = "none"
    WORKERS = "workers"
    ACCREDITATION = "accreditation"
    EDUCATION = "education"


class Validation(StrEnum):
    """Who vouches for what a person has entered."""

    REGISTER = "register"
    HAND = "hand"
    """The personnel department, which has seen the original."""
    NONE = "none"


class Need(StrEnum):
    """What every file is expected to show; several categories may meet the same need."""

    EDUCATION = "education"
    ADMISSION = "admission"
    TRAINING = "training"


class CategoryDefinition(Definition):
    """One version of a category: what is asked of a person who adds such a credential.

    `about` names the field that tells two credentials of the category apart, such as the specialty;
    lists show it beside the title. `document` is where its files stand among the documents.
    """

    key: str = Described(pattern=NAME)
    version: int = Described(ge=1, le=100_000)
    title: str = Described(pattern=TITLE)
    group: str = Described(pattern=TITLE)
    order: int = Described(0, ge=0, le=1000, description="Place in lists, the lowest first.")
    hint: str = ""
    form: tuple[Field, ...] = Described(min_length=1, max_length=40)
    about: str = Described(pattern=NAME)
    end: End
    known_to: StateRegister = StateRegister.NONE
    validation: Validation = Validation.NONE
    need: Need | None = None
    needed_for: tuple[Role, ...] = ()
    """Roles that rest on such a credential: when it ends, their end is proposed."""
    renewed_by: str = Described("", description="The kind of case that renews it; empty: none.")
    document: Category
    files_required: bool = True
    files_hint: str = ""

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        names = [field.name for field in self.form]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"named twice: {', '.join(sorted(twice))}")
        if absent := {NUMBER, ISSUER, ISSUED_ON, self.about} - set(names):
            raise ValueError(f"the form lacks {', '.join(sorted(absent))}")
        if self.fields[ISSUED_ON].kind is not FieldKind.DATE:
            raise ValueError("issued_on is a date")
        ends = self.fields.get(VALID_UNTIL)
        if (ends is None) != (self.end is End.NONE):
            raise ValueError("valid_until is asked if, and only if, credentials end")
        if ends is not None and (
            ends.kind is not FieldKind.DATE
            or ends.not_before != ISSUED_ON
            or ends.required != (self.end is End.REQUIRED)
        ):
            raise ValueError("valid_until is a date not before issued_on, required as `end` says")
        return self

    @cached_property
    def fields(self) -> dict[str, Field]:
        """All fields by name, in the order of the form."""
        return {field.name: field for field in self.form}
