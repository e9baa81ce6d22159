"""Which routes an access token opens, by its scope. A route without a row is closed to tokens.

A token opens a route when its scope holds one of the permissions in the row. What its owner may do
with one case or document is decided afterwards, as for everybody. Routes for people at a browser,
such as pages and all of the account, have no row.
"""

from collections.abc import Mapping

from rules import access
from rules.cases.kinds import PROCESSES
from rules.cases.process import Process

P = access.Permission
Scope = frozenset[P]

_ANY: Scope = frozenset(P)
"""Any token: who its owner is, and what the institution offers."""
_APPLIES: Scope = frozenset({P.APPLY})
_REVIEWS: Scope = frozenset({P.REVIEW})
_SEES: Scope = frozenset({P.APPLY, P.REVIEW, P.VIEW_UNIT_CASES})
_TALKS: Scope = frozenset({P.APPLY, P.REVIEW})
_LOOKS_ON: Scope = frozenset({P.REVIEW, P.VIEW_UNIT_CASES})
_ABSENCES: Scope = frozenset({P.REVIEW, P.OVERSEE_REVIEWS})
_DOCUMENTS: Scope = frozenset({P.KEEP_DOCUMENTS})
_QUALIFICATION: Scope = frozenset({P.VIEW_CREDENTIALS})
_FILES: Scope = _SEES | _DOCUMENTS | _QUALIFICATION
_KEEPS: Scope = frozenset({P.KEEP_ARCHIVE})
_NOTICES: Scope = frozenset({P.KEEP_NOTICES})
_CATALOGUE: Scope = frozenset({P.MANAGE_CATALOGUE})
_STAFF: Scope = frozenset({P.MANAGE_PEOPLE})
_UNLOCKS: Scope = frozenset({P.APPROVE_UNLOCK})
_RISKS: Scope = frozenset({P.WATCH_RISKS})
_PEOPLE: Scope = frozenset({P.VIEW_PEOPLE})
_RELEASES: Scope = frozenset({P.RELEASE_CREDENTIALS})
_CONNECTS: Scope = frozenset({P.CONNECT_SYSTEMS})
_RECONCILES: Scope = frozenset({P.RECONCILE_STAFF})
_REGISTERS: Scope = frozenset({P.REGISTER_PATIENTS})
_HEADS: Scope = frozenset({P.OVERSEE_RESULTS})
_TREATS: Scope = _HEADS | {P.TREAT}
_MATCHES: Scope = frozenset({P.MATCH_RESULTS})
_MEETS: Scope = frozenset({P.MEET_PEOPLE})
_BOOKS: Scope = frozenset({P.BOOK})
_PLANS: Scope = frozenset({P.PLAN_SCHEDULE})


def _of_kind(process: Process) -> Mapping[str, Scope]:
    """The routes that every kind of case has which tokens open at all."""
    room, applies = process.room, frozenset({process.applied_with})
    case, sees = f"{room}/{{case_id}}", applies | process.deciding
    return {
        f"GET {room}": applies,
        f"POST {room}": applies,
        f"GET {case}": sees | {P.VIEW_UNIT_CASES} if process.seen_by_heads else sees,
        f"PUT {case}/draft": applies,
        f"DELETE {case}/draft": applies,
        f"POST {case}/draft/attachments": applies,
        f"DELETE {case}/draft/attachments/{{kind}}/{{document_version_id}}": applies,
        **{f"POST {case}/{act}": applies for act in ("submit", "correct", "withdraw", "copy")},
    }


_OF_CASES: Mapping[str, Scope] = {
    **{
        route: scope
        for one in PROCESSES.values()
        if not one.for_sessions_only
        for route, scope in _of_kind(one).items()
    },
    "GET /applications/{case_id}/state": _SEES,
    "GET /requests/{case_id}/state": _TALKS,
    "POST /applications/{case_id}/resubmit": _APPLIES,
    "POST /verifications/{case_id}/resubmit": frozenset({P.CONFIRM_ACCOUNT}),
    "POST /accreditations/{case_id}/resubmit": _APPLIES,
    "POST /accreditations/{case_id}/draft/refresh": _APPLIES,
    "GET /accreditations/needs": _APPLIES,
    "GET /accreditations/{case_id}/portfolio": _SEES,
    "GET /applications/{case_id}/act": _SEES,
    "GET /applications/{case_id}/receipt": _SEES,
    "POST /applications/{case_id}/comments": _TALKS,
    "GET /cases/{case_id}/messages": _SEES,
    "POST /cases/{case_id}/messages": _TALKS,
    "POST /cases/{case_id}/messages/read": _SEES,
    "GET /messages/unread": _TALKS,
    "GET /request-types": _APPLIES,
    "GET /requests/{case_id}/document": _TALKS,
    "GET /requests/{case_id}/answer/{position}": _TALKS,
    "POST /requests/{case_id}/answer": _REVIEWS,
    "POST /requests/{case_id}/refuse": _REVIEWS,
}

_OF_THE_DESK: Mapping[str, Scope] = {
    "GET /desk": _LOOKS_ON,
    "GET /desk/counts": _LOOKS_ON,
    "POST /applications/{case_id}/decision": _REVIEWS,
    "POST /desk/decisions": _REVIEWS,
    "POST /applications/{case_id}/take": _REVIEWS,
    "POST /applications/{case_id}/hand-over": _REVIEWS,
    "POST /applications/{case_id}/reading": _LOOKS_ON,
    "GET /applications/{case_id}/history": _LOOKS_ON,
    "GET /desk/reviewers": _REVIEWS,
    "POST /desk/absences": _ABSENCES,
    "DELETE /desk/absences/{absence_id}": _ABSENCES,
    "GET /reasons": _REVIEWS,
}

_OF_THE_ARCHIVE: Mapping[str, Scope] = {
    "GET /archive": _SEES,
    "GET /archive/count": _SEES,
    "GET /archive/views": _SEES,
    "POST /archive/views": _SEES,
    "PATCH /archive/views/{view_id}": _SEES,
    "DELETE /archive/views/{view_id}": _SEES,
    "GET /archive/cases/{case_id}": _SEES,
    "POST /archive/exports": _SEES,
    "GET /archive/exports": _SEES,
    "GET /archive/exports/{export_id}": _SEES,
    "DELETE /archive/exports/{export_id}": _SEES,
    "GET /archive/exports/{export_id}/file": _SEES,
    "GET /archive/retention": _KEEPS,
    "GET /archive/retention/{case_id}": _SEES | _KEEPS,
    "POST /archive/retention/{case_id}/extend": _KEEPS,
    "POST /archive/retention/{case_id}/hold": _KEEPS,
    "POST /archive/retention/{case_id}/release": _KEEPS,
    "POST /archive/retention/{case_id}/erase": _KEEPS,
}

_OF_THE_SCHEDULE: Mapping[str, Scope] = {
    "GET /schedule/clinicians": _BOOKS,
    "GET /schedule/free": _BOOKS,
    "GET /schedule/clinicians/{clinician_id}/appointments": _BOOKS | _PLANS | {P.TREAT},
    "GET /schedule/units/{unit_id}/appointments": _BOOKS | _PLANS,
    "GET /schedule/units/{unit_id}/to-settle": _BOOKS | _PLANS,
    "POST /schedule/appointments": _BOOKS,
    "GET /schedule/appointments/{appointment_id}": _BOOKS | _PLANS | {P.TREAT},
    "POST /schedule/appointments/{appointment_id}/move": _BOOKS,
    "POST /schedule/appointments/{appointment_id}/steps": _BOOKS,
    "GET /schedule/units/{unit_id}/rooms": _PLANS,
    "POST /schedule/rooms": _PLANS,
    "DELETE /schedule/rooms/{room_id}": _PLANS,
    "GET /schedule/units/{unit_id}/hours": _PLANS,
    "POST /schedule/hours": _PLANS,
    "POST /schedule/hours/{hours_id}/end": _PLANS,
    "POST /schedule/exceptions": _PLANS,
    "DELETE /schedule/exceptions/{exception_id}": _PLANS,
    "GET /schedule/absences": _PLANS,
    "POST /schedule/absences": _PLANS,
    "GET /schedule/absences/{plan_id}": _PLANS,
    "PUT /schedule/absences/{plan_id}": _PLANS,
    "POST /schedule/absences/{plan_id}/withdraw": _PLANS,
    "POST /schedule/absences/{plan_id}/accept": _PLANS,
    "GET /schedule/absences/appointments/{displaced_id}/times": _PLANS,
    "POST /schedule/absences/appointments/{displaced_id}/accept": _PLANS,
    "POST /schedule/absences/appointments/{displaced_id}/choose": _PLANS,
    "POST /schedule/absences/appointments/{displaced_id}/cancel": _PLANS,
    "POST /schedule/absences/appointments/{displaced_id}/told": _BOOKS,
    "GET /schedule/waiting": _BOOKS,
    "POST /schedule/waiting": _BOOKS,
    "DELETE /schedule/waiting/{wish_id}": _BOOKS,
}

_OF_PATIENTS: Mapping[str, Scope] = {
    "POST /patients/search": _REGISTERS | {P.TREAT, P.BOOK},
    "POST /patients": _REGISTERS,
    "GET /patients/links": _REGISTERS,
    "POST /patients/links/{link_id}/make": _REGISTERS,
    "POST /patients/links/{link_id}/end": _REGISTERS,
    "GET /patients/emergencies": frozenset({P.JUDGE_EMERGENCIES}),
    "POST /patients/emergencies/{emergency_id}/take": frozenset({P.JUDGE_EMERGENCIES}),
    "GET /patients/{patient_id}/identity": _REGISTERS,
    "PUT /patients/{patient_id}/identity": _REGISTERS,
    "DELETE /patients/{patient_id}/invitation": _REGISTERS,
    "POST /patients/{patient_id}/check": _REGISTERS,
    "POST /patients/{patient_id}/links": _REGISTERS,
    **{
        route: frozenset({P.TREAT})
        for route in (
            "POST /patients/{patient_id}/open",
            "POST /patients/{patient_id}/open-at-once",
            "GET /records/types",
            "GET /records/icd10",
            "GET /patients/{patient_id}/record",
            "GET /patients/{patient_id}/record/entries/{entry_id}",
            "GET /patients/{patient_id}/record/card",
            "POST /patients/{patient_id}/record/drafts",
            "PUT /patients/{patient_id}/record/drafts/{draft_id}",
            "POST /patients/{patient_id}/record/drafts/{draft_id}/sign",
            "POST /patients/{patient_id}/record/entries/{entry_id}/corrections",
            "POST /patients/{patient_id}/record/entries/{entry_id}/mistaken",
        )
    },
}

_OTHERS: Mapping[str, Scope] = {
    "GET /journal/own": _ANY,
    "GET /personnel-records": _RECONCILES,
    "POST /personnel-records/{record_id}/retry": _RECONCILES,
    "POST /personnel-records/{record_id}/close": _RECONCILES,
    "GET /registrations": _MEETS,
    "GET /course/overdue": frozenset({P.OVERSEE_COURSE}),
    "GET /audit/cases": frozenset({P.AUDIT_CASES}),
    "GET /audit/cases/{case_id}": frozenset({P.AUDIT_CASES}),
    "GET /cases/{case_id}/at/{position}": frozenset({P.AUDIT_CASES, P.REVIEW}),
    "GET /people/{person_id}/rights": frozenset({P.AUDIT_CASES, P.VIEW_PEOPLE}),
    "GET /journal/entries": frozenset({P.READ_JOURNAL}),
    "GET /journal/self-check": frozenset({P.READ_JOURNAL}),
    "GET /session": _ANY,
    "GET /programmes": _ANY,
    "GET /programmes/{programme_id}": _ANY,
    "GET /case-types/{key}": _ANY,
    "GET /credentials/categories": _ANY,
    "GET /credentials": _DOCUMENTS,
    "POST /credentials": _DOCUMENTS,
    "GET /credentials/people/{person_id}": _DOCUMENTS | _QUALIFICATION,
    "GET /credentials/staff": _QUALIFICATION,
    "POST /credentials/{credential_id}/confirm": frozenset({P.CONFIRM_CREDENTIALS}),
    "GET /credentials/{credential_id}": _DOCUMENTS | _QUALIFICATION,
    "POST /credentials/{credential_id}/versions": _DOCUMENTS,
    "POST /credentials/{credential_id}/dates": _DOCUMENTS,
    "POST /credentials/{credential_id}/withdraw": _DOCUMENTS,
    "POST /credentials/{credential_id}/replace": _DOCUMENTS,
    "PUT /credentials/{credential_id}/reminders": _DOCUMENTS,
    "POST /credentials/{credential_id}/renew": frozenset({P.APPLY}),
    "GET /credential-drafts": _DOCUMENTS,
    "POST /credential-drafts": _DOCUMENTS,
    "GET /credential-drafts/{draft_id}": _DOCUMENTS,
    "PATCH /credential-drafts/{draft_id}": _DOCUMENTS,
    "DELETE /credential-drafts/{draft_id}": _DOCUMENTS,
    "PUT /credential-drafts/{draft_id}/files/{file_id}": _DOCUMENTS,
    "DELETE /credential-drafts/{draft_id}/files/{file_id}": _DOCUMENTS,
    "POST /credential-drafts/{draft_id}/finish": _DOCUMENTS,
    "GET /registers": _DOCUMENTS,
    "POST /registers/check": _DOCUMENTS,
    "POST /registers/accept": _DOCUMENTS,
    "POST /registers/complete": _DOCUMENTS,
    "POST /registers/dispute": _DOCUMENTS,
    "GET /registers/disputes": frozenset({P.CONFIRM_CREDENTIALS}),
    "POST /registers/disputes/{dispute_id}/answer": frozenset({P.CONFIRM_CREDENTIALS}),
    "GET /registers/runs": frozenset({P.WATCH_OPERATION}),
    "GET /documents/categories": _ANY,
    "GET /documents": _DOCUMENTS,
    "POST /documents": _DOCUMENTS,
    "POST /documents/{document_id}/versions": _DOCUMENTS,
    "GET /documents/{document_id}": _DOCUMENTS,
    "DELETE /documents/{document_id}": _DOCUMENTS,
    "GET /documents/versions/{version_id}/file": _FILES,
    "GET /documents/versions/{version_id}/pages/{page}.png": _FILES,
    "GET /notices": _NOTICES,
    "GET /notices/unread": _NOTICES,
    "POST /notices/read": _NOTICES,
    "GET /notices/{notice_id}/attempts": _NOTICES,
    "POST /notices/{notice_id}/resend": _NOTICES,
    "GET /notices/settings": _NOTICES,
    "PUT /notices/settings/{group}/{channel}": _NOTICES,
    "PUT /notices/wishes": _NOTICES,
    "GET /notices/reminders": _NOTICES,
    "PUT /notices/reminders": _NOTICES,
    "GET /operation": frozenset({P.WATCH_OPERATION}),
    "POST /operation/remedies": frozenset({P.OPERATE}),
    "GET /administration/{subject}": _CATALOGUE,
    "GET /administration/{subject}/{key}": _CATALOGUE,
    "GET /administration/{subject}/{key}/history": _CATALOGUE,
    "PUT /administration/{subject}/{key}": _CATALOGUE,
    "POST /administration/type/{key}/dry-run": _CATALOGUE,
    "POST /administration/type/{key}/versions/{number}/move": _CATALOGUE,
    "POST /administration/staff/dry-run": _STAFF,
    "POST /administration/staff/apply": _STAFF,
    "GET /meetings/schedule": _MEETS,
    "POST /meetings/schedule": _MEETS,
    "DELETE /meetings/schedule/{slot_id}": _MEETS,
    "GET /people": _PEOPLE,
    "GET /handovers": _RELEASES,
    "GET /handovers/mine": _DOCUMENTS,
    "GET /handovers/{handover_id}": _RELEASES,
    "POST /handovers/{handover_id}/refuse": _RELEASES,
    "GET /subscribers": _CONNECTS,
    "GET /subscribers/{subscriber_id}": _CONNECTS,
    "GET /subscribers/{subscriber_id}/deliveries": _CONNECTS,
    "POST /subscribers/{subscriber_id}/pause": _CONNECTS,
    "POST /subscribers/{subscriber_id}/resume": _CONNECTS,
    "POST /subscribers/{subscriber_id}/test": _CONNECTS,
    "POST /subscribers/{subscriber_id}/resend": _CONNECTS,
    "DELETE /subscribers/{subscriber_id}": _CONNECTS,
    "GET /results": _TREATS,
    "GET /results/late": _HEADS,
    "GET /results/unmatched": _MATCHES,
    "GET /results/unmatched/{result_id}": _MATCHES,
    "GET /results/{result_id}": _TREATS,
    "POST /results/{result_id}/confirm": _TREATS,
    "POST /results/{result_id}/call": _TREATS,
    "POST /results/{result_id}/offers": _TREATS,
    "POST /results/{result_id}/offers/{offer_id}": _TREATS,
    "POST /results/{result_id}/take": _HEADS,
    "POST /results/{result_id}/match": _MATCHES,
    "POST /results/{result_id}/detach": _TREATS | _MATCHES,
    "POST /results/{result_id}/return": _MATCHES,
    "GET /account-locks": _UNLOCKS,
    "POST /account-locks/{lock_id}/send-back": _UNLOCKS,
    "POST /account-locks/{lock_id}/resend": _UNLOCKS,
    "GET /risk-events": _RISKS,
    "POST /risk-events/{event_id}/close": _RISKS,
    "GET /people/{person_id}": _PEOPLE,
    "DELETE /people/{person_id}/invitation": _STAFF,
    "POST /people/{person_id}/lock": _STAFF,
    "POST /people/{person_id}/sessions/end": _STAFF,
    "POST /people/{person_id}/departure": _STAFF,
    "POST /people/{person_id}/transfer": _STAFF,
}


def _under(prefix: str, rows: Mapping[str, Scope]) -> Mapping[str, Scope]:
    return {route.replace(" ", f" {prefix}"): scope for route, scope in rows.items()}


TOKEN_ROUTES: dict[str, Scope] = {
    **_under(
        "/api/v1",
        {
            **_OF_CASES,
            **_OF_THE_DESK,
            **_OF_THE_ARCHIVE,
            **_OF_THE_SCHEDULE,
            **_OF_PATIENTS,
            **_OTHERS,
        },
    ),
    # Called by the `temporal` command line, which can send a token but no session.
    "POST /codec/decode": frozenset({P.DECODE_PAYLOADS}),
    "GET /fhir/r4/Practitioner/{person_id}": _QUALIFICATION,
    "POST /fhir/r4/Practitioner/_search": _QUALIFICATION,
}
"""By method and path: the permissions, one of which the token's scope must hold."""
