"""The archive's night: closed cases get terms, people are notified, and what is over is erased."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from activities.archive import ArchiveActivities as Activities
    from models.messages import WorkflowName
    from models.visibility import OpsText

_STEPS = (
    (Activities.assign_terms, "give closed cases their terms"),
    (Activities.tell_terms, "notify people of terms that end soon"),
    (Activities.erase_over, "erase cases whose term is over"),
)


@workflow.defn(name=WorkflowName.ARCHIVE_NIGHT)
class ArchiveNight:
    """Started by a schedule once a night; what one night does not finish, the next one does."""

    @workflow.run
    async def run(self) -> dict[str, int]:
        """Do one night's work. Returns how many cases each step was about."""
        done: dict[str, int] = {}
        for step, summary in _STEPS:
            done[summary] = await workflow.execute_activity_method(
                step,
                start_to_close_timeout=timedelta(hours=2),
                retry_policy=RetryPolicy(
                    maximum_interval=timedelta(minutes=10), maximum_attempts=20
                ),
                summary=OpsText(summary),
            )
        told = "\n".join(f"- {what}: {number}" for what, number in done.items())
        workflow.set_current_details(OpsText(told))
        return done
