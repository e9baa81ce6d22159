"""The checks after a run of faults find what they are there for."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest
from pydantic import SecretStr
from sqlalchemy import update
from sqlmodel import col, select

from clients.database import Database
from clients.delivery.mail import Mailer
from clients.delivery.push import PushSender
from clients.delivery.sms import SmsGateway
from clients.objects import Objects
from clients.temporal.client import CaseSignaller, connect
from crypto.key_ring import key_ring
from models.tables.cases import Case, CaseAttachment, IssuedAct
from models.tables.documents import DocumentVersion
from models.tables.notices import Notice
from models.tables.requests import RequestMessage
from ops.faults import checks, people
from ops.faults.checks import holders, notices
from ops.faults.checks.qualification import ACCREDITATIONS, EVENTS, HANDOVERS, REMINDERS
from ops.faults.evidence import ActOutcome, Evidence
from ops.local.buckets import prepare_buckets
from ops.local.servers.temporal import prepare_namespace
from rules.accounts import AccountState
from rules.cases.process import Status, Transition
from rules.clock import now
from rules.notices.kinds import Channel, NoticeKind, NoticeState
from services.cases import assignment
from services.notices.channels import MailWay, PushWay, SmsWay
from services.notices.push_subscriptions import browsers_of, subscriber
from services.notices.sender import drain
from services.notices.wording import Addresses
from settings import Settings
from tests.shared.office import Office
from tests.shared.servers import Servers, Simulators
from tests.shared.waiting import PATIENCE, until
from worker import build


@dataclass
class Scene:
    """An installation with one approved application, and what was acknowledged of it."""

    settings: Settings
    database: Database
    objects: Objects
    sink: str
    receiver: str
    superuser_url: str
    office: Office
    case_id: UUID
    evidence: Evidence

    async def found(self) -> set[int]:
        """The checks that find a fault."""
        report = await checks.check(
            self.settings, self.database, self.sink, self.evidence, self.receiver
        )
        others = (REMINDERS, EVENTS, ACCREDITATIONS, HANDOVERS)
        assert all(report.tried[number] for number in checks.CHECKS if number not in others)
        return {number for number, faults in report.faults.items() if faults}

    async def wrong_notices(self) -> set[str]:
        """What the check of notices alone finds."""
        report = checks.CheckReport()
        async with self.database.work() as session:
            cases = list((await session.exec(select(Case))).all())
        await notices.check(report, self.database, self.settings, cases, self.sink, self.evidence)
        return set(report.faults[notices.CHECK])

    async def forget_a_submission(self) -> None:
        """An acknowledged submission is not kept."""
        self.evidence.submitted[uuid4()] = "ПК-2026-999999-0"

    async def forget_a_decision(self) -> None:
        """An accepted decision is not kept."""
        self.evidence.answers.append(
            ActOutcome(uuid4(), self.case_id, Transition.REJECT, uuid4(), accepted=True)
        )

    async def lose_an_attachment(self) -> None:
        """A document that was answered as attached is cited no more."""
        self.rewrite("delete from case_attachment where kind = 'diploma'")

    async def decide_without_the_right(self) -> None:
        """The reviewer had no role yet when the decision was made."""
        self.rewrite("update role_grant set valid_from = now() + interval '1 day'")

    async def lose_a_mail(self) -> None:
        """One mail that is noted as told never came."""
        await self._at_the_sink("DELETE", f"/messages/{(await self._mails())[0]['id']}")

    async def leave_a_step_unheard(self) -> None:
        """The case went on and its workflow does not know."""
        await self.office.set_times(self.case_id, step=9)

    async def lose_a_file(self) -> None:
        """The act is gone from the store."""
        async with self.database.work() as session:
            key = (await session.exec(select(IssuedAct.object_key))).one()
        await self.objects.remove(key)

    async def leave_a_stray_file(self) -> None:
        """An object that no row names and no sweep knows."""
        await self.objects.put("elsewhere/stray", b"stray", 5, "text/plain")

    async def rewrite_the_journal(self) -> None:
        """An entry says something else than it did."""
        self.rewrite("update journal_entry set step = 7 where kind = 'case.approved'")

    async def sleep_too_long(self) -> None:
        """An act that nobody has heard of."""
        await self.office.set_times(self.case_id, wakes_at=now() - timedelta(minutes=1))

    async def hand_over_in_the_books_only(self) -> None:
        """A message that is noted as handed over and that the module never got."""
        async with self.database.work() as session:
            session.add(
                RequestMessage(
                    case_id=self.case_id,
                    version=7,
                    message_id=uuid4(),
                    service="vaccination-certificates",
                    formed_at=now(),
                    paper_key="elsewhere/paper",
                    paper_sha256=(await self.objects.put("elsewhere/paper", b"p", 1, "x/y")).sha256,
                    paper_size=1,
                    handed_over_at=now(),
                )
            )

    async def fall_behind_the_steps(self) -> None:
        """A verification came to its end, and the account is not confirmed."""
        self.evidence.states[self.office.clinician.person_id] = AccountState.CONFIRMED

    async def forget_a_lock(self) -> None:
        """An account was answered as locked, and is not."""
        self.evidence.locks[self.office.clinician.person_id] = uuid4()

    async def claim_an_sms(self) -> None:
        """A row says that it was told by SMS, and no SMS was sent."""
        await self._claim(Channel.SMS)

    async def claim_a_push(self) -> None:
        """A row says that it was told by push, and no browser got it."""
        await self._claim(Channel.PUSH)

    async def _claim(self, channel: Channel) -> None:
        moment = now()
        async with self.database.work() as session:
            session.add(
                Notice(
                    event_key=f"{self.case_id}:claimed",
                    person_id=self.office.clinician.person_id,
                    kind=NoticeKind.CLARIFICATION_REMINDER.value,
                    channel=channel.value,
                    language="ru",
                    facts={},
                    created_at=moment,
                    due_at=moment,
                    next_try_at=moment,
                    told_at=moment,
                    state=NoticeState.TOLD.value,
                    receipt="delivered" if channel is Channel.SMS else None,
                )
            )

    async def send_a_strange_sms(self) -> None:
        """The gateway has a message that no row knows."""
        async with SmsGateway.from_settings(self.settings) as gateway:
            await gateway.send("notice-unknown", "+79160000000", "?")

    async def send_a_strange_push(self) -> None:
        """A browser shows what no row knows."""
        await self._push(uuid4().hex)

    async def push_twice(self) -> None:
        """A message that was told comes once more, and nothing interrupted the sender."""
        told = await self._told(Channel.PUSH)
        await self._push(told.id.hex)

    async def _push(self, topic: str) -> None:
        async with self.database.work() as session:
            browser = (await browsers_of(session, self.office.clinician.person_id))[0]
            to = subscriber(browser)
        async with PushSender.from_settings(self.settings) as sender:
            await sender.send(to, b"{}", topic=topic, lives=60)

    async def _told(self, channel: Channel) -> Notice:
        async with self.database.work() as session:
            found = await session.exec(
                select(Notice)
                .where(Notice.channel == channel.value, Notice.state == NoticeState.TOLD.value)
                .order_by(col(Notice.id))
            )
            return found.all()[0]

    async def send_to_another_number(self) -> None:
        """What was told went to a number that is not the person's."""
        self.rewrite("update person set phone = null where phone is not null")

    async def forget_a_channel(self) -> None:
        """An event was not told by a channel that its person wants."""
        self.rewrite("delete from notice where channel = 'sms' and state = 'superseded'")

    async def tell_what_did_not_happen(self) -> None:
        """A row about an event that the case has not come to."""
        self.rewrite(
            "update notice set kind = 'application_rejected'"
            " where channel = 'cabinet' and kind = 'application_in_review'"
        )
        self.rewrite(
            "update notice set event_key = event_key || ':' where kind = 'application_rejected'"
        )

    async def write_twice(self) -> None:
        """An event has two rows for one person and channel."""
        self.rewrite("alter table notice drop constraint notice_event_key_person_id_channel_key")
        self.rewrite(
            "insert into notice select"
            " (jsonb_populate_record(n, jsonb_build_object('id', gen_random_uuid()))).*"
            " from notice n where channel = 'cabinet' and kind = 'application_approved'"
        )

    async def give_up_in_silence(self) -> None:
        """A push failed, nothing says so in the cabinet, and the browser is well."""
        await self._change(Channel.PUSH, state=NoticeState.FAILED.value)

    async def lose_a_receipt(self) -> None:
        """A receipt that came is not kept, and nobody will ask for it."""
        await self._change(Channel.SMS, receipt=None)

    async def leave_a_message_waiting(self) -> None:
        """A push that was told waits again."""
        await self._change(Channel.PUSH, state=NoticeState.WAITING.value)

    async def _change(self, channel: Channel, **values: str | None) -> None:
        told = await self._told(channel)
        async with self.database.work() as session:
            await session.exec(update(Notice).where(col(Notice.id) == told.id).values(values))

    def rewrite(self, statement: str) -> None:
        """Change the tables as their owner."""
        name = self.settings.database_url.get_secret_value().rpartition("/")[2]
        url = self.superuser_url.rpartition("/")[0] + f"/{name}"
        with psycopg.connect(url, autocommit=True) as connection:
            assert connection.execute(statement.encode()).rowcount

    async def _mails(self) -> list[dict[str, str]]:
        return list((await self._at_the_sink("GET", "/messages")).json())

    async def _at_the_sink(self, method: str, path: str) -> httpx.Response:
        async with httpx.AsyncClient(base_url=self.sink, trust_env=False, timeout=PATIENCE) as http:
            return (await http.request(method, path)).raise_for_status()


@pytest.fixture
async def scene(
    settings: Settings,
    servers: Servers,
    simulators: Simulators,
    tmp_path: Path,
) -> AsyncIterator[Scene]:
    """Submitted, checked, approved, the act issued, all mails told; everything of its own."""
    name = f"checker-{uuid4().hex}"
    # Some tampering drops a constraint: the next test is not to have what is left of it.
    database = name.replace("-", "_")
    own = settings.model_copy(
        update={
            "database_url": SecretStr(servers.new_database(database)["DATABASE_URL"]),
            "temporal_namespace": name,
            "task_queue": name,
            "s3_bucket": name,
            "home": tmp_path,
            "demo": True,
        }
    )
    await prepare_namespace(own.temporal_address, name)
    prepare_buckets(own)
    async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as http:
        for one in (simulators.mail, simulators.sms, simulators.push, simulators.gov_service):
            (await http.delete(f"{one.address}/messages")).raise_for_status()
    base, objects = Database.from_settings(own), Objects(own)
    client = await connect(own, key_ring())
    office = await Office.open(base, CaseSignaller(client, own.task_queue))
    clinician = office.clinician.person_id
    browsers = await people.accustom(base, own, clinician, people.HABITS[0])
    async with build(own, client, base):
        case_id = await office.submitted()
        await _file(base, objects)
        await until(lambda: _stands(office, case_id, Status.IN_REVIEW))
        await office.decide(case_id, Transition.APPROVE)
        await until(lambda: _closed(office, case_id))
        await _tell(own, base)
        await until(lambda: _quiet(own, base))
        number = (await office.case(case_id)).number or ""
        yield Scene(
            own,
            base,
            objects,
            simulators.mail.address,
            simulators.subscriber.address,
            servers.superuser_url,
            office,
            case_id,
            Evidence(
                submitted={case_id: number},
                attached=await _attached(base, case_id),
                browsers=dict.fromkeys(browsers, clinician),
            ),
        )
    await objects.close()
    await base.close()
    servers.drop_database(database)


async def _attached(database: Database, case_id: UUID) -> set[tuple[UUID, str, UUID]]:
    """What the case cites."""
    async with database.work() as session:
        found = await session.exec(select(CaseAttachment).where(CaseAttachment.case_id == case_id))
        return {(case_id, one.kind, one.document_version_id) for one in found.all()}


async def _file(database: Database, objects: Objects) -> None:
    """Put into the store what the rows of the documents name."""
    async with database.work() as session:
        for version in (await session.exec(select(DocumentVersion))).all():
            kept = await objects.put(str(version.object_key), b"%PDF-", 5, version.media_type)
            version.sha256 = kept.sha256
            session.add(version)


async def _tell(settings: Settings, database: Database) -> None:
    """By every channel, with the receipts of SMS."""
    addresses = Addresses.of(settings)
    await drain(database, MailWay(Mailer(settings.smtp_url, settings.mail_from), addresses))
    async with PushSender.from_settings(settings) as sender:
        await drain(database, PushWay(sender))
    async with SmsGateway.from_settings(settings) as gateway:
        way = SmsWay(gateway, addresses)
        await drain(database, way)
        async with database.work() as session:
            due = {"ask_at": now()}
            await session.exec(update(Notice).where(col(Notice.ask_at).is_not(None)).values(due))
        await way.follow_up(database)


async def _stands(office: Office, case_id: UUID, status: Status) -> bool:
    return (await office.case(case_id)).status == status


async def _closed(office: Office, case_id: UUID) -> bool:
    return (await office.case(case_id)).closed_at is not None


async def _quiet(settings: Settings, database: Database) -> bool:
    return not await checks.unsettled(settings, database)


async def test_checks_find_what_they_are_there_for(scene: Scene) -> None:
    """Nothing is wrong at first; then each tampering is found by its own check."""
    found = await scene.found()
    assert found == set()
    for tamper, check in (
        (scene.forget_a_submission, 1),
        (scene.forget_a_decision, 2),
        (scene.lose_a_mail, 3),
        (scene.lose_a_file, 5),
        (scene.rewrite_the_journal, 6),
        (scene.sleep_too_long, 7),
        (scene.leave_a_step_unheard, 4),
        (scene.hand_over_in_the_books_only, 8),
        (scene.lose_an_attachment, 9),
        (scene.fall_behind_the_steps, 12),
        (scene.forget_a_lock, 13),
    ):
        await tamper()
        before, found = found, await scene.found()
        assert found - before == {check}, tamper.__name__


async def test_checks_find_strangers_and_strays(scene: Scene) -> None:
    """A decision by someone without the right, and an object without a row."""
    await scene.decide_without_the_right()
    await scene.leave_a_stray_file()
    assert await scene.found() == {2, 5}


THEIRS = """in (select reviewer_id from "case" where closed_at is null)"""
GONE = {
    "who has left": (
        "update person set left_at = now() where id THEIRS",
        "update person set left_at = null where id THEIRS",
    ),
    "who has no right": (
        "update role_grant set valid_until = now() where person_id THEIRS",
        "update role_grant set valid_until = null where person_id THEIRS",
    ),
    "who is away": (
        "insert into absence (id, person_id, first_day, last_day) select gen_random_uuid(), id,"
        " current_date - 1, current_date + 1 from person where id THEIRS",
        "delete from absence",
    ),
    "who is locked": (
        "insert into account (person_id, login, password_hash, password_changed_at, created_at,"
        " must_change_password, totp_last_step, theme, state, locked_at) select id, 'x', 'x',"
        " now(), now(), false, 0, 'system', 'active', now() from person where id THEIRS",
        "delete from account",
    ),
    "who applied": (
        """update "case" set reviewer_id = applicant_id where closed_at is null""",
        """update "case" set reviewer_id = null where closed_at is null""",
    ),
}


async def test_checks_find_cases_with_whoever_may_not_act(scene: Scene) -> None:
    """Each way of not being able to act is named; so is a case of nobody where somebody could."""

    async def wrong() -> list[str]:
        report = checks.CheckReport()
        await holders.check(report, scene.database)
        assert report.tried[holders.CHECK] == 2
        return report.faults[holders.CHECK]

    case_id = await scene.office.submitted()
    await until(lambda: _stands(scene.office, case_id, Status.IN_REVIEW))
    number = (await scene.office.case(case_id)).number
    assert await wrong() == []
    for why, (tamper, back) in GONE.items():
        scene.rewrite(tamper.replace("THEIRS", THEIRS))
        assert await wrong() == [f"{number} (in_review) is with one {why}"]
        assert "1 cases to be passed on" in await checks.unsettled(scene.settings, scene.database)
        scene.rewrite(back.replace("THEIRS", THEIRS))
    assert await wrong() == [f"{number} (in_review) is with nobody, and somebody could act"]
    assert await assignment.sweep(scene.database) == 1
    assert await wrong() == []


async def test_checks_find_wrong_notices_on_every_channel(scene: Scene) -> None:
    """What was lost, came twice, went elsewhere or was never true is named, each by its words."""
    found = await scene.wrong_notices()
    assert found == set()
    for tamper, words in (
        (scene.claim_an_sms, "did not come to the person"),
        (scene.claim_a_push, "did not come"),
        (scene.send_a_strange_sms, "1 SMS tell of nothing"),
        (scene.send_a_strange_push, "1 pushes tell of nothing"),
        (scene.push_twice, "1 pushes came twice, 0 are excused"),
        (scene.lose_a_receipt, "its receipt is lost"),
        (scene.forget_a_channel, "has no notice by sms"),
        (scene.tell_what_did_not_happen, "was announced but did not happen"),
        (scene.write_twice, "has 2 notices by cabinet"),
        (scene.leave_a_message_waiting, "is waiting"),
        (scene.give_up_in_silence, "the cabinet does not say so"),
        (scene.send_to_another_number, "did not come to the person"),
    ):
        await tamper()
        before, found = found, await scene.wrong_notices()
        new = found - before
        assert any(words in fault for fault in new), (tamper.__name__, new)
