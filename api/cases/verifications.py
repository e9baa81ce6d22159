"""The verification of one's own account over JSON, beyond what all kinds of case share."""

from collections.abc import Sequence
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from api.cases.bodies import CaseOut, CaseStateOut, case_out
from api.cases.drafts import DraftOut, HandedIn, ListOut, add_routes, draft_out, list_response
from api.container import ContainerDep, Work
from api.http.auth import CurrentActor, CurrentSession
from api.http.entrance import CleanRoute
from api.http.problems import documented
from rules.accounts import AccountState
from rules.cases.process import CaseKind
from rules.verification import VerificationStep as Step
from services.cases import lists as case_lists
from services.cases.draft_contents import draft_of
from services.dossier import page as dossier
from services.verifications.settling import steps_done

router = APIRouter(route_class=CleanRoute, prefix="/verifications", tags=["verifications"])


class VerificationStateOut(BaseModel):
    """The state of my account, and the steps that are done or left."""

    state: AccountState
    done: Sequence[Step]
    left: Sequence[Step] = Field(description="What a confirmed account still needs.")


@router.get("", response_model=ListOut)
async def list_mine(container: ContainerDep, actor: CurrentActor) -> Response:
    """My verifications, newest first."""
    return list_response(
        await case_lists.first_of_mine(container.database, actor, kind=CaseKind.VERIFICATION)
    )


@router.get("/state", responses=documented(401, 403))
async def read_state(session: Work, current: CurrentSession) -> VerificationStateOut:
    """How far my account is confirmed."""
    done = await steps_done(session, current.person_id)
    state = current.actor.state
    return VerificationStateOut(
        state=state,
        done=[step for step in Step if step in done],
        left=[step for step in Step if step not in done and state != AccountState.CONFIRMED],
    )


@router.post("", status_code=201)
async def create(actor: CurrentActor, container: ContainerDep) -> DraftOut:
    """Begin a draft, or go on with the one that is open."""
    return draft_out(draft_of(await container.verifications.create_draft(actor)))


@router.get("/{case_id}")
async def read(case_id: UUID, session: Work, actor: CurrentActor) -> CaseOut:
    """The whole verification."""
    return case_out(await dossier.page(session, actor, case_id))


@router.post("/{case_id}/resubmit", responses=documented(429))
async def resubmit(
    case_id: UUID, act: HandedIn, actor: CurrentActor, container: ContainerDep
) -> CaseStateOut:
    """Answer a clarification with the corrected draft."""
    return CaseStateOut.of(await container.verifications.resubmit(actor, case_id, act))


add_routes(router, "", lambda container: container.verifications)
