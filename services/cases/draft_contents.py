"""The contents of a draft: answers and cited documents, and the revision by which it is changed.

A revision is a digest of both: a client that sends it has seen these contents.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, String, Uuid, any_, bindparam, func, insert
from sqlalchemy import select as of_columns
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import DirectRows
from models.tables.cases import Case, CaseAttachment, CaseVersion
from models.tables.documents import Document, DocumentVersion
from rules.access import Actor
from rules.cases.process import Status
from rules.refusals import FieldError, Refusal
from services.journal.entries import Along


def citation(kind: str, version_id: UUID) -> dict[str, str]:
    """A document as a draft cites it."""
    return {"kind": kind, "document_version_id": str(version_id)}


def revision_of(case: Case) -> str:
    """The digest of the draft's present contents."""
    body = json.dumps([case.draft or {}, case.draft_attachments], sort_keys=True)
    return hashlib.sha256(body.encode()).hexdigest()[:32]


@dataclass(frozen=True)
class Draft:
    """A draft as its applicant has it now."""

    id: UUID
    step: int
    status: Status
    data: dict[str, Any]
    attachments: list[dict[str, str]]
    revision: str
    saved_at: datetime | None


def draft_of(case: Case) -> Draft:
    """The draft of a case. Raises Refusal 409 if it has none."""
    if case.draft is None:
        raise Refusal("not_now", "Черновика нет.", 409)
    return Draft(
        id=case.id,
        step=case.step,
        status=Status(case.status),
        data=case.draft,
        attachments=case.draft_attachments,
        revision=revision_of(case),
        saved_at=case.draft_saved_at,
    )


def demand_seen(
    case: Case, attachments: Sequence[Mapping[str, str]] | None, revision: str | None
) -> None:
    """Raise Refusal 409 if a change would overwrite what its author may not have seen."""
    kept = case.draft_attachments
    if revision is not None:
        seen = revision == revision_of(case)
    else:
        seen = attachments is None or all(one in attachments for one in kept)
    if not seen:
        raise Refusal(
            "draft_changed",
            "Черновик изменился, пока вы его правили. Посмотрите, что в нём теперь, и повторите с"
            " новой меткой revision: ничего не потеряно.",
            409,
            revision=revision_of(case),
            data=case.draft or {},
            attachments=kept,
        )


async def attachments_of(
    session: AsyncSession, case_id: UUID, version: int
) -> list[dict[str, str]]:
    """The documents that a version cites, as a draft has them."""
    found = await session.exec(
        select(CaseAttachment)
        .where(CaseAttachment.case_id == case_id, CaseAttachment.case_version == version)
        .order_by(col(CaseAttachment.kind), col(CaseAttachment.document_version_id))
    )
    return [citation(a.kind, a.document_version_id) for a in found.all()]


async def contents_of(
    session: AsyncSession, case: Case
) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """Answers and documents of the draft; without a draft, those of the newest version."""
    if case.draft is not None:
        return case.draft, case.draft_attachments
    if not case.version:
        return {}, []
    version = await session.get_one(CaseVersion, (case.id, case.version))
    return dict(version.data), await attachments_of(session, case.id, case.version)


async def begin_correction(session: AsyncSession, case: Case) -> None:
    """Begin the correction of a submitted case with the contents of its newest version."""
    if case.draft is None:
        case.draft, case.draft_attachments = await contents_of(session, case)


_OWN_AND_GOOD = DirectRows(
    select(DocumentVersion.id)
    .join(Document)
    .where(
        col(DocumentVersion.id) == any_(bindparam("wanted", type_=ARRAY(Uuid()))),
        Document.owner_id == bindparam("owner"),
        DocumentVersion.verdict == "ok",
    )
)


async def checked_attachments(
    session: AsyncSession, actor: Actor, attachments: Sequence[Mapping[str, str]]
) -> list[dict[str, str]]:
    """The attachments, if each is an accepted document of the person's own. Raises Refusal 422."""
    cited = [(a["kind"], UUID(a["document_version_id"])) for a in attachments]
    # The same document twice for the same purpose counts once.
    given = [citation(kind, id_) for kind, id_ in dict.fromkeys(cited)]
    wanted = {id_ for _, id_ in cited}
    if not wanted:
        return []
    found = await _OWN_AND_GOOD.all(session, {"wanted": [*wanted], "owner": actor.person_id})
    if missing := wanted - set(found):
        raise Refusal(
            "not_your_document",
            "Приложить можно только свой принятый документ. Загрузите файл ещё раз.",
            422,
            [FieldError("attachments", f"{len(missing)}")],
        )
    return given


_ATTACHMENT = SQLModel.metadata.tables["case_attachment"]
_CITING = insert(_ATTACHMENT).from_select(
    ["case_id", "case_version", "kind", "document_version_id"],
    of_columns(
        bindparam("cited_by", type_=Uuid()),
        bindparam("cited_in", type_=Integer()),
        func.unnest(bindparam("cited_as", type_=ARRAY(String()))),
        func.unnest(bindparam("cited", type_=ARRAY(Uuid()))),
    ),
)


def citing(version: CaseVersion, attachments: Sequence[Mapping[str, str]]) -> Along:
    """The rows of the documents that a new version cites."""
    values = {
        "cited_by": version.case_id,
        "cited_in": version.number,
        "cited_as": [given["kind"] for given in attachments],
        "cited": [UUID(given["document_version_id"]) for given in attachments],
    }
    return Along(_CITING, values)


def not_asked_for() -> Refusal:
    """The document is of a kind that this form does not ask for."""
    words = "Такой документ здесь не нужен."
    return Refusal("not_asked_for", words, 422, [FieldError("kind", words)])
