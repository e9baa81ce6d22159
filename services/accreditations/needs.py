"""What is missing for an accreditation, and which programmes of the catalogue would give it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.catalogue import Programme
from rules.accreditations.hours import closing
from rules.cases.accreditations import TYPE
from services.accreditations.norms import norm_of
from services.accreditations.training import Preparation, prepared, specialty_of
from services.catalogue import lookup as catalogue
from settings import Settings

MOST_PROGRAMMES = 5


@dataclass(frozen=True)
class Needs:
    """What a person's file gives, and programmes that give the rest.

    `alone` says whether each programme is enough by itself; otherwise they are taken together.
    """

    preparation: Preparation
    programmes: Sequence[Programme]
    alone: bool


async def needs_of(
    session: AsyncSession, settings: Settings, person_id: UUID, today: date
) -> Needs:
    """What is missing today; programmes are those of the specialty that is to be renewed."""
    known = await prepared(session, person_id, today, norm_of(settings, today))
    if known.hours.enough:
        return Needs(known, [], alone=True)
    definition = await catalogue.case_type(session, TYPE)
    specialty = specialty_of(definition, known.admission.specialty) if known.admission else None
    offers = await catalogue.programmes(session, specialty=specialty)
    found, alone = closing(offers, known.hours)
    return Needs(known, found[:MOST_PROGRAMMES], alone)
