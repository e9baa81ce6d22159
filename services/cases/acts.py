"""A person's act on a case: claimed, done once, and signalled to the workflow after the commit.

An act that is sent twice, by a second click or by a client that lost the response, is done once and
gets the same answer twice.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, func
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.dml import ReturningInsert
from sqlmodel import SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database, DirectStatement
from models.messages import CaseSignal, CaseState
from models.tables.cases import Case, CaseAct
from models.tables.journal import JournalEntry
from rules.access import Actor
from rules.cases.kinds import process_of
from rules.cases.process import NEW_VERSION, Party, Status, Transition
from rules.cases.terms import in_zone
from rules.clock import now as present
from rules.ids import hash_of
from rules.refusals import act_id_reused
from services.cases.signals import CaseSignals
from services.cases.transitions import JOURNALED, stale, state_of
from services.journal import entries as journal


@dataclass(frozen=True)
class Act:
    """What a person asks for: an id made by the client, and the step that the person saw."""

    id: UUID
    at_step: int


@dataclass(frozen=True)
class Doing:
    """An act that is being done, under the lock of its case.

    `sequence` is the new number of a case that has none yet.
    """

    session: AsyncSession
    case: Case
    now: datetime
    sequence: int | None


class CaseActs:
    """What people do with cases. After each act the workflow of its case is signalled."""

    def __init__(self, database: Database, signals: CaseSignals) -> None:
        self._database = database
        self._signals = signals

    async def _once(
        self,
        actor: Actor,
        act: Act,
        transition: Transition,
        body: Mapping[str, Any],
        *,
        find: Callable[[AsyncSession], Awaitable[Case]],
        write: Callable[[Doing], Awaitable[None]],
    ) -> CaseState:
        """Do an act and return the state of the case. The same act again returns the same answer.

        `find` locks the case and refuses people who may not act on it; `write` does the act, in the
        same unit of work. `body` is everything that the person asked for: the same id with another
        body is refused (422). Raises Refusal 409 if the person saw an earlier step.
        """
        async with self._database.work() as session:
            case = await find(session)
            now = present()
            claimed = await claim(session, case, transition, act, actor, now, body)
            if claimed is None:
                return await _answered_before(session, case, act)
            await write(Doing(session, case, now, claimed.sequence))
            state = await state_of(session, case)
        self._signals.send(state, CaseSignal(signal=transition, act_id=act.id))
        return state


@dataclass(frozen=True)
class Claim:
    """An act that may be done now. `sequence` is the new number of a case that has none yet."""

    sequence: int | None


def _claiming(*, numbered: bool) -> ReturningInsert[*tuple[Any, ...]]:
    table = SQLModel.metadata.tables["case_act"]
    wanted = [table.c.id, *journal.head_columns(bindparam("case_id", type_=table.c.case_id.type))]
    if not numbered:
        # A number drawn by a unit of work that fails leaves a gap.
        wanted.append(func.nextval("case_number"))
    values = {one.name: bindparam(one.name, type_=one.type) for one in table.c}
    return insert(table).values(values).on_conflict_do_nothing().returning(*wanted)


_CLAIM = {numbered: DirectStatement(_claiming(numbered=numbered)) for numbered in (True, False)}
"""One statement, sent under the lock.

It stores the act, reads the end of the chain, and draws a number.
"""


async def claim(
    session: AsyncSession,
    case: Case,
    transition: Transition,
    act: Act,
    actor: Actor,
    now: datetime,
    body: Mapping[str, Any],
) -> Claim | None:
    """Store the act. None if this very act was done before: then return the same answer again.

    Raises Refusal 422 if the id was used for something else, and 409 if the person saw another step
    than the present one.
    """
    digest = hash_of(
        {
            "case": str(case.id),
            "step": act.at_step,
            "transition": transition.value,
            "by": str(actor.person_id),
            "body": dict(body),
        }
    )
    values = CaseAct(
        id=act.id,
        case_id=case.id,
        by=actor.person_id,
        at=now,
        at_step=act.at_step,
        transition=transition.value,
        body_hash=digest,
    ).model_dump()
    found = await _CLAIM[case.number is not None].run(session, values)
    written = await found.fetchone()
    if written is None:
        before = await session.get_one(CaseAct, act.id)
        if before.body_hash != digest:
            raise act_id_reused()
        return None
    if case.step != act.at_step:
        raise stale(case)
    journal.head_is_known(session, case.id, written[1], written[2])
    return Claim(int(written[3]) if case.number is None else None)


async def _answered_before(session: AsyncSession, case: Case, act: Act) -> CaseState:
    """The answer that the act got when it was done, whatever has happened to the case since."""
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
        # Entries written by earlier versions of the program do not say it.
        return present
    due = told["due_at"]
    return present.model_copy(
        update={
            "status": Status(told["to"]),
            "step": step,
            "open": not rule.closes,
            "waits_for": Party(told["waits_for"]),
            "due_at": in_zone(datetime.fromisoformat(due), case.term_zone) if due else None,
        }
    )


async def was_done(session: AsyncSession, case: Case, act: Act, actor: Actor) -> bool:
    """Whether this person has done an act with this id on the case."""
    kept = await session.get(CaseAct, act.id)
    return kept is not None and (kept.case_id, kept.by) == (case.id, actor.person_id)


async def sent_since(
    session: AsyncSession, actor: Actor, case_id: UUID, step: int
) -> tuple[str, datetime] | None:
    """The number of the case, and when this person submitted a version at this step or later."""
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
