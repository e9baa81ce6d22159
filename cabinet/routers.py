"""The routers of all pages, which `server` includes."""

from fastapi import APIRouter

from cabinet.absences import pages as absences
from cabinet.account_locks import pages as account_locks
from cabinet.accounts import (
    passkeys,
    password_reset,
    profile,
    provider,
    risks,
    second_factor,
    sign_in,
)
from cabinet.accreditations import draft as accreditation_drafts
from cabinet.accreditations import pages as accreditations
from cabinet.applications import draft, programmes, verification
from cabinet.applications import pages as applications
from cabinet.archive import exports, retention, search
from cabinet.catalogue_admin import pages, type_pages
from cabinet.conversation import pages as conversation
from cabinet.course import pages as course
from cabinet.credentials import drafts as credential_drafts
from cabinet.credentials import file as credential_file
from cabinet.credentials import one as credential
from cabinet.credentials import reminders as credential_reminders
from cabinet.credentials import renewal as credential_renewal
from cabinet.credentials import staff as credential_staff
from cabinet.documents import pages as documents
from cabinet.dossier import moments
from cabinet.frame import installable
from cabinet.handovers import pages as handovers
from cabinet.home import pages as home
from cabinet.journal import log, self_check
from cabinet.journal import pages as journal
from cabinet.meetings import operator
from cabinet.meetings import pages as meetings
from cabinet.notices import inbox, settings
from cabinet.operation import norms
from cabinet.operation import pages as operation
from cabinet.patients import identity as patient_identity
from cabinet.patients import importing as patient_import
from cabinet.patients import invited as invited_patients
from cabinet.patients import links as patient_links
from cabinet.patients import openings as patient_openings
from cabinet.patients import search as patient_search
from cabinet.records import drafts as record_drafts
from cabinet.records import entry as record_entry
from cabinet.records import patient as record
from cabinet.registers import pages as registers
from cabinet.requests import draft as request_drafts
from cabinet.requests import files, review
from cabinet.requests import pages as requests
from cabinet.results import pages as results
from cabinet.results import unmatched as unmatched_results
from cabinet.reviews import bulk, decision_page, queue, team
from cabinet.rights import pages as role_changes
from cabinet.schedule import booking as schedule_booking
from cabinet.schedule import pages as schedule
from cabinet.schedule import planning as schedule_planning
from cabinet.staff import (
    acts,
    ending,
    importing,
    invitations,
    people,
    registration,
    rights,
    unmatched,
)
from cabinet.subscribers import pages as subscribers
from cabinet.verifications import draft as verification_drafts
from cabinet.verifications import pages as verifications

ROUTERS: tuple[APIRouter, ...] = (
    home.router,
    sign_in.router,
    profile.router,
    profile.account,
    passkeys.router,
    second_factor.router,
    password_reset.router,
    risks.router,
    provider.router,
    account_locks.router,
    programmes.router,
    draft.router,
    applications.router,
    request_drafts.router,
    files.router,
    requests.router,
    verification_drafts.router,
    verifications.router,
    accreditation_drafts.router,
    accreditations.router,
    role_changes.router,
    conversation.router,
    course.router,
    credential_drafts.router,
    credential_file.router,
    credential_staff.router,
    credential_renewal.router,
    credential_reminders.router,
    credential.router,
    documents.router,
    handovers.router,
    subscribers.router,
    unmatched_results.router,
    results.router,
    settings.router,
    inbox.router,
    installable.router,
    queue.router,
    decision_page.router,
    review.router,
    search.router,
    exports.router,
    retention.router,
    bulk.router,
    team.router,
    operation.router,
    patient_search.router,
    patient_import.router,
    patient_links.router,
    patient_openings.router,
    patient_identity.router,
    invited_patients.router,
    record_drafts.router,
    record_entry.router,
    record.router,
    registers.router,
    norms.router,
    moments.router,
    log.router,
    self_check.router,
    journal.router,
    importing.router,
    invitations.router,
    registration.router,
    acts.router,
    rights.router,
    ending.router,
    unmatched.router,
    people.router,
    meetings.router,
    operator.router,
    schedule.router,
    schedule_booking.router,
    absences.router,
    schedule_planning.router,
    type_pages.router,
    pages.router,
    verification.router,
)
