"""Papers typeset by typst: a template and facts in, a PDF/A out. The same facts, the same bytes."""

import json
import struct
import unicodedata
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

import typst
from babel.dates import format_datetime

PAPERS = Path(__file__).with_name("templates")
_FONTS = Path(__file__).with_name("fonts")
_LOZENGE = "◊"
_SAID = "◊ — знак, которого нет в шрифтах документа"
_LIKE = {"→": "->", "←": "<-", "⇒": "=>", "✓": "+", "✔": "+", "✗": "x", "′": "'", "″": '"'}
"""Replacements for characters that the fonts lack."""


def typeset(
    template: Path,
    facts: Mapping[str, object],
    *,
    parts: Mapping[str, str] | None = None,
    standard: Literal["1.7", "a-2a", "a-3a"],
    at: datetime,
    tagged: bool = True,
    root: Path | None = None,
) -> bytes:
    """The PDF, unsigned. Takes some 20 ms: call it outside the event loop.

    The template reads `facts` as JSON from its input of that name, `parts` as they are, and
    pictures from the folder `root`. A character that the fonts lack is replaced by one with the
    same meaning, or else by «◊», since PDF/A allows no gaps; the footer then explains «◊». Raises
    typst.TypstError if the template cannot be set, which is a mistake of the program.
    """
    shown = json.dumps(_displayable(facts), ensure_ascii=False)
    if _LOZENGE in shown:
        said = {**facts, "footer": f"{facts['footer']} · {_SAID}"}
        shown = json.dumps(_displayable(said), ensure_ascii=False)
    inputs = {**(parts or {}), "facts": shown}
    made = typst.Compiler(
        template.read_bytes(), root=root or template.parent, font_paths=_fonts(), sys_inputs=inputs
    ).compile(
        format="pdf",
        pdf_standards=[standard],
        timestamp=int(at.timestamp()),
        pdf_tags=tagged,
    )
    if not isinstance(made, bytes):
        raise TypeError("typst gave no PDF")
    return made


def exact_moment(at: datetime, zone: ZoneInfo, clock: str = "HH:mm") -> str:
    """A moment as papers write it, with the offset of its zone: «…, 16:04 (UTC+3)»."""
    local = at.astimezone(zone)
    day = format_datetime(local, f"d MMMM y 'г.', {clock}", locale="ru")
    return f"{day} ({utc_shift(local)})"


def utc_shift(local: datetime) -> str:
    """The offset of a local time from UTC: «UTC+3»."""
    offset = local.strftime("%z")
    shift = f"UTC{offset[:3].replace('-', '−').replace('+0', '+').replace('−0', '−')}"
    return shift if offset[3:] == "00" else f"{shift}:{offset[3:]}"


@lru_cache(maxsize=1)
def _fonts() -> typst.Fonts:
    """Only our own fonts, so that every machine sets the same page."""
    return typst.Fonts(
        include_system_fonts=False,
        include_embedded_fonts=False,
        font_paths=[_FONTS],
    )


def _displayable(value: Any) -> Any:
    match value:
        case str():
            return displayable(value)
        case Mapping():
            return {key: _displayable(each) for key, each in value.items()}
        case list() | tuple():
            return [_displayable(each) for each in value]
        case _:
            return value


def displayable(text: str) -> str:
    """The text with a replacement for every character that one of our fonts lacks.

    The replacement is its plain form if it has one (a small nine, a letter with an accent), else a
    lozenge. Other blanks become plain ones; characters without width and control characters are
    removed.
    """
    known, text = _signs(), unicodedata.normalize("NFC", text)
    if known.issuperset(text):
        return text
    return "".join(sign if sign in known else _instead(sign) for sign in text)


def _instead(sign: str) -> str:
    if sign in "\n\t":
        return sign
    match unicodedata.category(sign):
        case "Zs":
            return "\u00a0"
        case "Cc" | "Cf" | "Mn":
            return ""
        case _:
            apart = unicodedata.normalize("NFKD", sign)
            base = "".join(each for each in apart if unicodedata.category(each) != "Mn")
            plain = _LIKE.get(sign, base)
            return plain if plain and _signs().issuperset(plain) else _LOZENGE


@lru_cache(maxsize=1)
def _signs() -> frozenset[str]:
    """The characters that all our fonts have."""
    fonts = sorted((_FONTS).glob("*.ttf"))
    return frozenset.intersection(*(frozenset(_covered(font.read_bytes())) for font in fonts))


def _covered(font: bytes) -> Iterator[str]:
    """The characters of a TrueType font, from a table of format 4 (OpenType 1.9, `cmap`)."""
    (tables,) = struct.unpack_from(">H", font, 4)
    entries = (struct.unpack_from(">4s4xII", font, 12 + 16 * n) for n in range(tables))
    cmap = next(offset for tag, offset, _ in entries if tag == b"cmap")
    (count,) = struct.unpack_from(">H", font, cmap + 2)
    for n in range(count):
        platform, encoding, offset = struct.unpack_from(">HHI", font, cmap + 4 + 8 * n)
        start = cmap + offset
        if (platform, encoding) == (3, 1) and font[start : start + 2] == b"\x00\x04":
            yield from _segments(font, start)
            return
    raise ValueError("a font without a table of its signs")


def _segments(font: bytes, start: int) -> Iterator[str]:
    (double,) = struct.unpack_from(">H", font, start + 6)
    number = double // 2
    ends = struct.unpack_from(f">{number}H", font, start + 14)
    rest = start + 16 + double
    begins = struct.unpack_from(f">{number}H", font, rest)
    deltas = struct.unpack_from(f">{number}H", font, rest + double)
    offsets = struct.unpack_from(f">{number}H", font, rest + 2 * double)
    for n in range(number):
        for code in range(begins[n], min(ends[n], 0xFFFE) + 1):
            glyph = code
            if offsets[n]:
                place = rest + 2 * double + 2 * n + offsets[n] + 2 * (code - begins[n])
                (glyph,) = struct.unpack_from(">H", font, place)
                if glyph == 0:
                    continue
            if (glyph + deltas[n]) & 0xFFFF:
                yield chr(code)
