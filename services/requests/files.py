"""Papers and answers of a request, for those who may see them: lists for the page, and files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.objects import Objects, ObjectStream
from models.tables.cases import Case
from models.tables.people import Person
from models.tables.requests import RequestAnswer, RequestFile, RequestMessage
from rules.access import Actor
from rules.cases.process import CaseKind, Status
from rules.journal.tags import ViewCode
from rules.refusals import not_found
from rules.texts.paper_names import answer_name, request_name
from services.cases.transitions import see
from services.documents.copies import answer_picture
from services.files.intake import Drawn, Files, unavailable_is_refusal
from services.journal import entries as journal

_ENDINGS = {
    "application/pdf": ".pdf",
    "image/jpeg": ".jpg",
    "application/json": ".json",
    "text/plain": ".txt",
}
"""Types of files that keep their type and ending; any other is sent as a stream of bytes."""


@dataclass(frozen=True)
class RequestPaper:
    """The electronic document of one version, and how far it has come."""

    version: int
    formed_at: datetime
    sha256: str
    size: int
    sealed: bool
    """Whether it is signed and encrypted for the gov service."""
    handed_over_at: datetime | None
    state: str | None


@dataclass(frozen=True)
class AnswerFile:
    """A file of an answer; it is opened by its `position`."""

    position: int
    name: str
    media_type: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Answered:
    """The answer to one version; of a refusal, `message` is the reason."""

    version: int
    outcome: Status
    at: datetime
    by: str | None
    signer: str | None
    signed_at: datetime | None
    title: str | None
    document_number: str | None
    message: str | None
    data: Mapping[str, Any] | None
    files: Sequence[AnswerFile]


async def papers_of(session: AsyncSession, case: Case) -> list[RequestPaper]:
    """The documents of a request, by version."""
    found = await session.exec(
        select(RequestMessage)
        .where(RequestMessage.case_id == case.id)
        .order_by(col(RequestMessage.version))
    )
    return [
        RequestPaper(
            version=one.version,
            formed_at=one.formed_at,
            sha256=one.paper_sha256,
            size=one.paper_size,
            sealed=one.envelope_key is not None,
            handed_over_at=one.handed_over_at,
            state=one.state,
        )
        for one in found.all()
    ]


async def answers_of(session: AsyncSession, case: Case) -> list[Answered]:
    """The answers to a request, by version: earlier ones stay when it is corrected (S6)."""
    found = await session.exec(
        select(RequestAnswer, Person.name)
        .outerjoin(Person, col(Person.id) == col(RequestAnswer.by))
        .where(RequestAnswer.case_id == case.id)
        .order_by(col(RequestAnswer.version))
    )
    rows = found.all()
    kept = await session.exec(
        select(RequestFile)
        .where(col(RequestFile.answer_id).in_([answer.id for answer, _ in rows]))
        .order_by(col(RequestFile.position))
    )
    files: dict[UUID, list[AnswerFile]] = {answer.id: [] for answer, _ in rows}
    for file in kept.all():
        files[file.answer_id].append(
            AnswerFile(file.position, file.name, file.media_type, file.size, file.sha256)
        )
    return [
        Answered(
            version=answer.version,
            outcome=Status(answer.outcome),
            at=answer.at,
            by=name,
            signer=answer.signer,
            signed_at=answer.signed_at,
            title=answer.title,
            document_number=answer.document_number,
            message=answer.message,
            data=answer.data,
            files=files[answer.id],
        )
        for answer, name in rows
    ]


@dataclass(frozen=True)
class Download:
    """A file to be sent to somebody who may have it; `name` is safe in a header."""

    name: str
    media_type: str
    opened: ObjectStream | Drawn


async def open_paper(
    session: AsyncSession, objects: Objects, actor: Actor, case_id: UUID, version: int | None
) -> Download:
    """The document of a version, by default the newest. Raises `not_found`, Refusal 503."""
    case = await _request(session, actor, case_id)
    row = await session.get(RequestMessage, (case.id, version or case.version))
    if row is None:
        raise not_found()
    await journal.record_view(session, actor, case.id, ViewCode.REQUEST_DOCUMENT)
    with unavailable_is_refusal():
        opened = await objects.open(row.paper_key)
    return Download(request_name(case.number or "", row.version), "application/pdf", opened)


async def open_answer(
    session: AsyncSession,
    files: Files,
    actor: Actor,
    case_id: UUID,
    version: int | None,
    position: int,
) -> Download:
    """A file of the answer to a version, by default the newest answer.

    Raises `not_found`, Refusal 503.
    """
    case = await _request(session, actor, case_id)
    query = (
        select(RequestFile, RequestAnswer)
        .join(RequestAnswer, col(RequestAnswer.id) == col(RequestFile.answer_id))
        .where(RequestAnswer.case_id == case.id, RequestFile.position == position)
        .order_by(col(RequestAnswer.version).desc())
        .limit(1)
    )
    if version is not None:
        query = query.where(RequestAnswer.version == version)
    found = (await session.exec(query)).one_or_none()
    if found is None:
        raise not_found()
    file, answer = found
    await journal.record_view(session, actor, case.id, ViewCode.REQUEST_ANSWER)
    picture = await answer_picture(files, actor, answer, file)
    opened = picture or await files.open(file.object_key)
    known = file.media_type in _ENDINGS
    ending = _ENDINGS.get(file.media_type, ".bin")
    return Download(
        answer_name(case.number or "", answer.version, position, ending),
        file.media_type if known else "application/octet-stream",
        opened,
    )


async def _request(session: AsyncSession, actor: Actor, case_id: UUID) -> Case:
    case = await see(session, actor, case_id)
    if case.kind != CaseKind.REQUEST:
        raise not_found()
    return case
