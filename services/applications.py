"""What an applicant does with an application: draft, submit, correct, withdraw, copy, comment.

Each method is one unit of work; after its commit the workflow is rung by the signal of that name.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import rfc8785
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from models.messages import CaseState, Ring
from models.tables.base import new_id
from models.tables.cases import Case, CaseAttachment, CaseComment, CaseVersion
from models.tables.catalogue import Programme
from models.tables.documents import Document, DocumentVersion
from models.tables.people import Person, Unit
from rules.applications import APPLICATION, COPYABLE, NEW_VERSION, WAITS_FOR
from rules.cases import CaseKind, Party, Status, Transition
from rules.clock import now as present
from rules.fields import as_typed
from rules.forms import (
    CaseTypeDefinition,
    check_attachments,
    check_form,
    merged_attachments,
    prefilled,
)
from rules.journal import JournalKind, new_salt
from rules.numbers import NumberKind, format_number
from rules.permissions import Actor, Permission
from rules.refusals import FieldError, Refusal, forbidden, not_found
from services import catalogue, journal, notices
from services.bell import Bell
from services.cases import Act, Notice, claim, lock, move, see, state_of

TYPE = "qualification"


class Applications:
    """The acts of applicants. `institution_zone` gives the year of the numbers."""

    def __init__(self, database: Database, bell: Bell, institution_zone: str) -> None:
        self._database = database
        self._bell = bell
        self._zone = ZoneInfo(institution_zone)

    async def create_draft(self, actor: Actor, programme_id: UUID) -> Case:
        """Begin an application for a programme, filled in from what is known already (A1)."""
        if not actor.may(Permission.APPLY):
            raise forbidden()
        async with self._database.work() as session:
            programme = await catalogue.offered_programme(session, programme_id)
            definition = await catalogue.case_type(session, TYPE)
            person = await session.get_one(Person, actor.person_id)
            draft = prefilled(definition, _facts(person, programme))
            return await self._new_case(session, actor, definition, programme.id, draft, [], None)

    async def copy(self, actor: Actor, case_id: UUID) -> Case:
        """Copy a closed case without success into a new draft (A6)."""
        async with self._database.work() as session:
            old = await _own(session, actor, case_id)
            if Status(old.status) not in COPYABLE:
                raise Refusal("not_closed", "Копировать можно только закрытую заявку.", 409)
            version = await session.get_one(CaseVersion, (old.id, old.version))
            attachments = await attachments_of(session, old.id, old.version)
            definition = await catalogue.case_type(session, old.type)
            return await self._new_case(
                session, actor, definition, old.programme_id, version.data, attachments, old.id
            )

    async def _new_case(
        self,
        session: AsyncSession,
        actor: Actor,
        definition: CaseTypeDefinition,
        programme_id: UUID | None,
        draft: dict[str, Any],
        attachments: list[dict[str, str]],
        copied_from: UUID | None,
    ) -> Case:
        now = present()
        unit = await session.get_one(Unit, actor.unit_id)
        case = Case(
            kind=CaseKind.APPLICATION,
            type=definition.key,
            type_version=definition.version,
            programme_id=programme_id,
            applicant_id=actor.person_id,
            unit_id=unit.id,
            responsible_unit_id=await catalogue.unit_id(session, definition.addressee),
            copied_from_id=copied_from,
            status=Status.DRAFT.value,
            waits_for=WAITS_FOR[Status.DRAFT].value,
            created_at=now,
            since=now,
            term_zone=unit.time_zone,
            draft=draft,
            draft_attachments=attachments,
            draft_saved_at=now,
        )
        session.add(case)
        await session.flush()
        await journal.append(
            session,
            chain=case.id,
            kind=JournalKind.CASE_COPIED if copied_from else JournalKind.CASE_DRAFTED,
            at=now,
            by=actor.person_id,
            step=case.step,
            facts={"copied_from": str(copied_from)} if copied_from else {},
        )
        return case

    async def save_draft(
        self,
        actor: Actor,
        case_id: UUID,
        data: Mapping[str, Any] | None = None,
        attachments: Sequence[Mapping[str, str]] | None = None,
    ) -> tuple[Case, list[FieldError]]:
        """Keep what was typed, wrong or not, and say what is wrong with it so far.

        `data` is merged into the draft by field; `attachments` (kind, document_version_id)
        replaces the list. An open case has a draft too: the correction in the making (A6).
        """
        async with self._database.work() as session:
            case = await lock(session, case_id)
            if case.applicant_id != actor.person_id or not actor.may(Permission.APPLY):
                raise not_found()
            if not editable(case):
                raise Refusal("not_now", "Эту заявку уже нельзя изменить.", 409)
            definition, _ = await self._terms_of(session, case)
            await _begin_correction(session, case)
            if data is not None:
                case.draft = {**(case.draft or {}), **_known(definition, data)}
            if attachments is not None:
                case.draft_attachments = await _checked_attachments(session, actor, attachments)
            case.draft_saved_at = present()
            session.add(case)
            today = _today(case, present())
            _, errors = check_form(definition, case.draft or {}, complete=False, today=today)
            return case, errors

    async def discard_draft(self, actor: Actor, case_id: UUID) -> None:
        """Throw away a draft that was never submitted, or the correction in the making."""
        async with self._database.work() as session:
            case = await lock(session, case_id)
            if case.applicant_id != actor.person_id or not actor.may(Permission.APPLY):
                raise not_found()
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
        """Submit the draft: it gets its number and a durable workflow (A3)."""
        return await self._hand_in(actor, case_id, act, Transition.SUBMIT)

    async def resubmit(self, actor: Actor, case_id: UUID, act: Act) -> CaseState:
        """Answer a clarification with a new version (A6)."""
        return await self._hand_in(actor, case_id, act, Transition.RESUBMIT)

    async def correct(self, actor: Actor, case_id: UUID, act: Act) -> CaseState:
        """Hand in a new version on one's own initiative while the case is open (A6)."""
        return await self._hand_in(actor, case_id, act, Transition.CORRECT)

    async def _hand_in(
        self, actor: Actor, case_id: UUID, act: Act, transition: Transition
    ) -> CaseState:
        assert transition in NEW_VERSION  # noqa: S101 - a mistake of ours, not of the person
        now = present()
        async with self._database.work() as session:
            case = await lock(session, case_id)
            if case.applicant_id != actor.person_id or not actor.may(Permission.APPLY):
                raise not_found()
            claimed = await claim(session, case, transition, act, actor, now, {})
            if claimed is None:
                return await state_of(session, case)
            definition, programme = await self._terms_of(session, case)
            if case.draft is None:
                raise Refusal("nothing_changed", "В заявке ничего не изменено.", 422)
            data, errors = check_form(
                definition, case.draft, complete=True, today=_today(case, now)
            )
            rules = merged_attachments(definition, programme)
            errors += check_attachments(rules, [a["kind"] for a in case.draft_attachments])
            if errors:
                raise Refusal(
                    "incomplete", "Заявку пока нельзя отправить: исправьте поля.", 422, errors
                )
            if claimed.sequence is not None:
                year = now.astimezone(self._zone).year
                case.number = format_number(NumberKind.APPLICATION, year, claimed.sequence)
            case.version += 1
            attachments = case.draft_attachments
            case.draft, case.draft_attachments, case.draft_saved_at = None, [], None
            salt = new_salt()
            digest = version_digest(data, attachments, salt)
            session.add(
                CaseVersion(
                    case_id=case.id,
                    number=case.version,
                    data=data,
                    salt=salt,
                    digest=digest,
                    submitted_at=now,
                    submitted_by=actor.person_id,
                )
            )
            session.add_all(
                CaseAttachment(
                    case_id=case.id,
                    case_version=case.version,
                    kind=given["kind"],
                    document_version_id=UUID(given["document_version_id"]),
                )
                for given in attachments
            )
            told = [Notice("application_submitted", actor.person_id)]
            await move(
                session,
                case,
                transition,
                now=now,
                by=actor,
                facts={"version": case.version, "version_digest": digest},
                tell=told,
            )
            state = await state_of(session, case)
        self._bell.ring(state, Ring(signal=transition, act_id=act.id))
        return state

    async def withdraw(self, actor: Actor, case_id: UUID, act: Act, reason: str) -> CaseState:
        """Take the application back, at any open stage."""
        now = present()
        async with self._database.work() as session:
            case = await lock(session, case_id)
            if case.applicant_id != actor.person_id or not actor.may(Permission.APPLY):
                raise not_found()
            body = {"reason": reason}
            if not await claim(session, case, Transition.WITHDRAW, act, actor, now, body):
                return await state_of(session, case)
            tell = [Notice("application_withdrawn", actor.person_id)]
            if case.reviewer_id is not None:
                tell.append(Notice("review_withdrawn", case.reviewer_id))
            await move(
                session,
                case,
                Transition.WITHDRAW,
                now=now,
                by=actor,
                contents=body,
                tell=tell,
            )
            state = await state_of(session, case)
        self._bell.ring(state, Ring(signal=Transition.WITHDRAW, act_id=act.id))
        return state

    async def comment(
        self, actor: Actor, case_id: UUID, text: str, *, internal: bool = False
    ) -> CaseComment:
        """Write a remark on a case; internal ones are seen by reviewers only (A8)."""
        text = text.strip()
        if not 1 <= len(text) <= 4000:
            raise Refusal(
                "incomplete",
                "Напишите комментарий: от 1 до 4000 знаков.",
                422,
                [FieldError("text", "Напишите комментарий: от 1 до 4000 знаков.")],
            )
        now = present()
        async with self._database.work() as session:
            case = await see(session, actor, case_id)
            reviews = actor.may(Permission.REVIEW, case.responsible_unit_id)
            own = case.applicant_id == actor.person_id
            if not (own or reviews) or (internal and (own or not reviews)):
                raise forbidden()
            await lock(session, case_id)
            comment = CaseComment(
                id=new_id(),
                case_id=case.id,
                by=actor.person_id,
                at=now,
                internal=internal,
                text=text,
            )
            session.add(comment)
            await journal.append(
                session,
                chain=case.id,
                kind=JournalKind.CASE_COMMENTED,
                at=now,
                by=actor.person_id,
                step=case.step,
                facts={"comment": str(comment.id), "internal": internal},
                contents={"text": text},
            )
            to = case.reviewer_id if own else case.applicant_id
            if to is not None and not internal:
                await notices.enqueue(
                    session,
                    person_id=to,
                    kind="comment_added",
                    case_id=case.id,
                    event_key=f"{case.id}:comment:{comment.id}",
                    facts={"number": case.number},
                    now=now,
                )
            return comment

    async def _terms_of(
        self, session: AsyncSession, case: Case
    ) -> tuple[CaseTypeDefinition, Programme | None]:
        definition = await catalogue.case_type(session, case.type, case.type_version)
        programme = (
            await catalogue.programme(session, case.programme_id) if case.programme_id else None
        )
        return definition, programme


def _today(case: Case, now: datetime) -> date:
    return now.astimezone(ZoneInfo(case.term_zone)).date()


def editable(case: Case) -> bool:
    """Whether the applicant may change the case now."""
    return case.closed_at is None and any(
        t in NEW_VERSION for t in APPLICATION.open_to(Status(case.status), Party.APPLICANT)
    )


def version_digest(
    data: Mapping[str, Any], attachments: Sequence[Mapping[str, str]], salt: bytes
) -> str:
    """HMAC-SHA256 (hex) over the canonical JSON (RFC 8785) of a form and what it cites.

    The digest stands in the clear in the journal and on receipts; the salt keeps it from being
    guessed field by field.
    """
    body: Any = {"data": dict(data), "attachments": [dict(a) for a in attachments]}
    return hmac.new(salt, rfc8785.dumps(body), hashlib.sha256).hexdigest()


async def attachments_of(
    session: AsyncSession, case_id: UUID, version: int
) -> list[dict[str, str]]:
    """What a version cites, as a draft holds it."""
    found = await session.exec(
        select(CaseAttachment)
        .where(CaseAttachment.case_id == case_id, CaseAttachment.case_version == version)
        .order_by(col(CaseAttachment.kind), col(CaseAttachment.document_version_id))
    )
    return [
        {"kind": a.kind, "document_version_id": str(a.document_version_id)} for a in found.all()
    ]


async def _own(session: AsyncSession, actor: Actor, case_id: UUID) -> Case:
    case = await session.get(Case, case_id)
    if case is None or case.applicant_id != actor.person_id or not actor.may(Permission.APPLY):
        raise not_found()
    return case


async def _begin_correction(session: AsyncSession, case: Case) -> None:
    """An open case is corrected from its newest version."""
    if case.draft is None:
        if case.version:
            version = await session.get_one(CaseVersion, (case.id, case.version))
            case.draft = dict(version.data)
            case.draft_attachments = await attachments_of(session, case.id, case.version)
        else:
            case.draft = {}


async def _checked_attachments(
    session: AsyncSession, actor: Actor, attachments: Sequence[Mapping[str, str]]
) -> list[dict[str, str]]:
    """The attachments, if each is an accepted document of the person's own. Raises 422."""
    cited = [(str(a["kind"])[:64], str(UUID(a["document_version_id"]))) for a in attachments]
    # The same document twice for the same purpose is once.
    given = [{"kind": kind, "document_version_id": id_} for kind, id_ in dict.fromkeys(cited)]
    wanted = {UUID(a["document_version_id"]) for a in given}
    if not wanted:
        return []
    found = await session.exec(
        select(DocumentVersion.id)
        .join(Document)
        .where(
            col(DocumentVersion.id).in_(wanted),
            Document.owner_id == actor.person_id,
            DocumentVersion.verdict == "ok",
        )
    )
    if missing := wanted - set(found.all()):
        raise Refusal(
            "not_your_document",
            "Приложить можно только свой принятый документ. Загрузите файл ещё раз.",
            422,
            [FieldError("attachments", f"{len(missing)}")],
        )
    return given


def _known(definition: CaseTypeDefinition, data: Mapping[str, Any]) -> dict[str, Any]:
    """Only fields of the form, and of these not those locked by the programme."""
    fields = definition.fields
    return {
        name: as_typed(value) if isinstance(value, str) else value
        for name, value in data.items()
        if name in fields and not fields[name].locked
    }


def _facts(person: Person, programme: Programme) -> dict[str, Any]:
    """What the form can know without asking, by the names that `prefill` uses."""
    facts = {f"person.{name}": getattr(person, name) for name in ("snils", "inn", "phone")}
    facts["person.position"] = person.position
    facts |= {f"programme.{name}": getattr(programme, name) for name in ("title", "hours")}
    facts["programme.organisation"] = programme.organisation
    return facts
