"""Notices by programs: a token changes them only with the right to (N2, N3, I4)."""

from typing import Any
from uuid import UUID

import pytest

from rules.access import ROLE_PERMISSIONS, Permission
from tests.shared.desk import SCOPE, Desk

WISHES: dict[str, Any] = {"digest_hour": 9, "quiet_from": "22:00:00", "quiet_to": "07:00:00"}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/notices/wishes", WISHES),
        ("PUT", "/notices/settings/cases/sms", {"on": True}),
        ("POST", "/notices/read", {}),
        ("POST", f"/notices/{UUID(int=1)}/resend", None),
    ],
)
async def test_a_token_for_something_else_changes_no_notices(
    desk: Desk, method: str, path: str, body: Any
) -> None:
    """403 with every other right of the owner, also to read; with this one it is let through."""
    person = desk.office.reviewer
    rest = [one for one in SCOPE if person.may(one) and one is not Permission.KEEP_NOTICES]
    other = await desk.program(person, rest)
    keeper = await desk.program(person, (Permission.KEEP_NOTICES,))
    before = (await keeper.get("/notices/settings")).json()
    for refused in (
        await other.request(method, path, json=body),
        await other.get("/notices"),
        await other.get("/notices/settings"),
    ):
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert (await keeper.get("/notices/settings")).json() == before
    answer = await keeper.request(method, path, json=body)
    assert answer.status_code == (404 if "resend" in path else 204)


async def test_the_right_lets_wishes_be_changed(desk: Desk) -> None:
    """What was wished is read again."""
    keeper = await desk.program(desk.office.clinician, (Permission.KEEP_NOTICES,))
    assert (await keeper.put("/notices/wishes", json=WISHES)).status_code == 204
    assert WISHES.items() <= (await keeper.get("/notices/settings")).json()["wishes"].items()


def test_everybody_may_settle_their_own_notices() -> None:
    """No role is without: only tokens are limited by it."""
    assert all(Permission.KEEP_NOTICES in held for held in ROLE_PERMISSIONS.values())
