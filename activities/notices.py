"""Sending notices: an activity for each channel that works in shifts, with heartbeats.

Each is woken by the commit of a notice; otherwise it sleeps until the next one is due.
"""

import asyncio
import time
from datetime import datetime
from typing import Any

from temporalio import activity

from activities.shifts import beating
from clients.announcements import Announcements
from clients.database import Database
from models.messages import ChannelShift
from rules.clock import now as present
from rules.notices.kinds import Channel
from services.notices.sender import TOPIC, Stop, Way, drain, waiting

SHIFT = 300.0
"""Seconds that a shift lasts; a new one then shows in the history."""
SHIFT_WHILE_DOWN = 30.0
"""Seconds that a shift lasts while the server is down; ops are then told how many notices wait."""
AGAIN = 0.5
"""Seconds until what could not be done in a round is tried again."""
LONGEST_PAUSE = 10.0
"""Seconds between tries, at most, while the server is down."""
LOOKS_ANYWAY = 30.0
"""Seconds without an announcement after which a sender looks all the same."""


class NoticeActivities:
    """Activities of notices: one shift of each channel."""

    def __init__(self, database: Database, *ways: Way) -> None:
        self._database = database
        self._ways = {way.channel: way for way in ways}
        self._announced = Announcements(database, TOPIC)

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
        pause = AGAIN
        async with beating(), self._announced.of(channel.value) as announced:
            while time.monotonic() < end and not activity.is_worker_shutdown():
                announced.clear()
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
                    pause = AGAIN
                if (shift.down_since is None) is not (before.down_since is None):
                    break
                if shift.down_since is None:
                    pause = _until(done.next_at, await way.follow_up(self._database))
                    await _rest(min(pause, end - time.monotonic()), announced)
                else:
                    await _rest(pause)
            number = await waiting(self._database, channel)
        return shift.model_copy(update={"waiting": number})


def _until(*moments: datetime | None) -> float:
    """Seconds until the first of these moments, LOOKS_ANYWAY at most; AGAIN if that is past."""
    seconds = [(one - present()).total_seconds() for one in moments if one is not None]
    first = min([*seconds, LOOKS_ANYWAY])
    return first if first > 0 else AGAIN


async def _rest(seconds: float, announced: asyncio.Event | None = None) -> None:
    """Wait that many seconds, or until a notice is announced or the worker shuts down."""
    waits: list[asyncio.Task[Any]] = [asyncio.create_task(activity.wait_for_worker_shutdown())]
    if announced is not None:
        waits.append(asyncio.create_task(announced.wait()))
    await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for one in waits:
        one.cancel()
    await asyncio.gather(*waits, return_exceptions=True)
