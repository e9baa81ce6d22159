"""Files that others have collected: of folders, or of the source packages of public projects.

What must become of a file is said by a judge that is not ours: qpdf for PDFs, Pillow for JPEGs. A
file that the judge has nothing against counts as good. Of the others any answer will do, as long as
nothing active passes and nothing breaks.
"""

import asyncio
import io
import subprocess
import sys
import tarfile
import tempfile
import warnings
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

import pikepdf
from PIL import Image

from ops.corpus.kinds import Kind, Must
from ops.corpus.run import CorpusResult, Row, tried, watched
from rules.files.checks import MediaType

_TYPES = {".pdf": MediaType.PDF, ".jpg": MediaType.JPEG, ".jpeg": MediaType.JPEG}
LARGEST = 10 * 1024 * 1024
"""Larger files are passed over: the form does not take them either."""
_WITHIN = 300
"""Seconds that a source package may take to arrive."""
_PAGES, _PIXELS = 200, 40_000_000
"""Beyond these the inspection refuses by intent, as its rules say."""


_KEYS = frozenset({"/JS", "/XFA", "/RichMediaContent"})
_TREES = frozenset({"/JavaScript", "/EF"})
_ACTIONS = frozenset(
    f"/{name}"
    for name in (
        "JavaScript", "Launch", "SubmitForm", "ImportData", "GoToR", "GoToE", "Rendition",
    )
)  # fmt: skip


class NotFound(Exception):
    """There is no such folder, or the package did not arrive."""


def files_of(place: Path) -> Iterator[tuple[str, bytes]]:
    """The PDFs and JPEGs of a folder, or of an archive (.tar.gz or .zip), by their paths."""
    if place.is_dir():
        for path in sorted(place.rglob("*")):
            plain = _wanted(path.name) and path.is_file() and not path.is_symlink()
            if plain and path.stat().st_size <= LARGEST:
                yield str(path.relative_to(place)), path.read_bytes()
    elif tarfile.is_tarfile(place):
        with tarfile.open(place) as archive:
            for one in archive:
                if one.isfile() and one.size <= LARGEST and _wanted(one.name):
                    held = archive.extractfile(one)
                    if held is not None:
                        yield one.name, held.read()
    elif zipfile.is_zipfile(place):
        with zipfile.ZipFile(place) as archive:
            for name in archive.namelist():
                if _wanted(name) and archive.getinfo(name).file_size <= LARGEST:
                    yield name, archive.read(name)
    else:
        raise NotFound(f"{place} is neither a folder nor an archive")


def _wanted(name: str) -> bool:
    return Path(name).suffix.lower() in _TYPES


def fetched(package: str, folder: Path) -> Path:
    """The source package of a project, as pip gets it. Raises NotFound."""
    asked = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-binary", ":all:"]
    try:
        subprocess.run(
            [*asked, "--quiet", "--dest", folder, package],
            check=True,
            timeout=_WITHIN,
            capture_output=True,
        )
    except (subprocess.SubprocessError, OSError) as error:
        raise NotFound(f"{package} did not arrive: {type(error).__name__}") from None
    return next(iter(sorted(folder.iterdir())))


def acts(content: bytes) -> bool:
    """Whether an object of a PDF, as qpdf repairs it, does something by itself.

    By object, not by bytes: pictures, fonts and addresses may have any letters in them.
    """
    try:
        with pikepdf.open(io.BytesIO(content), suppress_warnings=True) as document:
            return any(_acts(one) for one in document.objects)
    except (pikepdf.PdfError, pikepdf.PasswordError, RuntimeError, ValueError):
        return False


def _acts(whole: pikepdf.Object) -> bool:
    """Whether an object, or one that stands directly in it, does something by itself."""
    waiting = [whole]
    while waiting:
        one = waiting.pop()
        if isinstance(one, pikepdf.Array):
            waiting += [part for part in one if not getattr(part, "is_indirect", True)]
        elif isinstance(one, pikepdf.Dictionary | pikepdf.Stream):
            for name, value in one.items():
                if name in _KEYS or (name in _TREES and isinstance(value, pikepdf.Dictionary)):
                    return True
                if name == "/S" and isinstance(value, pikepdf.Name) and str(value) in _ACTIONS:
                    return True
                if not getattr(value, "is_indirect", True):
                    waiting.append(value)
    return False


def judged(content: bytes, media_type: MediaType) -> bool:
    """Whether somebody else has nothing against a file, and it is within our limits."""
    if media_type is MediaType.JPEG:
        return _good_picture(content)
    if not content.startswith(b"%PDF-"):
        return False
    try:
        with pikepdf.open(
            io.BytesIO(content), attempt_recovery=False, suppress_warnings=True
        ) as document:
            whole = not document.is_encrypted and not document.get_warnings()
            few = 0 < len(document.pages) <= _PAGES
            small = all(
                abs(float(page.mediabox[n + 2]) - float(page.mediabox[n])) <= 3600
                for page in document.pages
                for n in (0, 1)
            )
            quiet = not ({"/OpenAction", "/AA"} & set(document.Root.keys()))
            return whole and few and small and quiet and not document.check_pdf_syntax()
    except Exception:  # whatever it is, somebody has something against it
        return False


def _good_picture(content: bytes) -> bool:
    try:
        with Image.open(io.BytesIO(content)) as picture:
            picture.load()
            return picture.format == "JPEG" and picture.width * picture.height <= _PIXELS
    except Exception:  # likewise
        return False


async def prove(places: Sequence[tuple[str, Path]]) -> CorpusResult:
    """Inspect all files of these places; each has a row of good files, and one of others."""
    outcome = CorpusResult([])
    async with watched() as inspection:
        for name, place in places:
            rows = {
                (one, must): Row(
                    # A process that is ended at its limits has refused the file, as it is meant to.
                    Kind(f"{name}, {one.name}, {words}", must, one, _none, heavy=True)
                )
                for one in MediaType
                for must, words in ((Must.GOOD, "sound"), (Must.EITHER, "others"))
            }
            for path, content in files_of(place):
                media_type = _TYPES[Path(path).suffix.lower()]
                row = rows[media_type, _must(content, media_type)]
                if not await tried(inspection, row, content, acts):
                    row.examples.append(Path(name, path))
            outcome.rows += [row for row in rows.values() if row.tried]
    return outcome


def _must(content: bytes, media_type: MediaType) -> Must:
    with warnings.catch_warnings(action="ignore"):
        quiet = media_type is MediaType.JPEG or not acts(content)
        return Must.GOOD if quiet and judged(content, media_type) else Must.EITHER


def _none(_rng: Random) -> bytes:
    raise NotImplementedError


def run(folders: Sequence[Path], packages: Sequence[str]) -> int:
    """Inspect what was found, print the table, and return the exit code."""
    with tempfile.TemporaryDirectory(prefix="medcab-corpus-") as scratch:
        places = [(folder.name, folder) for folder in folders]
        for package in packages:
            folder = Path(scratch, package)
            folder.mkdir()
            try:
                places.append((package, fetched(package, folder)))
            except NotFound as error:
                print(error)
        outcome = asyncio.run(prove(places))
    reasons: Counter[str] = Counter()
    for row in outcome.rows:
        print(
            f"{row.kind.name:<40} {row.tried:>5} files: {row.accepted} accepted,"
            f" {row.refused} refused, {row.errors} server errors, {row.dead} dead processes,"
            f" {row.released} active released"
        )
        for code, number in row.reasons.most_common():
            reasons[f"{row.kind.must.value}: {code}"] += number
    for row in outcome.rows:
        for path in row.examples:
            print(f"amiss: {row.kind.must.value} {path}")
    for words, number in reasons.most_common():
        print(f"{number:>6} {words}")
    faults = outcome.faults
    print(f"Failed: {'; '.join(faults)}." if faults else "All holds.")
    return 1 if faults else 0
