"""The conversation on a case between its applicant and those who review it (A8).

Messages may carry files, which are documents of their sender. Internal remarks are seen by
reviewers only. What each person has read is stored, so that lists can show what is new.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, or_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from models.tables.cases import Case, CaseComment
from models.tables.conversation import ConversationReading, MessageFile
from models.tables.documents import Document, DocumentVersion
from models.tables.people import Person
from rules.access import Actor
from rules.cases import conversation, deciding
from rules.cases.kinds import decides_anywhere
from rules.clock import now as present
from rules.files.checks import Verdict
from rules.ids import new_id
from rules.journal.disclosure import Audience
from rules.journal.entries import JournalKind
from rules.notices.kinds import NoticeKind
from rules.refusals import FieldError, Refusal, act_id_reused, forbidden
from services import access, rate_limits
from services.cases import audience
from services.cases.transitions import lock, may_see, see
from services.journal import entries as journal
from services.journal.disclosure import audiences
from services.notices import outbox


@dataclass(frozen=True)
class SentFile:
    """A file that was sent with a message."""

    document_version_id: UUID
    file_name: str
    media_type: str
    size: int


@dataclass(frozen=True)
class Message:
    """A message as shown to the person who asks; `new` if it came after their last visit."""

    id: UUID
    by: str
    own: bool
    of_applicant: bool
    at: datetime
    internal: bool
    text: str
    files: Sequence[SentFile] = ()
    new: bool = False


class Conversations:
    """What people write on cases. Methods raise Refusal."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def demand(self, actor: Actor, case_id: UUID) -> None:
        """Raise Refusal 403 or 404 if the person may not write on the case."""
        async with self._database.work() as session:
            await _talked_about(session, actor, case_id)

    async def say(
        self,
        actor: Actor,
        case_id: UUID,
        text: str,
        *,
        files: Sequence[UUID] = (),
        internal: bool = False,
        message_id: UUID | None = None,
    ) -> CaseComment:
        """Write a message and notify the other side. `files` are versions of own documents.

        The same `message_id` again returns the message that was written. Raises Refusal 403 and
        404, 409 if the conversation is over, 422, and 429 for too many messages.
        """
        files = tuple(dict.fromkeys(files))
        text = conversation.checked_text(text, len(files))
        async with self._database.work() as session:
            case = await lock(session, case_id)
            await _talked_about(session, actor, case_id)
            if internal and case.applicant_id == actor.person_id:
                raise forbidden()
            # After the lock, so that messages of one case have the order in which they were
            # written, and one that is sent twice at once is counted once.
            now = present()
            said = await _said_before(
                session, actor, case_id, message_id, text, files, internal=internal
            )
            if said is not None:
                return said
            wait = await rate_limits.take(
                session, [(conversation.OFTEN, str(actor.person_id))], now
            )
            if wait:
                raise conversation.too_many(wait)
            if not case.number:
                raise conversation.not_begun()
            if conversation.is_over(case.closed_at, now):
                raise conversation.over()
            sent = await _own_files(session, actor, files)
            message = CaseComment(
                id=message_id or new_id(),
                case_id=case.id,
                by=actor.person_id,
                at=now,
                internal=internal,
                text=text,
            )
            await _keep(session, case, message, files, sent)
            await _tell(session, actor, case, message)
            return message

    async def read(self, actor: Actor, case_id: UUID, message_id: UUID) -> None:
        """Note that the person has read up to this message."""
        async with self._database.work() as session:
            await see(session, actor, case_id)
            found = await session.exec(
                select(CaseComment.at).where(
                    CaseComment.id == message_id, CaseComment.case_id == case_id
                )
            )
            if (at := found.one_or_none()) is not None:
                await _note(session, actor, case_id, at)


async def _talked_about(session: AsyncSession, actor: Actor, case_id: UUID) -> Case:
    """The case, for its applicant and its reviewers. Raises Refusal for others."""
    case = await see(session, actor, case_id)
    own = case.applicant_id == actor.person_id
    if not own and not deciding.reviews(actor, case):
        raise forbidden()
    return case


def _names(files: Sequence[UUID], sent: dict[UUID, DocumentVersion]) -> dict[str, Any]:
    return {"files": [sent[one].file_name for one in files]} if files else {}


async def _said_before(
    session: AsyncSession,
    actor: Actor,
    case_id: UUID,
    message_id: UUID | None,
    text: str,
    files: Sequence[UUID],
    *,
    internal: bool,
) -> CaseComment | None:
    said = await session.get(CaseComment, message_id) if message_id else None
    if said is None:
        return None
    sent = await session.exec(
        select(MessageFile.document_version_id)
        .where(MessageFile.message_id == said.id)
        .order_by(col(MessageFile.position))
    )
    stored = (said.case_id, said.by, said.text, said.internal, tuple(sent.all()))
    if stored != (case_id, actor.person_id, text, internal, tuple(files)):
        raise act_id_reused()
    return said


async def _own_files(
    session: AsyncSession, actor: Actor, files: Sequence[UUID]
) -> dict[UUID, DocumentVersion]:
    """The files by their ids, if each is an accepted document of the person's own.

    Raises Refusal 422 otherwise.
    """
    if not files:
        return {}
    found = await session.exec(
        select(DocumentVersion)
        .join(Document)
        .where(
            col(DocumentVersion.id).in_(files),
            Document.owner_id == actor.person_id,
            DocumentVersion.verdict == Verdict.OK,
        )
    )
    known = {version.id: version for version in found.all()}
    if len(known) < len(files):
        words = "Приложить можно только свой принятый документ. Загрузите файл ещё раз."
        raise Refusal("not_your_document", words, 422, [FieldError("file", words)])
    return known


async def _keep(
    session: AsyncSession,
    case: Case,
    message: CaseComment,
    files: Sequence[UUID],
    sent: dict[UUID, DocumentVersion],
) -> None:
    """Store the message with its files, and add it to the case's journal."""
    session.add(message)
    try:
        await session.flush()
    except IntegrityError:
        # A message with the same id was stored on another case a moment before.
        raise act_id_reused() from None
    session.add_all(
        MessageFile(message_id=message.id, document_version_id=one, position=position)
        for position, one in enumerate(files)
    )
    facts: dict[str, Any] = {"comment": str(message.id), "internal": message.internal}
    if sent:
        facts["files"] = [sent[one].sha256 for one in files]
    await journal.append(
        session,
        chain=case.id,
        kind=JournalKind.CASE_COMMENTED,
        at=message.at,
        by=message.by,
        step=case.step,
        facts=facts,
        contents={"text": message.text, **_names(files, sent)},
    )


async def _tell(session: AsyncSession, actor: Actor, case: Case, message: CaseComment) -> None:
    """Notify the other side; of an internal remark, the reviewer of the case.

    If the reviewer is absent, as on a case closed long ago, a message of the applicant is announced
    to all reviewers of the unit.
    """
    own = case.applicant_id == actor.person_id
    if own or message.internal:
        right, unit_id = deciding.permission_of(case), case.responsible_unit_id
        here = set(await access.present_reviewers(session, unit_id, message.at, right))
        to = here & {case.reviewer_id} or (here if own else set())
        to -= {case.applicant_id}
    else:
        to = {case.applicant_id}
    told = [
        outbox.NoticeEvent(
            person_id=person,
            kind=NoticeKind.COMMENT_ADDED,
            event_key=f"{case.id}:comment:{message.id}",
            case_id=case.id,
            facts={"number": case.number},
        )
        for person in sorted(to - {actor.person_id}, key=str)
    ]
    await outbox.enqueue_all(session, told, message.at)


def may_see_message(actor: Actor, case: Case, *, internal: bool) -> bool:
    """Whether the person may see what was written on a case; internal remarks are for reviewers."""
    if not internal:
        return may_see(actor, case)
    return Audience.REVIEWER in audiences(actor, case)


async def messages(session: AsyncSession, actor: Actor, case: Case) -> list[Message]:
    """The messages on a case that the person may see, oldest first."""
    to = audiences(actor, case)
    query = (
        select(CaseComment, Person)
        .join(Person, col(Person.id) == col(CaseComment.by))
        .where(CaseComment.case_id == case.id)
        .order_by(col(CaseComment.at), col(CaseComment.id))
    )
    if to.isdisjoint({Audience.REVIEWER, Audience.AUDITOR}):
        query = query.where(col(CaseComment.internal).is_(False))
    rows = (await session.exec(query)).all()
    if not rows:
        return []
    files = await _files(session, case.id)
    reading = await session.get(ConversationReading, (case.id, actor.person_id))
    since = reading.before if reading else None
    talks = not to.isdisjoint({Audience.APPLICANT, Audience.REVIEWER})
    return [
        Message(
            id=said.id,
            by=person.name,
            own=said.by == actor.person_id,
            of_applicant=said.by == case.applicant_id,
            at=said.at,
            internal=said.internal,
            text=said.text,
            files=files.get(said.id, ()),
            new=talks and said.by != actor.person_id and (since is None or said.at > since),
        )
        for said, person in rows
    ]


async def _files(session: AsyncSession, case_id: UUID) -> dict[UUID, list[SentFile]]:
    found = await session.exec(
        select(MessageFile, DocumentVersion)
        .join(CaseComment, col(CaseComment.id) == col(MessageFile.message_id))
        .join(DocumentVersion, col(DocumentVersion.id) == col(MessageFile.document_version_id))
        .where(CaseComment.case_id == case_id)
        .order_by(col(MessageFile.position))
    )
    files: dict[UUID, list[SentFile]] = {}
    for sent, version in found.all():
        files.setdefault(sent.message_id, []).append(
            SentFile(version.id, version.file_name, version.media_type, version.size)
        )
    return files


async def visited(session: AsyncSession, actor: Actor, case_id: UUID) -> None:
    """Note that a person opens the page of a case: everything written until now is read.

    Messages since the last visit are shown as new until the next one.
    """
    found = await session.exec(
        select(func.max(CaseComment.at)).where(CaseComment.case_id == case_id)
    )
    newest: datetime | None = found.one()
    if newest is not None:
        await _note(session, actor, case_id, newest, visit=True)


async def _note(
    session: AsyncSession, actor: Actor, case_id: UUID, at: datetime, *, visit: bool = False
) -> None:
    table = ConversationReading
    changed: dict[str, Any] = {"read_to": func.greatest(col(table.read_to), at)}
    if visit:
        changed["before"] = col(table.read_to)
    await session.exec(
        insert(table)
        .values(case_id=case_id, person_id=actor.person_id, read_to=at)
        .on_conflict_do_update(index_elements=["case_id", "person_id"], set_=changed)
    )


async def unread(
    session: AsyncSession, actor: Actor, case_ids: Sequence[UUID] | None = None
) -> dict[UUID, int]:
    """How many messages the person has not read, by case: of these cases or of all.

    For reviewers these are the applicant's messages, unless a colleague has answered since, and the
    internal remarks of colleagues.
    """
    reviews = decides_anywhere(actor)
    answer = aliased(CaseComment)
    answered = (
        select(answer.id)
        .where(
            col(answer.case_id) == col(CaseComment.case_id),
            col(answer.at) > col(CaseComment.at),
            col(answer.internal).is_(False),
            col(answer.by) != col(Case.applicant_id),
        )
        .exists()
    )
    of_others = and_(
        col(Case.applicant_id) != actor.person_id,
        audience.reviewed_by(actor),
        or_(
            col(CaseComment.internal),
            and_(col(CaseComment.by) == col(Case.applicant_id), ~answered),
        ),
    )
    mine = and_(audience.own(actor), col(CaseComment.internal).is_(False))
    parts = [mine] if audience.own_kinds(actor) else []
    if reviews:
        parts.append(of_others)
    if not parts:
        return {}
    query = (
        select(CaseComment.case_id, func.count())
        .join(Case, col(Case.id) == col(CaseComment.case_id))
        .outerjoin(
            ConversationReading,
            and_(
                col(ConversationReading.case_id) == col(CaseComment.case_id),
                col(ConversationReading.person_id) == actor.person_id,
            ),
        )
        .where(
            CaseComment.by != actor.person_id,
            or_(
                col(ConversationReading.read_to).is_(None),
                col(CaseComment.at) > col(ConversationReading.read_to),
            ),
            or_(*parts),
        )
        .group_by(col(CaseComment.case_id))
    )
    if case_ids is not None:
        if not case_ids:
            return {}
        query = query.where(col(CaseComment.case_id).in_(case_ids))
    return dict((await session.exec(query)).all())
