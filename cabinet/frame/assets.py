"""Stylesheets, scripts, fonts and icons, served from memory under a versioned address.

The version is a digest of everything static, so a browser may keep a file for a year and still sees
a change at once. The stylesheet is one file: the vendored one in a cascade layer of its own, ours
above it in the order given here.
"""

import gzip
import hashlib
import mimetypes
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fastapi import APIRouter, Request, Response

from api.http.entrance import CleanRoute
from rules.refusals import not_found

STATIC_FOLDER = Path(__file__).parents[1] / "static"
STYLESHEETS = (
    "tokens",
    "base",
    "header",
    "frame",
    "forms",
    "lists",
    "case",
    "case-now",
    "files",
    "notices",
    "requests",
    "results",
    "desk",
    "desk-table",
    "desk-case",
    "archive",
    "conversation",
    "schedule",
    "administration",
    "records",
    "print",
)
_VENDORED_STYLE = "vendor/govuk-frontend/govuk-frontend.min.css"
_SERVED = {".css", ".js", ".svg", ".woff2", ".png", ".webmanifest"}
_COMPRESSED = {".css", ".js", ".svg", ".webmanifest"}

router = APIRouter(route_class=CleanRoute, include_in_schema=False)


@dataclass(frozen=True)
class Asset:
    """One file, ready to be sent."""

    body: bytes
    media_type: str
    gzipped: bytes | None


@dataclass(frozen=True)
class Assets:
    """All static files of one version, by their path below `static/`."""

    version: str
    files: Mapping[str, Asset]

    def url(self, path: str) -> str:
        """The address of a file. Raises KeyError for one that is not there."""
        if path not in self.files:
            raise KeyError(path)
        return f"/static/{self.version}/{path}"


def _stylesheet() -> bytes:
    vendored = (STATIC_FOLDER / _VENDORED_STYLE).read_text("utf-8")
    vendored = vendored.removeprefix('@charset "UTF-8";').split("/*# sourceMappingURL")[0]
    # Its typeface and crest belong to one government: ours replace them, or nothing does.
    vendored = re.sub(r"@font-face\{[^}]*\}", "", vendored)
    vendored = re.sub(r"url\([\"']?/assets/[^)]*\)", "none", vendored)
    vendored = vendored.replace("GDS Transport,arial,sans-serif", "inherit")
    ours = ((STATIC_FOLDER / "css" / f"{name}.css").read_text("utf-8") for name in STYLESHEETS)
    return "\n".join(['@charset "UTF-8";', f"@layer vendored {{{vendored}}}", *ours]).encode()


def _asset(path: str, body: bytes) -> Asset:
    suffix = Path(path).suffix
    media = {
        ".woff2": "font/woff2",
        ".js": "text/javascript",
        ".webmanifest": "application/manifest+json",
    }
    media_type = media.get(suffix) or mimetypes.guess_type(path)[0] or "application/octet-stream"
    packed = gzip.compress(body, mtime=0) if suffix in _COMPRESSED else None
    return Asset(body, media_type, packed)


@cache
def assets() -> Assets:
    """Everything static, read once."""
    bodies = {
        path.relative_to(STATIC_FOLDER).as_posix(): path.read_bytes()
        for path in sorted(STATIC_FOLDER.rglob("*"))
        if path.suffix in _SERVED and "css" not in path.relative_to(STATIC_FOLDER).parts[:1]
    }
    bodies["medcab.css"] = _stylesheet()
    digest = hashlib.sha256()
    for path, body in bodies.items():
        digest.update(path.encode() + b"\0" + hashlib.sha256(body).digest())
    return Assets(
        version=digest.hexdigest()[:12],
        files={path: _asset(path, body) for path, body in bodies.items()},
    )


@cache
def icon_source(name: str) -> str:
    """The SVG of a vendored icon without its wrapping comment. Raises FileNotFoundError."""
    source = (STATIC_FOLDER / "vendor" / "lucide" / f"{name}.svg").read_text("utf-8")
    return source[source.index(">", source.index("<svg")) + 1 : source.rindex("</svg>")].strip()


@router.get("/static/{version}/{path:path}")
async def static_file(version: str, path: str, request: Request) -> Response:
    """A static file. An outdated version is answered with the present file, which is not cached."""
    held = assets()
    asset = held.files.get(path)
    if asset is None:
        raise not_found()
    fresh = version == held.version
    headers = {
        "Cache-Control": "public, max-age=31536000, immutable" if fresh else "no-cache",
        "Vary": "Accept-Encoding",
    }
    if asset.gzipped is not None and "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Response(asset.gzipped, media_type=asset.media_type, headers=headers)
    return Response(asset.body, media_type=asset.media_type, headers=headers)
