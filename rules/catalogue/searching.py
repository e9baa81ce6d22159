"""Searching the catalogue for words that it writes otherwise: abbreviations and typing errors."""

from collections.abc import Collection, Mapping
from difflib import get_close_matches

from rules.texts.cleaning import searched

ABBREVIATIONS: Mapping[str, str] = {
    "аг": "артериальная гипертензия",
    "дмс": "добровольное медицинское страхование",
    "ивл": "искусственная вентиляция легких",
    "исмп": "инфекции оказание медицинской помощи",
    "кт": "компьютерная томография",
    "мрт": "магнитно-резонансная томография",
    "нмо": "непрерывное образование",
    "окс": "острый коронарный синдром",
    "онмк": "острое нарушение мозгового кровообращения",
    "слр": "реанимация сердечно-легочная",
    "смп": "скорая помощь",
    "узи": "ультразвуковая диагностика",
    "хобл": "хроническая обструктивная болезнь легких",
    "хсн": "сердечная недостаточность",
    "экг": "электрокардиография",
    "ээг": "электроэнцефалография",
    "эхокг": "эхокардиография",
}
"""Abbreviations that clinicians use, folded; a catalogue may have either form."""

MOST_WORDS = 10
"""How many words of a query are searched for."""
_SHORTEST, _LONGEST = 4, 40
"""How long a word must be, in characters, to be searched for typing errors."""
_ALIKE = 0.75


def words_of(text: str) -> list[str]:
    """The words of a query, folded."""
    return searched(text).split()[:MOST_WORDS]


def mended(words: Collection[str], known: Collection[str]) -> list[str]:
    """The words; one that is part of no known word is replaced by the most similar known word.

    Only words of about the same length are compared, which bounds the cost by the catalogue's size.
    """
    return [_nearest(word, known) for word in words]


def _nearest(word: str, known: Collection[str]) -> str:
    if not _SHORTEST <= len(word) <= _LONGEST or any(word in one for one in known):
        return word
    alike = [one for one in known if abs(len(one) - len(word)) <= 2]
    return next(iter(get_close_matches(word, alike, 1, _ALIKE)), word)
