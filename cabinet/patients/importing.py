"""Import of patients from a file: previewed first, then exactly what was shown is done (W2)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Response

from api.http.entrance import CleanRoute
from cabinet.frame.tables import Packed, packed, unpacked, uploaded
from cabinet.frame.views import ErrorItem
from cabinet.frame.visits import Inside, Visit
from rules.access import Permission
from rules.ids import new_id
from rules.patients.table import TITLES
from rules.refusals import Refusal
from services.patients import importing
from services.patients.importing import PatientPlan
from words.translation import gettext as _
from words.translation import in_words

router = APIRouter(route_class=CleanRoute, include_in_schema=False, prefix="/patients/import")

SHOWN = 200
"""Lines of each kind on the page. Counts always cover the whole file."""


@dataclass(frozen=True)
class PatientsPreview:
    """What a file would do; `packed` is the file itself, sent back to apply it."""

    counts: Sequence[tuple[str, int]]
    wrong: Sequence[tuple[int, str, str]]
    """Line, column, and what to write."""
    known: Sequence[tuple[int, str, str, str]]
    """Line, name, the page of the patient, and the fields that differ."""
    more_wrong: int
    more_known: int
    ready: bool
    digest: str
    packed: str
    act_id: str


@router.get("")
async def choose(visit: Inside) -> Response:
    """Choose a file."""
    visit.actor.demand(Permission.REGISTER_PATIENTS)
    return _page(visit)


@router.get("/template.csv")
async def template(visit: Inside) -> Response:
    """An empty table with the titles of the columns, which every spreadsheet opens."""
    visit.actor.demand(Permission.REGISTER_PATIENTS)
    titles = ";".join(f'"{title}"' for title in TITLES.values())
    return Response(
        f"{titles}\r\n".encode("utf-8-sig"),
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": 'attachment; filename="patients.csv"'},
    )


@router.post("")
async def look(visit: Inside) -> Response:
    """Preview what the file would do. Nothing is stored."""
    visit.actor.demand(Permission.REGISTER_PATIENTS)
    container = visit.container
    try:
        body = await uploaded(visit)
        told = await importing.dry_run(container.database, container.inspection, visit.actor, body)
        sent_back = packed(body)
    except Refusal as refusal:
        return _refused(visit, refusal)
    return _page(visit, _preview(told, sent_back))


@router.post("/apply")
async def apply(
    visit: Inside,
    digest: Annotated[str, Form(max_length=64)],
    packed: Packed,
    act_id: Annotated[UUID, Form()],
) -> Response:
    """Enter the patients that were previewed."""
    visit.actor.demand(Permission.REGISTER_PATIENTS)
    container = visit.container
    try:
        body = unpacked(packed)
        await importing.apply(
            container.database, container.inspection, visit.actor, body, digest, act_id
        )
    except Refusal as refusal:
        return _refused(visit, refusal)
    return visit.go("/patients/import", "patients_imported")


def _refused(visit: Visit, refusal: Refusal) -> Response:
    if refusal.status not in (409, 422, 429, 503):
        raise refusal
    return _page(
        visit,
        status=refusal.status,
        errors=[ErrorItem(in_words(refusal.message), "#field-file")],
    )


def _page(
    visit: Visit,
    preview: PatientsPreview | None = None,
    status: int = 200,
    errors: list[ErrorItem] | None = None,
) -> Response:
    return visit.page(
        "patients/importing.html",
        status=status,
        preview=preview,
        errors=errors or [],
        columns=[_(title) for title in TITLES.values()],
    )


def _preview(told: PatientPlan, sent_back: str) -> PatientsPreview:
    return PatientsPreview(
        counts=(
            (_("Пациентов добавится"), len(told.added)),
            (_("Уже внесены"), told.left_alone),
            (_("Решите сами"), len(told.known)),
            (_("Ошибок"), len(told.wrong)),
        ),
        wrong=[
            (one.line, _(TITLES[one.column]), in_words(one.message)) for one in told.wrong[:SHOWN]
        ],
        known=[
            (
                one.line,
                one.name,
                f"/patients/{one.patient_id}/identity",
                ", ".join(_(TITLES[name]) for name in one.fields),
            )
            for one in told.known[:SHOWN]
        ],
        more_wrong=max(0, len(told.wrong) - SHOWN),
        more_known=max(0, len(told.known) - SHOWN),
        ready=bool(told.added) and not told.wrong,
        digest=told.digest,
        packed=sent_back,
        act_id=str(new_id()),
    )
