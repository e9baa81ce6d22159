"""A table of staff as it is read: pure, without a server."""

from collections.abc import Sequence

import pytest

from rules.names import Name
from rules.staff import Sheet, read

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
        "Уберите знак _ (U+005F): в имени ему не место."
    ]
