"""Identifiers as people type them (S2, domain facts)."""

from contextlib import suppress
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.texts import identifiers
from rules.texts.identifiers import IdentifierError


@pytest.mark.parametrize(
    "typed",
    ["112-233-445 95", "11223344595", "112 233 445-95", " 112–233–445 95 ", "１１２23344595"],
)
def test_snils_is_read_however_it_is_typed(typed: str) -> None:
    """Blanks, dashes and full-width digits make no difference."""
    assert identifiers.snils(typed) == "112-233-445 95"


@pytest.mark.parametrize("typed", ["112-233-445 96", "112233445", "112-233-445 9a", "", "0" * 11])
def test_wrong_snils_is_refused_with_a_remedy(typed: str) -> None:
    """A mistake is answered in words that say what to write (S2)."""
    with pytest.raises(IdentifierError, match="СНИЛС"):
        identifiers.snils(typed)


def test_snils_up_to_001_001_998_carries_no_check() -> None:
    """The oldest numbers were given before check digits were introduced."""
    assert identifiers.snils("001-001-998 77") == "001-001-998 77"
    with pytest.raises(IdentifierError):
        identifiers.snils("001-001-999 77")


@given(st.integers(1_001_999, 999_999_999), st.integers(0, 8), st.integers(1, 9))
def test_a_wrong_digit_of_snils_is_found(number: int, place: int, shift: int) -> None:
    """Every single wrong digit in the body is found, unless it hits the old numbers."""
    body = f"{number:09}"
    check = sum(int(d) * (9 - i) for i, d in enumerate(body)) % 101 % 100
    wrong = body[:place] + str((int(body[place]) + shift) % 10) + body[place + 1 :]
    assert identifiers.snils(f"{body}{check:02}")
    weighed = sum(int(d) * (9 - i) for i, d in enumerate(wrong)) % 101 % 100
    if int(wrong) > 1_001_998 and weighed != check:
        with pytest.raises(IdentifierError):
            identifiers.snils(f"{wrong}{check:02}")
    elif int(wrong) > 1_001_998:
        # 100 and 0 share the check digits 00: the one collision of the algorithm.
        assert check == 0


@pytest.mark.parametrize("typed", ["366220664163", "123456789047", "3662 2066 4163"])
def test_good_inn(typed: str) -> None:
    """Numbers of people pass, as they are copied."""
    assert identifiers.inn(typed) == typed.replace(" ", "")


@pytest.mark.parametrize("typed", ["123456789037", "1234567894", "123", "0" * 12, "36622066416x"])
def test_bad_inn(typed: str) -> None:
    """Wrong check digits, an organisation's number, wrong lengths and letters are refused."""
    with pytest.raises(IdentifierError, match="ИНН"):
        identifiers.inn(typed)


@pytest.mark.parametrize("typed", ["4509 123456", "45 09 123456", "4509123456", "45 09 № 123456"])
def test_passport(typed: str) -> None:
    """Series and number in the ways people copy them."""
    assert identifiers.passport(typed) == "4509 123456"


@pytest.mark.parametrize("typed", ["4509 12345", "4509 000000", "45О9 123456", ""])
def test_bad_passport(typed: str) -> None:
    """A digit too few, number zero, or a letter for a digit."""
    with pytest.raises(IdentifierError, match="паспорта"):
        identifiers.passport(typed)


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("Л041-01137-77/00584930", "Л041-01137-77/00584930"),
        ("l041 - 01137 - 77 / 00584930", "Л041-01137-77/00584930"),
        ("№ ЛО41-01137-77/00584930", "Л041-01137-77/00584930"),
        ("ЛО-37-02-000001", "ЛО-37-02-000001"),
        ("lo-37-02-000001", "ЛО-37-02-000001"),
        ("ло 37 02 000001", "ЛО-37-02-000001"),
    ],
)
def test_licence(typed: str, read: str) -> None:
    """Both forms, with Latin twins and odd blanks."""
    assert identifiers.licence(typed) == read


@pytest.mark.parametrize("typed", ["Л041-01137-77/0058493", "ЛО-37-02-1", "123", "Л042-01137-77/1"])
def test_bad_licence(typed: str) -> None:
    """Anything else is refused with both examples."""
    with pytest.raises(IdentifierError, match="ЛО-37-02-000001"):
        identifiers.licence(typed)


@pytest.mark.parametrize(
    "typed",
    [
        "04.12.2026",
        "4.12.2026",
        "4/12/2026",
        "2026-12-04",
        "04122026",
        "4 12 2026",
        "4 декабря 2026 г.",
        "4 Декабря 2026",
        "4 дек. 2026",
        "04.12.2026 года",
    ],
)
def test_day(typed: str) -> None:
    """Dates in all the ways people write them."""
    assert identifiers.day(typed) == date(2026, 12, 4)


@pytest.mark.parametrize(
    "typed", ["4.12.26", "31.02.2026", "12/31/2026", "вчера", "", "4 мартобря 2026"]
)
def test_bad_day(typed: str) -> None:
    """Two-digit years, days that do not exist and words are refused."""
    with pytest.raises(IdentifierError):
        identifiers.day(typed)


@pytest.mark.parametrize(
    "typed",
    [
        "+7 916 123-45-67",
        "8 (916) 123-45-67",
        "89161234567",
        "79161234567",
        "9161234567",
        "+8 916 123-45-67",
        "+89161234567",
        "+7 (8) 916 123 45 67",
        "тел. 8-916-123-45-67",
        "Моб. тел.: +7 916 123‑45‑67",
    ],
)
def test_phone(typed: str) -> None:
    """Russian numbers in every habit."""
    assert identifiers.phone(typed) == "+79161234567"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("+375 29 123-45-67", "+375291234567"),
        ("8 10 375 29 123 45 67", "+375291234567"),
        ("00 375 29 123 45 67", "+375291234567"),
        ("+84 95 123 45 67", "+84951234567"),
        ("+7 701 234 56 78", "+77012345678"),
    ],
)
def test_phone_of_another_country(typed: str, kept: str) -> None:
    """A plus, or what is dialled in its place, and the country's code are enough."""
    assert identifiers.phone(typed) == kept


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("+8 495 123-45-67", "+74951234567"),
        ("8121234567", "+78121234567"),
        ("8005553535", "+78005553535"),
    ],
)
def test_phone_that_begins_with_eight(typed: str, kept: str) -> None:
    """An eight is dialled before the code, or is the code's own: St Petersburg's, a free line's."""
    assert identifiers.phone(typed) == kept


@pytest.mark.parametrize(
    "typed",
    [
        "123",
        "+8 916 1",
        "916123456",
        "+0123456789",
        "телефон",
        "8916123456",
        "8 916 123 45 6",
        "+7 8916 123456",
        "+7 000 123-45-67",
        "+44 1",
        "8 916 123-45-67, 8 916 123-45-68",
        "0" * 41,
    ],
)
def test_bad_phone(typed: str) -> None:
    """Too short, a digit missing behind the eight, two numbers at once, or not digits."""
    with pytest.raises(IdentifierError, match="телефона"):
        identifiers.phone(typed)


@pytest.mark.parametrize("typed", ["8 495 123-45-67 доб. 12", "+7 495 123-45-67 (вн. 3)"])
def test_phone_with_an_extension(typed: str) -> None:
    """No message reaches an extension, and dropping it would lose what was meant."""
    with pytest.raises(IdentifierError, match="без добавочного"):
        identifiers.phone(typed)


@given(st.text(max_size=40))
def test_readers_refuse_or_read_but_never_break(text: str) -> None:
    """Whatever is typed gives an identifier or a refusal in words."""
    for reader in (
        identifiers.snils,
        identifiers.inn,
        identifiers.passport,
        identifiers.licence,
        identifiers.day,
        identifiers.phone,
    ):
        with suppress(IdentifierError):
            assert reader(text)


@pytest.mark.parametrize("typed", ["7", " 7 ", "007"])
def test_whole_numbers_are_read(typed: str) -> None:
    """Blanks around and zeros before change nothing."""
    assert identifiers.whole(typed, 1, 90) == 7


@pytest.mark.parametrize("typed", ["", "0", "91", "-1", "7.5", "семь", "²", "9" * 5000])
def test_what_is_no_whole_number_within_bounds_is_none(typed: str) -> None:
    """However long it is: Python refuses to read numbers of thousands of digits."""
    assert identifiers.whole(typed, 1, 90) is None
