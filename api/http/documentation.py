"""The API's documentation, drawn by Swagger UI. All its files are served from here."""

import gzip
from functools import cache
from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from api.http.auth import OPEN_TO_ALL
from api.http.entrance import CleanRoute
from rules.refusals import not_found

router = APIRouter(route_class=CleanRoute, include_in_schema=False, dependencies=[OPEN_TO_ALL])

_FOLDER = Path(__file__).parent / "static"
_FILES = {
    "docs.js": (_FOLDER / "docs.js", "text/javascript; charset=utf-8"),
    "swagger-ui-bundle.js": (
        _FOLDER / "swagger-ui" / "swagger-ui-bundle.js",
        "text/javascript; charset=utf-8",
    ),
    "swagger-ui.css": (_FOLDER / "swagger-ui" / "swagger-ui.css", "text/css; charset=utf-8"),
}
_PAGE = """<!doctype html>
<html lang="ru">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Medcab API</title>
<link rel="stylesheet" href="/api/docs/swagger-ui.css">
</head>
<body>
<div id="docs"></div>
<script src="/api/docs/swagger-ui-bundle.js"></script>
<script src="/api/docs/docs.js"></script>
</body>
</html>
"""


@cache
def _packed(name: str) -> bytes:
    return gzip.compress(_FILES[name][0].read_bytes(), mtime=0)


@router.get("/api/docs")
async def read_documentation() -> HTMLResponse:
    """The page that shows the documentation."""
    return HTMLResponse(_PAGE)


@router.get("/api/docs/{name}")
async def read_file(name: str, request: Request) -> Response:
    """One of the files that the page is made of."""
    if name not in _FILES:
        raise not_found()
    path, media_type = _FILES[name]
    headers = {"Cache-Control": "public, max-age=86400", "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Response(_packed(name), media_type=media_type, headers=headers)
    return Response(path.read_bytes(), media_type=media_type, headers=headers)
