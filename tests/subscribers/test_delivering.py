"""Each change of a credential brings one event, and each event arrives, in the order of changes."""

import json
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func
from sqlmodel import col, select

from models.tables.journal import JournalEntry
from models.tables.notices import Notice
from models.tables.people import Person
from models.tables.subscribers import Subscriber, SubscriberDelivery, SubscriberEvent
from rules.access import Role
from rules.clock import now
from rules.journal.entries import JournalKind
from rules.refusals import Refusal
from rules.subscribers import KEPT, PAUSES, TERM, EventType, pause
from services import crash_points
from services.credentials import ending, rows
from services.subscribers import delivering
from services.subscribers import keeping as subscribers
from services.subscribers.acts import Subscribers
from simulators.subscriber import ReceiverBehaviour
from tests.credentials.conftest import Keeping
from tests.subscribers.receiving import NEAR, Line, nobody_woken

ADDED, CHANGED = EventType.ADDED.value, EventType.CHANGED.value


def later_by(days: int) -> dict[str, str]:
    """Other days for a credential."""
    return {"valid_until": (now() + timedelta(days=days)).strftime("%d.%m.%Y")}


async def corrected(keeping: Keeping, credential: UUID, version: int) -> None:
    """Correct the days of a credential."""
    actor, days = keeping.office.clinician, later_by(800 + version)
    await keeping.acts.correct(actor, credential, uuid4(), version, days, "Ошибка в годе")


async def test_every_change_is_one_event_in_the_same_transaction(
    keeping: Keeping, line: Line
) -> None:
    """Added, corrected, withdrawn, replaced, expired; nothing for an act that is sent again."""
    id_, name = await line.subscribe()
    actor, acts = keeping.office.clinician, keeping.acts
    one, other = await keeping.add(number=uuid4().hex[:12]), await keeping.add(number="№ 2")
    act, days = uuid4(), later_by(700)
    for _ in range(2):
        await acts.correct(actor, one, act, 1, days, "Ошибка в годе")
        await acts.replace(actor, one, other)
    with pytest.raises(Refusal):
        await acts.correct(actor, one, uuid4(), 2, later_by(600), "Ошибка в годе")
    for _ in range(2):
        await acts.withdraw(actor, other, "внесено по ошибке")
    async with line.database.work() as session:
        row = await rows.locked(session, one)
        owner = await session.get_one(Person, actor.person_id)
        assert row is not None

        async def propose(*_: object) -> None:
            """Nobody holds a right that rests on it."""

        await ending.take_effect(session, row, owner, now().date(), now(), propose)

    async def given_up() -> None:
        async with line.database.work() as session:
            row = await rows.locked(session, one)
            assert row is not None
            await rows.note(session, row, JournalKind.CREDENTIAL_UPDATED, now(), None)
            raise RuntimeError("the change did not take place")

    with pytest.raises(RuntimeError):
        await given_up()
    assert [(kind, subject) for kind, subject, *_ in await line.rows(id_)] == [
        (ADDED, one),
        (ADDED, other),
        (CHANGED, one),
        (EventType.RENEWED, one),
        (EventType.WITHDRAWN, other),
        (CHANGED, one),
        (EventType.EXPIRED, one),
    ]
    assert await line.look(id_) is None
    got = line.got(name)
    assert [each["type"] for each in got if each["subject"] == str(one)] == [
        ADDED,
        CHANGED,
        EventType.RENEWED,
        CHANGED,
        EventType.EXPIRED,
    ]
    assert {each["specversion"] for each in got} == {"1.0"}
    replaced = [each["data"]["replaced_by"] for each in got if "replaced_by" in each["data"]]
    assert replaced == [str(other)]


async def test_without_subscribers_nothing_is_written(keeping: Keeping, line: Line) -> None:
    """Nor for a type that nobody wants, nor for who has ended."""
    ended, _ = await line.subscribe()
    expiries, _ = await line.subscribe(EventType.EXPIRED.value)
    async with line.database.work() as session:
        await subscribers.end(session, ended, None, now())
    credential = await keeping.add(number=uuid4().hex[:12])
    async with line.database.work() as session:
        found = await session.exec(
            select(func.count()).where(SubscriberEvent.subject == credential)
        )
        others = await session.exec(
            select(func.count()).where(col(SubscriberDelivery.subscriber_id).in_([ended, expiries]))
        )
        assert others.one() == 0
        assert found.one() == 0


async def test_nothing_personal_leaves(keeping: Keeping, line: Line) -> None:
    """Ids and numbers alone: no name, number, specialty or issuer, nor its category."""
    id_, name = await line.subscribe()
    planted = "Подброшено-771"
    credential = await keeping.add(number=planted, issuer=planted, specialty=planted)
    await corrected(keeping, credential, 1)
    await keeping.acts.withdraw(keeping.office.clinician, credential, planted)
    await line.look(id_)
    got = line.got(name)
    assert len(got) == 3
    text = json.dumps(got, ensure_ascii=False)
    for one in (planted, keeping.office.clinician.name, "accreditation", "Кардиология"):
        assert one not in text
    assert set(got[0]["data"]) == {"credential", "practitioner", "version", "position"}
    assert got[0]["data"]["practitioner"] == str(keeping.office.clinician.person_id)
    positions = [each["data"]["position"] for each in got]
    assert positions == sorted(positions)


async def test_one_that_is_down_gets_all_in_order_and_delays_nobody(
    keeping: Keeping, line: Line
) -> None:
    """A dead receiver costs one call for each pause; the other one has everything at once."""
    down, _ = await line.subscribe(url="http://127.0.0.1:9/events")
    up, name = await line.subscribe()
    credential = await keeping.add(number=uuid4().hex[:12])
    for version in (1, 2):
        await corrected(keeping, credential, version)
    for failures in (1, 2):
        before = now()
        looks_at = await line.look(down)
        assert looks_at is not None
        assert timedelta(0) <= looks_at - before - pause(failures) < timedelta(seconds=5)
        assert sum(tries for *_, tries in await line.rows(down)) == failures
        await line.later(down, pause(failures))
    assert await line.look(up) is None
    assert len(line.got(name)) == 3
    async with line.database.work() as session:
        row = await delivering.locked(session, down)
        assert row is not None
        assert row.failing_since is not None
        row.url = f"{line.address}/events/{row.name}"
        session.add(row)
    assert await line.look(down) is None
    assert [each["type"] for each in line.got(row.name)] == [ADDED, CHANGED, CHANGED]
    assert (await line.row(down)).failing_since is None


async def test_what_is_refused_holds_up_its_own_credential_alone(
    keeping: Keeping, line: Line
) -> None:
    """Others go on; when it is taken, what came after it follows in its order."""
    id_, name = await line.subscribe()
    bad, good = await keeping.add(number=uuid4().hex[:12]), await keeping.add(number="№ 7")
    await corrected(keeping, bad, 1)
    await corrected(keeping, good, 1)
    line.inbox.behaviour = ReceiverBehaviour(refuses=bad)
    looks_at = await line.look(id_)
    assert looks_at is not None
    assert [each["subject"] for each in line.got(name)] == [str(good)] * 2
    assert (await line.row(id_)).failures == 0
    line.inbox.behaviour = ReceiverBehaviour()
    await line.later(id_, PAUSES[-1])
    assert await line.look(id_) is None
    assert [each["type"] for each in line.got(name)][2:] == [ADDED, CHANGED]


async def test_a_lost_answer_and_a_death_bring_the_same_id_again(
    keeping: Keeping, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was sent and not noted is sent again before anything later, and is known by its id."""
    id_, name = await line.subscribe()
    credential = await keeping.add(number=uuid4().hex[:12])
    await corrected(keeping, credential, 1)
    line.inbox.behaviour = ReceiverBehaviour(reply="lost")
    await line.look(id_)
    line.inbox.behaviour = ReceiverBehaviour()
    await line.later(id_, PAUSES[-1])

    class Died(BaseException):
        """A process that ends between two effects."""

    def die(point: crash_points.CrashPoint) -> None:
        if point is crash_points.CrashPoint.EVENT_SENT:
            raise Died

    with monkeypatch.context() as patch:
        patch.setattr(crash_points, "reach", die)
        with pytest.raises(Died):
            await line.look(id_)
    assert [state for *_, state, _ in await line.rows(id_)] == ["waiting", "waiting"]
    assert await line.look(id_) is None
    kept = line.inbox.found(name)[::-1]
    assert [(one.event["type"], one.copies) for one in kept] == [(ADDED, 3), (CHANGED, 1)]


async def test_what_was_given_up_is_told_and_sent_again(keeping: Keeping, line: Line) -> None:
    """After three days a failure is the last; somebody is told once a day, and sends it again."""
    office = keeping.office
    admin = await office.person("Сетевая Анна", Role.ADMINISTRATOR, office.institution)
    ops = await office.person("Дежурный Олег", Role.OPS, office.institution)
    id_, name = await line.subscribe()
    credentials = [await keeping.add(number=uuid4().hex[:12]) for _ in range(3)]
    line.inbox.behaviour = ReceiverBehaviour(answer=500)
    await line.look(id_)
    await line.later(id_, timedelta(hours=1))
    await line.look(id_)
    await line.later(id_, TERM)
    await line.look(id_)
    await line.look(id_)
    assert [state for *_, state, _ in await line.rows(id_)] == ["dead"] * 3
    assert await line.look(id_) is None
    line.inbox.behaviour = ReceiverBehaviour()
    acts = Subscribers(line.database, nobody_woken, NEAR)
    with pytest.raises(Refusal) as refused:
        await acts.resend(office.clinician, id_, None)
    assert refused.value.status == 403
    async with line.database.work() as session:
        found = await session.exec(
            select(Notice.kind, func.count())
            .where(
                col(Notice.person_id).in_([admin.person_id, ops.person_id]),
                Notice.channel == "cabinet",
            )
            .group_by(Notice.kind)
        )
        assert dict(found.all()) == {"subscriber_fails": 2, "subscriber_given_up": 2}
        dead = await session.exec(
            select(SubscriberDelivery.event_id)
            .where(SubscriberDelivery.subscriber_id == id_)
            .order_by(col(SubscriberDelivery.position))
        )
        first, *_ = dead.all()
    assert await acts.resend(ops, id_, first) == 1
    assert await line.look(id_) is None
    assert [each["subject"] for each in line.got(name)] == [str(credentials[0])]
    assert await acts.resend(admin, id_, None) == 2
    assert await acts.resend(admin, id_, None) == 0
    assert await line.look(id_) is None
    assert [each["subject"] for each in line.got(name)] == list(map(str, credentials))
    async with line.database.work() as session:
        journaled = await session.exec(
            select(JournalEntry.kind)
            .where(col(JournalEntry.facts)["subscriber"].astext == str(id_))
            .order_by(col(JournalEntry.position))
        )
        assert list(journaled.all()) == [
            "subscriber.added",
            "subscriber.gave_up",
            "subscriber.resent",
            "subscriber.resent",
        ]


async def test_paused_waits_ended_gets_nothing_and_the_old_is_forgotten(
    keeping: Keeping, line: Line
) -> None:
    """What came meanwhile is delivered when it goes on; nothing is kept for ever."""
    id_, name = await line.subscribe()
    admin = await keeping.office.person(
        "Сетевая Анна", Role.ADMINISTRATOR, keeping.office.institution
    )
    acts = Subscribers(line.database, nobody_woken, NEAR)
    for _ in range(2):
        await acts.set_paused(admin, id_, paused=True)
    await keeping.add(number=uuid4().hex[:12])
    assert await line.look(id_) is None
    assert line.got(name) == []
    await acts.set_paused(admin, id_, paused=False)
    async with line.database.work() as session:
        asleep = await session.exec(select(Subscriber.id).where(delivering.is_asleep()))
        assert id_ not in asleep.all()
    assert await line.look(id_) is None
    assert len(line.got(name)) == 1
    await keeping.add(number=uuid4().hex[:12])
    woken: list[UUID] = []

    async def wake(row_id: UUID, *, signal: str = "", anew: bool = False) -> bool:
        woken.append(row_id)
        return True

    await delivering.wake_asleep(line.database, wake, now())
    assert id_ in woken
    await acts.end(admin, id_)
    assert await line.look(id_) is None
    assert len(line.got(name)) == 1
    with pytest.raises(Refusal) as refused:
        await acts.test(admin, id_)
    assert refused.value.code == "subscriber_ended"
    await delivering.forget(line.database, now())
    assert len(await line.rows(id_)) == 2
    await delivering.forget(line.database, now() + KEPT)
    assert await line.rows(id_) == []
