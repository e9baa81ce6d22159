"""The page of a patient: who it is, what warns, «С прошлого приёма», the history, and beginning an
entry (W2)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Form, Query, Response

from api.http.downloads import file_headers
from api.http.entrance import CleanRoute
from cabinet.frame.periods import Period, period_of
from cabinet.frame.views import FieldView, Option
from cabinet.frame.visits import Inside, Visit
from cabinet.records import blocks
from cabinet.records.lines import (
    draft_row,
    draft_url,
    head_view,
    history_rows,
    patient_url,
)
from cabinet.records.views import PatientPage
from rules.clock import now
from rules.ids import new_id
from rules.records.entries import OpenedFor
from services.records import card, history, page
from services.records.history import Span
from services.records.page import RecordPage
from words.translation import gettext as _

router = APIRouter(route_class=CleanRoute, include_in_schema=False, prefix="/patients/{patient_id}")

Asked = Annotated[str, Query(max_length=100)]


@router.get("")
async def show(
    patient_id: UUID,
    visit: Inside,
    what: Asked = "",
    before: Asked = "",
    visit_id: Annotated[UUID | None, Query(alias="visit")] = None,
) -> Response:
    """The page, and of the history as much as is asked for."""
    given = dict(visit.request.query_params)
    period = period_of(given, visit.presentation.tzinfo)
    source, kind = _asked(what)
    ends = _moment(before) or period.ends
    async with visit.container.database.work() as session:
        span = Span(since=period.begins, before=ends, kind=kind)
        found = await page.page(session, visit.actor, patient_id, now(), span, source)
        drawn = await blocks.built(visit, session, found.head)
    head = found.head
    return visit.page(
        "records/patient.html",
        patient=PatientPage(
            head=head_view(head),
            last_seen=found.last_seen,
            news=history_rows(head, found.news, found.names),
            rows=history_rows(head, found.lines, found.names),
            older=_older(patient_id, found, given),
            narrowed=any(given.get(name, "").strip() for name in ("what", "from", "until")),
            filters=_filters(found, what, given, period),
            drafts=[draft_row(one) for one in found.drafts],
            kinds=[Option(one.key, _(one.title), _(one.hint)) for one in found.kinds.values()],
            draft_id=str(new_id()),
            visit_id=str(visit_id) if visit_id else "",
            blocks=drawn,
        ),
    )


def _asked(what: str) -> tuple[str, str]:
    """Which source, and which type of entry, a filter means."""
    source, _sep, kind = what.partition(":")
    return source, kind


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None


def _older(patient_id: UUID, found: RecordPage, given: Mapping[str, str]) -> str:
    if not found.more:
        return ""
    kept = {name: given[name] for name in ("what", "from", "until", "visit") if given.get(name)}
    asked = urlencode({**kept, "before": found.lines[-1].at.isoformat()})
    return f"{patient_url(patient_id)}?{asked}#history-title"


def _filters(
    found: RecordPage, what: str, given: Mapping[str, str], period: Period
) -> list[FieldView]:
    entries = [
        Option(f"{history.ENTRIES}:{one.key}", _(one.title), group=_("Записи"))
        for one in found.kinds.values()
    ]
    others = [
        Option(one.name, _(one.word))
        for one in history.sources().values()
        if one.name != history.ENTRIES
    ]
    every = [
        Option("", _("Всё")),
        Option(history.ENTRIES, _("Все записи")),
        *others,
        *entries,
    ]
    days = [
        FieldView(
            name,
            label,
            "date",
            given.get(name, ""),
            error=period.errors.get(name, ""),
            required=False,
        )
        for name, label in (("from", _("С какого дня")), ("until", _("По какой день")))
    ]
    return [FieldView("what", _("Что показать"), "choice", what, options=every), *days]


@router.post("/entries")
async def begin(
    patient_id: UUID,
    visit: Inside,
    draft_id: Annotated[UUID, Form()],
    kind: Annotated[str, Form(max_length=40)],
    visit_id: Annotated[UUID | None, Form()] = None,
) -> Response:
    """Begin an entry of this patient: nothing is created by looking."""
    opened = OpenedFor(patient_id, visit_id)
    begun = await visit.container.record_drafts.begin(visit.actor, opened, draft_id, kind)
    return visit.go(f"{patient_url(patient_id)}/drafts/{begun}")


@router.post("/entries/{entry_id}/correct")
async def correct(patient_id: UUID, entry_id: UUID, visit: Inside) -> Response:
    """Begin a correction, or go on with one begun."""
    drafts = visit.container.record_drafts
    draft = await drafts.begin_correction(visit.actor, patient_id, entry_id)
    return visit.go(draft_url(draft))


@router.get("/card.pdf")
async def paper(patient_id: UUID, visit: Inside) -> Response:
    """The card on paper, of the period that is asked for; printing it is recorded."""
    period = _period(visit)
    body = await card.print_card(
        visit.container.database,
        visit.actor,
        patient_id,
        visit.container.settings.institution,
        period.begins,
        period.ends,
    )
    return Response(body, media_type="application/pdf", headers=file_headers("card.pdf"))


def _period(visit: Visit) -> Period:
    return period_of(dict(visit.request.query_params), visit.presentation.tzinfo)
