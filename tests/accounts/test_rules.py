"""The rules of signing in, without a server."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.accounts import (
    Device,
    DeviceKind,
    Limit,
    client_address,
    code_digits,
    device_of,
    is_alive,
    is_fresh,
)
from rules.texts.mail_addresses import folded

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
IDLE = timedelta(minutes=15)


@given(st.integers(min_value=0, max_value=24 * 3600))
def test_a_session_lives_less_than_fifteen_minutes_without_activity(seconds: int) -> None:
    """Alive at every second before the fifteenth minute is over, dead from then on."""
    later = NOON + timedelta(seconds=seconds)
    assert is_alive(NOON, NOON + timedelta(hours=48), later, IDLE) is (seconds < 900)


@given(st.integers(min_value=0, max_value=24 * 3600))
def test_activity_never_outlives_the_absolute_end(seconds: int) -> None:
    """Somebody active this very second is signed out at the end of the session's life."""
    later = NOON + timedelta(seconds=seconds)
    assert is_alive(later, NOON + timedelta(hours=12), later, IDLE) is (seconds < 12 * 3600)


@pytest.mark.parametrize(("ago", "fresh"), [(0, True), (299, True), (300, False), (None, False)])
def test_a_second_factor_is_fresh_for_five_minutes(ago: int | None, fresh: bool) -> None:
    """Dangerous things ask again after five minutes, and where no code was ever entered."""
    at = None if ago is None else NOON - timedelta(seconds=ago)
    assert is_fresh(at, NOON) is fresh


@pytest.mark.parametrize(
    ("typed", "digits"),
    [
        ("123456", "123456"),
        (" 123 456 ", "123456"),
        ("123\u00a0456", "123456"),
        ("12345", None),
        ("١٢٣٤٥٦", None),
        ("12345\n6", None),
        ("123456\n", None),
    ],
)
def test_codes_are_six_plain_digits(typed: str, digits: str | None) -> None:
    """Spaces as the app shows them are forgiven, other digits and signs are not."""
    assert code_digits(typed) == digits


def test_an_account_is_found_by_either_form_of_its_domain() -> None:
    """Browsers send a domain in Cyrillic as IDNA; an address that is none is only folded."""
    assert folded("Anna@xn--80a1acny.XN--P1AI") == folded("anna@ПОЧТА.рф") == "anna@почта.рф"
    assert folded("anna@xn--\u00adx..") == "anna@xn--x.."


def test_login_names_ignore_case_and_margins() -> None:
    """One address is one account."""
    assert folded("  Sokolova@GKB7.example ") == "sokolova@gkb7.example"


CHROME = "Mozilla/5.0 ({}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 {}Safari/537.36{}"


@pytest.mark.parametrize(
    ("agent", "kind", "name"),
    [
        (CHROME.format("Windows NT 10.0; Win64; x64", "", ""), "computer", "Chrome, Windows"),
        (CHROME.format("Windows NT 10.0", "", " Edg/130.0"), "computer", "Edge, Windows"),
        (
            CHROME.format("Windows NT 10.0", "YaBrowser/24.10 ", ""),
            "computer",
            "Яндекс Браузер, Windows",
        ),
        (CHROME.format("Linux; Android 14; Pixel 8", "Mobile ", ""), "phone", "Chrome, Android"),
        (CHROME.format("Linux; Android 14; SM-X700", "", ""), "tablet", "Chrome, Android"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1 Version/18.0"
            " Mobile/15E148 Safari/604.1",
            "phone",
            "Safari, iOS",
        ),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Firefox/131.0", "computer", "Firefox, Linux"),
        ("curl/8.10.1", "program", "curl"),
        ("", "program", "—"),
        (None, "program", "—"),
        ("<script>alert(1)</script>", "program", "—"),
        ("a" * 5000, "program", "—"),
    ],
)
def test_devices_are_named_for_people(agent: str | None, kind: str, name: str) -> None:
    """Family and system without versions; what is odd is not repeated."""
    assert device_of(agent) == Device(DeviceKind(kind), name)


@pytest.mark.asvs("15.3.4")
@pytest.mark.asvs("4.1.3")
@pytest.mark.parametrize(
    ("peer", "forwarded", "trusted", "address"),
    [
        ("203.0.113.9", None, "", "203.0.113.9"),
        ("203.0.113.9", "10.1.1.1", "", "203.0.113.9"),
        ("203.0.113.9", "10.1.1.1", "127.0.0.1", "203.0.113.9"),
        ("127.0.0.1", "198.51.100.7", "127.0.0.1", "198.51.100.7"),
        ("127.0.0.1", "1.2.3.4, 198.51.100.7", "127.0.0.1", "198.51.100.7"),
        ("10.0.0.2", "198.51.100.7, 10.0.0.3", "10.0.0.0/8", "198.51.100.7"),
        ("10.0.0.2", "nonsense", "10.0.0.0/8", "10.0.0.2"),
        ("10.0.0.2", "", "10.0.0.0/8", "10.0.0.2"),
        ("10.0.0.2", "2001:db8::1", "10.0.0.0/8, ::1", "2001:db8::1"),
        ("", "198.51.100.7", "10.0.0.0/8", ""),
    ],
)
def test_only_our_proxies_are_believed(
    peer: str, forwarded: str | None, trusted: str, address: str
) -> None:
    """Whoever writes X-Forwarded-For themselves keeps their own address."""
    assert client_address(peer, forwarded, trusted) == address


def test_a_limit_spaces_its_tries() -> None:
    """Ten in a quarter of an hour is one every ninety seconds."""
    assert Limit("x", 10, timedelta(minutes=15)).spacing == timedelta(seconds=90)
