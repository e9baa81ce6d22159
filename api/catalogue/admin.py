"""What administrators do with the catalogue (O6). Every change takes an `Idempotency-Key`."""

from datetime import datetime
from typing import Annotated, Any, Self

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from api.cases.drafts import IdempotencyKey
from api.container import ContainerDep
from api.http.auth import require
from api.http.entrance import CleanRoute
from api.http.problems import documented
from rules.access import Actor, Permission
from rules.catalogue.entries import Subject
from rules.clock import MeantDay
from rules.refusals import not_found
from services.catalogue_admin import entries, type_upgrades
from services.catalogue_admin.changes import Administration, Wish
from services.catalogue_admin.entries import KINDS, Changed
from services.catalogue_admin.kinds import Entry
from services.catalogue_admin.type_upgrades import Effect
from services.catalogue_admin.types import LONGEST_TEXT

router = APIRouter(route_class=CleanRoute, prefix="/administration", tags=["administration"])

Administrator = Annotated[Actor, require(Permission.MANAGE_CATALOGUE)]
Key = Annotated[str, Path(max_length=64, examples=["CARD-144"])]


class EntryOut(BaseModel):
    """An entry of the catalogue; `values` as a file of the catalogue would hold them."""

    subject: Subject
    key: str
    title: str
    values: dict[str, Any]
    version: int | None
    valid_from: datetime | None
    offered: bool
    based_on: str = Field(
        description="Send it with a change of this entry; for a new entry send `new`."
    )

    @classmethod
    def of(cls, entry: Entry) -> Self:
        """From what the service answered."""
        return cls(**vars(entry), based_on=entry.digest)


class ChangeIn(BaseModel):
    """The new contents of an entry: `values` as in a file, or the `text` of a type's file."""

    values: dict[str, Any] = {}
    text: str = Field("", max_length=LONGEST_TEXT)
    based_on: str = Field(max_length=64, examples=["new"])
    valid_from: MeantDay | None = Field(
        None, description="The first day on which the change is in force; null: at once."
    )
    offered: bool = True


class TextIn(BaseModel):
    """The definition of a type, to be tried."""

    text: str = Field(max_length=LONGEST_TEXT)


class DifferenceOut(BaseModel):
    """One line that differs."""

    path: str
    old: str
    new: str


class ChangedOut(BaseModel):
    """One change of the history."""

    at: datetime
    by: str
    valid_from: datetime
    version: int | None
    lines: list[DifferenceOut]

    @classmethod
    def of(cls, one: Changed) -> Self:
        """From what the service answered."""
        lines = [DifferenceOut(path=path, old=old, new=new) for path, old, new in one.lines]
        return cls(**{**vars(one), "lines": lines})


class EffectOut(BaseModel):
    """What a version would change for open cases, by their numbers."""

    version: int
    open: int
    looked_at: int
    whole: int = Field(description="How many open cases could be moved to this version unchanged.")
    drafts: int
    unfit: list[str]
    documents: list[str]
    questions: list[str]
    later: list[str]
    sooner: list[str]
    overdue: list[str]

    @classmethod
    def of(cls, told: Effect) -> Self:
        """From what the service answered."""
        return cls.model_validate(vars(told))


class MovedOut(BaseModel):
    """How many cases were moved, and how many stay with their version."""

    moved: int
    left: int


def _service(container: ContainerDep) -> Administration:
    return Administration(container.database, container.settings.time_zone)


@router.get("/{subject}", responses=documented(401, 403, 422))
async def list_entries(
    subject: Subject, actor: Administrator, container: ContainerDep
) -> list[EntryOut]:
    """The newest entry of every key, including those not yet in force and those withdrawn."""
    async with container.database.work() as session:
        return [EntryOut.of(one) for one in await entries.listed(session, subject)]


@router.get("/{subject}/{key}", responses=documented(401, 403, 404, 422))
async def read_entry(
    subject: Subject, key: Key, actor: Administrator, container: ContainerDep
) -> EntryOut:
    """One entry, and what a change of it must be based on."""
    async with container.database.work() as session:
        found = await entries.newest(session, subject, key)
    if found is None:
        raise not_found()
    return EntryOut.of(found)


@router.get("/{subject}/{key}/history", responses=documented(401, 403, 422))
async def read_history(
    subject: Subject, key: Key, actor: Administrator, container: ContainerDep
) -> list[ChangedOut]:
    """Who changed what and when, newest first."""
    async with container.database.work() as session:
        return [ChangedOut.of(one) for one in await entries.history(session, subject, key)]


@router.put("/{subject}/{key}", responses=documented(401, 403, 404, 409, 422))
async def change_entry(
    subject: Subject,
    key: Key,
    body: ChangeIn,
    idempotency_key: IdempotencyKey,
    actor: Administrator,
    container: ContainerDep,
) -> EntryOut:
    """Change an entry or add one.

    A type is given as the text of its file; errors name its lines.
    """
    wish = Wish(idempotency_key, body.based_on, body.valid_from, body.offered)
    kind = KINDS[subject]
    given = {"text": body.text} if kind.by_text else body.values
    values = {**given, kind.key: key}
    return EntryOut.of(await _service(container).change(actor, subject, values, wish))


@router.post("/type/{key}/dry-run", responses=documented(401, 403, 422))
async def dry_run(
    key: Key, body: TextIn, actor: Administrator, container: ContainerDep
) -> EffectOut:
    """What a definition would change for open cases; nothing is kept."""
    values = {"key": key, "text": body.text}
    told = await _service(container).tried(actor, Subject.TYPE, values)
    if told.effect is None:
        raise not_found()
    return EffectOut.of(told.effect)


@router.post("/type/{key}/versions/{number}/move", responses=documented(401, 403, 404, 409, 422))
async def move_cases(
    key: Key,
    number: Annotated[
        int,
        Path(ge=1, le=100_000, description="The version in force, to which the cases are moved."),
    ],
    idempotency_key: IdempotencyKey,
    actor: Administrator,
    container: ContainerDep,
) -> MovedOut:
    """Move open cases whose data fits the version in force onto it. Each move is journaled."""
    done = await type_upgrades.move_cases(container.database, actor, key, number, idempotency_key)
    return MovedOut(moved=done.moved, left=done.left)
