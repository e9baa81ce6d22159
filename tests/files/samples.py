"""Files for the tests: good ones as offices and scanners make them, bad ones as attackers do."""

import io
import struct
import zlib
from collections.abc import Callable
from functools import cache
from typing import Literal

import pikepdf
import typst
from pikepdf import Array, Dictionary, Name, String
from PIL import Image

A4 = (595.276, 841.89)


Standard = Literal["a-2b", "a-3b"]


def born_digital(text: str = "Справка с места работы", standard: Standard | None = None) -> bytes:
    """A page of text as an office program makes it."""
    source = f'#set text(lang: "ru")\n#set document(title: "Справка")\n{text}'.encode()
    made = typst.compile(source, pdf_standards=[standard] if standard else [])
    assert isinstance(made, bytes)
    return made


def photo(
    size: tuple[int, int] = (2480, 3508), dpi: float | None = 300, *, progressive: bool = False
) -> bytes:
    """A photograph of a sheet, with a place and an owner in its metadata."""
    picture = Image.linear_gradient("L").resize(size).convert("RGB")
    exif = Image.Exif()
    exif[0x010E] = "taken at home"
    exif[0x0112] = 6
    out = io.BytesIO()
    density = {"dpi": (dpi, dpi)} if dpi else {}
    picture.save(out, "JPEG", quality=60, exif=exif, progressive=progressive, **density)
    return out.getvalue()


def scan(dpi: float = 300, page: tuple[float, float] = A4, *, across: int | None = None) -> bytes:
    """One page that is a picture, as a scanner makes it."""
    width = across or round(page[0] / 72 * dpi)
    height = round(page[1] / 72 * dpi)
    jpeg = io.BytesIO()
    Image.linear_gradient("L").resize((width, height)).save(jpeg, "JPEG", quality=40)

    def add(document: pikepdf.Pdf) -> None:
        picture = document.make_stream(
            jpeg.getvalue(),
            Type=Name.XObject,
            Subtype=Name.Image,
            Width=width,
            Height=height,
            ColorSpace=Name.DeviceGray,
            BitsPerComponent=8,
            Filter=Name.DCTDecode,
        )
        sheet = document.pages[0].obj
        sheet.Resources = Dictionary(XObject=Dictionary(Im0=picture))
        drawn = f"q {page[0]} 0 0 {page[1]} 0 0 cm /Im0 Do Q".encode()
        sheet.Contents = document.make_stream(drawn)

    return pdf(add, size=page)


def pdf(
    change: Callable[[pikepdf.Pdf], None] | None = None,
    *,
    pages: int = 1,
    size: tuple[float, float] = A4,
    packed: bool = False,
    encryption: pikepdf.Encryption | None = None,
) -> bytes:
    """Blank pages with something done to them; `packed` hides objects in object streams."""
    document = pikepdf.new()
    for _ in range(pages):
        document.add_blank_page(page_size=size)
    if change is not None:
        change(document)
    out = io.BytesIO()
    mode = pikepdf.ObjectStreamMode.generate if packed else pikepdf.ObjectStreamMode.disable
    # Streams stay packed as they were made: they are what a test is about.
    document.save(
        out, object_stream_mode=mode, encryption=encryption or False, compress_streams=False
    )
    return out.getvalue()


def by_hand(*objects: bytes, trailer: bytes = b"") -> bytes:
    """A PDF written byte by byte, its table of objects right; the first object is the catalogue."""
    out, places = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"), []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d /Root 1 0 R %s >>\n" % (len(objects) + 1, trailer)
    out += b"startxref\n%d\n%%%%EOF\n" % start
    return bytes(out)


PAGES = b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
PAGE = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] %s >>"


def one_page(catalogue: bytes = b"", page: bytes = b"", *more: bytes) -> bytes:
    """A PDF of one page by hand; `more` are objects from number 4."""
    return by_hand(b"<< /Type /Catalog /Pages 2 0 R %s >>" % catalogue, PAGES, PAGE % page, *more)


def stream(entries: bytes, content: bytes) -> bytes:
    """A stream object by hand."""
    return b"<< %s /Length %d >>\nstream\n%s\nendstream" % (entries, len(content), content)


def annotation(entries: bytes) -> bytes:
    """A page with one annotation."""
    return one_page(b"", b"/Annots [<< /Type /Annot /Rect [0 0 9 9] %s >>]" % entries)


def action(entries: bytes) -> bytes:
    """A page with a link that does something."""
    return annotation(b"/Subtype /Link /A << /Type /Action %s >>" % entries)


def with_attachment(content: bytes, part: int | None) -> bytes:
    """A file inside the file, with the mark of a part of PDF/A where one is given."""

    def add(document: pikepdf.Pdf) -> None:
        document.attachments["data.xml"] = content
        if part is not None:
            with document.open_metadata(set_pikepdf_as_editor=False) as metadata:
                metadata["pdfaid:part"] = str(part)

    return pdf(add)


def embedding(
    catalogue: bytes = b"", page: bytes = b"", *, by: bytes = b"/EF << /F 4 0 R >>"
) -> bytes:
    """A program in the stream 4, which the file specification 5 leads to; it says PDF/A-3."""
    marked = b"<x:xmpmeta xmlns:pdfaid='http://www.aiim.org/pdfa/ns/id/' pdfaid:part='3'/>"
    return one_page(
        b"/Metadata 6 0 R " + catalogue,
        page,
        stream(b"", b"<script>new ActiveXObject('WScript.Shell')</script>"),
        b"<< /Type /Filespec /F (a.hta) %s >>" % by,
        stream(b"/Type /Metadata /Subtype /XML", marked),
    )


def samsung_trailer(*notes: tuple[int, bytes, bytes]) -> bytes:
    """Notes of a Samsung camera behind a picture: type, name and contents of each."""
    blocks = [
        struct.pack("<HHI", 0, kind, len(name)) + name + content for kind, name, content in notes
    ]
    entries, back = b"", sum(map(len, blocks))
    for (kind, _, _), block in zip(notes, blocks, strict=True):
        entries += struct.pack("<HHII", 0, kind, back, len(block))
        back -= len(block)
    head = struct.pack("<4sII", b"SEFH", 107, len(notes)) + entries
    return b"".join(blocks) + head + struct.pack("<I", len(head)) + b"SEFT"


MP4 = b"\0\0\0\x18ftypmp42\0\0\0\0isommp42" + bytes(64)


def commented(jpeg: bytes, comment: bytes) -> bytes:
    """The picture with a comment in its head."""
    return jpeg[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2) + comment + jpeg[2:]


def in_catalogue(key: str, value: object) -> Callable[[pikepdf.Pdf], None]:
    """Put something into the catalogue."""

    def add(document: pikepdf.Pdf) -> None:
        document.Root[key] = value

    return add


def script() -> pikepdf.Object:
    """An action that runs a program."""
    return Dictionary(Type=Name.Action, S=Name.JavaScript, JS=String("app.alert(1)"))


@cache
def _zeros_packed() -> bytes:
    """600 MB of zeros, deflated."""
    packer = zlib.compressobj(1)
    return b"".join(packer.compress(bytes(1 << 20)) for _ in range(600)) + packer.flush()


def bomb(*filters: str) -> bytes:
    """A page whose contents unpack to 600 MB, through the filters in the order of unpacking."""
    content = _zeros_packed()
    for name in reversed(filters[:-1]):
        content = zlib.compress(content) if name == "/FlateDecode" else content.hex().encode()

    def add(document: pikepdf.Pdf) -> None:
        contents = document.make_stream(b"")
        contents.write(content, filter=Array([Name(name) for name in filters]))
        document.pages[0].obj.Contents = contents

    return pdf(add)


def huge_picture(width: int = 100_000, height: int = 100_000) -> bytes:
    """A page with a picture that says it is enormous."""
    entries = (
        b"/Type /XObject /Subtype /Image /Width %d /Height %d /BitsPerComponent 1"
        b" /ColorSpace /DeviceGray" % (width, height)
    )
    return one_page(b"", b"/Resources << /XObject << /Im0 4 0 R >> >>", stream(entries, b"\0"))


def jpeg_of_size(width: int, height: int) -> bytes:
    """A small JPEG whose head says that it is of another size."""
    small = photo((16, 16), None)
    at = small.index(b"\xff\xc0") + 5
    return small[:at] + height.to_bytes(2) + width.to_bytes(2) + small[at + 4 :]


def nested(depth: int) -> bytes:
    """Arrays in arrays, with a forbidden name at the bottom."""
    inside = b"<< /S /JavaScript /JS (x) >>"
    return one_page(b"/X " + b"[" * depth + inside + b"]" * depth)
