"""Settings of notices, browsers that show notices, and new contacts (N2, N3)."""

from datetime import datetime, time
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from api.container import ContainerDep, Work
from api.http.auth import CurrentActor, CurrentSession, From
from api.http.entrance import CleanRoute
from api.http.problems import documented
from api.notices.inbox import NoticeKeeper
from clients.delivery.push import PushSender, SubscribedBrowser, sender_of
from rules.clock import now
from rules.credentials.reminders import LONGEST_LEAD
from rules.notices.kinds import Channel, NoticeGroup
from services import access
from services.accounts import contacts
from services.credentials import leads
from services.notices import push_subscriptions
from services.notices import settings as notice_settings

router = APIRouter(route_class=CleanRoute, tags=["notices"])


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class CellOut(BaseModel):
    """One channel of one group of events."""

    group: NoticeGroup
    channel: Channel
    on: bool
    locked: bool = Field(description="True if this channel cannot be turned off.")


class WishesBody(_Body):
    """Quiet hours and digest, by the clock of `zone`; null where not wanted."""

    zone: str | None = Field(
        None, max_length=60, description="Time zone; null: that of the person's unit."
    )
    quiet_from: time | None = None
    quiet_to: time | None = None
    digest_hour: int | None = Field(None, ge=0, le=23)


class SettingsOut(BaseModel):
    """All settings of the person's notices."""

    channels: list[CellOut]
    wishes: WishesBody


class RemindersBody(_Body):
    """How many days before the end of a credential the person is reminded; 0 is the last day."""

    days: list[Annotated[int, Field(ge=0, le=LONGEST_LEAD)]] = Field(max_length=100)


class OnIn(_Body):
    """Whether to turn it on or off."""

    on: bool


class KeysIn(_Body):
    """The browser's keys, base64url."""

    p256dh: str = Field(max_length=200)
    auth: str = Field(max_length=100)


class SubscriptionIn(BaseModel):
    """What `PushSubscription.toJSON()` gives."""

    endpoint: str = Field(max_length=1000)
    keys: KeysIn


class EndpointIn(_Body):
    """A browser, named by its push endpoint."""

    endpoint: str = Field(max_length=1000)


class BrowserOut(BaseModel):
    """A browser that shows the person's notices."""

    id: UUID
    device: str
    created_at: datetime
    last_ok_at: datetime | None


class PushOut(BaseModel):
    """The key that browsers subscribe with, and those that have subscribed."""

    public_key: str = Field(description="`applicationServerKey`; empty: push is not set up here.")
    browsers: list[BrowserOut]


class MadeOut(BaseModel):
    """The id of what was made."""

    id: UUID


class PendingOut(BaseModel):
    """A new contact whose code was sent and not entered yet."""

    id: UUID
    channel: Channel
    value: str
    ends_at: datetime
    tries_left: int


class ContactsOut(BaseModel):
    """Where the person is reached, and contacts not confirmed yet."""

    email: str
    phone: str | None
    pending: list[PendingOut]


class ContactIn(_Body):
    """A new e-mail address (`mail`) or telephone number (`sms`)."""

    channel: Channel
    value: str = Field(max_length=320)


class ContactCodeIn(_Body):
    """The code that was sent to the new address."""

    code: str = Field(max_length=20)


def _sender(container: ContainerDep) -> PushSender:
    return sender_of(container.settings)


Sender = Annotated[PushSender, Depends(_sender)]


@router.get("/notices/settings", responses=documented(401))
async def show(session: Work, actor: CurrentActor) -> SettingsOut:
    """My settings: channels by group of events, quiet hours, digest."""
    cells = await notice_settings.table(session, actor)
    wishes = await notice_settings.wishes_of(session, actor)
    return SettingsOut(
        channels=[CellOut.model_validate(cell, from_attributes=True) for cell in cells],
        wishes=WishesBody.model_validate(wishes, from_attributes=True),
    )


@router.put(
    "/notices/settings/{group}/{channel}",
    status_code=204,
    responses=documented(401, 403, 409, 422),
)
async def choose(
    group: NoticeGroup, channel: Channel, body: OnIn, session: Work, actor: NoticeKeeper
) -> None:
    """Turn one channel of one group of events on or off, from now on."""
    await notice_settings.choose(session, actor, {(group, channel): body.on}, now())


@router.put("/notices/wishes", status_code=204, responses=documented(401, 403, 422))
async def wish(body: WishesBody, session: Work, actor: NoticeKeeper) -> None:
    """Set quiet hours and digest. Null removes a value; a field left out stays as it is."""
    changes: dict[str, Any] = body.model_dump(exclude_unset=True)
    for hour in {"quiet_from", "quiet_to"} & set(changes):
        changes[hour] = changes[hour] and changes[hour].replace(tzinfo=None)
    if "zone" in changes and not changes["zone"]:
        changes["zone"] = (await access.zone_of(session, actor.unit_id)).key
    await notice_settings.wish(session, actor, changes, now())


@router.get("/notices/reminders", responses=documented(401))
async def reminders(session: Work, actor: CurrentActor) -> RemindersBody:
    """How many days before the end of a credential I am reminded."""
    return RemindersBody(days=list(await leads.of_person(session, actor.person_id)))


@router.put("/notices/reminders", status_code=204, responses=documented(401, 403, 422))
async def choose_reminders(body: RemindersBody, session: Work, actor: NoticeKeeper) -> None:
    """Choose other days, from now on; none means no reminders."""
    await leads.choose(session, actor, body.days, now())


@router.get("/notices/push", responses=documented(401, 403))
async def browsers(session: Work, current: CurrentSession, sender: Sender) -> PushOut:
    """The browsers that show my notices."""
    found = await push_subscriptions.browsers_of(session, current.person_id)
    return PushOut(
        public_key=sender.public_key,
        browsers=[BrowserOut.model_validate(one, from_attributes=True) for one in found],
    )


@router.post("/notices/push", status_code=201, responses=documented(401, 403, 409, 422))
async def subscribe(
    body: SubscriptionIn, session: Work, current: CurrentSession, visitor: From, sender: Sender
) -> MadeOut:
    """Let this browser show my notices."""
    browser = SubscribedBrowser(body.endpoint, body.keys.p256dh, body.keys.auth)
    device = visitor.device.name
    made = await push_subscriptions.subscribe(
        session, sender, current.actor, browser, device, now()
    )
    return MadeOut(id=made)


@router.post("/notices/push/forget", status_code=204, responses=documented(401, 403, 422))
async def forget(body: EndpointIn, session: Work, current: CurrentSession) -> None:
    """Stop showing my notices in this browser."""
    await push_subscriptions.forget_browser(session, current.actor, body.endpoint)


@router.delete(
    "/notices/push/{subscription_id}", status_code=204, responses=documented(401, 403, 404, 422)
)
async def unsubscribe(subscription_id: UUID, session: Work, current: CurrentSession) -> None:
    """Stop showing my notices in one of my browsers."""
    await push_subscriptions.unsubscribe(session, current.actor, subscription_id)


@router.get("/contacts", responses=documented(401, 403))
async def show_contacts(session: Work, current: CurrentSession) -> ContactsOut:
    """Where I am reached, and which contacts wait to be confirmed."""
    found = await contacts.contacts_of(session, current.actor, now())
    return ContactsOut.model_validate(found, from_attributes=True)


@router.post("/contacts", status_code=201, responses=documented(401, 403, 422, 429))
async def ask_code(body: ContactIn, container: ContainerDep, current: CurrentSession) -> MadeOut:
    """Send a code to a new contact. Needs a code of the app entered within five minutes."""
    moment = now()
    current.demand_fresh(moment)
    made = await contacts.ask(container.database, current.actor, body.channel, body.value, moment)
    return MadeOut(id=made)


@router.post(
    "/contacts/{change_id}/confirm", status_code=204, responses=documented(401, 403, 404, 409, 422)
)
async def confirm(
    change_id: UUID, body: ContactCodeIn, container: ContainerDep, current: CurrentSession
) -> None:
    """Confirm a new contact by the code sent to it. From now on it replaces the old one."""
    done = contacts.confirm(container.database, current.actor, change_id, body.code, now())
    container.signals.wake(await done)
