"""The rows of reminders: one for each end of a credential and each number of days ahead."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import func, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.credentials import CredentialReminder
from rules.credentials.reminders import END, Reminder, ReminderAnswer, ReminderState


async def of_end(
    session: AsyncSession, credential_id: UUID, last_day: date
) -> Mapping[int, Reminder]:
    """The reminders of one end, by days ahead."""
    found = await session.exec(
        select(CredentialReminder).where(
            CredentialReminder.credential_id == credential_id,
            CredentialReminder.last_day == last_day,
            CredentialReminder.days != END,
        )
    )
    return {one.days: Reminder(one.days, one.due_at, ReminderState(one.state)) for one in found}


async def drop_others(session: AsyncSession, credential_id: UUID, last_day: date | None) -> None:
    """Drop what is planned for other ends: the days were corrected, or nothing is left to say."""
    planned_ones = [
        col(CredentialReminder.credential_id) == credential_id,
        col(CredentialReminder.state) == ReminderState.PLANNED.value,
    ]
    if last_day is not None:
        planned_ones.append(col(CredentialReminder.last_day) != last_day)
    await session.exec(
        update(CredentialReminder)
        .where(*planned_ones)
        .values(state=ReminderState.DROPPED.value)
        .execution_options(synchronize_session=False)
    )


async def keep(
    session: AsyncSession,
    credential_id: UUID,
    last_day: date,
    known: Mapping[int, Reminder],
    reminders: Sequence[Reminder],
    now: datetime,
) -> None:
    """Store the reminders that are new or have changed."""
    changed = [one for one in reminders if known.get(one.days) != one]
    if not changed:
        return
    values = [
        {
            "credential_id": credential_id,
            "last_day": last_day,
            "days": one.days,
            "due_at": one.due_at,
            "state": one.state.value,
            "sent_at": now if one.state is ReminderState.SENT else None,
        }
        for one in changed
    ]
    new = insert(CredentialReminder).values(values)
    names = ("due_at", "state", "sent_at")
    await session.exec(
        new.on_conflict_do_update(
            index_elements=["credential_id", "last_day", "days"],
            set_={name: new.excluded[name] for name in names},
        )
    )


async def answered(
    session: AsyncSession, credential_id: UUID, answer: ReminderAnswer, now: datetime
) -> None:
    """Note what the owner did after the last reminder that was sent, the first such act."""
    newest = (
        select(func.max(CredentialReminder.sent_at))
        .where(
            CredentialReminder.credential_id == credential_id,
            CredentialReminder.state == ReminderState.SENT.value,
        )
        .scalar_subquery()
    )
    await session.exec(
        update(CredentialReminder)
        .where(
            col(CredentialReminder.credential_id) == credential_id,
            col(CredentialReminder.sent_at) == newest,
            col(CredentialReminder.answered_at).is_(None),
        )
        .values(answered_at=now, answer=answer.value)
        .execution_options(synchronize_session=False)
    )


async def end_is_news(
    session: AsyncSession,
    credential_id: UUID,
    last_day: date,
    over: datetime,
    now: datetime,
    *,
    news: bool,
) -> bool:
    """Keep that the end was seen to. False if it was before, or had come when it became known."""
    state = ReminderState.SENT if news else ReminderState.DROPPED
    kept = await session.exec(
        insert(CredentialReminder)
        .values(
            credential_id=credential_id,
            last_day=last_day,
            days=END,
            due_at=over,
            state=state.value,
            sent_at=now if news else None,
        )
        .on_conflict_do_nothing()
        .returning(col(CredentialReminder.days))
    )
    return news and kept.scalar_one_or_none() is not None
