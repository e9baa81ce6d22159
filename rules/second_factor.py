"""The second factor: its methods, and how a recovery code is written (I3, I5, I14).

Sources: OWASP ASVS 5.0, chapters V6.5 and V6.6.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from rules.accounts import is_fresh, second_factor_needed
from rules.refusals import FieldError, Refusal

CODES_IN_A_SET = 10
FEW_CODES = 3
"""From so few codes on, their owner is asked to make new ones."""

_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""The alphabet of Crockford's base 32: no letter looks like a digit."""
SECRET_LENGTH = 10
"""Letters of a recovery code besides its number: 50 bits."""

_LOOKS_LIKE = str.maketrans("авсенкмортх" + "oil", "abcehkm0ptx" + "011")
_WRITTEN = re.compile(rf"([0-9]{{2}})([{_LETTERS}]{{{SECRET_LENGTH}}})")


class Method(StrEnum):
    """What a person can prove to possess, in the order in which it is offered at sign-in."""

    APP = "app"
    RECOVERY = "recovery"


@dataclass(frozen=True)
class RecoveryCode:
    """A recovery code: its number says which stored hash it is compared with."""

    number: int
    secret: str

    def __str__(self) -> str:
        half = SECRET_LENGTH // 2
        return f"{self.number:02}-{self.secret[:half]}-{self.secret[half:]}"


def recovery_code_of(number: int, random: bytes) -> RecoveryCode:
    """The code with this number; each of `SECRET_LENGTH` random bytes gives a letter."""
    return RecoveryCode(number, "".join(_LETTERS[byte % len(_LETTERS)] for byte in random))


def read_recovery_code(typed: str) -> RecoveryCode | None:
    """The code that was typed, also in small letters or with Russian ones that look the same."""
    letters = re.sub(r"[\s\u2010-\u2015-]", "", typed).lower().translate(_LOOKS_LIKE).upper()
    found = _WRITTEN.fullmatch(letters)
    return RecoveryCode(int(found[1]), found[2]) if found else None


def demand_enrolment(checked_at: datetime | None, now: datetime) -> None:
    """Raise Refusal 403 unless a factor was entered, within five minutes, to enrol another (I14).

    Signing in does not count: whoever took over a session that was just opened has no factor.
    """
    if not is_fresh(checked_at, now):
        raise second_factor_needed()


def wrong_recovery_code() -> Refusal:
    """The code was used before, belongs to an earlier set, or was mistyped."""
    message = "Код не подошёл. Проверьте, что он из последнего набора и ещё не использован."
    return Refusal("wrong_code", message, 422, [FieldError("code", message)])


def no_such_method() -> Refusal:
    """The person has not set up the method that was to be used."""
    message = "Этот способ подтверждения у вас не подключён. Выберите другой."
    return Refusal("no_such_method", message, 422, [FieldError("code", message)])
