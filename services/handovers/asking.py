"""What an authority does: it asks, looks how far it is, and fetches the package."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

import rfc8785
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from clients.database import Database
from clients.objects import Objects, ObjectStream
from crypto.key_ring import key_ring
from models.encrypted_columns import bound_row
from models.tables.handovers import Handover
from models.tables.people import Person
from rules.accounts import too_often
from rules.clock import now as present
from rules.credentials.handovers import (
    ASKS,
    FETCHES,
    HandoverState,
    asked_otherwise,
    next_look,
    not_ready,
)
from rules.ids import new_id
from rules.journal.entries import JournalKind
from rules.notices.kinds import NoticeKind
from rules.refusals import not_found
from services import rate_limits
from services.files.intake import unavailable_is_refusal
from services.handovers import authorities, rows
from services.handovers.authorities import KnownAuthority
from services.own_workflows import Wake

NOBODY = "Человека с таким СНИЛС среди сотрудников нет."


@dataclass(frozen=True)
class HandoverQuestion:
    """What an authority asks for. `snils` is as `rules.texts.identifiers.snils` writes it."""

    reference: str
    snils: str
    purpose: str
    ground: str
    categories: Sequence[str] = ()


@dataclass(frozen=True)
class HandoverAnswer:
    """What an authority learns of its request."""

    id: UUID
    reference: str
    state: HandoverState
    asked_at: datetime
    decided_at: datetime | None
    reason: str | None
    package_sha256: str | None
    package_size: int | None
    ends_at: datetime | None

    @classmethod
    def of(cls, row: Handover) -> "HandoverAnswer":
        """From the row."""
        return cls(
            id=row.id,
            reference=row.reference,
            state=HandoverState(row.state),
            asked_at=row.asked_at,
            decided_at=row.decided_at,
            reason=row.reason,
            package_sha256=row.package_sha256,
            package_size=row.package_size,
            ends_at=row.ends_at,
        )


class AuthorityActs:
    """The acts of authorities."""

    def __init__(self, database: Database, objects: Objects, wake: Wake) -> None:
        self._database = database
        self._objects = objects
        self._wake = wake

    async def ask(self, authority: KnownAuthority, question: HandoverQuestion) -> HandoverAnswer:
        """Ask for documents of a person. The same reference again has the same answer.

        Raises Refusal 409 for a reference that asked something else, and 429.
        """
        now = present()
        body = rfc8785.dumps(asdict(question)).decode()
        row = Handover(
            id=new_id(),
            authority_id=authority.id,
            reference=question.reference,
            body_hash=key_ring().blind(body),
            purpose=question.purpose,
            ground=question.ground,
            categories=list(question.categories),
            asked_at=now,
            state=HandoverState.ASKED.value,
        )
        async with self._database.work() as session:
            if wait := await rate_limits.take(session, [(ASKS, str(authority.id))], now):
                raise too_often(wait)
            found = await session.exec(
                select(Person.id).where(Person.snils_blind == key_ring().blind(question.snils))
            )
            row.person_id = found.first()
            if row.person_id is None:
                row.state, row.decided_at = HandoverState.REFUSED.value, now
                row.reason = NOBODY
            else:
                row.looks_at = next_look(now, 0)
            made = await session.exec(
                insert(Handover)
                .values(bound_row(row))
                .on_conflict_do_nothing(index_elements=["authority_id", "reference"])
                .returning(col(Handover.id))
            )
            if made.first() is None:
                before = await rows.by_reference(session, authority.id, question.reference)
                if not key_ring().is_blind(before.body_hash, body):
                    raise asked_otherwise()
                return HandoverAnswer.of(before)
            await rows.note(session, row, JournalKind.HANDOVER_ASKED, now, None)
            if row.person_id is not None:
                await rows.tell_officers(session, row, NoticeKind.HANDOVER_ASKED, now)
        if row.person_id is not None:
            await self._wake(row.id)
        return HandoverAnswer.of(row)

    async def look(self, authority: KnownAuthority, handover_id: UUID) -> HandoverAnswer:
        """How far a request of this authority is. Raises Refusal 404."""
        async with self._database.reading() as session:
            row = await session.get(Handover, handover_id)
        if row is None or row.authority_id != authority.id:
            raise not_found()
        return HandoverAnswer.of(row)

    async def recognise(self, name: str, secret: str, address: str) -> KnownAuthority:
        """The authority with this id and secret. Raises Refusal 401, 429."""
        return await authorities.recognise(self._database, name, secret, address)

    async def fetch(
        self, authority: KnownAuthority, handover_id: UUID
    ) -> tuple[HandoverAnswer, ObjectStream]:
        """The package. Raises Refusal 404, 409 unless it is ready, 429, 503 while a server is
        down.
        """
        now = present()
        async with self._database.work() as session:
            if wait := await rate_limits.take(session, [(FETCHES, str(authority.id))], now):
                raise too_often(wait)
            row = await rows.locked(session, handover_id)
            if row is None or row.authority_id != authority.id:
                raise not_found()
            if row.state != HandoverState.READY or row.package_key is None:
                raise not_ready()
            # Opened before it is said to be fetched: the store may be down.
            with unavailable_is_refusal():
                opened = await self._objects.open(row.package_key)
            row.fetched_at = row.fetched_at or now
            session.add(row)
            await session.flush()
            await rows.note(session, row, JournalKind.HANDOVER_FETCHED, now, None)
        return HandoverAnswer.of(row), opened
