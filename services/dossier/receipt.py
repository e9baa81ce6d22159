"""The applicant's receipt: what was submitted and where the journal records it, signed.

A receipt is a JSON file, handed out inside its paper (see `receipt_paper`). `receipt` is what it
states, `signature` a detached CMS (base64) by the institution's seal over the canonical JSON (RFC
8785) of `receipt`, `certificate` the seal's. It can be checked without the institution:
`docs/receipts.md` says how, with openssl alone. With a receipt its holder can later prove that the
journal was changed, even if all its checkpoints were changed with it.
"""

import asyncio
import base64
import hmac
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from typing import Any
from uuid import UUID

from sqlalchemy import cast, func
from sqlalchemy.dialects.postgresql import JSONPATH
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from crypto.certificates import Certificate, as_pem, from_pem
from crypto.cms_signatures import SignatureError, check_signature
from models.tables.cases import Case, CaseVersion
from models.tables.journal import JournalCheckpoint, JournalEntry
from models.tables.people import Person
from rules import clock
from rules.journal.checkpoints import (
    CHAIN_LEAF,
    Leaf,
    checkpoint_body,
    checkpoint_hash,
    merkle_holds,
    merkle_proof,
)
from rules.journal.entries import (
    IntegrityFault,
    JournalKind,
    body_digest,
    canonical,
    chain_hash,
    moment,
)
from rules.refusals import not_found
from rules.texts.paper_names import receipt_name
from services.catalogue import lookup as catalogue
from services.dossier import receipt_paper
from services.dossier.receipt_paper import ReceiptFacts
from services.journal.entries import facts_of
from services.seal import Seal
from settings import Settings

VERSION = 1
_PDF = b"%PDF-"
_HOLDS = 'strict $[*] ? (@[0] == "chain" && @[1] == $chain && @[2] >= $position)'
_SUBMISSIONS = (
    JournalKind.CASE_SUBMITTED,
    JournalKind.CASE_RESUBMITTED,
    JournalKind.CASE_CORRECTED,
)


class ReceiptError(ValueError):
    """The file is not a receipt, or is invalid; the message says why."""


@dataclass(frozen=True)
class Receipt:
    """What a valid receipt states."""

    institution: str
    number: str
    version: int
    version_sha256: str
    submitted_at: str
    issued_at: str
    chain: UUID
    position: int
    entry_hash: bytes
    sealed_by: int | None
    """The number of the checkpoint that includes the entry; None if there was none yet."""
    checkpoint_hash: bytes | None
    certificate: Certificate


async def issue(
    session: AsyncSession,
    with_seal: Seal,
    institution: str,
    case_id: UUID,
    version: int | None = None,
) -> bytes:
    """The receipt of a submitted version, the newest by default, as the bytes of its file.

    Raises `not_found` for a case or version that was not submitted. The caller checks the rights.
    """
    case = await session.get(Case, case_id)
    number = version or (case.version if case else 0)
    submitted = await session.get(CaseVersion, (case_id, number))
    if case is None or case.number is None or submitted is None:
        raise not_found()
    entry = await _entry_of(session, case_id, number)
    stated = {
        "case": {
            "number": case.number,
            "submitted_at": moment(submitted.submitted_at),
            "version": number,
            "version_sha256": submitted.digest,
        },
        "institution": institution,
        "issued_at": moment(clock.now()),
        "journal": {
            "chain": str(case_id),
            "hash": entry.hash.hex(),
            "kind": entry.kind,
            "position": entry.position,
        },
        "seal": await _proof(session, entry),
        "v": VERSION,
    }
    return signed(stated, with_seal)


async def on_paper(
    session: AsyncSession,
    with_seal: Seal,
    settings: Settings,
    case_id: UUID,
    version: int | None = None,
) -> tuple[str, bytes]:
    """The receipt of a version as a signed PDF/A-3, and the name of its file.

    Raises `not_found` as `issue` does.
    """
    data = await issue(session, with_seal, settings.institution, case_id, version)
    case = await session.get_one(Case, case_id)
    if case.programme_id is not None:
        what = f"Заявка: {(await catalogue.programme(session, case.programme_id)).title}"
    else:
        definition = await catalogue.case_type(session, case.type, case.type_version)
        what = f"Запрос: {definition.title}"
    held = read(data, [with_seal.certificate])
    facts = ReceiptFacts(
        institution=held.institution,
        what=what,
        applicant=(await session.get_one(Person, case.applicant_id)).name,
        number=held.number,
        version=held.version,
        version_sha256=held.version_sha256,
        submitted_at=datetime.fromisoformat(held.submitted_at),
        issued_at=datetime.fromisoformat(held.issued_at),
        position=held.position,
        entry_hash=held.entry_hash.hex(),
        sealed_by=held.sealed_by,
        zone=settings.time_zone,
        public_url=settings.public_url,
        certificate=with_seal.certificate,
    )
    paper = await asyncio.to_thread(receipt_paper.form, facts, data, with_seal)
    return receipt_name(held.number, held.version), paper


def signed(stated: dict[str, Any], with_seal: Seal) -> bytes:
    """The bytes of the file: what is stated, its signature and the certificate."""
    signature = with_seal.sign_bytes(canonical(stated))
    whole = {
        "receipt": stated,
        "signature": base64.b64encode(signature).decode(),
        "certificate": as_pem(with_seal.certificate),
    }
    return json.dumps(whole, ensure_ascii=False, indent=2).encode() + b"\n"


async def _entry_of(session: AsyncSession, case_id: UUID, version: int) -> JournalEntry:
    """The journal entry by which that version was submitted."""
    found = await session.exec(
        select(JournalEntry)
        .where(JournalEntry.chain == case_id, col(JournalEntry.kind).in_(_SUBMISSIONS))
        .order_by(col(JournalEntry.position))
    )
    entries = [entry for entry in found if entry.facts.get("version") == version]
    if not entries:
        raise not_found()
    return entries[0]


async def _proof(session: AsyncSession, entry: JournalEntry) -> dict[str, Any] | None:
    """The proof by the first checkpoint after this entry: links to the chain's head, then the tree.

    None if there is no such checkpoint yet.
    """
    found = await session.exec(
        select(JournalCheckpoint)
        .where(
            col(JournalCheckpoint.at) >= entry.at,
            func.jsonb_path_exists(
                JournalCheckpoint.leaves,
                cast(_HOLDS, JSONPATH),
                func.jsonb_build_object("chain", str(entry.chain), "position", entry.position),
            ),
        )
        .order_by(col(JournalCheckpoint.at))
        .limit(1)
    )
    made = found.one_or_none()
    if made is None:
        return None
    leaves = [Leaf.read(listed) for listed in made.leaves]
    index = next(
        i for i, leaf in enumerate(leaves) if (leaf.kind, leaf.ref) == (CHAIN_LEAF, entry.chain)
    )
    encoded = [leaf.encoded() for leaf in leaves]
    between = await session.exec(
        select(JournalEntry)
        .where(
            JournalEntry.chain == entry.chain,
            JournalEntry.position > entry.position,
            JournalEntry.position <= leaves[index].position,
        )
        .order_by(col(JournalEntry.position))
    )
    body = checkpoint_body(
        number=made.number,
        at=made.at,
        root=made.root,
        leaves=len(leaves),
        previous_hash=made.previous_hash,
    )
    return {
        "body": body,
        "index": index,
        "leaf": made.leaves[index],
        "links": [body_digest(facts_of(one)).hex() for one in between],
        "proof": [one.hex() for one in merkle_proof(encoded, index)],
        "signature": base64.b64encode(made.signature).decode(),
    }


def read(file: bytes, trusted: Iterable[Certificate] = ()) -> Receipt:
    """What a receipt states, if it is valid. Works offline. Raises ReceiptError.

    The file is the JSON, or the paper with it inside, which then must be as the seal signed it. If
    `trusted` is empty, the certificate inside the file is believed: the caller then shows its
    fingerprint to a person, who compares it with the one that the institution publishes.
    """
    try:
        paper = receipt_paper.open_paper(file) if file.startswith(_PDF) else None
        whole = json.loads(paper.data if paper else file)
        stated = whole["receipt"]
        own = from_pem(str(whole["certificate"]).encode())
        signature = base64.b64decode(whole["signature"], validate=True)
        certificates = list(trusted) or [own]
        signed_by = check_signature(canonical(stated), signature, certificates)
        if paper is not None:
            check_signature(paper.signature.covered, paper.signature.value, [signed_by])
        case, entry, sealed = stated["case"], stated["journal"], stated["seal"]
        if stated["v"] != VERSION:
            raise ReceiptError(f"a receipt of version {stated['v']}, unknown here")
        return Receipt(
            institution=stated["institution"],
            number=case["number"],
            version=case["version"],
            version_sha256=case["version_sha256"],
            submitted_at=case["submitted_at"],
            issued_at=stated["issued_at"],
            chain=UUID(entry["chain"]),
            position=entry["position"],
            entry_hash=bytes.fromhex(entry["hash"]),
            sealed_by=_check_proof(sealed, entry, [*certificates, own]) if sealed else None,
            checkpoint_hash=checkpoint_hash(sealed["body"]) if sealed else None,
            certificate=signed_by,
        )
    except SignatureError as error:
        raise ReceiptError(str(error)) from error
    except ReceiptError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise ReceiptError("not a receipt this program can read") from error


def _check_proof(sealed: dict[str, Any], entry: dict[str, Any], trusted: list[Certificate]) -> int:
    """The number of the checkpoint, if tree and signature are valid. Raises ReceiptError."""
    body, leaf = sealed["body"], Leaf.read(sealed["leaf"])
    proof = [bytes.fromhex(one) for one in sealed["proof"]]
    root = bytes.fromhex(body["root"])
    check_signature(canonical(body), base64.b64decode(sealed["signature"], validate=True), trusted)
    links = [bytes.fromhex(one) for one in sealed["links"]]
    head = reduce(chain_hash, links, bytes.fromhex(entry["hash"]))
    if (leaf.kind, str(leaf.ref), leaf.position, leaf.hash) != (
        CHAIN_LEAF,
        entry["chain"],
        entry["position"] + len(links),
        head,
    ):
        raise ReceiptError("its checkpoint includes another entry")
    if not merkle_holds(leaf.encoded(), sealed["index"], body["leaves"], proof, root):
        raise ReceiptError("its proof does not lead to its checkpoint")
    return int(body["number"])


async def compare(session: AsyncSession, receipt: Receipt) -> list[IntegrityFault]:
    """Where the journal contradicts a valid receipt."""
    where = f"chain {receipt.chain}, position {receipt.position}"
    found = await session.exec(
        select(JournalEntry.hash).where(
            JournalEntry.chain == receipt.chain, JournalEntry.position == receipt.position
        )
    )
    digest = found.one_or_none()
    faults = []
    if digest is None:
        faults.append(IntegrityFault(where, "a receipt names this entry, and it is missing"))
    elif not hmac.compare_digest(digest, receipt.entry_hash):
        faults.append(IntegrityFault(where, "is not what the receipt says was written"))
    version = await session.get(CaseVersion, (receipt.chain, receipt.version))
    if version is None or version.digest != receipt.version_sha256:
        what = "is not what the receipt says was submitted"
        faults.append(IntegrityFault(f"version {receipt.version} of {receipt.number}", what))
    if receipt.sealed_by is not None:
        made = await session.get(JournalCheckpoint, receipt.sealed_by)
        if made is None or made.hash != receipt.checkpoint_hash:
            what = "is not the checkpoint that the receipt carries"
            faults.append(IntegrityFault(f"checkpoint {receipt.sealed_by}", what))
    return faults
