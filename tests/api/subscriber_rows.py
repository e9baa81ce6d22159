"""The lines of the access table about systems that hear of changes of credentials."""

from uuid import uuid4

from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.subscribers import Subscriber
from rules.clock import now
from rules.subscribers import EventType
from services.subscribers import keeping
from tests.api.access import ADMINISTRATOR, OPS, Row, Sent, body, form, nothing

CONNECTING = ADMINISTRATOR | OPS
_TYPES = [EventType.EXPIRED.value]
_URL = "https://his.example/hooks"


def _row(to: str, send: Sent = nothing) -> Row:
    return Row(to, CONNECTING, CONNECTING, CONNECTING, send)


SUBSCRIBER_ROWS: dict[str, Row] = {
    "GET /api/v1/subscribers": Row("connect_systems", CONNECTING),
    "POST /api/v1/subscribers": Row(
        "session", CONNECTING, send=body(name="МИС", url=_URL, types=_TYPES)
    ),
    "GET /api/v1/subscribers/{subscriber_id}": _row("connect_systems"),
    "PUT /api/v1/subscribers/{subscriber_id}": _row("session", body(url=_URL, types=_TYPES)),
    "GET /api/v1/subscribers/{subscriber_id}/deliveries": _row("connect_systems"),
    "POST /api/v1/subscribers/{subscriber_id}/secret": _row("session", body(leaked=False)),
    "POST /api/v1/subscribers/{subscriber_id}/pause": _row("connect_systems"),
    "POST /api/v1/subscribers/{subscriber_id}/resume": _row("connect_systems"),
    "POST /api/v1/subscribers/{subscriber_id}/test": _row("connect_systems"),
    "POST /api/v1/subscribers/{subscriber_id}/resend": _row("connect_systems", body()),
    "DELETE /api/v1/subscribers/{subscriber_id}": _row("connect_systems"),
}
SUBSCRIBER_PAGES: dict[str, Row] = {
    "GET /subscribers": Row("session", CONNECTING),
    "POST /subscribers": Row("session", CONNECTING, send=form(name="МИС", url=_URL, types=_TYPES)),
    "GET /subscribers/{subscriber_id}": _row("session"),
    "POST /subscribers/{subscriber_id}/reception": _row("session", form(url=_URL, types=_TYPES)),
    "POST /subscribers/{subscriber_id}/secret": _row("session", form()),
    "POST /subscribers/{subscriber_id}/pause": _row("session", form()),
    "POST /subscribers/{subscriber_id}/resume": _row("session", form()),
    "POST /subscribers/{subscriber_id}/test": _row("session", form()),
    "POST /subscribers/{subscriber_id}/resend": _row("session", form()),
    "POST /subscribers/{subscriber_id}/end": _row("session", form()),
}


async def give_subscriber(session: AsyncSession) -> dict[str, str]:
    """A system that gets nothing yet."""
    row = Subscriber(
        name=uuid4().hex,
        url=_URL,
        types=_TYPES,
        secret=keeping.new_secret(),
        added_at=now(),
    )
    session.add(row)
    await session.flush()
    return {"subscriber_id": str(row.id)}
