"""DER values encoded by hand (X.690), where a general library would take most of the time."""

from asn1crypto import core  # type: ignore[import-untyped]

SEQUENCE, SET, OCTETS, BITS, FIRST, SECOND, THIRD = 0x30, 0x31, 0x04, 0x03, 0xA0, 0xA1, 0xA2
"""Tags. The last three are explicit context tags, [0] to [2]."""


def der(tag: int, *parts: bytes) -> bytes:
    """Encode one value: tag, length, contents (X.690, 8.1)."""
    body = b"".join(parts)
    if len(body) < 128:
        return bytes((tag, len(body))) + body
    size = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(size))) + size + body


def oid(name: str) -> bytes:
    """Encode an object identifier, given with dots."""
    return bytes(core.ObjectIdentifier(name).dump())


def number(value: int) -> bytes:
    """Encode an integer."""
    return bytes(core.Integer(value).dump())


def attribute(kind: bytes, value: bytes) -> bytes:
    """Encode a CMS attribute with one value."""
    return der(SEQUENCE, kind, der(SET, value))
