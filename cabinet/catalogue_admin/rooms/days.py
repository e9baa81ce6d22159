"""Days of the working calendar on the administrator's pages."""

from datetime import date

from cabinet.catalogue_admin.fields import EntryField, FormChoices
from cabinet.catalogue_admin.room import Room
from rules.catalogue.entries import Subject
from rules.texts import identifiers
from rules.texts.identifiers import IdentifierError
from services.catalogue_admin.kinds import Entry
from words import formats
from words.translation import gettext as _
from words.translation import marked

_DAYS = {"true": marked("рабочий"), "false": marked("выходной")}


def _working(text: str) -> bool:
    if text not in _DAYS:
        raise IdentifierError("Выберите одно из допустимых значений.")
    return text == "true"


class _Calendar(Room):
    def heading(self, entry: Entry) -> str:
        return formats.day(date.fromisoformat(entry.key))

    def note(self, entry: Entry, choices: FormChoices) -> str:
        word = _(_DAYS[_written(entry.values["working"])])
        return f"{word}. {entry.values['source']}"


def _written(working: bool | None) -> str:
    return "" if working is None else str(working).lower()


CALENDAR = _Calendar(
    name="calendar",
    subject=Subject.DAY,
    icon="history",
    title=marked("Рабочий календарь"),
    text=marked("Переносы рабочих и выходных дней."),
    adds=marked("Добавить день"),
    fields=(
        EntryField(
            "day",
            marked("День"),
            "date",
            fixed=True,
            read=lambda text: identifiers.day(text).isoformat(),
            written=lambda day: f"{date.fromisoformat(day):%d.%m.%Y}" if day else "",
        ),
        EntryField(
            "working",
            marked("Рабочий или выходной"),
            "choice",
            options=_DAYS,
            read=_working,
            written=_written,
        ),
        EntryField("source", marked("Постановление"), hint=marked("Номер и дата документа")),
    ),
)
