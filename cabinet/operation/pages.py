"""The ops desk: what is stuck and why, each with its workflow and the safe remedy (O7)."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID, uuid4

from fastapi import APIRouter, Form, Query, Response

from api.http.entrance import CleanRoute
from cabinet.frame.views import ErrorItem, FieldView, Flash
from cabinet.frame.visits import Inside, Visit
from cabinet.notices.delivery_reasons import said
from cabinet.operation.views import OperationPage, RemedyPage, SeenPart, TroubleLine, TroublePart
from models.visibility import KIND
from rules.access import Permission
from rules.cases.kinds import process_of
from rules.cases.process import CaseKind, Status
from rules.operation.states import (
    BACKUP_IS_OLD_AFTER,
    REASON,
    REMEDIES,
    TROUBLES,
    USUAL,
    Remedy,
    Trouble,
)
from rules.refusals import Refusal, forbidden
from services.notices.wording import Addresses
from services.operation import desk as operation
from services.operation.desk import Desk
from services.operation.lines import AttentionLine, AttentionSection
from services.operation.remedies import RemedyOrder
from services.outages import (
    ACCREDITATION,
    EDUCATION,
    FEDERAL_CENTRE,
    GOV_SERVICE,
    IDENTITY,
    LABORATORY,
    PERSONNEL,
    REGISTER,
)
from words import formats
from words.translation import gettext, in_words, marked, ngettext

router = APIRouter(route_class=CleanRoute, include_in_schema=False, prefix="/operation")

Short = Annotated[str, Form(max_length=100)]

NAMES = {
    "mail": marked("Почта"),
    "sms": marked("SMS"),
    "push": marked("Push-уведомления"),
    REGISTER: marked("Регистр медицинских работников"),
    IDENTITY: marked("Реестр удостоверений личности"),
    PERSONNEL: marked("Кадровый учёт"),
    ACCREDITATION: marked("Реестр аккредитаций"),
    EDUCATION: marked("Портал непрерывного образования"),
    LABORATORY: marked("Лаборатория"),
    FEDERAL_CENTRE: marked("Федеральный аккредитационный центр"),
    "backup": marked("Резервная копия"),
    "journal": marked("Журнал"),
    GOV_SERVICE: marked("Модуль государственных услуг"),
    "notices-mail": marked("Отправка писем"),
    "notices-sms": marked("Отправка SMS"),
    "notices-push": marked("Отправка push-уведомлений"),
    "sweeper": marked("Обход дел, о которых забыли"),
    "journal-sealer": marked("Постановка печати журнала"),
}
"""What lines are about, in words; standing workflows by their ids."""

_WELL = "well"
OPEN_CASES = (
    f"{KIND.name} IN ({', '.join(repr(kind.value) for kind in CaseKind)})"
    " AND ExecutionStatus = 'Running'"
)


@router.get("")
async def desk_page(visit: Inside, done: str = "") -> Response:
    """What needs attention, the most urgent first."""
    flash = None
    if done == _WELL:
        flash = Flash(gettext("Уже исправлено: делать ничего не нужно."), "info")
    elif done in set(Remedy):
        flash = Flash(gettext(REMEDIES[Remedy(done)].done))
    page = _drawn(visit, await _desk(visit))
    connects = visit.actor.may(Permission.CONNECT_SYSTEMS)
    return visit.page("operation/desk.html", desk=page, flash=flash, connects=connects)


@router.get("/live")
async def live(visit: Inside) -> Response:
    """The parts of the desk that change, for a page that is open; 304 while nothing has changed."""
    found = await _desk(visit)
    if visit.has(found.tag):
        return visit.unchanged(found.tag)
    return visit.part("operation/live_parts.html", found.tag, desk=_drawn(visit, found))


@router.get("/remedy")
async def remedy_page(
    visit: Inside,
    remedy: Remedy,
    subject: Annotated[str, Query(max_length=100)],
) -> Response:
    """Explain what a remedy does, and ask for the reason."""
    if not visit.actor.may(Permission.OPERATE):
        raise forbidden()
    line = _of(await _desk(visit), remedy, subject)
    if line is None:
        return visit.go("/operation", _WELL)
    return visit.page("operation/remedy.html", act=_remedy(line, remedy), field=_reason())


@router.post("/remedy")
async def do_remedy(
    visit: Inside,
    act_id: Annotated[UUID, Form()],
    remedy: Annotated[Remedy, Form()],
    subject: Short,
    reason: Annotated[str, Form(max_length=5000)] = "",
) -> Response:
    """Apply the remedy, and go back to the desk."""
    try:
        await visit.container.operation.act(
            visit.actor, act_id, RemedyOrder(remedy, subject, reason)
        )
    except Refusal as refusal:
        if refusal.code != "incomplete":
            raise
        line = _of(await _desk(visit), remedy, subject)
        if line is None:
            return visit.go("/operation", _WELL)
        message = in_words(refusal.message)
        return visit.page(
            "operation/remedy.html",
            status=422,
            act=replace(_remedy(line, remedy), act_id=str(act_id)),
            field=replace(_reason(), value=reason, error=message),
            errors=[ErrorItem(message, "#field-reason")],
        )
    return visit.go("/operation", remedy.value)


async def _desk(visit: Visit) -> Desk:
    container = visit.container
    return await operation.desk(
        container.database, container.standings, visit.actor, container.settings.sweep_grace
    )


def in_temporal(visit: Visit, query: str) -> str:
    """The list of runs in the Temporal UI, filtered by a query over search attributes."""
    there = Addresses.of(visit.container.settings).temporal
    return f"{there}/workflows?{urlencode({'query': query})}"


def _of(found: Desk, remedy: Remedy, subject: str) -> AttentionLine | None:
    """The line that has this remedy; None where its trouble is over."""
    for section in found.sections:
        for line in section.lines:
            if line.remedy is remedy and line.subject == subject:
                return line
    return None


def _remedy(line: AttentionLine, remedy: Remedy) -> RemedyPage:
    words = REMEDIES[remedy]
    return RemedyPage(
        title=gettext(words.button),
        name=_name(line),
        does=gettext(words.does),
        button=gettext(words.button),
        remedy=remedy.value,
        subject=line.subject,
        act_id=str(uuid4()),
    )


def _reason() -> FieldView:
    return FieldView(
        "reason",
        gettext("Причина действия"),
        "long_text",
        hint=gettext("Останется в журнале. Не называйте людей и не пишите о здоровье."),
        max_length=REASON[1],
    )


def _drawn(visit: Visit, found: Desk) -> OperationPage:
    sections = {section.trouble: section for section in found.sections}
    words, tone = _sentence(found.attention, len(found.silent))
    return OperationPage(
        sentence=words,
        tone=tone,
        seen=parts_seen(found),
        parts=[_part(visit, trouble, sections.get(trouble)) for trouble in Trouble],
        tag=found.tag,
        cases_url=in_temporal(visit, OPEN_CASES),
    )


def _sentence(attention: int, silent: int) -> tuple[str, str]:
    """The first sentence of the page, and its tone.

    While a part is silent, the sentence does not claim that all parts work.
    """
    if attention:
        words = ngettext("Требует внимания: %(n)s", "Требуют внимания: %(n)s", attention)
        return words % {"n": attention}, "bad"
    if silent:
        words = ngettext(
            "Неполадок не видно, но %(n)s часть молчит дольше обычного",
            "Неполадок не видно, но %(n)s частей молчат дольше обычного",
            silent,
        )
        return words % {"n": silent}, "waiting"
    return gettext("Неполадок нет, все части недавно отвечали"), "good"


def parts_seen(found: Desk) -> list[SeenPart]:
    """Each part with the moment it was last seen to work, and until when it should be seen
    again."""
    engine, at = found.engine, found.as_of
    if engine is None:
        silent = gettext("не отвечает"), gettext("ответа на каждое обновление этой страницы")
        parts = [SeenPart("Temporal", *silent, "bad")]
    else:
        parts = [_seen("Temporal", at, at, USUAL["worker"], gettext("ответа до %(until)s"))]
        words = gettext("запроса работы до %(until)s")
        parts += [
            _seen(gettext("Обработчик %(name)s") % {"name": one.name}, one.asked_at, at,
                  USUAL["worker"], words)
            for one in engine.seen
        ]  # fmt: skip
        words = gettext("отклика до %(until)s")
        parts += [
            _seen(gettext(NAMES.get(one.id, one.id)), one.worked_at if one.runs else None, at,
                  USUAL["standing"], words)
            for one in engine.standing
        ]  # fmt: skip
    # Without new entries there is no new checkpoint, so an old one is no trouble.
    sealed = formats.exact(found.sealed_at) if found.sealed_at else gettext("пока нет")
    parts.append(
        SeenPart(gettext("Печать журнала"), sealed,
                 gettext("через минуту после следующей записи"), "good")
    )  # fmt: skip
    backed_up = found.backed_up_at
    awaited = gettext("копии до %(until)s") % {
        "until": formats.exact((backed_up or at) + BACKUP_IS_OLD_AFTER)
    }
    parts.append(
        SeenPart(
            gettext("Резервная копия"),
            formats.exact(backed_up) if backed_up else gettext("пока нет"),
            awaited,
            "good" if backed_up and backed_up > at - BACKUP_IS_OLD_AFTER else "idle",
        )
    )
    return parts


def _seen(
    name: str, seen: datetime | None, at: datetime, usual: timedelta, awaited: str
) -> SeenPart:
    if seen is None:
        return SeenPart(name, gettext("не работает"), gettext("запуска"), "bad")
    until = awaited % {"until": formats.exact(seen + usual)}
    return SeenPart(name, formats.exact(seen), until, "good" if at - seen <= usual else "waiting")


def _part(visit: Visit, trouble: Trouble, section: AttentionSection | None) -> TroublePart:
    words = TROUBLES[trouble]
    return TroublePart(
        key=trouble.value,
        title=gettext(words.title),
        why=gettext(words.why),
        total=section.total if section else 0,
        lines=[_line(visit, line) for line in section.lines] if section else [],
    )


def _line(visit: Visit, line: AttentionLine) -> TroubleLine:
    temporal = Addresses.of(visit.container.settings).temporal
    remedy = line.remedy if visit.actor.may(Permission.OPERATE) else None
    asked = urlencode({"remedy": remedy.value, "subject": line.subject}) if remedy else ""
    return TroubleLine(
        name=_name(line),
        name_url=f"{temporal}/workflows/{line.workflow_id}" if line.workflow_id else "",
        since=line.since,
        details=details_of(line),
        remedy=gettext(REMEDIES[remedy].button) if remedy else "",
        remedy_url=f"/operation/remedy?{asked}" if remedy else "",
    )


def _name(line: AttentionLine) -> str:
    return gettext(NAMES[line.name]) if line.name in NAMES else line.name


def details_of(line: AttentionLine) -> str:
    """The facts of a line in words."""
    facts = line.facts
    match line.trouble:
        case Trouble.RUN_ENDED:
            return gettext("состояние «%(status)s», шаг %(step)s") % {
                "status": _status(line),
                "step": facts["step"],
            }
        case Trouble.CASE_STUCK:
            return gettext("%(error)s на шаге %(step)s, состояние «%(status)s»") % {
                "error": facts["stuck"],
                "step": facts["step"],
                "status": _status(line),
            }
        case Trouble.ACT_UNHEARD | Trouble.TASKS_FAILING:
            return gettext("состояние «%(status)s», процессу напомнили %(n)s раз") % {
                "status": _status(line),
                "n": facts["rings"],
            }
        case Trouble.TERM_OVERDUE:
            told = facts["escalated"]
            return gettext("состояние «%(status)s», %(told)s") % {
                "status": _status(line),
                "told": gettext("начальнику отдела сообщили")
                if told
                else gettext("начальнику ещё не сообщали"),
            }
        case Trouble.JOURNAL_REFUSED:
            return gettext("записей: %(n)s") % {"n": facts["waiting"]}
        case Trouble.COUNTERPART_DOWN:
            return gettext("ждут дел: %(n)s") % {"n": facts["waiting"]}
        case Trouble.CHANNEL_LATE:
            state = gettext("ждут: %(n)s, попыток не больше %(tries)s") % {
                "n": facts["waiting"],
                "tries": facts["tries"],
            }
            return _with_reason(state, facts["reason"])
        case Trouble.NOTICE_FAILED:
            state = gettext("%(channel)s, попыток: %(tries)s") % {
                "channel": gettext(NAMES.get(facts["channel"], facts["channel"])),
                "tries": facts["tries"],
            }
            return _with_reason(state, facts["reason"])
        case Trouble.STANDING_FAILING:
            return gettext("шаг %(activity)s, попытка %(n)s") % {
                "activity": facts["activity"],
                "n": facts["attempt"],
            }
        case Trouble.SERVER_REPLACED:
            return gettext("за сутки: %(n)s") % {"n": facts["times"]}
        case Trouble.EXPORT_FAILED:
            return " ".join(str(part) for part in (facts["kind"], facts["reason"]) if part)
        case _:
            return ""


def _with_reason(state: str, reason: str) -> str:
    """The state, followed by the reason in words with its code."""
    if not reason:
        return state
    words = said(reason)
    return f"{state}. {words[0].upper()}{words[1:]}"


def _status(line: AttentionLine) -> str:
    return gettext(process_of(line.facts["kind"]).words[Status(line.facts["status"])])
