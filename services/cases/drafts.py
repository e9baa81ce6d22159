"""What the applicant of any case does with it: draft, submit versions, withdraw, copy.

`Applications` and `Requests` inherit from this. Each act is one unit of work; after its commit the
workflow gets the signal of that name.
"""

import hashlib
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID
from zoneinfo import ZoneInfo

import rfc8785
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from models.messages import CaseState
from models.tables.cases import Case, CaseVersion
from models.tables.catalogue import Programme
from models.tables.people import Person
from rules.access import Actor
from rules.cases.kinds import process_of
from rules.cases.limits import (
    LONGEST_REASON,
    MOST_ATTACHMENTS,
    MOST_DRAFTS,
    MOST_VERSIONS,
    VERSIONS_WITHIN,
    too_many_attachments,
    too_many_drafts,
    too_many_versions,
)
from rules.cases.numbers import NumberKind, format_number
from rules.cases.process import NEW_VERSION, CaseKind, Party, Status, Transition
from rules.catalogue.intakes import FIELD as INTAKE
from rules.clock import now as present
from rules.forms.definitions import (
    CaseTypeDefinition,
    check_attachments,
    check_form,
    merged_attachments,
)
from rules.forms.draft_edits import edit
from rules.forms.fields import too_long, too_long_words
from rules.journal.entries import JournalKind, new_salt
from rules.refusals import FieldError, Refusal, not_found
from rules.texts.cleaning import clean
from services.cases.acts import Act, CaseActs, Doing
from services.cases.beginning import Beginner, beginner, insert_draft
from services.cases.draft_contents import (
    begin_correction,
    checked_attachments,
    citation,
    citing,
    contents_of,
    demand_seen,
    not_asked_for,
)
from services.cases.signals import CaseSignals
from services.cases.transitions import CaseNotice, lock, move
from services.catalogue import intakes
from services.catalogue import lookup as catalogue
from services.journal import entries as journal


@dataclass(frozen=True)
class RefusalTexts:
    """How refusals speak of a kind of case: gettext msgids."""

    not_closed: str
    not_now: str
    nothing_changed: str
    incomplete: str


class Drafts(CaseActs):
    """The acts of applicants on one kind of case.

    Numbers of cases have the year in `institution_zone`. A case of another kind is not found.
    """

    kind: ClassVar[CaseKind]
    number_kind: ClassVar[NumberKind]
    spoken: ClassVar[RefusalTexts]
    most_drafts: int = MOST_DRAFTS
    """How many drafts a person may have; benchmarks set it higher to make theirs in advance."""

    def __init__(self, database: Database, signals: CaseSignals, institution_zone: str) -> None:
        super().__init__(database, signals)
        self._zone = ZoneInfo(institution_zone)

    def notices_of(self, transition: Transition, case: Case) -> list[CaseNotice]:
        """The notices that an act of the applicant causes."""
        raise NotImplementedError

    async def copy(self, actor: Actor, case_id: UUID) -> Case:
        """Copy a case closed without success into a new draft of the newest form (A6).

        A correction that was typed but not submitted before the case was closed is copied with it.
        """
        async with self._database.work() as session:
            old = await session.get(Case, case_id)
            if old is None or not self._is_own(actor, old):
                raise not_found()
            if Status(old.status) not in process_of(self.kind).copyable or not old.version:
                raise Refusal("not_closed", self.spoken.not_closed, 409)
            data, cited = await contents_of(session, old)
            _, programme = await rules_of(session, old)
            definition = await catalogue.case_type(session, old.type)
            # Contents that the form no longer asks for could not be removed by the applicant.
            kinds = {rule.kind for rule in merged_attachments(definition, programme)}
            kept = {name: given for name, given in data.items() if name in definition.fields}
            attachments = [given for given in cited if given["kind"] in kinds]
            begun_by = await self._beginner(session, actor)
            return await self._new_case(
                session, begun_by, definition, old.programme_id, kept, attachments, old.id
            )

    async def _beginner(self, session: AsyncSession, actor: Actor) -> Beginner:
        """Who begins one more draft of this kind. Raises Refusal for one beyond the limit."""
        begun_by = await beginner(session, actor, self.kind)
        if begun_by.kept >= self.most_drafts:
            raise too_many_drafts(process_of(self.kind), self.most_drafts)
        return begun_by

    async def _new_case(
        self,
        session: AsyncSession,
        begun_by: Beginner,
        definition: CaseTypeDefinition,
        programme_id: UUID | None,
        draft: dict[str, Any],
        attachments: list[dict[str, str]],
        copied_from: UUID | None,
        *,
        responsible_unit_id: UUID | None = None,
        subject_id: UUID | None = None,
    ) -> Case:
        """Insert a draft; the addressee of its type decides unless `responsible_unit_id` does."""
        now = present()
        decides = responsible_unit_id or await self._responsible(
            session, begun_by.person.unit_id, definition.addressee
        )
        case = Case(
            kind=self.kind,
            type=definition.key,
            type_version=definition.version,
            programme_id=programme_id,
            applicant_id=begun_by.person.id,
            unit_id=begun_by.person.unit_id,
            subject_id=subject_id,
            responsible_unit_id=decides,
            copied_from_id=copied_from,
            status=Status.DRAFT.value,
            waits_for=process_of(self.kind).waits_for[Status.DRAFT].value,
            created_at=now,
            since=now,
            term_zone=begun_by.zone,
            draft=draft,
            draft_attachments=attachments,
            draft_saved_at=now,
        )
        await insert_draft(session, case)
        return case

    async def _responsible(self, session: AsyncSession, unit_id: UUID, addressee: str) -> UUID:
        """The unit that decides on a case of somebody in `unit_id`: the addressee of its type."""
        del unit_id
        return await catalogue.unit_id(session, addressee)

    async def save_draft(
        self,
        actor: Actor,
        case_id: UUID,
        data: Mapping[str, Any] | None = None,
        attachments: Sequence[Mapping[str, str]] | None = None,
        revision: str | None = None,
    ) -> tuple[Case, list[FieldError]]:
        """Store what was typed, right or wrong. Returns the errors in it so far.

        `data` is merged into the draft by field; `attachments` (kind, document_version_id) replaces
        the list. A case that may be corrected has a draft too: the correction under way (A6, S6).
        Raises Refusal 409 if the draft is no longer at `revision`, or if a list without a revision
        would remove a document: the client may never have seen it.
        """
        async with self._editing(actor, case_id) as (session, case):
            definition, programme = await rules_of(session, case)
            given = None
            if attachments is not None:
                given = await checked_attachments(session, actor, attachments)
            demand_seen(case, given, revision)
            if data is not None:
                case.draft = {**(case.draft or {}), **_known(definition, data)}
            if given is not None:
                case.draft_attachments = given
            today = _today(case, present())
            data, errors = check_form(definition, case.draft or {}, complete=False, today=today)
            errors += await intakes.faults(session, case, programme, data, today)
        return case, errors

    async def save_fields(
        self, actor: Actor, case_id: UUID, given: Mapping[str, Any], shown: Mapping[str, str]
    ) -> tuple[Case, Mapping[str, Any]]:
        """Store the changes of a form that showed `shown` (marks of `rules.forms.draft_edits`).

        Fields that were changed elsewhere meanwhile are not written; their stored values are
        returned.
        """
        async with self._editing(actor, case_id) as (session, case):
            definition, _ = await rules_of(session, case)
            kept = case.draft or {}
            made = edit(definition.fields, _known(definition, given), shown, kept)
            case.draft = {**kept, **made.changes}
        return case, made.clashes

    async def attach(self, actor: Actor, case_id: UUID, kind: str, version_id: UUID) -> Case:
        """Add a document to the draft, whatever is added or removed at the same time.

        Raises Refusal 422 for a kind that the form does not ask for, a document that is not the
        person's own, and one more than a draft may hold.
        """
        async with self._editing(actor, case_id) as (session, case):
            kinds = {rule.kind for rule in merged_attachments(*await rules_of(session, case))}
            if kind not in kinds:
                raise not_asked_for()
            cited = await checked_attachments(session, actor, [citation(kind, version_id)])
            others = [one for one in case.draft_attachments if one not in cited]
            if len(others) >= MOST_ATTACHMENTS:
                raise too_many_attachments()
            case.draft_attachments = [*others, *cited]
        return case

    async def detach(self, actor: Actor, case_id: UUID, kind: str, version_id: UUID) -> Case:
        """Remove a document from the draft; the person keeps it. A missing one is no error."""
        async with self._editing(actor, case_id) as (_, case):
            gone = citation(kind, version_id)
            case.draft_attachments = [one for one in case.draft_attachments if one != gone]
        return case

    @asynccontextmanager
    async def _editing(
        self, actor: Actor, case_id: UUID
    ) -> AsyncIterator[tuple[AsyncSession, Case]]:
        """The draft under the lock of its case: nobody changes it between reading and writing."""
        async with self._database.work() as session:
            case = await self._lock_own(session, actor, case_id)
            if not editable(case):
                raise Refusal("not_now", self.spoken.not_now, 409)
            await begin_correction(session, case)
            yield session, case
            case.draft_saved_at = present()
            session.add(case)

    async def discard_draft(self, actor: Actor, case_id: UUID) -> None:
        """Delete a draft that was never submitted, or the correction under way."""
        async with self._database.work() as session:
            case = await self._lock_own(session, actor, case_id)
            if case.version:
                case.draft, case.draft_attachments, case.draft_saved_at = None, [], None
                session.add(case)
                return
            now = present()
            case.status, case.closed_at = Status.WITHDRAWN.value, now
            case.waits_for, case.draft, case.draft_attachments = Party.NOBODY.value, None, []
            session.add(case)
            await journal.append(
                session,
                chain=case.id,
                kind=JournalKind.CASE_WITHDRAWN,
                at=now,
                by=actor.person_id,
                step=case.step,
                facts={"draft": True},
            )

    async def submit(self, actor: Actor, case_id: UUID, act: Act) -> CaseState:
        """Submit the draft: the case gets its number and a workflow (A3, S3)."""
        return await self.hand_in(actor, case_id, act, Transition.SUBMIT)

    async def correct(self, actor: Actor, case_id: UUID, act: Act) -> CaseState:
        """Submit a new version unasked, in any status that allows it."""
        return await self.hand_in(actor, case_id, act, Transition.CORRECT)

    async def hand_in(
        self, actor: Actor, case_id: UUID, act: Act, transition: Transition
    ) -> CaseState:
        """Submit what was typed as a new version, by one of the transitions `NEW_VERSION`."""
        assert transition in NEW_VERSION  # noqa: S101 - a mistake of ours, not of the person

        async def write(doing: Doing) -> None:
            session, case, now = doing.session, doing.case, doing.now
            data, attachments = await self._demand_complete(session, case, now)
            await _not_too_often(session, case, now)
            await self._submit_version(doing, actor, transition, data, attachments)

        return await self._once(
            actor, act, transition, {}, find=self._own(actor, case_id), write=write
        )

    async def _submit_version(
        self,
        doing: Doing,
        actor: Actor | None,
        transition: Transition,
        data: dict[str, Any],
        attachments: list[dict[str, str]],
        tell: Sequence[CaseNotice] | None = None,
    ) -> None:
        """Store checked answers as a new version, and move the case by one of `NEW_VERSION`.

        Without an actor the program itself submits it, in the applicant's name.
        """
        session, case, now = doing.session, doing.case, doing.now
        if doing.sequence is not None:
            year = now.astimezone(self._zone).year
            case.number = format_number(self.number_kind, year, doing.sequence)
            case.submitted_at = now
        case.version += 1
        case.draft, case.draft_attachments, case.draft_saved_at = None, [], None
        version = _version(case, data, attachments, now)
        await move(
            session,
            case,
            transition,
            now=now,
            by=actor,
            facts={
                "version": case.version,
                "version_digest": version.digest,
                **({} if actor else {"proposed": True}),
            },
            tell=self.notices_of(transition, case) if tell is None else tell,
            along=journal.Along.of(version).also(citing(version, attachments)),
        )

    async def _demand_complete(
        self, session: AsyncSession, case: Case, now: datetime
    ) -> tuple[dict[str, Any], list[dict[str, str]]]:
        """The answers and documents of a complete draft; reserves its place in an intake.

        Raises Refusal 422 with everything that is wrong or missing.
        """
        definition, programme = await rules_of(session, case)
        if case.draft is None:
            raise Refusal("nothing_changed", self.spoken.nothing_changed, 422)
        today = _today(case, now)
        data, errors = check_form(definition, case.draft, complete=True, today=today)
        errors += await intakes.faults(session, case, programme, data, today)
        rules = merged_attachments(definition, programme)
        errors += check_attachments(rules, [a["kind"] for a in case.draft_attachments])
        if not errors and programme is not None:
            errors += await intakes.hold(session, case, programme, data.get(INTAKE))
        if errors:
            raise Refusal("incomplete", self.spoken.incomplete, 422, errors)
        return data, case.draft_attachments

    async def withdraw(self, actor: Actor, case_id: UUID, act: Act, reason: str) -> CaseState:
        """Withdraw an open case. Raises Refusal 422 for a reason that is too long."""
        reason = reason.strip()
        if len(reason) > LONGEST_REASON:
            words = "Сократите причину до 4000 знаков."
            raise Refusal("incomplete", words, 422, [FieldError("reason", words)])
        body = {"reason": reason}

        async def write(doing: Doing) -> None:
            await self._withdrawn(doing, actor)
            await move(
                doing.session,
                doing.case,
                Transition.WITHDRAW,
                now=doing.now,
                by=actor,
                contents=body,
                tell=self.notices_of(Transition.WITHDRAW, doing.case),
            )

        return await self._once(
            actor, act, Transition.WITHDRAW, body, find=self._own(actor, case_id), write=write
        )

    async def _withdrawn(self, doing: Doing, actor: Actor) -> None:
        """What a withdrawal undoes besides, before the case moves: nothing, in most kinds."""

    def _own(self, actor: Actor, case_id: UUID) -> Callable[[AsyncSession], Awaitable[Case]]:
        return lambda session: self._lock_own(session, actor, case_id)

    async def _lock_own(self, session: AsyncSession, actor: Actor, case_id: UUID) -> Case:
        """The locked case, if it is the person's own and of this kind. Raises `not_found`."""
        case = await lock(session, case_id)
        if not self._is_own(actor, case):
            raise not_found()
        return case

    def _is_own(self, actor: Actor, case: Case) -> bool:
        own = case.applicant_id == actor.person_id and case.kind == self.kind
        return own and actor.may(process_of(self.kind).applied_with)


def _version(
    case: Case,
    data: dict[str, Any],
    attachments: list[dict[str, str]],
    now: datetime,
) -> CaseVersion:
    """What is submitted, as the newest version of the case."""
    salt = new_salt()
    return CaseVersion(
        case_id=case.id,
        number=case.version,
        data=data,
        salt=salt,
        digest=version_digest(data, attachments, salt),
        submitted_at=now,
        submitted_by=case.applicant_id,
    )


async def _not_too_often(session: AsyncSession, case: Case, now: datetime) -> None:
    """Refuse one more version of a case if too many were submitted today; the draft stays."""
    if case.version < MOST_VERSIONS:
        return
    counts = await session.get_one(CaseVersion, (case.id, case.version - MOST_VERSIONS + 1))
    if counts.submitted_at > now - VERSIONS_WITHIN:
        raise too_many_versions(MOST_VERSIONS, counts.submitted_at, now)


async def rules_of(
    session: AsyncSession, case: Case
) -> tuple[CaseTypeDefinition, Programme | None]:
    """The type that the case began with, and its programme if it has one."""
    definition = await catalogue.case_type(session, case.type, case.type_version)
    programme = await catalogue.programme(session, case.programme_id) if case.programme_id else None
    return definition, programme


async def rules_of_all(
    session: AsyncSession, case_ids: Sequence[UUID]
) -> dict[UUID, tuple[CaseTypeDefinition, Programme | None]]:
    """`rules_of` for several cases, by their ids."""
    found = await session.exec(select(Case).where(col(Case.id).in_(case_ids)))
    return {case.id: await rules_of(session, case) for case in found.all()}


def editable(case: Case) -> bool:
    """Whether the applicant may submit a version now; a closed case only if that reopens it."""
    process, status = process_of(case.kind), Status(case.status)
    return any(
        rule.reopens or case.closed_at is None
        for transition in NEW_VERSION
        if (rule := process.rule_for(status, transition)) and rule.by is Party.APPLICANT
    )


def version_digest(
    data: Mapping[str, Any], attachments: Sequence[Mapping[str, str]], salt: bytes
) -> str:
    """HMAC-SHA256 (hex) over the canonical JSON (RFC 8785) of a form and the documents it cites.

    The digest is public in the journal and on receipts; the salt keeps the form from being guessed
    field by field.
    """
    body: Any = {"data": dict(data), "attachments": [dict(a) for a in attachments]}
    return hmac.new(salt, rfc8785.dumps(body), hashlib.sha256).hexdigest()


def facts_of(person: Person) -> dict[str, Any]:
    """The facts about the person that fill in a form, by the names that `prefill` uses."""
    names = ("name", "position", "snils", "inn", "phone")
    return {f"person.{name}": getattr(person, name) for name in names}


def _today(case: Case, now: datetime) -> date:
    return now.astimezone(ZoneInfo(case.term_zone)).date()


def _known(definition: CaseTypeDefinition, data: Mapping[str, Any]) -> dict[str, Any]:
    """Only the fields of the form, without those that are locked.

    Raises Refusal 422 for a text that is too long for a draft: texts are never cut.
    """
    fields = definition.fields
    known = {
        name: clean(value) if isinstance(value, str) else value
        for name, value in data.items()
        if name in fields and not fields[name].locked
    }
    if long := [name for name, value in known.items() if too_long(value)]:
        wrong = [FieldError(name, too_long_words()) for name in long]
        raise Refusal("incomplete", "Сохранить нельзя: сократите отмеченные поля.", 422, wrong)
    return known
