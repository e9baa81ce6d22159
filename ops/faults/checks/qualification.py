"""Whether reminders came once, accreditations were sent once, hand-overs were decided once."""

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any
from uuid import UUID

import httpx
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from models.tables.cases import Case
from models.tables.credentials import (
    AccreditationPackage,
    Credential,
    CredentialReminder,
    CredentialVersion,
)
from models.tables.handovers import Handover
from models.tables.journal import JournalEntry
from models.tables.notices import Notice
from ops.faults.evidence import Evidence
from rules.cases.process import CaseKind, Status
from rules.credentials.handovers import HandoverState
from rules.credentials.reminders import END, ReminderState
from rules.journal.entries import JournalKind
from rules.notices.kinds import Channel, NoticeKind
from rules.registers.sources import CENTRE

if TYPE_CHECKING:
    from ops.faults.checks import CheckReport

REMINDERS, EVENTS, ACCREDITATIONS, HANDOVERS = 14, 15, 16, 17


async def files(session: AsyncSession) -> dict[str, str | None]:
    """The objects that rows of these subjects name, with their digests."""
    portfolios = await session.exec(
        select(AccreditationPackage.portfolio_key, AccreditationPackage.portfolio_sha256)
    )
    packages = await session.exec(
        select(Handover.package_key, Handover.package_sha256).where(
            col(Handover.package_key).is_not(None)
        )
    )
    return {str(key): digest for key, digest in (*portfolios.all(), *packages.all())}


async def check_reminders(report: "CheckReport", database: Database, evidence: Evidence) -> None:
    """What is noted as told was told once, in the cabinet and in the journal, and nothing else."""
    async with database.reading() as session:
        reminders = (await session.exec(select(CredentialReminder))).all()
        owners = dict((await session.exec(select(Credential.id, Credential.owner_id))).all())
        found = await session.exec(
            select(Notice.person_id, Notice.event_key).where(
                col(Notice.kind).in_([NoticeKind.CREDENTIAL_ENDS, NoticeKind.CREDENTIAL_EXPIRED]),
                Notice.channel == Channel.CABINET.value,
            )
        )
        told = Counter(found.all())
        journaled = await _journaled(
            session, JournalKind.CREDENTIAL_REMINDED, JournalKind.CREDENTIAL_EXPIRED
        )
    wanted: Counter[tuple[UUID | None, str]] = Counter()
    noted: Counter[tuple[UUID, str]] = Counter()
    for one in reminders:
        if one.days == END:
            noted[one.credential_id, JournalKind.CREDENTIAL_EXPIRED] += 1
            word = "expired"
        elif one.state == ReminderState.SENT:
            noted[one.credential_id, JournalKind.CREDENTIAL_REMINDED] += 1
            word = str(one.days)
        else:
            continue
        wanted[owners[one.credential_id], f"{one.credential_id}:{one.last_day}:{word}"] += 1
    for key in told.keys() | wanted.keys():
        report.compare(REMINDERS, told[key] == wanted[key], f"{key[1]} was told {told[key]} times")
    for what in journaled.keys() | noted.keys():
        same = journaled[what] == noted[what]
        report.compare(REMINDERS, same, f"{what} is journaled {journaled[what]} times")
    for credential_id in evidence.ended:
        kinds = (JournalKind.CREDENTIAL_REMINDED, JournalKind.CREDENTIAL_EXPIRED)
        whole = all(journaled[credential_id, kind] == 1 for kind in kinds)
        report.compare(REMINDERS, whole, f"{credential_id} was not reminded of and ended once each")


async def check_accreditations(
    report: "CheckReport", database: Database, centre: str, evidence: Evidence
) -> None:
    """Each version is with the centre under one id, noted once; each grant is one credential."""
    async with httpx.AsyncClient(trust_env=False, timeout=10) as http:
        kept: list[dict[str, Any]] = (await http.get(f"{centre}/packages")).json()
    async with database.reading() as session:
        packages = (await session.exec(select(AccreditationPackage))).all()
        cases = {
            one.id: one
            for one in (
                await session.exec(
                    select(Case).where(Case.kind == CaseKind.ACCREDITATION.value, Case.version > 0)
                )
            ).all()
        }
        journaled = await _journaled(
            session, JournalKind.CENTRE_FORWARDED, JournalKind.CENTRE_ACCREDITED
        )
        found = await session.exec(
            select(Credential.owner_id)
            .join(CredentialVersion, col(CredentialVersion.credential_id) == col(Credential.id))
            .where(CredentialVersion.source == CENTRE, CredentialVersion.number == 1)
        )
        granted = Counter(found.all())
    ours = {str(one.package_id): one for one in packages}
    numbers = {case.number for case in cases.values()}
    kept = [one for one in kept if one["id"] in ours or one["number"] in numbers]
    at_centre = Counter((one["number"], one["version"]) for one in kept)
    for one in kept:
        package = ours.get(one["id"])
        same = package is not None and package.digest == one["digest"]
        report.compare(ACCREDITATIONS, same, f"the centre has {one['number']} otherwise than we")
    for which, count in at_centre.items():
        report.compare(ACCREDITATIONS, count == 1, f"{which} is with the centre {count} times")
    sent = Counter(one.case_id for one in packages if one.forwarded_at is not None)
    accredited: Counter[UUID] = Counter()
    for case in cases.values():
        noted = journaled[case.id, JournalKind.CENTRE_FORWARDED]
        report.compare(
            ACCREDITATIONS, noted == sent[case.id], f"{case.number} was forwarded {noted} times"
        )
        if case.status == Status.ACCREDITED:
            accredited[case.applicant_id] += 1
            once = journaled[case.id, JournalKind.CENTRE_ACCREDITED] == 1 == sent[case.id]
            report.compare(ACCREDITATIONS, once, f"{case.number} was not sent and granted once")
    for owner in accredited.keys() | granted.keys():
        same = accredited[owner] == granted[owner]
        report.compare(ACCREDITATIONS, same, f"{owner} was granted {granted[owner]} credentials")
    for case_id in evidence.granted:
        stands = case_id in cases and cases[case_id].status == Status.ACCREDITED
        report.compare(ACCREDITATIONS, stands, f"{case_id} was granted and is not kept so")


async def check_handovers(report: "CheckReport", database: Database, evidence: Evidence) -> None:
    """Each was asked and decided once, and what the authority got is what was packed."""
    kinds = (
        JournalKind.HANDOVER_ASKED,
        JournalKind.HANDOVER_RELEASED,
        JournalKind.HANDOVER_REFUSED,
        JournalKind.HANDOVER_READY,
    )
    async with database.reading() as session:
        rows = {one.id: one for one in (await session.exec(select(Handover))).all()}
        entries = await session.exec(
            select(JournalEntry.kind, JournalEntry.facts).where(col(JournalEntry.kind).in_(kinds))
        )
        steps: dict[UUID, Counter[str]] = defaultdict(Counter)
        for kind, facts in entries.all():
            steps[UUID(facts["handover"])][kind] += 1
    for id_, row in rows.items():
        asked, released, refused, ready = (steps[id_][kind] for kind in kinds)
        decided = (asked, released + refused) == (1, int(row.state != HandoverState.ASKED))
        report.compare(HANDOVERS, decided, f"{id_} was decided {released + refused} times")
        packed = int(row.state == HandoverState.READY)
        report.compare(HANDOVERS, ready == packed, f"{id_} was packed {ready} times")
    for id_, digest in evidence.packages.items():
        kept = rows.get(id_)
        same = kept is not None and kept.package_sha256 == digest
        report.compare(HANDOVERS, same, f"{id_} was fetched as {digest}, and is kept otherwise")


async def _journaled(session: AsyncSession, *kinds: JournalKind) -> Counter[tuple[UUID, str]]:
    """How often each chain has each of these kinds."""
    found = await session.exec(
        select(JournalEntry.chain, JournalEntry.kind).where(col(JournalEntry.kind).in_(kinds))
    )
    return Counter(found.all())
