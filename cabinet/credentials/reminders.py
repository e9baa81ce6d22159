"""The days of reminders for one credential, beside those that a person chose for all (Q4)."""

import re
from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Response

from api.container import Work
from api.http.entrance import CleanRoute
from cabinet.credentials.lines import titled, url_of
from cabinet.frame.views import ErrorItem, FieldView, Option
from cabinet.frame.visits import Inside, Visit
from clients.database import DatabaseSession
from rules.clock import now
from rules.refusals import Refusal, not_found
from rules.texts.identifiers import whole
from services.credentials import leads, seen
from words.translation import gettext as _
from words.translation import in_words

router = APIRouter(route_class=CleanRoute, include_in_schema=False, prefix="/credentials")

AS_ALL, OWN = "all", "own"
Typed = Annotated[str, Form(max_length=200)]


def days_in(text: str) -> list[int]:
    """Numbers with anything between them. Raises Refusal 422 for words."""
    days = [whole(word) for word in re.split(r"[\s,;]+", text.strip()) if word]
    if any(day is None for day in days):
        raise Refusal("incomplete", "Напишите дни числами через запятую.", 422)
    return [day for day in days if day is not None]


def days_typed(days: Sequence[int]) -> str:
    """Days as they are typed."""
    return ", ".join(map(str, days))


@router.get("/{credential_id}/reminders")
async def show(credential_id: UUID, visit: Inside, session: Work) -> Response:
    """The days as they are chosen."""
    return await _page(visit, session, credential_id)


@router.post("/{credential_id}/reminders")
async def choose(
    credential_id: UUID, visit: Inside, session: Work, which: Typed = AS_ALL, days: Typed = ""
) -> Response:
    """Choose days of its own, or those of all others again."""
    try:
        chosen = days_in(days) if which == OWN else None
        await leads.choose_for(session, visit.actor, credential_id, chosen, now())
    except Refusal as refusal:
        if refusal.status not in (409, 422):
            raise
        return await _page(visit, session, credential_id, refusal, (which, days))
    return visit.go(url_of(credential_id), "saved")


async def _page(
    visit: Visit,
    session: DatabaseSession,
    credential_id: UUID,
    refusal: Refusal | None = None,
    typed: tuple[str, str] | None = None,
) -> Response:
    owner, one, _versions = await seen.one(session, visit.actor, credential_id, now())
    if not owner.own:
        raise not_found()
    usual = days_typed(await leads.of_person(session, owner.id))
    which, days = typed or ((AS_ALL, usual) if one.leads is None else (OWN, days_typed(one.leads)))
    words = in_words(refusal.message) if refusal else ""
    fields = [
        FieldView(
            "which",
            _("Когда напоминать"),
            "choice",
            which,
            options=[
                Option(AS_ALL, _("Как обо всех документах"), usual),
                Option(OWN, _("Об этом документе иначе")),
            ],
        ),
        FieldView(
            "days",
            _("За сколько дней напоминать"),
            value=days,
            error=words,
            hint=_("Числа через запятую. 0 — в последний день. Пусто — не напоминать"),
            required=False,
        ),
    ]
    errors = [ErrorItem(f"{fields[1].label}: {words}", "#field-days")] if words else []
    return visit.page(
        "credentials/act.html",
        status=refusal.status if refusal else 200,
        act="reminders",
        title=titled(one),
        here=url_of(one.id),
        fields=fields,
        version=one.version,
        act_id="",
        errors=errors,
    )
