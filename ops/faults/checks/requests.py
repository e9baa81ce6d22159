"""Checks of requests: what the gov service holds against the rows, and the files of requests."""

from collections import Counter
from typing import TYPE_CHECKING, Any

import httpx
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from models.tables.cases import Case
from models.tables.requests import RequestAnswer, RequestFile, RequestMessage
from rules.cases.process import CaseKind, Status
from settings import Settings

if TYPE_CHECKING:
    from ops.faults.checks import CheckReport

CHECK = 8


async def check(
    report: "CheckReport", database: Database, settings: Settings, cases: list[Case]
) -> None:
    """The gov service has each message once; each version has one answer.

    It works on nothing that was withdrawn.
    """
    async with httpx.AsyncClient(trust_env=False, timeout=20) as http:
        reply = await http.get(f"{settings.gov_service_url}/messages")
    reply.raise_for_status()
    theirs: dict[str, Any] = {one["id"]: one for one in reply.json()}
    async with database.work() as session:
        messages = (await session.exec(select(RequestMessage))).all()
        answers = (await session.exec(select(RequestAnswer))).all()
    known = {str(one.message_id) for one in messages}
    strange = set(theirs) - known
    report.compare(CHECK, not strange, f"the gov service has {len(strange)} unknown messages")
    taken_back = {case.id for case in cases if case.status == Status.WITHDRAWN}
    for one in messages:
        state = theirs.get(str(one.message_id), {}).get("state")
        idle = one.case_id not in taken_back or state not in ("accepted", "working")
        report.compare(CHECK, idle, f"{one.message_id} was taken back but is worked on")
        if one.handed_over_at is not None and one.service is not None:
            kept = str(one.message_id) in theirs
            report.compare(CHECK, kept, f"{one.message_id} was handed over but did not arrive")
    answered = Counter((one.case_id, one.version) for one in answers)
    for (case_id, version), count in answered.items():
        report.compare(CHECK, count == 1, f"version {version} of {case_id} has {count} answers")
    for case in cases:
        if case.kind != CaseKind.REQUEST:
            continue
        ended = case.status in (Status.READY, Status.REFUSED)
        report.compare(
            CHECK,
            not ended or answered[case.id, case.version] == 1,
            f"{case.number} is {case.status} and its version {case.version} has no answer",
        )
        report.compare(
            CHECK,
            case.status != Status.ACCEPTED,
            f"{case.number} was never handed over",
        )


async def files(session: AsyncSession) -> dict[str, str | None]:
    """Key and SHA-256 of every file that belongs to a request."""
    wanted: dict[str, str | None] = {}
    for key, digest in (
        (RequestMessage.paper_key, RequestMessage.paper_sha256),
        (RequestMessage.envelope_key, RequestMessage.envelope_sha256),
        (RequestAnswer.envelope_key, RequestAnswer.envelope_sha256),
        (RequestFile.object_key, RequestFile.sha256),
    ):
        found = await session.exec(select(key, digest).where(col(key).is_not(None)))
        wanted |= {str(name): value for name, value in found.all()}
    return wanted
