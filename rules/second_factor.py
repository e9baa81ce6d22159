"""The second factor: its methods, and how a recovery code is written (I3, I5, I14).

Sources: OWASP ASVS 5.0, chapters V6.5 and V6.6.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from rules.accounts import Limit, is_fresh, second_factor_needed
from rules.refusals import FieldError, Refusal

CODES_IN_A_SET = 10
SPOKEN = 0
"""The number of a code that an operator told its owner in a meeting."""
CHALLENGE_LIVES = timedelta(minutes=5)
MOST_PASSKEYS = 10
NAME_LONGEST = 60
SMS_LIVES = timedelta(minutes=5)
SMS_SENDS = Limit("sms", 5, timedelta(hours=1))
"""How many codes by SMS one person may request."""
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
    PASSKEY = "passkey"
    SMS = "sms"
    RECOVERY = "recovery"


@dataclass(frozen=True)
class WrittenCode:
    """A recovery code as it is written: its number says which stored hash it is compared with."""

    number: int
    secret: str

    def __str__(self) -> str:
        half = SECRET_LENGTH // 2
        return f"{self.number:02}-{self.secret[:half]}-{self.secret[half:]}"


def recovery_code_of(number: int, random: bytes) -> WrittenCode:
    """The code with this number; each of `SECRET_LENGTH` random bytes gives a letter."""
    return WrittenCode(number, "".join(_LETTERS[byte % len(_LETTERS)] for byte in random))


def read_recovery_code(typed: str) -> WrittenCode | None:
    """The code that was typed, also in small letters or with Russian ones that look the same."""
    letters = re.sub(r"[\s\u2010-\u2015-]", "", typed).lower().translate(_LOOKS_LIKE).upper()
    found = _WRITTEN.fullmatch(letters)
    return WrittenCode(int(found[1]), found[2]) if found else None


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


def no_factor() -> Refusal:
    """The person has not set up any second factor."""
    return Refusal("no_factor", "Второй фактор у вас ещё не подключён.", 409)


def last_factor() -> Refusal:
    """Nobody is left without a second factor."""
    message = "Это единственный способ подтверждения. Сначала подключите другой."
    return Refusal("last_factor", message, 409)


def no_phone() -> Refusal:
    """Codes go only to a number that its owner has confirmed."""
    message = "Сначала подтвердите номер телефона в настройках уведомлений."
    return Refusal("no_phone", message, 409)


def wrong_sms_code() -> Refusal:
    """The code is not the one that was sent for this, or is over."""
    message = "Код не подошёл. Введите код из последнего сообщения или запросите новый."
    return Refusal("wrong_code", message, 422, [FieldError("code", message)])


def sent_too_often(retry_after: int) -> Refusal:
    """Too many codes were requested; `retry_after` in seconds."""
    message = "Вы запросили слишком много кодов. Подождите или выберите другой способ."
    return Refusal("too_often", message, 429, retry_after=retry_after)


def last_digits(phone: str) -> str:
    """As much of a telephone number as tells its owner which one it is."""
    return f"…{phone[-2:]}"


def passkey_name(typed: str) -> str:
    """The name under which a passkey is kept. Raises Refusal 422."""
    name = " ".join(typed.split())
    if not 1 <= len(name) <= NAME_LONGEST:
        message = "Назовите ключ так, чтобы узнать его: до 60 знаков."
        raise Refusal("bad_name", message, 422, [FieldError("name", message)])
    return name


def wrong_passkey() -> Refusal:
    """The answer is of another challenge or key, or of one that was copied."""
    message = "Ключ входа не подошёл. Повторите или выберите другой способ."
    return Refusal("wrong_code", message, 422, [FieldError("code", message)])


def too_many_passkeys() -> Refusal:
    """There are as many passkeys as one person may have."""
    return Refusal("too_many_passkeys", "У вас уже десять ключей входа. Удалите лишние.", 409)


def no_passkeys_here() -> Refusal:
    """Browsers make passkeys for names of sites only, not for numeric addresses."""
    message = "Ключи входа работают, только если кабинет открыт по имени, а не по IP-адресу."
    return Refusal("no_passkeys_here", message, 409)
