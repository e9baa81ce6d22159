"""E-mail addresses as people write them."""

import pytest

from rules.texts.identifiers import IdentifierError
from rules.texts.mail_addresses import folded, read, sendable


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("anna@example.org", "anna@example.org"),
        (" Anna.Petrova@Example.ORG\n", "Anna.Petrova@example.org"),
        ("an\u00adna@exam\u200bple.org\ufeff", "anna@example.org"),
        ("o'brien+hr@mail.example", "o'brien+hr@mail.example"),
        ("anna@больница.рф", "anna@больница.рф"),
        ("anna@xn--80abvlke3d3b.xn--p1ai", "anna@больница.рф"),
        ("anna@gkb7.local", "anna@gkb7.local"),
    ],
)
def test_addresses_that_mail_takes(typed: str, kept: str) -> None:
    """Unseen signs go, a domain is shown in its own letters."""
    assert read(typed) == kept
    assert sendable(kept).isascii()


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("игорь@example.org", "Замените русские: игорь"),
        ("аnna@example.org", "Замените русские: а"),
        ("an\u00fcna@example.org", "знак ü"),
        ("anna@exa!mple.org", "знак !"),
        ("an na@example.org", r"знак \(U\+0020\)"),
        ("a..b@example.org", "лишнюю точку"),
        ("a.@example.org", "лишнюю точку"),
        (".a@example.org", "лишнюю точку"),
        ("a@example.org.", "лишнюю точку"),
        ("a@example..org", "лишнюю точку"),
        ("a@-example.org", "Напишите адрес"),
        ("a" * 65 + "@example.org", "Напишите адрес"),
        ("a@example", "Напишите адрес"),
        ("a@b@example.org", "Напишите адрес"),
        ("@example.org", "Напишите адрес"),
        ("", "Напишите адрес"),
    ],
)
def test_what_mail_cannot_take_is_refused_with_the_sign_that_offends(
    typed: str, words: str
) -> None:
    """Before anything is sent there, and in words that say what to write."""
    with pytest.raises(IdentifierError, match=words):
        read(typed)


def test_addresses_are_compared_without_case_and_by_either_form_of_the_domain() -> None:
    """Two ways to write one address are one address."""
    assert folded("Anna@XN--80ABVLKE3D3B.xn--p1ai ") == folded("anna@Больница.РФ")
