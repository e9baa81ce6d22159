"""A whole case as one ZIP: the paper with its history, and all files that may be handed out (S7).

The archive is written while it is sent: each file goes from the object store to the person in
chunks, so that no file is in memory as a whole. Files are not compressed: they are already.
"""

import asyncio
import hashlib
import io
import tempfile
import zipfile
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID

import structlog
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from clients.objects import ObjectMissingError, Objects, ObjectStream
from models.tables.cases import CaseAttachment, CaseComment
from models.tables.conversation import MessageFile
from models.tables.credentials import AccreditationPackage
from models.tables.documents import DocumentVersion
from models.tables.requests import RequestAnswer, RequestFile, RequestMessage
from rules.access import Actor
from rules.archive import ERASED
from rules.clock import now
from rules.files.checks import safe_name
from rules.journal.entries import JournalKind
from rules.refusals import Refusal, not_found
from rules.texts.paper_names import act_name, case_name, portfolio_name, request_name
from services.cases.transitions import lock
from services.documents.copies import answer_picture, leaving
from services.dossier import page as dossier
from services.dossier.page import CasePage
from services.dossier.paper import FileFacts, facts_of
from services.exports.rendering import PaperJob, make
from services.files.intake import Drawn, Files, unavailable_is_refusal
from services.journal import entries as journal

log = structlog.get_logger(__name__)

SUMS = "SHA256SUMS"
MISSING = "отсутствует в хранилище"


class TornError(RuntimeError):
    """A file is not what its row says. The download breaks off, so that nobody trusts it."""


@dataclass(frozen=True)
class ArchiveMember:
    """A file of the case to hand out: in the object store, drawn now, or missing (None)."""

    facts: FileFacts
    source: str | Drawn | None


@dataclass(frozen=True)
class CaseExport:
    """An archive ready to be sent: its name, and its chunks."""

    name: str
    chunks: AsyncIterator[bytes]


async def of_case(
    database: Database,
    files: Files,
    actor: Actor,
    case_id: UUID,
    institution: str,
) -> CaseExport:
    """The archive of a case that the person may see; journaled. Raises `not_found`, Refusal 503."""
    at = now()
    async with database.work() as session:
        page = await dossier.page(session, actor, case_id)
        if page.case.number is None:
            raise not_found()
        found = await _found(session, page)
        case = await lock(session, case_id)
        await journal.append(
            session,
            chain=case.id,
            kind=JournalKind.CASE_EXPORTED,
            by=actor.person_id,
            facts={"files": len(found.documents) + len(found.answers) + len(found.papers)},
        )
    with unavailable_is_refusal():
        await files.objects.ping()
    kept = [
        *[await _document(database, files, actor, *one) for one in found.documents],
        *found.papers,
        *[await _answer(files, actor, *one) for one in found.answers],
    ]
    facts = facts_of(page, [one.facts for one in kept], found.cited, institution, at)
    with tempfile.TemporaryDirectory(prefix="medcab-export-") as folder:
        out = Path(folder) / "case.pdf"
        job = PaperJob(
            work="paper",
            template="case.typ",
            facts=facts,
            at=int(at.timestamp()),
            out=str(out),
        )
        await make(job)
        paper = await asyncio.to_thread(out.read_bytes)
    return CaseExport(
        case_name(page.case.number, ".zip"), _zip(files.objects, page.case.number, paper, kept)
    )


@dataclass(frozen=True)
class _Found:
    """All files of the case, each once, and the paths of the documents that versions cite."""

    documents: Sequence[tuple[str, DocumentVersion]]
    papers: Sequence[ArchiveMember]
    answers: Sequence[tuple[str, RequestAnswer, RequestFile]]
    cited: Mapping[UUID, str]


async def _found(session: AsyncSession, page: CasePage) -> _Found:
    case_id, papers = page.case.id, list[ArchiveMember]()
    documents, cited = list[tuple[str, DocumentVersion]](), dict[UUID, str]()
    taken: set[str] = set()
    for version in await _documents(session, page):
        path = _free(f"Приложения/{safe_name(version.file_name)}", taken)
        cited[version.id] = path
        if version.object_key is not None:
            documents.append((path, version))
    if page.act is not None and not page.act.object_key.startswith(ERASED):
        path = _free(act_name(page.act.number), taken)
        facts = FileFacts(path, "Подписанный акт", page.act.size, page.act.sha256)
        papers.append(ArchiveMember(facts, page.act.object_key))
    formed = await session.exec(
        select(RequestMessage)
        .where(RequestMessage.case_id == case_id)
        .order_by(col(RequestMessage.version))
    )
    for one in formed:
        if one.paper_key.startswith(ERASED):
            continue
        path = _free(request_name(page.case.number or "", one.version), taken)
        facts = FileFacts(path, "Электронный документ запроса", one.paper_size, one.paper_sha256)
        papers.append(ArchiveMember(facts, one.paper_key))
    packages = await session.exec(
        select(AccreditationPackage)
        .where(AccreditationPackage.case_id == case_id)
        .order_by(col(AccreditationPackage.version))
    )
    for package in packages:
        if package.portfolio_key.startswith(ERASED):
            continue
        path = _free(portfolio_name(page.case.number or "", package.version), taken)
        about = "Подписанное портфолио"
        facts = FileFacts(path, about, package.portfolio_size, package.portfolio_sha256)
        papers.append(ArchiveMember(facts, package.portfolio_key))
    told = await session.exec(
        select(RequestAnswer, RequestFile)
        .join(RequestFile, col(RequestFile.answer_id) == col(RequestAnswer.id))
        .where(RequestAnswer.case_id == case_id)
        .order_by(col(RequestAnswer.version), col(RequestFile.position))
    )
    answers = [
        (_free(f"Ответы/Версия {answer.version} {safe_name(file.name)}", taken), answer, file)
        for answer, file in told
    ]
    return _Found(documents, papers, answers, cited)


async def _document(
    database: Database, files: Files, actor: Actor, path: str, version: DocumentVersion
) -> ArchiveMember:
    about = "Приложенный документ"
    try:
        copy = await leaving(database, files, actor, version)
        if copy.original:
            return ArchiveMember(FileFacts(path, about, copy.size, version.sha256), copy.key)
        with unavailable_is_refusal():
            picture = await files.objects.read(copy.key)
    except Refusal as refusal:
        return _gone(refusal, FileFacts(path, about, version.size, version.sha256))
    return replace(_pictured(path, about, Drawn(picture, copy.media_type)), source=copy.key)


async def _answer(
    files: Files, actor: Actor, path: str, answer: RequestAnswer, file: RequestFile
) -> ArchiveMember:
    about = f"Ответ на версию {answer.version}"
    facts = FileFacts(path, about, file.size, file.sha256)
    try:
        picture = await answer_picture(files, actor, answer, file)
    except Refusal as refusal:
        return _gone(refusal, facts)
    if picture is None:
        return ArchiveMember(facts, file.object_key)
    return _pictured(path, about, picture)


def _pictured(path: str, about: str, picture: Drawn) -> ArchiveMember:
    digest = hashlib.sha256(picture.body).hexdigest()
    return ArchiveMember(FileFacts(path, f"{about}, изображение", picture.length, digest), picture)


def _gone(refusal: Refusal, facts: FileFacts) -> ArchiveMember:
    """A file that is lost does not hide the others. Raises the refusal if a server is down."""
    if refusal.status != 404:
        raise refusal
    return ArchiveMember(facts, None)


async def _documents(session: AsyncSession, page: CasePage) -> Sequence[DocumentVersion]:
    """The documents that versions cite, and those of messages that the person may read."""
    said = [comment.id for comment in page.comments]
    by_cases = select(CaseAttachment.document_version_id).where(
        CaseAttachment.case_id == page.case.id
    )
    by_words = (
        select(MessageFile.document_version_id)
        .join(CaseComment, col(CaseComment.id) == col(MessageFile.message_id))
        .where(col(CaseComment.id).in_(said))
    )
    found = await session.exec(
        select(DocumentVersion)
        .where(col(DocumentVersion.id).in_(by_cases) | col(DocumentVersion.id).in_(by_words))
        .order_by(col(DocumentVersion.id))
    )
    return found.all()


def _free(path: str, taken: set[str]) -> str:
    """The path, with a number if it is taken (compared without case, as Windows does)."""
    stem, dot, suffix = path.rpartition(".")
    found, n = path, 2
    while found.casefold() in taken:
        found = f"{stem} ({n}){dot}{suffix}" if dot else f"{path} ({n})"
        n += 1
    taken.add(found.casefold())
    return found


class _Outlet(io.RawIOBase):
    """The output of the ZIP: it holds the bytes until they are sent."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        piece = bytes(data)  # type: ignore[call-overload]
        self._waiting += piece
        return len(piece)

    def taken(self) -> bytes:
        """The bytes written since the last call."""
        piece = bytes(self._waiting)
        self._waiting.clear()
        return piece


async def _zip(
    objects: Objects, number: str, paper: bytes, kept: Sequence[ArchiveMember]
) -> AsyncIterator[bytes]:
    """The chunks of the archive. Raises TornError, and ObjectsDownError half-way."""
    outlet = _Outlet()
    sums: list[str] = []
    when = now().timetuple()[:6]
    with zipfile.ZipFile(outlet, "w", zipfile.ZIP_STORED) as archive:

        def entry(path: str) -> zipfile.ZipInfo:
            return zipfile.ZipInfo(path, when)

        name = case_name(number, ".pdf")
        archive.writestr(entry(name), paper, zipfile.ZIP_DEFLATED)
        sums.append(f"{hashlib.sha256(paper).hexdigest()}  {name}")
        yield outlet.taken()
        for one in kept:
            opened = await _opened(objects, one)
            if opened is None:
                words = f"{one.facts.path}\nSHA-256: {one.facts.sha256}\n{MISSING}\n"
                archive.writestr(entry(f"{one.facts.path} — {MISSING}.txt"), words)
                continue
            digest = hashlib.sha256()
            with archive.open(entry(one.facts.path), "w", force_zip64=True) as out:
                async for chunk in opened.chunks():
                    digest.update(chunk)
                    out.write(chunk)
                    yield outlet.taken()
            if digest.hexdigest() != one.facts.sha256:
                raise TornError(one.facts.path)
            sums.append(f"{one.facts.sha256}  {one.facts.path}")
        archive.writestr(entry(SUMS), "".join(line + "\n" for line in sums))
    yield outlet.taken()


async def _opened(objects: Objects, one: ArchiveMember) -> ObjectStream | Drawn | None:
    if not isinstance(one.source, str):
        return one.source
    try:
        return await objects.open(one.source)
    except ObjectMissingError:
        log.error("a kept file is missing from the object store", key=one.source)
        return None
