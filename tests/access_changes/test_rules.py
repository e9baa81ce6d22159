"""The arrows of a change of rights, who decides where, and which roles are never urgent."""

from dataclasses import dataclass
from uuid import UUID, uuid4

from ops.local.home import CHECKOUT
from rules.access import SINGLE, Actor, Grant, Permission, Role, giving, permissions_of
from rules.cases import deciding
from rules.cases.access_changes import ACCESS_CHANGE, alike, may_be_urgent
from rules.cases.process import Party, Status, Transition

ARROWS = {
    (Status.DRAFT, Transition.SUBMIT): (Status.CONFIRMING, Party.APPLICANT),
    (Status.CONFIRMING, Transition.CONFIRM_ACCESS): (Status.IN_REVIEW, Party.REVIEWER),
    (Status.CONFIRMING, Transition.REJECT): (Status.REJECTED, Party.REVIEWER),
    (Status.CONFIRMING, Transition.WITHDRAW): (Status.WITHDRAWN, Party.APPLICANT),
    (Status.IN_REVIEW, Transition.APPROVE): (Status.APPROVED, Party.REVIEWER),
    (Status.IN_REVIEW, Transition.REJECT): (Status.REJECTED, Party.REVIEWER),
    (Status.IN_REVIEW, Transition.WITHDRAW): (Status.WITHDRAWN, Party.APPLICANT),
    (Status.IN_REVIEW, Transition.CONFIRM_ANEW): (Status.CONFIRMING, Party.SYSTEM),
}


@dataclass
class Row:
    """What the row of a case says of those who decide it."""

    applicant_id: UUID
    subject_id: UUID | None
    responsible_unit_id: UUID
    review_permission: str
    earlier_reviewers: list[UUID]


def test_there_is_no_other_way() -> None:
    """Nothing leads from the wish to the right but a confirmation and then an approval (I7)."""
    found = {step: (rule.to, rule.by) for step, rule in ACCESS_CHANGE.transitions.items()}
    assert found == ARROWS
    assert ACCESS_CHANGE.decided_with == {
        Status.CONFIRMING: Permission.CONFIRM_ACCESS,
        Status.IN_REVIEW: Permission.APPROVE_ACCESS,
    }


def test_roles_with_power_over_others_are_never_urgent() -> None:
    """Only roles with which nobody decides on people, rights or the system."""
    assert {role for role in Role if may_be_urgent(role)} == {
        Role.DOCTOR,
        Role.NURSE,
        Role.HR_REVIEWER,
        Role.CLERK,
        Role.TECHNICIAN,
        Role.REGISTRAR,
    }
    assert {right for right in SINGLE if may_be_urgent(right)} == {
        Permission.APPLY,
        Permission.KEEP_DOCUMENTS,
        Permission.REVIEW,
        Permission.OVERSEE_REVIEWS,
        Permission.VIEW_UNIT_CASES,
        Permission.VIEW_PEOPLE,
        Permission.VIEW_CREDENTIALS,
        Permission.CONFIRM_CREDENTIALS,
        Permission.OVERSEE_COURSE,
        Permission.VIEW_RIGHTS,
        Permission.WATCH_OPERATION,
        Permission.TREAT,
        Permission.REGISTER_PATIENTS,
        Permission.BOOK,
        Permission.PLAN_SCHEDULE,
        Permission.MATCH_RESULTS,
        Permission.OVERSEE_RESULTS,
    }
    # What was refused as a role is not had by its parts, nor a permission by a role that has it.
    assert Permission.REVIEW in alike(Role.CLERK)
    assert Role.CLERK in alike(Permission.REVIEW)


def test_a_permission_is_held_by_a_role_or_by_itself() -> None:
    """One function says what a grant gives; no name is both role and permission (I6)."""
    assert not {one.value for one in Role} & {one.value for one in Permission}
    unit, elsewhere = uuid4(), uuid4()
    for one in SINGLE:
        alone = Actor(uuid4(), "", unit, (Grant(one, frozenset({unit})),))
        assert alone.may(one, unit)
        assert not alone.may(one, elsewhere)
        assert {right for right in SINGLE if alone.may(right)} == {one}
        assert giving(one) == {one} | {role for role in Role if one in permissions_of(role)}
    readers = {
        path.relative_to(CHECKOUT).as_posix()
        for room in ("api", "cabinet", "services", "rules", "activities", "workflows", "ops")
        for path in (CHECKOUT / room).rglob("*.py")
        if "ROLE_PERMISSIONS" in path.read_text()
    }
    assert readers == {"rules/access.py"}


def test_who_decides_and_who_only_reads() -> None:
    """By rights, unit, and what somebody has to do with the case; for one row each."""
    unit, elsewhere = uuid4(), uuid4()
    head, guard = Role.UNIT_HEAD, Role.SECURITY
    for role, where, stands, part, decides, reads in (
        (head, unit, "confirm_access", None, True, True),
        (head, unit, "approve_access", None, False, True),
        (guard, unit, "approve_access", None, True, True),
        (guard, unit, "confirm_access", None, False, True),
        (head, elsewhere, "confirm_access", None, False, False),
        (head, unit, "confirm_access", "subject", False, True),
        (guard, unit, "approve_access", "subject", False, True),
        (guard, unit, "approve_access", "earlier", False, True),
        (head, elsewhere, "approve_access", "earlier", False, True),
        (Role.HR_REVIEWER, unit, "confirm_access", None, False, False),
        (Role.HR_REVIEWER, unit, "confirm_access", "earlier", False, False),
    ):
        actor = Actor(uuid4(), "", unit, (Grant(role, frozenset({where})),))
        case = Row(
            applicant_id=uuid4(),
            subject_id=actor.person_id if part == "subject" else None,
            responsible_unit_id=unit,
            review_permission=stands,
            earlier_reviewers=[actor.person_id] if part == "earlier" else [],
        )
        found = (deciding.decides(actor, case), deciding.reviews(actor, case))
        assert found == (decides, reads), (role, stands, part)
