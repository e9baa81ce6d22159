"""The page of a case: versions, findings, decisions, timeline, comments, papers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, bindparam
from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import DirectRows
from models.tables.cases import (
    READ_FOR,
    Case,
    CaseAttachment,
    CaseDecision,
    CaseReading,
    CaseVersion,
    IssuedAct,
)
from models.tables.catalogue import Programme
from models.tables.documents import Document, DocumentVersion
from models.tables.journal import JournalEntry
from models.tables.people import Person, Unit
from rules.access import Actor, Permission
from rules.cases import deciding
from rules.cases.kinds import process_of
from rules.cases.process import Moved, Party, Status, Transition
from rules.catalogue.intakes import FIELD, Intake
from rules.clock import now as present
from rules.forms.definitions import (
    AttachmentRule,
    CaseTypeDefinition,
    ChecklistItem,
    FieldChange,
    difference,
    merged_attachments,
    merged_checklist,
    with_label,
)
from rules.journal.entries import JournalKind
from rules.journal.tags import ViewCode
from rules.refusals import not_found
from services import outages
from services.cases.drafts import editable
from services.cases.lists import CaseLine, Filters, Listing, mine
from services.cases.transitions import JOURNALED, may_see, see
from services.catalogue import intakes
from services.catalogue import lookup as catalogue
from services.conversation import Message, messages
from services.journal import disclosure
from services.journal import entries as journal
from services.journal.disclosure import ShownEntry
from services.requests.files import Answered, RequestPaper, answers_of, papers_of


@dataclass(frozen=True)
class Cited:
    """A document as cited by a version."""

    kind: str
    document_version_id: UUID
    document_id: UUID
    title: str
    file_name: str
    media_type: str
    size: int
    pages: int | None


@dataclass(frozen=True)
class Version:
    """One version as submitted, with the findings of its check, and what changed since the last."""

    number: int
    submitted_at: datetime
    data: Mapping[str, Any]
    attachments: Sequence[Cited]
    findings: Sequence[Mapping[str, Any]]
    checked_at: datetime | None
    changes: Sequence[FieldChange]


@dataclass(frozen=True)
class DecisionSummary:
    """A decision as the case shows it."""

    outcome: Transition
    version: int
    by: str
    at: datetime
    reason: str
    remarks: Mapping[str, str]
    checklist: Mapping[str, bool]


@dataclass(frozen=True)
class TimelineEntry:
    """One line of the timeline, with what its reader may see; `kind` is a `JournalKind`."""

    position: int
    kind: str
    at: datetime
    by: str | None
    facts: Mapping[str, Any]
    contents: Mapping[str, Any] | None
    hash: str


@dataclass(frozen=True)
class CasePage:
    """A case with everything that this person may see of it."""

    case: Case
    definition: CaseTypeDefinition
    programme: Programme | None
    attachment_rules: Sequence[AttachmentRule]
    checklist: Sequence[ChecklistItem]
    applicant: str
    applicant_position: str
    unit: str
    responsible_unit: str
    reviewer: str | None
    versions: Sequence[Version]
    decisions: Sequence[DecisionSummary]
    timeline: Sequence[TimelineEntry]
    comments: Sequence[Message]
    act: IssuedAct | None
    reading: Sequence[str]
    outage_since: datetime | None
    own: bool
    reviews: bool
    decides: bool
    """Whether the person may decide it now; a reviewer of an earlier step may only read."""
    oversees: bool
    may: frozenset[Transition]
    editable: bool
    intakes: Sequence[Intake] = ()
    """The programme's intakes, with the places taken."""
    papers: Sequence[RequestPaper] = ()
    """The electronic document of each version, if there is an addressee to send it to."""
    answers: Sequence[Answered] = ()
    """The addressee's answer to each version."""
    decided: bool = False
    """Whether this person decided on it before: then it can be read as it was."""

    @property
    def newest(self) -> Version | None:
        """The newest version."""
        return self.versions[-1] if self.versions else None

    def version(self, number: int) -> tuple[Version, Version | None]:
        """The version of this number, otherwise the newest one, and the version before it.

        Raises `not_found` for a draft, which has no version.
        """
        known = {one.number: one for one in self.versions}
        chosen = known.get(number) or self.newest
        if chosen is None:
            raise not_found()
        return chosen, known.get(chosen.number - 1)

    def since_decision(self, number: int) -> tuple[Version, Version | None]:
        """The version of this number, and the version of the last decision before it, if any.

        What a reviewer has not seen yet may be spread over several versions.
        """
        chosen, before = self.version(number)
        decided = [one.version for one in self.decisions if one.version < chosen.number]
        return chosen, self.version(max(decided))[0] if decided else before


async def page(session: AsyncSession, actor: Actor, case_id: UUID) -> CasePage:
    """Everything about a case. Raises `not_found` if the person may not see it.

    Views by anybody but the applicant are recorded (I9).
    """
    case = await see(session, actor, case_id)
    if case.applicant_id != actor.person_id:
        await journal.record_view(session, actor, case.id, ViewCode.CASE)
    return await put_together(session, actor, case)


async def put_together(session: AsyncSession, actor: Actor, case: Case) -> CasePage:
    """Everything of a case that this person may see, whose view the caller has recorded."""
    own = case.applicant_id == actor.person_id
    definition = await catalogue.case_type(session, case.type, case.type_version)
    programme = await catalogue.programme(session, case.programme_id) if case.programme_id else None
    known_intakes = await intakes.of_programme(session, programme)
    if known_intakes:
        # A programme with intakes asks for an intake, so every page calls the field so.
        definition = with_label(definition, FIELD, "Набор")
    entries = await disclosure.entries(session, actor, case)
    # What was never submitted is known to its applicant alone: nobody can have decided or read.
    submitted = case.version > 0
    decisions = await _decisions(session, case) if submitted else ()
    reading = await _reading(session, case, actor) if submitted else ()
    ids = {case.applicant_id, case.reviewer_id, *reading}
    ids |= {e.by_person for e in entries} | {d.by for d in decisions}
    people = await _people(session, {i for i in ids if i})
    units = {
        one.id: one.name
        for one in await _UNITS.all(session, {"ids": [case.unit_id, case.responsible_unit_id]})
    }
    reviews = not own and deciding.reviews(actor, case)
    acts = own or deciding.decides(actor, case)
    process = process_of(case.kind)
    # From a closed case only those arrows lead that reopen it.
    party = _party(case, definition, own=own)
    may = process.open_to(Status(case.status), party) if acts else ()
    return CasePage(
        case=case,
        definition=definition,
        programme=programme,
        intakes=known_intakes,
        attachment_rules=merged_attachments(definition, programme),
        checklist=merged_checklist(definition, programme),
        applicant=people[case.applicant_id].name,
        applicant_position=people[case.applicant_id].position,
        unit=units[case.unit_id],
        responsible_unit=units[case.responsible_unit_id],
        reviewer=people[case.reviewer_id].name if case.reviewer_id else None,
        versions=await _versions(session, case, definition) if submitted else (),
        decisions=[_decided(decision, people[decision.by].name) for decision in decisions],
        timeline=[
            _happened(entry, people.get(entry.by_person) if entry.by_person else None)
            for entry in reversed(entries)
        ],
        comments=await messages(session, actor, case) if submitted else (),
        act=await _act(session, case) if submitted else None,
        reading=[people[i].name for i in reading],
        outage_since=await _outage(session, case),
        own=own,
        reviews=reviews,
        decides=not own and acts,
        oversees=not own and actor.may(Permission.OVERSEE_REVIEWS, case.responsible_unit_id),
        may=frozenset(may),
        editable=own and editable(case),
        decided=any(one.by == actor.person_id for one in decisions),
        papers=await papers_of(session, case) if process.has_addressee else (),
        answers=await answers_of(session, case) if process.has_addressee else (),
    )


async def history_of(session: AsyncSession, actor: Actor, case_id: UUID) -> Sequence[CaseLine]:
    """The applicant's other cases that this person may see, for those who review this one."""
    case = await see(session, actor, case_id)
    if not deciding.reviews(actor, case):
        return []
    applicant = Actor(case.applicant_id, "", case.unit_id)
    others: Listing = await mine(session, applicant, Filters(), limit=50)
    lines = [line for line in others.lines if line.id != case.id and line.number]
    found = await session.exec(select(Case).where(col(Case.id).in_([line.id for line in lines])))
    seen = {other.id for other in found.all() if may_see(actor, other)}
    return [line for line in lines if line.id in seen][:20]


async def tag_of(session: AsyncSession, actor: Actor, case_id: UUID) -> str:
    """An ETag that changes whenever the live part of the page does, as by a journal entry."""
    case = await see(session, actor, case_id)
    entries = await session.exec(
        select(func.count()).select_from(JournalEntry).where(JournalEntry.chain == case_id)
    )
    closed = int(case.closed_at is not None)
    return f"{case.step}-{case.alarms}-{case.waits_for}-{closed}-{entries.one()}"


_TOLD_BY_THE_PAGE = frozenset({JournalKind.CASE_ACT_ISSUED})
"""Steps that follow a decision by themselves: an open page shows them, and needs no warning."""
_MOVES = frozenset(JOURNALED.values()) - _TOLD_BY_THE_PAGE


async def moved_since(session: AsyncSession, actor: Actor, case_id: UUID, step: int) -> Moved:
    """Who has moved the case beyond this step."""
    found = await session.exec(
        select(JournalEntry.by_person).where(
            JournalEntry.chain == case_id,
            col(JournalEntry.step) > step,
            col(JournalEntry.kind).in_(_MOVES),
        )
    )
    people = set(found.all())
    if people - {actor.person_id}:
        return Moved.BY_OTHERS
    return Moved.BY_ONESELF if people else Moved.NO


async def _versions(
    session: AsyncSession, case: Case, definition: CaseTypeDefinition
) -> list[Version]:
    found = (
        await session.exec(
            select(CaseVersion)
            .where(CaseVersion.case_id == case.id)
            .order_by(col(CaseVersion.number))
        )
    ).all()
    cited: dict[int, list[Cited]] = {version.number: [] for version in found}
    for number, attachment in await _cited(session, case.id):
        cited[number].append(attachment)
    versions: list[Version] = []
    for version in found:
        before = versions[-1].data if versions else None
        versions.append(
            Version(
                number=version.number,
                submitted_at=version.submitted_at,
                data=version.data,
                attachments=cited[version.number],
                findings=version.findings or [],
                checked_at=version.checked_at,
                changes=difference(definition, before, version.data) if before else [],
            )
        )
    return versions


async def _cited(session: AsyncSession, case_id: UUID) -> list[tuple[int, Cited]]:
    rows = await session.exec(
        select(CaseAttachment, DocumentVersion, Document)
        .join(DocumentVersion, col(DocumentVersion.id) == col(CaseAttachment.document_version_id))
        .join(Document, col(Document.id) == col(DocumentVersion.document_id))
        .where(CaseAttachment.case_id == case_id)
        .order_by(col(CaseAttachment.case_version), col(CaseAttachment.kind))
    )
    return [
        (
            attachment.case_version,
            Cited(
                kind=attachment.kind,
                document_version_id=version.id,
                document_id=document.id,
                title=document.title,
                file_name=version.file_name,
                media_type=version.media_type,
                size=version.size,
                pages=version.pages,
            ),
        )
        for attachment, version, document in rows.all()
    ]


def _party(case: Case, definition: CaseTypeDefinition, *, own: bool) -> Party:
    """On whose behalf a person who sees the case could move it."""
    if own:
        return Party.APPLICANT
    if not process_of(case.kind).has_addressee:
        return Party.REVIEWER
    return Party.ADDRESSEE if definition.answered_by_people else Party.NOBODY


def _decided(decision: CaseDecision, by: str) -> DecisionSummary:
    return DecisionSummary(
        Transition(decision.outcome),
        decision.version,
        by,
        decision.at,
        decision.reason,
        decision.remarks,
        decision.checklist,
    )


def _happened(entry: ShownEntry, by: Person | None) -> TimelineEntry:
    return TimelineEntry(
        entry.position,
        entry.kind,
        entry.at,
        by.name if by else None,
        entry.facts,
        entry.contents,
        entry.hash,
    )


async def _decisions(session: AsyncSession, case: Case) -> Sequence[CaseDecision]:
    found = await session.exec(
        select(CaseDecision).where(CaseDecision.case_id == case.id).order_by(col(CaseDecision.step))
    )
    return found.all()


async def _act(session: AsyncSession, case: Case) -> IssuedAct | None:
    found = await session.exec(select(IssuedAct).where(IssuedAct.case_id == case.id))
    return found.one_or_none()


_IDS = bindparam("ids", type_=ARRAY(Uuid()))
_UNITS = DirectRows(select(Unit).where(col(Unit.id) == any_(_IDS)))
_PEOPLE = DirectRows(select(Person).where(col(Person.id) == any_(_IDS)))


async def _people(session: AsyncSession, ids: set[UUID]) -> dict[UUID, Person]:
    return {person.id: person for person in await _PEOPLE.all(session, {"ids": [*ids]})}


async def _reading(session: AsyncSession, case: Case, actor: Actor) -> list[UUID]:
    found = await session.exec(
        select(CaseReading.person_id).where(
            CaseReading.case_id == case.id,
            CaseReading.at > present() - READ_FOR,
            CaseReading.person_id != actor.person_id,
        )
    )
    return list(found.all())


async def _outage(session: AsyncSession, case: Case) -> datetime | None:
    system = outages.SYSTEMS.get(Party(case.waits_for))
    return await outages.open_since(session, system) if system else None
