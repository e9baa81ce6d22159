"""How long closed cases are kept, and what is left when the term is over (S7)."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text, update
from sqlalchemy.exc import ProgrammingError
from sqlmodel import col, select

from clients.objects import ObjectMissingError, Objects
from models.tables.archive import CaseRetention, RetentionTerm
from models.tables.cases import Case, CaseAttachment, CaseComment, CaseDecision, CaseVersion
from models.tables.documents import Document, DocumentVersion
from models.tables.notices import Notice
from rules.access import Actor, Role
from rules.archive import RetentionRule, kept_until, notice_due
from rules.cases.process import CaseKind, Transition
from rules.clock import now
from rules.journal.entries import verify_chain
from rules.refusals import Refusal
from services.archive import erasure, retention
from services.archive.retention import Retention
from services.cases.acts import Act
from services.catalogue.loading import load_terms
from services.conversation import Conversations
from services.dossier import page as dossier
from services.journal import entries as journal
from tests.dossier.test_archive_file import with_files
from tests.shared.office import Office

ZONE = ZoneInfo("Europe/Moscow")


@pytest.fixture
def keeping(office: Office) -> Retention:
    """The service."""
    return Retention(office.database, "Europe/Moscow")


async def row_of(office: Office, case_id: UUID) -> CaseRetention:
    """The row as it stands."""
    async with office.database.work() as session:
        return await session.get_one(CaseRetention, case_id)


async def closed(office: Office, years_ago: int = 0) -> UUID:
    """A rejected case, closed so many years ago, with its term given."""
    case_id = await office.in_review()
    say = Conversations(office.database).say
    await say(office.reviewer, case_id, "Пришлите копию диплома.", internal=False)
    await office.decide(case_id, Transition.REJECT)
    if years_ago:
        at = now() - timedelta(days=366 * years_ago)
        await office.set_times(case_id, closed_at=at)
    await retention.assign(office.database, ZONE)
    return case_id


async def over(office: Office, case_id: UUID) -> None:
    """Let the term end, with all notices given."""
    async with office.database.work() as session:
        await session.exec(
            update(CaseRetention)
            .where(col(CaseRetention.case_id) == case_id)
            .values(retain_until=now() - timedelta(minutes=1), told_days=30)
        )


def test_terms_are_counted_from_the_next_january() -> None:
    """As archives count: whole years from the first of January, in the institution's zone."""
    late = datetime(2026, 12, 31, 22, 0, tzinfo=UTC)
    assert kept_until(late, 5, ZONE) == datetime(2033, 1, 1, tzinfo=ZONE)
    assert kept_until(late - timedelta(hours=2), 5, ZONE) == datetime(2032, 1, 1, tzinfo=ZONE)


@pytest.mark.parametrize(
    ("days", "told", "due"),
    [(120, None, None), (90, None, 90), (60, 90, None), (30, 90, 30), (10, 30, None), (-1, 90, 30)],
)
def test_notices_come_at_ninety_and_thirty_days(
    days: int, told: int | None, due: int | None
) -> None:
    """Each once; a late night gives the nearer one only."""
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    assert notice_due(moment + timedelta(days=days), moment, told) == due


async def test_a_type_has_its_own_term_and_the_kind_is_the_rule(office: Office) -> None:
    """Terms are data: the type's where there is one, else that of its kind."""
    async with office.database.work() as session:
        stood = [
            RetentionRule.model_validate(one, from_attributes=True)
            for one in (await session.exec(select(RetentionTerm))).all()
        ]
        ground = "Номенклатура дел"
        rules = [
            RetentionRule(kind=CaseKind.APPLICATION, years=7, ground=ground),
            RetentionRule(kind=CaseKind.APPLICATION, type="qualification", years=9, ground=ground),
        ]
        assert await load_terms(session, rules)
        assert await load_terms(session, rules) == []
    case_id = await closed(office)
    year = (await office.case(case_id)).closed_at.astimezone(ZONE).year  # type: ignore[union-attr]
    assert (await row_of(office, case_id)).retain_until.astimezone(ZONE).year == year + 10
    async with office.database.work() as session:
        for term in (await session.exec(select(RetentionTerm))).all():
            await session.delete(term)
        await session.flush()
        await load_terms(session, stood)


async def test_applicant_and_keepers_are_told_before(office: Office) -> None:
    """90 days before and 30 days before; the keeper once a night, the applicant for each case."""
    case_id = await closed(office)
    async with office.database.work() as session:
        row = await session.get_one(CaseRetention, case_id)
        row.retain_until = now() + timedelta(days=80)
        session.add(row)
    await retention.tell(office.database)
    await retention.tell(office.database)
    assert (await row_of(office, case_id)).told_days == 90
    async with office.database.work() as session:
        told = await session.exec(
            select(Notice.person_id, Notice.kind).where(
                col(Notice.kind).in_(["retention_ends", "retention_due"]),
                col(Notice.channel) == "cabinet",
                col(Notice.person_id).in_([office.clinician.person_id, office.head.person_id]),
            )
        )
        assert sorted(told.all(), key=lambda one: one[1]) == [
            (office.head.person_id, "retention_due"),
            (office.clinician.person_id, "retention_ends"),
        ]


async def test_nothing_is_erased_before_thirty_days_of_notice(
    office: Office, objects: Objects
) -> None:
    """A case whose term ended unnoticed is told of first, and kept for thirty days more."""
    case_id = await closed(office, years_ago=12)
    assert (await row_of(office, case_id)).retain_until < now()
    await erasure.erase_due(office.database, objects)
    assert (await row_of(office, case_id)).erased_at is None
    await retention.tell(office.database)
    assert (await row_of(office, case_id)).retain_until > now() + timedelta(days=29)


async def test_erasing_leaves_the_chain_whole_and_nothing_to_read(
    office: Office, objects: Objects
) -> None:
    """What was submitted, decided, said and journaled is gone; the chain verifies and says why."""
    case_id = await closed(office)
    await over(office, case_id)
    await erasure.erase_due(office.database, objects)
    assert (await row_of(office, case_id)).erased_at is not None
    async with office.database.work() as session:
        for version in await session.exec(
            select(CaseVersion).where(CaseVersion.case_id == case_id)
        ):
            assert (version.data, version.findings, version.salt) == ({}, None, b"")
        for decision in await session.exec(
            select(CaseDecision).where(CaseDecision.case_id == case_id)
        ):
            assert (decision.reason, decision.remarks) == ("", {})
        for comment in await session.exec(
            select(CaseComment).where(CaseComment.case_id == case_id)
        ):
            assert comment.text == ""
        entries = await journal.read(session, case_id)
        page = await dossier.page(session, office.clinician, case_id)
    assert all(entry.contents is None and entry.salt is None for entry in entries)
    assert verify_chain([journal.facts_of(entry) for entry in entries]) == []
    assert entries[-1].kind == "case.erased"
    assert entries[-1].by_system == "retention"
    assert page.case.number is not None


async def test_a_hold_keeps_everything_until_it_is_released(
    office: Office, objects: Objects, keeping: Retention
) -> None:
    """Whoever is entitled forbids erasing with a reason; the night passes by; released, it ends."""
    case_id = await closed(office)
    await keeping.hold(office.head, case_id, "Запрос суда")
    await over(office, case_id)
    await erasure.erase_due(office.database, objects)
    assert await erasure.erase(office.database, case_id) is None
    row = await row_of(office, case_id)
    assert (row.erased_at, row.held_by, row.hold_reason) == (
        None,
        office.head.person_id,
        "Запрос суда",
    )
    await keeping.release(office.head, case_id, "Суд закончен")
    await erasure.erase_due(office.database, objects)
    assert (await row_of(office, case_id)).erased_at is None, "told of anew before"
    await over(office, case_id)
    await erasure.erase_due(office.database, objects)
    assert (await row_of(office, case_id)).erased_at is not None
    kinds = [entry.kind for entry in await office.journal(case_id)]
    assert kinds.index("case.held") < kinds.index("case.released") < kinds.index("case.erased")


async def test_keeping_longer_needs_the_right_and_a_reason(
    office: Office, keeping: Retention
) -> None:
    """The head of HR and the administrator; not reviewers, not one's own case, not without why."""
    case_id = await closed(office)
    until = (await row_of(office, case_id)).retain_until + timedelta(days=400)
    administrator = await office.person("Администратор", Role.ADMINISTRATOR, office.institution)
    refused: list[tuple[Actor, str, str]] = [
        (office.reviewer, "Нужно", "forbidden"),
        (office.clinician, "Нужно", "forbidden"),
        (await office.person("Чужой", Role.DOCTOR, office.ward), "Нужно", "not_found"),
        (office.head, "  ", "incomplete"),
    ]
    for actor, reason, code in refused:
        with pytest.raises(Refusal, match=code):
            await keeping.extend(actor, case_id, until, reason)
    with pytest.raises(Refusal, match="wrong_term"):
        await keeping.extend(office.head, case_id, now(), "Нужно")
    own = await office.in_review(office.head)
    await office.decide(own, Transition.REJECT)
    with pytest.raises(Refusal, match="own_case"):
        await keeping.hold(office.head, own, "Нужно")
    await keeping.extend(administrator, case_id, until, "Идёт проверка")
    assert (await row_of(office, case_id)).retain_until == until
    last = (await office.journal(case_id))[-1]
    assert (last.kind, last.contents) == ("case.kept_longer", {"reason": "Идёт проверка"})


async def test_a_document_that_an_open_case_cites_stays(office: Office, objects: Objects) -> None:
    """A file goes only when its person has put it away and nothing else cites it."""
    case_id = await closed(office)
    files = await with_files(office, objects, case_id)
    assert files
    async with office.database.work() as session:
        cited = select(CaseAttachment.document_version_id).where(CaseAttachment.case_id == case_id)
        versions = (
            await session.exec(select(DocumentVersion).where(col(DocumentVersion.id).in_(cited)))
        ).all()
        keys = {version.id: version.object_key or "" for version in versions}
        kept_open, put_away, still_kept = versions[:3]
        for version in (kept_open, put_away):
            await session.exec(
                update(Document)
                .where(col(Document.id) == version.document_id)
                .values(archived_at=now())
            )
    other = await office.draft()
    async with office.database.work() as session:
        draft = await session.get_one(Case, other)
        draft.draft_attachments = [{"kind": "diploma", "document_version_id": str(kept_open.id)}]
        session.add(draft)
    await over(office, case_id)
    await erasure.erase_due(office.database, objects)
    await objects.read(keys[kept_open.id])
    await objects.read(keys[still_kept.id])
    with pytest.raises(ObjectMissingError):
        await objects.read(keys[put_away.id])


async def test_a_case_that_was_reopened_is_not_erased(office: Office, objects: Objects) -> None:
    """A correction after the answer opens the case again: the old term means nothing."""
    case_id = await closed(office)
    await over(office, case_id)
    await office.set_times(case_id, closed_at=None)
    await erasure.erase_due(office.database, objects)
    assert (await row_of(office, case_id)).erased_at is None


async def test_a_keeper_need_not_wait_for_the_night(
    office: Office, objects: Objects, keeping: Retention
) -> None:
    """Over, told of and not held: erased at once, and the journal names who did it."""
    case_id = await closed(office)

    async def refused(code: str, actor: Actor = office.head) -> None:
        with pytest.raises(Refusal, match=code):
            await keeping.erase(actor, case_id, objects)

    await refused("not_over")
    await over(office, case_id)
    await refused("forbidden", office.reviewer)
    await keeping.hold(office.head, case_id, "Запрос суда")
    await refused("held")
    await keeping.release(office.head, case_id, "Суд закончен")
    await refused("not_told")
    await over(office, case_id)
    await keeping.erase(office.head, case_id, objects)
    await refused("erased")
    last = (await office.journal(case_id))[-1]
    assert (last.kind, last.by_person, last.by_system) == (
        "case.erased",
        office.head.person_id,
        None,
    )


async def test_erased_twice_is_erased_once(office: Office, objects: Objects) -> None:
    """A night that was killed goes on with the next case; nothing is journaled twice."""
    case_id = await closed(office)
    await over(office, case_id)
    assert await erasure.erase(office.database, case_id) is not None
    assert await erasure.erase(office.database, case_id) is None
    kinds = [entry.kind for entry in await office.journal(case_id)]
    assert kinds.count("case.erased") == 1


async def test_the_words_are_gone_from_the_dump(office: Office, objects: Objects) -> None:
    """A planted string, decrypted column by column, is found before and not after."""
    planted = f"секрет-{uuid4().hex}"
    case_id = await office.draft(purpose=planted)
    await office.applications.submit(office.clinician, case_id, Act(uuid4(), 0))
    await office.check(case_id)
    await office.decide(case_id, Transition.REJECT)
    await retention.assign(office.database, ZONE)

    async def found() -> bool:
        async with office.database.work() as session:
            rows = await session.exec(select(CaseVersion).where(CaseVersion.case_id == case_id))
            case = await session.get_one(Case, case_id)
            texts = [str(row.data) for row in rows.all()] + [str(case.draft)]
            entries = await journal.read(session, case_id)
            return any(planted in one for one in [*texts, *(str(e.contents) for e in entries)])

    assert await found()
    await over(office, case_id)
    await erasure.erase_due(office.database, objects)
    assert not await found()


async def test_the_role_cannot_erase_by_hand(office: Office) -> None:
    """The application's role still has no way into the journal but its one function."""
    with pytest.raises(ProgrammingError):
        async with office.database.work() as session:
            await session.exec(text("update journal_entry set contents = null"))  # type: ignore[call-overload]
