"""What a person does to have the account confirmed: begin, and hand in documents.

What verifications share with other kinds of case is in `services.cases.drafts`.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.messages import CaseState
from models.tables.accounts import Account
from models.tables.cases import Case
from models.tables.documents import DocumentVersion
from rules.access import Actor, Permission
from rules.accounts import AccountState
from rules.cases.numbers import NumberKind
from rules.cases.process import CaseKind, Transition
from rules.forms.definitions import prefilled
from rules.refusals import FieldError, Refusal, not_found
from rules.verification import TYPE, GivenFile, missing_documents, unfit_files
from services.cases.acts import Act
from services.cases.drafts import Drafts, RefusalTexts, facts_of
from services.cases.transitions import CaseNotice
from services.catalogue import lookup as catalogue


class Verifications(Drafts):
    """The acts of people on the verification of their own account."""

    kind = CaseKind.VERIFICATION
    number_kind = NumberKind.VERIFICATION
    spoken = RefusalTexts(
        not_closed="Начать заново можно только закрытое подтверждение.",
        not_now="Эти документы уже нельзя изменить.",
        nothing_changed="В документах ничего не изменено.",
        incomplete="Документы пока нельзя отправить: исправьте отмеченное.",
    )
    most_drafts = 1

    def notices_of(self, transition: Transition, case: Case) -> list[CaseNotice]:
        """The person; of a withdrawal nobody else has to know."""
        withdrawn = transition is Transition.WITHDRAW
        kind = "verification_withdrawn" if withdrawn else "verification_submitted"
        return [CaseNotice(kind, case.applicant_id)]

    async def create_draft(self, actor: Actor) -> Case:
        """Begin a verification; one that is open already is gone on with.

        Raises Refusal 409 for an account that is confirmed.
        """
        actor.demand(Permission.CONFIRM_ACCOUNT)
        async with self._database.work() as session:
            account = await session.get(Account, actor.person_id, with_for_update=True)
            if account is not None and account.state == AccountState.CONFIRMED:
                raise Refusal("confirmed_already", "Учётная запись уже подтверждена.", 409)
            if (present := await open_of(session, actor.person_id)) is not None:
                return present
            definition = await catalogue.case_type(session, TYPE)
            begun_by = await self._beginner(session, actor)
            draft = prefilled(definition, facts_of(begun_by.person))
            return await self._new_case(session, begun_by, definition, None, draft, [], None)

    async def copy(self, actor: Actor, case_id: UUID) -> Case:
        """Copy a closed verification into a new draft, unless one is open already."""
        async with self._database.reading() as session:
            old = await session.get(Case, case_id)
            if old is None or not self._is_own(actor, old):
                raise not_found()
            present = await open_of(session, actor.person_id)
        return present if present is not None else await super().copy(actor, case_id)

    async def resubmit(self, actor: Actor, case_id: UUID, act: Act) -> CaseState:
        """Answer a clarification with a new version."""
        return await self.hand_in(actor, case_id, act, Transition.RESUBMIT)

    async def _responsible(self, session: AsyncSession, unit_id: UUID, addressee: str) -> UUID:
        """Operators of the person's own unit decide, whatever unit the type names."""
        del session, addressee
        return unit_id

    async def _demand_complete(
        self, session: AsyncSession, case: Case, now: datetime
    ) -> tuple[dict[str, Any], list[dict[str, str]]]:
        """The complete draft, with one of two numbers, and files that are fit for it."""
        try:
            data, attachments = await super()._demand_complete(session, case, now)
            errors: list[FieldError] = []
        except Refusal as refusal:
            if refusal.code != "incomplete":
                raise
            data, attachments = case.draft or {}, case.draft_attachments
            errors = list(refusal.fields)
        if not data.get("inn") and not data.get("personnel_number"):
            errors.append(FieldError("inn", "Укажите ИНН или табельный номер: хотя бы одно."))
        errors += missing_documents(data, [one["kind"] for one in attachments])
        errors += unfit_files(await files_of(session, attachments))
        if errors:
            raise Refusal("incomplete", self.spoken.incomplete, 422, errors)
        return data, attachments


async def open_of(session: AsyncSession, person_id: UUID) -> Case | None:
    """The verification of a person that is not closed, if there is one."""
    found = await session.exec(
        select(Case)
        .where(
            Case.applicant_id == person_id,
            Case.kind == CaseKind.VERIFICATION.value,
            col(Case.closed_at).is_(None),
        )
        .order_by(col(Case.created_at))
        .limit(1)
    )
    return found.first()


async def files_of(session: AsyncSession, attachments: list[dict[str, str]]) -> list[GivenFile]:
    """What is known of the files that a draft or a version cites."""
    ids = [UUID(one["document_version_id"]) for one in attachments]
    found = await session.exec(select(DocumentVersion).where(col(DocumentVersion.id).in_(ids)))
    known = {str(one.id): one for one in found.all()}
    return [
        GivenFile(one["kind"], version.pages, version.dpi, version.mark)
        for one in attachments
        if (version := known.get(one["document_version_id"])) is not None
    ]
