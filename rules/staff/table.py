"""A table of staff and units: read and checked before it is imported (O6). Pure functions.

Every row names a unit; if it also names a person, that person works there. A mistake is reported by
line and column, with what to write instead.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

from rules.access import Role
from rules.refusals import FieldError, Refusal, Words
from rules.staff.headers import OTHER_NAMES, OTHER_ROLE_NAMES
from rules.staff.right_names import RIGHT_NAMES
from rules.texts import cleaning, identifiers, mail_addresses
from rules.texts.identifiers import IdentifierError
from rules.texts.names import Name

MOST_ROWS = 5000
MOST_LINES = 10_000
"""Blank lines count: one cell at the bottom of a sheet makes a million of them."""
MOST_OCTETS = 2 * 1024 * 1024
MOST_COLUMNS = 50
HEADER_WITHIN = 10
"""Among so many non-blank lines the row of titles is searched for."""


class Column(StrEnum):
    """The columns that are read; others are ignored."""

    UNIT = "unit"
    UNIT_NAME = "unit_name"
    PARENT = "parent"
    FULL_NAME = "full_name"
    SURNAME = "surname"
    GIVEN_NAME = "given_name"
    PATRONYMIC = "patronymic"
    POSITION = "position"
    EMAIL = "email"
    PHONE = "phone"
    SNILS = "snils"
    ROLE = "role"


TITLES: Mapping[Column, str] = {
    Column.UNIT: "Код подразделения",
    Column.UNIT_NAME: "Название подразделения",
    Column.PARENT: "Код вышестоящего",
    Column.FULL_NAME: "ФИО",
    Column.SURNAME: "Фамилия",
    Column.GIVEN_NAME: "Имя",
    Column.PATRONYMIC: "Отчество",
    Column.POSITION: "Должность",
    Column.EMAIL: "Почта",
    Column.PHONE: "Телефон",
    Column.SNILS: "СНИЛС",
    Column.ROLE: "Роль",
}
"""The titles of the columns, in files that we make and in messages about mistakes."""


def plain_title(text: str) -> str:
    """A header without case, dots, dashes and anything in brackets."""
    bare = re.sub(r"\(.*?\)", " ", text.casefold().replace("ё", "е"))
    return " ".join(re.sub(r"[^\w]+|_", " ", bare).split())


HEADERS: Mapping[str, Column] = {
    plain_title(name): column
    for column in Column
    for name in (TITLES[column], *OTHER_NAMES.get(column, ()))
}

_ROLES: Mapping[str, Role] = {
    **{plain_title(role.value): role for role in Role},
    **{plain_title(RIGHT_NAMES[role]): role for role in Role},
    **{plain_title(name): Role(key) for key, name in OTHER_ROLE_NAMES.items()},
}

UNIT_CODE = re.compile(r"[a-z0-9\u0430-\u044f\u0451][a-z0-9\u0430-\u044f\u0451._-]{0,31}")
"""Unit codes as personnel programs write them, `00-000123`, or as people do, `neurology`."""
_NOT_OF_CODES = re.compile(r"[^a-z0-9\u0430-\u044f\u0451._-]")
_NAME = re.compile(r"[^\W\d_]([^\W\d_]|[ '().-]){0,99}")
_NOT_OF_NAMES = re.compile(r"[^\w '().-]|[\d_]")


@dataclass(frozen=True)
class Wrong:
    """One mistake: its place, and what to write instead (Russian gettext msgid, perhaps Words)."""

    line: int
    column: Column
    message: str


@dataclass(frozen=True)
class UnitRow:
    """A unit as the file has it; an empty name or parent keeps the present one."""

    line: int
    code: str
    name: str = ""
    parent: str = ""


@dataclass(frozen=True)
class PersonRow:
    """A person as the file has it; an empty telephone or SNILS keeps the present one."""

    line: int
    unit: str
    name: str
    position: str
    email: str
    phone: str = ""
    snils: str = ""
    role: Role | None = None


@dataclass(frozen=True)
class Sheet:
    """The contents of a file: each unit once, each person once, and the mistakes by line."""

    rows: int
    units: Mapping[str, UnitRow]
    people: Sequence[PersonRow]
    wrong: Sequence[Wrong]


def read(table: Iterable[tuple[int, Sequence[str]]]) -> Sheet:
    """Read numbered lines. Blank ones are ignored, and so is anything above the row of titles.

    The row of titles must be among the first HEADER_WITHIN lines. Raises Refusal 422 for a file
    without the required columns, or with too many rows.
    """
    lines = not_blank(table)
    places = _header(lines)
    reading = _Reading()
    for number, cells in lines:
        reading.rows += 1
        if reading.rows > MOST_ROWS:
            raise unreadable("В файле больше 5000 строк. Разделите его на части.")
        reading.take(
            number,
            {
                column: " ".join(cells[place].split()) if place < len(cells) else ""
                for column, place in places.items()
            },
        )
    if not reading.rows:
        raise unreadable("В файле нет ни одной строки под заголовками.")
    wrong = sorted(reading.wrong, key=lambda one: one.line)
    return Sheet(reading.rows, reading.units, reading.people, wrong)


def not_blank(table: Iterable[tuple[int, Sequence[str]]]) -> Iterator[tuple[int, Sequence[str]]]:
    """The lines that have something in them. Raises Refusal 422 for too many of both."""
    for count, (number, cells) in enumerate(table, start=1):
        if count > MOST_LINES:
            raise unreadable(
                "В таблице больше 10 000 строк вместе с пустыми. Удалите пустые строки и сохраните"
                " её ещё раз."
            )
        if any(cell.strip() for cell in cells):
            yield number, cells


def unreadable(message: str) -> Refusal:
    """The file cannot be read at all."""
    return Refusal("staff_file", message, 422, [FieldError("file", message)])


def _header(lines: Iterator[tuple[int, Sequence[str]]]) -> dict[Column, int]:
    """The place of each column, by the first line that has a column of unit codes."""
    for _, cells in islice(lines, HEADER_WITHIN):
        places = _places(cells)
        if Column.UNIT in places:
            return places
    raise unreadable("Нет строки с заголовками: в ней должен быть столбец «Код подразделения».")


def _places(header: Sequence[str]) -> dict[Column, int]:
    places: dict[Column, int] = {}
    for place, cell in enumerate(header):
        column = HEADERS.get(plain_title(cell))
        if column is None:
            continue
        if column in places:
            raise unreadable("В заголовках один и тот же столбец назван дважды.")
        places[column] = place
    return places


_OF_PERSON = (
    Column.FULL_NAME,
    Column.SURNAME,
    Column.GIVEN_NAME,
    Column.PATRONYMIC,
    Column.POSITION,
    Column.EMAIL,
    Column.PHONE,
    Column.SNILS,
    Column.ROLE,
)


def _code(cells: Mapping[Column, str], column: Column) -> str:
    return cleaning.plain(cells.get(column, "")).lower()


def _name_parts(cells: Mapping[Column, str]) -> dict[Column, str]:
    """The three parts of a name; from the full name if they have no columns of their own."""
    columns = (Column.SURNAME, Column.GIVEN_NAME, Column.PATRONYMIC)
    parts = {column: cleaning.plain(cells.get(column, "")) for column in columns}
    if not any(parts.values()):
        whole = Name.of(cleaning.plain(cells.get(Column.FULL_NAME, "")))
        return dict(zip(columns, (whole.surname, whole.given, whole.patronymic), strict=True))
    return parts


class _Reading:
    """The rows taken so far."""

    def __init__(self) -> None:
        self.rows = 0
        self.units: dict[str, UnitRow] = {}
        self.people: list[PersonRow] = []
        self.wrong: list[Wrong] = []
        self._mails: dict[str, int] = {}
        self._snils: dict[str, int] = {}

    def take(self, line: int, cells: Mapping[Column, str]) -> None:
        """Read one row: its unit, and its person where one is named."""
        code = _code(cells, Column.UNIT)
        if UNIT_CODE.fullmatch(code):
            self._take_unit(line, code, cells)
        else:
            words: str = "Напишите код подразделения: буквы, цифры, точка и дефис, до 32 знаков."
            if odd := _NOT_OF_CODES.search(code):
                words = Words("Уберите из кода знак {sign}.", sign=cleaning.named(odd[0]))
            self.wrong.append(Wrong(line, Column.UNIT, words))
        if any(cells.get(column) for column in _OF_PERSON):
            self._take_person(line, code, cells)

    def _take_unit(self, line: int, code: str, cells: Mapping[Column, str]) -> None:
        name, parent = cells.get(Column.UNIT_NAME, ""), _code(cells, Column.PARENT)
        if name and (not 3 <= len(name) <= 200 or not name.isprintable()):
            words = "Напишите название: от 3 до 200 знаков."
            self.wrong.append(Wrong(line, Column.UNIT_NAME, words))
            name = ""
        if parent and (parent == code or not UNIT_CODE.fullmatch(parent)):
            words = "Напишите код подразделения, в которое входит это."
            self.wrong.append(Wrong(line, Column.PARENT, words))
            parent = ""
        known = self.units.get(code)
        if known is None:
            self.units[code] = UnitRow(line, code, name, parent)
            return
        words = Words(
            "В строке {other} у этого подразделения написано другое. Оставьте одно.",
            other=known.line,
        )
        for column, here, there in (
            (Column.UNIT_NAME, name, known.name),
            (Column.PARENT, parent, known.parent),
        ):
            if here and there and here != there:
                self.wrong.append(Wrong(line, column, words))
        self.units[code] = UnitRow(known.line, code, known.name or name, known.parent or parent)

    def _take_person(self, line: int, code: str, cells: Mapping[Column, str]) -> None:
        before = len(self.wrong)

        def bad(column: Column, message: str) -> None:
            self.wrong.append(Wrong(line, column, message))

        names = {
            Column.SURNAME: "Напишите фамилию буквами.",
            Column.GIVEN_NAME: "Напишите имя буквами.",
            Column.PATRONYMIC: "Напишите отчество буквами или оставьте пустым.",
        }
        missing = {Column.SURNAME: "Напишите фамилию.", Column.GIVEN_NAME: "Напишите имя."}
        parts = _name_parts(cells)
        whole = Column.FULL_NAME in cells and not any(cells.get(column) for column in names)
        if whole and not parts[Column.GIVEN_NAME]:
            bad(Column.FULL_NAME, "Напишите и фамилию, и имя, например «Ежов Иван».")
            missing = {}
        for column, words in names.items():
            text, told = parts[column], Column.FULL_NAME if whole else column
            if not text:
                if column in missing:
                    bad(told, missing[column])
            elif odd := _NOT_OF_NAMES.search(text):
                words = Words(
                    "Уберите знак {sign}: в имени его не может быть.", sign=cleaning.named(odd[0])
                )
                bad(told, words)
            elif not _NAME.fullmatch(text):
                bad(told, words)
        position = cells.get(Column.POSITION, "")
        if not 2 <= len(position) <= 200 or not position.isprintable():
            bad(Column.POSITION, "Напишите должность: от 2 до 200 знаков.")
        mail = cells.get(Column.EMAIL, "")
        try:
            mail = mail_addresses.read(mail)
            if (first := self._mails.setdefault(mail_addresses.folded(mail), line)) != line:
                bad(Column.EMAIL, Words("Этот адрес уже есть в строке {other}.", other=first))
        except IdentifierError as error:
            bad(Column.EMAIL, error.message)
        phone, snils = cells.get(Column.PHONE, ""), cells.get(Column.SNILS, "")
        if snils.isdecimal():
            # Spreadsheets drop the zeros that a number begins with.
            snils = snils.zfill(11)
        try:
            phone = identifiers.phone(phone) if phone else ""
        except IdentifierError as error:
            bad(Column.PHONE, error.message)
        try:
            snils = identifiers.snils(snils) if snils else ""
            if snils and (first := self._snils.setdefault(snils, line)) != line:
                bad(Column.SNILS, Words("Этот СНИЛС уже есть в строке {other}.", other=first))
        except IdentifierError as error:
            bad(Column.SNILS, error.message)
        named = cells.get(Column.ROLE, "")
        role = _ROLES.get(plain_title(named))
        if named and role is None:
            bad(Column.ROLE, "Такой роли нет. Напишите, например, «Врач» или оставьте пустым.")
        if len(self.wrong) > before:
            return
        name = Name(*parts.values()).full
        self.people.append(PersonRow(line, code, name, position, mail, phone, snils, role))


def meanwhile() -> Refusal:
    """The file is not the one that was checked, or the data have changed since the check."""
    words = "Это не тот файл, что вы проверяли, или данные с тех пор изменились. Проверьте ещё раз."
    return Refusal("changed_meanwhile", words, 409)


def has_wrong_rows() -> Refusal:
    """The file has mistakes: nothing of it is imported."""
    words = "В файле есть ошибки. Исправьте указанные строки и проверьте файл ещё раз."
    return Refusal("staff_wrong_rows", words, 422, [FieldError("file", words)])


def nothing_to_do() -> Refusal:
    """Everything in the file is stored already."""
    words = "Менять нечего: всё, что в файле, уже есть."
    return Refusal("nothing_changed", words, 422, [FieldError("file", words)])
