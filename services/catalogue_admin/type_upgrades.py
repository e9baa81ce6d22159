"""What a new version of a type would change for open cases, and moving them to it (O6).

Cases keep the version they began with. A dry run says what another version would mean for them;
cases that fit it as they are can then be moved, each with an entry in its journal.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from models.tables.cases import Case, CaseAttachment, CaseVersion
from models.tables.catalogue import CatalogueChange, Programme
from rules.access import Actor
from rules.cases.process import Status
from rules.cases.terms import Terms, deadline, working_days_left
from rules.catalogue.entries import demand
from rules.clock import now as present
from rules.forms.definitions import (
    CaseTypeDefinition,
    check_attachments,
    check_form,
    merged_attachments,
    merged_checklist,
    merged_terms,
)
from rules.ids import hash_of
from rules.journal.entries import SYSTEM_CHAIN, JournalKind
from rules.refusals import Refusal, act_id_reused, not_found
from services.cases.transitions import CLOCKED, alarm_of, lock
from services.catalogue import lookup as catalogue
from services.journal import entries as journal

BATCH = 200
MOST = 5_000
"""How many open cases are examined; of further ones only the number is given."""

MOVES = "moved_cases"
"""The subject under which the answers of such acts are stored among the changes."""


@dataclass(frozen=True)
class Effect:
    """What a version would change, by numbers of cases; `looked_at` of `open` cases were examined.

    `unfit` cases lack answers that it asks for, `documents` cases lack files; neither could be
    moved. `later`, `sooner` and `overdue` are the cases whose term would then end so.
    """

    version: int
    open: int = 0
    looked_at: int = 0
    whole: int = 0
    drafts: int = 0
    unfit: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    later: tuple[str, ...] = ()
    sooner: tuple[str, ...] = ()
    overdue: tuple[str, ...] = ()


@dataclass(frozen=True)
class UpgradeEffect:
    """What a version would mean for one case: names of effects, and the end of its term then."""

    marks: frozenset[str]
    due_at: datetime | None

    @property
    def whole(self) -> bool:
        """Whether the case fits the version as it is."""
        return not self.marks & {"unfit", "documents"}


async def effect(session: AsyncSession, definition: CaseTypeDefinition) -> Effect:
    """Try a definition, stored or not, on the open cases that began with another version."""
    sent, unsent = col(Case.number).is_not(None), col(Case.number).is_(None)
    counted = await session.exec(
        select(func.count().filter(sent), func.count().filter(unsent))
        .select_from(Case)
        .where(*_with_another(definition))
    )
    open_cases, drafts = counted.one()
    found: dict[str, list[str]] = defaultdict(list)
    whole = looked_at = 0
    async for case, version, kinds in _open_cases(session, definition):
        told = await _effect_on(session, case, version, kinds, definition)
        looked_at += 1
        whole += told.whole
        for mark in told.marks:
            found[mark].append(case.number or "")
    numbers = {mark: tuple(of_mark) for mark, of_mark in found.items()}
    return Effect(definition.version, open_cases, looked_at, whole, drafts, **numbers)


def _with_another(definition: CaseTypeDefinition) -> tuple[ColumnElement[bool], ...]:
    """The open cases of the type that began with another version of it."""
    return (
        col(Case.type) == definition.key,
        col(Case.type_version) != definition.version,
        col(Case.closed_at).is_(None),
    )


async def _open_cases(
    session: AsyncSession, definition: CaseTypeDefinition
) -> AsyncIterator[tuple[Case, CaseVersion, list[str]]]:
    """The cases with their newest version and the kinds of its documents, in batches by id."""
    newest = (col(CaseVersion.case_id) == Case.id) & (col(CaseVersion.number) == Case.version)
    query = (
        select(Case, CaseVersion)
        .join(CaseVersion, newest)
        .where(*_with_another(definition), col(Case.number).is_not(None))
        .order_by(col(Case.id))
        .limit(BATCH)
    )
    after = query
    for _ in range(MOST // BATCH):
        rows = (await session.exec(after)).all()
        if not rows:
            return
        after = query.where(col(Case.id) > rows[-1][0].id)
        kinds = await _kinds(session, [case.id for case, _ in rows])
        for case, version in rows:
            yield case, version, kinds.get((case.id, version.number), [])
            session.expunge(version)


async def _kinds(session: AsyncSession, ids: Sequence[UUID]) -> dict[tuple[UUID, int], list[str]]:
    found = await session.exec(select(CaseAttachment).where(col(CaseAttachment.case_id).in_(ids)))
    kinds: dict[tuple[UUID, int], list[str]] = {}
    for one in found.all():
        kinds.setdefault((one.case_id, one.case_version), []).append(one.kind)
    return kinds


async def _effect_on(
    session: AsyncSession,
    case: Case,
    version: CaseVersion,
    kinds: Sequence[str],
    definition: CaseTypeDefinition,
) -> UpgradeEffect:
    old = await catalogue.case_type(session, case.type, case.type_version)
    programme = await _programme(session, case)
    # A date that had to be in the future is compared with the day of submission.
    sent = version.submitted_at.astimezone(ZoneInfo(case.term_zone)).date()
    _, errors = check_form(definition, version.data, complete=True, today=sent)
    missing = check_attachments(merged_attachments(definition, programme), list(kinds))
    asked = {item.name for item in merged_checklist(definition, programme)}
    before = {item.name for item in merged_checklist(old, programme)}
    terms, terms_before = merged_terms(definition, programme), merged_terms(old, programme)
    due_at = await _due_at(session, case, terms, terms_before)
    marks = {"unfit": errors, "documents": missing, "questions": asked != before}
    if due_at is not None and case.due_at is not None:
        marks |= {
            "later": due_at > case.due_at,
            "sooner": due_at < case.due_at,
            "overdue": due_at < present() <= case.due_at,
        }
    return UpgradeEffect(frozenset(name for name, holds in marks.items() if holds), due_at)


async def _programme(session: AsyncSession, case: Case) -> Programme | None:
    return await catalogue.programme(session, case.programme_id) if case.programme_id else None


async def _due_at(
    session: AsyncSession, case: Case, terms: Terms, before: Terms
) -> datetime | None:
    """The end of the present term, moved by as many working days as the terms differ."""
    status = Status(case.status)
    if case.due_at is None or status not in CLOCKED:
        return case.due_at
    answering = status is Status.CLARIFICATION
    days = (terms.answer - before.answer) if answering else (terms.review - before.review)
    if days == 0:
        return case.due_at
    calendar = await catalogue.calendar(session)
    length = working_days_left(case.since, case.due_at, case.term_zone, calendar)
    return deadline(case.since, max(length + days, 1), case.term_zone, calendar)


@dataclass(frozen=True)
class CasesMoved:
    """How many open cases were moved to a version, and how many were not."""

    moved: int
    left: int


async def move_cases(
    database: Database, actor: Actor, key: str, version: int, act_id: UUID
) -> CasesMoved:
    """Move the open cases that fit a version to it; the others stay as they are.

    Each case is moved in a unit of work of its own, so that a repeated act continues where an
    interrupted one ended; one that ended gets the same answer again. Raises Refusal 403, 404, 409
    for a version that is not valid now, and 422 if the act id was used for something else.
    """
    demand(actor)
    said: Any = {"by": str(actor.person_id), "move": key, "version": version}
    body_hash = hash_of(said)
    async with database.work() as session:
        if (done := await _moved_before(session, act_id, body_hash)) is not None:
            return done
        catalogue.forget(session)
        definition = await catalogue.case_type(session, key, version)
        in_force = (await catalogue.case_type(session, key)).version
        if definition.version != in_force:
            words = "Перевести заявки можно только на действующую редакцию."
            raise Refusal("not_in_force", words, 409, in_force=in_force)
        sent = col(Case.number).is_not(None)
        query = select(Case.id).where(*_with_another(definition), sent).order_by(col(Case.id))
        ids = (await session.exec(query)).all()
    moved = 0
    for case_id in ids:
        async with database.work() as session:
            moved += await _move(session, actor, case_id, definition, act_id)
    done = CasesMoved(moved, len(ids) - moved)
    now = present()
    async with database.work() as session:
        session.add(
            CatalogueChange(
                id=act_id,
                subject=MOVES,
                key=key,
                at=now,
                by=actor.person_id,
                valid_from=now,
                version=version,
                after=vars(done),
                body_hash=body_hash,
            )
        )
        try:
            await session.flush()
        except IntegrityError:
            # The same act was sent twice at once, and the other one has ended first.
            await session.rollback()
            return await _moved_before(session, act_id, body_hash) or done
        if moved:
            await journal.append(
                session,
                chain=SYSTEM_CHAIN,
                kind=JournalKind.CATALOGUE_CASES_MOVED,
                by=actor.person_id,
                facts={"change": str(act_id), "key": key, "version": version, "cases": moved},
            )
    return done


async def _moved_before(session: AsyncSession, act_id: UUID, body_hash: str) -> CasesMoved | None:
    """The answer of an act that has ended. Raises Refusal if its id was used otherwise."""
    made = await session.get(CatalogueChange, act_id)
    if made is None:
        return None
    if made.body_hash != body_hash:
        raise act_id_reused()
    return CasesMoved(**made.after)


async def _move(
    session: AsyncSession,
    actor: Actor,
    case_id: UUID,
    definition: CaseTypeDefinition,
    act_id: UUID,
) -> bool:
    case = await lock(session, case_id)
    if case.closed_at is not None or case.type_version == definition.version:
        return False
    sent = await session.get(CaseVersion, (case.id, case.version))
    if sent is None:
        raise not_found()
    kinds = (await _kinds(session, [case.id])).get((case.id, case.version), [])
    told = await _effect_on(session, case, sent, kinds, definition)
    if not told.whole:
        return False
    before, due_before = case.type_version, case.due_at
    case.type_version = definition.version
    if told.due_at != case.due_at:
        case.due_at = told.due_at
        await _set_alarm(session, case, definition)
    session.add(case)
    await journal.append(
        session,
        chain=case.id,
        kind=JournalKind.CASE_TYPE_CHANGED,
        by=actor.person_id,
        step=case.step,
        facts={
            "change": str(act_id),
            "from": before,
            "to": definition.version,
            "due_before": due_before.isoformat() if due_before else None,
            "due": case.due_at.isoformat() if case.due_at else None,
        },
    )
    return True


async def _set_alarm(session: AsyncSession, case: Case, definition: CaseTypeDefinition) -> None:
    """If the workflow sleeps longer than the new term, the sweeper wakes it at that time."""
    terms = merged_terms(definition, await _programme(session, case))
    calendar = await catalogue.calendar(session)
    found = alarm_of(case, Status(case.status), case.since, terms, calendar)
    case.wakes_at = found[0] if found else case.wakes_at
