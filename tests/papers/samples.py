"""An ordinary act of enrolment, an ordinary receipt and a portfolio, for tests of papers."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from cryptography.x509 import Certificate
from PIL import Image

from services.accreditations.portfolio import PortfolioDocument, PortfolioFacts
from services.applications.enrolment_certificate import ActFacts, SealFacts
from services.dossier.receipt_paper import ReceiptFacts

NOW = datetime(2026, 12, 4, 13, 5, tzinfo=UTC)
CODE = "7K3MQ9X2T5VJ8B4NRC6W1ZD0HE"


def act_facts(seal: SealFacts, public_url: str = "https://cabinet.example/") -> ActFacts:
    """What an ordinary act says."""
    return ActFacts(
        institution="Городская клиническая больница № 7",
        number="АЗ-2026-000123-4",
        issued_at=NOW,
        zone="Europe/Moscow",
        case_number="ПК-2026-000123-0",
        submitted_at=NOW - timedelta(days=3),
        person="Соколова Анна Викторовна",
        position="Врач-кардиолог",
        unit="Кардиологическое отделение № 2",
        programme="Ультразвуковая диагностика заболеваний сердца и сосудов",
        kind="Дистанционное обучение",
        hours=144,
        organiser="РНИМУ имени Н. И. Пирогова",
        decided_by="Морозов Павел Сергеевич",
        decided_post="Специалист отдела кадров",
        decided_at=NOW - timedelta(minutes=1),
        public_url=public_url,
        code=CODE,
        seal=seal,
        starts_on=date(2026, 12, 14),
    )


def receipt_facts(
    certificate: Certificate, public_url: str = "https://cabinet.example/"
) -> ReceiptFacts:
    """What an ordinary receipt says."""
    return ReceiptFacts(
        institution="Городская клиническая больница № 7",
        what="Заявка: УЗИ сердца",
        applicant="Соколова Анна Сергеевна",
        number="ПК-2026-000123-0",
        version=2,
        version_sha256="ab" * 32,
        submitted_at=NOW,
        issued_at=NOW + timedelta(minutes=5),
        position=7,
        entry_hash="cd" * 32,
        sealed_by=31,
        zone="Europe/Moscow",
        public_url=public_url,
        certificate=certificate,
    )


def portfolio_facts(folder: Path) -> PortfolioFacts:
    """What an ordinary portfolio says: a scan in grey, and a page in colour that lies."""
    grey, colour = folder / "grey", folder / "colour"
    Image.linear_gradient("L").resize((1270, 1800)).save(grey, "PNG")
    Image.radial_gradient("L").resize((1800, 1270)).convert("RGB").save(colour, "PNG")
    return PortfolioFacts(
        institution="Городская клиническая больница № 7",
        number="АК-2026-000007-1",
        version=2,
        person="Соколова Анна Викторовна",
        specialty="Кардиология",
        submitted_at=NOW,
        zone="Europe/Moscow",
        rows=[("Подразделение", "Кардиологическое отделение № 2"), ("СНИЛС", "112-233-445 95")],
        hours=[("Эхокардиография 😀", "Академия", "30.06.2026", "144", "72")],
        totals=(144, 72),
        report="Приём и диагностика.\nШкола пациентов.",
        documents=[
            PortfolioDocument("Диплом об образовании", "диплом.pdf", "ab" * 32, [grey, colour]),
            PortfolioDocument("Документ о пройденном курсе", "x" * 60 + ".jpg", "cd" * 32, [grey]),
        ],
    )
