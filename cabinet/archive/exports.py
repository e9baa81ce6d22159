"""«Выгрузки»: lists of the archive as files, made at once or in the background (S7)."""

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter, Response
from fastapi.responses import StreamingResponse

from api.container import Work
from api.http.downloads import file_headers
from api.http.entrance import CleanRoute
from cabinet.archive import filters as asked_for
from cabinet.archive.filters import ARCHIVE
from cabinet.archive.views import ExportRow
from cabinet.frame.states import Tone
from cabinet.frame.visits import Inside, Visit
from clients.database import DatabaseSession
from rules.archive import UNDER_WAY, ExportKind, ExportState
from rules.clock import now
from rules.texts.paper_names import list_name
from services.archive import search as archive
from services.archive.search import ArchiveFilters
from services.dossier import archive_file
from services.exports import columns
from services.exports.acts import OwnExport
from services.exports.building import RIGHTS
from words.translation import current, marked
from words.translation import gettext as _

router = APIRouter(route_class=CleanRoute, include_in_schema=False, prefix=ARCHIVE)

EXPORTS = f"{ARCHIVE}/exports"
_STATES: dict[ExportState, tuple[str, Tone, str]] = {
    ExportState.WAITING: (marked("В очереди"), "idle", "clock"),
    ExportState.RUNNING: (marked("Готовится"), "busy", "hourglass"),
    ExportState.READY: (marked("Готова"), "good", "circle-check"),
    ExportState.FAILED: (marked("Не удалась"), "bad", "octagon-x"),
    ExportState.CANCELLED: (marked("Отменена"), "idle", "undo-2"),
    ExportState.REMOVED: (marked("Срок вышел"), "idle", "archive"),
}


@router.post("/list.{kind}")
async def export_list(kind: ExportKind, visit: Inside) -> Response:
    """Export the list that the address describes: at once, or in the background when it is long."""
    async with visit.container.database.work() as session:
        known = await archive.types(session)
    query = visit.request.url.query
    filters = asked_for.asked_of(query, known, visit.presentation.tzinfo).filters
    exports = visit.container.exports
    body = await exports.at_once(visit.actor, kind, filters)
    if body is None:
        await exports.ask(visit.actor, kind, filters)
        return visit.go(EXPORTS, done="export_asked")
    media_type = columns.MEDIA_TYPES[kind]
    return Response(body, media_type=media_type, headers=file_headers(_name(kind, now())))


def _name(kind: ExportKind, made: datetime) -> str:
    return list_name(made.astimezone(current().tzinfo).date(), f".{kind.value}")


@router.get("/cases/{case_id}")
async def export_case(case_id: UUID, visit: Inside) -> Response:
    """A whole case as one ZIP: its history on paper, and its files."""
    found = await archive_file.of_case(
        visit.container.database,
        visit.container.files,
        visit.actor,
        case_id,
        visit.container.settings.institution,
    )
    return StreamingResponse(
        found.chunks, media_type="application/zip", headers=file_headers(found.name)
    )


@router.get("/exports")
async def show(visit: Inside, session: Work, live: bool = False) -> Response:
    """The person's exports with their progress; `live` asks for the list alone."""
    found = await visit.container.exports.mine(session, visit.actor)
    rows = []
    for export in found:
        filters = archive.of_stored(export.filters)
        rows.append(_row(export, await _words(visit, session, filters)))
    waiting = any(export.state in UNDER_WAY for export in found)
    if live:
        return visit.part("archive/export_rows.html", rows=rows, waiting=waiting)
    return visit.page("archive/exports.html", rows=rows, waiting=waiting)


async def _words(visit: Visit, session: DatabaseSession, filters: ArchiveFilters) -> str:
    words = await columns.conditions(session, filters, visit.presentation.tzinfo)
    return "; ".join(words)


def _row(export: OwnExport, words: str) -> ExportRow:
    state = export.state
    if state is ExportState.READY and export.ends_at <= now():
        state = ExportState.REMOVED
    word, tone, icon = _STATES[state]
    gathered = state is ExportState.RUNNING and export.done >= export.total
    reason = ""
    if state is ExportState.FAILED:
        reason = (
            _("Ваши права изменились, пока файл готовился.")
            if export.reason == RIGHTS
            else _("Серверы долго не отвечали. Закажите файл ещё раз.")
        )
    return ExportRow(
        id=str(export.id),
        words=f"{export.kind.value.upper()}: {words}",
        state=state.value,
        word=_("Завершаем подготовку") if gathered else _(word),
        tone=tone,
        icon=icon,
        done=export.done,
        total=export.total,
        percent=round(100 * min(export.done, export.total) / max(export.total, 1)),
        asked_at=export.asked_at,
        ends_at=export.ends_at if state is ExportState.READY else None,
        size=export.size if state is ExportState.READY else None,
        reason=reason,
        download_url=f"{EXPORTS}/{export.id}/file" if state is ExportState.READY else None,
        may_cancel=state in UNDER_WAY,
    )


@router.post("/exports/{export_id}/cancel")
async def cancel(export_id: UUID, visit: Inside) -> Response:
    """Cancel an export that is under way."""
    await visit.container.exports.cancel(visit.actor, export_id)
    return visit.go(EXPORTS, done="export_cancelled")


@router.get("/exports/{export_id}/file")
async def download(export_id: UUID, visit: Inside) -> Response:
    """The file, streamed from the object store."""
    export, opened = await visit.container.exports.download(visit.actor, export_id)
    return StreamingResponse(
        opened.chunks(),
        media_type=columns.MEDIA_TYPES[export.kind],
        headers=file_headers(_name(export.kind, export.asked_at), opened.length),
    )
