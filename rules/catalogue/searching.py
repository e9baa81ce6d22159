"""How people ask for what a catalogue calls otherwise: abbreviations, and words typed wrong."""

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
"""What clinicians shorten, folded; a catalogue may write either."""

MOST_WORDS = 10
"""Words of a question that are looked for."""
_SHORTEST, _LONGEST = 4, 40
"""Signs of a word in which a typing error is looked for."""
_ALIKE = 0.75


def words_of(text: str) -> list[str]:
    """The words of a question, folded."""
    return searched(text).split()[:MOST_WORDS]


def mended(words: Collection[str], known: Collection[str]) -> list[str]:
    """The words with each that is part of none of the known replaced by the one most like it.

    Only words of about its length are compared, so the cost stays bounded by the catalogue.
    """
    return [_nearest(word, known) for word in words]


def _nearest(word: str, known: Collection[str]) -> str:
    if not _SHORTEST <= len(word) <= _LONGEST or any(word in one for one in known):
        return word
    alike = [one for one in known if abs(len(one) - len(word)) <= 2]
    return next(iter(get_close_matches(word, alike, 1, _ALIKE)), word)
