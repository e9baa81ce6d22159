"""The client of subscribers: one POST to an address that somebody typed.

Such an address may lead anywhere. Only public addresses are called, and those networks that the
settings name; the name is looked up once, and what it led to is what is connected to.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cached_property
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

import httpx

from clients.answers import answer
from rules.subscribers import LONGEST_ADDRESS

MOST_OCTETS = 16 * 1024
"""How much of an answer is read; nothing in it is used."""
WITHIN = 10.0
"""Seconds for a whole call."""
_TRANSLATED = IPv6Network("64:ff9b::/96")
"""Addresses behind which a gateway finds one of IPv4, whichever it is."""

Address = IPv4Address | IPv6Address


class AddressError(ValueError):
    """Nothing is sent to such an address; the message is a code."""


class CallFailed(Exception):
    """There was no answer, or none that ends; the message is a code."""


def parsed(url: str, near: str) -> SplitResult:
    """An address taken apart, if it can be one of a subscriber.

    `near` are networks, comma separated, that may be called though they are not public, also
    without encryption. Raises AddressError.
    """
    if len(url) > LONGEST_ADDRESS or not url.isascii() or any(one <= " " for one in url):
        raise AddressError("form")
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname
    except ValueError:
        raise AddressError("form") from None
    if parts.scheme not in ("https", "http") or not host or port == 0:
        raise AddressError("form")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise AddressError("form")
    try:
        literal = ip_address(host)
    except ValueError:
        literal = None
    if literal is not None and not _may_call(literal, near):
        raise AddressError("private")
    if parts.scheme == "http" and not near.strip():
        raise AddressError("unencrypted")
    return parts


class SubscriberClient:
    """Calls subscribers; safe to share between tasks."""

    def __init__(self, near: str, within: float = WITHIN) -> None:
        self._near = near
        self._within = within

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        """The authorities of certifi, or of `SSL_CERT_FILE`, read at the first call."""
        return httpx.create_ssl_context()

    @asynccontextmanager
    async def line(self, url: str) -> AsyncIterator["SubscriberLine"]:
        """Connections to one subscriber: no other is ever reached by them. Raises AddressError."""
        parts = parsed(url, self._near)
        async with httpx.AsyncClient(
            timeout=httpx.Timeout(self._within, connect=min(self._within, 5.0)),
            verify=self._tls,
            trust_env=False,
            follow_redirects=False,
        ) as http:
            yield SubscriberLine(http, parts, self._near, self._within)


class SubscriberLine:
    """The line to one subscriber."""

    def __init__(
        self, http: httpx.AsyncClient, parts: SplitResult, near: str, within: float
    ) -> None:
        self._http = http
        self._parts = parts
        self._near = near
        self._within = within

    async def post(self, body: bytes, headers: Mapping[str, str]) -> int:
        """Send once. Returns the HTTP status; redirects are not followed. Raises CallFailed."""
        parts, host = self._parts, self._parts.hostname or ""
        port = parts.port or (443 if parts.scheme == "https" else 80)
        try:
            async with asyncio.timeout(self._within):
                address = await self._looked_up(host, port)
        except TimeoutError:
            raise CallFailed("name") from None
        shown = f"[{address}]" if address.version == 6 else str(address)
        where = httpx.URL(
            f"{parts.scheme}://{shown}:{port}{parts.path or '/'}"
            + (f"?{parts.query}" if parts.query else "")
        )
        named = f"[{host}]" if ":" in host else host
        own = {**headers, "Host": f"{named}:{parts.port}" if parts.port else named}
        try:
            reply = await answer(
                self._http,
                "POST",
                str(where),
                within=self._within,
                limit=MOST_OCTETS,
                content=body,
                headers=own,
                # The certificate has to be that of the name, not of the address.
                extensions={"sni_hostname": host},
            )
        except httpx.HTTPError as error:
            raise CallFailed(_code(error)) from None
        return reply.status_code

    async def _looked_up(self, host: str, port: int) -> Address:
        """The first address of a name, if all of its addresses may be called."""
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, port)
        except OSError:
            raise CallFailed("name") from None
        addresses: Sequence[Address] = [ip_address(one[4][0]) for one in found]
        encrypted = self._parts.scheme == "https"
        if not addresses or not all(
            _may_call(one, self._near) and (encrypted or _is_near(one, self._near))
            for one in addresses
        ):
            raise CallFailed("private")
        return addresses[0]


def _code(error: httpx.HTTPError) -> str:
    match error:
        case httpx.TimeoutException():
            return "timeout"
        case httpx.ConnectError():
            return "connect"
        case httpx.DecodingError():
            return "endless"
        case _:
            return "broken"


def _may_call(address: Address, near: str) -> bool:
    plain = _plain(address)
    if _is_near(plain, near):
        return True
    if isinstance(plain, IPv6Address) and (
        plain.sixtofour or plain.teredo or plain in _TRANSLATED or plain.is_site_local
    ):
        return False
    return plain.is_global and not plain.is_multicast


def _is_near(address: Address, near: str) -> bool:
    plain = _plain(address)
    networks = (ip_network(one.strip()) for one in near.split(",") if one.strip())
    return any(plain in network for network in networks)


def _plain(address: Address) -> Address:
    """The address of IPv4 where one of IPv6 stands for it."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
