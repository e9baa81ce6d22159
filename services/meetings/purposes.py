"""What a meeting is for: each purpose registers what only its own subject knows."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from models.messages import CaseState
from models.tables.meetings import Meeting
from rules.meetings import Purpose, not_needed


@dataclass(frozen=True)
class PurposeQuestion:
    """Something that the operator goes through with the person, and marks where it is right."""

    name: str
    words: str
    hint: str = ""
    since: datetime | None = None


async def _nothing(session: AsyncSession, person_id: UUID) -> Sequence[PurposeQuestion]:
    del session, person_id
    return ()


async def _never(session: AsyncSession, meeting: Meeting) -> bool:
    del session, meeting
    return False


@dataclass(frozen=True)
class MeetingPurpose:
    """The hooks of one purpose, called in the unit of work of the act.

    `demand` raises Refusal where the person needs no such meeting now. `ended` follows every
    outcome; it returns the cases whose workflows have to look again. `case` is the case in which
    the person's documents are, if there is one. `asks` is gone through besides the checklist, and
    `gives_code` says whether the operator tells the person a code after it.
    """

    demand: Callable[[AsyncSession, UUID], Awaitable[None]]
    ended: Callable[[AsyncSession, Meeting, datetime], Awaitable[Sequence[CaseState]]]
    case: Callable[[AsyncSession, UUID], Awaitable[UUID | None]]
    asks: Callable[[AsyncSession, UUID], Awaitable[Sequence[PurposeQuestion]]] = _nothing
    gives_code: Callable[[AsyncSession, Meeting], Awaitable[bool]] = _never


_PURPOSES: dict[Purpose, MeetingPurpose] = {}


def register(purpose: Purpose, hooks: MeetingPurpose) -> None:
    """Register the hooks of a purpose."""
    _PURPOSES[purpose] = hooks


def hooks_of(purpose: str) -> MeetingPurpose:
    """The hooks of a purpose. Raises Refusal 409 for one that nobody has registered."""
    if (hooks := _PURPOSES.get(Purpose(purpose))) is None:
        raise not_needed()
    return hooks


async def case_of(session: AsyncSession, purpose: Purpose, person_id: UUID) -> UUID | None:
    """The case in which the documents of a person are, for the operator of a meeting."""
    hooks = _PURPOSES.get(purpose)
    return await hooks.case(session, person_id) if hooks is not None else None
