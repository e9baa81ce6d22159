"""What in a PDF does more than show pages: every kind must be refused, in every disguise."""

from collections.abc import Callable, Mapping
from random import Random

from ops.corpus.writing import Sketch, literal, stream

_SCRIPTS = (b"app.alert(1)", b"this.exportDataObject({cName: 'a'})", b"app.launchURL('http://a')")
_PROGRAMS = (b"calc.exe", b"/bin/sh", rb"\\host\share\a.exe", b"powershell -enc AAAA")
_ADDRESSES = (b"http://example.org/take", b"https://10.0.0.1/x", b"mailto:a@example.org")
_UNSAFE = (b"javascript:alert(1)", b"file:///etc/passwd", rb"\\host\share", b"smb://host/a")


def acting(entries: bytes, rng: Random, *more: bytes) -> Sketch:
    """An action in one of the places from which a reader starts one.

    The action itself is object 4 where it is not written in place.
    """
    action = b"<< /Type /Action %s >>" % entries
    note = b"<< /Type /Annot /Subtype /%s /Rect [0 0 99 99] %s >>"
    field = b"<< /Type /Annot /Subtype /Widget /FT /Btn /T (a) /Rect [0 0 9 9] %s >>"
    link = b"/Annots [" + note % (b"Link", b"/A %s")
    places = (
        Sketch(b"/OpenAction %s" % action, more=(b"null", *more)),
        Sketch(b"/OpenAction 4 0 R", more=(action, *more)),
        Sketch(b"", link % action + b"]", (b"null", *more)),
        Sketch(b"", link % b"4 0 R" + b"]", (action, *more)),
        Sketch(b"", b"/AA << /O 4 0 R >>", (action, *more)),
        Sketch(b"/AA << /WC %s >>" % action, more=(b"null", *more)),
        Sketch(
            b"/AcroForm << /Fields [%s] >>" % (field % b"/AA << /K %s >>" % action),
            more=(b"null", *more),
        ),
        Sketch(
            b"/OpenAction << /S /GoTo /D [3 0 R /Fit] /Next [%s] >>" % action,
            more=(b"null", *more),
        ),
    )
    return rng.choice(places)


def _script(rng: Random) -> Sketch:
    script = rng.choice(_SCRIPTS)
    if rng.random() < 0.3:
        return acting(b"/S /JavaScript /JS 5 0 R", rng, stream(b"", script))
    spelled = rng.choice((literal(script), b"<%s>" % script.hex().encode()))
    return acting(b"/S /JavaScript /JS %s" % spelled, rng)


def _script_among_names(rng: Random) -> Sketch:
    tree = b"<< /Names [(a) << /S /JavaScript /JS (x) >>] >>"
    if rng.random() < 0.5:
        tree = b"<< /Kids [%s] >>" % tree
    return Sketch(b"/Names << /JavaScript %s >>" % tree)


def _script_in_font(rng: Random) -> Sketch:
    font = (
        b"<< /Type /Font /Subtype /Type1 /BaseFont /A /FontMatrix [1 0 0 1 0 (a\\); alert\\()] >>"
    )
    return Sketch(b"", b"/Resources << /Font << /F1 4 0 R >> >>", (font,))


def _launch(rng: Random) -> Sketch:
    program = rng.choice(_PROGRAMS)
    how = rng.choice((b"/F %s", b"/Win << /F %s /P (/c) >>", b"/F << /Type /Filespec /F %s >>"))
    return acting(b"/S /Launch " + how % literal(program), rng)


def _submit(rng: Random) -> Sketch:
    kind = rng.choice((b"SubmitForm", b"ImportData"))
    target = b"<< /FS /URL /F (%s) >>" % rng.choice(_ADDRESSES)
    return acting(b"/S /%s /F %s" % (kind, target), rng)


def _elsewhere(rng: Random) -> Sketch:
    kind = rng.choice((b"GoToR /D [0 /Fit]", b"GoToE /D (a)", b"Thread /D 0"))
    return acting(b"/S /%s /F %s" % (kind, literal(rng.choice(_PROGRAMS))), rng)


def _link(rng: Random) -> Sketch:
    if rng.random() < 0.2:
        return Sketch(b"/URI << /Base %s >>" % literal(rng.choice(_UNSAFE)))
    return acting(b"/S /URI /URI %s" % literal(rng.choice(_UNSAFE)), rng)


def _embedded(rng: Random) -> Sketch:
    content = rng.choice((b"MZ" + bytes(60), b"<script>run()</script>", b"PK\3\4" + bytes(40)))
    held = stream(rng.choice((b"/Type /EmbeddedFile", b"")), content)
    key = rng.choice((b"F", b"UF"))
    spec = b"<< /Type /Filespec /F (a.pdf) /EF << /%s 4 0 R >> >>" % key
    note = b"/Annots [<< /Type /Annot /Subtype /%s /Rect [0 0 9 9] /FS 5 0 R >>]"
    catalogue, page = rng.choice(
        (
            (b"/Names << /EmbeddedFiles << /Names [(a) 5 0 R] >> >>", b""),
            (b"/AF [5 0 R]", b""),
            (b"", note % b"FileAttachment"),
            (b"", note % b"Text"),
            (b"/Collection << /View /D >>", b""),
            (b"", b"/PieceInfo << /X << /Private 5 0 R >> >>"),
        )
    )
    return Sketch(catalogue, page, (held, spec))


def _xfa(rng: Random) -> Sketch:
    form = stream(b"", b"<xdp:xdp xmlns:xdp='http://ns.adobe.com/xdp/'/>")
    where = rng.choice((b"4 0 R", b"[(template) 4 0 R]"))
    if rng.random() < 0.5:
        return Sketch(b"/AcroForm << /Fields [] /XFA %s >>" % where, more=(form,))
    return Sketch(b"/AcroForm 5 0 R", more=(form, b"<< /Fields [] /XFA %s >>" % where))


def _media(rng: Random) -> Sketch:
    kind = rng.choice((b"RichMedia /RichMediaContent << >>", b"Movie", b"Sound", b"Screen", b"3D"))
    if rng.random() < 0.3:
        return acting(rng.choice((b"/S /Rendition /OP 0", b"/S /Sound", b"/S /Movie")), rng)
    note = b"<< /Type /Annot /Rect [0 0 99 99] /Subtype /%s >>" % kind
    if rng.random() < 0.5:
        return Sketch(b"", b"/Annots [%s]" % note)
    return Sketch(b"", b"/Annots [4 0 R]", (note,))


def _prints(rng: Random) -> Sketch:
    action = b"<< /S /Named /N /%s >>" % rng.choice((b"Print", b"NextPage", b"Close"))
    return rng.choice(
        (
            Sketch(b"/OpenAction %s" % action),
            Sketch(b"", b"/AA << /O %s >>" % action),
            Sketch(b"/AA << /DP 4 0 R >>", more=(action,)),
        )
    )


def _postscript(rng: Random) -> Sketch:
    program = stream(b"/Type /XObject /Subtype /PS", b"(/etc/passwd) (r) file")
    return Sketch(b"", b"/Resources << /XObject << /A 4 0 R >> >>", (program,))


def _outside_stream(rng: Random) -> Sketch:
    target = rng.choice((b"(/etc/passwd)", b"<< /FS /URL /F (http://example.org/) >>"))
    return Sketch(b"", b"/Contents 4 0 R", (stream(b"/F %s" % target, b""),))


def _entity(rng: Random) -> Sketch:
    doctype = b"<!DOCTYPE a [<!ENTITY b SYSTEM '%s'>]>" % rng.choice(_ADDRESSES)
    metadata = stream(b"/Type /Metadata /Subtype /XML", b"<?xml version='1.0'?>%s<a/>" % doctype)
    return Sketch(b"/Metadata 4 0 R", b"", (metadata,))


ACTIVE: Mapping[str, Callable[[Random], Sketch]] = {
    "JavaScript in an action": _script,
    "JavaScript among the names": _script_among_names,
    "JavaScript in the matrix of a font": _script_in_font,
    "Launch": _launch,
    "SubmitForm, ImportData": _submit,
    "GoToR, GoToE, Thread": _elsewhere,
    "unsafe link": _link,
    "EmbeddedFile": _embedded,
    "XFA": _xfa,
    "RichMedia, film, sound, 3D": _media,
    "OpenAction, AA": _prints,
    "PostScript": _postscript,
    "stream in another file": _outside_stream,
    "entity in metadata": _entity,
}
