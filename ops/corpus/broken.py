"""PDFs that are damaged, locked, endless or something else; and files that change by chance."""

import io
import re
import zlib
from collections.abc import Callable, Mapping
from functools import cache
from random import Random
from typing import Literal

import pikepdf
from pikepdf import Encryption
from PIL import Image

from ops.corpus.active import ACTIVE
from ops.corpus.papers import office
from ops.corpus.pictures import photograph
from ops.corpus.writing import PAGES, Sketch, disguised, stream, written

_ZIP = b"PK\x03\x04" + bytes(26) + b"PK\x05\x06" + bytes(18)
_MB = 1 << 20


def _cut(rng: Random) -> bytes:
    made = office(rng)
    return made[: rng.randint(9, len(made) - 8)]


def _preceded(rng: Random) -> bytes:
    before = (b"\n", b"\xef\xbb\xbf", b"HTTP/1.1 200 OK\r\n\r\n", b"\0" * rng.randint(1, 900), b"x")
    return rng.choice(before) + office(rng)


def _wrong_table(rng: Random) -> bytes:
    """Something about the table of objects is wrong, which readers repair each in its own way."""
    made = office(rng)
    table = made.rindex(b"xref\n0 ")
    harm: tuple[Callable[[], bytes], ...] = (
        lambda: made[:table] + b"junk " * rng.randint(1, 9) + made[table:],
        lambda: made.replace(b"\n3 0 obj", b"\n" * rng.randint(3, 30) + b"3 0 obj", 1),
        lambda: re.sub(rb"startxref\n\d+", b"startxref\n%d" % rng.randrange(len(made)), made),
        lambda: made[:table] + b"yref" + made[table + 4 :],
        lambda: made.replace(b"trailer", b"trailor"),
        lambda: made.replace(b"/Root 1 0 R", b"/Root 77 0 R"),
        lambda: made.replace(b"\n2 0 obj", b"\n9 0 obj", 1),
        lambda: made.replace(b"%%EOF", b"%%EOX"),
    )
    return rng.choice(harm)()


def _wrong_object(rng: Random) -> bytes:
    """One object is not what it must be."""
    made = rng.choice(
        (
            Sketch(b"", b"/Contents 4 0 R", (b"<< /Length 4 >>\nstream\nq Q q Q q Q\nendstream",)),
            Sketch(b"/PageMode /UseNone /PageMode /UseOutlines"),
            Sketch(b"", b"/Contents 4 0 R", (b"<< /Length 4 >>\nstream\nq Q",)),
            Sketch(b"", b"/X << /A ", ()),
            Sketch(b"", b"/X [1 2 (open", ()),
        )
    )
    return written(made.objects)


def _ring(rng: Random) -> bytes:
    """A tree of pages that leads back to itself."""
    root = b"<< /Type /Catalog /Pages 2 0 R >>"
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>"
    node = b"<< /Type /Pages /Kids [%s] /Count %d /Parent 2 0 R >>"
    rings = (
        [root, node % (b"2 0 R", 1)],
        [root, node % (b"3 0 R 2 0 R", 2), page],
        [root, node % (b"3 0 R", 1), node % (b"4 0 R", 1), node % (b"2 0 R", 1)],
        [root, node % (b"3 0 R", 1), node % (b"3 0 R", 1)],
        [root, node % (b"3 0 R 4 0 R", 2), page, node % (b"4 0 R 3 0 R", rng.randint(1, 99))],
    )
    return written(rng.choice(rings))


def _earlier_ring(rng: Random) -> bytes:
    """A table of objects whose predecessor is itself."""
    made = written(Sketch().objects, trailer=b"/Prev 0000000000")
    table = made.rindex(b"xref\n0 ")
    return made.replace(b"/Prev 0000000000", b"/Prev %010d" % table)


def _encrypted(rng: Random) -> bytes:
    """Locked by a password to open, or only by one to change, by each method there is."""
    ways: tuple[Literal[2, 3, 4, 6], ...] = (2, 3, 4, 6)
    way, out = rng.choice(ways), io.BytesIO()
    user = rng.choice(("", "secret"))
    lock = Encryption(user=user, owner="other", R=way, aes=way >= 4, metadata=way >= 4)
    with pikepdf.open(io.BytesIO(office(rng))) as document:
        document.save(out, encryption=lock)
    return out.getvalue()


def _gigantic(rng: Random) -> bytes:
    side = rng.choice((3700, 14400, 200_000, 10**9))
    box = b"[0 0 %d 842]" % side if rng.random() < 0.5 else b"[-%d 0 0 %d]" % (side, side)
    objects = [one.replace(b"[0 0 595 842]", box) for one in Sketch().objects]
    return written(objects)


def _too_many_pages(rng: Random) -> bytes:
    number = rng.randint(201, 2000)
    objects = Sketch().objects
    kids = b" ".join(b"%d 0 R" % n for n in range(3, 3 + number))
    objects[1] = b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, number)
    return written([*objects, *[objects[2]] * (number - 1)])


def _no_page(rng: Random) -> bytes:
    objects = Sketch().objects
    objects[1] = b"<< /Type /Pages /Kids [] /Count %d >>" % rng.choice((0, 0, 1, 5))
    return written(objects)


@cache
def _zeros(megabytes: int) -> bytes:
    packer = zlib.compressobj(1)
    return b"".join(packer.compress(bytes(_MB)) for _ in range(megabytes)) + packer.flush()


def _bomb(rng: Random) -> bytes:
    """A little that unpacks to very much: at once, through filters, in pieces, or as objects."""
    packed = _zeros(rng.choice((300, 600)))
    flate = b"/FlateDecode"
    ways = (
        ((packed, flate),),
        ((zlib.compress(packed), b"[/FlateDecode /FlateDecode]"),),
        ((packed.hex().encode() + b">", b"[/ASCIIHexDecode /FlateDecode]"),),
        ((_zeros(30), flate),) * 10,
    )
    more = [stream(b"/Filter %s" % named, content) for content, named in rng.choice(ways)]
    return written(Sketch(b"", b"/Contents 4 0 R", tuple(more)).objects)


def _object_bomb(rng: Random) -> bytes:
    """A stream of objects that unpacks to very much."""
    held = stream(b"/Type /ObjStm /N 1 /First 4 /Filter /FlateDecode", _zeros(600))
    objects = [*Sketch().objects, held]
    made = bytearray(written(objects))
    table = bytes(made[made.rindex(b"xref\n0 ") :])
    places = [int(one) for one in re.findall(rb"(\d{10}) 00000 n", table)]
    del made[made.rindex(b"xref\n0 ") :]
    rows = b"\0" + bytes(5) + b"".join(b"\1" + at.to_bytes(4) + b"\0" for at in places)
    rows += b"\2" + (4).to_bytes(4) + b"\0" + b"\1" + len(made).to_bytes(4) + b"\0"
    entries = b"/Type /XRef /W [1 4 1] /Root 1 0 R /Size %d" % (len(rows) // 6)
    start = len(made)
    made += b"%d 0 obj\n%s\nendobj\n" % (len(places) + 2, stream(entries, rows))
    return bytes(made) + b"startxref\n%d\n%%%%EOF\n" % start


def _picture_bomb(rng: Random) -> bytes:
    side = rng.randint(8000, 200_000)
    entries = b"/Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace /DeviceGray"
    shown = stream(entries % (side, side) + b" /BitsPerComponent 1", b"\0")
    return written(Sketch(b"", b"/Resources << /XObject << /Im0 4 0 R >> >>", (shown,)).objects)


def _nested(rng: Random) -> bytes:
    """Arrays or dictionaries, a hundred deep and more, with an action at the bottom."""
    deep = rng.choice((90, 400, 450, 600, 5000, 100_000))
    inside = b"<< /S /JavaScript /JS (x) >>"
    opens, closes = rng.choice(((b"[", b"]"), (b"<< /A ", b" >>")))
    return written(Sketch(b"", b"/X " + opens * deep + inside + closes * deep).objects)


def _deep_tree(rng: Random) -> bytes:
    """A tree of pages that is thousands of nodes deep, and too deep for a reader's stack."""
    deep = rng.choice((3000, 30_000))
    nodes = [
        b"<< /Type /Pages /Kids [%d 0 R] /Count 1 /Parent %d 0 R >>" % (n + 1, n - 1)
        for n in range(3, 3 + deep)
    ]
    page = b"<< /Type /Page /Parent %d 0 R /MediaBox [0 0 9 9] >>" % (2 + deep)
    return written([b"<< /Type /Catalog /Pages 2 0 R >>", PAGES, *nodes, page])


def _many_objects(rng: Random) -> bytes:
    return written([*Sketch().objects, *[b"null", b"[0]"] * 101_000])


def wrong_type(rng: Random) -> bytes:
    """Something else under the name of a PDF or JPEG."""
    out = io.BytesIO()
    Image.new("RGB", (9, 9)).save(out, rng.choice(("PNG", "GIF", "TIFF", "BMP", "WEBP")))
    return rng.choice(
        (
            out.getvalue(), _ZIP, b"MZ" + bytes(400), b"<html><script>x</script></html>",
            b"just text", b"\0\0\0\x24ftypheic" + bytes(400), b"GIF89a/*%PDF-1.7*/=1;alert(1)//",
            b"#!/bin/sh\ncalc\n", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), b"\0", b"%PDF",
            b"{\\rtf1\\ansi a}", b"<?xml version='1.0'?><svg/>", bytes(rng.randbytes(500)),
        )
    )  # fmt: skip


def _polyglot(rng: Random) -> bytes:
    """A PDF that another program takes for something of its own."""
    made = office(rng)
    inside = stream(b"", _ZIP[:-2] + b"\x20\0")
    return rng.choice(
        (
            made + _ZIP,
            made + b"%" + bytes(30) + _ZIP[:-2] + b"\x05\0" + b"%%EOF",
            made + rng.randbytes(3000),
            made + b"\n<html>" + b"a" * 2000,
            b"MZ" + made,
            b"<script>/*" + made,
            b"\xff\xd8\xff\xfe\xff\xff" + made,
            b"PK\x03\x04" + bytes(26) + made,
            written(Sketch(more=(inside,)).objects),
        )
    )


def _changed(made: bytes, rng: Random) -> bytes:
    """The file with a few bytes changed, taken away or doubled."""
    out = bytearray(made)
    for _ in range(rng.choice((1, 1, 3, 20))):
        at, length = rng.randrange(len(out)), rng.randint(1, 30)
        match rng.randrange(3):
            case 0:
                out[at] = rng.randrange(256)
            case 1 if len(out) > 100:
                del out[at : at + length]
            case _:
                out[at:at] = out[at : at + length]
    return bytes(out)


def changed_pdf(rng: Random) -> bytes:
    """A good PDF changed by chance: it may still be good."""
    return _changed(office(rng), rng)


def changed_active(rng: Random) -> bytes:
    """A PDF with something active, changed by chance: it may be active no longer."""
    return _changed(disguised(rng.choice(list(ACTIVE.values()))(rng), rng), rng)


def changed_jpeg(rng: Random) -> bytes:
    """A photograph changed by chance: it may only look different."""
    return _changed(photograph(rng), rng)


BROKEN: Mapping[str, Callable[[Random], bytes]] = {
    "PDF cut off": _cut,
    "something before the header": _preceded,
    "table of objects that needs repair": _wrong_table,
    "object that needs repair": _wrong_object,
    "pages in a ring": _ring,
    "tables in a ring": _earlier_ring,
    "encrypted": _encrypted,
    "gigantic page": _gigantic,
    "too many pages": _too_many_pages,
    "no page": _no_page,
    "polyglot": _polyglot,
}
HEAVY: Mapping[str, Callable[[Random], bytes]] = {
    "bomb": _bomb,
    "bomb of objects": _object_bomb,
    "bomb of a picture": _picture_bomb,
    "nested beyond reason": _nested,
    "deep tree of pages": _deep_tree,
    "objects without number": _many_objects,
}
