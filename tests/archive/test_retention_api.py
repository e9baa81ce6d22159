"""Terms of keeping through the public API, by programs that hold access tokens (S7)."""

from datetime import timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import update
from sqlmodel import col

from models.tables.archive import CaseRetention
from rules.access import Permission
from rules.cases.process import Transition
from rules.clock import now
from services.archive import retention
from tests.shared.desk import Desk, told

ZONE = ZoneInfo("Europe/Moscow")


async def ends(desk: Desk, case_id: UUID, days: int) -> None:
    """Let the term end in so many days, with all notices given."""
    async with desk.office.database.work() as session:
        await session.exec(
            update(CaseRetention)
            .where(col(CaseRetention.case_id) == case_id)
            .values(retain_until=now() + timedelta(days=days, minutes=-1), told_days=30)
        )


async def closed(desk: Desk, days: int) -> UUID:
    """A rejected case whose term ends in so many days."""
    case_id = await desk.office.in_review()
    await desk.office.decide(case_id, Transition.REJECT)
    await retention.assign(desk.office.database, ZONE)
    await ends(desk, case_id, days)
    return case_id


async def test_from_the_list_to_the_erased_case(desk: Desk) -> None:
    """Listed, kept longer, held, released, erased once it is over; each says how it stands."""
    case_id = await closed(desk, 20)
    keeper = await desk.program(desk.office.head, (Permission.KEEP_ARCHIVE,))
    at = f"/archive/retention/{case_id}"
    listed: list[str] = []
    asked: dict[str, str | int] | None = {"limit": 1}
    while asked is not None:
        page = told(await keeper.get("/archive/retention", params=asked))
        listed += [one["case_id"] for one in page["items"]]
        asked = {"limit": 20, "after": page["after"]} if page["after"] else None
    assert str(case_id) in listed
    assert len(set(listed)) == len(listed)
    longer = told(await keeper.post(f"{at}/extend", json={"until": "2049-12-31", "reason": "Суд"}))
    assert longer["until"].startswith("2049-12-31T21:00:00"), "midnight in Moscow"
    held = told(await keeper.post(f"{at}/hold", json={"reason": "Запрос суда"}))
    assert (held["reason"], held["held_by"]) == ("Запрос суда", desk.office.head.name)
    await ends(desk, case_id, 0)
    assert told(await keeper.post(f"{at}/erase"), 409)["code"] == "held"
    assert told(await keeper.post(f"{at}/release", json={"reason": "Снято"}))["held_at"] is None
    assert told(await keeper.post(f"{at}/erase"), 409)["code"] == "not_told"
    await ends(desk, case_id, 0)
    assert told(await keeper.post(f"{at}/erase"))["erased_at"] is not None
    assert told(await keeper.get(at))["number"]
    assert told(await keeper.post(f"{at}/erase"), 409)["code"] == "erased"


async def test_a_token_without_the_right_decides_nothing(desk: Desk) -> None:
    """The scope of the token limits its owner; applicants read the term, not the reason."""
    case_id = await closed(desk, 20)
    at = f"/archive/retention/{case_id}"
    keeper = await desk.program(desk.office.head, (Permission.KEEP_ARCHIVE,))
    told(await keeper.post(f"{at}/hold", json={"reason": "Запрос суда"}))
    narrow = await desk.program(desk.office.head, (Permission.REVIEW,))
    assert told(await narrow.get("/archive/retention"), 403)["code"] == "forbidden"
    assert told(await narrow.post(f"{at}/release", json={"reason": "Нет"}), 403)
    own = await desk.program(desk.office.clinician, (Permission.APPLY,))
    seen = told(await own.get(at))
    assert (seen["reason"], seen["held_at"] is None) == ("", False)
    assert told(await own.post(f"{at}/release", json={"reason": "Нет"}), 403)
    assert told(await keeper.post(f"{at}/extend", json={"until": "9999-12-31", "reason": "."}), 422)
