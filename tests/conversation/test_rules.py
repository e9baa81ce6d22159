"""What is kept of a message."""

import pytest

from rules.cases.conversation import checked_text
from rules.refusals import Refusal

DOCTOR = "\U0001f469\u200d\u2695\ufe0f"
"""A woman, a joiner and a sign: one emoji."""


def test_text_pasted_from_an_editor_keeps_what_can_be_read() -> None:
    """Line breaks of an editor stay breaks; what nobody sees, or what turns text round, goes."""
    pasted = "\ufeff“Добрый день” № 5\r\n• один\x0b• два\u200b \u202eдокс\u202c " + DOCTOR
    assert checked_text(pasted, 0) == f"“Добрый день” № 5\n• один\n• два докс {DOCTOR}"


def test_a_message_of_unseen_characters_is_empty() -> None:
    """It says nothing to anybody."""
    with pytest.raises(Refusal):
        checked_text("\u200b\x07\u2060", 0)
