"""One entry of a record: its versions with what differs, and marking it as entered in error."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Query, Response

from api.http.entrance import CleanRoute
from cabinet.frame.views import ErrorItem, FieldView
from cabinet.frame.visits import Inside, Visit
from cabinet.records.blocks import entry_url
from cabinet.records.lines import answers, form_words, head_view, tag_of, written_as
from cabinet.records.views import EntryPageView, EntryVersionLine
from rules.cases.limits import INTEGER
from rules.clock import now
from rules.records.entries import EntryState, OpenedFor
from rules.refusals import Refusal, not_found
from services.records import page
from services.records.page import EntryPage
from words.translation import gettext as _
from words.translation import in_words

router = APIRouter(
    route_class=CleanRoute,
    include_in_schema=False,
    prefix="/patients/{patient_id}/entries/{entry_id}",
)

Number = Annotated[int, Form(ge=1, le=INTEGER)]


@router.get("")
async def show(
    patient_id: UUID,
    entry_id: UUID,
    visit: Inside,
    version: Annotated[int | None, Query(ge=1, le=INTEGER)] = None,
) -> Response:
    """What it says, now or in an earlier version, and beside it what the one before said."""
    found = await _found(visit, patient_id, entry_id)
    return visit.page("records/entry.html", entry=_view(visit, found, version))


@router.get("/mistaken")
async def mistaken_page(patient_id: UUID, entry_id: UUID, visit: Inside) -> Response:
    """Say why it was a mistake."""
    return await _marking(visit, patient_id, entry_id)


@router.post("/mistaken")
async def mistaken(
    patient_id: UUID,
    entry_id: UUID,
    visit: Inside,
    version: Number,
    of_patient: Annotated[UUID, Form()],
    reason: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """It was entered in error; it stays readable."""
    try:
        opened = OpenedFor(of_patient)
        acts = visit.container.records
        await acts.mark_mistaken(visit.actor, opened, entry_id, version, reason)
    except Refusal as refusal:
        if refusal.status not in (409, 422):
            raise
        return await _marking(visit, patient_id, entry_id, refusal, reason)
    return visit.go(entry_url(patient_id, entry_id), "entry_mistaken")


async def _marking(
    visit: Visit,
    patient_id: UUID,
    entry_id: UUID,
    refusal: Refusal | None = None,
    typed: str = "",
) -> Response:
    found = await _found(visit, patient_id, entry_id)
    faults = {one.path: in_words(one.message) for one in refusal.fields} if refusal else {}
    reason = FieldView(
        "reason",
        _("Почему внесено ошибочно"),
        "long_text",
        value=typed,
        hint=_("Например: запись о другом пациенте, внесена дважды"),
        error=faults.get("reason", ""),
    )
    errors = []
    if refusal:
        at = "#field-reason" if faults else ""
        errors = [ErrorItem(faults.get("reason") or in_words(refusal.message), at)]
    return visit.page(
        "records/mistaken.html",
        status=refusal.status if refusal else 200,
        entry=_view(visit, found, None),
        field=reason,
        patient_id=str(patient_id),
        errors=errors,
    )


async def _found(visit: Visit, patient_id: UUID, entry_id: UUID) -> EntryPage:
    async with visit.container.database.work() as session:
        return await page.entry(session, visit.actor, patient_id, entry_id, now())


def _view(visit: Visit, found: EntryPage, number: int | None) -> EntryPageView:
    one, by_number = found.entry, {each.number: each for each in found.versions}
    shown = by_number.get(number or one.version)
    if shown is None:
        raise not_found()
    before = by_number.get(shown.number - 1)
    url = entry_url(found.head.patient_id, one.id)
    erased = one.state is EntryState.ERASED
    return EntryPageView(
        head=head_view(found.head),
        url=url,
        title=_(one.kind.title),
        form=form_words(shown.kind),
        tag=tag_of(one.state),
        signed_at=one.signed_at,
        author=found.names.get(one.author_id, ""),
        written_as=written_as(found.head, one.patient_id),
        version=shown.number,
        newest=shown.number == one.version,
        sections=[] if erased else answers(shown, before),
        compared=before is not None,
        versions=[
            EntryVersionLine(
                number=each.number,
                who=found.names.get(each.made_by, ""),
                at=each.made_at,
                reason=each.reason or "",
                url=f"{url}?version={each.number}",
                shown=each.number == shown.number,
            )
            for each in found.versions
        ],
        changeable=one.changeable(visit.actor),
        mistaken_reason=one.mistaken_reason or "",
        mistaken_by=found.names.get(one.mistaken_by, "") if one.mistaken_by else "",
        mistaken_at=one.mistaken_at,
    )
