"""How long closed cases are kept: terms, notices before the end, extension, hold, erasing (S7).

When the term is over, the contents of a case are erased: what was submitted, decided and said, its
papers, and the contents of its journal. The row with number, states and times stays, and so does
the journal's chain, which records when and by what rule this was done.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, or_, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from clients.objects import Objects
from models.tables.archive import CaseRetention, RetentionTerm
from models.tables.cases import Case
from models.tables.people import Person
from rules.access import Actor, Permission
from rules.archive import (
    MOST_YEARS,
    NOTICE_DAYS,
    kept_until,
    notice_due,
)
from rules.cases.kinds import process_of
from rules.cases.limits import LONGEST_REASON
from rules.clock import now
from rules.journal.disclosure import Audience
from rules.journal.entries import JournalKind
from rules.notices.kinds import NoticeKind
from rules.refusals import FieldError, Refusal, forbidden, not_found
from services import access
from services.archive import erasure
from services.cases.lists import read_cursor
from services.cases.transitions import lock, may_see
from services.catalogue import lookup as catalogue
from services.journal import entries as journal
from services.journal.disclosure import audiences
from services.notices import outbox

TOGETHER = 200
LEAST_NOTICE = timedelta(days=min(NOTICE_DAYS))
"""The least time between the last notice and the end: a late notice postpones the end."""

_ROW = select(CaseRetention).where(CaseRetention.case_id == bindparam("case_id")).with_for_update()


async def terms(session: AsyncSession) -> dict[tuple[str, str], RetentionTerm]:
    """The terms by kind and type."""
    return {(one.kind, one.type): one for one in (await session.exec(select(RetentionTerm))).all()}


def _years(known: dict[tuple[str, str], RetentionTerm], case: Case) -> int:
    found = known.get((case.kind, case.type)) or known.get((case.kind, ""))
    return found.years if found else process_of(case.kind).usual_years


async def assign(database: Database, zone: ZoneInfo) -> int:
    """Set the end of keeping for every closed case. Returns for how many it was set.

    For a case that was reopened and closed again the term starts anew, but never ends earlier.
    """
    given = 0
    while True:
        async with database.work() as session:
            known = await terms(session)
            found = await session.exec(
                select(Case, CaseRetention)
                .outerjoin(CaseRetention, col(CaseRetention.case_id) == col(Case.id))
                .where(
                    col(Case.closed_at).is_not(None),
                    col(Case.number).is_not(None),
                    or_(
                        col(CaseRetention.case_id).is_(None),
                        col(CaseRetention.closed_at) != col(Case.closed_at),
                    ),
                )
                .limit(TOGETHER)
            )
            rows = found.all()
            ends = []
            for case, before in rows:
                closed_at = case.closed_at or now()
                until = kept_until(closed_at, _years(known, case), zone)
                if before is not None:
                    until = max(until, before.retain_until)
                ends.append({"case_id": case.id, "closed_at": closed_at, "retain_until": until})
            if ends:
                row = insert(SQLModel.metadata.tables["case_retention"]).values(ends)
                await session.exec(
                    row.on_conflict_do_update(
                        index_elements=["case_id"],
                        set_={
                            "closed_at": row.excluded.closed_at,
                            "retain_until": row.excluded.retain_until,
                            "told_days": None,
                        },
                    )
                )
        given += len(rows)
        if len(rows) < TOGETHER:
            return given


async def tell(database: Database) -> int:
    """Notify applicants and keepers of the archive of cases whose term ends soon. Returns how many.

    If the end of a case is nearer than the least notice, it is postponed.
    """
    told, units, after = 0, set[UUID](), None
    while True:
        moment = now()
        async with database.work() as session:
            query = (
                select(Case, CaseRetention)
                .join(CaseRetention, col(CaseRetention.case_id) == col(Case.id))
                .where(
                    col(CaseRetention.erased_at).is_(None),
                    col(CaseRetention.held_at).is_(None),
                    col(Case.closed_at).is_not(None),
                    col(CaseRetention.retain_until) <= moment + timedelta(days=max(NOTICE_DAYS)),
                )
                .order_by(col(CaseRetention.retain_until), col(CaseRetention.case_id))
                .limit(TOGETHER)
                .with_for_update(of=CaseRetention)
            )
            if after is not None:
                place = tuple_(col(CaseRetention.retain_until), col(CaseRetention.case_id))
                query = query.where(place > after)
            rows = (await session.exec(query)).all()
            happened = []
            for case, row in rows:
                after = (row.retain_until, row.case_id)
                days = notice_due(row.retain_until, moment, row.told_days)
                if days is None:
                    continue
                if row.told_days is None:
                    row.retain_until = max(row.retain_until, moment + LEAST_NOTICE)
                row.told_days = days
                session.add(row)
                units.add(case.responsible_unit_id)
                happened.append(
                    outbox.NoticeEvent(
                        case.applicant_id,
                        NoticeKind.RETENTION_ENDS,
                        f"{case.id}:retention:{row.retain_until:%Y-%m-%d}:{days}",
                        case.id,
                        {"number": case.number},
                    )
                )
            await outbox.enqueue_all(session, happened, moment)
        told += len(happened)
        if len(rows) < TOGETHER:
            break
    await _tell_keepers(database, units)
    return told


async def _tell_keepers(database: Database, units: set[UUID]) -> None:
    """One notice a day for each keeper, however many cases end."""
    moment = now()
    async with database.work() as session:
        keepers = {
            person_id
            for unit in sorted(units)
            for person_id in await access.people_with(
                session, Permission.KEEP_ARCHIVE, unit, moment
            )
        }
        await outbox.enqueue_all(
            session,
            [
                outbox.NoticeEvent(
                    person_id, NoticeKind.RETENTION_DUE, f"retention:{moment:%Y-%m-%d}"
                )
                for person_id in sorted(keepers)
            ],
            moment,
        )


@dataclass(frozen=True)
class KeptCase:
    """A case with the end of its keeping; `retention` is None while the case is open.

    Who holds it and why is shown only to other keepers, never to the applicant.
    """

    case: Case
    title: str
    retention: CaseRetention | None
    held_by: str = ""
    hold_reason: str = ""


async def one(session: AsyncSession, actor: Actor, case_id: UUID) -> KeptCase:
    """How long a case is kept, for those who see it and for keepers. Raises `not_found`."""
    case = await session.get(Case, case_id)
    if case is None or case.number is None:
        raise not_found()
    if not (may_see(actor, case) or keeps(actor, case)):
        raise not_found()
    row = await session.get(CaseRetention, case_id)
    return await _kept(session, actor, case, row)


async def _kept(
    session: AsyncSession, actor: Actor, case: Case, row: CaseRetention | None
) -> KeptCase:
    title = await _title(session, case)
    if row is None or row.held_by is None or Audience.KEEPER not in audiences(actor, case):
        return KeptCase(case, title, row)
    by = await session.get_one(Person, row.held_by)
    return KeptCase(case, title, row, by.name, row.hold_reason or "")


def keeps(actor: Actor, case: Case) -> bool:
    """Whether the person decides how long the case is kept."""
    return actor.may(Permission.KEEP_ARCHIVE, case.responsible_unit_id)


async def ending(
    session: AsyncSession, actor: Actor, after: str | None = None, limit: int = 50
) -> Sequence[KeptCase]:
    """Cases whose term ends within the first notice, and held ones, in the units of the keeper.

    They come in the order of their ends. Raises `forbidden` for people who are no keepers.
    """
    units = actor.units_with(Permission.KEEP_ARCHIVE)
    if not units:
        raise forbidden()
    soon = now() + timedelta(days=max(NOTICE_DAYS))
    place = tuple_(col(CaseRetention.retain_until), col(CaseRetention.case_id))
    query = (
        select(Case, CaseRetention)
        .join(CaseRetention, col(CaseRetention.case_id) == col(Case.id))
        .where(
            col(Case.responsible_unit_id).in_(units),
            col(CaseRetention.erased_at).is_(None),
            or_(
                col(CaseRetention.retain_until) <= soon,
                col(CaseRetention.held_at).is_not(None),
            ),
        )
        .order_by(col(CaseRetention.retain_until), col(CaseRetention.case_id))
        .limit(limit)
    )
    if after is not None:
        query = query.where(place > read_cursor(after))
    found = (await session.exec(query)).all()
    return [await _kept(session, actor, case, row) for case, row in found]


async def _title(session: AsyncSession, case: Case) -> str:
    if case.programme_id is not None:
        return (await catalogue.programme(session, case.programme_id)).title
    return (await catalogue.case_type(session, case.type, case.type_version)).title


class Retention:
    """What keepers of the archive decide, each with a reason and an entry in the journal."""

    def __init__(self, database: Database, zone: str) -> None:
        self._database = database
        self._zone = ZoneInfo(zone)

    async def extend(self, actor: Actor, case_id: UUID, until: datetime, reason: str) -> None:
        """Keep a case longer. Raises Refusal 422 for an end that is not later, or too late."""
        async with self._database.work() as session:
            case, row = await self._deciding(session, actor, case_id, reason)
            latest = now() + timedelta(days=366 * MOST_YEARS)
            if not row.retain_until < until <= latest:
                message = "Укажите день позже текущего срока, но не дальше 75 лет."
                raise Refusal("wrong_term", message, 422, [FieldError("until", message)])
            row.retain_until, row.told_days = until, None
            session.add(row)
            facts = {"until": until.astimezone(self._zone).date().isoformat()}
            await _note(session, actor, case, JournalKind.CASE_KEPT_LONGER, reason, facts)

    async def hold(self, actor: Actor, case_id: UUID, reason: str) -> None:
        """Forbid erasing until the case is released, as for a court. Safe to repeat."""
        async with self._database.work() as session:
            case, row = await self._deciding(session, actor, case_id, reason)
            if row.held_at is not None:
                return
            row.held_at, row.held_by, row.hold_reason = now(), actor.person_id, reason.strip()
            session.add(row)
            await _note(session, actor, case, JournalKind.CASE_HELD, reason)

    async def release(self, actor: Actor, case_id: UUID, reason: str) -> None:
        """Allow erasing again; notices are sent again before. Safe to repeat."""
        async with self._database.work() as session:
            case, row = await self._deciding(session, actor, case_id, reason)
            if row.held_at is None:
                return
            row.held_at = row.held_by = row.hold_reason = row.told_days = None
            session.add(row)
            await _note(session, actor, case, JournalKind.CASE_RELEASED, reason)

    async def erase(self, actor: Actor, case_id: UUID, objects: Objects) -> None:
        """Erase a case whose term is over, as the night does. Raises Refusal 409 before that.

        Raises ObjectsDownError if rows were erased but their objects could not be removed; the
        sweeps remove those.
        """
        async with self._database.work() as session:
            _, row = await self._deciding(session, actor, case_id)
            if row.held_at is not None:
                raise Refusal("held", "Удаление этого дела запрещено. Сначала снимите запрет.", 409)
            if row.retain_until > now():
                raise Refusal("not_over", "Срок хранения ещё не истёк.", 409)
            if row.told_days is None:
                words = "Заявителю ещё не сообщили, что срок истекает: это сделает система ночью."
                raise Refusal("not_told", words, 409)
        keys = await erasure.erase(self._database, case_id, by=actor)
        if keys is None:
            raise Refusal("not_now", "Дело изменилось. Откройте его заново.", 409)
        if keys:
            await objects.remove(*keys)

    def end_of(self, day: date) -> datetime:
        """The end of a day in the institution's zone."""
        return datetime.combine(day + timedelta(days=1), time.min, self._zone)

    async def _deciding(
        self, session: AsyncSession, actor: Actor, case_id: UUID, reason: str | None = None
    ) -> tuple[Case, CaseRetention]:
        """The locked case and its row. Raises Refusal if the person or the case allows no decision.

        A reason that is given must not be empty.
        """
        case = await lock(session, case_id)
        if not keeps(actor, case):
            raise forbidden() if may_see(actor, case) else not_found()
        if case.applicant_id == actor.person_id:
            raise Refusal("own_case", "О своём деле решает другой сотрудник.", 403)
        if reason is not None and not 1 <= len(reason.strip()) <= LONGEST_REASON:
            long = "Сократите причину до 4000 знаков."
            message = long if reason.strip() else "Напишите причину"
            raise Refusal("incomplete", message, 422, [FieldError("reason", message)])
        if case.closed_at is None or case.number is None:
            raise Refusal("not_now", "Дело не закрыто: срок хранения ещё не начался.", 409)
        row = (await session.exec(_ROW, params={"case_id": case_id})).one_or_none()
        if row is None:
            until = kept_until(case.closed_at, _years(await terms(session), case), self._zone)
            row = CaseRetention(case_id=case_id, closed_at=case.closed_at, retain_until=until)
        if row.erased_at is not None:
            raise Refusal("erased", "Содержание этого дела уже удалено.", 409)
        return case, row


async def _note(
    session: AsyncSession,
    actor: Actor,
    case: Case,
    kind: JournalKind,
    reason: str,
    facts: dict[str, str] | None = None,
) -> None:
    await journal.append(
        session,
        chain=case.id,
        kind=kind,
        by=actor.person_id,
        facts={**(facts or {}), "internal": True},
        contents={"reason": reason.strip()},
    )
