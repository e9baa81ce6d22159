"""The home page: first what is dangerous, then today, then what waits, then what is at hand (W9).

It knows no subject: it asks the parts that the visitor's rights open, and puts them in order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, Response

from api.container import Reading
from api.http.entrance import CleanRoute
from cabinet.frame.home_parts import HomeBlock
from cabinet.frame.views import CallToAction
from cabinet.frame.visits import Inside, Visit
from cabinet.home.register import PARTS
from rules.texts.names import Name
from words.translation import gettext

router = APIRouter(route_class=CleanRoute, include_in_schema=False)

MOST_CARDS, MOST_SENTENCES = 6, 3
"""So many are seen at once; the other cards are one press away."""


@dataclass(frozen=True)
class HomePage:
    """The page. `waits` are the cards that are seen at once, `folded` the others."""

    greeting: str
    sentence: str
    danger: Sequence[CallToAction] = ()
    today: Sequence[HomeBlock] = ()
    waits: Sequence[CallToAction] = ()
    folded: Sequence[CallToAction] = ()
    below: Sequence[HomeBlock] = ()
    begins: Sequence[tuple[str, str]] = ()

    @property
    def bare(self) -> bool:
        """Whether no part has anything to show."""
        return not (self.danger or self.today or self.waits or self.below)


@router.get("/")
async def home(visit: Inside, session: Reading) -> Response:
    """What needs the person, by their rights."""
    said = [(one, await one.ask(visit, session)) for one in PARTS if one.is_open(visit)]
    calls = [call for _, says in said for call in says.calls]
    danger = [call for call in calls if call.tone == "bad"]
    waits = sorted(
        (call for call in calls if call.tone != "bad"),
        key=lambda call: (call.tone == "idle", call.until is None),
    )
    seen = max(0, MOST_CARDS - len(danger))
    sentences = [sentence for _, says in said for sentence in says.sentences]
    nothing = gettext("Сегодня от вас ничего не требуется")
    return visit.page(
        "home/page.html",
        home=HomePage(
            greeting=_greeting(visit),
            sentence=". ".join(sentences[:MOST_SENTENCES]) or nothing,
            danger=danger,
            today=[block for part, says in said if part.today for block in says.blocks],
            waits=waits[:seen],
            folded=waits[seen:],
            below=[block for part, says in said if not part.today for block in says.blocks],
            begins=[each for _, says in said for each in says.begins],
        ),
    )


def _greeting(visit: Visit) -> str:
    hour = datetime.now(visit.presentation.tzinfo).hour
    words = (
        gettext("Доброе утро")
        if 5 <= hour < 12
        else gettext("Добрый день")
        if 12 <= hour < 18
        else gettext("Добрый вечер")
    )
    polite = Name.of(visit.actor.name).polite
    return f"{words}, {polite}" if polite else words
