"""The standing workflow that tells notices by e-mail."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from activities.notices import NoticeActivities
    from models.messages import MailShift, WorkflowName
    from models.visibility import OpsText

SHIFTS = 200


@workflow.defn(name=WorkflowName.NOTICES_MAIL)
class NoticesMail:
    """One shift of the sender after another; a new run now and then keeps histories short."""

    @workflow.run
    async def run(self, shift: MailShift | None = None) -> None:
        """Send for ever."""
        shift = shift or MailShift()
        for _ in range(SHIFTS):
            _show(shift)
            shift = await workflow.execute_activity_method(
                NoticeActivities.send_mail,
                shift,
                start_to_close_timeout=timedelta(minutes=10),
                heartbeat_timeout=timedelta(seconds=10),
                retry_policy=RetryPolicy(maximum_interval=timedelta(seconds=5)),
                summary=OpsText("send what is due"),
            )
        workflow.continue_as_new(shift)


def _show(shift: MailShift) -> None:
    """Tell ops how the mail stands."""
    if shift.down_since is None:
        told = f"**e-mail works**: {shift.told} told, {shift.waiting} waiting"
    else:
        since = shift.down_since.strftime("%Y-%m-%d %H:%M:%S UTC")
        told = f"### DOWN since {since}, {shift.waiting} waiting\n- {shift.reason}"
    workflow.set_current_details(OpsText(told))
