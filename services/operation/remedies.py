"""The remedies of the ops desk: safe to repeat, journaled with a reason, done by act id.

A remedy decides nothing about a case: it wakes the workflow, sends a message again, or notifies a
person. Its changes to the database are one transaction; signals follow the commit.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from clients.temporal.client import STANDING
from models.messages import ANEW, WAKE_UP, CaseSignal, CaseState
from models.tables.cases import Case
from models.tables.notices import Notice
from models.tables.operation import OperationAct
from rules.access import Actor, Permission
from rules.clock import now as present
from rules.ids import hash_of
from rules.journal.entries import SYSTEM_CHAIN
from rules.notices.kinds import Channel, NoticeKind, NoticeState
from rules.operation.states import REMEDIES, Remedy, demand_reason
from rules.refusals import Refusal, act_id_reused, forbidden, not_found
from services import access
from services.cases import assignment
from services.cases.signals import CaseSignals
from services.cases.transitions import lock, state_of
from services.cases.wakeups import DOES_NOT_ANSWER
from services.journal import entries as journal
from services.notices import outbox
from services.operation.desk import told_to, waits_for_system, watched
from services.operation.temporal_health import Standings
from services.outages import open_since

MOST = 1000
"""How many cases or notices one act covers; the next act covers the rest."""

SENDERS: Mapping[str, str] = {
    Channel.MAIL: "notices-mail",
    Channel.SMS: "notices-sms",
    Channel.PUSH: "notices-push",
}
"""The standing workflow that sends the notices of a channel."""


@dataclass(frozen=True)
class RemedyOrder:
    """A remedy as requested: what, on what, why."""

    remedy: Remedy
    subject: str
    reason: str


@dataclass(frozen=True)
class Done:
    """The result: how many cases or notices were covered, and whether Temporal took the signals."""

    remedy: Remedy
    touched: int
    told: bool = True


@dataclass(frozen=True)
class _Effect:
    """What a remedy did in its transaction, and what is left to do after the commit."""

    touched: int
    chain: UUID = SYSTEM_CHAIN
    step: int | None = None
    signalled: Sequence[CaseState] = ()
    anew: bool = False
    """Wake-ups had no effect: begin the runs anew instead."""
    start: str | None = None


class _DoneBefore(Exception):
    """An act with this id was done before: nothing is done again."""

    def __init__(self, known: OperationAct) -> None:
        super().__init__()
        self._touched, self._told, self._body_hash = known.touched, known.told, known.body_hash

    def answer(self, actor: Actor, wanted: RemedyOrder) -> Done:
        """The same answer again. Raises Refusal if the id was used for something else."""
        if self._body_hash != _digest(actor, wanted):
            raise act_id_reused()
        return Done(wanted.remedy, self._touched, self._told)


@dataclass(frozen=True)
class _Ask:
    """What a remedy works with: the unit of work, the units it may reach, and the act."""

    session: AsyncSession
    units: frozenset[UUID]
    subject: str
    now: datetime
    act_id: UUID


class OperationActs:
    """What people with the permission `operate` do."""

    def __init__(self, database: Database, signals: CaseSignals, standings: Standings) -> None:
        self._database = database
        self._signals = signals
        self._standings = standings

    async def act(self, actor: Actor, act_id: UUID, wanted: RemedyOrder) -> Done:
        """Do a remedy. The same act id again changes nothing and returns the same answer.

        Raises Refusal 403 without the right, 404 for something missing or in another unit, 409 for
        something that is in order by now, 422 without a reason or if the id was used for something
        else.
        """
        units = actor.units_with(Permission.OPERATE)
        if not units:
            raise forbidden()
        demand_reason(wanted.reason)
        try:
            effect = await self._once(actor, units, act_id, wanted)
        except _DoneBefore as before:
            return before.answer(actor, wanted)
        told = await self._follow(effect)
        if told:
            async with self._database.work() as session:
                await session.exec(
                    update(OperationAct).where(col(OperationAct.id) == act_id).values(told=True)
                )
        return Done(wanted.remedy, effect.touched, told)

    async def _once(
        self, actor: Actor, units: frozenset[UUID], act_id: UUID, wanted: RemedyOrder
    ) -> _Effect:
        now = present()
        async with self._database.work() as session:
            known = await session.get(OperationAct, act_id)
            if known is not None:
                raise _DoneBefore(known)
            effect = await _EFFECTS[wanted.remedy](
                _Ask(session, units, wanted.subject, now, act_id)
            )
            await _note(session, actor, act_id, wanted, effect, now)
            await journal.append(
                session,
                chain=effect.chain,
                kind=REMEDIES[wanted.remedy].journaled,
                at=now,
                by=actor.person_id,
                step=effect.step,
                facts={"subject": wanted.subject, "touched": effect.touched},
                contents={"reason": wanted.reason.strip()},
            )
        return effect

    async def _follow(self, effect: _Effect) -> bool:
        """Signal and start after the commit; what Temporal refuses is left to the sweeper."""
        told = await self._standings.start(effect.start) if effect.start else True
        for state in effect.signalled:
            if not await self._signals.send_now(
                state, CaseSignal(signal=ANEW if effect.anew else WAKE_UP)
            ):
                return False
        return told


def _digest(actor: Actor, wanted: RemedyOrder) -> str:
    body = {
        "by": str(actor.person_id),
        "remedy": wanted.remedy.value,
        "subject": wanted.subject,
        "reason": wanted.reason.strip(),
    }
    return hash_of(body)


async def _note(
    session: AsyncSession,
    actor: Actor,
    act_id: UUID,
    wanted: RemedyOrder,
    effect: _Effect,
    now: datetime,
) -> None:
    """Store the act. Raises _DoneBefore if a request with the same id came a moment earlier."""
    row = OperationAct(
        id=act_id,
        by=actor.person_id,
        at=now,
        remedy=wanted.remedy.value,
        subject=wanted.subject,
        body_hash=_digest(actor, wanted),
        touched=effect.touched,
    )
    table = SQLModel.metadata.tables["operation_act"]
    statement = insert(table).values(row.model_dump()).on_conflict_do_nothing()
    written = await session.exec(statement.returning(table.c.id))
    if written.one_or_none() is None:
        raise _DoneBefore(await session.get_one(OperationAct, act_id))


def _id_of(subject: str) -> UUID:
    try:
        return UUID(subject)
    except ValueError:
        raise not_found() from None


async def _case(session: AsyncSession, units: frozenset[UUID], subject: str) -> Case:
    case = await lock(session, _id_of(subject))
    if case.unit_id not in units or not case.version:
        raise not_found()
    if case.closed_at is not None and case.stuck is None:
        raise Refusal("not_now", "Заявка уже закрыта: делать ничего не нужно.", 409)
    return case


def _wake(case: Case, now: datetime) -> None:
    """Have the sweeper wake the case too, and clear its fault, reported again if it stays."""
    if case.stuck is not None:
        case.wakes_at = now
    case.stuck = None
    case.rings = 0
    case.rung_at = None


async def _retry(ask: _Ask) -> _Effect:
    """Wake the workflow of a case; if wake-ups had no effect before, begin its run anew."""
    case = await _case(ask.session, ask.units, ask.subject)
    unresponsive = case.rings > 0 or case.stuck == DOES_NOT_ANSWER
    _wake(case, ask.now)
    ask.session.add(case)
    return _Effect(
        1, case.id, case.step, signalled=[await state_of(ask.session, case)], anew=unresponsive
    )


async def _ask_again(ask: _Ask) -> _Effect:
    """Wake all cases that wait for a system that is down: they ask it now."""
    if await open_since(ask.session, ask.subject) is None:
        raise Refusal("not_down", "Эта система уже отвечает: делать ничего не нужно.", 409)
    found = await ask.session.exec(
        select(Case)
        .where(watched(ask.units), *waits_for_system(ask.subject))
        .order_by(col(Case.since))
        .limit(MOST)
        .with_for_update(skip_locked=True)
    )
    cases = found.all()
    for case in cases:
        case.wakes_at = ask.now
        case.rings, case.rung_at = 0, None
        ask.session.add(case)
    return _Effect(len(cases), signalled=[await state_of(ask.session, case) for case in cases])


async def _resend(ask: _Ask) -> _Effect:
    """Send a failed notice once more."""
    found = await ask.session.exec(
        select(Notice).where(Notice.id == _id_of(ask.subject), told_to(ask.units)).with_for_update()
    )
    notice = found.one_or_none()
    if notice is None:
        raise not_found()
    # With the person's own rights: one who has left gets no more messages.
    person = await access.actor_for(ask.session, notice.addressee, ask.now)
    await outbox.resend(ask.session, person, notice.id, ask.now)
    return _Effect(1, start=SENDERS.get(notice.channel))


async def _send_now(ask: _Ask) -> _Effect:
    """Make the waiting notices of a channel due at once, and start its sender."""
    if ask.subject not in SENDERS:
        raise not_found()
    waiting = (
        select(Notice.id)
        .where(
            Notice.channel == ask.subject,
            Notice.state == NoticeState.WAITING.value,
            col(Notice.due_at) <= ask.now,
            told_to(ask.units),
        )
        .order_by(col(Notice.due_at))
        .limit(MOST)
        .with_for_update(skip_locked=True)
    )
    done = await ask.session.exec(
        update(Notice).where(col(Notice.id).in_(waiting)).values(next_try_at=ask.now)
    )
    return _Effect(done.rowcount, start=SENDERS[ask.subject])


async def _tell_head(ask: _Ask) -> _Effect:
    """Notify the heads of the responsible unit of an overdue case."""
    case = await _case(ask.session, ask.units, ask.subject)
    if case.due_at is None or case.due_at > ask.now:
        raise Refusal("not_overdue", "Срок заявки не истёк: делать ничего не нужно.", 409)
    heads = [
        person
        for person in await assignment.overseers_of(ask.session, case, ask.now)
        if person != case.applicant_id
    ]
    if not heads:
        raise Refusal(
            "no_head", "В отделе нет начальника: назначьте его или сообщите администратору.", 409
        )
    for person in heads:
        await outbox.enqueue(
            ask.session,
            person_id=person,
            kind=NoticeKind.REVIEW_ESCALATED,
            case_id=case.id,
            event_key=f"{case.id}:{case.step}:ops:{ask.act_id}",
            facts={"number": case.number},
            now=ask.now,
        )
    return _Effect(len(heads), case.id, case.step)


async def _start(ask: _Ask) -> _Effect:
    """Start a standing workflow that does not run."""
    if ask.subject not in {one.id for one in STANDING}:
        raise not_found()
    return _Effect(1, start=ask.subject)


_EFFECTS: Mapping[Remedy, Callable[[_Ask], Awaitable[_Effect]]] = {
    Remedy.RETRY: _retry,
    Remedy.ASK_AGAIN: _ask_again,
    Remedy.RESEND: _resend,
    Remedy.SEND_NOW: _send_now,
    Remedy.TELL_HEAD: _tell_head,
    Remedy.START: _start,
}
