"""Who a patient is: what is entered, how it is read, and by which texts it is found again."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from enum import StrEnum
from typing import TypeVar

from rules.refusals import FieldError, Refusal
from rules.texts import identifiers, mail_addresses
from rules.texts.cleaning import searched
from rules.texts.identifiers import IdentifierError
from rules.texts.names import Name

Read = TypeVar("Read")

LONGEST_NAME = 200
OLDEST_YEARS = 130


class Sex(StrEnum):
    """Sex, as the dictionary of the ministry has it: two values."""

    MALE = "male"
    FEMALE = "female"


SEX_WORDS: Mapping[Sex, str] = {Sex.MALE: "мужской", Sex.FEMALE: "женский"}
"""The sexes in words (msgids)."""


@dataclass(frozen=True)
class Identity:
    """What is known of who a patient is. `snils` and `policy` stand in their one form."""

    name: str
    birth_date: date
    sex: Sex
    snils: str | None = None
    policy: str | None = None
    phone: str | None = None
    email: str | None = None

    @property
    def as_text(self) -> Mapping[str, str]:
        """Every field as text, empty where nothing is known: to compare and to journal."""
        return {
            name: "" if value is None else value.isoformat() if name == "birth_date" else str(value)
            for name, value in asdict(self).items()
        }


FIELD_WORDS: Mapping[str, str] = {
    "name": "Фамилия, имя, отчество",
    "birth_date": "Дата рождения",
    "sex": "Пол",
    "snils": "СНИЛС",
    "policy": "Полис ОМС",
    "phone": "Телефон",
    "email": "Почта",
}
"""The fields in words (msgids), in the order of the form."""


def policy(text: str) -> str:
    """The 16 digits of a policy of the mandatory insurance. Raises IdentifierError."""
    digits = "".join(identifiers.tidy(text).replace("-", " ").split())
    if not (len(digits) == 16 and digits.isascii() and digits.isdigit()):
        raise IdentifierError("Напишите 16 цифр номера полиса")
    return digits


def sex(text: str) -> Sex:
    """The sex that was chosen. Raises IdentifierError."""
    try:
        return Sex(text)
    except ValueError:
        raise IdentifierError("Выберите пол") from None


def full_name(text: str) -> str:
    """Surname, given name and patronymic in one form. Raises IdentifierError."""
    name = Name.of(text)
    if not name.given or not any(sign.isalpha() for sign in name.surname):
        raise IdentifierError("Напишите фамилию и имя, отчество — если есть")
    if len(name.full) > LONGEST_NAME:
        raise IdentifierError("Имя длиннее 200 знаков. Сократите его.")
    return name.full


def read(typed: Mapping[str, str], today: date) -> Identity:
    """The identity that was typed into the fields of `FIELD_WORDS`.

    Raises Refusal 422 with one error for each field that cannot be read.
    """
    errors: list[FieldError] = []

    def field(name: str, reader: Callable[[str], Read], *, needed: bool = False) -> Read | None:
        text = typed.get(name, "").strip()
        if not text and not needed:
            return None
        try:
            return reader(text)
        except IdentifierError as error:
            errors.append(FieldError(name, error.message))
            return None

    def born(text: str) -> date:
        day = identifiers.day(text)
        if day > today:
            raise IdentifierError("Дата рождения ещё не наступила")
        if today.year - day.year > OLDEST_YEARS:
            raise IdentifierError("Проверьте год рождения")
        return day

    name = field("name", full_name, needed=True)
    birth_date = field("birth_date", born, needed=True)
    chosen = field("sex", sex, needed=True)
    found = Identity(
        name or "",
        birth_date or today,
        chosen or Sex.FEMALE,
        snils=field("snils", identifiers.snils),
        policy=field("policy", policy),
        phone=field("phone", identifiers.phone),
        email=field("email", mail_addresses.read),
    )
    if errors:
        raise Refusal("wrong_fields", "Проверьте отмеченные поля.", 422, errors)
    return found


def snils_key(value: str) -> str:
    """What the blind index of a patient's SNILS is made of: not what that of a person's is."""
    return f"patient snils {value}"


def policy_key(value: str) -> str:
    """What the blind index of a policy is made of."""
    return f"patient policy {value}"


def name_key(value: str) -> str:
    """What the blind index of a full name is made of; case, ё and blanks do not count."""
    return f"patient name {searched(value)}"


def birth_key(value: str) -> str:
    """What the blind index of a birth date, in ISO form, is made of."""
    return f"patient born {value}"
