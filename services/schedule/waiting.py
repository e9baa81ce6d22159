"""The list of those who wait for a time: entered once for a wish, closed when it is met."""

from datetime import datetime
from uuid import UUID

from psycopg.errors import ForeignKeyViolation
from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlmodel import SQLModel, col
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from models.encrypted_columns import bound_row
from models.tables.schedule import WaitingWish
from rules.access import Actor, Permission
from rules.clock import now as present
from rules.refusals import not_found
from rules.schedule.hours import wrong
from rules.texts.cleaning import clean

LONGEST_NOTE = 300


class WaitList:
    """What registrars do with the list."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(
        self, actor: Actor, patient_id: UUID, unit_id: UUID, clinician_id: UUID | None, note: str
    ) -> None:
        """Let a patient wait; the same wish again changes nothing. Raises Refusal 403, 404, 422."""
        actor.demand(Permission.BOOK)
        if not actor.may(Permission.BOOK, unit_id):
            raise not_found()
        said = clean(note).strip()
        if len(said) > LONGEST_NOTE:
            raise wrong("note", "Не больше 300 знаков.")
        row = WaitingWish(
            patient_id=patient_id,
            unit_id=unit_id,
            clinician_id=clinician_id,
            note=said,
            added_by=actor.person_id,
            added_at=present(),
        )
        table = SQLModel.metadata.tables["waiting_wish"]
        try:
            async with self._database.work() as session:
                await session.exec(insert(table).values(bound_row(row)).on_conflict_do_nothing())
        except IntegrityError as error:
            if isinstance(error.orig, ForeignKeyViolation):
                raise not_found() from None
            raise

    async def close(self, actor: Actor, wish_id: UUID) -> None:
        """Let a patient wait no more. Doing it again changes nothing. Raises Refusal 403, 404."""
        actor.demand(Permission.BOOK)
        async with self._database.work() as session:
            wish = await session.get(WaitingWish, wish_id)
            if wish is None or not actor.may(Permission.BOOK, wish.unit_id):
                raise not_found()
            await _close(session, wish_id, present())


async def _close(session: AsyncSession, wish_id: UUID, now: datetime) -> None:
    await session.exec(
        update(WaitingWish)
        .where(col(WaitingWish.id) == wish_id, col(WaitingWish.closed_at).is_(None))
        .values(closed_at=now)
        .execution_options(synchronize_session=False)
    )
