"""What a person's qualification file gives for an accreditation: hours, documents, what is missing.

The draft is filled in from here, so that nobody writes twice what the file says already.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.cases import Case
from models.tables.credentials import Credential, CredentialFile, CredentialVersion
from rules.accreditations.hours import FinishedCourse, Hours, counts, hours_of
from rules.accreditations.norms import AccreditationNorm, day_of
from rules.cases.limits import MOST_ATTACHMENTS
from rules.forms.definitions import CaseTypeDefinition, chosen
from services.cases.draft_contents import citation
from services.credentials import renewal, rows
from services.credentials.renewal import DIPLOMA, RENEWED, FilledAnswers
from services.credentials.rows import readable_files

COURSE = "course"
ADMISSIONS = ("accreditation", "certificate")
"""Categories of credentials; what an accreditation renews stands first."""


@dataclass(frozen=True)
class TrainingLine:
    """A course of the file, and the documents that prove it."""

    topic: str
    issuer: str
    course: FinishedCourse
    why_not: str = ""
    """Why it does not count: `old`, or `no_file`; empty if it does."""
    files: Sequence[UUID] = ()

    @property
    def counts(self) -> bool:
        """Whether its hours count."""
        return not self.why_not


@dataclass(frozen=True)
class Admission:
    """The accreditation or certificate that is to be renewed."""

    credential_id: UUID
    specialty: str
    number: str
    valid_until: date
    files: Sequence[UUID]


@dataclass(frozen=True)
class Preparation:
    """What the file gives on a day, by the norm of that day."""

    norm: AccreditationNorm
    hours: Hours
    courses: Sequence[TrainingLine]
    admission: Admission | None
    diplomas: Sequence[UUID]

    def draft(self, definition: CaseTypeDefinition) -> dict[str, Any]:
        """The answers that the file knows."""
        if self.admission is None:
            return {}
        return _answers(
            definition,
            self.admission.specialty,
            self.admission.number,
            self.admission.valid_until.isoformat(),
        )

    def attachments(self) -> list[dict[str, str]]:
        """The documents that belong to it: those of the courses that count, the newest first."""
        cited = [citation("accreditation", one) for one in self._of_admission]
        cited += [citation(DIPLOMA, one) for one in self.diplomas]
        courses = (one for line in self.courses if line.counts for one in line.files)
        return [*cited, *(citation(COURSE, one) for one in courses)][:MOST_ATTACHMENTS]

    @property
    def _of_admission(self) -> Sequence[UUID]:
        return self.admission.files if self.admission else ()


async def prepared(
    session: AsyncSession,
    person_id: UUID,
    today: date,
    norm: AccreditationNorm,
    renewed: UUID | None = None,
) -> Preparation:
    """What the file of a person gives today; `renewed` is the credential that is to be renewed."""
    standing = await _standing(session, person_id)
    files = await readable_files(session, [version.id for _, version in standing])
    lines = [
        _line(version, files.get(version.id, ()), today, norm)
        for row, version in standing
        if row.category == COURSE
    ]
    wanted = [one for one in standing if one[0].id == renewed and one[0].category in ADMISSIONS]
    return Preparation(
        norm,
        hours_of([one.course for one in lines if one.counts], today, norm),
        sorted(lines, key=lambda one: one.course.finished_on, reverse=True),
        _admission(wanted or standing, files),
        [one for row, version in standing if row.category == DIPLOMA
         for one in files.get(version.id, ())],
    )  # fmt: skip


async def courses_of(
    session: AsyncSession, person_id: UUID, documents: Collection[UUID], until: datetime
) -> list[TrainingLine]:
    """The courses that these documents prove, as the file said at a moment.

    So a submitted case keeps its hours, whatever is corrected in the file later.
    """
    found = await session.exec(
        select(CredentialVersion)
        .join(CredentialFile, col(CredentialFile.version_id) == col(CredentialVersion.id))
        .join(Credential, col(Credential.id) == col(CredentialVersion.credential_id))
        .where(
            Credential.owner_id == person_id,
            Credential.category == COURSE,
            col(CredentialFile.document_version_id).in_(documents),
            col(CredentialVersion.made_at) <= until,
        )
        .order_by(col(CredentialVersion.number))
    )
    newest = {one.credential_id: one for one in found.all()}
    files = await readable_files(session, [one.id for one in newest.values()])
    lines = [_line(one, files.get(one.id, ()), None, None) for one in newest.values()]
    return sorted(lines, key=lambda one: one.course.finished_on, reverse=True)


def specialty_of(definition: CaseTypeDefinition, words: str) -> str | None:
    """The value of the form's choice that a specialty in words means; None if it has none."""
    field = definition.fields["specialty"]
    value = chosen(field, words)
    return value if value in [one.value for one in field.choices] else None


def _answers(
    definition: CaseTypeDefinition, specialty: str, number: str, valid_until: str
) -> dict[str, Any]:
    """What the form asks of the accreditation that is renewed."""
    value = specialty_of(definition, specialty)
    known = {"previous_number": number, "valid_until": valid_until}
    return known if value is None else {**known, "specialty": value}


async def filled_answers(
    session: AsyncSession, case: Case, definition: CaseTypeDefinition
) -> Sequence[FilledAnswers]:
    """What the accreditation says whose number stands in the draft, if it is in the file."""
    number = {"number": (case.draft or {}).get("previous_number")}
    for category in ADMISSIONS:
        known = await rows.with_number(session, case.applicant_id, category, number)
        if known is not None:
            return [
                FilledAnswers(
                    one,
                    _answers(
                        definition,
                        str(one.facts[f"{RENEWED}.specialty"] or ""),
                        one.number,
                        str(one.facts[f"{RENEWED}.valid_until"] or ""),
                    ),
                )
                for one in (await renewal.of_credential(session, case.applicant_id, known))[:1]
            ]
    return ()


async def _standing(
    session: AsyncSession, person_id: UUID
) -> Sequence[tuple[Credential, CredentialVersion]]:
    found = await session.exec(
        select(Credential, CredentialVersion)
        .join(CredentialVersion, col(CredentialVersion.credential_id) == col(Credential.id))
        .where(
            Credential.owner_id == person_id,
            col(Credential.withdrawn_at).is_(None),
            col(Credential.replaced_by).is_(None),
            col(CredentialVersion.replaced_at).is_(None),
            col(Credential.category).in_([COURSE, DIPLOMA, *ADMISSIONS]),
        )
        .order_by(col(Credential.issued_on).desc().nulls_last(), col(Credential.id))
    )
    return found.all()


def _line(
    version: CredentialVersion,
    files: Sequence[UUID],
    today: date | None,
    norm: AccreditationNorm | None,
) -> TrainingLine:
    data = version.data
    ended = day_of(data.get("ended_on")) or version.issued_on or date.min
    course = FinishedCourse(
        int(data.get("hours") or 0), int(data.get("certified_hours") or 0), ended
    )
    why_not = "" if files else "no_file"
    if today is not None and norm is not None and not counts(ended, today, norm):
        why_not = "old"
    topic, issuer = str(data.get("topic") or ""), str(data.get("issuer") or "")
    return TrainingLine(topic, issuer, course, why_not, files)


def _admission(
    rows: Sequence[tuple[Credential, CredentialVersion]], files: Mapping[UUID, Sequence[UUID]]
) -> Admission | None:
    """The accreditation that lasts longest; without one, the certificate that does."""
    for category in ADMISSIONS:
        known = [
            (row.valid_until, row, version)
            for row, version in rows
            if row.category == category and row.valid_until is not None
        ]
        if known:
            until, row, version = max(known, key=lambda one: (one[0], one[1].id))
            return Admission(
                row.id,
                str(version.data.get("specialty") or ""),
                str(version.data.get("number") or ""),
                until,
                files.get(version.id, ()),
            )
    return None
