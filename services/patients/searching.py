"""Finding a patient whom one can name: by number, by full name, by birth date (W2).

Every search goes by an index of exact values, is bounded, counted and recorded. There is no list of
all patients, and nobody without a right that needs it learns whether there is one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, bindparam, func, literal_column
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import DirectRows
from crypto.key_ring import key_ring
from models.tables.base import UtcDateTime
from models.tables.patients import Patient, PatientLink, PatientView
from rules.access import Actor, Permission
from rules.accounts import Limit, too_often
from rules.journal.tags import ViewCode
from rules.patients.identity import (
    Identity,
    birth_key,
    name_key,
    policy,
    policy_key,
    snils_key,
)
from rules.refusals import FieldError, Refusal, forbidden
from rules.texts import identifiers
from rules.texts.cleaning import searched
from rules.texts.identifiers import IdentifierError
from services import rate_limits
from services.journal import entries as journal
from services.patients import links, ways
from services.patients.duplicates import alike
from services.patients.entering import identities, identity_of
from services.patients.ways import Opened

MOST = 20
"""How many are shown; whoever has more is asked to say more."""
MOST_OF_A_DAY = 200
SEARCHES = Limit("patient_search", 240, timedelta(hours=1))
"""How often one person may search."""
MAY_SEARCH = (Permission.TREAT, Permission.REGISTER_PATIENTS, Permission.BOOK)
NAME_LIKE = 70.0
RECENT = timedelta(days=30)


@dataclass(frozen=True)
class Found:
    """A patient as lists show them. `main` is another id where the patient is joined to one."""

    id: UUID
    main: UUID
    identity: Identity


@dataclass(frozen=True)
class FoundPatients:
    """What a search found; `more` says that it found more than are shown."""

    found: Sequence[Found]
    more: bool = False


def demand_search(actor: Actor) -> None:
    """Raise Refusal 403 unless the actor may look patients up."""
    if not any(actor.may(one) for one in MAY_SEARCH):
        for one in MAY_SEARCH:
            if actor.waits_for_state(one) is not None:
                actor.demand(one)
        raise forbidden()


async def search(
    session: AsyncSession, actor: Actor, text: str, born: str, now: datetime
) -> FoundPatients:
    """Who has this number or name, and this birth date where one is given.

    Raises Refusal 403, 422 for what names nobody, 429. The session is one that writes; if it is
    refused, the caller has to commit that the try was taken.
    """
    demand_search(actor)
    if wait := await rate_limits.take(session, [(SEARCHES, str(actor.person_id))], now):
        raise too_often(wait)
    condition, name = _meant(text, born)
    await journal.record_view(session, actor, actor.person_id, ViewCode.PATIENT_SEARCH, at=now)
    found = await session.exec(select(Patient).where(condition).limit(MOST_OF_A_DAY))
    rows = [(one.id, identity_of(one)) for one in found.all()]
    if name:
        likes = {key: _likeness(name, who.name) for key, who in rows}
        rows = sorted(
            (one for one in rows if likes[one[0]] >= NAME_LIKE), key=lambda r: -likes[r[0]]
        )
    return FoundPatients(await _with_mains(session, rows[:MOST]), len(rows) > MOST)


def _meant(text: str, born: str) -> tuple[ColumnElement[bool], str]:
    """By which index to look, and the name that narrows what it finds. Raises Refusal 422."""
    ring, said = key_ring(), identifiers.tidy(text)
    day = _day(born) if born.strip() else None
    digits = "".join(sign for sign in said if sign.isdigit())
    if digits and not any(sign.isalpha() for sign in said):
        try:
            if len(digits) == 16:
                return col(Patient.policy_blind) == ring.blind(policy_key(policy(said))), ""
            return (
                col(Patient.snils_blind) == ring.blind(snils_key(identifiers.snils(said))),
                "",
            )
        except IdentifierError as error:
            raise _wrong("text", error.message) from None
    if day is not None:
        return col(Patient.birth_blind) == ring.blind(birth_key(day.isoformat())), said
    if len(said.split()) < 2:
        raise _wrong(
            "text", "Напишите имя целиком, СНИЛС или полис; часть имени — вместе с датой рождения"
        )
    return col(Patient.name_blind) == ring.blind(name_key(said)), ""


def _likeness(asked: str, name: str) -> float:
    """How well what was typed fits a name: a whole part of it fits as well as all."""
    words = searched(asked).split()
    has = searched(name).split()
    if all(any(one.startswith(word) for one in has) for word in words):
        return 100.0
    return alike(asked, name)


def _day(text: str) -> date:
    try:
        return identifiers.day(text)
    except IdentifierError as error:
        raise _wrong("born", error.message) from None


def _wrong(field: str, message: str) -> Refusal:
    return Refusal("wrong_fields", message, 422, [FieldError(field, message)])


async def recent(session: AsyncSession, actor: Actor, now: datetime) -> Sequence[Found]:
    """The patients whom the actor looked at last."""
    demand_search(actor)
    ids = await _looked_at(session, actor, now)
    known = await identities(session, ids)
    return await _with_mains(session, [(one, known[one]) for one in ids])


async def recent_open(session: AsyncSession, actor: Actor, now: datetime) -> Sequence[Found]:
    """Of the patients whom the actor looked at last, those whose record is open to them now.

    Raises Refusal 403 for who does not treat.
    """
    actor.demand(Permission.TREAT)
    ids = await _looked_at(session, actor, now)
    opened = await ways.open_among(session, actor, frozenset(ids), now)
    known = await identities(session, opened) if opened else {}
    return [Found(one, one, known[one]) for one in ids if one in opened]


async def _looked_at(session: AsyncSession, actor: Actor, now: datetime) -> Sequence[UUID]:
    asked = _last_views(treats=actor.may(Permission.TREAT))
    return await asked.all(session, {"who": actor.person_id, "since": now - RECENT})


@lru_cache
def _last_views(*, treats: bool) -> DirectRows:
    """Whom somebody looked at last; who does not treat saw only who patients are."""
    last = func.max(col(PatientView.at))
    narrowed: list[Any] = [] if treats else [col(PatientView.way) == Opened.IDENTITY.value]
    return DirectRows(
        select(PatientView.patient_id)
        .where(
            col(PatientView.person_id) == bindparam("who"),
            col(PatientView.at) > bindparam("since", type_=UtcDateTime()),
            *narrowed,
        )
        .group_by(col(PatientView.patient_id))
        .order_by(last.desc())
        .limit(literal_column("10"))
    )


async def _with_mains(
    session: AsyncSession, rows: Sequence[tuple[UUID, Identity]]
) -> Sequence[Found]:
    """The patients with whom each is joined to; whoever is joined twice stands once."""
    led = await mains(session, [key for key, _ in rows])
    seen: dict[UUID, Found] = {}
    for key, who in rows:
        main = led.get(key, key)
        if main not in seen or key == main:
            seen[main] = (
                replace(seen[main], identity=who) if main in seen else Found(key, main, who)
            )
    return list(seen.values())


async def mains(session: AsyncSession, ids: Sequence[UUID]) -> Mapping[UUID, UUID]:
    """Of each that is joined to another one, the main patient."""
    led, ask = {one: one for one in ids}, set(ids)
    while ask:
        found = await session.exec(
            select(PatientLink.from_id, PatientLink.to_id).where(
                col(PatientLink.from_id).in_(ask), links.stands()
            )
        )
        steps = dict(found.all())
        led = {one: steps.get(main, main) for one, main in led.items()}
        ask = set(steps.values())
    return led
