"""SQL: what a statement that is built by hand saves, against the same work by plain SQLModel.

Two of the product's own, which stand for the rest: an act claimed together with the end of its
case's journal, and a document written together with its first version. Each is done in units of
work that are rolled back. The cost is the time between the lock and the end of the work, which is
how long others wait for the lock.
"""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bench.ground import Office
from bench.method import Block, Comparison, Costs, Figure, Promise, Series, judge
from models.tables.cases import Case, CaseAct
from models.tables.documents import Document, DocumentVersion
from models.tables.journal import JournalEntry
from rules.access import Actor
from rules.cases.process import Transition
from rules.clock import now
from rules.files.categories import Category
from rules.files.checks import MediaType, Verdict
from rules.ids import new_id
from rules.journal.entries import JournalKind
from services import access
from services.cases.acts import Act, claim
from services.cases.transitions import lock
from services.documents.acts import insert_given
from services.journal import entries as journal

SERIES = Series(fours=32)
UNITS = 20
"""Units of work in a block."""
NO_DEARER = 1.0


@dataclass(frozen=True)
class Scene:
    """A draft and its applicant; nothing of it changes."""

    case: Case
    actor: Actor
    at: datetime


Work = Callable[[AsyncSession, Scene], Awaitable[None]]


async def _claim(session: AsyncSession, scene: Scene) -> None:
    act = Act(new_id(), scene.case.step)
    await claim(session, scene.case, Transition.SUBMIT, act, scene.actor, scene.at, {})


async def _claim_plainly(session: AsyncSession, scene: Scene) -> None:
    kept = CaseAct(
        id=new_id(),
        case_id=scene.case.id,
        by=scene.actor.person_id,
        at=scene.at,
        at_step=scene.case.step,
        transition=Transition.SUBMIT.value,
        body_hash="0" * 64,
    )
    session.add(kept)
    await session.flush()
    of_case = select(JournalEntry.position, JournalEntry.hash).where(
        JournalEntry.chain == scene.case.id
    )
    await session.exec(of_case.order_by(col(JournalEntry.position).desc()).limit(1))
    await session.exec(select(func.nextval("case_number")))


def _given(scene: Scene) -> tuple[Document, DocumentVersion]:
    document = Document(
        owner_id=scene.actor.person_id,
        category=Category.DIPLOMA.value,
        title="Диплом",
        created_at=scene.at,
    )
    version = DocumentVersion(
        document_id=document.id,
        number=1,
        object_key=f"documents/{new_id()}/original",
        file_name="diploma.pdf",
        media_type=MediaType.PDF.value,
        size=65_536,
        sha256="0" * 64,
        verdict=Verdict.OK.value,
        uploaded_by=scene.actor.person_id,
        uploaded_at=scene.at,
    )
    return document, version


async def _write(session: AsyncSession, scene: Scene) -> None:
    await insert_given(session, *_given(scene), scene.actor)


async def _write_plainly(session: AsyncSession, scene: Scene) -> None:
    document, version = _given(scene)
    session.add(document)
    await session.flush()
    session.add(version)
    await session.flush()
    journal.head_is_known(session, document.id, None, None)
    kind, by = JournalKind.DOCUMENT_ADDED, scene.actor.person_id
    await journal.append(session, chain=document.id, kind=kind, by=by, facts={})


def _block(office: Office, scene: Scene, work: Work) -> Block:
    async def block() -> Costs:
        spent = 0.0
        for _ in range(UNITS):
            async with AsyncSession(office.database.engine, expire_on_commit=False) as session:
                await lock(session, scene.case.id)
                began = time.perf_counter()
                await work(session, scene)
                spent += time.perf_counter() - began
                await session.rollback()
        return {"wall": spent / UNITS}

    return block


async def statements(office: Office, scale: float) -> list[Figure]:
    """Each statement built by hand against the plain ones that it replaces."""
    [(case_id, _)] = await office.drafts(1)
    async with office.database.work() as session:
        case = await lock(session, case_id)
        actor = await access.actor_for(session, case.applicant_id, now())
    scene = Scene(case, actor, now())
    figures = []
    for name, what, by_hand, plainly in (
        ("SQL act", "an act, its number and the journal's end: 1 to 3 statements", _claim,
         _claim_plainly),
        ("SQL file", "a document, its version, the journal: 1 to 3 statements", _write,
         _write_plainly),
    ):  # fmt: skip
        figures += await judge(
            [Promise("wall", name, what, Comparison.AT_MOST, NO_DEARER)],
            _block(office, scene, by_hand),
            _block(office, scene, plainly),
            SERIES.scaled(scale),
            UNITS,
        )
    return figures
