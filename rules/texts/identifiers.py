"""Identifiers that people type: read tolerantly, checked strictly, returned in one form.

Every reader takes what was typed and returns the canonical form, or raises `IdentifierError` whose
message says, in Russian, what to write. Spaces, dashes of all kinds and full-width digits are
accepted wherever they are harmless.
"""

import re
from datetime import date

from stdnum.ru import inn as stdnum_inn

from rules.texts import cleaning

_LATIN_TWINS = str.maketrans("ABCEHKMOPTXaceopxy", "АВСЕНКМОРТХасеорху")
_RUSSIAN_TWINS = str.maketrans("АВСЕНКМОРТХУ", "ABCEHKMOPTXY")
_DAY_FIRST = re.compile(
    r"(\d{1,2})\s?[./ -]\s?(\d{1,2})\s?[./ -]\s?(\d{4})|(\d{2})(\d{2})(\d{4})", re.ASCII
)
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            ("января", "янв"),
            ("февраля", "фев", "февр"),
            ("марта", "мар"),
            ("апреля", "апр"),
            ("мая", "май"),
            ("июня", "июн"),
            ("июля", "июл"),
            ("августа", "авг"),
            ("сентября", "сен", "сент"),
            ("октября", "окт"),
            ("ноября", "ноя", "нояб"),
            ("декабря", "дек"),
        ),
        start=1,
    )
    for name in names
}
_RUSSIA = 7
_PHONE_LABEL = re.compile(r"^(?:(?:тел|моб|раб|сот)[а-яё]*[.:]*\s*)+", re.IGNORECASE)
_EXTENSION = re.compile(
    r"[0-9][ ,;(]*(?:доб|вн|ext|x|#)[a-zа-яё]*[.:]?\s*[0-9]+\W*$", re.IGNORECASE
)
_NO_PHONE = "Напишите номер телефона с кодом, например +7 916 123-45-67"


class IdentifierError(ValueError):
    """What was typed is not such an identifier. `message` is a Russian gettext msgid."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def tidy(text: str) -> str:
    """The text without «№», and with ordinary digits, dashes and blanks."""
    return cleaning.plain(text.replace("№", " "))


def _digits(text: str) -> str:
    """The digits of the text; empty if it has anything but digits and separators."""
    bare = re.sub(r"[\s\-()./]", "", tidy(text))
    return bare if bare.isascii() and bare.isdigit() else ""


def icd10(text: str) -> str:
    """A code of МКБ-10 as `I10` or `J06.9`. Raises IdentifierError.

    Russian letters that look like Latin ones are read as those; a comma, or nothing, may stand for
    the point. Whether there is such a code, the dictionary knows.
    """
    bare = re.sub(r"[\s.,]", "", tidy(text)).upper().translate(_RUSSIAN_TWINS)
    if not re.fullmatch(r"[A-Z][0-9]{2,4}", bare, re.ASCII):
        raise IdentifierError("Напишите код МКБ-10, например I10 или J06.9")
    return f"{bare[:3]}.{bare[3:]}" if bare[3:] else bare


def snils(text: str) -> str:
    """An insurance number as `123-456-789 01`. Raises IdentifierError.

    Only numbers above 001-001-998 are checked by their last two digits; older ones have no check
    digits (Pension Fund decree 192п of 2006, annex).
    """
    digits = _digits(text)
    if len(digits) != 11:
        raise IdentifierError("Напишите 11 цифр СНИЛС, например 112-233-445 95")
    body, check = int(digits[:9]), digits[9:]
    if not body:
        raise IdentifierError("Напишите 11 цифр СНИЛС, например 112-233-445 95")
    right = snils_with_check(body)
    if body > 1_001_998 and right[-2:] != check:
        raise IdentifierError("Проверьте СНИЛС: контрольные цифры не сходятся")
    return right[:-2] + check


def snils_with_check(body: int) -> str:
    """The insurance number of these nine digits, with the two that check them."""
    digits = f"{body:09}"
    weighed = sum(int(digit) * (9 - place) for place, digit in enumerate(digits))
    return f"{digits[:3]}-{digits[3:6]}-{digits[6:]} {weighed % 101 % 100:02}"


def inn(text: str) -> str:
    """A person's taxpayer number, 12 digits. Raises IdentifierError."""
    digits = _digits(text)
    if len(digits) != 12:
        raise IdentifierError("Напишите 12 цифр ИНН")
    if not int(digits) or not stdnum_inn.is_valid(digits):
        raise IdentifierError("Проверьте ИНН: контрольные цифры не сходятся")
    return digits


def passport(text: str) -> str:
    """A passport as `4509 123456`: series and number, no check digit. Raises IdentifierError."""
    digits = _digits(text)
    if len(digits) != 10 or not int(digits[4:]):
        raise IdentifierError("Напишите серию и номер паспорта: 4 и 6 цифр, например 4509 123456")
    return f"{digits[:4]} {digits[4:]}"


def licence(text: str) -> str:
    """A medical licence as `Л041-01137-77/00584930` or, old form, `ЛО-37-02-000001`.

    Latin letters that look like Cyrillic ones, and L for Л, are accepted. Raises IdentifierError.
    """
    plain = tidy(text).upper().translate(_LATIN_TWINS).replace("L", "Л")
    plain = re.sub(r"\s*([-/])\s*", r"\1", plain).strip()
    plain = re.sub(r"^Л[О0]41-", "Л041-", plain).replace(" ", "-")
    if re.fullmatch(r"Л041-\d{5}-\d{2}/\d{8}|ЛО-\d{2}-\d{2}-\d{6}", plain, re.ASCII):
        return plain
    raise IdentifierError(
        "Напишите номер лицензии, например Л041-01137-77/00584930 или ЛО-37-02-000001"
    )


def whole(text: str, least: int = 0, most: int = 999_999_999) -> int | None:
    """A whole number within bounds; None for anything else, however long."""
    plain = text.strip()
    if not re.fullmatch(r"[0-9]{1,9}", plain) or not least <= int(plain) <= most:
        return None
    return int(plain)


def day(text: str) -> date:
    """A date: 4.12.2026, 04/12/2026, 2026-12-04, 04122026 or «4 декабря 2026 г.».

    The year has four digits, since «26» says neither 1926 nor 2026. Raises IdentifierError.
    """
    plain = re.sub(r"\s*(года|год|г\.?)$", "", tidy(text).lower())
    if match := re.fullmatch(r"(\d{4})-(\d{1,2})-(\d{1,2})", plain, re.ASCII):
        year, month, number = map(int, match.groups())
    elif match := _DAY_FIRST.fullmatch(plain):
        number, month, year = (int(group) for group in match.groups() if group)
    elif (match := re.fullmatch(r"(\d{1,2})\s+([а-я]+)\.?\s+(\d{4})", plain)) and (
        found := _MONTHS.get(match[2])
    ):
        number, month, year = int(match[1]), found, int(match[3])
    else:
        raise IdentifierError("Напишите дату: день, месяц и год, например 04.12.2026")
    try:
        return date(year, month, number)
    except ValueError:
        raise IdentifierError("Такого дня нет в календаре, проверьте дату") from None


def phone(text: str) -> str:
    """A telephone number as `+79161234567` (E.164). Raises IdentifierError.

    A number without a country code is taken as Russian, and so is one after `+8`, which no country
    has. A +7 number must be one that is assigned; for other countries only the length is checked,
    since their numbering plans change more often than the library.
    """
    # Imported with the first number that is read: programs that read none start sooner.
    import phonenumbers

    plain = re.sub(r"^\+ ?8(?=[ (-]|9[0-9]{9}$)", "8", _PHONE_LABEL.sub("", tidy(text)))
    plain = re.sub(r"^00", "+", plain)
    if _EXTENSION.search(plain):
        raise IdentifierError("Напишите номер телефона без добавочного")
    if not re.fullmatch(r"\+?[0-9 ()./-]{1,40}", plain):
        raise IdentifierError(_NO_PHONE)
    try:
        number = phonenumbers.parse(plain, "RU")
    except phonenumbers.NumberParseException:
        raise IdentifierError(_NO_PHONE) from None
    if not (
        phonenumbers.is_valid_number(number)
        if number.country_code == _RUSSIA
        else phonenumbers.is_possible_number(number)
    ):
        raise IdentifierError(_NO_PHONE)
    whole = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if not re.fullmatch(r"\+[0-9]{8,15}", whole):
        raise IdentifierError(_NO_PHONE)
    return whole
