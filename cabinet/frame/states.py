"""How the state of a case looks: a word, a tone and a shape, never colour alone."""

from dataclasses import dataclass
from typing import Literal

from rules.cases.kinds import process_of
from rules.cases.process import Status
from words.translation import gettext

Tone = Literal["idle", "busy", "waiting", "paused", "good", "bad"]


@dataclass(frozen=True)
class StatusTag:
    """The word on the screen, already translated, with its tone and icon."""

    word: str
    tone: Tone
    icon: str


_LOOKS: dict[Status, tuple[Tone, str]] = {
    Status.DRAFT: ("idle", "file-pen"),
    Status.CHECKING: ("busy", "scan-search"),
    Status.CONFIRMING: ("waiting", "hourglass"),
    Status.IN_REVIEW: ("waiting", "hourglass"),
    Status.CLARIFICATION: ("paused", "circle-question-mark"),
    Status.APPROVED: ("good", "circle-check"),
    Status.REJECTED: ("bad", "octagon-x"),
    Status.WITHDRAWN: ("idle", "undo-2"),
    Status.LAPSED: ("idle", "archive"),
    Status.ACCEPTED: ("busy", "file-check"),
    Status.PROCESSING: ("waiting", "hourglass"),
    Status.READY: ("good", "circle-check"),
    Status.REFUSED: ("bad", "octagon-x"),
    Status.CONFIRMED: ("good", "badge-check"),
    Status.FORWARDED: ("waiting", "hourglass"),
    Status.WITH_COMMISSION: ("waiting", "hourglass"),
    Status.ACCREDITED: ("good", "badge-check"),
    Status.RETURNED: ("bad", "octagon-x"),
}


def state_of(status: Status | str, kind: str) -> StatusTag:
    """How a status is shown in the current language; words agree with the kind of case."""
    known = Status(status)
    tone, icon = _LOOKS[known]
    return StatusTag(gettext(process_of(kind).words[known]), tone, icon)
