"""All parts of the home page, in the order in which they stand beside each other."""

from collections.abc import Sequence

from cabinet.absences.home import ABSENCES
from cabinet.accreditations.home import ACCREDITATION
from cabinet.cases.home import OWN_CASES
from cabinet.frame.home_parts import HomePart
from cabinet.journal.home import LAST_DAY
from cabinet.meetings.home import MEETINGS
from cabinet.operation.home import NORMS
from cabinet.patients.home import EMERGENCIES, LAST_RECORDS, LINKS
from cabinet.results.home import RESULTS
from cabinet.reviews.home import DESK
from cabinet.schedule.home import OWN_DAY, UNITS_DAY
from cabinet.staff.home import PERSONNEL
from cabinet.subscribers.home import SUBSCRIBERS
from cabinet.verifications.home import VERIFICATION

PARTS: Sequence[HomePart] = (
    VERIFICATION,
    RESULTS,
    EMERGENCIES,
    ABSENCES,
    LAST_DAY,
    OWN_DAY,
    UNITS_DAY,
    MEETINGS,
    LAST_RECORDS,
    DESK,
    OWN_CASES,
    LINKS,
    PERSONNEL,
    SUBSCRIBERS,
    NORMS,
    ACCREDITATION,
)
