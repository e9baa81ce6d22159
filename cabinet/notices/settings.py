"""«Настройки уведомлений»: channels, quiet hours, digest, browsers, contacts (N2).

Everything here works without scripts; with them a box is saved as soon as it is ticked.
"""

from dataclasses import replace
from datetime import time
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Response
from fastapi.responses import JSONResponse

from api.container import Work
from api.http.entrance import CleanRoute
from cabinet.accounts.sign_in import code_field
from cabinet.credentials.reminders import days_in, days_typed
from cabinet.frame.shown import fields_shown, shown_of
from cabinet.frame.views import ErrorItem, FieldView, Option
from cabinet.frame.visits import Inside, Visit, uuid_of
from cabinet.notices.inbox import GROUPS, WAYS
from cabinet.notices.views import BrowserView, CellView, GroupView, PendingView
from clients.database import DatabaseSession
from clients.delivery.push import sender_of
from rules.clock import now
from rules.notices.kinds import Channel, NoticeGroup
from rules.refusals import Refusal
from rules.texts.identifiers import whole
from services.accounts import contacts
from services.credentials import leads
from services.notices import push_subscriptions
from services.notices import settings as notice_settings
from words import formats
from words.translation import gettext, in_words, marked

router = APIRouter(route_class=CleanRoute, include_in_schema=False, prefix="/notices")

Text = Annotated[str, Form(max_length=400)]
Shown = Annotated[str, Form(max_length=4000)]

HINTS = {
    NoticeGroup.CASES: marked("Приняты, рассмотрены, готовы, требуют вашего ответа"),
    NoticeGroup.COMMENTS: marked("Новые сообщения к вашим заявкам и запросам"),
    NoticeGroup.REVIEW: marked("Назначения и сроки того, что рассматриваете вы"),
    NoticeGroup.CREDENTIALS: marked("Окончание срока действия документов о квалификации"),
    NoticeGroup.SCHEDULE: marked("Записи к вам на приём и изменения ваших часов"),
    NoticeGroup.RESULTS: marked("Результаты лаборатории, которые ждут подтверждения"),
    NoticeGroup.OPERATION: marked("Процессы, которые остановились и ждут дежурного"),
    NoticeGroup.SECURITY: marked("Входы с новых устройств, смена пароля и контактов"),
}


@router.get("/settings")
async def show(visit: Inside, session: Work) -> Response:
    """The present settings."""
    return await _page(visit, session)


@router.post("/settings")
async def choose(
    visit: Inside,
    session: Work,
    on: Annotated[list[str] | None, Form(max_length=200)] = None,
    shown: Shown = "",
) -> Response:
    """Save the boxes that were changed: on, or off where they are no longer ticked.

    Scripts get the time of saving.
    """
    ticked, were = set(on or ()), {value for _, value in fields_shown(shown)}
    changed = {
        (cell.group, cell.channel): _name(cell) in ticked
        for cell in await notice_settings.table(session, visit.actor)
        if not cell.locked and _name(cell) in ticked ^ were
    }
    await notice_settings.choose(session, visit.actor, changed, now())
    if visit.request.headers.get("accept") == "application/json":
        return JSONResponse({"saved": _saved()}, headers={"Cache-Control": "no-store"})
    return visit.go("/notices/settings", "saved")


@router.post("/wishes")
async def wish(
    visit: Inside,
    session: Work,
    quiet: Text = "",
    quiet_from: Text = "",
    quiet_to: Text = "",
    digest_hour: Text = "",
    shown: Shown = "",
) -> Response:
    """Save quiet hours and digest, whichever was changed."""
    hours = {"quiet": quiet, "quiet_from": quiet_from, "quiet_to": quiet_to}
    typed = {**hours, "digest_hour": digest_hour}
    were = dict(fields_shown(shown))
    changed = {name for name, value in typed.items() if value != were.get(name, "")}
    errors: dict[str, str] = {}
    changes: dict[str, Any] = {}
    if changed & set(hours):
        on = quiet == "true"
        for name in ("quiet_from", "quiet_to"):
            changes[name] = _time(typed[name], name, errors) if on else None
    if "digest_hour" in changed:
        changes["digest_hour"] = whole(digest_hour, 0, 99)
    if changes:
        changes["zone"] = visit.presentation.zone
    if not errors:
        try:
            await notice_settings.wish(session, visit.actor, changes, now())
        except Refusal as refusal:
            errors["digest_hour"] = gettext(refusal.message)
    if errors:
        return await _page(visit, session, typed, errors, shown)
    if visit.request.headers.get("accept") == "application/json":
        return JSONResponse({"saved": _saved()}, headers={"Cache-Control": "no-store"})
    return visit.go("/notices/settings", "saved")


@router.post("/reminders")
async def remind(
    visit: Inside, session: Work, leads_typed: Text = "", shown: Shown = ""
) -> Response:
    """Save how many days ahead the person is reminded of the end of credentials."""
    if leads_typed != dict(fields_shown(shown)).get("leads_typed", ""):
        try:
            await leads.choose(session, visit.actor, days_in(leads_typed), now())
        except Refusal as refusal:
            faults = {"leads_typed": in_words(refusal.message)}
            return await _page(visit, session, None, faults, None, leads_typed)
    if visit.request.headers.get("accept") == "application/json":
        return JSONResponse({"saved": _saved()}, headers={"Cache-Control": "no-store"})
    return visit.go("/notices/settings", "saved")


def _saved() -> str:
    return gettext("Сохранено в %(at)s") % {"at": formats.clock(now())}


def _time(text: str, name: str, errors: dict[str, str]) -> time | None:
    hours, _, minutes = text.strip().replace(".", ":").partition(":")
    hour, minute = whole(hours, 0, 23), whole(minutes or "0", 0, 59)
    if hour is None or minute is None:
        errors[name] = gettext("Напишите время, например 22:00")
        return None
    return time(hour, minute)


@router.post("/push/{subscription_id}/end")
async def end_browser(subscription_id: UUID, visit: Inside, session: Work) -> Response:
    """Stop showing notices in a browser."""
    await push_subscriptions.unsubscribe(session, visit.actor, subscription_id)
    return visit.go("/notices/settings", "device_ended")


def _name(cell: notice_settings.Cell) -> str:
    return f"{cell.group.value}:{cell.channel.value}"


async def _page(
    visit: Visit,
    session: DatabaseSession,
    typed: dict[str, str] | None = None,
    faults: dict[str, str] | None = None,
    shown: str | None = None,
    leads_typed: str | None = None,
) -> Response:
    chosen = days_typed(await leads.of_person(session, visit.actor.person_id))
    cells = await notice_settings.table(session, visit.actor)
    wishes = await notice_settings.wishes_of(session, visit.actor)
    faults = faults or {}
    kept = {
        "quiet": "true" if wishes.quiet_from else "",
        "quiet_from": f"{wishes.quiet_from or time(22):%H:%M}",
        "quiet_to": f"{wishes.quiet_to or time(8):%H:%M}",
        "digest_hour": "" if wishes.digest_hour is None else str(wishes.digest_hour),
    }
    typed = typed or kept
    browsers = await push_subscriptions.browsers_of(session, visit.actor.person_id)
    held = await contacts.contacts_of(session, visit.actor, now())
    return visit.page(
        "notices/settings.html",
        status=422 if faults else 200,
        ways=[gettext(words) for words in WAYS.values()],
        groups=[_group(group, cells) for group in notice_settings.groups_for(visit.actor)],
        quiet=FieldView(
            "quiet",
            gettext("Не беспокоить в тихие часы"),
            "checkbox",
            typed["quiet"],
            required=False,
        ),
        hours=[
            _hour("quiet_from", gettext("Начало тихих часов"), typed, faults),
            _hour("quiet_to", gettext("Конец тихих часов"), typed, faults),
        ],
        digest=FieldView(
            "digest_hour",
            gettext("Присылать письма одной сводкой раз в день"),
            "choice",
            typed["digest_hour"],
            error=faults.get("digest_hour", ""),
            options=[
                Option("", gettext("Не нужно, присылать сразу")),
                *(Option(str(hour), f"{hour:02}:00") for hour in range(24)),
            ],
        ),
        leads=FieldView(
            "leads_typed",
            gettext("За сколько дней напоминать"),
            "text",
            chosen if leads_typed is None else leads_typed,
            error=faults.get("leads_typed", ""),
            hint=gettext("Числа через запятую. 0 — в последний день. Пусто — не напоминать"),
            required=False,
        ),
        leads_shown=shown_of([("leads_typed", chosen)]),
        zone=wishes.zone,
        channels_shown=shown_of(("on", _name(cell)) for cell in cells if cell.on),
        wishes_shown=shown_of(kept.items()) if shown is None else shown,
        browsers=[
            BrowserView(one.device, one.created_at, one.last_ok_at, f"/notices/push/{one.id}/end")
            for one in browsers
        ],
        push_key=sender_of(visit.container.settings).public_key,
        email=held.email,
        phone=held.phone or "",
        errors=[ErrorItem(words, f"#field-{name}") for name, words in faults.items()],
    )


def _hour(name: str, label: str, typed: dict[str, str], faults: dict[str, str]) -> FieldView:
    return FieldView(name, label, "text", typed[name], error=faults.get(name, ""), width="width-5")


def _group(group: NoticeGroup, cells: list[notice_settings.Cell]) -> GroupView:
    title = gettext(GROUPS[group])
    return GroupView(
        title,
        gettext(HINTS[group]),
        [
            CellView(_name(cell), f"{title}: {gettext(WAYS[cell.channel])}", cell.on, cell.locked)
            for cell in cells
            if cell.group is group
        ],
    )


@router.get("/contacts")
async def show_contacts(visit: Inside, session: Work) -> Response:
    """Where the person is reached, and the forms that change it.

    Asks for a fresh code now, and not after a new contact has been typed.
    """
    visit.signed_in.demand_fresh(now())
    return await _contacts(visit, session)


@router.post("/contacts")
async def ask_code(
    visit: Inside, session: Work, channel: Text = "", mail: Text = "", sms: Text = ""
) -> Response:
    """Send a code to a new contact. Asks for a code of the app when the last is too old."""
    visit.signed_in.demand_fresh(now())
    chosen = Channel.SMS if channel == Channel.SMS.value else Channel.MAIL
    value = sms if chosen is Channel.SMS else mail
    try:
        await contacts.ask(visit.container.database, visit.actor, chosen, value, now())
    except Refusal as refusal:
        if refusal.status not in (422, 429):
            raise
        faults = {chosen.value: in_words(refusal.message)}
        return await _contacts(visit, session, {chosen.value: value}, faults)
    return visit.go("/notices/contacts", "code_sent")


@router.post("/contacts/confirm")
async def confirm(
    visit: Inside,
    session: Work,
    change_id: Text = "",
    code_mail: Text = "",
    code_sms: Text = "",
) -> Response:
    """Confirm a new contact by the code that was sent to it."""
    known = uuid_of(change_id)
    if known is None:
        return visit.go("/notices/contacts")
    container = visit.container
    try:
        code = code_mail or code_sms
        woken = await contacts.confirm(container.database, visit.actor, known, code, now())
    except Refusal as refusal:
        if refusal.status not in (409, 422):
            raise
        return await _contacts(visit, session, {}, {"code": gettext(refusal.message)}, known)
    container.signals.wake(woken)
    return visit.go("/notices/contacts", "contact_changed")


async def _contacts(
    visit: Visit,
    session: DatabaseSession,
    typed: dict[str, str] | None = None,
    faults: dict[str, str] | None = None,
    asked: UUID | None = None,
) -> Response:
    typed, faults = typed or {}, faults or {}
    held = await contacts.contacts_of(session, visit.actor, now())
    pending = [
        (
            PendingView(str(one.id), one.value, one.ends_at, one.tries_left),
            replace(
                code_field(
                    faults.get("code", "") if one.id == asked else "", gettext("Код из сообщения")
                ),
                name=f"code_{one.channel.value}",
            ),
        )
        for one in held.pending
    ]
    forms = [
        (
            Channel.MAIL.value,
            gettext("Электронная почта"),
            held.email,
            _address(Channel.MAIL, gettext("Новый адрес"), typed, faults),
        ),
        (
            Channel.SMS.value,
            gettext("Телефон"),
            held.phone or gettext("не указан"),
            _address(Channel.SMS, gettext("Новый номер"), typed, faults),
        ),
    ]
    return visit.page(
        "notices/contacts.html",
        status=422 if faults else 200,
        forms=forms,
        pending=pending,
        errors=[
            ErrorItem(in_words(words), "" if name == "code" else f"#field-{name}")
            for name, words in faults.items()
        ],
    )


def _address(
    channel: Channel, label: str, typed: dict[str, str], faults: dict[str, str]
) -> FieldView:
    mail = channel is Channel.MAIL
    return FieldView(
        channel.value,
        label,
        "email" if mail else "text",
        typed.get(channel.value, ""),
        error=faults.get(channel.value, ""),
        autocomplete="email" if mail else "tel",
        inputmode="email" if mail else "tel",
        hint=gettext("Пришлём на него код") if mail else gettext("Пришлём на него код по SMS"),
    )
