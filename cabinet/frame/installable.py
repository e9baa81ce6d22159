"""What makes the cabinet an application on a phone: manifest, service worker, an offline page.

The service worker is served at the root, so that it may show notices for the whole cabinet. It
caches one page and nothing about any person. It holds the version of the static files, so that a
browser fetches it anew with every release.
"""

from functools import cache

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from api.container import ContainerDep
from api.http.auth import OPEN_TO_ALL
from api.http.entrance import CleanRoute
from cabinet.frame.assets import STATIC_FOLDER, assets
from cabinet.frame.visits import Outside
from words.translation import gettext

router = APIRouter(route_class=CleanRoute, include_in_schema=False, dependencies=[OPEN_TO_ALL])

NOT_KEPT = {"Cache-Control": "no-cache"}


@router.get("/manifest.webmanifest")
async def manifest(container: ContainerDep) -> Response:
    """The web app manifest: name, icons and the page to begin with."""
    url = assets().url
    icons = [
        {"src": url(f"icons/app-{size}.png"), "sizes": f"{size}x{size}", "type": "image/png"}
        for size in (192, 512)
    ]
    maskable = {
        "src": url("icons/app-maskable-512.png"),
        "sizes": "512x512",
        "type": "image/png",
        "purpose": "maskable",
    }
    return JSONResponse(
        {
            "id": "/",
            "name": f"Личный кабинет медработника. {container.settings.institution}",
            "short_name": "Кабинет",
            "description": "Заявки, запросы, документы и уведомления медицинского работника",
            "lang": "ru",
            "start_url": "/",
            "scope": "/",
            "display": "standalone",
            "background_color": "#f6f8fb",
            "theme_color": "#ffffff",
            "icons": [*icons, maskable],
        },
        media_type="application/manifest+json",
        headers=NOT_KEPT,
    )


@cache
def _worker() -> str:
    kept = ["/offline", assets().url("medcab.css"), assets().url("icons/mark.svg")]
    names = ", ".join(f'"{url}"' for url in kept)
    source = (STATIC_FOLDER / "worker" / "sw.js").read_text("utf-8")
    named = {"VERSION": f'"{assets().version}"', "KEPT": f"[{names}]"}
    named["ICON"] = f'"{assets().url("icons/app-192.png")}"'
    return "".join(f"const {name} = {value};\n" for name, value in named.items()) + source


@router.get("/sw.js")
async def service_worker() -> Response:
    """The service worker."""
    return Response(_worker(), media_type="text/javascript", headers=NOT_KEPT)


@router.get("/offline")
async def offline(visit: Outside) -> Response:
    """What an installed cabinet shows without a connection; the same for everybody."""
    return visit.page("errors/offline.html", title=gettext("Нет связи с кабинетом"))
