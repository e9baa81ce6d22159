"""What confirms an account, as plain rules."""

import pytest
import yaml

from ops.local.home import CHECKOUT
from rules.accounts import AccountState
from rules.files.categories import CATEGORIES, Category
from rules.verification import (
    BY_KIND,
    CHECK_WORDS,
    DOCUMENTS,
    NEEDED,
    GivenFile,
    file_findings,
    missing_documents,
    needed_documents,
    reached,
    unfit_files,
)
from rules.verification import (
    AutomaticCheck as Check,
)
from rules.verification import (
    VerificationStep as Step,
)

CONTACTS = {Step.MAIL, Step.PHONE}
TYPE = yaml.safe_load((CHECKOUT / "ops/data/verification.yaml").read_text("utf-8"))["types"][0]


@pytest.mark.parametrize(
    ("done", "state"),
    [
        (set(), AccountState.REGISTERED),
        (
            {
                Step.MEETING,
                Step.FACTOR,
                Step.MAIL,
                Step.PHONE,
            },
            AccountState.REGISTERED,
        ),
        ({Step.DOCUMENTS, Step.MAIL}, AccountState.REGISTERED),
        (CONTACTS | {Step.DOCUMENTS}, AccountState.ACTIVE),
        (CONTACTS | {Step.DOCUMENTS, Step.MEETING}, AccountState.ACTIVE),
        (CONTACTS | {Step.DOCUMENTS, Step.FACTOR}, AccountState.ACTIVE),
        (set(Step), AccountState.CONFIRMED),
    ],
)
def test_a_state_follows_from_the_steps(done: set[Step], state: AccountState) -> None:
    """In whatever order they were done."""
    assert reached(done, AccountState.REGISTERED) is state


def test_a_state_is_never_lost_by_a_step_that_is_undone() -> None:
    """A number that changed is confirmed anew, but closes nothing."""
    assert reached({Step.MAIL}, AccountState.ACTIVE) is AccountState.ACTIVE
    assert reached(set(), AccountState.CONFIRMED) is AccountState.CONFIRMED
    assert NEEDED[AccountState.ACTIVE] < NEEDED[AccountState.CONFIRMED] == set(Step)


def test_scans_have_300_dpi() -> None:
    """299 is refused, 300 accepted; a file made on a computer is no scan."""
    for kind in BY_KIND:
        files = [GivenFile(kind, 1, dpi, True) for dpi in (299, 300, None)]
        assert [bool(unfit_files([one])) for one in files] == [True, False, False], kind
        most = BY_KIND[kind].most_pages
        pages = [GivenFile(kind, n, 300, True) for n in (most, most + 1, None)]
        assert [bool(unfit_files([one])) for one in pages] == [False, True, False], kind


def test_a_missing_mark_is_told_where_one_belongs() -> None:
    """The operator is told; nothing is refused for it."""
    for rule in DOCUMENTS:
        for mark in (True, False, None):
            (found,) = file_findings([GivenFile(rule.kind, 1, 300, mark)])
            missing = Check.MARK in rule.checks and not mark
            assert found["code"] == ("mark_missing" if missing else "file_fine")


def test_answers_make_documents_necessary() -> None:
    """An order of appointment in a state institution, and the like."""
    answers = {rule.when: True for rule in DOCUMENTS if rule.when}
    assert needed_documents({}) == set()
    assert needed_documents(answers) == {rule.kind for rule in DOCUMENTS if rule.when}
    assert len(answers) == 3
    missing = [one.path for one in missing_documents(answers, [])]
    assert missing == [f"attachments.{rule.kind}" for rule in DOCUMENTS if rule.when]
    assert missing_documents({}, []) == []
    assert missing_documents(answers, [rule.kind for rule in DOCUMENTS]) == []


def test_the_type_and_the_table_are_about_the_same_documents() -> None:
    """Form, table, questions of the operator and kinds of documents fit each other."""
    attachments = {one["kind"]: one for one in TYPE["attachments"]}
    assert list(attachments) == [rule.kind for rule in DOCUMENTS]
    fields = {field["name"] for section in TYPE["sections"] for field in section["fields"]}
    questions = {one["name"]: one["question"] for one in TYPE["checklist"]}
    for rule in DOCUMENTS:
        assert attachments[rule.kind]["title"] == rule.title
        assert attachments[rule.kind].get("required", True) is not bool(rule.when)
        assert not rule.when or rule.when in fields
        assert rule.asks in questions
        assert Category(rule.kind) in CATEGORIES


def test_the_documentation_shows_the_table() -> None:
    """What is checked automatically and what the operator confirms is said as the code has it."""
    page = (CHECKOUT / "docs" / "verification.md").read_text("utf-8")
    said = [line for line in page.splitlines() if line.startswith("| ") and "`" in line]
    shown = {line.split("`")[1]: line for line in said}
    for rule in DOCUMENTS:
        line = shown[rule.kind]
        assert rule.title in line
        assert rule.confirms in line
        assert f"{rule.most_pages}" in line
        assert all((f"({check.value})" in line) is (check in rule.checks) for check in Check)
    for check, words in CHECK_WORDS.items():
        assert any(f"({check.value})" in line and words in line for line in page.splitlines())
