"""An ordinary act of enrolment and an ordinary receipt, for tests of papers."""

from datetime import UTC, date, datetime, timedelta

from cryptography.x509 import Certificate

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
