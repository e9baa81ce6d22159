"""Entering a patient, and the page of who a patient is: corrected, compared, joined, invited."""

from collections.abc import Mapping, Sequence
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Response

from api.container import Work
from api.http.entrance import CleanRoute
from cabinet.accounts.sign_in import errors_of
from cabinet.frame.views import FieldView, Option
from cabinet.frame.visits import Inside, Visit
from cabinet.patients.lines import facts, fields, likely_lines, said, typed_of
from rules.access import Permission
from rules.clock import now
from rules.ids import new_id
from rules.patients import identity as rules
from rules.patients.checks import CHECK_WORDS, RegistryOutcome, differences
from rules.patients.identity import FIELD_WORDS, Identity
from rules.refusals import Refusal
from services import access
from services.patients import duplicates, seen
from services.patients.invitations import link_of
from services.patients.seen import PatientSeen
from words.translation import gettext

router = APIRouter(route_class=CleanRoute, include_in_schema=False, prefix="/patients")

Line = Annotated[str, Form(max_length=400)]
Reason = Annotated[str, Form(max_length=5000)]


def typed_identity(
    name: Line = "",
    birth_date: Line = "",
    sex: Line = "",
    snils: Line = "",
    policy: Line = "",
    phone: Line = "",
    email: Line = "",
) -> Mapping[str, str]:
    """What was typed into the fields of an identity."""
    values = (name, birth_date, sex, snils, policy, phone, email)
    return dict(zip(FIELD_WORDS, values, strict=True))


Typed = Annotated[Mapping[str, str], Depends(typed_identity)]


@router.get("/new")
async def new_page(visit: Inside, session: Work) -> Response:
    """The empty form. Nothing is made by looking at it."""
    visit.actor.demand(Permission.REGISTER_PATIENTS)
    return await _form(visit, session, new_id(), {})


@router.post("/new")
async def register(
    visit: Inside,
    session: Work,
    typed: Typed,
    patient_id: Annotated[UUID, Form()],
    unit: Annotated[UUID, Form()],
    other: Line = "",
) -> Response:
    """Enter a patient. Whoever may be there already is shown first; `other` says that none is."""
    visit.actor.demand(Permission.REGISTER_PATIENTS, unit)
    try:
        who = rules.read(typed, await access.day_in(session, unit, now()))
        alike = await duplicates.likely(session, who, but={patient_id})
        if alike and other != "true":
            return await _form(visit, session, patient_id, typed, likely=alike, unit=unit)
        await visit.container.patients.register(visit.actor, patient_id, unit, typed)
    except Refusal as refusal:
        if refusal.status not in (409, 422):
            raise
        return await _form(visit, session, patient_id, typed, refusal, unit=unit)
    return visit.go(f"/patients/{patient_id}/identity", "patient_registered")


async def _form(
    visit: Visit,
    session: Work,
    patient_id: UUID,
    typed: Mapping[str, str],
    refusal: Refusal | None = None,
    *,
    likely: Sequence[duplicates.Likely] = (),
    unit: UUID | None = None,
) -> Response:
    units = await seen.units(session, visit.actor)
    return visit.page(
        "patients/new.html",
        status=refusal.status if refusal else 409 if likely else 200,
        patient_id=patient_id,
        errors=errors_of(refusal) if refusal else [],
        likely=likely_lines(likely),
        fields=fields(typed, refusal),
        unit=FieldView(
            "unit",
            gettext("Подразделение"),
            "choice",
            str(unit or visit.actor.unit_id),
            options=[Option(str(key), name) for key, name in units],
        ),
    )


@router.get("/{patient_id}/identity")
async def identity_page(patient_id: UUID, visit: Inside, session: Work) -> Response:
    """Who a patient is. That it was looked at is recorded, and the patient can read it."""
    found = await seen.identity_page(session, visit.actor, patient_id, now())
    return _page(visit, found)


@router.post("/{patient_id}/identity")
async def correct(
    patient_id: UUID,
    visit: Inside,
    typed: Typed,
    version: Annotated[int, Form(ge=1, le=1_000_000)],
    about: Annotated[UUID, Form()],
) -> Response:
    """Correct the identity. A stale save is refused with the difference; what was typed stays."""
    demand_same(patient_id, about)
    try:
        await visit.container.patients.correct(visit.actor, patient_id, version, typed)
    except Refusal as refusal:
        if refusal.status not in (409, 422):
            raise
        async with visit.container.database.work() as session:
            found = await seen.identity_page(session, visit.actor, patient_id, now())
        return _page(visit, found, typed, refusal)
    return visit.go(f"/patients/{patient_id}/identity", "patient_corrected")


def demand_same(patient_id: UUID, about: UUID) -> None:
    """Raise Refusal 409 where a form was opened for another patient than it was sent to."""
    if patient_id != about:
        words = "Эта форма была открыта для другого пациента. Ничего не записано."
        raise Refusal("another_patient", words, 409)


@router.post("/{patient_id}/check")
async def check(patient_id: UUID, visit: Inside) -> Response:
    """Compare with the registry of patients."""
    await visit.container.patient_checks.ask(visit.actor, patient_id)
    return visit.go(f"/patients/{patient_id}/identity#check")


@router.post("/{patient_id}/invitation")
async def invite(patient_id: UUID, visit: Inside) -> Response:
    """Make a link for the patient; it is shown this once. Asks for a fresh code."""
    visit.signed_in.demand_fresh(now())
    secret = await visit.container.patient_invitations.invite(visit.actor, patient_id)
    url = link_of(visit.container.settings.public_url, secret)
    return visit.page("patients/invited.html", url=url, patient_id=patient_id)


@router.post("/{patient_id}/invitation/revoke")
async def revoke(patient_id: UUID, visit: Inside) -> Response:
    """End the link of the patient."""
    await visit.container.patient_invitations.revoke(visit.actor, patient_id)
    return visit.go(f"/patients/{patient_id}/identity", "patient_link_ended")


@router.post("/{patient_id}/links")
async def propose(
    patient_id: UUID,
    visit: Inside,
    to_id: Annotated[UUID, Form()],
    reason: Reason = "",
) -> Response:
    """Propose that this patient is another one."""
    await visit.container.patient_links.propose(visit.actor, patient_id, to_id, reason)
    return visit.go("/patients/links", "patient_link_proposed")


def _page(
    visit: Visit,
    found: PatientSeen,
    typed: Mapping[str, str] | None = None,
    refusal: Refusal | None = None,
) -> Response:
    stale = refusal is not None and refusal.code == "stale_identity"
    return visit.page(
        "patients/identity.html",
        status=refusal.status if refusal else 200,
        one=found,
        facts=facts(found.identity),
        fields=fields(typed or typed_of(found.identity), refusal),
        editing=typed is not None,
        errors=errors_of(refusal) if refusal else [],
        differs=_differs(found.identity, typed) if stale and typed else [],
        likely=likely_lines(found.likely),
        joined=[one for one in found.links if one.made_at],
        proposed=[one for one in found.links if not one.made_at],
        check=found.check,
        check_word=_check_word(found),
        check_lines=_check_lines(found),
        books=visit.actor.may(Permission.BOOK),
        has_registry=bool(visit.container.settings.patient_registry_url),
    )


def _differs(now_is: Identity, typed: Mapping[str, str]) -> Sequence[tuple[str, str, str]]:
    """Label, what stands now, and what was typed, where they differ."""
    there = typed_of(now_is)
    return [
        (gettext(label), said(name, now_is.as_text[name]), typed.get(name, "") or "—")
        for name, label in FIELD_WORDS.items()
        if there[name] != typed.get(name, "").strip()
    ]


def _check_word(found: PatientSeen) -> str:
    if found.check is None:
        return ""
    if found.check.outcome is None:
        if found.check.tries:
            return gettext("Регистр не отвечает")
        return gettext("Спрашиваем регистр")
    return gettext(CHECK_WORDS[found.check.outcome])


def _check_lines(found: PatientSeen) -> Sequence[tuple[str, str, str]]:
    """Label, ours and the registry's, field by field, where they differ."""
    check = found.check
    if check is None or check.outcome is not RegistryOutcome.DIFFERS:
        return []
    ours = found.identity.as_text
    return [
        (gettext(FIELD_WORDS[name]), said(name, ours[name]), said(name, check.said[name]))
        for name in differences(found.identity, check.said)
    ]
