"""What the header of every page shows of the person who looks at it."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import BindParameter, bindparam
from sqlmodel import col, func, select

from clients.database import Database, DirectQuery
from models.tables.cases import Case
from models.tables.notices import Notice
from models.tables.people import Person, Unit
from rules.cases.process import Status
from rules.notices.kinds import Channel


@dataclass(frozen=True)
class Header:
    """Post and unit of a person, their unread notices, and their cases that wait for an answer."""

    position: str
    unit: str
    unread: int
    to_answer: int


def _query() -> Any:
    whose: BindParameter[UUID] = bindparam("person_id")
    unread = (
        select(func.count())
        .select_from(Notice)
        .where(
            col(Notice.person_id) == whose,
            col(Notice.channel) == Channel.CABINET.value,
            col(Notice.read_at).is_(None),
        )
        .scalar_subquery()
    )
    asked = (
        select(func.count())
        .select_from(Case)
        .where(
            col(Case.applicant_id) == whose,
            col(Case.status) == Status.CLARIFICATION.value,
            col(Case.closed_at).is_(None),
        )
        .scalar_subquery()
    )
    return (
        select(
            col(Person.position),
            col(Unit.name).label("unit"),
            unread.label("unread"),
            asked.label("to_answer"),
        )
        .join(Unit, col(Unit.id) == col(Person.unit_id))
        .where(col(Person.id) == whose)
    )


_QUERY = DirectQuery(_query())
"""Every page runs this query."""


async def header_of(database: Database, person_id: UUID) -> Header:
    """The header of the person, in one query."""
    found = await _QUERY.one_or_none(database, {"person_id": person_id})
    return Header(**vars(found))
