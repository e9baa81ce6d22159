"""Two who fill in one form: what each changed is kept, what both changed is asked."""

import pytest

from rules.forms.draft_edits import edit, marks
from rules.forms.fields import Field, FieldKind

FIELDS = {
    "purpose": Field(name="purpose", label="Цель", kind=FieldKind.LONG_TEXT),
    "starts_on": Field(name="starts_on", label="Начало", kind=FieldKind.DATE),
    "consent": Field(name="consent", label="Согласие", kind=FieldKind.CHECKBOX),
}


@pytest.mark.parametrize(
    ("drawn", "sent", "kept", "changes", "clashes"),
    [
        ({}, {"purpose": ""}, {"purpose": "Новое"}, {}, {}),
        ({"purpose": "А"}, {"purpose": "Б"}, {"purpose": "А"}, {"purpose": "Б"}, {}),
        ({"purpose": "А"}, {"purpose": ""}, {"purpose": "А"}, {"purpose": ""}, {}),
        ({"purpose": "А"}, {"purpose": "Б"}, {"purpose": "В"}, {}, {"purpose": "В"}),
        ({"purpose": "А"}, {"purpose": "Б"}, {}, {}, {"purpose": None}),
        ({"purpose": "А"}, {"purpose": "Б"}, {"purpose": "Б"}, {}, {}),
        (
            {"starts_on": "2026-12-04"},
            {"starts_on": "04.12.2026"},
            {"starts_on": "2027-01-09"},
            {},
            {},
        ),
        ({}, {"consent": False}, {"consent": True}, {}, {}),
        ({"consent": True}, {"consent": False}, {"consent": True}, {"consent": False}, {}),
    ],
)
def test_what_an_edit_changes(
    drawn: dict[str, object],
    sent: dict[str, object],
    kept: dict[str, object],
    changes: dict[str, object],
    clashes: dict[str, object],
) -> None:
    """Only what differs from what the form showed is written, unless it moved on meanwhile."""
    made = edit(FIELDS, sent, marks(FIELDS, drawn), kept)
    assert (dict(made.changes), dict(made.clashes)) == (changes, clashes)


def test_a_form_that_does_not_say_what_it_showed_is_believed() -> None:
    """All that it sends and that differs from what is kept is written."""
    made = edit(FIELDS, {"purpose": "Б", "consent": True}, {}, {"purpose": "А", "consent": True})
    assert (dict(made.changes), dict(made.clashes)) == ({"purpose": "Б"}, {})
