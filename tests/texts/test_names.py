"""Names of people: none of them has to be of three words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.texts.names import Name, same_person, short_name

NAMES = [
    ("Соколова Анна Игоревна", ("Соколова", "Анна", "Игоревна"), "Соколова А. И.", "АС"),
    (
        "Де Ла Круз Ольга Николаевна",
        ("Де Ла Круз", "Ольга", "Николаевна"),
        "Де Ла Круз О. Н.",
        "ОД",
    ),
    ("Де Ла Круз Ольга", ("Де Ла Круз", "Ольга", ""), "Де Ла Круз О.", "ОД"),
    ("Ли Анна", ("Ли", "Анна", ""), "Ли А.", "АЛ"),
    ("О Ли", ("О", "Ли", ""), "О Л.", "ЛО"),
    ("Сухарто", ("Сухарто", "", ""), "Сухарто", "С"),
    ("", ("", "", ""), "", "?"),
    (
        "Иванова (Петрова) Анна Сергеевна",
        ("Иванова (Петрова)", "Анна", "Сергеевна"),
        "Иванова А. С.",
        "АИ",
    ),
    (
        "Гарсиа Лопес Мария Ивановна",
        ("Гарсиа Лопес", "Мария", "Ивановна"),
        "Гарсиа Лопес М. И.",
        "МГ",
    ),
    (
        "Иванова-Петрова Анна-Мария Ильинична",
        ("Иванова-Петрова", "Анна-Мария", "Ильинична"),
        "Иванова-Петрова А.-М. И.",
        "АИ",
    ),
    ("Мамедов Али Гасан оглы", ("Мамедов", "Али", "Гасан оглы"), "Мамедов А. Г.", "АМ"),
    ("аль-Хасан Омар", ("аль-Хасан", "Омар", ""), "аль-Хасан О.", "ОА"),
    ("Фон дер Лайен Пётр Ильич", ("Фон дер Лайен", "Пётр", "Ильич"), "Фон дер Лайен П. И.", "ПФ"),
]


@pytest.mark.parametrize(("full", "parts", "short", "monogram"), NAMES)
def test_parts_of_a_full_name(
    full: str, parts: tuple[str, str, str], short: str, monogram: str
) -> None:
    """Surnames of several words, no patronymic, one letter, a former surname in brackets."""
    name = Name.of(full)
    assert (name.surname, name.given, name.patronymic) == parts
    assert (short_name(full), name.monogram) == (short, monogram)
    assert " ".join(name.full.split()) == full


def test_people_are_spoken_to_by_given_name_and_patronymic() -> None:
    """Never by a piece of their surname."""
    assert Name.of("Де Ла Круз Ольга Николаевна").polite == "Ольга Николаевна"
    assert Name.of("Иванова Анна Сергеевна (Петрова)").polite == "Анна Сергеевна"
    assert Name.of("Ли Анна").polite == "Анна"
    assert Name.of("Сухарто").polite == ""


word = st.sampled_from(
    ["Де", "Ла", "Ван", "Ли", "О", "Анна", "Мария", "Ивановна", "оглы", "Петрович"]
)
part = st.lists(word, min_size=1, max_size=3).map(" ".join)


@given(surname=part, given_name=part, patronymic=part | st.just(""), former=st.booleans())
def test_the_parts_of_a_file_come_back_out_of_the_full_name(
    surname: str, given_name: str, patronymic: str, former: bool
) -> None:
    """Whatever words stand in which column: one text holds all three."""
    name = Name(f"{surname} (Петрова)" if former else surname, given_name, patronymic)
    assert Name.of(name.full) == name


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("Де Ла Круз Ольга Николаевна", ("Де Ла Круз", "Ольга")),
        ("Де Ла Круз Ольга Николаевна", ("ДЕ ЛА КРУЗ ОЛЬГА НИКОЛАЕВНА", "")),
        ("Де Ла Круз Ольга", ("Де-Ла-Круз", "Ольга")),
        ("Ковалёва Алёна Ильинична", ("Ковалева", "Алена")),
        ("Иванова (Петрова) Анна Сергеевна", ("Иванова", "Анна")),
        ("Иванова (Петрова) Анна Сергеевна", ("Петрова", "Анна")),
        ("О’Коннор Анна", ("О'Коннор", "Анна")),
        ("Ли Анна", ("ЛИ", "АННА")),
        ("Ли Анна", ("Ли Анна Петровна",)),
    ],
)
def test_the_same_person_in_a_register(ours: str, theirs: tuple[str, ...]) -> None:
    """However the register writes and divides the name."""
    assert same_person(ours, *theirs)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("Соколова Анна Игоревна", ("Соколова", "Мария")),
        ("Соколова Анна Игоревна", ("Сидорова", "Анна")),
        ("Соколова Анна Игоревна", ("Соколова", "")),
        ("Де Ла Круз Ольга Николаевна", ("Де", "Ла")),
        ("Иванова (Петрова) Анна Сергеевна", ("Иванова", "Петрова")),
        ("Соколова Анна", ()),
    ],
)
def test_another_person_in_a_register(ours: str, theirs: tuple[str, ...]) -> None:
    """A surname alone proves nothing, nor does a piece of one."""
    assert not same_person(ours, *theirs)
