"""The line to the gov-service module: hand over, ask, answers; and each of its faults (S3, O2)."""

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator, Callable
from io import BytesIO
from uuid import uuid4

import pikepdf
import pytest

from clients.gov_service import (
    Acknowledgement,
    GovService,
    GovServiceDown,
    GovServiceGarbled,
    GovServiceRefused,
)
from services.gov_service.envelopes import EnvelopeRefused
from services.gov_service.messages import GovServiceFile
from services.requests.paper import RequestField
from services.webhooks import verified
from settings import Settings
from tests.gov_service.line import NOWHERE, Line, facts, request_of
from tests.gov_service.listener import listening
from tests.shared.servers import Simulators
from tests.shared.waiting import PATIENCE


@pytest.fixture
async def line(settings: Settings) -> AsyncIterator[Line]:
    """A client that waits for a busy machine; all switches off before and after."""
    async with GovService(settings, timeout=PATIENCE) as module:
        opened = Line(settings, module)
        opened.fault()
        opened.behave()
        yield opened
        opened.fault()
        opened.behave()


async def test_a_request_is_acknowledged_worked_on_and_answered(line: Line) -> None:
    """The states follow from receipts; the answer opens, and its signed PDF is whole (S4)."""
    line.behave(delay=0.9)
    id_, receipt = await line.hand_over()
    assert (receipt.state, receipt.envelope) == ("accepted", None)
    states = set()
    began = time.monotonic()
    while time.monotonic() < began + PATIENCE and "answered" not in states:
        states.add((receipt := await line.module.ask(id_)).state)
    assert states >= {"working", "answered"}
    opened, answer = line.read(id_, receipt)
    assert opened.signer == "Модуль госуслуг (тест)"
    assert (answer.outcome, answer.number, answer.version) == ("answered", facts().number, 1)
    pdf, data = answer.files
    assert b"/ETSI.CAdES.detached" in pdf.content
    assert json.loads(data.content)["results"] == answer.data["results"] != []
    with pikepdf.open(BytesIO(pdf.content)) as document:
        assert answer.document_number in str(document.docinfo["/Title"])


@pytest.mark.parametrize(
    ("service", "kind", "files"),
    [
        ("vaccination-certificates", "certificate", 2),
        ("examination-certificates", "certificate", 1),
        ("laboratory-results", "results", 2),
        ("qualification-confirmations", "confirmation", 1),
        ("insurance", "confirmation", 1),
        ("a-service-of-tomorrow", "certificate", 1),
    ],
)
async def test_each_kind_of_service_has_its_answer(
    line: Line, service: str, kind: str, files: int
) -> None:
    """Certificates, results with their data, confirmations; a new service needs no code (S1)."""
    id_, _ = await line.hand_over(request_of(facts(), service=service))
    _, answer = line.read(id_, await line.answered(id_))
    assert (answer.data["kind"], len(answer.files)) == (kind, files)
    assert answer.files[0].content.startswith(b"%PDF-")


async def test_attachments_arrive_whole(line: Line) -> None:
    """Ten megabytes and an empty file: listed in the document by their digests, and let through."""
    files = [
        GovServiceFile.of("Снимок.pdf", "application/pdf", bytes(range(256)) * 40_000),
        GovServiceFile.of("Пусто.txt", "text/plain", b""),
    ]
    _, receipt = await line.hand_over(request_of(facts(), *files))
    assert receipt.state == "accepted"


async def test_the_same_message_is_taken_once(line: Line) -> None:
    """Handed over again after a lost reply, sealed anew: the same message, one answer (A6)."""
    line.behave(delay=1000)
    id_, first = await line.hand_over()
    for _ in range(3):
        _, again = await line.hand_over(id_=id_)
        assert again.at == first.at
    line.behave()
    await line.answered(id_)
    _, after = await line.hand_over(id_=id_)
    assert after.state == "answered"
    kept = line.kept(id_)
    assert (kept["handed_over"], kept["answers"]) == (5, 1)


async def test_other_contents_under_the_same_id_are_refused(line: Line) -> None:
    """A message means one thing for ever."""
    id_, _ = await line.hand_over()
    with pytest.raises(GovServiceRefused) as caught:
        await line.hand_over(request_of(facts(version=2)), id_)
    assert caught.value.code == "other_contents"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("Отказ от проведения", "Уточните запрос"),
        ("7700 0099 9999 9997", "не найден"),
    ],
)
async def test_the_module_refuses_by_its_rules(line: Line, value: str, words: str) -> None:
    """The reason comes signed, in words for the applicant (S4)."""
    told = facts(fields=(RequestField("Поле", value, value),))
    id_, _ = await line.hand_over(request_of(told))
    receipt = await line.answered(id_)
    _, answer = line.read(id_, receipt)
    assert (receipt.state, answer.outcome, answer.files) == ("refused", "refused", ())
    assert words in answer.reason


async def test_what_was_not_sealed_for_it_is_refused(line: Line) -> None:
    """Rubbish, a changed envelope, one of another message: a typed refusal, nothing kept."""
    request = request_of(facts())
    id_ = uuid4()
    good = line.envelopes.wrap(request.packed(), message_id=id_)
    changed = good[:-1] + bytes([good[-1] ^ 1])
    about_other = line.envelopes.wrap(request.packed(), message_id=uuid4())
    for envelope, code in (
        (b"rubbish", "unreadable"),
        (changed, "not_decrypted"),
        (about_other, "other_message"),
    ):
        with pytest.raises(GovServiceRefused) as caught:
            await line.module.hand_over(id_, request.service, envelope, NOWHERE)
        assert caught.value.code == code
    with pytest.raises(GovServiceRefused) as caught:
        await line.module.ask(id_)
    assert caught.value.code == "unknown_message"


async def test_a_document_about_something_else_is_refused(line: Line) -> None:
    """The envelope says another number than the document inside, or brings a file it hides."""
    request = request_of(facts())
    stray = GovServiceFile.of("Чужой.pdf", "application/pdf", b"%PDF-")
    for wrong in (
        request.model_copy(update={"number": "ЗС-2026-000999-0"}),
        request.model_copy(update={"attachments": (stray,)}),
        request.model_copy(update={"document": stray}),
    ):
        with pytest.raises(GovServiceRefused) as caught:
            await line.hand_over(wrong)
        assert caught.value.code == "document_unreadable"


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("garbled", "unreadable"),
        ("tampered", "not_decrypted"),
        ("other_message", "other_message"),
        ("other_signer", "unknown_signer"),
    ],
)
async def test_an_answer_that_does_not_verify_is_refused(line: Line, fault: str, code: str) -> None:
    """Whatever its receipt says."""
    line.behave(answer=fault)
    id_, _ = await line.hand_over()
    receipt = await line.answered(id_)
    with pytest.raises(EnvelopeRefused) as caught:
        line.read(id_, receipt)
    assert caught.value.code.value == code


async def test_an_answer_says_what_it_answers(line: Line) -> None:
    """An answer to another request is well sealed and still shows itself."""
    line.behave(answer="other_request")
    id_, _ = await line.hand_over()
    _, answer = line.read(id_, await line.answered(id_))
    assert answer.number != facts().number


@pytest.mark.parametrize(
    ("mode", "error"),
    [
        ("fail", GovServiceDown),
        ("silent", GovServiceDown),
        ("slow", GovServiceDown),
        ("cut", GovServiceDown),
        ("garbage", GovServiceGarbled),
    ],
)
async def test_a_fault_of_the_line_is_an_outage_in_time(
    line: Line, mode: str, error: type[Exception]
) -> None:
    """Every fault ends within the timeout and is told as down; afterwards all goes on."""
    line.fault(mode, seconds=5)
    id_ = uuid4()
    async with GovService(line.settings, timeout=1.0) as hasty:
        for asking in (Line(line.settings, hasty).hand_over(id_=id_), hasty.ask(id_)):
            with pytest.raises(error):
                await asking
    line.fault()
    await line.hand_over(id_=id_)
    assert (await line.answered(id_)).state == "answered"


async def test_a_module_that_lost_everything_says_so(line: Line) -> None:
    """Then the message is handed over again, under the same id."""
    id_, _ = await line.hand_over()
    line.forget()
    with pytest.raises(GovServiceRefused) as caught:
        await line.module.ask(id_)
    assert caught.value.code == "unknown_message"
    assert (await line.hand_over(id_=id_))[1].state == "accepted"


async def test_a_wrong_address_is_not_taken_for_a_refusal(line: Line) -> None:
    """A 404 of something else is an outage, not the module's word."""
    astray = line.settings.model_copy(
        update={"gov_service_url": f"{line.settings.gov_service_url}/wrong"}
    )
    async with GovService(astray) as module:
        with pytest.raises(GovServiceGarbled):
            await module.ask(uuid4())


async def test_a_module_that_is_not_there_is_down(
    settings: Settings, unused_tcp_port_factory: Callable[[], int]
) -> None:
    """A refused connection is an outage."""
    nowhere = f"http://127.0.0.1:{unused_tcp_port_factory()}"
    async with GovService(settings.model_copy(update={"gov_service_url": nowhere})) as module:
        with pytest.raises(GovServiceDown):
            await module.ask(uuid4())


async def test_callbacks_are_signed_and_tell_the_states(line: Line) -> None:
    """One for work, one for the answer, each with an id of its own; the answer opens (S4)."""
    line.behave(delay=0.6)
    secrets = line.settings.gov_service_callback_secret.get_secret_value()
    async with listening() as listener:
        id_, _ = await line.hand_over(callback=listener.url)
        await listener.until(lambda: len(listener.calls) == 2)
        assert len({verified(each.body, each.headers, secrets) for each in listener.calls}) == 2
        told = [json.loads(each.body) for each in listener.calls]
        assert [each["state"] for each in told] == ["working", "answered"]
        assert {each["message_id"] for each in told} == {str(id_)}
        line.read(id_, Acknowledgement.model_validate(told[1]))


async def test_a_callback_that_fails_is_tried_again(line: Line) -> None:
    """The same id and the same body, until it is taken."""
    line.behave(delay=0.0)
    async with listening() as listener:
        listener.answers = [503, 500, 204]
        await line.hand_over(callback=listener.url)
        await listener.until(lambda: len(listener.calls) == 3)
        assert len({each.headers["webhook-id"] for each in listener.calls}) == 1
        assert len({each.body for each in listener.calls}) == 1


async def test_an_answer_given_twice_differs_and_both_are_told(line: Line) -> None:
    """Two answers, two callbacks; which one counts is ours to decide."""
    line.behave(delay=0.0, twice=True)
    async with listening() as listener:
        id_, _ = await line.hand_over(callback=listener.url)
        await listener.until(lambda: len(listener.calls) == 2)
        receipts = [Acknowledgement.model_validate_json(each.body) for each in listener.calls]
        first, second = (line.read(id_, each)[1].document_number for each in receipts)
        assert first != second
        assert line.kept(id_)["answers"] == 2


async def test_a_message_taken_back_is_left_and_told_of_no_more(line: Line) -> None:
    """The module stops, makes no further call, and says the same however often it is told."""
    line.behave(delay=3)
    async with listening() as listener:
        id_, _ = await line.hand_over(callback=listener.url)
        await listener.until(lambda: len(listener.calls) == 1)
        for _ in range(2):
            assert (await line.take_back(id_)).state == "withdrawn"
        await asyncio.sleep(3.2)
        assert (await line.module.ask(id_)).state == "withdrawn"
        assert len(listener.calls) == 1
    assert (await line.hand_over(id_=id_))[1].state == "withdrawn"
    assert "Отозван" in line.page()


async def test_a_message_taken_back_too_late_keeps_its_answer(line: Line) -> None:
    """What was answered is said in the reply."""
    id_, _ = await line.hand_over()
    await line.answered(id_)
    receipt = await line.take_back(id_)
    assert (receipt.state, receipt.envelope is None) == ("answered", False)


async def test_nobody_else_can_take_a_message_back(line: Line) -> None:
    """Unsealed, sealed for another message, about another request, or a request sent again."""
    line.behave(delay=1000)
    id_, _ = await line.hand_over()
    sealed = line.envelopes.wrap(line.withdrawal().packed(), message_id=uuid4())
    again = line.envelopes.wrap(request_of(facts()).packed(), message_id=id_)
    other = line.envelopes.wrap(line.withdrawal(version=2).packed(), message_id=id_)
    for envelope, code in (
        (b"rubbish", "unreadable"),
        (sealed, "other_message"),
        (again, "message_unreadable"),
        (other, "other_request"),
    ):
        with pytest.raises(GovServiceRefused) as caught:
            await line.module.withdraw(id_, envelope)
        assert caught.value.code == code
    with pytest.raises(GovServiceRefused) as caught:
        await line.take_back(uuid4())
    assert caught.value.code == "unknown_message"
    assert (await line.module.ask(id_)).state == "accepted"


async def test_lost_callbacks_are_never_made(line: Line) -> None:
    """The answer is there for whoever asks."""
    line.behave(callbacks="lost")
    async with listening() as listener:
        id_, _ = await line.hand_over(callback=listener.url)
        assert (await line.answered(id_)).state == "answered"
        await asyncio.sleep(0.3)
        assert listener.calls == []


@pytest.mark.parametrize("fault", ["unsigned", "late", "foreign"])
async def test_spoilt_callbacks_do_not_verify(line: Line, fault: str) -> None:
    """Without signature, a year old, or by another secret."""
    line.behave(delay=0.0, callbacks=fault)
    secrets = line.settings.gov_service_callback_secret.get_secret_value()
    async with listening() as listener:
        await line.hand_over(callback=listener.url)
        await listener.until(lambda: bool(listener.calls))
        assert verified(listener.calls[0].body, listener.calls[0].headers, secrets) is None


async def test_the_module_keeps_messages_over_a_restart(line: Line, simulators: Simulators) -> None:
    """Killed between acceptance and answer, it still answers."""
    line.behave(delay=1.5)
    id_, _ = await line.hand_over()
    process = next(one for one in simulators.processes if one.server is simulators.gov_service)
    process.kill()
    with pytest.raises(GovServiceDown):
        await line.module.ask(id_)
    process.start({"PATH": os.defpath, **simulators.secrets})
    await asyncio.to_thread(process.await_ready)
    line.behave()
    assert (await line.answered(id_)).state == "answered"


async def test_the_page_shows_number_and_state_only(line: Line) -> None:
    """Nothing of the applicant is on the module's page."""
    id_, _ = await line.hand_over()
    await line.answered(id_)
    page = line.page()
    assert facts().number in page
    assert "Дан ответ" in page
    for secret in ("Соколова", "2200000000000012", "2200 0000 0000 0012"):
        assert secret not in page
