"""The life of a service request in the database: every arrow, and what must not happen (S1-S6)."""

import asyncio
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import update
from sqlmodel import col

from models.tables.catalogue import CaseTypeVersion
from ops.local.home import CHECKOUT
from rules.cases.process import CaseKind, Status, Transition
from rules.refusals import Refusal
from services.cases import lists as case_lists
from services.cases.acts import Act
from services.cases.lists import Filters
from services.catalogue import loading
from services.catalogue import lookup as catalogue
from services.dossier import page as dossier
from tests.shared.counter import FORMS, Counter
from tests.shared.office import SNILS

TYPE = """
types:
  - key: {key}
    version: {version}
    kind: request
    title: Пропуск на стоянку
    channel: desk
    addressee: supply
    answer: message
    terms: {{review: {days}, review_reminders: []}}
    sections:
      - name: car
        title: Об автомобиле
        fields:
          - name: car
            label: {label}
            pattern: "[А-Я][0-9]{{3}}[А-Я]{{2}}[0-9]{{2,3}}"
            example: А123ВС77
"""


@pytest.mark.parametrize("type_key", FORMS)
async def test_every_type_can_be_sent(counter: Counter, type_key: str) -> None:
    """S1, S2, S3: each type of the catalogue has a form that can be filled in, and is numbered."""
    case = await counter.office.case(await counter.sent(type_key))
    assert case.kind == CaseKind.REQUEST
    assert case.status == Status.ACCEPTED
    assert case.number is not None
    assert case.number.startswith("ЗС-")
    assert case.due_at is not None
    await asyncio.sleep(0)
    assert [signal.signal for _, signal in counter.office.heard.signals] == [Transition.SUBMIT]


async def test_catalogue_is_in_its_order(counter: Counter) -> None:
    """S1: the types of the file are offered, and only those."""
    offered = [one.key for one in await counter.requests.types(counter.clinician)]
    assert [key for key in offered if key in FORMS] == list(FORMS)


async def test_wrong_values_are_named_and_nothing_is_sent(counter: Counter) -> None:
    """S2: what is checked while typing is refused on the server too, field by field."""
    case_id = await counter.draft(
        "laboratory_results", patient_id="5400 0000 0000 0007", laboratory_licence="Л041-1"
    )
    with pytest.raises(Refusal) as refused:
        await counter.requests.submit(counter.clinician, case_id, Act(uuid4(), 0))
    assert refused.value.status == 422
    assert {one.path for one in refused.value.fields} == {"patient_id", "laboratory_licence"}
    assert (await counter.office.case(case_id)).number is None


async def test_licences_of_both_forms_are_read_with_latin_twins(counter: Counter) -> None:
    """S2: «ЛO-37…» with a Latin O is the licence that was meant."""
    case_id = await counter.sent("examination_certificate")
    async with counter.database.work() as session:
        page = await dossier.page(session, counter.clinician, case_id)
    assert page.newest is not None
    assert page.newest.data["clinic_licence"] == "ЛО-37-02-000001"


async def test_lists_tell_kinds_apart_and_name_the_type(counter: Counter) -> None:
    """A list of requests holds no applications, and says what was requested in words."""
    await counter.office.submitted()
    case_id = await counter.sent()
    async with counter.database.work() as session:
        listing = await case_lists.mine(session, counter.clinician, Filters(kind=CaseKind.REQUEST))
    assert [(line.id, line.title) for line in listing.lines] == [(case_id, "Справка о прививках")]


async def test_draft_keeps_wrong_values_and_says_so(counter: Counter) -> None:
    """S2: while typing, the check of the server names the field, and nothing typed is lost."""
    case = await counter.requests.create_draft(counter.clinician, "vaccination_certificate")
    assert (case.draft or {})["snils"] == SNILS
    case, errors = await counter.requests.save_draft(
        counter.clinician, case.id, {"birth_date": "31.02.1985", "snils": "112-233-445 96"}
    )
    assert {one.path for one in errors} == {"birth_date", "snils"}
    assert (case.draft or {})["birth_date"] == "31.02.1985"


async def test_same_act_again_gives_the_same_number(counter: Counter) -> None:
    """A double click sends once."""
    case_id = await counter.draft()
    act = Act(uuid4(), 0)
    first = await counter.requests.submit(counter.clinician, case_id, act)
    again = await counter.requests.submit(counter.clinician, case_id, act)
    assert (again.number, again.step) == (first.number, first.step)


async def test_withdrawn_request_can_be_copied_and_not_corrected(counter: Counter) -> None:
    """«Отозван» is an end; what was filled in is not typed again."""
    case_id = await counter.sent()
    act = await counter.act(case_id)
    await counter.requests.withdraw(counter.clinician, case_id, act, "Передумала.")
    with pytest.raises(Refusal) as refused:
        await counter.requests.save_draft(counter.clinician, case_id, {"purpose": "Иначе"})
    assert refused.value.code == "not_now"
    copied = await counter.requests.copy(counter.clinician, case_id)
    assert (copied.draft or {})["purpose"] == FORMS["vaccination_certificate"]["purpose"]
    assert copied.number is None


async def test_request_keeps_the_version_of_its_type(counter: Counter, tmp_path: Path) -> None:
    """S1: a type comes, and changes, by a file alone; what began before keeps its form and term."""
    key = f"parking_{uuid4().hex[:8]}"
    for version, label in ((1, "Номер автомобиля"), (2, "Номер и марка автомобиля")):
        file = tmp_path / f"{version}.yaml"
        file.write_text(TYPE.format(key=key, version=version, label=label, days=version), "utf-8")
        async with counter.database.work() as session:
            await loading.load(session, [file])
        if version == 1:
            case = await counter.requests.create_draft(counter.clinician, key)
    await counter.requests.save_draft(counter.clinician, case.id, {"car": "А123ВС 77"})
    with pytest.raises(Refusal):
        await counter.requests.submit(counter.clinician, case.id, Act(uuid4(), 0))
    await counter.requests.save_draft(counter.clinician, case.id, {"car": "А123ВС77"})
    await counter.requests.submit(counter.clinician, case.id, Act(uuid4(), 0))
    async with counter.database.work() as session:
        page = await dossier.page(session, counter.clinician, case.id)
    assert page.definition.fields["car"].label == "Номер автомобиля"
    newest = {one.key: one for one in await counter.requests.types(counter.clinician)}
    assert newest[key].fields["car"].label == "Номер и марка автомобиля"


async def test_copy_has_only_what_the_newest_form_asks_for(
    counter: Counter, tmp_path: Path
) -> None:
    """S1, S6: what a new version of the form dropped does not stand in the way of sending."""
    key = f"parking_{uuid4().hex[:8]}"
    first = TYPE.format(key=key, version=1, label="Номер", days=1)
    more = "          - {name: colour, label: Цвет}\n    attachments: [{kind: other, title: СТС}]\n"
    for number, text in ((1, first + more), (2, first.replace("version: 1", "version: 2"))):
        file = tmp_path / f"{number}.yaml"
        file.write_text(text, "utf-8")
        async with counter.database.work() as session:
            await loading.load(session, [file])
        if number == 1:
            case = await counter.requests.create_draft(counter.clinician, key)
    paper = await counter.office.document(counter.clinician, "other")
    await counter.requests.save_draft(
        counter.clinician,
        case.id,
        {"car": "А123ВС77", "colour": "белый"},
        [{"kind": "other", "document_version_id": str(paper)}],
    )
    await counter.requests.submit(counter.clinician, case.id, Act(uuid4(), 0))
    act = await counter.act(case.id)
    await counter.requests.withdraw(counter.clinician, case.id, act, "Передумала.")
    copied = await counter.requests.copy(counter.clinician, case.id)
    state = await counter.requests.submit(counter.clinician, copied.id, Act(uuid4(), 0))
    assert state.status == Status.ACCEPTED
    async with counter.database.work() as session:
        page = await dossier.page(session, counter.clinician, copied.id)
    assert page.newest is not None
    assert page.newest.data == {"car": "А123ВС77"}
    assert not page.newest.attachments


async def test_type_of_a_unit_that_is_not_here_is_not_offered(
    counter: Counter, tmp_path: Path
) -> None:
    """An installation without such a unit is not asked for what nobody would answer."""
    key = f"nowhere_{uuid4().hex[:8]}"
    file = tmp_path / "type.yaml"
    text = TYPE.format(key=key, version=1, label="Номер", days=1)
    file.write_text(text.replace("addressee: supply", "addressee: observatory"), "utf-8")
    async with counter.database.work() as session:
        await loading.load(session, [file])
    assert key not in {one.key for one in await counter.requests.types(counter.clinician)}
    with pytest.raises(Refusal) as refused:
        await counter.requests.create_draft(counter.clinician, key)
    assert refused.value.status == 404


async def test_loading_the_catalogue_again_changes_nothing(counter: Counter) -> None:
    """Definitions stored before requests had a channel are still the same definitions."""
    files = sorted((CHECKOUT / "ops" / "data").glob("*.yaml"))
    async with counter.database.work() as session:
        await loading.load(session, files)
        version = (await catalogue.case_type(session, "qualification")).version
        stored = await session.get_one(CaseTypeVersion, ("qualification", version))
        known = {"hint", "order", "channel", "service", "recipient", "answer"}
        older = {key: value for key, value in stored.definition.items() if key not in known}
        await session.exec(
            update(CaseTypeVersion)
            .where(
                col(CaseTypeVersion.key) == "qualification",
                col(CaseTypeVersion.version) == version,
            )
            .values(definition=older)
        )
        assert not await loading.load(session, files)
