"""What reviewers and the clock do with an application: open, take, decide, remind, escalate."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import DirectStatement
from models.encrypted_columns import bound
from models.messages import CaseState
from models.tables.cases import Case, CaseDecision, CaseReading
from models.tables.catalogue import Programme
from models.tables.people import Person
from rules.access import Actor, Permission
from rules.accounts import second_factor_needed
from rules.cases import deciding
from rules.cases.kinds import process_of
from rules.cases.limits import LONGEST_REASON, LONGEST_REMARK
from rules.cases.process import DECISIONS, CaseKind, Party, Status, Transition
from rules.clock import now as present
from rules.forms.definitions import merged_attachments, merged_checklist
from rules.journal.entries import JournalKind
from rules.refusals import FieldError, Refusal, Words, forbidden, not_found
from services import access
from services.cases import assignment
from services.cases.acts import Act, CaseActs, Doing, was_done
from services.cases.transitions import CaseNotice, lock, move, see, stale, state_of
from services.catalogue import lookup as catalogue
from services.journal import entries as journal
from services.notices import outbox
from services.reviews.effects import Decided, OvertakenError, take_effect


@dataclass(frozen=True)
class Decision:
    """What a reviewer decides, always with a reason (A4).

    `remarks` say what is wrong, by name of a field or kind of attachment; `checklist` has the
    answers to the questions of the programme, by name.
    """

    outcome: Transition
    reason: str
    remarks: Mapping[str, str] = field(default_factory=dict)
    checklist: Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True)
class DecisionResult:
    """The outcome for one case among several: its state, or why it was refused."""

    case_id: UUID
    state: CaseState | None = None
    refusal: Refusal | None = None


class Reviews(CaseActs):
    """The acts of reviewers."""

    async def decide(
        self, actor: Actor, case_id: UUID, act: Act, decision: Decision, *, fresh: bool = False
    ) -> CaseState:
        """Approve, send back or reject. The same act again returns the same answer.

        `fresh` says that the person has just entered a code, which some kinds of case need.

        Raises Refusal: `own_case`, `forbidden`, `stale`, `not_now`, `incomplete`, `act_id_reused`,
        `second_factor_needed`.
        """
        if decision.outcome not in DECISIONS:
            raise Refusal("not_a_decision", "Выберите решение.", 422)
        body: dict[str, Any] = {
            "reason": decision.reason.strip(),
            "remarks": dict(decision.remarks),
            "checklist": dict(decision.checklist),
        }

        async def find(session: AsyncSession) -> Case:
            case = await self._reviewable(session, actor, case_id, act)
            if not process_of(case.kind).is_reviewed:
                raise not_found()
            refusal = _why_not(actor, case, fresh=fresh)
            if refusal is not None and not await was_done(session, case, act, actor):
                raise refusal
            return case

        async def write(doing: Doing) -> None:
            session, case, now = doing.session, doing.case, doing.now
            programme = await _demand_complete(session, case, decision)
            effect = Decided(session, case, decision.outcome, actor, now)
            others = await take_effect(effect)
            decided = CaseDecision(
                case_id=case.id,
                step=case.step,
                version=case.version,
                outcome=decision.outcome.value,
                by=actor.person_id,
                permission=case.review_permission,
                at=now,
                reason=body["reason"],
                remarks=body["remarks"],
                checklist=body["checklist"],
            )
            assignment.give(case, case.reviewer_id or actor.person_id, now)
            await move(
                session,
                case,
                decision.outcome,
                now=now,
                by=actor,
                facts={"version": case.version, "checklist": body["checklist"]},
                contents={"reason": body["reason"], "remarks": body["remarks"]},
                tell=[
                    CaseNotice(
                        process_of(case.kind).decision_notices[decision.outcome],
                        case.applicant_id,
                        {"programme": programme.title} if programme else {},
                    ),
                    *others,
                ],
                along=journal.Along.of(decided),
            )
            if case.waits_for == Party.REVIEWER:
                await assignment.appoint(session, case, now)

        try:
            return await self._once(actor, act, decision.outcome, body, find=find, write=write)
        except OvertakenError as overtaken:
            await overtaken.instead(self._database)
            raise overtaken.refusal from overtaken

    async def decide_several(
        self, actor: Actor, acts: Mapping[UUID, Act], decision: Decision
    ) -> list[DecisionResult]:
        """One decision and reason for several cases, each by itself: a refusal stops no other.

        Those that need a code are decided one by one.
        """
        done: list[DecisionResult] = []
        for case_id, act in acts.items():
            try:
                state = await self.decide(actor, case_id, act, decision)
                done.append(DecisionResult(case_id, state=state))
            except Refusal as refusal:
                done.append(DecisionResult(case_id, refusal=refusal))
        return done

    async def take(
        self, actor: Actor, case_id: UUID, at_step: int, had: UUID | None = None
    ) -> CaseState:
        """Take a case onto the person's own desk, from the queue or from a colleague.

        `had` is the colleague who had it when the person looked. Raises `taken` if another
        colleague has it by now.
        """
        return await self._assign(
            actor, case_id, at_step, actor.person_id, had, JournalKind.CASE_TAKEN
        )

    async def hand_over(
        self,
        actor: Actor,
        case_id: UUID,
        at_step: int,
        to: UUID,
        reason: str,
        had: UUID | None = None,
    ) -> CaseState:
        """Give a case to a colleague; the head of HR may move any case, others their own (A11).

        `had` is as in `take`. Raises Refusal 422 for a reason that is too long.
        """
        reason = reason.strip()
        if len(reason) > LONGEST_REMARK:
            words = "Сократите объяснение до 1000 знаков."
            raise Refusal("incomplete", words, 422, [FieldError("reason", words)])
        return await self._assign(
            actor, case_id, at_step, to, had, JournalKind.CASE_HANDED_OVER, reason
        )

    async def _assign(
        self,
        actor: Actor,
        case_id: UUID,
        at_step: int,
        to: UUID,
        had: UUID | None,
        kind: JournalKind,
        reason: str = "",
    ) -> CaseState:
        now = present()
        async with self._database.work() as session:
            case = await self._reviewable(session, actor, case_id)
            if case.step != at_step:
                raise stale(case)
            if case.closed_at is not None:
                raise Refusal("not_now", "Заявка закрыта, передать её нельзя.", 409)
            if to == case.applicant_id:
                raise Refusal("own_case", "Нельзя рассматривать собственную заявку.", 403)
            if to in deciding.barred(case):
                raise second_person()
            if case.reviewer_id == to:
                return await state_of(session, case)
            if case.reviewer_id not in (None, actor.person_id, had):
                raise await _taken(session, case)
            heads = actor.may(Permission.OVERSEE_REVIEWS, case.responsible_unit_id)
            if to != actor.person_id and not heads and case.reviewer_id != actor.person_id:
                raise forbidden()
            await _check_able(session, actor, case, to, now)
            before = case.reviewer_id
            assignment.give(case, to, now)
            session.add(case)
            entry = await journal.append(
                session,
                chain=case.id,
                kind=kind,
                at=now,
                by=actor.person_id,
                step=case.step,
                facts={"from": str(before) if before else None, "to": str(to)},
                contents={"reason": reason} if reason else None,
            )
            if to != actor.person_id:
                await outbox.enqueue(
                    session,
                    person_id=to,
                    kind=process_of(case.kind).handed_over_notice,
                    case_id=case.id,
                    event_key=f"{case.id}:handed:{entry.position}",
                    facts={"number": case.number},
                    now=now,
                )
            return await state_of(session, case)

    async def read(self, actor: Actor, case_id: UUID) -> None:
        """Note that the person has the case open: others see this for a minute."""
        async with self._database.work() as session:
            case = await see(session, actor, case_id)
            if case.applicant_id != actor.person_id:
                now = present()
                seen = insert(CaseReading).values(
                    case_id=case.id, person_id=actor.person_id, at=now
                )
                # Two windows may note it at once.
                await session.exec(
                    seen.on_conflict_do_update(
                        index_elements=["case_id", "person_id"], set_={"at": now}
                    )
                )

    async def _reviewable(
        self, session: AsyncSession, actor: Actor, case_id: UUID, again: Act | None = None
    ) -> Case:
        """The locked case, if this person reviews cases of its unit. Others get `not_found`.

        Replaying the act `again` returns the stored answer even if the person has lost the right
        since: the first response may never have arrived.
        """
        case = await lock(session, case_id)
        if not case.version:
            raise not_found()
        if deciding.holds(actor, case):
            return case
        if again is None or not await was_done(session, case, again, actor):
            raise forbidden() if case.applicant_id == actor.person_id else not_found()
        return case


def _why_not(actor: Actor, case: Case, *, fresh: bool) -> Refusal | None:
    """What keeps this person from deciding a case of theirs to decide; None if nothing does."""
    if case.applicant_id == actor.person_id:
        return Refusal("own_case", "Нельзя решать по собственной заявке.", 403)
    if actor.person_id in deciding.barred(case):
        return second_person()
    if process_of(case.kind).needs_fresh_code:
        if actor.scope is not None:
            # A token is no proof that the person sits here.
            return forbidden()
        if not fresh:
            return second_factor_needed()
    return None


def second_person() -> Refusal:
    """The case is about this person, who may also have decided an earlier step: others decide."""
    return Refusal("second_person", "Это решение принимает другой человек, не вы.", 403)


async def _check_able(
    session: AsyncSession, actor: Actor, case: Case, to: UUID, now: datetime
) -> None:
    """Refuse to give a case to somebody who may not act on it today."""
    unit_id, right = case.responsible_unit_id, deciding.permission_of(case)
    if to in await access.present_reviewers(session, unit_id, now, right):
        return
    if to not in await access.people_with(session, right, unit_id, now):
        raise Refusal("not_a_reviewer", "Этот сотрудник не рассматривает заявки.", 422)
    words = (
        "Сегодня у вас записано отсутствие. Отмените его на странице «Отдел и замещение», и сможете"
        " взять заявку."
        if to == actor.person_id
        else "Этот сотрудник сегодня отсутствует. Выберите того, кто на месте."
    )
    raise Refusal("away", words, 422)


async def _taken(session: AsyncSession, case: Case) -> Refusal:
    """The refusal if a colleague got the case since the person looked at it."""
    holder = await session.get_one(Person, case.reviewer_id)
    words = Words(process_of(case.kind).refusals.taken, name=holder.name)
    return Refusal("taken", words, 409, reviewer_id=str(holder.id))


async def _demand_complete(
    session: AsyncSession, case: Case, decision: Decision
) -> Programme | None:
    """Refuse an incomplete decision. Returns the programme of the case, if it has one."""
    definition = await catalogue.case_type(session, case.type, case.type_version)
    programme = await catalogue.programme(session, case.programme_id) if case.programme_id else None
    questions = [item.name for item in merged_checklist(definition, programme)]
    subjects = {f.name for s in definition.sections for f in s.fields} | {
        rule.kind for rule in merged_attachments(definition, programme)
    }
    _check(decision, questions, subjects)
    return programme


def _check(decision: Decision, questions: Sequence[str], subjects: set[str]) -> None:
    """Refuse a decision without a reason or remarks, or against its own checklist."""
    errors: list[FieldError] = []
    if not 3 <= len(decision.reason.strip()) <= LONGEST_REASON:
        errors.append(FieldError("reason", "Напишите причину решения: от 3 до 4000 знаков."))
    errors += [
        FieldError(f"remarks.{name}", "Такого поля в заявке нет.")
        for name in decision.remarks
        if name not in subjects
    ]
    errors += [
        FieldError(f"checklist.{name}", "Такого вопроса в перечне нет.")
        for name in decision.checklist
        if name not in questions
    ]
    if decision.outcome is Transition.APPROVE:
        errors += [
            FieldError(f"checklist.{name}", "Чтобы одобрить, подтвердите это требование.")
            for name in questions
            if not decision.checklist.get(name)
        ]
    errors += [
        FieldError(f"remarks.{name}", "Напишите, что не так.")
        for name, remark in decision.remarks.items()
        if not remark.strip()
    ]
    if decision.outcome is Transition.CLARIFY and not decision.remarks:
        errors.append(FieldError("remarks", "Отметьте хотя бы одно поле и напишите, что не так."))
    if errors:
        raise Refusal(
            "incomplete", "Решение пока нельзя принять: исправьте отмеченные поля.", 422, errors
        )


_VERSION = SQLModel.metadata.tables["case_version"]
_CHECKED = DirectStatement(
    update(_VERSION)
    .where(_VERSION.c.case_id == bindparam("of_case"), _VERSION.c.number == bindparam("of_number"))
    .values(findings=bindparam("findings"), checked_at=bindparam("at"))
    .returning(
        *journal.head_columns(bindparam("of_case", type_=_VERSION.c.case_id.type)),
        assignment.TURN,
    )
)
"""One statement after a check, sent under the lock of the case.

It stores the findings, returns the end of the journal's chain, and takes the `TURN` to choose a
reviewer.
"""


async def end_check(
    session: AsyncSession, case: Case, findings: list[dict[str, Any]], now: datetime
) -> tuple[UUID | None, dict[str, Any]]:
    """End a check: store its findings, and choose who reviews, whom the case then has (A11).

    The case is decided from here on by the permission of its review, so that those are chosen from
    who have it, and the move that follows leaves it with them. Returns the reviewer, and the facts
    of that move.
    """
    permission = deciding.permission_in(CaseKind(case.kind), Status.IN_REVIEW)
    case.review_permission = permission.value
    checked = {
        "of_case": case.id,
        "of_number": case.version,
        "findings": bound(findings, case.id, case.version),
        "at": now,
    }
    kept = await _CHECKED.run(session, checked | assignment.turn_of(case.responsible_unit_id))
    [(position, digest, _)] = await kept.fetchall()
    journal.head_is_known(session, case.id, position, digest)
    reviewer, absent = await assignment.choose(session, case, now)
    assignment.give(case, reviewer, now, instead_of=assignment.owner_of(case))
    return reviewer, {
        "version": case.version,
        "findings": sorted({f["code"] for f in findings}),
        "reviewer": str(reviewer) if reviewer else None,
        "stands_in_for": str(absent) if absent else None,
    }


async def open_review(
    session: AsyncSession,
    case: Case,
    findings: list[dict[str, Any]],
    now: datetime,
    in_review: str = "application_in_review",
) -> None:
    """End the check of a case and start the term of its review (A3).

    `in_review` is the kind of notice that tells the applicant.
    """
    reviewer, facts = await end_check(session, case, findings, now)
    tell = [CaseNotice(in_review, case.applicant_id)]
    if reviewer is not None:
        tell.append(CaseNotice(process_of(case.kind).assigned_notice, reviewer))
    await move(session, case, Transition.OPEN_REVIEW, now=now, facts=facts, tell=tell)
