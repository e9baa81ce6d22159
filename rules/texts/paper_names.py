"""File names of our papers: the kind, the number, then what distinguishes them.

Downloads are thus sorted by kind and number. Papers are in Russian, and so are their names.
"""

from datetime import date


def act_name(number: str) -> str:
    """The enrolment certificate with this number."""
    return f"Акт-{number}.pdf"


def receipt_name(number: str, version: int) -> str:
    """The receipt for a version of a case."""
    return f"Расписка-{number}-версия-{version}.pdf"


def portfolio_name(number: str, version: int) -> str:
    """The portfolio of a version of an accreditation."""
    return f"Портфолио-{number}-версия-{version}.pdf"


def request_name(number: str, version: int) -> str:
    """The electronic document of a version of a request."""
    return f"Запрос-{number}-версия-{version}.pdf"


def answer_name(number: str, version: int, position: int, ending: str) -> str:
    """A file of the answer to a version of a request; 1 is the answer itself."""
    part = "" if position == 1 else f"-приложение-{position - 1}"
    return f"Ответ-{number}-версия-{version}{part}{ending}"


def case_name(number: str, ending: str) -> str:
    """A whole case: as a paper, or as an archive with all its files."""
    return f"Дело-{number}{ending}"


def list_name(day: date, ending: str) -> str:
    """A list exported from the archive on that day."""
    return f"Архив-{day:%Y-%m-%d}{ending}"
