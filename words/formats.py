"""How dates, sizes and numbers are written on a page, in the language and zone of the request.

Days and terms that belong to a place, such as a unit or the institution, carry the zone of that
place (`rules.cases.terms.in_zone`) and are written in it: they are the same for every reader.
"""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime, format_time, get_timezone_location

from rules.cases.terms import day_and_hour, in_zone
from rules.texts.names import Name
from words.translation import current, gettext, ngettext


def moment(value: datetime) -> str:
    """A date with its time: «4 декабря 2026, 18:00»."""
    shown = current()
    return format_datetime(value, "d MMMM y, HH:mm", tzinfo=shown.tzinfo, locale=shown.locale)


def day(value: date | datetime) -> str:
    """A date in words: «4 декабря 2026»."""
    shown = current()
    if isinstance(value, datetime):
        value = _local(value).date()
    return format_date(value, "d MMMM y", locale=shown.locale)


def weekday(value: date) -> str:
    """The day of the week: «вторник»."""
    return format_date(value, "EEEE", locale=current().locale)


def short_day(value: date | datetime) -> str:
    """A date for tables: «04.12.2026»."""
    if isinstance(value, datetime):
        value = _local(value).date()
    return value.strftime("%d.%m.%Y")


def clock(value: datetime) -> str:
    """The time of the day: «18:00»."""
    shown = current()
    return format_time(value, "HH:mm", tzinfo=shown.tzinfo, locale=shown.locale)


def is_today(value: datetime) -> bool:
    """Whether a moment is on the present day in the reader's zone."""
    zone = current().tzinfo
    return value.astimezone(zone).date() == datetime.now(zone).date()


def exact(value: datetime) -> str:
    """A moment to the second: «19:20:05», with its day unless that is today."""
    shown = current()
    hour = format_time(value, "HH:mm:ss", tzinfo=shown.tzinfo, locale=shown.locale)
    if is_today(value):
        return hour
    return f"{_without_this_year(value.astimezone(shown.tzinfo).date())}, {hour}"


def machine(value: date | datetime) -> str:
    """The ISO 8601 value of the `datetime` attribute of `<time>`."""
    return value.isoformat()


def by_institution(value: datetime) -> datetime:
    """The same moment in the institution's zone, for days that begin or end by its clock."""
    return in_zone(value, current().institution_zone)


def term(value: datetime) -> str:
    """The end of a term, to stand after «до»: «4 декабря, 18:00», «конца дня 4 декабря».

    Midnight is the end of the day before. A zone that differs from the reader's is named: «конца
    дня 2 декабря (Калининград)».
    """
    last, hour = day_and_hour(_local(value))
    written = _without_this_year(last)
    words = (
        gettext("конца дня %(day)s") % {"day": written} if hour == "24:00" else f"{written}, {hour}"
    )
    return words + elsewhere(value)


def ended(value: datetime) -> str:
    """The last day of a term that is over: «4 декабря», with its zone as in `term`."""
    return _without_this_year(day_and_hour(_local(value))[0]) + elsewhere(value)


def _without_this_year(last: date) -> str:
    shown = current()
    this_year = datetime.now(shown.tzinfo).year
    pattern = "d MMMM" if last.year == this_year else "d MMMM y"
    return format_date(last, pattern, locale=shown.locale)


def elsewhere(value: datetime) -> str:
    """The zone of a term in brackets, if the reader's clock shows another hour; otherwise empty."""
    local, zone = _local(value), value.tzinfo
    if local.utcoffset() == value.astimezone(current().tzinfo).utcoffset():
        return ""
    return f" ({zone_name(zone.key)})" if isinstance(zone, ZoneInfo) else ""


def _local(value: datetime) -> datetime:
    """The value in the zone it carries; if that is plain UTC, in the reader's zone."""
    return value if isinstance(value.tzinfo, ZoneInfo) else value.astimezone(current().tzinfo)


def size(octets: int) -> str:
    """A file's size in units of 1024: «1,4 МБ»."""
    if octets < 1024:
        return gettext("%(n)s Б") % {"n": octets}
    if octets < 1024 * 1024:
        return gettext("%(n)s КБ") % {"n": round(octets / 1024)}
    number = f"{octets / 1024 / 1024:.1f}"
    if current().language == "ru":
        number = number.replace(".", ",")
    return gettext("%(n)s МБ") % {"n": number}


def initials(name: str) -> str:
    """The initials: «Соколова Анна Игоревна» becomes «АС», first name, then surname."""
    return Name.of(name).monogram


def hours(n: int) -> str:
    """A number of hours: «72 часа»."""
    return ngettext("%(n)d час", "%(n)d часов", n) % {"n": n}


def working_days(n: int) -> str:
    """A number of working days: «6 рабочих дней»."""
    return ngettext("%(n)d рабочий день", "%(n)d рабочих дней", n) % {"n": n}


def zone_name(value: str) -> str:
    """The name of a time zone by its city: «Москва» for Europe/Moscow."""
    return get_timezone_location(value, locale=current().locale, return_city=True)


FILTERS = {
    "zone_name": zone_name,
    "moment": moment,
    "day": day,
    "weekday": weekday,
    "short_day": short_day,
    "clock": clock,
    "is_today": is_today,
    "machine": machine,
    "term": term,
    "by_institution": by_institution,
    "size": size,
    "initials": initials,
    "hours": hours,
    "working_days": working_days,
}
