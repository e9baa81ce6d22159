"""A person's own cases, whatever their kind: the list, a submitted case, withdrawing, copying.

What applications and requests have of their own stands in `cabinet.applications.pages` and
`cabinet.requests.pages`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Query, Response

from api.container import Work
from api.http.file_routes import receipt
from cabinet.cases.kinds import KindPages
from cabinet.cases.lines import case_line, url_of
from cabinet.cases.live import asked_now, live_tag
from cabinet.cases.views import PaperLink, ShownCase
from cabinet.frame.filters import address
from cabinet.frame.periods import period_of
from cabinet.frame.views import Chip, ErrorItem, FieldView, Pages
from cabinet.frame.visits import Inside, Visit
from clients.database import DatabaseSession
from models.messages import PresentState
from rules.access import Permission
from rules.cases.limits import INTEGER, LONGEST_REASON
from rules.cases.process import Transition
from rules.cases.terms import WorkingCalendar
from rules.clock import now
from rules.ids import new_id
from rules.refusals import Refusal, not_found
from services import conversation
from services.cases import lists as case_lists
from services.cases.acts import Act
from services.cases.lists import Filters
from services.cases.transitions import see
from services.catalogue import lookup as catalogue
from services.dossier import page as dossier
from services.notices import inbox
from words.translation import gettext, in_words

PAGE = 20
Short = Annotated[str, Query(max_length=100)]
Groups = Mapping[str, tuple[str, dict[str, Any]]]
"""By the key in the address: the name of a group of states, and the filters it stands for."""


@dataclass(frozen=True)
class ListQuery:
    """What the address of a list asks for, besides the choice that the kind adds."""

    status: Short = ""
    since: Annotated[str, Query(alias="from", max_length=40)] = ""
    until: Short = ""
    after: Annotated[str | None, Query(max_length=300)] = None


Narrowed = Annotated[ListQuery, Depends()]


async def list_page(
    visit: Visit,
    session: DatabaseSession,
    kind: KindPages,
    asked: ListQuery,
    groups: Groups,
    choice: FieldView,
    chosen: Mapping[str, Any],
    addressees: Mapping[str, str] | None = None,
) -> Response:
    """The person's cases of a kind; `chosen` are the filters that the value of `choice` means."""
    status = asked.status if asked.status in groups else ""
    given = {
        "status": status,
        choice.name: choice.value,
        "from": asked.since,
        "until": asked.until,
    }
    period = period_of(given, visit.presentation.tzinfo)
    filters = Filters(
        kind=kind.process.kind,
        submitted_from=period.begins,
        submitted_until=period.ends,
        **groups[status][1],
        **chosen,
    )
    found = await case_lists.mine(session, visit.actor, filters, asked.after, PAGE)
    # A discarded draft is closed and never had a number: it is not listed.
    lines = [line for line in found.lines if line.number or line.closed_at is None]
    new = await conversation.unread(session, visit.actor, [line.id for line in lines])
    here = partial(address, kind.room)
    return visit.page(
        kind.template("list.html"),
        applies=visit.actor.may(Permission.APPLY),
        cases=[
            case_line(line, unread=new.get(line.id, 0), addressees=addressees) for line in lines
        ],
        states=[
            Chip(gettext(words), here({**given, "status": key}), key == status)
            for key, (words, _) in groups.items()
        ],
        choice=choice,
        chosen_status=status,
        submitted_from=asked.since,
        submitted_until=asked.until,
        filter_error=next(iter(period.errors.values()), ""),
        narrowed=any(given.values()),
        paging=Pages(
            before=here(given) if asked.after else None,
            after=here({**given, "after": found.after}) if found.after else None,
        ),
    )


@dataclass(frozen=True)
class CaseView:
    """A submitted case as it is stored, and what the person asks to see of it.

    The tag is read before the case, so a change in between is shown by the next poll.
    """

    tag: str
    page: dossier.CasePage
    calendar: WorkingCalendar
    number: int = 0
    """The version to show; the newest where there is none of this number."""
    compare: bool = False
    asked: bool = False
    answer: PresentState | None = None
    """What the running workflow says of the case."""

    @property
    def url(self) -> str:
        """The address of the case."""
        return url_of(self.page.case.kind, self.page.case.id)

    @property
    def chosen(self) -> dossier.Version:
        """The version to show. Raises Refusal 404 for a draft."""
        return self.page.version(self.number)[0]

    @property
    def before(self) -> dossier.Version | None:
        """The version to compare with."""
        return self.page.version(self.number)[1] if self.compare else None


async def own_page(
    session: DatabaseSession, visit: Visit, case_id: UUID, kind: KindPages
) -> dossier.CasePage:
    """A case of this kind with all that the person may see of it. Raises Refusal 404."""
    page = await dossier.page(session, visit.actor, case_id)
    if not _stands_here(visit, page.case.kind, page.case.applicant_id, kind):
        raise not_found()
    return page


def receipt_paper(url: str) -> PaperLink:
    """The link to the receipt of what was submitted."""
    return PaperLink(
        gettext("Скачать расписку"),
        gettext("Подтверждает, что и когда вы отправили; проверяется без интернета"),
        f"{url}/receipt",
    )


def add_pages(router: APIRouter, kind: KindPages, view: Callable[[CaseView], ShownCase]) -> None:
    """Add the pages that a case of any kind has.

    Call it after the kind's own routes, which have names where these take ids.
    """
    room, phrases = kind.room, kind.phrases
    here = f"{room}/{{case_id}}"

    async def look(session: DatabaseSession, visit: Visit, case_id: UUID, tag: str) -> CaseView:
        page = await own_page(session, visit, case_id, kind)
        return CaseView(tag, page, await catalogue.calendar(session))

    @router.get(here)
    async def show(
        case_id: UUID,
        visit: Inside,
        version: Annotated[int, Query(ge=0, le=10_000)] = 0,
        compare: bool = False,
        asked: bool = False,
    ) -> Response:
        """The page of a submitted case; a draft has pages of its own."""
        async with visit.container.database.work() as session:
            case = await see(session, visit.actor, case_id)
            if not _stands_here(visit, case.kind, case.applicant_id, kind):
                return visit.go(f"/cases/{case_id}")
            await conversation.visited(session, visit.actor, case_id)
            tag = await live_tag(session, visit, case_id)
            seen = await look(session, visit, case_id, tag)
            await inbox.mark_read(session, visit.actor, now(), case_id=case_id)
        if seen.page.newest is None:
            return visit.go(f"{seen.url}/draft" if seen.page.own else room)
        answer = await asked_now(visit, seen.page) if asked else None
        shown = replace(seen, number=version, compare=compare, asked=asked, answer=answer)
        return visit.page(kind.template("case.html"), case=view(shown))

    @router.get(f"{here}/live")
    async def show_live(case_id: UUID, visit: Inside, ask: bool = False) -> Response:
        """The parts that change, for a page that is open; 304 while nothing has changed."""
        async with visit.container.database.work() as session:
            tag = await live_tag(session, visit, case_id)
            if not ask and visit.has(tag):
                return visit.unchanged(tag)
            seen = await look(session, visit, case_id, tag)
        answer = await asked_now(visit, seen.page) if ask else None
        case = view(replace(seen, answer=answer))
        return visit.part(kind.template("live_parts.html"), tag, case=case)

    @router.post(f"{here}/ask")
    async def ask(case_id: UUID, visit: Inside) -> Response:
        """«Получить обновление»: the page that follows asks the running workflow."""
        return visit.go(f"{room}/{case_id}?asked=1")

    @router.get(f"{here}/withdraw")
    async def ask_to_withdraw(case_id: UUID, visit: Inside, session: Work) -> Response:
        """Ask for confirmation before a case is withdrawn."""
        return await _withdrawal(visit, session, case_id)

    @router.post(f"{here}/withdraw")
    async def withdraw(
        case_id: UUID,
        visit: Inside,
        act_id: Annotated[UUID, Form()],
        at_step: Annotated[int, Form(ge=0, le=INTEGER)],
        reason: Annotated[str, Form()] = "",
    ) -> Response:
        """Withdraw the case."""
        act = Act(act_id, at_step)
        try:
            await kind.drafts(visit.container).withdraw(visit.actor, case_id, act, reason)
        except Refusal as refusal:
            if refusal.code not in ("incomplete", "stale"):
                raise
            async with visit.container.database.work() as session:
                return await _withdrawal(visit, session, case_id, reason, refusal)
        return visit.go(f"{room}/{case_id}", kind.withdrawn)

    async def _withdrawal(
        visit: Visit,
        session: DatabaseSession,
        case_id: UUID,
        reason: str = "",
        refusal: Refusal | None = None,
    ) -> Response:
        page = await own_page(session, visit, case_id, kind)
        if Transition.WITHDRAW not in page.may or not page.own:
            return visit.go(f"{room}/{case_id}")
        faults = [in_words(fault.message) for fault in refusal.fields] if refusal else []
        wrong = faults or ([in_words(refusal.message)] if refusal else [])
        return visit.page(
            "cases/withdraw.html",
            status=refusal.status if refusal else 200,
            phrases=phrases,
            number=page.case.number or "",
            case_url=f"{room}/{case_id}",
            act_id=new_id(),
            step=page.case.step,
            field=FieldView(
                "reason",
                gettext(phrases.withdraw_reason),
                "long_text",
                reason,
                error=" ".join(faults),
                required=False,
                max_length=LONGEST_REASON,
            ),
            errors=[ErrorItem(words, "#field-reason") for words in wrong],
        )

    @router.post(f"{here}/copy")
    async def copy(case_id: UUID, visit: Inside) -> Response:
        """Copy a closed case into a new draft."""
        made = await kind.drafts(visit.container).copy(visit.actor, case_id)
        return visit.go(f"{room}/{made.id}/draft", kind.copied)

    router.add_api_route(f"{here}/receipt", receipt, methods=["GET"])


def _stands_here(visit: Visit, of_kind: str, applicant_id: UUID, kind: KindPages) -> bool:
    """Whether the visitor sees the case on this page. Some kinds show it to the applicant alone."""
    own = applicant_id == visit.actor.person_id
    return of_kind == kind.process.kind and (own or kind.process.seen_by_heads)
