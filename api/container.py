"""What routes and pages work with: connections to other servers, and the services that use them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Annotated

from fastapi import Depends, Request
from temporalio.client import Client

from clients.antivirus import Antivirus
from clients.database import Database, DatabaseSession
from clients.identity_provider import IdentityProvider, provider_of
from clients.objects import Objects
from clients.telemetry.traces import Traces
from clients.temporal.client import CaseSignaller, connect
from clients.temporal.rows import RowWaker
from crypto.key_ring import KeyRing
from models.messages import WorkflowName
from rules.files.checks import LIMITS
from rules.risks import USE_LIMITS
from services import crash_points
from services.absences.acts import Absences
from services.access_changes.asking import AccessChanges
from services.access_changes.ending import Revocations
from services.account_locks.acts import AccountLocks
from services.accounts import login_log
from services.accounts.devices import keep_forgetting
from services.accounts.last_seen import Activity
from services.accounts.risks import failures
from services.accounts.risks.watch import Watch
from services.accounts.second_factor.methods import Site
from services.accreditations.acts import Accreditations
from services.applications.acts import Applications
from services.archive.retention import Retention
from services.cases.signals import CaseSignals
from services.conversation import Conversations
from services.credentials.acts import Credentials
from services.credentials.drafts import CredentialDrafts
from services.credentials.renewal import Renewals
from services.documents.acts import Documents
from services.exports.acts import Exports
from services.files.inspection.client import Inspection
from services.files.intake import Files
from services.handovers.asking import AuthorityActs
from services.handovers.deciding import HandoverDecisions
from services.meetings.acts import Meetings
from services.operation.remedies import OperationActs
from services.operation.temporal_health import Standings
from services.patients.checks import PatientChecks
from services.patients.invitations import PatientInvitations
from services.patients.joining import Joining
from services.patients.judging import Judgements
from services.patients.openings import Openings
from services.patients.registering import Patients
from services.records.acts import Records
from services.records.drafts import RecordDrafts
from services.registers.checks import RegisterChecks
from services.registers.differences import Differences
from services.registers.disputes import Disputes
from services.requests.acts import Requests
from services.results.acts import ResultActs
from services.results.terms import terms_of
from services.reviews.decisions import Reviews
from services.schedule import seen as _opens_records  # noqa: F401
from services.schedule.acts import Appointments
from services.schedule.feed import CalendarFeeds
from services.schedule.planning import Planning
from services.schedule.waiting import WaitList
from services.seal import Seal, open_seal
from services.staff.acts import StaffActs
from services.staff.unmatched import PersonnelActs
from services.subscribers.acts import Subscribers
from services.verifications import meeting as _registered  # noqa: F401
from services.verifications.acts import Verifications
from settings import Settings


@dataclass
class Container:
    """What one API process holds: its settings, connections and services.

    Temporal and the object store need not be up when it starts.
    """

    settings: Settings
    keys: KeyRing
    database: Database
    objects: Objects
    temporal: Client
    signals: CaseSignals
    activity: Activity = field(default_factory=Activity)

    @cached_property
    def unmatched(self) -> PersonnelActs:
        """The acts on records of the personnel register that wait for a person."""
        return PersonnelActs(self.database)

    @cached_property
    def site(self) -> Site:
        """To which site passkeys belong."""
        return Site(self.settings.public_url, self.settings.institution)

    @cached_property
    def watch(self) -> Watch:
        """What people use, as far as this process sees it."""
        return Watch(self.database, USE_LIMITS if self.settings.watch_use else {})

    @cached_property
    def applications(self) -> Applications:
        """The acts of applicants."""
        return Applications(self.database, self.signals, self.settings.time_zone)

    @cached_property
    def reviews(self) -> Reviews:
        """The acts of reviewers."""
        return Reviews(self.database, self.signals)

    @cached_property
    def conversations(self) -> Conversations:
        """What people say on cases."""
        return Conversations(self.database)

    @cached_property
    def standings(self) -> Standings:
        """What Temporal says of workers and standing workflows."""
        return Standings(self.temporal, self.settings.task_queue)

    @cached_property
    def operation(self) -> OperationActs:
        """The remedies of the ops desk."""
        return OperationActs(self.database, self.signals, self.standings)

    @cached_property
    def exports(self) -> Exports:
        """Lists of the archive as files."""
        return Exports(
            self.database,
            self.objects,
            self.settings.institution,
            self._waker(WorkflowName.EXPORT),
        )

    @cached_property
    def records(self) -> Records:
        """The acts on patients' records."""
        return Records(self.database)

    @cached_property
    def record_drafts(self) -> RecordDrafts:
        """What is being written into them."""
        return RecordDrafts(self.database)

    def _waker(self, name: WorkflowName) -> RowWaker:
        """Wakes the workflows of rows of one type."""
        return RowWaker(self.temporal, self.settings.task_queue, name)

    @cached_property
    def retention(self) -> Retention:
        """How long closed cases are kept."""
        return Retention(self.database, self.settings.time_zone)

    @cached_property
    def inspection(self) -> Inspection:
        """The process that checks files. The first file starts it."""
        return Inspection(replace(LIMITS, octets=self.settings.upload_limit))

    @cached_property
    def files(self) -> Files:
        """Files on their way into the object store: checked, then stored."""
        url = self.settings.antivirus_url
        return Files(self.objects, self.inspection, Antivirus(url) if url else None)

    @cached_property
    def staff(self) -> StaffActs:
        """What administrators do to people's accounts."""
        return StaffActs(self.database)

    @cached_property
    def meetings(self) -> Meetings:
        """Meetings by video."""
        return Meetings(self.database, self.signals)

    @cached_property
    def appointments(self) -> Appointments:
        """The acts on appointments."""
        return Appointments(self.database)

    @cached_property
    def absences(self) -> Absences:
        """Absences, and the appointments that they displace."""
        wake = self._waker(WorkflowName.ABSENCE)
        return Absences(self.database, self.appointments, wake)

    @cached_property
    def planning(self) -> Planning:
        """Hours, exceptions and rooms."""
        return Planning(self.database)

    @cached_property
    def wait_list(self) -> WaitList:
        """Those who wait for a time."""
        return WaitList(self.database)

    @cached_property
    def calendar_feeds(self) -> CalendarFeeds:
        """Calendars of people's devices."""
        return CalendarFeeds(self.database)

    @cached_property
    def provider(self) -> IdentityProvider | None:
        """The external provider through which people may sign in."""
        return provider_of(self.settings)

    @cached_property
    def account_locks(self) -> AccountLocks:
        """Locks by suspicion."""
        return AccountLocks(self.database, self.meetings, self._waker(WorkflowName.ACCOUNT_LOCK))

    @cached_property
    def authorities(self) -> AuthorityActs:
        """What authorities ask and fetch."""
        return AuthorityActs(self.database, self.objects, self._waker(WorkflowName.HANDOVER))

    @cached_property
    def handovers(self) -> HandoverDecisions:
        """Decisions on what authorities asked for."""
        return HandoverDecisions(self.database, self._waker(WorkflowName.HANDOVER))

    @cached_property
    def patients(self) -> Patients:
        """Who patients are."""
        return Patients(self.database)

    @cached_property
    def patient_links(self) -> Joining:
        """Which patients are one person."""
        return Joining(self.database)

    @cached_property
    def patient_openings(self) -> Openings:
        """Opening closed records."""
        return Openings(self.database, self._waker(WorkflowName.EMERGENCY_ACCESS))

    @cached_property
    def patient_judgements(self) -> Judgements:
        """Judging emergencies."""
        wake = self._waker(WorkflowName.EMERGENCY_ACCESS)
        return Judgements(self.database, wake, self.access_changes.propose_end)

    @cached_property
    def patient_checks(self) -> PatientChecks:
        """Comparing patients with their registry."""
        return PatientChecks(self.database, self._waker(WorkflowName.PATIENT_CHECK))

    @cached_property
    def patient_invitations(self) -> PatientInvitations:
        """Links by which patients read who looked."""
        return PatientInvitations(self.database)

    @cached_property
    def subscribers(self) -> Subscribers:
        """Systems that hear of changes of credentials."""
        wake = self._waker(WorkflowName.SUBSCRIBER)
        return Subscribers(self.database, wake, self.settings.subscriber_networks)

    @cached_property
    def results(self) -> ResultActs:
        """The acts on results of the laboratory."""
        return ResultActs(self.database, self.result_waker, terms_of(self.settings))

    @cached_property
    def result_waker(self) -> RowWaker:
        """Wakes the workflows of results."""
        return self._waker(WorkflowName.RESULT)

    @cached_property
    def documents(self) -> Documents:
        """What people do with their documents."""
        return Documents(self.database, self.files)

    @cached_property
    def credentials(self) -> Credentials:
        """The acts on proofs of qualification."""
        return Credentials(self.database, self._waker(WorkflowName.CREDENTIAL))

    @cached_property
    def renewals(self) -> Renewals:
        """Renewing credentials, by the kinds of case that can."""
        renewing: tuple[Applications, Accreditations] = (self.applications, self.accreditations)
        kinds = {one.kind.value: one for one in renewing}
        return Renewals(self.database, self._waker(WorkflowName.CREDENTIAL), kinds)

    @cached_property
    def credential_drafts(self) -> CredentialDrafts:
        """What people are about to add to their file."""
        return CredentialDrafts(self.database, self.credentials)

    @cached_property
    def requests(self) -> Requests:
        """The acts on service requests."""
        return Requests(self.database, self.signals, self.settings.time_zone, self.files)

    @cached_property
    def verifications(self) -> Verifications:
        """The acts of people on the verification of their account."""
        return Verifications(self.database, self.signals, self.settings.time_zone)

    @cached_property
    def access_changes(self) -> AccessChanges:
        """Asking for changes of rights."""
        return AccessChanges(self.database, self.signals, self.settings.time_zone)

    @cached_property
    def revocations(self) -> Revocations:
        """Ending a right at once."""
        return Revocations(self.database)

    @cached_property
    def seal(self) -> Seal:
        """The institution's seal. Raises SealError where it cannot be opened."""
        return open_seal(self.settings)

    @cached_property
    def register_differences(self) -> Differences:
        """What people take over from registers."""
        waker = self._waker(WorkflowName.CREDENTIAL)
        return Differences(self.database, waker, self.credential_drafts)

    @cached_property
    def register_disputes(self) -> Disputes:
        """What people say against registers."""
        return Disputes(self.database)

    @cached_property
    def register_checks(self) -> RegisterChecks:
        """What people ask of the state registers."""
        return RegisterChecks(self.database, self._waker(WorkflowName.REGISTER_CHECK))

    @cached_property
    def accreditations(self) -> Accreditations:
        """The acts of people on periodic accreditations of their own."""
        return Accreditations(self.database, self.signals, self.settings)

    @classmethod
    @asynccontextmanager
    async def running(
        cls, settings: Settings, traces: Traces | None = None
    ) -> AsyncIterator["Container"]:
        """Open the connections; on leaving, finish what is under way and close them."""
        keys = KeyRing.installed(settings.keys.get_secret_value(), settings.home)
        crash_points.arm(settings)
        database = Database.from_settings(settings)
        objects = Objects(settings)
        temporal = await connect(settings, keys, lazy=True, traces=traces)
        signals = CaseSignals(CaseSignaller(temporal, settings.task_queue))
        container = cls(settings, keys, database, objects, temporal, signals)
        beside = [
            asyncio.create_task(container.activity.keep_flushing(database)),
            asyncio.create_task(keep_forgetting(database)),
            asyncio.create_task(login_log.keep_chaining(database)),
            asyncio.create_task(failures.keep_looking(database)),
        ]
        try:
            yield container
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
            await signals.settle()
            with suppress(Exception):
                await container.activity.flush(database)
            await container.inspection.close()
            if container.provider is not None:
                await container.provider.close()
            await objects.close()
            await database.close()


def container_of(request: Request) -> Container:
    """The state of the process that answers this request."""
    container: Container = request.app.state.container
    return container


async def _container(request: Request) -> Container:
    """`container_of` as a coroutine: FastAPI would run a plain function in a thread."""
    return container_of(request)


ContainerDep = Annotated[Container, Depends(_container)]


async def work(container: ContainerDep) -> AsyncIterator[DatabaseSession]:
    """One unit of work, committed before the answer is sent. An error rolls it back."""
    async with container.database.work() as session:
        yield session


Work = Annotated[DatabaseSession, Depends(work, scope="function")]


async def reading(container: ContainerDep) -> AsyncIterator[DatabaseSession]:
    """For a route that only reads: each statement is a transaction by itself."""
    async with container.database.reading() as session:
        yield session


Reading = Annotated[DatabaseSession, Depends(reading, scope="function")]
