"""The rooms of the administrator's pages, in the order in which the first page shows them."""

from collections.abc import Mapping

from cabinet.catalogue_admin.room import Room
from cabinet.catalogue_admin.rooms.categories import CATEGORIES
from cabinet.catalogue_admin.rooms.days import CALENDAR
from cabinet.catalogue_admin.rooms.programmes import PROGRAMMES
from cabinet.catalogue_admin.rooms.reasons import REASONS
from cabinet.catalogue_admin.rooms.terms import TERMS
from cabinet.catalogue_admin.rooms.types import TYPES
from cabinet.catalogue_admin.rooms.units import UNITS

ROOMS: Mapping[str, Room] = {
    room.name: room for room in (PROGRAMMES, TYPES, TERMS, CATEGORIES, REASONS, UNITS, CALENDAR)
}
