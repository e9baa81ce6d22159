"""«Сроки хранения»: terms that end soon, cases on hold, and decisions about one case (S7)."""

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form, Query, Response

from api.container import Work
from api.http.entrance import CleanRoute
from cabinet.archive.filters import ARCHIVE
from cabinet.archive.views import Keeping, KeptRow
from cabinet.frame.periods import midnight
from cabinet.frame.views import ErrorItem, FieldView, Pages
from cabinet.frame.visits import Inside, Visit
from clients.database import DatabaseSession
from rules.archive import NOTICE_DAYS
from rules.clock import now
from rules.refusals import FieldError, Refusal
from rules.texts.identifiers import IdentifierError
from rules.texts.names import short_name
from services.archive import retention
from services.archive.retention import KeptCase
from services.cases.lists import cursor_of
from services.cases.transitions import may_see
from words.translation import gettext as _
from words.translation import in_words

router = APIRouter(route_class=CleanRoute, include_in_schema=False, prefix=f"{ARCHIVE}/retention")

PAGE = 50
SHOWN_AGAIN = frozenset({403, 409, 422})
Cursor = Annotated[str | None, Query(max_length=300)]
Text = Annotated[str, Form()]


@router.get("")
async def show(visit: Inside, session: Work, after: Cursor = None) -> Response:
    """Cases whose term of keeping ends within 90 days, and cases on hold, for archive keepers."""
    found = await retention.ending(session, visit.actor, after, PAGE + 1)
    shown = found[:PAGE]
    following = None
    if len(found) > PAGE and (last := shown[-1].retention) is not None:
        following = f"{ARCHIVE}/retention?after={cursor_of(last.retain_until, last.case_id)}"
    pages = Pages(f"{ARCHIVE}/retention" if after else None, following, len(shown))
    return visit.page("archive/retention.html", rows=[_row(kept) for kept in shown], pages=pages)


def _row(kept: KeptCase) -> KeptRow:
    row = kept.retention
    until = row.retain_until if row else now()
    return KeptRow(
        url=f"{ARCHIVE}/retention/{kept.case.id}",
        number=kept.case.number or "",
        title=_(kept.title),
        closed_at=kept.case.closed_at or kept.case.since,
        until=until,
        soon=until - now() < timedelta(days=min(NOTICE_DAYS)),
        held=row is not None and row.held_at is not None,
    )


@router.get("/{case_id}")
async def show_one(case_id: UUID, visit: Inside, session: Work) -> Response:
    """How long one case is kept, with the forms of those who decide about it."""
    return await _drawn(visit, session, case_id)


async def _drawn(
    visit: Visit,
    session: DatabaseSession,
    case_id: UUID,
    refusal: Refusal | None = None,
    until: str = "",
    reason: str = "",
) -> Response:
    kept = await retention.one(session, visit.actor, case_id)
    row, case = kept.retention, kept.case
    wrong = {one.path: in_words(one.message) for one in refusal.fields} if refusal else {}
    shown = Keeping(
        case_url=f"/cases/{case_id}",
        number=case.number or "",
        title=_(kept.title),
        closed_at=case.closed_at,
        until=row.retain_until if row else None,
        held_at=row.held_at if row else None,
        held_by=short_name(kept.held_by),
        reason=kept.hold_reason,
        erased_at=row.erased_at if row else None,
        url=f"{ARCHIVE}/retention/{case_id}",
        until_field=FieldView(
            "until",
            _("Хранить до"),
            "date",
            until,
            hint=_("День, месяц и год, например 31.12.2035"),
            error=wrong.get("until", ""),
        ),
        reason_field=FieldView(
            "reason",
            _("Причина"),
            "long_text",
            reason,
            hint=_("Останется в журнале дела"),
            error=wrong.get("reason", ""),
        ),
        may=retention.keeps(visit.actor, case)
        and case.applicant_id != visit.actor.person_id
        and case.closed_at is not None
        and (row is None or row.erased_at is None),
        sees=may_see(visit.actor, case),
    )
    errors = [ErrorItem(text, f"#field-{name}") for name, text in wrong.items()]
    if refusal is not None and not errors:
        errors = [ErrorItem(in_words(refusal.message))]
    status = refusal.status if refusal else 200
    return visit.page("archive/keeping.html", status=status, keeping=shown, errors=errors)


@router.post("/{case_id}/{act}")
async def decide(
    case_id: UUID, act: str, visit: Inside, session: Work, until: Text = "", reason: Text = ""
) -> Response:
    """Keep the case longer, forbid erasing it, or allow it again."""
    service, actor = visit.container.retention, visit.actor
    try:
        match act:
            case "extend":
                await service.extend(actor, case_id, _end_of(visit, until), reason)
            case "hold":
                await service.hold(actor, case_id, reason)
            case _:
                await service.release(actor, case_id, reason)
    except Refusal as refusal:
        if refusal.status not in SHOWN_AGAIN or refusal.code == "forbidden":
            raise
        return await _drawn(visit, session, case_id, refusal, until, reason)
    return visit.go(f"{ARCHIVE}/retention/{case_id}", done="saved")


def _end_of(visit: Visit, typed: str) -> datetime:
    """The end of the day that was typed. Raises Refusal (422)."""
    try:
        return midnight(typed, ZoneInfo(visit.container.settings.time_zone), days=1)
    except IdentifierError as error:
        message = error.message
        raise Refusal("wrong_term", message, 422, [FieldError("until", message)]) from error
