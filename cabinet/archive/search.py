"""«Архив»: the list of all cases that the person may see, and their saved views (S7)."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Query, Response

from api.container import Work
from api.http.entrance import CleanRoute
from cabinet.archive import filters as asked_for
from cabinet.archive.filters import ARCHIVE, KINDS
from cabinet.archive.views import Archive, ArchiveRow, View
from cabinet.frame.views import ErrorItem, Pages
from cabinet.frame.visits import Inside, Visit
from clients.database import DatabaseSession
from rules.access import Permission
from rules.archive import AT_ONCE, MOST_VIEWS
from rules.cases.process import CaseKind
from rules.refusals import Refusal
from services.accounts import people
from services.archive import saved_views
from services.archive import search as archive
from services.archive.search import COUNTED, Scope
from services.cases.lists import CaseLine
from words.translation import gettext as _
from words.translation import in_words, ngettext

router = APIRouter(route_class=CleanRoute, include_in_schema=False, prefix=ARCHIVE)

PAGE = 50
Cursor = Annotated[str | None, Query(max_length=300)]
Short = Annotated[str, Form(max_length=200)]
Address = Annotated[str, Form(max_length=2000)]


@router.get("")
async def show(visit: Inside, session: Work, after: Cursor = None) -> Response:
    """The archive, narrowed by the filters in the address; newest first."""
    return await _drawn(visit, session, visit.request.url.query, after)


async def _drawn(
    visit: Visit,
    session: DatabaseSession,
    query: str,
    after: str | None = None,
    refusal: Refusal | None = None,
) -> Response:
    actor = visit.actor
    scope = Scope.of(actor)
    known = await archive.types(session)
    units = await people.units(session) if scope.others else ()
    asked = asked_for.asked_of(query, known, visit.presentation.tzinfo)
    found = await archive.page(session, actor, asked.filters, after, PAGE)
    number = await archive.count(session, actor, asked.filters)
    views = await saved_views.mine(session, actor)
    titles = {one.key: one.title for one in known}
    words = asked_for.words_of(asked, known, units)
    shown = Archive(
        rows=[_row(line, visit, titles) for line in found.lines],
        fields=asked_for.fields(asked, known, units),
        active=asked_for.active(words, asked),
        views=[
            View(
                str(view.id),
                view.name,
                ARCHIVE + (f"?{view.query}" if view.query else ""),
                current=view.query == asked.query,
            )
            for view in views
        ],
        pages=Pages(
            before=asked.address() if after else None,
            after=asked.address(after=found.after) if found.after else None,
            shown=len(found.lines),
        ),
        found=_counted(number),
        here=asked.query,
        pdf_url=asked.address(f"{ARCHIVE}/list.pdf"),
        xlsx_url=asked.address(f"{ARCHIVE}/list.xlsx"),
        at_once=number <= AT_ONCE,
        exportable=number > 0,
        others=scope.others,
        keeps=actor.may(Permission.KEEP_ARCHIVE),
        may_save=bool(asked.given) and len(views) < MOST_VIEWS,
    )
    errors = [ErrorItem(text, f"#field-{name}") for name, text in asked.errors.items()]
    if refusal is not None:
        errors.append(ErrorItem(in_words(refusal.message), "#view-name"))
    status = refusal.status if refusal else 422 if errors else 200
    return visit.page("archive/list.html", status=status, archive=shown, errors=errors)


def title_of(line: CaseLine, titles: dict[str, str]) -> str:
    """The title of the programme, or of the type where there is no programme."""
    return line.title if line.programme_kind else _(titles.get(line.type, line.title))


def _row(line: CaseLine, visit: Visit, titles: dict[str, str]) -> ArchiveRow:
    return ArchiveRow(
        url=f"/cases/{line.id}",
        number=line.number or "",
        kind=_(KINDS[CaseKind(line.kind)]),
        title=title_of(line, titles),
        applicant=line.applicant or "",
        unit=line.unit,
        status=line.status,
        case_kind=line.kind,
        submitted_at=line.submitted_at or line.created_at,
        since=line.since,
        own=line.applicant_id == visit.actor.person_id,
    )


def _counted(number: int) -> str:
    if number > COUNTED:
        return _("Найдено больше %(n)s") % {"n": COUNTED}
    return ngettext("Найдено: %(n)s дело", "Найдено: %(n)s дел", number) % {"n": number}


@router.post("/views")
async def keep_view(
    visit: Inside, session: Work, name: Short = "", query: Address = ""
) -> Response:
    """Save the filters of this list under a name."""
    asked = asked_for.asked_of(query, await archive.types(session), visit.presentation.tzinfo)
    try:
        await saved_views.keep(session, visit.actor, name, asked.query)
    except Refusal as refusal:
        return await _drawn(visit, session, query, refusal=refusal)
    return visit.go(asked.address(), done="view_kept")


@router.post("/views/{view_id}")
async def rename_view(
    view_id: UUID, visit: Inside, session: Work, name: Short = "", query: Address = ""
) -> Response:
    """Rename a saved view."""
    try:
        view = await saved_views.rename(session, visit.actor, view_id, name)
    except Refusal as refusal:
        if refusal.status != 422:
            raise
        return await _drawn(visit, session, query, refusal=refusal)
    return visit.go(ARCHIVE + (f"?{view.query}" if view.query else ""), done="saved")


@router.post("/views/{view_id}/remove")
async def remove_view(view_id: UUID, visit: Inside, session: Work) -> Response:
    """Delete a saved view."""
    await saved_views.remove(session, visit.actor, view_id)
    return visit.go(ARCHIVE, done="view_removed")
