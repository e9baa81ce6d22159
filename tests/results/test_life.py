"""The life of a result by its rules alone: every order of events, one person, no unseen version."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import islice
from uuid import UUID, uuid4

import pytest

from rules.cases.terms import Alarm, WorkingCalendar
from rules.refusals import Refusal
from rules.results import life
from rules.results.life import ResultStanding, ResultState
from rules.results.plot import HEIGHT, WIDTH, plot_of
from rules.results.terms import next_midnight
from rules.results.values import Bounds, Flag, Urgency, age_on, urgency_of
from services.results.terms import SHIPPED, known_tests, terms_in

PATIENT, OTHER = uuid4(), uuid4()
ANNA, BORIS, HEAD, DESK = uuid4(), uuid4(), uuid4(), uuid4()
ZONE = "Europe/Moscow"


@dataclass
class Lived:
    """A result whose people act in some order; each sees what they open, and acts on that."""

    standing: ResultStanding
    seen: dict[UUID, int] = field(default_factory=dict)
    confirmed: list[tuple[UUID, int]] = field(default_factory=list)
    here: set[UUID] = field(default_factory=lambda: {ANNA, BORIS, HEAD})

    def tried(self, act: Callable[[], ResultStanding]) -> bool:
        """Whether the rules let it happen; then it has."""
        try:
            self.standing = act()
        except Refusal:
            return False
        return True

    def open(self, who: UUID) -> None:
        """Somebody opens the page."""
        self.seen[who] = self.standing.version

    def confirm(self, who: UUID) -> bool:
        """Somebody confirms what their page showed, however old it is."""
        version = self.seen.get(who, 0)
        open_before = self.standing.state is ResultState.AWAITING
        done = self.tried(
            lambda: life.confirmed(self.standing, who, version, PATIENT, saw=who in self.seen)
        )
        if done and open_before:
            self.confirmed.append((who, version))
        return done

    def offer(self, who: UUID, to: UUID) -> bool:
        """Somebody asks a colleague."""
        return self.tried(lambda: life.offered(self.standing, who, to))

    def accept(self, who: UUID) -> bool:
        """The colleague takes it."""
        return self.tried(lambda: life.accepted(self.standing, who))

    def tend(self) -> None:
        """The clock: whoever is not here is replaced."""
        if self.standing.answers_id not in self.here and self.standing.state in life.OPEN_STATES:
            self.standing = life.passed_on(self.standing, next(iter(self.here & {HEAD}), DESK))

    def check(self) -> None:
        """Exactly one person; nothing confirmed but what its person had seen."""
        assert self.standing.answers_id is not None
        if self.standing.state is ResultState.CONFIRMED:
            assert self.standing.confirmed_version == self.standing.version
        assert all(version > 0 for _, version in self.confirmed)


def fresh() -> Lived:
    """A result that waits for Anna."""
    return Lived(ResultStanding(ResultState.AWAITING, 1, PATIENT, ANNA))


def test_a_thousand_orders_of_confirming_and_correcting() -> None:
    """However versions and confirmations cross, the last word is on the newest version."""
    reopened = refused = 0
    for seed in range(1000):
        dice = random.Random(seed)  # noqa: S311 - repeatable, nothing secret
        lived = fresh()
        versions = [2, 3, 4]
        dice.shuffle(versions)
        acts: list[str] = ["open"] * 3 + ["confirm"] * 3 + ["hear"] * 3
        dice.shuffle(acts)
        for act in acts:
            before = lived.standing
            if act == "open":
                lived.open(ANNA)
            elif act == "confirm":
                ok = lived.confirm(ANNA)
                refused += not ok
                if ok:
                    assert lived.seen[ANNA] == before.version
            else:
                lived.standing = life.heard(lived.standing, versions.pop())
                reopened += before.state is ResultState.CONFIRMED and (
                    lived.standing.state is ResultState.AWAITING
                )
                assert lived.standing.answers_id == ANNA, "it reopens for whoever confirmed it"
            lived.check()
        assert lived.standing.version == 4
    assert reopened > 100
    assert refused > 100


def test_a_thousand_orders_of_offers_and_absences() -> None:
    """However offers, answers and absences cross, one person answers, and nobody by two words."""
    taken = came_back = passed = 0
    for seed in range(1000):
        dice = random.Random(seed)  # noqa: S311 - repeatable, nothing secret
        lived = fresh()
        acts = ["offer", "accept", "refuse", "away", "back", "tend", "offer", "accept", "confirm"]
        dice.shuffle(acts)
        for act in acts:
            before = lived.standing
            if act == "offer":
                lived.offer(ANNA, BORIS)
                assert lived.standing.answers_id == before.answers_id, "an offer passes nothing on"
            elif act == "accept":
                taken += lived.accept(BORIS)
            elif act == "refuse" and lived.standing.offered_to == BORIS:
                lived.standing = life.came_back(lived.standing)
                came_back += lived.standing.answers_id == ANNA
            elif act == "away":
                lived.here.discard(dice.choice([ANNA, BORIS]))
            elif act == "back":
                lived.here |= {ANNA, BORIS}
            elif act == "tend":
                lived.tend()
                passed += lived.standing.answers_id != before.answers_id
            elif act == "confirm":
                who = lived.standing.answers_id or ANNA
                lived.open(who)
                assert lived.confirm(who)
                assert lived.standing.offered_to is None
            lived.check()
        lived.tend()
        assert lived.standing.state is ResultState.CONFIRMED or (
            lived.standing.answers_id in lived.here
        )
    assert min(taken, came_back, passed) > 50


def test_what_the_rules_refuse() -> None:
    """A superseded version, another patient, another's result, an unseen one; and twice is once."""
    waits = ResultStanding(ResultState.AWAITING, 2, PATIENT, ANNA)

    def code(act: Callable[[], object]) -> str:
        with pytest.raises(Refusal) as refused:
            act()
        return refused.value.code

    assert code(lambda: life.confirmed(waits, ANNA, 1, PATIENT, saw=True)) == "superseded"
    assert code(lambda: life.confirmed(waits, ANNA, 2, OTHER, saw=True)) == "another_patient"
    assert code(lambda: life.confirmed(waits, BORIS, 2, PATIENT, saw=True)) == "not_yours"
    assert code(lambda: life.confirmed(waits, ANNA, 2, PATIENT, saw=False)) == "unseen"
    done = life.confirmed(waits, ANNA, 2, PATIENT, saw=True)
    assert life.confirmed(done, ANNA, 2, PATIENT, saw=True) == done
    assert code(lambda: life.confirmed(done, BORIS, 2, PATIENT, saw=True)) == "changed_meanwhile"
    assert code(lambda: life.offered(done, ANNA, BORIS)) == "changed_meanwhile"
    asked = life.offered(waits, ANNA, BORIS)
    assert code(lambda: life.offered(asked, ANNA, HEAD)) == "offered_already"
    assert code(lambda: life.offered(waits, ANNA, ANNA)) == "incomplete"
    assert code(lambda: life.accepted(waits, BORIS)) == "offer_over"
    out = life.detached(done, PATIENT, DESK)
    assert (out.state, out.patient_id, out.answers_id) == (ResultState.UNMATCHED, None, DESK)
    assert code(lambda: life.detached(out, PATIENT, DESK)) == "another_patient"
    back = life.returned(out)
    assert back.answers_id is None
    assert code(lambda: life.matched(back, PATIENT, ANNA)) == "changed_meanwhile"
    assert life.heard(back, 3).state is ResultState.UNMATCHED
    assert life.heard(done, 1) == done


def test_the_more_dangerous_of_flag_and_value_counts() -> None:
    """A mild or missing flag hides nothing; a value in words goes by its flag."""
    normal, critical = (
        Bounds(Decimal("3.5"), Decimal("5.1")),
        Bounds(Decimal("2.8"), Decimal("6.2")),
    )
    told = [
        urgency_of("4,2", Flag.NONE, normal, critical),
        urgency_of("5.4", Flag.NORMAL, normal, critical),
        urgency_of("6.9", Flag.HIGH, normal, critical),
        urgency_of("4.2", Flag.CRITICAL_LOW, normal, critical),
        urgency_of("обнаружено", Flag.ABNORMAL, normal, critical),
        urgency_of("NaN", Flag.NONE, normal, critical),
        urgency_of("Infinity", Flag.NONE, normal, critical),
        urgency_of("> 6,2", Flag.NONE, normal, critical),
        urgency_of("<3.5", Flag.NONE, normal, critical),
        urgency_of(">4", Flag.NONE, normal, critical),
        urgency_of("1e400", Flag.NONE, normal, critical),
        urgency_of("", Flag.NONE, normal, critical),
    ]
    c, a, o = Urgency.CRITICAL, Urgency.ABNORMAL, Urgency.OTHER
    assert told == [o, a, c, c, a, o, o, c, a, o, c, o]


def test_references_go_by_sex_and_age() -> None:
    """A child's haemoglobin is not judged by an adult's."""
    test = known_tests()["718-7"]
    assert test.reference("male", 40) == Bounds(Decimal(130), Decimal(170))
    assert test.reference("female", 40) == Bounds(Decimal(120), Decimal(150))
    assert test.reference("male", 5) == Bounds(Decimal(110), Decimal(160))
    assert age_on(date(2000, 2, 29), date(2026, 2, 28)) == 25


def test_terms_by_class() -> None:
    """An hour by the clock, a working day, five: in the zone of the unit, and again and again."""
    terms, calendar = terms_in(SHIPPED), WorkingCalendar()
    friday = datetime(2026, 11, 27, 20, tzinfo=UTC)
    hour = terms[Urgency.CRITICAL]
    due = hour.due(friday, ZONE, calendar)
    assert due == friday + timedelta(hours=1)
    alarms = list(islice(hour.alarms(friday, due, ZONE, calendar), 3))
    assert [kind for _, kind in alarms] == [Alarm.REMIND, Alarm.ESCALATE, Alarm.ESCALATE]
    assert alarms[2][0] == friday + timedelta(hours=2)
    day = terms[Urgency.ABNORMAL]
    due = day.due(friday, ZONE, calendar)
    assert due == datetime(2026, 11, 30, 21, tzinfo=UTC), "Monday, 24:00 in Moscow"
    alarms = list(islice(day.alarms(friday, due, ZONE, calendar), 3))
    assert [at.astimezone(UTC).hour for at, _ in alarms] == [6, 21, 6]
    assert [kind for _, kind in alarms] == [Alarm.REMIND, Alarm.ESCALATE, Alarm.ESCALATE]
    five = terms[Urgency.OTHER].due(friday, "Asia/Vladivostok", calendar)
    assert five == datetime(2026, 12, 4, 14, tzinfo=UTC)
    assert next_midnight(friday, ZONE) == datetime(2026, 11, 27, 21, tzinfo=UTC)


def test_the_figure_holds_all_values() -> None:
    """Every point lies inside, the band where the reference is; one value makes no figure."""
    now = datetime(2026, 11, 30, tzinfo=UTC)
    values = [(now + timedelta(days=n), Decimal(n), Urgency.OTHER) for n in range(5)]
    figure = plot_of(values, Bounds(Decimal(1), None))
    assert figure is not None
    assert all(0 < one.x < WIDTH and 0 < one.y < HEIGHT for one in figure.points)
    assert figure.band is not None
    assert figure.points[2].y < figure.band[1] < figure.points[0].y
    assert plot_of(values[:1], None) is None
    far = [(now, Decimal("1e999999999"), Urgency.CRITICAL)]
    assert plot_of([*values, *far], Bounds(Decimal("-1e400"), None)) == plot_of(values, None)
    assert plot_of([(now, Decimal(5), Urgency.OTHER)] * 2, None) is not None
