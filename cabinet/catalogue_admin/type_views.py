"""The form of a type as it is drawn: parts that open, fields with their errors, what may move."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from cabinet.catalogue_admin.forms import FormChoices
from cabinet.catalogue_admin.type_forms import TypedPart, TypeDraft
from cabinet.catalogue_admin.views import PartView, TypeForm
from cabinet.frame.views import FieldView, Option
from rules.cases.kinds import PROCESSES, process_of
from rules.files.categories import CATEGORIES
from rules.forms.fields import FieldKind
from words.translation import gettext as _
from words.translation import marked

FIELD_KINDS = {
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
}
"""What a form can know already, by the names that `prefill` uses."""
CASE_KINDS = {one.kind.value: one.word for one in PROCESSES.values()}
CHANNELS = {
    "desk": marked("Сотрудники подразделения"),
    "module": marked("Модуль государственных услуг"),
}
ANSWERS = {
    "document": marked("Документ"),
    "data": marked("Сведения"),
    "message": marked("Сообщение"),
}


def _options(words: Mapping[Any, str]) -> list[Option]:
    return [Option(value, _(text)) for value, text in words.items()]


class _Drawing:
    """Draws fields of one draft with the errors that belong to them."""

    def __init__(self, draft: TypeDraft, errors: Mapping[str, str], ground: FormChoices) -> None:
        self.draft, self.errors, self.ground = draft, errors, ground

    def _drawer(self, at: str, typed: Mapping[str, str]) -> Callable[..., FieldView]:
        def draw(name: str, label: str, kind: str = "text", **more: object) -> FieldView:
            path = f"{at}-{name}" if at else name
            return FieldView(
                path,
                label,
                kind,  # type: ignore[arg-type]
                value=typed.get(name, ""),
                error=self.errors.get(path, ""),
                **more,  # type: ignore[arg-type]
            )

        return draw

    def head(self, *, known: bool) -> list[FieldView]:
        draw = self._drawer("", self.draft.head)
        units = [Option(one.key, one.title) for one in self.ground.units]
        fields = [
            draw("title", _("Название")),
            draw("hint", _("Пояснение"), required=False),
            draw("addressee", _("Кто решает или отвечает"), "choice", options=units),
        ]
        if not known:
            hint = _("Латинскими буквами: new_request. Потом не меняется")
            kinds = _options(CASE_KINDS)
            fields[:0] = [
                draw("kind", _("Что это"), "choice", options=kinds),
                draw("key", _("Код"), hint=hint),
            ]
        if not known or process_of(self.draft.head["kind"]).has_addressee:
            module = _("Имя услуги в модуле, если отвечает модуль")
            fields += [
                draw("channel", _("Кто отвечает на запрос"), "choice", options=_options(CHANNELS)),
                draw("answer", _("Вид ответа на запрос"), "choice", options=_options(ANSWERS)),
                draw("recipient", _("Адресат словами, если это не подразделение"), required=False),
                draw("service", module, required=False),
                draw("group", _("Раздел каталога запросов"), required=False),
                draw("order", _("Порядковый номер в каталоге запросов"), "number", required=False),
            ]
        return fields

    def rest(self) -> list[FieldView]:
        draw = self._drawer("", self.draft.head)
        lines = _("По строке на вопрос")
        since = _("День, месяц и год. Пусто: сразу после сохранения")
        return [
            draw("checklist", _("Вопросы проверяющему"), "long_text", required=False, hint=lines),
            draw("valid_from", _("С какого дня действует"), "date", required=False, hint=since),
        ]

    def section(self, at: str, part: TypedPart) -> list[FieldView]:
        draw = self._drawer(at, part.typed)
        return [
            draw("title", _("Название раздела")),
            draw("hint", _("Пояснение к разделу"), required=False),
        ]

    def field(self, at: str, part: TypedPart) -> list[FieldView]:
        draw = self._drawer(at, part.typed)
        kind = part.typed["kind"]
        until = _("День, число или слово: сегодня, этот год")
        fields = [
            draw("label", _("Название поля")),
            draw("kind", _("Тип значения"), "choice", options=_options(FIELD_KINDS)),
            draw("required", _("Заполнять обязательно"), "checkbox", required=False),
            draw("hint", _("Подсказка"), required=False),
        ]
        choices = draw(
            "choices",
            _("Варианты"),
            "long_text",
            required=False,
            hint=_("Для выбора из списка: по строке на вариант"),
        )
        bounds = [
            draw("min", _("Не меньше или не раньше"), required=False, hint=until),
            draw("max", _("Не больше или не позже"), required=False, hint=until),
        ]
        longest = draw("max_length", _("Не длиннее, знаков"), "number", required=False)
        earlier = draw(
            "not_before",
            _("Не раньше другой даты"),
            "choice",
            required=False,
            options=self._dates(part),
        )
        match kind:
            case FieldKind.CHOICE:
                fields.append(choices)
            case FieldKind.NUMBER:
                fields += bounds
            case FieldKind.DATE:
                fields += [*bounds, earlier]
            case FieldKind.TEXT:
                # What is new may become anything: the page knows it only after it was posted.
                fields += [longest] if part.typed["name"] else [choices, longest]
            case FieldKind.LONG_TEXT:
                fields.append(longest)
        return [
            *fields,
            draw(
                "prefill", _("Откуда взять значение"), "choice", required=False,
                options=_options(KNOWN),
            ),
            draw("locked", _("Заявитель не может его изменить"), "checkbox", required=False),
        ]  # fmt: skip

    def _dates(self, part: TypedPart) -> list[Option]:
        others = [
            Option(one.typed["name"], one.typed["label"])
            for section in self.draft.sections
            for one in section.fields
            if one is not part and one.typed["kind"] == FieldKind.DATE and one.typed["name"]
        ]
        return [Option("", _("Не сравнивать")), *others]

    def document(self, at: str, part: TypedPart) -> list[FieldView]:
        draw = self._drawer(at, part.typed)
        offered = {one: rule.title for one, rule in CATEGORIES.items() if rule.offered}
        return [
            draw("kind", _("Вид документа"), "choice", options=_options(offered)),
            draw("title", _("Как он назван в форме")),
            draw("hint", _("Подсказка"), required=False),
            draw("required", _("Прикладывать обязательно"), "checkbox", required=False),
        ]

    def part(
        self,
        at: str,
        part: TypedPart,
        fields: Sequence[FieldView],
        shown: str,
        *,
        fallback: str,
        title: str = "title",
        ends: tuple[bool, bool],
    ) -> PartView:
        drawn = {view.name.rpartition("-")[2] for view in fields}
        return PartView(
            at=at,
            title=part.typed[title].strip() or fallback,
            note=self._note(part),
            fields=fields,
            # What is not drawn for this kind is posted all the same: nothing typed is lost.
            hidden=[(f"{at}-{n}", text) for n, text in part.typed.items() if n not in drawn],
            aside=part.aside,
            open=shown == at or shown.startswith(f"{at}f") or any(view.error for view in fields),
            focus=shown == at,
            first=ends[0],
            last=ends[1],
        )

    def _note(self, part: TypedPart) -> str:
        kind = part.typed.get("kind", "")
        words = _(FIELD_KINDS[FieldKind(kind)]) if kind in set(FieldKind) else ""
        optional = "required" in part.typed and not part.typed["required"]
        return ", ".join(filter(None, (words, _("необязательно") if optional else "")))


def type_form(
    draft: TypeDraft,
    errors: Mapping[str, str],
    ground: FormChoices,
    shown: str,
    *,
    known: bool,
    file_url: str,
) -> TypeForm:
    """The form of a draft; the part at `shown` is open and has the focus."""
    drawing = _Drawing(draft, errors, ground)
    last = len(draft.sections) - 1
    sections = []
    for place, section in enumerate(draft.sections):
        at = f"s{place}"
        end = len(section.fields) - 1
        fields = [
            drawing.part(
                f"{at}f{number}",
                one,
                drawing.field(f"{at}f{number}", one),
                shown,
                fallback=_("Новое поле"),
                title="label",
                ends=(place == number == 0, place == last and number == end),
            )
            for number, one in enumerate(section.fields)
        ]
        drawn = drawing.part(
            at,
            section,
            drawing.section(at, section),
            shown,
            fallback=_("Новый раздел"),
            ends=(place == 0, place == last),
        )
        sections.append((replace(drawn, open=drawn.open or any(x.open for x in fields)), fields))
    documents = [
        drawing.part(
            f"d{place}",
            one,
            drawing.document(f"d{place}", one),
            shown,
            fallback=_("Новый документ"),
            ends=(place == 0, place + 1 == len(draft.documents)),
        )
        for place, one in enumerate(draft.documents)
    ]
    return TypeForm(drawing.head(known=known), sections, documents, drawing.rest(), file_url)
