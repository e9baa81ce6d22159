"""Renewing a credential: the case that does it is begun from its page, and followed until closed.

Which kind of case renews a category stands with the category; how such a case is begun, each kind
registers where the program is put together. Nobody types again what the file says: the credential
that is renewed, and the newest diploma. Facts have the names that `prefill` of a form uses.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import ColumnElement, and_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from models.messages import CredentialSignal
from models.tables.cases import Case
from models.tables.credentials import Credential, CredentialVersion
from rules.access import Actor, Permission
from rules.clock import now as present
from rules.credentials.categories import ISSUED_ON, ISSUER, NUMBER, VALID_UNTIL, CategoryDefinition
from rules.credentials.reminders import ReminderAnswer
from rules.credentials.versions import not_standing
from rules.forms.definitions import CaseTypeDefinition, prefilled
from rules.journal.entries import JournalKind
from rules.refusals import Refusal, not_found
from services.cases.beginning import FromFile
from services.credentials import categories, reminder_rows, rows
from services.own_workflows import Wake


class Renewing(Protocol):
    """A kind of case that renews credentials."""

    renews_by_programme: bool
    """Whether the owner chooses a programme for it."""

    async def renew(self, actor: Actor, known: FromFile, choice: UUID | None, /) -> Case:
        """Begin its draft, filled in from the person's file; `choice` is the programme."""


AT_A_TIME = 100
DIPLOMA = "diploma"
RENEWED = "renewed"
_ASKED = ("specialty", NUMBER, ISSUER, ISSUED_ON, VALID_UNTIL)


class Renewals:
    """The acts of owners who renew, by the kinds of case that can."""

    def __init__(self, database: Database, wake: Wake, kinds: Mapping[str, Renewing]) -> None:
        self._database = database
        self._wake = wake
        self._kinds = kinds

    def by_programme(self, kind: str | None) -> bool:
        """Whether the owner chooses a programme for the kind of case that renews."""
        known = self._kinds.get(kind or "")
        return known is not None and known.renews_by_programme

    async def begin(self, actor: Actor, credential_id: UUID, choice: UUID | None) -> Case:
        """Begin the case that renews a credential; the one that is open, if there is one.

        Raises Refusal 404, 409 for one that does not stand, or that no case renews.
        """
        async with self._database.work() as session:
            row = await _own(session, actor, credential_id)
            known = await _open(session, row)
            kind = (await categories.newest(session, row.category)).renewed_by
            given = await known_for(session, actor.person_id, credential_id)
        if known is not None:
            return known
        if kind not in self._kinds:
            words = "Такой документ продлевают не в кабинете. Получив новый, внесите его здесь."
            raise Refusal("not_renewed_here", words, 409)
        case = await self._kinds[kind].renew(actor, given, choice)
        now = present()
        async with self._database.work() as session:
            row = await _own(session, actor, credential_id)
            other = await _open(session, row)
            if other is not None:
                return other
            row.renewal_case_id = case.id
            rows.ask_to_look(row, now)
            session.add(row)
            await session.flush()
            kind_of_entry, facts = JournalKind.CREDENTIAL_RENEWAL_OPENED, {"case": str(case.id)}
            await rows.note(session, row, kind_of_entry, now, actor.person_id, facts)
            await reminder_rows.answered(session, row.id, ReminderAnswer.RENEWAL, now)
        await self._wake(credential_id, signal=CredentialSignal.RENEWAL_OPENED)
        return case


async def _own(session: AsyncSession, actor: Actor, credential_id: UUID) -> Credential:
    """The actor's own credential, locked, if it can be renewed. Raises Refusal 403, 404, 409."""
    actor.demand(Permission.KEEP_DOCUMENTS)
    row = await rows.locked(session, credential_id)
    if row is None or row.owner_id != actor.person_id:
        raise not_found()
    if row.withdrawn_at is not None or row.replaced_by is not None:
        raise not_standing()
    return row


async def _open(session: AsyncSession, row: Credential) -> Case | None:
    """The open case that renews it."""
    case = await session.get(Case, row.renewal_case_id) if row.renewal_case_id else None
    return case if case is not None and case.closed_at is None else None


def is_over() -> ColumnElement[bool]:
    """The condition that the case is closed which renews a credential."""
    closed = select(Case.id).where(
        col(Case.id) == col(Credential.renewal_case_id), col(Case.closed_at).is_not(None)
    )
    return and_(col(Credential.renewal_case_id).is_not(None), closed.exists())


async def close_over(database: Database, wake: Wake) -> int:
    """Let credentials go whose renewal is closed, however it ended. Returns how many there were."""
    async with database.reading() as session:
        found = await session.exec(select(Credential.id).where(is_over()).limit(AT_A_TIME))
        over = list(found.all())
    for credential_id in over:
        await _close(database, credential_id, present())
        await wake(credential_id, signal=CredentialSignal.RENEWAL_CLOSED)
    return len(over)


async def _close(database: Database, credential_id: UUID, now: datetime) -> None:
    async with database.work() as session:
        row = await rows.locked(session, credential_id)
        if row is None or row.renewal_case_id is None or await _open(session, row) is not None:
            return
        case = await session.get_one(Case, row.renewal_case_id)
        facts: dict[str, Any] = {"case": str(case.id), "status": case.status}
        row.renewal_case_id = None
        rows.ask_to_look(row, now)
        session.add(row)
        await session.flush()
        await rows.note(session, row, JournalKind.CREDENTIAL_RENEWAL_CLOSED, now, None, facts)


@dataclass(frozen=True)
class FilledFrom:
    """A credential of the person's file, what it says, and since when by whose word."""

    credential_id: UUID
    category: CategoryDefinition
    number: str
    source: str
    made_at: datetime
    facts: Mapping[str, Any]
    files: Sequence[UUID]


@dataclass(frozen=True)
class FilledAnswers:
    """The answers of a form that a credential of the file gives."""

    source: FilledFrom
    values: Mapping[str, Any]


async def filled_answers(
    session: AsyncSession, case: Case, definition: CaseTypeDefinition
) -> Sequence[FilledAnswers]:
    """What the credential gives that a case renews, and the diploma; nothing for other cases."""
    of_case = col(Credential.renewal_case_id) == case.id
    return [
        FilledAnswers(one, prefilled(definition, one.facts))
        for one in await _found(session, case.applicant_id, of_case)
    ]


async def known_for(session: AsyncSession, owner_id: UUID, credential_id: UUID) -> FromFile:
    """What fills in the case that is to renew a credential of this person."""
    found = await of_credential(session, owner_id, credential_id)
    return FromFile(
        credential_id,
        {name: known for one in found for name, known in one.facts.items()},
        [(one.category.document, file) for one in found for file in one.files],
    )


async def of_credential(
    session: AsyncSession, owner_id: UUID, credential_id: UUID
) -> Sequence[FilledFrom]:
    """A credential of this person that stands, and the newest diploma beside it."""
    return await _found(session, owner_id, col(Credential.id) == credential_id)


async def _found(
    session: AsyncSession, owner_id: UUID, renewed: ColumnElement[bool]
) -> Sequence[FilledFrom]:
    """The renewed one first, then the newest diploma; nothing where none is renewed."""
    first = await _read(session, RENEWED, owner_id, renewed)
    if not first:
        return ()
    return [*first, *await _read(session, DIPLOMA, owner_id, Credential.category == DIPLOMA)]


async def _read(
    session: AsyncSession, role: str, owner_id: UUID, which: ColumnElement[bool] | bool
) -> list[FilledFrom]:
    found = await session.exec(
        select(Credential, CredentialVersion)
        .join(CredentialVersion, col(CredentialVersion.credential_id) == col(Credential.id))
        .where(
            Credential.owner_id == owner_id,
            which,
            col(Credential.withdrawn_at).is_(None),
            col(Credential.replaced_by).is_(None),
            col(CredentialVersion.replaced_at).is_(None),
        )
        .order_by(col(Credential.issued_on).desc().nulls_last(), col(Credential.id))
        .limit(1)
    )
    pairs = found.all()
    files = await rows.readable_files(session, [version.id for _, version in pairs])
    return [
        FilledFrom(
            row.id,
            category := await categories.at_version(
                session, row.category, version.category_version
            ),
            str(version.data.get(NUMBER) or ""),
            version.source,
            version.made_at,
            _facts(role, category, version),
            files.get(version.id, ()),
        )
        for row, version in pairs
    ]


def _facts(
    role: str, category: CategoryDefinition, version: CredentialVersion
) -> Mapping[str, Any]:
    """What it says, by the names that forms use."""
    known = {f"{role}.{name}": version.data.get(name) for name in _ASKED}
    if version.issued_on is not None:
        known[f"{role}.year"] = version.issued_on.year
    return known | {f"{role}.words": _in_words(category, version)}


def _in_words(category: CategoryDefinition, version: CredentialVersion) -> str:
    """The credential in one Russian sentence, as the department reads it in a form."""
    data = version.data
    parts = [
        f"{category.title} № {data.get(NUMBER)}" if data.get(NUMBER) else category.title,
        str(data.get(ISSUER) or ""),
        f"выдан {version.issued_on:%d.%m.%Y}" if version.issued_on else "",
        f"действует до {version.valid_until:%d.%m.%Y}" if version.valid_until else "",
    ]
    return ", ".join(part for part in parts if part)
