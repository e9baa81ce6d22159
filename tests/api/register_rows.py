"""The access table of the comparison with state registers. See `access.Row`."""

from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.registers import RegisterDispute
from rules.access import Actor
from rules.clock import now
from rules.ids import new_id
from rules.registers.kinds import RegisterName
from tests.api.access import CLINICIANS, EVERYBODY, WATCHERS, Row, act, body, form
from tests.api.credential_rows import PERSONNEL, VOUCHES

_ACT = {"key": "none", "act_id": "{new_draft_id}"}

REGISTER_ROWS: dict[str, Row] = {
    "GET /api/v1/registers": Row("signed_in", EVERYBODY),
    "POST /api/v1/registers/check": Row("signed_in", CLINICIANS),
    "POST /api/v1/registers/accept": Row("signed_in", CLINICIANS, send=act(key="none")),
    "POST /api/v1/registers/complete": Row("signed_in", CLINICIANS, send=act(key="none")),
    "POST /api/v1/registers/dispute": Row(
        "signed_in", CLINICIANS, send=act(key="none", reason="Ошибка")
    ),
    "GET /api/v1/registers/disputes": Row("signed_in", PERSONNEL),
    "POST /api/v1/registers/disputes/{dispute_id}/answer": Row(
        "signed_in", *VOUCHES, body(reason="Верно")
    ),
    "GET /api/v1/registers/runs": Row("signed_in", WATCHERS),
}
REGISTER_PAGES: dict[str, Row] = {
    "GET /registers": Row("session", EVERYBODY),
    "GET /registers/live": Row("session", EVERYBODY),
    "POST /registers/check": Row("session", CLINICIANS),
    "POST /registers/accept": Row("session", CLINICIANS, send=form(**_ACT)),
    "POST /registers/dispute": Row("session", CLINICIANS, send=form(reason="Ошибка", **_ACT)),
    "GET /registers/disputes": Row("session", PERSONNEL),
    "POST /registers/disputes/{dispute_id}/answer": Row("session", *VOUCHES, form(reason="Верно")),
    "GET /registers/runs": Row("session", WATCHERS),
    "GET /registers/runs/live": Row("session", WATCHERS),
}


async def give_dispute(session: AsyncSession, actor: Actor) -> dict[str, str]:
    """Something that a person disputes."""
    dispute_id = new_id()
    session.add(
        RegisterDispute(
            id=dispute_id,
            person_id=actor.person_id,
            source=RegisterName.EDUCATION.value,
            category="course",
            subject=str(dispute_id),
            fields=[],
            words="Не мой курс",
            at=now(),
        )
    )
    await session.flush()
    return {"dispute_id": str(dispute_id)}
