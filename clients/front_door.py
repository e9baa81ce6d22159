"""The front door as an outsider sees it: which TLS it speaks, and until when its certificate is
valid."""

import asyncio
import ssl
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from crypto.certificates import ends_at

PATIENCE = 5.0


@dataclass(frozen=True)
class DoorSeen:
    """What a handshake showed. `version` is empty where people are served without TLS."""

    version: str = ""
    older: bool = False
    """Whether the door also speaks TLS 1.2 or older."""
    valid_until: datetime | None = None


async def look(url: str) -> DoorSeen | None:
    """Shake hands with the server at this address, and once more with nothing above TLS 1.2.

    None where nobody answers. The certificate is read, not judged: a private authority is no fault.
    """
    parts = urlsplit(url)
    host, secure = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    if not secure:
        return DoorSeen() if await _shake(host, port, None) is not None else None
    seen = await _shake(host, port, ssl.TLSVersion.MAXIMUM_SUPPORTED)
    if seen is None:
        return None
    older = await _shake(host, port, ssl.TLSVersion.TLSv1_2)
    version, certificate = seen
    until = ends_at(certificate) if certificate is not None else None
    return DoorSeen(version, older is not None, until)


async def _shake(
    host: str, port: int, highest: ssl.TLSVersion | None
) -> tuple[str, bytes | None] | None:
    context = None
    if highest is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.maximum_version = highest
    try:
        async with asyncio.timeout(PATIENCE):
            _, writer = await asyncio.open_connection(host, port, ssl=context)
    except (OSError, TimeoutError, ssl.SSLError):
        return None
    shaken = writer.get_extra_info("ssl_object")
    found = (shaken.version() or "", shaken.getpeercert(binary_form=True)) if shaken else ("", None)
    writer.close()
    with suppress(OSError, ssl.SSLError, TimeoutError):
        async with asyncio.timeout(PATIENCE):
            await writer.wait_closed()
    return found
