"""The people of a run. Services make their accounts, access tokens and chosen channels.

Their documents are uploaded by the API.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from itertools import cycle
from uuid import UUID

import httpx
from sqlalchemy import update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from api.http.auth import FORM_HEADER, CookieNames
from clients.database import Database
from clients.delivery.push import SubscribedBrowser, sender_of
from models.tables.accounts import Account
from models.tables.catalogue import Programme
from models.tables.people import Person, RoleGrant, Unit
from ops.data.seed import CATALOGUE
from rules.access import Actor, Permission, Role
from rules.accounts import AccountState, Stage, device_of
from rules.clock import now
from rules.notices.kinds import Channel, NoticeGroup
from services import access
from services.accounts import access_tokens
from services.accounts import sign_in as accounts
from services.accounts.sessions import Current, Visitor, open_session
from services.catalogue import loading
from services.catalogue import lookup as catalogue
from services.notices import push_subscriptions
from services.notices import settings as notice_settings
from services.staff import absences
from settings import Settings

SNILS, INN = "112-233-445 95", "366220664163"
UNITS = (
    ("therapy", "Терапевтическое отделение"),
    ("hr", "Отдел кадров"),
    ("supply", "Отдел снабжения"),
    ("it", "Отдел информационных технологий"),
)
_BEFORE = timedelta(days=400)
_RUN = timedelta(hours=3)
"""Longer than any run."""


@dataclass(frozen=True)
class Habit:
    """How somebody wants notices of cases: unusual channels, and browsers."""

    chosen: Mapping[Channel, bool]
    browsers: tuple[str, ...] = ()


HABITS = (
    Habit({Channel.SMS: True}, ("Chrome, Android", "Firefox, Linux")),
    Habit({Channel.SMS: True, Channel.MAIL: False}, ("Chrome, Android",)),
    Habit({}),
    Habit({}, ("Firefox, Linux",)),
)
"""Applicants have them in turn; everybody else has chosen nothing."""


@dataclass(frozen=True)
class ApiUser:
    """Somebody who uses the API."""

    person_id: UUID
    name: str
    token: str
    session: Mapping[str, str] = field(default_factory=dict)
    """The headers of a session, for those who act on rights: tokens cannot."""


class Parting(StrEnum):
    """How somebody stops reviewing."""

    ROLE = "loses the role"
    LOCK = "is locked"
    DEPARTURE = "leaves"
    ABSENCE = "goes on leave"


@dataclass(frozen=True)
class Cast:
    """Who takes part.

    `leavers` review until, in the course of the run, each stops in its own way.
    """

    applicants: tuple[ApiUser, ...]
    reviewers: tuple[ApiUser, ...]
    leavers: Mapping[Parting, ApiUser]
    clerks: tuple[ApiUser, ...]
    programmes: tuple[UUID, ...]


async def gather(database: Database, applicants: int) -> Cast:
    """Enter catalogue, units and people into an empty database."""
    async with database.work() as session:
        await loading.load(session, sorted(CATALOGUE.glob("*.yaml")))
    async with database.work() as session:
        root = Unit(code="institution", name="Городская клиническая больница")
        session.add(root)
        known = {u.code: u for u in (await session.exec(select(Unit))).all()}
        for code, name in UNITS:
            if code not in known:
                known[code] = Unit(code=code, name=name, parent_id=root.id)
                session.add(known[code])
        await session.flush()
        programmes = await session.exec(
            select(Programme.id).where(
                col(Programme.attachments) == {"add": [], "waive": []},
                # Programmes without intakes: those end one day, and run out of places.
                col(Programme.starts_on) == [],
            )
        )
        offered = tuple(programmes.all())
        ward, hr, supply = (known[code].id for code in ("therapy", "hr", "supply"))
    doctors = [await join(database, f"Заявитель {n}", Role.DOCTOR, ward) for n in range(applicants)]
    reviewers = [await join(database, f"Кадровик {n}", Role.HR_REVIEWER, hr) for n in range(2)]
    leavers = {
        how: await join(database, f"Кадровик, {how}", Role.HR_REVIEWER, hr) for how in Parting
    }
    head = await join(database, "Начальник отдела кадров", Role.HR_HEAD, hr)
    clerks = [await join(database, f"Снабженец {n}", Role.CLERK, supply) for n in range(2)]
    return Cast(tuple(doctors), (*reviewers, head), leavers, tuple(clerks), offered)


@dataclass(frozen=True)
class RightsCast:
    """Who ask for rights of their own, in which units; `heads` confirm and `guards` approve."""

    askers: tuple[ApiUser, ...]
    heads: tuple[ApiUser, ...]
    guards: tuple[ApiUser, ...]
    units: tuple[UUID, ...]


async def gather_for_rights(database: Database, names: CookieNames, askers: int) -> RightsCast:
    """Those who act on rights, in the units that are there."""
    async with database.work() as session:
        found = (await session.exec(select(Unit))).all()
    root = next(one.id for one in found if one.parent_id is None)
    units = tuple(one.id for one in found if one.parent_id == root)
    holders = partial(session_holders, database, names)
    return RightsCast(
        await holders("Просящий", Role.NURSE, units[0], askers),
        await holders("Заведующий", Role.UNIT_HEAD, root, 2),
        await holders("Безопасность", Role.SECURITY, root, 2),
        units,
    )


async def session_holders(
    database: Database,
    names: CookieNames,
    name: str,
    role: Role,
    unit: UUID,
    number: int,
    state: AccountState = AccountState.ACTIVE,
) -> tuple[ApiUser, ...]:
    """People whose sessions have a second factor that stays fresh for the whole run."""
    made = []
    for n in range(number):
        one = await join(database, f"{name} {n}", role, unit, state)
        fresh_until = now() + _RUN
        visitor = Visitor("127.0.0.1", device_of("medcab-faults/1"), secrets.token_urlsafe(16))
        async with database.work() as session:
            opened = await open_session(
                session,
                one.person_id,
                Stage.OPEN,
                visitor,
                now(),
                second_factor_at=fresh_until,
                checked_at=fresh_until,
            )
        cookies = {
            names.session: opened.token,
            names.device: opened.device_token,
            names.account: opened.account_token,
        }
        headers = {
            "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
            FORM_HEADER: opened.form_token,
        }
        made.append(replace(one, session=headers))
    return tuple(made)


async def settle_in(database: Database, settings: Settings, cast: Cast) -> dict[str, UUID]:
    """Give applicants their habits; their browsers subscribe for real.

    Gives the owner of each browser, by its name with the push service.
    """
    return {
        name: player.person_id
        for player, habit in zip(cast.applicants, cycle(HABITS), strict=False)
        for name in await accustom(database, settings, player.person_id, habit)
    }


async def join(
    database: Database,
    name: str,
    role: Role,
    unit: UUID,
    state: AccountState = AccountState.ACTIVE,
) -> ApiUser:
    """Somebody with a role, an account and a token for all that the role may do."""
    moment = now()
    async with database.work() as session:
        person = Person(
            unit_id=unit,
            position="врач-терапевт",
            name=name,
            email=f"{secrets.token_hex(8)}@hospital.example",
            phone=f"+7916{secrets.randbelow(10**7):07}",
            snils=SNILS,
            inn=INN,
            created_at=moment - _BEFORE,
        )
        session.add(person)
        await session.flush()
        session.add(
            RoleGrant(
                person_id=person.id, role=role.value, unit_id=unit, valid_from=moment - _BEFORE
            )
        )
        await accounts.create_account(
            session, person, secrets.token_urlsafe(24), moment, state=state
        )
        # Until it is changed, a password that somebody else chose opens nothing.
        await session.exec(
            update(Account)
            .where(col(Account.person_id) == person.id)
            .values(must_change_password=False)
        )
        actor = await access.actor_for(session, person.id, moment)
        return ApiUser(person.id, name, await _token(session, actor, moment))


async def accustom(
    database: Database, settings: Settings, person_id: UUID, habit: Habit
) -> list[str]:
    """Choose channels and subscribe browsers as the person would.

    Gives the names of the browsers.
    """
    made: list[str] = []
    async with database.work() as session:
        actor = await access.actor_for(session, person_id, now())
        wishes = {(NoticeGroup.CASES, channel): on for channel, on in habit.chosen.items()}
        await notice_settings.choose(session, actor, wishes, now())
        for device in habit.browsers:
            browser = await _browser(settings.push_url)
            await push_subscriptions.subscribe(
                session, sender_of(settings), actor, browser, device, now()
            )
            made.append(browser.endpoint.rpartition("/")[2])
    return made


async def _browser(service: str) -> SubscribedBrowser:
    """A browser that has just subscribed at the push service."""
    async with httpx.AsyncClient(trust_env=False, timeout=10) as http:
        reply = await http.post(f"{service}/subscriptions")
    told = reply.raise_for_status().json()
    return SubscribedBrowser(told["endpoint"], told["keys"]["p256dh"], told["keys"]["auth"])


async def _token(session: AsyncSession, actor: Actor, moment: datetime) -> str:
    # A token is made in a session, after a second-factor check; nobody types a code here.
    visitor = Visitor("127.0.0.1", device_of("medcab-faults/1"), secrets.token_urlsafe(16))
    opened = await open_session(
        session, actor.person_id, Stage.OPEN, visitor, moment, checked_at=moment
    )
    current = Current(
        actor=replace(actor, scope=None),
        stage=Stage.OPEN,
        language="ru",
        zone="Europe/Moscow",
        theme="system",
        password_expires_at=moment + timedelta(days=90),
        ends_at=opened.ends_at,
        session_id=opened.session_id,
        second_factor_at=moment,
    )
    rights = [right for right in Permission if actor.may(right)]
    made = await access_tokens.make(session, current, "faults", rights, 1, visitor, moment)
    return made.text


async def part(database: Database, player: ApiUser, how: Parting) -> None:
    """Make a reviewer stop, now."""
    moment = now()
    async with database.work() as session:
        match how:
            case Parting.ROLE:
                await session.exec(
                    update(RoleGrant)
                    .where(col(RoleGrant.person_id) == player.person_id)
                    .values(valid_until=moment)
                )
            case Parting.LOCK:
                await accounts.lock(session, player.person_id, "faults", moment)
            case Parting.DEPARTURE:
                await session.exec(
                    update(Person).where(col(Person.id) == player.person_id).values(left_at=moment)
                )
            case Parting.ABSENCE:
                actor = await access.actor_for(session, player.person_id, moment)
                unit = await catalogue.unit_id(session, "hr")
                first, last = (moment + timedelta(days=n) for n in (-1, 7))
                await absences.set_absence(
                    session, actor, unit, actor.person_id, first.date(), last.date(), None
                )
