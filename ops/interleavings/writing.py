"""Two tabs with two patients, and two people at one entry (W2)."""

from collections.abc import Mapping, Sequence
from functools import partial
from random import Random
from uuid import UUID, uuid4

from sqlmodel import col, select

from models.tables.records import RecordDraft, RecordEntry, RecordVersion
from ops.interleavings.clinic import InterleavedClinic
from ops.interleavings.scenes import Family, SteppedOutcomes, SteppedScene, some, was_done
from ops.interleavings.stepping import Act
from rules.records.entries import OpenedFor
from rules.refusals import Refusal
from services.records.acts import Records
from services.records.drafts import RecordDrafts

ALLERGY = {
    "substance": "А: пенициллин",
    "kind": "drug",
    "severity": "anaphylaxis",
    "reaction": "А: отёк",
    "evidence": "seen",
}
_TEXTS = {"subject", "text", "substance", "reaction"}
"""What is typed of a patient begins with the letter of that patient."""


class _Writing:
    def __init__(self, clinic: InterleavedClinic, dice: Random) -> None:
        self.clinic, self.dice = clinic, dice
        self.records, self.drafts = Records(clinic.database), RecordDrafts(clinic.database)
        self.patients: dict[str, UUID] = {}
        self.tabs: dict[str, UUID] = {}
        self.allergy = uuid4()

    async def set_up(self) -> SteppedScene:
        clinic = self.clinic
        both = await clinic.patients(2, ["doctor", "colleague"])
        self.patients = dict(zip("АБ", both, strict=True))
        for letter, patient in self.patients.items():
            typed = {"subject": f"{letter}: режим", "text": letter}
            self.tabs[letter] = await clinic.draft(patient, "note", typed)
        self.tabs["entry"] = await clinic.draft(self.patients["А"], "allergy", ALLERGY)
        self.allergy = await self._sign("entry", "А")
        correct = self._correct
        acts: dict[str, Act] = {
            "signs А": partial(self._write, "А", "А", "А: первая вкладка"),
            "signs А in a second tab": partial(self._write, "А", "А", "А: вторая вкладка"),
            "signs Б": partial(self._write, "Б", "Б", "Б: другая вкладка"),
            "signs А by the form of Б": partial(self._write, "А", "Б", "Б: не туда"),
            "saves Б by the form of А": partial(self._save, "Б", "А", {"text": "А: не туда"}),
            "throws А away": partial(self._discard, "А"),
            "corrects": partial(correct, "doctor", {"reaction": "А: отёк, удушье"}),
            "corrects too": partial(correct, "colleague", {"substance": "А: амоксициллин"}),
            "marks as mistaken": self._mark,
        }
        return SteppedScene(some(self.dice, acts, self.dice.choice((2, 3, 3))), self.judge)

    async def _save(self, tab: str, form_of: str, typed: Mapping[str, str]) -> None:
        opened = OpenedFor(self.patients[form_of])
        await self.drafts.save(self.clinic["doctor"], self.tabs[tab], opened, typed, {})

    async def _sign(self, tab: str, form_of: str) -> UUID:
        opened = OpenedFor(self.patients[form_of])
        return await self.records.sign(self.clinic["doctor"], self.tabs[tab], opened, 0)

    async def _write(self, tab: str, form_of: str, text: str) -> UUID:
        await self._save(tab, form_of, {"text": text})
        return await self._sign(tab, form_of)

    async def _discard(self, letter: str) -> None:
        opened = OpenedFor(self.patients[letter])
        await self.drafts.discard(self.clinic["doctor"], self.tabs[letter], opened)

    async def _correct(self, who: str, changes: Mapping[str, str]) -> None:
        """Correct the entry; whoever is told that it changed meanwhile signs what they see now."""
        actor, patient = self.clinic[who], self.patients["А"]
        begun = await self.drafts.begin_correction(actor, patient, self.allergy)
        opened = OpenedFor(patient)
        await self.drafts.save(actor, begun.id, opened, changes, {}, "Уточнение")
        try:
            await self.records.sign(actor, begun.id, opened, begun.base_version)
        except Refusal as refusal:
            if refusal.code != "changed_meanwhile":
                raise
            await self.records.sign(actor, begun.id, opened, int(refusal.facts["version"]))

    async def _mark(self) -> None:
        opened = OpenedFor(self.patients["А"])
        doctor = self.clinic["doctor"]
        await self.records.mark_mistaken(doctor, opened, self.allergy, 1, "Другой пациент")

    async def judge(self, outcomes: SteppedOutcomes) -> Sequence[str]:
        """Nothing typed of one is with the other, and no correction of two is lost."""
        whose = {patient: letter for letter, patient in self.patients.items()}
        async with self.clinic.database.work() as session:
            entries = {
                one.id: one
                for one in (
                    await session.exec(
                        select(RecordEntry).where(col(RecordEntry.patient_id).in_(whose))
                    )
                ).all()
            }
            versions = (
                await session.exec(
                    select(RecordVersion)
                    .where(col(RecordVersion.entry_id).in_(entries))
                    .order_by(col(RecordVersion.number))
                )
            ).all()
            drafts = (
                await session.exec(
                    select(RecordDraft).where(col(RecordDraft.patient_id).in_(whose))
                )
            ).all()
            kept = [(whose[entries[one.entry_id].patient_id], one.data) for one in versions]
            kept += [(whose[one.patient_id], one.data) for one in drafts]
            left = {one.id for one in drafts}
            for one in drafts:
                await session.delete(one)
        wrong = [
            f"{value!r} is with {letter}"
            for letter, data in kept
            for name, value in data.items()
            if name in _TEXTS and not str(value).startswith(letter)
        ]
        for letter in "АБ":
            signed = any(
                was_done(outcomes, name) for name in outcomes if name.startswith(f"signs {letter}")
            )
            if signed != (self.tabs[letter] in entries):
                wrong.append(f"{letter}: signed {signed}, and the entry is there or is not")
            gone = was_done(outcomes, f"throws {letter} away")
            if not signed and not gone and self.tabs[letter] not in left:
                wrong.append(f"{letter}: what was typed is lost")
        for name in ("signs А by the form of Б", "saves Б by the form of А"):
            if was_done(outcomes, name):
                wrong.append(f"{name}: was not refused")
        own = [one for one in versions if one.entry_id == self.allergy]
        return [*wrong, *self._corrected_wrongly(outcomes, entries[self.allergy], own)]

    def _corrected_wrongly(
        self, outcomes: SteppedOutcomes, entry: RecordEntry, versions: Sequence[RecordVersion]
    ) -> list[str]:
        wrong = []
        done = [name for name in ("corrects", "corrects too") if was_done(outcomes, name)]
        numbers = [one.number for one in versions]
        if numbers != list(range(1, len(done) + 2)) or entry.version != numbers[-1]:
            wrong.append(f"{done}, and versions {numbers}, of which {entry.version} counts")
        last = versions[-1].data
        if "corrects" in done and last["reaction"] != "А: отёк, удушье":
            wrong.append("a correction is lost")
        if "corrects too" in done and last["substance"] != "А: амоксициллин":
            wrong.append("a colleague's correction is lost")
        if was_done(outcomes, "marks as mistaken") != (entry.mistaken_at is not None):
            wrong.append("marked, and is not, or the other way round")
        return wrong


WRITING = Family(
    "two tabs, two patients",
    "what was typed against whose record has it, corrections against versions",
    _Writing,
    frozenset({"another_patient", "not_found", "changed_meanwhile", "not_standing"}),
)
