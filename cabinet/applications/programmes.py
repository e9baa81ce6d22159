"""The catalogue of programmes: the list, one programme, and beginning an application (A1)."""

from collections import Counter
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Query, Response

from api.container import Work
from api.http.entrance import CleanRoute
from cabinet.applications.lines import programme_view
from cabinet.cases import intakes
from cabinet.frame.filters import address
from cabinet.frame.views import Chip
from cabinet.frame.visits import Inside
from rules.access import Permission
from rules.cases.process import CaseKind
from rules.catalogue.programmes import KINDS
from rules.clock import now
from rules.forms.definitions import merged_attachments, merged_checklist
from services.applications.acts import TYPE
from services.cases import beginning
from services.catalogue import lookup as catalogue
from services.catalogue.intakes import of_programme as coming
from words.translation import gettext

router = APIRouter(route_class=CleanRoute, include_in_schema=False)
_address = partial(address, "/programmes")


@router.get("/programmes")
async def list_programmes(
    visit: Inside,
    session: Work,
    q: Annotated[str, Query(max_length=200)] = "",
    kind: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    """Programmes on offer, by kind and by words."""
    kind = kind if kind in KINDS else ""
    found = await catalogue.programmes(session, text=q)
    meant = q if found else await catalogue.mended_question(session, q)
    if meant != q:
        found = await catalogue.programmes(session, text=meant)
    counts = Counter(programme.kind for programme in found)
    chips = [Chip(gettext("Все"), _address({"q": q}), not kind, len(found))] + [
        Chip(gettext(words), _address({"q": q, "kind": value}), kind == value, counts[value])
        for value, words in KINDS.items()
    ]
    return visit.page(
        "applications/programmes.html",
        programmes=[programme_view(p) for p in found if not kind or p.kind == kind],
        kinds=chips,
        kind=kind,
        q=q,
        meant=meant if found and meant != q else "",
    )


@router.get("/programmes/{programme_id}")
async def show_programme(programme_id: UUID, visit: Inside, session: Work) -> Response:
    """One programme, with what an application for it needs."""
    programme = await catalogue.programme(session, programme_id)
    definition = await catalogue.case_type(session, TYPE)
    unsent = await beginning.unsent(session, visit.actor, CaseKind.APPLICATION)
    begun = next((case.id for case in unsent if case.programme_id == programme_id), None)
    return visit.page(
        "applications/programme.html",
        programme=programme_view(
            programme,
            merged_attachments(definition, programme),
            definition,
            [gettext(item.question) for item in merged_checklist(definition, programme)],
            f"/applications/{begun}/draft" if begun else None,
            intakes.told(
                await coming(session, programme), now().astimezone(visit.presentation.tzinfo).date()
            ),
        ),
        offered=await catalogue.is_offered(session, programme_id),
        may_apply=visit.actor.may(Permission.APPLY),
    )


@router.post("/applications")
async def begin(visit: Inside, programme_id: Annotated[UUID, Form()]) -> Response:
    """Begin a draft."""
    case = await visit.container.applications.create_draft(visit.actor, programme_id)
    return visit.go(f"/applications/{case.id}/draft")
