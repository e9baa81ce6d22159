"""The receipt on paper: a PDF/A-3 for people, with the signed statements inside for programs.

The whole file is signed by the seal, so that what people read cannot be changed either.
"""

from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from zoneinfo import ZoneInfo

from crypto.certificates import Certificate, fingerprint
from crypto.pdf_signatures import PdfSignature, only_signature
from rules.texts.grouping import in_eights
from services.applications.enrolment_certificate import page_url, printed
from services.papers.typesetting import PAPERS, exact_moment, typeset
from services.seal import Seal

DATA_NAME = "receipt.json"


@dataclass(frozen=True)
class ReceiptFacts:
    """What the paper says; times are shown in `zone`."""

    institution: str
    what: str
    """The kind of case and its title: «Заявка: …», «Запрос: …»."""
    applicant: str
    number: str
    version: int
    version_sha256: str
    submitted_at: datetime
    issued_at: datetime
    position: int
    entry_hash: str
    sealed_by: int | None
    zone: str
    public_url: str
    certificate: Certificate


@dataclass(frozen=True)
class ExtractedReceipt:
    """A receipt taken out of its paper: the statements, and the signature of the whole."""

    data: bytes
    signature: PdfSignature


def form(facts: ReceiptFacts, data: bytes, seal: Seal) -> bytes:
    """The signed paper with `data` inside. Takes long: call it outside the event loop."""
    made = typeset(
        PAPERS / "receipt.typ",
        _shown(facts),
        parts={"data": data.decode()},
        standard="a-3a",
        at=facts.issued_at,
    )
    return seal.sign_pdf(made, reason="Расписка")


def open_paper(pdf: bytes) -> ExtractedReceipt:
    """Take a receipt out of its paper. Raises ValueError if it is none, or was added to."""
    # Imported here: it takes long to load and is seldom needed.
    import pikepdf

    try:
        with pikepdf.open(BytesIO(pdf)) as document:
            data = document.attachments[DATA_NAME].get_file().read_bytes()
    except (pikepdf.PdfError, KeyError) as error:
        raise ValueError("the PDF holds no receipt") from error
    return ExtractedReceipt(data, only_signature(pdf))


def _shown(facts: ReceiptFacts) -> dict[str, object]:
    """The words on the paper. It is in Russian, whatever the language of the cabinet."""
    zone = ZoneInfo(facts.zone)
    url = page_url(facts.public_url)
    certificate = in_eights(fingerprint(facts.certificate))
    sealed = (
        f"Заверена печатью журнала №\u00a0{facts.sealed_by}"
        if facts.sealed_by
        else "Журнал будет заверен в течение минуты; расписка, взятая позже, скажет и об этом"
    )
    return {
        "lang": "ru",
        "title": f"Расписка № {facts.number}",
        "institution": facts.institution,
        "number": facts.number,
        "at": exact_moment(facts.issued_at, zone, "HH:mm:ss"),
        "heading": "Расписка",
        "statement": (
            "Учреждение подтверждает, что приняло в электронном виде указанное ниже, и что запись "
            "об этом внесена в журнал действий."
        ),
        "rows": [
            ("Принято", facts.what, False),
            ("Заявитель", facts.applicant, False),
            ("Номер и версия", f"№ {facts.number}, версия {facts.version}", False),
            ("Когда отправлено", exact_moment(facts.submitted_at, zone, "HH:mm:ss"), False),
            ("Отпечаток отправленного (SHA-256)", in_eights(facts.version_sha256), True),
            ("Запись в журнале", f"№ {facts.position} в журнале этого дела. {sealed}", False),
            ("Отпечаток записи (SHA-256)", in_eights(facts.entry_hash), True),
        ],
        "proof": {
            "heading": "Как проверить расписку",
            "words": (
                "Файл подписан электронной подписью учреждения: её проверяет любая программа для "
                f"чтения PDF. Внутрь вложен {DATA_NAME} с теми же сведениями и доказательством; "
                "команда «medcab verify receipt» проверяет и то и другое без интернета. Сертификат "
                "печати сверьте с тем, который учреждение показывает по адресу:"
            ),
            "url": url,
            "shown": printed(url),
            "certificate": f"Сертификат печати (SHA-256): {certificate}",
        },
        "data_name": DATA_NAME,
        "data_title": "Сведения расписки с подписью в формате JSON",
        "footer": f"Расписка № {facts.number}, версия {facts.version}",
    }
