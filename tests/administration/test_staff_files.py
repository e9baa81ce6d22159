"""Tables of staff as programs save them."""

from codecs import BOM_UTF16_BE

import pytest

from services.administration.staff_files import sheet_of

LINES = (
    "Список сотрудников, по отделениям, на 01.12.2026",
    "",
    "Код подразделения;Подразделение;ФИО;Должность;Почта",
    "00-000123;Неврология;Орлова Анна Львовна;врач, невролог;anna@example.org",
)


@pytest.mark.parametrize(
    "body",
    [
        "\r\n".join(LINES).encode("utf-8-sig"),
        "\r\n".join(LINES).encode("cp1251"),
        "\r\n".join(LINES).encode("utf-16"),
        BOM_UTF16_BE + "\r\n".join(LINES).encode("utf-16-be"),
        "\r\n".join(LINES).replace(";", "\t").encode("utf-16"),
    ],
    ids=["utf-8", "cp1251", "utf-16", "utf-16-be", "unicode text of Excel"],
)
def test_a_table_is_read_in_every_coding(body: bytes) -> None:
    """Also under a title, whose commas divide nothing, and with codes of a personnel program."""
    told = sheet_of(body)
    assert not told.wrong
    [anna] = told.people
    assert (anna.line, anna.unit, anna.position) == (4, "00-000123", "врач, невролог")
