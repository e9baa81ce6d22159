"""What an applicant does with an application: draft, submit, resubmit.

What applications share with other kinds of case is in `services.cases.drafts`.
"""

from typing import Any
from uuid import UUID

from models.messages import CaseState
from models.tables.cases import Case
from models.tables.catalogue import Programme
from rules.access import Actor, Permission
from rules.cases.limits import MOST_ATTACHMENTS
from rules.cases.numbers import NumberKind
from rules.cases.process import CaseKind, Transition
from rules.forms.definitions import merged_attachments, prefilled
from rules.refusals import FieldError, Refusal
from services.cases.acts import Act
from services.cases.beginning import FromFile
from services.cases.draft_contents import citation
from services.cases.drafts import Drafts, RefusalTexts, facts_of
from services.cases.transitions import CaseNotice
from services.catalogue import lookup as catalogue

TYPE = "qualification"


class Applications(Drafts):
    """The acts of applicants on applications for qualification improvement."""

    kind = CaseKind.APPLICATION
    number_kind = NumberKind.APPLICATION
    renews_by_programme = True
    spoken = RefusalTexts(
        not_closed="Копировать можно только закрытую заявку.",
        not_now="Эту заявку уже нельзя изменить.",
        nothing_changed="В заявке ничего не изменено.",
        incomplete="Заявку пока нельзя отправить: исправьте отмеченные поля.",
    )

    def notices_of(self, transition: Transition, case: Case) -> list[CaseNotice]:
        """Notify the applicant; of a withdrawal, the reviewer as well."""
        if transition is not Transition.WITHDRAW:
            return [CaseNotice("application_submitted", case.applicant_id)]
        told = [CaseNotice("application_withdrawn", case.applicant_id)]
        if case.reviewer_id is not None:
            told.append(CaseNotice("review_withdrawn", case.reviewer_id))
        return told

    async def create_draft(
        self, actor: Actor, programme_id: UUID, known: FromFile | None = None
    ) -> Case:
        """Begin an application for a programme, filled in with what is known already (A1).

        One that renews a credential is filled in from the person's file as well (Q7).
        """
        actor.demand(Permission.APPLY)
        async with self._database.work() as session:
            programme = await catalogue.offered_programme(session, programme_id)
            definition = await catalogue.case_type(session, TYPE)
            begun_by = await self._beginner(session, actor)
            facts = facts_of(begun_by.person) | _programme_facts(programme)
            cited: list[dict[str, str]] = []
            if known is not None:
                facts |= known.facts
                asked = {rule.kind for rule in merged_attachments(definition, programme)}
                copies = [citation(kind, one) for kind, one in known.documents if kind in asked]
                cited = copies[:MOST_ATTACHMENTS]
            draft = prefilled(definition, facts)
            return await self._new_case(
                session, begun_by, definition, programme.id, draft, cited, None
            )

    async def renew(self, actor: Actor, known: FromFile, programme_id: UUID | None) -> Case:
        """Begin an application that renews a credential. Raises Refusal 422 with no programme."""
        if programme_id is None:
            words = "Выберите программу."
            raise Refusal("incomplete", words, 422, [FieldError("programme_id", words)])
        return await self.create_draft(actor, programme_id, known)

    async def resubmit(self, actor: Actor, case_id: UUID, act: Act) -> CaseState:
        """Answer a clarification with a new version (A6)."""
        return await self.hand_in(actor, case_id, act, Transition.RESUBMIT)


def _programme_facts(programme: Programme) -> dict[str, Any]:
    """The facts about the programme that fill in a form, by the names that `prefill` uses."""
    names = ("title", "hours", "organisation")
    return {f"programme.{name}": getattr(programme, name) for name in names}
