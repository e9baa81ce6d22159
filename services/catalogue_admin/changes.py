"""Changes of the catalogue by administrators: checked as files are, journaled, with a first day.

A change is made on top of what its author saw. The same again changes nothing; two at once do not
overwrite each other.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import rfc8785
import yaml
from pydantic import ValidationError
from sqlalchemy import func, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from models.tables.administration import CatalogueChange
from models.tables.catalogue import CalendarDay, Programme, Reason
from models.tables.people import Unit
from rules.access import Actor, Permission
from rules.catalogue import entries
from rules.catalogue.entries import AT_ONCE, Subject
from rules.clock import now as present
from rules.journal.entries import SYSTEM_CHAIN, JournalKind
from rules.refusals import FieldError, act_id_reused, forbidden, not_found
from rules.staff.table import UNIT_CODE
from rules.zones import is_zone
from services.catalogue import lookup as catalogue
from services.catalogue.loading import CatalogueError, Text, entry_of, load, odd_names
from services.catalogue.yaml_source import parsed
from services.catalogue_admin.entries import NOTHING, Entry, as_file, newest, versions
from services.journal import entries as journal

_CHANGING = 1_245_662_036
_ROOMS = {Subject.PROGRAMME: "programmes", Subject.REASON: "reasons", Subject.DAY: "calendar"}
_KEYS = {
    Subject.PROGRAMME: "code",
    Subject.REASON: "key",
    Subject.UNIT: "code",
    Subject.DAY: "day",
}
FILE = "type.yaml"
LONGEST_TEXT = 60_000


@dataclass(frozen=True)
class Wish:
    """What an administrator asks for; `based_on` is the digest of what the editor showed."""

    act_id: UUID
    based_on: str
    valid_from: date | None = None
    offered: bool = True


class Administration:
    """The acts of administrators. Methods raise Refusal: 403, 404, 409, 422."""

    def __init__(self, database: Database, institution_zone: str) -> None:
        self._database = database
        self._zone = institution_zone

    async def change(
        self, actor: Actor, subject: Subject, values: Mapping[str, Any], wish: Wish
    ) -> Entry:
        """Save a programme, a reason, a unit or a day: a new one, or the one of this key."""
        demand(actor)
        if subject is Subject.TYPE:
            raise not_found()
        async with self._database.work() as session:
            entry, checked = await checked_entry(session, subject, values)
            before = await self._begin(session, actor, subject, entry.key, wish, entry.values)
            if isinstance(before, CatalogueChange):
                return await _stands(session, subject, before.key)
            now = present()
            since = self._since(wish.valid_from, now)
            same = before is not None and before.values == entry.values
            if same and before is not None and before.offered == wish.offered:
                raise entries.nothing_changed()
            version = None
            match subject:
                case Subject.PROGRAMME:
                    version = await _save_programme(
                        session, checked, before, since, now, same=same, offered=wish.offered
                    )
                case Subject.REASON:
                    await _save_reason(session, checked, offered=wish.offered)
                case Subject.UNIT:
                    await _save_unit(session, entry.values, before)
                case _:
                    await session.merge(CalendarDay(**checked.model_dump()))
            await session.flush()
            valid_from = now if subject in AT_ONCE else since
            stands = await _stands(session, subject, entry.key)
            await self._note(session, actor, wish, before, stands, valid_from, version)
            return stands

    async def change_type(self, actor: Actor, key: str, text: str, wish: Wish) -> Entry:
        """Save a new version of a type, given as the text of a file with this one type.

        Raises Refusal 422 with the lines of the mistakes. Cases keep the version they began with.
        """
        demand(actor)
        async with self._database.work() as session:
            before = await self._begin(session, actor, Subject.TYPE, key, wish, {"text": text})
            if isinstance(before, CatalogueChange):
                return await _stands(session, Subject.TYPE, before.key)
            now = present()
            await load_type(session, key, text, now, self._zone)
            stands = await _stands(session, Subject.TYPE, key)
            if before is not None and stands.version == before.version:
                raise entries.nothing_changed()
            since = stands.valid_from or now
            await self._note(session, actor, wish, before, stands, since, stands.version)
            return stands

    async def change_terms(
        self, actor: Actor, key: str, terms: Mapping[str, Any], wish: Wish
    ) -> Entry:
        """Give a type other terms: a new version that is the newest one but for them."""
        demand(actor)
        async with self._database.work() as session:
            before = await newest(session, Subject.TYPE, key)
        if before is None:
            raise not_found()
        return await self.change_type(actor, key, self.with_terms(before, terms, wish), wish)

    def with_terms(self, entry: Entry, terms: Mapping[str, Any], wish: Wish) -> str:
        """The file of the next version of a type, with these terms."""
        check_terms(terms)
        version = (entry.version or 0) + 1
        return as_file({**entry.values, "terms": dict(terms)}, version, wish.valid_from)

    async def _begin(
        self,
        session: AsyncSession,
        actor: Actor,
        subject: Subject,
        key: str,
        wish: Wish,
        body: Mapping[str, Any],
    ) -> Entry | CatalogueChange | None:
        """Wait for one's turn; the entry as it stands, or the change if it was made before."""
        digest = _body_hash(actor, subject, key, wish, body)
        turn = int.from_bytes(hashlib.sha256(f"{subject}:{key}".encode()).digest()[:4], "big")
        await session.exec(select(func.pg_advisory_xact_lock(_CHANGING, turn - 2**31)))
        made = await session.get(CatalogueChange, wish.act_id)
        if made is not None:
            if made.body_hash != digest:
                raise act_id_reused()
            return made
        before = await newest(session, subject, key)
        if (before.digest if before else NOTHING) != wish.based_on:
            if before is not None and wish.based_on == NOTHING:
                words = "Такой код уже есть. Выберите другой."
                raise entries.unfit([FieldError(_KEYS.get(subject, "text"), words)])
            raise entries.changed_meanwhile()
        today = present().astimezone(ZoneInfo(self._zone)).date()
        entries.demand_future(wish.valid_from, today)
        session.info["body_hash"] = digest
        return before

    async def _note(
        self,
        session: AsyncSession,
        actor: Actor,
        wish: Wish,
        before: Entry | None,
        after: Entry,
        valid_from: datetime,
        version: int | None,
    ) -> None:
        """Keep the change in the history and in the system's chain of the journal."""
        now = present()
        session.add(
            CatalogueChange(
                id=wish.act_id,
                subject=after.subject.value,
                key=after.key,
                at=now,
                by=actor.person_id,
                valid_from=valid_from,
                version=version,
                before=_shown(before) if before else None,
                after=_shown(after),
                body_hash=session.info["body_hash"],
            )
        )
        try:
            await session.flush()
        except IntegrityError:
            # The same id came first by a moment, for another entry.
            raise act_id_reused() from None
        await journal.append(
            session,
            chain=SYSTEM_CHAIN,
            kind=JournalKind.CATALOGUE_CHANGED,
            at=now,
            by=actor.person_id,
            facts={
                "change": str(wish.act_id),
                "subject": after.subject.value,
                "key": after.key,
                "version": version,
                "from": valid_from.isoformat(),
                "before": before.digest if before else None,
                "after": after.digest,
            },
        )
        catalogue.forget(session)

    def _since(self, day: date | None, now: datetime) -> datetime:
        if day is None:
            return now
        # A day that has begun cannot be waited for.
        return max(now, datetime.combine(day, time(), ZoneInfo(self._zone)))


def demand(actor: Actor) -> None:
    """Raise Refusal 403 for those who do not manage the catalogue."""
    if not actor.may(Permission.MANAGE_CATALOGUE):
        raise forbidden()


def _shown(entry: Entry) -> dict[str, Any]:
    return {**entry.values, **({} if entry.offered else {"offered": False})}


def _body_hash(
    actor: Actor, subject: Subject, key: str, wish: Wish, body: Mapping[str, Any]
) -> str:
    said = {
        "by": str(actor.person_id),
        "subject": subject.value,
        "key": key,
        "based_on": wish.based_on,
        "from": wish.valid_from.isoformat() if wish.valid_from else None,
        "offered": wish.offered,
        "body": dict(body),
    }
    return hashlib.sha256(rfc8785.dumps(said)).hexdigest()


async def _stands(session: AsyncSession, subject: Subject, key: str) -> Entry:
    session.expire_all()
    entry = await newest(session, subject, key)
    if entry is None:
        raise not_found()
    return entry


async def checked_entry(
    session: AsyncSession, subject: Subject, values: Mapping[str, Any]
) -> tuple[Entry, Any]:
    """An entry as it would stand, with its checked model. Raises Refusal 422 by field."""
    if subject is Subject.UNIT:
        return await _checked_unit(session, values), None
    try:
        checked = entry_of(_ROOMS[subject], values)
    except ValidationError as error:
        raise entries.unfit(
            [
                FieldError(
                    str(fault["loc"][2]) if len(fault["loc"]) > 2 else "code",
                    _in_words(fault["type"], fault["msg"], fault.get("ctx", {})),
                )
                for fault in error.errors()
            ]
        ) from error
    if subject is Subject.PROGRAMME and (odd := await odd_names(session, checked)):
        raise entries.unfit([FieldError("attachments", one) for one in odd])
    dumped = checked.model_dump(mode="json", exclude={"valid_from"})
    key, title = str(dumped[_KEYS[subject]]), str(dumped.get("title", dumped.get("day", "")))
    return Entry(subject, key, title, dumped), checked


def checked_type(values: Mapping[str, Any], version: int) -> dict[str, Any]:
    """A definition of a type, whole. Raises Refusal 422 with paths such as `sections.0.title`."""
    try:
        checked: dict[str, Any] = entry_of("types", {**values, "version": version}).definition
    except ValidationError as error:
        raise entries.unfit(
            [
                FieldError(
                    ".".join(map(str, fault["loc"][2:])),
                    _in_words(fault["type"], fault["msg"], fault.get("ctx", {})),
                )
                for fault in error.errors()
            ]
        ) from error
    return checked


_WORDS = {
    "missing": "Заполните поле.",
    "string_too_short": "Напишите подробнее.",
    "string_too_long": "Слишком длинно.",
    "string_pattern_mismatch": "Только латинские буквы, цифры и дефис.",
    "int_parsing": "Напишите число.",
    "int_type": "Напишите число.",
    "greater_than_equal": "Не меньше %(ge)s.",
    "less_than_equal": "Не больше %(le)s.",
    "literal_error": "Выберите одно из допустимых значений.",
    "date_from_datetime_parsing": "Напишите дату: день, месяц, год.",
    "date_parsing": "Напишите дату: день, месяц, год.",
}


def _in_words(kind: str, message: str, facts: Mapping[str, Any]) -> str:
    words = _WORDS.get(kind)
    if words is None:
        return message.removeprefix("Value error, ")
    return words % facts if "%(" in words else words


async def _checked_unit(session: AsyncSession, values: Mapping[str, Any]) -> Entry:
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
    known = set((await session.exec(select(Unit.code))).all())
    if parent is not None and parent not in known:
        errors.append(FieldError("parent", "Такого подразделения нет."))
    if errors:
        raise entries.unfit(errors)
    unit = {"code": code, "name": name, "parent": parent, "time_zone": zone}
    return Entry(Subject.UNIT, code, name, unit)


async def _save_programme(
    session: AsyncSession,
    checked: Any,
    before: Entry | None,
    since: datetime,
    now: datetime,
    *,
    same: bool,
    offered: bool,
) -> int | None:
    """A changed programme is a new version; one withdrawn keeps all of them for its cases."""
    version = before.version if before else None
    if not same:
        version = (version or 0) + 1
        session.add(
            Programme(code=checked.code, version=version, valid_from=since, **checked.columns)
        )
        await session.flush()
    of_code = col(Programme.code) == checked.code
    if offered:
        newest_one = of_code & (col(Programme.version) == version)
        await session.exec(update(Programme).where(newest_one).values(withdrawn_at=None))
    else:
        on_offer = of_code & col(Programme.withdrawn_at).is_(None)
        await session.exec(update(Programme).where(on_offer).values(withdrawn_at=now))
    return version


async def _save_reason(session: AsyncSession, checked: Any, *, offered: bool) -> None:
    row = await session.get(Reason, checked.key)
    values = {**checked.model_dump(), "active": offered}
    if row is not None:
        row.sqlmodel_update(values)
        session.add(row)
        return
    last = (await session.exec(select(func.max(Reason.position)))).one()
    session.add(Reason(**values, position=(last or 0) + 1))


async def _save_unit(
    session: AsyncSession, values: Mapping[str, Any], before: Entry | None
) -> None:
    parent = None
    if values["parent"] is not None:
        parent = (await session.exec(select(Unit.id).where(Unit.code == values["parent"]))).one()
    if before is None:
        if parent is None:
            words = "Выберите, в чьём подчинении подразделение."
            raise entries.unfit([FieldError("parent", words)])
        session.add(
            Unit(
                code=values["code"],
                name=values["name"],
                parent_id=parent,
                time_zone=values["time_zone"],
            )
        )
        return
    if before.values["parent"] != values["parent"]:
        # Rights are held in a unit and those below it: moving one would hand them out.
        words = "Подчинённость подразделения меняют вместе с правами, не здесь."
        raise entries.unfit([FieldError("parent", words)])
    unit = (await session.exec(select(Unit).where(Unit.code == values["code"]))).one()
    unit.name, unit.time_zone = values["name"], values["time_zone"]
    session.add(unit)


def check_terms(terms: Mapping[str, Any]) -> None:
    """Raise Refusal 422 for terms without days, and reminders outside their term."""
    errors = []
    for name in ("review", "answer"):
        days, reminders = terms.get(name), terms.get(f"{name}_reminders", ())
        if not isinstance(days, int) or not 1 <= days <= 366:
            errors.append(FieldError(name, "Срок: от 1 до 366 рабочих дней."))
        elif not isinstance(reminders, list | tuple) or not all(
            isinstance(day, int) and 1 <= day < days for day in reminders
        ):
            words = "Напоминания бывают до конца срока: перечислите дни через запятую."
            errors.append(FieldError(f"{name}_reminders", words))
    if errors:
        raise entries.unfit(errors)


async def load_type(session: AsyncSession, key: str, text: str, now: datetime, zone: str) -> None:
    """Load one type from the text of a file. Raises Refusal 422 with the lines of mistakes."""
    if len(text) > LONGEST_TEXT:
        raise entries.unfit_text(["Описание слишком длинное."])
    try:
        _, raw = parsed(text)
    except yaml.YAMLError:
        raw = {"types": [{"key": key}]}
    types = raw.get("types") if isinstance(raw, dict) else None
    one = types[0] if isinstance(types, list) and len(types) == 1 else None
    if not isinstance(raw, dict) or set(raw) != {"types"} or not isinstance(one, dict):
        raise entries.unfit_text(["Строка 1: нужен один раздел types с одним типом."])
    if one.get("key") != key:
        line = _line_of(text, "key")
        raise entries.unfit_text([f"Строка {line}: key: ожидается {key}."])
    known = {entry.version for entry in await versions(session, key)}
    try:
        await load(session, [Text(FILE, text)], now, zone)
    except CatalogueError as error:
        raise entries.unfit_text([_with_line(one) for one in error.problems]) from error
    stands = await newest(session, Subject.TYPE, key)
    if stands is None or (stands.version in known and one.get("version") not in known):
        line, next_one = _line_of(text, "version"), max(v or 0 for v in known) + 1
        raise entries.unfit_text(
            [f"Строка {line}: version: следующая редакция должна быть {next_one}."]
        )
    if stands.valid_from is not None and stands.valid_from < now and stands.version not in known:
        today = now.astimezone(ZoneInfo(zone)).date()
        if stands.valid_from.astimezone(ZoneInfo(zone)).date() < today:
            line = _line_of(text, "valid_from")
            words = "этот день уже прошёл, укажите сегодняшний или более поздний"
            raise entries.unfit_text([f"Строка {line}: valid_from: {words}."])
    addressee = stands.values["addressee"]
    if (await session.exec(select(Unit.id).where(Unit.code == addressee))).first() is None:
        line = _line_of(text, "addressee")
        raise entries.unfit_text([f"Строка {line}: addressee: подразделения {addressee} нет."])


def _line_of(text: str, name: str) -> int:
    """The line on which a name of the type itself first stands, from 1."""
    found = re.search(rf"^[ \-]{{1,6}}{name}\s*:", text, re.MULTILINE)
    return text.count("\n", 0, found.start()) + 1 if found else 1


def _with_line(problem: str) -> str:
    """A problem of a file in the words of the page: the line first."""
    found = re.match(rf"{re.escape(FILE)}:(\d+): (.*)", problem, re.DOTALL)
    if found:
        return f"Строка {found[1]}: {found[2]}"
    inside = re.search(r"line (\d+), column", problem)
    words = problem.removeprefix(f"{FILE}: ")
    return f"Строка {inside[1]}: {words}" if inside else words
