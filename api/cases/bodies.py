"""How a case looks to a client of the API."""

from datetime import datetime
from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from models.messages import CaseState
from rules.cases.process import Party, Status, Transition
from services.cases.draft_contents import revision_of
from services.dossier.page import CasePage


class StepIn(BaseModel):
    """The step of the case as the client saw it.

    Where the case has moved since, nothing changes (409).
    """

    step: int = Field(ge=0, lt=2**31, examples=[0])


TERM_ZONE = "The time zone of the term, which ends there at 24:00 of its last day."


class CaseStateOut(BaseModel):
    """Where the case stands after an act."""

    id: UUID
    number: str | None
    status: Status
    step: int
    open: bool
    waits_for: Party
    due_at: datetime | None
    term_zone: str = Field(description=TERM_ZONE)

    @classmethod
    def of(cls, state: CaseState) -> Self:
        """From what a service answered."""
        return cls(
            id=state.case_id,
            number=state.number or None,
            status=state.status,
            step=state.step,
            open=state.open,
            waits_for=state.waits_for,
            due_at=state.due_at,
            term_zone=state.term_zone,
        )


class PresentStateOut(BaseModel):
    """Whom the case waits for, until when, and what happens then."""

    live: bool = Field(
        description="True if the running workflow answered, false if the stored case is shown."
    )
    as_of: datetime
    status: Status
    step: int
    waits_for: Party
    until: datetime | None
    term_zone: str = Field(description=TERM_ZONE)
    then: str | None
    stuck: bool


class CitedOut(BaseModel):
    """A document cited by a version."""

    kind: str
    document_version_id: UUID
    title: str
    file_name: str
    media_type: str
    size: int
    pages: int | None


class CaseVersionOut(BaseModel):
    """One version as submitted."""

    number: int
    submitted_at: datetime
    data: dict[str, Any]
    attachments: list[CitedOut]
    findings: list[dict[str, Any]]
    changes: list[dict[str, Any]]


class DecisionOut(BaseModel):
    """One decision."""

    outcome: Transition
    version: int
    by: str
    at: datetime
    reason: str
    remarks: dict[str, str]
    checklist: dict[str, bool]


class HappenedOut(BaseModel):
    """One entry of the activity journal."""

    position: int
    kind: str
    at: datetime
    by: str | None
    facts: dict[str, Any]
    contents: dict[str, Any] | None
    hash: str


class SentFileOut(BaseModel):
    """A file that went with a message."""

    model_config = ConfigDict(from_attributes=True)

    document_version_id: UUID
    file_name: str
    media_type: str
    size: int = Field(description="Size in bytes.")


class CommentLine(BaseModel):
    """A message with its author and files."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    by: str
    own: bool = Field(description="Written by the person who sends this request.")
    at: datetime
    internal: bool = Field(description="Only reviewers see it.")
    text: str
    files: list[SentFileOut]
    new: bool = Field(description="Written after this person's previous visit to the case.")


class PaperOut(BaseModel):
    """The electronic document of one version of a request."""

    version: int
    formed_at: datetime
    sha256: str
    size: int
    sealed: bool = Field(description="True if it was signed, and encrypted for the gov service.")
    handed_over_at: datetime | None
    state: str | None = Field(
        description="State by the last acknowledgement of the gov service; null: none came."
    )


class AnswerFileOut(BaseModel):
    """A file of an answer."""

    position: int
    name: str
    media_type: str
    size: int
    sha256: str


class AnsweredOut(BaseModel):
    """The answer to one version of a request; of a refusal `message` is the reason."""

    version: int
    outcome: Status
    at: datetime
    by: str | None
    signer: str | None
    signed_at: datetime | None
    title: str | None
    document_number: str | None
    message: str | None
    data: dict[str, Any] | None
    files: list[AnswerFileOut]


class CaseOut(BaseModel):
    """A case with all that this person may see."""

    id: UUID
    number: str | None
    type: str
    programme_id: UUID | None
    title: str
    status: Status
    step: int
    version: int
    created_at: datetime
    submitted_at: datetime | None
    since: datetime
    closed_at: datetime | None
    waits_for: Party
    due_at: datetime | None
    term_zone: str = Field(description=TERM_ZONE)
    unit: str
    responsible_unit: str
    applicant: str
    reviewer: str | None
    draft: dict[str, Any] | None
    draft_attachments: list[dict[str, str]]
    draft_revision: str | None = Field(
        None, description="Names the contents of the draft; null: no draft."
    )
    versions: list[CaseVersionOut]
    decisions: list[DecisionOut]
    timeline: list[HappenedOut]
    comments: list[CommentLine]
    checklist: list[dict[str, str]]
    attachment_rules: list[dict[str, Any]]
    act_number: str | None
    may: list[Transition]
    papers: list[PaperOut] = Field([], description="Empty for an application.")
    answers: list[AnsweredOut] = Field([], description="Empty for an application.")


def case_out(page: CasePage) -> CaseOut:
    """The page of a case as JSON."""
    case = page.case
    return CaseOut(
        id=case.id,
        number=case.number,
        type=case.type,
        programme_id=case.programme_id,
        title=page.programme.title if page.programme else page.definition.title,
        status=Status(case.status),
        step=case.step,
        version=case.version,
        created_at=case.created_at,
        submitted_at=case.submitted_at,
        since=case.since,
        closed_at=case.closed_at,
        waits_for=Party(case.waits_for),
        due_at=case.due_at,
        term_zone=case.term_zone,
        unit=page.unit,
        responsible_unit=page.responsible_unit,
        applicant=page.applicant,
        reviewer=page.reviewer,
        draft=case.draft if page.own else None,
        draft_attachments=case.draft_attachments if page.own else [],
        draft_revision=revision_of(case) if page.own and case.draft is not None else None,
        versions=[
            CaseVersionOut(
                number=v.number,
                submitted_at=v.submitted_at,
                data=dict(v.data),
                attachments=[CitedOut.model_validate(vars(a)) for a in v.attachments],
                findings=[dict(f) for f in v.findings],
                changes=[vars(c) for c in v.changes],
            )
            for v in page.versions
        ],
        decisions=[DecisionOut.model_validate(vars(d)) for d in page.decisions],
        timeline=[HappenedOut.model_validate(vars(h)) for h in page.timeline],
        comments=[CommentLine.model_validate(c) for c in page.comments],
        checklist=[c.model_dump() for c in page.checklist],
        attachment_rules=[a.model_dump() for a in page.attachment_rules],
        act_number=page.act.number if page.act else None,
        may=sorted(page.may),
        papers=[PaperOut.model_validate(vars(p)) for p in page.papers],
        answers=[
            AnsweredOut(
                **{**vars(a), "files": [AnswerFileOut.model_validate(vars(f)) for f in a.files]}
            )
            for a in page.answers
        ],
    )
