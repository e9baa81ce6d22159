"""Those whose accounts are confirmed or locked in a run, and the operators who meet them."""

from dataclasses import dataclass
from functools import partial

from sqlalchemy import update
from sqlmodel import col, select

from api.http.auth import CookieNames
from clients.database import Database
from models.tables.accounts import Account
from models.tables.people import Person, Unit
from ops.faults.meetings import offer_times
from ops.faults.people import ApiUser, session_holders
from rules.access import Role
from rules.accounts import AccountState
from rules.clock import now
from rules.notices.kinds import Channel
from services.accounts.proven_contacts import proven


@dataclass
class AccountsCast:
    """Accounts to be confirmed and to be locked, one for each story, and the operators."""

    registered: list[ApiUser]
    owners: list[ApiUser]
    operators: tuple[ApiUser, ...]


async def gather_for_accounts(database: Database, names: CookieNames, number: int) -> AccountsCast:
    """So many people of both sorts, with an app; contacts of the first have answered."""
    async with database.work() as session:
        root = (await session.exec(select(Unit.id).where(col(Unit.parent_id).is_(None)))).one()
    holders = partial(session_holders, database, names)
    registered = await holders("Новичок", Role.NURSE, root, number)
    owners = await holders("Владелец", Role.NURSE, root, number)
    operators = await holders("Оператор", Role.OPERATOR, root, 2)
    new = [one.person_id for one in registered]
    async with database.work() as session:
        accounts = update(Account)
        await session.exec(
            accounts.where(col(Account.person_id).in_(new)).values(state=AccountState.REGISTERED)
        )
        both = [*new, *(one.person_id for one in owners)]
        await session.exec(
            accounts.where(col(Account.person_id).in_(both)).values(totp_confirmed_at=now())
        )
        for person in (await session.exec(select(Person).where(col(Person.id).in_(new)))).all():
            session.add(proven(person, Channel.MAIL, person.email, now()))
            session.add(proven(person, Channel.SMS, person.phone or "", now()))
    await offer_times(database, [one.person_id for one in operators])
    return AccountsCast(list(registered), list(owners), operators)
