"""Units as administrators change them: new ones, names and time zones.

Rights apply to a unit and those below it, so a unit's parent is not changed here.
"""

from datetime import datetime

from sqlalchemy.orm import aliased
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.credentials import Credential
from models.tables.people import Person, Unit
from rules.catalogue.entries import Subject, unfit
from rules.refusals import FieldError
from rules.staff.table import UNIT_CODE
from rules.texts.cleaning import in_order
from rules.zones import is_zone
from services import own_workflows
from services.catalogue_admin.kinds import Entry, EntryChange, EntryKind, Values

_above = aliased(Unit)


def entry_of_unit(row: Unit, parent: str | None) -> Entry:
    """A unit with the code of the one above it."""
    values = {"code": row.code, "name": row.name, "parent": parent, "time_zone": row.time_zone}
    return Entry(Subject.UNIT, row.code, row.name, values)


async def _checked(session: AsyncSession, values: Values) -> Entry:
    code, name = str(values.get("code") or ""), " ".join(str(values.get("name") or "").split())
    zone, above = str(values.get("time_zone") or ""), values.get("parent")
    parent = str(above) if above else None
    errors = []
    if not UNIT_CODE.fullmatch(code):
        words = "Напишите код: строчные буквы, цифры, точка и дефис, до 32 знаков."
        errors.append(FieldError("code", words))
    if not 3 <= len(name) <= 200:
        errors.append(FieldError("name", "Напишите название: от 3 до 200 знаков."))
    if not is_zone(zone):
        errors.append(FieldError("time_zone", "Такого часового пояса нет."))
    if parent is not None and await _with_code(session, parent) is None:
        errors.append(FieldError("parent", "Такого подразделения нет."))
    if errors:
        raise unfit(errors)
    unit = {"code": code, "name": name, "parent": parent, "time_zone": zone}
    return Entry(Subject.UNIT, code, name, unit)


async def _save(session: AsyncSession, change: EntryChange) -> datetime:
    wanted, before = change.wanted.values, change.before
    if before is not None and before.values["parent"] != wanted["parent"]:
        words = "Подчинённость подразделения меняют вместе с правами, не здесь."
        raise unfit([FieldError("parent", words)])
    unit = await _with_code(session, wanted["code"])
    if unit is None:
        parent = await _with_code(session, wanted["parent"] or "")
        if parent is None:
            words = "Выберите, в чьём подчинении подразделение."
            raise unfit([FieldError("parent", words)])
        unit = Unit(code=wanted["code"], name="", parent_id=parent.id, time_zone="")
    if unit.time_zone != wanted["time_zone"]:
        # The ends of credentials count by the days of the unit.
        owners = select(Person.id).where(Person.unit_id == unit.id)
        theirs = col(Credential.owner_id).in_(owners)
        await own_workflows.ask_to_look(session, Credential, "wakes_at", theirs, change.now)
    unit.name, unit.time_zone = wanted["name"], wanted["time_zone"]
    session.add(unit)
    return change.now


async def _with_code(session: AsyncSession, code: str) -> Unit | None:
    return (await session.exec(select(Unit).where(Unit.code == code))).one_or_none()


UNITS = EntryKind(
    subject=Subject.UNIT,
    key="code",
    rows=select(Unit, _above.code).outerjoin(_above, col(_above.id) == col(Unit.parent_id)),
    column=col(Unit.code),
    entry=lambda row: entry_of_unit(*row),
    checked=_checked,
    save=_save,
    order=lambda entry: in_order(entry.title),
)
