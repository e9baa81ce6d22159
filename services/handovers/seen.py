"""Hand-overs as officers see them, and as the person does whose documents went out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import Select

from models.tables.credentials import Credential, CredentialVersion
from models.tables.handovers import Authority, Handover, HandoverFile
from models.tables.people import Person
from rules.access import Actor, Permission
from rules.credentials.handovers import OPEN_STATES, TERM, TOLD_STATES, HandoverState
from rules.journal.tags import ViewCode
from rules.refusals import not_found
from services.credentials import categories
from services.journal import entries as journal

MOST = 100


@dataclass(frozen=True)
class HandoverSeen:
    """A hand-over. `released` are titles of the credentials that went out."""

    id: UUID
    authority: str
    reference: str
    person_id: UUID
    name: str
    position: str
    purpose: str
    ground: str
    categories: Sequence[str]
    asked_at: datetime
    due_at: datetime
    state: HandoverState
    decided_at: datetime | None
    reason: str | None
    fetched_at: datetime | None
    ends_at: datetime | None
    released: Sequence[str] = ()


async def waiting(session: AsyncSession, actor: Actor, *, everything: bool) -> list[HandoverSeen]:
    """Hand-overs that the actor may decide on: those that wait, or the newest of all."""
    actor.demand(Permission.RELEASE_CREDENTIALS)
    asked = _asked().where(
        col(Person.unit_id).in_(actor.units_with(Permission.RELEASE_CREDENTIALS)),
        Person.id != actor.person_id,
    )
    if not everything:
        asked = asked.where(col(Handover.state).in_(OPEN_STATES)).order_by(col(Handover.asked_at))
    else:
        asked = asked.order_by(col(Handover.asked_at).desc())
    found = await session.exec(asked.limit(MOST))
    return [_seen(*each, ()) for each in found.all()]


async def one(session: AsyncSession, actor: Actor, handover_id: UUID) -> HandoverSeen:
    """One hand-over, for who decides on it; the view is recorded. Raises Refusal 404."""
    actor.demand(Permission.RELEASE_CREDENTIALS)
    found = await session.exec(_asked().where(Handover.id == handover_id))
    each = found.first()
    if each is None:
        raise not_found()
    row, authority, person = each
    decides = actor.may(Permission.RELEASE_CREDENTIALS, person.unit_id)
    if not decides or person.id == actor.person_id:
        raise not_found()
    await journal.record_view(session, actor, handover_id, ViewCode.HANDOVER)
    released = await _released(session, [row.id])
    return _seen(row, authority, person, released.get(row.id, ()))


async def own(session: AsyncSession, actor: Actor) -> list[HandoverSeen]:
    """What of the actor's documents went where, the newest first."""
    found = await session.exec(
        _asked()
        .where(
            Handover.person_id == actor.person_id,
            col(Handover.state).in_(TOLD_STATES),
        )
        .order_by(col(Handover.asked_at).desc())
        .limit(MOST)
    )
    rows = found.all()
    released = await _released(session, [row.id for row, *_ in rows])
    return [_seen(*each, released.get(each[0].id, ())) for each in rows]


def _asked() -> Select[Handover, Authority, Person]:
    """Requests with who asked, and about whom."""
    return (
        select(Handover, Authority, Person)
        .join(Authority, col(Authority.id) == col(Handover.authority_id))
        .join(Person, col(Person.id) == col(Handover.person_id))
    )


async def _released(
    session: AsyncSession, handovers: Sequence[UUID]
) -> Mapping[UUID, Sequence[str]]:
    """The titles of released credentials by hand-over."""
    if not handovers:
        return {}
    found = await session.exec(
        select(HandoverFile.handover_id, Credential, CredentialVersion)
        .join(
            CredentialVersion, col(CredentialVersion.id) == col(HandoverFile.credential_version_id)
        )
        .join(Credential, col(Credential.id) == col(CredentialVersion.credential_id))
        .where(col(HandoverFile.handover_id).in_(handovers))
        .order_by(col(HandoverFile.position))
    )
    titles: dict[UUID, list[str]] = {}
    for handover_id, credential, version in found.all():
        definition = await categories.at_version(
            session, credential.category, version.category_version
        )
        known = titles.setdefault(handover_id, [])
        if definition.title not in known:
            known.append(definition.title)
    return titles


def _seen(
    row: Handover, authority: Authority, person: Person, released: Sequence[str]
) -> HandoverSeen:
    return HandoverSeen(
        id=row.id,
        authority=authority.name,
        reference=row.reference,
        person_id=person.id,
        name=person.name,
        position=person.position,
        purpose=row.purpose,
        ground=row.ground,
        categories=row.categories,
        asked_at=row.asked_at,
        due_at=row.asked_at + TERM,
        state=HandoverState(row.state),
        decided_at=row.decided_at,
        reason=row.reason,
        fetched_at=row.fetched_at,
        ends_at=row.ends_at,
        released=released,
    )
