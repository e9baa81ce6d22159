"""A result is confirmed while the laboratory corrects it, and while it changes its record (W2)."""

from collections.abc import Sequence
from functools import partial

from models.tables.results import LabResult
from ops.interleavings.clinic import identity
from ops.interleavings.results import ResultScene, confirmations
from ops.interleavings.scenes import Family, SteppedOutcomes, SteppedScene, some
from ops.interleavings.stepping import Act
from rules.clock import now
from services.patients import links
from services.results import seen


class _Confirming(ResultScene):
    async def set_up(self) -> SteppedScene:
        await self.begin()
        other = identity()
        await self.clinic.patients(1, named=other)
        if self.dice.random() < 0.7:
            await self.open("doctor")
        acts: dict[str, Act] = {
            "confirms 1": partial(self.confirm, "doctor", 1),
            "opens, confirms": self._open_and_confirm,
            "corrected": partial(self.hear, 2),
            "corrected again": partial(self.hear, 2),
            "corrected once more": partial(self.hear, 3),
            "another patient's": partial(self.hear, 4, other),
            "detached": self._detach,
            "matched": self._match,
            "taken": partial(self.acts.take, self.clinic["head"], self.id),
            "record opened": self._record,
            "looked at": self.look,
        }
        return SteppedScene(some(self.dice, acts, self.dice.choice((2, 3, 3))), self.judge)

    async def _open_and_confirm(self) -> int:
        page = await self.open("doctor")
        return await self.confirm("doctor", page.newest.number)

    async def _detach(self) -> None:
        registrar = self.clinic["registrar"]
        await self.acts.detach(registrar, self.id, self.patient, "Пробирки перепутаны")

    async def _match(self) -> None:
        """The desk sees the version that is there, and chooses the patient."""
        async with self.clinic.database.reading() as session:
            row = await session.get_one(LabResult, self.id)
        await self.acts.match(self.clinic["registrar"], self.id, self.patient, row.version)

    async def _record(self) -> None:
        """The block of results on the patient's page: what it shows counts as read."""
        async with self.clinic.database.work() as session:
            them = (await links.joined(session, self.patient)).ids
            lines = await seen.of_patient(session, them)
            await seen.read_of_patient(session, self.clinic["doctor"], lines, now())
        self.shown |= {(self.clinic["doctor"].person_id, one.version) for one in lines}

    async def judge(self, outcomes: SteppedOutcomes) -> Sequence[str]:
        """Every confirmation that was told is kept once, and of a version that was shown."""
        found = await self.troubles()
        done = {
            one.value for name, one in outcomes.items() if "confirms" in name and not one.refused
        }
        if len(done) > await confirmations(self):
            found.append("a confirmation is lost")
        return found


CONFIRMING = Family(
    "confirm, correct",
    "confirmations and readings against what pages showed, rows against versions and matches",
    _Confirming,
    frozenset(
        {
            "superseded",
            "another_patient",
            "not_yours",
            "unseen",
            "changed_meanwhile",
            "not_found",
            "patient_closed",
        }
    ),
)
