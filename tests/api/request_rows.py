"""The access table of service requests. See `access.Row`."""

from tests.api.access import (
    CLINICIANS,
    EVERYBODY,
    NOBODY,
    REVIEWERS,
    Row,
    act,
    body,
    form,
    mine,
    nothing,
)
from tests.api.access_rows import ACT, CITED

STALE = 999
REQUEST = {"case_id": "request_id"}
SEES = (CLINICIANS, REVIEWERS, REVIEWERS)
"""Requests tell of health: heads of units do not see those of their people."""
ANSWERS = (NOBODY, REVIEWERS, REVIEWERS)

REQUEST_ROWS: dict[str, Row] = {
    "GET /api/v1/request-types": Row("signed_in", CLINICIANS),
    "GET /api/v1/requests": Row("signed_in", EVERYBODY),
    "POST /api/v1/requests": Row("signed_in", CLINICIANS, send=body(type="equipment")),
    "GET /api/v1/requests/{case_id}": Row("signed_in", *SEES, using=REQUEST),
    "GET /api/v1/requests/{case_id}/state": Row("signed_in", *SEES, using=REQUEST),
    "GET /api/v1/requests/{case_id}/document": Row("signed_in", *SEES, using=REQUEST),
    "GET /api/v1/requests/{case_id}/answer/{position}": Row("signed_in", *SEES, using=REQUEST),
    "PUT /api/v1/requests/{case_id}/draft": mine(
        "signed_in", body(data={"purpose": "Нужно"}), CLINICIANS, case_id="request_draft_id"
    ),
    "POST /api/v1/requests/{case_id}/draft/attachments": mine(
        "signed_in", CITED, CLINICIANS, case_id="request_draft_id"
    ),
    "DELETE /api/v1/requests/{case_id}/draft/attachments/{kind}/{document_version_id}": mine(
        "signed_in",
        nothing,
        CLINICIANS,
        case_id="request_draft_id",
        document_version_id="version_id",
    ),
    "DELETE /api/v1/requests/{case_id}/draft": mine("signed_in", nothing, CLINICIANS, **REQUEST),
    "POST /api/v1/requests/{case_id}/submit": mine(
        "signed_in", act(step=STALE), CLINICIANS, **REQUEST
    ),
    "POST /api/v1/requests/{case_id}/correct": mine(
        "signed_in", act(step=STALE), CLINICIANS, **REQUEST
    ),
    "POST /api/v1/requests/{case_id}/withdraw": mine(
        "signed_in", act(step=STALE), CLINICIANS, **REQUEST
    ),
    "POST /api/v1/requests/{case_id}/copy": mine("signed_in", nothing, CLINICIANS, **REQUEST),
    "POST /api/v1/requests/{case_id}/answer": Row(
        "signed_in", *ANSWERS, act(step=STALE, message="Выдано"), using=REQUEST
    ),
    "POST /api/v1/requests/{case_id}/refuse": Row(
        "signed_in", *ANSWERS, act(step=STALE, reason="Нет в наличии"), using=REQUEST
    ),
}
"""Routes of the API."""

_DRAFT = {"case_id": "request_draft_id"}
_SECTION = {**_DRAFT, "name": "request_section"}
_ACT = {"act_id": ACT, "at_step": STALE}

REQUEST_PAGES: dict[str, Row] = {
    "GET /requests": Row("session", EVERYBODY),
    "GET /requests/new": Row("session", CLINICIANS),
    "POST /requests": Row("session", CLINICIANS, send=form(type="equipment")),
    "GET /requests/{case_id}": Row("session", *SEES, using=REQUEST),
    "GET /requests/{case_id}/live": mine("session", nothing, CLINICIANS, **REQUEST),
    "POST /requests/{case_id}/ask": Row("session", EVERYBODY),
    "GET /requests/{case_id}/sent": mine("session", nothing, CLINICIANS, **REQUEST),
    "GET /requests/{case_id}/withdraw": mine("session", nothing, CLINICIANS, **REQUEST),
    "POST /requests/{case_id}/withdraw": mine("session", form(**_ACT), CLINICIANS, **REQUEST),
    "POST /requests/{case_id}/copy": mine("session", nothing, CLINICIANS, **REQUEST),
    "GET /requests/{case_id}/receipt": Row("signed_in", *SEES, using=REQUEST),
    "GET /requests/{case_id}/papers/{number}": Row("session", *SEES, using=REQUEST),
    "GET /requests/{case_id}/papers/{number}/file": Row("session", *SEES, using=REQUEST),
    "GET /requests/{case_id}/papers/{number}/pages/{page}.png": Row(
        "session", *SEES, using=REQUEST
    ),
    "GET /requests/{case_id}/answers/{number}/{position}": Row("session", *SEES, using=REQUEST),
    "GET /requests/{case_id}/answers/{number}/{position}/file": Row(
        "session", *SEES, using=REQUEST
    ),
    "GET /requests/{case_id}/answers/{number}/{position}/pages/{page}.png": Row(
        "session", *SEES, using=REQUEST
    ),
    "POST /requests/{case_id}/answer": Row(
        "session", *ANSWERS, form(**_ACT, outcome="answer", message="Выдано"), using=REQUEST
    ),
    "GET /requests/{case_id}/draft": mine("session", nothing, CLINICIANS, **_DRAFT),
    "POST /requests/{case_id}/draft/discard": mine("session", nothing, CLINICIANS, **REQUEST),
    "GET /requests/{case_id}/draft/attachments": mine("session", nothing, CLINICIANS, **_DRAFT),
    "GET /requests/{case_id}/draft/check": mine("session", nothing, CLINICIANS, **_DRAFT),
    "POST /requests/{case_id}/draft/submit": mine(
        "session", form(**_ACT, mode="draft"), CLINICIANS, **_DRAFT
    ),
    "GET /requests/{case_id}/draft/{name}": mine("session", nothing, CLINICIANS, **_SECTION),
    "POST /requests/{case_id}/draft/{name}": mine("session", form(), CLINICIANS, **_SECTION),
    "POST /requests/{case_id}/draft/{name}/autosave": mine(
        "session", form(), CLINICIANS, **_SECTION
    ),
}
"""Pages."""
