"""The terms and the dictionary of tests that an installation goes by, read from their files."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter

from clients.clinic.laboratory import LabMessage
from rules.results.terms import ResultTerm, ResultTerms
from rules.results.values import Bounds, LabTest, Urgency, age_on, number_of
from settings import Settings

SHIPPED = Path(__file__).with_name("terms.yaml")
TESTS = Path(__file__).with_name("tests.yaml")


@cache
def terms_in(file: Path) -> ResultTerms:
    """The terms of a file. Raises ValueError unless it names each class."""
    read: Any = yaml.safe_load(file.read_text("utf-8"))
    found = TypeAdapter(dict[Urgency, ResultTerm]).validate_python(read)
    if set(found) != set(Urgency):
        raise ValueError(f"{file} does not name a term of each class of results")
    return found


def terms_of(settings: Settings) -> ResultTerms:
    """The terms that this installation goes by."""
    return terms_in(settings.result_terms or SHIPPED)


@cache
def known_tests(file: Path = TESTS) -> Mapping[str, LabTest]:
    """The institution's dictionary of tests, by code."""
    read: Any = yaml.safe_load(file.read_text("utf-8"))
    found = TypeAdapter(tuple[LabTest, ...]).validate_python(read["tests"])
    return {one.code: one for one in found}


def known_in_unit(said: LabMessage) -> LabTest | None:
    """What the dictionary knows of the test, if it counts in the unit of the value."""
    known = known_tests().get(said.test.code)
    return known if known is not None and said.unit_of_value in ("", known.unit) else None


def reference_of(said: LabMessage) -> Bounds | None:
    """What is normal: as the laboratory says, or our dictionary for the sex and age."""
    low, high = number_of(said.reference.low), number_of(said.reference.high)
    if (low, high) != (None, None):
        return Bounds(low, high)
    known = known_in_unit(said)
    if known is None:
        return None
    born, taken = said.patient.birth_date, (said.taken_at or said.ready_at).date()
    return known.reference(said.patient.sex, age_on(born, taken) if born else None)
