"""The home page: what needs the person today, said in a sentence, then as cards, then the cases."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Response

from api.container import Work
from api.http.entrance import CleanRoute
from cabinet.applications.views import AccreditationView, HomePage
from cabinet.cases.kinds import pages_of
from cabinet.cases.lines import case_line, counted, due_here, title_of, url_of
from cabinet.frame.views import CallToAction
from cabinet.frame.visits import Inside, Visit
from cabinet.journal import security_watch
from clients.database import DatabaseSession
from rules.access import Permission
from rules.accounts import AccountState
from rules.accreditations.norms import is_urgent
from rules.cases.kinds import decides_anywhere, process_of
from rules.cases.process import Status
from rules.clock import now
from rules.notices.kinds import NoticeKind
from rules.texts.names import Name
from services.accounts import people
from services.accreditations.norms import norm_of
from services.cases import lists as case_lists
from services.cases.lists import CaseLine, Filters
from services.catalogue import lookup as catalogue
from services.notices import inbox
from services.registers import seen as registers
from words.translation import gettext

router = APIRouter(route_class=CleanRoute, include_in_schema=False)

MOST_CARDS, LAST_CASES, FRESH_DAYS = 6, 5, 14
_ANSWERED = (NoticeKind.REQUEST_READY, NoticeKind.REQUEST_REFUSED)


@router.get("/")
async def home(visit: Inside, session: Work) -> Response:
    """What needs the person today (W9, as far as cases go)."""
    applies = visit.actor.may(Permission.APPLY)
    calls: list[CallToAction] = []
    parts: list[str] = []
    lines: list[CaseLine] = []
    answered = 0
    addressees: dict[str, str] = {}
    if visit.actor.state is AccountState.REGISTERED:
        parts.append(gettext("Учётная запись ещё не подтверждена"))
        calls.append(_of_verification())
    if visit.actor.may(Permission.READ_JOURNAL):
        day = await security_watch.watched(session, visit)
        parts.append(security_watch.sentence(day))
        calls += security_watch.cards(day)
    if decides_anywhere(visit.actor):
        await _of_reviewer(visit, session, calls, parts)
    if applies:
        listing = await case_lists.mine(session, visit.actor, Filters(), None, 50)
        lines = [line for line in listing.lines if line.number or line.closed_at is None]
        _of_applicant(lines, calls, parts)
        if any(process_of(line.kind).has_addressee for line in lines):
            types = await catalogue.request_types(session)
            addressees = {one.key: one.recipient for one in types}
        unread = await inbox.cases_with_unread(session, visit.actor, _ANSWERED)
        answered = _of_requests(lines, unread, calls)
    calls.sort(key=lambda call: call.until is None and call.tone != "bad")
    sentences = parts or [gettext("Сегодня от вас ничего не требуется")]
    if answered:
        sentences.append(
            counted(
                "Вас ждёт %(num)d ответ на запрос",
                "Вас ждут %(num)d ответов на запросы",
                answered,
            )
        )
    shown = calls[:MOST_CARDS]
    others = [line for line in lines if not any(str(line.id) in call.url for call in shown)]
    return visit.page(
        "home.html",
        home=HomePage(
            greeting=_greeting(visit),
            sentence=". ".join(sentences),
            calls=shown,
            cases=[case_line(line, addressees=addressees) for line in others[:LAST_CASES]],
        ),
        applies=applies,
        accreditation=await _accreditation(visit, session) if applies else None,
    )


async def _accreditation(visit: Visit, session: DatabaseSession) -> AccreditationView | None:
    """What the registers said last of the person's accreditation; None to whom it means nothing.

    Most reviewers are in no register; those who are have a SNILS in their file.
    """
    today = datetime.now(visit.presentation.tzinfo).date()
    found = await registers.accreditation_status(session, visit.actor.person_id, today)
    if found is not None:
        return AccreditationView(
            specialty=found.specialty,
            until=found.valid_until,
            days_left=(found.valid_until - today).days,
            urgent=is_urgent(found.valid_until, today),
            hours=found.hours,
            needed=norm_of(visit.container.settings, today).hours,
            as_of=found.as_of,
        )
    if await people.snils_of(session, visit.actor.person_id):
        return AccreditationView(silence=gettext("Реестры пока ничего не сообщили о ней."))
    if visit.actor.may(Permission.REVIEW):
        return None
    return AccreditationView(silence=gettext("В личном деле нет СНИЛС, реестры вас не найдут."))


def _of_verification() -> CallToAction:
    return CallToAction(
        tone="waiting",
        icon="shield-check",
        kicker=gettext("Учётная запись"),
        title=gettext("Подтвердите учётную запись"),
        text=gettext("Пока открыты не все разделы. Осталось несколько шагов."),
        url="/verifications",
        action=gettext("Что осталось"),
    )


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


async def _of_reviewer(
    visit: Visit, session: DatabaseSession, calls: list[CallToAction], parts: list[str]
) -> None:
    figures = await case_lists.counts(session, visit.actor, now())
    if figures["mine"]:
        parts.append(
            counted(
                "%(num)d дело ждёт вашего решения",
                "%(num)d дел ждут вашего решения",
                figures["mine"],
            )
        )
    elif figures["unassigned"]:
        parts.append(
            counted(
                "%(num)d дело в очереди отдела не распределено",
                "%(num)d дел в очереди отдела не распределено",
                figures["unassigned"],
            )
        )
    if figures["overdue"]:
        calls.append(
            CallToAction(
                "bad",
                "triangle-alert",
                gettext("Очередь"),
                gettext("Просрочено: %(n)s") % {"n": figures["overdue"]},
                gettext("Срок рассмотрения истёк, заявители ждут."),
                gettext("Открыть просроченные"),
                "/desk?overdue=true",
            )
        )
    if figures["in_review"]:
        calls.append(
            CallToAction(
                "waiting",
                "inbox",
                gettext("Очередь"),
                gettext("В очереди: %(n)s") % {"n": figures["in_review"]},
                gettext("У вас %(mine)s, не распределено %(free)s.")
                % {"mine": figures["mine"], "free": figures["unassigned"]},
                gettext("Открыть очередь"),
                "/desk",
            )
        )


def _greeting(visit: Visit) -> str:
    hour = datetime.now(ZoneInfo(visit.presentation.zone)).hour
    words = (
        gettext("Доброе утро")
        if 5 <= hour < 12
        else gettext("Добрый день")
        if 12 <= hour < 18
        else gettext("Добрый вечер")
    )
    polite = Name.of(visit.actor.name).polite
    return f"{words}, {polite}" if polite else words
