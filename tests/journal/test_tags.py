"""Audit tags: every act, view and attempt has one, and each is said in words (I9)."""

import ast
import re

from ops.local.home import CHECKOUT
from rules.accounts import Outcome, Step
from rules.journal.entries import JournalKind
from rules.journal.tag_words import TAG_WORDS
from rules.journal.tagging import OF_KIND, OF_STEP, OF_VIEW, SUBJECTS, asked_tags, of_attempt
from rules.journal.tags import AuditTag, ViewCode


def test_everything_that_is_recorded_has_a_tag() -> None:
    """A new kind of entry, view or step of signing in without a tag fails here."""
    assert set(OF_KIND) == set(JournalKind)
    assert set(OF_VIEW) == set(ViewCode)
    assert set(OF_STEP) == set(Step)
    for step in Step:
        for outcome in Outcome:
            failed = of_attempt(step, outcome) is AuditTag.SIGN_IN_FAIL
            assert failed is (outcome is not Outcome.PASSED)


def test_each_tag_is_used_named_and_has_three_parts() -> None:
    """No tag is left over, and people read none of them raw."""
    assert {*OF_KIND.values(), *OF_VIEW.values(), *OF_STEP.values()} == set(AuditTag)
    assert set(TAG_WORDS) == set(AuditTag)
    for tag in AuditTag:
        assert re.fullmatch(r"[a-z_]+:[a-z_]+:[a-z_]+", tag)
    assert {tag.subject for tag in AuditTag} == set(SUBJECTS)


def test_two_kinds_of_entries_share_no_tag() -> None:
    """So that a filter by tag means one thing."""
    assert len(set(OF_KIND.values())) == len(OF_KIND)
    assert len(set(OF_VIEW.values())) == len(OF_VIEW)


def test_a_filter_means_one_tag_or_a_whole_subject() -> None:
    """Anything else means nothing, rather than everything."""
    assert asked_tags("case:decision:approve") == [AuditTag.CASE_APPROVE]
    assert set(asked_tags("export")) == {
        AuditTag.EXPORT_ASK,
        AuditTag.EXPORT_CANCEL,
        AuditTag.EXPORT_DOWNLOAD,
    }
    assert asked_tags("cas") == asked_tags("") == []


def test_views_are_recorded_by_their_code() -> None:
    """Whoever records a view names a `ViewCode`, which the type of `record_view` asks for."""
    named = set()
    for room in ("services", "api"):
        for file in (CHECKOUT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if (
                    isinstance(node, ast.Attribute)
                    and isinstance(node.value, ast.Name)
                    and node.value.id == "ViewCode"
                ):
                    named.add(node.attr)
    assert named == {code.name for code in ViewCode}
