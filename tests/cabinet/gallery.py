"""A gallery of every page with invented contents: `python -m tests.cabinet.gallery PORT`.

For those who draw: the same templates, styles and headers as in the cabinet, no servers behind.
`?theme=dark` and `?language=en` choose how a page is shown.
"""

import sys
from dataclasses import replace

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse

from api.http.compression import Compressed
from api.http.headers import SecurityHeaders
from cabinet.frame import installable
from cabinet.frame.assets import router as static_files
from cabinet.frame.rendering import page
from tests.cabinet.samples import SAMPLES
from tests.cabinet.samples.desk import DESK_SAMPLES
from words.translation import Presentation

PAGES = SAMPLES | DESK_SAMPLES

SHEET = '<svg xmlns="http://www.w3.org/2000/svg" width="800" height="1131"/>'
"""The page of a document."""


def gallery() -> FastAPI:
    """The gallery as an application."""
    app = FastAPI()
    app.add_middleware(Compressed)
    app.add_middleware(SecurityHeaders, https=False)
    app.include_router(static_files)

    @app.get("/", response_class=HTMLResponse)
    async def contents() -> str:
        links = "".join(f'<li><a href="/{name}">{name}</a></li>' for name in PAGES)
        return f"<!doctype html><title>Gallery</title><ul>{links}</ul>"

    @app.get("/accreditations/{name}/live")
    @app.get("/applications/{name}/live")
    async def nothing_new(name: str) -> Response:
        return Response(status_code=304)

    app.add_api_route("/sw.js", installable.service_worker)

    @app.get("/notices/bell")
    async def bell() -> Response:
        return Response(status_code=304)

    @app.get("/desk/cases/{name}/live/{step}")
    @app.get("/accreditations/{name}/live/{step}")
    @app.get("/applications/{name}/live/{step}")
    async def nothing_moved(name: str, step: int) -> Response:
        return Response(status_code=304)

    @app.post("/desk/cases/{name}/reading")
    @app.post("/accreditations/{name}/reading")
    @app.post("/applications/{name}/reading")
    async def read(name: str) -> Response:
        return Response(status_code=204)

    @app.get("/page.svg")
    async def sheet() -> Response:
        return Response(SHEET, media_type="image/svg+xml")

    @app.get("/{name}")
    async def show(name: str, request: Request) -> HTMLResponse:
        sample = PAGES[name]
        language = request.query_params.get("language", "ru")
        theme = request.query_params.get("theme", "system")
        frame = replace(sample.frame, language=language, theme=theme)  # type: ignore[arg-type]
        return page(sample.template, Presentation(language), frame, **sample.context)

    return app


if __name__ == "__main__":
    uvicorn.run(gallery(), host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
