"""Numbers of cases and of enrolment certificates: `ПК-2026-000123-0`.

A number has the kind, the year in the institution's zone, the sequence within kind and year, and a
check digit after H. M. Damm ("Total anti-symmetrische Quasigruppen", Marburg 2004). The check
covers a digit for the kind, the year and the sequence, so it detects every single wrong digit,
every swap of neighbours and a mistaken kind.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from stdnum import damm

from rules.texts.identifiers import IdentifierError, tidy


class NumberKind(StrEnum):
    """What is numbered; the value stands at the head of the number."""

    APPLICATION = "ПК"
    REQUEST = "ЗС"
    VERIFICATION = "ПУ"
    ACCESS_CHANGE = "ИП"
    ACCREDITATION = "АК"
    ENROLMENT_ACT = "АЗ"


_CHECKED_AS = {
    NumberKind.APPLICATION: "1",
    NumberKind.REQUEST: "2",
    NumberKind.VERIFICATION: "7",
    NumberKind.ACCESS_CHANGE: "5",
    NumberKind.ACCREDITATION: "6",
    NumberKind.ENROLMENT_ACT: "3",
}
# What people type instead: look-alikes, Latin letters of the same sound, keys of the same place.
_TYPED_AS = {
    NumberKind.APPLICATION: ("ПК", "ПK", "PК", "PK", "NK", "NК", "GR"),
    NumberKind.VERIFICATION: ("ПУ", "GE"),
    NumberKind.REQUEST: ("ЗС", "ЗC", "3С", "3C", "ZС", "ZC", "ZS", "PC"),
    NumberKind.ACCESS_CHANGE: ("ИП", "IP", "UP", "BG"),
    NumberKind.ACCREDITATION: ("АК", "AK", "АK", "AК", "FR"),
    NumberKind.ENROLMENT_ACT: ("АЗ", "AЗ", "А3", "A3", "АZ", "AZ", "FP"),
}
_KINDS = {typed: kind for kind, forms in _TYPED_AS.items() for typed in forms}
_SHAPE = re.compile(
    rf"(?P<kind>{'|'.join(_KINDS)})[ -]*(?P<year>2\d{{3}})"
    r"(?:[ -]+(?P<short>\d{1,12})[ -]+(?P<check>\d)|[ -]*(?P<long>\d{6,12})[ -]*(?P<last>\d))",
    re.ASCII,
)
_ZEROS = str.maketrans("OО", "00")
_SMALLEST = 6


@dataclass(frozen=True)
class Number:
    """A number in its parts; `str()` gives its printed form."""

    kind: NumberKind
    year: int
    sequence: int

    def __post_init__(self) -> None:
        """Raise ValueError for a number that could not be printed and read back."""
        if not 2000 <= self.year <= 2999 or not 0 < self.sequence < 10**12:
            raise ValueError(f"no number for year {self.year}, sequence {self.sequence}")

    @property
    def check(self) -> str:
        """The check digit."""
        body = f"{_CHECKED_AS[self.kind]}{self.year}{self.sequence:0{_SMALLEST}}"
        return str(damm.calc_check_digit(body))

    def __str__(self) -> str:
        """The number as it is printed."""
        return f"{self.kind.value}-{self.year}-{self.sequence:0{_SMALLEST}}-{self.check}"


def format_number(kind: NumberKind, year: int, sequence: int) -> str:
    """The number as it is printed: `ПК-2026-000123-0`."""
    return str(Number(kind, year, sequence))


def parse_number(text: str) -> Number:
    """Read a number as people type it: Latin look-alikes, lower case, blanks, no separators.

    If separators are kept, leading zeros of the sequence may be left out. Raises IdentifierError.
    """
    plain = tidy(text).upper()
    kind, rest = plain[:2], plain[2:].translate(_ZEROS)
    match = _SHAPE.fullmatch(kind + rest)
    if match is None:
        raise IdentifierError("Напишите номер целиком, например ПК-2026-000123-0")
    digits = match["short"] or match["long"]
    if not digits.strip("0"):
        raise IdentifierError("Напишите номер целиком, например ПК-2026-000123-0")
    number = Number(_KINDS[match["kind"]], int(match["year"]), int(digits))
    # A long sequence never begins with a zero: its check digit would be that of a shorter one.
    longer = len(digits) > _SMALLEST and digits.startswith("0")
    if longer or number.check != (match["check"] or match["last"]):
        raise IdentifierError("Проверьте номер: одна из цифр или букв в нём ошибочна")
    return number
