"""Reading signatures in a PDF; `crypto.pdf_signing` makes them."""

import re
from dataclasses import dataclass

_RANGE = re.compile(rb"/ByteRange \[(\d+) (\d+) (\d+) (\d+)\]")


@dataclass(frozen=True)
class PdfSignature:
    """The only signature of a PDF: a detached CMS, and the bytes that it covers."""

    covered: bytes
    value: bytes


def only_signature(pdf: bytes) -> PdfSignature:
    """The signature of a PDF that was signed once, as a whole. Raises ValueError otherwise."""
    ranges = [tuple(map(int, found)) for found in _RANGE.findall(pdf)]
    if len(ranges) != 1:
        raise ValueError("the PDF is not signed once")
    start, length, again, rest = ranges[0]
    gap = pdf[length:again]
    if start != 0 or again + rest != len(pdf) or gap[:1] + gap[-1:] != b"<>":
        raise ValueError("the signature does not cover the whole PDF")
    padded = bytes.fromhex(gap[1:-1].decode("ascii"))
    # DER contains its own length; the rest is space that was kept free.
    size = int.from_bytes(padded[2:4], "big") + 4
    return PdfSignature(pdf[:length] + pdf[again:], padded[:size])
