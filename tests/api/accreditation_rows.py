"""The access table of periodic accreditations, API and pages. See `access.Row`."""

from typing import Any
from uuid import UUID, uuid4

from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.cases import Case, CaseVersion
from models.tables.credentials import AccreditationPackage
from rules.access import Actor
from rules.cases.accreditations import TYPE
from rules.cases.process import CaseKind, Party, Status
from rules.clock import now
from rules.ids import new_id
from rules.journal.entries import JournalKind
from services.catalogue import lookup as catalogue
from services.journal import entries as journal
from tests.api.access import CLINICIANS, EVERYBODY, Row, act, body, form, mine, nothing
from tests.api.access_rows import ACT, CITED, SEES

STALE = 999
ONE = {"case_id": "accreditation_id"}
DRAFT = {"case_id": "accreditation_draft_id"}
SECTION = {**DRAFT, "name": "accreditation_section"}
_ACT = {"act_id": ACT, "at_step": STALE}
_API = "/api/v1/accreditations"
_OWN = mine("session", nothing, CLINICIANS, **DRAFT)

ACCREDITATION_ROWS: dict[str, Row] = {
    f"GET {_API}": Row("signed_in", EVERYBODY),
    f"GET {_API}/needs": Row("signed_in", CLINICIANS),
    f"POST {_API}": Row("signed_in", CLINICIANS),
    f"GET {_API}/{{case_id}}": Row("signed_in", *SEES, using=ONE),
    f"GET {_API}/{{case_id}}/portfolio": Row("signed_in", *SEES, using=ONE),
    f"PUT {_API}/{{case_id}}/draft": mine(
        "signed_in", body(data={"experience": 3}), CLINICIANS, **DRAFT
    ),
    f"POST {_API}/{{case_id}}/draft/refresh": mine("signed_in", nothing, CLINICIANS, **DRAFT),
    f"POST {_API}/{{case_id}}/draft/attachments": mine("signed_in", CITED, CLINICIANS, **DRAFT),
    f"DELETE {_API}/{{case_id}}/draft/attachments/{{kind}}/{{document_version_id}}": mine(
        "signed_in", nothing, CLINICIANS, **DRAFT, document_version_id="version_id"
    ),
    f"DELETE {_API}/{{case_id}}/draft": mine("signed_in", nothing, CLINICIANS, **ONE),
    f"POST {_API}/{{case_id}}/submit": mine("signed_in", act(step=STALE), CLINICIANS, **ONE),
    f"POST {_API}/{{case_id}}/correct": mine("signed_in", act(step=STALE), CLINICIANS, **ONE),
    f"POST {_API}/{{case_id}}/resubmit": mine("signed_in", act(step=STALE), CLINICIANS, **ONE),
    f"POST {_API}/{{case_id}}/withdraw": mine("signed_in", act(step=STALE), CLINICIANS, **ONE),
    f"POST {_API}/{{case_id}}/copy": mine("signed_in", nothing, CLINICIANS, **ONE),
}

ACCREDITATION_PAGES: dict[str, Row] = {
    "GET /accreditations": Row("session", EVERYBODY),
    "POST /accreditations": Row("session", CLINICIANS),
    "GET /accreditations/{case_id}": Row("session", *SEES, using=ONE),
    "GET /accreditations/{case_id}/portfolio": Row("signed_in", *SEES, using=ONE),
    "GET /accreditations/{case_id}/live": Row("session", *SEES, using=ONE),
    "POST /accreditations/{case_id}/refresh": mine("session", nothing, CLINICIANS, **DRAFT),
    "POST /accreditations/{case_id}/ask": Row("session", EVERYBODY),
    "GET /accreditations/{case_id}/withdraw": Row("session", *SEES, using=ONE),
    "POST /accreditations/{case_id}/withdraw": mine("session", form(**_ACT), CLINICIANS, **ONE),
    "POST /accreditations/{case_id}/copy": mine("session", nothing, CLINICIANS, **ONE),
    "GET /accreditations/{case_id}/receipt": Row("signed_in", *SEES, using=ONE),
    "GET /accreditations/{case_id}/draft": _OWN,
    "POST /accreditations/{case_id}/draft/discard": mine("session", nothing, CLINICIANS, **ONE),
    "GET /accreditations/{case_id}/draft/attachments": _OWN,
    "GET /accreditations/{case_id}/draft/check": _OWN,
    "POST /accreditations/{case_id}/draft/submit": mine(
        "session", form(**_ACT, mode="draft"), CLINICIANS, **DRAFT
    ),
    "GET /accreditations/{case_id}/draft/{name}": mine("session", nothing, CLINICIANS, **SECTION),
    "POST /accreditations/{case_id}/draft/{name}": mine("session", form(), CLINICIANS, **SECTION),
    "POST /accreditations/{case_id}/draft/{name}/autosave": mine(
        "session", form(), CLINICIANS, **SECTION
    ),
}


async def give_accreditations(session: AsyncSession, actor: Actor, hr: UUID) -> dict[str, str]:
    """An accreditation that the department looks at again, and a draft."""
    version = (await catalogue.case_type(session, TYPE)).version
    sent, draft = (_case(actor, one, version, hr) for one in (Status.IN_REVIEW, Status.DRAFT))
    session.add_all([sent, draft])
    await session.flush()
    session.add(
        CaseVersion(
            case_id=sent.id,
            number=1,
            data={"specialty": "cardiology"},
            salt=b"salt",
            digest=uuid4().hex,
            submitted_at=now(),
            submitted_by=actor.person_id,
        )
    )
    session.add(
        AccreditationPackage(
            case_id=sent.id,
            version=1,
            package_id=uuid4(),
            formed_at=now(),
            application={},
            portfolio_key=f"accreditations/{uuid4().hex}",
            portfolio_sha256="0" * 64,
            portfolio_size=1,
            portfolio_pages=1,
            digest="0" * 64,
        )
    )
    await journal.append(
        session,
        chain=sent.id,
        kind=JournalKind.CASE_SUBMITTED,
        by=actor.person_id,
        facts={"version": 1},
        lock=True,
    )
    return {
        "accreditation_id": str(sent.id),
        "accreditation_draft_id": str(draft.id),
        "accreditation_section": "work",
    }


def _case(actor: Actor, status: Status, version: int, hr: UUID) -> Case:
    is_draft = status is Status.DRAFT
    number = f"АК-2026-{uuid4().int % 10**6:06}-{uuid4().int % 10**4}"
    facts: dict[str, Any] = {"draft": {}} if is_draft else {"number": number}
    return Case(
        id=new_id(),
        kind=CaseKind.ACCREDITATION.value,
        type=TYPE,
        type_version=version,
        applicant_id=actor.person_id,
        unit_id=actor.unit_id,
        responsible_unit_id=hr,
        status=status.value,
        step=0 if is_draft else 2,
        version=0 if is_draft else 1,
        created_at=now(),
        since=now(),
        waits_for=(Party.APPLICANT if is_draft else Party.REVIEWER).value,
        term_zone="Europe/Moscow",
        **facts,
    )
