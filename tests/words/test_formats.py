"""Dates, terms and sizes as people write them."""

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cabinet.frame.rendering import environment
from words import formats
from words.translation import Presentation, presented

EVENING = datetime(2026, 12, 4, 15, 0, tzinfo=UTC)
MIDNIGHT = datetime(2099, 12, 4, 21, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("language", "words"), [("ru", "4 декабря 2026, 18:00"), ("en", "4 December 2026, 18:00")]
)
def test_moment(language: str, words: str) -> None:
    """A moment is shown in the zone of the institution, with the month as a word."""
    with presented(Presentation(language, "Europe/Moscow")):
        assert formats.moment(EVENING) == words


def test_a_term_ends_with_its_last_day() -> None:
    """A term that ends at midnight ends with the day before, and is written so."""
    with presented(Presentation("ru", "Europe/Moscow")):
        assert formats.term(MIDNIGHT) == "конца дня 4 декабря 2099"


def test_what_was_saved_on_another_day_says_the_day() -> None:
    """«Сохранено в 05:20» would be of today; a draft may be older."""
    macros: Any = environment().get_template("macros/forms.html").make_module()
    note = macros.saved_note
    with presented(Presentation("ru", "Europe/Moscow")):
        assert "Сохранено в " in note(datetime.now(UTC))
        assert "Сохранено 4 декабря 2026, 18:00" in note(EVENING)


KALININGRAD = datetime(2099, 12, 3, 0, 0, tzinfo=ZoneInfo("Europe/Kaliningrad"))


@pytest.mark.parametrize(
    ("reader", "words"),
    [
        ("Europe/Moscow", "конца дня 2 декабря 2099 (Калининград)"),
        ("Europe/Kaliningrad", "конца дня 2 декабря 2099"),
        ("Africa/Cairo", "конца дня 2 декабря 2099"),
    ],
)
def test_a_term_of_another_zone_is_written_by_its_clock(reader: str, words: str) -> None:
    """The same for every reader, and named where the reader's clock shows another hour."""
    with presented(Presentation("ru", reader)):
        assert formats.term(KALININGRAD) == words
        assert formats.short_day(KALININGRAD) == "03.12.2099"


@pytest.mark.parametrize(
    ("octets", "words"), [(900, "900 Б"), (1_500, "1 КБ"), (1_482_331, "1,4 МБ")]
)
def test_size(octets: int, words: str) -> None:
    """Sizes are in units of 1024, with a decimal comma."""
    with presented(Presentation("ru")):
        assert formats.size(octets) == words


def test_days_for_tables_and_machines() -> None:
    """Tables have short dates, `<time>` has ISO 8601."""
    assert formats.short_day(date(2026, 12, 4)) == "04.12.2026"
    assert formats.weekday(date(2026, 12, 4)) == "пятница"
    assert formats.machine(EVENING) == "2026-12-04T15:00:00+00:00"
    assert formats.initials("Соколова Анна Игоревна") == "АС"
