"""A hospital in which everything that asks for a reason is done, each with a mark of its own.

A mark is a number that stands nowhere else, so that one can look for it in any page or file.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from api.container import Container
from models.tables.cases import Outage
from rules.access import Actor, Role
from rules.cases.process import Party, Transition
from rules.clock import now
from rules.notices.kinds import Channel
from rules.operation.states import Remedy
from services.archive import retention
from services.cases import wakeups
from services.cases.acts import Act
from services.operation.remedies import RemedyOrder
from services.reviews.decisions import Decision
from tests.shared.counter import Counter
from tests.shared.office import Office

ZONE = ZoneInfo("Europe/Moscow")
OUTSIDERS = frozenset(
    {Role.DOCTOR, Role.NURSE, Role.REGISTRAR, Role.SECURITY, Role.TECHNICIAN, Role.OPERATOR}
)
"""To whom no case of others is shown. One person holds all of these roles: what no right lets that
one see, none of them lets anybody see."""


class Mark(StrEnum):
    """What was written in which act, and the names of those who act of office."""

    HAND_OVER = "71000001"
    REMARK = "71000002"
    MESSAGE = "71000003"
    CLARIFY = "71000004"
    CLARIFY_FIELD = "71000005"
    REJECT = "71000006"
    WITHDRAW = "71000007"
    EXTEND = "71000008"
    HOLD = "71000009"
    RELEASE = "71000010"
    REFUSE = "71000011"
    ANSWER = "71000012"
    RETRY = "71000013"
    TELL_HEAD = "71000014"
    SEND_NOW = "71000015"
    ASK_AGAIN = "71000016"
    HEADS_OWN_REMARK = "71000017"
    HEADS_OWN_HAND_OVER = "71000018"
    HEADS_OWN_HOLD = "71000019"
    OPS_NAME = "71000020"
    KEEPER_NAME = "71000021"
    APPROVE = "71000022"


@dataclass
class Story:
    """The people by what they are to the cases, and the cases."""

    container: Container
    counter: Counter
    people: Mapping[str, Actor]
    cases: dict[str, UUID] = field(default_factory=dict)

    @classmethod
    async def tell(cls, container: Container) -> "Story":
        """Everybody comes, and everything happens."""
        counter = await Counter.open(container.database)
        office = counter.office
        at_large = {
            "ops": (f"{Mark.OPS_NAME} Дежурный", Role.OPS),
            "administrator": (f"{Mark.KEEPER_NAME} Хранитель", Role.ADMINISTRATOR),
            "auditor": ("Ревизорова Вера", Role.AUDITOR),
        }
        people = {
            "applicant": office.clinician,
            "reviewer": office.reviewer,
            "colleague": await office.person("Кадрова Нина", Role.HR_REVIEWER, office.hr),
            "head of HR": office.head,
            "unit head": await office.person("Заведующая Нина", Role.UNIT_HEAD, office.ward),
            "clerk": counter.clerk,
            "outsider": await office.with_more(
                await office.person("Другова Нина", Role.DOCTOR, office.ward),
                *(
                    (role, office.ward if role is Role.NURSE else office.institution)
                    for role in OUTSIDERS - {Role.DOCTOR}
                ),
            ),
            **{
                name: await office.person(*known, office.institution)
                for name, known in at_large.items()
            },
        }
        story = cls(container, counter, people)
        await story._of_an_application()
        await story._of_a_withdrawal()
        await story._of_an_approval()
        await story._of_the_heads_own_application()
        await story._of_requests()
        await story._of_the_installation()
        return story

    @property
    def office(self) -> Office:
        """Where it happens."""
        return self.counter.office

    async def _of_an_application(self) -> None:
        """Handed over, talked about, mended by ops, sent back, rejected, held."""
        office, people = self.office, self.people
        case_id = await office.in_review()
        self.cases["application"] = case_id
        await self._hand_over(case_id, people["head of HR"], people["reviewer"], Mark.HAND_OVER)
        say = self.container.conversations.say
        await say(people["reviewer"], case_id, f"Между нами: {Mark.REMARK}", internal=True)
        await say(people["reviewer"], case_id, f"Здравствуйте. {Mark.MESSAGE}")
        await wakeups.report_stuck(self.container.database, case_id, "issue_act", "SealError")
        await self._remedy(Remedy.RETRY, str(case_id), Mark.RETRY)
        await office.set_times(case_id, due_at=now() - timedelta(days=1))
        await self._remedy(Remedy.TELL_HEAD, str(case_id), Mark.TELL_HEAD)
        await self._decide(
            case_id,
            Decision(
                Transition.CLARIFY,
                f"Уточните: {Mark.CLARIFY}",
                {"purpose": f"Подробнее: {Mark.CLARIFY_FIELD}"},
            ),
        )
        await office.applications.save_draft(
            office.clinician, case_id, {"purpose": "Открываем кабинет эхокардиографии."}, None
        )
        step = (await office.case(case_id)).step
        await office.applications.resubmit(office.clinician, case_id, Act(uuid4(), step))
        await office.check(case_id)
        await self._decide(case_id, Decision(Transition.REJECT, f"Отказ: {Mark.REJECT}"))
        await retention.assign(self.container.database, ZONE)
        keeper, keeping = people["administrator"], self.container.retention
        until = now() + timedelta(days=9000)
        await keeping.extend(keeper, case_id, until, f"Дольше: {Mark.EXTEND}")
        await keeping.hold(keeper, case_id, "Запрос")
        await keeping.release(keeper, case_id, f"Снято: {Mark.RELEASE}")
        await keeping.hold(keeper, case_id, f"Суд: {Mark.HOLD}")

    async def _of_a_withdrawal(self) -> None:
        office = self.office
        case_id = await office.in_review()
        self.cases["withdrawn"] = case_id
        act = Act(uuid4(), (await office.case(case_id)).step)
        reason = f"Передумала: {Mark.WITHDRAW}"
        await office.applications.withdraw(office.clinician, case_id, act, reason)

    async def _of_an_approval(self) -> None:
        case_id = await self.office.in_review()
        self.cases["approved"] = case_id
        answers = await self.office.checklist(case_id)
        reason = f"Да: {Mark.APPROVE}"
        await self._decide(case_id, Decision(Transition.APPROVE, reason, checklist=answers))

    async def _of_the_heads_own_application(self) -> None:
        """The head of HR applies too: then every role of theirs is silent."""
        people, head = self.people, self.people["head of HR"]
        case_id = await self.office.in_review(head)
        self.cases["head's own"] = case_id
        reviewer = people["reviewer"]
        await self._hand_over(case_id, reviewer, people["colleague"], Mark.HEADS_OWN_HAND_OVER)
        words = f"О начальнике: {Mark.HEADS_OWN_REMARK}"
        await self.container.conversations.say(reviewer, case_id, words, internal=True)
        await self._decide(case_id, Decision(Transition.REJECT, "Мест нет."))
        await retention.assign(self.container.database, ZONE)
        reason = f"Проверка: {Mark.HEADS_OWN_HOLD}"
        await self.container.retention.hold(people["administrator"], case_id, reason)

    async def _of_requests(self) -> None:
        counter = self.counter
        self.cases["refused"] = refused = await counter.laid_on_the_desk()
        act = await counter.act(refused)
        await counter.requests.refuse(counter.clerk, refused, act, f"Нет: {Mark.REFUSE}")
        self.cases["answered"] = answered = await counter.laid_on_the_desk()
        await counter.answered(answered, f"Выдано: {Mark.ANSWER}")

    async def _of_the_installation(self) -> None:
        """What ops do to channels and systems, not to one case."""
        async with self.container.database.work() as session:
            session.add(Outage(system=Party.REGISTER.value, since=now()))
        await self._remedy(Remedy.ASK_AGAIN, Party.REGISTER.value, Mark.ASK_AGAIN)
        await self._remedy(Remedy.SEND_NOW, Channel.MAIL.value, Mark.SEND_NOW)

    async def _hand_over(self, case_id: UUID, by: Actor, to: Actor, mark: Mark) -> None:
        case = await self.office.case(case_id)
        if case.reviewer_id != by.person_id:
            await self.office.reviews.take(by, case_id, case.step, case.reviewer_id)
        reason = f"Отпуск: {mark}"
        await self.office.reviews.hand_over(
            by, case_id, case.step, to.person_id, reason, had=by.person_id
        )

    async def _decide(self, case_id: UUID, decision: Decision) -> None:
        act = Act(uuid4(), (await self.office.case(case_id)).step)
        await self.office.reviews.decide(self.people["reviewer"], case_id, act, decision)

    async def _remedy(self, remedy: Remedy, subject: str, mark: Mark) -> None:
        wanted = RemedyOrder(remedy, subject, f"Причина: {mark}")
        await self.container.operation.act(self.people["ops"], uuid4(), wanted)
