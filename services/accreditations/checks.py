"""The automatic check of an accreditation: its hours, its files, its term. It never rejects."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from models.messages import CaseState
from models.tables.cases import Case, CaseAttachment, CaseVersion
from models.tables.documents import DocumentVersion
from rules.accreditations.hours import Hours
from rules.accreditations.norms import AccreditationNorm, day_of, file_from
from rules.cases.process import Status, Transition
from rules.clock import now as present
from services.accreditations.norms import norm_of
from services.cases.transitions import CaseNotice, lock, move, state_of
from services.reviews import alarms
from services.reviews.decisions import end_check
from settings import Settings


async def check(settings: Settings, database: Database, case_id: UUID, step: int) -> CaseState:
    """Check the newest version and open the review.

    Safe to repeat: if the case is no longer at `step`, nothing changes and its state is returned.
    """
    now = present()
    async with database.work() as session:
        case = await lock(session, case_id)
        if case.step == step and case.status == Status.CHECKING:
            findings = await _findings(settings, session, case)
            await _open_review(session, case, findings, now)
        return await state_of(session, case)


async def _findings(
    settings: Settings, session: AsyncSession, case: Case
) -> Sequence[Mapping[str, Any]]:
    version = await session.get_one(CaseVersion, (case.id, case.version))
    day = version.submitted_at.astimezone(ZoneInfo(case.term_zone)).date()
    norm = norm_of(settings, day)
    cited = await session.exec(
        select(CaseAttachment.kind, DocumentVersion.verdict)
        .join(DocumentVersion, col(DocumentVersion.id) == col(CaseAttachment.document_version_id))
        .where(CaseAttachment.case_id == case.id, CaseAttachment.case_version == case.version)
    )
    return findings_of(version.data, list(cited.all()), day, norm)


def findings_of(
    data: Mapping[str, Any], cited: Sequence[tuple[str, str]], day: date, norm: AccreditationNorm
) -> list[dict[str, Any]]:
    """The findings of a check, problems first. `severity` is `problem`, `warning` or `fine`."""
    found = [*_of_hours(data, norm), *_of_term(data, day, norm)]
    refused = [kind for kind, verdict in cited if verdict != "ok"]
    for kind in refused:
        found.append(_said("attachment_refused", "problem", kind, "Файл не прошёл проверку."))
    if not refused:
        text = "Все обязательные документы приложены."
        found.append(_said("attachments_fine", "fine", "attachments", text))
    order = {"problem": 0, "warning": 1, "fine": 2}
    return sorted(found, key=lambda one: order[one["severity"]])


def _said(code: str, severity: str, about: str, text: str) -> dict[str, Any]:
    return {"code": code, "severity": severity, "about": about, "text": text}


def _of_hours(data: Mapping[str, Any], norm: AccreditationNorm) -> list[dict[str, Any]]:
    hours = Hours(
        int(data.get("hours") or 0),
        int(data.get("certified_hours") or 0),
        norm.hours,
        norm.certified_hours,
    )
    if hours.enough:
        return [_said("hours_fine", "fine", "hours", "Часов обучения достаточно.")]
    found = []
    if hours.total < hours.needed:
        text = "Часов обучения за пять лет меньше, чем требуется."
        found.append(_said("hours_missing", "problem", "hours", text))
    if hours.certified_missing:
        text = "Часов на аккредитованных курсах меньше, чем требуется."
        found.append(_said("certified_hours_missing", "problem", "certified_hours", text))
    return found


def _of_term(data: Mapping[str, Any], day: date, norm: AccreditationNorm) -> list[dict[str, Any]]:
    until = day_of(data.get("valid_until"))
    if until is None:
        return []
    if day > until:
        text = "Срок прежней аккредитации уже истёк."
        return [_said("accreditation_over", "warning", "valid_until", text)]
    if day < file_from(until, norm):
        text = "До конца прежней аккредитации ещё далеко: центр может вернуть документы."
        return [_said("filed_early", "warning", "valid_until", text)]
    return [_said("filed_in_time", "fine", "valid_until", "Документы поданы в срок.")]


async def _open_review(
    session: AsyncSession, case: Case, findings: Sequence[Mapping[str, Any]], now: datetime
) -> None:
    reviewer, facts = await end_check(session, case, [dict(one) for one in findings], now)
    tell = [CaseNotice("accreditation_in_review", case.applicant_id)]
    if reviewer is not None:
        tell.append(CaseNotice("review_assigned", reviewer))
    await move(session, case, Transition.OPEN_REVIEW, now=now, facts=facts, tell=tell)


async def wake(database: Database, case_id: UUID) -> CaseState:
    """Do what is due by the clock: remind, escalate, or let an unanswered case lapse."""
    return await alarms.wake(database, case_id, lapsed="accreditation_lapsed")
