"""Papers as somebody reads them."""

import pypdfium2  # type: ignore[import-untyped]


def words(pdf: bytes) -> str:
    """The text of all pages, blanks made single."""
    document = pypdfium2.PdfDocument(pdf)
    return " ".join(" ".join(page.get_textpage().get_text_range() for page in document).split())
