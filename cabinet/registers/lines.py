"""Records, checks and runs in the words of their reader."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from cabinet.cases.lines import shown_value
from cabinet.registers.views import (
    DifferenceView,
    DisputeRow,
    RecordLine,
    RegisterCardView,
    RunView,
)
from clients.register_batches import AccreditationRecord, TrainingRecord
from clients.registers import RegisterCard
from rules.credentials.categories import CategoryDefinition
from rules.credentials.versions import OWN
from rules.ids import new_id
from rules.registers.comparison import DifferenceKind, FieldDifference
from rules.registers.kinds import REGISTER_WORDS, RecordState, RegisterName
from rules.registers.sources import SOURCE_WORDS
from services.registers.checks import CheckState
from services.registers.differences import RegisterDifference
from services.registers.disputes import DisputeSeen
from services.registers.runs import RunLine
from services.registers.seen import SaidByRegister
from words import formats
from words.translation import gettext as _
from words.translation import marked

_STATES: Mapping[RecordState, tuple[str, str, str, str]] = {
    RecordState.FOUND: ("good", "circle-check", marked("есть сведения"), ""),
    RecordState.UNKNOWN: (
        "idle",
        "circle",
        marked("сведений нет"),
        marked("По вашему СНИЛС реестр никого не нашёл."),
    ),
    RecordState.OTHER: (
        "bad",
        "octagon-x",
        marked("другое имя"),
        marked(
            "Под вашим СНИЛС в реестре записан человек с другим именем. Проверьте СНИЛС в личном "
            "деле; если он верен, сообщите в отдел кадров."
        ),
    ),
}


def cards_of(said: Mapping[RegisterName, SaidByRegister]) -> list[RegisterCardView]:
    """A card for each register."""
    return [_card(name, said.get(name)) for name in RegisterName]


def _card(name: RegisterName, said: SaidByRegister | None) -> RegisterCardView:
    if said is None:
        tone, icon, word, text = "idle", "circle-dashed", _("ещё не спрашивали"), ""
    else:
        tone, icon, word, text = _STATES[said.state]
        word, text = _(word), _(text) if text else ""
    since = ""
    if said is not None and said.state is RecordState.FOUND:
        since = formats.day(said.changed_on or said.seen_at.date())
    return RegisterCardView(
        key=name.value,
        title=_(REGISTER_WORDS[name]),
        tone=tone,
        icon=icon,
        word=word,
        text=text,
        since=since,
        checked_at=said.checked_at if said else None,
        records=[line for one in said.records for line in record_lines(one)] if said else [],
    )


def record_lines(record: BaseModel) -> Sequence[RecordLine]:
    """A record in lines; a card of the register of workers has several."""
    match record:
        case AccreditationRecord():
            until = _("до %(day)s") % {"day": formats.day(record.valid_until)}
            facts = [record.kind, f"№ {record.number}", record.organisation, until]
            return [RecordLine(record.specialty, list(filter(None, facts)))]
        case TrainingRecord():
            hours = _("%(n)s ч.") % {"n": record.hours}
            kind = _("аккредитованный курс") if record.certified else ""
            facts = [hours, kind, record.organisation, formats.day(record.until)]
            return [RecordLine(record.title, list(filter(None, facts)))]
        case RegisterCard():
            return _worker_lines(record)
        case _:
            return []


def _worker_lines(card: RegisterCard) -> list[RecordLine]:
    lines = [
        RecordLine(one.position, [one.organisation.name, *filter(None, [one.kind])])
        for one in card.cards
        if one.until is None
    ]
    lines += [
        RecordLine(one.kind, [f"№ {one.series_number}", one.organisation, str(one.graduated)])
        for one in card.profs
    ]
    for one in card.certs:
        facts = [f"№ {one.number}", one.organisation]
        if one.valid_until:
            facts.append(_("до %(day)s") % {"day": formats.day(one.valid_until)})
        lines.append(RecordLine(_("Сертификат: %(what)s") % {"what": one.specialty}, facts))
    return lines


def difference_view(one: RegisterDifference, disputed: DisputeSeen | None) -> DifferenceView:
    """A difference with what was said against it, if that was about what is shown."""
    theirs = _(REGISTER_WORDS[one.register])
    if one.since:
        theirs += ", " + _("с %(day)s") % {"day": formats.day(one.since)}
    ours = ""
    if one.ours_since is not None:
        ours = _(SOURCE_WORDS[one.ours_source or OWN]) + ", " + formats.day(one.ours_since)
    view = DifferenceView(
        key=one.key,
        act_id=str(new_id()),
        title=_titled(one.category, one.data),
        register=_(REGISTER_WORDS[one.register]),
        new=one.kind is DifferenceKind.NEW,
        url=f"/credentials/{one.credential_id}" if one.credential_id else "",
        ours_words=ours,
        theirs_words=theirs,
        rows=_rows(one.category, one.fields),
    )
    if disputed is None or list(disputed.fields) != list(one.fields):
        return view
    return replace(
        view,
        words=disputed.words,
        said_at=disputed.at,
        answer=disputed.answer or "",
        answered_at=disputed.answered_at,
    )


def dispute_row(one: DisputeSeen) -> DisputeRow:
    """A dispute for whoever answers it."""
    theirs = {field.name: field.theirs for field in one.fields}
    return DisputeRow(
        id=str(one.id),
        name=one.name,
        unit=one.unit,
        title=_titled(one.category, theirs),
        register=_(REGISTER_WORDS[one.register]),
        rows=_rows(one.category, one.fields),
        words=one.words,
        at=one.at,
        url=f"/credentials/people/{one.person_id}",
    )


def _titled(category: CategoryDefinition, data: Mapping[str, Any]) -> str:
    about = shown_value(category.fields[category.about], data.get(category.about))
    return ": ".join(filter(None, [_(category.title), about]))


def _rows(
    category: CategoryDefinition, fields: Sequence[FieldDifference]
) -> Sequence[tuple[str, str, str]]:
    """Label, ours, theirs; a field that the category no longer has is left out."""
    return [
        (
            _(category.fields[one.name].label),
            shown_value(category.fields[one.name], one.ours) or "",
            shown_value(category.fields[one.name], one.theirs) or "",
        )
        for one in fields
        if one.name in category.fields
    ]


def check_words(check: CheckState | None) -> tuple[str, str, str]:
    """The newest check in a sentence, with tone and icon."""
    if check is None:
        return "", "", ""
    names = ", ".join(_(REGISTER_WORDS[one]) for one in check.waits_for)
    if check.ended_at is None and not check.tries:
        return _("Спрашиваем реестры, это занимает несколько секунд."), "waiting", "hourglass"
    if check.ended_at is None:
        words = _("Не отвечает: %(names)s. Следующая попытка %(at)s, делать ничего не нужно.")
        at = formats.moment(check.next_try_at)
        return words % {"names": names, "at": at}, "waiting", "clock"
    at = formats.moment(check.ended_at)
    if check.given_up:
        words = _("За сутки так и не ответил: %(names)s. Проверим ночью вместе со всеми.")
        return words % {"names": names}, "bad", "triangle-alert"
    return _("Проверено %(at)s, ответили все реестры.") % {"at": at}, "good", "circle-check"


def run_view(line: RunLine) -> RunView:
    """A run for ops: where it is, and when it will be done."""
    at = line.progress
    if line.ended_at is not None:
        tone, icon, word = "good", "circle-check", _("закончена")
        until = formats.moment(line.ended_at)
    elif line.down_since is not None and at.again_at is not None:
        tone, icon, word = "bad", "triangle-alert", _("реестр не отвечает")
        until = _("следующая попытка %(at)s") % {"at": formats.exact(at.again_at)}
    else:
        tone, icon, word = "waiting", "clock", _("идёт")
        until = _("около %(at)s") % {"at": formats.moment(at.ends_at)} if at.ends_at else "—"
    return RunView(
        title=_(REGISTER_WORDS[line.register]),
        tone=tone,
        icon=icon,
        word=word,
        done=at.done,
        total=at.total,
        started_at=line.started_at,
        until=until,
        changed=line.changed,
        unknown=line.unknown,
    )
