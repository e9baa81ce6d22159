"""What people are told of, by which channels, in which words, and how often it is tried.

Words are gettext message ids of the domain `notices`; `%(number)s` is the number of the case.
Mail carries nothing about a person or health: what happened, what to do next, a link.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class NoticeKind(StrEnum):
    """Events that are told. Values are stored for ever: add, never rename."""

    APPLICATION_SUBMITTED = "application_submitted"
    APPLICATION_IN_REVIEW = "application_in_review"
    APPLICATION_CLARIFICATION = "application_clarification"
    APPLICATION_APPROVED = "application_approved"
    APPLICATION_ACT_READY = "application_act_ready"
    APPLICATION_REJECTED = "application_rejected"
    APPLICATION_WITHDRAWN = "application_withdrawn"
    APPLICATION_LAPSED = "application_lapsed"
    CLARIFICATION_REMINDER = "clarification_reminder"
    REVIEW_ASSIGNED = "review_assigned"
    REVIEW_REMINDER = "review_reminder"
    REVIEW_ESCALATED = "review_escalated"
    REVIEW_HANDED_OVER = "review_handed_over"
    REVIEW_WITHDRAWN = "review_withdrawn"
    COMMENT_ADDED = "comment_added"
    REGISTER_DOWN = "register_down"
    DELIVERY_FAILED = "delivery_failed"
    NEW_DEVICE = "new_device"
    SECURITY = "security"
    CASE_STUCK = "case_stuck"


class Channel(StrEnum):
    """Ways to a person. A notice in the cabinet always exists."""

    CABINET = "cabinet"
    MAIL = "mail"
    SMS = "sms"
    PUSH = "push"


class Audience(StrEnum):
    """Who is told."""

    APPLICANT = "applicant"
    REVIEWER = "reviewer"
    PARTNER = "partner"
    ACCOUNT = "account"
    OPS = "ops"


class NoticeState(StrEnum):
    """Where a notice stands; a superseded one is told by a later notice of the same case."""

    WAITING = "waiting"
    TOLD = "told"
    FAILED = "failed"
    SUPERSEDED = "superseded"


class Outcome(StrEnum):
    """What came of one try."""

    TOLD = "told"
    LATER = "later"
    DOWN = "down"
    REFUSED = "refused"


_CABINET = (Channel.CABINET,)
_BOTH = (Channel.CABINET, Channel.MAIL)


@dataclass(frozen=True)
class Event:
    """How one kind of event is told.

    `delay` holds the mail back, because an event of `superseded_by` normally follows within
    moments and says more: then one mail tells both. `path` is completed with `case_id`.
    """

    audience: Audience
    title: str
    text: str
    then: str
    channels: tuple[Channel, ...] = _BOTH
    path: str = "/cases/%(case_id)s"
    link: str = "Открыть заявку"
    security: bool = False
    superseded_by: "NoticeKind | None" = None
    delay: timedelta = timedelta(0)


K, A = NoticeKind, Audience

EVENTS: Mapping[NoticeKind, Event] = {
    K.APPLICATION_SUBMITTED: Event(
        A.APPLICANT,
        "Заявка %(number)s зарегистрирована",
        "Мы зарегистрировали заявку и проверяем её.",
        "Сейчас от вас ничего не требуется. Мы напишем, когда передадим заявку в отдел кадров.",
        superseded_by=K.APPLICATION_IN_REVIEW,
        delay=timedelta(seconds=10),
    ),
    K.APPLICATION_IN_REVIEW: Event(
        A.APPLICANT,
        "Заявка %(number)s передана в отдел кадров",
        "Заявка зарегистрирована и проверена, её рассматривает отдел кадров.",
        "Сейчас от вас ничего не требуется. О решении мы напишем.",
    ),
    K.APPLICATION_CLARIFICATION: Event(
        A.APPLICANT,
        "По заявке %(number)s требуется уточнение",
        "Отдел кадров просит уточнить сведения в заявке.",
        "Откройте заявку: там написано, что исправить и до какого числа ответить.",
    ),
    K.APPLICATION_APPROVED: Event(
        A.APPLICANT,
        "Заявка %(number)s одобрена",
        "Отдел кадров одобрил заявку.",
        "Сейчас от вас ничего не требуется. Мы готовим акт о зачислении и напишем, когда его можно "
        "будет скачать.",
        superseded_by=K.APPLICATION_ACT_READY,
        delay=timedelta(seconds=20),
    ),
    K.APPLICATION_ACT_READY: Event(
        A.APPLICANT,
        "Акт о зачислении по заявке %(number)s готов",
        "Отдел кадров одобрил заявку, акт о зачислении подписан.",
        "Откройте заявку, чтобы скачать или распечатать акт.",
    ),
    K.APPLICATION_REJECTED: Event(
        A.APPLICANT,
        "Заявка %(number)s отклонена",
        "Отдел кадров отклонил заявку.",
        "Причина указана на странице заявки. Там же заявку можно скопировать в новый черновик.",
    ),
    K.APPLICATION_WITHDRAWN: Event(
        A.APPLICANT,
        "Заявка %(number)s отозвана",
        "Вы отозвали заявку, рассматривать её больше не будут.",
        "Если это были не вы, сообщите в отдел информационной безопасности. "
        "Заявку можно скопировать в новый черновик.",
    ),
    K.APPLICATION_LAPSED: Event(
        A.APPLICANT,
        "Заявка %(number)s закрыта без ответа",
        "Срок ответа на уточнение истёк, поэтому мы закрыли заявку.",
        "Заявку можно скопировать в новый черновик и подать снова.",
    ),
    K.CLARIFICATION_REMINDER: Event(
        A.APPLICANT,
        "Заявка %(number)s ждёт вашего ответа",
        "Отдел кадров просил уточнить сведения, ответа пока нет.",
        "Ответьте до числа, указанного на странице заявки, иначе заявка будет закрыта.",
    ),
    K.REVIEW_ASSIGNED: Event(
        A.REVIEWER,
        "Вам назначена заявка %(number)s",
        "Заявка проверена и ждёт вашего решения.",
        "Рассмотрите заявку до указанного в ней срока.",
        channels=_CABINET,
    ),
    K.REVIEW_REMINDER: Event(
        A.REVIEWER,
        "Подходит срок рассмотрения заявки %(number)s",
        "Заявка ещё не рассмотрена.",
        "Рассмотрите заявку или передайте её другому сотруднику.",
    ),
    K.REVIEW_ESCALATED: Event(
        A.REVIEWER,
        "Срок рассмотрения заявки %(number)s истёк",
        "Заявка не рассмотрена в срок.",
        "Рассмотрите заявку сами или передайте её другому сотруднику.",
    ),
    K.REVIEW_HANDED_OVER: Event(
        A.REVIEWER,
        "Вам передана заявка %(number)s",
        "Заявку передал вам другой сотрудник.",
        "Рассмотрите заявку до указанного в ней срока.",
    ),
    K.REVIEW_WITHDRAWN: Event(
        A.REVIEWER,
        "Заявка %(number)s отозвана",
        "Заявитель отозвал заявку.",
        "Рассматривать её больше не нужно.",
        channels=_CABINET,
    ),
    K.COMMENT_ADDED: Event(
        A.PARTNER,
        "Новый комментарий к заявке %(number)s",
        "К заявке оставили комментарий.",
        "Прочитайте комментарий на странице заявки и ответьте там же.",
    ),
    K.REGISTER_DOWN: Event(
        A.APPLICANT,
        "Проверка заявки %(number)s приостановлена",
        "Государственный регистр сейчас не отвечает, поэтому проверка ждёт. "
        "Срок рассмотрения это не сокращает.",
        "От вас ничего не требуется: мы продолжим, как только регистр ответит.",
        channels=_CABINET,
    ),
    K.DELIVERY_FAILED: Event(
        A.ACCOUNT,
        "Письмо не доставлено",
        "Мы не смогли доставить вам письмо по электронной почте.",
        "Проверьте адрес почты в профиле. Само уведомление осталось в кабинете.",
        channels=_CABINET,
        path="/notices",
        link="Открыть уведомления",
    ),
    K.NEW_DEVICE: Event(
        A.ACCOUNT,
        "Вход с нового устройства",
        "В ваш кабинет вошли с устройства, с которого вы раньше не входили.",
        "Если это были вы, ничего делать не нужно. "
        "Если нет, смените пароль и завершите чужие сеансы.",
        path="/account",
        link="Открыть настройки входа",
        security=True,
    ),
    K.SECURITY: Event(
        A.ACCOUNT,
        "Изменены настройки безопасности",
        "В вашем кабинете изменили пароль, второй фактор или ключ доступа.",
        "Если это были не вы, сообщите в отдел информационной безопасности.",
        path="/account",
        link="Открыть настройки входа",
        security=True,
    ),
    K.CASE_STUCK: Event(
        A.OPS,
        "Заявка %(number)s остановилась",
        "Ход заявки остановился из-за ошибки, которую система не может обойти сама.",
        "Откройте процесс в Temporal: в подробностях указан тип ошибки. "
        "После исправления отправьте процессу сигнал ring.",
        path="%(temporal)s/workflows/application-%(case_id)s",
        link="Открыть процесс",
    ),
}

SUPERSEDES: Mapping[NoticeKind, tuple[NoticeKind, ...]] = {
    kind: tuple(k for k, event in EVENTS.items() if event.superseded_by is kind)
    for kind in NoticeKind
}
"""Which waiting mails of the same case and person an event makes needless."""

_PAUSES = (2, 5, 10, 15, 20, 30, 30, 60, 120, 300, 900, 1800, 3600, 7200, 14400, 28800)
"""Seconds until the next try after the first, second, … refusal for now: 16 hours in all."""


def pause_after(tries: int) -> timedelta | None:
    """How long to wait after the `tries`-th refusal; None when it is given up."""
    if tries > len(_PAUSES):
        return None
    return timedelta(seconds=_PAUSES[tries - 1])
