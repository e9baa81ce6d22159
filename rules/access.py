"""Who may do what. A role is a set of permissions; a person holds roles and permissions in units.

Source: requirements I6, A11.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from rules.accounts import AccountState
from rules.refusals import FieldError, Refusal, forbidden


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
    REGISTRAR = "registrar"
    """Enters who patients are, books appointments, keeps the weekly schedule."""


class Permission(StrEnum):
    """The single rights that a role consists of."""

    APPLY = "apply"
    KEEP_DOCUMENTS = "keep_documents"
    REVIEW = "review"
    OVERSEE_REVIEWS = "oversee_reviews"
    VIEW_UNIT_CASES = "view_unit_cases"
    MANAGE_CATALOGUE = "manage_catalogue"
    MANAGE_PEOPLE = "manage_people"
    WATCH_RISKS = "watch_risks"
    """See signs of attacks on accounts, close them, and lock an account by suspicion."""
    APPROVE_UNLOCK = "approve_unlock"
    """Agree that a lock by suspicion is opened, after an operator has met its owner."""
    VIEW_PEOPLE = "view_people"
    """See people with their accounts, roles, sessions and sign-ins; change nothing."""
    RECONCILE_STAFF = "reconcile_staff"
    """See to records of the personnel register that could not be carried out."""
    DECODE_PAYLOADS = "decode_payloads"
    WATCH_OPERATION = "watch_operation"
    OPERATE = "operate"
    READ_JOURNAL = "read_journal"
    AUDIT_CASES = "audit_cases"
    """Find any case by its number and read it, as it was at any act; change nothing."""
    OVERSEE_COURSE = "oversee_course"
    """See who of one's units is late with the course on protecting data."""
    CONFIRM_DECLARATIONS = "confirm_declarations"
    """Confirm a colleague's declaration that entries of the journal are lost, or accepted."""
    VIEW_CREDENTIALS = "view_credentials"
    """See what qualifications the people of one's units have."""
    CONFIRM_CREDENTIALS = "confirm_credentials"
    """Confirm that what somebody entered agrees with the original of the paper."""
    RELEASE_CREDENTIALS = "release_credentials"
    """Decide whether an authority gets documents of somebody's qualification."""
    CONNECT_SYSTEMS = "connect_systems"
    """Connect other systems that hear of changes of credentials."""
    KEEP_ARCHIVE = "keep_archive"
    CONFIRM_ACCOUNT = "confirm_account"
    """Have one's own account confirmed, with documents of one's own. Needs no role."""
    MEET_PEOPLE = "meet_people"
    """Offer times for meetings, and confirm there and by documents who somebody is."""
    ASK_ACCESS = "ask_access"
    """Ask for a change of rights: one's own, or with `manage_people` those of others. Every role
    may."""
    CONFIRM_ACCESS = "confirm_access"
    """Confirm, as the head of a unit, that somebody needs a right there."""
    APPROVE_ACCESS = "approve_access"
    """Approve, as information security, a change that a head has confirmed; end a right at once."""
    VIEW_RIGHTS = "view_rights"
    """See which role has which permissions, and who holds them in one's units."""
    KEEP_NOTICES = "keep_notices"
    """Mark, test and set up one's own notices. Every role may; a token may be made without it."""
    TREAT = "treat"
    """Open patients' records for care, write in them, confirm results."""
    REGISTER_PATIENTS = "register_patients"
    """Enter and correct who a patient is; propose that two are one, and judge that."""
    BOOK = "book"
    """Book, move and cancel appointments of one's units."""
    PLAN_SCHEDULE = "plan_schedule"
    """Set the weekly hours, exceptions, rooms and absences of one's units."""
    MATCH_RESULTS = "match_results"
    """Find the patient of a laboratory result that came for nobody."""
    OVERSEE_RESULTS = "oversee_results"
    """See which results of one's units are late, and take them; answer where nobody else can."""
    JUDGE_EMERGENCIES = "judge_emergencies"
    """Judge afterwards whether a record was rightly opened as an emergency."""


WITHOUT_ROLE = frozenset({Permission.CONFIRM_ACCOUNT})
"""What everybody with an account may, whatever roles they hold: it is about their own account."""

_ANYBODY = frozenset({Permission.KEEP_NOTICES, Permission.ASK_ACCESS})
_STAFF = _ANYBODY | {Permission.APPLY, Permission.KEEP_DOCUMENTS}
_CLINICIAN = _STAFF | {Permission.TREAT, Permission.BOOK}
_REVIEWER = _STAFF | {Permission.REVIEW}
_PERSONNEL = _REVIEWER | {Permission.VIEW_CREDENTIALS, Permission.CONFIRM_CREDENTIALS}

ROLE_PERMISSIONS: Mapping[Role, frozenset[Permission]] = {
    Role.DOCTOR: _CLINICIAN,
    Role.NURSE: _CLINICIAN,
    Role.HR_REVIEWER: _PERSONNEL,
    Role.HR_HEAD: _PERSONNEL
    | {
        Permission.OVERSEE_REVIEWS,
        Permission.KEEP_ARCHIVE,
        Permission.RECONCILE_STAFF,
        Permission.RELEASE_CREDENTIALS,
    },
    Role.CLERK: _REVIEWER,
    Role.UNIT_HEAD: _STAFF
    | {
        Permission.PLAN_SCHEDULE,
        Permission.OVERSEE_RESULTS,
        Permission.MATCH_RESULTS,
        Permission.VIEW_UNIT_CASES,
        Permission.VIEW_CREDENTIALS,
        Permission.OVERSEE_COURSE,
        Permission.CONFIRM_ACCESS,
    },
    Role.SECURITY: _ANYBODY
    | {
        Permission.READ_JOURNAL,
        Permission.CONFIRM_DECLARATIONS,
        Permission.VIEW_PEOPLE,
        Permission.WATCH_RISKS,
        Permission.APPROVE_UNLOCK,
        Permission.OVERSEE_COURSE,
        Permission.APPROVE_ACCESS,
        Permission.VIEW_RIGHTS,
        Permission.JUDGE_EMERGENCIES,
    },
    Role.OPERATOR: _ANYBODY | {Permission.MEET_PEOPLE},
    Role.ADMINISTRATOR: _ANYBODY
    | {
        Permission.MANAGE_CATALOGUE,
        Permission.MANAGE_PEOPLE,
        Permission.RECONCILE_STAFF,
        Permission.VIEW_PEOPLE,
        Permission.KEEP_ARCHIVE,
        Permission.VIEW_RIGHTS,
        Permission.CONNECT_SYSTEMS,
    },
    Role.TECHNICIAN: _ANYBODY | {Permission.WATCH_OPERATION},
    Role.OPS: _ANYBODY
    | {
        Permission.WATCH_OPERATION,
        Permission.OPERATE,
        Permission.DECODE_PAYLOADS,
        Permission.CONNECT_SYSTEMS,
    },
    Role.AUDITOR: _ANYBODY
    | {Permission.READ_JOURNAL, Permission.AUDIT_CASES, Permission.VIEW_RIGHTS},
    Role.REGISTRAR: _STAFF
    | {
        Permission.REGISTER_PATIENTS,
        Permission.BOOK,
        Permission.PLAN_SCHEDULE,
        Permission.MATCH_RESULTS,
    },
}


Right = Role | Permission
"""What a grant gives: a role, or one permission by itself."""

SINGLE = frozenset(Permission) - WITHOUT_ROLE - _ANYBODY
"""The permissions that are given by themselves too; the others everybody has anyway (I6)."""

_BY_NAME: Mapping[str, Right] = {one.value: one for one in (*Role, *Permission)}


def right_named(name: str) -> Right:
    """The role or permission that is stored under this name; no name is both."""
    return _BY_NAME[name]


def permissions_of(right: Right) -> frozenset[Permission]:
    """All that a grant lets somebody do: the only reader of `ROLE_PERMISSIONS`.

    Whoever holds anything keeps notices and may ask for rights, as with every role.
    """
    return ROLE_PERMISSIONS[right] if isinstance(right, Role) else _ANYBODY | {right}


def giving(permission: Permission) -> frozenset[Right]:
    """The roles and single permissions with which somebody holds the permission."""
    return frozenset(one for one in (*Role, *SINGLE) if permission in permissions_of(one))


NEEDED_STATE: Mapping[Permission, AccountState] = {
    Permission.APPLY: AccountState.ACTIVE,
    Permission.TREAT: AccountState.CONFIRMED,
    Permission.REGISTER_PATIENTS: AccountState.CONFIRMED,
    Permission.BOOK: AccountState.CONFIRMED,
    Permission.PLAN_SCHEDULE: AccountState.CONFIRMED,
    Permission.MATCH_RESULTS: AccountState.CONFIRMED,
    Permission.OVERSEE_RESULTS: AccountState.CONFIRMED,
    Permission.JUDGE_EMERGENCIES: AccountState.CONFIRMED,
}
"""How far an account must be known for a permission; those left out need only an account (I1)."""

CLOSED_UNTIL: Mapping[AccountState, str] = {
    AccountState.REGISTERED: "",
    AccountState.ACTIVE: "Это откроется, когда подтвердятся почта, телефон, документы и личность. "
    "Что осталось, показано на странице «Подтверждение учётной записи».",
    AccountState.CONFIRMED: "Это откроется после видеовстречи с оператором и подключения второго "
    "фактора. Что осталось, показано на странице «Подтверждение учётной записи».",
}
"""Why something is closed to an account that has not reached a state, and what opens it."""


AUDIT_LONGEST = timedelta(days=90)
"""The longest time for which one grant lets somebody audit (I13)."""


def demand_end(right: Right, valid_from: datetime, valid_until: datetime | None) -> None:
    """Raise Refusal 422 for an auditor's grant without an end, or with one too far ahead.

    The database refuses such a row as well.
    """
    if Permission.AUDIT_CASES not in permissions_of(right):
        return
    if valid_until is None or valid_until - valid_from > AUDIT_LONGEST:
        message = "Доступ аудитора временный: укажите день окончания не позже чем через 90 дней."
        raise Refusal("auditor_needs_end", message, 422, [FieldError("valid_until", message)])


@dataclass(frozen=True)
class Grant:
    """A role or a permission held in a unit and in the units below it."""

    right: Right
    units: frozenset[UUID]


@dataclass(frozen=True)
class Actor:
    """The person who acts, with what is held at this moment."""

    person_id: UUID
    name: str
    unit_id: UUID
    grants: tuple[Grant, ...] = ()
    scope: frozenset[Permission] | None = None
    """The permissions that a personal access token is limited to; None for a signed-in session."""
    state: AccountState = AccountState.CONFIRMED

    def may(self, permission: Permission, unit_id: UUID | None = None) -> bool:
        """Whether the person holds the permission: in `unit_id` if given, otherwise in any unit."""
        if not self._is_open(permission):
            return False
        return self._is_granted(permission, unit_id)

    def _is_granted(self, permission: Permission, unit_id: UUID | None = None) -> bool:
        return permission in WITHOUT_ROLE or any(
            permission in permissions_of(grant.right)
            and (unit_id is None or unit_id in grant.units)
            for grant in self.grants
        )

    def _is_open(self, permission: Permission) -> bool:
        """Whether the scope of a token and the state of the account leave the permission open."""
        in_scope = self.scope is None or permission in self.scope
        return in_scope and self.state.reaches(
            NEEDED_STATE.get(permission, AccountState.REGISTERED)
        )

    def waits_for_state(
        self, permission: Permission, unit_id: UUID | None = None
    ) -> AccountState | None:
        """The state that alone keeps the permission closed; None if nothing or something else."""
        needed = NEEDED_STATE.get(permission, AccountState.REGISTERED)
        if self.state.reaches(needed) or not self._is_granted(permission, unit_id):
            return None
        return needed

    def demand(self, permission: Permission, unit_id: UUID | None = None) -> None:
        """Raise Refusal 403 unless the person holds the permission.

        `account_state` says that only the state of the account is in the way; facts: `needed`.
        """
        if self.may(permission, unit_id):
            return
        needed = self.waits_for_state(permission, unit_id)
        if needed is None:
            raise forbidden()
        raise Refusal("account_state", CLOSED_UNTIL[needed], 403, needed=needed.value)

    def units_with(self, permission: Permission) -> frozenset[UUID]:
        """All units in which a grant gives the permission; none if it needs no role."""
        if not self._is_open(permission):
            return frozenset()
        return frozenset().union(
            *(g.units for g in self.grants if permission in permissions_of(g.right))
        )
