"""The life of a service request in the database: every arrow, and what must not happen (S1-S6)."""

import asyncio
from uuid import uuid4

import pytest

from rules.cases import CaseKind, Status, Transition
from rules.refusals import Refusal
from services import case_lists, case_pages
from services.case_lists import Filters
from services.cases import Act
from tests.requests.counter import FORMS, Counter


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
    assert [ring.signal for _, ring in counter.office.heard.rings] == [Transition.SUBMIT]


async def test_catalogue_is_in_its_order(counter: Counter) -> None:
    """S1: the types of the file are offered, and only those."""
    offered = [one.key for one in await counter.requests.types(counter.clinician)]
    assert offered == list(FORMS)


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
        page = await case_pages.page(session, counter.clinician, case_id)
    assert page.newest is not None
    assert page.newest.data["clinic_licence"] == "ЛО-37-02-000001"


async def test_lists_tell_kinds_apart_and_name_the_type(counter: Counter) -> None:
    """A list of requests holds no applications, and says what was requested in words."""
    await counter.office.submitted()
    case_id = await counter.sent()
    async with counter.database.work() as session:
        listing = await case_lists.mine(session, counter.clinician, Filters(kind=CaseKind.REQUEST))
    assert [(line.id, line.title) for line in listing.lines] == [(case_id, "Справка о прививках")]
