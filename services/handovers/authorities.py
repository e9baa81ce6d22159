"""Authorities that may ask for documents: added, recognised, ended."""

import secrets
from dataclasses import dataclass
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from crypto.certificates import from_pem, in_force
from crypto.cms_encryption import CipherError, encrypt
from models.tables.handovers import Authority, Handover
from rules.accounts import too_often
from rules.clock import now as present
from rules.credentials.handovers import OPEN_STATES, WRONG_SECRETS, HandoverState
from rules.journal.entries import SYSTEM_CHAIN, JournalKind
from rules.refusals import Refusal
from rules.texts.cleaning import clean
from services import rate_limits
from services.accounts.sessions import hash_token
from services.journal import entries as journal
from services.own_workflows import ask_to_look


class CertificateError(ValueError):
    """The certificate cannot be used; the message says why."""


@dataclass(frozen=True)
class KnownAuthority:
    """An authority that has shown its secret."""

    id: UUID
    name: str


async def add(session: AsyncSession, name: str, certificate: bytes) -> tuple[UUID, str]:
    """Add an authority. Returns its id, and its secret, which is shown this once.

    Raises CertificateError unless `certificate` is a PEM certificate that is in force.
    """
    now = present()
    try:
        good = in_force(from_pem(certificate), now)
    except ValueError as error:
        raise CertificateError("this is not a certificate in PEM") from error
    if not good:
        raise CertificateError("the certificate is not in force now")
    try:
        encrypt(b"", [from_pem(certificate)])
    except CipherError as error:
        raise CertificateError("nothing can be encrypted to this certificate") from error
    secret = secrets.token_urlsafe(32)
    row = Authority(
        name=clean(name).strip(),
        certificate=certificate,
        secret_hash=hash_token(secret),
        added_at=now,
    )
    session.add(row)
    await session.flush()
    await _note(session, row, JournalKind.AUTHORITY_ADDED)
    return row.id, secret


async def end(session: AsyncSession, authority_id: UUID) -> bool:
    """Let an authority ask and fetch nothing any more. False if it is unknown or ended before."""
    row = await session.get(Authority, authority_id, with_for_update=True)
    if row is None or row.ended_at is not None:
        return False
    row.ended_at = present()
    session.add(row)
    await session.flush()
    waits = (col(Handover.authority_id) == authority_id) & col(Handover.state).in_(
        [*OPEN_STATES, HandoverState.PACKING]
    )
    await ask_to_look(session, Handover, "looks_at", waits, row.ended_at)
    await _note(session, row, JournalKind.AUTHORITY_ENDED)
    return True


async def every(session: AsyncSession) -> list[Authority]:
    """All authorities, the newest first."""
    found = await session.exec(select(Authority).order_by(col(Authority.added_at).desc()))
    return list(found.all())


async def recognise(database: Database, name: str, secret: str, address: str) -> KnownAuthority:
    """The authority with this id and secret.

    Raises Refusal 401, and 429 after many wrong secrets from one address.
    """
    async with database.work() as session:
        found = await session.exec(
            select(Authority).where(
                Authority.secret_hash == hash_token(secret), col(Authority.ended_at).is_(None)
            )
        )
        row = found.first()
        if row is not None and str(row.id) == name:
            return KnownAuthority(row.id, row.name)
        wait = await rate_limits.take(session, [(WRONG_SECRETS, address)], present())
    if wait:
        raise too_often(wait)
    raise Refusal("wrong_credentials", "Идентификатор или секрет ведомства не подходят.", 401)


async def _note(session: AsyncSession, row: Authority, kind: JournalKind) -> None:
    facts = {"authority": str(row.id)}
    await journal.append(session, chain=SYSTEM_CHAIN, kind=kind, system="handovers", facts=facts)
