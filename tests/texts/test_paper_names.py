"""What files of ours are called where people keep them."""

from datetime import date

from rules.files.checks import content_disposition, safe_name
from rules.texts.paper_names import (
    act_name,
    answer_name,
    case_name,
    list_name,
    receipt_name,
    request_name,
)


def test_files_are_called_by_kind_and_number() -> None:
    """Two files of one case differ, and every name may stand on any disk and in a header."""
    number = "ЗС-2026-000123-0"
    names = [
        act_name("АЗ-2026-000002-1"),
        receipt_name(number, 2),
        request_name(number, 1),
        answer_name(number, 1, 1, ".pdf"),
        answer_name(number, 1, 2, ".jpg"),
        case_name(number, ".zip"),
        list_name(date(2026, 11, 29), ".xlsx"),
    ]
    assert names == [
        "Акт-АЗ-2026-000002-1.pdf",
        "Расписка-ЗС-2026-000123-0-версия-2.pdf",
        "Запрос-ЗС-2026-000123-0-версия-1.pdf",
        "Ответ-ЗС-2026-000123-0-версия-1.pdf",
        "Ответ-ЗС-2026-000123-0-версия-1-приложение-1.jpg",
        "Дело-ЗС-2026-000123-0.zip",
        "Архив-2026-11-29.xlsx",
    ]
    for name in names:
        assert safe_name(name) == name
        assert content_disposition(name).isascii()
