"""Messages that were given up, told to somebody besides the one they were for.

Whoever waits for a first link cannot look into the cabinet. The subject of such a kind of notice
registers who is told instead.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.notices import Notice
from rules.notices.kinds import NoticeKind

Hook = Callable[[AsyncSession, Notice, datetime], Awaitable[None]]
_HOOKS: dict[NoticeKind, Hook] = {}


def register(kind: NoticeKind, hook: Hook) -> None:
    """Call the hook when a message of this kind is given up."""
    _HOOKS[kind] = hook


async def given_up(session: AsyncSession, notice: Notice, now: datetime) -> None:
    """Tell whoever has to know that this message did not arrive."""
    if (hook := _HOOKS.get(NoticeKind(notice.kind))) is not None:
        await hook(session, notice, now)
