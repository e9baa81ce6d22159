"""Numbers with a check digit (A3)."""

from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.cases.numbers import Number, NumberKind, format_number, parse_number
from rules.texts.identifiers import IdentifierError

numbers = st.builds(
    Number, st.sampled_from(NumberKind), st.integers(2000, 2999), st.integers(1, 10**9)
)


def test_form() -> None:
    """Kind, year, six digits, check digit."""
    assert format_number(NumberKind.APPLICATION, 2026, 123) == "ПК-2026-000123-0"


@given(numbers)
def test_printed_number_is_read_back(number: Number) -> None:
    """What is printed is read as the same number, in any habit of typing."""
    printed = str(number)
    assert parse_number(printed) == number
    assert parse_number(printed.lower().replace("-", " ")) == number
    assert parse_number(printed.replace("-", "")) == number
    assert parse_number(f"№ {printed.replace('-', '–')} ") == number
    assert (
        parse_number(f"{number.kind.value}-{number.year}-{number.sequence}-{number.check}")
        == number
    )


@pytest.mark.parametrize(
    ("typed", "kind"),
    [
        ("PK", NumberKind.APPLICATION),
        ("пk", NumberKind.APPLICATION),
        ("gr", NumberKind.APPLICATION),
        ("3C", NumberKind.REQUEST),
        ("zs", NumberKind.REQUEST),
        ("PC", NumberKind.REQUEST),
        ("A3", NumberKind.ENROLMENT_ACT),
        ("az", NumberKind.ENROLMENT_ACT),
    ],
)
def test_latin_letters_are_accepted(typed: str, kind: NumberKind) -> None:
    """Look-alikes, the same sounds and the other keyboard layout."""
    number = Number(kind, 2026, 77)
    assert parse_number(str(number).replace(kind.value, typed)) == number
    assert parse_number(str(number).replace(kind.value, typed).replace("-", "")) == number


def test_letter_o_for_zero_is_accepted() -> None:
    """A Latin or Cyrillic O between digits is a zero."""
    printed = str(Number(NumberKind.APPLICATION, 2026, 1))
    assert parse_number(printed[:3] + printed[3:].replace("0", "О")).sequence == 1


def test_a_long_number_whose_first_digit_became_a_zero_is_found() -> None:
    """Dropping that zero would leave a shorter number, which may well have the same check digit."""
    for sequence in range(1_000_000, 1_001_000):
        printed = str(Number(NumberKind.APPLICATION, 2026, sequence))
        with pytest.raises(IdentifierError):
            parse_number(printed.replace("-1", "-0", 1))


@given(numbers, st.data())
def test_every_single_wrong_digit_is_found(number: Number, data: st.DataObject) -> None:
    """No single mistyped digit, check digit and year included, gives another case."""
    printed = str(number)
    place = data.draw(st.sampled_from([i for i, c in enumerate(printed) if c.isdigit()]))
    digit = data.draw(st.sampled_from([d for d in "0123456789" if d != printed[place]]))
    with pytest.raises(IdentifierError):
        parse_number(printed[:place] + digit + printed[place + 1 :])


@given(numbers, st.data())
def test_every_swap_of_neighbours_is_found(number: Number, data: st.DataObject) -> None:
    """Two neighbouring digits in the wrong order never give another case, over dashes too."""
    printed = str(number)
    places = [i for i, c in enumerate(printed) if c.isdigit()]
    pairs = [(a, b) for a, b in pairwise(places) if printed[a] != printed[b]]
    first, second = data.draw(st.sampled_from(pairs))
    swapped = list(printed)
    swapped[first], swapped[second] = swapped[second], swapped[first]
    with pytest.raises(IdentifierError):
        parse_number("".join(swapped))


@given(numbers, st.sampled_from(NumberKind))
def test_a_mistaken_kind_is_found(number: Number, kind: NumberKind) -> None:
    """The number of an application is not that of a request."""
    if kind is not number.kind:
        with pytest.raises(IdentifierError):
            parse_number(str(number).replace(number.kind.value, kind.value))


@given(st.text(max_size=30))
def test_anything_else_is_refused_in_words(text: str) -> None:
    """The search box never breaks."""
    with suppress(IdentifierError):
        assert str(parse_number(text))


@pytest.mark.parametrize(("year", "sequence"), [(1999, 1), (2026, 0), (2026, -1), (2026, 10**12)])
def test_what_could_not_be_read_back_is_not_printed(year: int, sequence: int) -> None:
    """A number out of range is a mistake of the program."""
    with pytest.raises(ValueError, match="no number"):
        Number(NumberKind.APPLICATION, year, sequence)
