"""Notices in the cabinet: read, counted, followed and sent again by their person only (N3)."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from clients.database import Database
from models.tables.notices import Notice
from models.tables.people import Person
from rules.access import Actor, Grant, Role
from rules.clock import now
from rules.notices.kinds import NoticeState
from rules.refusals import Refusal
from services.notices import inbox, outbox
from services.notices.inbox import Sought
from tests.notices.conftest import Staff


def actor(person: Person) -> Actor:
    """The person as the one who acts."""
    return Actor(person.id, person.name, person.unit_id)


async def tell(
    own_database: Database,
    person: Person,
    key: str,
    kind: Any = "application_approved",
    facts: dict[str, Any] | None = None,
) -> None:
    """Commit an event."""
    async with own_database.work() as session:
        await outbox.enqueue(
            session,
            person_id=person.id,
            kind=kind,
            event_key=key,
            facts=facts or {"number": "ПК-2026-000123-0"},
            now=now(),
        )


async def test_newest_first_page_by_page(
    own_database: Database, anna: Person, staff: Staff
) -> None:
    """Pages follow each other without gaps, and hold nobody else's notices."""
    for number in range(5):
        await tell(own_database, anna, f"{number}")
    await tell(own_database, await staff.person(), "other")
    async with own_database.work() as session:
        first = await inbox.mine(session, actor(anna), limit=3)
        second = await inbox.mine(session, actor(anna), limit=3, before=first[-1].id)
    ids = [view.id for view in (*first, *second)]
    assert len(ids) == 5
    assert ids == sorted(ids, reverse=True)


async def test_words_follow_the_language_of_the_page(own_database: Database, anna: Person) -> None:
    """The cabinet may be read in another language than mail."""
    await tell(own_database, anna, "1")
    async with own_database.work() as session:
        [russian] = await inbox.mine(session, actor(anna))
        [english] = await inbox.mine(session, actor(anna), language="en")
    assert russian.wording.title == "Заявка ПК-2026-000123-0 одобрена"
    assert english.wording.title == "Application ПК-2026-000123-0 has been approved"


async def test_read_is_remembered(own_database: Database, anna: Person, staff: Staff) -> None:
    """Reading lowers the count; nobody reads for somebody else."""
    boris = await staff.person()
    for key in ("1", "2", "3"):
        await tell(own_database, anna, key)
    async with own_database.work() as session:
        assert await inbox.unread_count(session, actor(anna)) == 3
        [newest, *_] = await inbox.mine(session, actor(anna))
        await inbox.mark_read(session, actor(boris), now())
        await inbox.mark_read(session, actor(anna), now(), ids=[newest.id])
        assert await inbox.unread_count(session, actor(anna)) == 2
        assert len(await inbox.mine(session, actor(anna), sought=Sought(unread=True))) == 2
        await inbox.mark_read(session, actor(anna), now())
        assert await inbox.unread_count(session, actor(anna)) == 0


async def test_failed_mail_is_shown_with_its_reason_and_sent_again(
    own_database: Database, anna: Person, staff: Staff
) -> None:
    """Delivery stands beside the notice; only a failed mail is sent again, only by its person."""
    await tell(own_database, anna, "1")
    async with own_database.work() as session:
        [view] = await inbox.mine(session, actor(anna))
        [sent] = view.deliveries
        assert (sent.channel, sent.state) == ("mail", NoticeState.WAITING)
        mail = await session.get_one(Notice, sent.id)
        mail.state, mail.failed_at, mail.failure_reason = "failed", now(), "550 no such mailbox"
        session.add(mail)
    async with own_database.work() as session:
        [view] = await inbox.mine(session, actor(anna))
        [sent] = view.deliveries
        assert (sent.state, sent.reason) == ("failed", "550 no such mailbox")
        with pytest.raises(Refusal) as refused:
            await outbox.resend(session, actor(await staff.person()), sent.id, now())
        assert refused.value.status == 404
        await outbox.resend(session, actor(anna), sent.id, now())
        with pytest.raises(Refusal) as again:
            await outbox.resend(session, actor(anna), sent.id, now())
        assert again.value.status == 409
        [view] = await inbox.mine(session, actor(anna))
        [sent] = view.deliveries
        assert sent.state == NoticeState.WAITING
        with pytest.raises(Refusal):
            await inbox.attempts(session, actor(await staff.person()), sent.id)
        with pytest.raises(Refusal):
            await inbox.attempts(session, actor(anna), uuid4())


async def test_unknown_kind_is_a_mistake(own_database: Database, anna: Person) -> None:
    """A misspelt kind fails the event at once instead of telling nothing."""
    with pytest.raises(ValueError, match="no_such_kind"):
        await tell(own_database, anna, "1", kind="no_such_kind")


async def test_a_notice_leads_to_what_its_person_may_open(
    own_database: Database, anna: Person
) -> None:
    """Cases that nobody may decide are told to ops, who have no queue (A11)."""
    await tell(own_database, anna, "1", "cases_without_reviewer", {"count": 1})
    leads = {}
    async with own_database.work() as session:
        [view] = await inbox.mine(session, actor(anna))
        for role in (Role.OPS, Role.HR_HEAD):
            held = (Grant(role, frozenset({anna.unit_id})),)
            someone = replace(actor(anna), grants=held)
            leads[role] = (await inbox.follow(session, someone, view.id, "ru", "", now())).path
    assert leads == {Role.OPS: "/operation", Role.HR_HEAD: "/desk?reviewer=nobody"}
