"""The browsers that a person lets show notices: added, listed, removed (N2)."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import String, delete, type_coerce
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.delivery.push import PushSender, SubscribedBrowser
from crypto.key_ring import key_ring
from models.encrypted_columns import bound
from models.tables.notices import PushSubscription, push_index_text
from rules.access import Actor
from rules.ids import new_id
from rules.refusals import Refusal, not_found
from services import turns

MOST = 10
"""The most browsers of one person; the oldest one is removed for a new one."""


async def browsers_of(session: AsyncSession, person_id: UUID) -> Sequence[PushSubscription]:
    """The person's browsers, oldest first."""
    found = await session.exec(
        select(PushSubscription)
        .where(PushSubscription.person_id == person_id)
        .order_by(col(PushSubscription.id))
    )
    return found.all()


def subscriber(row: PushSubscription) -> SubscribedBrowser:
    """The browser in the form that the sender needs."""
    return SubscribedBrowser(row.contents["endpoint"], row.contents["p256dh"], row.contents["auth"])


async def subscribe(
    session: AsyncSession,
    sender: PushSender,
    actor: Actor,
    browser: SubscribedBrowser,
    device: str,
    now: datetime,
) -> UUID:
    """Let a browser show the person's notices. A browser that is known already changes its owner.

    So a browser never shows notices of a person who used it before. Raises Refusal 409 if push is
    not set up, 422 for an unknown push service or invalid keys.
    """
    if not sender.public_key:
        raise Refusal(
            "push_is_off", "Уведомления на устройство в этой установке не настроены.", 409
        )
    if not sender.knows(browser.endpoint):
        raise Refusal(
            "unknown_push_service", "Этот браузер использует незнакомую службу уведомлений.", 422
        )
    if not browser.sound:
        raise Refusal("no_push_keys", "Браузер передал неверные ключи. Попробуйте ещё раз.", 422)
    # Locked, so that two windows cannot add one browser too many.
    await turns.of_person(session, actor.person_id)
    made = new_id()
    contents = {"endpoint": browser.endpoint, "p256dh": browser.p256dh, "auth": browser.auth}
    row = {
        "id": made,
        "person_id": actor.person_id,
        "contents": bound(contents, made),
        "device": device,
        "created_at": now,
        "last_ok_at": None,
    }
    blind = _blind(browser.endpoint)
    # While keys are rotated, the row before may have another form of the index.
    before = col(PushSubscription.endpoint_blind) == blind
    before &= type_coerce(PushSubscription.endpoint_blind, String) != blind
    await session.exec(delete(PushSubscription).where(before))
    await session.exec(
        insert(PushSubscription)
        .values(endpoint_blind=blind, **row)
        .on_conflict_do_update(index_elements=["endpoint_blind"], set_=row)
    )
    mine = [one.id for one in await browsers_of(session, actor.person_id) if one.id != made]
    spare = mine[: max(0, len(mine) + 1 - MOST)]
    await session.exec(delete(PushSubscription).where(col(PushSubscription.id).in_(spare)))
    return made


async def unsubscribe(session: AsyncSession, actor: Actor, subscription_id: UUID) -> None:
    """Remove a browser. Raises `not_found`."""
    row = await session.get(PushSubscription, subscription_id)
    if row is None or row.person_id != actor.person_id:
        raise not_found()
    await session.delete(row)


async def forget_browser(session: AsyncSession, actor: Actor, endpoint: str) -> None:
    """Remove the browser that sends this request; if it is not the person's, nothing happens."""
    await session.exec(
        delete(PushSubscription).where(
            col(PushSubscription.person_id) == actor.person_id,
            col(PushSubscription.endpoint_blind) == _blind(endpoint),
        )
    )


def _blind(endpoint: str) -> str:
    return key_ring().blind(push_index_text({"endpoint": endpoint}))
