"""The enrolment certificate: a PDF/A built from facts, and what its public page may confirm.

The same facts give the same bytes. `services.seal` signs them.
"""

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import date, datetime
from io import BytesIO
from zoneinfo import ZoneInfo

import segno
from babel.dates import format_date
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from crypto.certificates import Certificate, common_name, serial_number
from models.tables.cases import IssuedAct
from rules.refusals import incomplete_code, not_found
from rules.texts.grouping import in_fours
from services.papers.typesetting import PAPERS, exact_moment, typeset
from services.seal import Seal

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_MISREAD = str.maketrans("OILU", "011V")
_CODE_LENGTH = 26


@dataclass(frozen=True)
class SealFacts:
    """What the certificate shows of the seal it will be signed with."""

    holder: str
    organisation: str
    serial: str
    valid_from: datetime
    valid_until: datetime
    test: bool

    @classmethod
    def of(cls, seal: Seal) -> "SealFacts":
        """The facts of a seal."""
        certificate: Certificate = seal.certificate
        named = [
            str(one.value)
            for one in certificate.subject
            if one.oid.dotted_string == "2.5.4.10"  # organizationName
        ]
        return cls(
            holder=common_name(certificate),
            organisation=named[0] if named else "",
            serial=serial_number(certificate),
            valid_from=certificate.not_valid_before_utc,
            valid_until=certificate.not_valid_after_utc,
            test=seal.test,
        )


@dataclass(frozen=True)
class ActFacts:
    """Everything that the certificate says. `code` is a `new_code()`; times are shown in `zone`."""

    institution: str
    number: str
    issued_at: datetime
    zone: str
    case_number: str
    submitted_at: datetime
    person: str
    position: str
    unit: str
    programme: str
    kind: str
    """In words, such as «Дистанционное обучение»."""
    hours: int
    organiser: str
    decided_by: str
    decided_post: str
    decided_at: datetime
    public_url: str
    code: str
    seal: SealFacts
    starts_on: date | None = None


@dataclass(frozen=True)
class PublicConfirmation:
    """What the public page says of a certificate: nothing that identifies a person."""

    number: str
    issued_at: datetime
    outcome: str
    sha256: str


def new_code() -> str:
    """A code of 130 random bits, 26 characters that cannot be misread (Crockford's base 32)."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(_CODE_LENGTH))


def read_code(typed: str) -> str | None:
    """A code as typed from paper or taken from the QR; None if it cannot be a code."""
    plain = re.sub(r"[\s-]", "", typed).upper().translate(_MISREAD)
    if len(plain) == _CODE_LENGTH and set(plain) <= set(_ALPHABET):
        return plain
    return None


def code_hash(code: str) -> str:
    """The stored form of a code: SHA-256, in hex. The code itself is only on the paper."""
    return hashlib.sha256(code.encode()).hexdigest()


def page_url(public_url: str) -> str:
    """The address of the public page where a code is typed in."""
    return f"{public_url.rstrip('/')}/verify"


def printed(url: str) -> str:
    """An address as it is printed on paper."""
    return re.sub(r"^https?://", "", url)


def code_url(public_url: str, code: str) -> str:
    """The address of the public page of a certificate."""
    return f"{page_url(public_url)}/{code}"


async def confirm(session: AsyncSession, typed: str) -> PublicConfirmation:
    """What anyone who holds the code may be told.

    Raises Refusal 422 for an incomplete code, and `not_found` for one that was never issued.
    """
    code = read_code(typed)
    if code is None:
        raise incomplete_code()
    found = await session.exec(
        select(IssuedAct).where(IssuedAct.public_code_hash == code_hash(code))
    )
    act = found.one_or_none()
    if act is None:
        raise not_found()
    return PublicConfirmation(act.number, act.issued_at, act.outcome, act.sha256)


def build_act(facts: ActFacts) -> bytes:
    """The certificate as PDF/A-2a, unsigned. Takes some 20 ms: call it outside the event loop.

    Raises typst.TypstError if the template cannot be set, which is a mistake of the program.
    """
    svg = BytesIO()
    # Every mask can be read; to compare all eight would take four times as long as the rest.
    segno.make(code_url(facts.public_url, facts.code), error="m", mask=3).save(
        svg, kind="svg", border=0, xmldecl=False
    )
    return typeset(
        PAPERS / "act.typ",
        _shown(facts),
        parts={"qr": svg.getvalue().decode()},
        standard="a-2a",
        at=facts.issued_at,
    )


def _shown(facts: ActFacts) -> dict[str, object]:
    """The words on the paper. It is in Russian, whatever the language of the cabinet."""
    zone = ZoneInfo(facts.zone)
    issued, submitted = _day(facts.issued_at, zone), _day(facts.submitted_at, zone)
    url = code_url(facts.public_url, facts.code)
    rows = [
        ("Слушатель", facts.person),
        ("Должность", facts.position),
        ("Подразделение", facts.unit),
        ("Программа", facts.programme),
        ("Форма", facts.kind),
        ("Объём", f"{facts.hours} {_hours(facts.hours)}"),
        ("Организация", facts.organiser),
        *([("Начало обучения", _date(facts.starts_on))] if facts.starts_on else []),
        ("Основание", f"Заявка № {facts.case_number} от {submitted}"),
    ]
    return {
        "lang": "ru",
        "title": f"Акт о зачислении № {facts.number}",
        "institution": facts.institution,
        "number": facts.number,
        "date": issued,
        "heading": "Акт о зачислении",
        "subheading": "на обучение по программе повышения квалификации",
        "statement": (
            "Заявка рассмотрена отделом кадров и одобрена. Работник учреждения зачислен "
            "на обучение на условиях, указанных ниже."
        ),
        "rows": rows,
        "decided": {
            "label": "Решение принял отдел кадров",
            "name": facts.decided_by,
            "post": facts.decided_post,
            "at": exact_moment(facts.decided_at, zone),
        },
        "seal": _seal(facts.seal, zone),
        "proof": {
            "heading": "Как проверить этот акт",
            "words": (
                "QR-код и адрес ниже ведут на страницу учреждения. Она подтверждает номер, дату "
                "и исход; персональных данных на ней нет. Электронную подпись проверяет любая "
                "программа для чтения PDF."
            ),
            "url": url,
            "shown": printed(page_url(facts.public_url)),
            "code": f"Код: {in_fours(facts.code)}",
            "alt": f"QR-код с адресом страницы проверки: {url}",
        },
        "footer": f"Акт о зачислении № {facts.number} от {issued}",
    }


def _seal(seal: SealFacts, zone: ZoneInfo) -> dict[str, object]:
    """The block that names the certificate by which the document is signed."""
    holder = f"{seal.holder}, {seal.organisation}" if seal.organisation else seal.holder
    start, end = seal.valid_from.astimezone(zone), seal.valid_until.astimezone(zone)
    return {
        "heading": "Документ подписан электронной подписью",
        "warning": "Тестовая печать: юридической силы не имеет" if seal.test else None,
        "rows": [
            ("Сертификат №", in_fours(seal.serial)),
            ("Владелец", holder),
            ("Действителен", f"с {start:%d.%m.%Y} по {end:%d.%m.%Y}"),
        ],
    }


def _date(day: date) -> str:
    return format_date(day, "d MMMM y 'г.'", locale="ru")


def _day(at: datetime, zone: ZoneInfo) -> str:
    return _date(at.astimezone(zone).date())


def _hours(number: int) -> str:
    """The word after a number of academic hours."""
    if number % 10 == 1 and number % 100 != 11:
        return "академический час"
    if number % 10 in (2, 3, 4) and number % 100 not in (12, 13, 14):
        return "академических часа"
    return "академических часов"
