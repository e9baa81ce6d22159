"""Changes of rights, and rights as a whole, as their pages show them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cabinet.cases.views import PaperLink, ShownCase
from cabinet.conversation.views import Talk
from cabinet.frame.views import FieldView


@dataclass(frozen=True, kw_only=True)
class RightsPage(ShownCase):
    """What the page of a change of rights shows besides."""

    papers: Sequence[PaperLink]
    talk: Talk
    withdraw_url: str | None


@dataclass(frozen=True)
class AskPage:
    """The form by which rights are asked for."""

    title: str
    does: str
    name: str
    back: str
    back_words: str
    fields: Sequence[FieldView]
    hidden: Mapping[str, str]
    held: Sequence[tuple[str, str, str]]
    """Role or permission, unit, and where it is asked to be taken: what the person holds."""


@dataclass(frozen=True)
class MatrixUnit:
    """A unit with how many people hold each role there."""

    id: str
    name: str
    counts: Sequence[str]
    urgent: bool
    may_set_urgent: bool


@dataclass(frozen=True)
class MatrixPage:
    """Which role has which permissions, and where how many people hold the roles."""

    roles: Sequence[str]
    rows: Sequence[tuple[str, str, Sequence[bool]]]
    """A permission in words, its name, and whether each role has it."""
    units: Sequence[MatrixUnit]
    singles: Sequence[tuple[str, str, str]]
    """Unit, permission by itself, and how many people hold it there."""
    act_id: str
