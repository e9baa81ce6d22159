"""Everything that people see exists in both languages."""

import re
from typing import Any

import pytest
from babel.messages.pofile import read_po

from cabinet.frame.rendering import environment
from cabinet.frame.views import ErrorItem
from rules.files.categories import CATEGORIES, Category
from rules.refusals import Words
from rules.texts.cleaning import AccusativeTitle
from tests.words.collected import LOCALE, collected, data_of, missing, translated
from words import formats
from words.translation import Presentation, choose_language, in_words, ngettext, presented

PLACES = re.compile(r"%\(\w+\)[sd]|\{\w+\}")


def test_english_is_complete() -> None:
    """Every Russian text of templates, code and forms has English words."""
    assert len(collected()) > 500
    assert not [f"{where}: {one}" for (one, _), where in missing("en").items()]


def test_a_text_is_translated_in_one_place() -> None:
    """Two catalogues with the same text could differ, and whoever mends one forgets the other."""
    known: dict[str, set[str]] = {}
    for path in sorted((LOCALE / "en" / "LC_MESSAGES").glob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file):
                if message.id:
                    known.setdefault(str(message.id), set()).add(path.name)
    assert known
    assert {one: where for one, where in known.items() if len(where) > 1} == {}


def test_russian_counts_in_three_forms() -> None:
    """Every counted message has one, few and many in Russian."""
    known = translated("ru")
    counted = [message for message in collected() if message[1]]
    assert counted
    for one, _ in counted:
        found = known.get(one)
        assert found is not None, one
        assert len(found.string or ()) == 3, one


WITHDRAWN = (
    "Исправьте одно место",
    "Приложите:",
    "от вас ждут",
    "и у кого",
    "У кого",
    "без сотрудника",
    "Решение принято: ",
    "По последней записи",
    "не понадобилось",
    "24:00",
    "Сюда нельзя",
    "не подошло",
    "Где вы вошли",
    "поздние постановления",
    "Клавиши без Ctrl",
    "Ключ нужен только",
    "С какого дня хотите",
    "Зачем вам эта программа",
    "О вас",
    "Копия диплома",
    "ничего не делали",
    "рок прошёл",
    "стёрто",
    "Что происходило",
    "ынешний",
)
"""Phrases that people stumbled over, and what is said instead stands in the catalogue."""


def test_one_error_is_not_counted() -> None:
    """A summary of one says «Исправьте ошибку», of several how many they are."""
    macros = environment().get_template("macros/forms.html").make_module()
    for language, one, two in (
        ("ru", "Исправьте ошибку<", "Исправьте 2 ошибки<"),
        ("en", "Correct the error<", "Correct 2 errors<"),
    ):
        with presented(Presentation(language)):
            errors = [ErrorItem("Заполните поле", "#field-name")]
            assert one in str(macros.error_summary(errors))  # type: ignore[attr-defined]
            assert two in str(macros.error_summary(errors * 2))  # type: ignore[attr-defined]


def test_withdrawn_phrases_do_not_come_back() -> None:
    """What people stumbled over once is not said to them again."""
    assert not [
        f"{where}: {one}"
        for (one, many), where in collected().items()
        for phrase in WITHDRAWN
        if phrase in one or phrase in (many or "")
    ]


def _asked_by(row: dict[str, Any]) -> list[dict[str, str]]:
    """What a type asks for, or a programme besides."""
    asked = row.get("attachments", [])
    added: list[dict[str, str]] = asked.get("add", []) if isinstance(asked, dict) else asked
    return added


def test_a_kind_of_document_has_one_name() -> None:
    """What a form or a programme asks for is called as among one's own documents (Q1)."""
    asked = [
        (rule["kind"], rule["title"])
        for row in (*data_of("types"), *data_of("programmes"))
        for rule in _asked_by(row)
    ]
    assert asked
    assert not [
        (kind, title)
        for kind, title in asked
        if kind != Category.OTHER and title != CATEGORIES[Category(kind)].title
    ]


@pytest.mark.parametrize("language", ["en", "ru"])
def test_translations_name_the_same_facts(language: str) -> None:
    """A translation neither loses nor invents a figure, a name or a date."""
    for message in translated(language):
        if not message.id:
            continue
        ids = message.id if isinstance(message.id, tuple | list) else (message.id,)
        strings = message.string if isinstance(message.string, tuple | list) else (message.string,)
        wanted = set(PLACES.findall(str(ids[-1])))
        for string in strings[1:] or strings:
            assert set(PLACES.findall(str(string))) == wanted, ids


@pytest.mark.parametrize(
    ("n", "russian", "english"),
    [
        (1, "1 рабочий день", "1 working day"),
        (3, "3 рабочих дня", "3 working days"),
        (11, "11 рабочих дней", "11 working days"),
        (21, "21 рабочий день", "21 working days"),
    ],
)
def test_counting(n: int, russian: str, english: str) -> None:
    """Counted nouns take the form of their number."""
    for language, words in (("ru", russian), ("en", english)):
        with presented(Presentation(language)):
            assert formats.working_days(n) == words
            assert ngettext("%(n)d рабочий день", "%(n)d рабочих дней", n) % {"n": n} == words


def test_facts_are_put_into_the_translated_sentence() -> None:
    """A refusal with a title in it is said wholly in the reader's language."""
    words = Words("Приложите {document}", document=AccusativeTitle("Справка с места работы"))
    with presented(Presentation("en")):
        assert in_words(words) == "Attach: Workplace reference"
    with presented(Presentation("ru")):
        assert in_words(words) == "Приложите справку с места работы"


@pytest.mark.parametrize(
    ("wishes", "chosen"),
    [
        ((None, "en-GB,en;q=0.9"), "en"),
        (("ru", "en"), "ru"),
        (("de", "fr,en;q=0.1"), "en"),
        ((None, None), "ru"),
    ],
)
def test_language_is_the_first_that_is_known(wishes: tuple[str | None, ...], chosen: str) -> None:
    """What was chosen goes before what the browser asks for, else Russian."""
    assert choose_language(*wishes) == chosen
