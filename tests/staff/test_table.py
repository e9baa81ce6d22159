"""A table of staff as it is read: pure, without a server."""

from collections.abc import Iterator, Sequence

import pytest

from rules.refusals import Refusal
from rules.staff.table import MOST_LINES, Column, Sheet, read
from rules.texts.names import Name

HEADER = (
    "Код подразделения",
    "Название подразделения",
    "Фамилия",
    "Имя",
    "Отчество",
    "Должность",
    "Почта",
)


def sheet(*rows: Sequence[str]) -> Sheet:
    """What these lines say."""
    return read(enumerate((HEADER, *rows), start=1))


def row(surname: str, given: str, patronymic: str, mail: str = "a@example.org") -> list[str]:
    """Somebody of neurology."""
    return ["neurology", "Неврология", surname, given, patronymic, "врач", mail]


@pytest.mark.parametrize(
    "parts",
    [
        ("Де Ла Круз", "Ольга", "Николаевна"),
        ("Де Круз", "Ольга", ""),
        ("Иванова (Петрова)", "Анна", "Сергеевна"),
        ("Иванова", "Анна Мария", "Сергеевна"),
        ("О'Коннор", "О", ""),
    ],
)
def test_the_three_parts_of_a_file_stay_three(parts: tuple[str, str, str]) -> None:
    """Whatever is asked of the name later finds the surname that stood in its column."""
    told = sheet(row(*parts))
    assert not told.wrong
    assert Name.of(told.people[0].name) == Name(*parts)


def test_signs_of_a_name_are_folded_and_one_that_is_none_is_named() -> None:
    """An apostrophe of Word is one; an underscore is told with its number."""
    told = sheet(row("О’Кон\u00adнор‑Ли", "Анна", ""), row("Ив_анова", "Анна", "", "b@example.org"))
    assert told.people[0].name == "О'Коннор-Ли Анна"
    assert [str(one.message) for one in told.wrong] == [
        "Уберите знак _ (U+005F): в имени его не может быть."
    ]


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("00-000123", "00-000123"),
        ("ЦБ‑000123", "цб-000123"),
        (" 7.2 ", "7.2"),
        ("12", "12"),
        ("Neurology_2", "neurology_2"),
    ],
)
def test_codes_as_personnel_programs_give_them(written: str, code: str) -> None:
    """Digits first, Cyrillic prefixes, odd dashes."""
    told = sheet([written, "Неврология", "", "", "", "", ""])
    assert not told.wrong
    assert list(told.units) == [code]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("00/123", "Уберите из кода знак / (U+002F)."),
        ("две части", "Уберите из кода знак (U+0020)."),
        ("-1", "Напишите код подразделения: буквы, цифры, точка и дефис, до 32 знаков."),
        ("", "Напишите код подразделения: буквы, цифры, точка и дефис, до 32 знаков."),
        ("1" * 33, "Напишите код подразделения: буквы, цифры, точка и дефис, до 32 знаков."),
    ],
)
def test_what_is_no_code_is_told_with_the_sign_that_offends(written: str, said: str) -> None:
    """A slash would lead an address astray."""
    told = sheet([written, "Неврология", "", "", "", "", ""])
    assert [str(one.message) for one in told.wrong] == [said]


def test_a_title_may_stand_above_the_row_of_titles() -> None:
    """Lines are counted as the file has them."""
    lines = [
        (1, ["Список сотрудников, отчёт на 01.12.2026"]),
        (3, ["Больница", ""]),
        (5, HEADER),
        (6, row("Ор_лова", "Анна", "")),
    ]
    told = read(lines)
    assert (told.rows, [one.line for one in told.wrong]) == (1, [6])


def test_a_table_without_titles_is_refused() -> None:
    """Ten lines are looked through, not the whole file."""
    for lines in (1, 10, 20):
        with pytest.raises(Refusal):
            read([*((n, ["x"]) for n in range(lines)), *([(99, HEADER)] if lines > 9 else [])])


@pytest.mark.parametrize(
    ("whole", "parts"),
    [
        ("Орлова Анна Львовна", ("Орлова", "Анна", "Львовна")),
        ("Де Ла Круз Ольга Николаевна", ("Де Ла Круз", "Ольга", "Николаевна")),
        ("Ли Анна", ("Ли", "Анна", "")),
    ],
)
def test_the_whole_name_may_stand_in_one_column(whole: str, parts: tuple[str, str, str]) -> None:
    """It is taken apart as every full name is."""
    header = ["Код подразделения", "ФИО", "Должность", "Почта"]
    told = read([(1, header), (2, ["neurology", whole, "врач", "a@example.org"])])
    assert not told.wrong
    assert Name.of(told.people[0].name) == Name(*parts)


def test_a_whole_name_of_one_word_is_told_at_its_column() -> None:
    """Nobody looks for a column that the file has not got."""
    header = ["Код подразделения", "Сотрудник", "Должность", "Почта"]
    told = read([(1, header), (2, ["neurology", "Орлова", "врач", "a@example.org"])])
    assert [one.column for one in told.wrong] == [Column.FULL_NAME]


def test_blank_rows_are_counted_too() -> None:
    """A cell at the bottom of a sheet makes a million blank rows: no more are looked at."""
    looked = 0

    def rows() -> Iterator[tuple[int, list[str]]]:
        nonlocal looked
        while True:
            looked += 1
            yield looked, ["Код подразделения", "Название"] if looked == 1 else ["", " "]

    with pytest.raises(Refusal) as refused:
        read(rows())
    assert refused.value.status == 422
    assert looked == MOST_LINES + 1


def test_a_name_that_lacks_a_part_is_told_so() -> None:
    """«Ежов» is made of letters: what is asked for is the part that is missing, at its column."""
    told = sheet(row("Ежов", "", ""), row("", "Иван", "", "b@example.org"))
    assert [(one.column, one.message) for one in told.wrong] == [
        (Column.GIVEN_NAME, "Напишите имя."),
        (Column.SURNAME, "Напишите фамилию."),
    ]
    header = ("Код подразделения", "ФИО", "Должность", "Почта")
    lines = [("neurology", name, "врач", f"{n}@example.org") for n, name in enumerate(("Ежов", ""))]
    told = read(enumerate((header, *lines), start=1))
    assert [(one.line, one.column, one.message) for one in told.wrong] == [
        (line, Column.FULL_NAME, "Напишите и фамилию, и имя, например «Ежов Иван».")
        for line in (2, 3)
    ]
