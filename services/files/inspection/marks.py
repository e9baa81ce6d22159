"""Whether a page shows a seal or a signature. Runs only inside a process that can be killed.

Seals and signatures of papers are blue, violet or red, and print is black: a small patch of such
colour is a mark. It proves nothing; it says where there is certainly none.
"""

from PIL import Image

_LONGEST = 256
_LEAST = 12
"""Pixels of colour on a page that is 256 pixels long: a signature of some 2 cm."""
_MOST = 0.25
"""A page of which more is coloured is a photograph, or printed on coloured paper."""
_SATURATED, _LIGHT, _DARK = 70, 245, 40


def has_mark(page: Image.Image) -> bool:
    """Whether ink of a seal or signature is on the page."""
    small = page.convert("RGB")
    small.thumbnail((_LONGEST, _LONGEST))
    octets = small.convert("HSV").tobytes()
    pixels = zip(octets[::3], octets[1::3], octets[2::3], strict=True)
    found = sum(
        saturation > _SATURATED and _DARK < value < _LIGHT and _is_ink(hue)
        for hue, saturation, value in pixels
    )
    return _LEAST <= found <= _MOST * small.width * small.height


def _is_ink(hue: int) -> bool:
    """Blue, violet or red, of 256 hues around the circle."""
    return 140 <= hue <= 215 or hue >= 240 or hue <= 6
