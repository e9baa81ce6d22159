"""What the centre granted, as a credential of the person's file: it replaces the one renewed."""

from dataclasses import replace
from datetime import datetime

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.accreditation_centre import PackageStanding
from models.tables.cases import Case, CaseVersion
from models.tables.credentials import Credential, CredentialVersion
from rules.credentials.versions import How, known_already
from rules.forms.fields import display
from rules.ids import new_id
from rules.refusals import Refusal
from rules.registers.sources import CENTRE
from services import turns
from services.accreditations import extracts
from services.accreditations.extracts import Extract
from services.accreditations.training import ADMISSIONS
from services.cases.drafts import rules_of
from services.credentials import categories, rows, succession
from services.credentials.acts import stands
from services.credentials.rows import NewVersion

ISSUER = "Центральная аккредитационная комиссия"


async def grant(
    session: AsyncSession,
    case: Case,
    standing: PackageStanding,
    extract: Extract | None,
    now: datetime,
) -> None:
    """Add the accreditation with its extract to the file of the applicant of a locked case.

    It replaces the credential that the case renews. Where a register has brought the same number
    already, that one stands, and gets the extract.
    """
    if standing.decided_on is None or standing.valid_until is None:
        return
    await turns.of_person(session, case.applicant_id)
    submitted = await session.get_one(CaseVersion, (case.id, case.version))
    definition, _ = await rules_of(session, case)
    category = await categories.newest(session, ADMISSIONS[0])
    specialty = display(definition.fields["specialty"], submitted.data.get("specialty")) or ""
    data = {
        "kind": "periodic",
        "specialty": specialty,
        "number": standing.number,
        "issuer": ISSUER,
        "issued_on": standing.decided_on.isoformat(),
        "valid_until": standing.valid_until.isoformat(),
    }
    files = [await extracts.keep(session, case.applicant_id, extract, now)] if extract else []
    new = NewVersion(category, data, files, How.ADDED, None, source=CENTRE)
    try:
        async with session.begin_nested():
            row, version = await rows.begin(session, case.applicant_id, new_id(), new, now)
    except Refusal as refusal:
        if refusal.code != "known_already":
            raise
        row, version = await _known(session, case, new, now)
    await succession.succeed(session, row, category, version, now)
    before = await _renewed(session, case, submitted)
    if before is not None and before.id != row.id and stands(before):
        await succession.replace(session, before, row.id, now, None)


async def _known(
    session: AsyncSession, case: Case, new: NewVersion, now: datetime
) -> tuple[Credential, CredentialVersion]:
    """The credential that has the number already, with the extract as its newest version."""
    known = await rows.with_number(session, case.applicant_id, new.category.key, new.data)
    row = await rows.locked(session, known) if known is not None else None
    if row is None:
        raise known_already()
    before = await rows.current(session, row)
    if not new.files or not stands(row):
        return row, before
    kept = await rows.files_of(session, before.id)
    with_extract = replace(new, files=[*kept, *new.files], how=How.UPDATED)
    return row, await rows.write(session, row, with_extract, now)


async def _renewed(session: AsyncSession, case: Case, version: CaseVersion) -> Credential | None:
    """The credential that the case renews, locked: by the number in the form, or by the case.

    One draft may have been begun from several credentials: then the case alone does not say which.
    """
    number = {"number": version.data.get("previous_number")}
    for category in ADMISSIONS:
        known = await rows.with_number(session, case.applicant_id, category, number)
        if known is not None:
            return await rows.locked(session, known)
    found = await session.exec(
        select(Credential)
        .where(
            Credential.owner_id == case.applicant_id,
            Credential.renewal_case_id == case.id,
            col(Credential.withdrawn_at).is_(None),
        )
        .order_by(col(Credential.id))
        .with_for_update()
    )
    renewed = found.all()
    return renewed[0] if len(renewed) == 1 else None
