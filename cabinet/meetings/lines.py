"""Meetings as their pages show them."""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby

from cabinet.frame.states import StatusTag, Tone
from cabinet.meetings.views import FreeTime, MeetingView
from rules.meetings import LATEST_BOOKING, STATE_WORDS, MeetingState, room_link
from services.meetings.seen import MeetingSeen
from services.meetings.times import Offered
from words.translation import current, gettext

_LOOKS: dict[MeetingState, tuple[Tone, str]] = {
    MeetingState.BOOKED: ("waiting", "calendar-clock"),
    MeetingState.CANCELLED: ("idle", "undo-2"),
    MeetingState.CONFIRMED: ("good", "circle-check"),
    MeetingState.NOT_CONFIRMED: ("bad", "octagon-x"),
    MeetingState.MISSED: ("bad", "circle-alert"),
    MeetingState.UNRECORDED: ("paused", "circle-question-mark"),
}


def meeting_view(one: MeetingSeen, template: str, other: str, now: datetime) -> MeetingView:
    """A meeting with the name of the `other` person, and its room by the provider's template."""
    tone, icon = _LOOKS[one.state]
    return MeetingView(
        id=one.id,
        state=StatusTag(gettext(STATE_WORDS[one.state]), tone, icon),
        starts_at=one.starts_at,
        ends_at=one.ends_at,
        other=other,
        room=room_link(template, one.room) if one.room else "",
        booked=one.booked,
        changeable=one.booked and one.starts_at - now > LATEST_BOOKING,
        reason=one.reason or "",
    )


def by_day(offered: Sequence[Offered]) -> Sequence[tuple[datetime, Sequence[FreeTime]]]:
    """Free times by day, in the zone of whoever looks; of each day its first time comes along."""
    zone = current().tzinfo
    days = groupby(offered, key=lambda one: one.starts_at.astimezone(zone).date())
    grouped = [[FreeTime(one.slot_id, one.starts_at) for one in times] for _, times in days]
    return [(times[0].starts_at, times) for times in grouped]
