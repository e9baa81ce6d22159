"""When a message may be sent: quiet hours and the daily digest, both only on request (N2)."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Quiet:
    """The quiet hours and digest that a person chose, in the zone where they chose them.

    Quiet hours last from `begins` to `ends`, over midnight if `ends` is earlier; equal times mean
    no quiet hours. With `digest_hour`, mails are collected until that hour of the day.
    """

    zone: str
    begins: time | None = None
    ends: time | None = None
    digest_hour: int | None = None


def held_until(quiet: Quiet, now: datetime) -> datetime | None:
    """When the quiet hours around `now` end; None outside quiet hours."""
    if quiet.begins is None or quiet.ends is None or quiet.begins == quiet.ends:
        return None
    here = now.astimezone(ZoneInfo(quiet.zone))
    clock = here.time()
    over_midnight = quiet.ends < quiet.begins
    inside = (
        clock >= quiet.begins or clock < quiet.ends
        if over_midnight
        else quiet.begins <= clock < quiet.ends
    )
    if not inside:
        return None
    return _next(quiet.zone, here, quiet.ends)


def digest_at(quiet: Quiet, written: datetime) -> datetime | None:
    """When a mail written at `written` goes out in the digest; None if there is no digest.

    If the hour of the digest falls into quiet hours, the digest waits for their end.
    """
    if quiet.digest_hour is None:
        return None
    here = written.astimezone(ZoneInfo(quiet.zone))
    moment = _next(quiet.zone, here, time(quiet.digest_hour))
    return held_until(quiet, moment) or moment


def _next(zone: str, here: datetime, at: time) -> datetime:
    """The next moment after `here` at which clocks of the zone show `at`.

    If the clocks skip that time in spring, the moment it would have been; if they show it twice in
    autumn, the first one after `here`.
    """
    place = ZoneInfo(zone)
    for days in range(3):
        day = here.date() + timedelta(days=days)
        for fold in (0, 1):
            moment = datetime.combine(day, at, tzinfo=place).replace(fold=fold)
            if moment.timestamp() > here.timestamp():
                return moment.astimezone(UTC)
    raise ValueError("a clock that never shows the time")
