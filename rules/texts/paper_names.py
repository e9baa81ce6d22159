"""What our files are called where people keep them: the kind, the number, then what tells it apart.

A folder of downloads so sorts by kind and number. Papers are in Russian, and so are their names.
"""

from datetime import date


def act_name(number: str) -> str:
    """The act of enrolment with this number of its own."""
    return f"Акт-{number}.pdf"


def receipt_name(number: str, version: int) -> str:
    """The receipt for a version of the case with this number."""
    return f"Расписка-{number}-версия-{version}.pdf"


def request_name(number: str, version: int) -> str:
    """The electronic document of a version of a request."""
    return f"Запрос-{number}-версия-{version}.pdf"


def answer_name(number: str, version: int, position: int, ending: str) -> str:
    """A file of the answer to a version of a request; 1 is the answer itself."""
    part = "" if position == 1 else f"-приложение-{position - 1}"
    return f"Ответ-{number}-версия-{version}{part}{ending}"


def case_name(number: str, ending: str) -> str:
    """A whole case: its paper, or the archive with all its files."""
    return f"Дело-{number}{ending}"


def list_name(day: date, ending: str) -> str:
    """A list of the archive, made on a day."""
    return f"Архив-{day:%Y-%m-%d}{ending}"
