"""A patient's record as one page: who it is, what warns, what is new, what has happened."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from rules.access import Actor
from rules.journal.tags import ViewCode
from rules.patients.identity import Identity
from rules.records.types import EntryTypeDefinition
from services import access
from services.patients import ways
from services.patients.entering import identities
from services.patients.ways import RecordLook
from services.records import drafts, history, seen, types
from services.records import lab as _registered  # noqa: F401
from services.records.drafts import EntryDraftSeen
from services.records.history import HistoryEvent, Span
from services.records.seen import EntrySeen, EntryVersionSeen


@dataclass(frozen=True)
class PatientHead:
    """What stands at the top of every page of a patient: who it is, what warns, why it is open."""

    patient_id: UUID
    look: RecordLook
    who: Identity
    others: Mapping[UUID, Identity]
    """The identities that are the same person, by id; this one is among them."""
    warnings: Sequence[EntrySeen]
    now: datetime
    age: int

    @property
    def patients(self) -> frozenset[UUID]:
        """All whose entries belong to the record."""
        return self.look.joined.ids


@dataclass(frozen=True)
class RecordPage:
    """The whole page. `last_seen` is when the reader saw the patient before; None for never."""

    head: PatientHead
    last_seen: datetime | None
    news: Sequence[HistoryEvent]
    lines: Sequence[HistoryEvent]
    more: bool
    """Whether there are older lines."""
    drafts: Sequence[EntryDraftSeen]
    kinds: Mapping[str, EntryTypeDefinition]
    names: Mapping[UUID, str]


async def head(
    session: AsyncSession,
    actor: Actor,
    patient_id: UUID,
    now: datetime,
    what: ViewCode = ViewCode.PATIENT_RECORD,
) -> PatientHead:
    """Demand a way in, record the view, and say whose record this is. Raises Refusal 403, 404."""
    look = await ways.look(session, actor, patient_id, now, what)
    known = await identities(session, look.joined.ids)
    today = await access.day_in(session, actor.unit_id, now)
    born = known[patient_id].birth_date
    return PatientHead(
        patient_id=patient_id,
        look=look,
        who=known[patient_id],
        others=known,
        warnings=await seen.warnings(session, look.joined.ids),
        now=now,
        age=today.year - born.year - ((today.month, today.day) < (born.month, born.day)),
    )


async def page(
    session: AsyncSession, actor: Actor, patient_id: UUID, now: datetime, span: Span, source: str
) -> RecordPage:
    """The record of a patient, for one look. Raises Refusal 403, 404."""
    top = await head(session, actor, patient_id, now)
    last = await history.last_seen(session, actor, top.patients, now)
    news = await history.news(session, actor, top.patients, last) if last else []
    asked = Span(since=span.since, before=span.before, kind=span.kind, limit=history.PAGE + 1)
    lines = await history.page(session, top.patients, asked, source)
    own = await drafts.mine(session, actor, top.patients)
    shown = lines[: history.PAGE]
    return RecordPage(
        head=top,
        last_seen=last,
        news=news,
        lines=shown,
        more=len(lines) > history.PAGE,
        drafts=own,
        kinds=await types.offered(session),
        names=await seen.names(session, [line.by for line in (*news, *shown)]),
    )


@dataclass(frozen=True)
class EntryPage:
    """One entry with all its versions, the newest first."""

    head: PatientHead
    entry: EntrySeen
    versions: Sequence[EntryVersionSeen]
    names: Mapping[UUID, str]


async def entry(
    session: AsyncSession, actor: Actor, patient_id: UUID, entry_id: UUID, now: datetime
) -> EntryPage:
    """One entry of a patient, for one look. Raises Refusal 403, 404."""
    top = await head(session, actor, patient_id, now)
    one, versions = await seen.one(session, top.patients, entry_id)
    wrote = [version.made_by for version in versions]
    names = await seen.names(session, [*wrote, one.author_id, one.mistaken_by])
    return EntryPage(top, one, versions, names)
