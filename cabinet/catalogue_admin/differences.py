"""What differs between two entries, in the words of their form."""

from collections.abc import Mapping, Sequence

from cabinet.catalogue_admin.type_fields import FIELD, HEAD, LAST, OF_REQUEST
from cabinet.catalogue_admin.views import Boxes, Difference
from cabinet.frame.views import FieldView
from words.translation import gettext as _
from words.translation import marked

TICKED = {"True": marked("да"), "False": marked("нет")}
LISTS = ("sections", "fields", "attachments", "checklist", "choices", "add", "waive")
"""Lists whose entries have names: the name says where, so the list is told only by itself."""
_FOR_PROGRAMS = ("name", "value")
_STEPS: Mapping[str, str] = {
    **{field.name: field.label for field in (*HEAD, *OF_REQUEST, *LAST, *FIELD)},
    "sections": marked("Разделы"),
    "fields": marked("Поля"),
    "attachments": marked("Документы"),
    "add": marked("Дополнительные документы"),
    "waive": marked("Не требуются"),
    "reason": marked("Почему"),
    "question": marked("Вопрос"),
    "terms": marked("Сроки"),
    "terms.answer": marked("Ответ заявителя, рабочих дней"),
    "review": marked("Рассмотрение, рабочих дней"),
    "review_reminders": marked("Напомнить проверяющему"),
    "answer_reminders": marked("Напомнить заявителю"),
    "version": marked("Редакция"),
}


def for_people(lines: Sequence[Difference]) -> list[Difference]:
    """Without what only programs read."""
    return [line for line in lines if leaf(line[0]) not in _FOR_PROGRAMS]


def leaf(path: str) -> str:
    """The last step of a path."""
    return path.rpartition(".")[2]


def path_in_words(path: str, names: Mapping[str, str]) -> str:
    """A path in people's words: «О вас: Специальность: Подсказка»."""
    parts = path.split(".")
    kept = [part for part in parts[:-1] if part not in LISTS] + parts[-1:]
    said = []
    for before, part in zip(["", *kept], kept, strict=False):
        # Some steps mean another thing within another: `answer` is a kind, and a term of `terms`.
        word = _STEPS.get(f"{before}.{part}") or _STEPS.get(part, part)
        said.append(names.get(part) or _(word))
    return ": ".join(said)


def named(
    lines: Sequence[Difference], fields: Sequence[FieldView], boxes: Sequence[Boxes]
) -> list[Difference]:
    """Differences under the labels of the form, values as people choose them: «Курс»."""
    words = {"version": _("Редакция")} | {f"terms.{one.name}": one.label for one in fields}
    words |= {one.name: one.label for one in fields} | {one.name: one.label for one in boxes}
    values = {one.name: {each.value: each.label for each in one.options} | TICKED for one in fields}
    values |= {one.name: {value: text for value, text, _on in one.options} for one in boxes}

    def said(path: str, text: str) -> str:
        known = values.get(path, {})
        return ", ".join(_(known.get(part, part)) if part else "" for part in text.split(", "))

    return [
        (words.get(path) or path_in_words(path, {}), said(path, old), said(path, new))
        for path, old, new in for_people(lines)
    ]
