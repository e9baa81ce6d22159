"""Checkpoints of the journal: what they include, and the Merkle tree over it. Pure functions.

Trees follow RFC 9162, section 2.1: leaves and nodes are hashed with different prefixes, so that
neither can pass for the other.
"""

import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from rules.journal.entries import GENESIS, HASH_VERSION, canonical, moment


@dataclass(frozen=True, slots=True)
class Leaf:
    """What a checkpoint fixes: the head of a chain, or a view of a record (position 0)."""

    kind: str
    ref: UUID
    position: int
    hash: bytes

    def listed(self) -> list[Any]:
        """The leaf as it stands in the JSON of a checkpoint."""
        return [self.kind, str(self.ref), self.position, self.hash.hex()]

    @classmethod
    def read(cls, listed: Sequence[Any]) -> "Leaf":
        """Read a leaf from the JSON of a checkpoint. Raises ValueError."""
        kind, ref, position, digest = listed
        return cls(str(kind), UUID(str(ref)), int(position), bytes.fromhex(str(digest)))

    def encoded(self) -> bytes:
        """The bytes that are hashed into the tree."""
        return canonical(self.listed())


CHAIN_LEAF = "chain"
VIEW_LEAF = "view"


def attested(leaf: Leaf, previous: bytes) -> bytes:
    """The bytes that the application attests of an entry or view: the leaf and what it follows."""
    return canonical([*leaf.listed(), previous.hex()])


@dataclass(frozen=True, slots=True)
class Waiting:
    """A leaf that waits for a checkpoint, the hash it follows, and the attestation of both."""

    leaf: Leaf
    previous: bytes | None
    attestation: bytes | None


class LeafRefusal(StrEnum):
    """Why a leaf is left out of a checkpoint."""

    UNATTESTED = "unattested"
    """Its attestation is missing or wrong: the writer does not hold the application's keys."""
    ASTRAY = "astray"
    """It does not follow the last entry of its chain in a checkpoint: the journal was rewritten."""


def checkpoint_leaves(
    waiting: Iterable[Waiting],
    heads: Mapping[UUID, tuple[int, bytes]],
    genuine: Callable[[Waiting], bool],
) -> tuple[list[Leaf], list[tuple[Waiting, LeafRefusal]]]:
    """The leaves that a checkpoint may include, one for each chain that grew, and those refused.

    `heads` is how far the checkpoints have come in each chain. A chain is followed from there,
    entry by entry; from the first entry that is refused, nothing more of the chain is included.
    """
    leaves: dict[tuple[str, UUID], Leaf] = {}
    refused: list[tuple[Waiting, LeafRefusal]] = []
    ends = dict(heads)
    for one in sorted(waiting, key=lambda each: (each.leaf.ref, each.leaf.position)):
        leaf = one.leaf
        if not genuine(one):
            refused.append((one, LeafRefusal.UNATTESTED))
        elif leaf.kind == CHAIN_LEAF:
            position, digest = ends.get(leaf.ref, (0, GENESIS))
            if leaf.position != position + 1 or one.previous != digest:
                refused.append((one, LeafRefusal.ASTRAY))
                continue
            ends[leaf.ref] = (leaf.position, leaf.hash)
            leaves[leaf.kind, leaf.ref] = leaf
        else:
            leaves[leaf.kind, leaf.ref] = leaf
    return [leaves[key] for key in sorted(leaves)], refused


def _leaf_hash(leaf: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + leaf).digest()


def _node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _levels(leaves: Sequence[bytes]) -> list[list[bytes]]:
    """The levels of the tree, leaves first. A node without a sibling goes up unchanged."""
    levels = [[_leaf_hash(leaf) for leaf in leaves]]
    while len(levels[-1]) > 1:
        below = levels[-1]
        above = [_node_hash(below[i], below[i + 1]) for i in range(0, len(below) - 1, 2)]
        levels.append(above + below[len(above) * 2 :])
    return levels


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """The root over the leaves in their order; over none, the hash of nothing (RFC 9162, 2.1.1)."""
    return _levels(leaves)[-1][0] if leaves else hashlib.sha256().digest()


def merkle_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The sibling hashes on the way from a leaf to the root (RFC 9162, 2.1.3).

    Raises IndexError.
    """
    if not 0 <= index < len(leaves):
        raise IndexError(index)
    proof = []
    for level in _levels(leaves)[:-1]:
        if index ^ 1 < len(level):
            proof.append(level[index ^ 1])
        index >>= 1
    return proof


def merkle_holds(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether the proof leads from this leaf, the index-th of `size`, to this root."""
    if not 0 <= index < size:
        return False
    value, rest = _leaf_hash(leaf), list(proof)
    while size > 1:
        if index ^ 1 < size:
            if not rest:
                return False
            neighbour = rest.pop(0)
            left, right = (neighbour, value) if index & 1 else (value, neighbour)
            value = _node_hash(left, right)
        index, size = index >> 1, (size + 1) >> 1
    return not rest and hmac.compare_digest(value, root)


def checkpoint_body(
    *, number: int, at: datetime, root: bytes, leaves: int, previous_hash: bytes
) -> dict[str, Any]:
    """What the institution signs as a checkpoint: the root, and the hash of the one before."""
    return {
        "at": moment(at),
        "leaves": leaves,
        "number": number,
        "previous": previous_hash.hex(),
        "root": root.hex(),
        "v": HASH_VERSION,
    }


def checkpoint_hash(body: dict[str, Any]) -> bytes:
    """SHA-256 over the canonical body of a checkpoint, which the next checkpoint includes."""
    return hashlib.sha256(canonical(body)).digest()
