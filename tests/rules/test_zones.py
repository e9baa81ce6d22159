"""Zones are told from what is none by their names."""

import pytest
from pydantic import ValidationError

from rules.zones import is_zone
from settings import Settings


def test_zones_of_the_database_are_known() -> None:
    """Those that Russia has, and the plain one."""
    assert all(map(is_zone, ("Europe/Kaliningrad", "Europe/Moscow", "Asia/Kamchatka", "UTC")))


ODD = ["", "Ê\x01", "\ud800", "..", "/etc/passwd", "Europe", "Europe/Moscow\x00", "a" * 300]
OTHERS = ["europe/moscow", "tzdata.zi", "localtime", "Factory"]


@pytest.mark.parametrize("name", [*ODD, *OTHERS])
def test_anything_else_is_none(name: str) -> None:
    """Nor what a library would look for on the disk, nor what each machine reads otherwise."""
    assert not is_zone(name)


@pytest.mark.parametrize(
    "wrong", [{"time_zone": "Moscow"}, {"trusted_proxies": "10.0.0.0/8, proxy.local"}]
)
def test_an_installation_with_a_wrong_setting_does_not_start(wrong: dict[str, str]) -> None:
    """It is told which one, instead of failing at the first request."""
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        Settings(**wrong)  # type: ignore[arg-type]
