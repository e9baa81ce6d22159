"""A meeting as an iCalendar file (RFC 5545): when, and where to find the room; no names.

The room itself is not in the file, as calendars are shared and copied: it links to the cabinet.
"""

from datetime import UTC, datetime

from services.meetings.seen import MeetingSeen

_STAMP = "%Y%m%dT%H%M%SZ"
_LINE = 75


def calendar_file(seen: MeetingSeen, title: str, url: str, now: datetime) -> bytes:
    """The file of one meeting. `url` is the page of the meeting in the cabinet."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Medcab//Meetings//RU",
        "METHOD:PUBLISH",
        "BEGIN:VEVENT",
        f"UID:{seen.id}@medcab",
        f"SEQUENCE:{seen.changes}",
        f"DTSTAMP:{now.astimezone(UTC):{_STAMP}}",
        f"DTSTART:{seen.starts_at.astimezone(UTC):{_STAMP}}",
        f"DTEND:{seen.ends_at.astimezone(UTC):{_STAMP}}",
        f"SUMMARY:{escaped(title)}",
        f"URL:{url}",
        f"STATUS:{'CONFIRMED' if seen.booked else 'CANCELLED'}",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return "".join(f"{folded(line)}\r\n" for line in lines).encode()


def escaped(text: str) -> str:
    """The text as the value of a property (RFC 5545, section 3.3.11)."""
    for sign in ("\\", ";", ","):
        text = text.replace(sign, f"\\{sign}")
    return text.replace("\n", "\\n")


def folded(line: str) -> str:
    """The line in pieces of at most 75 bytes, as RFC 5545 section 3.1 demands."""
    pieces, piece = [], ""
    for sign in line:
        if len((piece + sign).encode()) > _LINE - 1:
            pieces.append(piece)
            piece = ""
        piece += sign
    return "\r\n ".join([*pieces, piece])
