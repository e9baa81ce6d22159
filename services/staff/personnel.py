"""What the personnel register says of who works where, carried out (I8).

A push brings the whole record of an employment with its version, and so does the list. Only a
version newer than the known one counts: a push may come twice, late and in any order, and one that
was lost is made up for by the list. What cannot be carried out waits for a person, and HR is told.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from clients.personnel import Leave, PersonnelClient, StaffRecord
from clients.registers import RegisterDown, RegisterGarbled
from crypto.key_ring import key_ring
from models.encrypted_columns import bound_row
from models.tables.people import Absence, Person, PersonnelRecord, Unit
from rules.access import Permission
from rules.clock import now as present
from rules.journal.entries import JournalKind
from rules.notices.kinds import NoticeKind
from rules.refusals import Refusal
from rules.staff.personnel import RecordTrouble
from services import access, outages
from services.cases import assignment
from services.journal import entries as journal
from services.notices import outbox
from services.notices.outbox import NoticeEvent
from services.results import looking as results
from services.staff import departures
from services.staff.acting import demand_successor, take_turn

log = structlog.get_logger(__name__)

SYSTEM = "personnel_register"
MOST_PAGES = 1000
"""So many parts of the list one comparison reads at most."""
_NUMBERS = UUID("7d0c1f62-9a55-4f0e-8a0b-3f6a5d1e2c47")


def id_of(number: str) -> UUID:
    """The row of a record."""
    return uuid5(_NUMBERS, number)


async def take(database: Database, said: StaffRecord, *, again: bool = False) -> bool:
    """Take what the register said of one employment. Returns whether anything was done.

    `again`: what could not be carried out before is tried once more.
    """
    async with database.work() as session:
        if not await _wanted(session, [said], again=again):
            return False
    async with database.work() as session:
        await take_turn(session)
        row = await _heard(session, said, present())
        if row is None and again:
            row = await session.get(PersonnelRecord, id_of(said.number), with_for_update=True)
            row = row if row and row.trouble and row.version == said.version else None
        if row is None:
            return False
        await settle(session, row, said, present())
        return True


async def _wanted(
    session: AsyncSession, said: Sequence[StaffRecord], *, again: bool
) -> list[StaffRecord]:
    """Those that are news, or with `again` could not be carried out."""
    found = await session.exec(
        select(PersonnelRecord.id, PersonnelRecord.version, PersonnelRecord.trouble).where(
            col(PersonnelRecord.id).in_([id_of(one.number) for one in said])
        )
    )
    known = {id_: (version, trouble) for id_, version, trouble in found.all()}

    def is_wanted(one: StaffRecord) -> bool:
        version, trouble = known.get(id_of(one.number), (0, None))
        return version < one.version or (again and bool(trouble) and version == one.version)

    return [one for one in said if is_wanted(one)]


async def _heard(session: AsyncSession, said: StaffRecord, now: datetime) -> PersonnelRecord | None:
    """Store the record, unless the same version or a later one is stored. Locks the row."""
    row = PersonnelRecord(
        id=id_of(said.number),
        version=said.version,
        record=said.model_dump(mode="json"),
        heard_at=now,
    )
    stored = insert(PersonnelRecord).values(bound_row(row))
    fresh = {name: getattr(stored.excluded, name) for name in ("version", "record", "heard_at")}
    kept = await session.exec(
        stored.on_conflict_do_update(
            index_elements=["id"],
            set_=fresh,
            where=col(PersonnelRecord.version) < stored.excluded.version,
        ).returning(col(PersonnelRecord.id))
    )
    if kept.scalar_one_or_none() is None:
        return None
    return await session.get_one(PersonnelRecord, row.id, populate_existing=True)


async def settle(
    session: AsyncSession, row: PersonnelRecord, said: StaffRecord, now: datetime
) -> None:
    """Carry out what a locked row says, or note why not and tell HR.

    The caller has waited for its turn of acts on people's accounts.
    """
    trouble = await _carry_out(session, row, said, now)
    if trouble is None:
        row.trouble = row.trouble_since = None
    elif row.trouble != trouble:
        row.trouble, row.trouble_since = trouble.value, now
        await _tell(session, now)
    session.add(row)
    await session.flush()


async def _carry_out(
    session: AsyncSession, row: PersonnelRecord, said: StaffRecord, now: datetime
) -> RecordTrouble | None:
    person = await _person(session, said.snils)
    row.ended = said.left_on is not None or said.at_once
    if row.person_id is not None and (person is None or person.id != row.person_id):
        await _let_go(session, row, row.person_id, now)
    if person is None:
        # Whoever leaves and was never here needs nothing.
        return None if row.ended else RecordTrouble.UNKNOWN_PERSON
    row.person_id = person.id
    session.add(row)
    await session.flush()
    if row.ended:
        return await _depart(session, row, person, now)
    if not access.works(person, now):
        return RecordTrouble.HAS_LEFT
    await _stay(session, await _records(session, row, person), person, now)
    if not said.main:
        return None
    found = await session.exec(select(Unit).where(Unit.code == said.unit))
    unit = found.one_or_none()
    if unit is None:
        return RecordTrouble.UNKNOWN_UNIT
    person.position = said.position
    session.add(person)
    await _leave(session, row, person, said.leave, now)
    if unit.id != person.unit_id:
        return await _transfer(session, person, unit, now)
    return None


async def _person(session: AsyncSession, snils: str) -> Person | None:
    found = await session.exec(
        select(Person)
        .where(Person.snils_blind == key_ring().blind(snils))
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return found.one_or_none()


async def _let_go(
    session: AsyncSession, row: PersonnelRecord, person_id: UUID, now: datetime
) -> None:
    """The record is about somebody else than it was: take back what it had entered for them."""
    before = await session.get_one(
        Person, person_id, with_for_update={"key_share": True}, populate_existing=True
    )
    if access.works(before, now):
        await _stay(session, [row], before, now)
    await _leave(session, row, before, None, now)
    row.person_id = row.absence_id = None
    session.add(row)
    await session.flush()


async def _records(
    session: AsyncSession, row: PersonnelRecord, person: Person
) -> Sequence[PersonnelRecord]:
    """All employments of a person, this one first."""
    others = await session.exec(
        select(PersonnelRecord).where(
            PersonnelRecord.person_id == person.id, PersonnelRecord.id != row.id
        )
    )
    return [row, *others.all()]


async def _depart(
    session: AsyncSession, row: PersonnelRecord, person: Person, now: datetime
) -> RecordTrouble | None:
    """End what the person has here, now or when the last day ends in the zone of the unit.

    Somebody with another employment that goes on stays; of several that end, the last one counts.
    """
    records = await _records(session, row, person)
    if not all(one.ended for one in records) or not access.works(person, now):
        return None
    zone = await access.zone_of(session, person.unit_id)
    last = max(records, key=lambda one: _end(one.record, zone, now))
    left_at = _end(last.record, zone, now)
    entered_by_us = person.left_at in [one.left_at for one in records]
    if person.left_at is not None and person.left_at <= left_at and not entered_by_us:
        return None
    if person.left_at == left_at:
        return None
    alone = await _is_last_manager(session, person, now)
    person.left_at = row.left_at = left_at
    session.add(person)
    await session.flush()
    await _note(session, person, JournalKind.PERSON_LEAVING, now, left_at=left_at.isoformat())
    today = await access.day_in(session, person.unit_id, now)
    told = {"last_day": last.record["left_on"] or today.isoformat()}
    await _say(session, person, NoticeKind.LEAVING, told, now)
    if left_at <= now:
        await departures.carry_out(session, person, now)
    # Whoever was dismissed has no access, whatever that leaves undone: somebody must see to it.
    return RecordTrouble.NOBODY_MANAGES if alone else None


def _end(record: Mapping[str, Any], zone: ZoneInfo, now: datetime) -> datetime:
    """When an employment that has an end does end, and not before the present."""
    if record["at_once"] or record["left_on"] is None:
        return now
    day = date.fromisoformat(record["left_on"]) + timedelta(days=1)
    return max(now, datetime.combine(day, time(), zone))


async def _is_last_manager(session: AsyncSession, person: Person, now: datetime) -> bool:
    try:
        await demand_successor(session, person.id, now)
    except Refusal:
        return True
    return False


async def _stay(
    session: AsyncSession, records: Sequence[PersonnelRecord], person: Person, now: datetime
) -> None:
    """Take back a departure that one of these records had set, and that is still ahead."""
    if person.left_at is not None and person.left_at in [one.left_at for one in records]:
        person.left_at = None
        session.add(person)
        await _note(session, person, JournalKind.PERSON_STAYS, now)
        await _say(session, person, NoticeKind.STAYS, {}, now)
    for one in records:
        one.left_at = None
        session.add(one)


async def _transfer(
    session: AsyncSession, person: Person, unit: Unit, now: datetime
) -> RecordTrouble | None:
    before = person.unit_id
    try:
        await departures.transfer(session, person, unit.id, now)
    except Refusal:
        return RecordTrouble.LAST_MANAGER
    facts = {"from": str(before), "to": str(unit.id)}
    await _note(session, person, JournalKind.PERSON_TRANSFERRED, now, **facts)
    await assignment.reconcile(session, now)
    return None


async def _leave(
    session: AsyncSession,
    row: PersonnelRecord,
    person: Person,
    leave: Leave | None,
    now: datetime,
) -> None:
    """Let the absence of this record be the leave that the register has, or none."""
    stands = await session.get(Absence, row.absence_id) if row.absence_id else None
    if leave is None:
        today = await access.day_in(session, person.unit_id, now)
        if stands is not None and stands.last_day >= today:
            row.absence_id = None
            await session.delete(stands)
            await _absence(session, stands, "ended", now)
        return
    if stands is None:
        stands = Absence(person_id=person.id, first_day=leave.first_day, last_day=leave.last_day)
    elif (stands.first_day, stands.last_day) == (leave.first_day, leave.last_day):
        return
    stands.first_day, stands.last_day = leave.first_day, leave.last_day
    session.add(stands)
    await session.flush()
    row.absence_id = stands.id
    await _absence(session, stands, "set", now)


async def _absence(session: AsyncSession, absence: Absence, what: str, now: datetime) -> None:
    days = {"first_day": absence.first_day.isoformat(), "last_day": absence.last_day.isoformat()}
    person = await session.get_one(Person, absence.person_id)
    await _note(session, person, JournalKind.ABSENCE_SET, now, what=what, deputy=None, **days)
    await results.person_changed(session, person.id, now)
    await assignment.reconcile(session, now)


async def _note(
    session: AsyncSession, person: Person, kind: JournalKind, now: datetime, **facts: str | None
) -> None:
    await journal.append(
        session, chain=person.id, kind=kind, at=now, system=SYSTEM, facts=facts, lock=True
    )


async def _say(
    session: AsyncSession, person: Person, kind: NoticeKind, facts: dict[str, str], now: datetime
) -> None:
    key = f"{person.id}:{kind.value}:{now.isoformat()}"
    await outbox.enqueue_all(session, [NoticeEvent(person.id, kind, key, facts=facts)], now)


async def _tell(session: AsyncSession, now: datetime) -> None:
    """Tell HR that something waits: once a day, however much it is."""
    held = access.holding(Permission.RECONCILE_STAFF, of_unit=False)
    found = await session.exec(select(held.c.person_id).distinct(), params={"now": now})
    events = [
        NoticeEvent(one, NoticeKind.STAFF_UNMATCHED, f"personnel:{now.date().isoformat()}")
        for one in found.all()
    ]
    await outbox.enqueue_all(session, events, now)


@dataclass(frozen=True)
class ListComparison:
    """What a comparison with the list found: records read, done, and unreadable."""

    read: int
    done: int
    unreadable: int


async def compare(database: Database, register: PersonnelClient) -> ListComparison:
    """Go through the whole list, and do what its pushes would have brought.

    Raises RegisterDown and RegisterGarbled, and then the outage is noted for ops.
    """
    after: str | None = ""
    read = done = unreadable = 0
    for _ in range(MOST_PAGES):
        try:
            page = await register.page(after or "")
        except (RegisterDown, RegisterGarbled):
            async with database.work() as session:
                await outages.begin(session, outages.PERSONNEL, present())
            raise
        async with database.work() as session:
            await outages.end(session, outages.PERSONNEL, present())
            wanted = await _wanted(session, page.records(), again=True)
        for one in wanted:
            done += await take(database, one, again=True)
        read += len(page.items)
        unreadable += len(page.items) - len(page.records())
        after = page.after
        if after is None:
            break
    if unreadable or after is not None:
        log.warning("personnel_list", read=read, unreadable=unreadable, cut=after is not None)
    return ListComparison(read, done, unreadable)
