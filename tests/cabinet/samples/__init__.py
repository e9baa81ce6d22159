"""Every page with invented contents, as the gallery shows it and the tests render it."""

from tests.absences.samples import absence_pages
from tests.cabinet.samples.accreditations import accreditation_pages
from tests.cabinet.samples.cases import AT, file_row, frame, outside
from tests.cabinet.samples.credential_staff import credential_staff_pages
from tests.cabinet.samples.credentials import credential_pages
from tests.cabinet.samples.handovers import handover_pages
from tests.cabinet.samples.home import home_pages
from tests.cabinet.samples.others import other_pages
from tests.cabinet.samples.pages import main_pages
from tests.cabinet.samples.patients import patient_pages
from tests.cabinet.samples.records import record_pages
from tests.cabinet.samples.requests import request_pages
from tests.cabinet.samples.rights import rights_pages
from tests.cabinet.samples.sample import Sample
from tests.cabinet.samples.schedule import schedule_pages
from tests.cabinet.samples.staff import staff_pages
from tests.cabinet.samples.subscribers import subscriber_pages
from tests.cabinet.samples.suspicion import suspicion_pages
from tests.results.samples import result_pages

__all__ = ["AT", "SAMPLES", "Sample", "file_row", "frame", "outside"]

SAMPLES: dict[str, Sample] = {
    made.name: made
    for made in (
        *main_pages(),
        *home_pages(),
        *other_pages(),
        *request_pages(),
        *staff_pages(),
        *suspicion_pages(),
        *rights_pages(),
        *credential_pages(),
        *record_pages(),
        *accreditation_pages(),
        *handover_pages(),
        *subscriber_pages(),
        *schedule_pages(),
        *absence_pages(),
        *credential_staff_pages(),
        *result_pages(),
        *patient_pages(),
    )
}
