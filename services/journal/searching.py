"""Who may ask the audit for what: one's own lines, and the search of information security (I9).

A search is journaled with all that was asked for, in the chain of whoever searched; so is each
further page. People are not told of it, as a suspect would be: what others looked at, they read.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from crypto.key_ring import key_ring
from models.tables.accounts import Account
from models.tables.cases import Case
from models.tables.people import Person
from rules.access import Actor, Permission
from rules.cases.numbers import parse_number
from rules.clock import now
from rules.journal.audit import AuditQuery, period
from rules.journal.entries import JournalKind
from rules.journal.tagging import OF_VIEW, asked_tags
from rules.journal.tags import AuditTag, ViewCode
from rules.refusals import FieldError, Refusal, forbidden
from rules.texts.identifiers import IdentifierError
from rules.texts.mail_addresses import folded
from services.journal import audit_log
from services.journal import entries as journal
from services.journal.audit_log import AuditPage

_REFUSED = {
    OF_VIEW[code]
    for code in (
        ViewCode.REFUSED_CASE,
        ViewCode.REFUSED_PERSON,
        ViewCode.REFUSED_DOCUMENT,
        ViewCode.REFUSED_CREDENTIAL,
        ViewCode.REFUSED_HANDOVER,
        ViewCode.REFUSED_RESULT,
    )
}
"""Attempts to see what is not open to whoever tried."""


class LogSide(StrEnum):
    """Which half of one's own log."""

    MINE = "mine"
    """What I did."""
    OTHERS = "others"
    """What others did to my account, and who looked at my data."""


@dataclass(frozen=True)
class AuditAsked:
    """A search as it was typed; empty fields narrow nothing."""

    person: str = ""
    """The mail address or the id of who acted."""
    about: str = ""
    """The same of the person whose data it is about."""
    tag: str = ""
    """A tag, or the subject of several."""
    number: str = ""
    address: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def given(self) -> dict[str, str]:
        """What was asked for, as it is journaled."""
        asked = {
            "person": self.person,
            "about": self.about,
            "tag": self.tag,
            "number": self.number,
            "address": self.address,
            "since": self.since.isoformat() if self.since else "",
            "until": self.until.isoformat() if self.until else "",
        }
        return {name: value for name, value in asked.items() if value}


async def own(
    session: AsyncSession,
    actor: Actor,
    side: LogSide,
    tag: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    after: UUID | None = None,
) -> AuditPage:
    """A page of the person's own log. Raises Refusal 422 for a period that is too long."""
    begins, ends = period(since, until, now())
    query = AuditQuery(
        begins,
        ends,
        by=actor.person_id if side is LogSide.MINE else None,
        about=actor.person_id if side is LogSide.OTHERS else None,
        tags=_tags(tag),
    )
    found = await audit_log.page(session, query, after)
    if side is LogSide.OTHERS:
        return found
    # Of what was refused, the log names nothing: whoever knows an id would learn what it is of.
    lines = [
        replace(line, case_number=None, about_name="") if line.tag in _REFUSED else line
        for line in found.lines
    ]
    return AuditPage(lines, found.after)


async def search(
    session: AsyncSession, actor: Actor, asked: AuditAsked, after: UUID | None = None
) -> AuditPage:
    """A page of what was asked for; that it was asked is journaled.

    Raises Refusal 403 without the right, 422 for what cannot be searched.
    """
    query = await understood(session, actor, asked)
    found = await audit_log.page(session, query, after)
    facts: dict[str, Any] = {"by": sorted(asked.given()), "lines": len(found.lines)}
    await note(session, actor, JournalKind.JOURNAL_SEARCHED, facts, asked)
    return found


async def understood(session: AsyncSession, actor: Actor, asked: AuditAsked) -> AuditQuery:
    """The search with its people and its case found. Raises Refusal 403 and 422."""
    if not actor.may(Permission.READ_JOURNAL):
        raise forbidden()
    begins, ends = period(asked.since, asked.until, now())
    return AuditQuery(
        begins,
        ends,
        by=await _person(session, "person", asked.person),
        about=await _person(session, "about", asked.about),
        case_id=await _case(session, asked.number),
        address=asked.address,
        tags=_tags(asked.tag),
    )


async def note(
    session: AsyncSession,
    actor: Actor,
    kind: JournalKind,
    facts: Mapping[str, Any],
    asked: AuditAsked,
) -> None:
    """Journal in the chain of whoever asked what was asked for."""
    await journal.append(
        session,
        chain=actor.person_id,
        kind=kind,
        by=actor.person_id,
        facts=facts,
        contents=asked.given() or None,
        lock=True,
    )


def _tags(text: str) -> tuple[AuditTag, ...]:
    if not text:
        return ()
    found = asked_tags(text)
    if not found:
        raise _wrong("tag", "Такого события нет в списке. Выберите другое.")
    return tuple(found)


async def _person(session: AsyncSession, name: str, text: str) -> UUID | None:
    if not text:
        return None
    try:
        query = select(Person.id).where(Person.id == UUID(text))
    except ValueError:
        query = select(Account.person_id).where(Account.login == key_ring().blind(folded(text)))
    found = (await session.exec(query)).one_or_none()
    if found is None:
        raise _wrong(name, "Сотрудника с такой почтой нет. Проверьте адрес.")
    return found


async def _case(session: AsyncSession, text: str) -> UUID | None:
    if not text:
        return None
    try:
        number = str(parse_number(text))
    except IdentifierError as error:
        raise _wrong("number", error.message) from error
    found = (await session.exec(select(Case.id).where(Case.number == number))).one_or_none()
    if found is None:
        raise _wrong("number", "Дела с таким номером нет. Проверьте номер.")
    return found


def _wrong(name: str, message: Any) -> Refusal:
    return Refusal("wrong_search", message, 422, [FieldError(name, message)])
