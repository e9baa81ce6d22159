"""Documents and files as their pages show them."""

from collections.abc import Sequence
from dataclasses import dataclass

from cabinet.frame.views import FileRow


@dataclass(frozen=True)
class DocumentCard:
    """A document of the person; `older` versions newest first, `used_in` as (number, link)."""

    id: str
    title: str
    category: str
    row: FileRow
    url: str = ""
    older: Sequence[FileRow] = ()
    used_in: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class CategoryOption:
    """A category as a choice of the upload form."""

    value: str
    title: str
    hint: str
