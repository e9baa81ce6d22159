"""What follows from a right second factor: the session goes on under a new token."""

from dataclasses import replace
from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.accounts import Account
from rules.accounts import Stage, Step, password_expires_at
from rules.notices.kinds import NoticeKind
from rules.risks import RiskKind
from services.accounts import devices, login_log
from services.accounts.risks.events import raise_event
from services.accounts.sessions import Current, OpenedSession, Visitor, rotate


async def go_on(
    session: AsyncSession,
    current: Current,
    account: Account,
    visitor: Visitor,
    now: datetime,
    step: Step,
    *,
    may_enrol: bool = False,
) -> OpenedSession:
    """Continue the session under a new token, at the stage that comes next.

    `may_enrol` says whether the factor was entered so that another one may be set up.
    """
    expired = (
        account.must_change_password or password_expires_at(account.password_changed_at) <= now
    )
    stage = Stage.PASSWORD if expired else Stage.OPEN
    opened = await rotate(
        session,
        current,
        stage,
        visitor,
        now,
        second_factor_at=now,
        checked_at=now if may_enrol else None,
    )
    if current.stage == Stage.OPEN:
        return opened
    failures = await login_log.failures_since_last_success(session, current.person_id)
    if opened.token_reused:
        await raise_event(session, RiskKind.TOKEN_REUSED, current.person_id, visitor, now)
    if await devices.remember_device(session, current.person_id, visitor, now):
        known = await login_log.knows_network(session, current.person_id, visitor, now)
        place = session, RiskKind.NEW_PLACE, current.person_id, visitor, now
        # The sign is told once an hour, and every new device is told of.
        if known or not await raise_event(*place):
            await login_log.tell(session, current.person_id, NoticeKind.NEW_DEVICE, now)
    return replace(opened, failures_before=failures)
