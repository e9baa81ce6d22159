"""Intakes of programmes: which one may be chosen, and how an administrator writes them."""

from datetime import date

import pytest

from cabinet.catalogue_admin.intakes import read_intakes, typed_intakes
from rules.catalogue.intakes import Intake, check_intake, intakes_of, with_taken
from rules.refusals import FieldError

JANUARY, MARCH = date(2027, 1, 18), date(2027, 3, 15)
VALUES = {
    "starts_on": ["2027-01-18", "2027-03-15"],
    "intake_limits": {"2027-01-18": {"places": 2, "apply_until": "2027-01-11"}},
}
KNOWN = with_taken(intakes_of(VALUES["starts_on"], VALUES["intake_limits"]), {JANUARY: 1})  # type: ignore[arg-type]


def test_limits_of_an_intake() -> None:
    """Without limits of its own one applies until the day before, and nobody counts."""
    assert [
        Intake(JANUARY, date(2027, 1, 11), 2, 1),
        Intake(MARCH, date(2027, 3, 14)),
    ] == KNOWN
    assert [one.left for one in KNOWN] == [1, None]


@pytest.mark.parametrize(
    ("chosen", "today", "taken", "said"),
    [
        ("2027-01-18", date(2027, 1, 11), 1, ""),
        ("2027-01-20", date(2027, 1, 11), 1, "Выберите один из наборов программы: 18.01.2027, 15"),
        ("2027-01-18", date(2027, 1, 12), 1, "Приём заявок в этот набор закончился 11.01.2027"),
        ("2027-01-18", date(2027, 1, 11), 2, "В этом наборе не осталось мест"),
        ("2027-01-20", date(2027, 4, 1), 1, "Наборы на эту программу закончились"),
        ("вчера", date(2027, 1, 11), 1, ""),
        (None, date(2027, 1, 11), 1, ""),
    ],
)
def test_only_an_intake_that_takes_applications_is_chosen(
    chosen: str | None, today: date, taken: int, said: str
) -> None:
    """A day between, the day after the last one and a full intake are refused in words (A1)."""
    known = with_taken(KNOWN, {JANUARY: taken})
    told = check_intake(known, chosen, (), today)
    assert [error.path for error in told] == (["starts_on"] if said else [])
    assert all(error.message.startswith(said) for error in told)
    assert check_intake(known, chosen, (chosen,), today) == []
    assert check_intake([], chosen, (), today) == []


def test_an_administrator_writes_a_line_for_each_intake() -> None:
    """What is shown is read back; commas do as well, and what cannot be read is told."""
    errors: list[FieldError] = []
    typed = typed_intakes(VALUES)
    assert typed == "18.01.2027 до 11.01.2027 мест 2\n15.03.2027"
    assert read_intakes(typed, errors) == VALUES
    assert read_intakes("18.01.2027, 15.03.2027", errors) == VALUES | {"intake_limits": {}}
    assert read_intakes("", errors) == {"starts_on": [], "intake_limits": {}}
    assert errors == []
    for wrong in ("18 января", "18.01.2027 до 19.01.2027", "31.02.2027", "18.01.2027 мест 0"):
        errors.clear()
        read_intakes(wrong, errors)
        assert [error.path for error in errors] == ["starts_on"], wrong
