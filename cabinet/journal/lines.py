"""Lines of the audit in the words of their reader, and the filters above them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl
from uuid import UUID

from cabinet.frame.filters import address, filter_field
from cabinet.frame.periods import Period, period_of
from cabinet.frame.views import Chip, FieldView, Option, Pages
from cabinet.frame.visits import Visit, uuid_of
from cabinet.journal.views import AuditList, AuditRow, ChainView
from rules.journal.audit import Source
from rules.journal.tag_words import TAG_WORDS
from rules.journal.tagging import SUBJECTS
from rules.journal.tags import AuditTag
from rules.refusals import Refusal
from rules.texts.cleaning import one_line
from services.journal.audit_log import AuditLine, AuditPage
from services.journal.integrity import ChainState, Verified
from words import formats
from words.translation import gettext as _
from words.translation import in_words, ngettext

_ATTEMPTS = frozenset(
    {
        AuditTag.SIGN_IN_FAIL,
        AuditTag.CASE_REFUSE_VIEW,
        AuditTag.PERSON_REFUSE_VIEW,
        AuditTag.DOCUMENT_REFUSE_VIEW,
        AuditTag.REFUSE_OTHER,
    }
)


@dataclass(frozen=True)
class AuditAddress:
    """What the address of a list asks for; `errors` by the names of fields."""

    given: dict[str, str]
    period: Period
    after: UUID | None
    errors: dict[str, str]


def asked_of(visit: Visit, query: str, names: Collection[str]) -> AuditAddress:
    """Read the address; what is no filter of this list is left out."""
    typed = {name: one_line(value)[:200] for name, value in parse_qsl(query)}
    given = {name: typed[name] for name in names if typed.get(name)}
    period = period_of(given, visit.presentation.tzinfo)
    return AuditAddress(given, period, uuid_of(typed.get("after")), dict(period.errors))


def refused(asked: AuditAddress, refusal: Refusal) -> None:
    """Keep the words of a refusal at its fields. Raises one that is not about the search."""
    if refusal.status != 422 or not refusal.fields:
        raise refusal
    for fault in refusal.fields:
        asked.errors[fault.path] = in_words(fault.message)


def fields(asked: AuditAddress, named: Sequence[tuple[str, str]]) -> list[FieldView]:
    """The form of the filters: the texts that are named, the event, and the period."""
    tags = [Option("", _("Любое"))]
    for subject, words in SUBJECTS.items():
        tags.append(Option(subject, _("%(subject)s: все") % {"subject": _(words)}))
        named_so = [tag for tag in AuditTag if tag.subject == subject]
        tags += [Option(tag.value, f"— {_(TAG_WORDS[tag])}") for tag in named_so]
    given, errors = asked.given, asked.errors
    return [
        *(filter_field(given, errors, name, label) for name, label in named),
        filter_field(given, errors, "tag", _("Событие"), tags),
        filter_field(given, errors, "from", _("Не раньше"), kind="date"),
        filter_field(given, errors, "until", _("не позже"), kind="date"),
    ]


def listed(
    url: str,
    asked: AuditAddress,
    found: AuditPage,
    shown: Sequence[FieldView],
    *,
    by: bool,
    cases: str,
    base: Mapping[str, str] | None = None,
) -> AuditList:
    """The list with its filters; `by` says whether rows name who acted, and `cases`
    below which address their cases are open to the reader, if they are."""
    kept = {**(base or {}), **asked.given}
    words = {field.name: f"{field.label}: {_value(field)}" for field in shown}
    return AuditList(
        url=url,
        rows=[_row(line, cases) for line in found.lines],
        fields=shown,
        active=[
            Chip(words[name], address(url, {**kept, name: ""}))
            for name in asked.given
            if name in words
        ],
        pages=Pages(
            before=address(url, kept) if asked.after else None,
            after=address(url, {**kept, "after": found.after}) if found.after else None,
            shown=len(found.lines),
        ),
        about=by,
        query=address(url, kept),
    )


def _value(field: FieldView) -> str:
    labels = {option.value: option.label for option in field.options}
    return labels.get(field.value, field.value).removeprefix("— ")


def _row(line: AuditLine, cases: str) -> AuditRow:
    about = [line.case_number or "", line.about_name, f"«{line.title}»" if line.title else ""]
    if line.source is Source.ATTEMPT:
        about += [line.device, line.address]
    return AuditRow(
        at=line.at,
        who=line.by_name or (_("система") if line.system else _("неизвестно кто")),
        words=_(TAG_WORDS[line.tag]),
        tag=line.tag.value,
        about=" · ".join(filter(None, about)),
        url=f"{cases}/{line.subject}" if cases and line.case_number else "",
        bad=line.tag in _ATTEMPTS,
    )


def chain_view(state: ChainState) -> ChainView:
    """Whether one chain holds."""
    if state.faults:
        words = _("Записи изменены в обход системы. Сообщите в отдел информационной безопасности.")
        return ChainView(words, "bad", "octagon-x")
    if not state.sealed:
        return ChainView(_("Ваши записи ждут первой печати журнала."), "waiting", "clock")
    words = ngettext(
        "Цепочка цела: %(n)s запись под печатью журнала",
        "Цепочка цела: %(n)s записей под печатью журнала",
        state.sealed,
    ) % {"n": state.sealed}
    if state.waiting:
        words += _(", ждут печати: %(n)s") % {"n": state.waiting}
    return ChainView(f"{words}.", "good", "circle-check")


def verified_view(found: Verified | None) -> ChainView:
    """What the last verification of the whole journal found."""
    if found is None:
        words = _("Весь журнал ещё не проверяли. Проверьте командой medcab self-check.")
        return ChainView(words, "waiting", "clock")
    facts = {
        "at": formats.moment(found.at),
        "chains": found.chains,
        "entries": found.entries,
        "faults": found.faults,
    }
    if found.faults:
        words = _("Журнал проверен %(at)s: найдено нарушений: %(faults)s.")
        return ChainView(words % facts, "bad", "octagon-x")
    words = _("Журнал проверен %(at)s и цел: цепочек %(chains)s, записей %(entries)s.")
    return ChainView(words % facts, "good", "circle-check")
