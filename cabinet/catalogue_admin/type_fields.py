"""What the form of a type asks: of the type itself, of its sections, fields and documents."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from cabinet.catalogue_admin.fields import SINCE, EntryField, written_plainly
from rules.cases.kinds import PROCESSES
from rules.files.categories import CATEGORIES
from rules.forms.fields import FieldKind
from words.translation import gettext as _
from words.translation import marked

FIELD_KINDS: Mapping[str, str] = {
    FieldKind.TEXT: marked("Строка"),
    FieldKind.LONG_TEXT: marked("Длинный текст"),
    FieldKind.NUMBER: marked("Число"),
    FieldKind.DATE: marked("Дата"),
    FieldKind.CHOICE: marked("Выбор из списка"),
    FieldKind.CHECKBOX: marked("Обязательная отметка"),
    FieldKind.SNILS: marked("СНИЛС"),
    FieldKind.INN: marked("ИНН"),
    FieldKind.PHONE: marked("Телефон"),
    FieldKind.LICENCE: marked("Номер лицензии"),
    FieldKind.PATIENT_ID: marked("Номер полиса или пациента"),
    FieldKind.ICD10: marked("Код МКБ-10"),
}
KNOWN = {
    "": marked("Заявитель заполняет сам"),
    "person.name": marked("ФИО заявителя"),
    "person.position": marked("Должность заявителя"),
    "person.snils": marked("СНИЛС заявителя"),
    "person.inn": marked("ИНН заявителя"),
    "person.phone": marked("Телефон заявителя"),
    "programme.title": marked("Название программы"),
    "programme.hours": marked("Объём программы, часов"),
    "programme.organisation": marked("Организация программы"),
    "renewed.specialty": marked("Продлеваемый документ: специальность"),
    "renewed.number": marked("Продлеваемый документ: номер"),
    "renewed.issuer": marked("Продлеваемый документ: кем выдан"),
    "renewed.issued_on": marked("Продлеваемый документ: дата выдачи"),
    "renewed.valid_until": marked("Продлеваемый документ: последний день"),
    "renewed.words": marked("Продлеваемый документ: всё одной строкой"),
    "diploma.specialty": marked("Диплом: специальность"),
    "diploma.number": marked("Диплом: номер"),
    "diploma.issuer": marked("Диплом: кем выдан"),
    "diploma.issued_on": marked("Диплом: дата выдачи"),
    "diploma.year": marked("Диплом: год выдачи"),
}
"""What a form can know already, by the names that `prefill` uses."""
CHANNELS = {
    "desk": marked("Сотрудники подразделения"),
    "module": marked("Модуль государственных услуг"),
}
ANSWERS = {
    "document": marked("Документ"),
    "data": marked("Сведения"),
    "message": marked("Сообщение"),
}
_CASE_KINDS = {one.kind.value: one.word for one in PROCESSES.values()}
_CATEGORIES = {one.value: rule.title for one, rule in CATEGORIES.items() if rule.offered}


def _one_of(
    name: str, label: str, options: Mapping[str, str], *, required: bool = True
) -> EntryField:
    return EntryField(name, label, "choice", required=required, options=options)


def _optional(
    name: str,
    label: str,
    kind: str = "text",
    hint: str = "",
    *,
    usual: str = "",
    written: Callable[[Any], str] = written_plainly,
) -> EntryField:
    return EntryField(name, label, kind, hint, required=False, usual=usual, written=written)


def _tick(name: str, label: str) -> EntryField:
    return _optional(name, label, "checkbox", written=lambda on: "true" if on else "")


def _line_each(name: str, label: str, hint: str, each: str) -> EntryField:
    def written(values: Any) -> str:
        return "\n".join(one[each] for one in values or ())

    return _optional(name, label, "long_text", hint, written=written)


def _bound(name: str, label: str) -> EntryField:
    hint = marked("День, число или слово: сегодня, этот год")
    return _optional(name, label, hint=hint, written=typed_bound)


def typed_bound(bound: Any) -> str:
    """A bound as it is typed: 2012, 04.12.2026, «сегодня», «этот год»."""
    match bound:
        case "today":
            return _("сегодня")
        case "this_year":
            return _("этот год")
        case str(day):
            return f"{date.fromisoformat(day):%d.%m.%Y}"
        case number:
            return written_plainly(number)


FIRST: Sequence[EntryField] = (
    _one_of("kind", marked("Что это"), _CASE_KINDS),
    EntryField(
        "key", marked("Код"), hint=marked("Латинскими буквами: new_request. Потом не меняется")
    ),
)
"""Asked once, of a new type."""
HEAD: Sequence[EntryField] = (
    EntryField("title", marked("Название")),
    _optional("hint", marked("Пояснение")),
    EntryField(
        "addressee",
        marked("Кто решает или отвечает"),
        "choice",
        options=lambda choices: choices.unit_names,
    ),
)
OF_REQUEST: Sequence[EntryField] = (
    _one_of("channel", marked("Кто отвечает на запрос"), CHANNELS),
    _one_of("answer", marked("Вид ответа на запрос"), ANSWERS),
    _optional("recipient", marked("Адресат словами, если это не подразделение")),
    _optional("service", marked("Имя услуги в модуле, если отвечает модуль")),
    _optional("group", marked("Раздел каталога запросов")),
    _optional("order", marked("Порядковый номер в каталоге запросов"), "number", usual="0"),
)
"""Asked of what has an addressee."""
LAST: Sequence[EntryField] = (
    _line_each(
        "checklist", marked("Вопросы проверяющему"), marked("По строке на вопрос"), "question"
    ),
    _optional(SINCE.name, marked("С какого дня действует"), "date", SINCE.hint),
)
SECTION: Sequence[EntryField] = (
    EntryField("title", marked("Название раздела")),
    _optional("hint", marked("Пояснение к разделу")),
)
FIELD: Sequence[EntryField] = (
    EntryField("label", marked("Название поля")),
    _one_of("kind", marked("Тип значения"), FIELD_KINDS),
    _tick("required", marked("Заполнять обязательно")),
    _optional("hint", marked("Подсказка")),
    _line_each(
        "choices",
        marked("Варианты"),
        marked("Для выбора из списка: по строке на вариант"),
        "label",
    ),
    _bound("min", marked("Не меньше или не раньше")),
    _bound("max", marked("Не больше или не позже")),
    _optional("not_before", marked("Не раньше другой даты"), "choice"),
    _optional("max_length", marked("Не длиннее, знаков"), "number"),
    _one_of("prefill", marked("Откуда взять значение"), KNOWN, required=False),
    _tick("locked", marked("Заявитель не может его изменить")),
)
ONLY_FOR: Mapping[str, Sequence[FieldKind]] = {
    "choices": (FieldKind.CHOICE,),
    "min": (FieldKind.NUMBER, FieldKind.DATE),
    "max": (FieldKind.NUMBER, FieldKind.DATE),
    "not_before": (FieldKind.DATE,),
    "max_length": (FieldKind.TEXT, FieldKind.LONG_TEXT),
}
"""What is asked of some kinds of field only."""
DOCUMENT: Sequence[EntryField] = (
    _one_of("kind", marked("Вид документа"), _CATEGORIES),
    EntryField("title", marked("Как он назван в форме")),
    _optional("hint", marked("Подсказка")),
    _tick("required", marked("Прикладывать обязательно")),
)


ASKED: Sequence[EntryField] = (*FIRST, *HEAD, *OF_REQUEST, *LAST)
"""What is asked of the type itself."""
