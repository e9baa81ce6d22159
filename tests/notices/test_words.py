"""The catalogue of events: complete, in both languages, and free of what mail must not hold."""

import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from babel.messages.pofile import read_po

from ops.local.home import CHECKOUT
from rules.notices.delivery import pause_after
from rules.notices.events import CHOSEN, DETAILS, EVENTS, SUPERSEDES, kinds_of
from rules.notices.kinds import Channel, NoticeGroup, NoticeKind
from services.notices.wording import (
    DIGEST_TITLE,
    TEMPLATES,
    Addresses,
    digest,
    letter,
    short_message,
)
from words.translation import LOCALE_FOLDER

ADDRESSES = Addresses("https://cabinet.example", "https://temporal.example", "Больница № 7")
IN_TEMPLATES = re.compile(r'_\("([^"]+)"\)')


def message_ids() -> Iterator[str]:
    """All words that are said."""
    yield DIGEST_TITLE
    yield from DETAILS.values()
    for event in EVENTS.values():
        yield from (event.title, event.text, event.then, event.link)
    for template in TEMPLATES.iterdir():
        yield from IN_TEMPLATES.findall(template.read_text("utf-8"))


def test_every_kind_is_in_the_catalogue() -> None:
    """No kind is without words, and the cabinet always has the notice."""
    assert set(EVENTS) == set(NoticeKind)
    assert all(Channel.CABINET in event.channels for event in EVENTS.values())


def test_security_notices_go_out_by_mail() -> None:
    """They cannot be turned off, and reach the person outside the cabinet (N2)."""
    secure = [event for event in EVENTS.values() if event.security]
    assert secure
    assert all(Channel.MAIL in event.channels for event in secure)


def test_every_word_is_translated() -> None:
    """English is complete, has the same placeholders, and no words nobody says.

    The words of a subject may stand in the catalogue of the subject; all catalogues are one.
    """
    english: dict[str, dict[str, str]] = {}
    for path in (LOCALE_FOLDER / "en" / "LC_MESSAGES").glob("*.po"):
        with path.open("rb") as file:
            english[path.name] = {
                str(m.id): str(m.string) for m in read_po(file, locale="en") if m.id
            }
    said = {word: text for one in english.values() for word, text in one.items()}
    assert set(message_ids()) <= set(said)
    assert set(english["notices.po"]) <= set(message_ids())
    for russian in message_ids():
        assert re.findall(r"%\(\w+\)s", russian) == re.findall(r"%\(\w+\)s", said[russian])
        assert not re.search("[а-яё]", said[russian], re.IGNORECASE)


@pytest.mark.parametrize("kind", NoticeKind)
@pytest.mark.parametrize("language", ["ru", "en"])
def test_every_mail_can_be_written(kind: Any, language: str) -> None:
    """With the number alone, or with nothing; no placeholder is left, the link is whole."""
    case_id = uuid4()
    for facts in ({"number": "ПК-2026-000123-0"}, {}):
        written = letter(kind, facts, case_id, language, ADDRESSES)
        for words in (written.subject, written.text, written.html):
            assert "%(" not in words
            assert "{{" not in words
        assert "\n" not in written.subject
        assert "https://" in written.text
        short = short_message(kind, facts, case_id, language, ADDRESSES)
        assert "%(" not in short
        assert "https://" in short
    if "%(case_id)s" in EVENTS[kind].path:
        assert str(case_id) in written.text


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("ru", "Ответить до конца дня: 11 декабря 2026"),
        ("en", "by the end of: 11 December 2026"),
    ],
)
def test_a_letter_about_a_decision_says_what_was_decided_on(language: str, said: str) -> None:
    """Programme and last day, for one and in a digest; what a reviewer wrote is not in it (A9)."""
    facts = {"number": "ПК-2026-000123-0", "programme": "УЗИ <сердца>", "until": "2026-12-11"}
    about = (NoticeKind.APPLICATION_CLARIFICATION, facts, uuid4())
    for written in (letter(*about, language, ADDRESSES), digest([about], language, ADDRESSES)):
        assert said in written.text
        assert "УЗИ <сердца>" in written.text
        assert "УЗИ &lt;сердца&gt;" in written.html
        for words in (written.text, written.html):
            assert "https://cabinet.example/notices/settings" in words


@pytest.mark.parametrize("language", ["ru", "en"])
def test_a_digest_names_every_notice(language: str) -> None:
    """Titles and links of all, in the reader's language, and how many they are."""
    told = [(kind.value, {"number": "ПК-2026-000123-0"}, uuid4()) for kind in NoticeKind]
    written = digest(told, language, ADDRESSES)
    assert str(len(told)) in written.subject
    for words in (written.text, written.html):
        assert "%(" not in words
        assert all(
            str(case_id) in words
            for kind, _, case_id in told
            if "case_id" in EVENTS[NoticeKind(kind)].path
        )


def test_groups_are_as_people_know_them() -> None:
    """Security is never chosen; every group that is chosen holds something that is sent."""
    assert NoticeGroup.SECURITY not in CHOSEN
    assert NoticeGroup.SERVICE not in CHOSEN
    assert NoticeGroup.CASES in CHOSEN
    assert {EVENTS[kind].group for group in CHOSEN for kind in kinds_of(group)} == set(CHOSEN)


def test_kinds_that_the_services_tell_exist() -> None:
    """A kind that is told somewhere and unknown here would fail a move."""
    pattern = re.compile(
        r'(?:Notice\(\s*|kind(?:, people)? ?= ?|APPROVE: |CLARIFY: |REJECT: )"(\w+)"'
    )
    told = {
        kind
        for file in (CHECKOUT / "services").rglob("*.py")
        for kind in pattern.findall(file.read_text("utf-8"))
        if kind.startswith(("application_", "review_", "clarification_", "comment_", "case_"))
    }
    assert "application_submitted" in told
    assert told <= set(NoticeKind)


def test_a_delayed_mail_is_spared_by_an_event_of_the_same_case() -> None:
    """What is held back is held back for something."""
    for kind, event in EVENTS.items():
        assert bool(event.delay) == (event.superseded_by is not None)
        if event.superseded_by:
            assert kind in SUPERSEDES[event.superseded_by]


def test_pauses_grow_and_end() -> None:
    """Within a minute after a short fault a message is tried again; after a day it is given up."""
    pauses: list[float] = []
    while (pause := pause_after(len(pauses) + 1)) is not None:
        pauses.append(pause.total_seconds())
    assert pauses == sorted(pauses)
    assert max(pauses[:7]) <= 30
    assert 12 * 3600 < sum(pauses) < 24 * 3600
