"""Signing in: lifetimes, limits of tries, and which passwords are refused.

Sources: requirements I4 and I5; OWASP ASVS 5.0, chapters V6 and V7; NIST SP 800-63B for lifetimes.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import ip_address, ip_network

from rules.refusals import FieldError, Refusal

PASSWORD_SHORTEST = 12
PASSWORD_LONGEST = 256
PASSWORD_AGE = timedelta(days=90)
HALF_OPEN_LIFE = timedelta(minutes=5)
SESSION_LIFE = timedelta(hours=12)
SESSIONS_AT_ONCE = 10
FRESH = timedelta(minutes=5)
TOKEN_LIFE = timedelta(days=90)
TOKEN_PREFIX = "mcb_"  # noqa: S105

CONTEXT_WORDS = frozenset(
    {
        "medcab",
        "медкаб",
        "cabinet",
        "кабинет",
        "hospital",
        "больница",
        "больницы",
        "clinic",
        "клиника",
        "поликлиника",
        "doctor",
        "доктор",
        "врач",
        "nurse",
        "медсестра",
        "medic",
        "медик",
        "медицина",
        "medicine",
        "health",
        "здоровье",
        "минздрав",
        "password",
        "пароль",
        "admin",
        "админ",
        "temporal",
        "welcome",
    }
)
"""Words about the product and its users that a password may contain.

It may not mainly consist of (ASVS 6.1.2).
"""

_REST_SHORTEST = 8


class AccountState(StrEnum):
    """How far the owner of an account is known, from nothing to everything (I1, I3).

    Values are stored: never rename. The order is that of becoming known.
    """

    REGISTERED = "registered"
    ACTIVE = "active"
    """Contacts, documents and identity are confirmed: may apply and ask."""
    CONFIRMED = "confirmed"
    """A meeting by video and a second factor besides: clinical work is open."""

    def reaches(self, needed: "AccountState") -> bool:
        """Whether this state is `needed` or a later one."""
        order = tuple(AccountState)
        return order.index(self) >= order.index(needed)


class Stage(StrEnum):
    """How far a person has come with signing in."""

    CODE = "code"
    SETUP = "setup"
    PASSWORD = "password"  # noqa: S105
    OPEN = "open"


class Step(StrEnum):
    """What an entry of the login journal is about."""

    PASSWORD = "password"  # noqa: S105
    CODE = "code"
    SETUP = "setup"
    CHECK = "check"
    FACTOR_REMOVED = "factor_removed"
    RECOVERY_CODES = "recovery_codes"
    PASSWORD_CHANGE = "password_change"  # noqa: S105
    RESET_ASKED = "reset_asked"
    REGISTRATION_ASKED = "registration_asked"
    PASSWORD_RESET = "password_reset"  # noqa: S105
    SIGN_OUT = "sign_out"
    SESSION_ENDED = "session_ended"
    TOKEN_MADE = "token_made"  # noqa: S105
    TOKEN_ENDED = "token_ended"  # noqa: S105
    LOCK = "lock"
    UNLOCK = "unlock"
    PROVIDER = "provider"
    PROVIDER_LINKED = "provider_linked"
    PROVIDER_UNLINKED = "provider_unlinked"


class Outcome(StrEnum):
    """How the step of an entry ended."""

    PASSED = "passed"
    WRONG = "wrong"
    REUSED = "reused"
    TOO_OFTEN = "too_often"
    LOCKED = "locked"
    REFUSED = "refused"


@dataclass(frozen=True)
class Limit:
    """A rate limit: `times` tries at once, then one more after every `per / times`.

    A try uses up `cost` of them.
    """

    name: str
    times: int
    per: timedelta
    cost: int = 1

    @property
    def spacing(self) -> timedelta:
        """How long it takes until one try no longer counts."""
        return self.per * (self.cost / self.times)


@dataclass(frozen=True)
class SignInLimits:
    """How often signing in may be tried. A try that succeeds is not counted in the end."""

    password: Limit = Limit("password", 10, timedelta(minutes=15))
    address: Limit = Limit("address", 100, timedelta(minutes=15))
    code: Limit = Limit("code", 5, timedelta(minutes=15))
    reset: Limit = Limit("reset", 3, timedelta(hours=1))
    reset_address: Limit = Limit("reset_address", 20, timedelta(hours=1))
    registration: Limit = Limit("registration", 3, timedelta(hours=1))
    registration_address: Limit = Limit("registration_address", 20, timedelta(hours=1))


class DeviceKind(StrEnum):
    """The kind of device, as far as the User-Agent header tells."""

    COMPUTER = "computer"
    PHONE = "phone"
    TABLET = "tablet"
    PROGRAM = "program"


@dataclass(frozen=True)
class Device:
    """A browser family on a system.

    Versions are left out, so that an update is not a new device.
    """

    kind: DeviceKind
    name: str


_BROWSERS = (
    ("YaBrowser", "Яндекс Браузер"),
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("HeadlessChrome", "Chromium"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("Windows", "Windows", DeviceKind.COMPUTER),
    ("iPad", "iPadOS", DeviceKind.TABLET),
    ("iPhone", "iOS", DeviceKind.PHONE),
    ("Android", "Android", DeviceKind.PHONE),
    ("Mac OS X", "macOS", DeviceKind.COMPUTER),
    ("CrOS", "ChromeOS", DeviceKind.COMPUTER),
    ("Linux", "Linux", DeviceKind.COMPUTER),
)
_PROGRAM = re.compile(r"^([A-Za-z][A-Za-z0-9_.-]{0,30})(/|$)")


def device_of(user_agent: str | None) -> Device:
    """The device that a User-Agent header names.

    Clients may send anything: use it for display only.
    """
    text = user_agent or ""
    browser = next((name for mark, name in _BROWSERS if f"{mark}/" in text), None)
    if browser is not None:
        for mark, system, kind in _SYSTEMS:
            if mark in text:
                tablet = system == "Android" and "Mobile" not in text
                return Device(DeviceKind.TABLET if tablet else kind, f"{browser}, {system}")
        return Device(DeviceKind.COMPUTER, browser)
    program = _PROGRAM.match(text)
    return Device(DeviceKind.PROGRAM, program.group(1) if program else "—")


def code_digits(code: str) -> str | None:
    """The six digits of a code as it was typed, blanks removed; None for anything else."""
    digits = code.replace(" ", "").replace("\u00a0", "")
    return digits if re.fullmatch(r"[0-9]{6}", digits) else None


def is_alive(last_active: datetime, ends_at: datetime, now: datetime, idle: timedelta) -> bool:
    """Whether a session is still open: active within the last `idle`, and not past `ends_at`."""
    return now < min(last_active + idle, ends_at)


def is_fresh(second_factor_at: datetime | None, now: datetime) -> bool:
    """Whether the second factor was checked recently enough (`FRESH`) for a dangerous act."""
    return second_factor_at is not None and now - second_factor_at < FRESH


def password_expires_at(changed_at: datetime) -> datetime:
    """When the password has to be changed (I5 demands it, although ASVS 6.2.10 forbids it)."""
    return changed_at + PASSWORD_AGE


def _own_words(texts: Iterable[str]) -> frozenset[str]:
    """Words of at least four letters in texts such as the person's name and mail address."""
    return frozenset(
        word for text in texts for word in re.split(r"[\W_]+", text.casefold()) if len(word) >= 4
    )


def check_password(password: str, common: Collection[str], about: Iterable[str] = ()) -> None:
    """Raise Refusal 422 if the password is too weak. It is judged exactly as typed.

    Any character is allowed and no kind of character is required. `common` holds known passwords in
    lower case; `about` are texts (names, addresses) whose words count like CONTEXT_WORDS.
    """
    folded = password.casefold()
    fault = None
    if len(password) < PASSWORD_SHORTEST:
        fault = "Пароль короче 12 знаков. Возьмите, например, четыре слова подряд."
    elif len(password) > PASSWORD_LONGEST:
        fault = "Пароль длиннее 256 знаков. Сократите его."
    elif folded in common or len(set(folded)) < 5:
        fault = "Этот пароль есть в списках часто подбираемых паролей. Придумайте другой."
    else:
        rest = folded
        for word in sorted(CONTEXT_WORDS | _own_words(about), key=len, reverse=True):
            rest = rest.replace(word, "")
        if len(rest) < _REST_SHORTEST:
            fault = (
                "Пароль почти целиком состоит из сведений о вас или учреждении. Добавьте "
                "другие слова."
            )
    if fault is not None:
        raise Refusal("weak_password", fault, 422, [FieldError("new_password", fault)])


def from_own_page(fetch_site: str | None, origin: str | None, own_origin: str) -> bool:
    """Whether a request that changes something was sent by our own page, or not by a browser.

    If the browser sends `Sec-Fetch-Site`, that decides, since pages cannot forge it; otherwise
    `Origin` does. A client that sends neither is no browser of the last ten years: there the form
    token decides.
    """
    if fetch_site is not None:
        return fetch_site == "same-origin"
    return origin is None or origin == own_origin


def client_address(peer: str, forwarded: str | None, trusted: str) -> str:
    """The client's network address; `X-Forwarded-For` is believed as far as our proxies wrote it.

    `trusted` are addresses or networks, separated by commas. Read from the right, the first address
    that is no trusted proxy is the client's.
    """
    networks = [
        ip_network(part.strip(), strict=False) for part in trusted.split(",") if part.strip()
    ]

    def is_ours(address: str) -> bool:
        try:
            return any(ip_address(address) in network for network in networks)
        except ValueError:
            return False

    address = peer
    hops = [hop.strip() for hop in (forwarded or "").split(",") if hop.strip()]
    while hops and is_ours(address):
        candidate = hops.pop()
        try:
            ip_address(candidate)
        except ValueError:
            break
        address = candidate
    return address


def not_signed_in() -> Refusal:
    """The request carries neither a session nor a token."""
    return Refusal("not_signed_in", "Войдите, чтобы продолжить.", 401)


def session_ended() -> Refusal:
    """The session existed and has ended: idle too long, too old, or ended by somebody."""
    return Refusal("session_ended", "Сеанс завершён. Войдите снова.", 401)


def step_needed(stage: Stage) -> Refusal:
    """The password was right, but another step of signing in, `stage`, is still to be done."""
    message = {
        Stage.CODE: "Введите код из приложения, чтобы завершить вход.",
        Stage.SETUP: "Настройте второй фактор, чтобы завершить вход.",
        Stage.PASSWORD: "Смените пароль, чтобы завершить вход.",
    }[stage]
    return Refusal("sign_in_unfinished", message, 401, stage=stage.value)


def second_factor_needed() -> Refusal:
    """The act is dangerous enough to require a fresh code."""
    return Refusal("second_factor_needed", "Подтвердите действие кодом из приложения.", 403)


def wrong_credentials() -> Refusal:
    """The same answer for an unknown account and for a wrong password."""
    return Refusal("wrong_credentials", "Неверный адрес почты или пароль.", 401)


def wrong_code() -> Refusal:
    """The code is not that of the present half minute, or was used before."""
    message = "Неверный код. Дождитесь следующего кода в приложении и введите его."
    return Refusal("wrong_code", message, 422, [FieldError("code", message)])


def same_password() -> Refusal:
    """The new password is the present one."""
    message = "Новый пароль совпадает с текущим. Придумайте другой."
    return Refusal("same_password", message, 422, [FieldError("new_password", message)])


def link_over() -> Refusal:
    """The link for a new password is unknown, used, or older than half an hour."""
    return Refusal("link_over", "Ссылка больше не действует. Запросите новую.", 409)


def account_locked() -> Refusal:
    """The password was right, but the account is locked."""
    return Refusal(
        "account_locked",
        "Учётная запись заблокирована. Обратитесь в отдел информационной безопасности.",
        403,
    )


def too_often(retry_after: int) -> Refusal:
    """Too many tries; `retry_after` in seconds."""
    return Refusal(
        "too_often", "Слишком много попыток. Повторите позже.", 429, retry_after=retry_after
    )
