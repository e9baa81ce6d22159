"""The ops desk: every kind of trouble is seen with its reason, and its remedy mends it (O7)."""

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import delete, update
from sqlmodel import col, select
from temporalio.client import Client
from temporalio.service import RPCError

from cabinet.operation.pages import NAMES
from models.messages import WAKE_UP
from models.tables.archive import Export
from models.tables.cases import Outage
from models.tables.journal import journal_pending
from models.tables.notices import Notice, NoticeAttempt
from models.tables.operation import OperationAct
from rules.access import Role
from rules.cases.process import Party
from rules.clock import now
from rules.ids import new_id
from rules.journal.entries import SYSTEM_CHAIN, JournalKind
from rules.notices.kinds import Channel, NoticeState
from rules.operation.states import REMEDIES, TROUBLES, Remedy, Trouble
from rules.refusals import Refusal
from services.cases import wakeups
from services.journal import entries as journal
from services.operation import desk as operation
from services.operation import servers as operation_servers
from services.operation.remedies import SENDERS, RemedyOrder
from services.operation.temporal_health import Standings
from services.outages import SYSTEMS
from tests.operation.desk import GRACE, WHY, Desk


async def test_stuck_case_is_seen_with_its_error_and_rung(desk: Desk) -> None:
    """A case that its workflow gave up is shown with the type of the error; a retry rings it."""
    case_id = await desk.office.in_review()
    await wakeups.report_stuck(desk.office.database, case_id, "issue_act", "SealError")
    line = (await desk.lines(Trouble.CASE_STUCK))[str(case_id)]
    case = await desk.office.case(case_id)
    assert (line.name, line.facts["stuck"], line.remedy) == (case.number, "SealError", Remedy.RETRY)
    assert line.workflow_id == f"application-{case_id}"

    done = await desk.do(Remedy.RETRY, case_id)
    assert (done.touched, done.told) == (1, True)
    state, signal = desk.heard.signals[-1]
    assert (state.case_id, signal.signal, signal.act_id) == (case_id, WAKE_UP, None)
    assert str(case_id) not in await desk.lines(Trouble.CASE_STUCK)
    (entry,) = await desk.journaled(case_id, JournalKind.OPERATION_RETRIED)
    assert entry.contents == {"reason": WHY}
    assert entry.facts == {"subject": str(case_id), "touched": 1}


async def test_retry_while_temporal_is_down_is_left_to_the_sweeper(desk: Desk) -> None:
    """Temporal does not take the ring: the case is late then, and whatever is late is rung."""
    case_id = await desk.office.in_review()
    await wakeups.report_stuck(desk.office.database, case_id, "issue_act", "SealError")
    desk.heard.works = False
    assert not (await desk.do(Remedy.RETRY, case_id)).told
    case = await desk.office.case(case_id)
    assert case.wakes_at is not None
    assert case.wakes_at <= now()
    assert (case.rings, case.rung_at, case.stuck) == (0, None, None)


async def test_same_act_id_does_nothing_twice(desk: Desk) -> None:
    """Sent again it gives the same answer; for anything else the id is refused."""
    case_id, act_id = await desk.office.in_review(), uuid4()
    await wakeups.report_stuck(desk.office.database, case_id, "wake", "PermanentError")
    first = await desk.do(Remedy.RETRY, case_id, act_id)
    rings = len(desk.heard.signals)
    assert await desk.do(Remedy.RETRY, case_id, act_id) == first
    assert len(desk.heard.signals) == rings
    assert len(await desk.journaled(case_id, JournalKind.OPERATION_RETRIED)) == 1
    with pytest.raises(Refusal, match="act_id_reused"):
        await desk.acts.act(
            desk.ops, act_id, RemedyOrder(Remedy.RETRY, str(case_id), "Другая причина")
        )
    desk.heard.works = False
    untold = uuid4()
    first = await desk.do(Remedy.RETRY, case_id, untold)
    desk.heard.works = True
    assert await desk.do(Remedy.RETRY, case_id, untold) == first
    assert not first.told


async def test_act_that_no_workflow_took_is_seen(desk: Desk) -> None:
    """A case whose time came more than a minute ago, with how often it was rung."""
    case_id = await desk.office.in_review()
    await desk.office.set_times(case_id, wakes_at=now() - timedelta(seconds=GRACE + 5), rings=3)
    line = (await desk.lines(Trouble.ACT_UNHEARD))[str(case_id)]
    assert line.facts["rings"] == 3
    await desk.office.set_times(case_id, wakes_at=now() - timedelta(seconds=GRACE / 2))
    assert str(case_id) not in await desk.lines(Trouble.ACT_UNHEARD)


async def test_overdue_term_is_told_to_the_head_and_decides_nothing(desk: Desk) -> None:
    """Ops cannot move a case: the head of HR is told, and moves it."""
    case_id = await desk.office.in_review()
    with pytest.raises(Refusal, match="not_overdue"):
        await desk.do(Remedy.TELL_HEAD, case_id)
    await desk.office.set_times(case_id, due_at=now() - timedelta(days=1))
    before = await desk.office.case(case_id)
    assert str(case_id) in await desk.lines(Trouble.TERM_OVERDUE)
    assert (await desk.do(Remedy.TELL_HEAD, case_id)).touched >= 1
    after = await desk.office.case(case_id)
    assert (after.step, after.status, after.reviewer_id) == (
        before.step,
        before.status,
        before.reviewer_id,
    )
    async with desk.office.database.work() as session:
        told = await session.exec(
            select(Notice.kind).where(
                Notice.case_id == case_id, Notice.person_id == desk.office.head.person_id
            )
        )
        assert "review_escalated" in told.all()


async def test_counterpart_that_is_down_is_asked_again(desk: Desk) -> None:
    """An outage is shown with how many wait for it, and those are rung at once."""
    case_id = await desk.office.submitted()
    await desk.office.set_times(case_id, waits_for=Party.REGISTER.value)
    with pytest.raises(Refusal, match="not_down"):
        await desk.do(Remedy.ASK_AGAIN, "register")
    async with desk.office.database.work() as session:
        session.add(Outage(system="register", since=now() - timedelta(hours=1)))
    try:
        line = (await desk.lines(Trouble.COUNTERPART_DOWN))["register"]
        assert line.facts["waiting"] >= 1
        done = await desk.do(Remedy.ASK_AGAIN, "register")
        assert done.touched == line.facts["waiting"]
        assert case_id in {state.case_id for state, _ in desk.heard.signals}
        assert await desk.journaled(SYSTEM_CHAIN, JournalKind.OPERATION_ASKED_AGAIN)
    finally:
        async with desk.office.database.work() as session:
            await session.exec(delete(Outage))


def test_outside_systems_have_names() -> None:
    """People of ops read what a system is called, never its key (O7)."""
    assert set(SYSTEMS.values()) <= set(NAMES)


async def _notice(desk: Desk, **columns: Any) -> UUID:
    """A mail to the clinician in some state."""
    async with desk.office.database.work() as session:
        values: dict[str, Any] = {
            "event_key": uuid4().hex,
            "person_id": desk.office.clinician.person_id,
            "kind": "security",
            "channel": Channel.MAIL.value,
            "language": "ru",
            "facts": {},
            "created_at": now(),
            "due_at": now() - timedelta(minutes=20),
            "next_try_at": now() + timedelta(hours=1),
            "state": NoticeState.WAITING.value,
        }
        notice = Notice(id=new_id(), **{**values, **columns})
        session.add(notice)
        await session.flush()
        session.add(
            NoticeAttempt(notice_id=notice.id, at=now(), outcome="later", reason="451 greylisted")
        )
        return notice.id


async def test_notices_that_wait_too_long_are_made_due(desk: Desk) -> None:
    """A channel that is late is shown with the server's last word; its pause can be cut short."""
    notice_id = await _notice(desk, tries=4)
    line = (await desk.lines(Trouble.CHANNEL_LATE))["mail"]
    assert (line.facts["reason"], line.remedy) == ("451 greylisted", Remedy.SEND_NOW)
    assert line.facts["waiting"] >= 1
    done = await desk.do(Remedy.SEND_NOW, "mail")
    assert done.touched >= 1
    async with desk.office.database.work() as session:
        notice = await session.get_one(Notice, notice_id)
        assert notice.next_try_at <= now()
        assert notice.tries == 4
        notice.state = NoticeState.TOLD.value


async def test_failed_notice_is_sent_again(desk: Desk) -> None:
    """What failed for good is shown with the reason, never the address, and can begin anew."""
    notice_id = await _notice(
        desk, state="failed", failed_at=now(), failure_reason="550 no such user", tries=2
    )
    line = (await desk.lines(Trouble.NOTICE_FAILED))[str(notice_id)]
    assert line.facts["reason"] == "550 no such user"
    assert "example.org" not in repr(line)
    await desk.do(Remedy.RESEND, notice_id)
    async with desk.office.database.work() as session:
        notice = await session.get_one(Notice, notice_id)
        assert (notice.state, notice.tries) == ("waiting", 0)
        notice.state = NoticeState.TOLD.value
    with pytest.raises(Refusal):
        await desk.do(Remedy.RESEND, notice_id)


async def test_failed_notices_are_forgotten_after_a_week(desk: Desk) -> None:
    """Its person was told at once: old failures do not keep the desk red for ever."""
    old = await _notice(desk, state="failed", failed_at=now() - timedelta(days=8))
    assert str(old) not in await desk.lines(Trouble.NOTICE_FAILED)


async def test_failed_export_is_seen(desk: Desk) -> None:
    """An export that failed is shown by its id and the code of the reason."""
    export = Export(
        id=new_id(),
        person_id=desk.office.clinician.person_id,
        kind="xlsx",
        filters={},
        scope={},
        zone="Europe/Moscow",
        state="failed",
        reason="objects_down",
        total=10,
        folder=uuid4().hex,
        asked_at=now(),
        beat_at=now(),
        ends_at=now(),
    )
    async with desk.office.database.work() as session:
        session.add(export)
    line = (await desk.lines(Trouble.EXPORT_FAILED))[str(export.id)]
    assert line.facts == {"kind": "xlsx", "reason": "objects_down"}


async def test_journal_that_is_not_sealed_is_seen(desk: Desk) -> None:
    """An entry that no seal holds for minutes; nothing is late where nothing waits."""
    await desk.office.in_review()
    at = now()
    assert await _late_seals(desk, at + timedelta(minutes=10)) == [Trouble.JOURNAL_UNSEALED]
    async with desk.office.database.work() as session:
        await session.exec(delete(journal_pending))
    assert await _late_seals(desk, at + timedelta(minutes=10)) == []


async def _late_seals(desk: Desk, at: datetime) -> list[Trouble]:
    async with desk.office.database.work() as session:
        _, late = await operation_servers.checkpoints(session, at)
    return [section.trouble for section in late]


async def test_old_backup_is_seen(desk: Desk) -> None:
    """A day without one; where there was none at all, the first seal counts."""
    async with desk.office.database.work() as session:
        await journal.append(
            session,
            chain=SYSTEM_CHAIN,
            kind=JournalKind.INSTALLATION_BACKED_UP,
            system="medcab backup",
        )
    async with desk.office.database.work() as session:
        at, old = await operation_servers.backups(session, now() + timedelta(hours=25))
        assert at is not None
        assert old == []
        _, old = await operation_servers.backups(session, now() + timedelta(hours=27))
        assert [section.trouble for section in old] == [Trouble.BACKUP_OLD]


async def test_standing_workflow_that_ended_is_started(desk: Desk, temporal: Client) -> None:
    """One that does not run is named, and runs after the remedy."""
    handle = temporal.get_workflow_handle("journal-sealer")
    with suppress(RPCError):
        await handle.terminate("the test wants it ended")
    desk.standings.forget()
    assert "journal-sealer" in await desk.lines(Trouble.STANDING_ENDED)
    assert (await desk.do(Remedy.START, "journal-sealer")).told
    assert "journal-sealer" not in await desk.lines(Trouble.STANDING_ENDED)
    await handle.terminate("the test is over")


async def test_missing_workers_are_seen(desk: Desk) -> None:
    """Nobody asks this queue for work."""
    assert (await desk.lines(Trouble.NO_WORKER)).keys() == {desk.standings.task_queue}


@pytest.mark.asvs("16.5.2")
async def test_temporal_that_is_down_is_said_and_the_rest_is_shown(desk: Desk) -> None:
    """The desk answers within seconds, with all that the database knows."""
    case_id = await desk.office.in_review()
    await wakeups.report_stuck(desk.office.database, case_id, "wake", "PermanentError")
    nowhere = await Client.connect("127.0.0.1:1", lazy=True)
    desk.standings = Standings(nowhere, "nobody")
    assert await desk.lines(Trouble.TEMPORAL_DOWN)
    assert str(case_id) in await desk.lines(Trouble.CASE_STUCK)


@pytest.mark.asvs("8.4.1")
async def test_cases_of_other_units_are_neither_shown_nor_touched(desk: Desk) -> None:
    """Ops of one unit see and reach its cases only (I6)."""
    case_id = await desk.office.in_review()
    await wakeups.report_stuck(desk.office.database, case_id, "wake", "PermanentError")
    elsewhere = await desk.office.person("Дежурный", Role.OPS, desk.office.hr)
    assert str(case_id) not in await desk.lines(Trouble.CASE_STUCK, elsewhere)
    with pytest.raises(Refusal, match="not_found"):
        await desk.acts.act(elsewhere, uuid4(), RemedyOrder(Remedy.RETRY, str(case_id), WHY))


@pytest.mark.parametrize("role", [Role.TECHNICIAN, Role.HR_HEAD, Role.ADMINISTRATOR])
async def test_remedies_need_the_right_to_operate(desk: Desk, role: Role) -> None:
    """Whoever only watches, or does other work, does nothing here."""
    other = await desk.office.person("Другой", role, desk.office.institution)
    with pytest.raises(Refusal, match="forbidden"):
        await desk.acts.act(other, uuid4(), RemedyOrder(Remedy.START, "sweeper", WHY))


@pytest.mark.parametrize("reason", ["", "  ", "аб", "x" * 501])
async def test_remedies_need_a_reason(desk: Desk, reason: str) -> None:
    """Without one that can be read later nothing is done or kept."""
    act_id = uuid4()
    with pytest.raises(Refusal, match="incomplete"):
        await desk.acts.act(desk.ops, act_id, RemedyOrder(Remedy.START, "sweeper", reason))
    async with desk.office.database.work() as session:
        assert await session.get(OperationAct, act_id) is None


@pytest.mark.parametrize(
    ("remedy", "subject"),
    [
        (Remedy.RETRY, "no id"),
        (Remedy.RETRY, "01900000-0000-7000-8000-000000000001"),
        (Remedy.RESEND, "01900000-0000-7000-8000-000000000002"),
        (Remedy.SEND_NOW, "pigeon"),
        (Remedy.START, "application-1"),
    ],
)
async def test_remedy_to_nothing_is_refused(desk: Desk, remedy: Remedy, subject: str) -> None:
    """Nothing is started or sent that is not ours."""
    with pytest.raises(Refusal, match="not_found"):
        await desk.do(remedy, subject)


def test_every_trouble_has_words_and_every_remedy_too() -> None:
    """A new kind without words is found here."""
    assert set(TROUBLES) == set(Trouble)
    assert set(REMEDIES) == set(Remedy)
    assert set(SENDERS) == {c.value for c in Channel} - {Channel.CABINET.value}


async def test_closed_case_needs_no_remedy(desk: Desk) -> None:
    """What was closed meanwhile is well."""
    case_id = await desk.office.in_review()
    await desk.office.set_times(case_id, closed_at=now())
    with pytest.raises(Refusal, match="not_now"):
        await desk.do(Remedy.RETRY, case_id)


async def test_desk_names_nobody(desk: Desk) -> None:
    """Neither names nor addresses nor forms of people stand anywhere on the desk."""
    case_id = await desk.office.in_review()
    await wakeups.report_stuck(desk.office.database, case_id, "wake", "PermanentError")
    await desk.office.set_times(case_id, due_at=now() - timedelta(days=1))
    await _notice(desk, state="failed", failed_at=now())
    shown = repr(await operation.desk(desk.office.database, desk.standings, desk.ops, GRACE))
    for planted in ("Соколова", "112-233-445", "example.org", "кабинете", "66366"):
        assert planted not in shown
    async with desk.office.database.work() as session:
        await session.exec(update(Notice).where(col(Notice.state) == "failed").values(state="told"))
