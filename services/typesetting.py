"""Papers set by typst: a template and facts in, a PDF/A out. The same facts give the same bytes."""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Literal

import typst

PAPERS = Path(__file__).parent / "papers"


def typeset(
    template: Path,
    inputs: Mapping[str, str],
    *,
    standard: Literal["a-2a", "a-3a"],
    at: datetime,
) -> bytes:
    """The PDF, unsigned; some 20 ms. Not to be called on an event loop's thread.

    Raises typst.TypstError when the template cannot be set, which is a mistake of the program.
    """
    made = typst.Compiler(
        template.read_bytes(), root=template.parent, font_paths=_fonts(), sys_inputs=dict(inputs)
    ).compile(format="pdf", pdf_standards=[standard], timestamp=int(at.timestamp()))
    if not isinstance(made, bytes):
        raise TypeError("typst gave no PDF")
    return made


@lru_cache(maxsize=1)
def _fonts() -> typst.Fonts:
    """Only the fonts that come with us, so that every machine sets the same page."""
    return typst.Fonts(
        include_system_fonts=False,
        include_embedded_fonts=False,
        font_paths=[PAPERS / "fonts"],
    )
