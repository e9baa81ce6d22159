"""What of results stands on the home page: how many wait, the dangerous ones apart; no patient."""

from cabinet.cases.lines import counted
from cabinet.frame.home_parts import HomePart, HomeSays
from cabinet.frame.views import CallToAction
from cabinet.frame.visits import Visit
from clients.database import DatabaseSession
from rules.access import Permission
from rules.clock import now
from services.results.waiting import ResultsWaiting, results_waiting
from words.translation import gettext


async def _ask(visit: Visit, session: DatabaseSession) -> HomeSays:
    figures = await results_waiting(session, visit.actor, now())
    said = []
    if figures.mine:
        said.append(
            counted(
                "%(num)d результат ждёт вашего подтверждения",
                "%(num)d результатов ждут вашего подтверждения",
                figures.mine,
            )
        )
    return HomeSays(said, [*_dangerous(figures), *_others(figures)])


def _dangerous(figures: ResultsWaiting) -> list[CallToAction]:
    calls = []
    if figures.critical:
        title = gettext("Критические: %(n)s") % {"n": figures.critical}
        words = gettext("Значения угрожают жизни. Подтвердите и сообщите тому, кто лечит.")
        calls.append(_card("bad", "triangle-alert", title, words, gettext("Открыть результаты")))
    if figures.late:
        title = gettext("Не подтверждены в срок: %(n)s") % {"n": figures.late}
        words = gettext("За них отвечаете вы, срок истёк.")
        calls.append(_card("bad", "clock", title, words, gettext("Открыть результаты")))
    if figures.late_in_units:
        title = gettext("Просрочены в подразделении: %(n)s") % {"n": figures.late_in_units}
        words = gettext("Ответственные не подтвердили их. Результат можно взять себе.")
        calls.append(_card("bad", "clock", title, words, gettext("Посмотреть, чьи")))
    return calls


def _others(figures: ResultsWaiting) -> list[CallToAction]:
    calls = []
    if figures.other:
        title = gettext("Ждут подтверждения: %(n)s") % {"n": figures.other}
        words = gettext("Результаты анализов, за которые отвечаете вы.")
        action = gettext("Подтвердить")
        calls.append(_card("waiting", "flask-conical", title, words, action))
    if figures.offered:
        title = gettext("Вам предлагают: %(n)s") % {"n": figures.offered}
        words = gettext("Коллеги просят вас ответить за результат.")
        calls.append(_card("waiting", "user-check", title, words, gettext("Решить")))
    if figures.unmatched:
        title = gettext("Без пациента: %(n)s") % {"n": figures.unmatched}
        words = gettext("Результаты пришли, а чьи они, неизвестно.")
        url = "/results/unmatched"
        action = gettext("Найти пациентов")
        calls.append(_card("waiting", "circle-question-mark", title, words, action, url))
    return calls


def _card(
    tone: str, icon: str, title: str, text: str, action: str, url: str = "/results"
) -> CallToAction:
    return CallToAction(
        "bad" if tone == "bad" else "waiting",
        icon,
        gettext("Результаты"),
        title,
        text,
        action,
        url,
    )


RESULTS = HomePart(
    (Permission.TREAT, Permission.OVERSEE_RESULTS, Permission.MATCH_RESULTS),
    _ask,
)
