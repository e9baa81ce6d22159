"""The worker: it runs the workflows and activities of this installation until SIGTERM."""

import asyncio
import signal
import sys
import time
from datetime import timedelta
from functools import partial

import structlog
from temporalio.client import Client
from temporalio.worker import Worker

from activities.absences import AbsenceActivities
from activities.access_changes import AccessActivities
from activities.account_locks import LockActivities
from activities.accreditations import AccreditationActivities
from activities.applications import ApplicationActivities
from activities.archive import ArchiveActivities
from activities.cases import CaseActivities
from activities.clinic_clocks import ClinicClockActivities
from activities.credentials import CredentialActivities
from activities.exports import ExportActivities
from activities.files import FileActivities
from activities.handovers import HandoverActivities
from activities.journal import JournalActivities
from activities.notices import NoticeActivities
from activities.patients import PatientActivities
from activities.personnel import PersonnelActivities
from activities.registers import RegisterActivities
from activities.requests import RequestActivities
from activities.results import ResultActivities
from activities.subscribers import SubscriberActivities
from activities.sweeper import SweeperActivities
from activities.verifications import VerificationActivities
from clients.clinic.patient_registry import PatientRegistry
from clients.database import Database
from clients.delivery.mail import Mailer
from clients.delivery.push import PushSender
from clients.delivery.sms import SmsGateway
from clients.objects import Objects
from clients.registers import IdentityClient, RegisterClient
from clients.telemetry.collector import traces_of
from clients.telemetry.logs import log_in_json
from clients.telemetry.metrics import metered_runtime
from clients.telemetry.traces import Traces
from clients.temporal.client import (
    CaseSignaller,
    all_stand,
    connect,
    ensure_schedules,
    ensure_standing,
)
from clients.temporal.rows import RowWaker
from clients.temporal.sandbox import SandboxedRunner
from compatibility import IncompatibleError, demand_compatible
from crypto.key_ring import KeyRing
from crypto.pdf_signing import sign_pdf as _loaded_now_not_at_the_first_act  # noqa: F401
from models.messages import WorkflowName
from rules.clock import now
from services import crash_points
from services.access_changes.asking import AccessChanges
from services.accreditations.line import CentreLine
from services.cases.signals import CaseSignals
from services.gov_service.line import Exchange
from services.notices.channels import MailWay, PushWay, SmsWay
from services.notices.wording import Addresses
from services.operation.keeping import StandingKeeper
from services.operation.temporal_health import Standings
from services.registers.asking import RegisterLines
from services.seal import open_seal
from services.subscribers.delivering import Deliverer
from settings import Settings, get_settings
from workflows.absences import AbsentClinician
from workflows.access_changes import AccessChange
from workflows.account_locks import LockedAccount
from workflows.accreditations import PeriodicAccreditation
from workflows.applications import QualificationApplication
from workflows.archive import ArchiveNight
from workflows.credentials import CredentialLife
from workflows.exports import ExportWorkflow
from workflows.handovers import DocumentHandover
from workflows.notices import NoticesMail, NoticesPush, NoticesSms
from workflows.patients import EmergencyAccess, PatientRegistryCheck
from workflows.registers import OneRegisterCheck, RegisterSync
from workflows.requests import ServiceRequest
from workflows.results import LaboratoryResult
from workflows.standing import (
    ClinicClocks,
    FileSweep,
    JournalSealer,
    LaboratoryCatchUp,
    PersonnelComparison,
    Sweeper,
)
from workflows.subscribers import EventDelivery
from workflows.verifications import AccountVerification

log = structlog.get_logger(__name__)

WORKFLOWS = [
    QualificationApplication,
    ServiceRequest,
    AccountVerification,
    AccessChange,
    PeriodicAccreditation,
    NoticesMail,
    NoticesSms,
    NoticesPush,
    Sweeper,
    JournalSealer,
    ClinicClocks,
    FileSweep,
    PersonnelComparison,
    LaboratoryCatchUp,
    ExportWorkflow,
    ArchiveNight,
    LockedAccount,
    CredentialLife,
    RegisterSync,
    OneRegisterCheck,
    DocumentHandover,
    EmergencyAccess,
    PatientRegistryCheck,
    EventDelivery,
    LaboratoryResult,
    AbsentClinician,
]
DRAIN = timedelta(seconds=10)
KEEP_STANDING_EVERY = 10.0
LOOK_EVERY = 120.0
"""Seconds between two looks at whether the standing workflows do their work."""
STARTED_EVERY = 600.0
"""Seconds after which all are started again, though they seem to run."""


async def serve(settings: Settings, stop: asyncio.Event) -> None:
    """Work until `stop` is set, then finish what is under way, within DRAIN."""
    keys = KeyRing.installed(settings.keys.get_secret_value(), settings.home)
    crash_points.arm(settings)
    database = Database.from_settings(settings)
    traces = traces_of(settings, "medcab-worker")
    client = await _connected(settings, keys, stop, traces)
    if client is None:
        return
    await demand_compatible(settings, client, keys, WORKFLOWS)
    worker = build(settings, client, database)
    async with worker:
        log.info("worker_ready", task_queue=settings.task_queue)
        keeper = asyncio.create_task(_keep_standing(client, settings, database))
        await stop.wait()
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)
    await database.close()
    if traces is not None:
        await asyncio.to_thread(traces.close)


def build(settings: Settings, client: Client, database: Database) -> Worker:
    """A worker with these clients. Call `use_key_ring` before."""
    objects = Objects(settings)
    seal = open_seal(settings)
    applications = ApplicationActivities(
        settings, database, objects, RegisterClient(settings.register_url), seal
    )
    cases = CaseActivities(database)
    verifications = VerificationActivities(database, IdentityClient(settings.identity_url))
    requests = RequestActivities(Exchange.of(settings, database, objects, seal))
    accreditations = AccreditationActivities(CentreLine.of(settings, database, objects, seal))
    files = FileActivities(database, objects)
    exports = ExportActivities(settings, database, objects)
    locks = LockActivities(database)
    registers = RegisterActivities(database, RegisterLines.of(settings, database))
    patients = PatientActivities(database, PatientRegistry(settings.patient_registry_url))
    archive = ArchiveActivities(settings, database, objects)
    journal = JournalActivities(database, objects, seal, settings.home)
    addresses = Addresses.of(settings)
    notices = NoticeActivities(
        database,
        MailWay(Mailer(settings.smtp_url, settings.mail_from), addresses),
        SmsWay(SmsGateway.from_settings(settings), addresses),
        PushWay(PushSender.from_settings(settings)),
    )
    signals = CaseSignals(CaseSignaller(client, settings.task_queue))
    rights = AccessChanges(database, signals, settings.time_zone)
    credentials = CredentialActivities(database, rights.propose_end)
    wakers = partial(RowWaker, client, settings.task_queue)
    sweeper = SweeperActivities(database, signals, settings.sweep_grace, wakers)
    results = ResultActivities(settings, database, wakers(WorkflowName.RESULT))
    return Worker(
        client,
        task_queue=settings.task_queue,
        workflows=WORKFLOWS,
        activities=[
            cases.look,
            cases.report_stuck,
            applications.check,
            applications.wake,
            applications.issue_act,
            verifications.check_identity,
            verifications.wake_verification,
            verifications.settle_verification,
            AccessActivities(database).wake_access_change,
            accreditations.check_portfolio,
            accreditations.wake_accreditation,
            accreditations.forward_portfolio,
            accreditations.tend_accreditation,
            HandoverActivities(database, objects, seal, settings.institution).look_at_handover,
            patients.look_at_emergency,
            patients.look_at_patient_check,
            SubscriberActivities(Deliverer.of(settings, database)).deliver_events,
            results.look_at_result,
            results.catch_up_with_laboratory,
            AbsenceActivities(database).look_at_absence,
            requests.hand_over_request,
            requests.tend_request,
            notices.send_mail,
            notices.send_sms,
            notices.send_push,
            sweeper.sweep,
            journal.seal_journal,
            ClinicClockActivities(database).watch_clinic_clocks,
            files.sweep_files,
            PersonnelActivities(settings, database).compare_staff,
            exports.gather_lines,
            exports.put_together,
            exports.give_export_up,
            archive.assign_terms,
            archive.tell_terms,
            archive.erase_over,
            locks.look_at_lock,
            credentials.look_at_credential,
            registers.begin_register_run,
            registers.compare_with_register,
            registers.look_at_check,
        ],
        workflow_runner=SandboxedRunner(),
        graceful_shutdown_timeout=DRAIN,
        max_cached_workflows=2000,
        max_concurrent_activities=32,
        max_concurrent_local_activities=32,
    )


async def _connected(
    settings: Settings, keys: KeyRing, stop: asyncio.Event, traces: Traces | None
) -> Client | None:
    """Connect to Temporal, and keep trying until `stop` is set. None if that happens first.

    Without Temporal the worker is useless, but it must not die.
    """
    runtime = metered_runtime(settings)
    while not stop.is_set():
        try:
            client = await connect(settings, keys, runtime=runtime, traces=traces)
        except Exception as error:
            log.warning("temporal_down", error=type(error).__name__)
            await asyncio.sleep(2)
        else:
            return client
    return None


async def _keep_standing(client: Client, settings: Settings, database: Database) -> None:
    """Start the standing workflows and schedules again and again: Temporal may lose everything.

    Runs that hold their place and do nothing are begun anew.
    """
    standings = Standings(client, settings.task_queue)
    watch = StandingKeeper(standings, database)
    started, looked = -STARTED_EVERY, time.monotonic()
    while True:
        try:
            if time.monotonic() - looked >= LOOK_EVERY:
                looked = time.monotonic()
                await watch.look(now())
            if time.monotonic() - started >= STARTED_EVERY or not await all_stand(client):
                await ensure_standing(client, settings.task_queue)
                await ensure_schedules(client, settings.task_queue, settings.time_zone)
                started = time.monotonic()
        except Exception as error:
            log.warning("standing_workflows_not_started", error=type(error).__name__)
        await asyncio.sleep(KEEP_STANDING_EVERY)


async def _main() -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stop.set)
    await serve(get_settings(), stop)


def main() -> None:
    """Run until SIGTERM or SIGINT."""
    log_in_json()
    try:
        asyncio.run(_main())
    except IncompatibleError as reason:
        sys.stderr.write(f"{reason}\n")
        sys.exit(1)
