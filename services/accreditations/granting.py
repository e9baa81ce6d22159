"""What the centre granted, as a credential of the person's file: it replaces the one renewed."""

from datetime import datetime

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.accreditation_centre import PackageStanding
from models.tables.cases import Case, CaseVersion
from models.tables.credentials import Credential
from rules.credentials.versions import How
from rules.forms.fields import display
from rules.ids import new_id
from rules.journal.entries import JournalKind
from rules.refusals import Refusal
from services.accreditations.training import ADMISSIONS
from services.cases.drafts import rules_of
from services.credentials import categories, rows
from services.credentials.rows import NewVersion

SOURCE = "accreditation_centre"
"""The source of what the centre granted; stored for ever."""
ISSUER = "Центральная аккредитационная комиссия"


async def grant(
    session: AsyncSession, case: Case, standing: PackageStanding, now: datetime
) -> None:
    """Add the accreditation to the file of the applicant of a locked case.

    It replaces the credential that the case renews. Where a register has brought the same number
    already, that one stands.
    """
    if standing.decided_on is None or standing.valid_until is None:
        return
    version = await session.get_one(CaseVersion, (case.id, case.version))
    definition, _ = await rules_of(session, case)
    category = await categories.newest(session, ADMISSIONS[0])
    data = {
        "kind": "periodic",
        "specialty": display(definition.fields["specialty"], version.data.get("specialty")) or "",
        "number": standing.number,
        "issuer": ISSUER,
        "issued_on": standing.decided_on.isoformat(),
        "valid_until": standing.valid_until.isoformat(),
    }
    new = NewVersion(category, data, (), How.ADDED, None, source=SOURCE)
    try:
        async with session.begin_nested():
            granted = (await rows.begin(session, case.applicant_id, new_id(), new, now)).id
    except Refusal as refusal:
        if refusal.code != "known_already":
            raise
        known = await rows.with_number(session, case.applicant_id, category.key, data)
        if known is None:
            raise
        granted = known
    before = await _renewed(session, case, version)
    if before is None or before.id == granted or before.replaced_by is not None:
        return
    before.replaced_by, before.renewal_case_id = granted, None
    rows.ask_to_look(before, now)
    session.add(before)
    await session.flush()
    facts = {"by": str(granted)}
    await rows.note(session, before, JournalKind.CREDENTIAL_REPLACED, now, None, facts)


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
