"""What the simulated gov service answers, by kind of service: a certificate, results, a
confirmation."""

import json
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

import pikepdf

from rules.journal.entries import canonical
from services.gov_service.messages import (
    GovServiceAnswer,
    GovServiceFile,
    GovServiceRequest,
    refusal,
)
from services.papers.typesetting import typeset
from services.requests.paper import DATA_NAME
from services.seal import Seal

_SERVICES = Path(__file__).with_name("gov_service.json")
_TEMPLATE = Path(__file__).with_name("gov_pages") / "answer.typ"
_REFUSED_WORD = "отказ"


class DocumentUnreadable(ValueError):
    """The electronic document lacks data that it must hold, or is about another request."""


def data_of(request: GovServiceRequest) -> dict[str, Any]:
    """The data inside the document, compared with the request around it.

    Raises DocumentUnreadable.
    """
    try:
        with pikepdf.open(BytesIO(request.document.content)) as pdf:
            data: dict[str, Any] = json.loads(pdf.attachments[DATA_NAME].get_file().read_bytes())
        listed = {one["sha256"] for one in data["attachments"]}
        same = (data["number"], data["version"]) == (request.number, request.version)
        values = [each["canonical"] for each in data["fields"]]
    except (pikepdf.PdfError, KeyError, TypeError, ValueError) as error:
        raise DocumentUnreadable(type(error).__name__) from None
    if not same or listed != {each.sha256 for each in request.attachments} or not values:
        raise DocumentUnreadable("the document is about something else")
    return data


def answer_to(
    request: GovServiceRequest, message_id: UUID, at: datetime, seal: Seal, *, again: bool = False
) -> GovServiceAnswer:
    """The answer, or a refusal by the rules of this simulation.

    Takes some 50 ms of the processor.
    """
    data = data_of(request)
    reason = _reason(data)
    if reason:
        return refusal(request, reason, at)
    known = _services()
    service = known["services"].get(request.service, known["other"])
    number = _number(message_id, service["mark"], at, again=again)
    results = service["results"]
    facts = {
        "lang": "ru",
        "title": f"{service['title']} № {number}",
        "authority": known["authority"],
        "heading": service["title"],
        "number": number,
        "date": f"{at:%d.%m.%Y}",
        "statement": service["statement"],
        "rows": [
            ("Запрос", f"№ {request.number}, версия {request.version}"),
            *[(str(each["label"]), str(each["value"])) for each in data["fields"]],
        ],
        "results": results,
        "warning": "Имитация модуля государственных услуг: юридической силы не имеет",
    }
    pdf = typeset(_TEMPLATE, facts, standard="a-2a", at=at)
    signed = seal.sign_pdf(pdf, reason=service["title"])
    files = [GovServiceFile.of(f"{service['file']}.pdf", "application/pdf", signed)]
    told: dict[str, Any] = {"number": number, "request": request.number, "kind": service["kind"]}
    if results:
        told["results"] = results
        files.append(
            GovServiceFile.of(f"{service['file']}.json", "application/json", canonical(told))
        )
    return GovServiceAnswer(
        outcome="answered",
        number=request.number,
        version=request.version,
        document_number=number,
        title=service["title"],
        issued_at=at,
        data=told,
        files=tuple(files),
    )


def _reason(data: dict[str, Any]) -> str:
    """Why the request is refused: a value that asks for a refusal, or a patient nobody knows."""
    unknown = set(_services()["unknown_patients"])
    for value in _texts(each["canonical"] for each in data["fields"]):
        if _REFUSED_WORD in value.lower():
            return "Сведений, достаточных для ответа, нет. Уточните запрос и направьте его снова."
        if "".join(sign for sign in value if sign.isdigit()) in unknown:
            return "Пациент с таким номером полиса не найден."
    return ""


def _texts(values: Iterable[Any]) -> Iterable[str]:
    for value in values:
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            yield from _texts(value.values())
        elif isinstance(value, list):
            yield from _texts(value)


def _number(message_id: UUID, mark: str, at: datetime, *, again: bool) -> str:
    """A number derived from the message's id, so that no two messages get the same by chance."""
    digest = sha256(message_id.bytes + bytes([again])).digest()
    return f"{mark}-{at:%Y}-{int.from_bytes(digest[:4], 'big') % 10**8:08}"


@lru_cache(maxsize=1)
def _services() -> dict[str, Any]:
    known: dict[str, Any] = json.loads(_SERVICES.read_text("utf-8"))
    return known
