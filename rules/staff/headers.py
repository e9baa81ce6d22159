"""Other names that columns and roles of a staff table have: recognised, never shown."""

from collections.abc import Mapping, Sequence

OTHER_NAMES: Mapping[str, Sequence[str]] = {
    "unit": ("код отделения", "unit", "unit code"),
    "unit_name": ("подразделение", "отделение", "название отделения", "unit name"),
    "parent": (
        "код вышестоящего подразделения",
        "код родителя",
        "вышестоящее подразделение",
        "parent",
        "parent code",
    ),
    "full_name": (
        "ф и о",
        "фамилия имя отчество",
        "фамилия имя и отчество",
        "сотрудник",
        "работник",
        "full name",
        "name",
    ),
    "surname": ("surname", "last name"),
    "given_name": ("first name", "given name"),
    "patronymic": ("patronymic", "middle name"),
    "position": ("position", "должность сотрудника"),
    "email": ("электронная почта", "адрес почты", "e mail", "email", "эл почта", "mail"),
    "phone": ("номер телефона", "мобильный телефон", "phone"),
    "snils": ("снилс сотрудника", "snils"),
    "role": ("роли", "права", "role"),
}
"""By value of `rules.staff.table.Column`; compared without case, dots and dashes."""

OTHER_ROLE_NAMES: Mapping[str, str] = {"hr_reviewer": "Специалист отдела кадров"}
"""What a role may be called besides its name on the pages, by its key."""
