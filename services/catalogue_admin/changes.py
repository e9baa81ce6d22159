"""Changes of the catalogue by administrators: checked as files are, journaled, with a first day.

A change is accepted only on top of what its author saw, so that two changes at once do not
overwrite each other. The same act again changes nothing.
"""

import hashlib
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func
from sqlalchemy.exc import IntegrityError
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from models.tables.catalogue import CatalogueChange
from rules.access import Actor
from rules.catalogue import entries
from rules.catalogue.entries import Subject, demand
from rules.clock import now as present
from rules.ids import hash_of
from rules.journal.entries import SYSTEM_CHAIN, JournalKind
from rules.refusals import FieldError, act_id_reused, not_found
from services.catalogue import lookup as catalogue
from services.catalogue_admin.entries import KINDS
from services.catalogue_admin.kinds import (
    NOTHING,
    ChangePreview,
    Entry,
    EntryChange,
    EntryKind,
    Values,
)
from services.journal import entries as journal

_CHANGING = 1_245_662_036


@dataclass(frozen=True)
class Wish:
    """A change that an administrator wants; `based_on` is the digest of what the editor showed."""

    act_id: UUID
    based_on: str
    valid_from: date | None = None
    offered: bool = True


class Administration:
    """The acts of administrators. Methods raise Refusal: 403, 404, 409, 422."""

    def __init__(self, database: Database, institution_zone: str) -> None:
        self._database = database
        self._zone = institution_zone

    async def change(self, actor: Actor, subject: Subject, values: Values, wish: Wish) -> Entry:
        """Save an entry: a new one, or the one of this key.

        A type is given by its `key` and the `text` of a file with this one type; mistakes in it are
        reported with their lines.
        """
        demand(actor)
        kind = KINDS[subject]
        async with self._database.work() as session:
            wanted = replace(await kind.checked(session, values), offered=wish.offered)
            before = await self._begin(session, actor, kind, wanted, wish)
            if isinstance(before, CatalogueChange):
                return await _answered_before(session, kind, before)
            now = present()
            change = EntryChange(before, wanted, self._since(wish.valid_from, now), now, self._zone)
            valid_from = await kind.save(session, change)
            await session.flush()
            stands = await _stands(session, kind, wanted.key)
            if before is not None and stands.digest == before.digest:
                raise entries.nothing_changed()
            await self._note(session, actor, wish, before, stands, valid_from)
            return stands

    async def tried(self, actor: Actor, subject: Subject, values: Values) -> ChangePreview:
        """What an entry would become, and its effect on open cases; nothing is stored."""
        demand(actor)
        kind = KINDS[subject]
        async with self._database.work() as session:
            if kind.tried is None:
                told = ChangePreview(await kind.checked(session, values))
            else:
                told = await kind.tried(session, values, present(), self._zone)
            await session.rollback()
        return told

    async def _begin(
        self,
        session: AsyncSession,
        actor: Actor,
        kind: EntryKind,
        wanted: Entry,
        wish: Wish,
    ) -> Entry | CatalogueChange | None:
        """Wait for other changes of the entry. Returns it; of an act done before, its change.

        Raises Refusal 409 if the entry has changed since the editor showed it, 422 for an act id
        that was used for something else, a key that is taken, or a first day in the past.
        """
        digest = _body_hash(actor, wanted, wish)
        name = f"{kind.subject}:{wanted.key}"
        turn = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big")
        await session.exec(select(func.pg_advisory_xact_lock(_CHANGING, turn - 2**31)))
        made = await session.get(CatalogueChange, wish.act_id)
        if made is not None:
            if made.body_hash != digest:
                raise act_id_reused()
            return made
        before = await kind.newest(session, wanted.key)
        if (before.digest if before else NOTHING) != wish.based_on:
            if before is not None and wish.based_on == NOTHING:
                words = "Такой код уже есть. Выберите другой."
                raise entries.unfit([FieldError(kind.asked_at, words)])
            raise entries.changed_meanwhile()
        today = present().astimezone(ZoneInfo(self._zone)).date()
        entries.demand_future(wish.valid_from, today)
        session.info["body_hash"] = digest
        return before

    async def _note(
        self,
        session: AsyncSession,
        actor: Actor,
        wish: Wish,
        before: Entry | None,
        after: Entry,
        valid_from: datetime,
    ) -> None:
        """Store the change in the history and in the system's chain of the journal."""
        now = present()
        session.add(
            CatalogueChange(
                id=wish.act_id,
                subject=after.subject.value,
                key=after.key,
                at=now,
                by=actor.person_id,
                valid_from=valid_from,
                version=after.version,
                before=before.kept if before else None,
                after=after.kept,
                body_hash=session.info["body_hash"],
            )
        )
        try:
            await session.flush()
        except IntegrityError:
            # A change with the same id was stored for another entry a moment before.
            raise act_id_reused() from None
        await journal.append(
            session,
            chain=SYSTEM_CHAIN,
            kind=JournalKind.CATALOGUE_CHANGED,
            at=now,
            by=actor.person_id,
            facts={
                "change": str(wish.act_id),
                "subject": after.subject.value,
                "key": after.key,
                "version": after.version,
                "from": valid_from.isoformat(),
                "before": before.digest if before else None,
                "after": after.digest,
            },
        )
        catalogue.forget(session)

    def _since(self, day: date | None, now: datetime) -> datetime:
        if day is None:
            return now
        # A day that has begun is over as a first day: the change holds from now on.
        return max(now, datetime.combine(day, time(), ZoneInfo(self._zone)))


def _body_hash(actor: Actor, wanted: Entry, wish: Wish) -> str:
    said = {
        "by": str(actor.person_id),
        "subject": wanted.subject.value,
        "key": wanted.key,
        "based_on": wish.based_on,
        "from": wish.valid_from.isoformat() if wish.valid_from else None,
        "offered": wish.offered,
        "body": wanted.values,
    }
    return hash_of(said)


async def _answered_before(session: AsyncSession, kind: EntryKind, made: CatalogueChange) -> Entry:
    """The answer that a change got when it was made, whatever has been changed since."""
    stands = await kind.newest(session, made.key)
    values = dict(made.after)
    offered = bool(values.pop("offered", True))
    title = str(values.get("title") or values.get("name") or made.key)
    since: datetime | None = made.valid_from
    if stands is not None and stands.version == made.version:
        # A change that only withdraws a version leaves the day from which it is valid.
        since = stands.valid_from
    return Entry(kind.subject, made.key, title, values, made.version, since, offered)


async def _stands(session: AsyncSession, kind: EntryKind, key: str) -> Entry:
    session.expire_all()
    entry = await kind.newest(session, key)
    if entry is None:
        raise not_found()
    return entry
