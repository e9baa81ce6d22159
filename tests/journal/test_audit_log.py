"""The audit as a list: one's own log, the search, attempts, and what each costs (I9)."""

import json
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from pydantic import SecretStr
from sqlalchemy import event
from sqlmodel import col, select

from clients.database import Database
from models.tables.accounts import LoginAttempt
from models.tables.journal import JournalEntry, RecordView
from rules.access import Actor, Role
from rules.accounts import Outcome, Step
from rules.cases.process import Transition
from rules.clock import now
from rules.journal.audit import FIRST, PAGE, WINDOW, AuditQuery, Source, period
from rules.journal.entries import JournalKind
from rules.journal.tags import AuditTag, ViewCode
from rules.refusals import Refusal
from services.dossier import page as dossier
from services.journal import attempts, audit_log, integrity, searching
from services.journal import entries as journal
from services.journal.audit_log import AuditLine
from services.journal.searching import AuditAsked, LogSide
from settings import Settings
from tests.shared.ledger import Ledger
from tests.shared.office import Office
from tests.shared.servers import Servers


async def own(office: Office, actor: Actor, side: LogSide, tag: str = "") -> Sequence[AuditLine]:
    """The first page of somebody's own log."""
    async with office.database.work() as session:
        return (await searching.own(session, actor, side, tag)).lines


async def search(office: Office, actor: Actor, **asked: Any) -> Sequence[AuditLine]:
    """The first page of a search."""
    async with office.database.work() as session:
        return (await searching.search(session, actor, AuditAsked(**asked))).lines


def tags(lines: Sequence[AuditLine]) -> list[AuditTag]:
    """What happened, the newest first."""
    return [line.tag for line in lines]


async def test_people_read_what_they_did_and_who_looked(office: Office) -> None:
    """Own acts on one side, others' looks and attempts on the other; nobody else's anywhere."""
    case_id = await office.in_review()
    number = (await office.case(case_id)).number
    async with office.database.work() as session:
        await dossier.page(session, office.reviewer, case_id)
        await dossier.page(session, office.clinician, case_id)
    stranger = await office.person("Чужакова Анна", Role.DOCTOR, office.ward)
    await attempts.note(office.database, stranger, {"case_id": str(case_id)}, found=False)

    mine = await own(office, office.clinician, LogSide.MINE)
    assert tags(mine) == [AuditTag.CASE_SUBMIT, AuditTag.CASE_BEGIN]
    assert {line.case_number for line in mine} == {number}
    others = await own(office, office.clinician, LogSide.OTHERS)
    assert [(line.tag, line.by_name) for line in others] == [
        (AuditTag.CASE_REFUSE_VIEW, stranger.name),
        (AuditTag.CASE_VIEW, office.reviewer.name),
    ]
    # The stranger's own log does not tell whose case it was, nor even that there is one.
    nearby = await own(office, stranger, LogSide.MINE)
    told = [(line.tag, line.case_number, line.about_name) for line in nearby]
    assert told == [(AuditTag.CASE_REFUSE_VIEW, None, "")]
    # What the reviewer looked at is an act of theirs, and no look at their own data.
    assert AuditTag.CASE_VIEW in tags(await own(office, office.reviewer, LogSide.MINE))
    assert await own(office, office.reviewer, LogSide.OTHERS) == []
    assert tags(await own(office, office.clinician, LogSide.OTHERS, "case:case:view")) == [
        AuditTag.CASE_VIEW
    ]


async def test_what_is_done_to_an_account_is_told_and_a_hold_is_not(office: Office) -> None:
    """Acts of others on the own account are listed; what concerns a case, its page tells or not."""
    case_id = await office.in_review()
    boss = await office.person("Старшая Анна", Role.ADMINISTRATOR, office.institution)
    async with office.database.work() as session:
        for chain, kind in (
            (office.clinician.person_id, JournalKind.ACCOUNT_LOCKED),
            (case_id, JournalKind.CASE_HELD),
        ):
            await journal.append(session, chain=chain, kind=kind, by=boss.person_id, lock=True)
    assert tags(await own(office, office.clinician, LogSide.OTHERS)) == [AuditTag.ACCOUNT_LOCK]


async def test_security_finds_by_all_that_is_recorded(office: Office) -> None:
    """By person, whose data, event, number and address, alone and together; each is journaled."""
    security = await office.person("Охранова Вера", Role.SECURITY, office.institution)
    case_id = await office.in_review()
    await office.decide(case_id, Transition.REJECT)
    number = (await office.case(case_id)).number or ""
    by, about = str(office.reviewer.person_id), str(office.clinician.person_id)
    async with office.database.work() as session:
        await dossier.page(session, office.reviewer, case_id)
        address = f"198.51.100.7/{uuid4()}"
        session.add(
            LoginAttempt(
                at=now(),
                person_id=office.clinician.person_id,
                step=Step.PASSWORD,
                outcome=Outcome.WRONG,
                address=address,
                device="Firefox, Linux",
                device_kind="computer",
            )
        )
    decided = [AuditTag.CASE_VIEW, AuditTag.CASE_REJECT]
    assert tags(await search(office, security, person=by))[:2] == decided
    assert tags(await search(office, security, number=number.lower()))[:2] == decided
    assert tags(await search(office, security, about=about)) == [AuditTag.CASE_VIEW]
    assert tags(await search(office, security, person=by, tag="case:decision:reject")) == [
        AuditTag.CASE_REJECT
    ]
    assert await search(office, security, person=by, tag="case:decision:approve") == []
    rejected = await search(office, security, tag="case:decision:reject")
    assert case_id in {line.subject for line in rejected}
    tried = await search(office, security, address=address)
    assert [(line.tag, line.by_name, line.address) for line in tried] == [
        (AuditTag.SIGN_IN_FAIL, office.clinician.name, address)
    ]
    failed = await search(office, security, person=about, tag="account:session:fail")
    assert [line.source for line in failed] == [Source.ATTEMPT]

    recorded = await own(office, security, LogSide.MINE, "journal:entries:search")
    assert len(recorded) == 8
    async with office.database.work() as session:
        asked = await session.exec(
            select(JournalEntry.contents).where(
                JournalEntry.chain == security.person_id,
                JournalEntry.kind == JournalKind.JOURNAL_SEARCHED,
            )
        )
        assert {"address": address} in asked.all()
    # Whom security searched for is not told that person.
    assert AuditTag.JOURNAL_SEARCH not in tags(await own(office, office.reviewer, LogSide.OTHERS))


@pytest.mark.parametrize("role", [Role.DOCTOR, Role.ADMINISTRATOR, Role.OPS, Role.HR_HEAD])
async def test_others_may_not_search(office: Office, role: Role) -> None:
    """And nothing is journaled of what they did not get."""
    actor = await office.person("Любопытный", role, office.institution)
    with pytest.raises(Refusal, match="forbidden"):
        await search(office, actor)
    assert await own(office, actor, LogSide.MINE) == []


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"person": "nobody@example.org"}, "person"),
        ({"about": str(uuid4())}, "about"),
        ({"number": "ПК-2026-000000-0"}, "number"),
        ({"number": "нет"}, "number"),
        ({"tag": "cas"}, "tag"),
    ],
)
async def test_what_cannot_be_found_is_said_at_its_field(
    office: Office, asked: dict[str, str], field: str
) -> None:
    """A typing error does not read as «nothing happened»."""
    security = await office.person("Охранова Вера", Role.SECURITY, office.institution)
    with pytest.raises(Refusal) as refused:
        await search(office, security, **asked)
    assert [fault.path for fault in refused.value.fields] == [field]


def test_the_period_has_a_bound() -> None:
    """92 days at most, 30 where nothing is said, never before anything was recorded."""
    at = now()
    assert period(None, None, at) == (at - timedelta(days=30), at)
    assert period(at - WINDOW, at, at) == (at - WINDOW, at)
    assert period(at - 3 * WINDOW, None, at) == (at - 3 * WINDOW, at - 2 * WINDOW)
    with pytest.raises(Refusal, match="period_too_long"):
        period(at - WINDOW - timedelta(seconds=1), at, at)
    early = FIRST.replace(year=1)
    assert period(early, early, at) == (FIRST, FIRST + WINDOW)
    assert period(None, early, at)[0] >= FIRST


async def test_pages_follow_one_another_without_a_gap(office: Office) -> None:
    """Three sources in one order, however many views share a moment."""
    security = await office.person("Охранова Вера", Role.SECURITY, office.institution)
    actor = await office.person("Смотрящая Анна", Role.HR_REVIEWER, office.hr)
    async with office.database.work() as session:
        at = now()
        for _ in range(PAGE + 5):
            await journal.record_view(session, actor, uuid4(), ViewCode.CASE, at=at)
    seen: list[UUID] = []
    after: UUID | None = None
    asked = AuditAsked(person=str(actor.person_id))
    while True:
        async with office.database.work() as session:
            found = await searching.search(session, security, asked, after)
        seen += [line.id for line in found.lines]
        after = found.after
        if after is None:
            break
    assert len(seen) == len(set(seen)) == PAGE + 5
    assert seen == sorted(seen, reverse=True)


async def test_a_chain_that_was_rewritten_shows(ledger: Ledger) -> None:
    """Whole, under a checkpoint; then whoever owns the tables changes its end, or cuts it off."""

    async def state() -> integrity.ChainState:
        async with ledger.database.work() as session:
            return await integrity.chain_state(session, chain)

    chain = await ledger.story()
    assert await state() == integrity.ChainState(0, 4, [])
    await ledger.put_seal()
    assert await state() == integrity.ChainState(4, 0, [])
    ledger.tamper("update journal_entry set facts = '{}' where kind = 'case.checked'")
    assert (await state()).faults
    ledger.tamper("delete from journal_entry where kind in ('case.checked', 'case.approved')")
    assert [fault.what for fault in (await state()).faults] == [
        "is not what the checkpoint includes"
    ]


_FILLED = """
create temporary table n as select (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0')
    || '7' || substr(md5(n::text), 1, 3) || '8' || substr(md5(n::text), 4, 15))::uuid as id, at, n
    from (select n, now() - n * interval '6 minutes' as at from generate_series(1, 20000) n) s;
insert into journal_entry (id, chain, position, kind, at, by_person, facts, hash_version,
    previous_hash, hash)
    select id, gen_random_uuid(), 1, 'case.checked', at, gen_random_uuid(), '{}', 1, '', '' from n;
insert into record_view (id, at, by_person, subject, what, hash)
    select id, at, gen_random_uuid(), gen_random_uuid(), 'document', '' from n;
insert into login_attempt (id, at, step, outcome, address, device, device_kind)
    select id, at, 'code', 'passed', n::text, '', '' from n;
analyze journal_entry, record_view, login_attempt;
"""
_PERIOD = (now() - WINDOW, now())


@pytest.mark.parametrize(
    "query",
    [
        AuditQuery(*_PERIOD),
        AuditQuery(*_PERIOD, by=uuid4()),
        AuditQuery(*_PERIOD, about=uuid4()),
        AuditQuery(*_PERIOD, case_id=uuid4()),
        AuditQuery(*_PERIOD, address="198.51.100.7"),
        AuditQuery(*_PERIOD, tags=(AuditTag.CASE_APPROVE, AuditTag.CASE_VIEW)),
        AuditQuery(*_PERIOD, tags=(AuditTag.SIGN_IN_FAIL,)),
    ],
    ids=["all", "by", "about", "case", "address", "tags", "failures"],
)
async def test_a_page_costs_the_same_however_long_the_journal_is(
    many: Database, query: AuditQuery
) -> None:
    """Counted in blocks that PostgreSQL reads of 20 000 rows of each kind, none of them asked for.

    Reading one table as a whole would take more than 300.
    """
    assert await blocks(many, query) < 150


async def blocks(database: Database, query: AuditQuery) -> int:
    """Blocks that the statement of a page reads."""
    asked: list[tuple[str, Any]] = []
    engine = database.engine.sync_engine

    def remember(connection: Any, cursor: Any, statement: str, values: Any, *_: Any) -> None:
        if "AS audit" in statement:
            asked.append((statement, values))

    event.listen(engine, "before_cursor_execute", remember)
    try:
        async with database.work() as session:
            await audit_log.page(session, query)
            event.remove(engine, "before_cursor_execute", remember)
            connection = await session.connection()
            told = await connection.exec_driver_sql(
                "explain (analyze, buffers, format json) " + asked[0][0], asked[0][1]
            )
            plan = told.scalar_one()
    finally:
        if event.contains(engine, "before_cursor_execute", remember):
            event.remove(engine, "before_cursor_execute", remember)
    top = (json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]
    return int(top["Shared Hit Blocks"]) + int(top["Shared Read Blocks"])


@pytest.fixture(scope="module")
async def many(settings: Settings, servers: Servers) -> AsyncIterator[Database]:
    """A database of its own with a long journal."""
    name = f"medcab_audit_{uuid4().hex}"
    urls = servers.new_database(name)
    with psycopg.connect(urls["DATABASE_OWNER_URL"]) as owner:
        owner.execute(_FILLED)
    own = settings.model_copy(update={"database_url": SecretStr(urls["DATABASE_URL"])})
    made = Database.from_settings(own)
    yield made
    await made.close()
    servers.drop_database(name)


async def test_a_refused_address_that_names_nothing_is_no_attempt(office: Office) -> None:
    """A missing page is not recorded; a refused right is, and so is a case that is not theirs."""
    actor = await office.person("Мимоходов", Role.DOCTOR, office.ward)
    await attempts.note(office.database, actor, {"room_name": "types"}, found=False)
    await attempts.note(office.database, actor, {"case_id": "none"}, found=False)
    async with office.database.work() as session:
        views = select(RecordView).where(col(RecordView.by_person) == actor.person_id)
        assert (await session.exec(views)).all() == []
    await attempts.note(office.database, actor, {}, found=True)
    await attempts.note(office.database, actor, {"version_id": str(uuid4())}, found=False)
    assert tags(await own(office, actor, LogSide.MINE)) == [
        AuditTag.DOCUMENT_REFUSE_VIEW,
        AuditTag.REFUSE_OTHER,
    ]
