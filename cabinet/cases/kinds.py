"""What the pages of cases say and do in a way of its own for each kind.

A kind registers once, beside its pages; the pages that all kinds share ask `pages_of`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from api.container import Medcab
from cabinet.cases.timeline import Sentence
from rules.cases.kinds import process_of
from rules.cases.process import CaseKind, Process
from services.cases.drafts import Drafts


@dataclass(frozen=True)
class Phrases:
    """What pages say of a case of the kind, as gettext msgids.

    `already_sent`, `sent_at` and `open` answer a second sending; `send_again` stands above what
    was sent and is opened to be corrected; the last four ask before a case is taken back.
    """

    unsent: str
    papers: str
    case: str
    already_sent: str
    sent_at: str
    open: str
    send_again: str
    withdraw: str
    withdraw_question: str
    withdraw_means: str
    withdraw_reason: str


@dataclass(frozen=True)
class KindPages:
    """One kind of case on the pages.

    `drafts` are the acts of applicants on the kind; `sentences` its journal in words. `withdrawn`
    and `copied` are keys of `cabinet.frame.visits.DONE`.
    """

    process: Process
    drafts: Callable[[Medcab], Drafts]
    phrases: Phrases
    sentences: Mapping[str, Sentence]
    withdrawn: str
    copied: str

    @property
    def room(self) -> str:
        """Where its pages are."""
        return self.process.room

    def template(self, name: str) -> str:
        """A template of the kind's own."""
        return f"{self.process.slug}/{name}"


_KINDS: dict[CaseKind, KindPages] = {}


def register(pages: KindPages) -> KindPages:
    """Make a kind known to the pages that all kinds share."""
    _KINDS[pages.process.kind] = pages
    return pages


def pages_of(kind: str) -> KindPages:
    """The pages of a stored kind."""
    return _KINDS[CaseKind(kind)]


def room_of(kind: str) -> str:
    """Where the pages of a kind are."""
    return process_of(kind).room
