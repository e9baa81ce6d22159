"""Risk events: a sign is a row, once an hour for a person, and the person is told."""

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

from rules.ids import new_id
from rules.journal.entries import JournalKind
from rules.notices.kinds import NoticeKind
from rules.risks import ONCE_PER, RiskKind
from services.accounts.sessions import Visitor, hash_token
from services.journal import entries as journal
from services.notices import outbox
from services.notices.outbox import NoticeEvent

PATH = "/not-me"
NOTICES = {
    RiskKind.FAILURES: NoticeKind.RISK_FAILURES,
    RiskKind.NEW_PLACE: NoticeKind.RISK_NEW_PLACE,
    RiskKind.TOKEN_REUSED: NoticeKind.RISK_TOKEN_REUSED,
}
"""What the person is told; all that is about use is told as such."""


async def raise_event(
    session: AsyncSession,
    kind: RiskKind,
    person_id: UUID,
    visitor: Visitor,
    now: datetime,
    *,
    facts: Mapping[str, Any] | None = None,
    once: bool = False,
) -> bool:
    """Note a sign, and tell the person with a link that locks the account. False if it was known.

    The same sign within the hour only counts, or not even that with `once`: there is no second
    notice.
    """
    table = SQLModel.metadata.tables["risk_event"]
    secret = secrets.token_urlsafe(32)
    hour = int(now.timestamp() // ONCE_PER.total_seconds())
    event_id = new_id()
    made = insert(table).values(
        id=event_id,
        person_id=person_id,
        kind=kind.value,
        key=f"{kind.value}:{person_id}:{hour}",
        at=now,
        last_at=now,
        times=1,
        address=visitor.address,
        device=visitor.device.name,
        device_kind=visitor.device.kind.value,
        facts=dict(facts or {}),
        secret_hash=hash_token(secret),
    )
    if once:
        noted = made.on_conflict_do_nothing(index_elements=["key"])
    else:
        again = {"times": table.c.times + 1, "last_at": func.greatest(table.c.last_at, now)}
        noted = made.on_conflict_do_update(index_elements=["key"], set_=again)
    if (await session.exec(noted.returning(table.c.id))).scalar() != event_id:
        return False
    await journal.append(
        session,
        chain=person_id,
        kind=JournalKind.ACCOUNT_RISK,
        at=now,
        system="risks",
        facts={"event": str(event_id), "risk": kind.value},
        contents={"address": visitor.address, "device": visitor.device.name},
        lock=True,
    )
    told = NoticeEvent(
        person_id,
        NOTICES.get(kind, NoticeKind.RISK_USE),
        f"{event_id}:risk",
        contents={"path": f"{PATH}/{secret}"},
    )
    await outbox.enqueue_all(session, [told], now)
    return True
