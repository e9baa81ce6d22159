"""Living through requests: waiting, letting time pass, spoiling the module."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import update
from sqlmodel import col, select

from models.tables.notices import Notice
from models.tables.requests import RequestMessage
from rules.cases.process import Status
from rules.clock import now
from services.cases import wakeups
from services.cases.signals import CaseSignals
from services.dossier import page as dossier
from services.dossier.page import CasePage
from tests.shared.counter import Counter
from tests.shared.waiting import until


async def behave(module: httpx.AsyncClient, **chosen: Any) -> None:
    """How the module goes wrong, if at all."""
    reply = await module.put("/behaviour", json={"delay": 0, "callbacks": "lost", **chosen})
    assert reply.status_code == 200


async def stands_at(
    counter: Counter, case_id: UUID, status: Status, version: int | None = None
) -> None:
    """Wait until the request stands there, in this version where one is named."""

    async def check() -> bool:
        case = await counter.office.case(case_id)
        return case.status == status and version in (None, case.version)

    await until(check)


async def due(counter: Counter, case_id: UUID) -> None:
    """Let the time come at which the module is asked."""
    async with counter.database.work() as session:
        await session.exec(
            update(RequestMessage)
            .where(col(RequestMessage.case_id) == case_id)
            .values(ask_at=now() - timedelta(seconds=1))
        )
    await counter.office.set_times(case_id, wakes_at=now() - timedelta(hours=1), rung_at=None)
    signaller = counter.office.heard
    await wakeups.sweep(counter.database, CaseSignals(signaller), grace=1.0)


async def asked_until(counter: Counter, case_id: UUID, status: Status) -> None:
    """Ask again and again, as the hours go by, until the request stands there."""

    async def check() -> bool:
        if (await counter.office.case(case_id)).status == status:
            return True
        await due(counter, case_id)
        await asyncio.sleep(0.3)
        return False

    await until(check)


async def journaled(counter: Counter, case_id: UUID, kind: str) -> bool:
    """Whether the journal of the request holds such an entry."""
    return kind in [entry.kind for entry in await counter.office.journal(case_id)]


async def page_of(counter: Counter, case_id: UUID) -> CasePage:
    """What the applicant sees."""
    async with counter.database.work() as session:
        return await dossier.page(session, counter.clinician, case_id)


async def told(counter: Counter, case_id: UUID) -> list[tuple[str, str]]:
    """Kinds and channels of the notices about the request, oldest first."""
    async with counter.database.work() as session:
        found = await session.exec(
            select(Notice).where(Notice.case_id == case_id).order_by(col(Notice.id))
        )
        return [(one.kind, one.channel) for one in found.all()]
