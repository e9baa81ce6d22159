"""What registers say beside what people have: shown, and accepted by the person alone (Q8).

Differences are not stored: they are read out of what a register said last and of the credentials
as they are now. So none is ever out of date, and nothing has to be recomputed when a person, a
colleague or a register changes something.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from crypto.key_ring import key_ring
from models.tables.credentials import Credential, CredentialVersion
from models.tables.registers import RegisterRecord
from rules.access import Actor, Permission
from rules.clock import now as present
from rules.credentials.categories import CategoryDefinition
from rules.credentials.reminders import ReminderAnswer
from rules.credentials.versions import How, changed_meanwhile
from rules.refusals import act_id_reused
from rules.registers.comparison import (
    DifferenceKind,
    FieldDifference,
    Pairing,
    difference_is_over,
    pair,
)
from rules.registers.kinds import RegisterName
from services import access, turns
from services.credentials import categories, rows, succession
from services.credentials.acts import demand_room, stands
from services.credentials.checks import checked_form
from services.credentials.drafts import CredentialDrafts
from services.credentials.reminder_rows import answered
from services.credentials.rows import NewVersion
from services.own_workflows import Wake
from services.registers.items import items_of
from services.registers.seen import SaidByRegister, said


@dataclass(frozen=True)
class HeldCredential:
    """A credential of ours with its current version."""

    row: Credential
    version: CredentialVersion

    @property
    def category(self) -> str:
        """The key of its category."""
        return self.row.category

    @property
    def data(self) -> Mapping[str, Any]:
        """The values of its current version."""
        return self.version.data


@dataclass(frozen=True)
class RegisterDifference:
    """One credential in which a register and we differ, or that the register alone has.

    `key` changes with anything that is shown: who accepts or disputes names what they saw.
    `subject` stays the same over that.
    """

    key: str
    subject: str
    register: RegisterName
    kind: DifferenceKind
    category: CategoryDefinition
    credential_id: UUID | None
    version: int | None
    data: Mapping[str, Any]
    """The values of the credential as the register has it, with all that a new one needs."""
    fields: Sequence[FieldDifference]
    ours_since: datetime | None
    ours_source: str | None
    since: date | None


@dataclass(frozen=True)
class RegisterComparison:
    """What a person has beside what registers say."""

    differences: Sequence[RegisterDifference]
    agreed: Mapping[UUID, Sequence[SaidByRegister]]
    """By credential: the registers that say the same, with when they last said so."""


async def of_person(session: AsyncSession, person_id: UUID, today: date) -> RegisterComparison:
    """The differences of one person, and what agrees."""
    return (await of_people(session, [person_id], today))[person_id]


async def of_people(
    session: AsyncSession, people: Collection[UUID], today: date
) -> Mapping[UUID, RegisterComparison]:
    """The same of several people, in three statements."""
    found = await session.exec(
        select(RegisterRecord)
        .where(col(RegisterRecord.person_id).in_(people))
        .order_by(col(RegisterRecord.source))
    )
    told: dict[UUID, list[SaidByRegister]] = {}
    for record in found.all():
        told.setdefault(record.person_id, []).append(said(record))
    pairs = await session.exec(
        select(Credential, CredentialVersion)
        .join(CredentialVersion, col(CredentialVersion.credential_id) == col(Credential.id))
        .where(
            col(Credential.owner_id).in_(people),
            col(Credential.withdrawn_at).is_(None),
            col(CredentialVersion.replaced_at).is_(None),
        )
        .order_by(col(Credential.id))
    )
    held: dict[UUID, list[HeldCredential]] = {}
    for row, version in pairs.all():
        held.setdefault(row.owner_id, []).append(HeldCredential(row, version))
    known = await categories.offered(session)
    return {
        one: _compare(one, told.get(one, ()), held.get(one, ()), known, today) for one in people
    }


def _compare(
    person_id: UUID,
    told: Sequence[SaidByRegister],
    held: Sequence[HeldCredential],
    known: Mapping[str, CategoryDefinition],
    today: date,
) -> RegisterComparison:
    about = {key: one.about for key, one in known.items()}
    differences: list[RegisterDifference] = []
    agreed: dict[UUID, list[SaidByRegister]] = {}
    for one in told:
        items = [
            item
            for item in items_of(one.records, today)
            if item.category in known and known[item.category].known_to == one.register.value
        ]
        for pairing in pair(items, held, about):
            if pairing.kind is not None:
                if pairing.ours is None or stands(pairing.ours.row):
                    category = known[pairing.item.category]
                    differences.append(_difference(person_id, one, pairing, category))
            elif pairing.ours is not None:
                agreed.setdefault(pairing.ours.row.id, []).append(one)
    return RegisterComparison(differences, agreed)


def _difference(
    person_id: UUID,
    one: SaidByRegister,
    pairing: Pairing[HeldCredential],
    category: CategoryDefinition,
) -> RegisterDifference:
    ours, item = pairing.ours, pairing.item
    data = {**item.more, **item.data} if ours is None else dict(item.data)
    version = ours.row.version if ours else None
    subject = str(ours.row.id) if ours else _label(person_id, one.register, item.category, data)
    return RegisterDifference(
        key=_label(subject, version, data),
        subject=subject,
        register=one.register,
        kind=pairing.kind or DifferenceKind.DIFFERS,
        category=category,
        credential_id=ours.row.id if ours else None,
        version=version,
        data=data,
        fields=pairing.fields,
        ours_since=ours.version.made_at if ours else None,
        ours_source=ours.version.source if ours else None,
        since=one.changed_on,
    )


def _label(*parts: Any) -> str:
    """A keyed hash, by which a page names what it shows."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False, default=str)
    return key_ring().label(f"register difference {text}")


async def lock_said(session: AsyncSession, person_id: UUID) -> None:
    """Lock what the registers said of a person, until the unit of work ends.

    Before anything else of an act is read: the same act, sent twice at once, finds itself done.
    """
    await session.exec(
        select(RegisterRecord.id)
        .where(RegisterRecord.person_id == person_id)
        .order_by(col(RegisterRecord.id))
        .with_for_update()
    )


async def known_by_key(
    session: AsyncSession, person_id: UUID, key: str, today: date
) -> RegisterDifference:
    """The difference that a person saw, while `lock_said` keeps it so.

    Raises Refusal 409 if it is no longer so.
    """
    found = await of_person(session, person_id, today)
    for one in found.differences:
        if one.key == key:
            return one
    raise difference_is_over()


class Differences:
    """What a person does with differences; disputes have a file of their own."""

    def __init__(self, database: Database, wake: Wake, drafts: CredentialDrafts) -> None:
        self._database = database
        self._wake = wake
        self._drafts = drafts

    async def accept(self, actor: Actor, act: UUID, key: str) -> UUID:
        """Take over what the register says: a new version, or a new credential. Returns its id.

        `act` is the id of the version or credential: sent again, it changes nothing. Raises Refusal
        409 if what the person saw has changed, 422 if our form asks for more: see `complete`.
        """
        actor.demand(Permission.KEEP_DOCUMENTS)
        now = present()
        async with self._database.work() as session:
            await turns.of_person(session, actor.person_id)
            await lock_said(session, actor.person_id)
            if (done := await _done(session, actor, act)) is not None:
                return done
            today = await access.day_in(session, actor.unit_id, now)
            seen = await known_by_key(session, actor.person_id, key, today)
            source = seen.register.value
            if seen.credential_id is None:
                await demand_room(session, actor)
                data = checked_form(seen.category, seen.data, today)
                new = NewVersion(
                    seen.category, data, [], How.ACCEPTED, actor.person_id, source=source
                )
                row, version = await rows.begin(session, actor.person_id, act, new, now)
            else:
                found = await rows.locked(session, seen.credential_id)
                if found is None or found.version != seen.version or not stands(found):
                    raise changed_meanwhile()
                row = found
                before = await rows.current(session, row)
                files = await rows.files_of(session, before.id)
                data = checked_form(seen.category, {**before.data, **seen.data}, today)
                new = NewVersion(
                    seen.category,
                    data,
                    files,
                    How.ACCEPTED,
                    actor.person_id,
                    source=source,
                    id=act,
                )
                version = await rows.write(session, row, new, now)
                await answered(session, row.id, ReminderAnswer.UPDATED, now)
            await succession.succeed(session, row, seen.category, version, now)
        if row.wakes_at is not None:
            await self._wake(row.id)
        return row.id

    async def complete(self, actor: Actor, act: UUID, key: str) -> UUID:
        """Begin to describe what the register has and we have not, where our form asks for more.

        So diplomas come into the file, whose day the register does not know. Returns the id of the
        draft, which is the act's; of one that was begun before, nothing is changed. Raises Refusal
        409 if what the person saw has changed.
        """
        actor.demand(Permission.KEEP_DOCUMENTS)
        async with self._database.work() as session:
            today = await access.day_in(session, actor.unit_id, present())
            seen = await known_by_key(session, actor.person_id, key, today)
        if seen.kind is not DifferenceKind.NEW:
            raise difference_is_over()
        return await self._drafts.begin(actor, act, seen.category.key, seen.data)


async def _done(session: AsyncSession, actor: Actor, act: UUID) -> UUID | None:
    """The credential that this act has made or changed already; what else has its id, it is not."""
    made = await session.get(CredentialVersion, act)
    row = await session.get(Credential, made.credential_id if made else act)
    if row is None:
        return None
    if made is None:
        made = await rows.first(session, row)
    if row.owner_id != actor.person_id or made.how != How.ACCEPTED:
        raise act_id_reused()
    return row.id
