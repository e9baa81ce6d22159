"""Results over the database: any order, one person, confirmed as seen, wrong ones undone."""

import asyncio
import random
from datetime import timedelta
from itertools import permutations
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from models.tables.patients import PatientView
from models.tables.people import Absence, Person
from models.tables.results import LabConfirmation, LabMatch, LabOffer, LabResult, LabVersion
from rules.access import Actor
from rules.clock import now
from rules.refusals import Refusal
from rules.results.life import NextStep, OfferState, ResultState
from services.patients import openings, ways
from services.results import looking, seen
from services.results.acts import Telling
from tests.results.clinic import Clinic, code_of


async def test_from_the_laboratory_to_the_confirmation_and_back(clinic: Clinic) -> None:
    """Ready, seen, confirmed; a correction opens it again for the same person (trap 14)."""
    first = clinic.said()
    result = await clinic.take(first)
    row = await clinic.row(result)
    assert (row.state, row.urgency, row.answers_id) == (
        ResultState.AWAITING,
        "abnormal",
        clinic.doctor.person_id,
    )
    assert await code_of(clinic.confirm(clinic.doctor, result, 1)) == "unseen"
    page = await clinic.open_page(clinic.doctor, result)
    assert (page.patient, page.line.value, page.yours) == (clinic.who.name, "5.4 ммоль/л", True)
    wrong = uuid4()
    assert (
        await code_of(clinic.confirm(clinic.doctor, result, 1, patient_id=wrong))
        == "another_patient"
    )
    follows = {"next_step": NextStep.REPEAT, "follows": "Повторить через неделю"}
    assert await code_of(clinic.confirm(clinic.doctor, result, 1, next_step=NextStep.REPEAT)) == (
        "incomplete"
    )
    await clinic.confirm(clinic.doctor, result, 1, **follows)
    await clinic.confirm(clinic.doctor, result, 1, **follows)
    assert await clinic.look(result) is None
    await clinic.take(clinic.said(first.number, 2, stage="corrected", value="4.4", flag="normal"))
    row = await clinic.row(result)
    assert (row.state, row.answers_id) == (ResultState.AWAITING, clinic.doctor.person_id)
    assert await code_of(clinic.confirm(clinic.doctor, result, 1)) == "superseded"
    assert await code_of(clinic.confirm(clinic.doctor, result, 2)) == "unseen"
    page = await clinic.open_page(clinic.doctor, result)
    assert [one.number for one in page.versions] == [2, 1]
    assert page.versions[1].follows == "Повторить через неделю"
    await clinic.confirm(clinic.doctor, result, 2)
    assert await clinic.notices(clinic.doctor) == ["ready", "reopened"]
    kinds = [one.kind.removeprefix("result.") for one in await clinic.journal(result)]
    assert kinds == ["heard", "matched", "confirmed", "heard", "reopened", "confirmed"]
    assert await clinic.troubles(result) == []
    async with clinic.database.reading() as session:
        views = await session.exec(
            select(PatientView.way).where(PatientView.patient_id == clinic.patient)
        )
        assert views.all() == ["result"] * 2, "the patient can read who looked, and why"


async def test_versions_in_every_order_and_twice(clinic: Clinic) -> None:
    """The newest counts, none is lost, and no order makes another result (trap 13)."""
    for order in permutations((1, 2, 3)):
        number = uuid4().hex
        said = {n: clinic.said(number, n, value=f"5.{n}") for n in (1, 2, 3)}
        result = await clinic.take(*[said[n] for n in (*order, *order)])
        row = await clinic.row(result)
        assert (row.version, row.state) == (3, ResultState.AWAITING)
        async with clinic.database.reading() as session:
            kept = await session.exec(
                select(LabVersion.number).where(LabVersion.result_id == result)
            )
            assert sorted(kept.all()) == [1, 2, 3]
    again = clinic.take(clinic.said(number, 3, value="9.9"))
    assert await code_of(again) == "version_reused"
    other = await clinic.take(clinic.said(value="4.0"))
    assert other != result
    assert (await clinic.row(result)).version == 3


async def test_a_correction_gives_no_more_time(clinic: Clinic) -> None:
    """Only a more dangerous one changes the term, and shortens it."""
    first = clinic.said()
    result = await clinic.take(first)
    due = (await clinic.row(result)).due_at
    await clinic.take(clinic.said(first.number, 2, value="5.3"))
    assert (await clinic.row(result)).due_at == due
    await clinic.take(clinic.said(first.number, 3, value="7.0"))
    row = await clinic.row(result)
    assert row.urgency == "critical"
    assert row.due_at is not None
    assert row.due_at <= now() + timedelta(hours=1)
    await clinic.take(clinic.said(first.number, 4, value="4.0", flag="normal"))
    calm = await clinic.row(result)
    assert (calm.urgency, calm.due_at) == ("other", row.due_at)
    assert (await clinic.notices(clinic.doctor))[-2:] == ["critical", "ready"]


async def test_a_critical_value_is_told_by_telephone(clinic: Clinic) -> None:
    """Without a word on that it cannot be confirmed; the word is about one version."""
    first = clinic.said(value="7.1", flag="critical_high")
    result = await clinic.take(first)
    await clinic.open_page(clinic.doctor, result)
    assert await code_of(clinic.confirm(clinic.doctor, result, 1)) == "not_told"
    ahead = Telling(1, now() + timedelta(hours=1), "Лаборант Иванов врачу")
    assert await code_of(clinic.acts.record_call(clinic.doctor, result, ahead)) == "incomplete"
    rang = Telling(1, now(), "Лаборант Иванов врачу Орловой")
    await clinic.acts.record_call(clinic.doctor, result, rang)
    await clinic.acts.record_call(clinic.doctor, result, rang)
    await clinic.take(clinic.said(first.number, 2, value="7.2", flag="critical_high"))
    await clinic.open_page(clinic.doctor, result)
    assert await code_of(clinic.acts.record_call(clinic.doctor, result, rang)) == "superseded"
    assert await code_of(clinic.confirm(clinic.doctor, result, 2)) == "not_told"
    quiet = Telling(2, None, "Не звонили, увидела в кабинете")
    await clinic.acts.record_call(clinic.doctor, result, quiet)
    await clinic.confirm(clinic.doctor, result, 2)
    page = await clinic.open_page(clinic.doctor, result)
    assert [(one.version, one.told_at is None) for one in page.calls] == [(2, True), (1, False)]


async def test_an_offer_is_accepted_or_comes_back(clinic: Clinic) -> None:
    """Until then the first one answers; nobody is rid of it by asking (trap 12)."""
    acts, doctor, colleague = clinic.acts, clinic.doctor, clinic.colleague
    result = await clinic.take(clinic.said())

    async def answers() -> UUID | None:
        return (await clinic.row(result)).answers_id

    assert await code_of(acts.offer(colleague, result, doctor.person_id, "хочу")) == "not_found"
    registrar = clinic.registrar.person_id
    assert await code_of(acts.offer(doctor, result, registrar, "не врач")) == "incomplete"
    first = await acts.offer(doctor, result, colleague.person_id, "Ухожу на операцию")
    assert await acts.offer(doctor, result, colleague.person_id, "Ухожу на операцию") == first
    assert await code_of(acts.offer(doctor, result, clinic.head.person_id, "ещё")) == (
        "offered_already"
    )
    assert await answers() == doctor.person_id
    async with clinic.database.work() as session:
        (line,) = await seen.offered(session, colleague)
        assert (line.offered_by, line.offer_reason) == (doctor.name, "Ухожу на операцию")
        assert await seen.mine(session, colleague) == []
    await acts.answer_offer(colleague, result, first, OfferState.REFUSED)
    assert await answers() == doctor.person_id
    second = await acts.offer(doctor, result, colleague.person_id, "Всё-таки прошу")
    async with clinic.database.work() as session:
        await session.exec(
            update(LabOffer).where(col(LabOffer.id) == second).values(lapses_at=now())
        )
    assert await code_of(acts.answer_offer(colleague, result, second, OfferState.ACCEPTED)) == (
        "offer_over"
    )
    assert await clinic.look(result) is not None
    third = await acts.offer(doctor, result, colleague.person_id, "Последний раз")
    assert await code_of(acts.answer_offer(doctor, result, third, OfferState.ACCEPTED)) == (
        "not_found"
    )
    await acts.answer_offer(colleague, result, third, OfferState.ACCEPTED)
    assert await answers() == colleague.person_id
    assert await clinic.notices(doctor) == ["ready", "came_back", "came_back", "accepted"]
    assert await code_of(clinic.confirm(doctor, result, 1)) == "not_yours"
    await clinic.open_page(colleague, result)
    await clinic.confirm(colleague, result, 1)
    assert await clinic.troubles(result) == []


async def test_absence_goes_to_the_deputy_and_a_departure_to_the_head(clinic: Clinic) -> None:
    """Whoever cannot answer is replaced by one person, and what is confirmed comes back to them."""
    first = clinic.said()
    result = await clinic.take(first)
    await clinic.acts.offer(clinic.doctor, result, clinic.colleague.person_id, "Прошу помочь")
    today = now().date()
    away = Absence(
        person_id=clinic.doctor.person_id,
        first_day=today - timedelta(days=1),
        last_day=today + timedelta(days=1),
        deputy_id=clinic.colleague.person_id,
    )
    async with clinic.database.work() as session:
        session.add(away)
        await session.flush()
        await looking.person_changed(session, clinic.doctor.person_id, now())
    assert [one.what for one in await clinic.troubles(result)] == ["nobody"]
    await clinic.look(result)
    assert (await clinic.row(result)).answers_id == clinic.colleague.person_id
    async with clinic.database.work() as session:
        assert await seen.offered(session, clinic.colleague) == []
    await clinic.open_page(clinic.colleague, result)
    await clinic.confirm(clinic.colleague, result, 1)
    async with clinic.database.work() as session:
        gone = await session.get_one(Person, clinic.colleague.person_id)
        gone.left_at = now() - timedelta(seconds=1)
        session.add(gone)
    await clinic.take(clinic.said(first.number, 2, stage="corrected"))
    assert (await clinic.row(result)).answers_id == clinic.head.person_id
    assert "yours" in await clinic.notices(clinic.head)
    entries = [one for one in await clinic.journal(result) if one.kind == "result.passed"]
    assert [one.facts["why"] for one in entries] == ["absent", "reopened"]
    assert await clinic.troubles(result) == []


@pytest.mark.parametrize("value", ["7.0", "5.4", "4.0"])
async def test_the_clock_of_a_result(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    """The clock jumps from look to look: reminded once, then the head is told again and again."""
    result = await clinic.take(clinic.said(value=value, flag="none"))
    began = (await clinic.row(result)).opened_at
    moment, told = began, list[tuple[str, timedelta]]()
    for room in (looking, seen):
        monkeypatch.setattr(room, "present", lambda: moment)
    for _ in range(40):
        before = len(await clinic.notices(clinic.head))
        looks_at = await clinic.look(result)
        after = await clinic.notices(clinic.head)
        told += [(one, moment - began) for one in after[before:]]
        if len(told) == 2:
            break
        assert looks_at is not None
        assert looks_at > moment
        moment = looks_at
    assert [kind for kind, _ in told] == ["late", "late"]
    row = await clinic.row(result)
    due = row.due_at or began
    assert told[0][1] == due - began
    if value == "7.0":
        assert [after for _, after in told] == [timedelta(hours=1), timedelta(hours=2)]
    waits = (await clinic.notices(clinic.doctor)).count("waits")
    assert waits == 3, "one reminder, and with each word to the head"
    assert await clinic.look(result) == (await clinic.row(result)).looks_at
    assert (await clinic.notices(clinic.doctor)).count("waits") == 3
    async with clinic.database.work() as session:
        (line,) = await seen.late(session, clinic.head)
        assert (line.patient, line.test, line.value) == ("", "", "")
        assert line.answers == clinic.doctor.name
    await clinic.acts.take(clinic.head, result)
    assert (await clinic.row(result)).answers_id == clinic.head.person_id
    page = await clinic.open_page(clinic.head, result)
    assert page.line.patient == clinic.who.name


async def test_who_sees_a_result(clinic: Clinic) -> None:
    """Who answers, who is asked to, and who has a way into the record; nobody else."""
    result = await clinic.take(clinic.said())
    doctor, colleague = clinic.doctor, clinic.colleague
    assert (await clinic.open_page(doctor, result)).yours

    async def closed(who: Actor) -> str:
        return await code_of(clinic.open_page(who, result))

    assert await closed(colleague) == "patient_closed"
    assert await closed(clinic.head) == "forbidden"
    assert await closed(clinic.registrar) == "forbidden"
    assert await closed(clinic.office.reviewer) == "forbidden"
    offer = await clinic.acts.offer(doctor, result, colleague.person_id, "Прошу посмотреть")
    assert not (await clinic.open_page(colleague, result)).yours
    async with clinic.database.work() as session:
        way = await ways.way_in(session, colleague, clinic.patient, now())
        assert way is not None
        assert way.name == "result"
    async with clinic.database.work() as session:
        asked = await session.get_one(LabOffer, offer)
        lapses, asked.lapses_at = asked.lapses_at, now()
        session.add(asked)
    assert await closed(colleague) == "patient_closed", "the offer has lapsed, if nobody looked yet"
    async with clinic.database.work() as session:
        (await session.get_one(LabOffer, offer)).lapses_at = lapses
    lapsed = clinic.acts.answer_offer(colleague, result, offer, OfferState.LAPSED)
    assert await code_of(lapsed) == "not_found", "only the clock lets an offer lapse"
    await clinic.acts.answer_offer(colleague, result, offer, OfferState.REFUSED)
    assert await closed(colleague) == "patient_closed"
    async with clinic.database.work() as session:
        await openings.open_for(session, colleague, clinic.patient, "consent", "", now())
    assert not (await clinic.open_page(colleague, result)).yours
    assert await code_of(clinic.confirm(colleague, result, 1)) == "not_yours"
    await clinic.confirm(doctor, result, 1)
    async with clinic.database.work() as session:
        assert await ways.way_in(session, doctor, clinic.patient, now()) is None
    assert (await clinic.open_page(doctor, result)).versions[0].confirmed_by == doctor.name


async def test_the_database_itself_refuses(clinic: Clinic) -> None:
    """Nobody answering, two offers, a confirmation that nobody saw: no code could write them."""
    result = await clinic.take(clinic.said())
    async with clinic.database.reading() as session:
        found = await session.exec(select(LabMatch.id).where(LabMatch.result_id == result))
        match_id = found.one()
    unseen = LabConfirmation(
        result_id=result,
        match_id=match_id,
        version=1,
        by=clinic.doctor.person_id,
        at=now(),
        next_step="nothing",
        follows="",
    )
    theirs = col(LabResult.id) == result
    for wrong in (
        update(LabResult).where(theirs).values(answers_id=None),
        update(LabResult).where(theirs).values(patient_id=None),
        update(LabResult).where(theirs).values(state="returned"),
    ):
        with pytest.raises(IntegrityError):
            async with clinic.database.work() as session:
                await session.exec(wrong)
    with pytest.raises(IntegrityError, match="lab_confirmation_seen"):
        async with clinic.database.work() as session:
            session.add(unseen)
    await clinic.acts.offer(clinic.doctor, result, clinic.colleague.person_id, "Прошу помочь")
    with pytest.raises(IntegrityError, match="lab_offer_one"):
        async with clinic.database.work() as session:
            session.add(
                LabOffer(
                    result_id=result,
                    from_id=clinic.doctor.person_id,
                    to_id=clinic.head.person_id,
                    reason="второе",
                    made_at=now(),
                    lapses_at=now(),
                    state="offered",
                )
            )


async def test_nothing_of_the_patient_is_in_clear(clinic: Clinic) -> None:
    """Neither in the rows, nor in facts of journal and notices, which are not encrypted."""
    result = await clinic.take(clinic.said(comment="Комментарий Секретный"))
    await clinic.open_page(clinic.doctor, result)
    await clinic.confirm(
        clinic.doctor, result, 1, next_step=NextStep.VISIT, follows="Секретное решение"
    )
    planted = [clinic.who.name, clinic.who.snils or "", "Секретн", "Калий", "5.4"]
    tables = ("lab_result", "lab_version", "lab_confirmation", "journal_entry", "notice")
    async with clinic.database.reading() as session:
        for table in tables:
            of = {"journal_entry": "chain", "lab_result": "id", "notice": "person_id"}
            value = clinic.doctor.person_id if table == "notice" else result
            query = text(
                f"select string_agg(one::text, '|') from {table} one"  # noqa: S608 - names above
                f" where {of.get(table, 'result_id')} = :value"
            )
            written = (await (await session.connection()).execute(query, {"value": value})).scalar()
            assert written
            for word in planted:
                assert word not in written, (table, word)
                assert word.encode().hex() not in written, (table, word)


async def test_acts_that_cross_leave_one_person_and_no_unseen_version(clinic: Clinic) -> None:
    """Truly at once, on connections of their own: corrections, confirmations, offers, absences."""
    results: list[UUID] = []
    deputy = clinic.colleague.person_id

    async def away(result: UUID) -> None:
        async with clinic.database.work() as session:
            day = now().date()
            absence = Absence(
                person_id=clinic.doctor.person_id, first_day=day, last_day=day, deputy_id=deputy
            )
            session.add(absence)
            await session.flush()
            await looking.person_changed(session, clinic.doctor.person_id, now())
        await clinic.look(result)
        async with clinic.database.work() as session:
            await session.delete(await session.get_one(Absence, absence.id))

    async def offered(result: UUID) -> None:
        made = await clinic.acts.offer(clinic.doctor, result, deputy, "Прошу помочь")
        await clinic.acts.answer_offer(clinic.colleague, result, made, OfferState.ACCEPTED)

    for seed in range(12):
        dice = random.Random(seed)  # noqa: S311 - repeatable, nothing secret
        first = clinic.said()
        result = await clinic.take(first)
        results.append(result)
        await clinic.open_page(clinic.doctor, result)
        acts = [
            clinic.confirm(clinic.doctor, result, 1),
            clinic.take(clinic.said(first.number, 2, value="5.9")),
            offered(result),
        ]
        if seed % 3 == 0:
            acts.append(away(result))
        dice.shuffle(acts)
        done = await asyncio.gather(*acts, return_exceptions=True)
        wrong = [one for one in done if isinstance(one, Exception) and not isinstance(one, Refusal)]
        assert wrong == []
        row = await clinic.row(result)
        assert row.version == 2
        assert row.state == ResultState.AWAITING, "nobody had seen the second version"
        await clinic.look(result)
    assert await clinic.troubles(*results) == []
