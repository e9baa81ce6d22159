"""The electronic document of a request: a PDF/A-3 that carries its own data (S3)."""

import json
import re
from io import BytesIO

import pikepdf
import pypdfium2  # type: ignore[import-untyped]
import pytest
import rfc8785

from services.papers.typesetting import displayable
from services.requests.paper import (
    DATA_NAME,
    RequestAttachment,
    RequestFacts,
    RequestField,
    UnsignedPaper,
    form,
)
from tests.gov_service.line import facts
from tests.papers.reading import words

DIGEST = "ab" * 32


@pytest.fixture(scope="module")
def told() -> RequestFacts:
    """A second version with an attachment."""
    return facts(version=2, attachments=(RequestAttachment("Направление.pdf", DIGEST),))


@pytest.fixture(scope="module")
def paper(told: RequestFacts) -> UnsignedPaper:
    """Its document."""
    return form(told)


def test_everything_stands_on_the_page(paper: UnsignedPaper, told: RequestFacts) -> None:
    """Number, version, time, people, every field, every attachment with its digest."""
    text = words(paper.pdf)
    for said in (
        told.institution,
        f"№ {told.number}",
        "4 декабря 2026 г., 16:05",
        f"Запрос: {told.type_title}",
        "Версия 2, исправлена заявителем",
        told.applicant,
        told.addressee,
        "Номер полиса ОМС 2200 0000 0000 0012",
        "1 декабря 2026 г.",
        "Направление.pdf",
        " ".join([DIGEST[:8]] * 8),
        DATA_NAME,
    ):
        assert said in text, said


def test_the_data_inside_are_the_data_beside(paper: UnsignedPaper, told: RequestFacts) -> None:
    """Canonical JSON, byte for byte, with values as programs want them."""
    with pikepdf.open(BytesIO(paper.pdf)) as pdf:
        assert list(pdf.attachments) == [DATA_NAME]
        inside = pdf.attachments[DATA_NAME]
        assert inside.get_file().read_bytes() == paper.data
        assert str(inside.obj.AFRelationship) == "/Data"
        assert inside.get_file().mime_type == "application/json"
    data = json.loads(paper.data)
    assert rfc8785.dumps(data) == paper.data
    assert (data["number"], data["version"]) == (told.number, 2)
    assert data["created_at"] == "2026-12-04T13:05:00.000000Z"
    assert data["fields"][1] == {
        "key": "taken_on",
        "label": "Дата взятия материала",
        "value": "1 декабря 2026 г.",
        "canonical": "2026-12-01",
    }
    assert data["attachments"] == [{"title": "Направление.pdf", "sha256": DIGEST}]


def test_the_same_facts_give_the_same_bytes(paper: UnsignedPaper, told: RequestFacts) -> None:
    """A document is formed anew after a crash without a second truth."""
    assert form(told) == paper
    assert form(facts()).pdf != paper.pdf


def test_text_is_never_markup() -> None:
    """What people wrote is set as it stands."""
    odd = '#panic("x") *жирно* $x^2$ <метка> // \\ [скобки] "кавычки"'
    assert odd in words(form(facts(fields=(RequestField(odd, odd, odd),), applicant=odd)).pdf)


def test_a_sign_without_a_picture_stops_nothing() -> None:
    """The page shows a lozenge, the data keep what was typed."""
    made = form(facts(fields=(RequestField("Цель", "Здоровье 😀", "Здоровье 😀"),)))
    assert "Здоровье ◊" in words(made.pdf)
    assert json.loads(made.data)["fields"][0]["value"] == "Здоровье 😀"
    assert displayable("— «№» ё\u00a0\u202f\u200b😀") == "— «№» ё\u00a0\u00a0◊"
    assert "◊ — знак, которого нет в шрифтах документа" in words(made.pdf)
    assert "◊" not in words(form(facts()).pdf)


def test_a_sign_that_can_be_said_otherwise_is() -> None:
    """Letters of two parts are composed; a small nine is a nine, an arrow two strokes."""
    assert displayable("Мои\u0306 е\u0308жик") == "Мой ёжик"
    assert displayable("10⁹ → Nguyễn ✓") == "109 -> Nguyen +"


def test_long_requests_run_over_several_pages() -> None:
    """Nothing is cut off, and pages are numbered."""
    long = "Подробное обоснование запроса. " * 60
    many = tuple(RequestField(f"Поле {n}", long, long) for n in range(12))
    made = form(facts(fields=many, attachments=(RequestAttachment("Ы" * 200, DIGEST),)))
    pages = len(pypdfium2.PdfDocument(made.pdf))
    assert pages > 3
    text = words(made.pdf)
    assert text.count("обоснование") == 12 * 60
    assert re.search(rf"\b{pages} / {pages}\b", text)


def test_without_attachments_there_is_no_such_heading() -> None:
    """And a first version says nothing of versions on its first page."""
    text = words(form(facts()).pdf)
    assert "Приложения" not in text
    assert "исправлена" not in text
