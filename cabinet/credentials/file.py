"""«Квалификация»: what a person has, what is missing, and adding to it (Q1, Q3, Q6, Q9)."""

from dataclasses import replace
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Response

from api.container import Work
from api.http.entrance import CleanRoute
from cabinet.cases.attachments import refused_row
from cabinet.credentials.lines import draft_line, file_page
from cabinet.credentials.views import CategoryLine
from cabinet.documents.uploads import by_script, files_of_form
from cabinet.frame.views import FileRow
from cabinet.frame.visits import Inside, Visit
from rules.access import Permission
from rules.clock import now
from rules.credentials.categories import CategoryDefinition
from rules.files.categories import Category
from rules.ids import new_id
from rules.refusals import Refusal
from services.credentials import categories, drafts, seen
from words.translation import gettext as _
from words.translation import in_words

router = APIRouter(route_class=CleanRoute, include_in_schema=False)

HOME = "/credentials"


@router.get(HOME)
async def mine(visit: Inside, session: Work) -> Response:
    """One's own file."""
    owner, found = await seen.of_person(session, visit.actor, visit.actor.person_id, now())
    begun = await drafts.mine(session, visit.actor)
    staff = visit.actor.may(Permission.VIEW_CREDENTIALS)
    return visit.page(
        "credentials/file.html", file=replace(file_page(owner, found, begun, HOME), staff=staff)
    )


@router.get("/credentials/people/{person_id}")
async def of_person(person_id: UUID, visit: Inside, session: Work) -> Response:
    """The file of somebody in one's units; that one looked is recorded."""
    owner, found = await seen.of_person(session, visit.actor, person_id, now())
    if owner.own:
        return visit.go(HOME)
    here = f"{HOME}/people/{person_id}"
    return visit.page("credentials/file.html", file=file_page(owner, found, (), here))


@router.get("/credentials/new")
async def choose(visit: Inside, session: Work, category: str = "") -> Response:
    """Choose what to add, or upload several files at once. Nothing is created by looking."""
    return await _choose(visit, session, category)


async def _choose(
    visit: Visit,
    session: Work,
    category: str = "",
    refused: list[FileRow] | None = None,
    status: int = 200,
) -> Response:
    begun = await drafts.mine(session, visit.actor)
    return visit.page(
        "credentials/new.html",
        status=status,
        groups=grouped(list((await categories.offered(session)).values())),
        chosen=category,
        draft_id=new_id(),
        drafts=[draft_line(one) for one in begun],
        refused=refused or [],
    )


@router.post("/credentials/new")
async def begin(
    visit: Inside,
    draft_id: Annotated[UUID, Form()],
    category: Annotated[str, Form(max_length=40)] = "",
) -> Response:
    """Begin to describe a new one."""
    await visit.container.credential_drafts.begin(visit.actor, draft_id, category or None)
    return visit.go(f"{HOME}/drafts/{draft_id}")


@router.post("/documents/files/credentials")
async def take_in(visit: Inside, session: Work) -> Response:
    """Upload several files: each is checked, and those accepted wait to be described."""
    visit.actor.demand(Permission.KEEP_DOCUMENTS)
    refused: list[FileRow] = []
    async for _fields, incoming in files_of_form(visit):
        given = await visit.container.documents.give(visit.actor, incoming, Category.OTHER)
        if given.document is None:
            refused.append(refused_row(given.file_name, given.size, given.findings))
            continue
        try:
            file = given.document.version.id
            await visit.container.credential_drafts.take_in(visit.actor, file)
        except Refusal as refusal:
            if refusal.status != 409:
                raise
            words = in_words(refusal.message)
            refused.append(FileRow("refused", given.file_name, given.size, "bad", note=words))
    if not refused and not by_script(visit):
        return visit.go(f"{HOME}/new", "credentials_taken_in")
    return await _choose(visit, session, refused=refused, status=422 if refused else 200)


def grouped(found: list[CategoryDefinition]) -> list[tuple[str, list[CategoryLine]]]:
    """Categories by group, in their order."""
    groups: dict[str, list[CategoryLine]] = {}
    for one in found:
        line = CategoryLine(one.key, _(one.title), _(one.hint) if one.hint else "")
        groups.setdefault(_(one.group), []).append(line)
    return list(groups.items())
