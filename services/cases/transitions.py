"""The one function that moves a case, and what it needs: the lock, the act, the clock.

`move` writes status, step, journal entry, notices and the times of the case in the transaction of
its caller. A person's act and a timer may race: both lock the row, and the second finds a step that
is no longer true and changes nothing.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import rfc8785
from sqlalchemy import bindparam, func
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.dml import ReturningInsert
from sqlmodel import SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.messages import CaseState
from models.tables.cases import Case, CaseAct
from models.tables.journal import JournalEntry
from models.tables.people import Unit
from rules.access import Actor, Permission
from rules.cases.kinds import process_of
from rules.cases.process import NEW_VERSION, CaseKind, Party, Status, Transition
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
from rules.refusals import Refusal, act_id_reused, not_found
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
}


CLOCKED = frozenset({Status.IN_REVIEW, Status.CLARIFICATION, Status.ACCEPTED, Status.PROCESSING})
"""Where a term runs."""


@dataclass(frozen=True)
class Act:
    """What a person asks for: an id made by the client, and the step that the person saw."""

    id: UUID
    at_step: int


@dataclass(frozen=True)
class Notice:
    """A notice to be told because the case moved."""

    kind: str
    to: UUID
    facts: Mapping[str, Any] = field(default_factory=dict)


_LOCK = select(Case).where(Case.id == bindparam("case_id")).with_for_update()


async def lock(session: AsyncSession, case_id: UUID) -> Case:
    """Lock the row of a case until the unit of work ends. Raises `not_found`."""
    found = await session.exec(_LOCK, params={"case_id": case_id})
    case = found.one_or_none()
    if case is None:
        raise not_found()
    return case


@dataclass(frozen=True)
class Claim:
    """An act that may be done now. `sequence` is drawn for a case that has no number yet."""

    sequence: int | None


def _claiming(*, numbered: bool) -> ReturningInsert[*tuple[Any, ...]]:
    table = SQLModel.metadata.tables["case_act"]
    wanted = [table.c.id, *journal.head_columns(bindparam("case_id", type_=table.c.case_id.type))]
    if not numbered:
        # Numbers drawn by a unit of work that fails are gaps.
        wanted.append(func.nextval("case_number"))
    values = {one.name: bindparam(one.name, type_=one.type) for one in table.c}
    return insert(table).values(values).on_conflict_do_nothing().returning(*wanted)


_CLAIM = {numbered: _claiming(numbered=numbered) for numbered in (True, False)}
"""The act, the end of the journal's chain and the number by one statement, sent under the lock."""


async def claim(
    session: AsyncSession,
    case: Case,
    transition: Transition,
    act: Act,
    actor: Actor,
    now: datetime,
    body: Mapping[str, Any],
) -> Claim | None:
    """Take note of an act. None where this very act was done before: answer the same again.

    Raises a refusal (422) when the id was used for something else, and (409) when the person saw
    another step than the present one.
    """
    digest = hashlib.sha256(
        rfc8785.dumps(
            {
                "case": str(case.id),
                "step": act.at_step,
                "transition": transition.value,
                "by": str(actor.person_id),
                "body": dict(body),
            }
        )
    ).hexdigest()
    values = CaseAct(
        id=act.id,
        case_id=case.id,
        by=actor.person_id,
        at=now,
        at_step=act.at_step,
        transition=transition.value,
        body_hash=digest,
    ).model_dump()
    found = await session.exec(_CLAIM[case.number is not None], params=values)
    written = found.one_or_none()
    if written is None:
        before = await session.get_one(CaseAct, act.id)
        if before.body_hash != digest:
            raise act_id_reused()
        return None
    if case.step != act.at_step:
        raise stale(case)
    journal.head_is_known(session, case.id, written[1], written[2])
    return Claim(int(written[3]) if case.number is None else None)


async def answered_before(session: AsyncSession, case: Case, act: Act) -> CaseState:
    """What an act was answered when it was done, whatever became of the case since."""
    done = await session.get_one(CaseAct, act.id)
    transition, step = Transition(done.transition), done.at_step + 1
    found = await session.exec(
        select(JournalEntry.facts).where(
            JournalEntry.chain == case.id,
            JournalEntry.step == step,
            JournalEntry.kind == JOURNALED[transition],
        )
    )
    told, present = found.one(), await state_of(session, case)
    rule = process_of(case.kind).rule_for(Status(told["from"]), transition)
    if rule is None or "waits_for" not in told:
        # Entries of earlier versions do not say it.
        return present
    return present.model_copy(
        update={
            "status": Status(told["to"]),
            "step": step,
            "open": not rule.closes,
            "waits_for": Party(told["waits_for"]),
            "due_at": datetime.fromisoformat(told["due_at"]) if told["due_at"] else None,
        }
    )


async def was_done(session: AsyncSession, case: Case, act: Act, actor: Actor) -> bool:
    """Whether this person did an act of this id on the case before."""
    kept = await session.get(CaseAct, act.id)
    return kept is not None and (kept.case_id, kept.by) == (case.id, actor.person_id)


async def sent_since(
    session: AsyncSession, actor: Actor, case_id: UUID, step: int
) -> tuple[str, datetime] | None:
    """The number of the case, and when this person handed in a version at this step or later."""
    found = await session.exec(
        select(Case.number, CaseAct.at)
        .join(CaseAct)
        .where(
            Case.id == case_id,
            CaseAct.by == actor.person_id,
            CaseAct.at_step >= step,
            col(CaseAct.transition).in_(NEW_VERSION),
        )
        .order_by(col(CaseAct.at_step).desc())
        .limit(1)
    )
    row = found.one_or_none()
    return (row[0] or "", row[1]) if row else None


def stale(case: Case) -> Refusal:
    """The case moved on since the person looked at it."""
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
    tell: Sequence[Notice] = (),
) -> None:
    """Move a locked case by one transition. Raises a refusal where the rules have no such arrow.

    Writes status, step, times, one journal entry and the notices; the caller's unit of work commits
    them together.
    """
    before = Status(case.status)
    process = process_of(case.kind)
    rule = process.rule_for(before, transition)
    if rule is None or (case.closed_at is not None and not rule.reopens):
        raise _not_now(case)
    await _set_times(session, case, before, rule.to, now)
    if rule.closes and by is None:
        # Its workflow did it and knows.
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
        outbox.Happened(
            person_id=notice.to,
            kind=NoticeKind(notice.kind),
            event_key=f"{case.id}:{case.step}:{notice.kind}",
            case_id=case.id,
            facts={**told_of(case), **notice.facts},
        )
        for notice in tell
    ]
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
        along=outbox.rows_of(told, now),
    )


def told_of(case: Case) -> dict[str, Any]:
    """What every notice of a case says: its number, and until when the applicant may answer."""
    if case.status != Status.CLARIFICATION or case.due_at is None:
        return {"number": case.number}
    return {"number": case.number, "until": last_day(case.due_at, case.term_zone).isoformat()}


async def _awaited(session: AsyncSession, case: Case, party: Party) -> Party:
    """For whom the case waits: the addressee of some requests is the people of a unit."""
    if party is Party.ADDRESSEE:
        definition = await catalogue.case_type(session, case.type, case.type_version)
        if definition.answered_by_people:
            return Party.REVIEWER
    return party


def _not_now(case: Case) -> Refusal:
    message = process_of(case.kind).refusals.not_now
    return Refusal("not_now", message, 409, status_now=case.status, step=case.step)


async def _set_times(
    session: AsyncSession, case: Case, before: Status, after: Status, now: datetime
) -> None:
    """Set `due_at` and `wakes_at`; pause the term of the review while the applicant is awaited."""
    terms, calendar = await terms_of(session, case)
    if before is Status.IN_REVIEW and case.due_at is not None:
        case.term_left = working_days_left(now, case.due_at, case.term_zone, calendar)
    due_before, case.due_at = case.due_at, None
    # A person's act is to be heard by the workflow; where nobody rings it, the sweeper will.
    case.wakes_at = now
    if after is Status.IN_REVIEW:
        days = terms.review if case.term_left is None else max(case.term_left, 1)
        case.due_at = deadline(now, days, case.term_zone, calendar)
        case.escalated_at = None
        found = alarm_of(case, after, now, terms, calendar)
        case.wakes_at = found[0] if found else None
    elif after is Status.CLARIFICATION:
        case.due_at = deadline(now, terms.answer, case.term_zone, calendar)
    elif after is Status.ACCEPTED:
        case.due_at = deadline(now, terms.review, case.term_zone, calendar)
        case.escalated_at = None
    elif after is Status.PROCESSING:
        case.due_at = due_before
        case.alarms = 0
        found = alarm_of(case, after, now, terms, calendar)
        case.wakes_at = found[0] if found else None


async def terms_of(session: AsyncSession, case: Case) -> tuple[Terms, WorkingCalendar]:
    """The terms that the case began with, its programme's where it has its own."""
    definition = await catalogue.case_type(session, case.type, case.type_version)
    programme = await catalogue.programme(session, case.programme_id) if case.programme_id else None
    terms = merged_terms(definition, programme)
    return terms, await catalogue.calendar(session)


def alarm_of(
    case: Case, status: Status, entered: datetime, terms: Terms, calendar: WorkingCalendar
) -> tuple[datetime, Alarm] | None:
    """The alarm that comes after the `case.alarms` already told, or None where no clock runs."""
    return nth_alarm(alarms_of(case, status, entered, terms, calendar), case.alarms)


def alarms_of(
    case: Case, status: Status, entered: datetime, terms: Terms, calendar: WorkingCalendar
) -> Iterator[tuple[datetime, Alarm]]:
    """All alarms of the term that runs now, the first one first; none where no clock runs."""
    if case.due_at is None or status not in CLOCKED:
        return iter(())
    alarms = answer_alarms if status is Status.CLARIFICATION else review_alarms
    return alarms(entered, case.due_at, terms, case.term_zone, calendar)


async def heard(session: AsyncSession, case: Case, now: datetime) -> None:
    """Take note that the workflow has read a locked case, so that the sweeper leaves it alone."""
    if case.wakes_at is None or case.wakes_at > now:
        return
    status = Status(case.status)
    if case.closed_at is not None:
        # Where the run is lost that has to tell of the end, the sweeper begins another.
        if not await owes(session, case):
            case.wakes_at = None
    elif status is Status.CLARIFICATION and case.wakes_at == case.since:
        found = alarm_of(case, status, case.since, *await terms_of(session, case))
        case.wakes_at = found[0] if found else None
    case.rings = 0
    case.rung_at = None
    session.add(case)


async def unit_code(session: AsyncSession, unit_id: UUID) -> str:
    """The code of a unit; codes never change, so they are kept."""
    if unit_id not in _unit_codes:
        unit = await session.get_one(Unit, unit_id)
        _unit_codes[unit_id] = unit.code
    return _unit_codes[unit_id]


_unit_codes: dict[UUID, str] = {}


async def state_of(session: AsyncSession, case: Case) -> CaseState:
    """What a workflow is told of a case."""
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
    """Whether the person is entitled to see the case (Q9, I6)."""
    if case.applicant_id == actor.person_id:
        return actor.may(Permission.APPLY)
    if case.status == Status.DRAFT and case.version == 0:
        return False
    if actor.may(Permission.REVIEW, case.responsible_unit_id):
        return True
    heads_see = process_of(case.kind).seen_by_heads
    return heads_see and actor.may(Permission.VIEW_UNIT_CASES, case.unit_id)


async def see(session: AsyncSession, actor: Actor, case_id: UUID) -> Case:
    """The case, if the person may see it. Raises `not_found` otherwise."""
    case = await session.get(Case, case_id)
    if case is None or not may_see(actor, case):
        raise not_found()
    return case
