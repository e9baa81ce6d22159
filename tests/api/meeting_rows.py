"""The access table of meetings, API and pages. See `access.Row`."""

from tests.api.access import EVERYBODY, NOBODY, OPERATOR, Row, body, form, mine, public

TIMES = {"day": "2020-01-01", "first": "09:00", "last": "10:00"}
OTHERS = (NOBODY, OPERATOR, OPERATOR)
"""Operators meet others, never themselves."""
OWN_TIME = (OPERATOR, NOBODY, NOBODY)

MEETING_ROWS: dict[str, Row] = {
    "GET /api/v1/meetings": Row("session", EVERYBODY),
    "GET /api/v1/meetings/times": Row("session", EVERYBODY),
    "POST /api/v1/meetings": Row(
        "session", EVERYBODY, send=body(purpose="unlock", slot_id="{slot_id}")
    ),
    "POST /api/v1/meetings/{meeting_id}/move": mine("session", body(slot_id="{slot_id}")),
    "DELETE /api/v1/meetings/{meeting_id}": mine("session"),
    "POST /api/v1/meetings/by-link": public(body(key="none")),
    "POST /api/v1/meetings/by-link/book": public(body(key="none", slot_id="{slot_id}")),
    "POST /api/v1/meetings/by-link/cancel": public(body(key="none", meeting_id="{meeting_id}")),
    "GET /api/v1/meetings/schedule": Row("meet_people", OPERATOR),
    "POST /api/v1/meetings/schedule": Row("meet_people", OPERATOR, send=body(**TIMES)),
    "DELETE /api/v1/meetings/schedule/{slot_id}": Row("meet_people", *OWN_TIME),
    "GET /api/v1/meetings/{meeting_id}/asked": Row("session", *OTHERS),
    "POST /api/v1/meetings/{meeting_id}/outcome": Row("session", *OTHERS, body(outcome="missed")),
}

MEETING_PAGES: dict[str, Row] = {
    "GET /meetings": Row("session", EVERYBODY),
    "POST /meetings": Row("session", EVERYBODY, send=form(purpose="unlock", slot_id="{slot_id}")),
    "POST /meetings/{meeting_id}/move": mine("session", form(slot_id="{slot_id}")),
    "POST /meetings/{meeting_id}/cancel": mine("session"),
    "GET /meetings/{meeting_id}/calendar": mine("session"),
    "GET /meetings/mine": Row("session", OPERATOR),
    "POST /meetings/mine": Row("session", OPERATOR, send=form(**TIMES)),
    "POST /meetings/mine/{slot_id}/withdraw": Row(
        "session", *OWN_TIME, using={"slot_id": "second_slot_id"}
    ),
    "GET /meetings/{meeting_id}": Row("session", *OTHERS),
    "POST /meetings/{meeting_id}/outcome": Row("session", *OTHERS, form(outcome="missed")),
}
