"""The access table of service requests. See `access.Row`."""

from tests.api.access import (
    CLINICIANS,
    EVERYBODY,
    NOBODY,
    REVIEWERS,
    Row,
    act,
    body,
    mine,
    nothing,
)

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
