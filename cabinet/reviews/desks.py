"""Which page the desk shows for a kind of case. The queue and its routes are the same for all.

Cases of a kind that registers no page are decided on: `cabinet.reviews.decision_page`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from fastapi import Response

from cabinet.frame.visits import Visit
from cabinet.reviews.context import Known
from cabinet.reviews.views import ShownOnDesk
from models.messages import PresentState
from rules.cases.process import CaseKind, Moved
from rules.refusals import Refusal


class Draw(Protocol):
    """Builds the view of a case; `number` chooses a version, `answer` is what its workflow said."""

    def __call__(
        self,
        visit: Visit,
        here: Known,
        *,
        answer: PresentState | None = None,
        number: int = 0,
        compare: bool = True,
        moved_on: Moved = Moved.NO,
    ) -> ShownOnDesk:
        """The view of the page."""


@dataclass(frozen=True)
class DeskPage:
    """How the desk shows a kind of case.

    `live` is the template of the parts that change. `refused` draws the page as it is now, with
    what was typed in the form and what to do next.
    """

    template: str
    live: str
    draw: Draw
    refused: Callable[[Visit, Known, Refusal, Mapping[str, Any]], Response]


_PAGES: dict[CaseKind, DeskPage] = {}


def register(kind: CaseKind, page: DeskPage) -> None:
    """Register the page that the desk shows for a kind of case."""
    _PAGES[kind] = page


def own_page(known: Known) -> DeskPage | None:
    """The page that the kind of this case has of its own, if any."""
    return _PAGES.get(CaseKind(known.page.case.kind))
