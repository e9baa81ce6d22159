"""What opens a patient's record, and that every look is recorded with its way (W2)."""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.journal import RecordView
from models.tables.patients import PatientLink, PatientView
from rules.access import Actor, Permission, Role
from rules.accounts import AccountState
from rules.clock import now
from rules.patients.grounds import EMERGENCY_OPENS, GROUNDS, REASON_OPENS
from rules.refusals import Refusal
from services.patients import links, openings, ways
from services.patients.entering import enter, identities
from tests.patients.people import fresh_snils, identity, patient
from tests.shared.office import Office


async def test_a_closed_record_opens_for_a_reason_and_closes_again(office: Office) -> None:
    """Three hours for a ground from the list, two for an emergency, to this person alone."""
    who = await patient(office.database, office.ward)
    doctor, at = office.clinician, now()
    async with office.database.work() as session:
        with pytest.raises(Refusal, match="patient_closed"):
            await ways.look(session, doctor, who, at)
    for opened, lasts in (
        (ways.Opened.REASON, REASON_OPENS),
        (ways.Opened.EMERGENCY, EMERGENCY_OPENS),
    ):
        async with office.database.work() as session:
            if opened is ways.Opened.REASON:
                await openings.open_for(session, doctor, who, "consent", "", at)
            else:
                await openings.open_at_once(session, doctor, who, "Без сознания", at)
        async with office.database.work() as session:
            seen = await ways.look(session, doctor, who, at + lasts - timedelta(seconds=1))
            assert (seen.way.name, seen.way.until) == (opened, at + lasts)
            assert await ways.way_in(session, office.head, who, at) is None
            assert await ways.way_in(session, doctor, who, at + lasts) is None
        at += timedelta(days=1)
    async with office.database.work() as session:
        seen_by = await session.exec(
            select(PatientView.way, RecordView.what, RecordView.by_person)
            .join(RecordView, col(RecordView.id) == col(PatientView.id))
            .where(PatientView.patient_id == who)
            .order_by(col(PatientView.at))
        )
        views = seen_by.all()
    by_both = (ways.Opened.REASON, ways.Opened.EMERGENCY)
    assert views == [(one.value, "patient_record", doctor.person_id) for one in by_both]


async def test_who_does_not_treat_learns_nothing(office: Office) -> None:
    """Neither a right elsewhere nor an account that is not confirmed opens; both answer alike."""
    who = await patient(office.database, office.ward)
    strangers = [
        office.reviewer,
        await office.person("Лаптева Ирина", Role.REGISTRAR, office.institution),
        await office.person("Ершова Нина", Role.SECURITY, office.institution),
        Actor(
            office.clinician.person_id,
            "",
            office.ward,
            office.clinician.grants,
            state=AccountState.ACTIVE,
        ),
    ]
    for actor in strangers:
        codes = set()
        for one in (who, uuid4()):
            async with office.database.work() as session:
                with pytest.raises(Refusal) as refused:
                    await ways.look(session, actor, one, now())
                codes.add((refused.value.code, refused.value.status))
                with pytest.raises(Refusal):
                    await openings.open_at_once(session, actor, one, "Надо", now())
                assert await ways.way_in(session, actor, one, now()) is None
        assert len(codes) == 1, actor
    assert strangers[1].may(Permission.REGISTER_PATIENTS)
    async with office.database.work() as session:
        with pytest.raises(Refusal, match="not_found"):
            await ways.look(session, office.clinician, uuid4(), now())


async def test_a_reason_is_one_of_the_list(office: Office) -> None:
    """Some grounds need words, an emergency always does; each names its source."""
    who = await patient(office.database, office.ward)
    assert all("323-ФЗ" in ground.source for ground in GROUNDS.values())
    wrong = [("so", "Хочу"), ("inquiry", ""), ("control", " \u200b ")]
    async with office.database.work() as session:
        for ground, words in wrong:
            with pytest.raises(Refusal, match="wrong_fields"):
                await openings.open_for(session, office.clinician, who, ground, words, now())
        for words in ("", "а" * 1001):
            with pytest.raises(Refusal, match="wrong_fields"):
                await openings.open_at_once(session, office.clinician, who, words, now())


async def test_a_fact_opens_without_a_question(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Facts are asked about all patients who are one person, and come before openings."""
    main, other = [await patient(office.database, office.ward) for _ in range(2)]
    asked: list[frozenset[UUID]] = []

    async def on_the_list(
        session: AsyncSession, actor: Actor, ids: frozenset[UUID], at: datetime
    ) -> frozenset[UUID]:
        del session, actor, at
        asked.append(ids)
        return ids & {other}

    monkeypatch.setattr(ways, "_FACTS", {})
    ways.opens("list", on_the_list, "Пациент в списке на сегодня")
    async with office.database.work() as session:
        assert await ways.way_in(session, office.clinician, main, now()) is None
        link = PatientLink(
            from_id=other,
            to_id=main,
            reason="Один человек",
            proposed_by=office.head.person_id,
            proposed_at=now(),
            made_by=office.reviewer.person_id,
            made_at=now(),
        )
        session.add(link)
        await session.flush()
        assert (await links.joined(session, other)).main == main
        seen = await ways.look(session, office.clinician, main, now())
        assert (seen.way.name, seen.joined.ids) == ("list", frozenset({main, other}))
        link.ended_at, link.ended_by = now(), office.head.person_id
        session.add(link)
        await session.flush()
        assert await ways.way_in(session, office.clinician, main, now()) is None
    assert asked == [frozenset({main}), frozenset({main, other}), frozenset({main})]


async def test_a_number_belongs_to_one_patient(office: Office) -> None:
    """By a constraint, not by looking first; names and dates may be shared."""
    number = fresh_snils()
    first = await patient(office.database, office.ward, identity(snils=number))
    async with office.database.work() as session:
        twice = await enter(session, identity("Иная Анна", snils=number), office.ward, None, now())
        assert twice is None
        assert (await identities(session, [first, uuid4()]))[first] == identity(snils=number)
    with pytest.raises(IntegrityError, match="patient_link_two"):
        async with office.database.work() as session:
            session.add(
                PatientLink(
                    from_id=first,
                    to_id=first,
                    reason="-",
                    proposed_by=office.head.person_id,
                    proposed_at=now(),
                )
            )
    async with office.database.work() as session:
        with pytest.raises(Exception, match="permission denied"):
            await session.execute(text("delete from patient_view"))
