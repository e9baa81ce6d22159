"""The standing workflows that repeat one long activity, and those that a schedule starts."""

from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from activities.clinic_clocks import ClinicClockActivities
    from activities.files import FileActivities
    from activities.journal import JournalActivities
    from activities.personnel import PersonnelActivities
    from activities.results import ResultActivities
    from activities.sweeper import SweeperActivities
    from models.messages import WorkflowName
    from models.visibility import OpsText

SHIFTS = 100


async def _work_in_shifts(activity: Any, summary: str) -> None:
    """Repeat the activity; after SHIFTS of them a new run keeps the history short."""
    workflow.set_current_details(OpsText(summary))
    for _ in range(SHIFTS):
        await workflow.execute_activity_method(
            activity,
            start_to_close_timeout=timedelta(minutes=15),
            heartbeat_timeout=timedelta(seconds=30),
            retry_policy=RetryPolicy(maximum_interval=timedelta(seconds=10)),
            summary=OpsText(summary),
        )
    workflow.continue_as_new()


@workflow.defn(name=WorkflowName.SWEEPER)
class Sweeper:
    """Wakes cases that are late and that nobody has signalled."""

    @workflow.run
    async def run(self) -> None:
        """Sweep for ever."""
        await _work_in_shifts(SweeperActivities.sweep, "wake open cases whose time has come")


@workflow.defn(name=WorkflowName.JOURNAL_SEALER)
class JournalSealer:
    """Makes a checkpoint of the journal once a minute."""

    @workflow.run
    async def run(self) -> None:
        """Make checkpoints for ever."""
        await _work_in_shifts(
            JournalActivities.seal_journal, "make a checkpoint of the journal once a minute"
        )


@workflow.defn(name=WorkflowName.CLINIC_CLOCKS)
class ClinicClocks:
    """Ends holds, reminds clinicians of their day, closes what nobody came to."""

    @workflow.run
    async def run(self) -> None:
        """Watch the clocks for ever."""
        await _work_in_shifts(
            ClinicClockActivities.watch_clinic_clocks, "do what is due in the clinic"
        )


@workflow.defn(name=WorkflowName.FILE_SWEEP)
class FileSweep:
    """Removes objects that no row names; started by a schedule once a night."""

    @workflow.run
    async def run(self) -> int:
        """Sweep once. Returns how many objects were removed."""
        return await workflow.execute_activity_method(
            FileActivities.sweep_files,
            start_to_close_timeout=timedelta(hours=1),
            retry_policy=RetryPolicy(maximum_interval=timedelta(minutes=10), maximum_attempts=20),
            summary=OpsText("remove objects that no row names"),
        )


@workflow.defn(name=WorkflowName.PERSONNEL_COMPARISON)
class PersonnelComparison:
    """Does what lost pushes of the personnel register would have brought; started every hour."""

    @workflow.run
    async def run(self) -> int:
        """Compare once. A register that is down is asked again by the next run, and ops see it."""
        return await workflow.execute_activity_method(
            PersonnelActivities.compare_staff,
            start_to_close_timeout=timedelta(minutes=30),
            heartbeat_timeout=timedelta(seconds=30),
            retry_policy=RetryPolicy(maximum_interval=timedelta(minutes=5), maximum_attempts=8),
            summary=OpsText("compare with the list of the personnel register"),
        )


@workflow.defn(name=WorkflowName.LABORATORY_CATCH_UP)
class LaboratoryCatchUp:
    """Takes in what the laboratory sent and we did not get; started every hour."""

    @workflow.run
    async def run(self) -> int:
        """Go through its list once. A laboratory that is down is asked again by the next run."""
        return await workflow.execute_activity_method(
            ResultActivities.catch_up_with_laboratory,
            start_to_close_timeout=timedelta(minutes=30),
            heartbeat_timeout=timedelta(seconds=30),
            retry_policy=RetryPolicy(maximum_interval=timedelta(minutes=5), maximum_attempts=8),
            summary=OpsText("compare with the list of the laboratory"),
        )
