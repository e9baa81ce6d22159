"""A result is handed over while those who answer for it go away (W2)."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from uuid import UUID

from sqlalchemy import delete
from sqlmodel import col

from models.tables.people import Absence
from ops.interleavings.clinic import identity
from ops.interleavings.results import ResultScene, confirmations
from ops.interleavings.scenes import Family, SteppedOutcomes, SteppedScene, some, was_done
from ops.interleavings.stepping import Act
from rules.clock import now
from rules.results.life import OfferState
from services.results import looking


class _Answering(ResultScene):
    offer: UUID

    async def set_up(self) -> SteppedScene:
        await self.begin()
        await self.open("doctor")
        other = identity()
        await self.clinic.patients(1, named=other)
        doctor, colleague, head = (self.clinic[one] for one in ("doctor", "colleague", "head"))
        offer = partial(self.acts.offer, doctor, self.id)
        self.offer = await offer(colleague.person_id, "Прошу помочь")
        answer = partial(self._answer, offer_id=self.offer)
        acts: dict[str, Act] = {
            "accepts": partial(answer, "colleague", OfferState.ACCEPTED),
            "refuses": partial(answer, "colleague", OfferState.REFUSED),
            "takes back": partial(answer, "doctor", OfferState.WITHDRAWN),
            "confirms": partial(self.confirm, "doctor", 1),
            "offers": partial(offer, head.person_id, "Прошу заведующего"),
            "doctor goes": partial(self._go_away, "doctor", None),
            "doctor goes, colleague stands in": partial(self._go_away, "doctor", "colleague"),
            "colleague goes": partial(self._go_away, "colleague", None),
            "taken": partial(self.acts.take, head, self.id),
            "looked at": self.look,
            "corrected": partial(self.hear, 2),
            "another patient's": partial(self.hear, 3, other),
        }
        return SteppedScene(some(self.dice, acts, self.dice.choice((2, 3, 3))), self.judge)

    async def _answer(self, who: str, state: OfferState, offer_id: UUID) -> None:
        await self.acts.answer_offer(self.clinic[who], self.id, offer_id, state)

    async def _go_away(self, who: str, deputy: str | None) -> None:
        """Absent from yesterday until tomorrow; what was theirs is looked at."""
        gone, moment = self.clinic[who].person_id, now()
        async with self.clinic.database.work() as session:
            session.add(
                Absence(
                    person_id=gone,
                    first_day=moment.date() - timedelta(days=1),
                    last_day=moment.date() + timedelta(days=1),
                    deputy_id=self.clinic[deputy].person_id if deputy else None,
                )
            )
            await session.flush()
            await looking.person_changed(session, gone, moment)
        await self.look()

    async def judge(self, outcomes: SteppedOutcomes) -> Sequence[str]:
        """One person answers who is there; who was told that it is theirs had it."""
        found = await self.troubles()
        told = [name for name in ("accepts", "takes back") if was_done(outcomes, name)]
        if len(told) > 1 or (told and was_done(outcomes, "refuses")):
            found.append("one offer ended in two ways")
        if was_done(outcomes, "confirms") and not await confirmations(self):
            found.append("a confirmation is lost")
        staff = [one.person_id for one in self.clinic.people.values()]
        async with self.clinic.database.work() as session:
            await session.exec(delete(Absence).where(col(Absence.person_id).in_(staff)))
        return found


ANSWERING = Family(
    "hand-over, absence",
    "who answers against who is there, offers against their ends, rows against the journal",
    _Answering,
    frozenset(
        {
            "offer_over",
            "not_yours",
            "offered_already",
            "changed_meanwhile",
            "incomplete",
            "superseded",
            "another_patient",
        }
    ),
)
