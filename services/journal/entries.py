"""Writing and reading the journal.

One statement in the caller's unit of work writes an entry, and the row that waits for the next
checkpoint. That row has the attestation of the application: somebody who owns the tables but not
its keys cannot make one, so `services.journal.checkpoints` only includes what the application
wrote.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache, reduce
from typing import Any, Self
from uuid import UUID

from psycopg import AsyncCursor
from sqlalchemy import (
    BindParameter,
    Insert,
    Update,
    bindparam,
    func,
    insert,
    inspect,
    update,
)
from sqlalchemy import select as scalar
from sqlmodel import SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import DirectRows, DirectStatement
from crypto.key_ring import key_ring
from models.encrypted_columns import bound_row
from models.tables.journal import JournalEntry, RecordView, journal_pending
from rules import clock
from rules.access import Actor
from rules.ids import new_id
from rules.journal.checkpoints import CHAIN_LEAF, VIEW_LEAF, Leaf, attested
from rules.journal.entries import (
    GENESIS,
    HASH_VERSION,
    SYSTEM_CHAIN,
    EntryFacts,
    JournalKind,
    contents_digest,
    entry_hash,
    new_salt,
    view_hash,
)
from rules.journal.tags import ViewCode

HASHED = frozenset(EntryFacts.__dataclass_fields__) - {"contents", "contents_state"}
"""The columns of an entry that its verification needs, without the contents."""
_APPENDING = 1_245_662_035


_HEAD_OF = "head of the chain"
_LEAF = ("kind", "ref", "position", "hash")
_WORD = ("previous", "attestation")


def _insert_with_pending(model: type[SQLModel]) -> Insert:
    """The statement for a row and what waits for its checkpoint; built once, values are bound."""
    table = SQLModel.metadata.tables[str(model.__tablename__)]
    row = insert(table).values({one.name: bindparam(f"row_{one.name}") for one in table.c})
    leaf: dict[str, Any] = {name: bindparam(f"leaf_{name}") for name in (*_LEAF, *_WORD)}
    return insert(journal_pending).values(leaf).add_cte(row.cte("written"))


@dataclass(frozen=True)
class Along:
    """A statement of the same unit of work that is sent together with an entry."""

    statement: Any
    """An insert, an update, or a query of what other parts of the statement did."""
    values: Mapping[str, Any]

    @classmethod
    def of(cls, row: SQLModel) -> Self:
        """The insert of a row; an entry has at most one of a table along."""
        table = str(row.__tablename__)
        values = {f"{table}_{name}": value for name, value in bound_row(row).items()}
        return cls(_inserting(table), values)

    @classmethod
    def of_changes(cls, session: AsyncSession, row: SQLModel) -> "Along | None":
        """The update of a row that was changed since it was read; then it counts as written."""
        state: Any = inspect(row)
        before = state.committed_state
        changed = [name for name, one in sorted(before.items()) if one != getattr(row, name)]
        if not changed or not state.persistent:
            return None
        table, values = str(row.__tablename__), bound_row(row)
        key = [one.key for one in state.mapper.primary_key]
        state._commit_all(state.dict, session.sync_session.identity_map)
        named = {f"changed_{name}": values[name] for name in (*key, *changed)}
        return cls(_updating(table, tuple(changed)), named)

    def also(self, other: "Along") -> "Along":
        """Both as one statement."""
        return Along(_both(self.statement, other.statement), {**self.values, **other.values})


def together(*several: Along | None) -> Along | None:
    """All of them as one statement; None of none."""
    found = [one for one in several if one is not None]
    return reduce(Along.also, found) if found else None


@lru_cache
def _inserting(name: str) -> Insert:
    """The insert of a whole row; its parameters have the name of the table before their own."""
    table = SQLModel.metadata.tables[name]
    return insert(table).values({one.name: bindparam(f"{name}_{one.name}") for one in table.c})


@lru_cache(maxsize=256)
def _updating(name: str, changed: tuple[str, ...]) -> Update:
    """The update of these columns of a row."""
    table = SQLModel.metadata.tables[name]
    row = (one == bindparam(f"changed_{one.key}") for one in table.primary_key)
    given = {one: bindparam(f"changed_{one}", type_=table.c[one].type) for one in changed}
    return update(table).where(*row).values(given)


@lru_cache(maxsize=256)
def _both(statement: Any, other: Any) -> Any:
    """Both statements as one; built once for each two."""
    return statement.add_cte(other.cte())


@lru_cache(maxsize=256)
def _along(statement: Any) -> DirectStatement:
    """The statement with an entry before it; built once for each statement."""
    return DirectStatement(statement.add_cte(_INSERT_ENTRY.cte("journaled")))


_INSERT_ENTRY = _insert_with_pending(JournalEntry)
_WRITE_ENTRY = DirectStatement(_INSERT_ENTRY)
_WRITE_VIEW = DirectStatement(_insert_with_pending(RecordView))
_ALL_OF = DirectRows(
    select(JournalEntry)
    .where(JournalEntry.chain == bindparam("of_chain"))
    .order_by(col(JournalEntry.position))
)
_HEAD = DirectRows(
    select(JournalEntry.position, JournalEntry.hash)
    .where(JournalEntry.chain == bindparam("of_chain"))
    .order_by(col(JournalEntry.position).desc())
    .limit(1)
)


async def _write(
    session: AsyncSession,
    statement: DirectStatement,
    row: SQLModel,
    leaf: Leaf,
    previous: bytes = GENESIS,
    more: Mapping[str, Any] | None = None,
) -> AsyncCursor[Any]:
    values = {f"row_{name}": value for name, value in bound_row(row).items()}
    waits = {f"leaf_{name}": value for name, value in _pending(leaf, previous).items()}
    return await statement.run(session, {**values, **waits, **(more or {})})


def _pending(leaf: Leaf, previous: bytes) -> dict[str, Any]:
    """The row of an entry that waits for its place among the leaves."""
    attestation = key_ring().attest(attested(leaf, previous))
    return {name: getattr(leaf, name) for name in _LEAF} | {
        "previous": previous,
        "attestation": attestation,
    }


async def append(
    session: AsyncSession,
    *,
    chain: UUID,
    kind: JournalKind,
    at: datetime | None = None,
    by: UUID | None = None,
    system: str | None = None,
    step: int | None = None,
    facts: Mapping[str, Any] | None = None,
    contents: Any = None,
    after: JournalEntry | None = None,
    lock: bool = False,
    along: Along | None = None,
) -> JournalEntry:
    """Add an entry at the end of a chain, in two statements; the caller's unit of work commits it.

    `by` is the person who acted; `system` names the part of the program that did. `facts` are not
    encrypted: nothing personal, JSON without fractions. `contents` are encrypted.

    The caller holds a lock on the row that owns the chain. For a chain without such a row, `lock`
    takes a lock in a third statement; the system's own chain always does. `after`, the entry just
    appended to the same chain in this unit of work, saves the look-up; so does `head_is_known`.
    `along` is sent in the same statement as the entry.
    """
    if lock or chain == SYSTEM_CHAIN:
        await lock_chain(session, chain)
    position, previous = 0, GENESIS
    if after is not None and after.chain == chain:
        position, previous = after.position, after.hash
    elif (known := session.info.get((_HEAD_OF, chain))) is not None:
        position, previous = known
    else:
        head = await _HEAD.one_or_none(session, {"of_chain": chain})
        position, previous = head or (position, previous)
    entry = _entry(
        chain=chain,
        position=position + 1,
        previous=previous,
        kind=kind,
        at=at or clock.now(),
        by=by,
        system=system,
        step=step,
        facts=dict(facts or {}),
        contents=contents,
    )
    leaf = Leaf(CHAIN_LEAF, chain, position + 1, entry.hash)
    if along is None:
        await _write(session, _WRITE_ENTRY, entry, leaf, previous)
    else:
        await _write(session, _along(along.statement), entry, leaf, previous, along.values)
    session.info[_HEAD_OF, chain] = (entry.position, entry.hash)
    return entry


@dataclass(frozen=True)
class FirstEntry:
    """The first entry of a chain that nobody else can know yet."""

    chain: UUID
    kind: JournalKind
    at: datetime
    facts: Mapping[str, Any]
    contents: Any = None


async def begin_chains(
    session: AsyncSession,
    system: str | None,
    firsts: Sequence[FirstEntry],
    by: UUID | None = None,
) -> None:
    """Begin many chains at once, in two statements: for what is entered by thousands."""
    rows, waits = [], []
    for one in firsts:
        entry, leaf = _first(one, by, system)
        waits.append(_pending(leaf, GENESIS))
        rows.append(bound_row(entry))
    connection = await session.connection()
    table = SQLModel.metadata.tables[str(JournalEntry.__tablename__)]
    await connection.execute(insert(table), rows)
    await connection.execute(insert(journal_pending), waits)


async def begin_chain(
    session: AsyncSession, by: UUID, first: FirstEntry, along: Along
) -> Sequence[Any]:
    """Begin a chain together with a query, and return the rows that the query finds."""
    entry, leaf = _first(first, by, None)
    found = await _write(session, _along(along.statement), entry, leaf, more=along.values)
    session.info[_HEAD_OF, first.chain] = (1, entry.hash)
    return await found.fetchall()


def _first(one: FirstEntry, by: UUID | None, system: str | None) -> tuple[JournalEntry, Leaf]:
    entry = _entry(
        chain=one.chain,
        position=1,
        previous=GENESIS,
        kind=one.kind,
        at=one.at,
        by=by,
        system=system,
        step=None,
        facts=dict(one.facts),
        contents=one.contents,
    )
    return entry, Leaf(CHAIN_LEAF, one.chain, 1, entry.hash)


async def lock_chain(session: AsyncSession, chain: UUID) -> None:
    """Wait until nobody else appends to a chain that no row owns; lock it for the unit of work."""
    key = int.from_bytes(chain.bytes[-4:], "big", signed=True)
    await session.exec(select(func.pg_advisory_xact_lock(_APPENDING, key)))


def head_columns(chain: BindParameter[UUID]) -> tuple[Any, Any]:
    """Position and hash of a chain's last entry, for a statement that is sent anyway.

    Use it only in a statement that begins after the chain's owner is locked: one that began before
    may see an older end.
    """
    of_chain = col(JournalEntry.chain) == chain
    last = col(JournalEntry.position).desc()
    return (
        scalar(col(JournalEntry.position))
        .where(of_chain)
        .order_by(last)
        .limit(1)
        .scalar_subquery(),
        scalar(col(JournalEntry.hash)).where(of_chain).order_by(last).limit(1).scalar_subquery(),
    )


def head_is_known(
    session: AsyncSession, chain: UUID, position: int | None, digest: bytes | None
) -> None:
    """Keep what `head_columns` returned for the next `append` of this unit of work."""
    session.info[_HEAD_OF, chain] = (position or 0, bytes(digest) if digest else GENESIS)


def _entry(
    *,
    chain: UUID,
    position: int,
    previous: bytes,
    kind: JournalKind,
    at: datetime,
    by: UUID | None,
    system: str | None,
    step: int | None,
    facts: dict[str, Any],
    contents: Any,
) -> JournalEntry:
    """The entry with its salt, digests and hash.

    Raises CanonicalizationError for facts that are no plain JSON.
    """
    salt = new_salt() if contents is not None else None
    hashed = EntryFacts(
        id=new_id(),
        chain=chain,
        position=position,
        kind=kind.value,
        at=at,
        by_person=by,
        by_system=system,
        step=step,
        facts=facts,
        contents_digest=contents_digest(contents, salt) if salt else None,
        previous_hash=previous,
    )
    return JournalEntry(
        id=hashed.id,
        chain=chain,
        position=position,
        kind=hashed.kind,
        at=at,
        by_person=by,
        by_system=system,
        step=step,
        facts=facts,
        contents=contents,
        salt=salt,
        contents_digest=hashed.contents_digest,
        hash_version=HASH_VERSION,
        previous_hash=previous,
        hash=entry_hash(hashed),
    )


def facts_of(entry: JournalEntry) -> EntryFacts:
    """The entry as it is hashed, without its contents."""
    return EntryFacts(
        **entry.model_dump(include=set(HASHED)),
        contents_state="absent" if entry.contents is None else "unread",
    )


async def read(session: AsyncSession, chain: UUID) -> Sequence[JournalEntry]:
    """The entries of a chain, oldest first, with contents decrypted."""
    return await _ALL_OF.all(session, {"of_chain": chain})


async def record_view(
    session: AsyncSession,
    actor: Actor,
    subject_id: UUID,
    what: ViewCode,
    *,
    at: datetime | None = None,
) -> RecordView:
    """Record that a person looked at a record (I9), in one statement that waits for no lock.

    `subject_id` is the case, person or document that was looked at.
    """
    view_id, moment = new_id(), at or clock.now()
    view = RecordView(
        id=view_id,
        at=moment,
        by_person=actor.person_id,
        subject=subject_id,
        what=what.value,
        hash=view_hash(
            view=view_id, at=moment, by_person=actor.person_id, subject=subject_id, what=what
        ),
    )
    await _write(session, _WRITE_VIEW, view, Leaf(VIEW_LEAF, view.id, 0, view.hash))
    return view


async def erase_contents(
    session: AsyncSession,
    entry: JournalEntry,
    *,
    by: UUID | None = None,
    system: str | None = None,
    ground: str,
) -> JournalEntry:
    """Erase the contents of an entry by law; a new entry in the chain says who did it and why.

    The caller holds the lock on the chain's owner. `ground` names the rule, nothing personal.
    """
    recorded = await append(
        session,
        chain=entry.chain,
        kind=JournalKind.CONTENTS_ERASED,
        by=by,
        system=system,
        facts={"position": entry.position, "ground": ground},
    )
    await session.exec(select(func.journal_erase(entry.id)))
    return recorded
