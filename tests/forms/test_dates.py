"""Two dates of one form that follow each other, by the definition of the type alone (S2)."""

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from cabinet.routers import ROUTERS
from rules.forms.definitions import (
    RESERVED_SECTIONS,
    CaseTypeDefinition,
    Words,
    check_form,
    json_schema,
)

TODAY = date(2026, 11, 23)


def definition(*fields: dict[str, Any]) -> CaseTypeDefinition:
    """A type with these fields in two sections."""
    sections = [
        {"name": f"s{place}", "title": "Раздел", "fields": [{"label": "Дата", **field}]}
        for place, field in enumerate(fields)
    ]
    return CaseTypeDefinition.model_validate(
        {
            "key": "leave",
            "version": 1,
            "kind": "request",
            "title": "Отпуск",
            "channel": "desk",
            "answer": "message",
            "addressee": "hr",
            "sections": sections,
        }
    )


BEGIN = {"name": "begin", "label": "Первый день", "kind": "date", "max": "today"}
END = {"name": "end", "kind": "date", "required": False, "not_before": "begin"}
LEAVE = definition(BEGIN, END)


@pytest.mark.asvs("2.2.3")
@pytest.mark.parametrize("complete", [True, False])
def test_an_end_before_the_begin_is_told_at_the_end(complete: bool) -> None:
    """In a draft and when it is sent alike; what was typed stays in the draft."""
    typed = {"begin": "02.11.2026", "end": "01.11.2026"}
    values, errors = check_form(LEAVE, typed, complete, TODAY)
    assert [(one.path, one.message) for one in errors] == [
        ("end", "Напишите дату не раньше, чем «Первый день»: 02.11.2026")
    ]
    words = errors[0].message
    assert isinstance(words, Words)
    assert words.facts == {"label": "Первый день", "min": "02.11.2026"}
    assert values.get("end") == (None if complete else "01.11.2026")


@pytest.mark.parametrize(
    ("begin", "end", "wrong"),
    [
        ("02.11.2026", "02.11.2026", []),
        ("02.11.2026", "03.11.2026", []),
        ("02.11.2026", "", []),
        ("31.02.2026", "01.01.2020", ["begin"]),
        ("24.11.2026", "01.01.2020", ["begin"]),
        ("", "01.01.2020", []),
    ],
)
def test_only_two_right_dates_are_compared(begin: str, end: str, wrong: list[str]) -> None:
    """The same day is no mistake, and one mistake is told once."""
    _, errors = check_form(LEAVE, {"begin": begin, "end": end}, False, TODAY)
    assert [one.path for one in errors] == wrong


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ((END, BEGIN), "no date that stands before it"),
        ((BEGIN, {**END, "not_before": "end"}), "no date that stands before it"),
        (({"name": "begin"}, END), "no date that stands before it"),
        ((BEGIN, {**END, "kind": "text"}), "only a date is not before another date"),
    ],
)
def test_a_definition_that_means_nothing_is_refused(
    fields: tuple[dict[str, Any], ...], problem: str
) -> None:
    """The other date stands before it in the form, so that there is no circle."""
    with pytest.raises(ValidationError, match=problem):
        definition(*fields)


def test_programs_are_told_too() -> None:
    """JSON Schema has no such rule: an extension names the other field."""
    assert json_schema(LEAVE)["properties"]["end"]["x-not-before"] == "begin"


def test_every_page_of_a_draft_keeps_its_name() -> None:
    """A section could not be reached under the name of a fixed page beside it."""
    beside = {
        rest
        for router in ROUTERS
        for route in router.routes
        for _, found, rest in [str(getattr(route, "path", "")).partition("/{case_id}/draft/")]
        if found and "/" not in rest and "{" not in rest
    }
    assert beside >= {"check", "submit"}
    assert beside <= RESERVED_SECTIONS
