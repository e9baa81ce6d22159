"""The people whom the simulated registers know: those of a file, and any number made by a seed.

A person made by a seed is known by a number: `snils_of(n)` and `full_name_of(n)` say who it is, so
that an installation can be filled with the same people without a file of them.
"""

import json
import random
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from rules.texts.identifiers import snils_with_check

FIRST = 200_000_000
"""The SNILS of person 0 without its check digits; those of the file are other numbers."""
MADE = 20_000
"""So many people are made by the seed."""
HOSPITAL = {"oid": "1.2.643.5.1.13.13.12.2.77.8312", "name": "Городская клиническая больница № 7"}
SCHOOLS = ("РМАНПО", "Первый МГМУ им. И. М. Сеченова", "РНИМУ им. Н. И. Пирогова")
SPECIALTIES = ("Терапия", "Кардиология", "Хирургия", "Неврология", "Сестринское дело")
_NAMES = {
    "surname": "Абрамов Беляев Васильев Голубев Денисов Егоров Жуков Зайцев Ильин Комаров Лаптев"
    " Мельников Носов Орлов Поляков Романов Соловьёв Тарасов Фомин Щербаков",
    "man": "Андрей Борис Виктор Глеб Денис Евгений Илья Кирилл Максим Павел",
    "woman": "Алина Вера Галина Дарья Елена Инна Ксения Мария Нина Тамара",
    "father": "Андреев Борисов Викторов Денисов Егоров Иванов Максимов Павлов Романов Степанов",
}
NAMES = {what: names.split() for what, names in _NAMES.items()}


def snils_of(number: int) -> str:
    """The SNILS of a person made by a seed, with right check digits: `200-000-000 18`."""
    return snils_with_check(FIRST + number)


def number_of(digits: str) -> int:
    """The number of the person with this SNILS, written in digits; it may be nobody's."""
    return int(digits[:9]) - FIRST


def digits_of(snils: str) -> str:
    """The SNILS without punctuation."""
    return "".join(sign for sign in snils if sign.isdigit())


def _name_of(number: int, seed: int) -> tuple[str, str, str, bool]:
    dice = random.Random(f"{seed}:{number}")  # noqa: S311 - repeatable people, nothing secret
    woman = dice.random() < 0.7
    surname = dice.choice(NAMES["surname"]) + ("а" if woman else "")
    given = dice.choice(NAMES["woman" if woman else "man"])
    return surname, given, dice.choice(NAMES["father"]) + ("на" if woman else "ич"), woman


def full_name_of(number: int, seed: int = 1) -> str:
    """Surname, given name and patronymic of a person made by a seed."""
    return " ".join(_name_of(number, seed)[:3])


def card_of(number: int, seed: int, changes: int) -> dict[str, Any]:
    """The card of a person made by a seed after so many changes; each prolongs the accreditation.

    Every tenth person was accredited twice in the same specialty.
    """
    surname, given, patronymic, woman = _name_of(number, seed)
    dice = random.Random(f"{seed}:{number}:card")  # noqa: S311
    specialty = dice.choice(SPECIALTIES)
    born = date(1960 + dice.randrange(35), 1 + dice.randrange(12), 1 + dice.randrange(28))
    passed = date(2022 + dice.randrange(4), 1 + dice.randrange(12), 1 + dice.randrange(28))
    accreditations = [_accreditation(number, specialty, passed, changes)]
    if number % 10 == 0:
        before = passed.replace(year=passed.year - 5)
        accreditations.insert(0, _accreditation(number + 5_000_000, specialty, before, 0))
    courses = [_course(number, n, specialty, dice) for n in range(1 + number % 4)]
    graduated = born.year + 24
    return {
        "snils": snils_of(number),
        "general": {
            "surname": surname,
            "name": given,
            "patronymic": patronymic,
            "sex": "F" if woman else "M",
            "birth_date": born.isoformat(),
            "updated": (date(2026, 1, 15) + timedelta(days=30 * changes)).isoformat(),
        },
        "cards": [
            {
                "organisation": HOSPITAL,
                "unit": "Терапевтическое отделение",
                "position": "Врач" if specialty != SPECIALTIES[-1] else "Медицинская сестра",
                "kind": "основное",
                "from": f"{graduated + 2}-09-01",
                "to": None,
            }
        ],
        "accreditation": accreditations,
        "certs": [],
        "profs": [
            {
                "kind": "диплом специалиста",
                "series_number": f"1077 {number:07}",
                "organisation": dice.choice(SCHOOLS),
                "specialty": "Лечебное дело",
                "graduated": graduated,
            }
        ],
        "qualifications": courses,
    }


def _accreditation(number: int, specialty: str, passed: date, changes: int) -> dict[str, Any]:
    ends = passed.replace(year=passed.year + 5 + changes)
    return {
        "number": f"7722 {number:010}",
        "kind": "периодическая",
        "specialty": specialty,
        "passed": passed.isoformat(),
        "valid_until": ends.isoformat(),
        "result": "сдано",
    }


def _course(number: int, n: int, specialty: str, dice: random.Random) -> dict[str, Any]:
    since = date(2023 + n % 3, 1 + dice.randrange(11), 5)
    return {
        "kind": "повышение квалификации",
        "title": f"Актуальные вопросы: {specialty.lower()}",
        "hours": dice.choice((18, 36, 72)),
        "organisation": dice.choice(SCHOOLS),
        "document": f"У-{number:06}{n}",
        "certified": dice.random() < 0.5,
        "from": since.isoformat(),
        "to": (since + timedelta(days=25)).isoformat(),
    }


@dataclass
class Registered:
    """One person as the registers know them: each change raises the revision."""

    revision: int
    cards: list[dict[str, Any]]

    @property
    def card(self) -> dict[str, Any]:
        """The card that was updated last."""
        return max(self.cards, key=lambda card: card["general"].get("updated", ""))


@dataclass
class RegisteredPeople:
    """Everybody whom the registers know, by SNILS in digits. `made` people are made by the seed."""

    file: Path
    made: int = MADE
    seed: int = 1
    changed_every: int = 0
    changes: int = 0
    _listed: dict[str, Registered] = field(init=False)

    def __post_init__(self) -> None:
        self._listed = {}
        for card in json.loads(self.file.read_text("utf-8")):
            self.learn(card)

    def of(self, digits: str) -> Registered | None:
        """The person with this SNILS; None if the registers know nobody."""
        if (listed := self._listed.get(digits)) is not None:
            return listed
        number = number_of(digits)
        if not 0 <= number < self.made or digits_of(snils_of(number)) != digits:
            return None
        changes = 0
        if self.changed_every and number % self.changed_every == 0:
            changes = self.changes
        return Registered(1 + changes, [card_of(number, self.seed, changes)])

    def learn(self, *cards: dict[str, Any]) -> None:
        """The register holds these cards of one person from now on."""
        digits = digits_of(cards[0]["snils"])
        known = self.of(digits)
        self._listed[digits] = Registered(1 + known.revision if known else 1, list(cards))

    def change(self, every: int) -> None:
        """Change the data of every so-and-so-many person made by the seed."""
        self.changed_every, self.changes = every, self.changes + 1


@lru_cache
def everybody() -> RegisteredPeople:
    """The people whom all registers of this process know."""
    return RegisteredPeople(Path(__file__).with_name("register.json"))
