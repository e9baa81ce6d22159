"""Records, checks and runs in the words of their reader."""

from collections.abc import Mapping, Sequence

from pydantic import BaseModel

from cabinet.registers.views import RecordLine, RegisterCardView, RunView
from clients.register_batches import AccreditationRecord, TrainingRecord
from clients.registers import RegisterCard
from rules.registers.kinds import REGISTER_WORDS, RecordState, RegisterName
from services.registers.checks import CheckState
from services.registers.seen import RunLine, SaidByRegister
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


def cards_of(
    said: Mapping[RegisterName, SaidByRegister], check: CheckState | None
) -> list[RegisterCardView]:
    """A card for each register."""
    return [_card(name, said.get(name), check) for name in RegisterName]


def _card(
    name: RegisterName, said: SaidByRegister | None, check: CheckState | None
) -> RegisterCardView:
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
