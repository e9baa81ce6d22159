"""Hearing a callback: its signature proves who calls, and only then is it read.

The routes are open to all, since the callers have no account.
"""

from collections.abc import Callable
from typing import TypeVar

from fastapi import Request
from pydantic import SecretStr

from api.container import Container
from rules.clock import now
from rules.refusals import Refusal
from services import webhooks
from services.webhooks import CallbackFault, WebhookCall

Told = TypeVar("Told")


async def heard(
    request: Request,
    container: Container,
    address: str,
    source: str,
    secret: SecretStr,
    read: Callable[[bytes], Told],
) -> tuple[WebhookCall, Told]:
    """A callback of a source and what it says, as `read` makes it of the body.

    `read` raises ValueError for what it cannot read. Raises Refusal 403 `signature`, 422
    `unreadable`; ops are told of either.
    """

    async def tell(why: CallbackFault) -> None:
        await webhooks.tell_refused(container.database, source, why, address, now())

    body = await request.body()
    secrets = secret.get_secret_value()
    webhook_id = webhooks.verified(body, request.headers, secrets)
    if webhook_id is None:
        await tell(CallbackFault.SIGNATURE if secrets else CallbackFault.NO_SECRET)
        raise Refusal("signature", "Подпись сообщения не подтверждается.", 403)
    try:
        return WebhookCall(source, webhook_id), read(body)
    except ValueError:
        await tell(CallbackFault.UNREADABLE)
        raise Refusal("unreadable", "Сообщение не удаётся прочесть.", 422) from None


async def tell_unknown(container: Container, address: str, source: str) -> None:
    """Tell ops of a callback about a message that is not ours."""
    why = CallbackFault.UNKNOWN_MESSAGE
    await webhooks.tell_refused(container.database, source, why, address, now())
