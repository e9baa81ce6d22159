"""Sending notices: an activity for each channel that works in shifts, with heartbeats.

Each looks for notices that are due twice a second.
"""

import asyncio
import time

from temporalio import activity

from activities.shifts import beating
from clients.database import Database
from models.messages import ChannelShift
from rules.clock import now as present
from rules.notices.kinds import Channel
from services.notices.sender import Stop, Way, drain, waiting

SHIFT = 300.0
"""Seconds that a shift lasts; a new one then shows in the history."""
SHIFT_WHILE_DOWN = 30.0
"""Seconds that a shift lasts while the server is down; ops are then told how many notices wait."""
IDLE = 0.5
LONGEST_PAUSE = 10.0


class NoticeActivities:
    """Activities of notices: one shift of each channel."""

    def __init__(self, database: Database, *ways: Way) -> None:
        self._database = database
        self._ways = {way.channel: way for way in ways}

    @activity.defn
    async def send_mail(self, before: ChannelShift) -> ChannelShift:
        """Send the notices that are due by e-mail until the shift is over.

        The shift ends early when the mail server goes down or comes back, so that ops are told, and
        when the worker shuts down.
        """
        return await self._shift(Channel.MAIL, before)

    @activity.defn
    async def send_sms(self, before: ChannelShift) -> ChannelShift:
        """Send the notices due by SMS, and ask the gateway for reports; see `send_mail`."""
        return await self._shift(Channel.SMS, before)

    @activity.defn
    async def send_push(self, before: ChannelShift) -> ChannelShift:
        """Send the notices that are due by web push; see `send_mail`."""
        return await self._shift(Channel.PUSH, before)

    async def _shift(self, channel: Channel, before: ChannelShift) -> ChannelShift:
        way = self._ways[channel]
        end = time.monotonic() + (SHIFT_WHILE_DOWN if before.down_since else SHIFT)
        shift = before
        pause = IDLE
        async with beating():
            while time.monotonic() < end and not activity.is_worker_shutdown():
                done = await drain(self._database, way, asked_to_stop=activity.is_worker_shutdown)
                shift = shift.model_copy(update={"told": shift.told + done.told})
                if done.ended is Stop.DOWN:
                    shift = shift.model_copy(
                        update={
                            "down_since": shift.down_since or present(),
                            "reason": done.reason,
                        }
                    )
                    pause = min(pause * 2, LONGEST_PAUSE)
                elif done.tried:
                    shift = shift.model_copy(update={"down_since": None, "reason": ""})
                    pause = IDLE
                if (shift.down_since is None) is not (before.down_since is None):
                    break
                if shift.down_since is None:
                    await way.follow_up(self._database)
                await _pause(pause)
            number = await waiting(self._database, channel)
        return shift.model_copy(update={"waiting": number})


async def _pause(seconds: float) -> None:
    """Wait that many seconds, or until the worker shuts down."""
    try:
        async with asyncio.timeout(seconds):
            await activity.wait_for_worker_shutdown()
    except TimeoutError:
        return
