"""Programmes of training, as pages read them."""

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
"""What the kinds of programme are called, as msgids: the same on pages and papers."""


class ProgrammeFacts(Ruled, Protocol):
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
        """Its intakes with their limits; empty if it may begin on any day."""
