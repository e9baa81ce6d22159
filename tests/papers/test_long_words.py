"""Nothing on a paper runs out of it, whatever people write without a blank."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pypdfium2  # type: ignore[import-untyped]
import pytest

from services.papers.typesetting import PAPERS, typeset

LINK = "https://storage.example/" + "отчёт_о_повышении_квалификации/" * 6 + "v2"
NAME = "Удостоверение_о_повышении_квалификации_Соколова_А_И_2026_окончательный_вариант.pdf"
SURNAME = "Константинопольская-Преображенская"
MM = 72 / 25.4
HEAD = {"lang": "ru", "title": "Бумага", "institution": "Больница", "footer": "Дело № 1"}


def case() -> tuple[str, dict[str, Any], float]:
    """A whole case: a link in a comment, a file, an answer that was another one."""
    section = {
        "title": NAME,
        "level": 2,
        "words": [LINK],
        "rows": [("Название", LINK, NAME)],
        "items": [(NAME, LINK, "ab" * 32)],
    }
    facts = {**HEAD, "number": "1", "date": "сегодня", "heading": "Дело", "rows": [(SURNAME, NAME)]}
    return "case.typ", {**facts, "sections": [section]}, (210 - 20) * MM


def request() -> tuple[str, dict[str, Any], float]:
    """The document of a request."""
    attached = {"heading": "Приложения", "digest": "SHA-256", "rows": [(NAME, "ab" * 32)]}
    facts = {
        **HEAD,
        "number": "1",
        "at": "сегодня",
        "heading": "Запрос",
        "version": "",
        "applicant": ("Заявитель", SURNAME * 3),
        "addressee": None,
        "rows": [(NAME, LINK)],
        "attachments": attached,
        "proof": LINK,
        "data_title": "Данные",
    }
    return "request.typ", facts, (210 - 24) * MM


def listed() -> tuple[str, dict[str, Any], float]:
    """A list of the archive, whose columns are narrow."""
    facts = {
        **HEAD,
        "first": True,
        "about": [LINK],
        "pages_before": 0,
        "columns": [
            "Номер",
            "Вид",
            "Название",
            "Заявитель",
            "Подразделение",
            "Состояние",
            "С",
            "По",
        ],
        "rows": [("ПК-2026-000123-4", "Заявка", LINK, SURNAME, SURNAME, SURNAME, "1", NAME)],
    }
    return "list.typ", facts, (297 - 14) * MM


def boxes(pdf: bytes) -> Iterator[tuple[str, float]]:
    """Each sign of the pages with its right edge, in points."""
    for page in pypdfium2.PdfDocument(pdf):
        text = page.get_textpage()
        for n in range(text.count_chars()):
            yield text.get_text_range(n, 1), text.get_charbox(n)[2]


@pytest.mark.parametrize("paper", [case, request, listed])
def test_long_words_stay_within_the_page(paper: Any) -> None:
    """A link of two hundred signs and a file's name with underscores break, and none is lost."""
    template, facts, edge = paper()
    made = typeset(
        Path(PAPERS / template),
        facts,
        parts={"data": "{}"},
        standard="a-3a" if template == "request.typ" else "a-2a",
        at=datetime(2026, 12, 4, tzinfo=UTC),
    )
    signs = list(boxes(made))
    assert max(right for _, right in signs) <= edge + 0.5
    assert LINK in "".join(sign for sign, _ in signs if not sign.isspace())
