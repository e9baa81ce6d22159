"""What people do with credentials: add, update, correct, withdraw, replace, confirm (Q2, Q7).

An act bears the id that its client gave it: sent again, it changes nothing and has the same answer.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from models.messages import WAKE_UP, CredentialSignal
from models.tables.credentials import Credential, CredentialVersion
from rules.access import Actor, Permission
from rules.clock import now as present
from rules.credentials.categories import (
    ISSUED_ON,
    VALID_UNTIL,
    CategoryDefinition,
)
from rules.credentials.reminders import ReminderAnswer
from rules.credentials.versions import (
    MOST,
    How,
    changed_meanwhile,
    known_already,
    not_standing,
    own_original,
    too_many,
)
from rules.forms.definitions import check_form
from rules.journal.entries import JournalKind
from rules.refusals import FieldError, Refusal, act_id_reused, not_found
from rules.staff.people import demand_reason
from services import access, turns
from services.credentials import categories, rows, succession
from services.credentials.audience import owner_for
from services.credentials.checks import Contents, checked, checked_form
from services.credentials.reminder_rows import answered
from services.credentials.rows import NewVersion
from services.own_workflows import Wake


async def asleep(row_id: UUID, *, signal: str = WAKE_UP, anew: bool = False) -> bool:
    """Wakes nobody: the sweeper makes up for it."""
    del row_id, signal, anew
    return False


class Credentials:
    """The acts. Methods raise Refusal: 404, 409 for what has moved on, 422 with its fields."""

    def __init__(self, database: Database, wake: Wake = asleep) -> None:
        self._database = database
        self._wake = wake

    async def tell(self, row: Credential, signal: str = WAKE_UP) -> None:
        """Tell the workflow of a credential, after the commit: one without an end has none."""
        if row.wakes_at is not None:
            await self._wake(row.id, signal=signal)

    async def add(
        self, actor: Actor, credential_id: UUID, category: str, contents: Contents
    ) -> UUID:
        """Add a credential of one's own; its id is the act's. Returns the id.

        Raises Refusal 409 `known_already` for a number that another one of the person has.
        """
        async with self._database.work() as session:
            row = await add_in(session, actor, credential_id, category, contents)
        await self.tell(row)
        return credential_id

    async def update(
        self, actor: Actor, credential_id: UUID, act: UUID, version: int, contents: Contents
    ) -> int:
        """Make a new version with other values or files. Returns its number.

        `version` is the one that the person saw: another one in between is a Refusal 409.
        """
        async with self._database.work() as session:
            row, number = await update_in(session, actor, credential_id, act, version, contents)
        await self.tell(row, CredentialSignal.CORRECTED)
        return number

    async def correct(
        self,
        actor: Actor,
        credential_id: UUID,
        act: UUID,
        version: int,
        dates: Mapping[str, Any],
        reason: str,
    ) -> int:
        """Correct the days of a credential, with the reason; all else stays. Returns the number."""
        now = present()
        async with self._database.work() as session:
            row = await _own(session, actor, credential_id)
            said = demand_reason(reason)
            if (made := await _made(session, act, credential_id)) is not None:
                given = await _corrected(session, row, made, dates)
                await _demand_same(session, actor, row, made, given)
                if (made.how, made.reason) != (How.CORRECTED, said):
                    raise act_id_reused()
                return made.number
            _demand_current(row, version)
            before = await rows.current(session, row)
            definition = await categories.at_version(session, row.category, before.category_version)
            wanted = await _corrected(session, row, before, dates)
            today = await access.day_in(session, actor.unit_id, now)
            values = checked_form(definition, wanted.data, today)
            if values == before.data:
                words = "Измените хотя бы одну дату."
                raise Refusal("nothing_changed", words, 422, [FieldError(ISSUED_ON, words)])
            new = NewVersion(
                definition,
                values,
                wanted.files,
                How.CORRECTED,
                actor.person_id,
                reason=said,
                id=act,
            )
            made = await rows.write(session, row, new, now)
            await succession.succeed(session, row, definition, made, now)
            await answered(session, row.id, ReminderAnswer.UPDATED, now)
            number = row.version
        await self.tell(row, CredentialSignal.CORRECTED)
        return number

    async def withdraw(self, actor: Actor, credential_id: UUID, reason: str) -> None:
        """Say that a credential was entered by mistake; it stays readable. Again changes nothing.

        Its number is free: the right one may be added. Raises Refusal 409 if it was withdrawn for
        another reason.
        """
        now = present()
        async with self._database.work() as session:
            row = await _own(session, actor, credential_id)
            said = demand_reason(reason)
            if row.withdrawn_at is not None:
                if row.withdrawn_reason != said:
                    raise not_standing()
                return
            row.withdrawn_at, row.withdrawn_by = now, actor.person_id
            row.withdrawn_reason = said
            row.identity = row.identity_blind = None
            rows.ask_to_look(row, now)
            session.add(row)
            await session.flush()
            kind = JournalKind.CREDENTIAL_WITHDRAWN
            await rows.note(session, row, kind, now, actor.person_id, None, {"reason": said})
            await answered(session, row.id, ReminderAnswer.WITHDRAWN, now)
            again = await _stand_again(session, row, actor, now)
        await self.tell(row, CredentialSignal.WITHDRAWN)
        for one in again:
            await self.tell(one)

    async def replace(self, actor: Actor, credential_id: UUID, by: UUID) -> None:
        """Say that another credential of the person has replaced this one. Again changes nothing.

        Raises Refusal 409 for one that does not stand, or that this one has replaced.
        """
        now = present()
        async with self._database.work() as session:
            found = {one: await _own(session, actor, one) for one in (credential_id, by)}
            row, newer = found[credential_id], found[by]
            if row.replaced_by == by:
                return
            if not stands(row) or not stands(newer) or row is newer:
                raise not_standing()
            await succession.replace(session, row, newer.id, now, actor.person_id)
        await self.tell(row, CredentialSignal.REPLACED)

    async def confirm(self, actor: Actor, credential_id: UUID, version: int) -> None:
        """Say that this version agrees with the original that the actor has seen.

        Raises Refusal 404, 409 for one's own and for a version that is not current. The same again
        changes nothing.
        """
        now = present()
        async with self._database.work() as session:
            row = await rows.locked(session, credential_id)
            if row is None:
                raise not_found()
            owner = await owner_for(session, actor, row.owner_id, now)
            if owner.own and actor.may(Permission.CONFIRM_CREDENTIALS):
                raise own_original()
            if not owner.confirms:
                raise not_found()
            _demand_current(row, version)
            seen = await rows.current(session, row)
            if seen.confirmed_at is not None:
                return
            seen.confirmed_at, seen.confirmed_by = now, actor.person_id
            session.add(seen)
            await session.flush()
            kind, facts = JournalKind.CREDENTIAL_CONFIRMED, {"version": seen.number}
            await rows.note(session, row, kind, now, actor.person_id, facts)


async def add_in(
    session: AsyncSession, actor: Actor, credential_id: UUID, category: str, contents: Contents
) -> Credential:
    """`Credentials.add` in the caller's unit of work, without waking the workflow."""
    actor.demand(Permission.KEEP_DOCUMENTS)
    now = present()
    await turns.of_person(session, actor.person_id)
    known = await session.get(Credential, credential_id)
    if known is not None:
        if (known.owner_id, known.category) != (actor.person_id, category):
            raise act_id_reused()
        await _demand_same(session, actor, known, await rows.first(session, known), contents)
        return known
    await demand_room(session, actor)
    definition = await categories.newest(session, category)
    new = await _version(session, actor, definition, contents, How.ADDED, now)
    try:
        async with session.begin_nested():
            row, made = await rows.begin(session, actor.person_id, credential_id, new, now)
    except Refusal as refusal:
        raise await _named(session, actor, category, new, refusal) from None
    await succession.succeed(session, row, definition, made, now)
    return row


async def update_in(
    session: AsyncSession,
    actor: Actor,
    credential_id: UUID,
    act: UUID,
    version: int,
    contents: Contents,
) -> tuple[Credential, int]:
    """`Credentials.update` in the caller's unit of work, without waking the workflow."""
    now = present()
    row = await _own(session, actor, credential_id)
    if (made := await _made(session, act, credential_id)) is not None:
        await _demand_same(session, actor, row, made, contents)
        return row, made.number
    _demand_current(row, version)
    category = row.category
    definition = await categories.newest(session, category)
    new = await _version(session, actor, definition, contents, How.UPDATED, now, act)
    try:
        async with session.begin_nested():
            written = await rows.write(session, row, new, now)
    except Refusal as refusal:
        raise await _named(session, actor, category, new, refusal) from None
    await succession.succeed(session, row, definition, written, now)
    await answered(session, row.id, ReminderAnswer.UPDATED, now)
    return row, row.version


async def _version(
    session: AsyncSession,
    actor: Actor,
    definition: CategoryDefinition,
    contents: Contents,
    how: How,
    now: datetime,
    act: UUID | None = None,
) -> NewVersion:
    """What was typed, checked. Raises Refusal 422."""
    once = Contents(contents.data, list(dict.fromkeys(contents.files)))
    today = await access.day_in(session, actor.unit_id, now)
    data = await checked(session, actor, definition, once, today)
    return NewVersion(definition, data, once.files, how, actor.person_id, id=act)


async def _stand_again(
    session: AsyncSession, withdrawn: Credential, actor: Actor, now: datetime
) -> Sequence[Credential]:
    """Let those that a withdrawn credential had replaced stand again."""
    found = await session.exec(
        select(Credential)
        .where(Credential.replaced_by == withdrawn.id)
        .order_by(col(Credential.id))
        .with_for_update()
    )
    replaced = found.all()
    for row in replaced:
        row.replaced_by = None
        rows.ask_to_look(row, now)
        session.add(row)
        await session.flush()
        facts = {"withdrawn": str(withdrawn.id)}
        kind = JournalKind.CREDENTIAL_STANDS_AGAIN
        await rows.note(session, row, kind, now, actor.person_id, facts)
    return replaced


def stands(row: Credential) -> bool:
    """Whether a credential counts: neither withdrawn nor replaced."""
    return row.withdrawn_at is None and row.replaced_by is None


def _demand_current(row: Credential, version: int) -> None:
    if not stands(row):
        raise not_standing()
    if row.version != version:
        raise changed_meanwhile()


async def demand_room(session: AsyncSession, actor: Actor) -> None:
    """Raise Refusal 409 for one credential more than a person may have."""
    found = await session.exec(
        select(func.count()).where(col(Credential.owner_id) == actor.person_id)
    )
    if found.one() >= MOST:
        raise too_many()


async def _own(session: AsyncSession, actor: Actor, credential_id: UUID) -> Credential:
    """The actor's own credential, locked in the person's turn. Raises Refusal 403, 404."""
    actor.demand(Permission.KEEP_DOCUMENTS)
    await turns.of_person(session, actor.person_id)
    row = await rows.locked(session, credential_id)
    if row is None or row.owner_id != actor.person_id:
        raise not_found()
    return row


async def _made(session: AsyncSession, act: UUID, credential_id: UUID) -> CredentialVersion | None:
    """The version that this act has made already."""
    made = await session.get(CredentialVersion, act)
    if made is not None and made.credential_id != credential_id:
        raise act_id_reused()
    return made


async def _corrected(
    session: AsyncSession, row: Credential, version: CredentialVersion, dates: Mapping[str, Any]
) -> Contents:
    """What a version says, with other days where its category has them."""
    definition = await categories.at_version(session, row.category, version.category_version)
    days = {ISSUED_ON, VALID_UNTIL} & set(definition.fields)
    data = version.data | {name: dates[name] for name in days if name in dates}
    return Contents(data, await rows.files_of(session, version.id))


async def _demand_same(
    session: AsyncSession,
    actor: Actor,
    row: Credential,
    made: CredentialVersion,
    contents: Contents,
) -> None:
    """Refuse an act that made this version, if it says something else now: its answer would lie."""
    definition = await categories.at_version(session, row.category, made.category_version)
    day = await access.day_in(session, actor.unit_id, made.made_at)
    data, errors = check_form(definition, contents.data, complete=True, today=day)
    files = await rows.files_of(session, made.id)
    if errors or data != made.data or list(dict.fromkeys(contents.files)) != list(files):
        raise act_id_reused()


async def _named(
    session: AsyncSession, actor: Actor, category: str, new: NewVersion, refusal: Refusal
) -> Refusal:
    """The refusal of a known number, with the id of the credential that has it."""
    if refusal.code != "known_already":
        return refusal
    return known_already(await rows.with_number(session, actor.person_id, category, new.data))
