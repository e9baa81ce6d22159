"""The access table of the administrator's screens and their API. See `access.Row`."""

from tests.api.access import ADMINISTRATOR, Row, Sent, act, body, form, upload
from tests.api.access_rows import ACT
from tests.shared.administration import SHIPPED


def _table() -> Sent:
    """A form with a table that is none, as an act with the digest of another."""
    sent = upload()
    return lambda things: {
        **sent(things),
        "params": {"digest": "0"},
        "headers": {"Idempotency-Key": ACT},
    }


ADMINISTRATION_ROWS: dict[str, Row] = {
    "GET /api/v1/administration/{subject}": Row("manage_catalogue", ADMINISTRATOR),
    "GET /api/v1/administration/{subject}/{key}": Row("manage_catalogue", ADMINISTRATOR),
    "GET /api/v1/administration/{subject}/{key}/history": Row("manage_catalogue", ADMINISTRATOR),
    "PUT /api/v1/administration/{subject}/{key}": Row(
        "manage_catalogue", ADMINISTRATOR, send=act(based_on="new", text="types: []")
    ),
    "POST /api/v1/administration/type/{key}/dry-run": Row(
        "manage_catalogue", ADMINISTRATOR, send=body(text="types: []")
    ),
    "POST /api/v1/administration/type/{key}/versions/{number}/move": Row(
        "manage_catalogue", ADMINISTRATOR, send=act(), using={"number": "type_version"}
    ),
    "POST /api/v1/administration/staff/dry-run": Row("manage_people", ADMINISTRATOR, send=upload()),
    "POST /api/v1/administration/staff/apply": Row("manage_people", ADMINISTRATOR, send=_table()),
}
"""The catalogue as administrators change it."""

ADMINISTRATION_PAGES: dict[str, Row] = {
    "GET /administration": Row("session", ADMINISTRATOR),
    "GET /administration/{room_name}": Row("session", ADMINISTRATOR),
    "GET /administration/{room_name}/{key}": Row("session", ADMINISTRATOR),
    "POST /administration/{room_name}/{key}": Row(
        "session", ADMINISTRATOR, send=form(do="look", text="types: []")
    ),
    "GET /administration/types/{key}": Row("session", ADMINISTRATOR),
    "POST /administration/types/{key}": Row("session", ADMINISTRATOR, send=form(do="up s0")),
    "GET /administration/types/{key}/file": Row("session", ADMINISTRATOR),
    "POST /administration/types/{key}/file": Row(
        "session", ADMINISTRATOR, send=form(do="look", text="types: []")
    ),
    "POST /administration/types/{key}/move": Row(
        "session", ADMINISTRATOR, send=form(version=str(SHIPPED), act_id=ACT)
    ),
    "GET /administration/staff": Row("session", ADMINISTRATOR),
    "POST /administration/staff": Row("session", ADMINISTRATOR, send=upload()),
    "POST /administration/staff/apply": Row(
        "session", ADMINISTRATOR, send=form(digest="0", packed="eJwDAAAAAAE=", act_id=ACT)
    ),
}
"""Its screens."""
