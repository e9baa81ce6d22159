"""Import of staff and units from a file: first a dry run, then exactly what it showed (O6).

A person is found by SNILS, else by e-mail address. Rights and accounts are not given here: a role
in the file is only shown, and a new person gets no account. People with an account change telephone
and address in their profile, because codes and notices go there.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from crypto.key_ring import key_ring, places_in
from models.tables.accounts import Account
from models.tables.catalogue import CatalogueChange
from models.tables.people import Person, Unit
from rules.access import Actor, Permission, Role
from rules.catalogue.entries import Subject
from rules.clock import now as present
from rules.ids import hash_of, new_id
from rules.journal.entries import SYSTEM_CHAIN, JournalKind
from rules.refusals import act_id_reused, forbidden
from rules.staff.table import (
    Column,
    PersonRow,
    Sheet,
    UnitRow,
    Wrong,
    has_wrong_rows,
    meanwhile,
    nothing_to_do,
)
from rules.texts import mail_addresses
from services import access
from services.cases import assignment
from services.catalogue import lookup as catalogue
from services.catalogue_admin.units import entry_of_unit
from services.files.inspection.client import Inspection
from services.files.intake import unavailable_is_refusal
from services.journal import entries as journal
from services.staff import departures, invitations
from services.staff.acting import take_turn

SUBJECT = "staff"
"""The subject of an import in the history of the catalogue."""
_IMPORTING = 1_245_662_037
Difference = tuple[Column, str, str]


@dataclass(frozen=True)
class UnitChange:
    """A unit to be added (`id` is None) or renamed."""

    row: UnitRow
    id: UUID | None
    differences: Sequence[Difference] = ()


@dataclass(frozen=True)
class PersonChange:
    """A person to be added (`id` is None) or changed."""

    row: PersonRow
    id: UUID | None
    differences: Sequence[Difference] = ()


@dataclass(frozen=True)
class Counts:
    """How many units and people are affected; nothing personal."""

    units_added: int = 0
    units_changed: int = 0
    people_added: int = 0
    people_changed: int = 0
    left_alone: int = 0

    @property
    def any(self) -> bool:
        """Whether there is anything to do."""
        return any((self.units_added, self.units_changed, self.people_added, self.people_changed))


@dataclass(frozen=True)
class DryRun:
    """What a file would do. `digest` identifies it: only what was shown is applied."""

    digest: str
    rows: int
    counts: Counts
    units: Sequence[UnitChange]
    people: Sequence[PersonChange]
    wrong: Sequence[Wrong]
    proposed: Sequence[tuple[PersonRow, Role]]
    """Roles that the file names; people do not get them by this import."""
    own_contacts: Sequence[PersonRow] = ()
    """People whose contacts differ, but who change them themselves, since they have an account."""


def demand(actor: Actor) -> None:
    """Raise Refusal 403 for people who do not manage people."""
    if not actor.may(Permission.MANAGE_PEOPLE):
        raise forbidden()


async def dry_run(database: Database, inspection: Inspection, actor: Actor, body: bytes) -> DryRun:
    """What the file would do; nothing is written. Raises Refusal 403, 422, 503."""
    demand(actor)
    with unavailable_is_refusal():
        sheet = await inspection.sheet(body)
    async with database.work() as session:
        return await _planned(session, actor, sheet, body)


async def apply(
    database: Database,
    inspection: Inspection,
    actor: Actor,
    body: bytes,
    digest: str,
    act_id: UUID,
) -> Counts:
    """Do what the dry run with this digest showed, all of it or nothing. Safe to repeat.

    Raises Refusal 403, 409 if it would do something else now, 422 for a file with mistakes, without
    anything new, or with an act id that was used for something else, 503.
    """
    demand(actor)
    with unavailable_is_refusal():
        sheet = await inspection.sheet(body)
    said = {"by": str(actor.person_id), "digest": digest, "file": _sha256(body)}
    body_hash = hash_of(said)
    try:
        async with database.work() as session:
            await session.exec(select(func.pg_advisory_xact_lock(_IMPORTING)))
            await take_turn(session)
            made = await session.get(CatalogueChange, act_id)
            if made is not None:
                if made.body_hash != body_hash:
                    raise act_id_reused()
                return Counts(**made.after)
            plan = await _planned(session, actor, sheet, body)
            if plan.digest != digest:
                raise meanwhile()
            if plan.wrong:
                raise has_wrong_rows()
            if not plan.counts.any:
                raise nothing_to_do()
            await _write(session, actor, plan, act_id, body_hash)
            return plan.counts
    except IntegrityError:
        # Somebody added the same unit or person at the same time.
        raise meanwhile() from None


def _sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


@dataclass
class _Known:
    """What is stored already."""

    units: Mapping[str, Unit]
    codes: Mapping[UUID, str]
    by_snils: Mapping[tuple[int, str], Person]
    by_mail: Mapping[str, Person]
    with_account: frozenset[UUID]


async def _known(session: AsyncSession) -> _Known:
    units = (await session.exec(select(Unit))).all()
    people = (await session.exec(select(Person).order_by(col(Person.left_at).nulls_last()))).all()
    accounts = await session.exec(select(Account.person_id))
    return _Known(
        {unit.code: unit for unit in units},
        {unit.id: unit.code for unit in units},
        {
            place: person
            for person in people
            if person.snils_blind
            for place in places_in(person.snils_blind)
        },
        # If two people have one address, the one who still works here.
        {mail_addresses.folded(person.email): person for person in people},
        frozenset(accounts.all()),
    )


@dataclass
class _Plan:
    """A plan that is being made."""

    actor: Actor
    known: _Known
    sheet: Sheet
    now: datetime
    units: list[UnitChange] = field(default_factory=list)
    people: list[PersonChange] = field(default_factory=list)
    wrong: list[Wrong] = field(default_factory=list)
    own_contacts: list[PersonRow] = field(default_factory=list)
    same_units: int = 0
    same_people: int = 0

    def __post_init__(self) -> None:
        self.mine = self.actor.units_with(Permission.MANAGE_PEOPLE)

    def bad(self, line: int, column: Column, message: str) -> None:
        """Add a mistake."""
        self.wrong.append(Wrong(line, column, message))

    def root_of(self, code: str) -> Unit | None:
        """The unit itself, or for a new one the nearest existing unit above; None for a circle."""
        seen: set[str] = set()
        while code not in self.known.units:
            row = self.sheet.units.get(code)
            if row is None or code in seen:
                return None
            seen.add(code)
            code = row.parent
        return self.known.units[code]

    def unit(self, row: UnitRow) -> None:
        """Compare one unit of the file with what is stored."""
        stands, root = self.known.units.get(row.code), self.root_of(row.code)
        if stands is None:
            if not row.name:
                words = "Такого подразделения нет. Напишите его название и код вышестоящего."
                self.bad(row.line, Column.UNIT_NAME, words)
            elif root is None:
                words = "Напишите код подразделения, в которое входит это."
                self.bad(row.line, Column.PARENT, words)
            elif self._ours(row.line, root):
                self.units.append(UnitChange(row, None))
            return
        parent = self.known.codes.get(stands.parent_id) if stands.parent_id else ""
        if row.parent and row.parent != parent:
            # Rights apply to a unit and those below it: moving a unit would hand out rights.
            words = "Подчинённость подразделения меняют вместе с правами, не здесь."
            self.bad(row.line, Column.PARENT, words)
        elif not row.name or row.name == stands.name:
            self.same_units += 1
        elif self._ours(row.line, stands):
            changed = [(Column.UNIT_NAME, stands.name, row.name)]
            self.units.append(UnitChange(row, stands.id, changed))

    def _ours(self, line: int, unit: Unit) -> bool:
        if unit.id not in self.mine:
            self.bad(line, Column.UNIT, "Это подразделение ведёт другой администратор.")
        return unit.id in self.mine

    def person(self, row: PersonRow) -> None:
        """Compare one person of the file with what is stored."""
        root = self.root_of(row.unit)
        # A mistake in the unit itself was reported already.
        if root is None or not self._ours(row.line, root):
            return
        places = places_in(key_ring().blind(row.snils)) if row.snils else []
        by_snils = next(filter(None, map(self.known.by_snils.get, places)), None)
        by_mail = self.known.by_mail.get(mail_addresses.folded(row.email))
        stands = by_snils or by_mail
        if stands is None:
            self.people.append(PersonChange(row, None))
            return
        if stands.unit_id not in self.mine:
            words = "Этот сотрудник работает там, где людей ведёт другой администратор."
            self.bad(row.line, Column.UNIT, words)
        elif by_snils is not None and by_mail is not None and by_snils.id != by_mail.id:
            self.bad(row.line, Column.EMAIL, "Этот адрес уже указан у другого сотрудника.")
        elif by_snils is None and row.snils and stands.snils not in (None, row.snils):
            words = "У сотрудника с этим адресом другой СНИЛС. Проверьте и адрес, и СНИЛС."
            self.bad(row.line, Column.SNILS, words)
        elif not access.works(stands, self.now):
            words = "Этот сотрудник уволен. Уберите строку: вернуть его файлом нельзя."
            self.bad(row.line, Column.SURNAME, words)
        else:
            self._compare(row, stands)

    def _compare(self, row: PersonRow, stands: Person) -> None:
        differing: list[Difference] = []
        if mail_addresses.folded(stands.email) != mail_addresses.folded(row.email):
            differing.append((Column.EMAIL, stands.email, row.email))
        if row.phone and row.phone != stands.phone:
            differing.append((Column.PHONE, stands.phone or "", row.phone))
        if differing and stands.id in self.known.with_account:
            self.own_contacts.append(row)
            differing = []
        facts: list[Difference] = [
            (Column.SURNAME, stands.name, row.name),
            (Column.POSITION, stands.position, row.position),
            (Column.UNIT, self.known.codes[stands.unit_id], row.unit),
            (Column.SNILS, stands.snils or "", row.snils or stands.snils or ""),
        ]
        changed = [one for one in facts if one[1] != one[2]] + differing
        if changed:
            self.people.append(PersonChange(row, stands.id, changed))
        else:
            self.same_people += 1


async def _planned(session: AsyncSession, actor: Actor, sheet: Sheet, body: bytes) -> DryRun:
    plan = _Plan(actor, await _known(session), sheet, present())
    for unit in sheet.units.values():
        plan.unit(unit)
    for person in sheet.people:
        plan.person(person)
    if plan.units and not actor.may(Permission.MANAGE_CATALOGUE):
        raise forbidden()
    counts = Counts(
        units_added=sum(one.id is None for one in plan.units),
        units_changed=sum(one.id is not None for one in plan.units),
        people_added=sum(one.id is None for one in plan.people),
        people_changed=sum(one.id is not None for one in plan.people),
        left_alone=plan.same_units + plan.same_people,
    )
    return DryRun(
        digest=_digest(plan, body),
        rows=sheet.rows,
        counts=counts,
        units=plan.units,
        people=plan.people,
        wrong=sorted([*sheet.wrong, *plan.wrong], key=lambda one: one.line),
        proposed=[(row, row.role) for row in sheet.people if row.role is not None],
        own_contacts=plan.own_contacts,
    )


def _digest(plan: _Plan, body: bytes) -> str:
    """The digest of the file and of what it would change in the present data."""

    def lines(changes: Sequence[UnitChange] | Sequence[PersonChange]) -> list[Any]:
        return [
            [one.row.line, str(one.id) if one.id else None, [list(d) for d in one.differences]]
            for one in changes
        ]

    said: Any = [_sha256(body), lines(plan.units), lines(plan.people), len(plan.own_contacts)]
    return hash_of(said)


async def _write(
    session: AsyncSession, actor: Actor, plan: DryRun, act_id: UUID, body_hash: str
) -> None:
    now = present()
    units = await _write_units(session, actor, plan.units, now, body_hash)
    added = await _write_people(session, plan.people, units, now)
    await assignment.reconcile(session, now)
    counts = vars(plan.counts)
    session.add(
        CatalogueChange(
            id=act_id,
            subject=SUBJECT,
            key=SUBJECT,
            at=now,
            by=actor.person_id,
            valid_from=now,
            after=dict(counts),
            body_hash=body_hash,
        )
    )
    await session.flush()
    await journal.append(
        session,
        chain=SYSTEM_CHAIN,
        kind=JournalKind.STAFF_IMPORTED,
        at=now,
        by=actor.person_id,
        facts={"change": str(act_id), **counts},
        contents={
            "added": [str(person_id) for person_id in added],
            "changed": {
                str(one.id): [column.value for column, _, _ in one.differences]
                for one in plan.people
                if one.id is not None
            },
            "units": [one.row.code for one in plan.units],
        },
    )
    catalogue.forget(session)


async def _write_units(
    session: AsyncSession,
    actor: Actor,
    changes: Sequence[UnitChange],
    now: datetime,
    body_hash: str,
) -> Mapping[str, Unit]:
    """Write the units of the file, each with a line in the history. Returns all units by code."""
    units = {unit.code: unit for unit in (await session.exec(select(Unit))).all()}
    codes = {unit.id: code for code, unit in units.items()}
    waiting = list(changes)
    while waiting:
        change = waiting.pop(0)
        row, stands = change.row, units.get(change.row.code)
        if stands is None and row.parent not in units:
            waiting.append(change)
            continue
        before = entry_of_unit(stands, _above(stands, codes)).values if stands is not None else None
        if stands is None:
            above = units[row.parent]
            stands = Unit(code=row.code, name="", parent_id=above.id, time_zone=above.time_zone)
            units[row.code], codes[stands.id] = stands, row.code
        stands.name = row.name
        session.add(stands)
        await session.flush()
        session.add(
            CatalogueChange(
                id=new_id(),
                subject=Subject.UNIT.value,
                key=row.code,
                at=now,
                by=actor.person_id,
                valid_from=now,
                before=before,
                after=entry_of_unit(stands, _above(stands, codes)).values,
                body_hash=body_hash,
            )
        )
    return units


def _above(unit: Unit, codes: Mapping[UUID, str]) -> str | None:
    return codes[unit.parent_id] if unit.parent_id else None


async def _write_people(
    session: AsyncSession,
    changes: Sequence[PersonChange],
    units: Mapping[str, Unit],
    now: datetime,
) -> list[UUID]:
    """Add and change people. Returns the ids of those added."""
    added = []
    for change in changes:
        row, unit = change.row, units[change.row.unit]
        if change.id is None:
            person = Person(
                unit_id=unit.id,
                position=row.position,
                name=row.name,
                email=row.email,
                phone=row.phone or None,
                snils=row.snils or None,
                snils_blind=key_ring().blind(row.snils) if row.snils else None,
                created_at=now,
            )
            added.append(person.id)
        else:
            person = await session.get_one(Person, change.id)
            for column, _, new in change.differences:
                match column:
                    case Column.SURNAME:
                        person.name = new
                    case Column.POSITION:
                        person.position = new
                    case Column.UNIT:
                        await departures.transfer(session, person, unit.id, now)
                    case Column.SNILS:
                        person.snils, person.snils_blind = new, key_ring().blind(new)
                    case Column.EMAIL:
                        person.email = new
                        # The link in the mail to the old address is somebody else's now.
                        await invitations.end(session, person.id, "address_changed", now)
                    case _:
                        person.phone = new
        session.add(person)
    await session.flush()
    return added
