"""What a person chose holds at once: channels, quiet hours, digest; security knows neither (N2)."""

import asyncio
from datetime import time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import col, select

from clients.database import Database
from clients.delivery.mail import Mailer
from models.tables.notices import Notice, NoticePreferences
from models.tables.people import Person
from rules.access import Actor
from rules.clock import now
from rules.notices.kinds import Channel, NoticeGroup, NoticeState
from rules.refusals import Refusal
from services.notices import settings as notice_settings
from services.notices.channels import MailWay
from services.notices.sender import drain
from services.notices.wording import Addresses
from tests.notices.conftest import Post, Staff, tell
from tests.notices.test_inbox import actor
from tests.shared.statements import statements

MOSCOW = "Europe/Moscow"


@pytest.fixture
async def anna(staff: Staff) -> Person:
    """Someone who is told things, and has a telephone."""
    return await staff.person(phone="+79161234567")


async def rows(own_database: Database, person: Person) -> dict[str, list[Notice]]:
    """All rows of a person by channel."""
    async with own_database.work() as session:
        found = await session.exec(
            select(Notice).where(Notice.person_id == person.id).order_by(col(Notice.id))
        )
        by: dict[str, list[Notice]] = {}
        for one in found:
            by.setdefault(one.channel, []).append(one)
        return by


async def choose(
    own_database: Database, person: Person, group: NoticeGroup, channel: Channel, on: bool
) -> None:
    """Turn one channel on or off."""
    async with own_database.work() as session:
        await notice_settings.choose(session, actor(person), {(group, channel): on}, now())


async def wish(own_database: Database, person: Person, **wishes: Any) -> None:
    """Ask for quiet hours or a digest; what is not named stays."""
    async with own_database.work() as session:
        await notice_settings.wish(session, actor(person), wishes, now())


async def test_by_default_mail_and_the_cabinet(own_database: Database, anna: Person) -> None:
    """Without a choice: the cabinet and mail; push once there is a browser, SMS never."""
    await tell(own_database, anna, "1")
    assert set(await rows(own_database, anna)) == {"cabinet", "mail"}


async def test_choices_hold_from_the_next_event_on(own_database: Database, anna: Person) -> None:
    """On and off and on again, by group: each event is told as it stood at its moment."""
    await choose(own_database, anna, NoticeGroup.CASES, Channel.SMS, True)
    await choose(own_database, anna, NoticeGroup.CASES, Channel.MAIL, False)
    await tell(own_database, anna, "1")
    assert set(await rows(own_database, anna)) == {"cabinet", "sms"}
    await tell(own_database, anna, "2", "comment_added")
    assert {k: len(v) for k, v in (await rows(own_database, anna)).items()} == {
        "cabinet": 2,
        "sms": 1,
        "mail": 1,
    }
    await choose(own_database, anna, NoticeGroup.CASES, Channel.MAIL, True)
    await tell(own_database, anna, "3")
    assert len((await rows(own_database, anna))["mail"]) == 2


async def test_turning_off_stops_what_waits(
    own_database: Database, anna: Person, mailer: Mailer, addresses: Addresses, post: Post
) -> None:
    """A mail that was not sent yet is not sent any more; those of other groups are."""
    await tell(own_database, anna, "1")
    await tell(own_database, anna, "2", "comment_added")
    await choose(own_database, anna, NoticeGroup.CASES, Channel.MAIL, False)
    await drain(own_database, MailWay(mailer, addresses))
    states = [one.state for one in (await rows(own_database, anna))["mail"]]
    assert states == [NoticeState.OFF, NoticeState.TOLD]
    assert len(post.to(anna)) == 1


async def test_security_cannot_be_turned_off(own_database: Database, anna: Person) -> None:
    """Neither by a choice nor by a row that got there otherwise; SMS may be added."""
    with pytest.raises(Refusal) as refused:
        await choose(own_database, anna, NoticeGroup.SECURITY, Channel.MAIL, False)
    assert refused.value.status == 409
    with pytest.raises(Refusal):
        await choose(own_database, anna, NoticeGroup.OPERATION, Channel.MAIL, False)
    with pytest.raises(Refusal):
        await choose(own_database, anna, NoticeGroup.CASES, Channel.CABINET, False)
    await tell(own_database, anna, "1", "new_device")
    assert set(await rows(own_database, anna)) == {"cabinet", "mail"}
    await choose(own_database, anna, NoticeGroup.SECURITY, Channel.SMS, True)
    await tell(own_database, anna, "2", "new_device")
    assert len((await rows(own_database, anna))["sms"]) == 1


async def test_an_event_is_one_statement_whatever_was_chosen(
    own_database: Database, anna: Person
) -> None:
    """P6: settings are read by the statement that writes the rows."""
    await choose(own_database, anna, NoticeGroup.CASES, Channel.SMS, True)
    await wish(own_database, anna, quiet_from=time(22), quiet_to=time(8), digest_hour=18)
    with statements(own_database) as sent:
        await tell(own_database, anna, "1")
    assert len(sent) == 1, sent


async def test_quiet_hours_hold_messages_and_no_security(
    own_database: Database, anna: Person, mailer: Mailer, addresses: Addresses, post: Post
) -> None:
    """What is due in quiet hours waits for their end, by the person's clock; security does not."""
    clock = now().astimezone(ZoneInfo(MOSCOW))
    begins = (clock - timedelta(hours=1)).time().replace(microsecond=0)
    ends = (clock + timedelta(hours=1)).time().replace(microsecond=0)
    await wish(own_database, anna, quiet_from=begins, quiet_to=ends)
    await tell(own_database, anna, "1")
    await tell(own_database, anna, "2", "new_device")
    await drain(own_database, MailWay(mailer, addresses))
    held, told = (await rows(own_database, anna))["mail"]
    assert (held.state, told.state) == (NoticeState.WAITING, NoticeState.TOLD)
    assert held.held_until is not None
    assert held.held_until.astimezone(ZoneInfo(MOSCOW)).time() == ends
    await wish(own_database, anna, quiet_from=None, quiet_to=None)
    await drain(own_database, MailWay(mailer, addresses))
    assert [one.state for one in (await rows(own_database, anna))["mail"]] == ["told", "told"]
    assert len(post.to(anna)) == 2


async def test_a_digest_is_one_mail_about_all(
    own_database: Database, anna: Person, mailer: Mailer, addresses: Addresses, post: Post
) -> None:
    """The mails of a day come as one, each row told once; security comes at once and alone."""
    way = MailWay(mailer, addresses)
    await wish(own_database, anna, digest_hour=(now().astimezone(ZoneInfo(MOSCOW)).hour + 2) % 24)
    for key in ("1", "2", "3"):
        await tell(own_database, anna, key)
    await tell(own_database, anna, "4", "security")
    await drain(own_database, way)
    [alone] = post.to(anna)
    assert alone["subject"] == "Изменены настройки безопасности"
    await tomorrow(own_database, anna)
    await drain(own_database, way)
    _, digest = post.to(anna)
    assert digest["subject"] == "Уведомлений за день: 3"
    assert digest["text"].count("передана в отдел кадров") == 3
    mails = (await rows(own_database, anna))["mail"]
    assert {one.state for one in mails} == {NoticeState.TOLD}
    gathered = [one for one in mails if one.told_with is not None]
    assert len(gathered) == 2
    assert digest["message_id"] == f"<notice-{gathered[0].told_with}@medcab.invalid>"


async def tomorrow(own_database: Database, person: Person) -> None:
    """As if a day had gone by since everything was written."""
    async with own_database.work() as session:
        for one in await session.exec(select(Notice).where(Notice.person_id == person.id)):
            one.created_at -= timedelta(days=1)
            one.next_try_at = now()
            session.add(one)


@pytest.mark.parametrize(
    "wishes",
    [{"quiet_from": time(22)}, {"quiet_to": time(8)}, {"digest_hour": 24}, {"digest_hour": -1}],
)
async def test_half_a_wish_is_refused(
    own_database: Database, anna: Person, wishes: dict[str, Any]
) -> None:
    """Hours come in pairs and exist."""
    with pytest.raises(Refusal) as refused:
        await wish(own_database, anna, **wishes)
    assert refused.value.status == 422
    async with own_database.work() as session:
        assert await session.get(NoticePreferences, anna.id) is None


async def test_nobody_chooses_for_somebody_else(own_database: Database, staff: Staff) -> None:
    """Choices belong to whoever made them."""
    anna, boris = await staff.person(), await staff.person()
    await choose(own_database, anna, NoticeGroup.CASES, Channel.MAIL, False)
    async with own_database.work() as session:
        cells = await notice_settings.table(session, Actor(boris.id, "", boris.unit_id))
    assert all(cell.on for cell in cells if cell.channel is Channel.MAIL)


async def test_wishes_at_once_hold_each(own_database: Database, anna: Person) -> None:
    """Quiet hours from one page and the digest from another, at the same moment: both are kept."""
    for hour in range(8):
        await wish(own_database, anna, quiet_from=None, quiet_to=None, digest_hour=None)
        await asyncio.gather(
            wish(own_database, anna, quiet_from=time(22), quiet_to=time(8)),
            wish(own_database, anna, digest_hour=hour),
        )
        async with own_database.work() as session:
            kept = await notice_settings.wishes_of(session, actor(anna))
        assert (kept.quiet_from, kept.quiet_to, kept.digest_hour) == (time(22), time(8), hour)
