"""Attempts to reach what is not open to whoever asked: recorded like views (I9)."""

from collections.abc import Mapping
from uuid import UUID

from clients.database import Database
from rules.access import Actor
from rules.journal.tags import ViewCode
from services.journal import entries as journal

_OF_NAME: Mapping[str, ViewCode] = {
    "case_id": ViewCode.REFUSED_CASE,
    "person_id": ViewCode.REFUSED_PERSON,
    "document_id": ViewCode.REFUSED_DOCUMENT,
    "version_id": ViewCode.REFUSED_DOCUMENT,
    "document_version_id": ViewCode.REFUSED_DOCUMENT,
    "credential_id": ViewCode.REFUSED_CREDENTIAL,
    "handover_id": ViewCode.REFUSED_HANDOVER,
    "patient_id": ViewCode.REFUSED_PATIENT,
    "result_id": ViewCode.REFUSED_RESULT,
}
"""By the name of the id in a route."""


async def note(
    database: Database, actor: Actor, named: Mapping[str, object], *, found: bool
) -> None:
    """Record that a request was refused; `named` are the ids in its address.

    `found` tells a refused right from a thing that is not there for this person. Of the latter only
    cases, people, documents, credentials, requests of authorities and patients are recorded:
    another wrong address is no attempt.
    """
    subject, code = actor.person_id, ViewCode.REFUSED_OTHER
    for name, value in named.items():
        if name in _OF_NAME and (known := _uuid(value)) is not None:
            subject, code = known, _OF_NAME[name]
            break
    if not found and code is ViewCode.REFUSED_OTHER:
        return
    async with database.work() as session:
        await journal.record_view(session, actor, subject, code)


def _uuid(value: object) -> UUID | None:
    try:
        return UUID(str(value))
    except ValueError:
        return None
