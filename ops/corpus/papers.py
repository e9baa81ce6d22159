"""Good PDFs in the manners of many programs: office, browser, scanner, form, PDF/A."""

import io
from collections.abc import Callable, Mapping
from functools import cache
from random import Random
from typing import Literal

import pikepdf
import typst
from PIL import Image

from ops.corpus.pictures import picture, sheet
from ops.corpus.writing import HEADER, Sketch, literal, saved, stream, updated, written

_PRODUCERS = (
    "Microsoft® Word 2019", "LibreOffice 24.2", "Skia/PDF m126", "macOS Quartz PDFContext",
    "ABBYY FineReader PDF 16", "Acrobat Distiller 11.0", "1С:Предприятие 8.3", "iText 7.2.5",
    "Ghostscript 10.02", "wkhtmltopdf 0.12.6", "FPDF 1.86", "PDFsharp 1.50", "cairo 1.16.0",
)  # fmt: skip
_FONT = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"
_FORM = (
    b"<< /Fields [4 0 R] /NeedAppearances true /DA (/F1 10 Tf) /DR << /Font << /F1 5 0 R >> >> >>"
)
_FIELD = (
    b"<< /Type /Annot /Subtype /Widget /FT /Tx /T (name) /V (Ivanova) /Rect [70 700 300 720]"
    b" /P 3 0 R /F 4 >>"
)
A4 = (595.276, 841.89)
Standard = Literal["a-1b", "a-2b", "a-2u", "a-3b", "a-4", "1.4", "2.0"]


def _text(rng: Random) -> bytes:
    lines = b" ".join(
        b"(Line %d of the reference, paragraph %d) Tj T*" % (n, rng.randrange(99))
        for n in range(rng.randrange(1, 50))
    )
    return b"BT /F1 11 Tf 14 TL 70 780 Td %s ET" % lines


def _properties(rng: Random) -> bytes:
    name = b"\xfe\xff" + rng.choice(_PRODUCERS).encode("utf-16-be")
    day = b"(D:2025%02d%02d120000+03'00')" % (rng.randint(1, 12), rng.randint(1, 28))
    return b"<< /Producer %s /CreationDate %s /ModDate %s >>" % (literal(name), day, day)


def office(rng: Random) -> bytes:
    """A page of text with what office programs write besides: a place to open at, tags, links."""
    opening = rng.choice(
        (
            b"",
            b"/OpenAction [3 0 R /XYZ null null 0]",
            b"/OpenAction << /S /GoTo /D [3 0 R /Fit] >>",
        )
    )
    catalogue = opening + rng.choice(
        (
            b"",
            b"/MarkInfo << /Marked true >> /Lang (ru-RU) /ViewerPreferences << /FitWindow true >>",
            b"/PageMode /UseOutlines /PageLayout /SinglePage /Names << /Dests << /Names [] >> >>",
            b"/AcroForm << /Fields [] >> /PageLabels << /Nums [0 << /S /D >>] >>",
        )
    )
    address = rng.choice(
        (b"https://minzdrav.gov.ru/", b"mailto:a@example.org", b"http://gov.ru/?a=1")
    )
    link = b"<< /Type /Annot /Subtype /Link /Rect [0 0 99 9] /A << /S /URI /URI %s >> >>"
    notes = rng.choice((b"", b"/Annots [%s]" % link % literal(address)))
    page = notes + b"/Contents 5 0 R /Resources << /Font << /F1 4 0 R >> /ProcSet [/PDF /Text] >>"
    sketch = Sketch(catalogue, page, (_FONT, stream(b"", _text(rng)), _properties(rng)))
    made = written(sketch.objects, trailer=b"/Info 6 0 R")
    version = b"%%PDF-1.%d" % rng.randint(3, 7)
    return made.replace(HEADER[:8], version, 1)


def qpdf_styles(rng: Random) -> bytes:
    """The same through qpdf: object streams, linearized, both, or neither."""
    return saved(office(rng), packed=rng.random() < 0.6, linear=rng.random() < 0.5)


def later_section(rng: Random) -> bytes:
    """A page to which a later section adds a note, as readers and signing programs save."""
    text = rng.choice((b"checked", b"see /JavaScript /Launch", b"app.alert"))
    note = b"<< /Type /Annot /Subtype /Text /Rect [9 9 29 29] /Contents %s >>" % literal(text)
    sketches = Sketch(), Sketch(b"", b"/Annots [4 0 R]", (note,))
    made = updated(written(sketches[0].objects), sketches[1].objects)
    return made + rng.choice((b"", b"\n", b"% signed\n", bytes(3)))


def form(rng: Random) -> bytes:
    """A form that only has fields."""
    return written(Sketch(b"/AcroForm %s" % _FORM, b"/Annots [4 0 R]", (_FIELD, _FONT)).objects)


@cache
def _typeset(standard: Standard | None, lines: int) -> bytes:
    source = '#set text(lang: "ru")\n#set document(title: "Справка", date: datetime.today())\n'
    source += "= Справка с места работы\n" + "Иванова Анна Петровна, врач-терапевт. \\\n" * lines
    made = typst.compile(source.encode(), pdf_standards=[standard] if standard else [])
    assert isinstance(made, bytes)  # noqa: S101 - a list is only made of several pictures
    return made


def typeset(rng: Random) -> bytes:
    """What our own papers are made with, as PDF/A of several parts and as plain PDF."""
    standard = rng.choice((None, "a-1b", "a-2b", "a-2u", "a-3b", "a-4", "1.4", "2.0"))
    return _typeset(standard, rng.choice((1, 40, 200)))


def scan(rng: Random, dpi: int = 300) -> bytes:
    """A page that is one picture of this resolution, grey or coloured, perhaps turned."""
    width, height = (round(side / 72 * dpi) for side in A4)
    hue = rng.choice((b"DeviceGray", b"DeviceRGB"))
    body = sheet((width, height), "L" if hue == b"DeviceGray" else "RGB")
    entries = b"/Type /XObject /Subtype /Image /Width %d /Height %d /BitsPerComponent 8" % (
        width,
        height,
    )
    shown = stream(entries + b" /ColorSpace /%s /Filter /DCTDecode" % hue, body)
    draw = stream(b"", b"q %f 0 0 %f 0 0 cm /Im0 Do Q" % A4)
    turned = b"/Rotate %d" % rng.choice((0, 90, 180, 270))
    objects = Sketch(b"", turned + b"/Contents 5 0 R", (shown, draw)).objects
    box = b"[0 0 %.3f %.3f] /Resources << /XObject << /Im0 4 0 R >> >>" % A4
    objects[2] = objects[2].replace(b"[0 0 595 842]", box)
    made = written(objects)
    return made if rng.random() < 0.5 else saved(made, packed=True)


def black_and_white(rng: Random) -> bytes:
    """Pages of one bit a point, as machines for scanning make them."""
    out, dpi = io.BytesIO(), rng.choice((300, 400, 600))
    size = round(A4[0] / 72 * dpi), round(A4[1] / 72 * dpi)
    first, *others = (Image.new("1", size, 1) for _ in range(rng.randint(1, 3)))
    first.save(out, "PDF", resolution=dpi, save_all=True, append_images=others)
    return out.getvalue()


def photographed(rng: Random) -> bytes:
    """A photograph that a telephone has put into a PDF."""
    out = io.BytesIO()
    picture((2480, 3508)).save(out, "PDF", resolution=300, quality=40)
    return out.getvalue()


def many_pages(rng: Random) -> bytes:
    """Blank sheets of many sizes up to A0, as many as are allowed."""
    document, out = pikepdf.new(), io.BytesIO()
    for _ in range(rng.randint(2, 200)):
        size = rng.choice((A4, (842, 1191), (2384, 3370), (298, 420), (612, 792)))
        document.add_blank_page(page_size=size)
    document.save(out)
    return out.getvalue()


PAPERS: Mapping[str, Callable[[Random], bytes]] = {
    "PDF of an office program": office,
    "PDF through qpdf": qpdf_styles,
    "PDF with a later section": later_section,
    "PDF with a plain form": form,
    "PDF and PDF/A of typst": typeset,
    "scan of 300 dpi": scan,
    "scan in black and white": black_and_white,
    "photograph in a PDF": photographed,
    "PDF of many pages": many_pages,
}
