"""Five years of a credential: each reminder once, whatever happens in between (Q4).

The clock of the services is the test's own. The workflow is the real one on a real Temporal; its
activity lets the clock jump to the moment for which it was woken, and does what the real one does.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import col, select
from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Worker

from clients.temporal.rows import RowWaker
from models.messages import (
    WAKE_UP,
    CredentialLook,
    CredentialRef,
    CredentialSignal,
    WorkflowName,
)
from models.tables.credentials import Credential, CredentialReminder
from models.tables.notices import Notice
from models.tables.people import Person, RoleChange, RoleGrant
from rules.access import Role
from rules.clock import now
from rules.credentials.reminders import END, ReminderState, over_at, reminder_at
from rules.credentials.statuses import CredentialStatus
from rules.refusals import Refusal
from services import own_workflows
from services.access_changes.asking import AccessChanges
from services.cases.drafts import rules_of
from services.cases.signals import CaseSignals
from services.credentials import leads, life
from services.credentials.acts import Credentials
from services.credentials.renewal import Renewals, close_over, filled_answers
from tests.credentials.conftest import ACCREDITATION, Keeping
from tests.shared.office import Office
from tests.shared.waiting import until
from workflows.credentials import CredentialLife

MOSCOW = ZoneInfo("Europe/Moscow")


@dataclass
class Clock:
    """The time of the services in a test."""

    at: datetime

    def __call__(self) -> datetime:
        """The present moment of the test."""
        return self.at


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The acts and the life of credentials go by it."""
    made = Clock(now())
    for module in ("acts", "life"):
        monkeypatch.setattr(f"services.credentials.{module}.present", made)
    return made


@dataclass
class Life:
    """A credential whose workflow jumps from look to look."""

    keeping: Keeping
    clock: Clock
    rights: AccessChanges
    wake: RowWaker
    id: UUID = field(default_factory=uuid4)
    next: datetime | None = None
    looks: int = 0

    @activity.defn(name="look_at_credential")
    async def look(self, ref: CredentialRef) -> CredentialLook:
        """Look by the clock of the test. The next look comes when the test says so."""
        looked = await life.look(
            self.keeping.office.database, ref.credential_id, self.rights.propose_end
        )
        self.next, self.looks = looked.looks_at, self.looks + 1
        if looked.looks_at is None:
            return looked
        return looked.model_copy(update={"looks_at": now() + timedelta(days=1)})

    async def after(self, act: Any) -> None:
        """Do something that signals the workflow, and wait until it has looked."""
        before = self.looks
        await act

        async def looked() -> bool:
            return self.looks > before

        await until(looked, every=0.01)

    async def until(self, at: datetime) -> None:
        """Let the time pass, look by look."""
        while self.next is not None and self.next <= at:
            self.clock.at = self.next
            await self.after(self.wake(self.id))
        self.clock.at = max(self.clock.at, at)


@pytest.fixture
async def living(
    keeping: Keeping, clock: Clock, temporal: Client, office: Office
) -> AsyncIterator[Life]:
    """A life with a worker of its own."""
    queue = f"credentials-{uuid4()}"
    wake = RowWaker(temporal, queue, WorkflowName.CREDENTIAL)
    rights = AccessChanges(office.database, CaseSignals(office.heard), "Europe/Moscow")
    made = Life(
        Keeping(office, Credentials(office.database, wake), keeping.woken), clock, rights, wake
    )
    async with Worker(
        temporal, task_queue=queue, workflows=[CredentialLife], activities=[made.look]
    ):
        yield made


def typed(day: date) -> str:
    """A day as people type it."""
    return day.strftime("%d.%m.%Y")


async def told(office: Office, person_id: UUID) -> Sequence[tuple[str, str]]:
    """What stands in somebody's cabinet of credentials: kind, and the end that it names."""
    async with office.database.work() as session:
        found = await session.exec(
            select(Notice.kind, Notice.facts)
            .where(
                Notice.person_id == person_id,
                Notice.channel == "cabinet",
                col(Notice.kind).startswith("credential"),
            )
            .order_by(col(Notice.id))
        )
        return [(kind, facts["valid_until"]) for kind, facts in found]


async def reminders(office: Office, credential_id: UUID) -> dict[tuple[date, int], str]:
    """The state of each reminder of each end."""
    async with office.database.work() as session:
        found = await session.exec(
            select(CredentialReminder).where(CredentialReminder.credential_id == credential_id)
        )
        return {(one.last_day, one.days): one.state for one in found}


async def test_five_years_in_a_moment(living: Life, temporal: Client) -> None:
    """Q4: two corrections, an outage of weeks and the end; each reminder exactly once."""
    office, clock, acts = living.keeping.office, living.clock, living.keeping.acts
    owner = office.clinician
    today = clock.at.astimezone(MOSCOW).date()
    first, second, last = (today + timedelta(days) for days in (400, 1500, 1800))
    head = await office.person("Заведующая Ирина", Role.UNIT_HEAD, office.ward)
    await living.after(begin(living, first))
    await living.until(reminder_at(first, 60, MOSCOW) + timedelta(days=1))
    await living.after(acts.correct(owner, living.id, uuid4(), 1, days(second), "Ошибка в годе"))
    await living.until(reminder_at(second, 90, MOSCOW) + timedelta(hours=1))
    await living.after(acts.correct(owner, living.id, uuid4(), 2, days(last), "Продлено законом"))
    await living.until(reminder_at(last, 90, MOSCOW) + timedelta(hours=1))
    # Everything is down for weeks: nobody looks, and one reminder makes up for two.
    clock.at = reminder_at(last, 25, MOSCOW)
    await living.after(living.wake(living.id))
    await living.until(over_at(last, MOSCOW) + timedelta(days=30))
    assert living.next is None
    result = await temporal.get_workflow_handle(f"credential-{living.id}").result()
    assert result is None
    sent = {
        first: [90, 60],
        second: [90],
        last: [90, 30, 14, 7, 1, 0, END],
    }
    found = await reminders(office, living.id)
    assert {(day, lead) for (day, lead), state in found.items() if state == ReminderState.SENT} == {
        (day, lead) for day, leads_ in sent.items() for lead in leads_
    }
    assert found[last, 60] == ReminderState.SKIPPED
    assert found[second, 7] == ReminderState.DROPPED
    ends = [day.isoformat() for day, leads_ in sent.items() for lead in leads_ if lead != END]
    assert await told(office, owner.person_id) == [
        *(("credential_ends", day) for day in ends),
        ("credential_expired", last.isoformat()),
    ]
    assert await told(office, head.person_id) == [("credential_expired_staff", last.isoformat())]
    async with office.database.work() as session:
        change = await session.exec(
            select(RoleChange).where(RoleChange.subject_id == owner.person_id)
        )
        proposed = change.one()
        assert (proposed.proposed, proposed.role, proposed.open) == (True, "doctor", True)
    # Looking again changes nothing, and a late right end brings the workflow back.
    await living.after(living.wake(living.id))
    assert await reminders(office, living.id) == found
    await living.after(
        acts.correct(owner, living.id, uuid4(), 3, days(last + timedelta(days=700)), "Опечатка")
    )
    assert living.next == reminder_at(last + timedelta(days=700), 90, MOSCOW)


def days(last: date) -> dict[str, str]:
    """The days of a correction."""
    return {"issued_on": str(ACCREDITATION["issued_on"]), "valid_until": typed(last)}


async def begin(living: Life, last: date) -> None:
    """Add the credential, under the id that the life follows."""
    living.id = await living.keeping.add(valid_until=typed(last))


class Woken:
    """A `Wake` that remembers."""

    def __init__(self) -> None:
        self.calls: list[tuple[UUID, str, bool]] = []

    async def __call__(self, row_id: UUID, *, signal: str = WAKE_UP, anew: bool = False) -> bool:
        """Remember; nothing is woken."""
        self.calls.append((row_id, signal, anew))
        return True


async def nothing(*_: Any) -> None:
    """Proposes nothing."""


async def changed(office: Office, credential_id: UUID, **columns: Any) -> None:
    """Change columns of a credential behind the back of its acts."""
    async with office.database.work() as session:
        row = await session.get_one(Credential, credential_id)
        for name, value in columns.items():
            setattr(row, name, value)
        session.add(row)


async def row_of(office: Office, credential_id: UUID) -> Credential:
    """The row as it stands."""
    async with office.database.work() as session:
        return await session.get_one(Credential, credential_id)


async def test_a_lost_run_is_begun_by_the_sweeper(keeping: Keeping) -> None:
    """O3: late ones are woken once a minute; one that does not go on is begun anew."""
    office, wake, minute = keeping.office, Woken(), timedelta(minutes=1)
    made = await keeping.add()
    assert (await row_of(office, made)).wakes_at is not None, "nobody has to remember to start it"
    await changed(office, made, wakes_at=now() - timedelta(minutes=2))
    for _ in range(2):
        await own_workflows.wake_late(office.database, life.OWN, wake, now(), minute)
    ago = now() - timedelta(hours=1)
    await changed(office, made, wakes_at=ago, woken_at=now() - timedelta(minutes=2))
    await own_workflows.wake_late(office.database, life.OWN, wake, now(), minute)
    own = [(anew, signal) for row_id, signal, anew in wake.calls if row_id == made]
    assert own == [(False, WAKE_UP), (True, WAKE_UP)]


async def test_other_days_are_chosen(keeping: Keeping, clock: Clock) -> None:
    """Q4: they hold for all credentials at once; none is a choice too."""
    office, owner = keeping.office, keeping.office.clinician
    last = clock.at.astimezone(MOSCOW).date() + timedelta(days=50)
    made = await keeping.add(valid_until=typed(last))
    looked = await life.look(office.database, made, nothing)
    assert looked.looks_at == reminder_at(last, 30, MOSCOW)
    async with office.database.work() as session:
        await leads.choose(session, owner, [45, 60, 3], clock.at)
    looked = await life.look(office.database, made, nothing)
    assert looked.looks_at == reminder_at(last, 45, MOSCOW)
    clock.at = reminder_at(last, 45, MOSCOW)
    await life.look(office.database, made, nothing)
    async with office.database.work() as session:
        await leads.choose(session, owner, [], clock.at)
    looked = await life.look(office.database, made, nothing)
    assert looked.looks_at == over_at(last, MOSCOW), "the end itself is always told"
    assert await told(office, owner.person_id) == [("credential_ends", last.isoformat())]
    # Days of its own, which others do not touch, until it follows them again.
    for own, all_of_them, next_one in (
        ([20], None, reminder_at(last, 20, MOSCOW)),
        ([20], [10], reminder_at(last, 20, MOSCOW)),
        (None, None, reminder_at(last, 10, MOSCOW)),
        ([], None, over_at(last, MOSCOW)),
    ):
        async with office.database.work() as session:
            await leads.choose_for(session, owner, made, own, clock.at)
            if all_of_them is not None:
                await leads.choose(session, owner, all_of_them, clock.at)
        looked = await life.look(office.database, made, nothing)
        assert looked.looks_at == next_one
    async with office.database.work() as session:
        with pytest.raises(Refusal, match="not_found"):
            await leads.choose_for(session, office.head, made, [5], clock.at)
        with pytest.raises(Refusal, match="incomplete"):
            await leads.choose_for(session, owner, made, [999], clock.at)


async def test_who_left_and_what_was_replaced_is_not_reminded_of(
    keeping: Keeping, clock: Clock
) -> None:
    """No notice goes to anybody who has left, and none about what does not count any more."""
    office, owner = keeping.office, keeping.office.clinician
    last = clock.at.astimezone(MOSCOW).date() + timedelta(days=95)
    made = await keeping.add(valid_until=typed(last))
    newer = await keeping.add(number="1", specialty="Терапия")
    await life.look(office.database, made, nothing)
    await keeping.acts.replace(owner, made, newer)
    clock.at = reminder_at(last, 90, MOSCOW)
    looked = await life.look(office.database, made, nothing)
    assert (looked.looks_at, looked.status) == (None, "replaced")
    assert set((await reminders(office, made)).values()) == {ReminderState.DROPPED}
    async with office.database.work() as session:
        (await session.get_one(Person, owner.person_id)).left_at = clock.at
    assert (await life.look(office.database, newer, nothing)).looks_at is None
    assert await told(office, owner.person_id) == []


async def test_rights_stay_while_another_admission_stands(keeping: Keeping, clock: Clock) -> None:
    """I7: the end of one accreditation proposes nothing if another one carries the role."""
    office, proposed = keeping.office, []

    async def propose(session: Any, grant: RoleGrant, reason: str, at: datetime) -> None:
        proposed.append((grant.role, reason))

    last = clock.at.astimezone(MOSCOW).date() + timedelta(days=1)
    made = await keeping.add(valid_until=typed(last))
    other = await keeping.add(number="2", valid_until=typed(last + timedelta(days=1)))
    clock.at = over_at(last, MOSCOW)
    for one in (made, other):
        await life.look(office.database, one, propose)
    assert proposed == []
    clock.at = over_at(last + timedelta(days=1), MOSCOW)
    for _ in range(2):
        await life.look(office.database, other, propose)
    assert [role for role, _ in proposed] == ["doctor"]
    assert "Аккредитация специалиста" in proposed[0][1]


async def test_a_renewal_is_followed_until_it_is_closed(keeping: Keeping, clock: Clock) -> None:
    """Q6, Q7: «в процессе продления» while a case is open, and the reminder counts as answered."""
    office, wake, owner = keeping.office, Woken(), keeping.office.clinician
    last = clock.at.astimezone(MOSCOW).date() + timedelta(days=91)
    made = await keeping.add(valid_until=typed(last))
    await life.look(office.database, made, nothing)
    clock.at = reminder_at(last, 90, MOSCOW)
    await life.look(office.database, made, nothing)
    renewals = Renewals(office.database, wake, {"accreditation": office.applications})
    cases = {(await renewals.begin(owner, made, office.programme_id)).id for _ in range(2)}
    assert len(cases) == 1, "the second click opens the first case"
    assert (await keeping.one(made)).status == CredentialStatus.RENEWING
    await keeping.add("diploma", number="ДВС 2")
    case = await renewals.begin(owner, made, None)
    assert case.draft is not None
    assert case.draft["specialty"] == "cardiology"
    assert "№ 7724 030123456" in case.draft["renewed_document"]
    assert [one["kind"] for one in case.draft_attachments] == ["accreditation"]
    async with office.database.work() as session:
        definition, _ = await rules_of(session, case)
        filled = await filled_answers(session, case, definition)
    assert [one.source.category.key for one in filled] == ["accreditation", "diploma"]
    assert filled[0].values["specialty"] == "cardiology"
    assert filled[1].values["graduation_year"] == 2012
    async with office.database.work() as session:
        sent = await session.get_one(CredentialReminder, (made, last, 90))
        assert sent.answer == "renewal"
    await office.applications.discard_draft(owner, cases.pop())
    await close_over(office.database, wake)
    assert (await keeping.one(made)).status == CredentialStatus.ACTIVE
    signals = [signal for row_id, signal, _ in wake.calls if row_id == made]
    assert signals == [CredentialSignal.RENEWAL_OPENED, CredentialSignal.RENEWAL_CLOSED]
    diploma = await keeping.add("diploma")
    with pytest.raises(Refusal, match="not_renewed_here"):
        await renewals.begin(owner, diploma, None)
