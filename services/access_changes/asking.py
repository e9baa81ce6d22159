"""Asking for a change of rights: by the person, or by an administrator for somebody else (I6, I7).

The case is made and submitted in one unit of work, so there are no drafts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import and_, or_
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.messages import CaseState
from models.tables.cases import Case, CaseAct
from models.tables.people import Person, RoleChange, RoleGrant, Unit
from rules.access import SINGLE, Actor, Permission, Right, Role, demand_end, right_named
from rules.cases.access_changes import (
    LONGEST,
    MOST_OPEN,
    TYPE,
    URGENT_AGAIN,
    alike,
    may_be_urgent,
)
from rules.cases.kinds import process_of
from rules.cases.limits import too_many_drafts
from rules.cases.numbers import NumberKind
from rules.cases.process import CaseKind, Transition
from rules.clock import now as present
from rules.refusals import FieldError, Refusal, not_found
from rules.staff.people import demand_reason, has_left
from rules.staff.right_names import in_russian
from services import access
from services.access_changes import deciding, grants
from services.cases import assignment
from services.cases.acts import Act, Doing
from services.cases.beginning import Beginner
from services.cases.drafts import Drafts, RefusalTexts
from services.cases.transitions import CaseNotice, lock
from services.catalogue import lookup as catalogue
from services.staff.acting import take_turn
from services.staff.provenance import is_open


@dataclass(frozen=True)
class RightsWish:
    """What is asked for: a role or a permission in a unit, or the end of a grant.

    Days include both ends.
    """

    role: Role | None = None
    permission: Permission | None = None
    unit_id: UUID | None = None
    takes_grant_id: UUID | None = None
    first_day: date | None = None
    last_day: date | None = None
    urgent: bool = False
    reason: str = ""


@dataclass(frozen=True)
class _Checked:
    """A wish that may be asked for, with the rows that it names."""

    subject: Person
    right: Right
    unit: Unit
    begins: datetime | None
    ends: datetime | None
    answers: dict[str, Any]


class AccessChanges(Drafts):
    """The acts of those who ask."""

    kind = CaseKind.ACCESS_CHANGE
    number_kind = NumberKind.ACCESS_CHANGE
    spoken = RefusalTexts(
        not_closed="Заявку на права нельзя скопировать: подайте новую.",
        not_now="Эту заявку на права уже нельзя изменить: отзовите её и подайте новую.",
        nothing_changed="В заявке на права ничего не изменено.",
        incomplete="Заявку на права пока нельзя отправить: исправьте отмеченные поля.",
    )

    def notices_of(self, transition: Transition, case: Case) -> list[CaseNotice]:
        """The applicant; of a withdrawal, also whoever was to decide."""
        if transition is not Transition.WITHDRAW:
            return [CaseNotice("access_submitted", case.applicant_id)]
        told = [CaseNotice("access_withdrawn", case.applicant_id)]
        if case.reviewer_id is not None:
            told.append(CaseNotice("review_withdrawn", case.reviewer_id))
        return told

    async def ask(
        self, actor: Actor, act_id: UUID, subject_id: UUID, wish: RightsWish
    ) -> CaseState:
        """Ask for a change of rights. The same act again returns the same answer.

        Raises Refusal 403, 404 for somebody whose rights the actor may not ask for, 409 if the same
        is asked for already or the person has left, 422 for a wish that is not possible.
        """
        actor.demand(Permission.ASK_ACCESS)
        reason = demand_reason(wish.reason)
        body = {
            "subject": str(subject_id),
            "role": wish.role.value if wish.role else None,
            **({"permission": wish.permission.value} if wish.permission else {}),
            "unit": str(wish.unit_id) if wish.unit_id else None,
            "takes": str(wish.takes_grant_id) if wish.takes_grant_id else None,
            "from": wish.first_day.isoformat() if wish.first_day else None,
            "until": wish.last_day.isoformat() if wish.last_day else None,
            "urgent": wish.urgent,
            "reason": reason,
        }
        made: list[_Checked] = []

        async def find(session: AsyncSession) -> Case:
            begun_by = await self._beginner(session, actor)
            known = await session.get(CaseAct, act_id)
            if known is not None:
                return await self._lock_own(session, actor, known.case_id)
            await self._demand_few(session, actor)
            checked = await _checked(session, actor, subject_id, wish, reason)
            made.append(checked)
            definition = await catalogue.case_type(session, TYPE)
            case = await self._new_case(
                session,
                begun_by,
                definition,
                None,
                checked.answers,
                [],
                None,
                responsible_unit_id=checked.unit.id,
                subject_id=None if subject_id == actor.person_id else subject_id,
            )
            return await lock(session, case.id)

        async def write(doing: Doing) -> None:
            checked = made[0]
            change = RoleChange(
                case_id=doing.case.id,
                subject_id=subject_id,
                asked_by=actor.person_id,
                role=checked.right.value,
                unit_id=checked.unit.id,
                takes_grant_id=wish.takes_grant_id,
                valid_from=checked.begins,
                valid_until=checked.ends,
                urgent=wish.urgent,
            )
            await _keep(doing.session, change)
            await self._submit_version(doing, actor, Transition.SUBMIT, checked.answers, [])
            if wish.urgent:
                await take_turn(doing.session)
                await grants.give_urgently(doing.session, change, doing.now)
                await deciding.tell_skipped(doing.session, doing.case, change, doing.now)
            await assignment.appoint(doing.session, doing.case, doing.now)

        act = Act(act_id, 0)
        return await self._once(actor, act, Transition.SUBMIT, body, find=find, write=write)

    async def propose_end(
        self, session: AsyncSession, grant: RoleGrant, reason: str, now: datetime
    ) -> None:
        """Ask, in the caller's unit of work, that a grant ends on which nothing rests any more.

        Nobody has asked for it. The case is the holder's, who cannot withdraw it; head and security
        decide as always. Nothing happens if the same is asked for already.
        """
        subject = await session.get_one(Person, grant.person_id)
        unit = await session.get_one(Unit, grant.unit_id)
        definition = await catalogue.case_type(session, TYPE)
        zone = (await access.zone_of(session, subject.unit_id)).key
        answers = _answers(
            subject,
            right_named(grant.role),
            unit,
            RightsWish(takes_grant_id=grant.id, reason=reason),
        )
        try:
            async with session.begin_nested():
                case = await self._new_case(
                    session,
                    Beginner(subject, zone, 0),
                    definition,
                    None,
                    answers,
                    [],
                    None,
                    responsible_unit_id=unit.id,
                )
                await _keep(
                    session,
                    RoleChange(
                        case_id=case.id,
                        subject_id=subject.id,
                        asked_by=subject.id,
                        role=grant.role,
                        unit_id=unit.id,
                        takes_grant_id=grant.id,
                        proposed=True,
                    ),
                )
        except Refusal:
            return
        number = (await session.exec(select(func.nextval("case_number")))).one()
        doing = Doing(session, await lock(session, case.id), now, number)
        told = [CaseNotice("access_proposed", subject.id)]
        await self._submit_version(doing, None, Transition.SUBMIT, answers, [], told)
        await assignment.appoint(session, doing.case, now)

    async def _withdrawn(self, doing: Doing, actor: Actor) -> None:
        """Nothing remains of what was given urgently. Raises Refusal 409 for a proposal."""
        await take_turn(doing.session)
        change = await deciding.change_of(doing.session, doing.case)
        if change.proposed:
            words = "Эту заявку составила система: решат руководитель и отдел безопасности."
            raise Refusal("proposed", words, 409)
        await grants.end_urgent(
            doing.session, change, doing.now, by=actor.person_id, why="withdrawn"
        )
        change.open = False
        doing.session.add(change)

    async def _demand_few(self, session: AsyncSession, actor: Actor) -> None:
        counted = await session.exec(
            select(func.count())
            .select_from(RoleChange)
            .where(RoleChange.asked_by == actor.person_id, col(RoleChange.open))
        )
        if counted.one() >= MOST_OPEN:
            raise too_many_drafts(process_of(self.kind), MOST_OPEN)


async def _checked(
    session: AsyncSession, actor: Actor, subject_id: UUID, wish: RightsWish, reason: str
) -> _Checked:
    subject, now = await session.get(Person, subject_id), present()
    manages = subject is not None and actor.may(Permission.MANAGE_PEOPLE, subject.unit_id)
    if subject is None or (subject_id != actor.person_id and not manages):
        raise not_found()
    if not access.works(subject, now):
        raise has_left()
    right: Right | None = wish.role or wish.permission
    unit_id = wish.unit_id
    if wish.takes_grant_id is not None:
        grant = await session.get(RoleGrant, wish.takes_grant_id)
        if grant is None or grant.person_id != subject_id or not is_open(grant, now):
            raise _unfit("grant", "Выберите роль, которая ещё действует.")
        right, unit_id = right_named(grant.role), grant.unit_id
    elif wish.permission is not None and (wish.role or wish.permission not in SINGLE):
        raise _unfit("role", "Выберите роль или одно право, которое выдают отдельно.")
    unit = await session.get(Unit, unit_id) if unit_id else None
    wrong = []
    if right is None:
        wrong.append(FieldError("role", "Выберите роль или отдельное право."))
    if unit is None:
        wrong.append(FieldError("unit_id", "Выберите подразделение."))
    if right is None or unit is None:
        raise _incomplete(wrong)
    begins, ends = _term(wish, ZoneInfo(unit.time_zone), now)
    if wish.takes_grant_id is None:
        demand_end(right, max(begins or now, now), ends)
    if wish.urgent:
        _demand_urgent(wish, right, unit, begins)
        await _demand_not_lately(session, subject_id, right, now)
    answers = _answers(subject, right, unit, replace(wish, reason=reason))
    return _Checked(subject, right, unit, begins, ends, answers)


def _answers(subject: Person, right: Right, unit: Unit, wish: RightsWish) -> dict[str, Any]:
    """The wish as the form of its type says it."""
    return {
        "subject": subject.name,
        "change": "give" if wish.takes_grant_id is None else "take",
        "role": in_russian(right),
        "unit": unit.name,
        "from": wish.first_day.strftime("%d.%m.%Y") if wish.first_day else None,
        "until": wish.last_day.strftime("%d.%m.%Y") if wish.last_day else None,
        "urgent": wish.urgent,
        "reason": wish.reason,
    }


def _term(
    wish: RightsWish, zone: ZoneInfo, now: datetime
) -> tuple[datetime | None, datetime | None]:
    """From when until when the role is wanted: whole days in the zone of the unit."""
    today = now.astimezone(zone).date()
    first, last = wish.first_day, wish.last_day
    wrong = []
    if first is not None and not today <= first <= today + LONGEST:
        wrong.append(FieldError("first_day", "Укажите сегодняшний день или более поздний."))
    if last is not None and not (first or today) <= last <= today + LONGEST:
        wrong.append(
            FieldError("last_day", "Последний день не раньше первого и не дальше пяти лет.")
        )
    if wrong:
        raise _incomplete(wrong)
    begins = datetime.combine(first, time(), zone) if first and first > today else None
    ends = datetime.combine(last + timedelta(days=1), time(), zone) if last else None
    return begins, ends


def _demand_urgent(wish: RightsWish, right: Right, unit: Unit, begins: datetime | None) -> None:
    """Raise Refusal 422 unless this may be had before anybody has decided."""
    words = ""
    if wish.takes_grant_id is not None or begins is not None:
        words = "Срочно можно только получить роль или право, и только с этой минуты."
    elif not unit.urgent_access:
        words = "В этом подразделении срочный доступ не разрешён."
    elif not may_be_urgent(right):
        words = "Это срочно получить нельзя: это власть над правами других или системой."
    if words:
        raise _unfit("urgent", words)


async def _demand_not_lately(
    session: AsyncSession, subject_id: UUID, right: Right, now: datetime
) -> None:
    """Raise Refusal 422 for what was had urgently, or taken away, not long ago.

    Otherwise it could be had day after day, and in spite of a no, before anybody has decided.
    """
    since = now - URGENT_AGAIN
    lately = or_(
        and_(col(RoleGrant.urgent), col(RoleGrant.valid_from) > since),
        and_(col(RoleGrant.ended_by).is_not(None), col(RoleGrant.valid_until) > since),
    )
    found = await session.exec(
        select(RoleGrant.id)
        .where(
            RoleGrant.person_id == subject_id, col(RoleGrant.role).in_(sorted(alike(right))), lately
        )
        .limit(1)
    )
    if found.first() is not None:
        words = "Это недавно уже получали срочно или забирали: попросите обычным путём."
        raise _unfit("urgent", words)


async def _keep(session: AsyncSession, change: RoleChange) -> None:
    """Store the change. Raises Refusal 409 if the same is asked for already."""
    kept = await session.exec(
        insert(RoleChange)
        .values(**change.model_dump())
        .on_conflict_do_nothing()
        .returning(col(RoleChange.case_id))
    )
    if kept.scalar_one_or_none() is None:
        words = "Об этом уже просят: дождитесь решения или отзовите прежнюю заявку."
        raise Refusal("asked_already", words, 409)


def _unfit(name: str, words: str) -> Refusal:
    return _incomplete([FieldError(name, words)])


def _incomplete(wrong: Sequence[FieldError]) -> Refusal:
    return Refusal(
        "incomplete",
        "Заявку на права пока нельзя отправить: исправьте отмеченные поля.",
        422,
        list(wrong),
    )
