"""The access table of the pages: every route, and who gets through to it. See `access.Row`."""

from tests.api.access import (
    CLINICIANS,
    EVERYBODY,
    HR_HEAD,
    REVIEWERS,
    UNIT_HEAD,
    Row,
    form,
    mine,
    nothing,
    public,
)
from tests.api.access_rows import ACT, REVIEWS, SEES, STALE

_ACT = {"act_id": ACT, "at_step": STALE, "step": STALE}

ACCOUNT_PAGES: dict[str, Row] = {
    "GET /": Row("session", EVERYBODY),
    "GET /sign-in": public(),
    "POST /sign-in": public(form(email="nobody@example.org", password="x")),
    "GET /sign-in/code": Row("signing_in", EVERYBODY),
    "POST /sign-in/code": Row("signing_in", EVERYBODY, send=form(code="000000")),
    "GET /sign-in/setup": Row("signing_in", EVERYBODY),
    "POST /sign-in/setup": Row("signing_in", EVERYBODY, send=form(code="000000")),
    "GET /sign-in/password": Row("signing_in", EVERYBODY),
    "POST /sign-in/password": Row("signing_in", EVERYBODY, send=form(old_password="x")),
    "POST /sign-out": Row("signing_in", EVERYBODY),
    "POST /session": Row("session", EVERYBODY),
    "POST /preferences": public(form(theme="dark")),
    "GET /profile": Row("session", EVERYBODY),
    "POST /profile/sessions/end-others": Row("session", EVERYBODY),
    "POST /profile/sessions/{session_id}/end": mine("session"),
    "GET /profile/confirm": Row("session", EVERYBODY),
    "POST /profile/confirm": Row("session", EVERYBODY, send=form(code="000000")),
    "GET /profile/password": Row("session", EVERYBODY),
    "POST /profile/password": Row("session", EVERYBODY, send=form(old_password="x")),
    "GET /profile/tokens": Row("session", EVERYBODY),
    "POST /profile/tokens": Row("session", EVERYBODY, send=form(name="x")),
    "POST /profile/tokens/{token_id}/revoke": mine("session"),
    "GET /account": Row("session", EVERYBODY),
}
"""Signing in, and one's own account."""

CASE_PAGES: dict[str, Row] = {
    "GET /programmes": Row("session", EVERYBODY),
    "GET /programmes/{programme_id}": Row("session", EVERYBODY),
    "POST /applications": Row("session", CLINICIANS, send=form(programme_id="{programme_id}")),
    "GET /applications": Row("session", CLINICIANS),
    "GET /applications/{case_id}": Row("session", *SEES),
    "GET /cases/{case_id}": Row("session", *SEES),
    "GET /applications/{case_id}/live": Row("session", *SEES),
    "POST /applications/{case_id}/ask": Row("session", *SEES),
    "POST /applications/{case_id}/comments": Row("session", *SEES, form(text="Здравствуйте")),
    "GET /applications/{case_id}/withdraw": mine("session", nothing, CLINICIANS),
    "POST /applications/{case_id}/withdraw": mine("session", form(**_ACT), CLINICIANS),
    "POST /applications/{case_id}/copy": mine("session", nothing, CLINICIANS),
    "GET /applications/{case_id}/submitted": mine("session", nothing, CLINICIANS),
    "GET /applications/{case_id}/act": Row("signed_in", *SEES, case="approved_id"),
    "GET /applications/{case_id}/receipt": mine("signed_in", nothing, CLINICIANS),
    "GET /search": Row("session", EVERYBODY),
    "GET /applications/{case_id}/draft": mine("session", nothing, CLINICIANS, "draft_id"),
    "POST /applications/{case_id}/draft/discard": mine("session", nothing, CLINICIANS),
    "GET /applications/{case_id}/draft/attachments": mine(
        "session", nothing, CLINICIANS, "draft_id"
    ),
    "GET /applications/{case_id}/draft/check": mine("session", nothing, CLINICIANS, "draft_id"),
    "POST /applications/{case_id}/draft/submit": mine(
        "session", form(**_ACT, mode="draft"), CLINICIANS, "draft_id"
    ),
    "GET /applications/{case_id}/draft/{name}": mine("session", nothing, CLINICIANS, "draft_id"),
    "POST /applications/{case_id}/draft/{name}": mine("session", form(), CLINICIANS, "draft_id"),
    "POST /applications/{case_id}/draft/{name}/autosave": mine(
        "session", form(), CLINICIANS, "draft_id"
    ),
}
"""Applications as their applicants see them."""

DOCUMENT_PAGES: dict[str, Row] = {
    "GET /documents": Row("session", CLINICIANS),
    "POST /documents/files": Row("session", CLINICIANS),
    "GET /documents/versions/{version_id}": mine("session", nothing, CLINICIANS),
    "GET /documents/versions/{version_id}/file": mine("signed_in", nothing, CLINICIANS),
    "GET /documents/versions/{version_id}/pages/{page}.png": mine("signed_in", nothing, CLINICIANS),
    "GET /documents/{document_id}": mine("session", nothing, CLINICIANS),
    "GET /documents/{document_id}/replace": mine("session", nothing, CLINICIANS),
    "POST /documents/files/{document_id}": mine("session", nothing, CLINICIANS),
    "POST /documents/{document_id}/put-away": mine("session", nothing, CLINICIANS),
    "POST /documents/files/cases/{case_id}/{kind}": mine(
        "session", nothing, CLINICIANS, "draft_id"
    ),
    "POST /documents/cases/{case_id}/{kind}/choose": mine(
        "session", form(document_version_id="{version_id}"), CLINICIANS, "draft_id"
    ),
    "POST /documents/cases/{case_id}/{kind}/{version_id}/remove": mine(
        "session", nothing, CLINICIANS, "draft_id"
    ),
}
"""Documents."""

DESK_PAGES: dict[str, Row] = {
    "GET /desk": Row("session", REVIEWERS | UNIT_HEAD),
    "GET /desk/cases/{case_id}": Row("session", *REVIEWS),
    "GET /desk/cases/{case_id}/live/{step}": Row("session", *REVIEWS),
    "POST /desk/cases/{case_id}/ask": Row("session", *REVIEWS),
    "POST /desk/cases/{case_id}/reading": Row("session", *REVIEWS),
    "POST /desk/cases/{case_id}/decision": Row(
        "session", *REVIEWS, form(**_ACT, outcome="reject", reason="Причина")
    ),
    "POST /desk/cases/{case_id}/take": Row("session", *REVIEWS, form(**_ACT)),
    "POST /desk/cases/{case_id}/hand-over": Row(
        "session", *REVIEWS, form(**_ACT, to="{person_id}")
    ),
    "POST /desk/cases/{case_id}/comments": Row("session", *REVIEWS, form(text="Здравствуйте")),
    "GET /desk/several": Row("session", REVIEWERS),
    "POST /desk/several": Row("session", REVIEWERS, send=form()),
    "GET /desk/team": Row("session", REVIEWERS),
    "POST /desk/team/absences": Row(
        "session",
        REVIEWERS,
        HR_HEAD,
        HR_HEAD,
        form(person="{person_id}", first_day="10.01.2030", last_day="11.01.2030"),
    ),
    "POST /desk/team/absences/{absence_id}/end": Row("session", REVIEWERS, HR_HEAD, HR_HEAD),
    "POST /desk/team/move": Row("session", HR_HEAD, send=form()),
}
"""The desk."""

OTHER_PAGES: dict[str, Row] = {
    "GET /notices": Row("session", EVERYBODY),
    "GET /notices/{notice_id}": mine("session"),
    "POST /notices/read": Row("session", EVERYBODY),
    "POST /notices/{mail_id}/resend": mine("session"),
    "GET /verify": public(),
    "GET /verify/{code}": public(),
}
"""Notices and the public confirmation."""
