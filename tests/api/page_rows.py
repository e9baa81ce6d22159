"""The access table of the pages: every route, and who gets through to it. See `access.Row`."""

from tests.api.access import (
    CLINICIANS,
    EVERYBODY,
    HR_HEAD,
    JOURNAL_READERS,
    KEEPERS,
    NOBODY,
    OPERATOR,
    OPS,
    REVIEWERS,
    SECURITY,
    UNIT_HEAD,
    WATCHERS,
    Row,
    form,
    mine,
    nothing,
    public,
    query,
    upload,
)
from tests.api.access_rows import ACT, REVIEWS, SEES, STALE, TALKS

OVERSEES = (REVIEWERS | UNIT_HEAD, REVIEWERS | UNIT_HEAD, REVIEWERS)
DRAFT = {"case_id": "draft_id"}
_ACT = {"act_id": ACT, "at_step": STALE, "step": STALE}

ACCOUNT_PAGES: dict[str, Row] = {
    "GET /": Row("session", EVERYBODY),
    "GET /sign-in": public(),
    "POST /sign-in": public(form(email="nobody@example.org", password="x")),
    "GET /sign-in/code": Row("signing_in", EVERYBODY),
    "POST /sign-in/code": Row("signing_in", EVERYBODY, send=form(code="000000")),
    "POST /sign-in/code/begin": Row("signing_in", EVERYBODY, send=form(method="app")),
    "GET /sign-in/setup/sms": Row("signing_in", EVERYBODY),
    "POST /sign-in/setup/sms/begin": Row("signing_in", EVERYBODY),
    "POST /sign-in/setup/sms": Row("signing_in", EVERYBODY, send=form(code="000000")),
    "GET /sign-in/setup": Row("signing_in", EVERYBODY),
    "POST /sign-in/setup": Row("signing_in", EVERYBODY, send=form(code="000000")),
    "GET /sign-in/password": Row("signing_in", EVERYBODY),
    "POST /sign-in/password": Row("signing_in", EVERYBODY, send=form(old_password="x")),
    "GET /sign-in/forgotten": public(),
    "POST /sign-in/forgotten": public(form(email="nobody@example.org")),
    "GET /sign-in/reset/{key}": public(),
    "POST /sign-in/reset/{key}/begin": public(form(method="app")),
    "POST /sign-in/reset/{key}": public(form(code="000000")),
    "POST /sign-out": Row("signing_in", EVERYBODY),
    "POST /session": Row("session", EVERYBODY),
    "POST /preferences": public(form(theme="dark")),
    "GET /profile": Row("session", EVERYBODY),
    "POST /profile/sessions/end-others": Row("session", EVERYBODY),
    "POST /profile/sessions/{session_id}/end": mine("session", session_id="second_session_id"),
    "GET /profile/confirm": Row("session", EVERYBODY),
    "POST /profile/confirm/begin": Row("session", EVERYBODY, send=form(method="app")),
    "POST /profile/confirm": Row("session", EVERYBODY, send=form(code="000000")),
    "GET /profile/second-factor": Row("session", EVERYBODY),
    "GET /profile/second-factor/sms": Row("session", EVERYBODY),
    "POST /profile/second-factor/sms/begin": Row("session", EVERYBODY),
    "POST /profile/second-factor/sms": Row("session", EVERYBODY, send=form(code="000000")),
    "GET /profile/second-factor/passkeys": Row("session", EVERYBODY),
    "POST /profile/second-factor/passkeys/begin": Row("session", EVERYBODY, send=form(name="x")),
    "POST /profile/second-factor/passkeys": Row("session", EVERYBODY, send=form(name="x")),
    "POST /profile/second-factor/passkeys/{passkey_id}/name": mine("session", form(name="x")),
    "POST /profile/second-factor/passkeys/{passkey_id}/remove": mine(
        "session", passkey_id="second_passkey_id"
    ),
    "POST /profile/second-factor/{method}/remove": Row(
        "session", EVERYBODY, using={"method": "codes"}
    ),
    "GET /profile/second-factor/app": Row("session", EVERYBODY),
    "POST /profile/second-factor/app": Row("session", EVERYBODY, send=form(code="000000")),
    "POST /profile/second-factor/recovery-codes": Row("session", EVERYBODY),
    "GET /profile/password": Row("session", EVERYBODY),
    "POST /profile/password": Row("session", EVERYBODY, send=form(old_password="x")),
    "GET /profile/tokens": Row("session", EVERYBODY),
    "POST /profile/tokens": Row("session", EVERYBODY, send=form(name="x")),
    "POST /profile/tokens/{token_id}/revoke": mine("session", token_id="second_token_id"),
    "GET /account": Row("session", EVERYBODY),
    "GET /sign-in/provider": public(),
    "GET /sign-in/provider/return": public(),
    "GET /profile/provider": Row("session", EVERYBODY),
    "POST /profile/provider/link": Row("session", EVERYBODY),
    "POST /profile/provider/remove": Row("session", EVERYBODY),
    "GET /profile/lock": Row("session", EVERYBODY),
    "POST /profile/lock": Row("session", EVERYBODY),
    "GET /locked": public(),
    "GET /not-me/{key}": public(),
    "POST /not-me/{key}": public(),
    "GET /unlock/{key}": public(),
    "POST /unlock/{key}/book": public(form(slot_id=ACT)),
    "POST /unlock/{key}/cancel": public(form(meeting_id=ACT)),
    "GET /locks": Row("session", SECURITY),
    "POST /locks/{lock_id}/approve": Row("session", SECURITY, SECURITY, SECURITY),
    "POST /locks/{lock_id}/send-back": Row(
        "session", SECURITY, SECURITY, SECURITY, form(reason="Другое лицо")
    ),
    "POST /locks/meetings/{meeting_id}/code": Row("session", NOBODY, OPERATOR, OPERATOR),
    "POST /locks/{lock_id}/resend": Row("session", SECURITY, SECURITY, SECURITY),
    "GET /risks": Row("session", SECURITY),
    "POST /risks/{event_id}/close": Row("session", SECURITY, SECURITY, SECURITY),
    "POST /risks/{event_id}/lock": Row("session", SECURITY, SECURITY, SECURITY),
}
"""Signing in, and one's own account."""

CASE_PAGES: dict[str, Row] = {
    "GET /programmes": Row("session", EVERYBODY),
    "GET /programmes/{programme_id}": Row("session", EVERYBODY),
    "POST /applications": Row("session", CLINICIANS, send=form(programme_id="{programme_id}")),
    "GET /applications": Row("session", EVERYBODY),
    "GET /applications/{case_id}": Row("session", *SEES),
    "GET /cases/{case_id}": Row("session", *SEES),
    "GET /applications/{case_id}/live": Row("session", *SEES),
    "POST /applications/{case_id}/ask": Row("session", EVERYBODY),
    "GET /cases/{case_id}/conversation": Row("session", *SEES),
    "POST /cases/{case_id}/messages/read": Row("session", *SEES, form(message_id=ACT)),
    "POST /documents/files/messages/{case_id}": Row("session", *TALKS, form(text="Здравствуйте")),
    "GET /applications/{case_id}/withdraw": Row("session", *SEES),
    "POST /applications/{case_id}/withdraw": mine("session", form(**_ACT), CLINICIANS),
    "POST /applications/{case_id}/copy": mine("session", nothing, CLINICIANS),
    "GET /applications/{case_id}/submitted": mine("session", nothing, CLINICIANS),
    "GET /applications/{case_id}/act": Row("signed_in", *SEES, using={"case_id": "approved_id"}),
    "GET /applications/{case_id}/receipt": Row("signed_in", *SEES),
    "GET /search": Row("session", EVERYBODY),
    "GET /applications/{case_id}/draft": mine("session", nothing, CLINICIANS, **DRAFT),
    "POST /applications/{case_id}/draft/discard": mine("session", nothing, CLINICIANS),
    "GET /applications/{case_id}/draft/attachments": mine("session", nothing, CLINICIANS, **DRAFT),
    "GET /applications/{case_id}/draft/check": mine("session", nothing, CLINICIANS, **DRAFT),
    "POST /applications/{case_id}/draft/submit": mine(
        "session", form(**_ACT, mode="draft"), CLINICIANS, **DRAFT
    ),
    "GET /applications/{case_id}/draft/{name}": mine("session", nothing, CLINICIANS, **DRAFT),
    "POST /applications/{case_id}/draft/{name}": mine("session", form(), CLINICIANS, **DRAFT),
    "POST /applications/{case_id}/draft/{name}/autosave": mine(
        "session", form(), CLINICIANS, **DRAFT
    ),
}
"""Applications as their applicants see them."""

DOCUMENT_PAGES: dict[str, Row] = {
    "GET /documents": Row("session", EVERYBODY),
    "POST /documents/files": Row("session", EVERYBODY, send=upload(category="diploma")),
    "GET /documents/versions/{version_id}": mine("session"),
    "GET /documents/versions/{version_id}/file": mine("signed_in"),
    "GET /documents/versions/{version_id}/pages/{page}.png": mine("signed_in"),
    "GET /documents/{document_id}": mine("session", nothing, EVERYBODY),
    "GET /documents/{document_id}/replace": mine("session", nothing, EVERYBODY),
    "POST /documents/files/{document_id}": mine("session", upload(), EVERYBODY),
    "POST /documents/{document_id}/put-away": mine(
        "session", nothing, EVERYBODY, document_id="second_spare_document_id"
    ),
    "POST /documents/files/cases/{case_id}/{kind}": mine("session", nothing, CLINICIANS, **DRAFT),
    "POST /documents/cases/{case_id}/{kind}/choose": mine(
        "session", form(document_version_id="{version_id}"), CLINICIANS, **DRAFT
    ),
    "POST /documents/cases/{case_id}/{kind}/{version_id}/remove": mine(
        "session", nothing, CLINICIANS, **DRAFT
    ),
}
"""Documents."""

DESK_PAGES: dict[str, Row] = {
    "GET /desk": Row("session", REVIEWERS | UNIT_HEAD | OPERATOR | SECURITY),
    "GET /desk/cases/{case_id}": Row("session", *OVERSEES),
    "GET /desk/cases/{case_id}/live/{step}": Row("session", *OVERSEES),
    "POST /desk/cases/{case_id}/ask": Row("session", EVERYBODY),
    "POST /desk/cases/{case_id}/reading": Row("session", *SEES),
    "POST /desk/cases/{case_id}/decision": Row(
        "session",
        NOBODY,
        REVIEWERS,
        REVIEWERS,
        form(**_ACT, outcome="reject", reason="Причина"),
    ),
    "POST /desk/cases/{case_id}/take": Row("session", *REVIEWS, form(**_ACT)),
    "POST /desk/cases/{case_id}/hand-over": Row(
        "session", *REVIEWS, form(**_ACT, to="{person_id}")
    ),
    "GET /desk/several": Row(
        "session", REVIEWERS | UNIT_HEAD | OPERATOR | SECURITY, send=query(case="{case_id}")
    ),
    "POST /desk/several": Row("session", REVIEWERS | UNIT_HEAD | OPERATOR | SECURITY, send=form()),
    "GET /desk/team": Row("session", REVIEWERS),
    "POST /desk/team/absences": Row(
        "session",
        REVIEWERS | OPERATOR | SECURITY,
        HR_HEAD,
        HR_HEAD,
        form(person_id="{hr_person_id}", first_day="10.01.2030", last_day="11.01.2030"),
    ),
    "POST /desk/team/absences/{absence_id}/end": Row(
        "session",
        REVIEWERS | OPERATOR | SECURITY,
        HR_HEAD,
        HR_HEAD,
        using={"absence_id": "second_hr_absence_id"},
    ),
    "POST /desk/team/move": Row("session", HR_HEAD, send=form()),
}
"""The desk."""

ARCHIVE_PAGES: dict[str, Row] = {
    "GET /archive": Row("session", EVERYBODY),
    "POST /archive/views": Row("session", EVERYBODY, send=form(name="Отказы", query="")),
    "POST /archive/views/{view_id}": mine("session", form(name="Отказы года")),
    "POST /archive/views/{view_id}/remove": mine("session", view_id="third_view_id"),
    "GET /archive/cases/{case_id}": Row("session", *SEES),
    "POST /archive/list.{kind}": Row("session", EVERYBODY),
    "GET /archive/retention": Row("session", KEEPERS),
    "GET /archive/retention/{case_id}": Row(
        "session",
        CLINICIANS | KEEPERS,
        REVIEWERS | UNIT_HEAD | KEEPERS,
        REVIEWERS | KEEPERS,
    ),
    "POST /archive/retention/{case_id}/{act}": Row(
        "session", NOBODY, KEEPERS, KEEPERS, form(), using={"case_id": "approved_id"}
    ),
    "GET /archive/exports": Row("session", EVERYBODY),
    "POST /archive/exports/{export_id}/cancel": mine("session"),
    "GET /archive/exports/{export_id}/file": mine("session"),
}
"""The archive."""

OTHER_PAGES: dict[str, Row] = {
    "GET /notices": Row("session", EVERYBODY),
    "GET /notices/{notice_id}": mine("session"),
    "GET /notices/{notice_id}/details": mine("session"),
    "GET /notices/bell": Row("session", EVERYBODY),
    "GET /notices/settings": Row("session", EVERYBODY),
    "POST /notices/settings": Row("session", EVERYBODY),
    "POST /notices/wishes": Row("session", EVERYBODY),
    "POST /notices/reminders": Row("session", EVERYBODY),
    "POST /notices/push/{subscription_id}/end": mine(
        "session", subscription_id="second_subscription_id"
    ),
    "GET /notices/contacts": Row("session", EVERYBODY),
    "POST /notices/contacts": Row("session", EVERYBODY, send=form(channel="sms", sms="9160000003")),
    "POST /notices/contacts/confirm": mine(
        "session", form(change_id="{change_id}", code_sms="000000")
    ),
    "GET /manifest.webmanifest": public(),
    "GET /sw.js": public(),
    "GET /offline": public(),
    "POST /notices/read": Row("session", EVERYBODY),
    "POST /notices/{mail_id}/resend": mine("session"),
    "GET /journal": Row("session", JOURNAL_READERS),
    "GET /journal/declarations/{digest}": Row("session", SECURITY),
    "POST /journal/declarations/{digest}": Row("session", SECURITY),
    "GET /operation": Row("session", WATCHERS),
    "GET /operation/live": Row("session", WATCHERS),
    "GET /operation/remedy": Row("session", OPS, send=query(remedy="start", subject="sweeper")),
    "POST /operation/remedy": Row(
        "session",
        OPS,
        send=form(act_id=ACT, remedy="start", subject="sweeper", reason="Проверка"),
    ),
    "GET /verify": public(),
    "GET /verify/": public(),
    "GET /verify/{code}": public(),
}
"""Notices and the public confirmation."""
