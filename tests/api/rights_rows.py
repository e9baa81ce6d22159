"""The access table of changes of rights, API and pages. See `access.Row`."""

from rules.access import Role
from tests.api.access import (
    ADMINISTRATOR,
    EVERYBODY,
    NOBODY,
    SECURITY,
    UNIT_HEAD,
    Row,
    body,
    form,
    mine,
    nothing,
    query,
)
from tests.api.access_rows import ACT
from tests.api.people_rows import WHY, acted, keyed

STALE = 999
CHANGE = {"case_id": "rights_id"}
SEES = (EVERYBODY, UNIT_HEAD | SECURITY, SECURITY)
"""Heads and security read the changes of their units, whoever of them has to decide."""
ASKS = (EVERYBODY, ADMINISTRATOR, ADMINISTRATOR)
WHOLE = SECURITY | ADMINISTRATOR | {Role.AUDITOR}
ENDS = (SECURITY | UNIT_HEAD, SECURITY | UNIT_HEAD, SECURITY)
WISH = {"role": "doctor", "unit_id": "{unit_id}", **WHY}

RIGHTS_ROWS: dict[str, Row] = {
    "GET /api/v1/rights": Row("session", EVERYBODY),
    "GET /api/v1/rights/matrix": Row("session", WHOLE),
    "GET /api/v1/rights/{case_id}": Row("session", *SEES, using=CHANGE),
    "POST /api/v1/rights": Row("session", *ASKS, keyed(body(person_id="{person_id}", **WISH))),
    "POST /api/v1/rights/{case_id}/withdraw": mine(
        "session", keyed(body(step=STALE)), EVERYBODY, **CHANGE
    ),
    "POST /api/v1/people/{person_id}/grants/{grant_id}/end": Row(
        "session", *ENDS, keyed(body(**WHY))
    ),
}

RIGHTS_PAGES: dict[str, Row] = {
    "GET /rights": Row("session", EVERYBODY),
    "GET /rights/matrix": Row("session", WHOLE),
    "GET /rights/new": Row("session", *ASKS, query(person="{person_id}")),
    "POST /rights/new": Row("session", *ASKS, acted(person="{person_id}", **WISH)),
    "POST /rights/units/{unit_id}/urgent": Row(
        "session", SECURITY, SECURITY, SECURITY, acted(allowed="")
    ),
    "GET /rights/{case_id}": Row("session", *SEES, using=CHANGE),
    "GET /rights/{case_id}/live": mine("session", nothing, EVERYBODY, **CHANGE),
    "POST /rights/{case_id}/ask": Row("session", EVERYBODY),
    "GET /rights/{case_id}/withdraw": mine("session", nothing, EVERYBODY, **CHANGE),
    "POST /rights/{case_id}/withdraw": mine(
        "session", form(act_id=ACT, at_step=STALE), EVERYBODY, **CHANGE
    ),
    "POST /rights/{case_id}/copy": mine("session", nothing, EVERYBODY, **CHANGE),
    "GET /rights/{case_id}/receipt": Row("signed_in", *SEES, using=CHANGE),
    "GET /people/{person_id}/grants/{grant_id}/end": Row(
        "session", NOBODY, SECURITY | UNIT_HEAD, SECURITY, using={"grant_id": "second_grant_id"}
    ),
    "POST /people/{person_id}/grants/{grant_id}/end": Row(
        "session",
        NOBODY,
        SECURITY | UNIT_HEAD,
        SECURITY,
        acted(reason=""),
        using={"grant_id": "second_grant_id"},
    ),
}
