"""Taking people's and rooms' time: everything an appointment needs, or nothing.

The exclusion constraint of the table decides, whoever comes at once. Rows are only looked for to
refuse early what is taken already, and to say what is in the way.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from psycopg.errors import DivisionByZero
from sqlalchemy import Integer, Uuid, bindparam, delete, exists, func, literal, text, true, update
from sqlalchemy import cast as sql_cast
from sqlalchemy import select as choose
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.exc import DBAPIError
from sqlmodel import SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import DirectStatement
from models.encrypted_columns import bound_row
from models.tables.base import UtcDateTime
from models.tables.schedule import Appointment, AppointmentAct, TimeClaim
from rules.journal.entries import JournalKind
from rules.refusals import act_id_reused
from rules.schedule.claims import parties
from rules.schedule.states import AppointmentState, taken
from services.journal import entries as journal
from services.journal.entries import Along, FirstEntry


class NotTaken(Exception):
    """Somebody has the time, or the act was done before: nothing was written.

    A unit of work in which it is raised is to be rolled back.
    """


def _given(table: Any, prefix: str) -> dict[str, Any]:
    return {
        one.name: sql_cast(bindparam(f"{prefix}_{one.name}", type_=one.type), one.type)
        for one in table.c
    }


@lru_cache
def _statement() -> Any:
    """The act, the appointment if the act is new, and its claims as far as nobody has them.

    Where a claim is lacking it divides by zero, so that the server takes all of it back by itself:
    the statement needs no transaction that stays open while the program looks at its answer.
    """
    tables = SQLModel.metadata.tables
    acts, appointments, claims = (
        tables[name] for name in ("appointment_act", "appointment", "claim")
    )
    act = (
        insert(acts)
        .from_select(list(acts.c.keys()), choose(*_given(acts, "act").values()))
        .on_conflict_do_nothing()
        .returning(acts.c.id)
        .cte("act")
    )
    appointment = (
        insert(appointments)
        .from_select(
            list(appointments.c.keys()),
            choose(*_given(appointments, "made").values()).where(exists(choose(act.c.id))),
            include_defaults=False,
        )
        .returning(appointments.c.id, appointments.c.starts_at, appointments.c.ends_at)
        .cte("made")
    )
    parties_given = bindparam("parties", type_=ARRAY(Uuid()))
    wanted = func.unnest(parties_given).table_valued("party", name="wanted").render_derived()
    claimed = (
        insert(claims)
        .from_select(
            ["appointment_id", "party", "during"],
            choose(
                appointment.c.id,
                wanted.c.party,
                func.tstzrange(appointment.c.starts_at, appointment.c.ends_at),
            ).select_from(appointment.join(wanted, true())),
        )
        .on_conflict_do_nothing()
        .returning(claims.c.party)
        .cte("claimed")
    )
    got = choose(func.count(claimed.c.party)).scalar_subquery()
    whole = sql_cast(got == func.cardinality(parties_given), Integer)
    return choose(literal(1) / whole)


async def take(
    session: AsyncSession, act: AppointmentAct, row: Appointment, notices: Along | None
) -> None:
    """Write an appointment with its claims, its journal and its notices: one statement.

    Raises NotTaken.
    """
    values = {f"act_{name}": value for name, value in bound_row(act).items()}
    values |= {f"made_{name}": value for name, value in bound_row(row).items()}
    contents = {"patient": str(row.patient_id)}
    if row.reason:
        contents["reason"] = row.reason
    taking = Along(_statement(), {**values, "parties": _parties(row)})
    first = FirstEntry(
        row.id,
        JournalKind.APPOINTMENT_BOOKED,
        row.changed_at,
        {
            "clinician": str(row.clinician_id),
            "starts_at": row.starts_at.isoformat(),
            "state": row.state,
            "overbooked": row.overbooked,
        },
        contents,
    )
    along = taking.also(notices) if notices else taking
    try:
        await journal.begin_chain(session, row.booked_by, first, along)
    except DBAPIError as error:
        if isinstance(error.orig, DivisionByZero):
            raise NotTaken from None
        raise


_IN_THE_WAY = DirectStatement(
    text(
        "select c.party, a.state = 'held' and a.looks_at <= :now"
        " from unnest(:parties) as wanted(party)"
        " join claim c on c.during && tstzrange(:begins, :ends) and"
        " uuidrange(c.party, c.party, '[]') = uuidrange(wanted.party, wanted.party, '[]')"
        " join appointment a on a.id = c.appointment_id where a.id is distinct from :but"
    ).bindparams(
        bindparam("parties", type_=ARRAY(Uuid())),
        *(bindparam(name, type_=UtcDateTime()) for name in ("begins", "ends", "now")),
        bindparam("but", type_=Uuid()),
    )
)
"""Whose claims meet a time, by the index of the constraint; of which a hold has run out."""


async def only_ended_holds(
    session: AsyncSession, row: Appointment, now: datetime, but: UUID | None = None
) -> bool:
    """Whether only holds that have run out keep an appointment from its time; `but` does not count.

    False where nothing does. Raises Refusal 409 `taken`.
    """
    values = {
        "parties": _parties(row),
        "begins": row.starts_at,
        "ends": row.ends_at,
        "now": now,
        "but": but,
    }
    found = await (await _IN_THE_WAY.run(session, values)).fetchall()
    if any(not is_over for _, is_over in found):
        raise _taken(row, frozenset(party for party, _ in found))
    return bool(found)


async def free(session: AsyncSession, appointment_ids: Sequence[UUID]) -> None:
    """Let others have the time of these appointments."""
    await session.exec(delete(TimeClaim).where(col(TimeClaim.appointment_id).in_(appointment_ids)))


async def answered_before(session: AsyncSession, act_id: UUID, body_hash: str) -> UUID:
    """The appointment of an act that was done before. Raises Refusal 422 for another act."""
    known = await session.get(AppointmentAct, act_id)
    if known is None or known.body_hash != body_hash:
        raise act_id_reused()
    return known.appointment_id


async def let_holds_end(
    session: AsyncSession, now: datetime, parties_of: Appointment | None = None
) -> list[UUID]:
    """Cancel holds that have run out, at most 100, or those in the way of one appointment.

    Returns their ids. Holds that somebody else is about to change are left alone.
    """
    over = select(Appointment.id).where(
        Appointment.state == AppointmentState.HELD.value, col(Appointment.looks_at) <= now
    )
    if parties_of is not None:
        in_the_way = select(TimeClaim.appointment_id).where(
            col(TimeClaim.party).in_(_parties(parties_of)),
        )
        over = over.where(col(Appointment.id).in_(in_the_way))
    chosen = over.order_by(col(Appointment.looks_at)).limit(100).with_for_update(skip_locked=True)
    found = await session.exec(
        update(Appointment)
        .where(col(Appointment.id).in_(chosen))
        .values(
            state=AppointmentState.CANCELLED.value,
            version=col(Appointment.version) + 1,
            changed_at=now,
            held_until=None,
            looks_at=None,
        )
        .returning(col(Appointment.id))
        .execution_options(synchronize_session=False)
    )
    ended = [row[0] for row in found.all()]
    if ended:
        await free(session, ended)
    return ended


def _parties(row: Appointment) -> list[UUID]:
    return parties(row.clinician_id, row.patient_id, row.room_id, overbooked=row.overbooked)


def _taken(row: Appointment, lacking: frozenset[UUID]) -> Exception:
    room, patient = row.room_id in lacking, row.patient_id in lacking
    clinician = bool(lacking - {row.room_id, row.patient_id})
    return taken(clinician=clinician, patient=patient, room=room)
