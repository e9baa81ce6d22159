"""Exports of the archive's list: requested, made at once or by a workflow, downloaded (S7).

A short list is made within the request. A long one is a row: its workflow reads the lines in parts,
so that a run that was cut off continues after the last whole part, and makes the file. The file can
be downloaded for a week, by the person who requested it, and only while they may still see
everything that they saw then.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self
from uuid import UUID

from sqlalchemy import bindparam
from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from clients.objects import Objects, ObjectStream
from models.messages import WorkflowName
from models.tables.archive import Export
from rules.access import Actor
from rules.archive import (
    AT_ONCE,
    KEPT,
    MOST_ROWS,
    MOST_RUNNING,
    UNDER_WAY,
    ExportKind,
    ExportState,
)
from rules.clock import now
from rules.ids import new_id
from rules.journal.entries import JournalKind
from rules.refusals import Refusal, not_found
from services import access, turns
from services.archive import search as archive
from services.archive.search import ArchiveFilters, Scope
from services.exports import columns
from services.exports.lists import made
from services.files.intake import unavailable_is_refusal
from services.journal import entries as journal
from services.own_workflows import OwnWorkflow, Wake

FOLDER = "exports"
SHOWN = 50

OWN = OwnWorkflow(
    name=WorkflowName.EXPORT,
    table=Export,
    due="beat_at",
    lives=lambda: col(Export.state).in_(UNDER_WAY),
    held=timedelta(hours=7),
)
"""What the sweeper has to know. A run gives its export up after six hours: one that has not done so
cannot go on."""

_LOCK = select(Export).where(Export.id == bindparam("export_id")).with_for_update()


@dataclass(frozen=True)
class OwnExport:
    """An export as shown to the person who requested it."""

    id: UUID
    kind: ExportKind
    filters: Mapping[str, Any]
    """As they are stored; see `services.archive.search.of_stored`."""
    state: ExportState
    reason: str | None
    """The code of the failure."""
    done: int
    total: int
    asked_at: datetime
    ends_at: datetime
    size: int | None
    sha256: str | None

    @classmethod
    def of(cls, row: Export) -> Self:
        """The export in a stored row."""
        return cls(
            id=row.id,
            kind=ExportKind(row.kind),
            filters=row.filters,
            state=ExportState(row.state),
            reason=row.reason,
            done=row.done,
            total=row.total,
            asked_at=row.asked_at,
            ends_at=row.ends_at,
            size=row.size,
            sha256=row.sha256,
        )


class Exports:
    """What people do with exports; `start` is called after the commit, and again by the sweeper."""

    def __init__(self, database: Database, objects: Objects, institution: str, start: Wake) -> None:
        self._database = database
        self._objects = objects
        self._institution = institution
        self._start = start

    async def at_once(
        self, actor: Actor, kind: ExportKind, filters: ArchiveFilters
    ) -> bytes | None:
        """The file of a short list; None if the list is too long to be made at once."""
        async with self._database.work() as session:
            number = await archive.count(session, actor, filters, AT_ONCE)
            if number > AT_ONCE:
                return None
            page = await archive.page(session, actor, filters, None, AT_ONCE)
            titles = await columns.titles(session)
            zone = await access.zone_of(session, actor.unit_id)
            head = await columns.head(session, self._institution, filters, now(), zone)
            await _note(
                session,
                actor,
                JournalKind.EXPORT_DOWNLOADED,
                {"kind": kind.value, "rows": len(page.lines)},
            )
        return await made(kind, head, [columns.row(line, titles, zone) for line in page.lines])

    async def ask(self, actor: Actor, kind: ExportKind, filters: ArchiveFilters) -> OwnExport:
        """Request a list that is made in the background.

        Raises Refusal 409 if too many are under way, 422 for a list that is empty or too long.
        """
        moment = now()
        until = min(filters.submitted_until or moment, moment)
        filters = filters.model_copy(update={"submitted_until": until})
        async with self._database.work() as session:
            # Locked, so that two windows cannot make one export too many.
            await turns.of_person(session, actor.person_id)
            running = await session.exec(
                select(func.count())
                .select_from(Export)
                .where(Export.person_id == actor.person_id, col(Export.state).in_(UNDER_WAY))
            )
            if running.one() >= MOST_RUNNING:
                raise Refusal(
                    "too_many_exports",
                    "Уже готовятся три выгрузки. Дождитесь одной из них или отмените её.",
                    409,
                )
            total = await archive.count(session, actor, filters, MOST_ROWS)
            if total == 0:
                raise Refusal("nothing_to_export", "По этим условиям ничего не найдено.", 422)
            if total > MOST_ROWS:
                raise Refusal(
                    "too_long",
                    "В списке больше 50 000 строк. Сузьте условия, например по датам.",
                    422,
                )
            export = Export(
                id=new_id(),
                person_id=actor.person_id,
                kind=kind.value,
                filters=archive.as_stored(filters),
                scope=Scope.of(actor).stored(),
                zone=(await access.zone_of(session, actor.unit_id)).key,
                state=ExportState.WAITING.value,
                total=total,
                folder=Objects.fresh_key(FOLDER),
                asked_at=moment,
                beat_at=moment,
                ends_at=moment + KEPT,
            )
            session.add(export)
            facts = {"export": str(export.id), "kind": kind.value, "rows": total}
            await _note(session, actor, JournalKind.EXPORT_ASKED, facts)
        await self._start(export.id)
        return OwnExport.of(export)

    async def mine(self, session: AsyncSession, actor: Actor) -> list[OwnExport]:
        """The person's exports, newest first."""
        found = await session.exec(
            select(Export)
            .where(Export.person_id == actor.person_id)
            .order_by(col(Export.id).desc())
            .limit(SHOWN)
        )
        return [OwnExport.of(row) for row in found.all()]

    async def one(self, session: AsyncSession, actor: Actor, export_id: UUID) -> OwnExport:
        """One of the person's exports. Raises `not_found`."""
        return OwnExport.of(await _own(session, actor, export_id))

    async def cancel(self, actor: Actor, export_id: UUID) -> None:
        """Cancel an export; its workflow finds out with its next part. A finished one stays."""
        async with self._database.work() as session:
            export = await lock(session, export_id)
            if export is None or export.person_id != actor.person_id:
                raise not_found()
            if export.state in UNDER_WAY:
                export.state = ExportState.CANCELLED.value
                session.add(export)
                facts = {"export": str(export.id)}
                await _note(session, actor, JournalKind.EXPORT_CANCELLED, facts)

    async def download(self, actor: Actor, export_id: UUID) -> tuple[OwnExport, ObjectStream]:
        """The file, for the person who requested it and may still see everything in it.

        Raises Refusal 404 for other people and for files that are gone, 403 if a right was lost.
        """
        async with self._database.work() as session:
            export = await _own(session, actor, export_id)
            ready = export.state == ExportState.READY and export.ends_at > now()
            if not ready or export.object_key is None:
                raise not_found()
            if not Scope.of(actor).holds(export.scope):
                raise Refusal(
                    "rights_changed",
                    "Ваши права изменились, и этот файл вам больше недоступен. Закажите выгрузку "
                    "заново.",
                    403,
                )
            facts = {"export": str(export.id), "kind": export.kind, "rows": export.done}
            await _note(session, actor, JournalKind.EXPORT_DOWNLOADED, facts)
        with unavailable_is_refusal():
            return OwnExport.of(export), await self._objects.open(export.object_key)


async def _own(session: AsyncSession, actor: Actor, export_id: UUID) -> Export:
    export = await session.get(Export, export_id)
    if export is None or export.person_id != actor.person_id:
        raise not_found()
    return export


async def lock(session: AsyncSession, export_id: UUID) -> Export | None:
    """Lock the row of an export until the unit of work ends."""
    return (await session.exec(_LOCK, params={"export_id": export_id})).one_or_none()


async def _note(
    session: AsyncSession, actor: Actor, kind: JournalKind, facts: Mapping[str, Any]
) -> None:
    """Add an entry to the journal of the person."""
    await journal.append(
        session, chain=actor.person_id, kind=kind, by=actor.person_id, facts=facts, lock=True
    )
