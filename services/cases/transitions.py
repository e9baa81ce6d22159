"""The one function that moves a case, and what it needs: the lock, the act, the clock.

`move` writes status, step, journal entry, notices and the times of the case in the transaction of
its caller. A person's act and a timer may come at once: both lock the row, and the second one finds
that the step has changed and does nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import DirectRows
from models.messages import CaseState
from models.tables.cases import Case
from models.tables.people import Unit
from rules.access import Actor, Permission
from rules.cases import deciding
from rules.cases.kinds import process_of
from rules.cases.process import CaseKind, Party, Process, Rule, Status, Transition
from rules.cases.terms import (
    Alarm,
    Terms,
    WorkingCalendar,
    answer_alarms,
    deadline,
    in_zone,
    last_day,
    nth_alarm,
    review_alarms,
    working_days_left,
)
from rules.forms.definitions import merged_terms
from rules.journal.entries import JournalKind
from rules.notices.kinds import NoticeKind
from rules.refusals import Refusal, not_found
from services.cases.addressees import owes
from services.catalogue import intakes
from services.catalogue import lookup as catalogue
from services.journal import entries as journal
from services.notices import outbox

JOURNALED: Mapping[Transition, JournalKind] = {
    Transition.SUBMIT: JournalKind.CASE_SUBMITTED,
    Transition.OPEN_REVIEW: JournalKind.CASE_REVIEW_OPENED,
    Transition.APPROVE: JournalKind.CASE_APPROVED,
    Transition.CLARIFY: JournalKind.CASE_CLARIFICATION_ASKED,
    Transition.REJECT: JournalKind.CASE_REJECTED,
    Transition.RESUBMIT: JournalKind.CASE_RESUBMITTED,
    Transition.CORRECT: JournalKind.CASE_CORRECTED,
    Transition.WITHDRAW: JournalKind.CASE_WITHDRAWN,
    Transition.LAPSE: JournalKind.CASE_LAPSED,
    Transition.ISSUE_ACT: JournalKind.CASE_ACT_ISSUED,
    Transition.HAND_OVER: JournalKind.REQUEST_SENT,
    Transition.ANSWER: JournalKind.REQUEST_ANSWERED,
    Transition.REFUSE: JournalKind.REQUEST_REFUSED,
    Transition.CONFIRM: JournalKind.VERIFICATION_CONFIRMED,
    Transition.CONFIRM_ACCESS: JournalKind.CASE_CONFIRMED,
    Transition.CONFIRM_ANEW: JournalKind.CASE_CONFIRMATION_LAPSED,
    Transition.FORWARD: JournalKind.CENTRE_FORWARDED,
    Transition.TO_COMMISSION: JournalKind.CENTRE_PASSED_ON,
    Transition.CENTRE_ASKS: JournalKind.CENTRE_ASKED,
    Transition.CENTRE_RETURNS: JournalKind.CENTRE_RETURNED,
    Transition.CENTRE_REFUSES: JournalKind.CENTRE_REFUSED,
    Transition.ACCREDIT: JournalKind.CENTRE_ACCREDITED,
}


CLOCKED = frozenset(
    {
        Status.CONFIRMING,
        Status.IN_REVIEW,
        Status.CLARIFICATION,
        Status.ACCEPTED,
        Status.PROCESSING,
    }
)
"""Statuses in which a term runs, besides those with terms of their own (`Process.own_terms`)."""


_ENTERED_BY_PEOPLE = frozenset({Status.CLARIFICATION, Status.CONFIRMING, Status.IN_REVIEW})
"""Clocked statuses into which a person's act leads: its workflow has to learn of it first."""


@dataclass(frozen=True)
class CaseNotice:
    """A notice that a move of the case causes."""

    kind: str
    to: UUID
    facts: Mapping[str, Any] = field(default_factory=dict)


_LOCK = DirectRows(select(Case).where(Case.id == bindparam("case_id")).with_for_update())


async def lock(session: AsyncSession, case_id: UUID) -> Case:
    """Lock the row of a case until the unit of work ends. Raises `not_found`."""
    case: Case | None = await _LOCK.one_or_none(session, {"case_id": case_id})
    if case is None:
        raise not_found()
    return case


def stale(case: Case) -> Refusal:
    """The case has moved since the person looked at it."""
    return Refusal(
        "stale",
        process_of(case.kind).refusals.stale,
        409,
        status_now=case.status,
        step=case.step,
    )


async def move(
    session: AsyncSession,
    case: Case,
    transition: Transition,
    *,
    now: datetime,
    by: Actor | None = None,
    facts: Mapping[str, Any] | None = None,
    contents: Mapping[str, Any] | None = None,
    tell: Sequence[CaseNotice] = (),
    along: journal.Along | None = None,
    responsible_unit_id: UUID | None = None,
) -> None:
    """Move a locked case by one transition. Raises Refusal if the rules have no such arrow.

    `responsible_unit_id` is the unit that decides from now on, if that changes. Where others decide
    than before, nobody has the case until the caller assigns it, and whoever decided is kept.

    Writes status, step, times, one journal entry, the notices, and what else the move causes to be
    written, `along` with the entry; the caller's unit of work commits them together.
    """
    before = Status(case.status)
    process = process_of(case.kind)
    rule = arrow_of(case, transition)
    await _set_times(session, case, before, rule.to, now, by_person=by is not None)
    _hand_on(case, process, rule, responsible_unit_id, by)
    if rule.closes and by is None:
        # The case's own workflow did this, so nobody has to wake it.
        case.wakes_at = None
    case.status = rule.to.value
    case.step += 1
    case.since = now
    case.waits_for = (await _awaited(session, case, process.waits_for[rule.to])).value
    case.closed_at = None
    case.alarms = 0
    case.rings = 0
    case.rung_at = None
    case.stuck = None
    if rule.closes:
        case.closed_at = now
        case.waits_for = Party.NOBODY.value
        case.due_at = None
        if rule.to is not Status.APPROVED:
            await intakes.let_go(session, case)
    session.add(case)
    told = [
        outbox.NoticeEvent(
            person_id=notice.to,
            kind=NoticeKind(notice.kind),
            event_key=f"{case.id}:{case.step}:{notice.kind}",
            case_id=case.id,
            facts={**case_facts(case), **notice.facts},
        )
        for notice in tell
    ]
    changes, notices = journal.Along.of_changes(session, case), outbox.rows_of(told, now)
    await journal.append(
        session,
        chain=case.id,
        kind=JOURNALED[transition],
        at=now,
        by=by.person_id if by else None,
        system=None if by else "workflow",
        step=case.step,
        facts={
            "number": case.number,
            "from": before.value,
            "to": rule.to.value,
            "waits_for": case.waits_for,
            "due_at": case.due_at.isoformat() if case.due_at else None,
            **(facts or {}),
        },
        contents=dict(contents) if contents else None,
        along=journal.together(along, changes, notices),
    )


def _hand_on(
    case: Case, process: Process, rule: Rule, unit_id: UUID | None, by: Actor | None
) -> None:
    """Set who decides after this move. A closed case stays with those who had it last."""
    before = case.review_permission, case.responsible_unit_id
    if not rule.closes and process.waits_for[rule.to] in (Party.REVIEWER, Party.ADDRESSEE):
        case.review_permission = deciding.permission_in(process.kind, rule.to).value
    case.responsible_unit_id = unit_id or case.responsible_unit_id
    if before == (case.review_permission, case.responsible_unit_id):
        return
    if rule.by is Party.REVIEWER and by is not None and by.person_id not in case.earlier_reviewers:
        case.earlier_reviewers = [*case.earlier_reviewers, by.person_id]
    case.reviewer_id = case.assigned_at = case.stands_in_for = None


def case_facts(case: Case) -> dict[str, Any]:
    """The facts of every notice of a case: its number, and until when the applicant may answer."""
    if case.status != Status.CLARIFICATION or case.due_at is None:
        return {"number": case.number}
    return {"number": case.number, "until": last_day(case.due_at, case.term_zone).isoformat()}


async def _awaited(session: AsyncSession, case: Case, party: Party) -> Party:
    """Whom the case waits for: the addressee of some requests is the people of a unit."""
    if party is Party.ADDRESSEE:
        definition = await catalogue.case_type(session, case.type, case.type_version)
        if definition.answered_by_people:
            return Party.REVIEWER
    return party


def arrow_of(case: Case, transition: Transition) -> Rule:
    """The arrow of this transition where the case stands. Raises Refusal 409 if there is none."""
    process = process_of(case.kind)
    rule = process.rule_for(Status(case.status), transition)
    if rule is None or (case.closed_at is not None and not rule.reopens):
        message = process.refusals.not_now
        raise Refusal("not_now", message, 409, status_now=case.status, step=case.step)
    return rule


async def _set_times(
    session: AsyncSession,
    case: Case,
    before: Status,
    after: Status,
    now: datetime,
    *,
    by_person: bool,
) -> None:
    """Set `due_at` and `wakes_at`; pause the term of the review while the applicant is asked."""
    terms, calendar = await terms_of(session, case)
    if before is Status.IN_REVIEW and case.due_at is not None:
        case.term_left = working_days_left(now, case.due_at, case.term_zone, calendar)
    due_before, case.due_at = case.due_at, None
    # The workflow has to learn of a person's act: if no signal reaches it, the sweeper wakes it.
    case.wakes_at = now
    if after is Status.IN_REVIEW:
        days = terms.review if case.term_left is None else max(case.term_left, 1)
        case.due_at = deadline(now, days, case.term_zone, calendar)
        case.escalated_at = None
        found = alarm_of(case, after, now, terms, calendar)
        if not by_person:
            case.wakes_at = found[0] if found else None
    elif after is Status.CLARIFICATION:
        case.due_at = deadline(now, terms.answer, case.term_zone, calendar)
    elif after in (Status.ACCEPTED, Status.CONFIRMING):
        case.due_at = deadline(now, terms.review, case.term_zone, calendar)
        case.escalated_at = None
    elif (own := process_of(case.kind).own_terms.get(after)) is not None:
        case.due_at = deadline(now, terms.own[own], case.term_zone, calendar)
        case.term_left = case.escalated_at = None
    elif after is Status.PROCESSING:
        case.due_at = due_before
        case.alarms = 0
        found = alarm_of(case, after, now, terms, calendar)
        case.wakes_at = found[0] if found else None


async def terms_of(session: AsyncSession, case: Case) -> tuple[Terms, WorkingCalendar]:
    """The terms that the case began with: its programme's if it has its own, else its type's."""
    definition = await catalogue.case_type(session, case.type, case.type_version)
    programme = await catalogue.programme(session, case.programme_id) if case.programme_id else None
    terms = merged_terms(definition, programme)
    return terms, await catalogue.calendar(session)


def alarm_of(
    case: Case, status: Status, entered: datetime, terms: Terms, calendar: WorkingCalendar
) -> tuple[datetime, Alarm] | None:
    """The alarm after the `case.alarms` that were handled already; None if no clock runs."""
    return nth_alarm(alarms_of(case, status, entered, terms, calendar), case.alarms)


def alarms_of(
    case: Case, status: Status, entered: datetime, terms: Terms, calendar: WorkingCalendar
) -> Iterator[tuple[datetime, Alarm]]:
    """All alarms of the term that runs now, the first one first; none if no clock runs."""
    own = process_of(case.kind).own_terms.get(status)
    if case.due_at is None or (status not in CLOCKED and own is None):
        return iter(())
    terms = terms.in_place_of_review(own) if own else terms
    alarms = answer_alarms if status is Status.CLARIFICATION else review_alarms
    return alarms(entered, case.due_at, terms, case.term_zone, calendar)


async def heard(session: AsyncSession, case: Case, now: datetime) -> None:
    """Note that the workflow has read a locked case, so that the sweeper does not wake it."""
    if case.wakes_at is None or case.wakes_at > now:
        return
    status = Status(case.status)
    if case.closed_at is not None:
        # If the run that has to tell the addressee is lost, the sweeper begins another.
        if not await owes(session, case):
            case.wakes_at = None
    elif status in _ENTERED_BY_PEOPLE and case.wakes_at == case.since:
        found = alarm_of(case, status, case.since, *await terms_of(session, case))
        case.wakes_at = found[0] if found else None
    case.rings = 0
    case.rung_at = None
    session.add(case)


async def unit_code(session: AsyncSession, unit_id: UUID) -> str:
    """The code of a unit. Codes never change, so the process remembers them."""
    if unit_id not in _unit_codes:
        unit = await session.get_one(Unit, unit_id)
        _unit_codes[unit_id] = unit.code
    return _unit_codes[unit_id]


_unit_codes: dict[UUID, str] = {}


async def state_of(session: AsyncSession, case: Case) -> CaseState:
    """The state of a case, as workflows get it."""
    return CaseState(
        case_id=case.id,
        number=case.number or "",
        type=case.type,
        unit=await unit_code(session, case.unit_id),
        status=Status(case.status),
        step=case.step,
        open=case.closed_at is None,
        waits_for=Party(case.waits_for),
        wakes_at=case.wakes_at,
        due_at=in_zone(case.due_at, case.term_zone) if case.due_at else None,
        term_zone=case.term_zone,
        kind=CaseKind(case.kind),
        owes=await owes(session, case),
    )


def may_see(actor: Actor, case: Case) -> bool:
    """Whether the person may see the case (Q9, I6)."""
    if case.applicant_id == actor.person_id:
        return actor.may(process_of(case.kind).applied_with)
    if case.status == Status.DRAFT and case.version == 0:
        return False
    if deciding.reviews(actor, case):
        return True
    heads_see = process_of(case.kind).seen_by_heads
    return heads_see and actor.may(Permission.VIEW_UNIT_CASES, case.unit_id)


async def see(session: AsyncSession, actor: Actor, case_id: UUID) -> Case:
    """The case, if the person may see it. Raises `not_found` otherwise."""
    case = await session.get(Case, case_id)
    if case is None or not may_see(actor, case):
        raise not_found()
    return case
