"""The checks after a run: database, object store, gov service, Temporal, received messages."""

import asyncio
import hashlib
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import func
from sqlmodel import col, select
from temporalio.client import Client, WorkflowExecutionStatus

from activities.files import FileActivities
from clients.database import Database
from clients.objects import ObjectMissingError, Objects
from clients.temporal.client import connect
from crypto.key_ring import key_ring
from models.messages import (
    PRESENT_STATE,
    CaseState,
    PresentState,
    case_workflow_id,
)
from models.tables.cases import Case, CaseAct, CaseDecision, IssuedAct
from models.tables.documents import DocumentImage, DocumentVersion
from models.tables.journal import JournalCheckpoint, JournalEntry
from models.tables.notices import Notice
from models.tables.results import LabResult
from models.tables.subscribers import SubscriberDelivery
from ops.faults.checks import (
    accounts,
    clinic,
    holders,
    notices,
    qualification,
    requests,
    rights,
    subscribers,
)
from ops.faults.evidence import Evidence
from ops.faults.installation import SWEEP_GRACE
from ops.upkeep import verify
from rules.access import Permission
from rules.cases.kinds import PROCESSES
from rules.cases.process import CaseKind, Transition
from rules.clock import now
from rules.journal.entries import JournalKind
from rules.notices.kinds import Channel, NoticeState
from rules.subscribers import DeliveryState
from services import access
from services.cases import assignment
from services.cases.draft_contents import citation, contents_of
from services.journal import checkpoints
from services.journal.checkpoint_files import checkpoints_folder
from services.seal import open_seal
from settings import Settings

CHECKS = {
    1: "every acknowledged submission is one row, one number, one workflow",
    2: "at most one decision per step, by someone who held the right",
    3: "every notice is sent by every channel; duplicates no more than interruptions excuse",
    4: "the workflow's last step is the case's",
    5: "every file row has its object, every object its row",
    6: "the chains verify",
    7: "no case sleeps past its time",
    8: "every request is handed over once, and answered once",
    9: "no attachment that was answered as kept is missing",
    10: "no open case belongs to somebody who may not act on it",
    11: "no grant without two other people",
    12: "every account is as far as its steps",
    13: "a lock holds everything, and is opened by three people",
    14: "every reminder of a credential came once, and its end was told once",
    15: "every change of a credential is one event, which arrived in its order",
    16: "every accreditation was sent to the centre once, and granted once",
    17: "every hand-over was decided once, and the authority got what was packed",
    18: "nobody and nothing is booked twice, and every appointment stands as people were told",
    19: "every result has its one person, was confirmed as it was seen, and none is lost",
}


_GOES_ON = frozenset({Transition.CLARIFY.value, Transition.CONFIRM_ACCESS.value})
"""Decisions after which others decide, or the applicant answers."""

UNDER_WAY = timedelta(seconds=15)
"""The longest that an act may take: it may have read rights that ended this long ago."""


@dataclass
class CheckReport:
    """What was compared and what was wrong, by check."""

    tried: Counter[int] = field(default_factory=Counter)
    faults: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))
    notes: list[str] = field(default_factory=list)

    def compare(self, check: int, holds: bool, fault: str) -> None:
        """Count one comparison, and keep the fault where it does not hold."""
        self.tried[check] += 1
        if not holds:
            self.faults[check].append(fault)

    @property
    def holds(self) -> bool:
        """Whether every check compared something and found no fault."""
        return all(self.tried[n] for n in CHECKS) and not any(self.faults.values())

    def lines(self) -> list[str]:
        """The report in words, with the first faults of each check."""
        said = list(self.notes)
        for number, name in CHECKS.items():
            found = self.faults[number]
            state = f"{len(found)} FAULTS" if found else "holds" if self.tried[number] else "EMPTY"
            said.append(f"check {number}: {state:<9} of {self.tried[number]:>5} compared: {name}")
            said += [f"         {fault}" for fault in found[:5]]
        return said


@dataclass
class _Runs:
    """What Temporal lists of one workflow id."""

    states: Counter[str] = field(default_factory=Counter)

    @property
    def open(self) -> int:
        return self.states[WorkflowExecutionStatus.RUNNING.name]


async def check(
    settings: Settings, database: Database, sink: str, evidence: Evidence, receiver: str
) -> CheckReport:
    """Run all checks; `sink` is the address of the mail server, `receiver` of the subscriber.

    An error in a check counts as a fault.
    """
    report = CheckReport()
    client = await connect(settings, key_ring())
    objects, centre = Objects(settings), settings.accreditation_centre_url
    async with database.work() as session:
        cases = list((await session.exec(select(Case).where(Case.version > 0))).all())
    steps = (
        (1, _submissions(report, database, client, cases, evidence)),
        (2, _decisions(report, database, evidence)),
        (3, notices.check(report, database, settings, cases, sink, evidence)),
        (4, _workflows(report, client, cases)),
        (5, _files(report, database, objects)),
        (6, _chains(report, database, objects, settings)),
        (7, _sleepers(report, cases)),
        (8, requests.check(report, database, settings, cases)),
        (9, _attachments(report, database, evidence)),
        (10, holders.check(report, database)),
        (11, rights.check(report, database)),
        (12, accounts.check_states(report, database, evidence)),
        (13, accounts.check_locks(report, database, client, evidence)),
        (14, qualification.check_reminders(report, database, evidence)),
        (15, subscribers.check(report, database, receiver)),
        (16, qualification.check_accreditations(report, database, centre, evidence)),
        (17, qualification.check_handovers(report, database, evidence)),
        (18, clinic.check_appointments(report, database, evidence)),
        (19, clinic.check_results(report, database, settings, evidence)),
    )
    for number, step in steps:
        try:
            await step
        except Exception as error:
            report.compare(number, False, f"broken off: {type(error).__name__}: {error}")
    await objects.close()
    return report


async def unsettled(settings: Settings, database: Database) -> str:
    """What is still under way; empty when all is quiet."""
    try:
        async with database.work() as session:
            late = select(func.count()).select_from(Case).where(col(Case.wakes_at) < now())
            waiting = (
                select(func.count())
                .select_from(Notice)
                .where(
                    Notice.channel != Channel.CABINET.value,
                    Notice.state == NoticeState.WAITING.value,
                )
            )
            ended = select(Case.id, Case.kind).where(
                Case.version > 0, col(Case.closed_at).is_not(None)
            )
            adrift = (
                select(func.count())
                .select_from(Case)
                .where(
                    col(Case.closed_at).is_(None),
                    col(Case.status).in_(assignment.HELD),
                    col(Case.reviewer_id).is_not(None),
                    assignment.has_nobody(),
                )
            )
            events = select(func.count()).where(
                SubscriberDelivery.state == DeliveryState.WAITING.value
            )
            results = select(func.count()).where(col(LabResult.looks_at) < now())
            counts = {
                "results to be looked at": (await session.exec(results)).one(),
                "cases to be passed on": (await session.exec(adrift)).one(),
                "cases to be woken": (await session.exec(late)).one(),
                "events to be delivered": (await session.exec(events)).one(),
                "messages to be sent": (await session.exec(waiting)).one(),
            }
            closed = {
                case_workflow_id(case_id, CaseKind(kind))
                for case_id, kind in (await session.exec(ended)).all()
            }
        client = await connect(settings, key_ring())
        runs = await _runs(client)
        counts["runs to end"] = sum(1 for one in closed if one in runs and runs[one].open)
    except Exception as error:
        return f"not answering: {type(error).__name__}"
    return ", ".join(f"{count} {what}" for what, count in counts.items() if count)


_CERTIFIED = [
    one.kind.value
    for one in PROCESSES.values()
    if any(transition is Transition.ISSUE_ACT for _, transition in one.transitions)
]
"""Kinds of case whose approval brings a certificate."""


async def _runs(client: Client) -> dict[str, _Runs]:
    """All runs of cases, by workflow id."""
    found: dict[str, _Runs] = defaultdict(_Runs)
    query = f"WorkflowType in ({', '.join(repr(one.workflow) for one in PROCESSES.values())})"
    async for run in client.list_workflows(query):
        found[run.id].states[run.status.name if run.status else "UNKNOWN"] += 1
    return found


async def _submissions(
    report: CheckReport, database: Database, client: Client, cases: list[Case], evidence: Evidence
) -> None:
    rows = {case.id: case for case in cases}
    for case_id, number in evidence.submitted.items():
        row = rows.get(case_id)
        report.compare(1, row is not None and row.number == number, f"{number} is not kept")
    for borne, count in Counter(case.number for case in cases).items():
        report.compare(1, bool(borne) and count == 1, f"number {borne} is borne by {count} cases")
    async with database.work() as session:
        acts = Counter(
            (
                await session.exec(
                    select(CaseAct.case_id).where(CaseAct.transition == Transition.SUBMIT.value)
                )
            ).all()
        )
        odd = (
            await session.exec(
                select(JournalEntry.chain, JournalEntry.kind).where(
                    col(JournalEntry.kind).in_(
                        [JournalKind.CASE_SIGNAL_WITHOUT_ACT, JournalKind.CASE_STUCK]
                    )
                )
            )
        ).all()
    report.compare(1, not odd, f"stuck, or signalled without an act: {odd[:3]}")
    runs = await _runs(client)
    for case in cases:
        report.compare(1, acts[case.id] == 1, f"{case.number} was submitted {acts[case.id]} times")
        run = runs.pop(case_workflow_id(case.id, CaseKind(case.kind)), _Runs())
        wanted = int(case.closed_at is None)
        report.compare(
            1,
            run.open == wanted and run.states.total() > 0 and not run.states["FAILED"],
            f"{case.number} ({case.status}) has runs {dict(run.states)}",
        )
    report.compare(1, not runs, f"workflows without a case: {list(runs)[:3]}")


async def _decisions(report: CheckReport, database: Database, evidence: Evidence) -> None:
    async with database.work() as session:
        acts = {act.id: act for act in (await session.exec(select(CaseAct))).all()}
        for answer in evidence.answers:
            kept = acts.get(answer.act_id)
            if answer.accepted:
                same = kept is not None and (kept.case_id, kept.transition, kept.by) == (
                    answer.case_id,
                    answer.transition.value,
                    answer.by,
                )
                report.compare(2, same, f"{answer.transition} was accepted and is not kept")
            else:
                report.compare(2, kept is None, f"{answer.transition} was refused and is kept")
        found = await session.exec(
            select(CaseDecision, Case).join(Case, col(Case.id) == col(CaseDecision.case_id))
        )
        decisions = list(found.all())
        steps = Counter((decision.case_id, decision.step) for decision, _ in decisions)
        for (case_id, step), count in steps.items():
            report.compare(2, count == 1, f"step {step} of {case_id} was decided {count} times")
        for decision, case in decisions:
            # Rights are read when an act begins, and may end while it is under way.
            entitled = {
                person
                for at in (decision.at - UNDER_WAY, decision.at)
                for person in await access.people_with(
                    session, Permission(decision.permission), case.responsible_unit_id, at
                )
            }
            report.compare(
                2,
                decision.by in entitled and decision.by != case.applicant_id,
                f"{case.number} was decided by someone without the right",
            )
        final = Counter(d.case_id for d, _ in decisions if d.outcome not in _GOES_ON)
        for case_id, count in final.items():
            report.compare(2, count == 1, f"{case_id} was decided for good {count} times")


async def _attachments(report: CheckReport, database: Database, evidence: Evidence) -> None:
    """A document is in the draft, or in the newest version once submitted: nobody removes any."""
    async with database.work() as session:
        for case_id in {case_id for case_id, _, _ in evidence.attached}:
            case = await session.get(Case, case_id)
            cited = (await contents_of(session, case))[1] if case else []
            for kind, version in sorted(one[1:] for one in evidence.attached if one[0] == case_id):
                row = await session.get(DocumentVersion, version)
                there = row is not None and citation(kind, version) in cited
                report.compare(9, there, f"{kind} {version} of {case_id} is not attached")


async def _workflows(report: CheckReport, client: Client, cases: list[Case]) -> None:
    at_once = asyncio.Semaphore(8)

    async def compare(case: Case) -> None:
        handle = client.get_workflow_handle(case_workflow_id(case.id, CaseKind(case.kind)))
        async with at_once:
            if case.closed_at is None:
                answer: PresentState | None = await handle.query(
                    PRESENT_STATE, result_type=PresentState, rpc_timeout=timedelta(seconds=15)
                )
                seen = (answer.step, answer.status.value) if answer else (None, None)
            else:
                async with asyncio.timeout(15):
                    ended = CaseState.model_validate(await handle.result())
                seen = (ended.step, ended.status.value)
        report.compare(
            4,
            seen == (case.step, case.status),
            f"{case.number} stands at {case.status}, step {case.step}; its workflow knows {seen}",
        )

    done = await asyncio.gather(*(compare(case) for case in cases), return_exceptions=True)
    for case, error in zip(cases, done, strict=True):
        if isinstance(error, BaseException):
            report.compare(4, False, f"{case.number}: {type(error).__name__}: {error}")


async def _files(report: CheckReport, database: Database, objects: Objects) -> None:
    """Compare files after sweeping all objects without a row, as the nightly sweep does by age."""
    swept = await FileActivities(database, objects, timedelta(seconds=-60)).sweep_files()
    report.notes.append(f"files: {swept} objects without a row were swept")
    async with database.work() as session:
        versions = await session.exec(
            select(DocumentVersion.object_key, DocumentVersion.sha256).where(
                col(DocumentVersion.object_key).is_not(None)
            )
        )
        wanted: dict[str, str | None] = {str(key): digest for key, digest in versions.all()}
        acts = await session.exec(select(IssuedAct.object_key, IssuedAct.sha256))
        wanted |= dict(acts.all())
        wanted |= await requests.files(session)
        wanted |= await qualification.files(session)
        images = await session.exec(select(DocumentImage.object_key))
        wanted |= dict.fromkeys(images.all())
        seals = await session.exec(select(JournalCheckpoint.number))
        kept_seals = {checkpoints.checkpoint_object_key(number) for number in seals.all()}
        unfiled = await session.exec(
            select(Case.number).where(
                Case.status == "approved",
                col(Case.kind).in_(_CERTIFIED),
                col(Case.closed_at).is_not(None),
                col(Case.id).not_in(select(IssuedAct.case_id)),
            )
        )
    for number in unfiled.all():
        report.compare(5, False, f"{number} is closed as approved and has no act")
    for key, digest in wanted.items():
        try:
            seen = hashlib.sha256(await objects.read(key)).hexdigest()
        except ObjectMissingError:
            seen = "missing"
        report.compare(5, digest in (None, seen), f"{key}: {seen}")
    async for item in objects.list():
        report.compare(5, item.key in wanted or item.key in kept_seals, f"{item.key} has no row")


async def _chains(
    report: CheckReport, database: Database, objects: Objects, settings: Settings
) -> None:
    """Verify the journal, after a last checkpoint over the entries of the last minute."""
    folder = checkpoints_folder(settings.home)
    await checkpoints.take(database, open_seal(settings), folder, objects)
    report.compare(6, await asyncio.to_thread(verify.run, settings) == 0, "medcab verify failed")


async def _sleepers(report: CheckReport, cases: list[Case]) -> None:
    latest = now() - timedelta(seconds=SWEEP_GRACE)
    for case in cases:
        late = case.wakes_at is not None and case.wakes_at < latest
        report.compare(
            7, not late, f"{case.number} ({case.status}) was to be heard at {case.wakes_at}"
        )
        report.compare(
            7,
            case.closed_at is not None or case.wakes_at is not None,
            f"{case.number} ({case.status}) is open and never wakes",
        )
