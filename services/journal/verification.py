"""Verifying the journal by itself, by its checkpoints, and by their copies outside PostgreSQL.

It finds, up to the last checkpoint: an entry or its contents changed, removed, inserted or
reordered; a chain cut or removed; a view of a record changed or removed; a checkpoint changed,
removed or made by another key. Younger entries are verified by their chain alone, and by the
application's attestation while they wait for a checkpoint. Entries lost in a restore count as lost
only as far as the institution declared it with its signature. Encrypted values of other tables are
read too: a value copied from another row is found.
"""

import base64
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import LargeBinary, Row, RowMapping, Select, select, text, type_coerce
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel

from clients.database import Database
from clients.objects import Objects, ObjectsDownError
from crypto.certificates import Certificate
from crypto.cms_signatures import SignatureError, check_signature
from crypto.key_ring import KeyRing, UndecryptableError
from models.encrypted_columns import decrypt_for
from models.tables.journal import (
    CONTENTS_PLACE,
    JournalCheckpoint,
    JournalEntry,
    RecordView,
    journal_pending,
)
from rules.clock import now
from rules.journal.checkpoints import (
    CHAIN_LEAF,
    VIEW_LEAF,
    Leaf,
    attested,
    checkpoint_hash,
    merkle_root,
)
from rules.journal.entries import (
    GENESIS,
    SYSTEM_CHAIN,
    EntryFacts,
    IntegrityFault,
    JournalKind,
    canonical,
    verify_chain,
    view_hash,
)
from services.encrypted_values.verification import each_value
from services.journal.checkpoint_files import CHECKPOINTS_FILE
from services.journal.checkpoints import SEALS_PREFIX, as_line
from services.journal.declarations import (
    DECLARING,
    Declaration,
    DeclarationError,
    declares,
    in_order,
    unsigned_loss,
)
from services.journal.declarations import read as read_declaration
from services.journal.entries import HASHED

UNSEALED_FOR = timedelta(minutes=5)
"""How much older than the last checkpoint an entry may be without being in any."""


@dataclass
class VerificationReport:
    """What was checked, and what was found."""

    chains: int = 0
    entries: int = 0
    unsealed: int = 0
    contents: int = 0
    contents_unread: int = 0
    erased: int = 0
    values: int = 0
    """How many encrypted values of other tables were read."""
    views: int = 0
    checkpoints: int = 0
    copies: int = 0
    stored: int = 0
    store_down: bool = False
    sealed_until: datetime | None = None
    declared: list[Declaration] = field(default_factory=list)
    """What the institution declared lost, or accepted without an attestation."""
    unconfirmed: list[Declaration] = field(default_factory=list)
    """Those that no person of information security has confirmed yet."""
    faults: list[IntegrityFault] = field(default_factory=list)

    @property
    def tried(self) -> int:
        """How many things were checked; if it is 0, nothing is proved."""
        return self.entries + self.views + self.checkpoints + self.copies + self.stored


@dataclass
class _Sealed:
    """Everything that the checkpoints include."""

    chains: dict[UUID, dict[int, bytes]] = field(default_factory=lambda: defaultdict(dict))
    views: dict[UUID, bytes] = field(default_factory=dict)
    lost: dict[Leaf, int] = field(default_factory=dict)
    """What checkpoints before a restore include, with the number of the checkpoint.

    Whatever is found in the journal is removed from it.
    """
    checkpoints: dict[int, bytes] = field(default_factory=dict)
    """The hashes of the checkpoints in the database."""

    def add(self, number: int, leaves: Iterable[Leaf], *, lost: bool) -> None:
        for leaf in leaves:
            if lost:
                self.lost[leaf] = number
            elif leaf.kind == CHAIN_LEAF:
                self.chains[leaf.ref][leaf.position] = leaf.hash
            elif leaf.kind == VIEW_LEAF:
                self.views[leaf.ref] = leaf.hash


async def verify(
    database: Database,
    folder: Path,
    trusted: Iterable[Certificate],
    ring: KeyRing | None,
    objects: Objects | None = None,
) -> VerificationReport:
    """Check everything. `folder` holds the copies of checkpoints; `ring` decrypts contents.

    Without a ring contents are not read. Of the copies in the object store the newest hundred are
    compared, and none may be newer than the database; a store that is down is no fault. Checkpoints
    are read before the entries they include, so that a journal in use causes no faults either.
    """
    report, sealed, certificates = VerificationReport(), _Sealed(), list(trusted)
    copies = _read_copies(folder / CHECKPOINTS_FILE, report)
    async with database.engine.connect() as connection:
        await connection.execute(text("set transaction read only"))
        await connection.execute(text("set local statement_timeout = 0"))
        confirmations = await _read_declarations(connection, certificates, report)
        await _check_checkpoints(connection, copies, certificates, sealed, report)
        sealed_until = max(sealed.chains.get(SYSTEM_CHAIN, {}), default=0)
        await _check_chains(connection, sealed, ring, report)
        await _check_views(connection, sealed, report)
        await _check_waiting(connection, ring, report)
        if ring is not None:
            async for fault in each_value(connection, ring):
                report.values += 1
                report.faults += [fault] if fault else []
        _check_declarations(sealed, report)
        report.unconfirmed = [
            one
            for one in report.declared
            # Until a checkpoint includes it, a confirmation is a row that anybody may have written.
            if not any(at <= sealed_until for at in confirmations.get(one.digest, ()))
        ]
        if objects is not None:
            try:
                await _check_store(connection, objects, report)
            except ObjectsDownError:
                report.store_down = True
    return report


async def _read_declarations(
    connection: AsyncConnection, trusted: list[Certificate], report: VerificationReport
) -> dict[str, list[int]]:
    """Read the declarations with our signature. Returns the positions of their confirmations."""
    confirmations: dict[str, list[int]] = defaultdict(list)
    unsigned: dict[int, tuple[int, int]] = {}
    entries = select(
        _ENTRY.c.kind, _ENTRY.c.at, _ENTRY.c.position, _ENTRY.c.facts, _ENTRY.c.by_person
    ).where(
        _ENTRY.c.chain == SYSTEM_CHAIN,
        _ENTRY.c.kind.in_([*DECLARING, JournalKind.JOURNAL_DECLARATION_CONFIRMED]),
    )
    for kind, at, position, facts, person in await connection.execute(
        entries.order_by(_ENTRY.c.position)
    ):
        if kind == JournalKind.JOURNAL_DECLARATION_CONFIRMED:
            if person is not None:
                confirmations[str(facts.get("declaration"))].append(position)
        elif numbers := unsigned_loss(kind, facts):
            unsigned[position] = numbers
        elif declares(kind, facts):
            try:
                report.declared.append(read_declaration(kind, at, position, facts, trusted))
            except DeclarationError as error:
                report.faults.append(
                    IntegrityFault(f"system chain, position {position}", str(error))
                )
    signed = [one.loss for one in report.declared if one.loss is not None]
    for position, (first, last) in unsigned.items():
        if not any(loss.covers(first, last) for loss in signed):
            what = (
                f"declares what the institution did not sign: checkpoints {first} to {last} lost. "
                "Where people know of that restore, `medcab verify accept --reason ...` signs it "
                "once; otherwise the entry is forged"
            )
            report.faults.append(IntegrityFault(f"system chain, position {position}", what))
    return confirmations


def _check_declarations(sealed: _Sealed, report: VerificationReport) -> None:
    """Check that exactly what a restore declared is lost, of exactly the checkpoints it names."""
    for one in report.declared:
        if (loss := one.loss) is None:
            continue
        where = f"system chain, position {one.position}"
        lost = in_order(
            leaf for leaf, number in sealed.lost.items() if loss.first <= number <= loss.last
        )
        before = sealed.checkpoints.get(loss.first - 1, GENESIS if loss.first == 1 else b"")
        if before != loss.follows or sealed.checkpoints.get(loss.last) != loss.until:
            report.faults.append(
                IntegrityFault(
                    where, "declares checkpoints lost that are not those of this journal"
                )
            )
        elif merkle_root(lost) != loss.root:
            what = f"declares {loss.leaves} heads and views lost, but not the {len(lost)} that are"
            report.faults.append(IntegrityFault(where, what))


async def _check_waiting(
    connection: AsyncConnection, ring: KeyRing | None, report: VerificationReport
) -> None:
    """Check what waits for the next checkpoint: the application must have written it."""
    if ring is None:
        return
    columns = journal_pending.c
    async for row in _stream(connection, select(*columns).order_by(columns.ref, columns.position)):
        leaf = Leaf(row.kind, row.ref, row.position, bytes(row.hash))
        known = attested(leaf, bytes(row.previous or b""))
        if not ring.attests(known, bytes(row.attestation or b"")):
            where = f"{row.kind} {row.ref}, position {row.position}"
            report.faults.append(IntegrityFault(where, "was not written by the application"))


async def _check_store(
    connection: AsyncConnection, objects: Objects, report: VerificationReport
) -> None:
    """Compare the newest copies in the object store with the checkpoints of the database."""
    keys = sorted([listed.key async for listed in objects.list(SEALS_PREFIX)])
    report.stored = len(keys)
    for key in keys[-100:]:
        kept = await objects.read(key)
        number = json.loads(kept)["body"]["number"]
        found = await connection.execute(select(*_SEAL.columns).where(_SEAL.c.number == number))
        row = found.one_or_none()
        if row is None:
            report.faults.append(
                IntegrityFault(f"checkpoint {number}", "is in the object store only")
            )
        elif as_line(JournalCheckpoint(**row._mapping)) != kept:
            what = "differs from its copy in the object store"
            report.faults.append(IntegrityFault(f"checkpoint {number}", what))


def _read_copies(file: Path, report: VerificationReport) -> list[dict[str, Any]]:
    """The copies of checkpoints in the file."""
    if not file.exists():
        return []
    copies = []
    with file.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                copies.append(json.loads(line))
            except ValueError:
                report.faults.append(
                    IntegrityFault(f"{file}, line {number}", "is not a checkpoint")
                )
    report.copies = len(copies)
    return copies


async def _check_checkpoints(
    connection: AsyncConnection,
    copies: list[dict[str, Any]],
    trusted: list[Certificate],
    sealed: _Sealed,
    report: VerificationReport,
) -> None:
    """Check the database's checkpoints and their copies: each whole, all linked, both equal."""
    outside = _CheckpointChain("copy of checkpoint", trusted, sealed, report)
    for copy in copies:
        outside.follow(copy)
    inside = _CheckpointChain("checkpoint", trusted, sealed, report, keep=True)
    async for row in _stream(connection, select(*_SEAL.columns).order_by(_SEAL.c.number)):
        one = JournalCheckpoint(**row._mapping)
        report.checkpoints += 1
        report.sealed_until = one.at
        written = json.loads(as_line(one))
        copy = outside.seen.pop(one.number, written)
        if copy != written:
            what = "differs from its copy outside the database"
            report.faults.append(IntegrityFault(f"checkpoint {one.number}", what))
        if written["hash"] != one.hash.hex():
            report.faults.append(
                IntegrityFault(f"checkpoint {one.number}", "was changed after it was made")
            )
        inside.follow(written)
    report.faults += [
        IntegrityFault(f"checkpoint {number}", "was removed from the database")
        for number in outside.seen
    ]


class _CheckpointChain:
    """Follows checkpoints in their order and checks each; what they include goes to `sealed`."""

    def __init__(
        self,
        name: str,
        trusted: list[Certificate],
        sealed: _Sealed,
        report: VerificationReport,
        *,
        keep: bool = False,
    ) -> None:
        self.name, self.trusted, self.sealed, self.report = name, trusted, sealed, report
        self.keep = keep
        self.losses = [one.loss for one in report.declared if one.loss is not None]
        self.seen: dict[int, dict[str, Any]] = {}
        self.number, self.hash = 0, GENESIS.hex()

    def follow(self, written: dict[str, Any]) -> None:
        """Check one copied checkpoint: links, tree and signature."""
        try:
            body = written["body"]
            number, digest = int(body["number"]), checkpoint_hash(body).hex()
            leaves = [Leaf.read(listed) for listed in written["leaves"]]
            signature = base64.b64decode(written["signature"], validate=True)
            root = merkle_root([leaf.encoded() for leaf in leaves]).hex()
            wrong = [
                what
                for what, holds in (
                    ("does not follow the checkpoint before it", body["previous"] == self.hash),
                    ("has another number than its place", number == self.number + 1),
                    ("was changed after it was made", written["hash"] == digest),
                    ("holds other heads than its root covers", root == body["root"]),
                    ("counts other heads than it holds", len(leaves) == body["leaves"]),
                )
                if not holds
            ]
        except (KeyError, TypeError, ValueError) as error:
            self.report.faults.append(IntegrityFault(self.name, f"cannot be read: {error}"))
            return
        try:
            check_signature(canonical(body), signature, self.trusted)
        except SignatureError as error:
            wrong.append(str(error))
        self.report.faults += [IntegrityFault(f"{self.name} {number}", what) for what in wrong]
        lost = any(loss.first <= number <= loss.last for loss in self.losses)
        self.sealed.add(number, leaves, lost=lost)
        if self.keep:
            self.sealed.checkpoints[number] = bytes.fromhex(digest)
        self.seen[number] = written
        self.number, self.hash = number, digest


async def _check_chains(
    connection: AsyncConnection, sealed: _Sealed, ring: KeyRing | None, report: VerificationReport
) -> None:
    """Check every chain from its first entry to its last, and by the checkpoints."""
    columns = [type_coerce(one, LargeBinary) if one.name == "contents" else one for one in _ENTRY.c]
    query = select(*columns).order_by(_ENTRY.c.chain, _ENTRY.c.position)
    chain: list[EntryFacts] = []
    async for row in _stream(connection, query):
        entry = _as_written(row._mapping, ring, report)
        if chain and chain[-1].chain != entry.chain:
            _check_chain(chain, sealed, report)
            chain = []
        chain.append(entry)
    if chain:
        _check_chain(chain, sealed, report)
    report.faults += [
        IntegrityFault(
            f"chain {chain_id}",
            f"was removed: it had {max(positions)} entries at its last checkpoint",
        )
        for chain_id, positions in sealed.chains.items()
    ]


def _check_chain(chain: list[EntryFacts], sealed: _Sealed, report: VerificationReport) -> None:
    """Check one chain; what the checkpoints say of it is removed from `sealed`."""
    report.chains += 1
    report.entries += len(chain)
    report.faults += verify_chain(chain)
    chain_id, by_position = chain[0].chain, {entry.position: entry.hash for entry in chain}
    heads = sealed.chains.pop(chain_id, {})
    if sealed.lost:
        for position, digest in by_position.items():
            sealed.lost.pop(Leaf(CHAIN_LEAF, chain_id, position, digest), None)
    for position, digest in sorted(heads.items()):
        where = f"chain {chain_id}, position {position}"
        if position not in by_position:
            report.faults.append(
                IntegrityFault(where, "is in a checkpoint but missing here: the chain was cut")
            )
        elif by_position[position] != digest:
            report.faults.append(IntegrityFault(where, "is not what its checkpoint includes"))
    young = [entry for entry in chain if entry.position > max(heads, default=0)]
    report.unsealed += len(young)
    report.faults += [
        IntegrityFault(f"chain {chain_id}, position {entry.position}", what)
        for entry in young
        if (what := _overdue(entry.id, report))
    ]


def _as_written(row: RowMapping, ring: KeyRing | None, report: VerificationReport) -> EntryFacts:
    """A row of the journal with its contents read as far as they can be."""
    contents, state = None, "absent"
    if row["contents"] is not None and ring is None:
        report.contents_unread += 1
        state = "unread"
    elif row["contents"] is not None and ring is not None:
        report.contents += 1
        try:
            sealed = bytes(row["contents"])
            contents = json.loads(decrypt_for(ring, sealed, CONTENTS_PLACE, (row["id"],)))
            state = "readable"
        except (UndecryptableError, ValueError):
            state = "broken"
    elif row["contents_digest"] is not None:
        report.erased += 1
    known = {name: row[name] for name in HASHED}
    return EntryFacts(**known, contents=contents, contents_state=state)


async def _check_views(
    connection: AsyncConnection, sealed: _Sealed, report: VerificationReport
) -> None:
    """Check every view of a record, by itself and by the checkpoints."""
    async for row in _stream(connection, select(*_VIEW.columns).order_by(_VIEW.c.id)):
        report.views += 1
        where = f"view {row.id}"
        digest = view_hash(
            view=row.id, at=row.at, by_person=row.by_person, subject=row.subject, what=row.what
        )
        if digest != row.hash:
            report.faults.append(IntegrityFault(where, "was changed after it was written"))
        held = sealed.views.pop(row.id, None)
        sealed.lost.pop(Leaf(VIEW_LEAF, row.id, 0, row.hash), None)
        if held is None:
            report.unsealed += 1
            if what := _overdue(row.id, report):
                report.faults.append(IntegrityFault(where, what))
        elif held != row.hash:
            report.faults.append(IntegrityFault(where, "is not what its checkpoint includes"))
    report.faults += [
        IntegrityFault(f"view {view}", "is in a checkpoint but missing here")
        for view in sealed.views
    ]


def _overdue(id_: UUID, report: VerificationReport) -> str:
    """What is wrong with something in no checkpoint, by the time in its id; empty: nothing."""
    if report.sealed_until and _made(id_) < report.sealed_until - UNSEALED_FOR:
        return "is in no checkpoint, although younger ones are"
    return "is dated in the future" if _made(id_) > now() + UNSEALED_FOR else ""


def _made(id_: UUID) -> datetime:
    """When a UUIDv7 was made: its first 48 bits are milliseconds (RFC 9562, 5.7)."""
    return datetime.fromtimestamp((id_.int >> 80) / 1000, UTC)


async def _stream(connection: AsyncConnection, query: Select[Any]) -> AsyncIterator[Row[Any]]:
    """Rows as they arrive, never all in memory."""
    result = await connection.stream(query, execution_options={"yield_per": 500})
    async for row in result:
        yield row


_ENTRY, _SEAL, _VIEW = (
    SQLModel.metadata.tables[model.__tablename__]
    for model in (JournalEntry, JournalCheckpoint, RecordView)
)
