"""What pages of cases say and do differently for each kind.

A kind registers once, beside its pages. The pages that all kinds share ask `pages_of`.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from api.container import Container
from cabinet.cases.timeline import Sentence
from clients.database import DatabaseSession
from rules.cases.kinds import process_of
from rules.cases.process import CaseKind, Process
from services.cases.drafts import Drafts
from services.credentials.renewal import FilledAnswers
from services.dossier.page import CasePage

Filled = Callable[[DatabaseSession, CasePage], Awaitable[Sequence[FilledAnswers]]]


@dataclass(frozen=True)
class Phrases:
    """What pages say of a case of the kind, as gettext message ids.

    `already_sent`, `sent_at` and `open` answer a second submission. `send_again` heads a correction
    in which nothing is changed yet. The last four ask for confirmation before a case is withdrawn.
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

    `drafts` gives the service of the kind's applicants; `sentences` are its journal in words.
    Submitting leads to the page `after_sending` below that of the case, or to the case itself where
    it is empty. The other fields are keys of `cabinet.frame.visits.DONE`: each names the sentence
    that is shown after an act. `waits` says whom an open case waits for and what happens
    then, where the kind has words of its own. `needed` names the kinds of document that the answers
    of a draft make necessary, besides those that its type always asks for. `paper` is what
    an approved case brings its applicant: the sentence, the words of the link, and the page below
    that of the case. `filled` says what the person's file gave to a draft.
    """

    process: Process
    drafts: Callable[[Container], Drafts]
    phrases: Phrases
    sentences: Mapping[str, Sentence]
    withdrawn: str
    copied: str
    draft_discarded: str = "discarded"
    correction_discarded: str = "discarded"
    after_sending: str = ""
    waits: Callable[[CasePage], tuple[str, str]] | None = None
    needed: Callable[[Mapping[str, Any]], Collection[str]] = lambda data: ()
    paper: tuple[str, str, str] | None = None
    filled: Filled | None = None

    @property
    def room(self) -> str:
        """The path of its pages."""
        return self.process.room

    def template(self, name: str) -> str:
        """The path of the kind's own template of this name."""
        return f"{self.process.slug}/{name}"


_KINDS: dict[CaseKind, KindPages] = {}


def register(pages: KindPages) -> KindPages:
    """Register the pages of a kind. Called once at import, by the module that defines them."""
    _KINDS[pages.process.kind] = pages
    return pages


def pages_of(kind: str) -> KindPages:
    """The pages of a stored kind."""
    return _KINDS[CaseKind(kind)]


def room_of(kind: str) -> str:
    """The path of the pages of a kind."""
    return process_of(kind).room
