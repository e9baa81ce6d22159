"""The dictionary of diagnoses, МКБ-10: what a file of it says, and what an import changes.

Codes are never deleted: one that an edition leaves out, or names otherwise, is closed by date, and
entries keep code, name and edition as they were when they were signed. Source: W2.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from rules.refusals import Words
from rules.texts.cleaning import clean
from rules.texts.identifiers import IdentifierError, icd10

MOST_CODES = 40_000
MOST_BYTES = 64 * 1024 * 1024
LONGEST_NAME = 500
_CODE = ("mkb_code", "code")
_NAME = ("mkb_name", "name")
_ACTUAL = ("actual",)
"""Columns as the ministry's export names them (OID 1.2.643.5.1.13.13.11.1005), and short ones."""


class Icd10FileError(ValueError):
    """The file is no dictionary of diagnoses. Nothing was changed."""


@dataclass(frozen=True)
class Icd10Change:
    """What an import would do: codes with their names, and codes that are closed."""

    added: Sequence[tuple[str, str]]
    renamed: Sequence[tuple[str, str]]
    closed: Sequence[str]
    passed_over: int = 0
    """Lines that hold no code, such as those of blocks and chapters."""

    def __bool__(self) -> bool:
        """Whether anything changes."""
        return bool(self.added or self.renamed or self.closed)


@dataclass(frozen=True)
class Diagnosis:
    """A code as an entry keeps it."""

    code: str
    name: str
    edition: str


def codes_in(rows: Iterable[Mapping[str, object]]) -> tuple[dict[str, str], int]:
    """The codes of a file with their names, and how many lines hold none.

    Raises Icd10FileError for a file without codes, one code with two names, and too many codes.
    """
    found: dict[str, str] = {}
    passed_over = 0
    for row in rows:
        named = {str(name).strip().casefold(): value for name, value in row.items()}
        code, name = _first(named, _CODE), " ".join(clean(_first(named, _NAME)).split())
        if _first(named, _ACTUAL) in ("0", "false", "False"):
            continue
        try:
            code = icd10(code)
        except IdentifierError:
            passed_over += 1
            continue
        if not 0 < len(name) <= LONGEST_NAME:
            raise Icd10FileError(f"{code}: its name is empty or too long")
        if found.setdefault(code, name) != name:
            raise Icd10FileError(f"{code} has two names")
        if len(found) > MOST_CODES:
            raise Icd10FileError(f"more than {MOST_CODES} codes")
    if not found:
        raise Icd10FileError("no codes: columns MKB_CODE and MKB_NAME, or code and name, are read")
    return found, passed_over


def _first(row: Mapping[str, object], names: Sequence[str]) -> str:
    return next((str(row[name]) for name in names if row.get(name) is not None), "")


def change(known: Mapping[str, str], wanted: Mapping[str, str], passed_over: int) -> Icd10Change:
    """What makes the current codes those of a file."""
    return Icd10Change(
        added=[(code, name) for code, name in wanted.items() if code not in known],
        renamed=[(code, name) for code, name in wanted.items() if known.get(code, name) != name],
        closed=[code for code in known if code not in wanted],
        passed_over=passed_over,
    )


def unknown_code(code: str, on: date) -> Words:
    """The message for a code that the dictionary does not have on a day."""
    return Words(
        "Кода {code} нет в МКБ-10 на {day}: выберите другой", code=code, day=f"{on:%d.%m.%Y}"
    )
