"""Import of staff and units: a file is previewed, then exactly that file is applied (O6)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Response

from api.http.entrance import CleanRoute
from cabinet.frame.tables import Packed, packed, unpacked, uploaded
from cabinet.frame.views import ErrorItem
from cabinet.frame.visits import Inside, Visit
from rules.ids import new_id
from rules.refusals import Refusal
from rules.staff.right_names import RIGHT_NAMES
from rules.staff.table import TITLES
from services.staff import importing
from services.staff.importing import DryRun, PersonChange, UnitChange
from words.translation import gettext as _
from words.translation import in_words

router = APIRouter(route_class=CleanRoute, include_in_schema=False, prefix="/administration/staff")

SHOWN = 200
"""Lines of each kind on the page. Counts always cover the whole file."""


@dataclass(frozen=True)
class StaffWrong:
    """One mistake of a file: where, and what to write."""

    line: int
    column: str
    message: str


@dataclass(frozen=True)
class StaffLine:
    """A unit or a person that a file adds or changes; `differences` are `(column, old, new)`."""

    line: int
    kind: str
    title: str
    unit: str
    new: bool
    differences: Sequence[tuple[str, str, str]]


@dataclass(frozen=True)
class StaffPreview:
    """What a file would do; `packed` is the file itself, sent back to apply it."""

    counts: Sequence[tuple[str, int]]
    wrong: Sequence[StaffWrong]
    lines: Sequence[StaffLine]
    proposed: Sequence[tuple[int, str, str]]
    own_contacts: Sequence[tuple[int, str]]
    more_wrong: int
    more_lines: int
    ready: bool
    digest: str
    packed: str
    act_id: str


@router.get("")
async def choose(visit: Inside) -> Response:
    """Choose a file."""
    importing.demand(visit.actor)
    return _page(visit)


@router.post("")
async def look(visit: Inside) -> Response:
    """Preview what the file would do. Nothing is stored."""
    importing.demand(visit.actor)
    try:
        body = await uploaded(visit)
        told = await importing.dry_run(
            visit.container.database, visit.container.inspection, visit.actor, body
        )
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
    """Apply the file that was previewed."""
    importing.demand(visit.actor)
    try:
        body = unpacked(packed)
        await importing.apply(
            visit.container.database, visit.container.inspection, visit.actor, body, digest, act_id
        )
    except Refusal as refusal:
        return _refused(visit, refusal)
    return visit.go("/administration/staff", "staff_imported")


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
    preview: StaffPreview | None = None,
    status: int = 200,
    errors: list[ErrorItem] | None = None,
) -> Response:
    return visit.page(
        "staff/importing.html",
        status=status,
        preview=preview,
        errors=errors or [],
        columns=[_(title) for title in TITLES.values()],
    )


def _preview(told: DryRun, sent_back: str) -> StaffPreview:
    counts = told.counts
    changes: list[UnitChange | PersonChange] = [*told.units, *told.people]
    return StaffPreview(
        counts=(
            (_("Подразделений добавится"), counts.units_added),
            (_("Подразделений изменится"), counts.units_changed),
            (_("Сотрудников добавится"), counts.people_added),
            (_("Сотрудников изменится"), counts.people_changed),
            (_("Останутся как есть"), counts.left_alone),
            (_("Ошибок"), len(told.wrong)),
        ),
        wrong=[
            StaffWrong(one.line, _(TITLES[one.column]), in_words(one.message))
            for one in told.wrong[:SHOWN]
        ],
        lines=[_line(change) for change in changes[:SHOWN]],
        proposed=[
            (row.line, row.name, _(RIGHT_NAMES[role])) for row, role in told.proposed[:SHOWN]
        ],
        own_contacts=[(row.line, row.name) for row in told.own_contacts[:SHOWN]],
        more_wrong=max(0, len(told.wrong) - SHOWN),
        more_lines=max(0, len(changes) - SHOWN),
        ready=counts.any and not told.wrong,
        digest=told.digest,
        packed=sent_back,
        act_id=str(new_id()),
    )


def _line(change: UnitChange | PersonChange) -> StaffLine:
    kind = _("Подразделение") if isinstance(change, UnitChange) else _("Сотрудник")
    code = change.row.code if isinstance(change, UnitChange) else change.row.unit
    differs = [(_(TITLES[column]), old, new) for column, old, new in change.differences]
    return StaffLine(change.row.line, kind, change.row.name, code, change.id is None, differs)
