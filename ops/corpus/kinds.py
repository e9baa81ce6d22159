"""All kinds of files, and what must become of each."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from functools import partial
from random import Random

from ops.corpus import broken, papers, pictures
from ops.corpus.active import ACTIVE
from ops.corpus.writing import Sketch, disguised
from rules.files.checks import MediaType

_PDF, _JPEG = MediaType.PDF, MediaType.JPEG


class Must(Enum):
    """What must become of a file."""

    GOOD = "good"
    BAD = "bad"
    EITHER = "either"
    """Changed by chance: any answer will do, as long as nothing active passes."""


@dataclass(frozen=True)
class Kind:
    """One kind of file."""

    name: str
    must: Must
    claim: MediaType
    make: Callable[[Random], bytes]
    active: bool = False
    """Whether it does something by itself: none of these may pass."""
    heavy: bool = False
    """Whether the process that checks it may be killed: it is there for that."""
    dpi: int | None = None
    """The resolution that is required."""


def _acting(sketch: Callable[[Random], Sketch], rng: Random) -> bytes:
    return disguised(sketch(rng), rng)


def _kinds() -> Iterator[Kind]:
    for name, make in papers.PAPERS.items():
        yield Kind(name, Must.GOOD, _PDF, make, dpi=300)
    for name, make in pictures.GOOD_PICTURES.items():
        yield Kind(name, Must.GOOD, _JPEG, make)
    yield Kind("JPEG of 300 dpi", Must.GOOD, _JPEG, pictures.scanned, dpi=300)
    for name, sketch in ACTIVE.items():
        yield Kind(name, Must.BAD, _PDF, partial(_acting, sketch), active=True)
    for name, make in broken.BROKEN.items():
        yield Kind(name, Must.BAD, _PDF, make)
    for name, make in broken.HEAVY.items():
        yield Kind(name, Must.BAD, _PDF, make, heavy=True)
    for name, make in pictures.BAD_PICTURES.items():
        yield Kind(name, Must.BAD, _JPEG, make)
    yield Kind("scan of 299 dpi", Must.BAD, _PDF, partial(papers.scan, dpi=299), dpi=300)
    yield Kind("JPEG below 300 dpi", Must.BAD, _JPEG, pictures.coarse, dpi=300)
    yield Kind("another type called PDF", Must.BAD, _PDF, broken.wrong_type)
    yield Kind("another type called JPEG", Must.BAD, _JPEG, broken.wrong_type)
    yield Kind("JPEG called PDF", Must.BAD, _PDF, pictures.photograph)
    yield Kind("PDF called JPEG", Must.BAD, _JPEG, papers.office)
    yield Kind("JPEG of many scans", Must.EITHER, _JPEG, pictures.many_scans, heavy=True)
    yield Kind("good PDF changed by chance", Must.EITHER, _PDF, broken.changed_pdf)
    yield Kind("active PDF changed by chance", Must.EITHER, _PDF, broken.changed_active)
    yield Kind("JPEG changed by chance", Must.EITHER, _JPEG, broken.changed_jpeg)


KINDS = tuple(_kinds())
