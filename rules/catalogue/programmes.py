"""Programmes of training."""

from collections.abc import Mapping

KINDS: Mapping[str, str] = {
    "course": "Очный курс",
    "distance": "Дистанционно",
    "seminar": "Семинар",
}
"""Their kinds in words, as msgids: the same on pages and on papers."""
