"""The standing workflows that send notices: one for each channel, shift after shift."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from activities.notices import NoticeActivities
    from models.messages import ChannelShift, WorkflowName
    from models.visibility import OpsText

SHIFTS = 200


@workflow.defn(name=WorkflowName.NOTICES_MAIL)
class NoticesMail:
    """Sends notices by e-mail."""

    @workflow.run
    async def run(self, shift: ChannelShift | None = None) -> None:
        """Send for ever."""
        await _send(NoticeActivities.send_mail, "e-mail", shift)


@workflow.defn(name=WorkflowName.NOTICES_SMS)
class NoticesSms:
    """Sends notices by SMS."""

    @workflow.run
    async def run(self, shift: ChannelShift | None = None) -> None:
        """Send for ever."""
        await _send(NoticeActivities.send_sms, "SMS", shift)


@workflow.defn(name=WorkflowName.NOTICES_PUSH)
class NoticesPush:
    """Sends notices by web push."""

    @workflow.run
    async def run(self, shift: ChannelShift | None = None) -> None:
        """Send for ever."""
        await _send(NoticeActivities.send_push, "push", shift)


async def _send(work: Callable[..., Any], channel: str, shift: ChannelShift | None) -> None:
    """Run shift after shift; after SHIFTS of them a new run keeps the history short."""
    now = shift or ChannelShift()
    for _ in range(SHIFTS):
        _show(channel, now)
        now = await workflow.execute_activity_method(
            work,
            now,
            start_to_close_timeout=timedelta(minutes=10),
            heartbeat_timeout=timedelta(seconds=10),
            retry_policy=RetryPolicy(maximum_interval=timedelta(seconds=5)),
            summary=OpsText("send what is due"),
        )
    workflow.continue_as_new(now)


def _show(channel: str, shift: ChannelShift) -> None:
    """Show ops how the channel stands."""
    if shift.down_since is None:
        told = f"**{channel} works**: {shift.told} sent, {shift.waiting} waiting"
    else:
        since = shift.down_since.strftime("%Y-%m-%d %H:%M:%S UTC")
        told = f"### DOWN since {since}, {shift.waiting} waiting\n- {shift.reason}"
    workflow.set_current_details(OpsText(told))
