"""What somebody who registers says, read and bounded, and what is refused."""

from dataclasses import dataclass
from typing import Self

from rules.refusals import FieldError, Refusal
from rules.texts import identifiers, mail_addresses
from rules.texts.names import Name

NAME_LONGEST = 200


@dataclass(frozen=True)
class Applicant:
    """Somebody who wants an account, with the code of a unit; empty where there is one only."""

    name: str
    email: str
    unit: str = ""

    @classmethod
    def read(cls, name: str, email: str, unit: str, *, terms: bool) -> Self:
        """What was typed, as it is stored. Raises Refusal 422 with all that is wrong."""
        faults = []
        parts = Name.of(name)
        if not parts.given or len(name) > NAME_LONGEST:
            faults.append(FieldError("name", "Укажите фамилию и имя, до 200 знаков."))
        try:
            email = mail_addresses.read(email)
        except identifiers.IdentifierError as error:
            faults.append(FieldError("email", error.message))
        if not terms:
            faults.append(FieldError("terms", "Без согласия учётную запись создать нельзя."))
        if faults:
            words = "Исправьте отмеченные поля."
            raise Refusal("not_registered", words, 422, faults)
        return cls(parts.full, email, unit)


def no_such_unit() -> Refusal:
    """The unit is not open to registration, or several are and none was chosen."""
    words = "Выберите подразделение из списка."
    return Refusal("no_such_unit", words, 422, [FieldError("unit", words)])


def registration_over() -> Refusal:
    """The link was used, replaced or is too old, or is none."""
    words = "Ссылка больше не действует. Зарегистрируйтесь ещё раз."
    return Refusal("registration_over", words, 409)


def address_taken() -> Refusal:
    """Since the link was sent, the address has got an account."""
    words = "С этим адресом уже есть учётная запись. Войдите или задайте новый пароль."
    return Refusal("contact_taken", words, 409)
