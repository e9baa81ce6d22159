"""Callbacks from outside: who sent them, whether they were received before, what was refused.

They are signed by Standard Webhooks 1.0: HMAC-SHA256 over id, time and body, with a secret that
only we and the sender know. A callback is stored as received in the transaction of its effect, so
that one which failed half-way is accepted again, and none takes effect twice.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import structlog
from sqlalchemy import bindparam, delete
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from clients.database import Database
from models.tables.requests import HeardCallback
from rules.accounts import Limit
from rules.journal.entries import SYSTEM_CHAIN, JournalKind
from services import rate_limits
from services.journal import entries as journal

log = structlog.get_logger(__name__)

KEPT_FOR = timedelta(days=1)
"""Far longer than the age at which a callback is refused (5 minutes)."""
_ID_LENGTH = 200
_JOURNALED = Limit("callback_refused", 20, timedelta(hours=1))
"""How many refusals the journal takes; anybody may send rubbish, and the log has every one."""


class CallbackFault(StrEnum):
    """Why a callback is refused."""

    NO_SECRET = "no_secret"  # noqa: S105 - a code
    SIGNATURE = "signature"
    UNREADABLE = "unreadable"
    UNKNOWN_MESSAGE = "unknown_message"


def verified(body: bytes, headers: Mapping[str, str], secrets: str) -> str | None:
    """The callback's id if one of the secrets proves it and its time is right; else None.

    `secrets` are separated by commas, so that both ends can renew theirs one after the other.
    """
    id_ = headers.get("webhook-id", "")
    if not 0 < len(id_) <= _ID_LENGTH:
        return None
    for secret in filter(None, (one.strip() for one in secrets.split(","))):
        try:
            Webhook(secret).verify(body, dict(headers), json_parse=False)
        except (WebhookVerificationError, ValueError, RuntimeError):
            continue
        return id_
    return None


@dataclass(frozen=True)
class WebhookCall:
    """A callback by its source and the id that its signature covers."""

    source: str
    id: str

    def values(self, now: datetime) -> dict[str, Any]:
        """The parameters of a statement with `HEARD` and `FORGOTTEN`."""
        return {
            "call_source": self.source,
            "call_id": self.id,
            "call_at": now,
            "call_old": now - KEPT_FOR,
        }


HEARD = (
    insert(HeardCallback)
    .values(
        source=bindparam("call_source"), webhook_id=bindparam("call_id"), at=bindparam("call_at")
    )
    .on_conflict_do_nothing()
    .returning(col(HeardCallback.webhook_id))
    .cte("heard")
)
"""Stores the callback within another statement; returns no row if it took effect before."""
FORGOTTEN = (
    delete(HeardCallback).where(col(HeardCallback.at) < bindparam("call_old")).cte("forgotten")
)
"""Deletes old callbacks in the same statement."""


async def tell_refused(
    database: Database, source: str, why: CallbackFault, address: str, now: datetime
) -> None:
    """Report a refused callback to ops: always in the log, and in the journal within limits."""
    log.warning("callback_refused", source=source, why=why.value)
    async with database.work() as session:
        if await rate_limits.take(session, [(_JOURNALED, source)], now) == 0:
            await journal.append(
                session,
                chain=SYSTEM_CHAIN,
                kind=JournalKind.CALLBACK_REFUSED,
                at=now,
                system=source,
                facts={"why": why.value},
                contents={"address": address},
            )
