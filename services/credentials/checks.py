"""What a person says of a credential, checked as a whole: all that is wrong at once (Q3)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.documents import Document, DocumentVersion
from rules.access import Actor
from rules.credentials.categories import MOST_FILES, CategoryDefinition
from rules.files.checks import Verdict
from rules.forms.definitions import Value, check_form
from rules.refusals import FieldError, Refusal

NO_FILES = "Приложите копию документа: PDF или JPEG"


@dataclass(frozen=True)
class Contents:
    """What a person says of a credential, as typed, and its files: versions of documents."""

    data: Mapping[str, Any]
    files: Sequence[UUID] = ()


async def checked(
    session: AsyncSession,
    actor: Actor,
    definition: CategoryDefinition,
    contents: Contents,
    today: date,
) -> dict[str, Value]:
    """The canonical values. Raises Refusal 422 with all that is wrong; `files` names the files."""
    data, errors = check_form(definition, contents.data, complete=True, today=today)
    if contents.files:
        errors += await file_errors(session, actor, contents.files)
    elif definition.files_required:
        errors.append(FieldError("files", NO_FILES))
    if errors:
        raise incomplete(errors)
    return data


def checked_form(
    definition: CategoryDefinition, data: Mapping[str, Any], today: date
) -> dict[str, Value]:
    """The canonical values alone. Raises Refusal 422."""
    values, errors = check_form(definition, data, complete=True, today=today)
    if errors:
        raise incomplete(errors)
    return values


def incomplete(errors: Sequence[FieldError]) -> Refusal:
    """Something has to be mended."""
    return Refusal("incomplete", "Исправьте отмеченные поля.", 422, errors)


async def file_errors(
    session: AsyncSession, actor: Actor, files: Collection[UUID]
) -> list[FieldError]:
    """What is wrong with files: too many, or not accepted ones of one's own."""
    if len(files) > MOST_FILES:
        return [FieldError("files", "Оставьте не больше 10 файлов")]
    found = await session.exec(
        select(func.count())
        .select_from(DocumentVersion)
        .join(Document)
        .where(
            col(DocumentVersion.id).in_(files),
            Document.owner_id == actor.person_id,
            DocumentVersion.verdict == Verdict.OK,
            col(DocumentVersion.object_key).is_not(None),
        )
    )
    if found.one() < len(files):
        words = "Приложить можно только свой принятый документ. Загрузите файл ещё раз"
        return [FieldError("files", words)]
    return []
