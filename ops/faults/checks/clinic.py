"""Whether nobody is booked twice, and every result is with one person who saw what they confirmed.

Both are computed in plain Python from the rows, not by constraints of the database.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from sqlmodel import func, select

from clients.clinic.laboratory import LaboratoryClient
from clients.database import Database
from models.tables.results import LabConfirmation, LabReading, LabResult, LabVersion
from models.tables.schedule import Appointment, AppointmentAct, TimeClaim
from ops.faults.clinic.results import NUMBER
from ops.faults.evidence import Evidence
from rules.clock import now
from rules.results.life import OPEN_STATES, ResultState
from rules.schedule.claims import parties
from rules.schedule.states import FREES, AppointmentState
from services.results import inspection
from services.results.rows import id_of
from settings import Settings

if TYPE_CHECKING:
    from ops.faults.checks import CheckReport

APPOINTMENTS, RESULTS = 18, 19
_LISTED_SINCE = timedelta(days=2)


class TakenSpan(NamedTuple):
    """That an appointment takes somebody's or something's time."""

    party: UUID
    begins: datetime
    ends: datetime
    appointment_id: UUID


def twice(taken: Iterable[TakenSpan]) -> list[str]:
    """Who or what is taken by two appointments at once."""
    found, last = [], dict[UUID, TakenSpan]()
    for one in sorted(taken):
        before = last.get(one.party)
        if before is not None and one.begins < before.ends:
            found.append(
                f"{one.party} is taken by {before.appointment_id} and {one.appointment_id}"
            )
        if before is None or one.ends > before.ends:
            last[one.party] = one
    return found


async def check_appointments(report: "CheckReport", database: Database, evidence: Evidence) -> None:
    """No claims and no standing appointments meet; each has its claims, and stands as told."""
    async with database.reading() as session:
        rows = {one.id: one for one in (await session.exec(select(Appointment))).all()}
        found = await session.exec(
            select(
                TimeClaim.party,
                func.lower(TimeClaim.during),
                func.upper(TimeClaim.during),
                TimeClaim.appointment_id,
            )
        )
        claims = [
            TakenSpan(party, begins.astimezone(UTC), ends.astimezone(UTC), of)
            for party, begins, ends, of in found.all()
        ]
        acts = await session.exec(select(AppointmentAct.id, AppointmentAct.appointment_id))
        kept = dict(acts.all())
    wanted = {one for row in rows.values() for one in takes(row)}
    compare_taken(report, wanted, claims)
    for id_, state in evidence.appointments.items():
        row = rows.get(id_)
        told = row is not None and row.state == state
        report.compare(APPOINTMENTS, told, f"{id_} was told to be {state}, and is not")
    for act_id, appointment_id in evidence.visit_acts.items():
        same = kept.get(act_id) == appointment_id
        report.compare(APPOINTMENTS, same, f"act {act_id} on {appointment_id} is not kept")


def takes(row: Appointment) -> list[TakenSpan]:
    """Whose time an appointment takes while it stands."""
    if AppointmentState(row.state) in FREES:
        return []
    whose = parties(row.clinician_id, row.patient_id, row.room_id, overbooked=row.overbooked)
    return [TakenSpan(party, row.starts_at, row.ends_at, row.id) for party in whose]


def compare_taken(
    report: "CheckReport", wanted: set[TakenSpan], claims: Sequence[TakenSpan]
) -> None:
    """Compare what standing appointments take with what is claimed, and each with itself."""
    for what in (twice(wanted), twice(claims)):
        report.compare(APPOINTMENTS, not what, "; ".join(what))
    report.compare(APPOINTMENTS, set(claims) >= wanted, f"unclaimed: {wanted - set(claims)}")
    report.compare(APPOINTMENTS, wanted >= set(claims), f"for nothing: {set(claims) - wanted}")


async def check_results(
    report: "CheckReport", database: Database, settings: Settings, evidence: Evidence
) -> None:
    """All that the laboratory lists was heard; each has its person, and was confirmed as seen."""
    listed = await _listed(settings)
    async with database.reading() as session:
        rows = {one.id: one for one in (await session.exec(select(LabResult))).all()}
        found = await session.exec(select(LabVersion.result_id, LabVersion.number))
        heard = Counter(found.all())
        confirmations = (await session.exec(select(LabConfirmation))).all()
        readings = await session.exec(
            select(LabReading.match_id, LabReading.person_id, LabReading.version, LabReading.at)
        )
        seen = {(match, person, version): at for match, person, version, at in readings.all()}
        wrong = await inspection.troubles(session, now())
    report.compare(RESULTS, not wrong, f"{wrong[:3]}")
    for number, version in listed:
        count = heard[id_of(number), version]
        report.compare(RESULTS, count == 1, f"{number}, version {version} was heard {count} times")
    newest: dict[UUID, int] = defaultdict(int)
    for result_id, version in heard:
        newest[result_id] = max(newest[result_id], version)
    by_version: dict[tuple[UUID, int], UUID] = {}
    for one in confirmations:
        by_version[one.result_id, one.version] = one.by
        at = seen.get((one.match_id, one.by, one.version))
        report.compare(
            RESULTS,
            at is not None and at <= one.at,
            f"{one.result_id}, version {one.version} was confirmed unseen",
        )
    for row in rows.values():
        report.compare(RESULTS, *settled(row, newest[row.id], by_version))
    for (number, version), person in evidence.confirmed.items():
        same = by_version.get((id_of(number), version)) == person
        report.compare(RESULTS, same, f"{number}, version {version}: a confirmation is lost")


def settled(
    row: LabResult, newest: int, confirmed: dict[tuple[UUID, int], UUID]
) -> tuple[bool, str]:
    """Whether a result is with one person, or was confirmed in its newest version; and if not."""
    state = ResultState(row.state)
    if row.version != newest:
        return False, f"{row.number} stands at version {row.version} of {newest}"
    if state in OPEN_STATES:
        return row.answers_id is not None, f"nobody answers for {row.number}"
    if state is ResultState.CONFIRMED:
        by = confirmed.get((row.id, newest))
        good = by is not None and (row.confirmed_by, row.confirmed_version) == (by, newest)
        return good, f"{row.number} counts as confirmed in version {row.confirmed_version}"
    return row.return_told_at is not None, f"the laboratory does not have {row.number} back"


async def _listed(settings: Settings) -> set[tuple[str, int]]:
    """Number and version of all that the laboratory says it sent in the run."""
    token = settings.laboratory_token.get_secret_value()
    laboratory = LaboratoryClient(settings.laboratory_url, token)
    since, after, found = (now() - _LISTED_SINCE).date(), "", set()
    while True:
        page = await laboratory.page(since, after)
        found |= {(one.number, one.version) for one in page.messages()}
        if page.after is None:
            return {one for one in found if one[0].startswith(NUMBER)}
        after = page.after
