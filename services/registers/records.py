"""What a register said of people, stored with where it comes from and since when."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from pydantic import BaseModel
from sqlalchemy import Select, case, update
from sqlalchemy import select as choose
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import SQLModel, col
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.register_batches import AskedAbout, RegisterAnswer
from clients.registers import RegisterCard, digits_of
from models.encrypted_columns import bound
from models.tables.people import Person, Unit
from models.tables.registers import RegisterRecord
from rules.registers.kinds import RecordState, RegisterName
from rules.texts.names import same_person


@dataclass(frozen=True)
class PersonCompared:
    """A person who is compared with a register, and what is known from it already."""

    id: UUID
    name: str
    snils: str
    revision: int | None
    """None: nothing is known yet."""
    state: RecordState | None
    zone: str
    """The time zone of the person's unit."""

    @property
    def question(self) -> AskedAbout:
        """Records are not sent again while they are unchanged and known to be this person's."""
        known = self.revision if self.state is RecordState.FOUND else None
        return AskedAbout(self.snils, known or 0)


@dataclass(frozen=True)
class StoredAnswers:
    """What was stored: the state of each person, and of whom something is new."""

    states: Mapping[UUID, RecordState]
    news: Collection[UUID]


def record_id(person_id: UUID, register: RegisterName) -> UUID:
    """The id of the row of one person and register: the same whoever writes it first."""
    return uuid5(person_id, register.value)


def of_register(register: RegisterName) -> Select[Any]:
    """People with what is known of them from a register, for `compared`; narrow it further."""
    found: Select[Any] = (
        choose(  # type: ignore[call-overload]
            Person.id,
            col(Person.name),
            col(Person.snils),
            RegisterRecord.revision,
            RegisterRecord.state,
            Unit.time_zone,
        )
        .join(Unit, col(Unit.id) == col(Person.unit_id))
        .outerjoin(
            RegisterRecord,
            (col(RegisterRecord.person_id) == col(Person.id))
            & (col(RegisterRecord.source) == register.value),
        )
        .where(col(Person.snils).is_not(None))
    )
    return found


def compared(row: Any) -> PersonCompared:
    """A person out of what `of_register` selected."""
    digits = digits_of(row.snils)
    state = RecordState(row.state) if row.state else None
    return PersonCompared(row.id, row.name, digits, row.revision, state, row.time_zone)


async def store(
    session: AsyncSession,
    register: RegisterName,
    people: Sequence[PersonCompared],
    answers: Sequence[RegisterAnswer],
    now: datetime,
) -> StoredAnswers:
    """Store what a register said of these people.

    An answer that is older than what is stored changes nothing.
    """
    rows: list[dict[str, Any]] = []
    same: list[UUID] = []
    states: dict[UUID, RecordState] = {}
    news: set[UUID] = set()
    for person, answer in zip(people, answers, strict=True):
        key = record_id(person.id, register)
        if answer.revision is None:
            states[person.id] = RecordState.UNREADABLE
        elif answer.records is None:
            states[person.id] = person.state or RecordState.UNKNOWN
            same.append(key)
        else:
            own = [one for one in answer.records if is_of(person, one)]
            states[person.id] = _state(answer, own)
            if (answer.revision, states[person.id]) != (person.revision, person.state):
                news.add(person.id)
            said = [one.model_dump(mode="json", by_alias=True) for one in own]
            rows.append(
                {
                    "id": key,
                    "person_id": person.id,
                    "source": register.value,
                    "state": states[person.id].value,
                    "revision": answer.revision,
                    "records": bound(said, key),
                    "changed_on": answer.changed_on,
                    "seen_at": now,
                    "checked_at": now,
                }
            )
    if rows:
        # In one order everywhere: two units of work with the same people wait, and do not lock up.
        rows.sort(key=lambda row: row["id"])
        await session.exec(_WRITE, params=rows)
    if same:
        await session.exec(
            update(RegisterRecord)
            .where(col(RegisterRecord.id).in_(same), col(RegisterRecord.checked_at) < now)
            .values(checked_at=now)
            .execution_options(synchronize_session=False)
        )
    return StoredAnswers(states, news)


def _state(answer: RegisterAnswer, own: Sequence[BaseModel]) -> RecordState:
    if not answer.records:
        return RecordState.UNKNOWN
    return RecordState.FOUND if own else RecordState.OTHER


def is_of(person: PersonCompared, record: BaseModel) -> bool:
    """Whether a record is about this person: a SNILS may have been mistyped, or be a namesake's."""
    if isinstance(record, RegisterCard):
        names = record.general.surname, record.general.name
        return digits_of(record.snils) == person.snils and same_person(person.name, *names)
    return same_person(person.name, str(getattr(record, "holder", "")))


def _write() -> Any:
    writing = insert(RegisterRecord)
    new, old = writing.excluded, SQLModel.metadata.tables["register_record"].c
    is_same = (old.revision == new.revision) & (old.state == new.state)
    return writing.on_conflict_do_update(
        index_elements=["id"],
        set_={
            "state": new.state,
            "revision": new.revision,
            "records": new.records,
            "changed_on": new.changed_on,
            "seen_at": case((is_same, old.seen_at), else_=new.seen_at),
            "checked_at": new.checked_at,
        },
        where=old.checked_at < new.checked_at,
    )


_WRITE = _write()
"""Built once; the people of a batch are its parameters."""
