"""Why a message was not delivered, as people and the ops desk read it (N3, O7)."""

from contextvars import copy_context
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from cabinet.notices.delivery_reasons import said
from cabinet.operation.pages import details_of
from rules.operation.states import Trouble
from services.operation.lines import AttentionLine
from words.translation import Presentation, present


@pytest.mark.parametrize(
    ("reason", "russian", "english"),
    [
        ("5.1.1", "такого почтового ящика нет", "there is no such mailbox"),
        ("5.7.26", "почтовый сервер получателя отклонил письмо по своим правилам", ""),
        ("5.0.0", "получатель не принял", ""),
        ("550 5.1.1 no such mailbox", "такого почтового ящика нет", "there is no such mailbox"),
        ("550 5.4.9 no route", "почтовый сервер получателя недоступен", ""),
        ("550 no such user", "почтовый ящик недоступен", "the mailbox is unavailable"),
        ("552", "почтовый ящик переполнен", ""),
        ("451 greylisted", "почтовый сервер временно не может принять письмо", ""),
        ("unknown_number", "такого номера нет", "there is no such number"),
        ("HTTP 410", "устройство больше не подключено", "the device is no longer connected"),
        ("HTTP 503", "служба доставки не отвечает", "the delivery service does not answer"),
        ("ConnectTimeout", "служба доставки не отвечает", ""),
        ("SMTPServerDisconnected", "служба доставки не отвечает", ""),
    ],
)
def test_reasons_are_said_in_words_with_their_code(reason: str, russian: str, english: str) -> None:
    """N3: codes of gateways, mail servers and services, in both languages."""

    def in_(language: str) -> str:
        present(Presentation(language=language))
        return said(reason)

    assert copy_context().run(in_, "ru") == f"{russian} ({reason})"
    told = copy_context().run(in_, "en")
    assert told.endswith(f" ({reason})")
    assert told.isascii() or "’" in told
    assert not english or told == f"{english} ({reason})"


@pytest.mark.parametrize("reason", ["", "something else", "5500 times", "no_such_code"])
def test_what_is_not_known_stands_as_it_came(reason: str) -> None:
    """Nothing is made up."""
    assert said(reason) == reason


def test_what_nobody_else_said_has_no_code() -> None:
    """A telephone number that is missing is our own word."""
    assert said("no telephone number") == "номер телефона не указан"


@pytest.mark.parametrize("trouble", [Trouble.NOTICE_FAILED, Trouble.CHANNEL_LATE])
def test_the_ops_desk_says_it_in_words_too(trouble: Trouble) -> None:
    """Beside the channel and the tries stand the words and the code."""
    facts = {"channel": "sms", "tries": 1, "waiting": 2, "reason": "unknown_number"}
    line = AttentionLine(trouble, str(uuid4()), "sms", datetime.now(UTC), facts)
    assert details_of(line).endswith(". Такого номера нет (unknown_number)")
    bare = AttentionLine(trouble, str(uuid4()), "sms", datetime.now(UTC), {**facts, "reason": ""})
    assert not details_of(bare).endswith(". ")
