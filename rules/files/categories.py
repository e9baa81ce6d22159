"""Categories of documents, and what each requires of a file. Source: requirements Q1, A2, I1."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Category(StrEnum):
    """What a document proves. Values are stored: add, never rename."""

    DIPLOMA = "diploma"
    PREVIOUS_EDUCATION = "previous_education"
    WORKPLACE_REFERENCE = "workplace_reference"
    ATTESTATION = "attestation"
    INTERNSHIP = "internship"
    LICENCE = "licence"
    COURSE = "course"
    ACCREDITATION = "accreditation"
    IDENTITY = "identity"
    SNILS = "snils"
    APPOINTMENT = "appointment"
    ASSOCIATION = "association"
    OTHER = "other"
    MESSAGE = "message"


@dataclass(frozen=True)
class CategoryRule:
    """What a category is called (a Russian gettext msgid), and what its files must be."""

    title: str
    hint: str
    registration: bool = False
    offered: bool = True
    """Whether people may choose it. Files sent with messages are no documents to keep."""


CATEGORIES: Mapping[Category, CategoryRule] = {
    Category.DIPLOMA: CategoryRule(
        "Диплом об образовании",
        "О высшем или среднем профессиональном образовании: все страницы с вкладышем, одним файлом",
    ),
    Category.PREVIOUS_EDUCATION: CategoryRule(
        "Документ о повышении квалификации",
        "Удостоверение или сертификат, обе стороны",
    ),
    Category.WORKPLACE_REFERENCE: CategoryRule(
        "Справка с места работы",
        "С подписью и печатью, не старше трёх месяцев",
    ),
    Category.ATTESTATION: CategoryRule(
        "Свидетельство об аттестации или квалификационной категории",
        "Где видны специальность, дата и номер",
    ),
    Category.INTERNSHIP: CategoryRule(
        "Документ об окончании ординатуры, интернатуры или магистратуры",
        "Диплом или удостоверение с приложением",
    ),
    Category.LICENCE: CategoryRule(
        "Лицензия, разрешение или допуск",
        "Все листы с приложениями",
    ),
    Category.COURSE: CategoryRule(
        "Документ о пройденном курсе",
        "Где видны даты, тема и организация",
    ),
    Category.ACCREDITATION: CategoryRule(
        "Свидетельство об аккредитации или сертификат специалиста",
        "Где видны номер и срок действия",
    ),
    Category.IDENTITY: CategoryRule(
        "Документ, удостоверяющий личность",
        "Разворот с фотографией, скан от 300 точек на дюйм",
        registration=True,
    ),
    Category.SNILS: CategoryRule(
        "СНИЛС",
        "Карточка или уведомление о регистрации, скан от 300 точек на дюйм",
        registration=True,
    ),
    Category.APPOINTMENT: CategoryRule(
        "Приказ о назначении",
        "С подписью и печатью, скан от 300 точек на дюйм",
        registration=True,
    ),
    Category.ASSOCIATION: CategoryRule(
        "Членство в профессиональном объединении",
        "Удостоверение или выписка, скан от 300 точек на дюйм",
        registration=True,
    ),
    Category.OTHER: CategoryRule(
        "Другой документ",
        "Если ни одна категория не подходит",
    ),
    Category.MESSAGE: CategoryRule(
        "Файл из переписки",
        "Приложен к сообщению по заявке",
        offered=False,
    ),
}

REGISTRATION_DPI = 300
"""Requirement I1: registration documents are scanned at 300 dpi or more."""

TITLE_LENGTH = 200


def minimum_dpi(category: Category, registration: bool = False) -> int | None:
    """The lowest resolution of a scan, in dots per inch; None if any will do."""
    asked = registration or CATEGORIES[category].registration
    return REGISTRATION_DPI if asked else None
