"""What a person does with a periodic accreditation of their own: begin one, and hand it in.

What accreditations share with other kinds of case is in `services.cases.drafts`.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from models.messages import CaseState
from models.tables.cases import Case, CaseVersion
from models.tables.documents import DocumentVersion
from rules.access import Actor, Permission
from rules.accreditations.hours import hours_of
from rules.accreditations.norms import MOST_PAGES, AccreditationNorm, day_of, needs_primary
from rules.cases.accreditations import TYPE
from rules.cases.limits import MOST_ATTACHMENTS, too_many_attachments
from rules.cases.numbers import NumberKind
from rules.cases.process import CaseKind, Status, Transition
from rules.clock import now as present
from rules.forms.definitions import prefilled
from rules.refusals import FieldError, Refusal, Words
from services.accreditations.norms import norm_of
from services.accreditations.training import courses_of, prepared
from services.cases.acts import Act
from services.cases.beginning import FromFile, beginner
from services.cases.drafts import Drafts, RefusalTexts, facts_of, rules_of
from services.cases.signals import CaseSignals
from services.cases.transitions import CaseNotice
from services.catalogue import lookup as catalogue
from settings import Settings


class Accreditations(Drafts):
    """The acts of people on periodic accreditations of their own."""

    kind = CaseKind.ACCREDITATION
    number_kind = NumberKind.ACCREDITATION
    renews_by_programme = False
    spoken = RefusalTexts(
        not_closed="Подготовить заново можно только закрытое дело об аккредитации.",
        not_now="Эти документы для аккредитации уже нельзя изменить.",
        nothing_changed="В документах для аккредитации ничего не изменено.",
        incomplete="Документы для аккредитации пока нельзя отправить: исправьте отмеченное.",
    )
    most_drafts = 1

    def __init__(self, database: Database, signals: CaseSignals, settings: Settings) -> None:
        super().__init__(database, signals, settings.time_zone)
        self._settings = settings

    def notices_of(self, transition: Transition, case: Case) -> list[CaseNotice]:
        """Notify the applicant; of a withdrawal, the reviewer as well."""
        if transition is not Transition.WITHDRAW:
            return [CaseNotice("accreditation_submitted", case.applicant_id)]
        told = [CaseNotice("accreditation_withdrawn", case.applicant_id)]
        if case.reviewer_id is not None:
            told.append(CaseNotice("review_withdrawn", case.reviewer_id))
        return told

    async def create_draft(self, actor: Actor, renewed: UUID | None = None) -> Case:
        """Begin an accreditation, filled in with what is known; a draft is gone on with.

        `renewed` is the credential that it renews; otherwise it is the one that lasts longest.
        """
        actor.demand(Permission.APPLY)
        async with self._database.work() as session:
            begun_by = await beginner(session, actor, self.kind)
            if (kept := await _draft_of(session, actor.person_id)) is not None:
                return kept
            definition = await catalogue.case_type(session, TYPE)
            today = present().astimezone(ZoneInfo(begun_by.zone)).date()
            norm = self._norm(today)
            known = await prepared(session, actor.person_id, today, norm, renewed)
            cited = known.attachments()
            draft = {
                **prefilled(definition, facts_of(begun_by.person)),
                **known.draft(definition),
                **await self._hours(session, actor.person_id, cited, today),
            }
            return await self._new_case(session, begun_by, definition, None, draft, cited, None)

    async def renew(self, actor: Actor, known: FromFile, choice: UUID | None) -> Case:
        """Begin the accreditation that renews a credential; there is nothing to choose."""
        del choice
        return await self.create_draft(actor, known.credential_id)

    async def refresh(self, actor: Actor, case_id: UUID) -> Case:
        """Bring into a draft what the person's file says by now; what else is in it stays."""
        async with self._editing(actor, case_id) as (session, case):
            definition, _ = await rules_of(session, case)
            today = _today(case, present())
            known = await prepared(session, actor.person_id, today, self._norm(today))
            typed = case.draft or {}
            found = known.draft(definition)
            if typed.get("specialty"):
                found.pop("specialty", None)
            added = [one for one in known.attachments() if one not in case.draft_attachments]
            if len(case.draft_attachments) + len(added) > MOST_ATTACHMENTS:
                raise too_many_attachments()
            case.draft_attachments = [*case.draft_attachments, *added]
            hours = await self._hours(session, actor.person_id, case.draft_attachments, today)
            case.draft = {**typed, **found, **hours}
        return case

    def _norm(self, day: date) -> AccreditationNorm:
        return norm_of(self._settings, day)

    async def _hours(
        self, session: AsyncSession, person_id: UUID, cited: Sequence[Mapping[str, str]], on: date
    ) -> dict[str, int]:
        """The hours that the cited documents prove: fields of the form that nobody types."""
        documents = [UUID(one["document_version_id"]) for one in cited]
        lines = await courses_of(session, person_id, documents, present())
        hours = hours_of([one.course for one in lines], on, self._norm(on))
        return {"hours": hours.total, "certified_hours": hours.certified}

    async def resubmit(self, actor: Actor, case_id: UUID, act: Act) -> CaseState:
        """Answer a clarification of the department or of the centre with a new version."""
        return await self.hand_in(actor, case_id, act, Transition.RESUBMIT)

    async def _demand_complete(
        self, session: AsyncSession, case: Case, now: datetime
    ) -> tuple[dict[str, Any], list[dict[str, str]]]:
        """The complete draft of somebody who may take this accreditation, not too long to send."""
        today = _today(case, now)
        if case.draft is not None:
            cited = case.draft_attachments
            hours = await self._hours(session, case.applicant_id, cited, today)
            case.draft = {**case.draft, **hours}
        data, attachments = await super()._demand_complete(session, case, now)
        errors = _unfit(data, today, self._norm(today))
        errors += await _too_long(session, attachments)
        if await _is_open_elsewhere(session, case, data.get("specialty")):
            words = "По этой специальности у вас уже есть открытое дело об аккредитации."
            errors.append(FieldError("specialty", words))
        if errors:
            raise Refusal("incomplete", self.spoken.incomplete, 422, errors)
        return data, attachments


def _today(case: Case, now: datetime) -> date:
    return now.astimezone(ZoneInfo(case.term_zone)).date()


def _unfit(data: dict[str, Any], today: date, norm: AccreditationNorm) -> list[FieldError]:
    if not needs_primary(day_of(data.get("worked_until")), today, norm):
        return []
    words = Words(
        "Перерыв в работе по специальности больше {years} лет: нужна первичная специализированная"
        " аккредитация.",
        years=norm.longest_break,
    )
    return [FieldError("worked_until", words)]


async def _too_long(session: AsyncSession, attachments: list[dict[str, str]]) -> list[FieldError]:
    ids = [UUID(one["document_version_id"]) for one in attachments]
    found = await session.exec(
        select(DocumentVersion.pages).where(col(DocumentVersion.id).in_(ids))
    )
    if sum(pages or 1 for pages in found.all()) <= MOST_PAGES:
        return []
    words = Words("В документах больше {most} страниц: уберите лишние.", most=MOST_PAGES)
    return [FieldError("attachments", words)]


async def _draft_of(session: AsyncSession, person_id: UUID) -> Case | None:
    """The draft of a person that was never submitted, if there is one."""
    found = await session.exec(
        select(Case)
        .where(
            Case.applicant_id == person_id,
            Case.kind == CaseKind.ACCREDITATION.value,
            Case.status == Status.DRAFT.value,
            col(Case.closed_at).is_(None),
        )
        .limit(1)
    )
    return found.first()


async def _is_open_elsewhere(session: AsyncSession, case: Case, specialty: Any) -> bool:
    """Whether another open case of the person is about the same specialty."""
    found = await session.exec(
        select(CaseVersion)
        .join(
            Case,
            (col(Case.id) == col(CaseVersion.case_id))
            & (col(Case.version) == col(CaseVersion.number)),
        )
        .where(
            Case.applicant_id == case.applicant_id,
            Case.kind == CaseKind.ACCREDITATION.value,
            col(Case.closed_at).is_(None),
            Case.id != case.id,
        )
        .limit(20)
    )
    return any(version.data.get("specialty") == specialty for version in found.all())
