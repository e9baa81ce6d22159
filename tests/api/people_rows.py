"""The access table of people and their accounts, API and pages. See `access.Row`."""

from typing import Any
from uuid import UUID, uuid4

from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.people import PersonnelRecord
from rules.clock import now
from rules.ids import new_id
from rules.staff.personnel import RecordTrouble
from tests.api.access import (
    ADMINISTRATOR,
    KEEPERS,
    NOBODY,
    OPERATOR,
    PEOPLE,
    Row,
    Sent,
    Things,
    body,
    form,
    public,
)

SEEN = (PEOPLE, PEOPLE, PEOPLE)
MANAGED = (ADMINISTRATOR, ADMINISTRATOR, ADMINISTRATOR)
"""That nobody manages the own account is said with 409, see `tests.staff.test_acts`."""
OTHERS = (NOBODY, ADMINISTRATOR, ADMINISTRATOR)
"""The page of an act on the own account is not there."""
RECONCILED = (KEEPERS, KEEPERS, KEEPERS)
WHY = {"reason": "Проверка прав"}


async def give_records(session: AsyncSession, person_id: UUID) -> dict[str, str]:
    """Two records of the personnel register that wait for a person."""
    said = {
        "number": "К-1",
        "snils": "112-233-445 95",
        "name": "Человек",
        "position": "врач",
        "unit": "nowhere",
    }
    rows = [
        PersonnelRecord(
            id=new_id(),
            version=1,
            record=said,
            heard_at=now(),
            person_id=person_id,
            trouble=RecordTrouble.UNKNOWN_UNIT.value,
            trouble_since=now(),
        )
        for _ in range(2)
    ]
    session.add_all(rows)
    await session.flush()
    return {"record_id": str(rows[0].id), "second_record_id": str(rows[1].id)}


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
    "GET /api/v1/personnel-records": Row("reconcile_staff", KEEPERS),
    "POST /api/v1/personnel-records/{record_id}/retry": Row(
        "reconcile_staff", *RECONCILED, keyed()
    ),
    "POST /api/v1/personnel-records/{record_id}/close": Row(
        "reconcile_staff", *RECONCILED, keyed(body(**WHY))
    ),
    "POST /api/v1/callbacks/personnel": public(body(kind="hired")),
    "POST /api/v1/invitation": public(body(secret="none", password="x")),
    "POST /api/v1/registration": public(body(name="x", email="nobody@example.org", terms=True)),
    "GET /api/v1/registrations": Row("meet_people", OPERATOR),
    "POST /api/v1/registration/confirm": public(body(secret="none", password="x")),
}

PEOPLE_PAGES: dict[str, Row] = {
    "GET /people": Row("session", PEOPLE),
    "GET /people/register": Row("session", KEEPERS),
    "POST /people/register/{record_id}/retry": Row("session", *RECONCILED, acted()),
    "POST /people/register/{record_id}/close": Row("session", *RECONCILED, acted(**WHY)),
    "GET /people/{person_id}": Row("session", *SEEN),
    "GET /people/{person_id}/act/{change}": Row("session", *OTHERS),
    "POST /people/{person_id}/act/{change}": Row("session", *OTHERS, acted(reason="")),
    "GET /people/invite": Row("session", ADMINISTRATOR),
    "POST /people/invite": Row("session", *MANAGED, acted(person="{person_id}")),
    "POST /people/{person_id}/invitation/revoke": Row("session", *MANAGED, acted()),
    "GET /invitation": public(),
    "GET /invitation/{secret}": public(),
    "POST /invitation/{secret}": public(form(new_password="x")),
    "GET /registrations": Row("session", OPERATOR),
    "GET /registration": public(),
    "POST /registration": public(form(name="x", email="nobody@example.org", terms="true")),
    "GET /registration/{secret}": public(),
    "POST /registration/{secret}": public(form(new_password="x")),
}
