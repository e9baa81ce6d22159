"""What an entry of a case's journal shows: only what the table names, and to whom it names."""

import ast

from hypothesis import given
from hypothesis import strategies as some

from ops.local.home import CHECKOUT
from rules.journal.disclosure import DISCLOSURES, Audience, disclosed
from rules.journal.entries import JournalKind as K
from services.dossier.paper import WORDS

WRITES = {
    "services/records/retention.py",
    "services/journal/entries.py",
    "services/archive/erasure.py",
}
"""Files that work with whole chains and show nobody anything."""
OF_NO_CASE = (
    "patient",
    "emergency",
    "account",
    "document",
    "export",
    "role",
    "absence",
    "credential",
    "handover",
    "result",
    "register",
    "authority",
    "record",
    "icd10",
    "person",
    "catalogue",
    "staff",
    "installation",
    "meeting",
    "appointment",
    "schedule",
    "calendar",
    "callback",
    "subscriber",
    "payload",
    "temporal",
    "operation",
    "notice",
    "meeting",
)
"""Kinds that never stand in the journal of a case, or that it shows to nobody."""
OF_THE_JOURNAL = {
    K.JOURNAL_ACCEPTED,
    K.JOURNAL_DECLARATION_CONFIRMED,
    K.JOURNAL_SEARCHED,
    K.JOURNAL_EXPORTED,
    K.JOURNAL_VERIFIED,
}
"""Of the system's own chain, and of whoever searches."""


def test_every_kind_of_a_case_is_judged() -> None:
    """A new kind has a row, or stands among those that no page of a case shows."""
    judged = {kind for kind, _, _ in DISCLOSURES}
    of_cases = {kind for kind in K if kind.value.split(".")[0] not in OF_NO_CASE}
    assert of_cases - OF_THE_JOURNAL == judged


def test_the_paper_of_a_case_has_words_for_all_that_is_shown() -> None:
    """No tag of the journal is printed for want of words."""
    assert {kind for kind, _, _ in DISCLOSURES} == set(WORDS)


@given(
    some.text(),
    some.dictionaries(some.text(), some.text()),
    some.dictionaries(some.text(), some.text()),
    some.sets(some.sampled_from(Audience)),
)
def test_what_no_row_names_is_shown_to_nobody(
    kind: str, facts: dict[str, str], contents: dict[str, str], to: set[Audience]
) -> None:
    """An unknown kind, and unknown keys of a known one."""
    assert disclosed(f"?{kind}", facts, contents, to) is None
    strange = {f"?{key}": value for key, value in contents.items()}
    shown = disclosed(K.CASE_REJECTED, strange, strange, {*to, Audience.APPLICANT})
    assert shown is not None
    assert (shown.facts, shown.contents) == ({}, None)


def test_strangers_are_shown_nothing() -> None:
    """Without a capacity there is nothing to see, whatever happened."""
    assert all(disclosed(kind, {}, {"reason": "x"}, ()) is None for kind in K)


def test_an_internal_remark_is_no_message() -> None:
    """The same kind, told apart by its mark: one is for all parties, one for colleagues."""
    words = {"text": "x"}
    for audience in (Audience.APPLICANT, Audience.UNIT_HEAD):
        assert disclosed(K.CASE_COMMENTED, {"internal": True}, words, {audience}) is None
        shown = disclosed(K.CASE_COMMENTED, {"internal": False}, words, {audience})
        assert shown is not None
        assert shown.contents == words
    colleague = disclosed(K.CASE_COMMENTED, {"internal": True}, words, {Audience.REVIEWER})
    assert colleague is not None
    assert colleague.contents == words


def test_several_capacities_add_up() -> None:
    """The head of HR reviews and keeps the archive: who holds a case and why is told them."""
    held = ({"internal": True}, {"reason": "x"})
    reviewer = disclosed(K.CASE_HELD, *held, {Audience.REVIEWER})
    both = disclosed(K.CASE_HELD, *held, {Audience.REVIEWER, Audience.KEEPER})
    assert reviewer is not None
    assert both is not None
    assert (reviewer.contents, reviewer.names) == (None, False)
    assert (both.contents, both.names) == ({"reason": "x"}, True)


def test_the_journal_of_a_case_is_read_for_people_in_one_place() -> None:
    """Whatever shows entries gets them by way of disclosure, never from the journal."""
    readers = set()
    for room in ("services", "activities", "api", "cabinet"):
        for file in (CHECKOUT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if (
                    isinstance(node, ast.Attribute)
                    and node.attr == "read"
                    and isinstance(node.value, ast.Name)
                    and node.value.id == "journal"
                ):
                    readers.add(str(file.relative_to(CHECKOUT)))
    assert readers - WRITES == {"services/journal/disclosure.py"}
