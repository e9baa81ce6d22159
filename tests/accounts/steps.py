"""The steps of signing in, and what is left of them in the journal and the notices."""

from datetime import timedelta
from uuid import UUID

import httpx
from sqlmodel import col, select

from models.tables.accounts import LoginAttempt
from models.tables.notices import Notice
from rules.accounts import Stage
from rules.clock import now
from services.accounts.recognising import recognise
from services.accounts.sessions import Current, OpenedSession, open_session
from tests.shared.accounts import (
    PASSWORD,
    House,
    Someone,
    cookies_of,
    visitor_at,
)


async def enter_password(
    client: httpx.AsyncClient, email: str, password: str = PASSWORD
) -> httpx.Response:
    """The first step, keeping the form token as a page would."""
    answer = await client.post("/api/v1/sign-in", json={"email": email, "password": password})
    if answer.is_success:
        client.headers["X-CSRF-Token"] = answer.json()["csrf_token"]
    return answer


async def half_open(house: House, someone: Someone, device: str | None = None) -> Current:
    """The session after the first step, as the second step gets it."""
    async with house.container.database.work() as session:
        opened = await open_session(
            session, someone.person_id, Stage.CODE, visitor_at(device=device), now()
        )
    return await recognised(house, opened)


async def recognised(house: House, opened: OpenedSession) -> Current:
    """What a request with this session's cookies is known as."""
    return await recognise(
        house.container.database,
        cookies_of(opened),
        now(),
        timedelta(minutes=15),
        house.container.activity,
        counts=True,
    )


async def journal_of(house: House, person_id: UUID) -> list[tuple[str, str]]:
    """The login journal of a person, oldest first: step and outcome."""
    async with house.container.database.work() as session:
        rows = await session.exec(
            select(LoginAttempt.step, LoginAttempt.outcome)
            .where(LoginAttempt.person_id == person_id)
            .order_by(col(LoginAttempt.at), col(LoginAttempt.id))
        )
        return list(rows)


async def notices_of(house: House, person_id: UUID) -> list[str]:
    """The kinds of notices a person has in the cabinet."""
    async with house.container.database.work() as session:
        rows = await session.exec(
            select(Notice.kind).where(Notice.person_id == person_id, Notice.channel == "cabinet")
        )
        return list(rows)
