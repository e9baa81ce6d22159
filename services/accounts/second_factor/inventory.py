"""The factors of a person one by one, and removing all but those that somebody vouches for."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.accounts import Account
from models.tables.second_factor import RecoveryCode, SmsFactor
from rules.second_factor import Method, last_digits
from services.accounts.second_factor.passkeys import passkeys_of
from services.accounts.second_factor.register import METHODS


@dataclass(frozen=True)
class Factor:
    """One factor: since when, and what tells its owner which it is.

    `which` is the id of one of several; `left`, how many recovery codes there are.
    """

    method: Method
    since: datetime
    hint: str = ""
    which: UUID | None = None
    left: int | None = None

    @property
    def name(self) -> str:
        """What names it: the method, and for one of several its id."""
        return f"{self.method}:{self.which}" if self.which else self.method.value


async def factors_of(session: AsyncSession, person_id: UUID) -> Sequence[Factor]:
    """All that somebody could sign in with as this person, besides the password."""
    found: list[Factor] = []
    account = await session.get(Account, person_id)
    if account is not None and account.totp_confirmed_at is not None:
        found.append(Factor(Method.APP, account.totp_confirmed_at))
    found += [
        Factor(Method.PASSKEY, one.created_at, one.name, one.id)
        for one in await passkeys_of(session, person_id)
    ]
    if (sms := await session.get(SmsFactor, person_id)) is not None:
        found.append(Factor(Method.SMS, sms.created_at, last_digits(sms.phone)))
    codes = await session.exec(
        select(func.min(RecoveryCode.created_at), func.count()).where(
            RecoveryCode.person_id == person_id, col(RecoveryCode.used_at).is_(None)
        )
    )
    since, left = codes.one()
    if left:
        found.append(Factor(Method.RECOVERY, since, left=left))
    return found


async def keep_only(
    session: AsyncSession, person_id: UUID, kept: Collection[str]
) -> tuple[Sequence[Factor], Sequence[Factor]]:
    """Remove every factor that is not named. Returns those that stay, and those removed."""
    factors = await factors_of(session, person_id)
    gone = [one for one in factors if one.name not in kept]
    for one in gone:
        await METHODS[one.method].remove(session, person_id, one.which)
    await session.flush()
    return [one for one in factors if one not in gone], gone
