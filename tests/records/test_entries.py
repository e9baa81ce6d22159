"""Writing a record: drafts, signing, correcting, marking as entered in error (W2)."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from random import Random
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
import time_machine
from sqlmodel import SQLModel, col, select

from models.tables.journal import JournalEntry
from models.tables.patients import PatientLink
from models.tables.records import RecordDraft, RecordEntry, RecordVersion
from models.tables.schedule import Appointment
from rules.clock import now
from rules.forms.draft_edits import edit, marks
from rules.forms.fields import Field
from rules.records.entries import EntryState, OpenedFor, demand_same
from rules.refusals import Refusal
from services.records import card, history, page, retention, seen
from services.records.history import Span
from tests.records.conftest import ALLERGY, NOTE, VISIT, Writing
from tests.results.clinic import Clinic


async def refused(act: Awaitable[object]) -> Refusal:
    """The refusal that an act ends with."""
    with pytest.raises(Refusal) as caught:
        await act
    return caught.value


async def test_a_draft_is_its_authors_own_and_is_signed_once(writing: Writing) -> None:
    """Nobody else sees it, the act again has the same answer, and codes keep name and edition."""
    draft_id, opened = await writing.draft("visit", {**VISIT, "main_diagnosis": "мигрень"})
    for act in (
        writing.drafts.save(writing.colleague, draft_id, opened, {}, {}),
        writing.records.sign(writing.colleague, draft_id, opened, 0),
    ):
        assert (await refused(act)).status == 404
    await writing.drafts.discard(writing.colleague, draft_id, opened)
    both = await asyncio.gather(
        *(writing.records.sign(writing.doctor, draft_id, opened, 0) for _ in range(2))
    )
    assert both == [draft_id, draft_id]
    found = await writing.one(draft_id)
    assert found.entry.current.shown("main_diagnosis") == "G43 Мигрень"
    assert found.entry.current.codes["main_diagnosis"]["edition"] == "shipped"
    assert (
        await refused(writing.records.sign(writing.colleague, draft_id, opened, 0))
    ).status == 404
    again = await writing.drafts.begin(writing.doctor, opened, draft_id, "visit")
    assert again != draft_id, "the page was left open, and its form sent again"
    await writing.drafts.discard(writing.doctor, again, opened)
    async with writing.office.database.work() as session:
        left = await session.exec(
            select(RecordDraft.id).where(RecordDraft.author_id == writing.doctor.person_id)
        )
        assert left.all() == []
        told = await session.exec(select(JournalEntry).where(JournalEntry.chain == draft_id))
        entries = told.all()
    assert [(one.kind, one.facts) for one in entries] == [
        ("record.signed", {"patient": str(writing.first), "version": 1})
    ]


async def test_what_is_wrong_is_said_at_once(writing: Writing) -> None:
    """Missing fields, a code that is none, and a reason that is none."""
    draft_id, opened = await writing.draft(
        "visit", {"main_diagnosis": "Z99.9", "complaints": "Кашель"}
    )
    found = await refused(writing.records.sign(writing.doctor, draft_id, opened, 0))
    assert found.code == "incomplete"
    assert {"objective", "main_diagnosis", "plan"} <= {one.path for one in found.fields}
    entry_id = await writing.signed("note", NOTE)
    again, where, version = await writing.correction(writing.doctor, entry_id, "", text="Иначе")
    found = await refused(writing.records.sign(writing.doctor, again, where, version))
    assert [one.path for one in found.fields] == ["reason"]
    same, where, version = await writing.correction(writing.doctor, entry_id, text=NOTE["text"])
    found = await refused(writing.records.sign(writing.doctor, same, where, version))
    assert found.code == "nothing_changed"


async def test_a_stale_save_is_refused_and_loses_nothing(writing: Writing) -> None:
    """The later of two corrections sees what the earlier changed; nothing goes back silently."""
    entry_id = await writing.signed("allergy", ALLERGY)
    mine, opened, version = await writing.correction(
        writing.doctor, entry_id, reaction="Отёк Квинке"
    )
    other, theirs, _ = await writing.correction(
        writing.colleague, entry_id, severity="moderate", reason="Проба отрицательна"
    )
    await writing.records.sign(writing.colleague, other, theirs, version)
    found = await refused(writing.records.sign(writing.doctor, mine, opened, version))
    assert (found.code, found.facts["version"]) == ("changed_meanwhile", 2)
    assert (
        await refused(writing.records.sign(writing.doctor, mine, opened, version))
    ).status == 409
    await writing.records.sign(writing.doctor, mine, opened, 2)
    whole = await writing.one(entry_id)
    assert [one.number for one in whole.versions] == [3, 2, 1]
    assert whole.entry.current.data["reaction"] == "Отёк Квинке"
    assert whole.entry.current.data["severity"] == "moderate", "the colleague's correction stays"
    assert whole.versions[-1].data["reaction"] == ALLERGY["reaction"]
    assert whole.versions[1].reason == "Проба отрицательна"
    stale = writing.records.mark_mistaken(writing.doctor, opened, entry_id, 2, "Другой человек")
    assert (await refused(stale)).code == "changed_meanwhile"
    for _ in range(2):
        await writing.records.mark_mistaken(writing.doctor, opened, entry_id, 3, "Другой человек")
    whole = await writing.one(entry_id)
    assert whole.entry.state is EntryState.MISTAKEN
    assert whole.entry.mistaken_reason == "Другой человек"
    begun = writing.drafts.begin_correction(writing.doctor, writing.first, entry_id)
    assert (await refused(begun)).code == "not_standing"


async def test_who_may_correct(writing: Writing) -> None:
    """An author their own, everybody who treats what is shared; without a way in nobody."""
    note, allergy = await writing.signed("note", NOTE), await writing.signed("allergy", ALLERGY)
    begun = writing.drafts.begin_correction(writing.colleague, writing.first, note)
    assert (await refused(begun)).status == 403
    await writing.drafts.begin_correction(writing.colleague, writing.first, allergy)
    elsewhere = writing.drafts.begin_correction(writing.doctor, writing.second, note)
    assert (await refused(elsewhere)).status == 404
    with time_machine.travel(now() + timedelta(hours=4)):
        opened = OpenedFor(writing.first)
        for act in (
            writing.drafts.begin(writing.doctor, opened, uuid4(), "note"),
            writing.drafts.begin_correction(writing.doctor, writing.first, note),
            writing.records.mark_mistaken(writing.doctor, opened, note, 1, "Ошибка"),
            writing.one(note),
        ):
            assert (await refused(act)).code == "patient_closed"


async def test_two_tabs_with_two_patients(writing: Writing) -> None:
    """Seeded: whatever the order, each patient has what was written for them, each version once."""
    random = Random(14)  # noqa: S311
    forms = [
        await writing.draft("note", {**NOTE, "subject": f"{n}"}, patient_id)
        for n in range(6)
        for patient_id in (writing.first, writing.second)
    ]
    wanted: dict[UUID, set[str]] = {writing.first: set(), writing.second: set()}
    for n, (draft_id, opened) in enumerate(forms):
        wrong = OpenedFor(writing.second if opened.patient_id == writing.first else writing.first)
        acts: list[Callable[[], Awaitable[object]]] = [
            lambda d=draft_id, o=wrong: writing.records.sign(writing.doctor, d, o, 0),  # type: ignore[misc]
            lambda d=draft_id, o=wrong: writing.drafts.save(
                writing.doctor, d, o, {"text": "x"}, {}
            ),  # type: ignore[misc]
        ]
        for act in random.sample(acts, 2):
            assert (await refused(act())).code == "another_patient"
        if random.random() < 0.7:
            await writing.records.sign(writing.doctor, draft_id, opened, 0)
            wanted[opened.patient_id].add(f"{n // 2}")
    async with writing.office.database.work() as session:
        for patient_id, subjects in wanted.items():
            found = await seen.entries(session, [patient_id])
            assert {one.current.about for one in found} == subjects
            assert all(one.current.data["text"] == NOTE["text"] for one in found)
    entry_id = await writing.signed("allergy", ALLERGY)
    tabs = [
        await writing.correction(who, entry_id, reaction=f"Отёк {n}")
        for n, who in enumerate((writing.doctor, writing.colleague))
    ]
    for _ in range(4):
        who = {tabs[0][0]: writing.doctor, tabs[1][0]: writing.colleague}
        answers = await asyncio.gather(
            *(
                writing.records.sign(who[draft_id], draft_id, opened, version)
                for draft_id, opened, version in random.sample(tabs, 2)
            ),
            return_exceptions=True,
        )
        won = [one for one in answers if not isinstance(one, BaseException)]
        assert len(won) == 1, "exactly one of two at once"
        tabs = [
            await writing.correction(one, entry_id, reaction=f"Отёк {random.random()}")
            for one in (writing.doctor, writing.colleague)
        ]
        now_at = (await writing.one(entry_id)).entry.version
        tabs = [(draft_id, opened, now_at) for draft_id, opened, _ in tabs]
    numbers = [one.number for one in (await writing.one(entry_id)).versions]
    assert numbers == [5, 4, 3, 2, 1]


def test_a_thousand_orders_of_two_windows() -> None:
    """Seeded: of one form open twice, nothing is overwritten unseen, and a wrong patient never
    gets through."""
    fields = {name: Field(name=name, label=name) for name in ("a", "b")}
    here, there = OpenedFor(uuid4()), OpenedFor(uuid4())
    for seed in range(1000):
        random = Random(seed)  # noqa: S311
        kept: dict[str, str] = {"a": "0", "b": "0"}
        windows = [(dict(kept), marks(fields, kept)) for _ in range(2)]
        for n in range(6):
            which = random.randrange(2)
            typed, shown = windows[which]
            opened = random.choice((here, there))
            if opened != here:
                with pytest.raises(Refusal, match="another_patient"):
                    demand_same(opened, here)
                continue
            typed[random.choice("ab")] = f"{seed} {n}"
            before = dict(kept)
            made = edit(fields, typed, shown, kept)
            kept.update(made.changes)
            for name in fields:
                was_shown = shown[name] == marks(fields, before)[name]
                assert kept[name] == before[name] or was_shown, "only what was seen is replaced"
            for name in made.clashes:
                typed[name] = kept[name]
            windows[which] = (typed, marks(fields, kept | typed))


async def test_the_page_shows_what_warns_and_what_is_new(writing: Writing) -> None:
    """The worst allergy first; what others wrote or corrected since one's own last entry."""
    await writing.signed("allergy", {**ALLERGY, "substance": "Пыльца", "severity": "mild"})
    await writing.signed("allergy", ALLERGY)
    first = await writing.signed("note", NOTE)

    async def shown(actor: object, span: Span = Span(), source: str = "") -> page.RecordPage:  # noqa: B008
        async with writing.office.database.work() as session:
            return await page.page(session, actor, writing.first, now(), span, source)  # type: ignore[arg-type]

    seen_first = await shown(writing.colleague)
    assert [one.current.about for one in seen_first.head.warnings] == ["Пенициллин", "Пыльца"]
    assert seen_first.last_seen is None
    assert seen_first.news == []
    assert seen_first.drafts == []
    opened = OpenedFor(writing.first)
    theirs = await writing.drafts.begin(writing.colleague, opened, uuid4(), "note")
    await writing.drafts.save(writing.colleague, theirs, opened, {**NOTE, "subject": "Новое"}, {})
    await writing.records.sign(writing.colleague, theirs, opened, 0)
    again = await shown(writing.colleague)
    assert again.last_seen is not None
    assert again.news == []
    corrected, where, version = await writing.correction(writing.doctor, first, text="Иначе")
    await writing.records.sign(writing.doctor, corrected, where, version)
    again = await shown(writing.colleague)
    assert [(one.ref, one.by) for one in again.news] == [(first, writing.doctor.person_id)]
    mine = await shown(writing.doctor)
    assert [one.ref for one in mine.news] == [theirs], "a correction reads nothing"
    only = await shown(writing.doctor, Span(kind="allergy"), history.ENTRIES)
    assert [one.title for one in only.lines] == ["Аллергия или непереносимость"] * 2
    assert (await shown(writing.doctor, Span(since=now() + timedelta(days=1)))).lines == []


async def test_signing_in_an_encounter_hides_nothing_that_is_unread(writing: Writing) -> None:
    """«С прошлого приёма» counts from the encounter before this one, whatever is signed in this."""
    clinic = await Clinic.open(writing.office)
    patient, first, unread = clinic.patient, now(), []
    visit = Appointment(
        clinician_id=writing.doctor.person_id,
        patient_id=patient,
        unit_id=writing.office.ward,
        starts_at=first + timedelta(days=2),
        ends_at=first + timedelta(days=2, minutes=15),
        wall=first.replace(tzinfo=None),
        zone="Europe/Moscow",
        state="no_show",
        changed_at=first + timedelta(days=2),
        booked_by=writing.doctor.person_id,
    )

    async def news() -> page.RecordPage:
        async with writing.office.database.work() as session:
            return await page.page(session, writing.doctor, patient, now(), Span(), "")

    await writing.open_to(writing.doctor, patient)
    assert (await news()).last_seen is None
    unread.append(await clinic.take(clinic.said(patient={"name": "Никто Неизвестный"})))
    await writing.signed("note", NOTE, patient)
    with time_machine.travel(first + timedelta(days=1)):
        await clinic.acts.match(clinic.registrar, unread[0], patient, 1)
        unread.append(await clinic.take(clinic.said()))
    async with writing.office.database.work() as session:
        session.add(visit)
    with time_machine.travel(first + timedelta(days=7)):
        await writing.open_to(writing.doctor, patient)
        for _ in range(2):
            found = await news()
            assert {one.ref for one in found.news} == {visit.id, *unread}
            assert found.last_seen is not None
            assert found.last_seen < first + timedelta(hours=1), "the encounter a week ago"
            await writing.signed("note", {**NOTE, "subject": "Сегодня"}, patient)
    with time_machine.travel(first + timedelta(days=8)):
        await writing.open_to(writing.doctor, patient)
        assert (await news()).news == []


async def test_a_result_is_news_until_it_is_opened_there(writing: Writing) -> None:
    """A result heard since the last visit is named among the news, and never its value."""
    clinic = await Clinic.open(writing.office)
    await writing.open_to(writing.doctor, clinic.patient)
    await writing.signed("note", NOTE, clinic.patient)
    result = await clinic.take(clinic.said())
    async with writing.office.database.work() as session:
        found = await page.page(session, writing.doctor, clinic.patient, now(), Span(), "")
    assert [(one.source, one.ref, one.title) for one in found.news] == [
        ("results", result, "Результат вне нормы")
    ]
    assert "5.4" not in "".join(one.about for one in found.lines)


async def test_patients_who_are_one_have_one_history(writing: Writing) -> None:
    """Each line says under whom it was written; a correction stays there; parting parts it."""
    theirs = await writing.signed("note", {**NOTE, "subject": "Другой"}, writing.second)
    await writing.signed("note", NOTE)
    at = now()
    link = PatientLink(
        from_id=writing.second,
        to_id=writing.first,
        reason="Один человек",
        proposed_by=writing.doctor.person_id,
        proposed_at=at,
        made_by=writing.colleague.person_id,
        made_at=at,
    )
    async with writing.office.database.work() as session:
        session.add(link)
    correction = await writing.drafts.begin_correction(writing.doctor, writing.first, theirs)
    assert correction.patient_id == writing.second

    async def lines() -> dict[UUID, UUID]:
        async with writing.office.database.work() as session:
            found = await page.page(session, writing.doctor, writing.first, now(), Span(), "")
        return {one.ref: one.patient_id for one in found.lines}

    together = await lines()
    assert together[theirs] == writing.second
    assert len(together) == 2
    async with writing.office.database.work() as session:
        row = await session.get_one(PatientLink, link.id)
        row.ended_at, row.ended_by = now(), writing.doctor.person_id
    assert theirs not in await lines()
    assert (await refused(writing.one(theirs))).status == 404


async def test_a_visit_of_another_patient_takes_no_entry(writing: Writing) -> None:
    """An entry names a visit of its own patient; a form without it is not the same form."""
    starts = now() + timedelta(days=1)
    visit = Appointment(
        clinician_id=writing.doctor.person_id,
        patient_id=writing.first,
        unit_id=writing.office.ward,
        starts_at=starts,
        ends_at=starts + timedelta(minutes=15),
        wall=starts.replace(tzinfo=None),
        zone="Europe/Moscow",
        state="completed",
        changed_at=now(),
        booked_by=writing.doctor.person_id,
    )
    async with writing.office.database.work() as session:
        session.add(visit)
    wrong = OpenedFor(writing.second, visit.id)
    begun = writing.drafts.begin(writing.doctor, wrong, uuid4(), "visit")
    assert (await refused(begun)).status == 404
    opened = OpenedFor(writing.first, visit.id)
    draft_id = await writing.drafts.begin(writing.doctor, opened, uuid4(), "note")
    other = writing.drafts.save(writing.doctor, draft_id, OpenedFor(writing.first), NOTE, {})
    assert (await refused(other)).code == "another_patient"
    await writing.drafts.save(writing.doctor, draft_id, opened, NOTE, {})
    await writing.records.sign(writing.doctor, draft_id, opened, 0)
    assert (await writing.one(draft_id)).entry.visit_id == visit.id
    async with writing.office.database.work() as session:
        found = await page.page(session, writing.colleague, writing.first, now(), Span(), "visits")
    assert [one.title for one in found.lines] == ["Приём состоялся"]


async def test_the_card_on_paper(writing: Writing) -> None:
    """PDF/A with what was corrected and what was a mistake; printing is a look of its own."""
    await writing.signed("visit", VISIT)
    entry_id = await writing.signed("note", NOTE)
    draft, opened, version = await writing.correction(writing.doctor, entry_id, text="Иначе")
    await writing.records.sign(writing.doctor, draft, opened, version)
    await writing.records.mark_mistaken(writing.doctor, opened, entry_id, 2, "Другой человек")
    made = await card.print_card(writing.office.database, writing.doctor, writing.first, "ГКБ № 7")
    assert made.startswith(b"%PDF-1.7")
    assert b"pdfaid:part" in made


async def test_only_the_term_of_keeping_erases(writing: Writing) -> None:
    """25 years after the last entry the contents go, with those of the journal; rows stay."""
    zone = ZoneInfo("Europe/Moscow")
    entry_id = await writing.signed("note", NOTE)
    draft, opened, version = await writing.correction(writing.doctor, entry_id, text="Иначе")
    await writing.records.sign(writing.doctor, draft, opened, version)
    database = writing.office.database
    ends = now().replace(year=now().year + 26, month=1, day=2)
    with time_machine.travel(ends - timedelta(days=10), tick=False):
        assert await retention.erase_due(database, zone) == 0
    with time_machine.travel(ends, tick=False):
        assert await retention.erase_due(database, zone) >= 1
        assert await retention.erase_due(database, zone) == 0
    async with database.work() as session:
        entry = await session.get_one(RecordEntry, entry_id)
        assert entry.erased_at is not None
        versions = await session.exec(
            select(RecordVersion).where(RecordVersion.entry_id == entry_id)
        )
        assert [(one.data, one.reason) for one in versions.all()] == [({}, None)] * 2
        told = await session.exec(
            select(JournalEntry)
            .where(JournalEntry.chain == entry_id)
            .order_by(col(JournalEntry.position))
        )
        entries = told.all()
    assert [one.kind for one in entries][-1] == "record.erased"
    assert all(one.contents is None for one in entries)


async def test_what_is_written_is_found_nowhere_without_a_key(
    writing: Writing, capsys: pytest.CaptureFixture[str]
) -> None:
    """Planted words of a draft, an entry, a correction and its reasons are in no table and log."""
    planted = [f"Ъ{uuid4().hex}" for _ in range(5)]
    await writing.draft("note", {**NOTE, "text": planted[0]})
    entry_id = await writing.signed("note", {**NOTE, "subject": planted[1]})
    draft, opened, version = await writing.correction(
        writing.doctor, entry_id, planted[2], text=planted[3]
    )
    await writing.records.sign(writing.doctor, draft, opened, version)
    await writing.records.mark_mistaken(writing.doctor, opened, entry_id, 2, planted[4])
    whole = await writing.one(entry_id)
    assert [whole.versions[0].reason, whole.entry.mistaken_reason] == [planted[2], planted[4]]
    async with writing.office.database.line() as line:
        dumped = ""
        for table in SQLModel.metadata.sorted_tables:
            found = await line.execute(f'select t::text from "{table.name}" t')  # noqa: S608
            dumped += "".join(row[0] for row in await found.fetchall())
    said = capsys.readouterr()
    for word in planted:
        for coded in (word, word.encode().hex()):
            assert coded not in dumped
        assert word not in said.out + said.err
