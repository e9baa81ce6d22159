"""Credentials in words: their lines, versions, history, and what is missing in a file."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from cabinet.cases.attachments import version_row
from cabinet.cases.lines import counted, shown_value
from cabinet.cases.views import AnswerSection, FieldAnswer
from cabinet.credentials.views import (
    CredentialRow,
    CredentialVersionLine,
    DraftLine,
    FilePage,
    GapLine,
    HistoryLine,
)
from cabinet.frame.states import StatusTag, Tone
from rules.credentials.categories import Need, Validation
from rules.credentials.progress import Gap, GapKind, progress_of
from rules.credentials.statuses import STATUS_WORDS, CredentialStatus
from rules.credentials.versions import HOW_WORDS, OWN, How
from rules.forms.definitions import differs
from rules.journal.entries import JournalKind
from rules.journal.tag_words import TAG_WORDS
from rules.journal.tagging import OF_KIND
from rules.registers.sources import SOURCE_WORDS
from services.credentials.audience import Owner
from services.credentials.drafts import DraftSeen
from services.credentials.seen import CredentialSeen, Happened, VersionSeen
from words import formats
from words.translation import gettext as _

_LOOKS: Mapping[CredentialStatus, tuple[Tone, str]] = {
    CredentialStatus.ACTIVE: ("good", "circle-check"),
    CredentialStatus.RENEWING: ("waiting", "hourglass"),
    CredentialStatus.EXPIRED: ("bad", "octagon-x"),
    CredentialStatus.REPLACED: ("idle", "refresh-cw"),
    CredentialStatus.WITHDRAWN: ("idle", "undo-2"),
}
_NEEDS: Mapping[Need, tuple[str, str, str]] = {
    Need.EDUCATION: (
        "Нет документа об образовании",
        "Добавьте диплом: без него не подать заявку на обучение и аккредитацию.",
        "diploma",
    ),
    Need.ADMISSION: (
        "Нет действующей аккредитации или сертификата",
        "Добавьте аккредитацию: по ней видно, что вы допущены к работе.",
        "accreditation",
    ),
    Need.TRAINING: (
        "Нет повышения квалификации за последние пять лет",
        "Добавьте удостоверения о курсах: из них складываются часы для аккредитации.",
        "course",
    ),
}
_GAPS: Mapping[GapKind, tuple[str, str, str]] = {
    GapKind.EXPIRED: (
        "Срок истёк: {title}",
        "Если есть новый документ, добавьте его и отметьте, что он заменил прежний.",
        "Открыть",
    ),
    GapKind.ENDING: (
        "Скоро истечёт: {title}",
        "Заранее подготовьте продление.",
        "Открыть",
    ),
    GapKind.COPY: ("Нет копии: {title}", "Загрузите PDF или фотографию документа.", "Обновить"),
    GapKind.ORIGINAL: (
        "Не сверен с оригиналом: {title}",
        "Покажите оригинал в отделе кадров, сотрудник сделает отметку.",
        "Открыть",
    ),
}


def tag_of(status: CredentialStatus) -> StatusTag:
    """How a status looks: a word, a tone and a shape."""
    tone, icon = _LOOKS[status]
    return StatusTag(_(STATUS_WORDS[status]), tone, icon)


def url_of(credential_id: UUID) -> str:
    """The page of a credential."""
    return f"/credentials/{credential_id}"


def titled(one: CredentialSeen) -> str:
    """The title with what tells it from others of its category."""
    about = one.about
    return f"{_(one.category.title)}: {about}" if about else _(one.category.title)


def row_of(one: CredentialSeen, names: Mapping[UUID, str] | None = None) -> CredentialRow:
    """A line of a file."""
    return CredentialRow(
        id=str(one.id),
        title=_(one.category.title),
        about=one.about,
        number=one.number,
        issuer=one.issuer,
        issued_on=one.issued_on,
        valid_until=one.valid_until,
        tag=tag_of(one.status),
        note=_note(one),
        urgent=one.status is CredentialStatus.EXPIRED or (one.stands and one.ends_soon),
        vouched=vouched_words(one.current, names or {}),
        url=url_of(one.id),
        copies=[version_row(file) for file in one.current.files],
    )


def _note(one: CredentialSeen) -> str:
    """How long it is valid still; that a renewal is under way, where the status does not say so."""
    if not one.stands:
        return ""
    if one.status is CredentialStatus.EXPIRED:
        return _("продление уже подано") if one.standing.renewing else ""
    if one.days_left is None:
        return _("без срока")
    if one.days_left == 0:
        return _("последний день")
    if one.ends_soon:
        return counted("остался %(num)d день", "осталось %(num)d дней", one.days_left)
    return ""


def vouched_words(version: VersionSeen, names: Mapping[UUID, str]) -> str:
    """Who vouches for what a version says."""
    if version.confirmed_at is not None:
        who = names.get(version.confirmed_by or UUID(int=0), "")
        words = _("сверен с оригиналом %(day)s") % {"day": formats.day(version.confirmed_at)}
        return f"{words}, {who}" if who else words
    if version.source != OWN:
        return _source(version.source)
    return {
        Validation.HAND: _("с оригиналом ещё не сверен"),
        Validation.REGISTER: _("в реестре ещё не проверен"),
        Validation.NONE: "",
    }[version.category.validation]


def _source(source: str) -> str:
    return _(SOURCE_WORDS.get(source, source))


def file_page(
    owner: Owner, found: Sequence[CredentialSeen], drafts: Sequence[DraftSeen], here: str
) -> FilePage:
    """A person's file: progress first, then all by group, and what counts no longer."""
    progress = progress_of(found, owner.today)
    by_id = {one.id: one for one in found}
    groups: dict[str, list[CredentialRow]] = {}
    for one in found:
        if one.stands:
            groups.setdefault(_(one.category.group), []).append(row_of(one))
    return FilePage(
        owner=owner.name,
        own=owner.own,
        here=here,
        done=progress.done,
        total=progress.total,
        gaps=[_gap(gap, by_id) for gap in progress.gaps],
        groups=list(groups.items()),
        former=[row_of(one) for one in found if not one.stands],
        drafts=[draft_line(one) for one in drafts],
    )


def _gap(gap: Gap, found: Mapping[UUID, CredentialSeen]) -> GapLine:
    if gap.need is not None:
        text, why, category = _NEEDS[gap.need]
        return GapLine(_(text), _(why), _("Добавить"), f"/credentials/new?category={category}")
    assert gap.credential_id is not None  # noqa: S101 - a gap is of the file or of a credential
    text, why, action = _GAPS[gap.kind]
    one = found[gap.credential_id]
    return GapLine(
        _(text).format(title=titled(one)),
        _(why),
        _(action),
        url_of(one.id),
        tone="bad" if gap.kind is GapKind.EXPIRED else "waiting",
    )


def draft_line(draft: DraftSeen) -> DraftLine:
    """What is not finished."""
    file = draft.files[0].file_name if draft.files else _("без файла")
    title = _(draft.category.title) if draft.category else file
    if draft.credential_id is not None:
        title = _("Новая версия: %(title)s") % {"title": title}
    return DraftLine(
        id=str(draft.id),
        title=title,
        name=file if draft.category else _("Ещё не описан"),
        url=f"/credentials/drafts/{draft.id}",
        at=draft.saved_at or draft.created_at,
    )


def answers_of(version: VersionSeen, before: VersionSeen | None) -> list[AnswerSection]:
    """What a version says; beside it, where it differs, what the version before it said."""
    old = before.data if before else {}
    return [
        AnswerSection(
            _("Сведения"),
            [
                FieldAnswer(
                    _(field.label),
                    shown_value(field, version.data.get(name)),
                    old=shown_value(field, old.get(name)) if before else None,
                    changed=before is not None and differs(old.get(name), version.data.get(name)),
                )
                for name, field in version.category.fields.items()
            ],
        )
    ]


def version_lines(
    one: CredentialSeen, versions: Sequence[VersionSeen], shown: int, names: Mapping[UUID, str]
) -> list[CredentialVersionLine]:
    """All versions, the newest first."""
    return [
        CredentialVersionLine(
            number=version.number,
            how=_(HOW_WORDS[How(version.how)]),
            who=names.get(version.made_by, "") if version.made_by else _source(version.source),
            at=version.made_at,
            reason=version.reason or "",
            url=f"{url_of(one.id)}?version={version.number}",
            shown=version.number == shown,
            vouched=vouched_words(version, names) if version.confirmed_at else "",
        )
        for version in versions
    ]


def history_of(happened: Sequence[Happened], names: Mapping[UUID, str]) -> list[HistoryLine]:
    """What happened to a credential, the newest first."""
    return [
        HistoryLine(
            text=_(TAG_WORDS[OF_KIND[JournalKind(entry.kind)]]),
            at=entry.at,
            who=names.get(entry.by, "") if entry.by else _("система"),
            reason=entry.reason,
        )
        for entry in reversed(happened)
    ]
