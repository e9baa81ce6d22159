"""Limits and names of files, as rules without a file."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.files.categories import Category, minimum_dpi
from rules.files.checks import (
    EXTENSIONS,
    Code,
    Finding,
    MediaType,
    PlacedImage,
    claimed_types,
    content_disposition,
    effective_dpi,
    link_is_safe,
    photo_dpi,
    resolution_finding,
    safe_name,
    scan_dpi,
    type_of,
)

A4 = (595.276, 841.89)
sizes = st.floats(min_value=72, max_value=3600)
resolutions = st.integers(min_value=20, max_value=1200)


@given(sizes, sizes, resolutions)
def test_resolution_of_what_was_scanned_is_what_it_was_scanned_at(
    width: float, height: float, dpi: int
) -> None:
    """Pixels rounded to whole ones, as scanners do, are off by less than one dot per inch."""
    pixels = (round(width / 72 * dpi), round(height / 72 * dpi))
    assert abs(effective_dpi(pixels, (width, height)) - dpi) <= 1


@given(sizes, sizes, resolutions, resolutions)
def test_resolution_is_that_of_the_worse_direction(
    width: float, height: float, across: int, down: int
) -> None:
    """Stretching a scan in one direction does not make it sharper."""
    pixels = (int(width / 72 * across), int(height / 72 * down))
    assert effective_dpi(pixels, (width, height)) <= min(across, down)


@pytest.mark.parametrize(("dpi", "accepted"), [(299, False), (300, True), (301, True)])
def test_the_limit_is_exact(dpi: int, accepted: bool) -> None:
    """299 are refused, 300 are accepted (I1); of A4 too, where 300 dpi make a broken pixel."""
    pixels = (round(A4[0] / 72 * dpi), round(A4[1] / 72 * dpi))
    assert effective_dpi(pixels, A4) == dpi
    finding = resolution_finding(effective_dpi(pixels, A4), 300)
    assert (finding is None) is accepted


def test_a_page_without_extent_has_no_resolution() -> None:
    """Nothing is divided by nothing."""
    with pytest.raises(ValueError, match="width"):
        effective_dpi((100, 100), (0, 842))
    assert scan_dpi((0, 0), [PlacedImage((100, 100), (10, 10))]) is None


def test_layers_strips_and_stamps() -> None:
    """Of layers the sharpest counts, of strips the coarsest; a stamp does not make a scan."""
    background = PlacedImage((620, 877), A4)
    text = PlacedImage((2480, 3508), A4)
    assert scan_dpi(A4, [background, text]) == 300
    strip = (A4[0], A4[1] / 4)
    strips = [PlacedImage((2480, 877), strip)] * 3 + [PlacedImage((1240, 438), strip)]
    assert scan_dpi(A4, strips) == 150
    assert scan_dpi(A4, [PlacedImage((50, 50), (100, 100))]) is None
    assert scan_dpi(A4, []) is None


@pytest.mark.parametrize(
    ("pixels", "density", "dpi"),
    [
        ((2480, 3508), (300, 300), 300),
        ((2480, 3508), (299, 299), 299),
        ((3508, 2480), None, 300),
        ((4032, 3024), (72, 72), 345),
        ((1240, 1754), None, 150),
        ((300, 300), (300, 300), 26),
        ((2480, 3508), (0, 0), 300),
    ],
)
def test_photographs(
    pixels: tuple[int, int], density: tuple[float, float] | None, dpi: int
) -> None:
    """A stated density is believed where it makes a sheet; otherwise A4 is assumed."""
    assert photo_dpi(pixels, density) == dpi


def test_only_registration_asks_for_sharpness() -> None:
    """Identity documents always, others when they are given at registration (I1)."""
    assert minimum_dpi(Category.IDENTITY) == 300
    assert minimum_dpi(Category.DIPLOMA) is None
    assert minimum_dpi(Category.DIPLOMA, registration=True) == 300


@pytest.mark.asvs("5.3.2")
@given(st.text(max_size=400), st.sampled_from([None, *MediaType]))
def test_names_are_harmless(name: str, media_type: MediaType | None) -> None:
    """Whatever the client calls it, the name is short, one line, without folders, and printable."""
    safe = safe_name(name, media_type)
    assert 0 < len(safe) <= 150
    assert not set(safe) & set('/\\:*?"<>|\r\n\t\0\u202e')
    assert safe == safe.strip()
    assert safe not in (".", "..")
    if media_type is not None:
        assert safe.endswith(EXTENSIONS[media_type])
    assert safe_name(safe, media_type) == safe


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("Диплом №1.pdf", "Диплом №1.pdf"),
        ("../../etc/passwd", "passwd.pdf"),
        ("C:\\Users\\a\\скан.PDF", "скан.pdf"),
        ("diploma\u202efdp.exe", "diplomafdp.pdf"),
        (None, "document.pdf"),
        ("....", "document.pdf"),
    ],
)
def test_names_as_people_write_them(name: str | None, safe: str) -> None:
    """Folders, tricks of direction and false endings are taken away, the rest stays."""
    assert safe_name(name, MediaType.PDF) == safe


@pytest.mark.asvs("5.4.2")
@given(st.text(max_size=200))
def test_header_of_a_name_is_one_line_of_ascii(name: str) -> None:
    """No name can break out of the header that carries it (RFC 8187)."""
    header = content_disposition(safe_name(name))
    assert header.isascii()
    assert header.isprintable()
    assert header.count('"') == 2


@pytest.mark.parametrize(
    ("content_type", "name", "claims"),
    [
        ("application/pdf", "a.pdf", {MediaType.PDF}),
        ("application/pdf; charset=binary", None, {MediaType.PDF}),
        ("image/jpeg", "photo.JPG", {MediaType.JPEG}),
        ("application/octet-stream", "a.jpeg", {MediaType.JPEG}),
        (None, "a.pdf", {MediaType.PDF}),
        ("", "a", set()),
        ("text/html", "a.pdf", {MediaType.PDF}),
        ("application/pdf", "a.jpg", {MediaType.PDF, MediaType.JPEG}),
        ("application/x-download", "Диплом 12.05.2020", set()),
        ("image/heic", "IMG_0001.HEIC", set()),
    ],
)
def test_claims(content_type: str | None, name: str | None, claims: set[MediaType]) -> None:
    """Only a media type and an ending that are taken claim anything; a date is no ending."""
    assert claimed_types(content_type, name) == claims


@given(st.binary(max_size=64))
def test_nothing_may_stand_before_the_mark(start: bytes) -> None:
    """A file is a PDF by its first five bytes and a JPEG by its first three, or it is neither."""
    found = type_of(start, frozenset())
    assert (found is MediaType.PDF) == (start[:5] == b"%PDF-")
    assert (found is MediaType.JPEG) == (start[:3] == b"\xff\xd8\xff")


@pytest.mark.parametrize(
    ("start", "claims", "code"),
    [
        (b"\xef\xbb\xbf%PDF-1.7", {MediaType.PDF}, Code.PRECEDED),
        (b"\xef\xbb\xbf%PDF-1.7", set(), Code.PRECEDED),
        (b"\0\0\0\x24ftypheic", {MediaType.JPEG}, Code.HEIC),
        (b"\0\0\0\x24ftypmif1", set(), Code.HEIC),
        (b"\0\0\0\x24ftypmp42", set(), Code.WRONG_TYPE),
        (b"PK\x03\x04", set(), Code.WRONG_TYPE),
        (b"PK\x03\x04", {MediaType.PDF}, Code.TYPE_MISMATCH),
        (b"%PDF-1.7", {MediaType.JPEG}, Code.MISNAMED),
        (b"\xff\xd8\xff\xe0", {MediaType.PDF}, Code.MISNAMED),
    ],
)
def test_each_wrong_start_has_words_of_its_own(
    start: bytes, claims: set[MediaType], code: Code
) -> None:
    """The remedy is one that works: another name, another setting of the camera, another saving."""
    found = type_of(start, frozenset(claims))
    assert isinstance(found, Finding)
    assert found.code is code
    assert "%(" not in found.text


@pytest.mark.parametrize(
    ("link", "safe"),
    [
        ("https://minzdrav.gov.ru/", True),
        ("HTTP://example.org", True),
        ("mailto:a@example.org", True),
        ("page.html", True),
        ("javascript:alert(1)", False),
        ("JaVaScRiPt:alert(1)", False),
        ("java\nscript:alert(1)", False),
        (" javascript:alert(1)", False),
        ("file:///etc/passwd", False),
        ("\\\\host\\share", False),
        ("//host/share", False),
        ("vnd.sun.star.expand:x", False),
        ("data:text/html,x", False),
    ],
)
def test_links(link: str, safe: bool) -> None:
    """The web, mail and telephone may be linked to; programs and files may not."""
    assert link_is_safe(link) is safe


@pytest.mark.asvs("1.2.2")
@given(st.text(alphabet=string.ascii_letters + "+.-", min_size=1, max_size=20))
def test_unknown_schemes_are_unsafe(scheme: str) -> None:
    """What is not known to be safe is not."""
    known = scheme.lower() in ("http", "https", "mailto", "tel") or not scheme[0].isalpha()
    assert link_is_safe(f"{scheme}:x") is known


@given(st.sampled_from(Code), st.dictionaries(st.just("limit"), st.integers()))
def test_findings_are_read_as_they_were_stored(code: Code, facts: dict[str, int]) -> None:
    """A verdict survives the database."""
    finding = Finding(code, facts)
    assert Finding.read(finding.stored()) == finding
