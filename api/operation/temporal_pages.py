"""The Temporal UI below `/temporal`, shown only to those who watch the operation.

The UI knows no accounts of ours. Behind the cabinet it needs none; being of the same origin, its
calls to `/codec` carry the person's session. The table `rules.operation.temporal_pages` says which
requests may pass and with which permission, since watching does not include acting.
"""

import base64
import hashlib
import json
import re
from html import escape
from typing import Annotated
from urllib.parse import quote, urlsplit

import httpx
from fastapi import APIRouter, Request, Response

from api.container import Container, ContainerDep
from api.http.auth import require
from api.http.entrance import CleanRoute
from rules.access import Actor, Permission
from rules.clock import now
from rules.journal.entries import SYSTEM_CHAIN, JournalKind
from rules.operation.temporal_pages import SHUT, WATCH_ONLY, rule_for
from rules.refusals import Refusal, forbidden
from services.journal import entries as journal

router = APIRouter(route_class=CleanRoute, include_in_schema=False)

Watcher = Annotated[Actor, require(Permission.WATCH_OPERATION)]

PREFIX = "/temporal"
"""The path that the UI is configured for (`--ui-public-path`, `TEMPORAL_UI_PUBLIC_PATH`)."""

_THERE = ("accept", "accept-language", "content-type", "caller-type", "x-csrf-token", "x-namespace")
_BACK = ("content-type", "cache-control", "last-modified", "location")
_TIMEOUT = httpx.Timeout(90.0, connect=3.0)
_NEVER_CHANGES = "/_app/immutable/"
_INLINE = re.compile(rb"<script>(.*?)</script>", re.DOTALL)
_BOLD = re.compile(r"\*\*(.+?)\*\*")
_BULLETS = re.compile(r"(?:<li>.*?</li>)+")
_BODY = "body{margin:12px;font:15px/22px system-ui,sans-serif}h3,p{margin:0 0 8px}ul{margin:0}"
_LIGHT = _BODY + "body{color:#10203a}"
_DARK = _BODY + "body{color:#e6ecf5}"
_SETTINGS = "/api/v1/settings"

PATH_LENGTH = 300


def _line(request: Request) -> httpx.AsyncClient:
    """The HTTP client of the UI, opened with the first request."""
    state = request.app.state
    if not hasattr(state, "temporal_pages"):
        state.temporal_pages = httpx.AsyncClient(timeout=_TIMEOUT, trust_env=False)
    line: httpx.AsyncClient = state.temporal_pages
    return line


@router.get("/temporal")
@router.get("/temporal/{path:path}")
@router.post("/temporal/{path:path}")
async def pages(request: Request, container: ContainerDep, watcher: Watcher) -> Response:
    """Pass a request on to the Temporal UI, without the cabinet's cookies and headers."""
    within = str(request.scope["path"]).removeprefix(PREFIX)
    row = rule_for(request.method, within, container.settings.temporal_namespace)
    if row is None or not watcher.may(row.permission):
        raise forbidden()
    upstream = urlsplit(container.settings.temporal_ui_url)
    # Built from the path that was checked, so that the UI reads the very same path.
    address = f"{upstream.scheme}://{upstream.netloc}{PREFIX}{quote(within)}"
    headers = {name: request.headers[name] for name in _THERE if name in request.headers}
    token = request.cookies.get("_csrf")
    if token:
        headers["cookie"] = f"_csrf={token}"
    if row.acts:
        await _journal_act(container, watcher, within)
    try:
        reply = await _line(request).request(
            request.method,
            address,
            params=request.query_params,
            headers=headers,
            content=await request.body(),
        )
    except httpx.HTTPError:
        raise Refusal("temporal_ui_down", "Страницы Temporal сейчас не отвечают.", 503) from None
    may_act = watcher.may(Permission.OPERATE)
    content = _settings(reply, may_act=may_act) if within == _SETTINGS else reply.content
    answer = Response(
        content,
        reply.status_code,
        {name: reply.headers[name] for name in _BACK if name in reply.headers},
    )
    for cookie in reply.headers.get_list("set-cookie"):
        if cookie.startswith("_csrf="):
            answer.headers.append("set-cookie", cookie.replace("Path=/;", f"Path={PREFIX};"))
    if within.startswith(_NEVER_CHANGES):
        answer.headers["cache-control"] = "private, max-age=31536000, immutable"
    answer.headers["content-security-policy"] = _policy(reply)
    # The UI draws summaries and details in frames of its own.
    answer.headers["x-frame-options"] = "SAMEORIGIN"
    return answer


def _settings(reply: httpx.Response, *, may_act: bool) -> bytes:
    """The UI's settings, with the actions disabled that this person may not take."""
    if reply.status_code != 200:
        return reply.content
    shut = SHUT if may_act else (*SHUT, *WATCH_ONLY)
    return json.dumps({**reply.json(), **dict.fromkeys(shut, True)}).encode()


async def _journal_act(container: Container, watcher: Actor, path: str) -> None:
    """Journal who does what to which workflow, before it is done: the end of a run, a reset."""
    async with container.database.work() as session:
        await journal.append(
            session,
            chain=SYSTEM_CHAIN,
            kind=JournalKind.TEMPORAL_ACTED,
            at=now(),
            by=watcher.person_id,
            facts={"path": path[:PATH_LENGTH]},
        )


@router.get("/render")
async def render(watcher: Watcher, content: str = "", theme: str = "light") -> Response:
    """Draw a summary or details for a frame of the UI.

    The UI asks for this path outside its own prefix, where its own renderer does not answer. So the
    little markup that our workflows use is drawn here.
    """
    del watcher
    style = _DARK if theme == "dark" else _LIGHT
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return Response(
        f'<!doctype html><html lang="ru"><head><meta charset="utf-8"><title>Temporal</title>'
        f"<style>{style}</style></head><body>{drawn(content)}</body></html>",
        media_type="text/html",
        headers={
            "Content-Security-Policy": (
                f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; "
                "form-action 'none'; frame-ancestors 'self'; sandbox allow-same-origin"
            ),
            "X-Frame-Options": "SAMEORIGIN",
        },
    )


def drawn(text: str) -> str:
    """Headings, bullets and bold text as HTML; everything else is plain text."""
    parts: list[str] = []
    for line in text.splitlines():
        words = _BOLD.sub(r"<strong>\1</strong>", escape(line.lstrip("#- ").rstrip()))
        if line.startswith("#"):
            parts.append(f"<h3>{words}</h3>")
        elif line.startswith("- "):
            parts.append(f"<li>{words}</li>")
        elif words:
            parts.append(f"<p>{words}</p>")
    return _BULLETS.sub(r"<ul>\g<0></ul>", "".join(parts))


def _policy(reply: httpx.Response) -> str:
    """Content-Security-Policy for the UI: everything from here, and only the page's own scripts."""
    inline = ""
    if reply.headers.get("content-type", "").startswith("text/html"):
        digests = (hashlib.sha256(script).digest() for script in _INLINE.findall(reply.content))
        inline = "".join(f" 'sha256-{base64.b64encode(one).decode()}'" for one in digests)
    return (
        f"default-src 'self'; script-src 'self'{inline}; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data:; font-src 'self' data:; worker-src 'self' blob:; "
        "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
    )
