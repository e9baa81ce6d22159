"""Renders templates into pages: one Jinja environment, strict about names it does not know.

Every page is rendered with `frame` (the layout's view), the gettext functions and the filters of
`words.formats`, in the language and zone of the request.
"""

from functools import cache
from pathlib import Path
from typing import Any

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from cabinet.frame import states
from cabinet.frame.assets import assets, icon_source
from cabinet.frame.views import Frame
from words import translation
from words.formats import FILTERS
from words.translation import Presentation, presented

TEMPLATES = Path(__file__).parents[1] / "templates"


def icon(name: str, css: str = "") -> Markup:
    """An icon as inline SVG, hidden from screen readers."""
    classes = f"icon {css}".strip()
    return Markup(  # noqa: S704 - the source is a vendored file, the class is ours
        f'<svg class="{classes}" viewBox="0 0 24 24" aria-hidden="true" focusable="false">'
        f"{icon_source(name)}</svg>"
    )


@cache
def environment() -> Environment:
    """The templates, compiled once per process."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
    )
    made.install_gettext_callables(  # type: ignore[attr-defined]
        translation.gettext, translation.ngettext, newstyle=True
    )
    made.filters.update(FILTERS)
    made.globals.update(
        icon=icon,
        static=assets().url,
        state_of=states.state_of,
        languages=translation.LANGUAGES,
    )
    return made


def render(template: str, presentation: Presentation, **context: Any) -> str:
    """The text of a template. Raises UndefinedError when it uses a name that was not given."""
    with presented(presentation):
        return (
            environment().get_template(template).render(language=presentation.language, **context)
        )


def page(
    template: str,
    presentation: Presentation,
    frame: Frame,
    *,
    status: int = 200,
    headers: dict[str, str] | None = None,
    **context: Any,
) -> HTMLResponse:
    """A whole page as a response. Personal pages are never kept by a cache."""
    body = render(template, presentation, frame=frame, **context)
    kept = {"Cache-Control": "no-store", "Content-Language": presentation.language}
    return HTMLResponse(body, status_code=status, headers={**kept, **(headers or {})})
