"""What the register says of a person's own accreditation, and of training since it was passed.

The register is asked when the person opens the page; answers are kept for some minutes in this
process, and never stored.
"""

import time
from collections import OrderedDict
from dataclasses import dataclass
from datetime import date

from clients.registers import RegisterCard, RegisterClient
from rules.texts.names import same_person

KEPT, MOST = 600.0, 1000
"""How many seconds an answer is kept, and how many answers are."""
PATIENCE = 3.0
"""How many seconds a page waits for the register."""


@dataclass(frozen=True)
class AccreditationStatus:
    """The accreditation that lasts longest, and the hours of the courses finished since."""

    specialty: str
    valid_until: date
    hours: int


def accreditation_status(card: RegisterCard | None, name: str) -> AccreditationStatus | None:
    """What a card says; None if it is missing, another person's, or without an accreditation."""
    if card is None or not same_person(name, card.general.surname, card.general.name):
        return None
    if not card.accreditation:
        return None
    last = max(card.accreditation, key=lambda one: one.valid_until)
    since = [course.hours for course in card.qualifications if course.until >= last.passed]
    return AccreditationStatus(last.specialty, last.valid_until, sum(since))


class Accreditations:
    """Asks the register for people who look at their own data."""

    def __init__(self, url: str) -> None:
        self._register = RegisterClient(url, PATIENCE)
        self._known: OrderedDict[str, tuple[float, AccreditationStatus | None]] = OrderedDict()

    async def of(self, snils: str, name: str) -> AccreditationStatus | None:
        """What the register says of the person. Raises RegisterDown and RegisterGarbled."""
        until, known = self._known.get(snils, (0.0, None))
        if time.monotonic() < until:
            return known
        found = accreditation_status(await self._register.look_up(snils), name)
        self._known[snils] = (time.monotonic() + KEPT, found)
        self._known.move_to_end(snils)
        if len(self._known) > MOST:
            self._known.popitem(last=False)
        return found

    async def close(self) -> None:
        """Close the connections."""
        await self._register.close()
