"""How many bytes a request body may have, by route: a few words, a form, or a file."""

from collections.abc import Mapping

from starlette.routing import compile_path

from rules.cases.kinds import PROCESSES
from rules.staff.table import MOST_OCTETS

KIB = 1024
SMALL = 16 * KIB
"""For every path that the table does not name."""
WORDS = 64 * KIB
"""A text of 4000 characters takes up to 24 KiB as a form or as JSON written in ASCII."""
FORM = 128 * KIB
"""A section of a case's form, or the whole draft as JSON."""
TABLE = 512 * KIB
"""The definition of a type, 60 000 characters; a decision with all its remarks."""
ENVELOPE = 1024 * KIB
FILES_AT_ONCE = 10
"""Files in one form. The limit of a single file holds for each of them as well."""

_API = "/api/v1"
_ROOMS = tuple(process.room for process in PROCESSES.values())
"""The path of each kind of case, the same for pages and below `_API`."""
_DRAFTED = tuple(process.room for process in PROCESSES.values() if process.has_drafts)
"""Of the kinds that are filled in as drafts."""
_WORDS = (
    f"{_API}/applications/{{case_id}}/comments",
    f"{_API}/applications/{{case_id}}/hand-over",
    f"{_API}/applications/{{case_id}}/decision",
    f"{_API}/requests/{{case_id}}/refuse",
    f"{_API}/desk/decisions",
    f"{_API}/cases/{{case_id}}/messages",
    f"{_API}/archive/retention/{{case_id}}/extend",
    f"{_API}/archive/retention/{{case_id}}/hold",
    f"{_API}/archive/retention/{{case_id}}/release",
    f"{_API}/archive/retention/{{case_id}}/erase",
    f"{_API}/archive/views",
    f"{_API}/archive/views/{{view_id}}",
    f"{_API}/notices/read",
    *(f"{room}/{{case_id}}/{act}" for room in _ROOMS for act in ("ask", "withdraw")),
    *(f"{_API}{room}/{{case_id}}/withdraw" for room in _ROOMS),
    "/desk/cases/{case_id}/ask",
    "/archive/views",
    "/archive/views/{view_id}",
    "/archive/list.{kind}",
    "/archive/retention/{case_id}/{act}",
)
_FORMS = (
    *(f"{_API}{room}/{{case_id}}/draft" for room in _DRAFTED),
    *(f"{room}/{{case_id}}/draft/{{name}}" for room in _DRAFTED),
    *(f"{room}/{{case_id}}/draft/{{name}}/autosave" for room in _DRAFTED),
    "/desk/cases/{case_id}/hand-over",
    "/desk/team/move",
)
_DECISIONS = (
    "/desk/cases/{case_id}/decision",
    "/desk/cases/{case_id}/take",
    "/desk/several",
)
"""A reason, and a remark on every field and document of a form."""
SHEETS = (
    "/administration/staff",
    "/patients/import",
    f"{_API}/administration/staff/dry-run",
    f"{_API}/administration/staff/apply",
)
FILES = (
    f"{_API}/documents",
    f"{_API}/documents/{{document_id}}/versions",
    f"{_API}/requests/{{case_id}}/answer",
    "/requests/{case_id}/answer",
    "/documents/files",
    "/documents/files/{document_id}",
    "/documents/files/messages/{case_id}",
    "/documents/files/cases/{case_id}/{kind}",
    "/documents/files/credentials",
    "/documents/files/credentials/{draft_id}",
)


def body_limits(upload: int) -> Mapping[str, int]:
    """Bytes by route path; `upload` is the limit of one file.

    The first path that matches counts.
    """
    return {
        **dict.fromkeys(_WORDS, WORDS),
        **dict.fromkeys(_FORMS, FORM),
        **dict.fromkeys(_DECISIONS, TABLE),
        **dict.fromkeys(SHEETS, MOST_OCTETS + WORDS),
        **dict.fromkeys(FILES, FILES_AT_ONCE * upload + WORDS),
        # The form brings back the whole sheet of the dry run, packed.
        "/administration/staff/apply": ENVELOPE,
        "/patients/import/apply": ENVELOPE,
        f"{_API}/administration/{{subject}}/{{key}}": TABLE,
        f"{_API}/administration/type/{{key}}/dry-run": TABLE,
        "/administration/{room_name}/{key}": TABLE,
        "/administration/types/{key}/file": TABLE,
        f"{_API}/callbacks/gov-service": ENVELOPE,
        f"{_API}/callbacks/mail": TABLE,
        # A page of the Temporal UI sends the payloads of a whole history.
        "/codec/decode": ENVELOPE,
        "/temporal/{path:path}": ENVELOPE,
    }


class BodyLimits:
    """The limits, found by the path of a request."""

    def __init__(self, table: Mapping[str, int]) -> None:
        self._table = [(compile_path(path)[0], most) for path, most in table.items()]

    def of(self, path: str) -> int:
        """Bytes that a body sent to this path may have."""
        return next((most for known, most in self._table if known.match(path)), SMALL)
