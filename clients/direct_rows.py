"""Queries of a unit of work that go past SQLAlchemy: for what each case reads.

The objects belong to the unit of work like those that it reads itself: one row is one object, and
what is changed in it is written at the commit.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

from sqlalchemy.exc import NoResultFound
from sqlalchemy.orm import Mapper
from sqlalchemy.orm.attributes import instance_state

from clients.database import DIALECT, DatabaseSession, DirectStatement

Read = Callable[[DatabaseSession, Sequence[Any]], Any]
"""Makes one element out of a row as the driver gives it."""


class DirectRows(DirectStatement):
    """A query that is built once; of several elements selected, a row is a tuple.

    It takes parameters alone, and no options of the ORM.
    """

    async def all(self, session: DatabaseSession, values: Mapping[str, Any]) -> list[Any]:
        """All rows. What was changed before is written first, as before any query."""
        if not session.sync_session._is_clean():
            await session.flush()
        rows = await (await self.run(session, values)).fetchall()
        reads = self._reads
        if len(reads) == 1:
            return [reads[0](session, row) for row in rows]
        return [tuple(read(session, row) for read in reads) for row in rows]

    async def one(self, session: DatabaseSession, values: Mapping[str, Any]) -> Any:
        """The only row, which exists. Raises NoResultFound."""
        rows = await self.all(session, values)
        if not rows:
            raise NoResultFound
        return rows[0]

    async def one_or_none(self, session: DatabaseSession, values: Mapping[str, Any]) -> Any:
        """The only row, or None; for a query that finds no more."""
        rows = await self.all(session, values)
        return rows[0] if rows else None

    @cached_property
    def _reads(self) -> list[Read]:
        at, reads = 0, []
        for one in self._statement.column_descriptions:
            mapper = getattr(one["entity"], "__mapper__", None)
            if mapper is not None and one["expr"] is one["entity"]:
                width = len(mapper.columns)
                reads.append(self._of_object(mapper, at))
            else:
                width = 1
                reads.append(self._of_value(at))
            at += width
        return reads

    def _value_at(self, at: int) -> Callable[[Any], Any]:
        """How SQLAlchemy would read the value of this column."""
        kind = self._made._result_columns[at].type
        found: Any = kind.dialect_impl(DIALECT).result_processor(DIALECT, None)
        return found or _as_it_is

    def _of_value(self, at: int) -> Read:
        value = self._value_at(at)
        return lambda _, row: value(row[at])

    def _of_object(self, mapper: Mapper[Any], first: int) -> Read:
        columns = self._made._result_columns[first : first + len(mapper.columns)]
        own: dict[Any, str] = {
            one: mapper.get_property_by_column(one).key for one in mapper.columns
        }
        places = {}
        for number, one in enumerate(columns, first):
            [name] = {own[column] for column in one.objects if column in own}
            places[name] = number
        key = [places[own[column]] for column in mapper.primary_key]
        values = [(name, at, self._value_at(at)) for name, at in places.items()]
        identified, make = mapper.identity_key_from_primary_key, mapper.class_manager.new_instance

        def read(session: DatabaseSession, row: Sequence[Any]) -> Any:
            primary_key = tuple(row[at] for at in key)
            if None in primary_key:
                return None
            identity, known = identified(primary_key), session.sync_session.identity_map
            found = known.get(identity) or make()
            state: Any = instance_state(found)
            if state.key is None:
                state.key, state.session_id = identity, session.sync_session.hash_key
                known._add_unpresent(state, identity)
            # What the unit of work knows already, and may have changed, stays.
            read = {name: do(row[at]) for name, at, do in values if name not in state.dict}
            state.dict.update(read)
            state._commit(state.dict, read)
            return found

        return read


def _as_it_is(value: Any) -> Any:
    return value
