"""How the state of an application looks: a word, a tone and a shape, never colour alone."""

from dataclasses import dataclass
from typing import Literal

from cabinet.translation import gettext
from rules.applications import WORDS
from rules.cases import Status

Tone = Literal["idle", "busy", "waiting", "paused", "good", "bad"]


@dataclass(frozen=True)
class State:
    """The word on the screen, already translated, with its tone and icon."""

    word: str
    tone: Tone
    icon: str


_LOOKS: dict[Status, tuple[Tone, str]] = {
    Status.DRAFT: ("idle", "file-pen"),
    Status.CHECKING: ("busy", "scan-search"),
    Status.IN_REVIEW: ("waiting", "hourglass"),
    Status.CLARIFICATION: ("paused", "circle-question-mark"),
    Status.APPROVED: ("good", "circle-check"),
    Status.REJECTED: ("bad", "octagon-x"),
    Status.WITHDRAWN: ("idle", "undo-2"),
    Status.LAPSED: ("idle", "archive"),
}


def state_of(status: Status | str) -> State:
    """How a status is shown in the current language."""
    known = Status(status)
    tone, icon = _LOOKS[known]
    return State(gettext(WORDS[known]), tone, icon)
