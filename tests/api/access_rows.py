"""The access table of the API: every route, and who gets through to it. See `access.Row`."""

from tests.api.access import (
    CLINICIANS,
    EVERYBODY,
    HR_HEAD,
    KEEPERS,
    NOBODY,
    OPERATOR,
    OPS,
    REVIEWERS,
    SECURITY,
    UNIT_HEAD,
    WATCHERS,
    Row,
    act,
    body,
    form,
    mine,
    nothing,
    public,
    upload,
)

ACT = "0192f0c1-2d3e-7a4b-8c5d-6e7f8a9b0c1d"
STALE = 999
SEES = (CLINICIANS, REVIEWERS | UNIT_HEAD, REVIEWERS)
REVIEWS = (REVIEWERS, REVIEWERS, REVIEWERS)
KEEPS = (NOBODY, KEEPERS, KEEPERS)
CLOSED = {"case_id": "approved_id"}
CITED = body(kind="diploma", document_version_id="{version_id}")
TALKS = (CLINICIANS, REVIEWERS, REVIEWERS)

ACCOUNT_ROWS: dict[str, Row] = {
    "POST /api/v1/sign-in": public(body(email="nobody@example.org", password="x")),
    "POST /api/v1/sign-in/code": Row("signing_in", EVERYBODY, send=body(code="000000")),
    "GET /api/v1/second-factor": Row("signing_in", EVERYBODY),
    "POST /api/v1/second-factor": Row("signing_in", EVERYBODY),
    "POST /api/v1/second-factor/begin": Row("signing_in", EVERYBODY, send=body(method="app")),
    "POST /api/v1/second-factor/sms": Row("signing_in", EVERYBODY),
    "POST /api/v1/second-factor/sms/confirm": Row(
        "signing_in", EVERYBODY, send=body(code="000000")
    ),
    "GET /api/v1/second-factor/passkeys": Row("session", EVERYBODY),
    "POST /api/v1/second-factor/passkeys/begin": Row("session", EVERYBODY),
    "POST /api/v1/second-factor/passkeys": Row(
        "session", EVERYBODY, send=body(name="x", code="000000")
    ),
    "PATCH /api/v1/second-factor/passkeys/{passkey_id}": mine("session", body(name="x")),
    "DELETE /api/v1/second-factor/passkeys/{passkey_id}": mine("session"),
    "DELETE /api/v1/second-factor/{method}": Row("session", EVERYBODY),
    "POST /api/v1/second-factor/recovery-codes": Row("session", EVERYBODY),
    "POST /api/v1/second-factor/confirm": Row("signing_in", EVERYBODY, send=body(code="000000")),
    "POST /api/v1/password-reset": public(body(email="nobody@example.org")),
    "POST /api/v1/password-reset/begin": public(body(key="x", method="app")),
    "POST /api/v1/password-reset/confirm": public(body(key="x", code="000000", new_password="y")),
    "POST /api/v1/password": Row(
        "signing_in", EVERYBODY, send=body(old_password="x", new_password="y")
    ),
    "GET /api/v1/session": Row("signed_in", EVERYBODY),
    "POST /api/v1/session/extend": Row("session", EVERYBODY),
    "DELETE /api/v1/session": Row("signing_in", EVERYBODY),
    "GET /api/v1/sessions": Row("session", EVERYBODY),
    "DELETE /api/v1/sessions": Row("session", EVERYBODY),
    "DELETE /api/v1/sessions/{session_id}": mine("session"),
    "GET /api/v1/login-attempts": Row("session", EVERYBODY),
    "POST /api/v1/account/lock": Row("session", EVERYBODY),
    "POST /api/v1/account/lock-by-link": public(body(key="none")),
    "GET /api/v1/account-locks": Row("approve_unlock", SECURITY),
    "POST /api/v1/account-locks/{lock_id}/approve": Row("session", SECURITY, SECURITY, SECURITY),
    "POST /api/v1/account-locks/{lock_id}/send-back": Row(
        "approve_unlock", SECURITY, SECURITY, SECURITY, body(reason="Другое лицо")
    ),
    "POST /api/v1/account-locks/{lock_id}/resend": Row(
        "approve_unlock", SECURITY, SECURITY, SECURITY
    ),
    "POST /api/v1/account-locks/meetings/{meeting_id}/code": Row(
        "session", NOBODY, OPERATOR, OPERATOR
    ),
    "GET /api/v1/risk-events": Row("watch_risks", SECURITY),
    "POST /api/v1/risk-events/{event_id}/close": Row("watch_risks", SECURITY, SECURITY, SECURITY),
    "POST /api/v1/risk-events/{event_id}/lock": Row("session", SECURITY, SECURITY, SECURITY),
    "GET /api/v1/tokens": Row("session", EVERYBODY),
    "POST /api/v1/tokens": Row("session", EVERYBODY, send=body(name="x", scope=["apply"], days=1)),
    "DELETE /api/v1/tokens/{token_id}": mine("session"),
    "PATCH /api/v1/preferences": Row("session", EVERYBODY, send=body(theme="dark")),
}
"""Accounts."""

CASE_ROWS: dict[str, Row] = {
    "GET /api/v1/applications": Row("signed_in", EVERYBODY),
    "POST /api/v1/applications": Row(
        "signed_in", CLINICIANS, send=body(programme_id="{programme_id}")
    ),
    "GET /api/v1/applications/{case_id}": Row("signed_in", *SEES),
    "GET /api/v1/applications/{case_id}/state": Row("signed_in", *SEES),
    "PUT /api/v1/applications/{case_id}/draft": mine(
        "signed_in", body(data={"purpose": "Нужно"}), CLINICIANS, case_id="draft_id"
    ),
    "POST /api/v1/applications/{case_id}/draft/attachments": mine(
        "signed_in", CITED, CLINICIANS, case_id="draft_id"
    ),
    "DELETE /api/v1/applications/{case_id}/draft/attachments/{kind}/{document_version_id}": mine(
        "signed_in", nothing, CLINICIANS, case_id="draft_id", document_version_id="version_id"
    ),
    "DELETE /api/v1/applications/{case_id}/draft": mine("signed_in", nothing, CLINICIANS),
    "POST /api/v1/applications/{case_id}/submit": mine("signed_in", act(step=STALE), CLINICIANS),
    "POST /api/v1/applications/{case_id}/resubmit": mine("signed_in", act(step=STALE), CLINICIANS),
    "POST /api/v1/applications/{case_id}/correct": mine("signed_in", act(step=STALE), CLINICIANS),
    "POST /api/v1/applications/{case_id}/withdraw": mine("signed_in", act(step=STALE), CLINICIANS),
    "POST /api/v1/applications/{case_id}/copy": mine("signed_in", nothing, CLINICIANS),
    "POST /api/v1/applications/{case_id}/comments": Row(
        "signed_in", *TALKS, body(text="Здравствуйте")
    ),
    "GET /api/v1/cases/{case_id}/messages": Row("signed_in", *SEES),
    "POST /api/v1/cases/{case_id}/messages": Row("signed_in", *TALKS, act(text="Здравствуйте")),
    "POST /api/v1/cases/{case_id}/messages/read": Row("signed_in", *SEES, body(message_id=ACT)),
    "GET /api/v1/messages/unread": Row("signed_in", EVERYBODY),
    "GET /api/v1/applications/{case_id}/act": Row(
        "signed_in", *SEES, using={"case_id": "approved_id"}
    ),
    "GET /api/v1/applications/{case_id}/receipt": Row("signed_in", *SEES),
    "GET /api/v1/desk": Row("signed_in", REVIEWERS | UNIT_HEAD | OPERATOR | SECURITY),
    "GET /api/v1/desk/counts": Row("signed_in", REVIEWERS | UNIT_HEAD | OPERATOR | SECURITY),
    "POST /api/v1/applications/{case_id}/decision": Row(
        "signed_in",
        NOBODY,
        REVIEWERS,
        REVIEWERS,
        act(step=STALE, outcome="reject", reason="Причина"),
    ),
    "POST /api/v1/desk/decisions": Row(
        "signed_in",
        EVERYBODY,
        send=body(
            outcome="reject",
            reason="Причина",
            cases=[{"step": STALE, "case_id": "{case_id}", "act_id": ACT}],
        ),
    ),
    "POST /api/v1/applications/{case_id}/take": Row("signed_in", *REVIEWS, body(step=STALE)),
    "POST /api/v1/applications/{case_id}/hand-over": Row(
        "signed_in", *REVIEWS, body(step=STALE, to="{person_id}")
    ),
    "POST /api/v1/applications/{case_id}/reading": Row("signed_in", *SEES),
    "GET /api/v1/applications/{case_id}/history": Row("signed_in", *SEES),
    "GET /api/v1/desk/reviewers": Row("signed_in", REVIEWERS),
    "POST /api/v1/desk/absences": Row(
        "signed_in",
        REVIEWERS | OPERATOR | SECURITY,
        HR_HEAD,
        HR_HEAD,
        body(person_id="{hr_person_id}", first_day="2030-01-10", last_day="2030-01-11"),
    ),
    "DELETE /api/v1/desk/absences/{absence_id}": Row(
        "signed_in",
        REVIEWERS | OPERATOR | SECURITY,
        HR_HEAD,
        HR_HEAD,
        using={"absence_id": "hr_absence_id"},
    ),
    "GET /api/v1/programmes": Row("signed_in", EVERYBODY),
    "GET /api/v1/programmes/{programme_id}": Row("signed_in", EVERYBODY),
    "GET /api/v1/case-types/{key}": Row("signed_in", EVERYBODY),
    "GET /api/v1/reasons": Row("review", REVIEWERS),
}
"""Applications, the desk, the catalogue."""

ARCHIVE_ROWS: dict[str, Row] = {
    "GET /api/v1/archive": Row("signed_in", EVERYBODY),
    "GET /api/v1/archive/count": Row("signed_in", EVERYBODY),
    "GET /api/v1/archive/views": Row("signed_in", EVERYBODY),
    "POST /api/v1/archive/views": Row("signed_in", EVERYBODY, send=body(name="Отказы")),
    "PATCH /api/v1/archive/views/{view_id}": mine("signed_in", body(name="Отказы года")),
    "DELETE /api/v1/archive/views/{view_id}": mine("signed_in", view_id="second_view_id"),
    "GET /api/v1/archive/cases/{case_id}": Row("signed_in", *SEES),
    "GET /api/v1/archive/retention": Row("signed_in", KEEPERS),
    "GET /api/v1/archive/retention/{case_id}": Row(
        "signed_in",
        CLINICIANS | KEEPERS,
        REVIEWERS | UNIT_HEAD | KEEPERS,
        REVIEWERS | KEEPERS,
    ),
    "POST /api/v1/archive/retention/{case_id}/extend": Row(
        "signed_in", *KEEPS, body(reason="Проверка", until="2099-12-31"), CLOSED
    ),
    "POST /api/v1/archive/retention/{case_id}/hold": Row(
        "signed_in", *KEEPS, body(reason="Проверка"), CLOSED
    ),
    "POST /api/v1/archive/retention/{case_id}/release": Row(
        "signed_in", *KEEPS, body(reason="Проверка"), CLOSED
    ),
    "POST /api/v1/archive/retention/{case_id}/erase": Row("signed_in", *KEEPS, nothing, CLOSED),
    "POST /api/v1/archive/exports": Row("signed_in", EVERYBODY, send=body(file="pdf")),
    "GET /api/v1/archive/exports": Row("signed_in", EVERYBODY),
    "GET /api/v1/archive/exports/{export_id}": mine("signed_in"),
    "DELETE /api/v1/archive/exports/{export_id}": mine("signed_in"),
    "GET /api/v1/archive/exports/{export_id}/file": mine("signed_in"),
}
"""The archive. That lists hold only what the person may see is shown in tests of the archive."""

DOCUMENT_ROWS: dict[str, Row] = {
    "GET /api/v1/documents/categories": Row("signed_in", EVERYBODY),
    "GET /api/v1/documents": Row("signed_in", EVERYBODY),
    "POST /api/v1/documents": Row("signed_in", EVERYBODY, send=upload(category="diploma")),
    "POST /api/v1/documents/{document_id}/versions": mine("signed_in", upload(), EVERYBODY),
    "GET /api/v1/documents/{document_id}": mine("signed_in", nothing, EVERYBODY),
    "DELETE /api/v1/documents/{document_id}": mine(
        "signed_in", nothing, EVERYBODY, document_id="first_spare_document_id"
    ),
    "GET /api/v1/documents/versions/{version_id}/file": mine("signed_in"),
    "GET /api/v1/documents/versions/{version_id}/pages/{page}.png": mine("signed_in"),
}
"""Documents. That those who see a case open what it cites is shown in tests of documents."""

OTHER_ROWS: dict[str, Row] = {
    "GET /api/v1/notices": Row("signed_in", EVERYBODY),
    "GET /api/v1/notices/unread": Row("signed_in", EVERYBODY),
    "POST /api/v1/notices/read": Row("keep_notices", EVERYBODY, send=body(ids=["{notice_id}"])),
    "GET /api/v1/notices/{notice_id}/attempts": mine("signed_in"),
    "POST /api/v1/notices/{notice_id}/resend": mine("keep_notices"),
    "GET /api/v1/notices/settings": Row("signed_in", EVERYBODY),
    "PUT /api/v1/notices/settings/{group}/{channel}": Row(
        "keep_notices", EVERYBODY, send=body(on=True)
    ),
    "PUT /api/v1/notices/wishes": Row("keep_notices", EVERYBODY, send=body(digest_hour=18)),
    "GET /api/v1/notices/reminders": Row("signed_in", EVERYBODY),
    "PUT /api/v1/notices/reminders": Row("keep_notices", EVERYBODY, send=body(days=[30, 7])),
    "GET /api/v1/notices/push": Row("session", EVERYBODY),
    "POST /api/v1/notices/push": Row(
        "session",
        EVERYBODY,
        send=body(endpoint="https://example.org", keys={"p256dh": "x", "auth": "y"}),
    ),
    "POST /api/v1/notices/push/forget": Row(
        "session", EVERYBODY, send=body(endpoint="https://example.org")
    ),
    "DELETE /api/v1/notices/push/{subscription_id}": mine("session"),
    "GET /api/v1/contacts": Row("session", EVERYBODY),
    "POST /api/v1/contacts": Row(
        "session", EVERYBODY, send=body(channel="sms", value="+7 916 000-00-02")
    ),
    "POST /api/v1/contacts/{change_id}/confirm": mine("session", body(code="000000")),
    "POST /api/v1/callbacks/mail": public(body(message_id="none", state="delivered", at="x")),
    "POST /api/v1/callbacks/sms": public(body(id="none", state="delivered", at="x")),
    "GET /api/v1/verify/{code}": public(),
    "POST /api/v1/callbacks/gov-service": public(body(message_id="{case_id}")),
    "GET /health/live": public(),
    "GET /health/ready": public(),
    "GET /api/docs": public(),
    "GET /api/docs/{name}": public(),
    "GET /static/{version}/{path:path}": public(),
    "POST /codec/decode": Row("decode_payloads", OPS, send=body(payloads=[])),
    "POST /codec/encode": Row("decode_payloads", NOBODY, send=body(payloads=[])),
    "GET /api/v1/operation": Row("watch_operation", WATCHERS),
    "POST /api/v1/operation/remedies": Row(
        "operate", OPS, send=act(remedy="start", subject="sweeper", reason="Проверка")
    ),
    "GET /temporal": Row("watch_operation", WATCHERS),
    "GET /temporal/{path:path}": Row("watch_operation", WATCHERS),
    "GET /render": Row("watch_operation", WATCHERS),
    "POST /temporal/{path:path}": Row(
        "watch_operation", WATCHERS, send=form(), using={"path": "query_path"}
    ),
}
"""Notices, confirmation, health, documentation, operation."""
