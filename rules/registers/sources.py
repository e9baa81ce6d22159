"""Who says what a credential says. The names are stored with each version: add, never rename."""

from collections.abc import Mapping

from rules.credentials.versions import OWN
from rules.registers.kinds import REGISTER_WORDS

CENTRE = "accreditation_centre"
"""What the federal centre granted."""
SOURCE_WORDS: Mapping[str, str] = {
    **{name.value: words for name, words in REGISTER_WORDS.items()},
    OWN: "внесено вами",
    CENTRE: "Федеральный аккредитационный центр",
}
"""The sources in words (msgids)."""
