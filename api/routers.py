"""The routers of the JSON API, subject by subject, and those outside it."""

from fastapi import APIRouter

from api import (
    course,
    documents,
    dossier,
    handovers,
    meetings,
    patients,
    records,
    registers,
    results,
    subscribers,
)
from api.accounts import password_reset, risks, second_factor, sign_in
from api.archive import retention, search
from api.callbacks import gov_service
from api.callbacks import laboratory as laboratory_pushes
from api.callbacks import notices as delivery_reports
from api.callbacks import personnel as personnel_pushes
from api.cases import (
    access_changes,
    accreditations,
    act_codes,
    applications,
    conversation,
    requests,
    reviews,
    verifications,
)
from api.catalogue import admin, programmes
from api.credentials import drafts as credential_drafts
from api.credentials import file as credentials
from api.fhir import practitioners
from api.http import documentation, health
from api.journal import log, self_check
from api.notices import inbox
from api.notices import settings as notice_settings
from api.operation import codec, desk, temporal_pages
from api.schedule import absences, appointments, planning
from api.staff import importing, invitation, people, registration, unmatched

JSON_ROUTERS: tuple[APIRouter, ...] = (
    sign_in.router,
    second_factor.router,
    password_reset.router,
    risks.router,
    applications.router,
    requests.router,
    verifications.router,
    access_changes.router,
    accreditations.router,
    reviews.router,
    retention.router,
    search.router,
    programmes.router,
    conversation.router,
    admin.router,
    importing.router,
    people.router,
    unmatched.router,
    invitation.router,
    registration.router,
    credentials.router,
    patients.router,
    records.router,
    credential_drafts.router,
    registers.router,
    documents.router,
    handovers.router,
    subscribers.router,
    results.router,
    meetings.router,
    appointments.router,
    planning.router,
    absences.router,
    log.router,
    self_check.router,
    dossier.router,
    course.router,
    notice_settings.router,
    inbox.router,
    delivery_reports.router,
    desk.router,
    gov_service.router,
    personnel_pushes.router,
    laboratory_pushes.router,
    act_codes.router,
)
"""Below /api/v1."""

OTHER_ROUTERS: tuple[APIRouter, ...] = (
    health.router,
    documentation.router,
    codec.router,
    practitioners.router,
    appointments.feed_router,
    temporal_pages.router,
)
"""With paths of their own."""
