"""Whether every result has its one person, and none counts as confirmed that nobody saw."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import true
from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.results import LabConfirmation, LabResult, LabVersion
from rules.results.life import OPEN_STATES, ResultState
from services.results import answering


@dataclass(frozen=True)
class ResultTrouble:
    """A result and what is wrong with it, in a word."""

    result_id: UUID
    what: str


async def troubles(
    session: AsyncSession, now: datetime, among: Collection[UUID] | None = None
) -> Sequence[ResultTrouble]:
    """Results without somebody who can answer for them now, or confirmed in an older version.

    All are looked at, or those `among` these ids.

    `nobody`: nobody answers, or somebody who is away, has left or may not. `unseen`: the
    confirmation that counts is not of the newest version. `asleep`: nothing would look at it.
    `versionless`: its newest version is not there.
    """
    asked = true() if among is None else col(LabResult.id).in_(among)
    found = await session.exec(
        select(LabResult).where(asked, col(LabResult.state).in_(OPEN_STATES))
    )
    wrong: list[ResultTrouble] = []
    for row in found.all():
        unmatched = row.state == ResultState.UNMATCHED
        if row.answers_id is None or row.answers_id != await answering.choose(
            session, row.unit_id, row.answers_id, now, unmatched=unmatched
        ):
            wrong.append(ResultTrouble(row.id, "nobody"))
        if row.looks_at is None:
            wrong.append(ResultTrouble(row.id, "asleep"))
    confirmed = select(LabConfirmation.id).where(
        LabConfirmation.result_id == LabResult.id,
        LabConfirmation.version == LabResult.version,
        LabConfirmation.by == LabResult.confirmed_by,
    )
    unseen = select(LabResult.id).where(
        asked,
        LabResult.state == ResultState.CONFIRMED.value,
        or_(~confirmed.exists(), col(LabResult.confirmed_version) != col(LabResult.version)),
    )
    newest = select(LabVersion.id).where(
        LabVersion.result_id == LabResult.id, LabVersion.number == LabResult.version
    )
    versionless = select(LabResult.id).where(asked, ~newest.exists())
    for what, query in (("unseen", unseen), ("versionless", versionless)):
        wrong += [ResultTrouble(one, what) for one in (await session.exec(query)).all()]
    return wrong
