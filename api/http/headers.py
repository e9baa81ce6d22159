"""Headers that forbid a browser whatever our pages do not need.

No script or style stands inside a page, so the policy needs neither nonces nor exceptions.
"""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "frame-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "object-src 'none'",
    )
)
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
TRANSPORT = "max-age=31536000; includeSubDomains"


class SecurityHeaders:
    """ASGI middleware: give every response those of the headers that its route has not set.

    A route that must differ (a document shown in a frame of ours) sets its own header. It also sets
    the cookie that `api.http.auth` left in `set_cookie` of the request's state.
    """

    def __init__(self, app: ASGIApp, *, https: bool = True) -> None:
        self._app = app
        headers = HEADERS | ({"Strict-Transport-Security": TRANSPORT} if https else {})
        self._headers = [(name.lower().encode(), value.encode()) for name, value in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and complete the headers of the response."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def complete(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {name.lower() for name, _ in message["headers"]}
                headers = [one for one in self._headers if one[0] not in given]
                if renewed := scope.get("state", {}).get("set_cookie"):
                    headers.append((b"set-cookie", renewed.encode("latin-1")))
                message["headers"] = [*message["headers"], *headers]
            await send(message)

        await self._app(scope, receive, complete)
