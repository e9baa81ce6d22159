"""The journal of a case in sentences: who, when, what. Newest first, as services give it."""

from collections.abc import Callable, Mapping, Sequence

from cabinet.cases.views import Happening
from rules.journal.entries import JournalKind as K
from services.dossier.page import TimelineEntry
from words.translation import gettext as _

Sentence = Callable[[TimelineEntry, bool], str]
"""Says an entry of the journal in words, for the applicant (True) or for others."""


def plain(message: str) -> Sentence:
    """The same sentence for everybody."""
    return lambda happened, own: _(message)


def told(own_words: str, other: str) -> Sentence:
    """One sentence for the applicant, another for others."""
    return lambda happened, own: _(own_words) if own else _(other)


def of_version(own_words: str, other: str) -> Sentence:
    """Like `told`, with the number of the version as `%(n)s`."""
    return lambda happened, own: (
        _(own_words if own else other) % {"n": happened.facts.get("version", "")}
    )


SENTENCES: Mapping[str, Sentence] = {
    K.CASE_DRAFTED: told("Вы начали черновик", "Заявитель начал черновик"),
    K.CASE_REMINDED: plain("Отправлено напоминание о сроке"),
    K.CASE_RECEIPT_ISSUED: plain("Расписка скачана"),
    K.CASE_EXPORTED: plain("Дело выгружено целиком"),
    K.CASE_KEPT_LONGER: plain("Срок хранения продлён"),
    K.CASE_HELD: plain("Удаление дела запрещено"),
    K.CASE_RELEASED: plain("Запрет удаления снят"),
    K.CASE_ERASED: plain("Срок хранения истёк, содержание дела удалено"),
    K.CASE_STUCK: plain("Обработка остановилась, техническая служба знает об этом"),
    K.CASE_BEGUN_ANEW: plain("Обработка не отвечала и начата заново с того же шага"),
    K.CASE_SIGNAL_WITHOUT_ACT: plain("Поступил сигнал без решения, ничего не изменилось"),
}
"""For every kind of case alike. Entries without a sentence are not shown."""

_PROVED = frozenset({K.CASE_SUBMITTED, K.CASE_RESUBMITTED, K.CASE_CORRECTED})
_BY_APPLICANT = _PROVED | {K.CASE_WITHDRAWN, K.CASE_DRAFTED, K.CASE_COPIED}


def timeline(
    happened: Sequence[TimelineEntry],
    sentences: Mapping[str, Sentence],
    *,
    own: bool,
    receipts: str = "",
) -> list[Happening]:
    """The lines of the timeline. Each submitted version links to its receipt below `receipts`."""
    lines: list[Happening] = []
    for entry in happened:
        sentence = sentences.get(entry.kind)
        if sentence is None:
            continue
        proved = receipts and entry.kind in _PROVED
        lines.append(
            Happening(
                at=entry.at,
                text=sentence(entry, own),
                who="" if own and entry.kind in _BY_APPLICANT else entry.by or "",
                reason=str((entry.contents or {}).get("reason") or ""),
                proof_url=f"{receipts}?version={entry.facts['version']}" if proved else "",
            )
        )
    return lines
