"""What a line of the access table is made of."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from rules.access import Role

Things = Mapping[str, str]
Sent = Callable[[Things], dict[str, Any]]
Roles = frozenset[Role]

EVERYBODY: Roles = frozenset(Role)
NOBODY: Roles = frozenset()
REVIEWERS: Roles = frozenset({Role.HR_REVIEWER, Role.HR_HEAD, Role.CLERK})
HR_HEAD: Roles = frozenset({Role.HR_HEAD})
UNIT_HEAD: Roles = frozenset({Role.UNIT_HEAD})
CLINICIANS: Roles = frozenset({Role.DOCTOR, Role.NURSE, Role.UNIT_HEAD, Role.REGISTRAR}) | REVIEWERS
"""Those who apply and keep documents of their own."""
KEEPERS: Roles = frozenset({Role.HR_HEAD, Role.ADMINISTRATOR})
"""Those who decide how long closed cases are kept."""
WATCHERS: Roles = frozenset({Role.OPS, Role.TECHNICIAN})
OPS: Roles = frozenset({Role.OPS})
SECURITY: Roles = frozenset({Role.SECURITY})
JOURNAL_READERS: Roles = SECURITY | {Role.AUDITOR}
OPERATOR: Roles = frozenset({Role.OPERATOR})
ADMINISTRATOR: Roles = frozenset({Role.ADMINISTRATOR})
PEOPLE: Roles = ADMINISTRATOR | SECURITY
"""Those who see people and their accounts."""


def nothing(_: Things) -> dict[str, Any]:
    """A request without body or query."""
    return {}


def form(**fields: Any) -> Sent:
    """A form as a page sends it; `"{case_id}"` and the like are filled in."""
    return lambda things: {"data": _filled(fields, things)}


def body(**fields: Any) -> Sent:
    """A JSON body, filled in likewise."""
    return lambda things: {"json": _filled(fields, things)}


def act(**fields: Any) -> Sent:
    """A JSON body with the id of a new act."""
    return lambda things: {
        "json": _filled(fields, things),
        "headers": {"Idempotency-Key": str(uuid4())},
    }


def upload(**fields: Any) -> Sent:
    """A form with a file in it."""
    return lambda things: {
        "data": _filled(fields, things),
        "files": {"file": ("diploma.pdf", b"%PDF-1.7 nothing more", "application/pdf")},
    }


def query(**fields: Any) -> Sent:
    """What stands after the question mark."""
    return lambda things: {"params": _filled(fields, things)}


def _filled(value: Any, things: Things) -> Any:
    if isinstance(value, str):
        return value.format_map(things) if value.startswith("{") else value
    if isinstance(value, dict):
        return {key: _filled(each, things) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, things) for each in value]
    return value


@dataclass(frozen=True)
class Row:
    """Who gets through to one route, by what the request is about.

    `to` is what the route itself declares (see `api.http.auth.Openness`), a permission by its name.
    `colleague` and `stranger` are None where the request is about nobody's thing in particular.
    `using` says which thing stands for a name of the path where it is not the one of that name.
    """

    to: str
    own: Roles
    colleague: Roles | None = None
    stranger: Roles | None = None
    send: Sent = nothing
    using: Mapping[str, str] = field(default_factory=dict)


def public(send: Sent = nothing) -> Row:
    """Open to everybody."""
    return Row("public", EVERYBODY, send=send)


def mine(to: str, send: Sent = nothing, own: Roles = EVERYBODY, **using: str) -> Row:
    """About one's own things only."""
    return Row(to, own, NOBODY, NOBODY, send, using)
