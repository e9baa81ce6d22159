"""Saved views of the archive: filters under a name, visible to one person only."""

from collections.abc import Sequence
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.archive import SavedView
from rules.access import Actor
from rules.archive import MOST_VIEWS
from rules.clock import now
from rules.refusals import FieldError, Refusal, not_found
from rules.texts.cleaning import one_line
from services import turns

LONGEST = 60
_LONGEST_QUERY = 1000


async def mine(session: AsyncSession, actor: Actor) -> Sequence[SavedView]:
    """The person's views, oldest first."""
    found = await session.exec(
        select(SavedView)
        .where(SavedView.person_id == actor.person_id)
        .order_by(col(SavedView.created_at), col(SavedView.id))
    )
    return found.all()


async def keep(session: AsyncSession, actor: Actor, name: str, query: str) -> SavedView:
    """Save filters under a name. A view that has the name already is replaced.

    Raises Refusal 422 for an empty or long name, 409 if there are too many views.
    """
    name = _named(name)
    if len(query) > _LONGEST_QUERY:
        raise Refusal("too_long", "Условий слишком много, уберите часть.", 422)
    known = await _mine_alone(session, actor)
    for view in known:
        if view.name.casefold() == name.casefold():
            view.name, view.query = name, query
            session.add(view)
            return view
    if len(known) >= MOST_VIEWS:
        words = "Сохранённых подборок уже 20. Удалите ненужную."
        raise Refusal("too_many_views", words, 409)
    view = SavedView(person_id=actor.person_id, name=name, query=query, created_at=now())
    session.add(view)
    return view


async def rename(session: AsyncSession, actor: Actor, view_id: UUID, name: str) -> SavedView:
    """Rename a view.

    Raises `not_found`, and Refusal 422 for an invalid name or one that another view has.
    """
    name = _named(name)
    known = await _mine_alone(session, actor)
    view = await _own(session, actor, view_id)
    if any(one.id != view_id and one.name.casefold() == name.casefold() for one in known):
        raise _wrong("Так уже называется другая подборка")
    view.name = name
    session.add(view)
    return view


async def remove(session: AsyncSession, actor: Actor, view_id: UUID) -> None:
    """Delete a view. Raises `not_found`."""
    await session.delete(await _own(session, actor, view_id))


async def _mine_alone(session: AsyncSession, actor: Actor) -> Sequence[SavedView]:
    """The person's views, locked against changes from another window."""
    await turns.of_person(session, actor.person_id)
    return await mine(session, actor)


async def _own(session: AsyncSession, actor: Actor, view_id: UUID) -> SavedView:
    view = await session.get(SavedView, view_id)
    if view is None or view.person_id != actor.person_id:
        raise not_found()
    return view


def _named(name: str) -> str:
    name = one_line(name)
    if not name:
        raise _wrong("Укажите название подборки")
    if len(name) > LONGEST:
        raise _wrong("Сократите название до 60 знаков")
    return name


def _wrong(message: str) -> Refusal:
    return Refusal("wrong_name", message, 422, [FieldError("name", message)])
