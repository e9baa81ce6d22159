"""Files are read with suspicion, in a process whose death harms nobody (assurance: files)."""

import io
import os
from collections.abc import Callable
from functools import partial

import pikepdf
import pytest
from pikepdf import Array, Dictionary, String
from PIL import Image

from rules.files.checks import Code, MediaType
from services.files.inspection.client import Inspection
from tests.files import samples as s
from tests.files.checking import as_file, checked

PDF, JPEG = MediaType.PDF, MediaType.JPEG
ZIP = b"PK\x03\x04" + bytes(26) + b"PK\x05\x06" + bytes(18)


def _behind(content: bytes) -> bytes:
    """A photograph sharp enough, and this behind its end."""
    return s.photo((2480, 3508), 300) + content


BAD: dict[str, tuple[Code, MediaType, Callable[[], bytes]]] = {
    "text called PDF": (Code.TYPE_MISMATCH, PDF, lambda: b"just text" * 40),
    "page of the web called PDF": (Code.TYPE_MISMATCH, PDF, lambda: b"<html><script></script>"),
    "program called PDF": (Code.TYPE_MISMATCH, PDF, lambda: b"MZ" + bytes(400)),
    "archive called PDF": (Code.TYPE_MISMATCH, PDF, lambda: ZIP),
    "JPEG called PDF": (Code.MISNAMED, PDF, lambda: s.photo((90, 90))),
    "PDF called JPEG": (Code.MISNAMED, JPEG, s.pdf),
    "PNG called JPEG": (Code.TYPE_MISMATCH, JPEG, lambda: _png()),
    "something before the mark": (Code.PRECEDED, PDF, lambda: b"\n" + s.pdf()),
    "mark of the order of bytes before it": (Code.PRECEDED, PDF, lambda: b"\xef\xbb\xbf" + s.pdf()),
    "HEIC called JPEG": (Code.HEIC, JPEG, lambda: b"\0\0\0\x24ftypheic" + bytes(400)),
    "cut in the middle": (Code.DAMAGED, PDF, lambda: s.pdf()[:300]),
    "wrong offsets": (Code.DAMAGED, PDF, lambda: s.pdf().replace(b"\n1 0 obj", b"\n\n\n1 0 obj")),
    "no table of objects": (Code.DAMAGED, PDF, lambda: b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF"),
    "wrong length of a stream": (
        Code.DAMAGED,
        PDF,
        lambda: s.one_page(b"", b"/Contents 4 0 R", b"<< /Length 4 >>\nstream\nq Q q Q\nendstream"),
    ),
    "two entries of one name": (
        Code.DAMAGED,
        PDF,
        lambda: s.one_page(b"/PageMode /UseNone /PageMode /UseOutlines"),
    ),
    "pages in a ring": (
        Code.DAMAGED,
        PDF,
        lambda: s.by_hand(
            b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [2 0 R] /Count 1 >>"
        ),
    ),
    "catalogue is no dictionary": (Code.DAMAGED, PDF, lambda: s.by_hand(b"[1 2 3]")),
    "password to open": (
        Code.ENCRYPTED,
        PDF,
        lambda: s.pdf(encryption=pikepdf.Encryption(user="one", owner="two")),
    ),
    "password to change": (
        Code.RESTRICTED,
        PDF,
        lambda: s.pdf(encryption=pikepdf.Encryption(user="", owner="two")),
    ),
    "program on opening": (
        Code.JAVASCRIPT,
        PDF,
        lambda: s.pdf(s.in_catalogue("/OpenAction", s.script())),
    ),
    "program in an object stream": (
        Code.JAVASCRIPT,
        PDF,
        lambda: s.pdf(lambda d: d.Root.__setattr__("X", d.make_indirect(s.script())), packed=True),
    ),
    "program among the names": (
        Code.JAVASCRIPT,
        PDF,
        lambda: s.pdf(
            s.in_catalogue(
                "/Names",
                Dictionary(JavaScript=Dictionary(Names=Array([String("a"), s.script()]))),
            )
        ),
    ),
    "program under a name in disguise": (
        Code.JAVASCRIPT,
        PDF,
        lambda: s.action(b"/S /J#61va#53cript /#4aS (app.alert(1))"),
    ),
    "program after a quiet action": (
        Code.JAVASCRIPT,
        PDF,
        lambda: s.action(b"/S /GoTo /D [3 0 R /Fit] /Next << /S /JavaScript /JS (x) >>"),
    ),
    "action that points to what it is": (
        Code.LAUNCH,
        PDF,
        lambda: s.one_page(
            b"", b"/Annots [<< /Subtype /Link /A << /S 4 0 R /F (calc.exe) >> >>]", b"/Launch"
        ),
    ),
    "catalogue in the trailer": (
        Code.XFA,
        PDF,
        lambda: s.one_page().replace(
            b"/Root 1 0 R",
            b"/Root << /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [] /XFA (x) >> >>",
        ),
    ),
    "unsafe base of all links": (
        Code.UNSAFE_LINK,
        PDF,
        lambda: s.one_page(b"/URI << /Base (javascript:alert) >>"),
    ),
    "program nobody points to": (
        Code.JAVASCRIPT,
        PDF,
        lambda: s.one_page(b"", b"", b"<< /S /JavaScript /JS (x) >>"),
    ),
    "program in the matrix of a font": (
        Code.JAVASCRIPT,
        PDF,
        lambda: s.one_page(b"", b"", b"<< /Type /Font /FontMatrix [1 0 0 1 0 (a\\);alert)] >>"),
    ),
    "program in a function": (
        Code.JAVASCRIPT,
        PDF,
        lambda: s.one_page(
            b"", b"", s.stream(b"/FunctionType 4 /Domain [0 1] /Range [0 1]", b"{ 1 } (function())")
        ),
    ),
    "metadata that fetch a file": (
        Code.OUTSIDE_REFERENCE,
        PDF,
        lambda: s.one_page(
            b"/Metadata 4 0 R",
            b"",
            s.stream(
                b"/Type /Metadata /Subtype /XML",
                b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a/>',
            ),
        ),
    ),
    "program deep inside": (Code.JAVASCRIPT, PDF, lambda: s.nested(30)),
    "nested beyond reason": (Code.TOO_HEAVY, PDF, lambda: s.nested(90)),
    "prints on opening": (
        Code.OPEN_ACTION,
        PDF,
        lambda: s.one_page(b"/OpenAction << /S /Named /N /Print >>"),
    ),
    "acts when a page is shown": (
        Code.OPEN_ACTION,
        PDF,
        lambda: s.one_page(b"", b"/AA << /O << /S /Named /N /NextPage >> >>"),
    ),
    "launches a program": (Code.LAUNCH, PDF, lambda: s.action(b"/S /Launch /F (calc.exe)")),
    "PostScript inside": (
        Code.LAUNCH,
        PDF,
        lambda: s.one_page(b"", b"", s.stream(b"/Type /XObject /Subtype /PS", b"showpage")),
    ),
    "sends a form": (Code.SUBMIT_FORM, PDF, lambda: s.action(b"/S /SubmitForm /F (http://x)")),
    "takes in data": (Code.SUBMIT_FORM, PDF, lambda: s.action(b"/S /ImportData /F (x.fdf)")),
    "goes to another file": (Code.OUTSIDE_REFERENCE, PDF, lambda: s.action(b"/S /GoToR /F (x)")),
    "goes into an embedded file": (
        Code.OUTSIDE_REFERENCE,
        PDF,
        lambda: s.action(b"/S /GoToE /F (\\\\\\\\host\\\\share)"),
    ),
    "contents lie in another file": (
        Code.OUTSIDE_REFERENCE,
        PDF,
        lambda: s.one_page(b"", b"/Contents 4 0 R", s.stream(b"/F (/etc/passwd)", b"")),
    ),
    "page of another file": (
        Code.OUTSIDE_REFERENCE,
        PDF,
        lambda: s.one_page(
            b"", b"", s.stream(b"/Type /XObject /Subtype /Form /Ref << /F (x) /Page 0 >>", b"")
        ),
    ),
    "link to a local file": (Code.UNSAFE_LINK, PDF, lambda: s.action(b"/S /URI /URI (file:///e)")),
    "link that is a program": (
        Code.UNSAFE_LINK,
        PDF,
        lambda: s.action(b"/S /URI /URI (java\\nscript:alert\\(1\\))"),
    ),
    "link to a share": (
        Code.UNSAFE_LINK,
        PDF,
        lambda: s.action(b"/S /URI /URI (\\\\\\\\host\\\\share)"),
    ),
    "file inside": (Code.EMBEDDED_FILE, PDF, lambda: s.with_attachment(b"<a/>", None)),
    "file inside PDF/A-2": (Code.EMBEDDED_FILE, PDF, lambda: s.with_attachment(b"<a/>", 2)),
    "program inside PDF/A-3": (Code.EMBEDDED_FILE, PDF, lambda: s.with_attachment(b"MZ", 3)),
    "PDF inside PDF/A-3": (Code.EMBEDDED_FILE, PDF, lambda: s.with_attachment(s.pdf(), 3)),
    "data inside PDF/A-3": (Code.EMBEDDED_FILE, PDF, lambda: s.with_attachment(b"<?xml?><a/>", 3)),
    **{
        f"{name} inside PDF/A-3": (Code.EMBEDDED_FILE, PDF, partial(s.with_attachment, content, 3))
        for name, content in {
            "HTA": b"<html><hta:application/><script>run()</script></html>",
            "script": b"new ActiveXObject('WScript.Shell').Run('calc')",
            "batch": b"@echo off\r\ncalc.exe\r\n",
            "shortcut": b"L\0\0\0\x01\x14\x02\0" + bytes(68),
            "cabinet": b"MSCF" + bytes(40),
            "disc": bytes(32769) + b"CD001\x01" + bytes(2000),
            "nothing": b"",
        }.items()
    },
    **{
        f"file without a type, by {name}": (Code.EMBEDDED_FILE, PDF, make)
        for name, make in {
            "nothing": partial(s.embedding),
            "the names": partial(
                s.embedding, b"/Names << /EmbeddedFiles << /Names [(a) 5 0 R] >> >>"
            ),
            "names below names": partial(
                s.embedding, b"/Names << /EmbeddedFiles << /Kids [<< /Names [(a) 5 0 R] >>] >> >>"
            ),
            "the associated files": partial(s.embedding, b"/AF [5 0 R]"),
            "a note": partial(
                s.embedding,
                b"",
                b"/Annots [<< /Type /Annot /Subtype /Text /Rect [0 0 9 9] /FS 5 0 R >>]",
            ),
            "a private dictionary": partial(s.embedding, b"/PieceInfo << /X << /Y [5 0 R] >> >>"),
            "its other name": partial(s.embedding, by=b"/EF << /UF 4 0 R >>"),
            "no name of the standard": partial(s.embedding, by=b"/EF << /Q 4 0 R >>"),
            "a name in disguise": partial(s.embedding, by=b"/#45F << /#46 4 0 R >>"),
            "a list of related files": partial(s.embedding, by=b"/RF << /F [(a) 4 0 R] >>"),
        }.items()
    },
    "file with a type that nothing leads to": (
        Code.EMBEDDED_FILE,
        PDF,
        lambda: s.one_page(b"", b"", s.stream(b"/Type /EmbeddedFile", b"x")),
    ),
    "file pinned to a page": (
        Code.EMBEDDED_FILE,
        PDF,
        lambda: s.annotation(b"/Subtype /FileAttachment /FS << /Type /Filespec /F (a) >>"),
    ),
    "portfolio": (Code.EMBEDDED_FILE, PDF, lambda: s.one_page(b"/Collection << /View /D >>")),
    "XFA form": (Code.XFA, PDF, lambda: s.one_page(b"/AcroForm << /Fields [] /XFA (x) >>")),
    "rich media": (Code.RICH_MEDIA, PDF, lambda: s.annotation(b"/Subtype /RichMedia")),
    "film": (Code.RICH_MEDIA, PDF, lambda: s.annotation(b"/Subtype /Movie")),
    "sound": (Code.RICH_MEDIA, PDF, lambda: s.action(b"/S /Sound")),
    "rendition": (Code.RICH_MEDIA, PDF, lambda: s.action(b"/S /Rendition /OP 0")),
    "model in three dimensions": (Code.RICH_MEDIA, PDF, lambda: s.annotation(b"/Subtype /3D")),
    "archive after the end": (Code.TRAILING_DATA, PDF, lambda: s.pdf() + ZIP),
    "archive from the first byte to the last": (
        Code.TRAILING_DATA,
        PDF,
        lambda: s.one_page(b"", b"", s.stream(b"", ZIP[:-2] + b"\x20\0")),
    ),
    "much after the end": (Code.TRAILING_DATA, PDF, lambda: s.pdf() + b"x" * 2000),
    "no page": (Code.NO_PAGES, PDF, lambda: s.pdf(pages=0)),
    "too many pages": (Code.TOO_MANY_PAGES, PDF, lambda: s.pdf(pages=201)),
    "page like a field": (Code.PAGE_TOO_LARGE, PDF, lambda: s.pdf(size=(14400, 14400))),
    "page like a country": (
        Code.PAGE_TOO_LARGE,
        PDF,
        lambda: s.by_hand(
            b"<< /Type /Catalog /Pages 2 0 R >>",
            s.PAGES,
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 99999 99999] >>",
        ),
    ),
    "picture too large": (Code.TOO_MANY_PIXELS, PDF, s.huge_picture),
    "unpacks to 600 MB": (Code.TOO_HEAVY, PDF, lambda: s.bomb("/FlateDecode")),
    "packed twice": (Code.TOO_HEAVY, PDF, lambda: s.bomb("/FlateDecode", "/FlateDecode")),
    "packed and written in digits": (
        Code.TOO_HEAVY,
        PDF,
        lambda: s.bomb("/ASCIIHexDecode", "/FlateDecode"),
    ),
    "scan of 299 dpi": (Code.LOW_RESOLUTION, PDF, lambda: s.scan(299)),
    "scan squeezed across": (Code.LOW_RESOLUTION, PDF, lambda: s.scan(300, across=1240)),
    "photograph of 299 dpi": (Code.LOW_RESOLUTION, JPEG, lambda: s.photo((2480, 3508), 299)),
    "small photograph": (Code.LOW_RESOLUTION, JPEG, lambda: s.photo((1240, 1754), None)),
    "small photograph that claims 300 dpi": (
        Code.LOW_RESOLUTION,
        JPEG,
        lambda: s.photo((300, 300), 300),
    ),
    "JPEG cut in the middle": (Code.DAMAGED, JPEG, lambda: s.photo()[:20_000]),
    "JPEG that is only a mark": (Code.DAMAGED, JPEG, lambda: b"\xff\xd8\xff\xe0" + bytes(200)),
    **{
        f"JPEG with {name} behind it": (Code.TRAILING_DATA, JPEG, partial(_behind, content))
        for name, content in {
            "an archive": ZIP,
            "an archive in padding": bytes(500) + ZIP + bytes(500),
            "a program": b"MZ" + bytes(400),
            "a page of the web": b"<script>hidden</script>",
            "a PDF": b"%PDF-1.7 and so on",
            "a word": b"x",
            "an archive behind a second picture": s.photo((64, 64), None) + ZIP,
            "a picture without end": b"\xff\xd8\xff\xe0\0\x04ab",
            "an archive among the notes of a camera": s.samsung_trailer((0x0A01, b"A", ZIP)),
            "a program among the notes of a camera": s.samsung_trailer((0x0A01, b"A", b"MZ12")),
            "a program before the notes of a camera": b"MZ12"
            + s.samsung_trailer((0x0A01, b"Image_UTC_Data", b"1764439200000")),
            "notes of a camera that lie": b"MZ12" + s.samsung_trailer()[:-8] + b"\xff\0\0\0SEFT",
        }.items()
    },
    "JPEG that is an archive by its comment": (
        Code.TRAILING_DATA,
        JPEG,
        lambda: s.commented(s.photo((64, 64), None), ZIP),
    ),
    "JPEG with a film behind it": (Code.MOVING_PICTURE, JPEG, partial(_behind, s.MP4)),
    "JPEG with a film among the notes of a camera": (
        Code.MOVING_PICTURE,
        JPEG,
        partial(_behind, s.samsung_trailer((0x0A30, b"MotionPhoto_Data", s.MP4))),
    ),
    "JPEG without its end": (Code.DAMAGED, JPEG, lambda: s.photo((64, 64), None)[:-2]),
    "JPEG of 65000 by 65000": (Code.TOO_MANY_PIXELS, JPEG, lambda: s.jpeg_of_size(65000, 65000)),
}

GOOD: dict[str, tuple[MediaType, Callable[[], bytes]]] = {
    "born digital": (PDF, s.born_digital),
    "PDF/A-2b": (PDF, lambda: s.born_digital(standard="a-2b")),
    "PDF/A-3b": (PDF, lambda: s.born_digital(standard="a-3b")),
    "objects in streams": (PDF, lambda: s.pdf(packed=True)),
    "two hundred pages": (PDF, lambda: s.pdf(pages=200)),
    "scan of 300 dpi": (PDF, lambda: s.scan(300)),
    "scan of A4 in whole pixels": (PDF, lambda: s.scan(300, across=2480)),
    "opens at its first page": (PDF, lambda: s.one_page(b"/OpenAction [3 0 R /XYZ null null 0]")),
    "opens by going to a page": (
        PDF,
        lambda: s.one_page(b"/OpenAction << /S /GoTo /D [3 0 R /Fit] >>"),
    ),
    "link to the web": (PDF, lambda: s.action(b"/S /URI /URI (https://minzdrav.gov.ru/)")),
    "function that reckons": (
        PDF,
        lambda: s.one_page(
            b"",
            b"",
            s.stream(b"/FunctionType 4 /Domain [0 1] /Range [0 1]", b"{ 0.5 mul -1e1 add }"),
        ),
    ),
    "link to another page": (PDF, lambda: s.action(b"/S /GoTo /D [3 0 R /Fit]")),
    "plain form": (
        PDF,
        lambda: s.one_page(b"/AcroForm << /Fields [<< /FT /Tx /T (name) /V (x) >>] >>"),
    ),
    "empty trees of names": (
        PDF,
        lambda: s.one_page(b"/Names << /JavaScript << /Names [] >> /EmbeddedFiles << >> >>"),
    ),
    "words that only sound bad": (PDF, lambda: s.one_page(b"/Info2 (/JavaScript /Launch)")),
    "a line after the end": (PDF, lambda: s.pdf() + b"\n% signed by a program\n"),
    "photograph": (JPEG, s.photo),
    "photograph in steps": (JPEG, lambda: s.photo(progressive=True)),
    "photograph of a telephone": (JPEG, lambda: s.photo((4032, 3024), 72)),
    **{
        f"photograph with {name} behind it": (JPEG, partial(_behind, content))
        for name, content in {
            "padding": bytes(4096),
            "a line": b"\r\n",
            "a preview": s.photo((160, 120), None),
            "previews in padding": bytes(7) + s.photo((64, 48), None) + bytes(99) + s.photo((9, 9)),
            "the notes of a camera": s.samsung_trailer(
                (0x0A01, b"Image_UTC_Data", b"1764439200000"),
                (0x0AA1, b"MCC_Data", b"250"),
                (0x0A61, b"Preview", s.photo((64, 48), None)),
            )
            + bytes(16),
            "no notes of a camera": s.samsung_trailer(),
            "a preview and the notes of a camera": s.photo((64, 48), None)
            + s.samsung_trailer((0x0B41, b"Camera_Capture_Mode_Info", b"1")),
        }.items()
    },
    "fonts called like files": (
        PDF,
        lambda: s.one_page(
            b"",
            b"/Resources << /Font << /EF 4 0 R /RF 4 0 R >> >>",
            b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /ToUnicode 5 0 R >>",
            s.stream(b"", b""),
        ),
    ),
    "card of 300 dpi": (JPEG, lambda: s.photo((1240, 880), 300)),
}


def _png() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (9, 9)).save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize("name", BAD)
async def test_bad_file_is_refused_with_its_reason(inspection: Inspection, name: str) -> None:
    """Each bad file is refused, for the reason it is bad, in words that say what to do (Q3)."""
    code, declared, make = BAD[name]
    report = await checked(inspection, make(), declared)
    assert code in [finding.code for finding in report.findings]
    assert not report.good
    assert all(finding.text and "%(" not in finding.text for finding in report.findings)


@pytest.mark.parametrize("name", GOOD)
async def test_good_file_is_accepted(inspection: Inspection, name: str) -> None:
    """What offices, scanners and telephones make is taken, even where 300 dpi are asked."""
    declared, make = GOOD[name]
    report = await checked(inspection, make(), declared)
    assert report.findings == ()
    assert report.good
    assert report.media_type is declared
    assert report.pages


async def test_resolution_is_measured(inspection: Inspection) -> None:
    """Pages and resolution are told: of a scan by its pixels, of text none."""
    assert (await checked(inspection, s.scan(300), PDF)).dpi == 300
    assert (await checked(inspection, s.scan(601), PDF)).dpi == 601
    assert (await checked(inspection, s.born_digital(), PDF)).dpi is None


async def test_any_size_of_photograph_is_read(inspection: Inspection) -> None:
    """A picture of few pixels is read like a large one."""
    for size in ((1, 1), (7, 9000), (65500, 2)):
        with as_file(s.photo(size, None)) as file:
            assert (await inspection.examine(file, [JPEG])).good


async def test_page_is_drawn(inspection: Inspection) -> None:
    """A page is shown as a picture of its own; a page that is not there is not."""
    with as_file(s.born_digital()) as file:
        drawn = await inspection.draw(file, PDF, 1, 1000)
        assert await inspection.draw(file, PDF, 2, 1000) is None
    assert drawn is not None
    out, media_type = drawn
    with out, Image.open(os.fdopen(os.dup(out.fileno()), "rb"), formats=["PNG"]) as picture:
        out.seek(0)
        assert (media_type, picture.size[1]) == ("image/png", 1000)


async def test_photograph_is_shown_anew(inspection: Inspection) -> None:
    """What is shown of a photograph is upright; its metadata and what hides in it are gone."""
    with as_file(s.photo() + b"<script>hidden</script>") as file:
        drawn = await inspection.draw(file, JPEG, 1, 1000)
    assert drawn is not None
    with drawn[0] as out:
        out.seek(0)
        content = out.read()
    assert b"hidden" not in content
    assert b"taken at home" not in content
    with Image.open(io.BytesIO(content)) as picture:
        assert not picture.getexif()
        assert picture.size[0] > picture.size[1]
