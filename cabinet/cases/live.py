"""What the running workflow says of a case, and how an open page notices that it has changed."""

from uuid import UUID

from cabinet.frame.visits import Visit
from clients.database import DatabaseSession
from models.messages import PresentState
from services.cases import running
from services.dossier import page as dossier


async def live_tag(session: DatabaseSession, visit: Visit, case_id: UUID) -> str:
    """The ETag of the live part.

    It changes with every journal entry of the case, and with language.
    """
    state = await dossier.tag_of(session, visit.actor, case_id)
    return f'"{state}-{visit.presentation.language}"'


async def asked_now(visit: Visit, page: dossier.CasePage) -> PresentState | None:
    """What the running workflow says; None where it has ended or does not answer."""
    return await running.present_state(visit.container.temporal, page.case)
