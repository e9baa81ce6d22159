"""What the records of registers are in the fields of our categories of credentials."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from pydantic import BaseModel

from clients.register_batches import AccreditationRecord, TrainingRecord
from clients.registers import RegisterCard
from rules.registers.comparison import RegisterItem, ended_before
from rules.registers.records import latest_effective

YEARS_OF_TRAINING = timedelta(days=5 * 366)
"""Older courses count for nothing: they are compared, and not offered."""
_KINDS = {
    "первичная": "primary",
    "первичная специализированная": "primary_specialised",
    "периодическая": "periodic",
}
_LEVELS = {
    "диплом специалиста": "specialist",
    "диплом бакалавра": "bachelor",
    "диплом о среднем профессиональном образовании": "secondary",
}


def items_of(records: Iterable[BaseModel], today: date) -> Sequence[RegisterItem]:
    """The credentials that records of one person speak of.

    Of several accreditations in one specialty, the latest that is in effect counts.
    """
    rows = list(records)
    accredited = [one for one in rows if isinstance(one, AccreditationRecord)]
    standing = latest_effective(
        accredited, lambda one: one.specialty, lambda one: one.passed, today
    )
    found = [_accreditation(one, one in standing, today) for one in accredited]
    found += [_course(one, today) for one in rows if isinstance(one, TrainingRecord)]
    cards = [one for one in rows if isinstance(one, RegisterCard)]
    for card in latest_effective(
        cards, lambda one: one.snils, lambda one: one.general.updated or date.min, today
    ):
        found += _worker(card, today)
    return found


def _accreditation(one: AccreditationRecord, counts: bool, today: date) -> RegisterItem:
    data = _said(
        kind=_KINDS.get(one.kind.casefold()),
        specialty=one.specialty,
        number=one.number,
        issuer=one.organisation,
        issued_on=one.passed.isoformat(),
        valid_until=one.valid_until.isoformat(),
    )
    return RegisterItem(
        "accreditation",
        data,
        {"kind": data.get("kind", "periodic")},
        counts,
        not ended_before(data, today),
    )


def _course(one: TrainingRecord, today: date) -> RegisterItem:
    """The portal does not say when the paper was issued: for a new one, the last day stands."""
    data = _said(
        topic=one.title,
        hours=one.hours,
        certified_hours=one.hours if one.certified else 0,
        began_on=one.since.isoformat(),
        ended_on=one.until.isoformat(),
        number=one.document,
        issuer=one.organisation,
    )
    more = {"issued_on": one.until.isoformat()}
    return RegisterItem("course", data, more, offered=one.until > today - YEARS_OF_TRAINING)


def _worker(card: RegisterCard, today: date) -> list[RegisterItem]:
    """Diplomas have no day there: to add one, its owner says the day."""
    found = [
        RegisterItem(
            "diploma",
            _said(
                level=_LEVELS.get(one.kind.casefold()),
                specialty=one.specialty,
                number=one.series_number,
                issuer=one.organisation,
            ),
        )
        for one in card.profs
    ]
    for one in card.certs:
        if one.valid_until is None:
            continue
        data = _said(
            specialty=one.specialty,
            number=one.number,
            issuer=one.organisation,
            issued_on=one.issued.isoformat(),
            valid_until=one.valid_until.isoformat(),
        )
        found.append(RegisterItem("certificate", data, offered=not ended_before(data, today)))
    return found


def _said(**values: Any) -> Mapping[str, Any]:
    """What the register says at all."""
    return {name: value for name, value in values.items() if value not in (None, "")}
