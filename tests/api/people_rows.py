"""The access table of people and their accounts, API and pages. See `access.Row`."""

from typing import Any
from uuid import uuid4

from tests.api.access import ADMINISTRATOR, NOBODY, PEOPLE, Row, Sent, Things, body, form, public

SEEN = (PEOPLE, PEOPLE, PEOPLE)
MANAGED = (ADMINISTRATOR, ADMINISTRATOR, ADMINISTRATOR)
"""That nobody manages the own account is said with 409, see `tests.staff.test_acts`."""
OTHERS = (NOBODY, ADMINISTRATOR, ADMINISTRATOR)
"""The page of an act on the own account is not there."""
WHY = {"reason": "Проверка прав"}


def keyed(sent: Sent | None = None) -> Sent:
    """A request with the id of a new act."""

    def made(things: Things) -> dict[str, Any]:
        key = {"headers": {"Idempotency-Key": str(uuid4())}}
        return {**(sent(things) if sent else {}), **key}

    return made


def acted(**fields: Any) -> Sent:
    """A form with the id of a new act."""
    return lambda things: form(act_id=str(uuid4()), **fields)(things)


PEOPLE_ROWS: dict[str, Row] = {
    "GET /api/v1/people": Row("view_people", PEOPLE),
    "GET /api/v1/people/{person_id}": Row("view_people", *SEEN),
    "POST /api/v1/people/invitations": Row(
        "session", *MANAGED, keyed(body(people=["{person_id}"]))
    ),
    "DELETE /api/v1/people/{person_id}/invitation": Row("manage_people", *MANAGED, keyed()),
    "POST /api/v1/people/{person_id}/lock": Row("manage_people", *MANAGED, keyed(body(**WHY))),
    "POST /api/v1/people/{person_id}/unlock": Row("session", *MANAGED, keyed(body(**WHY))),
    "POST /api/v1/people/{person_id}/sessions/end": Row(
        "manage_people", *MANAGED, keyed(body(**WHY))
    ),
    "POST /api/v1/people/{person_id}/departure": Row(
        "manage_people", *MANAGED, keyed(body(**WHY, shown="2020-01-01T00:00:00Z"))
    ),
    "POST /api/v1/people/{person_id}/departure/cancel": Row(
        "session", *MANAGED, keyed(body(**WHY))
    ),
    "POST /api/v1/people/{person_id}/transfer": Row(
        "manage_people", *MANAGED, keyed(body(**WHY, unit_id="{unit_id}"))
    ),
    "POST /api/v1/invitation": public(body(secret="none", password="x")),
    "POST /api/v1/registration": public(body(name="x", email="nobody@example.org", terms=True)),
    "POST /api/v1/registration/confirm": public(body(secret="none", password="x")),
}

PEOPLE_PAGES: dict[str, Row] = {
    "GET /people": Row("session", PEOPLE),
    "GET /people/{person_id}": Row("session", *SEEN),
    "GET /people/{person_id}/act/{change}": Row("session", *OTHERS),
    "POST /people/{person_id}/act/{change}": Row("session", *OTHERS, acted(reason="")),
    "GET /people/invite": Row("session", ADMINISTRATOR),
    "POST /people/invite": Row("session", *MANAGED, acted(person="{person_id}")),
    "POST /people/{person_id}/invitation/revoke": Row("session", *MANAGED, acted()),
    "GET /invitation": public(),
    "GET /invitation/{secret}": public(),
    "POST /invitation/{secret}": public(form(new_password="x")),
    "GET /registration": public(),
    "POST /registration": public(form(name="x", email="nobody@example.org", terms="true")),
    "GET /registration/{secret}": public(),
    "POST /registration/{secret}": public(form(new_password="x")),
}
