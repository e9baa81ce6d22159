"""What a person's file fills in of a case that renews a credential, and where it came from (Q7).

Nobody types again what the file says: the credential that is renewed, and the newest diploma. Facts
have the names that `prefill` of a form uses, such as `renewed.number`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.cases import Case
from models.tables.credentials import Credential, CredentialVersion
from rules.credentials.categories import (
    ISSUED_ON,
    ISSUER,
    NUMBER,
    VALID_UNTIL,
    CategoryDefinition,
)
from rules.forms.definitions import CaseTypeDefinition, prefilled
from services.cases.beginning import FromFile
from services.credentials import categories, rows

DIPLOMA = "diploma"
RENEWED = "renewed"
_ASKED = ("specialty", NUMBER, ISSUER, ISSUED_ON, VALID_UNTIL)


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


async def renewing(session: AsyncSession, owner_id: UUID, credential_id: UUID) -> FromFile:
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
