"""Reasons of decisions on the administrator's pages."""

from cabinet.catalogue_admin.fields import EntryField, FormChoices
from cabinet.catalogue_admin.room import Room
from cabinet.catalogue_admin.views import Preview
from rules.catalogue.entries import Subject
from services.catalogue_admin.kinds import Entry
from words.translation import gettext as _
from words.translation import marked

_OUTCOMES = {
    "approve": marked("Одобрить"),
    "clarify": marked("Запросить уточнение"),
    "reject": marked("Отклонить"),
}


class _Reasons(Room):
    def note(self, entry: Entry, choices: FormChoices) -> str:
        return _(_OUTCOMES[entry.values["outcome"]])

    def preview(self, entry: Entry, choices: FormChoices) -> Preview:
        return Preview("reason", entry.values)


REASONS = _Reasons(
    name="reasons",
    subject=Subject.REASON,
    icon="message-square",
    title=marked("Причины решений"),
    text=marked("Заготовки, из которых выбирают при решении."),
    adds=marked("Новая причина"),
    fields=(
        EntryField("key", marked("Код"), hint=marked("Латинскими буквами: no_seats"), fixed=True),
        EntryField("outcome", marked("Для какого решения"), "choice", options=_OUTCOMES),
        EntryField("title", marked("Название в списке")),
        EntryField("text", marked("Текст причины"), "long_text", max_length=4000),
    ),
    offered=marked("Предлагать при решении"),
)
