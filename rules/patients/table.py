"""A table of patients: read and checked before it is imported (W2). Pure functions.

A mistake is reported by line and column, with what to write instead.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice

from rules.patients import identity
from rules.patients.identity import FIELD_WORDS, Identity
from rules.refusals import FieldError, Refusal
from rules.staff.headers import OTHER_NAMES
from rules.staff.table import HEADER_WITHIN, MOST_ROWS, not_blank, plain_title
from rules.texts.cleaning import plain, searched

UNIT = "unit"
TITLES: Mapping[str, str] = {**FIELD_WORDS, UNIT: "Код подразделения"}
"""The columns of a file, with their titles (msgids)."""
NAME_PARTS = ("surname", "given", "patronymic")
LONGEST_CELL = 400
"""Characters of a cell that are read; every field refuses less than that."""
MOST_CHARACTERS = 2_000_000

_OTHER_TITLES: Mapping[str, Sequence[str]] = {
    "name": (*OTHER_NAMES["full_name"], "фио", "пациент"),
    "surname": (*OTHER_NAMES["surname"], "фамилия"),
    "given": (*OTHER_NAMES["given_name"], "имя"),
    "patronymic": (*OTHER_NAMES["patronymic"], "отчество"),
    "birth_date": ("родился", "birth date", "date of birth"),
    "sex": ("sex",),
    "snils": OTHER_NAMES["snils"],
    "policy": ("полис", "policy"),
    "phone": OTHER_NAMES["phone"],
    "email": OTHER_NAMES["email"],
    UNIT: OTHER_NAMES["unit"],
}
_HEADERS: Mapping[str, str] = {
    plain_title(title): column
    for column, others in _OTHER_TITLES.items()
    for title in (*((TITLES[column],) if column in TITLES else ()), *others)
}
_SEXES = {
    **dict.fromkeys(("м", "муж", "мужской", "m", "male"), "male"),
    **dict.fromkeys(("ж", "жен", "женский", "f", "female"), "female"),
}

Cells = Mapping[str, str]


@dataclass(frozen=True)
class PatientRow:
    """A patient as the file has them. Without a unit, they belong to that of who imports."""

    line: int
    unit: str
    identity: Identity


@dataclass(frozen=True)
class WrongCell:
    """One mistake: its place, and what to write instead (Russian gettext msgid)."""

    line: int
    column: str
    message: str


def rows(table: Iterable[tuple[int, Sequence[str]]]) -> list[tuple[int, Cells]]:
    """The cells of each line by column, blank lines and unknown columns left out.

    The row of titles must be among the first HEADER_WITHIN lines. Raises Refusal 422 for a file
    without it, and for one that is too large.
    """
    lines = not_blank(table)
    places = _header(lines)
    found: list[tuple[int, Cells]] = []
    characters = 0
    for number, line in lines:
        cells = {
            column: line[place][:LONGEST_CELL]
            for column, place in places.items()
            if place < len(line) and line[place].strip()
        }
        if not cells:
            continue
        characters += sum(map(len, cells.values()))
        if len(found) >= MOST_ROWS or characters > MOST_CHARACTERS:
            raise unreadable("В файле больше 5000 строк. Разделите его на части.")
        found.append((number, cells))
    if not found:
        raise unreadable("В файле нет ни одной строки под заголовками.")
    return found


def _header(lines: Iterator[tuple[int, Sequence[str]]]) -> Mapping[str, int]:
    for _, cells in islice(lines, HEADER_WITHIN):
        places: dict[str, int] = {}
        for place, cell in enumerate(cells):
            column = _HEADERS.get(plain_title(cell))
            if column in places:
                raise unreadable("В заголовках один и тот же столбец назван дважды.")
            if column is not None:
                places[column] = place
        if "birth_date" in places and ("snils" in places or "policy" in places):
            return places
    raise unreadable(
        "Нет строки с заголовками: в ней должны быть «Дата рождения» и «СНИЛС» или «Полис ОМС»."
    )


def unreadable(message: str) -> Refusal:
    """The file cannot be read at all."""
    return Refusal("patients_file", message, 422, [FieldError("file", message)])


class Reading:
    """The lines of a file, read one after the other: a number may stand in it once."""

    def __init__(self) -> None:
        self.wrong: list[WrongCell] = []
        self._seen: set[tuple[str, str]] = set()

    def take(self, line: int, cells: Cells, today: date) -> PatientRow | None:
        """Read one line; None for one with mistakes, which are in `wrong`."""
        typed = {name: plain(cells.get(name, "")) for name in FIELD_WORDS}
        if not typed["name"]:
            typed["name"] = " ".join(plain(cells.get(part, "")) for part in NAME_PARTS).strip()
        typed["sex"] = _SEXES.get(typed["sex"].casefold().rstrip("."), typed["sex"])
        # A cell that is formatted as a date comes with an hour.
        typed["birth_date"] = typed["birth_date"].removesuffix(" 00:00:00")
        if typed["snils"].isdecimal():
            # Spreadsheets drop the zeros that a number begins with.
            typed["snils"] = typed["snils"].zfill(11)
        before = len(self.wrong)
        if "e+" in typed["policy"].casefold():
            # Spreadsheets keep fifteen digits of a number, and lose the last one of a policy.
            words = "Таблица округлила номер. Сделайте ячейку текстовой и напишите все 16 цифр."
            self.wrong.append(WrongCell(line, "policy", words))
            typed["policy"] = ""
        elif not typed["snils"] and not typed["policy"]:
            words = "Напишите СНИЛС или полис. Пациента без номера вносят по одному."
            self.wrong.append(WrongCell(line, "snils", words))
        try:
            who = identity.read(typed, today)
        except Refusal as refusal:
            self.wrong += [WrongCell(line, one.path, one.message) for one in refusal.fields]
            return None
        for name, number in (("snils", who.snils), ("policy", who.policy)):
            if number and (name, number) in self._seen:
                words = "Этот номер уже есть в другой строке. Оставьте одну."
                self.wrong.append(WrongCell(line, name, words))
            elif number:
                self._seen.add((name, number))
        if len(self.wrong) > before:
            return None
        return PatientRow(line, plain(cells.get(UNIT, "")).lower(), who)


def differing(row: Identity, stands: Identity) -> Sequence[str]:
    """The fields in which the file says something else; what it leaves open is no difference.

    Case, ё and blanks do not count.
    """
    here, there = row.as_text, stands.as_text
    return [
        name for name in FIELD_WORDS if here[name] and searched(here[name]) != searched(there[name])
    ]


def has_wrong_cells() -> Refusal:
    """The file has mistakes: nothing of it is imported."""
    words = "В файле есть ошибки. Исправьте указанные строки и проверьте файл ещё раз."
    return Refusal("patients_wrong_rows", words, 422, [FieldError("file", words)])
