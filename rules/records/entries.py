"""Entries of a record: how they change, who may change them, and how a change is refused.

An entry is signed, and then corrected by a new version or marked as entered in error. Both stay
readable, nobody deletes, and nothing goes back. Source: W2; order 947н, items 19 and 20.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

from rules.access import Actor, Permission
from rules.records.types import EntryTypeDefinition
from rules.refusals import FieldError, Refusal

MOST_DRAFTS = 50
"""How many unsigned entries one person may have."""
RECORD = "record"
"""The kind under which the term of keeping stands in the table of terms."""
USUAL_YEARS = 25
"""How long a card is kept after its last entry where no term is configured (025/у)."""
ONE_ENCOUNTER = timedelta(hours=12)
"""What a clinician does with a patient within this time belongs to one encounter with them."""


class EntryState(StrEnum):
    """Where an entry stands."""

    SIGNED = "signed"
    MISTAKEN = "mistaken"
    """Entered in error; it stays readable as such."""
    ERASED = "erased"
    """Its term of keeping is over."""


STATE_WORDS: Mapping[EntryState, str] = {
    EntryState.SIGNED: "подписано",
    EntryState.MISTAKEN: "внесено ошибочно",
    EntryState.ERASED: "удалено по сроку хранения",
}
"""The states in words (msgids)."""


@dataclass(frozen=True)
class OpenedFor:
    """The patient and the visit for whom a form was opened: it carries them back."""

    patient_id: UUID
    visit_id: UUID | None = None


def demand_same(opened: OpenedFor, kept: OpenedFor) -> None:
    """Raise Refusal 409 for a form that was opened for another patient or visit."""
    if opened != kept:
        words = (
            "Эта форма открыта для другого пациента или приёма. Ничего не записано: "
            "откройте её заново из карты нужного пациента."
        )
        raise Refusal("another_patient", words, 409)


def may_change(actor: Actor, author_id: UUID, unit_id: UUID, kind: EntryTypeDefinition) -> bool:
    """Whether somebody who has a way into the record may correct an entry of it.

    Its author may, and the head of the unit where it was written, for authors leave. What a type
    calls shared, everybody who treats the patient may.
    """
    if not actor.may(Permission.TREAT):
        return False
    own = author_id == actor.person_id
    return own or kind.shared or actor.may(Permission.VIEW_UNIT_CASES, unit_id)


def changed_meanwhile(version: int) -> Refusal:
    """Another window or a colleague has made a newer version. Nothing that was typed is lost."""
    words = (
        "Пока вы писали, запись исправил кто-то другой. Ваш текст сохранён: посмотрите ниже, что "
        "изменилось, и подпишите ещё раз."
    )
    return Refusal("changed_meanwhile", words, 409, version=version)


def mistaken_already() -> Refusal:
    """It was marked as entered in error, or erased: it is read, and nothing more."""
    words = "Эта запись отмечена как внесённая ошибочно или удалена по сроку. Изменить её нельзя."
    return Refusal("not_standing", words, 409)


def nothing_changed() -> Refusal:
    """A correction that corrects nothing."""
    return Refusal("nothing_changed", "Вы ничего не изменили.", 422)


def too_many_drafts() -> Refusal:
    """The person has as many unsigned entries as one may have."""
    words = "У вас 50 неподписанных записей. Сначала подпишите их или уберите."
    return Refusal("too_many_drafts", words, 409)


def incomplete(errors: list[FieldError]) -> Refusal:
    """Something has to be mended before it can be signed."""
    return Refusal("incomplete", "Исправьте отмеченные поля.", 422, errors)


def too_long_to_print() -> Refusal:
    """A card of more entries than one paper has."""
    words = "В карте больше 500 записей. Выберите период и напечатайте по частям."
    return Refusal("too_long", words, 422)
