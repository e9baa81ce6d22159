"""People are told once of what a register says otherwise than they do."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlmodel.ext.asyncio.session import AsyncSession

from rules.notices.kinds import NoticeKind
from rules.registers.comparison import DifferenceKind
from rules.registers.kinds import RegisterName
from services.notices import outbox
from services.notices.outbox import NoticeEvent
from services.registers import differences
from services.registers.records import PersonCompared


async def tell_of_differences(
    session: AsyncSession,
    register: RegisterName,
    people: Sequence[PersonCompared],
    news: Collection[UUID],
    now: datetime,
) -> None:
    """Tell those of whom a register has said something new that differs from what they have.

    What a register has besides is told only if it has come since: the first comparison would tell
    everybody of everything.
    """
    zones: dict[str, list[PersonCompared]] = {}
    for one in people:
        if one.id in news:
            zones.setdefault(one.zone, []).append(one)
    events: list[NoticeEvent] = []
    for zone, here in zones.items():
        today = now.astimezone(ZoneInfo(zone)).date()
        found = await differences.of_people(session, [one.id for one in here], today)
        for one in here:
            here_too = [each for each in found[one.id].differences if each.register is register]
            kinds = {each.kind for each in here_too}
            is_first = one.revision is None
            if DifferenceKind.DIFFERS in kinds or (kinds and not is_first):
                key = f"{one.id}:register:{now.isoformat()}"
                events.append(NoticeEvent(one.id, NoticeKind.REGISTER_DIFFERS, key))
    await outbox.enqueue_all(session, events, now)
