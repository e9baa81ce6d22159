"""The arithmetic of the journal: chains and trees, without any database (I9)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.journal.checkpoints import (
    Leaf,
    checkpoint_body,
    checkpoint_hash,
    merkle_holds,
    merkle_proof,
    merkle_root,
)
from rules.journal.entries import (
    GENESIS,
    EntryFacts,
    JournalKind,
    canonical,
    contents_digest,
    entry_hash,
    moment,
    new_salt,
    verify_chain,
    view_hash,
)

AT = datetime(2026, 12, 4, 13, 5, 0, 123, tzinfo=UTC)
leaves = st.lists(st.binary(max_size=8), min_size=1, max_size=40)


def chain(length: int) -> list[EntryFacts]:
    """A chain of that many entries, every second one with contents."""
    ref, previous, made = uuid4(), GENESIS, []
    for position in range(1, length + 1):
        salt = new_salt() if position % 2 else None
        contents = {"text": f"№ {position}"} if salt else None
        entry = EntryFacts(
            id=uuid4(),
            chain=ref,
            position=position,
            kind=JournalKind.CASE_COMMENTED,
            at=AT + timedelta(minutes=position),
            by_person=uuid4(),
            by_system=None,
            step=position,
            facts={"n": position},
            contents_digest=contents_digest(contents, salt) if salt else None,
            previous_hash=previous,
            salt=salt,
            contents=contents,
            contents_state="readable" if salt else "absent",
        )
        entry = replace(entry, hash=entry_hash(entry))
        previous = entry.hash
        made.append(entry)
    return made


@given(st.integers(0, 20))
def test_a_whole_chain_has_no_faults(length: int) -> None:
    """What was written verifies, whatever its length."""
    assert verify_chain(chain(length)) == []


@given(st.integers(2, 12), st.data())
def test_any_other_order_or_gap_is_found(length: int, data: st.DataObject) -> None:
    """Any reordering, and any entry missing before the last one."""
    entries = chain(length)
    order = data.draw(st.permutations(range(length)))
    if list(order) != list(range(length)):
        assert verify_chain([entries[i] for i in order])
    gone = data.draw(st.integers(0, length - 2))
    assert verify_chain(entries[:gone] + entries[gone + 1 :])


@pytest.mark.parametrize(
    "change",
    [
        {"id": UUID(int=1)},
        {"chain": UUID(int=1)},
        {"kind": "case.approved"},
        {"at": AT},
        {"by_person": None},
        {"by_system": "x"},
        {"step": 99},
        {"facts": {"n": 2.5}},
        {"contents_digest": bytes(32)},
        {"contents": {"text": "другое"}},
        {"contents_state": "broken"},
        {"contents_state": "absent"},
        {"salt": bytes(32)},
        {"hash_version": 2},
        {"facts": {"n": 2**60}},
    ],
)
def test_any_changed_part_is_found(change: dict[str, object]) -> None:
    """Each part of an entry by itself."""
    entries = chain(4)
    entries[2] = replace(entries[2], **change)  # type: ignore[arg-type]
    assert verify_chain(entries)


def test_unread_contents_are_no_fault() -> None:
    """Without keys the chain can be checked, its contents cannot."""
    entries = [replace(e, contents=None, contents_state="unread") for e in chain(2)]
    assert [str(f) for f in verify_chain(entries)] == [
        f"chain {entries[1].chain}, position 2: contents were added after it was written"
    ]


def test_the_same_moment_hashes_the_same_in_any_zone() -> None:
    """Times are hashed in UTC, and never without a zone."""
    assert moment(AT) == "2026-12-04T13:05:00.000123Z"
    assert moment(AT.astimezone(timezone(timedelta(hours=3)))) == moment(AT)
    with pytest.raises(ValueError, match="zone"):
        moment(AT.replace(tzinfo=None))


def test_digests_of_the_same_contents_differ() -> None:
    """The salt keeps short contents from being guessed."""
    assert contents_digest("да", new_salt()) != contents_digest("да", new_salt())


@given(leaves, st.data())
def test_every_leaf_has_a_proof(given_leaves: list[bytes], data: st.DataObject) -> None:
    """It leads to the root from its own place, and from no other leaf, place or size."""
    index = data.draw(st.integers(0, len(given_leaves) - 1))
    root, proof = merkle_root(given_leaves), merkle_proof(given_leaves, index)
    leaf, size = given_leaves[index], len(given_leaves)
    assert merkle_holds(leaf, index, size, proof, root)
    assert not merkle_holds(leaf + b"x", index, size, proof, root)
    assert not merkle_holds(leaf, index, size, [*proof, b"x"], root)
    assert not merkle_holds(leaf, size, size, proof, root)
    if proof:
        assert not merkle_holds(leaf, index, size, proof[:-1], root)


def test_roots_are_those_of_rfc_9162() -> None:
    """Against the definition, written out for seven leaves as in section 2.1.5."""

    def node(left: bytes, right: bytes) -> bytes:
        return sha256(b"\x01" + left + right).digest()

    data = [bytes([i]) for i in range(7)]
    a, b, c, d, e, f, j = (sha256(b"\x00" + one).digest() for one in data)
    g, h, i = node(a, b), node(c, d), node(e, f)
    k, m = node(g, h), node(i, j)
    assert merkle_root(data) == node(k, m)
    assert merkle_proof(data, 0) == [b, h, m]
    assert merkle_proof(data, 3) == [c, g, m]
    assert merkle_proof(data, 4) == [f, j, k]
    assert merkle_proof(data, 6) == [i, k]
    assert merkle_root([]) == sha256(b"").digest()
    with pytest.raises(IndexError):
        merkle_proof(data, 7)


@given(leaves, st.data())
def test_any_changed_leaf_changes_the_root(given_leaves: list[bytes], data: st.DataObject) -> None:
    """Changed, dropped, doubled."""
    index = data.draw(st.integers(0, len(given_leaves) - 1))
    root = merkle_root(given_leaves)
    assert merkle_root([*given_leaves[:index], b"changed!!", *given_leaves[index + 1 :]]) != root
    assert merkle_root([*given_leaves, given_leaves[-1]]) != root
    assert merkle_root(given_leaves[:-1]) != root


def test_leaves_are_read_back() -> None:
    """As they stand in a seal's JSON; anything else is refused."""
    leaf = Leaf("chain", uuid4(), 7, bytes(range(32)))
    assert Leaf.read(leaf.listed()) == leaf
    assert leaf.encoded() == canonical(leaf.listed())
    with pytest.raises(ValueError, match="values to unpack"):
        Leaf.read(["chain"])


def test_seals_and_views_hash_all_their_parts() -> None:
    """Another number, time, root, count, or seal before it makes another seal; views likewise."""
    seal = {"number": 1, "at": AT, "root": bytes(32), "leaves": 1, "previous_hash": GENESIS}
    other = {"number": 2, "at": AT + timedelta(1), "root": b"x", "leaves": 2, "previous_hash": b"x"}
    made = {checkpoint_hash(checkpoint_body(**(seal | {k: v}))) for k, v in other.items()}  # type: ignore[arg-type]
    assert len(made | {checkpoint_hash(checkpoint_body(**seal))}) == 6  # type: ignore[arg-type]
    view = {"view": uuid4(), "at": AT, "by_person": uuid4(), "subject": uuid4(), "what": "case"}
    changed = {
        "view": uuid4(),
        "at": AT + timedelta(1),
        "by_person": uuid4(),
        "subject": uuid4(),
        "what": "act",
    }
    seen = {view_hash(**(view | {k: v})) for k, v in changed.items()}  # type: ignore[arg-type]
    assert len(seen | {view_hash(**view)}) == 6  # type: ignore[arg-type]
