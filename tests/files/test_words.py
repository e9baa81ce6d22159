"""Every verdict and category speaks both languages, and says what to do."""

import re

from rules.files.categories import CATEGORIES, Category
from rules.files.checks import WORDS, Code
from words.translation import catalogue

PLACEHOLDER = re.compile(r"%\(\w+\)s")


def test_every_code_has_a_remedy() -> None:
    """No file is refused without a word on how to mend it (Q3)."""
    assert set(WORDS) == set(Code)
    assert all(words.problem.endswith(".") and words.remedy for words in WORDS.values())


def test_every_category_has_a_title() -> None:
    """Categories are complete (Q1)."""
    assert set(CATEGORIES) == set(Category)


def test_every_message_is_translated() -> None:
    """English is complete and keeps the figures."""
    said = {text for words in WORDS.values() for text in (words.problem, words.remedy)}
    said |= {text for rule in CATEGORIES.values() for text in (rule.title, rule.hint)}
    for message in said:
        english = catalogue("en").gettext(message)
        assert not re.search("[а-яё]", english, re.IGNORECASE)
        assert PLACEHOLDER.findall(english) == PLACEHOLDER.findall(message)
