"""Reading a PDF that may be harmful. Runs only inside a process that can be killed.

Two programs read it: qpdf (by pikepdf), which visits every object of the file, those inside object
streams included and with names unescaped, and pdfium, which has to be able to draw it.
"""

import mmap
import re
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO

import pikepdf
import pypdfium2  # type: ignore[import-untyped]
from pypdfium2 import raw as pdfium

from rules.files.checks import Code, FileLimits, Finding, PlacedImage, link_is_safe, scan_dpi
from services.files.inspection.endings import ends_as_zip
from services.files.inspection.marks import has_mark

_END = b"%%EOF"

_HARMLESS = (
    "Resources is missing",
    "xref entry for the xref stream itself is missing",
    "reported number of objects",
    "extraneous whitespace seen before xref",
)
"""Warnings of qpdf about what common programs write and every reader reads the same way."""

_ACTIONS = {
    "/JavaScript": Code.JAVASCRIPT,
    "/Launch": Code.LAUNCH,
    "/SubmitForm": Code.SUBMIT_FORM,
    "/ImportData": Code.SUBMIT_FORM,
    "/GoToR": Code.OUTSIDE_REFERENCE,
    "/GoToE": Code.OUTSIDE_REFERENCE,
    "/Thread": Code.OUTSIDE_REFERENCE,
    "/Rendition": Code.RICH_MEDIA,
    "/Movie": Code.RICH_MEDIA,
    "/Sound": Code.RICH_MEDIA,
    "/RichMediaExecute": Code.RICH_MEDIA,
    "/GoTo3DView": Code.RICH_MEDIA,
}
_SUBTYPES = {
    "/RichMedia": Code.RICH_MEDIA,
    "/Screen": Code.RICH_MEDIA,
    "/Movie": Code.RICH_MEDIA,
    "/Sound": Code.RICH_MEDIA,
    "/3D": Code.RICH_MEDIA,
    "/PS": Code.LAUNCH,
}
_SUSPECT = re.compile(
    rb"/(?:JavaScript|JS|Launch|SubmitForm|ImportData|GoToR|GoToE|Thread|Rendition|Movie|Sound"
    rb"|RichMedia\w*|GoTo3DView|Screen|3D|PS|AA|EF|RF|EmbeddedFiles?|FileAttachment|Collection|XFA"
    rb"|URI|OPI|Ref|FontMatrix)(?![\w.-])"
)
"""Searched in an object's canonical text first: nearly all objects have none of these names."""

_DTD = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_CALCULATION = re.compile(rb"[\sA-Za-z0-9{}.+-]*")
"""The characters of a calculator function (ISO 32000, 7.10.5); scripts need others."""
_FILE_KEYS = frozenset({"/F", "/UF", "/DOS", "/Mac", "/Unix"})
_NO_MEMORY = "std::bad_alloc"
"""What qpdf says when it runs out of memory; of faults in the file it says other things."""


def examine(file: BinaryIO, limits: FileLimits) -> dict[str, Any]:
    """Findings, number of pages, and the resolution of the coarsest scanned page (None: none)."""
    report: dict[str, Any] = {"pages": None, "dpi": None, "mark": None, "findings": []}
    trailing = _trailing_data(file, limits)
    if trailing is not None:
        report["findings"] = [trailing]
        return report
    try:
        with pikepdf.open(file, attempt_recovery=False, suppress_warnings=True) as document:
            findings = list(_suspicions(document, limits))
            report["pages"] = len(document.pages)
            if _was_repaired(document):
                findings.append(Finding(Code.DAMAGED))
    except pikepdf.PasswordError:
        findings = [Finding(Code.ENCRYPTED)]
    except (pikepdf.PdfError, ValueError, TypeError, KeyError, RuntimeError):
        findings = [Finding(Code.DAMAGED)]
    if not findings:
        findings = list(_drawn(file, limits, report))
    report["findings"] = list({finding.code: finding for finding in findings}.values())
    return report


def _trailing_data(file: BinaryIO, limits: FileLimits) -> Finding | None:
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        end = content.rfind(_END)
        if end < 0:
            return Finding(Code.DAMAGED)
        rest = content[end + len(_END) :].strip(b"\0\t\n\x0c\r ")
        if len(rest) > limits.trailing or ends_as_zip(content):
            return Finding(Code.TRAILING_DATA)
    return None


def _was_repaired(document: pikepdf.Pdf) -> bool:
    """Whether qpdf had to guess: where it guesses, another reader may see something else."""
    return any(
        not any(harmless in str(warning) for harmless in _HARMLESS)
        for warning in document.get_warnings()
    )


def _suspicions(document: pikepdf.Pdf, limits: FileLimits) -> Iterator[Finding]:
    """Everything in the file that is not a still page. Raises PdfError for broken objects."""
    if document.is_encrypted:
        yield Finding(Code.RESTRICTED)
        return
    pages = len(document.pages)
    if pages == 0:
        yield Finding(Code.NO_PAGES)
    if pages > limits.pages:
        yield Finding(Code.TOO_MANY_PAGES, {"limit": limits.pages})
        return
    if not _opens_quietly(document.Root.get("/OpenAction")):
        yield Finding(Code.OPEN_ACTION)
    yield from _named(document)
    # A catalogue that stands in the trailer itself is none of the objects.
    yield from _look(document.trailer)
    inflated = 0
    for count, thing in enumerate(document.objects):
        if count > limits.objects:
            yield Finding(Code.TOO_HEAVY)
            return
        if isinstance(thing, pikepdf.Stream):
            yield from _stream(thing, limits)
            inflated += _inflated(thing, limits.inflated - inflated)
            if inflated > limits.inflated:
                yield Finding(Code.TOO_HEAVY)
                return
            thing = thing.stream_dict
        if isinstance(thing, pikepdf.Object) and _SUSPECT.search(thing.unparse(resolved=True)):
            yield from _look(thing)


def _opens_quietly(action: Any) -> bool:
    """Whether opening the file does no more than show one of its own pages.

    Office programs write such a destination into every file, so it is no reason to refuse one.
    """
    if action is None or isinstance(action, pikepdf.Array | pikepdf.Name | pikepdf.String):
        return True
    return (
        isinstance(action, pikepdf.Dictionary)
        and action.get("/S") == pikepdf.Name("/GoTo")
        and "/Next" not in action
    )


def _named(document: pikepdf.Pdf) -> Iterator[Finding]:
    names = document.Root.get("/Names")
    if isinstance(names, pikepdf.Dictionary):
        if _has_entries(names.get("/JavaScript")):
            yield Finding(Code.JAVASCRIPT)
        if _has_entries(names.get("/EmbeddedFiles")):
            yield Finding(Code.EMBEDDED_FILE)
    if "/Collection" in document.Root:
        yield Finding(Code.EMBEDDED_FILE)


def _has_entries(tree: Any) -> bool:
    if not isinstance(tree, pikepdf.Dictionary):
        return tree is not None
    return any(len(tree.get(key, [])) > 0 for key in ("/Names", "/Kids"))


def _look(thing: Any, depth: int = 0) -> Iterator[Finding]:
    """Inspect one object and everything directly inside it.

    An object may be no more than a name, to which an action points to say what it does.
    """
    if depth > 60:
        yield Finding(Code.TOO_HEAVY)
        return
    if isinstance(thing, pikepdf.Name):
        code = _ACTIONS.get(str(thing)) or _SUBTYPES.get(str(thing))
        if code is not None:
            yield Finding(code)
        return
    if isinstance(thing, pikepdf.Dictionary):
        yield from _dictionary(thing)
        children = [thing.get(key) for key in thing.keys()]  # noqa: SIM118
    elif isinstance(thing, pikepdf.Array):
        children = list(thing)
    else:
        return
    for child in children:
        if isinstance(child, pikepdf.Dictionary | pikepdf.Array) and not child.is_indirect:
            yield from _look(child, depth=depth + 1)


def _dictionary(found: pikepdf.Dictionary) -> Iterator[Finding]:
    for key, codes in (("/S", _ACTIONS), ("/Subtype", _SUBTYPES)):
        value = found.get(key)
        if isinstance(value, pikepdf.Name) and str(value) in codes:
            yield Finding(codes[str(value)])
    if isinstance(found.get("/JS"), pikepdf.String):
        yield Finding(Code.JAVASCRIPT)
    if found.get("/XFA") is not None:
        yield Finding(Code.XFA)
    if _acts(found.get("/AA")):
        yield Finding(Code.OPEN_ACTION)
    if "/OPI" in found or isinstance(found.get("/Ref"), pikepdf.Dictionary):
        yield Finding(Code.OUTSIDE_REFERENCE)
    if "/RichMediaContent" in found:
        yield Finding(Code.RICH_MEDIA)
    if _embeds(found):
        yield Finding(Code.EMBEDDED_FILE)
    link = found.get("/URI")
    if isinstance(link, pikepdf.Dictionary):
        link = link.get("/Base")
    if isinstance(link, pikepdf.String) and not link_is_safe(str(link)):
        yield Finding(Code.UNSAFE_LINK)
    matrix = found.get("/FontMatrix")
    if isinstance(matrix, pikepdf.Array) and any(isinstance(n, pikepdf.Object) for n in matrix):
        yield Finding(Code.JAVASCRIPT)


def _embeds(found: pikepdf.Dictionary) -> bool:
    """Whether a dictionary holds another file, whatever its entries claim.

    `/EF` is the only way to one, from names, notes, associated files or anything else; `/RF` leads
    to files that belong to it (ISO 32000, 7.11.3). Elsewhere these may be names of fonts or
    pictures.
    """
    return (
        found.get("/Type") == pikepdf.Name("/EmbeddedFile")
        or found.get("/Subtype") == pikepdf.Name("/FileAttachment")
        or any(_names_files(found.get(key)) for key in ("/EF", "/RF"))
    )


def _names_files(value: Any) -> bool:
    if not isinstance(value, pikepdf.Dictionary) or isinstance(value, pikepdf.Stream):
        return False
    untyped = "/Type" not in value
    return any(
        key in _FILE_KEYS or (untyped and isinstance(value[key], pikepdf.Stream))
        for key in value.keys()  # noqa: SIM118
    )


def _acts(triggers: Any) -> bool:
    """Whether a dictionary of additional actions has an action: `/AA` may also be a font's name."""
    return isinstance(triggers, pikepdf.Dictionary) and any(
        isinstance(triggers.get(key), pikepdf.Dictionary) and "/S" in triggers[key]
        for key in triggers.keys()  # noqa: SIM118
    )


def _stream(stream: pikepdf.Stream, limits: FileLimits) -> Iterator[Finding]:
    if "/F" in stream.stream_dict:
        yield Finding(Code.OUTSIDE_REFERENCE)
        return
    if stream.get("/Subtype") == pikepdf.Name("/XML") and _DTD.search(_unpacked(stream, 1 << 20)):
        yield Finding(Code.OUTSIDE_REFERENCE)
    if stream.get("/FunctionType") == 4 and not _CALCULATION.fullmatch(_unpacked(stream, 1 << 16)):
        yield Finding(Code.JAVASCRIPT)
    if stream.get("/Subtype") == pikepdf.Name("/Image"):
        width, height = stream.get("/Width", 0), stream.get("/Height", 0)
        if not isinstance(width, int) or not isinstance(height, int):
            yield Finding(Code.DAMAGED)
        elif width * height > limits.pixels:
            yield Finding(Code.TOO_MANY_PIXELS, {"limit_mp": limits.pixels // 1_000_000})


def _filters(stream: pikepdf.Stream) -> list[str]:
    named = stream.get("/Filter")
    if isinstance(named, pikepdf.Array):
        return [str(name) for name in named]
    return [] if named is None else [str(named)]


def _unpacked(stream: pikepdf.Stream, octets: int) -> bytes:
    """The first bytes of a stream, unpacked if it is deflated."""
    content = stream.read_raw_bytes()
    if _filters(stream)[:1] in (["/FlateDecode"], ["/Fl"]):
        try:
            return zlib.decompressobj().decompress(content, octets)
        except zlib.error:
            return b""
    return content[:octets]


def _inflated(stream: pikepdf.Stream, allowed: int) -> int:
    """How many bytes a packed stream unpacks to, counted until just above what is allowed.

    Pictures are limited by their pixels instead. Chains of filters are unpacked completely, within
    the memory that this process may use. Raises MemoryError.
    """
    filters = _filters(stream)
    if not filters or stream.get("/Subtype") == pikepdf.Name("/Image"):
        return 0
    if len(filters) > 1:
        try:
            return len(stream.read_bytes())
        except pikepdf.PdfError as error:
            if _NO_MEMORY in str(error):
                raise MemoryError from None
            return 0
    if filters[0] not in ("/FlateDecode", "/Fl"):
        return 0
    inflater, rest, total = zlib.decompressobj(), stream.read_raw_bytes(), 0
    try:
        while rest and not inflater.eof and total <= allowed:
            total += len(inflater.decompress(rest, 1 << 20))
            rest = inflater.unconsumed_tail
    except zlib.error:
        return total
    return total


def _drawn(file: BinaryIO, limits: FileLimits, report: dict[str, Any]) -> Iterator[Finding]:
    """Let pdfium read the file, draw the first page small, and measure scanned pages."""
    try:
        with _opened(file) as document:
            if len(document) != report["pages"]:
                yield Finding(Code.DAMAGED)
                return
            found = []
            for number in range(len(document)):
                page = document[number]
                if max(page.get_size()) > limits.page_points:
                    yield Finding(Code.PAGE_TOO_LARGE)
                    return
                found.append(scan_dpi(page.get_size(), list(_pictures(page))))
                page.close()
            # Drawn last: a page that is too large would take all memory.
            report["mark"] = any(_is_marked(document[n]) for n in {0, len(document) - 1})
    except pypdfium2.PdfiumError:
        yield Finding(Code.DAMAGED)
        return
    report["dpi"] = min((dpi for dpi in found if dpi is not None), default=None)


def _is_marked(page: pypdfium2.PdfPage) -> bool:
    """Whether a page, drawn small, shows a seal or signature; an electronic one is a mark too."""
    drawn = page.render(scale=0.2)
    try:
        return has_mark(drawn.to_pil())
    finally:
        drawn.close()


def _opened(file: BinaryIO) -> pypdfium2.PdfDocument:
    file.seek(0)
    return pypdfium2.PdfDocument(file)


def _pictures(page: pypdfium2.PdfPage) -> Iterator[PlacedImage]:
    for thing in page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_IMAGE]):
        matrix, holder = thing.get_matrix(), thing.container
        while holder is not None:
            matrix, holder = matrix.multiply(holder.get_matrix()), holder.container
        width = float((matrix.a**2 + matrix.b**2) ** 0.5)
        height = float((matrix.c**2 + matrix.d**2) ** 0.5)
        yield PlacedImage(thing.get_px_size(), (width, height))


def render(file: BinaryIO, page: int, longest: int, out: BinaryIO) -> str:
    """Draw a page (from 1) as PNG, `longest` pixels on its longer side. Returns the media type.

    Raises IndexError for a page that does not exist.
    """
    with _opened(file) as document:
        if not 1 <= page <= len(document):
            raise IndexError(page)
        document.init_forms()
        sheet = document[page - 1]
        picture = sheet.render(scale=longest / max(*sheet.get_size(), 1.0)).to_pil()
    hue = picture.convert("RGB").resize((64, 64))
    grey = all(max(pixel) - min(pixel) < 8 for pixel in hue.getdata())
    picture.convert("L" if grey else "RGB").save(out, format="PNG", compress_level=6)
    return "image/png"
