"""Why a message was not delivered, in words, with the code of the mail server or gateway."""

import re

from words.translation import gettext, marked

_REFUSED = marked("получатель не принял")
REASONS = {
    "unknown_number": marked("такого номера нет"),
    "bounced": _REFUSED,
    "refused": _REFUSED,
    "expired": marked("телефон долго был недоступен"),
    "blocked": marked("оператор не принимает сообщения на этот номер"),
    "silent": marked("служба доставки не знает, что стало с сообщением"),
    "5.1.1": marked("такого почтового ящика нет"),
    "5.2.1": marked("почтовый ящик отключён"),
    "5.2.2": marked("почтовый ящик переполнен"),
    "5.2.3": marked("письмо слишком велико для почтового ящика"),
    "5.7.1": marked("почтовый сервер получателя отклонил письмо по своим правилам"),
}
"""Reasons that gateways give, and enhanced status codes (RFC 3463)."""

_OURS = {
    "no telephone number": marked("номер телефона не указан"),
    "no device": marked("ни одно устройство не подключено"),
    "not an e-mail address": marked("на этот адрес нельзя отправить письмо"),
    "not a known push service": marked("служба уведомлений этого устройства не известна"),
}
"""Reasons of our own, which have no code to quote."""

_CLASSES = {
    "1": marked("на этот адрес нельзя отправить письмо"),
    "2": marked("почтовый ящик не принимает письма"),
    "3": marked("почтовый сервер получателя не принимает письма"),
    "4": marked("почтовый сервер получателя недоступен"),
    "5": marked("почтовый сервер получателя не понял письмо"),
    "6": marked("почтовый сервер получателя не понял письмо"),
    "7": marked("почтовый сервер получателя отклонил письмо по своим правилам"),
}
"""By the second number of an enhanced status code (RFC 3463)."""

_REPLIES = {
    "421": marked("почтовый сервер временно не работает"),
    "450": marked("почтовый ящик временно недоступен"),
    "451": marked("почтовый сервер временно не может принять письмо"),
    "452": marked("на почтовом сервере не хватает места"),
    "550": marked("почтовый ящик недоступен"),
    "551": marked("такого почтового ящика на этом сервере нет"),
    "552": marked("почтовый ящик переполнен"),
    "553": marked("на этот адрес нельзя отправить письмо"),
    "554": marked("почтовый сервер получателя отклонил письмо"),
}
"""By the reply code of a mail server (RFC 5321, section 4.2.3), where it gives no enhanced one."""

_STATUSES = {
    "400": marked("служба доставки не поняла сообщение"),
    "401": marked("служба доставки не признаёт наш ключ"),
    "403": marked("служба доставки не признаёт наш ключ"),
    "404": marked("устройство больше не подключено"),
    "410": marked("устройство больше не подключено"),
    "413": marked("сообщение слишком велико"),
    "429": marked("сообщений слишком много, отправим позже"),
}
_NO_ANSWER = marked("служба доставки не отвечает")
_ENHANCED = r"[245]\.(\d{1,3})\.\d{1,3}"
_CODE = re.compile(_ENHANCED)
_REPLY = re.compile(rf"([245]\d\d)(?:[ -]+({_ENHANCED}))?(?=[ :]|$).*", re.DOTALL)
_HTTP = re.compile(r"HTTP ([1-5]\d\d)\b.*", re.DOTALL)
_LINE_DOWN = re.compile(
    r"(?:Connect|Read|Write|Pool|RemoteProtocol|SMTPConnect|SMTPRead|SMTPServer|SMTP(?=Timeout))"
    r"\w*(?:Error|Timeout|Disconnected)"
)
"""The exceptions that HTTP and SMTP clients raise when a connection fails."""


def said(reason: str) -> str:
    """The reason in words, with its code; an unknown reason is returned unchanged."""
    if reason in _OURS:
        return gettext(_OURS[reason])
    words = _words(reason)
    return f"{gettext(words)} ({reason})" if words else reason


def _words(reason: str) -> str | None:
    if reason in REASONS:
        return REASONS[reason]
    if code := _CODE.fullmatch(reason):
        return _CLASSES.get(code[1], _REFUSED)
    if reply := _REPLY.fullmatch(reason):
        number, enhanced, group = reply.groups()
        return REASONS.get(enhanced or "") or _CLASSES.get(group or "") or _REPLIES.get(number)
    if http := _HTTP.fullmatch(reason):
        return _STATUSES.get(http[1], _NO_ANSWER if http[1] >= "500" else None)
    return _NO_ANSWER if _LINE_DOWN.fullmatch(reason) else None
