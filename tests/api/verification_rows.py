"""The access table of the verification of accounts, API and pages. See `access.Row`."""

from typing import Any
from uuid import uuid4

from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.cases import Case, CaseVersion
from rules.access import Actor, Permission
from rules.cases.process import CaseKind, Party, Status
from rules.clock import now
from rules.ids import new_id
from rules.journal.entries import JournalKind
from rules.verification import TYPE
from services.catalogue import lookup as catalogue
from services.journal import entries as journal
from tests.api.access import EVERYBODY, OPERATOR, Row, act, body, form, mine, nothing
from tests.api.access_rows import ACT, CITED

STALE = 999
ONE = {"case_id": "verification_id"}
DRAFT = {"case_id": "verification_draft_id"}
SECTION = {**DRAFT, "name": "verification_section"}
SEES = (EVERYBODY, OPERATOR, OPERATOR)
"""Everybody has an account to confirm; documents are for operators alone."""
_ACT = {"act_id": ACT, "at_step": STALE}
_API = "/api/v1/verifications"

VERIFICATION_ROWS: dict[str, Row] = {
    f"GET {_API}": Row("signed_in", EVERYBODY),
    f"GET {_API}/state": Row("session", EVERYBODY),
    f"POST {_API}": Row("signed_in", EVERYBODY),
    f"GET {_API}/{{case_id}}": Row("signed_in", *SEES, using=ONE),
    f"PUT {_API}/{{case_id}}/draft": mine(
        "signed_in", body(data={"inn": "366220664163"}), EVERYBODY, **DRAFT
    ),
    f"POST {_API}/{{case_id}}/draft/attachments": mine("signed_in", CITED, EVERYBODY, **DRAFT),
    f"DELETE {_API}/{{case_id}}/draft/attachments/{{kind}}/{{document_version_id}}": mine(
        "signed_in", nothing, EVERYBODY, **DRAFT, document_version_id="version_id"
    ),
    f"DELETE {_API}/{{case_id}}/draft": mine("signed_in", nothing, EVERYBODY, **ONE),
    f"POST {_API}/{{case_id}}/submit": mine("signed_in", act(step=STALE), EVERYBODY, **ONE),
    f"POST {_API}/{{case_id}}/correct": mine("signed_in", act(step=STALE), EVERYBODY, **ONE),
    f"POST {_API}/{{case_id}}/resubmit": mine("signed_in", act(step=STALE), EVERYBODY, **ONE),
    f"POST {_API}/{{case_id}}/withdraw": mine("signed_in", act(step=STALE), EVERYBODY, **ONE),
    f"POST {_API}/{{case_id}}/copy": mine("signed_in", nothing, EVERYBODY, **ONE),
}

VERIFICATION_PAGES: dict[str, Row] = {
    "GET /verifications": Row("session", EVERYBODY),
    "POST /verifications": Row("session", EVERYBODY),
    "GET /verifications/{case_id}": Row("session", *SEES, using=ONE),
    "GET /verifications/{case_id}/live": mine("session", nothing, EVERYBODY, **ONE),
    "POST /verifications/{case_id}/ask": Row("session", EVERYBODY),
    "GET /verifications/{case_id}/withdraw": mine("session", nothing, EVERYBODY, **ONE),
    "POST /verifications/{case_id}/withdraw": mine("session", form(**_ACT), EVERYBODY, **ONE),
    "POST /verifications/{case_id}/copy": mine("session", nothing, EVERYBODY, **ONE),
    "GET /verifications/{case_id}/receipt": Row("signed_in", *SEES, using=ONE),
    "GET /verifications/{case_id}/draft": mine("session", nothing, EVERYBODY, **DRAFT),
    "POST /verifications/{case_id}/draft/discard": mine("session", nothing, EVERYBODY, **ONE),
    "GET /verifications/{case_id}/draft/attachments": mine("session", nothing, EVERYBODY, **DRAFT),
    "GET /verifications/{case_id}/draft/check": mine("session", nothing, EVERYBODY, **DRAFT),
    "POST /verifications/{case_id}/draft/submit": mine(
        "session", form(**_ACT, mode="draft"), EVERYBODY, **DRAFT
    ),
    "GET /verifications/{case_id}/draft/{name}": mine("session", nothing, EVERYBODY, **SECTION),
    "POST /verifications/{case_id}/draft/{name}": mine("session", form(), EVERYBODY, **SECTION),
    "POST /verifications/{case_id}/draft/{name}/autosave": mine(
        "session", form(), EVERYBODY, **SECTION
    ),
}


async def give_verifications(session: AsyncSession, actor: Actor) -> dict[str, str]:
    """A verification that an operator looks at, and a draft."""
    version = (await catalogue.case_type(session, TYPE)).version
    sent, draft = (_case(actor, one, version) for one in (Status.IN_REVIEW, Status.DRAFT))
    session.add_all([sent, draft])
    await session.flush()
    session.add(
        CaseVersion(
            case_id=sent.id,
            number=1,
            data={"full_name": "Кто-то"},
            salt=b"salt",
            digest=uuid4().hex,
            submitted_at=now(),
            submitted_by=actor.person_id,
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
        "verification_id": str(sent.id),
        "verification_draft_id": str(draft.id),
        "verification_section": "work",
    }


def _case(actor: Actor, status: Status, version: int) -> Case:
    is_draft = status is Status.DRAFT
    number = f"ПУ-2026-{uuid4().int % 10**6:06}-{uuid4().int % 10**4}"
    facts: dict[str, Any] = {"draft": {}} if is_draft else {"number": number}
    return Case(
        id=new_id(),
        kind=CaseKind.VERIFICATION.value,
        type=TYPE,
        type_version=version,
        applicant_id=actor.person_id,
        unit_id=actor.unit_id,
        responsible_unit_id=actor.unit_id,
        review_permission=Permission.MEET_PEOPLE.value,
        status=status.value,
        step=0 if is_draft else 2,
        version=0 if is_draft else 1,
        created_at=now(),
        since=now(),
        waits_for=(Party.APPLICANT if is_draft else Party.REVIEWER).value,
        term_zone="Europe/Moscow",
        **facts,
    )
