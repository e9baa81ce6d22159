"""PDFs written byte by byte, and the disguises in which the same objects can come."""

import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

import pikepdf

HEADER = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
PAGES = b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
PAGE = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] %s >>"
_ACTIVE_NAME = re.compile(
    rb"/(JavaScript|JS|Launch|SubmitForm|ImportData|GoToR|GoToE|Rendition|RichMedia|Movie|Sound"
    rb"|EmbeddedFiles?|EF|XFA|AA|OpenAction|URI|FileAttachment|Thread)\b"
)
_KIND_OF_ACTION = re.compile(rb"/(S|Subtype) (/[A-Za-z3]+)")


@dataclass(frozen=True)
class Sketch:
    """The objects of a PDF of one page: entries of the catalogue and of the page, and the rest.

    The catalogue is object 1, its pages 2, the page 3; `more` are numbered from 4.
    """

    catalogue: bytes = b""
    page: bytes = b""
    more: tuple[bytes, ...] = ()

    @property
    def objects(self) -> list[bytes]:
        """All objects in the order of their numbers."""
        root = b"<< /Type /Catalog /Pages 2 0 R %s >>" % self.catalogue
        return [root, PAGES, PAGE % self.page, *self.more]


def literal(text: bytes) -> bytes:
    """A string object."""
    return b"(" + re.sub(rb"([()\\])", rb"\\\1", text) + b")"


def stream(entries: bytes, content: bytes) -> bytes:
    """A stream object."""
    return b"<< %s /Length %d >>\nstream\n%s\nendstream" % (entries, len(content), content)


def written(objects: Sequence[bytes], root: bytes = b"1 0 R", trailer: bytes = b"") -> bytes:
    """A PDF of these objects, its table of objects right."""
    out, places = bytearray(HEADER), []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d /Root %s %s >>\n" % (len(objects) + 1, root, trailer)
    return bytes(out) + b"startxref\n%d\n%%%%EOF\n" % start


def updated(before: bytes, objects: Sequence[bytes]) -> bytes:
    """The file with a later section appended that replaces or adds all of these objects."""
    out, places = bytearray(before), []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start, earlier = len(out), before.rindex(b"startxref\n") + len(b"startxref\n")
    out += b"xref\n1 %d\n" % len(objects)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d /Root 1 0 R /Prev %s >>\n" % (
        len(objects) + 1,
        before[earlier : before.index(b"\n", earlier)],
    )
    return bytes(out) + b"startxref\n%d\n%%%%EOF\n" % start


def saved(content: bytes, *, packed: bool = False, linear: bool = False) -> bytes:
    """The file as qpdf writes it, on wish with objects in object streams, or linearized."""
    out = io.BytesIO()
    mode = pikepdf.ObjectStreamMode
    with pikepdf.open(io.BytesIO(content)) as document:
        document.save(
            out,
            object_stream_mode=mode.generate if packed else mode.disable,
            linearize=linear,
            fix_metadata_version=False,  # It would make broken metadata anew.
        )
    return out.getvalue()


def _escaped(sketch: Sketch, rng: Random) -> bytes:
    def hide(found: re.Match[bytes]) -> bytes:
        letters = [b"#%02x" % one if rng.random() < 0.5 else bytes([one]) for one in found[1]]
        letters[0] = b"#%02X" % found[1][0]
        return b"/" + b"".join(letters)

    def spelled(one: bytes) -> bytes:
        return one if b"stream\n" in one else _ACTIVE_NAME.sub(hide, one)

    return written([spelled(one) for one in sketch.objects])


def _named_elsewhere(sketch: Sketch, rng: Random) -> bytes:
    """What an action is stands in an object of its own, to which the action only points."""
    objects = sketch.objects

    def point(found: re.Match[bytes]) -> bytes:
        objects.append(found[2])
        return b"/%s %d 0 R" % (found[1], len(objects))

    for number in range(len(objects)):
        objects[number] = _KIND_OF_ACTION.sub(point, objects[number])
    return written(objects)


def _without_catalogue(sketch: Sketch, rng: Random) -> bytes:
    """The catalogue stands in the trailer itself, and is no object."""
    catalogue, *others = sketch.objects
    return written([b"null", *others], root=catalogue)


DISGUISES: tuple[Callable[[Sketch, Random], bytes], ...] = (
    lambda sketch, rng: written(sketch.objects),
    lambda sketch, rng: saved(written(sketch.objects), packed=True),
    lambda sketch, rng: saved(written(sketch.objects), packed=True, linear=True),
    lambda sketch, rng: updated(written(Sketch().objects), sketch.objects),
    _escaped,
    _named_elsewhere,
    _without_catalogue,
)


def disguised(sketch: Sketch, rng: Random) -> bytes:
    """The objects as a file, in one of the disguises."""
    return rng.choice(DISGUISES)(sketch, rng)
