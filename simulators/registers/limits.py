"""The rate limit of a simulated server: it refuses what is too much, and knows the highest rate.

Only the paths of the interface for many people count. `GET /limit` shows the limit and what was
asked; `PUT /limit` sets it and counts anew.
"""

import math
import time
from collections import deque
from collections.abc import Collection

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.types import ASGIApp, Receive, Scope, Send


class SetLimit(BaseModel):
    """How many requests are answered within any `seconds`; more are refused by 429."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    times: int = Field(30, ge=1)
    seconds: float = Field(1.0, gt=0, le=3600)


class LimitState(BaseModel):
    """The limit, and what was asked since it was set."""

    limit: SetLimit
    asked: int
    refused: int
    highest: int = Field(description="The most requests within any `seconds`, refused included.")


class RateWindow:
    """Counts requests in a window that moves with the time."""

    def __init__(self) -> None:
        self.limit = SetLimit()
        self._begin()

    def _begin(self) -> None:
        self.asked = self.refused = self.highest = 0
        self._came: deque[float] = deque()

    def retry_after(self, now: float) -> int:
        """Count a request. 0 if it may be answered, else after how many seconds to come again."""
        while self._came and self._came[0] <= now - self.limit.seconds:
            self._came.popleft()
        self._came.append(now)
        self.asked += 1
        self.highest = max(self.highest, len(self._came))
        if len(self._came) <= self.limit.times:
            return 0
        self.refused += 1
        return max(1, math.ceil(self._came[-self.limit.times] + self.limit.seconds - now))

    def state(self) -> LimitState:
        """What `GET /limit` answers."""
        return LimitState(
            limit=self.limit, asked=self.asked, refused=self.refused, highest=self.highest
        )

    def router(self) -> APIRouter:
        """The routes that set and show the limit."""
        router = APIRouter()

        @router.get("/limit")
        async def show() -> LimitState:
            return self.state()

        @router.put("/limit")
        async def set_limit(limit: SetLimit) -> LimitState:
            self.limit = limit
            self._begin()
            return self.state()

        return router


class LimitedServer:
    """ASGI wrapper that lets a `RateWindow` refuse what is too much of these paths."""

    def __init__(self, app: ASGIApp, window: RateWindow, counted: Collection[str]) -> None:
        self.app = app
        self.window = window
        self.counted = counted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        after = 0
        if scope["type"] == "http" and scope["path"] in self.counted:
            after = self.window.retry_after(time.monotonic())
        if not after:
            await self.app(scope, receive, send)
            return
        headers = [(b"retry-after", str(after).encode()), (b"content-length", b"0")]
        await send({"type": "http.response.start", "status": 429, "headers": headers})
        await send({"type": "http.response.body", "body": b""})
