"""The visit that an entry is written in: it has to be one of the patient's."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from rules.records.entries import OpenedFor
from rules.refusals import not_found
from services.patients import links

Whose = Callable[[AsyncSession, UUID], Awaitable[UUID | None]]
"""The patient of a visit; None where there is no such visit."""

_KNOWN: list[Whose] = []


def known_by(whose: Whose) -> None:
    """Let the schedule say whose a visit is."""
    _KNOWN.append(whose)


async def demand(session: AsyncSession, opened: OpenedFor) -> None:
    """Raise Refusal 404 unless the visit, if there is one, is the patient's."""
    if opened.visit_id is None:
        return
    patients = (await links.joined(session, opened.patient_id)).ids
    for whose in _KNOWN:
        if await whose(session, opened.visit_id) in patients:
            return
    raise not_found()
