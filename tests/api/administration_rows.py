"""The access table of the administrator's screens and their API. See `access.Row`."""

from tests.api.access import ADMINISTRATOR, Row, act, body, form
from tests.api.access_rows import ACT

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
        "manage_catalogue", ADMINISTRATOR, send=act()
    ),
}
"""The catalogue as administrators change it."""

ADMINISTRATION_PAGES: dict[str, Row] = {
    "GET /administration": Row("session", ADMINISTRATOR),
    "GET /administration/{room_name}": Row("session", ADMINISTRATOR),
    "GET /administration/{room_name}/{key}": Row("session", ADMINISTRATOR),
    "POST /administration/{room_name}/{key}": Row(
        "session", ADMINISTRATOR, send=form(do="look", text="types: []")
    ),
    "POST /administration/types/{key}/move": Row(
        "session", ADMINISTRATOR, send=form(version="1", act_id=ACT)
    ),
}
"""Its screens."""
