"""Entering and correcting who a patient is (W2)."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from crypto.key_ring import key_ring
from models.encrypted_columns import bound
from models.tables.patients import Patient
from rules.access import Actor, Permission
from rules.clock import now as present
from rules.journal.entries import JournalKind
from rules.patients import identity as rules
from rules.patients.identity import FIELD_WORDS, Identity, policy_key, snils_key
from rules.refusals import FieldError, Refusal, not_found
from services import access
from services.journal import entries as journal
from services.patients.entering import columns, enter, identity_of


class Patients:
    """What those do who register patients."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def register(
        self, actor: Actor, patient_id: UUID, unit_id: UUID, typed: Mapping[str, str]
    ) -> None:
        """Enter a patient under this id. The same again changes nothing.

        Raises Refusal 403, 409 `number_taken` where another patient has the SNILS or the policy and
        `entered_already` for a form that was sent before with another identity, 422.
        """
        actor.demand(Permission.REGISTER_PATIENTS, unit_id)
        now = present()
        async with self._database.work() as session:
            who = rules.read(typed, await access.day_in(session, unit_id, now))
            row = await enter(session, who, unit_id, actor.person_id, now, patient_id)
            if row is None:
                known = await session.get(Patient, patient_id)
                if known is None:
                    raise await _taken(session, who, patient_id)
                if identity_of(known) != who:
                    raise entered_already()

    async def correct(
        self, actor: Actor, patient_id: UUID, version: int, typed: Mapping[str, str]
    ) -> int:
        """Correct who the patient is, in the version that was opened. Returns the new version.

        What is as it was changes nothing. Raises Refusal 403, 404, 422, and 409: `stale_identity`
        if somebody corrected it meanwhile, `number_taken` as for `register`.
        """
        now = present()
        async with self._database.work() as session:
            row = await session.get(Patient, patient_id)
            if row is None:
                actor.demand(Permission.REGISTER_PATIENTS)
                raise not_found()
            actor.demand(Permission.REGISTER_PATIENTS, row.unit_id)
            before = identity_of(row)
            who = rules.read(typed, await access.day_in(session, row.unit_id, now))
            if row.version != version:
                raise stale()
            if who == before:
                return version
            await self._change(session, row, who)
            await journal.append(
                session,
                chain=patient_id,
                kind=JournalKind.PATIENT_CORRECTED,
                at=now,
                by=actor.person_id,
                facts={"version": version + 1, "fields": list(changed(before, who))},
                contents={"before": dict(before.as_text), "after": dict(who.as_text)},
                lock=True,
            )
        return version + 1

    @staticmethod
    async def _change(session: AsyncSession, row: Patient, who: Identity) -> None:
        values = {
            name: bound(value, row.id) if name in FIELD_WORDS else value
            for name, value in columns(who).items()
        }
        try:
            async with session.begin_nested():
                done = await session.exec(
                    update(Patient)
                    .where(col(Patient.id) == row.id, col(Patient.version) == row.version)
                    .values(version=row.version + 1, **values)
                    .execution_options(synchronize_session=False)
                )
        except IntegrityError:
            raise await _taken(session, who, row.id) from None
        if not done.rowcount:
            raise stale()


def changed(before: Identity, after: Identity) -> Sequence[str]:
    """The fields in which two identities differ, in the order of the form."""
    one, other = before.as_text, after.as_text
    return [name for name in FIELD_WORDS if one[name] != other[name]]


async def _taken(session: AsyncSession, who: Identity, but: UUID) -> Refusal:
    """The refusal that names the fields whose number another patient has."""
    ring = key_ring()
    numbers = {
        "snils": (col(Patient.snils_blind), who.snils and ring.blind(snils_key(who.snils))),
        "policy": (col(Patient.policy_blind), who.policy and ring.blind(policy_key(who.policy))),
    }
    errors, others = [], []
    for name, (column, blind) in numbers.items():
        if blind:
            found = await session.exec(select(Patient.id).where(column == blind, Patient.id != but))
            if (other := found.first()) is not None:
                others.append(str(other))
                errors.append(FieldError(name, _HAS[name]))
    return Refusal("number_taken", _TAKEN, 409, errors, patients=",".join(sorted(set(others))))


_HAS = {
    "snils": "Этот СНИЛС уже записан у другого пациента",
    "policy": "Этот полис уже записан у другого пациента",
}
_TAKEN = (
    "Такой номер уже есть у другого пациента. Если это один человек, откройте его карту; если нет, "
    "проверьте номер или сохраните без него."
)


def entered_already() -> Refusal:
    """The form was sent before, for somebody else or with other data."""
    words = "По этой форме пациент уже внесён. Для другого пациента откройте новую форму."
    return Refusal("entered_already", words, 409)


def stale() -> Refusal:
    """Somebody corrected the identity since it was opened."""
    words = "Пока вы писали, данные исправил другой сотрудник. Сравните и сохраните ещё раз."
    return Refusal("stale_identity", words, 409)
