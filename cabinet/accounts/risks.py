"""Locking one's own account, and the queue of signs of attacks for information security."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from api.container import Work
from api.http.auth import From, ends_session
from api.http.entrance import CleanRoute
from cabinet.frame.views import FieldView, Option
from cabinet.frame.visits import Inside, Outside
from rules.clock import now
from rules.refusals import Refusal
from rules.risks import WORDS, RiskKind, RiskOutcome
from rules.texts import identifiers
from services.accounts.risks import queue
from services.accounts.risks.events import PATH
from services.accounts.risks.queue import RiskSeen
from words.translation import gettext, in_words, marked

router = APIRouter(route_class=CleanRoute, include_in_schema=False)

_OUTCOMES = {
    RiskOutcome.HARMLESS: marked("Проверено: угрозы нет"),
    RiskOutcome.LOCKED: marked("Учётная запись заблокирована"),
}
_DAYS = (1, 7, 30, 90, 366)
Chosen = Annotated[str, Query(max_length=40)]


@dataclass(frozen=True)
class RiskLine:
    """One sign, in words."""

    what: str
    url: str
    name: str
    person_url: str
    unit: str
    at: datetime
    times: int
    address: str
    device: str
    closed: str
    locked: bool


@router.get("/profile/lock")
async def lock_page(visit: Inside) -> Response:
    """What locking the own account means."""
    return visit.page("accounts/lock.html", action="/profile/lock", inside=True)


@router.post("/profile/lock")
async def lock_own(visit: Inside, visitor: From) -> Response:
    """Lock it: this session ends too."""
    await visit.container.account_locks.lock_own(visit.signed_in.person_id, visitor)
    response = visit.go("/locked")
    ends_session(visit.container, response)
    return response


@router.get("/locked")
async def locked_page(visit: Outside) -> Response:
    """What comes after a lock, for whoever has just locked an account."""
    return visit.page("accounts/locked.html")


@router.get(PATH + "/{key}")
async def link_page(visit: Outside, key: str) -> Response:
    """The same page for every link: it uses nothing up, and tells nothing about any account."""
    return visit.page("accounts/lock.html", action=f"{PATH}/{key}", inside=False)


@router.post(PATH + "/{key}")
async def lock_by_link(visit: Outside, visitor: From, key: str) -> Response:
    """Lock the account whose notice has this link."""
    try:
        await visit.container.account_locks.lock_by_link(key, visitor)
    except Refusal as refusal:
        return visit.page(
            "accounts/lock_over.html", status=refusal.status, message=in_words(refusal.message)
        )
    return visit.go("/locked")


@router.get("/risks")
async def events_page(
    visit: Inside, session: Work, kind: Chosen = "", state: Chosen = "open", days: Chosen = "30"
) -> Response:
    """The queue, narrowed by kind, state and age."""
    wanted = RiskKind(kind) if kind in set(RiskKind) else None
    back = identifiers.whole(days, 1, 366) or 30
    found = await queue.events(
        session, visit.actor, now(), kind=wanted, still_open=state != "all", days=back
    )
    return visit.page(
        "accounts/risks.html",
        lines=_lines(found),
        fields=_fields(kind, state, back),
    )


def _lines(found: Sequence[RiskSeen]) -> list[RiskLine]:
    return [
        RiskLine(
            what=gettext(WORDS[RiskKind(one.event.kind)]),
            url=f"/risks/{one.event.id}",
            name=one.name,
            person_url=f"/people/{one.event.person_id}",
            unit=one.unit,
            at=one.event.at,
            times=one.event.times,
            address=one.event.address,
            device=one.event.device,
            closed=gettext(_OUTCOMES[RiskOutcome(one.event.outcome)]) if one.event.outcome else "",
            locked=one.locked,
        )
        for one in found
    ]


def _fields(kind: str, state: str, days: int) -> list[FieldView]:
    kinds = [Option("", gettext("Все")), *(Option(k, gettext(WORDS[k])) for k in RiskKind)]
    states = [Option("open", gettext("Открытые")), Option("all", gettext("Все"))]
    ages = [Option(str(n), str(n)) for n in _DAYS]
    return [
        FieldView("kind", gettext("Событие"), "choice", kind, options=kinds),
        FieldView("state", gettext("Состояние"), "choice", state, options=states),
        FieldView("days", gettext("За сколько дней"), "choice", str(days), options=ages),
    ]


@router.post("/risks/{event_id}/close")
async def close(event_id: UUID, visit: Inside, session: Work) -> Response:
    """It was harmless."""
    await queue.close(session, visit.actor, event_id, now())
    return visit.go("/risks", "risk_closed")


@router.post("/risks/{event_id}/lock")
async def lock(event_id: UUID, visit: Inside, visitor: From) -> Response:
    """Lock the account. Asks for a code when the last is older than five minutes."""
    visit.signed_in.demand_fresh(now())
    await visit.container.account_locks.lock_by_security(visit.actor, event_id, visitor)
    return visit.go("/risks", "locked")
