"""What the gov service says of a request: stored once, believed only as far as it is signed.

An acknowledgement comes by callback, or as the reply to a question. It is stored under the lock of
its case, and the workflow of the request processes it: `services.requests.answers.tend`.
"""

import hashlib
from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import bindparam, exists, or_
from sqlalchemy import select as choose
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from clients.gov_service import Acknowledgement
from models.encrypted_columns import bound_row
from models.tables.cases import Case
from models.tables.requests import RequestAcknowledgement, RequestMessage
from rules.cases.process import CaseKind, Status
from rules.ids import hash_of, new_id
from rules.journal.entries import JournalKind
from rules.refusals import not_found
from services.cases.addressees import Addressee, register
from services.journal import entries as journal
from services.outages import GOV_SERVICE
from services.webhooks import FORGOTTEN, HEARD, WebhookCall

ENDS = frozenset({"answered", "refused"})
WITHDRAWN, UNKNOWN = "withdrawn", "unknown_message"
"""States of a message that the gov service has stopped working on, or has never had."""


def untold(case_id: UUID) -> SelectOfScalar[RequestMessage]:
    """The messages of a request that the gov service may be working on, oldest version first.

    A message counts even if nothing says that it arrived: our note of that may have been lost.
    """
    state = col(RequestMessage.state)
    over = [*sorted(ENDS), WITHDRAWN, UNKNOWN]
    return (
        select(RequestMessage)
        .where(
            RequestMessage.case_id == case_id,
            col(RequestMessage.envelope_key).is_not(None),
            or_(state.is_(None), state.not_in(over)),
        )
        .order_by(col(RequestMessage.version))
    )


async def owes(session: AsyncSession, case: Case) -> bool:
    """Whether the gov service has yet to be told that the request was withdrawn."""
    if case.status != Status.WITHDRAWN:
        return False
    return (await session.exec(untold(case.id).limit(1))).first() is not None


async def receipts_among(session: AsyncSession, case: Case, ids: Collection[UUID]) -> set[UUID]:
    """Which of these ids are acknowledgements stored for a request."""
    kept = await session.exec(
        select(RequestAcknowledgement.id)
        .join(
            RequestMessage, col(RequestMessage.message_id) == col(RequestAcknowledgement.message_id)
        )
        .where(col(RequestAcknowledgement.id).in_(ids), RequestMessage.case_id == case.id)
    )
    return set(kept.all())


register(CaseKind.REQUEST, Addressee(owes=owes, replies_among=receipts_among))


def message_id_of(case_id: UUID, version: int) -> UUID:
    """The id by which the gov service knows a version of a request; always the same."""
    return uuid5(case_id, str(version))


_ABOUT: Any = (
    choose(Case, RequestMessage)
    .join(RequestMessage, col(RequestMessage.case_id) == col(Case.id))
    .where(col(RequestMessage.message_id) == bindparam("message_id"))
    .with_for_update(of=Case)
)
_CALLED: Any = _ABOUT.add_columns(exists(choose(HEARD.c.webhook_id))).add_cte(FORGOTTEN)
"""One statement: the case and message that are meant, and whether the callback is new."""


async def about(
    session: AsyncSession, message_id: UUID, call: WebhookCall | None, now: datetime
) -> tuple[Case, RequestMessage] | None:
    """The message with this id and its case, locked; the callback is stored as received.

    None if that callback took effect before. Raises `not_found` for a message that was never made.
    """
    values = {"message_id": message_id}
    if call is None:
        found = await session.exec(_ABOUT, params=values)
    else:
        found = await session.exec(_CALLED, params=values | call.values(now))
    row = found.one_or_none()
    if row is None:
        raise not_found()
    case, message, *new = row
    return (case, message) if all(new) else None


async def keep(
    session: AsyncSession,
    case: Case,
    message: RequestMessage,
    receipt: Acknowledgement,
    came: str,
    now: datetime,
) -> RequestAcknowledgement | None:
    """Store an acknowledgement if it is new, on a locked case.

    Returns None if nothing is left for the workflow to process. That the gov service has the
    message, or works on it, is noted at once. An answer to a version that was corrected since, or
    after the end of the case, is unexpected and journaled.
    """
    envelope = receipt.envelope
    digest = hash_of(
        {
            "state": receipt.state,
            "reason": receipt.reason,
            "envelope": hashlib.sha256(envelope).hexdigest() if envelope else None,
        }
    )
    row = RequestAcknowledgement(
        id=new_id(),
        message_id=message.message_id,
        digest=digest,
        came=came,
        at=now,
        state=receipt.state,
        envelope=envelope,
        reason=receipt.reason,
    )
    late = is_late(case, message)
    if late:
        row.envelope, row.taken_at, row.verdict = None, now, late
    elif row.state not in ENDS:
        row.taken_at, row.verdict = now, "taken"
    written = await session.exec(
        insert(RequestAcknowledgement)
        .values(bound_row(row))
        .on_conflict_do_nothing()
        .returning(RequestAcknowledgement.__table__.c.id)  # type: ignore[attr-defined]
    )
    if written.one_or_none() is None:
        return None
    if late:
        await journal_odd(session, case, message, row, now)
        return None
    if row.state not in ENDS:
        message.state = row.state
        session.add(message)
        return None
    return row


def is_late(case: Case, message: RequestMessage) -> str | None:
    """Why an acknowledgement of this message has no effect any more; None if it may have one."""
    if message.version != case.version:
        return "older_version"
    return "closed" if case.closed_at is not None else None


async def journal_odd(
    session: AsyncSession,
    case: Case,
    message: RequestMessage,
    receipt: RequestAcknowledgement,
    now: datetime,
) -> None:
    """Journal an answer that comes too late or a second time; mere states are not journaled."""
    if receipt.state in ENDS:
        await journal.append(
            session,
            chain=case.id,
            kind=JournalKind.REQUEST_ODD_RECEIPT,
            at=now,
            system=GOV_SERVICE,
            step=case.step,
            facts={
                "version": message.version,
                "state": receipt.state,
                "why": is_late(case, message),
                "digest": receipt.digest,
            },
        )
