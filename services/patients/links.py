"""Which patients are one person: links that were made and have not ended.

A link leads from one patient to another; neither side's rows change. Only a patient without a link
of its own is linked, and only to such a one, so links form trees, whose end is the main patient.
"""

from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Uuid, and_, bindparam, case, select
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.patients import PatientLink


@dataclass(frozen=True)
class Joined:
    """All patients who are this one person; `main` is the one that links lead to."""

    main: UUID
    ids: frozenset[UUID]


def stands() -> ColumnElement[bool]:
    """The condition that a link was made and has not ended."""
    return and_(col(PatientLink.made_at).is_not(None), col(PatientLink.ended_at).is_(None))


async def joined(session: AsyncSession, patient_id: UUID) -> Joined:
    """The patient with all who are the same person; alone where nobody is.

    Whatever is kept of a patient is read for all these ids, and written for the one it was meant
    for: so parting them parts it too.
    """
    connection = await session.connection()
    found = await connection.execute(_joined(), {"patient_id": patient_id})
    led: dict[UUID, UUID | None] = {row[0]: row[1] for row in found.all()}
    return Joined(next(one for one, to in led.items() if to is None), frozenset(led))


@lru_cache
def _joined() -> Select[*tuple[UUID, UUID | None]]:
    """Each of these patients, with whom its link leads to."""
    here = select(bindparam("patient_id", type_=Uuid()).label("id")).cte("here", recursive=True)
    other = case(
        (col(PatientLink.from_id) == here.c.id, col(PatientLink.to_id)),
        else_=col(PatientLink.from_id),
    )
    here = here.union(
        select(other)
        .select_from(PatientLink)
        .join(here, here.c.id.in_([col(PatientLink.from_id), col(PatientLink.to_id)]))
        .where(stands())
    )
    return select(here.c.id, col(PatientLink.to_id)).outerjoin(
        PatientLink, and_(col(PatientLink.from_id) == here.c.id, stands())
    )
