"""When a message may go out: quiet hours and the daily digest, both only if asked for (N2)."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Quiet:
    """What a person asked for, in the zone where they asked.

    Quiet hours begin at `begins` and end at `ends`, over midnight where `ends` is earlier; equal
    times are none. `digest_hour` gathers mails until that hour of the day.
    """

    zone: str
    begins: time | None = None
    ends: time | None = None
    digest_hour: int | None = None


def held_until(quiet: Quiet, now: datetime) -> datetime | None:
    """When the quiet hours end that `now` falls into; None outside of them."""
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
    """When a mail written then is gathered into a digest; None without one.

    Quiet hours that cover the hour of the digest put it off to their end.
    """
    if quiet.digest_hour is None:
        return None
    here = written.astimezone(ZoneInfo(quiet.zone))
    moment = _next(quiet.zone, here, time(quiet.digest_hour))
    return held_until(quiet, moment) or moment


def _next(zone: str, here: datetime, at: time) -> datetime:
    """The next moment after `here` at which clocks of the zone show `at`.

    Where they skip it in spring, the moment that would have been so; where they show it twice in
    autumn, the first that has not passed.
    """
    place = ZoneInfo(zone)
    for days in range(3):
        day = here.date() + timedelta(days=days)
        for fold in (0, 1):
            moment = datetime.combine(day, at, tzinfo=place).replace(fold=fold)
            if moment.timestamp() > here.timestamp():
                return moment.astimezone(UTC)
    raise ValueError("a clock that never shows the time")
