"""What an authority asks about somebody, as rows: for tests of who may see and do what."""

from uuid import uuid4

from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.handovers import Authority, Handover
from rules.access import Actor
from rules.clock import now
from rules.credentials.handovers import HandoverState


async def give_handovers(session: AsyncSession, actor: Actor) -> dict[str, str]:
    """A request that waits for a decision."""
    moment = now()
    authority = Authority(
        name="Министерство", certificate=b"none", secret_hash=uuid4().hex, added_at=moment
    )
    session.add(authority)
    await session.flush()
    asked = Handover(
        authority_id=authority.id,
        reference=uuid4().hex,
        body_hash="none",
        person_id=actor.person_id,
        purpose="Проверка",
        ground="Закон",
        categories=[],
        asked_at=moment,
        state=HandoverState.ASKED.value,
        looks_at=moment,
    )
    session.add(asked)
    await session.flush()
    return {"handover_id": str(asked.id)}
