"""Programmes of training."""

from collections.abc import Mapping
from typing import Protocol
from uuid import UUID

from rules.catalogue.intakes import Intake
from rules.forms.definitions import Ruled

KINDS: Mapping[str, str] = {
    "course": "Очный курс",
    "distance": "Дистанционно",
    "seminar": "Семинар",
}
"""Their kinds in words, as msgids: the same on pages and on papers."""


class Programme(Ruled, Protocol):
    """What pages may read of a programme."""

    id: UUID
    title: str
    kind: str
    organisation: str
    hours: int
    description: str
    starts_on: list[str]

    @property
    def intakes(self) -> list[Intake]:
        """When it begins, with what limits; empty: at any time."""
