"""«Нормы закона»: what the cabinet rests on, until when, and what rests on it (O8)."""

from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import APIRouter, Response

from api.container import Work
from api.http.entrance import CleanRoute
from cabinet.frame.visits import Inside
from rules.access import Permission
from rules.clock import now
from rules.operation.norms import NormStage
from services.operation import norms
from words import formats
from words.translation import gettext as _
from words.translation import marked

router = APIRouter(route_class=CleanRoute, include_in_schema=False)

_STAGES: Mapping[NormStage, tuple[str, str, str]] = {
    NormStage.AHEAD: (marked("ещё не действует"), "idle", "clock"),
    NormStage.COUNTS: (marked("действует"), "good", "circle-check"),
    NormStage.NEAR: (marked("скоро закончится"), "waiting", "triangle-alert"),
    NormStage.OVER: (marked("больше не действует"), "bad", "octagon-x"),
}


@dataclass(frozen=True)
class NormRow:
    """A norm with where it stands."""

    what: str
    source: str
    since: str
    until: str
    word: str
    tone: str
    icon: str
    rests: str


@router.get("/administration/norms")
async def show(visit: Inside, session: Work) -> Response:
    """All norms, those that end first first."""
    rows = []
    for one, stage in await norms.list_norms(session, visit.actor, now()):
        word, tone, icon = _STAGES[stage]
        until = formats.day(one.until) if one.until else _("бессрочно")
        rests = "; ".join(_(each) for each in one.rests)
        since = formats.day(one.since)
        rows.append(NormRow(_(one.what), _(one.source), since, until, _(word), tone, icon, rests))
    manages = visit.actor.may(Permission.MANAGE_CATALOGUE)
    return visit.page("operation/norms.html", rows=rows, manages=manages)
