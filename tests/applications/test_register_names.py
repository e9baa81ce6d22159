"""The register's name beside the personnel file's: who is told to be another person."""

from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

from clients.registers import Accreditation, General, RegisterCard
from services.applications.checks import _say_register

TODAY = date(2026, 11, 23)


def said(ours: str, **general: Any) -> str:
    """What the check says of the register's card."""
    valid = Accreditation(
        number="1", kind="первичная", specialty="терапия", passed=TODAY, valid_until=TODAY
    )
    card = RegisterCard(
        snils="112-233-445 95",
        general=General(birth_date=date(1980, 1, 1), **general),
        accreditation=(valid,),
    )
    subject: Any = SimpleNamespace(person=SimpleNamespace(name=ours), submitted_on=TODAY)
    found: list[str] = []
    _say_register(subject, card, lambda code, *_: found.append(code))
    return found[0]


@pytest.mark.parametrize(
    ("ours", "general"),
    [
        ("Де Ла Круз Ольга Николаевна", {"surname": "Де Ла Круз", "name": "Ольга"}),
        ("Де Ла Круз Ольга Николаевна", {"surname": "ДЕ ЛА КРУЗ ОЛЬГА НИКОЛАЕВНА"}),
        ("Иванова (Петрова) Анна Сергеевна", {"surname": "Петрова", "name": "Анна"}),
        ("Ли Анна", {"surname": "Ли", "name": "Анна", "patronymic": "Петровна"}),
    ],
)
def test_a_name_of_several_words_is_the_applicants_own(ours: str, general: dict[str, str]) -> None:
    """The register may divide it or give it whole, and know either surname."""
    assert said(ours, **general) == "register_fine"


def test_another_name_is_told() -> None:
    """A slip in the SNILS shows somebody else's card."""
    assert said("Соколова Анна Игоревна", surname="Соколова", name="Мария") == "register_other_name"
