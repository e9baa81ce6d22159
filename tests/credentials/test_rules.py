"""Categories, statuses and what tells two credentials apart, without a database (Q1, Q6)."""

from dataclasses import dataclass, field, replace
from datetime import date
from uuid import UUID, uuid4

import pytest
from pydantic import ValidationError

from rules.access import ROLE_PERMISSIONS, Permission, Role
from rules.credentials.categories import CategoryDefinition, End, Need, StateRegister
from rules.credentials.progress import GapKind, progress_of
from rules.credentials.statuses import CredentialStanding, CredentialStatus
from rules.credentials.succession import Admitting, succeeds
from rules.credentials.versions import compared, identity_of
from services.catalogue.files import read_files
from tests.shared.office import CATALOGUE

LAST = date(2026, 12, 4)


def shipped() -> dict[str, CategoryDefinition]:
    """The categories that ship."""
    return {one.key: one for one in read_files([CATALOGUE / "credentials.yaml"]).credentials}


def test_the_categories_that_ship_cover_what_is_asked_for() -> None:
    """Diplomas, attestations, internships, licences and courses (Q1); each register has one."""
    found = shipped()
    assert {"diploma", "attestation", "residency", "licence", "course"} <= set(found)
    assert {"began_on", "ended_on", "topic", "issuer"} <= set(found["course"].fields)
    assert {one.known_to for one in found.values()} == set(StateRegister)
    assert {one.need for one in found.values()} - {None} == set(Need)
    assert found["accreditation"].end is End.REQUIRED
    assert "valid_until" not in found["diploma"].fields


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"about": "colour"}, "the form lacks colour"),
        ({"end": "none"}, "valid_until is asked if"),
        ({"end": "possible"}, "required as `end` says"),
        ({"document": "horoscope"}, "Input should be"),
        ({"colour": "blue"}, "Extra inputs are not permitted"),
    ],
)
def test_a_category_that_contradicts_itself_is_refused(change: dict[str, str], why: str) -> None:
    """An institution that writes its own is told what is wrong."""
    known = shipped()["accreditation"].model_dump(mode="json", exclude={"valid_from"})
    assert CategoryDefinition.model_validate(known)
    with pytest.raises(ValidationError, match=why):
        CategoryDefinition.model_validate(known | change)


@pytest.mark.parametrize(
    ("facts", "today", "status"),
    [
        ({}, LAST, CredentialStatus.ACTIVE),
        ({}, date(2026, 12, 5), CredentialStatus.EXPIRED),
        ({"renewing": True}, LAST, CredentialStatus.RENEWING),
        ({"renewing": True}, date(2026, 12, 5), CredentialStatus.EXPIRED),
        ({"replaced": True}, date(2027, 1, 1), CredentialStatus.REPLACED),
        ({"withdrawn": True, "replaced": True}, LAST, CredentialStatus.WITHDRAWN),
    ],
)
def test_a_status_is_that_of_a_day(
    facts: dict[str, bool], today: date, status: CredentialStatus
) -> None:
    """Valid through its last day; a renewal under way makes nothing valid that is over (Q6)."""
    assert CredentialStanding(LAST, **facts).status(today) is status


def test_what_has_no_end_never_expires() -> None:
    """A diploma is good for ever, and ends never soon."""
    diploma = CredentialStanding(None)
    assert diploma.status(date(2199, 1, 1)) is CredentialStatus.ACTIVE
    assert diploma.days_left(LAST) is None
    assert not diploma.ends_soon(LAST)
    assert CredentialStanding(LAST).ends_soon(date(2026, 9, 5))
    assert not CredentialStanding(LAST).ends_soon(date(2026, 9, 4))
    assert not CredentialStanding(LAST).ends_soon(date(2026, 12, 5))


@pytest.mark.parametrize(
    ("newer", "older", "next_one"),
    [
        ("accreditation", "accreditation", True),
        ("accreditation", "certificate", True),
        ("attestation", "attestation", False),
        ("accreditation", "attestation", False),
    ],
)
def test_the_next_accreditation_in_a_specialty_succeeds(
    newer: str, older: str, next_one: bool
) -> None:
    """Of the same specialty, issued no earlier, ending later; nothing else takes a place."""
    known = shipped()
    data = {"specialty": "Лёгочные  болезни"}
    new = Admitting(known[newer], data, date(2026, 1, 1), date(2031, 1, 1))
    old = Admitting(
        known[older], {"specialty": "легочные болезни"}, date(2021, 1, 1), date(2026, 2, 1)
    )
    assert succeeds(new, old) is next_one
    assert not succeeds(old, new)
    for other in (
        replace(old, data={"specialty": "Терапия"}),
        replace(old, valid_until=new.valid_until),
        replace(old, valid_until=None),
        replace(old, issued_on=date(2026, 1, 2)),
    ):
        assert not succeeds(new, other)
    assert not succeeds(replace(new, data={}), replace(old, data={}))


def test_a_number_is_compared_by_its_letters_and_digits() -> None:
    """Blanks, dashes, «№» and look-alike letters make no second document."""
    assert compared("№ АВ-77 24/030") == compared("ab 7724030") == "ав7724030"
    owner = uuid4()
    assert identity_of(owner, "course", {"number": " — "}) is None
    assert identity_of(owner, "course", {"number": "1"}) != identity_of(
        owner, "licence", {"number": "1"}
    )


def test_those_who_answer_for_people_see_their_credentials() -> None:
    """Personnel and heads of units; only personnel vouches for originals (Q9)."""
    may = {
        permission: {role for role, given in ROLE_PERMISSIONS.items() if permission in given}
        for permission in (Permission.VIEW_CREDENTIALS, Permission.CONFIRM_CREDENTIALS)
    }
    personnel = {Role.HR_REVIEWER, Role.HR_HEAD}
    assert may[Permission.VIEW_CREDENTIALS] == personnel | {Role.UNIT_HEAD}
    assert may[Permission.CONFIRM_CREDENTIALS] == personnel


@dataclass(frozen=True)
class Paper:
    """A credential, as progress looks at it."""

    category: CategoryDefinition
    status: CredentialStatus = CredentialStatus.ACTIVE
    about: str = "Кардиология"
    issued_on: date = date(2024, 1, 1)
    ends_soon: bool = False
    has_copy: bool = True
    vouched: bool = True
    id: UUID = field(default_factory=uuid4)


def test_progress_counts_needs_and_whole_credentials() -> None:
    """What is missing comes with its kind; an expired one that was followed is no gap."""
    known, today = shipped(), date(2026, 12, 1)
    empty = progress_of([], today)
    assert (empty.done, empty.total) == (0, 3)
    assert [gap.need for gap in empty.gaps] == list(Need)
    expired = Paper(known["accreditation"], CredentialStatus.EXPIRED)
    other = Paper(known["accreditation"], about="Терапия", ends_soon=True)
    found = progress_of([Paper(known["diploma"], vouched=False), expired, other], today)
    assert [(gap.kind, gap.need) for gap in found.gaps] == [
        (GapKind.NEED, Need.TRAINING),
        (GapKind.ORIGINAL, None),
        (GapKind.EXPIRED, None),
        (GapKind.ENDING, None),
    ]
    assert (found.done, found.total) == (2, 6)
    followed = [expired, Paper(known["certificate"]), Paper(known["diploma"])]
    old = Paper(known["course"], issued_on=date(2021, 11, 30))
    recent = Paper(known["course"], issued_on=date(2021, 12, 1), has_copy=False)
    withdrawn = Paper(known["licence"], CredentialStatus.WITHDRAWN, has_copy=False)
    assert [gap.need for gap in progress_of([*followed, old], today).gaps] == [Need.TRAINING]
    whole = progress_of([*followed, recent, withdrawn], today)
    assert [gap.kind for gap in whole.gaps] == [GapKind.COPY]
