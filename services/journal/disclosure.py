"""In what capacity a person looks at a case, and the entries of its journal as they see them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.cases import Case
from rules.access import Actor, Permission
from rules.cases import deciding
from rules.journal.disclosure import OF_CREDENTIAL, Audience, disclosed
from services.journal import entries as journal


@dataclass(frozen=True)
class ShownEntry:
    """An entry of a case's journal, without what its reader must not see.

    `by_person` is also None if the reader must not know who acted.
    """

    position: int
    kind: str
    at: datetime
    by_person: UUID | None
    facts: Mapping[str, Any]
    contents: Mapping[str, Any] | None
    hash: str


def audiences(actor: Actor, case: Case) -> frozenset[Audience]:
    """The capacities in which the person looks at the case; none for a stranger."""
    if case.applicant_id == actor.person_id:
        return frozenset({Audience.APPLICANT})
    held = {
        Audience.REVIEWER: deciding.reviews(actor, case),
        Audience.UNIT_HEAD: actor.may(Permission.VIEW_UNIT_CASES, case.unit_id),
        Audience.KEEPER: actor.may(Permission.KEEP_ARCHIVE, case.responsible_unit_id),
        Audience.AUDITOR: audits(actor, case),
    }
    return frozenset(one for one, holds in held.items() if holds)


def audits(actor: Actor, case: Case) -> bool:
    """Whether the person may audit the case: one of the unit that has it, or where it began."""
    return case.applicant_id != actor.person_id and any(
        actor.may(Permission.AUDIT_CASES, unit) for unit in (case.responsible_unit_id, case.unit_id)
    )


async def entries(session: AsyncSession, actor: Actor, case: Case) -> Sequence[ShownEntry]:
    """The journal of a case as this person may see it, oldest first.

    The caller checks that the person may see the case at all.
    """
    to = audiences(actor, case)
    shown: list[ShownEntry] = []
    for entry in await journal.read(session, case.id):
        told = disclosed(entry.kind, entry.facts, entry.contents, to)
        if told is not None:
            shown.append(
                ShownEntry(
                    position=entry.position,
                    kind=entry.kind,
                    at=entry.at,
                    by_person=entry.by_person if told.names else None,
                    facts=told.facts,
                    contents=told.contents,
                    hash=entry.hash.hex(),
                )
            )
    return shown


async def of_credential(session: AsyncSession, credential_id: UUID) -> Sequence[ShownEntry]:
    """The journal of a credential, oldest first. The caller checks that its reader may see it."""
    return [
        ShownEntry(
            position=entry.position,
            kind=entry.kind,
            at=entry.at,
            by_person=entry.by_person,
            facts={},
            contents={
                key: value
                for key, value in (entry.contents or {}).items()
                if key in OF_CREDENTIAL[entry.kind]
            },
            hash=entry.hash.hex(),
        )
        for entry in await journal.read(session, credential_id)
        if entry.kind in OF_CREDENTIAL
    ]
