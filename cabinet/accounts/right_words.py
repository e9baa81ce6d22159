"""Roles and permissions in the reader's language."""

from rules.access import Role, right_named
from rules.staff.right_names import RIGHT_NAMES
from words.translation import gettext as _


def right_words(name: str) -> str:
    """What a grant gives: a role, or a permission that is said to be one by itself."""
    right = right_named(name)
    words = _(RIGHT_NAMES[right])
    if isinstance(right, Role):
        return words
    return _("Отдельное право: %(right)s") % {"right": words[0].lower() + words[1:]}
