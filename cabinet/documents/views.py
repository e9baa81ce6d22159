"""Documents and files as their pages show them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal


@dataclass(frozen=True)
class Verdict:
    """Why a file was refused, and what the person can do."""

    problem: str
    remedy: str


@dataclass(frozen=True)
class FileRow:
    """One file: name, size, verdict, and what may be done with it."""

    id: str
    name: str
    size: int
    state: Literal["good", "bad", "checking"]
    added_at: datetime | None = None
    verdicts: Sequence[Verdict] = ()
    view_url: str | None = None
    download_url: str | None = None
    replace_url: str | None = None
    remove_url: str | None = None
    note: str = ""
    version: int = 1


@dataclass(frozen=True)
class Candidate:
    """A document given before that can be chosen again."""

    version_id: str
    title: str
    name: str
    size: int
    added_at: datetime
    fits: bool = True
    """Whether it was given as a document of this very kind."""


@dataclass(frozen=True)
class Slot:
    """One kind of document that goes with a case."""

    kind: str
    title: str
    hint: str
    required: bool
    rows: Sequence[FileRow]
    candidates: Sequence[Candidate]
    upload_url: str
    choose_url: str
    waived_reason: str = ""
    error: str = ""
    remark: str = ""
    answered: bool = False
    """Whether other documents are there since the remark."""


@dataclass(frozen=True)
class DocumentView:
    """A document of the person; `older` versions newest first, `used_in` as (number, link)."""

    id: str
    title: str
    category: str
    row: FileRow
    url: str = ""
    older: Sequence[FileRow] = ()
    used_in: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class Category:
    """A category as a choice of the upload form."""

    value: str
    title: str
    hint: str
