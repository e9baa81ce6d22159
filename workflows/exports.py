"""An export of the archive's list: read the lines, make the file, tell the person."""

from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.exports import ExportActivities as Activities
    from models.messages import ExportProgress, ExportRef, WorkflowName
    from models.visibility import OpsText

TRIED_FOR = timedelta(hours=6)
"""After so long the export is given up: the person can ask again when the servers are back."""


@workflow.defn(name=WorkflowName.EXPORT)
class ExportWorkflow:
    """One file. The row in the database says how far it is, so a run may start at any point."""

    @workflow.run
    async def run(self, ref: ExportRef) -> ExportProgress:
        """Read the lines, then make the file, unless the export was cancelled meanwhile."""
        try:
            _show("reads the list", None)
            progress = await _do(Activities.gather_lines, ref, "read the list in parts")
            if progress.under_way:
                _show("makes the file", progress)
                progress = await _do(Activities.put_together, ref, "make and keep the file")
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            await workflow.execute_activity_method(
                Activities.give_export_up,
                ref,
                start_to_close_timeout=timedelta(seconds=15),
                retry_policy=RetryPolicy(maximum_interval=timedelta(seconds=10)),
                summary=OpsText("notify the person that the file could not be made"),
            )
            return ExportProgress(under_way=False)
        _show("is over", progress)
        return progress


async def _do(activity: Any, ref: ExportRef, summary: str) -> ExportProgress:
    result: ExportProgress = await workflow.execute_activity_method(
        activity,
        ref,
        start_to_close_timeout=timedelta(hours=1),
        schedule_to_close_timeout=TRIED_FOR,
        heartbeat_timeout=timedelta(seconds=20),
        retry_policy=RetryPolicy(
            maximum_interval=timedelta(seconds=10),
            non_retryable_error_types=["ExportFileError"],
        ),
        summary=OpsText(summary),
    )
    return result


def _show(what: str, progress: ExportProgress | None) -> None:
    """Show ops how far the export is."""
    rows = f": {progress.done} of {progress.total} rows" if progress else ""
    workflow.set_current_details(OpsText(f"**{what}**{rows}"))
