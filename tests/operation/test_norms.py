"""Norms of law: who is told 180 days before one ends, and with what (O8)."""

from datetime import timedelta

import pytest
from sqlmodel import select

from models.tables.notices import Notice
from rules.access import Role
from rules.clock import now
from rules.operation.norms import Norm, NormStage
from rules.operation.self_check import Grade, Protection
from services.operation import norms, self_check
from tests.staff.hospital import Staff, staff

__all__ = ["staff"]


def ending(days: int | None, key: str = "one") -> Norm:
    """A norm that ends in so many days."""
    today = now().date()
    until = today + timedelta(days=days) if days is not None else None
    return Norm(key, "О чём", "Приказ № 1", today - timedelta(days=900), until, ("Заявки",))


def test_a_norm_is_near_for_its_last_180_days() -> None:
    """On the day from which it does not count any more it is over; without an end it counts."""
    stages = {days: ending(days).stage(now().date()) for days in (181, 180, 1, 0, -5, None)}
    assert stages == {
        181: NormStage.COUNTS,
        180: NormStage.NEAR,
        1: NormStage.NEAR,
        0: NormStage.OVER,
        -5: NormStage.OVER,
        None: NormStage.COUNTS,
    }
    assert ending(9).stage(now().date() - timedelta(days=901)) is NormStage.AHEAD
    assert norms.norms()


async def test_administrators_are_told_once_and_see_what_rests_on_it(
    staff: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once when it is near and once when it is over; the self-check names it with its source."""
    kept: list[Norm] = [ending(300), ending(100, "two")]
    monkeypatch.setattr(norms, "norms", lambda: kept)

    async def told() -> list[tuple[str, bool]]:
        await norms.warn(staff.database)
        await norms.warn(staff.database)
        async with staff.database.work() as session:
            found = await session.exec(
                select(Notice.kind, Notice.person_id)
                .where(Notice.channel == "cabinet")
                .order_by(Notice.created_at)  # type: ignore[arg-type]
            )
            return [(kind, who == staff.admin.person_id) for kind, who in found.all()]

    assert await told() == [("norm_near", True)]
    found = self_check._norms(now().date())
    assert [(one.protection, one.grade, one.finding) for one in found] == [
        (Protection.NORMS, Grade.WARNING, "near")
    ]
    assert found[0].facts["rests"] == "Заявки"
    admin = await staff.browser(staff.admin)
    page = (await admin.get("/administration/norms")).text
    assert all(words in page for words in ("Приказ № 1", "Заявки", "скоро закончится"))
    assert "/administration/norms" in (await admin.get("/administration")).text
    guard = await staff.browser(staff.security)
    assert "Приказ № 1" in (await guard.get("/journal/self-check")).text
    nurse = await staff.browser(await staff.person("Орлова Анна", Role.NURSE))
    assert (await nurse.get("/administration/norms")).status_code == 403
    kept[1] = ending(0, "two")
    assert await told() == [("norm_near", True), ("norm_over", True)]
    assert [one.grade for one in self_check._norms(now().date())] == [Grade.BAD]
    kept[:] = [ending(300)]
    assert [one.grade for one in self_check._norms(now().date())] == [Grade.GOOD]
