"""Pages are packed where their length tells nobody a secret (BREACH), and nowhere else."""

from collections.abc import Mapping

import httpx
import pytest

from tests.cabinet.gallery import gallery

SIGNED_IN = {"Cookie": "medcab=secret"}
ASKED_BY = "Sec-Fetch-Site"


@pytest.mark.parametrize(
    ("headers", "packed"),
    [
        ({}, True),
        (SIGNED_IN | {ASKED_BY: "same-origin"}, True),
        (SIGNED_IN | {ASKED_BY: "none"}, True),
        (SIGNED_IN | {ASKED_BY: "cross-site"}, False),
        (SIGNED_IN | {ASKED_BY: "same-site"}, False),
        (SIGNED_IN, False),
        ({"Accept-Encoding": "br"}, False),
    ],
)
async def test_only_what_no_other_site_asked_for_is_packed(
    headers: Mapping[str, str], packed: bool
) -> None:
    """With a cookie the browser has to say that the request is our own or the person's."""
    line = httpx.ASGITransport(gallery())
    async with httpx.AsyncClient(transport=line, base_url="http://cabinet") as client:
        shown = await client.get("/sign-in", headers=headers)
        assert (shown.headers.get("content-encoding") == "gzip") == packed
        assert "Вход в личный кабинет" in shown.text
        assert ("accept-encoding" in shown.headers.get("vary", "").lower()) == packed
        nothing = await client.get("/notices/bell", headers=headers)
        assert "content-encoding" not in nothing.headers
