"""Patients over JSON: found, entered, corrected, joined, opened, judged (W2)."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from api.container import ContainerDep, Work
from api.http.auth import CurrentActor, CurrentSession, require
from api.http.entrance import CleanRoute
from api.http.problems import documented
from rules.access import Actor, Permission
from rules.clock import now
from rules.ids import new_id
from rules.patients.checks import RegistryOutcome
from rules.patients.emergencies import EmergencyState
from rules.patients.identity import Identity, Sex
from services.patients import searching, seen
from services.patients.invitations import link_of
from services.patients.seen import PatientSeen

router = APIRouter(route_class=CleanRoute, prefix="/patients", tags=["patients"])

Registrar = Annotated[Actor, require(Permission.REGISTER_PATIENTS)]
Clinician = Annotated[Actor, require(Permission.TREAT)]
Judge = Annotated[Actor, require(Permission.JUDGE_EMERGENCIES)]
Reason = Annotated[str, Field(min_length=3, max_length=500)]


class IdentityIn(BaseModel):
    """Who a patient is, as a person types it; checked as in the form."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=400)
    birth_date: str = Field(max_length=40)
    sex: Sex
    snils: str = Field("", max_length=40)
    policy: str = Field("", max_length=40)
    phone: str = Field("", max_length=40)
    email: str = Field("", max_length=400)

    def typed(self) -> Mapping[str, str]:
        """As the form sends it."""
        names = ("name", "birth_date", "sex", "snils", "policy", "phone", "email")
        return {name: str(getattr(self, name)) for name in names}


class PatientIn(IdentityIn):
    """A new patient. `id` makes the request safe to repeat."""

    id: UUID = Field(default_factory=new_id)
    unit_id: UUID


class CorrectionIn(IdentityIn):
    """A correction of the version that was read."""

    version: int = Field(ge=1, le=1_000_000)


class IdentityOut(BaseModel):
    """Who a patient is."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    birth_date: date
    sex: Sex
    snils: str | None
    policy: str | None
    phone: str | None
    email: str | None


class FoundOut(BaseModel):
    """A patient in the answer to a search; `main` is the record that joined ones lead to."""

    id: UUID
    main: UUID
    name: str
    birth_date: date
    sex: Sex


class SearchIn(BaseModel):
    """Whom to find: a SNILS, a policy, a whole name, or a part of one with the birth date."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field("", max_length=400)
    born: str = Field("", max_length=40)


class SearchOut(BaseModel):
    """Who was found; `more` says that there are more than are listed."""

    found: list[FoundOut]
    more: bool


class LikelyOut(BaseModel):
    """Somebody who may be the same person, and why."""

    id: UUID
    name: str
    birth_date: date
    why: list[str]


class PatientInvitationOut(BaseModel):
    """The link of a patient that opens something now; the link itself is told once, when made."""

    model_config = ConfigDict(from_attributes=True)

    created_at: AwareDatetime
    ends_at: AwareDatetime
    entered_at: AwareDatetime | None


class PatientInvitationLinkOut(BaseModel):
    """A link for a patient, shown this once."""

    url: str


class PatientOut(BaseModel):
    """A patient, for those who register patients."""

    id: UUID
    unit_id: UUID
    version: int
    main: UUID
    identity: IdentityOut
    likely: list[LikelyOut]
    check: RegistryOutcome | None
    next_check_at: AwareDatetime | None
    invitation: PatientInvitationOut | None = None


class PatientLinkIn(BaseModel):
    """Which other patient this one is, and why."""

    model_config = ConfigDict(extra="forbid")

    to_id: UUID
    reason: Reason


class LinkOut(BaseModel):
    """A link that waits for a second person."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    from_id: UUID
    to_id: UUID
    reason: str
    proposer: str
    proposed_at: AwareDatetime


class PartIn(BaseModel):
    """Why two patients are not one person."""

    model_config = ConfigDict(extra="forbid")

    reason: Reason


class OpenIn(BaseModel):
    """On which ground of the list a record is opened."""

    model_config = ConfigDict(extra="forbid")

    ground: str = Field(max_length=40)
    words: str = Field("", max_length=5000)


class OpenAtOnceIn(BaseModel):
    """What has happened."""

    model_config = ConfigDict(extra="forbid")

    words: str = Field(min_length=1, max_length=5000)


class EmergencyOut(BaseModel):
    """An emergency; the patient is not named."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    person_id: UUID
    name: str
    unit: str
    at: AwareDatetime
    words: str
    looks: int
    due_at: AwareDatetime
    state: EmergencyState
    judge: str | None
    judged_at: AwareDatetime | None
    verdict: str | None


class VerdictIn(BaseModel):
    """A judgement, for good."""

    model_config = ConfigDict(extra="forbid")

    verdict: Literal["justified", "unjustified"]
    reason: Reason


@router.post("/search", responses=documented(401, 403, 422, 429))
async def search(body: SearchIn, session: Work, actor: CurrentActor) -> SearchOut:
    """Find a patient whom you can name. By POST, so that no address holds a number."""
    found = await searching.search(session, actor, body.text, body.born, now())
    return SearchOut(
        found=[
            FoundOut(
                id=one.id,
                main=one.main,
                name=one.identity.name,
                birth_date=one.identity.birth_date,
                sex=one.identity.sex,
            )
            for one in found.found
        ],
        more=found.more,
    )


@router.post("", status_code=201, responses=documented(401, 403, 409, 422))
async def register(body: PatientIn, actor: Registrar, container: ContainerDep) -> dict[str, UUID]:
    """Enter a patient. The same id again with the same data changes nothing."""
    await container.patients.register(actor, body.id, body.unit_id, body.typed())
    return {"id": body.id}


@router.get("/links", responses=documented(401, 403))
async def links(session: Work, actor: Registrar) -> list[LinkOut]:
    """What waits for a second person."""
    return [LinkOut.model_validate(one) for one in await seen.waiting_links(session, actor)]


@router.post("/links/{link_id}/make", status_code=204, responses=documented(401, 403, 404, 409))
async def make(link_id: UUID, actor: Registrar, container: ContainerDep) -> Response:
    """Join, as the second of two people."""
    await container.patient_links.make(actor, link_id)
    return Response(status_code=204)


@router.post("/links/{link_id}/end", status_code=204, responses=documented(401, 403, 404, 422))
async def end(link_id: UUID, body: PartIn, actor: Registrar, container: ContainerDep) -> Response:
    """Refuse what was proposed, or part what was joined. No row of either patient changes."""
    await container.patient_links.end(actor, link_id, body.reason)
    return Response(status_code=204)


@router.get("/emergencies", responses=documented(401, 403))
async def emergencies(
    session: Work, actor: Judge, *, everything: bool = False
) -> list[EmergencyOut]:
    """What waits for its judgement; with `everything`, what was judged in ninety days too."""
    found = await seen.to_judge(session, actor, now(), everything=everything)
    return [EmergencyOut.model_validate(one) for one in found]


@router.post(
    "/emergencies/{emergency_id}/take", status_code=204, responses=documented(401, 403, 404, 409)
)
async def take(emergency_id: UUID, actor: Judge, container: ContainerDep) -> Response:
    """Take it out of the queue."""
    await container.patient_judgements.take(actor, emergency_id)
    return Response(status_code=204)


@router.post(
    "/emergencies/{emergency_id}/judge",
    status_code=204,
    responses=documented(401, 403, 404, 409, 422),
)
async def judge(
    emergency_id: UUID, body: VerdictIn, current: CurrentSession, container: ContainerDep
) -> Response:
    """Judge, once and for good. Needs a fresh code."""
    current.demand_fresh(now())
    await container.patient_judgements.judge(
        current.actor,
        emergency_id,
        justified=body.verdict == "justified",
        reason=body.reason,
    )
    return Response(status_code=204)


@router.get("/{patient_id}/identity", responses=documented(401, 403, 404))
async def identity(patient_id: UUID, session: Work, actor: Registrar) -> PatientOut:
    """Who a patient is. That you looked is recorded, and the patient can read it."""
    return _out(await seen.identity_page(session, actor, patient_id, now()))


@router.put("/{patient_id}/identity", responses=documented(401, 403, 404, 409, 422))
async def correct(
    patient_id: UUID, body: CorrectionIn, actor: Registrar, container: ContainerDep
) -> dict[str, int]:
    """Correct the version that you read; an older one is refused with `stale_identity`."""
    version = await container.patients.correct(actor, patient_id, body.version, body.typed())
    return {"version": version}


@router.post("/{patient_id}/check", status_code=202, responses=documented(401, 403, 404, 429))
async def check(patient_id: UUID, actor: Registrar, container: ContainerDep) -> Response:
    """Compare with the registry of patients; the outcome stands in the identity."""
    await container.patient_checks.ask(actor, patient_id)
    return Response(status_code=202)


@router.post("/{patient_id}/invitation", status_code=201, responses=documented(401, 403, 404, 409))
async def invite(
    patient_id: UUID, current: CurrentSession, container: ContainerDep
) -> PatientInvitationLinkOut:
    """Make a link by which the patient reads who looked; one before ends. Needs a fresh code."""
    current.demand_fresh(now())
    secret = await container.patient_invitations.invite(current.actor, patient_id)
    return PatientInvitationLinkOut(url=link_of(container.settings.public_url, secret))


@router.delete("/{patient_id}/invitation", status_code=204, responses=documented(401, 403, 404))
async def revoke(patient_id: UUID, actor: Registrar, container: ContainerDep) -> Response:
    """End the link of the patient and every entry by it. Again changes nothing."""
    await container.patient_invitations.revoke(actor, patient_id)
    return Response(status_code=204)


@router.post("/{patient_id}/links", status_code=201, responses=documented(401, 403, 404, 409, 422))
async def propose(
    patient_id: UUID, body: PatientLinkIn, actor: Registrar, container: ContainerDep
) -> dict[str, UUID]:
    """Propose that this patient is another one; somebody else joins them."""
    link_id = await container.patient_links.propose(actor, patient_id, body.to_id, body.reason)
    return {"id": link_id}


@router.post("/{patient_id}/open", status_code=204, responses=documented(401, 403, 404, 422))
async def open_for(
    patient_id: UUID, body: OpenIn, actor: Clinician, container: ContainerDep
) -> Response:
    """Open a closed record for three hours, on a ground from the list."""
    await container.patient_openings.open_for(actor, patient_id, body.ground, body.words)
    return Response(status_code=204)


@router.post(
    "/{patient_id}/open-at-once", status_code=204, responses=documented(401, 403, 404, 409, 422)
)
async def open_at_once(
    patient_id: UUID, body: OpenAtOnceIn, actor: Clinician, container: ContainerDep
) -> Response:
    """Open a closed record for two hours, as an emergency; information security judges it."""
    await container.patient_openings.open_at_once(actor, patient_id, body.words)
    return Response(status_code=204)


def _out(found: PatientSeen) -> PatientOut:
    who: Identity = found.identity
    return PatientOut(
        id=found.id,
        unit_id=found.unit_id,
        version=found.version,
        main=found.main,
        identity=IdentityOut.model_validate(who),
        likely=[
            LikelyOut(
                id=one.patient_id,
                name=one.identity.name,
                birth_date=one.identity.birth_date,
                why=[why.value for why in one.why],
            )
            for one in found.likely
        ],
        check=found.check.outcome if found.check else None,
        next_check_at=found.check.next_try_at if found.check else None,
        invitation=PatientInvitationOut.model_validate(found.invitation)
        if found.invitation
        else None,
    )
