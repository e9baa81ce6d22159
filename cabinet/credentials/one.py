"""One credential: its versions with what differs, its files, its history, and what may be done
with it (Q2, Q6, Q7)."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Query, Response

from api.container import Work
from api.http.entrance import CleanRoute
from cabinet.cases.attachments import version_row
from cabinet.cases.lines import field_view
from cabinet.credentials.file import HOME
from cabinet.credentials.lines import (
    answers_of,
    history_of,
    row_of,
    titled,
    url_of,
    version_lines,
)
from cabinet.credentials.reminders import days_typed
from cabinet.credentials.views import CredentialPage
from cabinet.frame.views import ErrorItem, FieldView, Option
from cabinet.frame.visits import Inside, Visit
from rules.cases.limits import INTEGER
from rules.clock import now
from rules.credentials.categories import ISSUED_ON, VALID_UNTIL, StateRegister
from rules.ids import new_id
from rules.refusals import Refusal, not_found
from services.credentials import leads, seen
from services.credentials.audience import Owner
from services.credentials.seen import CredentialSeen, VersionSeen
from words.translation import gettext as _
from words.translation import in_words

router = APIRouter(route_class=CleanRoute, include_in_schema=False, prefix="/credentials")

Number = Annotated[int, Form(ge=1, le=INTEGER)]
Reason = Annotated[str, Form(max_length=2000)]


@router.get("/{credential_id}")
async def show(
    credential_id: UUID,
    visit: Inside,
    session: Work,
    version: Annotated[int | None, Query(ge=1, le=INTEGER)] = None,
) -> Response:
    """What it says, now or in an earlier version, and beside it what the one before said."""
    owner, one, versions = await seen.one(session, visit.actor, credential_id, now())
    by_number = {each.number: each for each in versions}
    shown = by_number.get(version or one.version)
    if shown is None:
        raise not_found()
    happened = await seen.history(session, credential_id)
    acted = [entry.by for entry in happened]
    made = [each.made_by for each in versions] + [each.confirmed_by for each in versions]
    names = await seen.names(session, [*acted, *made])
    newer = None
    if one.replaced_by is not None:
        _owner, newer, _versions = await seen.one(session, visit.actor, one.replaced_by, now())
    before = by_number.get(shown.number - 1)
    reminders = ""
    if owner.own and one.stands and one.valid_until is not None:
        days = await leads.of_person(session, owner.id) if one.leads is None else one.leads
        reminders = days_typed(days) or _("не напоминать")
    return visit.page(
        "credentials/credential.html",
        credential=CredentialPage(
            row=row_of(one, names),
            owner=owner.name,
            own=owner.own,
            back_url=HOME if owner.own else f"{HOME}/people/{owner.id}",
            version=shown.number,
            newest=shown.number == one.version,
            sections=answers_of(shown, before),
            compared=before is not None,
            files=[version_row(file) for file in shown.files],
            sheets=_sheets(shown),
            versions=version_lines(one, versions, shown.number, names),
            history=history_of(happened, names),
            stands=one.stands,
            confirms=owner.confirms and one.stands and one.current.confirmed_at is None,
            in_register=one.category.known_to is not StateRegister.NONE,
            reason=one.withdrawn_reason or "",
            replaced_url=url_of(newer.id) if newer else "",
            replaced_title=titled(newer) if newer else "",
            renew_url=f"{url_of(one.id)}/renew" if _renewable(owner, one) else "",
            reminders=reminders,
            renewal_url=f"/cases/{one.renewal_case_id}" if one.renewal_case_id else "",
        ),
    )


def _renewable(owner: Owner, one: CredentialSeen) -> bool:
    """Whether the reader may begin a renewal."""
    begun = one.renewal_case_id is not None
    return owner.own and one.stands and bool(one.category.renewed_by) and not begun


def _sheets(shown: VersionSeen) -> list[tuple[str, str]]:
    """The pages of all files as pictures: nothing of a file itself runs in the browser."""
    return [
        (
            f"/documents/versions/{file.id}/pages/{page}.png",
            _("%(name)s, страница %(n)s") % {"name": file.file_name, "n": page},
        )
        for file in shown.files
        for page in range(1, (file.pages or 1) + 1)
    ]


@router.post("/{credential_id}/update")
async def update(credential_id: UUID, visit: Inside) -> Response:
    """Begin a new version, or go on with the one begun."""
    draft = await visit.container.credential_drafts.begin_update(visit.actor, credential_id)
    return visit.go(f"{HOME}/drafts/{draft}")


@router.get("/{credential_id}/correct")
async def correct_page(credential_id: UUID, visit: Inside) -> Response:
    """The days, to be corrected."""
    return await _correcting(visit, credential_id)


@router.post("/{credential_id}/correct")
async def correct(
    credential_id: UUID,
    visit: Inside,
    act_id: Annotated[UUID, Form()],
    version: Number,
    reason: Reason = "",
    issued_on: Annotated[str, Form(max_length=200)] = "",
    valid_until: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """Correct the days, with the reason."""
    days = {ISSUED_ON: issued_on, VALID_UNTIL: valid_until}
    try:
        acts = visit.container.credentials
        await acts.correct(visit.actor, credential_id, act_id, version, days, reason)
    except Refusal as refusal:
        if refusal.status not in (409, 422):
            raise
        return await _correcting(visit, credential_id, refusal, {**days, "reason": reason})
    return visit.go(url_of(credential_id), "credential_corrected")


async def _correcting(
    visit: Visit,
    credential_id: UUID,
    refusal: Refusal | None = None,
    typed: dict[str, str] | None = None,
) -> Response:
    one = await _own(visit, credential_id)
    errors = _errors(refusal)
    data = {**one.current.data, **(typed or {})}
    fields = [
        field_view(field, data.get(name), errors.get(name, ""))
        for name, field in one.category.fields.items()
        if name in (ISSUED_ON, VALID_UNTIL)
    ]
    reason = FieldView(
        "reason",
        _("Почему меняете"),
        value=data.get("reason", ""),
        hint=_("Например: опечатка при вводе, в свидетельстве другая дата"),
        error=errors.get("reason", ""),
    )
    return _act_page(visit, "correct", one, [*fields, reason], refusal)


@router.get("/{credential_id}/withdraw")
async def withdraw_page(credential_id: UUID, visit: Inside) -> Response:
    """Say why it was a mistake."""
    return await _withdrawing(visit, credential_id)


@router.post("/{credential_id}/withdraw")
async def withdraw(credential_id: UUID, visit: Inside, reason: Reason = "") -> Response:
    """It was entered by mistake."""
    try:
        await visit.container.credentials.withdraw(visit.actor, credential_id, reason)
    except Refusal as refusal:
        if refusal.status not in (409, 422):
            raise
        return await _withdrawing(visit, credential_id, refusal, reason)
    return visit.go(url_of(credential_id), "credential_withdrawn")


async def _withdrawing(
    visit: Visit, credential_id: UUID, refusal: Refusal | None = None, typed: str = ""
) -> Response:
    one = await _own(visit, credential_id)
    reason = FieldView(
        "reason",
        _("Почему он внесён ошибочно"),
        value=typed,
        hint=_("Например: документ другого человека, внесён дважды"),
        error=_errors(refusal).get("reason", ""),
    )
    return _act_page(visit, "withdraw", one, [reason], refusal)


@router.get("/{credential_id}/replace")
async def replace_page(credential_id: UUID, visit: Inside) -> Response:
    """Say which other one has replaced it."""
    return await _replacing(visit, credential_id)


@router.post("/{credential_id}/replace")
async def replace(
    credential_id: UUID, visit: Inside, by: Annotated[UUID | None, Form()] = None
) -> Response:
    """Another one has replaced it."""
    try:
        if by is None:
            raise Refusal("incomplete", "Выберите документ, который его заменил.", 422)
        await visit.container.credentials.replace(visit.actor, credential_id, by)
    except Refusal as refusal:
        if refusal.status not in (409, 422):
            raise
        return await _replacing(visit, credential_id, refusal)
    return visit.go(url_of(credential_id), "credential_replaced")


async def _replacing(visit: Visit, credential_id: UUID, refusal: Refusal | None = None) -> Response:
    one = await _own(visit, credential_id)
    async with visit.container.database.work() as session:
        _owner, found = await seen.of_person(session, visit.actor, one.owner_id, now())
    others = [each for each in found if each.stands and each.id != one.id]
    others.sort(key=lambda each: each.category.need != one.category.need)
    by = FieldView(
        "by",
        _("Каким документом он заменён"),
        "choice",
        options=[Option(str(each.id), titled(each), _numbered(each)) for each in others],
        error=in_words(refusal.message) if refusal else "",
    )
    return _act_page(visit, "replace", one, [by] if others else [], refusal)


def _numbered(one: CredentialSeen) -> str:
    return _("№ %(number)s") % {"number": one.number} if one.number else ""


@router.post("/{credential_id}/confirm")
async def confirm(credential_id: UUID, visit: Inside, version: Number) -> Response:
    """The original agrees with what was entered."""
    await visit.container.credentials.confirm(visit.actor, credential_id, version)
    return visit.go(url_of(credential_id), "credential_confirmed")


async def _own(visit: Visit, credential_id: UUID) -> CredentialSeen:
    """One's own credential. Raises Refusal 404."""
    async with visit.container.database.work() as session:
        owner, one, _versions = await seen.one(session, visit.actor, credential_id, now())
    if not owner.own:
        raise not_found()
    return one


def _errors(refusal: Refusal | None) -> dict[str, str]:
    return {fault.path: in_words(fault.message) for fault in refusal.fields} if refusal else {}


def _act_page(
    visit: Visit,
    act: str,
    one: CredentialSeen,
    fields: list[FieldView],
    refusal: Refusal | None,
) -> Response:
    """The page on which an act is decided."""
    errors = [
        ErrorItem(f"{field.label}: {field.error}", f"#field-{field.name}")
        for field in fields
        if field.error
    ]
    if refusal and not errors:
        errors = [ErrorItem(in_words(refusal.message))]
    return visit.page(
        "credentials/act.html",
        status=refusal.status if refusal else 200,
        act=act,
        title=titled(one),
        here=url_of(one.id),
        fields=fields,
        version=one.version,
        act_id=new_id(),
        errors=errors,
    )
