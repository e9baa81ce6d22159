"""Telling the gov service that a request was withdrawn, so that nobody works on it in vain.

The withdrawal itself is done by then, whatever the gov service says. It is told about each version
that it may have, by a message of its own, until it acknowledges that; an answer it gives all the
same has no effect.
"""

from datetime import datetime
from uuid import UUID

from clients.gov_service import Acknowledgement, GovServiceDown, GovServiceRefused
from models.messages import CaseState
from models.tables.cases import Case
from models.tables.requests import RequestMessage
from rules.clock import now as present
from rules.journal.entries import JournalKind
from services import outages
from services.cases.transitions import lock, state_of
from services.gov_service.line import Exchange
from services.gov_service.messages import GovServiceWithdrawal
from services.journal import entries as journal
from services.outages import GOV_SERVICE
from services.requests.acknowledgements import ENDS, UNKNOWN, WITHDRAWN, keep, untold
from services.requests.alarms import note_down, set_alarm


async def tell_of_withdrawal(exchange: Exchange, case_id: UUID) -> CaseState:
    """Tell the gov service of every version of a withdrawn request, or wait if it is down.

    Returns the state of the case. Safe to repeat: the gov service knows a withdrawal by its
    message. Raises GovServiceRefused and GovServiceKeysError, which only people can mend.
    """
    async with exchange.database.reading() as session:
        case = await session.get_one(Case, case_id)
        messages = (await session.exec(untold(case_id))).all()
    again: datetime | None = None
    for message in messages:
        try:
            receipt = await _tell(exchange, case, message)
        except GovServiceDown:
            async with exchange.database.work() as session:
                again = await note_down(session, await lock(session, case_id), present())
            break
        await _note_told(exchange, message, receipt)
    async with exchange.database.work() as session:
        case = await lock(session, case_id)
        if again is None:
            case.stuck = None
        await set_alarm(session, case, None, present(), again)
        return await state_of(session, case)


async def _tell(exchange: Exchange, case: Case, message: RequestMessage) -> Acknowledgement | None:
    """The reply of the gov service; None if it never had this message, or has lost it."""
    told = GovServiceWithdrawal(
        withdrawn_number=case.number or "",
        withdrawn_version=message.version,
        withdrawn_at=case.since,
    )
    envelope = exchange.envelopes.wrap(told.packed(), message_id=message.message_id)
    try:
        return await exchange.module.withdraw(message.message_id, envelope)
    except GovServiceRefused as refused:
        if refused.code != UNKNOWN:
            raise
        return None


async def _note_told(
    exchange: Exchange, message: RequestMessage, receipt: Acknowledgement | None
) -> None:
    """Store the reply; an answer given before it is journaled as unexpected."""
    now = present()
    async with exchange.database.work() as session:
        case = await lock(session, message.case_id)
        await outages.end(session, GOV_SERVICE, now)
        row = await session.get_one(RequestMessage, (message.case_id, message.version))
        said = receipt.state if receipt else UNKNOWN
        # A gov service that says it is working has received the withdrawal as well.
        row.state, row.ask_at = said if said in {*ENDS, UNKNOWN} else WITHDRAWN, None
        session.add(row)
        if receipt is not None:
            await keep(session, case, row, receipt, "withdrawal", now)
        await journal.append(
            session,
            chain=case.id,
            kind=JournalKind.REQUEST_WITHDRAWAL_TOLD,
            at=now,
            system="workflow",
            step=case.step,
            facts={"version": message.version, "state": said},
        )
