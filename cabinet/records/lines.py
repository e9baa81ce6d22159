"""Records in words: the head of a patient's pages, lines of history, answers of an entry."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from cabinet.cases.lines import counted
from cabinet.cases.views import AnswerSection, FieldAnswer
from cabinet.frame.states import StatusTag
from cabinet.records.blocks import address, entry_url
from cabinet.records.views import DraftRow, HeadView, HistoryRow, WarningLine
from rules.forms.definitions import differs
from rules.forms.fields import FieldKind
from rules.patients.identity import SEX_WORDS, Identity
from rules.records.entries import STATE_WORDS, EntryState
from rules.records.types import EntryTypeDefinition
from services.patients.ways import WAY_WORDS
from services.records.drafts import EntryDraftSeen
from services.records.history import HistoryEvent
from services.records.page import PatientHead
from services.records.seen import EntrySeen, EntryVersionSeen
from words import formats
from words.translation import gettext as _

TAGS: Mapping[EntryState, StatusTag] = {
    EntryState.SIGNED: StatusTag("", "good", "circle-check"),
    EntryState.MISTAKEN: StatusTag("", "bad", "octagon-x"),
    EntryState.ERASED: StatusTag("", "idle", "archive"),
}


def patient_url(patient_id: UUID) -> str:
    """The page of a patient."""
    return f"/patients/{patient_id}"


def named(who: Identity) -> str:
    """An identity in one line."""
    return f"{who.name}, {formats.day(who.birth_date)}"


def head_view(head: PatientHead) -> HeadView:
    """The head of every page of the patient."""
    way = head.look.way
    return HeadView(
        url=patient_url(head.patient_id),
        name=head.who.name,
        born=head.who.birth_date,
        age=counted("%(num)d год", "%(num)d лет", head.age),
        sex=_(SEX_WORDS[head.who.sex]),
        way=_(WAY_WORDS.get(way.name, "")) if WAY_WORDS.get(way.name) else "",
        until=way.until,
        warnings=[_warning(head.patient_id, one) for one in head.warnings],
        others=[
            named(who) for patient_id, who in head.others.items() if patient_id != head.patient_id
        ],
    )


def _warning(patient_id: UUID, one: EntrySeen) -> WarningLine:
    by = one.kind.warned.by if one.kind.warned else ""
    return WarningLine(
        about=one.current.about,
        severity=shown(one.current, by) or "" if by else "",
        dangerous=one.dangerous,
        url=entry_url(patient_id, one.id),
    )


def shown(version: EntryVersionSeen, name: str) -> str | None:
    """A value as people read it, in their language where the form has the words."""
    value = version.shown(name)
    translated = version.kind.fields[name].kind in (FieldKind.CHOICE, FieldKind.CHECKBOX)
    return _(value) if value and translated else value


def history_rows(
    head: PatientHead, lines: Sequence[HistoryEvent], names: Mapping[UUID, str]
) -> list[HistoryRow]:
    """Lines of history, each with where it leads and under which identity it is kept."""
    return [
        HistoryRow(
            url=address(head.patient_id, line),
            title=_(line.title),
            about=line.about,
            at=line.at,
            who=names.get(line.by, "") if line.by else "",
            note=_(line.note) if line.note else "",
            written_as=written_as(head, line.patient_id),
            bad=line.bad,
        )
        for line in lines
    ]


def written_as(head: PatientHead, patient_id: UUID) -> str:
    """The identity under which something is kept, where it is not the one that is looked at."""
    if patient_id == head.patient_id or patient_id not in head.others:
        return ""
    return named(head.others[patient_id])


def draft_row(draft: EntryDraftSeen) -> DraftRow:
    """What is not signed yet."""
    title = _(draft.kind.title)
    if draft.entry_id is not None:
        title = _("Исправление: %(title)s") % {"title": title}
    return DraftRow(draft_url(draft), title, draft.saved_at or draft.created_at)


def draft_url(draft: EntryDraftSeen) -> str:
    """The form of a draft, under the patient for whom it was begun."""
    return f"{patient_url(draft.patient_id)}/drafts/{draft.id}"


def tag_of(state: EntryState) -> StatusTag:
    """How the state of an entry looks."""
    look = TAGS[state]
    return StatusTag(_(STATE_WORDS[state]), look.tone, look.icon)


def form_words(kind: EntryTypeDefinition) -> str:
    """By which form and which edition an entry is written."""
    if kind.form_number:
        return _("Форма %(number)s, %(edition)s") % {
            "number": kind.form_number,
            "edition": _(kind.edition),
        }
    return _(kind.edition)


def answers(version: EntryVersionSeen, before: EntryVersionSeen | None) -> list[AnswerSection]:
    """What a version says; beside it, where it differs, what the version before it said."""
    return [
        AnswerSection(
            _(section.title),
            [
                FieldAnswer(
                    _(field.label),
                    shown(version, field.name),
                    old=_earlier(before, field.name),
                    changed=before is not None
                    and differs(before.data.get(field.name), version.data.get(field.name)),
                )
                for field in section.fields
            ],
        )
        for section in version.kind.sections
    ]


def changed_answers(version: EntryVersionSeen, before: EntryVersionSeen) -> list[AnswerSection]:
    """Only what differs between two versions."""
    found = [
        AnswerSection(one.title, [answer for answer in one.answers if answer.changed])
        for one in answers(version, before)
    ]
    return [one for one in found if one.answers]


def _earlier(before: EntryVersionSeen | None, name: str) -> str | None:
    if before is None or name not in before.kind.fields:
        return None
    return shown(before, name)
