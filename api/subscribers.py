"""Systems that hear of changes of credentials by webhooks, over JSON. See docs/webhooks.md."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from api.container import ContainerDep, Work
from api.http.auth import CurrentSession, require
from api.http.entrance import CleanRoute
from api.http.problems import documented
from rules.access import Actor, Permission
from rules.clock import now
from rules.subscribers import LONGEST_ADDRESS, DeliveryState, EventType
from services.subscribers import seen
from services.subscribers.keeping import NewSubscriber

router = APIRouter(route_class=CleanRoute, prefix="/subscribers", tags=["subscribers"])

Connects = Annotated[Actor, require(Permission.CONNECT_SYSTEMS)]
Types = Annotated[list[EventType], Field(min_length=1, max_length=len(EventType))]
Url = Annotated[str, Field(min_length=1, max_length=LONGEST_ADDRESS)]


class SubscriberIn(BaseModel):
    """A system that wants to hear of changes."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=3, max_length=100)
    url: Url
    types: Types


class ReceptionIn(BaseModel):
    """Where a subscriber hears, and of what."""

    model_config = ConfigDict(extra="forbid")

    url: Url
    types: Types


class RotationIn(BaseModel):
    """How a secret is replaced."""

    model_config = ConfigDict(extra="forbid")

    leaked: bool = Field(False, description="The secret before counts no more, from now on.")


class ResendIn(BaseModel):
    """What is sent again."""

    model_config = ConfigDict(extra="forbid")

    event_id: UUID | None = Field(None, description="One event; without it all that were given up.")


class SecretOut(BaseModel):
    """A secret, shown this once."""

    id: UUID
    secret: str


class ResentOut(BaseModel):
    """How many events are on their way again."""

    events: int


class TestedOut(BaseModel):
    """The event that was sent to try the receiver."""

    event_id: UUID


class SubscriberOut(BaseModel):
    """A subscriber, and how many of its deliveries stand where."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    url: str
    types: list[str]
    added_at: AwareDatetime
    paused_at: AwareDatetime | None
    ended_at: AwareDatetime | None
    failing_since: AwareDatetime | None
    next_try_at: AwareDatetime | None
    earlier_until: AwareDatetime | None = Field(description="Until then two secrets sign.")
    waiting: int
    dead: int


class EventDeliveryOut(BaseModel):
    """An event on its way to a subscriber."""

    model_config = ConfigDict(from_attributes=True)

    event_id: UUID
    type: str
    subject: UUID
    at: AwareDatetime
    state: DeliveryState
    tries: int
    tried_at: AwareDatetime | None
    next_at: AwareDatetime
    status: int | None = Field(description="HTTP status of the last answer.")
    fault: str | None = Field(description="Why there was none.")


@router.get("", responses=documented(401, 403))
async def every(session: Work, actor: Connects) -> list[SubscriberOut]:
    """All subscribers, those that get something first."""
    return [SubscriberOut.model_validate(one) for one in await seen.every(session, actor)]


@router.post("", status_code=201, responses=documented(401, 403, 409, 422))
async def add(body: SubscriberIn, current: CurrentSession, container: ContainerDep) -> SecretOut:
    """Add a subscriber. Its secret is shown this once. Needs a fresh code."""
    current.demand_fresh(now())
    new = NewSubscriber(body.name, body.url, body.types)
    id_, secret = await container.subscribers.add(current.actor, new)
    return SecretOut(id=id_, secret=secret)


@router.get("/{subscriber_id}", responses=documented(401, 403, 404))
async def one(subscriber_id: UUID, session: Work, actor: Connects) -> SubscriberOut:
    """One subscriber."""
    return SubscriberOut.model_validate(await seen.one(session, actor, subscriber_id))


@router.put("/{subscriber_id}", status_code=204, responses=documented(401, 403, 404, 409, 422))
async def change(
    subscriber_id: UUID, body: ReceptionIn, current: CurrentSession, container: ContainerDep
) -> Response:
    """Give another address or other types. Needs a fresh code."""
    current.demand_fresh(now())
    types = [one.value for one in body.types]
    await container.subscribers.change(current.actor, subscriber_id, body.url, types)
    return Response(status_code=204)


@router.get("/{subscriber_id}/deliveries", responses=documented(401, 403))
async def deliveries(
    subscriber_id: UUID,
    session: Work,
    actor: Connects,
    state: Annotated[DeliveryState | None, Query()] = None,
) -> list[EventDeliveryOut]:
    """The newest deliveries; with `state=dead` those that were given up."""
    found = await seen.deliveries(session, actor, subscriber_id, state)
    return [EventDeliveryOut.model_validate(each) for each in found]


@router.post("/{subscriber_id}/secret", responses=documented(401, 403, 404, 409, 422))
async def rotate(
    subscriber_id: UUID, body: RotationIn, current: CurrentSession, container: ContainerDep
) -> SecretOut:
    """Make a new secret. The one before signs as well for a day. Needs a fresh code."""
    current.demand_fresh(now())
    secret = await container.subscribers.rotate(current.actor, subscriber_id, leaked=body.leaked)
    return SecretOut(id=subscriber_id, secret=secret)


@router.post("/{subscriber_id}/pause", status_code=204, responses=documented(401, 403, 404, 409))
async def pause(subscriber_id: UUID, actor: Connects, container: ContainerDep) -> Response:
    """Send nothing until told to go on; events wait."""
    await container.subscribers.set_paused(actor, subscriber_id, paused=True)
    return Response(status_code=204)


@router.post("/{subscriber_id}/resume", status_code=204, responses=documented(401, 403, 404, 409))
async def resume(subscriber_id: UUID, actor: Connects, container: ContainerDep) -> Response:
    """Go on, with what has waited."""
    await container.subscribers.set_paused(actor, subscriber_id, paused=False)
    return Response(status_code=204)


@router.post("/{subscriber_id}/test", responses=documented(401, 403, 404, 409))
async def test(subscriber_id: UUID, actor: Connects, container: ContainerDep) -> TestedOut:
    """Send an event that says nothing."""
    event_id = await container.subscribers.test(actor, subscriber_id)
    return TestedOut(event_id=event_id)


@router.post("/{subscriber_id}/resend", responses=documented(401, 403, 404, 409, 422))
async def resend(
    subscriber_id: UUID, body: ResendIn, actor: Connects, container: ContainerDep
) -> ResentOut:
    """Send again what was given up: one event, or all."""
    count = await container.subscribers.resend(actor, subscriber_id, body.event_id)
    return ResentOut(events=count)


@router.delete("/{subscriber_id}", status_code=204, responses=documented(401, 403, 404, 409))
async def end(subscriber_id: UUID, actor: Connects, container: ContainerDep) -> Response:
    """Disconnect a subscriber for good."""
    await container.subscribers.end(actor, subscriber_id)
    return Response(status_code=204)
