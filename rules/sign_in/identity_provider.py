"""Signing in through an external provider: what its statement has to say, and what is answered.

Sources: requirement I11; OpenID Connect Core 1.0, 3.1.3.7; RFC 7636 (PKCE); RFC 9207 (mix-up).
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from rules.accounts import Limit
from rules.refusals import Refusal

ATTEMPT_LIVES = timedelta(minutes=10)
BEGUN = Limit("provider", 30, timedelta(hours=1))
"""How often one address may go to the provider."""
SKEW = timedelta(seconds=60)
"""How far the provider's clock may be ahead."""
OLDEST = timedelta(minutes=10)


def of_device(device_token: str, state: str, purpose: str) -> str:
    """A secret of one attempt, known only to whoever has the device's cookie and the state.

    So the verifier of PKCE and the nonce are bound to the device, and stored nowhere.
    """
    text = f"medcab {purpose} {state}"
    return _text(hmac.new(device_token.encode(), text.encode(), hashlib.sha256).digest())


def challenge_of(verifier: str) -> str:
    """What the provider is told of the verifier beforehand (S256)."""
    return _text(hashlib.sha256(verifier.encode()).digest())


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


def subject_of(
    claims: Mapping[str, Any], issuer: str, client_id: str, nonce: str, now: datetime
) -> str:
    """Whom a signed statement is about. Raises Refusal 409 unless it is for us, here and now."""
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    party = claims.get("azp", client_id if len(audiences) == 1 else None)
    subject, said = claims.get("sub"), claims.get("nonce")
    fits = (
        claims.get("iss") == issuer
        and client_id in audiences
        and party == client_id
        and isinstance(subject, str)
        and 0 < len(subject) <= 255
        and isinstance(said, str)
        and hmac.compare_digest(said.encode(), nonce.encode())
    )
    expires, issued = _moment(claims.get("exp")), _moment(claims.get("iat"))
    if not fits or expires is None or issued is None or not isinstance(subject, str):
        raise not_believed()
    if expires <= now or issued > now + SKEW or issued < now - OLDEST:
        raise not_believed()
    return subject


def _moment(seconds: object) -> datetime | None:
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError, ValueError):
        return None


def attempt_over() -> Refusal:
    """The answer of the provider belongs to no attempt of this device, or was used already."""
    words = "Этот вход уже завершён, прерван или начат на другом устройстве. Начните заново."
    return Refusal("provider_attempt", words, 409)


def not_believed() -> Refusal:
    """The statement is not signed by the provider, or not meant for this attempt."""
    words = "Ответу поставщика входа нельзя доверять: он не подошёл к этому входу. Начните заново."
    return Refusal("provider_answer", words, 409)


def cancelled() -> Refusal:
    """The provider says that there will be no statement: the person went back there."""
    return Refusal("provider_cancelled", "Вход у поставщика отменён.", 409)


def provider_down() -> Refusal:
    """The provider did not answer, or nothing that can be read."""
    words = "Поставщик входа сейчас не отвечает. Войдите с паролем или повторите позже."
    return Refusal("provider_down", words, 503, retry_after=30)


def not_linked() -> Refusal:
    """Nobody here has linked this subject."""
    words = (
        "Этот внешний вход не связан ни с одной учётной записью. Войдите с паролем и свяжите его в "
        "профиле."
    )
    return Refusal("provider_not_linked", words, 409)


def linked_already() -> Refusal:
    """The subject, or the person, is linked otherwise."""
    words = "Этот внешний вход уже связан, или у вас уже связан другой. Сначала отключите прежний."
    return Refusal("provider_linked_already", words, 409)


def nothing_linked() -> Refusal:
    """There is no link that could be removed."""
    return Refusal("nothing_linked", "Внешний вход у вас не подключён.", 409)


def no_provider() -> Refusal:
    """This installation has no provider."""
    return Refusal("not_found", "Такой страницы нет, или она вам недоступна.", 404)
