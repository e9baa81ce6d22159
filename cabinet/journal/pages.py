"""The journal for information security: checkpoints, and declarations with their confirmation
(I9)."""

from typing import Annotated

from fastapi import APIRouter, Form, Path, Response

from api.http.entrance import CleanRoute
from cabinet.frame.views import ErrorItem, FieldView, Flash
from cabinet.frame.visits import Inside, Visit
from cabinet.journal.security_watch import parts, watched
from cabinet.journal.views import ConfirmPage, DeclarationCard, JournalPage, WatchPart
from clients.database import DatabaseSession
from rules.access import Permission
from rules.operation.states import REASON
from rules.refusals import Refusal, forbidden, not_found
from services.journal import declarations, integrity
from services.journal.checkpoints import trusted_certificates
from services.journal.declarations import Declared
from services.journal.integrity import Integrity
from words import formats
from words.translation import gettext, in_words, ngettext

router = APIRouter(route_class=CleanRoute, include_in_schema=False, prefix="/journal")

Digest = Annotated[str, Path(pattern="^[0-9a-f]{64}$")]


@router.get("")
async def journal_page(visit: Inside, done: str = "") -> Response:
    """How far checkpoints reach, which rows they refuse, and what was declared of the journal."""
    if not visit.actor.may(Permission.READ_JOURNAL):
        raise forbidden()
    async with visit.container.database.work() as session:
        found = await integrity.known(session, visit.actor)
        declared = await _declared(session, visit)
        watch = parts(await watched(session, visit))
    flash = Flash(gettext("Подтверждение записано в журнал.")) if done == "confirmed" else None
    page = _drawn(visit, found, declared, watch)
    return visit.page("journal/journal.html", journal=page, flash=flash)


@router.get("/declarations/{digest}")
async def ask(visit: Inside, digest: Digest) -> Response:
    """Ask for the reason with which a declaration is confirmed."""
    return visit.page("journal/confirm.html", one=await _one(visit, digest), field=_reason())


@router.post("/declarations/{digest}")
async def confirm(
    visit: Inside, digest: Digest, reason: Annotated[str, Form(max_length=5000)] = ""
) -> Response:
    """Confirm a declaration, and go back to the journal."""
    trusted = trusted_certificates(visit.container.settings)
    try:
        async with visit.container.database.work() as session:
            await declarations.confirm(session, visit.actor, digest, reason, trusted)
    except Refusal as refusal:
        if refusal.code != "incomplete":
            raise
        message = in_words(refusal.message)
        return visit.page(
            "journal/confirm.html",
            status=422,
            one=await _one(visit, digest),
            field=_reason(reason, message),
            errors=[ErrorItem(message, "#field-reason")],
        )
    return visit.go("/journal", "confirmed")


async def _declared(session: DatabaseSession, visit: Visit) -> list[Declared]:
    trusted = trusted_certificates(visit.container.settings)
    return await declarations.declared(session, visit.actor, trusted)


async def _one(visit: Visit, digest: str) -> ConfirmPage:
    if not visit.actor.may(Permission.CONFIRM_DECLARATIONS):
        raise forbidden()
    async with visit.container.database.work() as session:
        declared = await _declared(session, visit)
    for one in declared:
        if one.declaration.digest == digest:
            return ConfirmPage(digest, _told(one), formats.moment(one.declaration.at))
    raise not_found()


def _reason(typed: str = "", error: str = "") -> FieldView:
    return FieldView(
        "reason",
        gettext("Что вы выяснили"),
        "long_text",
        hint=gettext("Например, номер акта об аварии. Останется в журнале."),
        max_length=REASON[1],
        value=typed,
        error=error,
    )


def _drawn(
    visit: Visit, found: Integrity, declared: list[Declared], watch: list[WatchPart]
) -> JournalPage:
    may = visit.actor.may(Permission.CONFIRM_DECLARATIONS)
    return JournalPage(
        watch=watch,
        sealed_at=formats.moment(found.sealed_at) if found.sealed_at else "",
        refused=(
            ngettext(
                "Не опечатано: %(n)s запись, которую не писала система",
                "Не опечатано: %(n)s записей, которые не писала система",
                found.refused,
            )
            % {"n": found.refused}
            if found.refused
            else ""
        ),
        declarations=[
            DeclarationCard(
                told=_told(one),
                at=formats.moment(one.declaration.at),
                confirmed=formats.moment(one.confirmed.at) if one.confirmed else "",
                url=(
                    f"/journal/declarations/{one.declaration.digest}"
                    if may and one.confirmed is None
                    else ""
                ),
            )
            for one in declared
        ],
    )


def _told(one: Declared) -> str:
    """What was declared, in a sentence."""
    loss, accepted = one.declaration.loss, one.declaration.accepted
    if loss is None:
        return ngettext(
            "Принята %(n)s запись, которую не заверила система",
            "Принято записей, которые не заверила система: %(n)s",
            accepted,
        ) % {"n": accepted}
    return ngettext(
        "При восстановлении из копии потеряна %(n)s запись: печати с %(first)s по %(last)s",
        "При восстановлении из копии потеряно записей: %(n)s, печати с %(first)s по %(last)s",
        loss.leaves,
    ) % {"n": loss.leaves, "first": loss.first, "last": loss.last}
