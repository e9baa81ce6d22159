"""The electronic document of a request: a PDF/A-3 for people that contains its data for programs.

The same facts give the same bytes. `request.json` inside the PDF is canonical JSON (RFC 8785) and
says the same as the page, with values for programs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from rules.journal.entries import canonical, moment
from rules.texts.grouping import in_eights
from services.papers.typesetting import PAPERS, exact_moment, typeset

DATA_NAME = "request.json"
DATA_VERSION = 1


@dataclass(frozen=True)
class RequestField:
    """One line of the form: its label and value as people read them, its value for programs.

    `canonical` is JSON whose numbers fit a double; `key` is the field's stable name.
    """

    label: str
    value: str
    canonical: Any
    key: str = ""


@dataclass(frozen=True)
class RequestAttachment:
    """A file that goes with the request, identified by its SHA-256 in hex."""

    title: str
    sha256: str


@dataclass(frozen=True)
class RequestFacts:
    """Everything that the document says; times are shown in `zone`."""

    number: str
    version: int
    type_title: str
    institution: str
    applicant: str
    fields: Sequence[RequestField]
    attachments: Sequence[RequestAttachment]
    created_at: datetime
    zone: str = "Europe/Moscow"
    type_key: str = ""
    addressee: str = ""


@dataclass(frozen=True)
class UnsignedPaper:
    """The document, unsigned, and the data that it contains."""

    pdf: bytes
    data: bytes


def form(facts: RequestFacts) -> UnsignedPaper:
    """The document. Takes some 20 ms: call it outside the event loop."""
    data = canonical(_data(facts))
    pdf = typeset(
        PAPERS / "request.typ",
        _shown(facts),
        parts={"data": data.decode()},
        standard="a-3a",
        at=facts.created_at,
    )
    return UnsignedPaper(pdf, data)


def _data(facts: RequestFacts) -> dict[str, Any]:
    return {
        "v": DATA_VERSION,
        "number": facts.number,
        "version": facts.version,
        "type": {"key": facts.type_key, "title": facts.type_title},
        "institution": facts.institution,
        "addressee": facts.addressee,
        "applicant": facts.applicant,
        "created_at": moment(facts.created_at),
        "fields": [
            {"key": each.key, "label": each.label, "value": each.value, "canonical": each.canonical}
            for each in facts.fields
        ],
        "attachments": [{"title": each.title, "sha256": each.sha256} for each in facts.attachments],
    }


def _shown(facts: RequestFacts) -> dict[str, object]:
    """The words on the page. It is in Russian, whatever the language of the cabinet."""
    again = facts.version > 1
    return {
        "lang": "ru",
        "title": f"Запрос № {facts.number}",
        "institution": facts.institution,
        "number": facts.number,
        "at": exact_moment(facts.created_at, ZoneInfo(facts.zone)),
        "heading": f"Запрос: {facts.type_title}",
        "version": f"Версия {facts.version}, исправлена заявителем" if again else "",
        "applicant": ("Заявитель", facts.applicant),
        "addressee": ("Адресат", facts.addressee) if facts.addressee else None,
        "rows": [(each.label, each.value or "—") for each in facts.fields],
        "attachments": {
            "heading": "Приложения",
            "digest": "SHA-256",
            "rows": [(each.title, in_eights(each.sha256)) for each in facts.attachments],
        },
        "proof": (
            "Электронный документ. Те же сведения в машиночитаемом виде вложены в этот файл "
            f"под именем {DATA_NAME}. Документ передаётся адресату подписанным электронной "
            "подписью учреждения и зашифрованным."
        ),
        "data_title": "Данные запроса в формате JSON",
        "footer": f"Запрос № {facts.number}, версия {facts.version}",
    }
