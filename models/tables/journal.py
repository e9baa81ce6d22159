"""The journal: who did what, in chains of hashes; views of records; the checkpoints of both.

The application's role may add to these tables and read them, but not change them: see `grants`.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Column,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from models.encrypted_columns import EncryptedJSON
from models.tables.base import utc_column
from rules.ids import new_id
from rules.journal.entries import HASH_VERSION

CONTENTS_PLACE = "journal_entry.contents"


class JournalEntry(SQLModel, table=True):
    """One act or change. `facts` are not encrypted and hold nothing personal; `contents` may.

    `chain` is the id of the case or person it belongs to, or `rules.journal.entries.SYSTEM_CHAIN`;
    `position` counts from 1 within the chain; `step` is the case's step after the act.
    """

    __tablename__ = "journal_entry"
    __table_args__ = (
        UniqueConstraint("chain", "position"),
        Index(
            "journal_entry_by_person",
            "by_person",
            "id",
            postgresql_where=text("by_person is not null"),
        ),
        Index("journal_entry_of_kind", "kind", text("id nulls first")),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    chain: UUID
    position: int
    kind: str
    at: datetime = Field(sa_column=utc_column())
    by_person: UUID | None = None
    by_system: str | None = None
    step: int | None = None
    facts: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    contents: Any = Field(
        default=None, sa_column=Column(EncryptedJSON(CONTENTS_PLACE), nullable=True)
    )
    salt: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
    contents_digest: bytes | None = Field(
        default=None, sa_column=Column(LargeBinary, nullable=True)
    )
    hash_version: int = Field(default=HASH_VERSION, sa_column=Column(SmallInteger, nullable=False))
    previous_hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class RecordView(SQLModel, table=True):
    """A person's view of a record. Views form no chain, so that looking never waits for a lock."""

    __tablename__ = "record_view"
    __table_args__ = (
        Index("record_view_of_subject", "subject", "id"),
        Index("record_view_by_person", "by_person", "id"),
        Index("record_view_of_what", "what", text("id nulls first")),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    at: datetime = Field(sa_column=utc_column())
    by_person: UUID
    subject: UUID
    what: str = Field(description="One of `rules.journal.tags.ViewCode`.")
    hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class JournalCheckpoint(SQLModel, table=True):
    """A checkpoint: the signed heads of chains that grew, and the views, since the one before.

    `leaves` lists `[kind, ref, position, hash]`; `root` is their Merkle root; `signature` is a
    detached CMS by the institution's seal over the canonical body, whose SHA-256 is `hash`.
    """

    __tablename__ = "journal_seal"

    number: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    at: datetime = Field(sa_column=utc_column(index=True))
    leaves: list[Any] = Field(sa_column=Column(JSONB, nullable=False))
    root: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    previous_hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    signature: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class JournalCheckpointCopy(SQLModel, table=True):
    """Up to which checkpoint a place outside PostgreSQL holds copies."""

    __tablename__ = "journal_seal_copy"

    place: str = Field(primary_key=True)
    number: int


class JournalHead(SQLModel, table=True):
    """How far checkpoints cover a chain: its last entry in one."""

    __tablename__ = "journal_head"

    chain: UUID = Field(primary_key=True)
    position: int
    hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


journal_pending = Table(
    "journal_pending",
    SQLModel.metadata,
    Column("kind", Text, nullable=False),
    Column("ref", Uuid(), nullable=False),
    Column("position", Integer, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("previous", LargeBinary, nullable=True),
    Column("attestation", LargeBinary, nullable=True),
    Column("refused", Text, nullable=True),
)
"""What waits for the next checkpoint.

A row is inserted with its entry in one statement, so that none is missed however transactions
overlap; the checkpoint deletes it. `previous` is the hash of the entry before, `attestation` the
application's attestation of the row, `refused` why the last checkpoint left it.
"""


ERASE_FUNCTION = """
create or replace function journal_erase(entry uuid) returns void
language sql security definer set search_path = pg_catalog, public as
$$ update public.journal_entry set contents = null, salt = null where id = entry $$
"""
"""The only change that is allowed: contents are erased by law, together with their salt.

`medcab verify` finds an erasure without an entry that records it.
"""

DROP_ERASE_FUNCTION = "drop function journal_erase(uuid)"


def grants(role: str) -> list[str]:
    """The statements by which the owner lets the application's role add and read, but not change.

    Run them after the tables exist, and after any broader grant; `role` is an SQL identifier.
    """
    tables = "journal_entry, record_view, journal_seal"
    others = "journal_pending, journal_seal_copy"
    return [
        f"revoke all on {tables}, {others} from public, {role}",
        f"grant select, insert on {tables} to {role}",
        f"grant select, insert, delete on journal_pending to {role}",
        f"grant select, insert, update on journal_seal_copy to {role}",
        "revoke all on function journal_erase(uuid) from public",
        f"grant execute on function journal_erase(uuid) to {role}",
    ]
