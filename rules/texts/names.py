"""Names of people: surname, given name and patronymic, stored as one text and split again.

`Name.full` joins the three parts in such a way that `Name.of` finds the same three: no-break spaces
hold a part of several words together where it would be split wrongly. So the parts can be told from
every list, journal entry and paper that has the name. People without a patronymic, with surnames of
several words and with a former surname in brackets are as usual as others.
"""

import re
from dataclasses import dataclass
from typing import Self

from rules.texts.cleaning import one_line, plain

_TOGETHER = "\u00a0"
_TOKEN = re.compile(r"\([^)]*\)?|[^ ()]+")
_BRACKETS = re.compile(r"\(([^)]*)\)?")
_PATRONYMIC = re.compile(r"\w(?:вич|ьич|мич|тич|вна|ична|инична)", re.IGNORECASE)
_AFTER_FATHER = frozenset({"оглы", "оглу", "кызы", "гызы", "улы", "уулу", "кизи", "угли"})
_PARTICLES = frozenset(
    {"аль", "бен", "ван", "да", "де", "дель", "дер", "ди", "ибн", "ла", "ле", "фон", "эль"}
)


@dataclass(frozen=True)
class Name:
    """A person's name; given name and patronymic may be empty."""

    surname: str
    given: str = ""
    patronymic: str = ""

    @classmethod
    def of(cls, text: str) -> Self:
        """The parts of a full name that begins with the surname, as in personnel files.

        Up to three words are the three parts. Of more words, the last but one is the given name if
        the last is a patronymic; particles such as «де» begin a surname.
        """
        words: list[str] = []
        for token in _TOKEN.findall(re.sub(r"[\t\n\r]", " ", text)):
            if token.startswith("(") and words:
                words[-1] += f" {token}"
            else:
                words.append(token)
        if len(words) > 3:
            words = _three(words)
        parts = [word.replace(_TOGETHER, " ") for word in words]
        return cls(*parts) if parts else cls("")

    @property
    def full(self) -> str:
        """«Де Ла Круз Ольга Николаевна», written so that `of` finds these parts again."""
        parts = [one_line(part) for part in (self.surname, self.given, self.patronymic)]
        parts = [part for part in parts if part]
        read = Name.of(" ".join(parts))
        if [part for part in (read.surname, read.given, read.patronymic) if part] == parts:
            return " ".join(parts)
        return " ".join(re.sub(r" (?!\()", _TOGETHER, part) for part in parts)

    @property
    def short(self) -> str:
        """«Де Ла Круз О. Н.»; the former surname is left out."""
        initials = (_initial(part) for part in (self.given, self.patronymic))
        return " ".join(filter(None, (_bare(self.surname), *initials)))

    @property
    def polite(self) -> str:
        """The form of address: «Ольга Николаевна»; empty if only one word is known."""
        return " ".join(filter(None, (_bare(self.given), _bare(self.patronymic))))

    @property
    def monogram(self) -> str:
        """The initials of given name and surname: «ОД»."""
        letters = (next(filter(str.isalpha, part), "") for part in (self.given, self.surname))
        return "".join(letters).upper() or "?"


def short_name(full: str) -> str:
    """The surname with initials: «Иванова Мария Петровна» becomes «Иванова М. П.»."""
    return Name.of(full).short


def same_person(ours: str, *theirs: str) -> bool:
    """Whether a register's surname and given name, or its one full name, are those of this person.

    Case, ё, hyphens and the split into parts do not count; if a surname has changed, either one
    fits. Patronymics are not compared: Геннадиевич and Геннадьевич are one.
    """
    known = _words(" ".join(theirs))
    if len(known) < 2:
        return False
    former = _BRACKETS.findall(ours)
    name = Name.of(ours)
    rest = f"{_bare(name.given)} {_bare(name.patronymic)}"
    for surname in (_bare(name.surname), *former):
        mine = _words(f"{surname} {rest}")
        least = len(_words(surname)) + 1
        if len(known) >= least and known[: len(mine)] == mine[: len(known)]:
            return True
    return False


def _three(words: list[str]) -> list[str]:
    """Split four or more words into three parts."""
    lower = [word.casefold() for word in words]
    if lower[-1] in _AFTER_FATHER:
        return [*_surname(words[:-2]), " ".join(words[-2:])]
    if _PATRONYMIC.search(_bare(words[-1])) and len(words) > 2:
        return [*_surname(words[:-1]), words[-1]]
    begins = next((n for n, word in enumerate(lower) if word not in _PARTICLES), len(words) - 2) + 1
    surname, rest = " ".join(words[:begins]), words[begins:]
    return [surname, *rest[:1], *filter(None, [" ".join(rest[1:])])]


def _surname(words: list[str]) -> list[str]:
    return [" ".join(words[:-1]), words[-1]]


def _bare(part: str) -> str:
    """A part without anything in brackets."""
    return " ".join(_BRACKETS.sub(" ", part).split())


def _initial(part: str) -> str:
    """The initial of a name: «А.»; of a double name «А.-М.»."""
    first = _bare(part).split(" ")[0]
    return "-".join(f"{piece[0]}." for piece in first.split("-") if piece[:1].isalpha())


def _words(text: str) -> list[str]:
    folded = plain(_BRACKETS.sub(" ", text)).casefold().replace("ё", "е")
    return re.sub(r"[-.']", " ", folded).split()
