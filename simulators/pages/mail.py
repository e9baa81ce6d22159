"""The pages of the mail server: a list that is searched by recipient, and one message."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup, escape

if TYPE_CHECKING:
    from simulators.mail import MailSink, StoredMessage

_FILES = Path(__file__).with_name("files")
_LINK = re.compile(r"https?://[^\s<>\"]+[^\s<>\".,;:!?)]")
_PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; frame-src 'self'; img-src 'self' data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_BODY_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation"
)


def linked(text: str) -> Markup:
    """Plain text with its addresses made clickable; everything else is escaped."""
    parts: list[Markup] = []
    end = 0
    for match in _LINK.finditer(text):
        parts.append(escape(text[end : match.start()]))
        parts.append(Markup('<a href="{0}">{0}</a>').format(match.group()))
        end = match.end()
    parts.append(escape(text[end:]))
    return Markup("").join(parts)


def pages_of(sink: "MailSink") -> APIRouter:
    """The routes that people open."""
    router = APIRouter(include_in_schema=False)
    templates = Environment(loader=FileSystemLoader(_FILES), autoescape=True)
    templates.filters["linked"] = linked

    def page(name: str, **facts: object) -> HTMLResponse:
        html = templates.get_template(name).render(**facts)
        return HTMLResponse(html, headers={"Content-Security-Policy": _PAGE_POLICY})

    def wanted(number: int) -> "StoredMessage":
        if number not in sink.messages:
            raise HTTPException(404, "no such message")
        return sink.messages[number]

    def same_site(request: Request) -> None:
        if request.headers.get("sec-fetch-site", "none") not in {"none", "same-origin"}:
            raise HTTPException(403, "only from this page")

    @router.get("/")
    async def listing(to: str = "") -> HTMLResponse:
        return page("list.html", messages=sink.found(to), to=to, fault=sink.fault)

    @router.get("/view/{number}")
    async def view(number: int) -> HTMLResponse:
        return page("message.html", message=wanted(number))

    @router.get("/html/{number}")
    async def body(number: int) -> HTMLResponse:
        html = wanted(number).html
        return HTMLResponse(html, headers={"Content-Security-Policy": _BODY_POLICY})

    @router.post("/delete/{number}")
    async def delete(number: int, request: Request) -> RedirectResponse:
        same_site(request)
        sink.delete([number])
        return RedirectResponse("/", status_code=303)

    @router.post("/delete")
    async def delete_all(request: Request) -> RedirectResponse:
        same_site(request)
        sink.delete(list(sink.messages))
        return RedirectResponse("/", status_code=303)

    @router.get("/style.css")
    async def style() -> FileResponse:
        return FileResponse(_FILES / "style.css", media_type="text/css")

    return router
