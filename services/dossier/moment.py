"""A case as it was at any act: what was known then, who held which rights, and what came later.

Everything is cut from what the reader may see of the case today, by the journal: an entry names the
version, the message or the state that came with it. Of what was not known yet only the number is
told; a later act shows it. Read by auditors, and by whoever decided on the case and may still see
it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.cases import Case
from models.tables.journal import JournalEntry
from models.tables.people import Person, RoleGrant, Unit
from rules.access import Actor, Permission
from rules.cases.numbers import parse_number
from rules.cases.process import Party, Status
from rules.journal.entries import JournalKind as K
from rules.journal.tags import ViewCode
from rules.refusals import FieldError, Refusal, forbidden, not_found
from rules.texts.identifiers import IdentifierError
from services.cases.transitions import JOURNALED, may_see
from services.dossier import page as dossier
from services.dossier.page import CasePage, TimelineEntry, Version
from services.journal import entries as journal
from services.journal.disclosure import audits

_DECISIONS = (
    K.CASE_APPROVED,
    K.CASE_CLARIFICATION_ASKED,
    K.CASE_CONFIRMED,
    K.CASE_REJECTED,
)
_DECIDED = (*_DECISIONS, K.REQUEST_ANSWERED, K.REQUEST_REFUSED)
_MOVES = frozenset(JOURNALED.values())
_WHOSE = {
    K.CASE_REVIEW_OPENED: "reviewer",
    K.REQUEST_SENT: "reviewer",
    K.CASE_ASSIGNED: "to",
    K.CASE_TAKEN: "to",
    K.CASE_HANDED_OVER: "to",
}
"""Which fact of an entry says who has the case from then on."""


@dataclass(frozen=True)
class RightThen:
    """A role that somebody of the case held at that moment."""

    person: str
    role: str
    unit: str
    valid_from: datetime
    valid_until: datetime | None


@dataclass(frozen=True)
class NotYetKnown:
    """What came later: how many of each."""

    versions: int
    findings: int
    decisions: int
    messages: int
    acts: int

    @property
    def any(self) -> bool:
        """Whether anything came later at all."""
        return bool(self.versions or self.findings or self.decisions or self.messages or self.acts)


@dataclass(frozen=True)
class Moment:
    """A case at one act. `page` has only what was known then."""

    page: CasePage
    position: int
    at: datetime
    step: int
    status: Status
    waits_for: Party
    due_at: datetime | None
    reviewer: str | None
    rights: Sequence[RightThen]
    unknown: NotYetKnown
    positions: Sequence[TimelineEntry]
    """Every act of the case that the reader may see, the newest first: where to go from here."""

    def reason(self, entry: TimelineEntry) -> str:
        """What was said with an act; nothing of one that had not happened yet."""
        if entry.position > self.position or entry.contents is None:
            return ""
        return str(entry.contents.get("reason") or entry.contents.get("message") or "")

    @property
    def act(self) -> TimelineEntry:
        """The act itself."""
        return self.page.timeline[0]


async def found(session: AsyncSession, actor: Actor, number: str) -> UUID:
    """The case of this number, for an auditor.

    Raises Refusal 403 without the right, 422 where no case that they may audit has the number.
    """
    if not actor.may(Permission.AUDIT_CASES):
        raise forbidden()
    try:
        known = str(parse_number(number))
    except IdentifierError as error:
        raise _unknown_number(error.message) from error
    case = (await session.exec(select(Case).where(Case.number == known))).one_or_none()
    if case is None or not audits(actor, case):
        raise _unknown_number("Дела с таким номером нет. Проверьте номер.")
    return case.id


def _unknown_number(message: Any) -> Refusal:
    return Refusal("unknown_number", message, 422, [FieldError("number", message)])


async def moment(
    session: AsyncSession, actor: Actor, case_id: UUID, position: int | None = None
) -> Moment:
    """The case as it was after the act at this position of its journal; None: the last one.

    That it was looked at is recorded. Raises `not_found` for others, and for no such act.
    """
    case = await session.get(Case, case_id)
    if case is None or case.version == 0 or not await _may_look_back(session, actor, case):
        raise not_found()
    await journal.record_view(session, actor, case.id, ViewCode.CASE_AT)
    whole = await dossier.put_together(session, actor, case)
    if not whole.timeline or (position is not None and position < whole.timeline[-1].position):
        raise not_found()
    last = whole.timeline[0].position
    if position is None:
        position = last
    if position > last:
        raise not_found()
    return await _at(session, whole, position)


async def _may_look_back(session: AsyncSession, actor: Actor, case: Case) -> bool:
    if audits(actor, case):
        return True
    if case.applicant_id == actor.person_id or not may_see(actor, case):
        return False
    decided = select(JournalEntry.id).where(
        JournalEntry.chain == case.id,
        JournalEntry.by_person == actor.person_id,
        col(JournalEntry.kind).in_(_DECIDED),
    )
    return (await session.exec(decided.limit(1))).first() is not None


async def _at(session: AsyncSession, whole: CasePage, position: int) -> Moment:
    timeline = [entry for entry in whole.timeline if entry.position <= position]
    at = timeline[0].at
    moved = [entry for entry in reversed(timeline) if entry.kind in _MOVES]
    state: Mapping[str, Any] = moved[-1].facts if moved else {}
    cut, unknown = _known_by(whole, timeline, at)
    reviewer = await _reviewer(session, timeline)
    return Moment(
        page=cut,
        position=timeline[0].position,
        at=at,
        step=len(moved),
        status=Status(state.get("to", Status.DRAFT)),
        waits_for=Party(state.get("waits_for", Party.APPLICANT)),
        due_at=datetime.fromisoformat(state["due_at"]) if state.get("due_at") else None,
        reviewer=reviewer[1] if reviewer else None,
        rights=await _rights(session, whole, timeline[0], reviewer, at),
        unknown=unknown,
        positions=whole.timeline,
    )


def _known_by(
    whole: CasePage, timeline: Sequence[TimelineEntry], at: datetime
) -> tuple[CasePage, NotYetKnown]:
    """The page with what these entries tell of, and how much they do not."""
    newest = max((int(entry.facts.get("version") or 0) for entry in timeline), default=0)
    versions = [_checked_by(one, at) for one in whole.versions if one.number <= newest]
    decided = sum(entry.kind in _DECISIONS for entry in timeline)
    written = {str(entry.facts["comment"]) for entry in timeline if "comment" in entry.facts}
    comments = [one for one in whole.comments if str(one.id) in written]
    issued = any(entry.kind == K.CASE_ACT_ISSUED for entry in timeline)
    answered = any(entry.kind == K.REQUEST_ANSWERED for entry in timeline)
    cut = replace(
        whole,
        timeline=timeline,
        versions=versions,
        decisions=whole.decisions[:decided],
        comments=comments,
        act=whole.act if issued else None,
        papers=[one for one in whole.papers if one.version <= newest],
        answers=whole.answers if answered else (),
    )
    known = {one.number: one for one in versions}
    return cut, NotYetKnown(
        versions=len(whole.versions) - len(versions),
        findings=sum(
            one.checked_at is not None
            and one.number in known
            and known[one.number].checked_at is None
            for one in whole.versions
        ),
        decisions=len(whole.decisions) - len(cut.decisions),
        messages=len(whole.comments) - len(comments),
        acts=len(whole.timeline) - len(timeline),
    )


def _checked_by(version: Version, at: datetime) -> Version:
    """The version without findings that came later."""
    if version.checked_at is not None and version.checked_at > at:
        return replace(version, findings=(), checked_at=None)
    return version


async def _reviewer(
    session: AsyncSession, timeline: Sequence[TimelineEntry]
) -> tuple[UUID, str] | None:
    for entry in timeline:
        name = _WHOSE.get(K(entry.kind))
        if name is not None and (known := entry.facts.get(name)):
            person = await session.get(Person, UUID(str(known)))
            return (person.id, person.name) if person else None
    return None


async def _rights(
    session: AsyncSession,
    whole: CasePage,
    act: TimelineEntry,
    reviewer: tuple[UUID, str] | None,
    at: datetime,
) -> list[RightThen]:
    """The roles that the applicant, the reviewer and whoever acted held at that moment."""
    acted = await session.exec(
        select(JournalEntry.by_person).where(
            JournalEntry.chain == whole.case.id, JournalEntry.position == act.position
        )
    )
    people = {whole.case.applicant_id, *([reviewer[0]] if reviewer else ())}
    if act.by is not None and (by := acted.one()) is not None:
        people.add(by)
    until = col(RoleGrant.valid_until)
    held = await session.exec(
        select(RoleGrant, Person, Unit)
        .join(Person, col(Person.id) == col(RoleGrant.person_id))
        .join(Unit, col(Unit.id) == col(RoleGrant.unit_id))
        .where(
            col(RoleGrant.person_id).in_(people),
            col(RoleGrant.valid_from) <= at,
            or_(until.is_(None), until > at),
        )
        .order_by(col(RoleGrant.person_id), col(RoleGrant.valid_from))
    )
    return [
        RightThen(person.name, grant.role, unit.name, grant.valid_from, grant.valid_until)
        for grant, person, unit in held.all()
    ]
