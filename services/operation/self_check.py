"""The self-check of protective measures: each is really examined, now (I13).

The whole journal takes long to verify, so a page shows what the last verification found and when;
`medcab self-check` verifies it and journals what it found.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients import front_door
from clients.database import Database
from clients.objects import Objects
from crypto.certificates import Certificate
from crypto.key_ring import KeyRing
from models.tables.accounts import Account, RiskEvent
from models.tables.people import Person
from models.tables.second_factor import Passkey, SmsFactor
from rules.access import Actor, Permission
from rules.accounts import PASSWORD_AGE
from rules.clock import now as present
from rules.journal.entries import SYSTEM_CHAIN, JournalKind
from rules.journal.tags import ViewCode
from rules.operation.norms import NormStage
from rules.operation.self_check import (
    KEY_AGE,
    RISK_AGE,
    VERIFIED_AGE,
    Examined,
    Grade,
    Protection,
    of_certificate,
    of_number,
)
from rules.refusals import forbidden
from services.access import works_here
from services.course import passing
from services.journal import entries as journal
from services.journal import integrity
from services.journal.verification import VerificationReport, verify
from services.operation import norms
from services.operation.servers import backups, checkpoints
from services.seal import SealError, open_seal
from settings import Settings


async def report(
    database: Database, settings: Settings, ring: KeyRing, actor: Actor
) -> Sequence[Examined]:
    """The self-check as a page shows it; that it was looked at is recorded.

    Raises Refusal 403 unless the person reads the journal.
    """
    if not actor.may(Permission.READ_JOURNAL):
        raise forbidden()
    async with database.work() as session:
        await journal.record_view(session, actor, actor.person_id, ViewCode.SELF_CHECK)
    return await examine(database, settings, ring)


async def examine(database: Database, settings: Settings, ring: KeyRing) -> Sequence[Examined]:
    """Every measure, the worst first."""
    now = present()
    found = [await _tls(settings, now), _keys(ring, now), _seal(settings, now)]
    async with database.work() as session:
        found += [
            await _backup(session, now),
            await _second_factor(session, now),
            await _passwords(session, now),
            of_number(Protection.COURSE, await passing.number_late(session, now), Grade.WARNING),
            await _journal(session, now),
            await _checkpoints(session, now),
            await _risks(session, now),
            *_norms(await norms.today_of(session, now)),
        ]
    order = list(Grade)
    return sorted(found, key=lambda one: order.index(one.grade))


async def verify_journal(
    database: Database,
    folder: Path,
    trusted: Sequence[Certificate],
    ring: KeyRing,
    objects: Objects,
) -> VerificationReport:
    """Verify the whole journal, and journal in figures what was found."""
    found = await verify(database, folder, trusted, ring, objects)
    async with database.work() as session:
        await journal.append(
            session,
            chain=SYSTEM_CHAIN,
            kind=JournalKind.JOURNAL_VERIFIED,
            system="self-check",
            facts={
                "chains": found.chains,
                "checkpoints": found.checkpoints,
                "entries": found.entries,
                "faults": len(found.faults),
                "unconfirmed": len(found.unconfirmed),
                "views": found.views,
            },
        )
    return found


async def _tls(settings: Settings, now: datetime) -> Examined:
    door = await front_door.look(settings.public_url)
    if door is None:
        return Examined(Protection.TLS, Grade.UNKNOWN, "silent")
    if not door.version:
        return Examined(Protection.TLS, Grade.BAD, "plain")
    if door.older or door.version != "TLSv1.3":
        return Examined(Protection.TLS, Grade.BAD, "older", {"version": door.version})
    days = (door.valid_until - now).days if door.valid_until else -1
    return of_certificate(Protection.TLS, days, {"version": door.version})


def _keys(ring: KeyRing, now: datetime) -> Examined:
    newest = next(iter(ring.in_use))
    if newest not in ring.since:
        return Examined(Protection.KEYS, Grade.UNKNOWN, "unknown", {"n": len(ring.keys)})
    age = now - datetime.fromtimestamp(ring.since[newest], UTC)
    grade, finding = (Grade.WARNING, "old") if age > KEY_AGE else (Grade.GOOD, "fresh")
    return Examined(Protection.KEYS, grade, finding, {"days": age.days, "n": len(ring.keys)})


def _seal(settings: Settings, now: datetime) -> Examined:
    try:
        seal = open_seal(settings)
    except SealError:
        return Examined(Protection.SEAL, Grade.BAD, "missing")
    days = (seal.certificate.not_valid_after_utc - now).days
    if seal.test and days >= 0:
        return Examined(Protection.SEAL, Grade.WARNING, "test", {"days": days})
    return of_certificate(Protection.SEAL, days, {})


async def _backup(session: AsyncSession, now: datetime) -> Examined:
    last, trouble = await backups(session, now)
    if last is None:
        return Examined(Protection.BACKUP, Grade.BAD if trouble else Grade.WARNING, "never")
    facts: dict[str, str | int] = {"hours": int((now - last).total_seconds() // 3600)}
    if trouble:
        return Examined(Protection.BACKUP, Grade.BAD, "old", facts)
    return Examined(Protection.BACKUP, Grade.GOOD, "fresh", facts)


async def _second_factor(session: AsyncSession, now: datetime) -> Examined:
    """Accounts without a factor cannot sign in, but whoever has the password can set one up."""
    keys = select(Passkey.id).where(col(Passkey.person_id) == col(Account.person_id)).exists()
    phones = (
        select(SmsFactor.person_id)
        .where(col(SmsFactor.person_id) == col(Account.person_id))
        .exists()
    )
    found = await session.exec(
        select(func.count())
        .select_from(Account)
        .join(Person, col(Person.id) == col(Account.person_id))
        .where(
            works_here(),
            col(Account.locked_at).is_(None),
            col(Account.totp_confirmed_at).is_(None),
            ~keys,
            ~phones,
        ),
        params={"now": now},
    )
    return of_number(Protection.SECOND_FACTOR, found.one(), Grade.WARNING)


async def _passwords(session: AsyncSession, now: datetime) -> Examined:
    found = await session.exec(
        select(func.count())
        .select_from(Account)
        .join(Person, col(Person.id) == col(Account.person_id))
        .where(
            works_here(),
            col(Account.locked_at).is_(None),
            col(Account.password_changed_at) <= now - PASSWORD_AGE,
        ),
        params={"now": now},
    )
    return of_number(Protection.PASSWORDS, found.one(), Grade.WARNING)


async def _journal(session: AsyncSession, now: datetime) -> Examined:
    last = await integrity.last_verified(session)
    if last is None:
        return Examined(Protection.JOURNAL, Grade.UNKNOWN, "never")
    facts: dict[str, str | int] = {
        "chains": last.chains,
        "entries": last.entries,
        "days": (now - last.at).days,
        "n": last.faults,
    }
    if last.faults:
        return Examined(Protection.JOURNAL, Grade.BAD, "faults", facts)
    if now - last.at > VERIFIED_AGE:
        return Examined(Protection.JOURNAL, Grade.WARNING, "old", facts)
    return Examined(Protection.JOURNAL, Grade.GOOD, "holds", facts)


async def _checkpoints(session: AsyncSession, now: datetime) -> Examined:
    sealed, trouble = await checkpoints(session, now)
    if trouble:
        return Examined(Protection.CHECKPOINTS, Grade.BAD, "late")
    if sealed is None:
        return Examined(Protection.CHECKPOINTS, Grade.UNKNOWN, "never")
    return Examined(Protection.CHECKPOINTS, Grade.GOOD, "fresh")


def _norms(today: date) -> Sequence[Examined]:
    """Each norm of law that ends soon or has ended, with what rests on it; or that none does."""
    found = []
    for one in norms.norms():
        stage = one.stage(today)
        if stage in (NormStage.NEAR, NormStage.OVER):
            facts: dict[str, str | int] = {
                "what": one.what,
                "source": one.source,
                "days": abs(one.days_left(today) or 0),
                "rests": "; ".join(one.rests),
            }
            grade = Grade.WARNING if stage is NormStage.NEAR else Grade.BAD
            found.append(Examined(Protection.NORMS, grade, stage.value, facts))
    return found or [Examined(Protection.NORMS, Grade.GOOD, "none", {"n": len(norms.norms())})]


async def _risks(session: AsyncSession, now: datetime) -> Examined:
    """Signs of attacks that nobody has judged yet; one that waits for a day is a fault."""
    waiting = col(RiskEvent.closed_at).is_(None)
    old = func.count().filter(col(RiskEvent.at) < now - RISK_AGE)
    found = await session.exec(select(func.count(), old).select_from(RiskEvent).where(waiting))
    number, late = found.one()
    return of_number(Protection.RISKS, number, Grade.BAD if late else Grade.WARNING)
