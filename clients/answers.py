"""Outside systems: how they are asked, and that no more is read than is due, nor for longer."""

import asyncio
from typing import Any, ClassVar, Self, TypeVar

import httpx
from pydantic import BaseModel, Field, ValidationError

Said = TypeVar("Said", bound=BaseModel)

LIMIT = 1024 * 1024
"""How many bytes of an answer are read at most, unless somebody says otherwise."""


class EndlessAnswer(httpx.DecodingError):
    """The answer is longer than anything that could be meant."""


async def answer(
    http: httpx.AsyncClient,
    method: str,
    url: str,
    *,
    within: float,
    limit: int = LIMIT,
    **asked: Any,
) -> httpx.Response:
    """The answer to a request, whole. Raises httpx.HTTPError.

    The timeouts of httpx are for one step each: an answer that drips would never end. `within` is
    in seconds, for all steps together.
    """
    body = bytearray()
    try:
        async with asyncio.timeout(within), http.stream(method, url, **asked) as reply:
            async for piece in reply.aiter_bytes():
                body += piece
                if len(body) > limit:
                    raise EndlessAnswer(f"more than {limit} bytes")
    except TimeoutError:
        raise httpx.ReadTimeout(f"no end within {within} s") from None
    headers = {name: reply.headers[name] for name in _KEPT if name in reply.headers}
    return httpx.Response(reply.status_code, headers=headers, content=bytes(body))


_KEPT = ("content-type", "retry-after")
"""The headers that somebody reads; others are about the bytes as they were sent."""


class OutsideSystem:
    """A system that is asked over HTTP; safe to share between tasks. Timeouts are in seconds."""

    down: ClassVar[type[Exception]]
    """Raised where it did not answer, or answered that it cannot."""
    garbled: ClassVar[type[Exception]]
    """Raised where it answered something that cannot be meant."""
    limit: ClassVar[int] = LIMIT

    def __init__(self, url: str, timeout: float = 10.0) -> None:
        self._whole = 3 * timeout
        self._http = httpx.AsyncClient(
            base_url=url.rstrip("/"),
            timeout=httpx.Timeout(timeout, connect=min(timeout, 2.0)),
            headers={"Accept": "application/json"},
            trust_env=False,
        )

    async def _ask(self, method: str, path: str, **asked: Any) -> httpx.Response:
        """The answer, whatever it is. Raises `down` and `garbled`."""
        try:
            return await answer(
                self._http, method, path, within=self._whole, limit=self.limit, **asked
            )
        except httpx.DecodingError as error:
            raise self.garbled(type(error).__name__) from None
        except httpx.HTTPError as error:
            raise self.down(type(error).__name__) from None

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


class _Fault(BaseModel):
    code: str = Field(max_length=100, pattern=r"^[a-z_]+$")


class ReceivingSystem(OutsideSystem):
    """A system that takes what is sent under our own ids, or refuses it by a code of its own."""

    refused: ClassVar[type[Exception]]
    """Raised with the code where it will never take what was sent."""

    async def _send(self, method: str, path: str, said: type[Said], **asked: Any) -> Said:
        """What it says. Raises `down`, `garbled` and `refused`."""
        reply = await self._ask(method, path, **asked)
        if reply.status_code in (404, 409, 413, 422):
            raise self._refusal(reply.content)
        if reply.status_code not in (200, 202):
            raise self.down(f"HTTP {reply.status_code}")
        try:
            return said.model_validate_json(reply.content)
        except ValidationError as error:
            raise self.garbled(f"{error.error_count()} fields unreadable") from None

    def _refusal(self, body: bytes) -> Exception:
        """The error of a refusal. A wrong address answers 404 as well: only a code is believed."""
        try:
            return self.refused(_Fault.model_validate_json(body).code)
        except ValidationError:
            return self.garbled("a refusal that is not its own")
