"""The public page behind the QR code of an enrolment certificate: nothing personal (A5)."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from api.container import Work
from api.http.entrance import CleanRoute
from cabinet.applications.views import SealCertificate, Verification
from cabinet.frame.states import state_of
from cabinet.frame.views import ErrorItem, FieldView
from cabinet.frame.visits import Outside, Visit
from clients.database import DatabaseSession
from crypto.certificates import common_name, fingerprint, serial_number
from rules.cases.applications import APPLICATION
from rules.refusals import Refusal
from rules.texts.grouping import in_eights, in_fours
from services.applications import enrolment_certificate
from services.journal.checkpoints import trusted_certificates
from services.seal import SealError
from words.translation import gettext

router = APIRouter(route_class=CleanRoute, include_in_schema=False)


@router.get("/verify")
@router.get("/verify/")
async def ask(
    visit: Outside, session: Work, code: Annotated[str, Query(max_length=80)] = ""
) -> Response:
    """The form for a code from paper.

    Older certificates print the address with a slash at its end.
    """
    if not code.strip():
        return _ask(visit)
    return await _answer(visit, session, code)


@router.get("/verify/{code}")
async def follow(code: str, visit: Outside, session: Work) -> Response:
    """The address in the QR code."""
    return await _answer(visit, session, code)


async def _answer(visit: Visit, session: DatabaseSession, code: str) -> Response:
    settings = visit.container.settings
    try:
        found = await enrolment_certificate.confirm(session, code[:80])
    except Refusal as refusal:
        if refusal.status == 422:
            return _ask(visit, code[:80], gettext(refusal.message))
        if refusal.status != 404:
            raise
        shown = Verification(found=False, code=code[:80])
    else:
        test = settings.demo or settings.seal_file is None
        shown = Verification(
            found=True,
            code=code,
            number=found.number,
            issued_at=found.issued_at,
            outcome=state_of(found.outcome, APPLICATION.kind).word,
            institution=settings.institution,
            seal=gettext("Тестовая печать") if test else gettext("Печать учреждения"),
            sha256=found.sha256,
            test_seal=test,
        )
    return visit.page(
        "applications/verify.html",
        status=200 if shown.found else 404,
        field=_field(code[:80]),
        certificates=[],
        errors=[],
        shown=shown,
    )


def _ask(visit: Visit, code: str = "", error: str = "") -> Response:
    return visit.page(
        "applications/verify.html",
        certificates=_certificates(visit),
        status=422 if error else 200,
        field=_field(code, error),
        errors=[ErrorItem(error, "#field-code")] if error else [],
        shown=None,
    )


def _field(value: str = "", error: str = "") -> FieldView:
    return FieldView(
        "code",
        gettext("Код с акта"),
        value=value,
        error=error,
        hint=gettext("26 букв и цифр справа от рисунка QR, после слова «Код». Пробелы не важны"),
        width="width-30",
    )


def _certificates(visit: Visit) -> list[SealCertificate]:
    """Certificates of the institution's seal, the present one first, as its papers write them."""
    try:
        trusted = trusted_certificates(visit.container.settings)
    except SealError:
        return []
    return [
        SealCertificate(common_name(one), in_fours(serial_number(one)), in_eights(fingerprint(one)))
        for one in trusted
    ]
