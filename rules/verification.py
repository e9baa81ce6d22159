"""What confirms an account: steps, the state that they open, and the check of each document.

Source: requirements I1-I3. `DOCUMENTS` is the table that docs and the page show.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from rules.accounts import AccountState
from rules.files.categories import REGISTRATION_DPI
from rules.refusals import FieldError, Words
from rules.texts.cleaning import AccusativeTitle

TYPE = "verification"


class VerificationStep(StrEnum):
    """What is done for an account, in any order."""

    MAIL = "mail"
    PHONE = "phone"
    DOCUMENTS = "documents"
    MEETING = "meeting"
    FACTOR = "factor"


NEEDED: Mapping[AccountState, frozenset[VerificationStep]] = {
    AccountState.REGISTERED: frozenset(),
    AccountState.ACTIVE: frozenset(
        {VerificationStep.MAIL, VerificationStep.PHONE, VerificationStep.DOCUMENTS}
    ),
    AccountState.CONFIRMED: frozenset(VerificationStep),
}
"""The steps that a state needs. Documents include the look-up in the identity register."""

REMINDERS = (timedelta(days=3), timedelta(days=14), timedelta(days=45))
"""When the person is reminded of what is left, after the documents were confirmed."""
LAPSES_AFTER = timedelta(days=90)
"""Then the case is closed; the account keeps its state, and another verification can begin."""


def reached(done: Collection[VerificationStep], before: AccountState) -> AccountState:
    """The furthest state that these steps open; never less than the one before."""
    open_now = [state for state in AccountState if NEEDED[state] <= frozenset(done)]
    return max([before, *open_now], key=tuple(AccountState).index)


class AutomaticCheck(StrEnum):
    """What the program checks of a document by itself."""

    SAFE = "safe"
    PAGES = "pages"
    RESOLUTION = "resolution"
    MARK = "mark"


CHECK_WORDS: Mapping[AutomaticCheck, str] = {
    AutomaticCheck.SAFE: "Файл открывается без исправлений, читается и безопасен",
    AutomaticCheck.PAGES: "Число страниц подходит этому виду документа",
    AutomaticCheck.RESOLUTION: "Скан не грубее 300 точек на дюйм; файлы с компьютера не сканы",
    AutomaticCheck.MARK: "На первой или последней странице есть место с подписью или печатью",
}


@dataclass(frozen=True)
class DocumentRule:
    """One kind of document: when it is needed, what is checked, what the operator confirms.

    `when` names the answer of the form that makes it necessary; an empty one means always. `asks`
    names the operator's question in the checklist of the type.
    """

    kind: str
    title: str
    when: str
    most_pages: int
    checks: Sequence[AutomaticCheck]
    asks: str
    confirms: str


_SCAN = (AutomaticCheck.SAFE, AutomaticCheck.PAGES, AutomaticCheck.RESOLUTION)
_PAPER = (*_SCAN, AutomaticCheck.MARK)

DOCUMENTS: Sequence[DocumentRule] = (
    DocumentRule(
        "identity", "Паспорт или водительское удостоверение", "", 20, _SCAN, "identity_document",
        "Документ действует, читается целиком, имя и дата рождения совпадают с указанными",
    ),
    DocumentRule(
        "snils", "СНИЛС", "", 2, _SCAN, "snils_document",
        "Номер и имя совпадают с указанными",
    ),
    DocumentRule(
        "diploma", "Диплом об образовании", "", 20, _PAPER, "diploma_document",
        "Диплом выдан этому человеку, видны номер, подпись и печать",
    ),
    DocumentRule(
        "licence", "Лицензия, сертификат специалиста или аккредитация", "", 20, _PAPER,
        "licence_document", "Документ действует и даёт право на указанную работу",
    ),
    DocumentRule(
        "attestation", "Свидетельство об аттестации", "has_category", 10, _PAPER,
        "other_documents", "Категория и специальность совпадают с указанными",
    ),
    DocumentRule(
        "appointment", "Приказ о назначении", "state_institution", 10, _PAPER,
        "other_documents", "Приказ этого учреждения, должность совпадает",
    ),
    DocumentRule(
        "association", "Членство в профессиональном объединении", "in_association", 10, _PAPER,
        "other_documents", "Членство действует",
    ),
)  # fmt: skip
"""Every kind of document of a verification, in the order of the form."""

BY_KIND: Mapping[str, DocumentRule] = {rule.kind: rule for rule in DOCUMENTS}


@dataclass(frozen=True)
class GivenFile:
    """What the program knows of a file. `mark` is None where nobody has looked for one."""

    kind: str
    pages: int | None
    dpi: int | None
    mark: bool | None


def needed_documents(data: Mapping[str, Any]) -> frozenset[str]:
    """The kinds of document that the answers make necessary, besides those needed always."""
    return frozenset(rule.kind for rule in DOCUMENTS if rule.when and data.get(rule.when))


def missing_documents(data: Mapping[str, Any], given: Collection[str]) -> list[FieldError]:
    """The documents that the answers make necessary and that are not attached."""
    return [
        FieldError(
            f"attachments.{rule.kind}",
            Words("Приложите {document}", document=AccusativeTitle(rule.title)),
        )
        for rule in DOCUMENTS
        if rule.kind in needed_documents(data).difference(given)
    ]


def unfit_files(files: Sequence[GivenFile]) -> list[FieldError]:
    """Why files are not taken: too coarse a scan, or more pages than such a document has."""
    errors = []
    for one in files:
        rule = BY_KIND.get(one.kind)
        if rule is None:
            continue
        path = f"attachments.{one.kind}"
        if one.dpi is not None and one.dpi < REGISTRATION_DPI:
            words = Words(
                "Разрешение скана {dpi} точек на дюйм, нужно не меньше {least}. Отсканируйте "
                "документ заново.",
                dpi=one.dpi,
                least=REGISTRATION_DPI,
            )
            errors.append(FieldError(path, words))
        elif one.pages is not None and one.pages > rule.most_pages:
            words = Words(
                "В таком документе не бывает больше {most} страниц.", most=rule.most_pages
            )
            errors.append(FieldError(path, words))
    return errors


def file_findings(files: Sequence[GivenFile]) -> list[dict[str, Any]]:
    """What the operator is told of files that were taken."""
    found = []
    for one in files:
        rule = BY_KIND.get(one.kind)
        if rule is None:
            continue
        if AutomaticCheck.MARK in rule.checks and not one.mark:
            text = "Места с подписью или печатью не найдено: посмотрите сами."
            found.append(_finding("mark_missing", "warning", one.kind, text))
        else:
            text = "Файл соответствует требованиям к этому виду документа."
            found.append(_finding("file_fine", "fine", one.kind, text))
    return found


def _finding(code: str, severity: str, about: str, text: str) -> dict[str, Any]:
    return {"code": code, "severity": severity, "about": about, "text": text}
