"""What people do with credentials, over a real database (Q2, Q6, Q7, Q9, Q10)."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlmodel import col, select

from models.tables.credentials import Credential
from models.tables.documents import Document, DocumentVersion
from models.tables.journal import JournalEntry, RecordView
from rules.access import Role
from rules.clock import now
from rules.credentials.statuses import CredentialStatus
from rules.journal.audit import AuditQuery
from rules.journal.entries import JournalKind
from rules.refusals import Refusal
from services.archive.erasure import _cited
from services.credentials import rows, seen
from services.credentials.checks import Contents
from services.journal import audit_log
from tests.credentials.conftest import ACCREDITATION, DIPLOMA, Keeping

_LOOKS = ("credential", "credentials")


async def kinds(keeping: Keeping, chain: object) -> list[str]:
    """The kinds of entries of a chain, oldest first."""
    async with keeping.office.database.work() as session:
        found = await session.exec(
            select(JournalEntry.kind)
            .where(JournalEntry.chain == chain)
            .order_by(col(JournalEntry.position))
        )
        return list(found.all())


async def test_what_was_added_is_seen_with_status_and_copy(keeping: Keeping) -> None:
    """Title, number, issuer, days, status and the file; its workflow is asked to look (Q6)."""
    made = await keeping.add()
    found = await keeping.one(made)
    assert (found.number, found.issuer) == ("7724 030123456", ACCREDITATION["issuer"])
    assert found.current.about == "Кардиология"
    assert found.status is CredentialStatus.ACTIVE
    assert found.days_left is not None
    assert [file.file_name for file in found.current.files] == ["diploma.pdf"]
    assert keeping.woken == [made]
    assert await kinds(keeping, made) == [JournalKind.CREDENTIAL_ADDED]
    async with keeping.office.database.work() as session:
        row = await session.get_one(Credential, made)
        diploma = await session.get_one(Credential, await keeping.add("diploma"))
    assert row.wakes_at is not None
    assert diploma.wakes_at is None
    assert keeping.woken == [made]


async def test_all_that_is_wrong_is_said_at_once(keeping: Keeping) -> None:
    """Each field and the missing copy, with what to do; nothing is stored (Q3)."""
    wrong = Contents({**DIPLOMA, "level": "", "issued_on": "31.02.2012", "colour": "red"})
    made = uuid4()
    with pytest.raises(Refusal) as refused:
        await keeping.acts.add(keeping.office.clinician, made, "diploma", wrong)
    assert refused.value.status == 422
    assert [one.path for one in refused.value.fields] == ["level", "issued_on", "colour", "files"]
    async with keeping.office.database.work() as session:
        assert await session.get(Credential, made) is None


async def test_an_end_before_the_beginning_is_refused(keeping: Keeping) -> None:
    """The server checks by the definition that the page shows."""
    with pytest.raises(Refusal) as refused:
        await keeping.add(valid_until="24.11.2024")
    assert [one.path for one in refused.value.fields] == ["valid_until"]


async def test_no_file_of_another_is_taken(keeping: Keeping) -> None:
    """Whoever knows the id of somebody's document cannot show it as a copy of theirs (Q9, Q10)."""
    office = keeping.office
    theirs = await office.document(office.reviewer, "diploma")
    refused = await office.document(office.clinician, "diploma", "refused")
    for file in (theirs, refused, uuid4()):
        contents = Contents(DIPLOMA, [file])
        with pytest.raises(Refusal) as said:
            await keeping.acts.add(office.clinician, uuid4(), "diploma", contents)
        assert [one.path for one in said.value.fields] == ["files"]


async def test_the_same_number_twice_is_refused_by_the_database(keeping: Keeping) -> None:
    """Both windows at once: one is made, the other names it; a colleague may have the same."""
    numbers = ("АВ 123", "ab-123", "№ AB 123")
    done = await asyncio.gather(
        *(keeping.add(number=number) for number in numbers), return_exceptions=True
    )
    made = [one for one in done if not isinstance(one, BaseException)]
    refusals = [one for one in done if isinstance(one, Refusal)]
    assert (len(made), [one.code for one in refusals]) == (1, ["known_already"] * 2)
    assert {one.facts["credential"] for one in refusals} == {str(made[0])}
    await keeping.add("diploma", number="АВ 123")
    await keeping.add(number="АВ 123", actor=keeping.office.reviewer)
    second = await keeping.add(number="АВ 124")
    contents = Contents({**ACCREDITATION, "number": "AB123"})
    with pytest.raises(Refusal, match="known_already"):
        await keeping.acts.update(keeping.office.clinician, second, uuid4(), 1, contents)
    assert (await keeping.one(second)).number == "АВ 124"


async def test_an_act_sent_again_is_done_once(keeping: Keeping) -> None:
    """The answer was lost: the same id makes no second credential and no second version."""
    clinician, made, act = keeping.office.clinician, uuid4(), uuid4()
    contents = Contents(ACCREDITATION)
    for _ in range(2):
        assert await keeping.acts.add(clinician, made, "accreditation", contents) == made
    changed = Contents({**ACCREDITATION, "specialty": "Терапия"})
    for _ in range(2):
        assert await keeping.acts.update(clinician, made, act, 1, changed) == 2
    with pytest.raises(Refusal, match="act_id_reused"):
        await keeping.acts.add(keeping.office.reviewer, made, "accreditation", contents)
    days, dates = uuid4(), {"valid_until": "2031-11-25"}
    for _ in range(2):
        assert await keeping.acts.correct(clinician, made, days, 2, dates, "опечатка") == 3
    for again in (
        keeping.acts.add(clinician, made, "accreditation", changed),
        keeping.acts.update(clinician, made, act, 1, contents),
        keeping.acts.update(clinician, made, act, 1, Contents(changed.data, [uuid4()])),
        keeping.acts.correct(clinician, made, days, 2, {"valid_until": "2032-11-25"}, "опечатка"),
        keeping.acts.correct(clinician, made, days, 2, dates, "другая причина"),
        keeping.acts.correct(clinician, made, act, 2, {}, "опечатка"),
    ):
        with pytest.raises(Refusal, match="act_id_reused"):
            await again
    other = await keeping.add("diploma")
    with pytest.raises(Refusal, match="act_id_reused"):
        await keeping.acts.update(clinician, other, act, 1, Contents(DIPLOMA))


async def test_who_waited_for_its_turn_sees_what_was_done_meanwhile(keeping: Keeping) -> None:
    """What a unit of work had read before it got the lock is read again under the lock."""
    made, database = await keeping.add(), keeping.office.database
    async with database.work() as session:
        assert (await session.get_one(Credential, made)).version == 1
        newer = Contents({**ACCREDITATION, "specialty": "Терапия"})
        await keeping.acts.update(keeping.office.clinician, made, uuid4(), 1, newer)
        row = await rows.locked(session, made)
        assert row is not None
        assert row.version == 2


async def test_a_version_that_is_over_stays_readable_and_cannot_be_changed(
    keeping: Keeping,
) -> None:
    """«Обновить» keeps the older one with its files; a stale window is told so (Q2)."""
    office, made = keeping.office, await keeping.add()
    newer = Contents(
        {**ACCREDITATION, "issuer": "Центральная комиссия"},
        [await office.document(office.clinician, "accreditation") for _ in range(2)],
    )
    assert await keeping.acts.update(office.clinician, made, uuid4(), 1, newer) == 2
    with pytest.raises(Refusal, match="changed_meanwhile"):
        await keeping.acts.update(office.clinician, made, uuid4(), 1, newer)
    async with office.database.work() as session:
        _, now_seen, versions = await seen.one(session, office.clinician, made, now())
    assert [len(one.files) for one in versions] == [2, 1]
    assert [one.data["issuer"] for one in versions] == [
        "Центральная комиссия",
        ACCREDITATION["issuer"],
    ]
    assert versions[1].replaced_at == versions[0].made_at
    assert now_seen.version == 2


async def test_two_windows_make_one_next_version(keeping: Keeping) -> None:
    """Both saw the first version: the later one is told, and nothing is lost unseen."""
    clinician, made = keeping.office.clinician, await keeping.add()
    done = await asyncio.gather(
        *(
            keeping.acts.update(
                clinician, made, uuid4(), 1, Contents({**ACCREDITATION, "specialty": one})
            )
            for one in ("Терапия", "Неврология", "Хирургия")
        ),
        return_exceptions=True,
    )
    assert sorted(str(one) for one in done) == ["2", "changed_meanwhile", "changed_meanwhile"]


async def test_a_credential_is_locked_as_it_is_then(keeping: Keeping) -> None:
    """What changed since it was first read in the unit of work is seen once it is locked."""
    made = await keeping.add()
    async with keeping.office.database.work() as session:
        before = await session.get_one(Credential, made)
        await keeping.acts.withdraw(keeping.office.clinician, made, "Внесено по ошибке")
        assert before.withdrawn_at is None
        locked = await rows.locked(session, made)
        assert locked is not None
        assert locked.withdrawn_at is not None


async def test_days_are_corrected_with_a_reason(keeping: Keeping) -> None:
    """A correction is a version of its own: the same values and files, other days."""
    clinician, made = keeping.office.clinician, await keeping.add()
    days = {"issued_on": "26.11.2024", "issuer": "Не изменится"}
    number = await keeping.acts.correct(clinician, made, uuid4(), 1, days, "Опечатка в дате")
    found = await keeping.one(made)
    assert (number, found.current.how, found.current.reason) == (2, "corrected", "Опечатка в дате")
    assert str(found.current.issued_on) == "2024-11-26"
    assert found.issuer == ACCREDITATION["issuer"]
    assert len(found.current.files) == 1
    with pytest.raises(Refusal, match="nothing_changed"):
        await keeping.acts.correct(clinician, made, uuid4(), 2, days, "Ещё раз")
    with pytest.raises(Refusal, match="incomplete"):
        await keeping.acts.correct(clinician, made, uuid4(), 2, {"valid_until": ""}, "Без срока")


async def test_what_was_entered_by_mistake_is_withdrawn_and_stays(keeping: Keeping) -> None:
    """With a reason; its number is free, nothing changes it any more, and it is still read."""
    clinician, made = keeping.office.clinician, await keeping.add(number="ОШ 1")
    with pytest.raises(Refusal, match="incomplete"):
        await keeping.acts.withdraw(clinician, made, " ")
    for _ in range(2):
        await keeping.acts.withdraw(clinician, made, "Это документ коллеги")
    with pytest.raises(Refusal, match="not_standing"):
        await keeping.acts.withdraw(clinician, made, "Другая причина")
    found = await keeping.one(made)
    assert found.status is CredentialStatus.WITHDRAWN
    assert (found.withdrawn_reason, found.number) == ("Это документ коллеги", "ОШ 1")
    with pytest.raises(Refusal, match="not_standing"):
        await keeping.acts.update(clinician, made, uuid4(), 1, Contents(ACCREDITATION))
    await keeping.add(number="ОШ 1")
    assert await kinds(keeping, made) == [
        JournalKind.CREDENTIAL_ADDED,
        JournalKind.CREDENTIAL_WITHDRAWN,
    ]


async def test_one_replaces_another_until_it_was_a_mistake(keeping: Keeping) -> None:
    """The expired one is replaced; when the newer one is withdrawn, the older one stands (Q7)."""
    clinician = keeping.office.clinician
    old = await keeping.add(valid_until="25.11.2025", number="СТ 1", specialty="Терапия")
    new = await keeping.add(number="НВ 2")
    assert (await keeping.one(old)).status is CredentialStatus.EXPIRED
    for _ in range(2):
        await keeping.acts.replace(clinician, old, new)
    assert (await keeping.one(old)).status is CredentialStatus.REPLACED
    for first, second in ((new, old), (new, new), (old, new)):
        if (first, second) != (old, new):
            with pytest.raises(Refusal, match="not_standing"):
                await keeping.acts.replace(clinician, first, second)
    await keeping.acts.withdraw(clinician, new, "Загрузил не тот файл")
    assert (await keeping.one(old)).status is CredentialStatus.EXPIRED
    assert (await kinds(keeping, old))[-1] == JournalKind.CREDENTIAL_STANDS_AGAIN


async def test_a_newer_accreditation_takes_the_place_of_the_older(keeping: Keeping) -> None:
    """Once it is in the file: «заменён», a planned reminder is dropped; a mistake undoes it."""
    soon = now() + timedelta(days=100)
    old = await keeping.add(valid_until=soon.strftime("%d.%m.%Y"))
    other = await keeping.add(
        specialty="Терапия", number="7724 2", valid_until=soon.strftime("%d.%m.%Y")
    )
    async with keeping.office.database.work() as session:
        row = await rows.locked(session, old)
        assert row is not None
        row.wakes_at = None
    new = await keeping.add(number="7724 030123999")
    assert (await keeping.one(old)).status is CredentialStatus.REPLACED
    assert (await keeping.one(other)).status is CredentialStatus.ACTIVE
    async with keeping.office.database.work() as session:
        row = await session.get_one(Credential, old)
        assert (row.replaced_by, row.wakes_at is not None) == (new, True)
    assert (await kinds(keeping, old))[-1] == JournalKind.CREDENTIAL_REPLACED
    await keeping.acts.withdraw(keeping.office.clinician, new, "Внесено по ошибке")
    assert (await keeping.one(old)).status is CredentialStatus.ACTIVE


async def test_personnel_vouches_for_the_version_they_have_seen(keeping: Keeping) -> None:
    """The act is journaled and counts for that version alone; nobody vouches for themselves."""
    office, made = keeping.office, await keeping.add("diploma")
    personnel = await office.person("Кадрова Инна", Role.HR_REVIEWER, office.institution)
    head = await office.person("Главный Олег", Role.UNIT_HEAD, office.ward)
    for _ in range(2):
        await keeping.acts.confirm(personnel, made, 1)
    found = await keeping.one(made)
    assert found.current.confirmed_by == personnel.person_id
    assert (await kinds(keeping, made))[1:] == [JournalKind.CREDENTIAL_CONFIRMED]
    with pytest.raises(Refusal, match="not_found"):
        await keeping.acts.confirm(head, made, 1)
    with pytest.raises(Refusal, match="not_found"):
        await keeping.acts.confirm(office.reviewer, made, 1)
    theirs = await keeping.add("diploma", actor=personnel)
    with pytest.raises(Refusal, match="oneself"):
        await keeping.acts.confirm(personnel, theirs, 1)
    files = [file.id for file in found.current.files]
    changed = Contents({**DIPLOMA, "issuer": "Другой университет"}, files)
    await keeping.acts.update(office.clinician, made, uuid4(), 1, changed)
    assert (await keeping.one(made)).current.confirmed_at is None
    with pytest.raises(Refusal, match="changed_meanwhile"):
        await keeping.acts.confirm(personnel, made, 1)


async def test_those_entitled_see_it_and_that_they_looked_is_recorded(keeping: Keeping) -> None:
    """The owner, personnel and the head of the unit; nobody else learns that it exists (Q9)."""
    office, made = keeping.office, await keeping.add()
    head = await office.person("Главный Олег", Role.UNIT_HEAD, office.ward)
    personnel = await office.person("Кадрова Инна", Role.HR_REVIEWER, office.institution)
    stranger = await office.person("Чужой Пётр", Role.UNIT_HEAD, office.hr)
    colleague = await office.person("Соседов Иван", Role.DOCTOR, office.ward)
    async with office.database.work() as session:
        for actor in (head, personnel):
            await seen.one(session, actor, made, now())
            owner, listed = await seen.of_person(session, actor, office.clinician.person_id, now())
            assert made in [one.id for one in listed]
            assert (owner.own, owner.confirms) == (False, actor is personnel)
        for actor in (stranger, colleague):
            with pytest.raises(Refusal, match="not_found"):
                await seen.one(session, actor, made, now())
            with pytest.raises(Refusal, match="not_found"):
                await seen.of_person(session, actor, office.clinician.person_id, now())
        looked = await session.exec(
            select(RecordView.by_person, RecordView.what).where(
                col(RecordView.subject).in_([made, office.clinician.person_id])
            )
        )
        assert set(looked.all()) == {
            (one.person_id, what) for one in (head, personnel) for what in _LOOKS
        }
        moment = now()
        query = AuditQuery(
            since=moment - timedelta(hours=1),
            until=moment + timedelta(hours=1),
            about=office.clinician.person_id,
        )
        told = (await audit_log.page(session, query)).lines
        assert {(line.by, line.tag.subject) for line in told if line.subject == made} == {
            (head.person_id, "credential"),
            (personnel.person_id, "credential"),
        }


async def test_the_copy_of_a_credential_outlives_the_case_that_cited_it(keeping: Keeping) -> None:
    """Where a case is erased, what a credential has as its copy stays; other files may go."""
    office = keeping.office
    copy, other = [await office.document(office.clinician, "diploma") for _ in range(2)]
    await keeping.acts.add(office.clinician, uuid4(), "diploma", Contents(DIPLOMA, [copy]))
    draft = await office.applications.create_draft(office.clinician, office.programme_id)
    case = await office.case(draft.id)
    async with office.database.work() as session:
        kept = {}
        for file in (copy, other):
            version = await session.get_one(DocumentVersion, file)
            document = await session.get_one(Document, version.document_id)
            kept[file] = await _cited(session, case, document, file)
    assert kept == {copy: True, other: False}
