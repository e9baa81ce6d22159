"""What the personnel register says and cannot be carried out without a person (I8)."""

from collections.abc import Mapping
from enum import StrEnum


class RecordTrouble(StrEnum):
    """Why a record waits. Values are stored for ever: add, never rename."""

    UNKNOWN_PERSON = "unknown_person"
    UNKNOWN_UNIT = "unknown_unit"
    HAS_LEFT = "has_left"
    LAST_MANAGER = "last_manager"
    NOBODY_MANAGES = "nobody_manages"


TROUBLE_NAMES: Mapping[RecordTrouble, tuple[str, str]] = {
    RecordTrouble.UNKNOWN_PERSON: (
        "Такого сотрудника в кабинете нет",
        "Загрузите его из таблицы со СНИЛС или исправьте СНИЛС, затем проверьте снова.",
    ),
    RecordTrouble.UNKNOWN_UNIT: (
        "Подразделения с таким кодом нет: сотрудник не переведён",
        "Загрузите подразделение с этим кодом, затем проверьте снова.",
    ),
    RecordTrouble.HAS_LEFT: (
        "По кадровому учёту работает, а в кабинете уволен",
        "Если его приняли снова, загрузите его с новой почтой без СНИЛС и отметьте запись "
        "разобранной; если нет, исправьте кадровый учёт.",
    ),
    RecordTrouble.LAST_MANAGER: (
        "Последний администратор: не переведён, роли остались",
        "Пусть роль администратора получит другой сотрудник, затем проверьте снова.",
    ),
    RecordTrouble.NOBODY_MANAGES: (
        "Уволен последний администратор: вести учёт сотрудников некому",
        "Попросите роль администратора для другого сотрудника, затем отметьте как разобранное.",
    ),
}
"""What is wrong, and what to do about it (msgids)."""
