"""The portfolio of a version, for those who may see the case."""

from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from clients.objects import Objects, ObjectStream
from models.tables.credentials import AccreditationPackage
from rules.access import Actor
from rules.archive import ERASED
from rules.cases.process import CaseKind
from rules.journal.tags import ViewCode
from rules.refusals import not_found
from rules.texts.paper_names import portfolio_name
from services.cases.transitions import see
from services.files.intake import unavailable_is_refusal
from services.journal import entries as journal


async def open_portfolio(
    session: AsyncSession, objects: Objects, actor: Actor, case_id: UUID, version: int | None
) -> tuple[str, ObjectStream]:
    """Name and contents of a signed portfolio, by default of the newest version that was sent.

    Raises `not_found` if there is none, Refusal 503.
    """
    case = await see(session, actor, case_id)
    if case.kind != CaseKind.ACCREDITATION:
        raise not_found()
    package = None
    for number in [version] if version else range(case.version, 0, -1):
        package = await session.get(AccreditationPackage, (case.id, number))
        if package is not None:
            break
    if package is None or package.portfolio_key.startswith(ERASED):
        raise not_found()
    await journal.record_view(session, actor, case.id, ViewCode.PORTFOLIO)
    with unavailable_is_refusal():
        opened = await objects.open(package.portfolio_key)
    return portfolio_name(case.number or "", package.version), opened
