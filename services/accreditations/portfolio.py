"""The portfolio: one PDF/A with a table of contents, the case, and pictures of its documents.

Every page of every document becomes a picture, drawn by the process that checks files. So the whole
is PDF/A whatever was given, and nothing active is in it; the files as given stay with the case.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from PIL import Image

from rules.accreditations.norms import LARGEST_FILE
from services.papers.typesetting import PAPERS, exact_moment, typeset

_SIGNATURE = 64 * 1024
"""Bytes that the signature adds, and some to spare."""
_STEPS = ((1800, 80), (1400, 65), (1100, 50), (850, 35))
"""Longer side in pixels and quality of the pictures: as fine as fits, readable to the last."""


class PortfolioTooLarge(ValueError):
    """The portfolio does not fit into one file, however coarse its pictures are."""


@dataclass(frozen=True)
class PortfolioDocument:
    """A document: what it proves, the digest of the file as given, and its pages as pictures."""

    title: str
    file_name: str
    sha256: str
    pages: Sequence[Path]


@dataclass(frozen=True)
class PortfolioFacts:
    """Everything that the portfolio says. Rows are labels with values."""

    institution: str
    number: str
    version: int
    person: str
    specialty: str
    submitted_at: datetime
    zone: str
    rows: Sequence[tuple[str, str]]
    hours: Sequence[Sequence[str]]
    """Courses: what, where, until when, hours, certified hours."""
    totals: tuple[int, int]
    report: str
    documents: Sequence[PortfolioDocument]


def build(facts: PortfolioFacts, folder: Path) -> tuple[bytes, int]:
    """The portfolio as PDF/A-2a, unsigned, and its number of pages of documents.

    `folder` is a scratch folder. Takes seconds: call it outside the event loop. Raises
    PortfolioTooLarge.
    """
    pages = [page for document in facts.documents for page in document.pages]
    for longest, quality in _STEPS:
        drawn = [
            _picture(page, folder / f"p{n}.jpg", longest, quality) for n, page in enumerate(pages)
        ]
        if sum(drawn) > LARGEST_FILE - _SIGNATURE:
            continue
        made = typeset(
            PAPERS / "portfolio.typ",
            _shown(facts),
            standard="a-2a",
            at=facts.submitted_at,
            root=folder,
        )
        if len(made) <= LARGEST_FILE - _SIGNATURE:
            return made, len(pages)
    raise PortfolioTooLarge(f"{len(pages)} pages")


def _picture(page: Path, to: Path, longest: int, quality: int) -> int:
    """Store a page as JPEG. Returns its size in bytes."""
    with Image.open(page) as drawn:
        drawn.thumbnail((longest, longest))
        drawn.convert("L" if drawn.mode == "L" else "RGB").save(to, "JPEG", quality=quality)
    return to.stat().st_size


def _shown(facts: PortfolioFacts) -> Mapping[str, Any]:
    """The words on the paper. It is in Russian, whatever the language of the cabinet."""
    zone = ZoneInfo(facts.zone)
    at, number = exact_moment(facts.submitted_at, zone), 0
    documents = []
    for one in facts.documents:
        pages = list(range(number, number + len(one.pages)))
        number += len(one.pages)
        documents.append(
            {
                "title": one.title,
                "file": one.file_name,
                "sha256": one.sha256,
                "pages": [f"/p{n}.jpg" for n in pages],
            }
        )
    name = f"Портфолио № {facts.number}, версия {facts.version}"
    return {
        "lang": "ru",
        "title": f"{name}: {facts.person}",
        "institution": facts.institution,
        "number": facts.number,
        "heading": "Портфолио для периодической аккредитации",
        "person": facts.person,
        "specialty": facts.specialty,
        "at": at,
        "rows": facts.rows,
        "hours": facts.hours,
        "totals": facts.totals,
        "report": facts.report,
        "documents": documents,
        "footer": name,
    }
