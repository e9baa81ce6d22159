"""The row of an account, locked for a change."""

from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.accounts import Account
from rules.refusals import not_found


async def locked_account(session: AsyncSession, person_id: UUID) -> Account:
    """The account as it is now, locked until the unit of work ends. Raises Refusal 404."""
    account = await session.get(Account, person_id, with_for_update=True, populate_existing=True)
    if account is None:
        raise not_found()
    return account
