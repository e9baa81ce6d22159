"""The audit as a list: entries of the journal, views, and tries to sign in, newest first (I9).

All ids are UUIDv7, so that three tables have one order, and a place in the list is an id. Each
value asked for starts one short scan of an index, and a period of at most `rules.journal.audit
.WINDOW` bounds what is read beside it; so a page costs the same however long the journal is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Select,
    Text,
    Uuid,
    and_,
    bindparam,
    func,
    literal,
    null,
    or_,
    true,
    union_all,
)
from sqlalchemy import select as choose
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.accounts import LoginAttempt
from models.tables.cases import Case
from models.tables.credentials import Credential
from models.tables.documents import Document, DocumentVersion
from models.tables.handovers import Handover
from models.tables.journal import JournalEntry, RecordView
from models.tables.people import Person
from rules.accounts import Outcome, Step
from rules.credentials.handovers import TOLD_STATES
from rules.journal.audit import PAGE, AuditQuery, Source
from rules.journal.entries import JournalKind
from rules.journal.tagging import OF_KIND, OF_STEP, OF_VIEW, kinds_of, of_attempt, views_of
from rules.journal.tags import AuditTag, ViewCode

_SLACK = timedelta(days=1)
"""How far the time in an id may be from the time that the row states."""
_NOT_JOURNALED = (Step.PASSWORD, Step.CHECK, Step.RESET_ASKED, Step.REGISTRATION_ASKED)
"""Steps of the login journal that bring no entry even when they go well."""
_OF_ACCOUNTS = tuple(
    kind.value for kind in JournalKind if kind.value.startswith(("account.", "person.", "role."))
)
"""What others do to somebody's account. What they do to a case, its own page tells."""


@dataclass(frozen=True)
class AuditLine:
    """One act, view or attempt. Names are empty where nobody is known by that id."""

    id: UUID
    at: datetime
    source: Source
    tag: AuditTag
    by: UUID | None
    by_name: str
    system: str | None
    subject: UUID | None
    """The case, person or document that it is about."""
    case_number: str | None
    about_name: str
    """The person that it is about, where that is not who acted."""
    title: str
    """The document that was looked at, for its owner alone."""
    address: str
    device: str


@dataclass(frozen=True)
class AuditPage:
    """A page of the audit, and the place after which the next one begins."""

    lines: Sequence[AuditLine]
    after: UUID | None


async def page(
    session: AsyncSession, query: AuditQuery, after: UUID | None = None, limit: int = PAGE
) -> AuditPage:
    """The newest lines before the place `after`. Whoever calls says who may ask for what."""
    most = limit + 1
    parts = [
        part.subquery()
        for part in (
            _entries(query, after, most),
            _views(query, after, most),
            _attempts(query, after, most),
        )
        if part is not None
    ]
    if not parts:
        return AuditPage((), None)
    whole = union_all(*(choose(part) for part in parts)).subquery("audit")
    connection = await session.connection()
    found = await connection.execute(choose(whole).order_by(whole.c.id.desc()).limit(most))
    rows = found.all()
    lines = await _told(session, query, rows[:limit])
    return AuditPage(lines, rows[limit - 1].id if len(rows) > limit else None)


def _within(table: Any, query: AuditQuery, after: UUID | None) -> ColumnElement[bool]:
    """The period and the place, as bounds of the ids and of the time that the row states."""
    bounds = [
        col(table.id) >= _earliest(query.since - _SLACK),
        col(table.id) < _earliest(query.until + _SLACK),
        col(table.at) >= query.since,
        col(table.at) <= query.until,
    ]
    if after is not None:
        bounds.append(col(table.id) < after)
    return and_(*bounds)


def _earliest(at: datetime) -> UUID:
    """The least UUIDv7 that can be made at this moment."""
    milliseconds = max(int(at.timestamp() * 1000), 0)
    return UUID(int=milliseconds << 80)


def _started(name: str, kind: Any, values: Sequence[Any]) -> Any:
    """Values that each start a scan, as a table with one column `at`."""
    given = bindparam(None, list(values), type_=ARRAY(kind), unique=True)
    return func.unnest(given).table_valued("at", name=name).render_derived()


def _scans(
    columns: Sequence[Any],
    table: Any,
    where: ColumnElement[bool],
    most: int,
    starts: Any = None,
    *,
    rare: bool = False,
) -> Select[Any]:
    """The newest rows under a condition: of each value that starts a scan, if there are any.

    The choice of the index must not be left to statistics, which know nothing of a value that
    never occurs: `rare` asks for an order of nulls that only the indexes for such values have.
    """
    newest = col(table.id).desc()
    order = newest.nulls_last() if rare else newest
    found: Select[Any] = choose(*columns).where(where).order_by(order).limit(most)
    if starts is None:
        return found
    walk = found.lateral()
    return choose(walk).select_from(starts, walk).order_by(walk.c.id.desc()).limit(most)


def _entries(query: AuditQuery, after: UUID | None, most: int) -> Select[Any] | None:
    kinds = kinds_of(query.tags)
    if query.address or (query.tags and not kinds):
        return None
    where, starts = _within(JournalEntry, query, after), None
    if query.by is not None:
        where &= col(JournalEntry.by_person) == query.by
    if query.about is not None:
        others = col(JournalEntry.by_person).is_distinct_from(query.about)
        where &= (col(JournalEntry.chain) == query.about) & others
        where &= col(JournalEntry.kind).in_(_OF_ACCOUNTS)
    if query.case_id is not None:
        where &= col(JournalEntry.chain) == query.case_id
    if kinds and query.by is query.about is query.case_id is None:
        starts = _started("kinds", Text(), kinds)
        where &= col(JournalEntry.kind) == starts.c.at
    elif kinds:
        where &= col(JournalEntry.kind).in_(kinds)
    columns: tuple[Any, ...] = (
        col(JournalEntry.id).label("id"),
        col(JournalEntry.at).label("at"),
        literal(Source.ENTRY.value).label("source"),
        col(JournalEntry.kind).label("what"),
        literal("").label("outcome"),
        col(JournalEntry.by_person).label("by"),
        col(JournalEntry.by_system).label("system"),
        col(JournalEntry.chain).label("subject"),
        literal("").label("address"),
        literal("").label("device"),
    )
    return _scans(columns, JournalEntry, where, most, starts, rare=starts is not None)


def _views(query: AuditQuery, after: UUID | None, most: int) -> Select[Any] | None:
    codes = views_of(query.tags)
    if query.address or (query.tags and not codes):
        return None
    where, starts, rare = _within(RecordView, query, after), None, False
    if query.by is not None:
        where &= col(RecordView.by_person) == query.by
    if query.about is not None:
        # Views have no owner of their own: each thing of the person's starts a scan.
        starts = _things_of(query.about).subquery("things")
        where &= (col(RecordView.subject) == starts.c.at) & (
            col(RecordView.by_person) != query.about
        )
    if query.case_id is not None:
        where &= col(RecordView.subject) == query.case_id
    if codes and query.by is query.about is query.case_id is None:
        starts, rare = _started("codes", Text(), codes), True
        where &= col(RecordView.what) == starts.c.at
    elif codes:
        where &= col(RecordView.what).in_(codes)
    columns: tuple[Any, ...] = (
        col(RecordView.id).label("id"),
        col(RecordView.at).label("at"),
        literal(Source.VIEW.value).label("source"),
        col(RecordView.what).label("what"),
        literal("").label("outcome"),
        col(RecordView.by_person).label("by"),
        null().cast(Text()).label("system"),
        col(RecordView.subject).label("subject"),
        literal("").label("address"),
        literal("").label("device"),
    )
    return _scans(columns, RecordView, where, most, starts, rare=rare)


def _things_of(person_id: UUID) -> Any:
    """The ids under which a person's data are looked at: person, cases, documents, credentials,
    and those requests of authorities that the person is told of.
    """
    person = bindparam(None, person_id, type_=Uuid(), unique=True)
    return union_all(
        choose(person.label("at")),
        choose(col(Case.id)).where(col(Case.applicant_id) == person_id),
        choose(col(DocumentVersion.id))
        .join(Document, col(Document.id) == col(DocumentVersion.document_id))
        .where(col(Document.owner_id) == person_id),
        choose(col(Credential.id)).where(col(Credential.owner_id) == person_id),
        choose(col(Handover.id)).where(
            col(Handover.person_id) == person_id, col(Handover.state).in_(TOLD_STATES)
        ),
    )


def _attempts(query: AuditQuery, after: UUID | None, most: int) -> Select[Any] | None:
    if query.case_id is not None or query.about is not None:
        return None
    where = _within(LoginAttempt, query, after)
    failed = col(LoginAttempt.outcome) != Outcome.PASSED.value
    if query.address:
        where &= col(LoginAttempt.address) == query.address
    elif query.by is None:
        where &= failed
    else:
        where &= or_(failed, col(LoginAttempt.step).in_(_NOT_JOURNALED))
    if query.by is not None:
        where &= col(LoginAttempt.person_id) == query.by
    if query.tags:
        steps = [step.value for step, tag in OF_STEP.items() if tag in query.tags]
        passed = and_(~failed, col(LoginAttempt.step).in_(steps))
        where &= or_(passed, failed if AuditTag.SIGN_IN_FAIL in query.tags else ~true())
    columns: tuple[Any, ...] = (
        col(LoginAttempt.id).label("id"),
        col(LoginAttempt.at).label("at"),
        literal(Source.ATTEMPT.value).label("source"),
        col(LoginAttempt.step).label("what"),
        col(LoginAttempt.outcome).label("outcome"),
        col(LoginAttempt.person_id).label("by"),
        null().cast(Text()).label("system"),
        null().cast(Uuid()).label("subject"),
        col(LoginAttempt.address).label("address"),
        col(LoginAttempt.device).label("device"),
    )
    failures = query.by is None and not query.address
    return _scans(columns, LoginAttempt, where, most, rare=failures)


def _tag(row: Any) -> AuditTag:
    match Source(row.source):
        case Source.ENTRY:
            return OF_KIND[JournalKind(row.what)]
        case Source.VIEW:
            return OF_VIEW[ViewCode(row.what)]
        case Source.ATTEMPT:
            return of_attempt(row.what, row.outcome)


async def _told(
    session: AsyncSession, query: AuditQuery, rows: Sequence[Any]
) -> Sequence[AuditLine]:
    """The lines with names, numbers of cases, and titles for the owner of what was looked at."""
    subjects = {row.subject for row in rows if row.subject is not None}
    people = {row.by for row in rows if row.by is not None} | subjects
    found = await session.exec(select(Person.id, Person.name).where(col(Person.id).in_(people)))
    names = dict(found.all())
    numbered = await session.exec(select(Case.id, Case.number).where(col(Case.id).in_(subjects)))
    numbers = dict(numbered.all())
    titles: dict[UUID, str] = {}
    if query.about is not None:
        titled = await session.exec(
            select(DocumentVersion.id, Document.title)
            .join(Document, col(Document.id) == col(DocumentVersion.document_id))
            .where(col(DocumentVersion.id).in_(subjects), Document.owner_id == query.about)
        )
        titles = dict(titled.all())
    return [
        AuditLine(
            id=row.id,
            at=row.at,
            source=Source(row.source),
            tag=_tag(row),
            by=row.by,
            by_name=names.get(row.by, ""),
            system=row.system,
            subject=row.subject,
            case_number=numbers.get(row.subject),
            about_name=names.get(row.subject, "") if row.subject != row.by else "",
            title=titles.get(row.subject, ""),
            address=row.address,
            device=row.device,
        )
        for row in rows
    ]
