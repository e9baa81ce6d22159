"""How dates, sizes and numbers are written on a page, in the language and zone of the request."""

from datetime import date, datetime, timedelta

from babel.dates import format_date, format_datetime, format_time, get_timezone_location

from cabinet.translation import current, gettext, ngettext
from rules.names import Name


def moment(value: datetime) -> str:
    """A date with its time: «4 декабря 2026, 18:00»."""
    shown = current()
    return format_datetime(value, "d MMMM y, HH:mm", tzinfo=shown.tzinfo, locale=shown.locale)


def day(value: date | datetime) -> str:
    """A date in words: «4 декабря 2026»."""
    shown = current()
    if isinstance(value, datetime):
        value = value.astimezone(shown.tzinfo).date()
    return format_date(value, "d MMMM y", locale=shown.locale)


def short_day(value: date | datetime) -> str:
    """A date for tables: «04.12.2026»."""
    if isinstance(value, datetime):
        value = value.astimezone(current().tzinfo).date()
    return value.strftime("%d.%m.%Y")


def clock(value: datetime) -> str:
    """The time of the day: «18:00»."""
    shown = current()
    return format_time(value, "HH:mm", tzinfo=shown.tzinfo, locale=shown.locale)


def machine(value: date | datetime) -> str:
    """For the `datetime` attribute of `<time>`: ISO 8601."""
    return value.isoformat()


def term(value: datetime) -> str:
    """The end of a term: «4 декабря, 18:00», with the year where it is not this one.

    Midnight is the end of the day before, and is written 24:00.
    """
    shown = current()
    local = value.astimezone(shown.tzinfo)
    time = f"{local:%H:%M}"
    if time == "00:00":
        local, time = local - timedelta(days=1), "24:00"
    this_year = datetime.now(shown.tzinfo).year
    pattern = "d MMMM" if local.year == this_year else "d MMMM y"
    return f"{format_date(local.date(), pattern, locale=shown.locale)}, {time}"


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
    """«Соколова Анна Игоревна» becomes «АС»: first name, then surname."""
    return Name.of(name).monogram


def hours(n: int) -> str:
    """«72 часа»."""
    return ngettext("%(n)d час", "%(n)d часов", n) % {"n": n}


def working_days(n: int) -> str:
    """«6 рабочих дней»."""
    return ngettext("%(n)d рабочий день", "%(n)d рабочих дней", n) % {"n": n}


def zone_name(value: str) -> str:
    """A time zone by its city: «Москва» for Europe/Moscow."""
    return get_timezone_location(value, locale=current().locale, return_city=True)


FILTERS = {
    "zone_name": zone_name,
    "moment": moment,
    "day": day,
    "short_day": short_day,
    "clock": clock,
    "machine": machine,
    "term": term,
    "size": size,
    "initials": initials,
    "hours": hours,
    "working_days": working_days,
}
