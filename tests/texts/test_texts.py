"""What becomes of text that is typed and pasted."""

import sys
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rules.texts.cleaning import accusative, clean, in_order, named, one_line, plain, searched

FAMILY = "\U0001f469\u200d\U0001f469\u200d\U0001f466"
DOCTOR = "\U0001f469\U0001f3fd\u200d\u2695\ufe0f"


@pytest.mark.parametrize(
    ("pasted", "kept"),
    [
        ("кар\u00adдио\u00adлог", "кардиолог"),
        ("\ufeffАнна\u200b", "Анна"),
        ("\u202bАнна\u202c \u2066Орлова\u2069", "Анна Орлова"),
        ("Ан\u200dна\u200c", "Анна"),
        ("Анна\ufe0f", "Анна"),
        ("Мои\u0306 е\u0308жик", "Мой ёжик"),
        ("и\u200d\u0306", "й"),
        ("а\r\nб\rв\x0bг\u2028д", "а\nб\nв\nг\nд"),
        ("a\x00b\x07\ud800", "ab"),
        (FAMILY, FAMILY),
        (DOCTOR, DOCTOR),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("1 000\u00a0₽ — «да» № 5…", "1 000\u00a0₽ — «да» № 5…"),
    ],
)
def test_what_is_kept_is_what_is_seen(pasted: str, kept: str) -> None:
    """Unseen signs go, letters of two parts become one, what joins an emoji stays."""
    assert clean(pasted) == kept


def test_no_unseen_sign_is_left_in_a_word() -> None:
    """All controls and format signs of Unicode, but for a few that are drawn."""
    drawn = {"Prepended_Concatenation_Mark", "EGYPTIAN", "KAITHI"}
    for code in range(sys.maxunicode + 1):
        sign = chr(code)
        if unicodedata.category(sign) not in {"Cc", "Cf", "Cs"} or sign in "\n\t":
            continue
        name = unicodedata.name(sign, "")
        if "ARABIC" in name or "SYRIAC" in name or any(word in name for word in drawn):
            continue
        assert clean(f"а{sign}б") in {"аб", "а\nб"}, f"U+{code:04X} {name}"


@example("E\u200d\u0300\u200c\u00b4")
@given(
    st.text(alphabet=st.characters()) | st.text(alphabet="аи\u0306\u200d\ufe0f\u2695\r\n \u00ad")
)
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    """So it does not matter how many entrances a text has gone through."""
    assert clean(clean(text)) == clean(text)
    assert one_line(one_line(text)) == one_line(text)


def test_signs_of_numbers_and_names_are_folded() -> None:
    """Dashes, apostrophes and blanks have many shapes and one meaning."""
    assert plain(" О’Коннор‑Ли\u00a0\u2009Анна ") == "О'Коннор-Ли Анна"
    assert plain("１２３—４５−６ʼ´") == "123-45-6''"


def test_a_sign_is_named_by_its_number_where_it_cannot_be_seen() -> None:
    """So that a refusal says what to look for."""
    assert (named("_"), named("\u00a0")) == ("_ (U+005F)", "(U+00A0)")


def test_a_dictionary_has_yo_beside_ye() -> None:
    """Code points would put «Ёлкина» before «Абрамова» and «ёж» after «яма»."""
    names = ["Яковлева", "Ёлкина", "Жук", "Елагина", "Абрамова", "ёж"]
    assert sorted(names, key=in_order) == [
        "Абрамова",
        "ёж",
        "Елагина",
        "Ёлкина",
        "Жук",
        "Яковлева",
    ]


def test_a_search_takes_any_dash_and_apostrophe() -> None:
    """Copied out of a paper, a word is found that was typed."""
    assert searched("О’Коннор \u00a0Онлайн‑Курс Ёлка") == "о'коннор онлайн-курс елка"


@pytest.mark.parametrize(
    ("title", "asked"),
    [
        ("Справка с места работы", "справку с места работы"),
        ("Копия диплома", "копию диплома"),
        ("Личная медицинская книжка", "личную медицинскую книжку"),
        ("Лицензия, разрешение или допуск", "лицензию, разрешение или допуск"),
        ("Документ о повышении квалификации", "документ о повышении квалификации"),
        ("Сведения о стаже", "сведения о стаже"),
        ("Свидетельства об аттестации", "свидетельства об аттестации"),
        ("СНИЛС или заявление о его утрате", "СНИЛС или заявление о его утрате"),
    ],
)
def test_a_title_stands_within_a_sentence(title: str, asked: str) -> None:
    """What is asked for is said in the accusative, as people say it."""
    assert accusative(title) == asked
