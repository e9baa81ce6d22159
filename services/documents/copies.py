"""What a person gets who asks for a file: the original, or a picture made from it.

Everything that hands out files asks here: downloads of the API and of pages, the archive file of a
case, files of messages.
"""

from dataclasses import dataclass

from sqlalchemy.dialects.postgresql import insert as upsert

from clients.database import Database
from models.tables.documents import DocumentImage, DocumentVersion
from models.tables.requests import RequestAnswer, RequestFile
from rules import clock
from rules.access import Actor, Permission
from rules.files.checks import MediaType, leaves_as_given
from rules.refusals import Refusal, not_found
from services.files.intake import Drawn, Files


@dataclass(frozen=True)
class Copy:
    """An object that may be handed out."""

    key: str
    media_type: str
    size: int
    original: bool


def keeps(actor: Actor, version: DocumentVersion) -> bool:
    """Whether the file is the person's own; a token must have the scope as well.

    Only the owner of a document gives files for it.
    """
    within = actor.scope is None or Permission.KEEP_DOCUMENTS in actor.scope
    return version.uploaded_by == actor.person_id and within


async def leaving(database: Database, files: Files, actor: Actor, version: DocumentVersion) -> Copy:
    """What a person gets who may open this file. Call it outside a unit of work: it may draw.

    Raises Refusal 404 for a file that is gone or cannot be drawn, 503 while a server is down.
    """
    if leaves_as_given(version.media_type, own=keeps(actor, version)):
        return Copy(key_of(version), version.media_type, version.size, original=True)
    image = await page_image(database, files, version, 1)
    return Copy(image.object_key, image.media_type, image.size, original=False)


async def answer_picture(
    files: Files, actor: Actor, answer: RequestAnswer, file: RequestFile
) -> Drawn | None:
    """The picture handed out instead of a file of an answer; None if the file itself is.

    A file that the gov service signed belongs to nobody, and is handed out as it came; a file given
    by a colleague is that colleague's. Raises Refusal as `leaving` does.
    """
    own = answer.by is None or answer.by == actor.person_id
    if leaves_as_given(file.media_type, own=own):
        return None
    drawn = await files.picture(file.object_key, MediaType(file.media_type))
    if drawn is None:
        raise cannot_be_shown()
    return drawn


async def page_image(
    database: Database, files: Files, version: DocumentVersion, page: int
) -> DocumentImage:
    """The picture of a page (from 1); it is drawn when it is first asked for, and stored."""
    if not 1 <= page <= (version.pages or 1):
        raise not_found()
    async with database.work() as session:
        drawn = await session.get(DocumentImage, (version.id, page))
    if drawn is not None:
        return drawn
    made = await files.draw(key_of(version), MediaType(version.media_type), page)
    if made is None:
        raise cannot_be_shown()
    key, media_type, size = made
    image = DocumentImage(
        version_id=version.id,
        page=page,
        object_key=key,
        media_type=media_type,
        size=size,
        drawn_at=clock.now(),
    )
    async with database.work() as session:
        await session.exec(
            upsert(DocumentImage).values(image.model_dump()).on_conflict_do_nothing()
        )
    return image


def cannot_be_shown() -> Refusal:
    """There is a file, but no picture can be made from it."""
    return Refusal("cannot_be_shown", "Эту страницу не удаётся показать.", 404)


def key_of(version: DocumentVersion) -> str:
    """The key of the original. Raises `not_found` if it was erased or never stored."""
    if version.object_key is None:
        raise not_found()
    return version.object_key
