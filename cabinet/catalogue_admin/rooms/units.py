"""Units on the administrator's pages. Where a unit belongs is chosen once."""

from cabinet.catalogue_admin.fields import EntryField, FormChoices
from cabinet.catalogue_admin.room import Room
from rules.catalogue.entries import Subject
from services.catalogue_admin.kinds import Entry
from words import formats
from words.translation import gettext as _
from words.translation import marked

_ABOVE = EntryField(
    "parent",
    marked("Вышестоящее подразделение"),
    "choice",
    options=lambda choices: choices.unit_names,
    read=lambda text: text.strip() or None,
)
_ABOVE_FOR_GOOD = EntryField(
    "parent", marked("Код вышестоящего подразделения"), required=False, fixed=True
)


class _Units(Room):
    def note(self, entry: Entry, choices: FormChoices) -> str:
        zone = formats.zone_name(entry.values["time_zone"])
        return _("часовой пояс: %(zone)s") % {"zone": zone}

    def asks(self, choices: FormChoices, *, known: bool) -> list[EntryField]:
        code, name, zone = self.fields
        return [code, name, _ABOVE_FOR_GOOD if known else _ABOVE, zone]


UNITS = _Units(
    name="units",
    subject=Subject.UNIT,
    icon="building-2",
    title=marked("Подразделения"),
    text=marked("Названия, часовые пояса и новые подразделения."),
    adds=marked("Новое подразделение"),
    fields=(
        EntryField("code", marked("Код"), hint=marked("Латинскими буквами: surgery"), fixed=True),
        EntryField("name", marked("Название")),
        EntryField(
            "time_zone",
            marked("Часовой пояс"),
            hint=marked("Например, Europe/Moscow"),
            usual="Europe/Moscow",
        ),
    ),
)
