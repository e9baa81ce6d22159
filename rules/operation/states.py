"""Kinds of trouble in operation, their words, and the safe remedy of each. Source: O1, O7.

Words are gettext message ids. Nothing here may name a person or say anything about health.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from rules.journal.entries import JournalKind
from rules.refusals import FieldError, Refusal


class Trouble(StrEnum):
    """Kinds of trouble that need the attention of ops, the most urgent first."""

    TEMPORAL_DOWN = "temporal_down"
    NO_WORKER = "no_worker"
    STANDING_ENDED = "standing_ended"
    STANDING_FAILING = "standing_failing"
    JOURNAL_REFUSED = "journal_refused"
    STANDING_IDLE = "standing_idle"
    SERVER_REPLACED = "server_replaced"
    JOURNAL_UNSEALED = "journal_unsealed"
    COUNTERPART_DOWN = "counterpart_down"
    TASKS_FAILING = "tasks_failing"
    CASE_STUCK = "case_stuck"
    RUN_ENDED = "run_ended"
    BEGUN_ANEW = "begun_anew"
    ACT_UNHEARD = "act_unheard"
    CHANNEL_LATE = "channel_late"
    NOTICE_FAILED = "notice_failed"
    TERM_OVERDUE = "term_overdue"
    EXPORT_FAILED = "export_failed"
    BACKUP_OLD = "backup_old"


class Remedy(StrEnum):
    """What ops may do from the desk. Each is safe to repeat and decides nothing about a case."""

    RETRY = "retry"
    ASK_AGAIN = "ask_again"
    RESEND = "resend"
    SEND_NOW = "send_now"
    TELL_HEAD = "tell_head"
    START = "start"


@dataclass(frozen=True)
class TroubleWords:
    """How a kind of trouble is described: a heading, the reason in plain words, what helps."""

    title: str
    why: str
    remedy: Remedy | None = None


@dataclass(frozen=True)
class RemedyWords:
    """The words of a remedy's button, its effect and its result, and its kind of journal entry."""

    button: str
    does: str
    done: str
    journaled: JournalKind


T, R = Trouble, Remedy

TROUBLES: Mapping[Trouble, TroubleWords] = {
    T.TEMPORAL_DOWN: TroubleWords(
        "Temporal не отвечает",
        "Решения и заявки принимаются и сохраняются, но автоматическая обработка остановлена. "
        "Когда Temporal ответит, она продолжится без вашего участия.",
    ),
    T.NO_WORKER: TroubleWords(
        "Обработчики не работают",
        "Ни один обработчик не запрашивает задания у Temporal. Решения и заявки принимаются, "
        "обработка продолжится, когда обработчик запустят: medcab worker.",
    ),
    T.STANDING_ENDED: TroubleWords(
        "Постоянные процессы не работают",
        "Процесс, который должен работать всегда, завершился или не начат.",
        R.START,
    ),
    T.STANDING_FAILING: TroubleWords(
        "Ошибки в постоянных процессах",
        "Процесс работает, но его шаг раз за разом завершается ошибкой. Тип ошибки виден в "
        "Temporal и в журнале обработчика.",
    ),
    T.JOURNAL_REFUSED: TroubleWords(
        "В журнале записи, которых не писала система",
        "Их добавили в базу данных в обход системы, или обновление шло без остановки. "
        "Печать на них не ставится. Проверьте командой medcab verify и сообщите отделу ИБ.",
    ),
    T.STANDING_IDLE: TroubleWords(
        "Постоянные процессы простаивают",
        "Temporal отвечает, обработчики запрашивают задания, но шаг процесса давно не начинался "
        "и не завершался. Неисправную часть надзор заменит сам, а процесс, который не может "
        "продолжаться, через несколько минут начнётся заново. Если это не проходит, "
        "перезапустите Temporal и обработчики.",
        R.START,
    ),
    T.SERVER_REPLACED: TroubleWords(
        "Серверы были заменены",
        "Сервер отвечал, но не работал, и надзор запустил его заново. Делать ничего не нужно. "
        "Если это повторяется, причина в журнале сервера: medcab status назовёт файл.",
    ),
    T.JOURNAL_UNSEALED: TroubleWords(
        "Журнал не опечатан вовремя",
        "Записи журнала опечатываются раз в минуту. Пока этого нет, изменение свежих записей "
        "можно не заметить.",
        R.START,
    ),
    T.COUNTERPART_DOWN: TroubleWords(
        "Внешние системы не отвечают",
        "Дела, которым нужна эта система, ждут: срок заявок остановлен, срок запросов идёт. "
        "Мы спрашиваем её снова не реже раза в десять минут.",
        R.ASK_AGAIN,
    ),
    T.TASKS_FAILING: TroubleWords(
        "Процессы не могут продолжаться",
        "Обработчик не может выполнить код процесса: обычно новая версия не подходит к начатым "
        "делам. Верните прежнюю версию, и они продолжатся. Начать процесс заново можно кнопкой: "
        "дело останется на том же шаге.",
        R.RETRY,
    ),
    T.BEGUN_ANEW: TroubleWords(
        "Процессы начаты заново",
        "Процесс не отвечал на напоминания или ничего не делал, и система начала его заново с "
        "того же шага. "
        "Делать ничего не нужно. Если таких много, версия обработчика не подходит к начатым делам.",
    ),
    T.CASE_STUCK: TroubleWords(
        "Остановились",
        "Шаг завершился ошибкой, которую система не может устранить сама. Устраните причину и "
        "повторите.",
        R.RETRY,
    ),
    T.RUN_ENDED: TroubleWords(
        "Процессы прерваны",
        "Процесс дела завершили в Temporal, или он оборвался. Дело не пострадало, но само не "
        "продолжится, пока не наступит его срок. Начать процесс с того же шага можно кнопкой.",
        R.RETRY,
    ),
    T.ACT_UNHEARD: TroubleWords(
        "Процесс не принял действие",
        "Действие сохранено, но процесс его ещё не прочитал. "
        "Обычно это значит, что не хватает обработчиков или не отвечает Temporal.",
        R.RETRY,
    ),
    T.CHANNEL_LATE: TroubleWords(
        "Уведомления ждут отправки",
        "Время отправки прошло: сервер канала не отвечает, временно отказывает, или отправка "
        "остановлена.",
        R.SEND_NOW,
    ),
    T.NOTICE_FAILED: TroubleWords(
        "Уведомления не доставлены",
        "Все попытки исчерпаны или канал отказал окончательно. В кабинете уведомление есть.",
        R.RESEND,
    ),
    T.TERM_OVERDUE: TroubleWords(
        "Срок истёк",
        "Заявка ждёт человека дольше срока. Передать её другому может начальник отдела кадров.",
        R.TELL_HEAD,
    ),
    T.EXPORT_FAILED: TroubleWords(
        "Выгрузки не удались",
        "Файл не подготовлен. Заказавший его сотрудник видит это и может повторить заказ.",
    ),
    T.BACKUP_OLD: TroubleWords(
        "Резервная копия устарела",
        "Последняя копия старше суток. Сделайте её: medcab backup.",
    ),
}

REMEDIES: Mapping[Remedy, RemedyWords] = {
    R.RETRY: RemedyWords(
        "Повторить сейчас",
        "Процесс прочитает заявку заново и сделает то, что она требует. "
        "Если он не отвечал на напоминания, он начнётся заново с того же шага. "
        "Решений это не принимает и ничего не отменяет.",
        "Процессу передано: посмотреть заявку снова.",
        JournalKind.OPERATION_RETRIED,
    ),
    R.ASK_AGAIN: RemedyWords(
        "Спросить сейчас",
        "Процессы, которые ждут эту систему, спросят её сразу, не дожидаясь своей очереди.",
        "Ожидающим процессам передано: спросить снова.",
        JournalKind.OPERATION_ASKED_AGAIN,
    ),
    R.RESEND: RemedyWords(
        "Отправить снова",
        "Попытки начнутся сначала. Если адрес неверен, отказ повторится.",
        "Отправим ещё раз.",
        JournalKind.OPERATION_RESENT,
    ),
    R.SEND_NOW: RemedyWords(
        "Отправить сейчас",
        "Все ожидающие уведомления этого канала станут срочными: пауза после отказа отменяется, "
        "а отправитель начнёт работу, если стоял.",
        "Ожидающие уведомления отправим сейчас.",
        JournalKind.OPERATION_SENT_NOW,
    ),
    R.TELL_HEAD: RemedyWords(
        "Сообщить начальнику отдела",
        "Начальник отдела получит уведомление со ссылкой на заявку и сможет передать её другому.",
        "Начальник отдела получит уведомление.",
        JournalKind.OPERATION_HEAD_TOLD,
    ),
    R.START: RemedyWords(
        "Запустить",
        "Процесс начнётся, если он не работает, и начнётся заново, если простаивает. Если "
        "работает, ничего не изменится.",
        "Процесс запущен.",
        JournalKind.OPERATION_STARTED,
    ),
}

CHANNEL_IS_LATE_AFTER = timedelta(minutes=5)
"""How long a notice may be overdue before its channel counts as late."""

FAILED_ARE_SHOWN = timedelta(days=7)
"""How long a failed notice or export stays on the desk; its person was told at once."""

SEAL_IS_LATE_AFTER = timedelta(minutes=3)
"""The journal gets a checkpoint once a minute: after this, two in a row are missing."""

BACKUP_IS_OLD_AFTER = timedelta(hours=26)
"""A day, and two hours that the nightly backup may take."""

WORK_IS_SEEN_EVERY = timedelta(minutes=2)
"""Within this, a working standing workflow begins a step or reports that it is alive."""

USUAL = {"worker": timedelta(seconds=70), "standing": timedelta(seconds=45)}
"""The usual time between signs of life.

A worker asks for work once a minute, and a standing workflow reports twice a minute that it is
alive.
"""

REPLACING_IS_SHOWN = timedelta(days=1)
"""How long the desk shows that a server was replaced, or that a run was begun anew."""

ENTRIES_LOOKED_THROUGH = 2000
"""How many entries at the end of the installation's own chain are searched for those of a day."""

FAILING_AFTER = 3
"""After so many tries of one step a standing workflow counts as failing."""

REASON = (3, 500)
"""The shortest and the longest reason for a remedy, in characters."""


def demand_reason(reason: str) -> None:
    """Raise Refusal 422 unless the reason has an acceptable length."""
    shortest, longest = REASON
    if not shortest <= len(reason.strip()) <= longest:
        text = "Укажите причину действия: от 3 до 500 знаков."
        raise Refusal("incomplete", text, 422, [FieldError("reason", text)])
