"""Whoever follows what a page offers arrives: no page leads somebody to what is closed to them."""

import re
from html import unescape
from urllib.parse import urljoin, urlsplit

import httpx

from rules.access import Role
from tests.api.world import World

MOST_PAGES = 150
_LINK = re.compile(r'<a\b[^>]*\bhref="([^"#?]+)(?:\?([^"#]*))?')
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d+")
ELSEWHERE = ("/temporal", "/api/", "/static/")
OF_OTHERS = ("/audit/cases/", "/meetings/0")
"""Nobody audits an own case or meets themselves, though everybody here has one of each."""
REFUSED = frozenset({401, 403, 404, 405, 410, 422, 500})
"""Files answer 503, for this world has no store of objects."""
ROLES = (
    Role.NURSE,
    Role.HR_HEAD,
    Role.UNIT_HEAD,
    Role.SECURITY,
    Role.OPERATOR,
    Role.ADMINISTRATOR,
    Role.TECHNICIAN,
    Role.AUDITOR,
)
"""Each has a right that none of the others has; doctors, reviewers and ops see the same pages."""


async def dead_ends(client: httpx.AsyncClient) -> list[str]:
    """The links to pages that are refused, each with the page it stands on.

    Pages that differ only in an id or in what is asked of them are opened once.
    """
    todo, seen = [("/", "")], {"/"}
    wrong: list[str] = []
    for _ in range(MOST_PAGES):
        if not todo:
            return wrong
        address, page = todo.pop(0)
        answer = await client.get(address)
        if answer.status_code in REFUSED:
            wrong.append(f"{page} leads to {address}: {answer.status_code}")
        if not answer.headers.get("content-type", "").startswith("text/html"):
            continue
        for path, query in _LINK.findall(answer.text):
            target = urlsplit(urljoin(f"{client.base_url}{address}", unescape(path)))
            known = _ID.sub("#", target.path)
            ours = f"{target.scheme}://{target.netloc}" == str(client.base_url).rstrip("/")
            if ours and known not in seen and not target.path.startswith((*ELSEWHERE, *OF_OTHERS)):
                seen.add(known)
                todo.append((target.path + ("?" + unescape(query) if query else ""), address))
    raise AssertionError(f"more than {MOST_PAGES} pages: {todo}")


async def test_no_page_leads_to_what_is_closed(world: World) -> None:
    """For each role, from home through everything that its pages offer (W9)."""
    wrong: list[str] = []
    for role in ROLES:
        holder = await world.holder(role)
        found = await dead_ends(await world.sign_in(holder.actor))
        wrong += [f"{role}: {one}" for one in found]
    assert not wrong, "\n".join(wrong)
