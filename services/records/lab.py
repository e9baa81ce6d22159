"""Results of the laboratory in a patient's record: the history names them, their page shows them.

A line has no value: a result counts as read by whoever opens it, and by nobody before.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import func
from sqlmodel import and_, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.base import UtcDateTime
from models.tables.results import LabMatch, LabResult, LabVersion
from rules.results.life import STATE_WORDS, ResultStage, ResultState
from rules.results.values import Urgency
from services.records.history import HistoryEvent, Span, tells

RESULTS = "results"
_TITLES: Mapping[str, str] = {
    Urgency.CRITICAL: "Критический результат",
    Urgency.ABNORMAL: "Результат вне нормы",
    Urgency.OTHER: "Результат анализа",
}
"""What lines are called by how dangerous the result is (msgids)."""


async def _told(
    session: AsyncSession, patients: frozenset[UUID], span: Span
) -> Sequence[HistoryEvent]:
    if span.kind:
        return []
    heard = col(LabVersion.heard_at)
    # For the one who reads, a result that was found to be this patient's is new from then on.
    found_whose = func.greatest(heard, LabMatch.made_at, type_=UtcDateTime())
    moment = found_whose if span.changed_since else heard
    query = (
        select(LabResult, LabVersion, moment)
        .join(
            LabVersion,
            and_(
                col(LabVersion.result_id) == col(LabResult.id),
                col(LabVersion.number) == col(LabResult.version),
            ),
        )
        .join(
            LabMatch,
            and_(
                col(LabMatch.result_id) == col(LabResult.id),
                col(LabMatch.ended_at).is_(None),
            ),
        )
        .where(col(LabResult.patient_id).in_(patients))
    )
    since = span.changed_since or span.since
    if since is not None:
        query = query.where(moment > since)
    if span.before is not None:
        query = query.where(moment < span.before)
    found = await session.exec(query.order_by(moment.desc()).limit(span.limit))
    return [
        HistoryEvent(
            source=RESULTS,
            ref=result.id,
            at=at,
            title=_TITLES[version.urgency],
            about=str(version.said["test"]["name"]),
            patient_id=result.patient_id,
            note=_note(result, version),
            bad=version.urgency == Urgency.CRITICAL,
        )
        for result, version, at in found.all()
        if result.patient_id is not None
    ]


def _note(result: LabResult, version: LabVersion) -> str:
    if version.stage == ResultStage.CORRECTED:
        return "исправлен лабораторией"
    return STATE_WORDS[ResultState(result.state)]


tells(RESULTS, "Результаты", _told)
