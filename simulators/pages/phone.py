"""The page of a gateway to people's phones: its messages, newest first, searched by recipient."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from fastapi import APIRouter
from fastapi.responses import FileResponse, HTMLResponse
from jinja2 import Environment, FileSystemLoader

from simulators.faults import FaultSwitch
from simulators.pages.mail import linked

_FILES = Path(__file__).with_name("files")
_POLICY = (
    "default-src 'none'; style-src 'self'; img-src data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def page_of(template: str, found: Callable[[str], Sequence[Any]], switch: FaultSwitch) -> APIRouter:
    """The routes that people open; `found` gives the messages whose recipient contains a text."""
    router = APIRouter(include_in_schema=False)
    templates = Environment(loader=FileSystemLoader(_FILES), autoescape=True)
    templates.filters["linked"] = linked

    @router.get("/")
    async def listing(to: str = "") -> HTMLResponse:
        html = templates.get_template(template).render(
            messages=found(to), to=to, fault=switch.fault
        )
        return HTMLResponse(html, headers={"Content-Security-Policy": _POLICY})

    @router.get("/style.css")
    async def style() -> FileResponse:
        return FileResponse(_FILES / "style.css", media_type="text/css")

    return router
