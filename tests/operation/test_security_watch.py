"""What information security sees first: the last day, whatever it was like (I4, I9)."""

from datetime import timedelta
from uuid import uuid4

import pytest

from cabinet.journal import security_watch as pages
from clients.database import Database
from models.tables.archive import Export
from models.tables.people import RoleGrant
from rules.access import Role
from rules.accounts import Device, DeviceKind, Outcome, Step
from rules.clock import now
from rules.ids import new_id
from rules.journal.entries import SYSTEM_CHAIN, JournalKind
from rules.refusals import Refusal
from services.accounts import login_log
from services.accounts.sessions import Visitor
from services.journal import entries as journal
from services.operation import security_watch
from tests.shared.office import Office
from words.translation import Presentation, presented


async def test_the_last_day_is_told_with_whose_doing_it_was(database: Database) -> None:
    """Refused sign-ins by address, somebody who guesses, looks into encrypted data, exports, and
    rights that begin; older ones are not of this day."""
    office = await Office.open(database)
    security = await office.person("Орлова Инна", Role.SECURITY, office.institution)
    curious = await office.person("Дежурный Сергей", Role.OPS, office.institution)
    at, guessing, slip = now(), f"g-{uuid4().hex}", f"s-{uuid4().hex}"
    device = Device(DeviceKind.COMPUTER, "Chromium, Linux")
    async with database.work() as session:
        for number in range(security_watch.GUESSING):
            for address, login, when in (
                (guessing, f"login-{number}", at),
                (slip, "one", at - timedelta(minutes=number)),
                ("old", "one", at - timedelta(days=2)),
            ):
                visitor = Visitor(address, device, "device")
                await login_log.note(
                    session, Step.PASSWORD, Outcome.WRONG, visitor, when, login=login
                )
        await journal.append(
            session,
            chain=SYSTEM_CHAIN,
            kind=JournalKind.PAYLOAD_DECODED,
            at=at,
            by=curious.person_id,
            facts={"payloads": 7, "workflows": [], "of_workflows": 1},
            lock=True,
        )
        session.add(
            Export(
                id=new_id(),
                person_id=curious.person_id,
                kind="xlsx",
                filters={},
                scope={},
                zone="Europe/Moscow",
                state="ready",
                total=12,
                folder=uuid4().hex,
                asked_at=at,
                beat_at=at,
                ends_at=at,
            )
        )
        session.add(
            RoleGrant(
                person_id=curious.person_id,
                role=Role.AUDITOR.value,
                unit_id=office.institution,
                valid_from=at + timedelta(days=3),
                valid_until=at + timedelta(days=30),
            )
        )
    async with database.work() as session:
        day = await security_watch.watch(session, security, (), now())
        with pytest.raises(Refusal, match="forbidden"):
            await security_watch.watch(session, curious, (), now())
    seen = {one.address: one for one in day.from_addresses}
    assert (seen[guessing].times, seen[guessing].accounts) == (5, 5)
    assert (seen[slip].times, seen[slip].accounts) == (5, 1)
    assert guessing in {one.address for one in day.odd}
    assert slip not in {one.address for one in day.odd}
    assert "old" not in seen
    assert day.refused >= 10
    assert {one.name: one.payloads for one in day.decoded}["Дежурный Сергей"] == 7
    assert {one.name: one.payloads for one in day.exported}["Дежурный Сергей"] == 12
    waiting = [one for one in day.waiting if one.name == "Дежурный Сергей"]
    assert [one.role for one in waiting] == ["auditor"]
    with presented(Presentation("ru")):
        cards = pages.cards(day)
        assert pages.sentence(day).startswith("Треб")
    assert [card.url for card in cards] == [
        f"/journal#{key}" for key in ("odd", "refused", "decoded", "rights")
    ]
    assert cards[0].tone == "bad"


def test_a_quiet_day_is_told_too() -> None:
    """The page is never empty: that nothing happened is what one comes to read."""
    day = security_watch.SecuritySummary(now(), 0, (), (), (), 0, (), (), 0, 0)
    with presented(Presentation("ru")):
        assert pages.sentence(day) == "За сутки ничего необычного"
        assert [card.text for card in pages.cards(day)] == [
            "Ничего не замечено.",
            "Отказов не было.",
            "Никто не расшифровывал данные процессов и не выгружал списки.",
            "Изменений прав нет и не ожидается.",
        ]
