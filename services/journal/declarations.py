"""What the institution declares about its own journal, and who confirms it.

Two things cannot be repaired and must not go unnoticed: entries that a restore has lost, and
entries that were accepted although the application did not attest them. Each is declared by an
entry in the system's chain with a body signed by the institution: somebody who owns the tables but
not the seal cannot make one. `medcab verify` reports a declaration until a person of information
security has confirmed it.
"""

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from crypto.certificates import Certificate
from crypto.cms_signatures import SignatureError, check_signature
from models.tables.journal import JournalEntry
from rules.access import Actor, Permission
from rules.clock import now
from rules.journal.checkpoints import Leaf, merkle_root
from rules.journal.entries import SYSTEM_CHAIN, JournalKind, canonical, moment
from rules.operation.states import demand_reason
from rules.refusals import forbidden, not_found
from services.journal import entries as journal
from services.seal import Seal

DECLARING = (JournalKind.INSTALLATION_RESTORED, JournalKind.JOURNAL_ACCEPTED)


class DeclarationError(ValueError):
    """An entry claims that the journal lost or accepted something, unsigned by the institution."""


@dataclass(frozen=True)
class DeclaredLoss:
    """What a restore declared lost: in checkpoints `first` to `last`, and how much of them."""

    first: int
    last: int
    follows: bytes
    """The hash of the checkpoint before the first."""
    until: bytes
    """The hash of the last checkpoint."""
    leaves: int
    root: bytes
    """The Merkle root over everything lost, in the order of `in_order`."""

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> "DeclaredLoss":
        """Read it from the signed body. Raises KeyError, TypeError, ValueError."""
        first, last = body["lost_seals"]
        return cls(
            int(first),
            int(last),
            bytes.fromhex(body["follows"]),
            bytes.fromhex(body["until"]),
            int(body["leaves"]),
            bytes.fromhex(body["root"]),
        )

    def covers(self, first: int, last: int) -> bool:
        """Whether these checkpoints are among those it is about."""
        return self.first <= first <= last <= self.last


@dataclass(frozen=True)
class Declaration:
    """An entry of the system's chain that declares something and has a valid signature."""

    digest: str
    """SHA-256 of the signed body, in hex: the name by which it is confirmed."""
    kind: JournalKind
    at: datetime
    position: int
    body: Mapping[str, Any]
    loss: DeclaredLoss | None

    @property
    def accepted(self) -> int:
        """How many entries and views were accepted without an attestation."""
        return sum(last - first + 1 for _, first, last, _ in self.body.get("accepted", ()))

    def told(self) -> str:
        """The declaration in one line, for the person who verifies."""
        if self.loss is not None:
            return (
                f"a restore lost {self.loss.leaves} heads and views of the checkpoints "
                f"{self.loss.first} to {self.loss.last}"
            )
        return (
            f"{self.accepted} entries and views that the application did not attest were accepted"
        )


def in_order(leaves: Iterable[Leaf]) -> list[bytes]:
    """The encoded leaves, each once, sorted: the order depends on nothing else."""
    return sorted({leaf.encoded() for leaf in leaves})


def loss_body(
    first: int, last: int, follows: bytes, until: bytes, lost: Iterable[Leaf], at: datetime
) -> dict[str, Any]:
    """The body that is signed if a restore lost something."""
    encoded = in_order(lost)
    return {
        "at": moment(at),
        "follows": follows.hex(),
        "leaves": len(encoded),
        "lost_seals": [first, last],
        "root": merkle_root(encoded).hex(),
        "until": until.hex(),
        "v": 1,
    }


def signed(body: Mapping[str, Any], seal: Seal) -> dict[str, Any]:
    """The facts of the entry that declares this."""
    signature = base64.b64encode(seal.sign_bytes(canonical(body))).decode()
    return {"declaration": body, "signature": signature}


def declares(kind: str, facts: Mapping[str, Any]) -> bool:
    """Whether the entry claims something that must be signed; a restore may have lost nothing."""
    return kind == JournalKind.JOURNAL_ACCEPTED or (
        kind == JournalKind.INSTALLATION_RESTORED
        and any(name in facts for name in ("lost_seals", "declaration"))
    )


def unsigned_loss(kind: str, facts: Mapping[str, Any]) -> tuple[int, int] | None:
    """The checkpoints that a restore named lost before declarations were signed."""
    if kind != JournalKind.INSTALLATION_RESTORED or "declaration" in facts:
        return None
    match facts.get("lost_seals"):
        case [int(first), int(last)]:
            return first, last
        case _:
            return None


def read(
    kind: str,
    at: datetime,
    position: int,
    facts: Mapping[str, Any],
    trusted: Sequence[Certificate],
) -> Declaration:
    """What such an entry declares. Raises DeclarationError unless the institution signed it."""
    try:
        body = facts["declaration"]
        plain = canonical(body)
        check_signature(plain, base64.b64decode(facts["signature"], validate=True), trusted)
        loss = DeclaredLoss.read(body) if kind == JournalKind.INSTALLATION_RESTORED else None
        if loss is None:
            [(UUID(chain), int(first), int(last)) for chain, first, last, _ in body["accepted"]]
    except (KeyError, TypeError, ValueError, SignatureError) as error:
        raise DeclarationError(f"declares what the institution did not sign: {error}") from error
    digest = hashlib.sha256(plain).hexdigest()
    return Declaration(digest, JournalKind(kind), at, position, body, loss)


@dataclass(frozen=True)
class Confirmation:
    """Who confirmed a declaration, and when."""

    by: UUID
    at: datetime


@dataclass(frozen=True)
class Declared:
    """A declaration as shown to people."""

    declaration: Declaration
    confirmed: Confirmation | None


async def declared(
    session: AsyncSession, actor: Actor, trusted: Sequence[Certificate]
) -> list[Declared]:
    """All valid declarations, the newest first. Raises `forbidden`."""
    if not actor.may(Permission.READ_JOURNAL):
        raise forbidden()
    found = await session.exec(
        select(JournalEntry)
        .where(
            JournalEntry.chain == SYSTEM_CHAIN,
            col(JournalEntry.kind).in_([*DECLARING, JournalKind.JOURNAL_DECLARATION_CONFIRMED]),
        )
        .order_by(col(JournalEntry.position).desc())
    )
    entries = found.all()
    confirmed = {
        str(one.facts.get("declaration")): Confirmation(one.by_person, one.at)
        for one in entries
        if one.kind == JournalKind.JOURNAL_DECLARATION_CONFIRMED and one.by_person is not None
    }
    shown = []
    for one in entries:
        if declares(one.kind, one.facts):
            try:
                made = read(one.kind, one.at, one.position, one.facts, trusted)
            except DeclarationError:
                # `medcab verify` reports it as a fault: there is nothing to confirm.
                continue
            shown.append(Declared(made, confirmed.get(made.digest)))
    return shown


async def confirm(
    session: AsyncSession,
    actor: Actor,
    digest: str,
    reason: str,
    trusted: Sequence[Certificate],
) -> None:
    """Confirm that the declaration is known and was looked into. Safe to repeat.

    Raises Refusal 403 without the right, 404 for an unknown declaration, 422 without a reason.
    """
    if not actor.may(Permission.CONFIRM_DECLARATIONS):
        raise forbidden()
    demand_reason(reason)
    await journal.lock_chain(session, SYSTEM_CHAIN)
    known = {one.declaration.digest: one for one in await declared(session, actor, trusted)}
    if digest not in known:
        raise not_found()
    if known[digest].confirmed is not None:
        return
    await journal.append(
        session,
        chain=SYSTEM_CHAIN,
        kind=JournalKind.JOURNAL_DECLARATION_CONFIRMED,
        at=now(),
        by=actor.person_id,
        facts={"declaration": digest},
        contents={"reason": reason.strip()},
    )
