"""What of one's own cases stands on the home page: answers, questions, drafts, the latest ones."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from cabinet.cases.kinds import pages_of
from cabinet.cases.lines import case_line, counted, due_here, title_of, url_of
from cabinet.cases.views import CaseRow
from cabinet.frame.home_parts import HomeBlock, HomePart, HomeSays
from cabinet.frame.views import CallToAction
from cabinet.frame.visits import Visit
from clients.database import DatabaseSession
from rules.access import Permission
from rules.cases.kinds import process_of
from rules.cases.process import Status
from rules.clock import now
from rules.notices.kinds import NoticeKind
from services.cases import lists as case_lists
from services.cases.lists import CaseLine, Filters
from services.catalogue import lookup as catalogue
from services.notices import inbox
from words.translation import gettext

LAST_CASES, FRESH_DAYS = 5, 14
_ANSWERED = (NoticeKind.REQUEST_READY, NoticeKind.REQUEST_REFUSED)


@dataclass(frozen=True)
class LatestCases:
    """The latest cases of which no card speaks."""

    cases: Sequence[CaseRow]


async def _ask(visit: Visit, session: DatabaseSession) -> HomeSays:
    listing = await case_lists.mine(session, visit.actor, Filters(), None, 50)
    lines = [line for line in listing.lines if line.number or line.closed_at is None]
    calls: list[CallToAction] = []
    parts: list[str] = []
    addressees: dict[str, str] = {}
    _of_applicant(lines, calls, parts)
    if any(process_of(line.kind).has_addressee for line in lines):
        types = await catalogue.request_types(session)
        addressees = {one.key: one.recipient for one in types}
    unread: Collection[UUID] = ()
    if any(line.status in (Status.READY, Status.REFUSED) for line in lines):
        unread = await inbox.cases_with_unread(session, visit.actor, _ANSWERED)
    if answered := _of_requests(lines, unread, calls):
        parts.append(
            counted(
                "Вас ждёт %(num)d ответ на запрос",
                "Вас ждут %(num)d ответов на запросы",
                answered,
            )
        )
    others = [line for line in lines if not any(str(line.id) in call.url for call in calls)]
    blocks = []
    if others or not calls:
        rows = [case_line(line, addressees=addressees) for line in others[:LAST_CASES]]
        blocks.append(HomeBlock("home/cases.html", LatestCases(rows)))
    begins = [
        ("/programmes", gettext("Новая заявка")),
        ("/requests/new", gettext("Новый запрос")),
    ]
    return HomeSays(parts, calls, blocks, begins)


def _of_applicant(lines: list[CaseLine], calls: list[CallToAction], parts: list[str]) -> None:
    asked = [line for line in lines if line.status is Status.CLARIFICATION]
    drafts = [line for line in lines if line.status is Status.DRAFT]
    if asked:
        parts.append(
            counted(
                "%(num)d заявка ждёт вашего ответа",
                "%(num)d заявок ждут вашего ответа",
                len(asked),
            )
        )
    if drafts:
        parts.append(
            counted(
                "У вас %(num)d неотправленный черновик",
                "У вас %(num)d неотправленных черновиков",
                len(drafts),
            )
        )
    calls += [
        CallToAction(
            "paused",
            "circle-question-mark",
            line.number or "",
            line.title,
            gettext("Нужно уточнить то, что вы отправили."),
            gettext("Ответить"),
            url_of(line.kind, line.id),
            due_here(line.due_at, line.term_zone),
        )
        for line in asked
    ]
    calls += [
        CallToAction(
            "good",
            "stamp",
            line.number or "",
            line.title,
            gettext(paper[0]),
            gettext(paper[1]),
            f"{url_of(line.kind, line.id)}/{paper[2]}",
        )
        for line in lines
        if (paper := pages_of(line.kind).paper)
        and line.status is Status.APPROVED
        and line.closed_at is not None
        and (now() - line.closed_at).days < FRESH_DAYS
    ]
    calls += [
        CallToAction(
            "idle",
            "file-pen",
            gettext("Черновик"),
            title_of(line),
            gettext(pages_of(line.kind).phrases.unsent),
            gettext("Продолжить"),
            case_line(line).url,
        )
        for line in drafts
    ]


def _of_requests(lines: list[CaseLine], unread: Collection[UUID], calls: list[CallToAction]) -> int:
    """Put cards of unread answers before all others; gives the number of answers that are ready."""
    fresh = [line for line in lines if line.id in unread]
    calls[:0] = [
        CallToAction(
            "good",
            "circle-check",
            line.number or "",
            title_of(line),
            gettext("Ответ готов."),
            gettext("Посмотреть ответ"),
            url_of(line.kind, line.id),
        )
        if line.status is Status.READY
        else CallToAction(
            "bad",
            "octagon-x",
            line.number or "",
            title_of(line),
            gettext("Адресат отказал. Причина в ответе, запрос можно исправить и отправить снова."),
            gettext("Открыть"),
            url_of(line.kind, line.id),
        )
        for line in fresh
        if line.status in (Status.READY, Status.REFUSED)
    ]
    return sum(line.status is Status.READY for line in fresh)


OWN_CASES = HomePart((Permission.APPLY,), _ask)
