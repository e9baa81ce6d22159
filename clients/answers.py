"""Answers of outside systems, of which no more is read than is due, in no more time than is due."""

import asyncio
from typing import Any

import httpx

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
