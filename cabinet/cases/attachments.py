"""The documents of a draft: those required, those attached, those that can be chosen again (Q10).

The same for all kinds of case.
"""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from fastapi import Response

from cabinet.cases.filling import Editing
from cabinet.cases.sent import draft_page
from cabinet.cases.views import Candidate, Slot
from cabinet.frame.views import FileRefusal, FileRow
from cabinet.frame.visits import Visit
from rules.files.categories import Category
from rules.files.checks import Finding
from rules.forms.definitions import AttachmentRule
from rules.refusals import Refusal
from services.documents.views import DocumentView, VersionView
from words.translation import gettext

MOST_CANDIDATES = 20


def version_row(version: VersionView, note: str = "") -> FileRow:
    """A file that was accepted."""
    return FileRow(
        id=str(version.id),
        name=version.file_name,
        size=version.size,
        state="good",
        added_at=version.uploaded_at,
        view_url=f"/documents/versions/{version.id}",
        download_url=f"/documents/versions/{version.id}/file",
        note=note,
        version=version.number,
    )


def refused_row(name: str, size: int, findings: Sequence[Finding]) -> FileRow:
    """A file that was refused, with what is wrong and how to correct it."""
    return FileRow(
        id="refused",
        name=name,
        size=size,
        state="bad",
        verdicts=[
            FileRefusal(
                gettext(finding.problem) % dict(finding.facts),
                gettext(finding.remedy) % dict(finding.facts),
            )
            for finding in findings
        ],
    )


async def attachments_page(
    visit: Visit, edited: Editing, refused: Mapping[str, FileRow] | None = None
) -> Response:
    """The page where documents are uploaded, chosen among those uploaded before, and removed."""
    return draft_page(
        visit,
        edited,
        "applications/attachments.html",
        status=422 if refused else 200,
        title=edited.papers_title,
        slots=await slots_of(visit, edited, refused=refused),
        position=edited.pages,
        total=edited.pages,
        back_url=edited.url,
        next_url=edited.following(edited.pages),
    )


async def slots_of(
    visit: Visit,
    edited: Editing,
    *,
    refused: Mapping[str, FileRow] | None = None,
    read_only: bool = False,
) -> list[Slot]:
    """Each kind of document that goes with the case, with its files."""
    attached, remarks = edited.attached, edited.remarks
    documents = visit.container.documents
    known = [] if read_only else list(await documents.mine(visit.actor, limit=200))
    versions = {str(document.version.id): document.version for document in known}
    for given in attached:
        number = given["document_version_id"]
        if number not in versions:
            try:
                versions[number] = await documents.version(visit.actor, UUID(number))
            except Refusal:
                continue
    cited = {given["document_version_id"] for given in attached}
    return [
        _slot(
            rule,
            edited.page.case.id,
            attached,
            versions,
            known,
            cited,
            remarks,
            edited.answered,
            refused or {},
            read_only,
        )
        for rule in edited.attachment_rules
    ]


def _slot(
    rule: AttachmentRule,
    case_id: UUID,
    attached: Sequence[Mapping[str, str]],
    versions: Mapping[str, VersionView],
    known: Sequence[DocumentView],
    cited: set[str],
    remarks: Mapping[str, str],
    answered: Collection[str],
    refused: Mapping[str, FileRow],
    read_only: bool,
) -> Slot:
    here = f"/documents/cases/{case_id}/{rule.kind}"
    rows = []
    for given in attached:
        version = versions.get(given["document_version_id"])
        if given["kind"] != rule.kind or version is None:
            continue
        row = version_row(version)
        remove = None if read_only else f"{here}/{version.id}/remove"
        rows.append(FileRow(**{**vars(row), "remove_url": remove}))
    if rule.kind in refused:
        rows.append(refused[rule.kind])
    unused = [d for d in known if str(d.version.id) not in cited]
    fitting = [d for d in unused if d.category == rule.kind]
    # A document without a category of its own may be of any kind, so it is offered last.
    others = [d for d in unused if Category.OTHER in (d.category, rule.kind) and d not in fitting]
    return Slot(
        kind=rule.kind,
        title=gettext(rule.title),
        hint=gettext(rule.hint) if rule.hint else "",
        required=rule.required,
        rows=rows,
        candidates=[
            Candidate(
                str(d.version.id),
                gettext(d.title),
                d.version.file_name,
                d.version.size,
                d.version.uploaded_at,
                fits=d in fitting,
            )
            for d in [*fitting, *others][:MOST_CANDIDATES]
        ],
        upload_url=f"/documents/files/cases/{case_id}/{rule.kind}",
        choose_url=f"{here}/choose",
        waived_reason=gettext(rule.waived_reason) if rule.waived_reason else "",
        remark=remarks.get(rule.kind, ""),
        answered=rule.kind in answered,
    )
