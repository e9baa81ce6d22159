"""The access table of proofs of qualification, API and pages. See `access.Row`."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.credentials import CredentialDraft
from models.tables.documents import DocumentVersion
from rules.access import Actor, Role
from rules.clock import now
from rules.credentials.versions import How
from rules.ids import new_id
from services.credentials import categories, rows
from services.credentials.rows import NewVersion
from tests.api.access import (
    CLINICIANS,
    EVERYBODY,
    NOBODY,
    UNIT_HEAD,
    Row,
    act,
    body,
    form,
    mine,
    nothing,
    public,
    upload,
)

PERSONNEL = frozenset({Role.HR_REVIEWER, Role.HR_HEAD})
"""Their right is held in their own unit: others' credentials are not among these."""
LOOKS = (CLINICIANS, UNIT_HEAD, NOBODY)
VOUCHES = (PERSONNEL, NOBODY, NOBODY)
"""Of one's own original nobody vouches; whoever may of others is told so."""
SEES_STAFF = PERSONNEL | UNIT_HEAD
STALE = 999
DRAFT = {"draft_id": "credential_draft_id"}
_DATA: dict[str, Any] = {"data": {}, "files": []}

CREDENTIAL_ROWS: dict[str, Row] = {
    "GET /api/v1/credentials/categories": Row("signed_in", EVERYBODY),
    "GET /api/v1/credentials": Row("signed_in", CLINICIANS),
    "GET /api/v1/credentials/people/{person_id}": Row("signed_in", *LOOKS),
    "GET /api/v1/credentials/staff": Row("signed_in", SEES_STAFF),
    "GET /api/v1/credentials/{credential_id}": Row("signed_in", *LOOKS),
    "POST /api/v1/credentials": Row("signed_in", CLINICIANS, send=act(category="other", **_DATA)),
    "POST /api/v1/credentials/{credential_id}/versions": mine(
        "signed_in", act(version=STALE, **_DATA), CLINICIANS
    ),
    "POST /api/v1/credentials/{credential_id}/dates": mine(
        "signed_in", act(version=STALE, reason="Опечатка"), CLINICIANS
    ),
    "POST /api/v1/credentials/{credential_id}/withdraw": mine(
        "signed_in", body(reason="x"), CLINICIANS
    ),
    "POST /api/v1/credentials/{credential_id}/replace": mine(
        "signed_in", body(by="{credential_id}"), CLINICIANS
    ),
    "POST /api/v1/credentials/{credential_id}/confirm": Row(
        "signed_in", *VOUCHES, body(version=STALE)
    ),
    "PUT /api/v1/credentials/{credential_id}/reminders": mine(
        "signed_in", body(days=[30]), CLINICIANS
    ),
    "POST /api/v1/credentials/{credential_id}/renew": mine("signed_in", body(), CLINICIANS),
    "GET /api/v1/credential-drafts": Row("signed_in", CLINICIANS),
    "POST /api/v1/credential-drafts": Row("signed_in", CLINICIANS, send=act(category="other")),
    "GET /api/v1/credential-drafts/{draft_id}": mine("signed_in", nothing, CLINICIANS, **DRAFT),
    "PATCH /api/v1/credential-drafts/{draft_id}": mine(
        "signed_in", body(data={}), CLINICIANS, **DRAFT
    ),
    "PUT /api/v1/credential-drafts/{draft_id}/files/{file_id}": mine(
        "signed_in", nothing, CLINICIANS, file_id="version_id", **DRAFT
    ),
    "DELETE /api/v1/credential-drafts/{draft_id}/files/{file_id}": mine(
        "signed_in", nothing, CLINICIANS, file_id="version_id", **DRAFT
    ),
    "POST /api/v1/credential-drafts/{draft_id}/finish": mine(
        "signed_in", nothing, CLINICIANS, **DRAFT
    ),
    "DELETE /api/v1/credential-drafts/{draft_id}": Row(
        "signed_in", CLINICIANS, CLINICIANS, CLINICIANS, using={"draft_id": "no_draft_id"}
    ),
    "GET /fhir/r4/metadata": public(),
    "GET /fhir/r4/Practitioner/{person_id}": Row("view_credentials", SEES_STAFF, UNIT_HEAD, NOBODY),
    "POST /fhir/r4/Practitioner/_search": Row(
        "view_credentials", SEES_STAFF, send=form(identifier="00000000000")
    ),
}

CREDENTIAL_PAGES: dict[str, Row] = {
    "GET /credentials": Row("session", CLINICIANS),
    "GET /credentials/new": Row("session", CLINICIANS),
    "POST /credentials/new": Row("session", CLINICIANS, send=form(draft_id="{new_draft_id}")),
    "GET /credentials/people/{person_id}": Row("session", *LOOKS),
    "POST /documents/files/credentials": Row("session", CLINICIANS, send=upload()),
    "GET /credentials/staff": Row("session", SEES_STAFF),
    "POST /credentials/staff/file": Row("session", SEES_STAFF, send=form()),
    "GET /credentials/staff/numbers": Row("session", SEES_STAFF),
    "GET /credentials/{credential_id}/renew": mine("session", nothing, CLINICIANS),
    "POST /credentials/{credential_id}/renew": mine("session", form(), CLINICIANS),
    "GET /credentials/drafts/{draft_id}": mine("session", nothing, CLINICIANS, **DRAFT),
    "POST /credentials/drafts/{draft_id}/category": mine(
        "session", form(category="other"), CLINICIANS, **DRAFT
    ),
    "POST /credentials/drafts/{draft_id}/autosave": mine("session", form(), CLINICIANS, **DRAFT),
    "POST /credentials/drafts/{draft_id}": mine("session", form(), CLINICIANS, **DRAFT),
    "POST /credentials/drafts/{draft_id}/files": mine(
        "session", form(document_version_id="{version_id}"), CLINICIANS, **DRAFT
    ),
    "POST /credentials/drafts/{draft_id}/files/{version_id}/remove": mine(
        "session", form(), CLINICIANS, **DRAFT
    ),
    "POST /documents/files/credentials/{draft_id}": mine("session", upload(), CLINICIANS, **DRAFT),
    "POST /credentials/drafts/{draft_id}/discard": Row(
        "session", CLINICIANS, send=form(), using={"draft_id": "no_draft_id"}
    ),
    "GET /credentials/{credential_id}": Row("session", *LOOKS),
    "POST /credentials/{credential_id}/update": mine("session", form(), CLINICIANS),
    "GET /credentials/{credential_id}/correct": mine("session", nothing, CLINICIANS),
    "POST /credentials/{credential_id}/correct": mine(
        "session", form(act_id=str(uuid4()), version=STALE, reason="Опечатка"), CLINICIANS
    ),
    "GET /credentials/{credential_id}/withdraw": mine("session", nothing, CLINICIANS),
    "POST /credentials/{credential_id}/withdraw": mine("session", form(reason="x"), CLINICIANS),
    "GET /credentials/{credential_id}/replace": mine("session", nothing, CLINICIANS),
    "POST /credentials/{credential_id}/replace": mine("session", form(), CLINICIANS),
    "GET /credentials/{credential_id}/reminders": mine("session", nothing, CLINICIANS),
    "POST /credentials/{credential_id}/reminders": mine("session", form(), CLINICIANS),
    "POST /credentials/{credential_id}/confirm": Row("session", *VOUCHES, form(version=STALE)),
}


async def give_credentials(
    session: AsyncSession, actor: Actor, file: DocumentVersion
) -> dict[str, str]:
    """A credential of a person, and a draft of another."""
    definition = await categories.newest(session, "other")
    day = (now() - timedelta(days=30)).date()
    data = {"name": "Благодарность", "issuer": "Больница", "issued_on": day.isoformat()}
    new = NewVersion(definition, data, [file.id], How.ADDED, actor.person_id)
    made, _ = await rows.begin(session, actor.person_id, new_id(), new, now())
    draft = CredentialDraft(owner_id=actor.person_id, data={}, created_at=now())
    session.add(draft)
    await session.flush()
    return {
        "credential_id": str(made.id),
        "credential_draft_id": str(draft.id),
        "new_draft_id": str(new_id()),
        "no_draft_id": str(new_id()),
    }
