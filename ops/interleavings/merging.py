"""Two patients are joined and parted while somebody writes of one and reads of the other (W2)."""

from collections.abc import Sequence
from functools import partial
from random import Random
from uuid import UUID, uuid4

from sqlmodel import col, or_, select

from models.tables.patients import PatientLink
from models.tables.records import RecordDraft, RecordEntry
from ops.interleavings.clinic import InterleavedClinic
from ops.interleavings.scenes import Family, SteppedOutcomes, SteppedScene, some, was_done
from ops.interleavings.stepping import Act
from rules.clock import now
from rules.journal.entries import JournalKind
from rules.records.entries import OpenedFor
from services.patients import links, ways
from services.patients.joining import Joining
from services.records import seen
from services.records.acts import Records

NOTE = {"subject": "Разговор о режиме", "text": "Объяснил, когда прийти снова"}
_LINKS = (
    JournalKind.PATIENT_LINK_PROPOSED,
    JournalKind.PATIENT_LINKED,
    JournalKind.PATIENT_PARTED,
    JournalKind.PATIENT_LINK_REFUSED,
)


class _Merging:
    def __init__(self, clinic: InterleavedClinic, dice: Random) -> None:
        self.clinic, self.dice = clinic, dice
        self.joining = Joining(clinic.database)
        self.records = Records(clinic.database)
        self.one = self.other = self.link = self.draft = uuid4()

    async def set_up(self) -> SteppedScene:
        clinic = self.clinic
        (self.one,) = await clinic.patients(1, ["doctor"])
        (self.other,) = await clinic.patients(1)
        first, second = clinic["registrar"], clinic["second"]
        self.link = await self.joining.propose(first, self.one, self.other, "Один человек")
        opened, doctor = OpenedFor(self.one), clinic["doctor"]
        self.draft = await clinic.draft(self.one, "note", NOTE)
        if self.dice.random() < 0.4:
            await self.joining.make(second, self.link)
        part = partial(self.joining.end, reason="Разные люди")
        acts: dict[str, Act] = {
            "joins": partial(self.joining.make, second, self.link),
            "joins again": partial(self.joining.make, second, self.link),
            "parts": partial(part, first, self.link),
            "parts too": partial(part, second, self.link),
            "joins the other way": partial(self._join, second, first, self.other, self.one),
            "joins anew": partial(self._join, second, first, self.one, self.other),
            "signs": partial(self.records.sign, doctor, self.draft, opened, 0),
            "reads the other": partial(self._read, self.other),
            "reads": partial(self._read, self.one),
        }
        return SteppedScene(some(self.dice, acts, self.dice.choice((2, 3, 3))), self.judge)

    async def _join(self, first: object, second: object, one: UUID, other: UUID) -> None:
        """Two people join them, this way round."""
        link = await self.joining.propose(first, one, other, "Один человек")  # type: ignore[arg-type]
        await self.joining.make(second, link)  # type: ignore[arg-type]

    async def _read(self, patient: UUID) -> frozenset[UUID]:
        """Open a record: returns under whose identities its entries were written."""
        async with self.clinic.database.work() as session:
            look = await ways.look(session, self.clinic["doctor"], patient, now())
            found = await seen.entries(session, look.joined.ids)
        return frozenset(one.patient_id for one in found)

    async def judge(self, outcomes: SteppedOutcomes) -> Sequence[str]:
        """Links are a tree and journaled as they went; entries stay where they were written."""
        both = (self.one, self.other)
        async with self.clinic.database.work() as session:
            rows = (
                await session.exec(
                    select(PatientLink).where(
                        or_(col(PatientLink.from_id).in_(both), col(PatientLink.to_id).in_(both))
                    )
                )
            ).all()
            written = (
                await session.exec(select(RecordEntry).where(col(RecordEntry.id) == self.draft))
            ).first()
            joined = [await links.joined(session, one) for one in both]
            if draft := await session.get(RecordDraft, self.draft):
                await session.delete(draft)
        wrong = []
        stand = [one for one in rows if one.made_at and not one.ended_at]
        if len(stand) > 1 or (joined[0].main != joined[1].main and stand):
            wrong.append(f"{len(stand)} links stand between two patients")
        if was_done(outcomes, "signs") != (written is not None):
            wrong.append("signed, and not there, or the other way round")
        if written is not None and written.patient_id != self.one:
            wrong.append("written of another patient")
        ever = any(one.made_at for one in rows)
        if was_done(outcomes, "reads the other") and not ever:
            wrong.append("read without a way")
        for one in rows:
            wrong += await self._journaled(one)
            if one.made_by == one.proposed_by:
                wrong.append("joined by one person alone")
            if one.ended_at is None:
                await self.joining.end(self.clinic["registrar"], one.id, "Разные люди")
        return [*wrong, *await self._parted()]

    async def _journaled(self, row: PatientLink) -> list[str]:
        """In the chains of both: proposed, then made, then parted; or refused."""
        steps = [JournalKind.PATIENT_LINK_PROPOSED]
        if row.made_at:
            steps.append(JournalKind.PATIENT_LINKED)
        if row.ended_at:
            parted, refused = JournalKind.PATIENT_PARTED, JournalKind.PATIENT_LINK_REFUSED
            steps.append(parted if row.made_at else refused)
        wrong = []
        for chain in (row.from_id, row.to_id):
            told = [
                one.kind
                for one in await self.clinic.journal(chain)
                if one.kind in _LINKS and one.facts["link"] == str(row.id)
            ]
            if told != steps:
                wrong.append(f"journaled {told}, and it was {steps}")
        return wrong

    async def _parted(self) -> list[str]:
        """Once they are parted each has what was written of it, and nothing else."""
        async with self.clinic.database.reading() as session:
            alone = await links.joined(session, self.other)
            left = await seen.entries(session, alone.ids)
        return ["parted, and not alone"] if len(alone.ids) > 1 or left else []


MERGING = Family(
    "merge, write, unmerge",
    "links against a tree and the journal of both, entries against whose form was signed",
    _Merging,
    frozenset(
        {"joined_already", "changed_meanwhile", "proposed_already", "patient_closed", "oneself"}
    ),
)
