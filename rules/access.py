"""Who may do what. A role is a set of permissions; a person holds roles in units.

Source: requirements I6, A11.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Role(StrEnum):
    """The roles of the institution."""

    DOCTOR = "doctor"
    NURSE = "nurse"
    HR_REVIEWER = "hr_reviewer"
    HR_HEAD = "hr_head"
    CLERK = "clerk"
    """Answers requests that are addressed to a unit other than HR, such as supply."""
    UNIT_HEAD = "unit_head"
    SECURITY = "security"
    OPERATOR = "operator"
    ADMINISTRATOR = "administrator"
    TECHNICIAN = "technician"
    OPS = "ops"
    AUDITOR = "auditor"


class Permission(StrEnum):
    """The single rights that a role consists of."""

    APPLY = "apply"
    KEEP_DOCUMENTS = "keep_documents"
    REVIEW = "review"
    OVERSEE_REVIEWS = "oversee_reviews"
    VIEW_UNIT_CASES = "view_unit_cases"
    MANAGE_CATALOGUE = "manage_catalogue"
    MANAGE_PEOPLE = "manage_people"
    VIEW_PEOPLE = "view_people"
    """See people with their accounts, roles, sessions and sign-ins; change nothing."""
    DECODE_PAYLOADS = "decode_payloads"
    WATCH_OPERATION = "watch_operation"
    OPERATE = "operate"
    READ_JOURNAL = "read_journal"
    CONFIRM_DECLARATIONS = "confirm_declarations"
    """Confirm a colleague's declaration that entries of the journal are lost, or accepted."""
    KEEP_ARCHIVE = "keep_archive"
    KEEP_NOTICES = "keep_notices"
    """Mark, test and set up one's own notices. Every role may; a token may be made without it."""


_ANYBODY = frozenset({Permission.KEEP_NOTICES})
_CLINICIAN = _ANYBODY | {Permission.APPLY, Permission.KEEP_DOCUMENTS}
_REVIEWER = _CLINICIAN | {Permission.REVIEW}

ROLE_PERMISSIONS: Mapping[Role, frozenset[Permission]] = {
    Role.DOCTOR: _CLINICIAN,
    Role.NURSE: _CLINICIAN,
    Role.HR_REVIEWER: _REVIEWER,
    Role.HR_HEAD: _REVIEWER | {Permission.OVERSEE_REVIEWS, Permission.KEEP_ARCHIVE},
    Role.CLERK: _REVIEWER,
    Role.UNIT_HEAD: _CLINICIAN | {Permission.VIEW_UNIT_CASES},
    Role.SECURITY: _ANYBODY
    | {Permission.READ_JOURNAL, Permission.CONFIRM_DECLARATIONS, Permission.VIEW_PEOPLE},
    Role.OPERATOR: _ANYBODY,
    Role.ADMINISTRATOR: _ANYBODY
    | {
        Permission.MANAGE_CATALOGUE,
        Permission.MANAGE_PEOPLE,
        Permission.VIEW_PEOPLE,
        Permission.KEEP_ARCHIVE,
    },
    Role.TECHNICIAN: _ANYBODY | {Permission.WATCH_OPERATION},
    Role.OPS: _ANYBODY
    | {Permission.WATCH_OPERATION, Permission.OPERATE, Permission.DECODE_PAYLOADS},
    Role.AUDITOR: _ANYBODY | {Permission.READ_JOURNAL},
}


@dataclass(frozen=True)
class Grant:
    """A role held in a unit and in the units below it."""

    role: Role
    units: frozenset[UUID]


@dataclass(frozen=True)
class Actor:
    """The person who acts, with the roles held at this moment."""

    person_id: UUID
    name: str
    unit_id: UUID
    grants: tuple[Grant, ...] = ()
    scope: frozenset[Permission] | None = None
    """The permissions that a personal access token is limited to; None for a signed-in session."""

    def may(self, permission: Permission, unit_id: UUID | None = None) -> bool:
        """Whether the person holds the permission: in `unit_id` if given, otherwise in any unit."""
        if self.scope is not None and permission not in self.scope:
            return False
        return any(
            permission in ROLE_PERMISSIONS[grant.role]
            and (unit_id is None or unit_id in grant.units)
            for grant in self.grants
        )

    def units_with(self, permission: Permission) -> frozenset[UUID]:
        """All units in which the permission is held."""
        if self.scope is not None and permission not in self.scope:
            return frozenset()
        return frozenset().union(
            *(g.units for g in self.grants if permission in ROLE_PERMISSIONS[g.role])
        )
