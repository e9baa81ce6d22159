"""The package of a hand-over: a ZIP, signed by the institution, encrypted to the authority.

It holds the files as they were given, and `manifest.json`, which says what each of them is. The
signature encloses the ZIP (CMS SignedData), and the envelope encloses the signature (RFC 5083), so
that nobody but the authority learns who signed what.
"""

import asyncio
import hashlib
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from clients.objects import ObjectMissingError, Objects
from crypto.certificates import from_pem, in_force
from crypto.cms_encryption import CipherError, encrypt
from models.tables.credentials import Credential, CredentialVersion
from models.tables.documents import DocumentVersion
from models.tables.handovers import Authority, Handover, HandoverFile
from models.tables.people import Person
from rules.clock import now as present
from rules.credentials.handovers import KEPT, MOST_BYTES, HandoverState
from rules.files.checks import safe_name
from rules.journal.entries import JournalKind
from rules.notices.kinds import NoticeKind
from services.credentials import categories
from services.handovers import rows
from services.seal import Seal

FOLDER = "handovers"
OBJECTS: Mapping[str, Sequence[Any]] = {FOLDER: [col(Handover.package_key)]}
MEDIA_TYPE = "application/pkcs7-mime"


class UnpackableError(RuntimeError):
    """Nothing can be handed over, however often one tries; the message says why in a word."""


@dataclass(frozen=True)
class _Member:
    path: str
    key: str
    sha256: str
    described: Mapping[str, Any]


async def pack(
    database: Database, objects: Objects, seal: Seal, institution: str, handover_id: UUID
) -> None:
    """Make and store the package of a released hand-over, and tell the person. Once.

    Raises ObjectsDownError and UnpackableError.
    """
    async with database.reading() as session:
        row = await session.get_one(Handover, handover_id)
        if row.state != HandoverState.PACKING:
            return
        authority = await session.get_one(Authority, row.authority_id)
        manifest, members = await _contents(session, row, institution)
    certificate = from_pem(authority.certificate)
    if not in_force(certificate, present()):
        raise UnpackableError("certificate")
    plain = io.BytesIO()
    with zipfile.ZipFile(plain, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("manifest.json", json.dumps(manifest, ensure_ascii=False, indent=1))
        for one in members:
            archive.writestr(one.path, await _read(objects, one))

    def sealed() -> bytes:
        signed = seal.sign_enclosing(plain.getvalue())
        try:
            return encrypt(signed, [certificate])
        except CipherError:
            raise UnpackableError("certificate") from None

    package = await asyncio.to_thread(sealed)
    stored = await objects.put(Objects.fresh_key(FOLDER), package, len(package), MEDIA_TYPE)
    now = present()
    async with database.work() as session:
        locked = await rows.locked(session, handover_id)
        if locked is None or (locked.state, locked.decided_at) != (row.state, row.decided_at):
            # Meanwhile another try has made it, or an officer has decided anew.
            return
        authority = await session.get_one(Authority, row.authority_id)
        if authority.ended_at is not None:
            return
        locked.state, locked.package_key = HandoverState.READY.value, stored.key
        locked.package_sha256, locked.package_size = stored.sha256, stored.size
        locked.ends_at = locked.looks_at = now + KEPT
        session.add(locked)
        await session.flush()
        facts = {"sha256": stored.sha256}
        await rows.note(session, locked, JournalKind.HANDOVER_READY, now, None, facts)
        await rows.tell_person(session, locked, NoticeKind.HANDOVER_READY, now)


async def _read(objects: Objects, member: _Member) -> bytes:
    try:
        content = await objects.read(member.key, at_most=MOST_BYTES)
    except ObjectMissingError:
        raise UnpackableError("lost") from None
    except ValueError:
        raise UnpackableError("changed") from None
    if hashlib.sha256(content).hexdigest() != member.sha256:
        raise UnpackableError("changed")
    return content


async def _contents(
    session: AsyncSession, row: Handover, institution: str
) -> tuple[Mapping[str, Any], Sequence[_Member]]:
    """What stands in the manifest, and the files."""
    if row.person_id is None or row.decided_at is None:
        raise ValueError("nobody is known, or nothing was decided")
    person = await session.get_one(Person, row.person_id)
    found = await session.exec(
        select(HandoverFile, Credential, CredentialVersion, DocumentVersion)
        .join(
            CredentialVersion, col(CredentialVersion.id) == col(HandoverFile.credential_version_id)
        )
        .join(Credential, col(Credential.id) == col(CredentialVersion.credential_id))
        .join(DocumentVersion, col(DocumentVersion.id) == col(HandoverFile.document_version_id))
        .where(HandoverFile.handover_id == row.id)
        .order_by(col(HandoverFile.position))
    )
    members: list[_Member] = []
    for file, credential, version, document in found.all():
        definition = await categories.at_version(
            session, credential.category, version.category_version
        )
        if document.object_key is None:
            raise UnpackableError("lost")
        path = f"{file.position + 1:02d}_{safe_name(document.file_name)}"
        described = {
            "file": path,
            "sha256": document.sha256,
            "category": credential.category,
            "title": definition.title,
            "data": dict(version.data),
            "version": version.number,
            "since": _written(version.made_at),
            "source": version.source,
        }
        members.append(_Member(path, document.object_key, document.sha256, described))
    manifest = {
        "institution": institution,
        "handover": str(row.id),
        "reference": row.reference,
        "person": {"name": person.name, "snils": person.snils},
        "purpose": row.purpose,
        "ground": row.ground,
        "released_at": _written(row.decided_at),
        "files": [one.described for one in members],
    }
    return manifest, members


def _written(at: datetime) -> str:
    return at.isoformat(timespec="seconds")
