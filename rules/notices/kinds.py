"""What people are notified of, by which channels. In which words: `rules.notices.events`."""

from collections.abc import Mapping
from enum import StrEnum


class NoticeKind(StrEnum):
    """Events that people are notified of. Values are stored for ever: add, never rename."""

    APPLICATION_SUBMITTED = "application_submitted"
    APPLICATION_IN_REVIEW = "application_in_review"
    APPLICATION_CLARIFICATION = "application_clarification"
    APPLICATION_APPROVED = "application_approved"
    APPLICATION_ACT_READY = "application_act_ready"
    APPLICATION_REJECTED = "application_rejected"
    APPLICATION_WITHDRAWN = "application_withdrawn"
    APPLICATION_LAPSED = "application_lapsed"
    CLARIFICATION_REMINDER = "clarification_reminder"
    REVIEW_ASSIGNED = "review_assigned"
    REVIEW_REMINDER = "review_reminder"
    REVIEW_ESCALATED = "review_escalated"
    REVIEW_HANDED_OVER = "review_handed_over"
    REVIEW_WITHDRAWN = "review_withdrawn"
    CASES_RECEIVED = "cases_received"
    CASES_PASSED_ON = "cases_passed_on"
    CASES_WITHOUT_REVIEWER = "cases_without_reviewer"
    COMMENT_ADDED = "comment_added"
    REQUEST_ACCEPTED = "request_accepted"
    REQUEST_PROCESSING = "request_processing"
    REQUEST_READY = "request_ready"
    REQUEST_REFUSED = "request_refused"
    REQUEST_WITHDRAWN = "request_withdrawn"
    REQUEST_OVERDUE = "request_overdue"
    REQUEST_ASSIGNED = "request_assigned"
    REQUEST_CANCELLED = "request_cancelled"
    REQUEST_REMINDER = "request_reminder"
    REQUEST_ESCALATED = "request_escalated"
    REQUEST_LATE = "request_late"
    REQUEST_ANSWER_UNVERIFIED = "request_answer_unverified"
    REQUEST_STUCK = "request_stuck"
    DELIVERY_FAILED = "delivery_failed"
    NEW_DEVICE = "new_device"
    SECURITY = "security"
    SECOND_FACTOR_ADDED = "second_factor_added"
    SECOND_FACTOR_REMOVED = "second_factor_removed"
    SIGN_IN_CODE = "sign_in_code"
    RECOVERY_CODE_USED = "recovery_code_used"
    RECOVERY_CODES_FEW = "recovery_codes_few"
    RECOVERY_CODES_MADE = "recovery_codes_made"
    PASSWORD_RESET = "password_reset"  # noqa: S105
    CONTACT_CODE = "contact_code"
    CONTACT_CHANGED = "contact_changed"
    INVITATION = "invitation"
    REGISTRATION = "registration"
    REGISTRATION_KNOWN = "registration_known"
    REGISTRATION_FAILED = "registration_failed"
    INVITATION_FAILED = "invitation_failed"
    ACCOUNT_LOCKED = "account_locked"
    ACCOUNT_UNLOCKED = "account_unlocked"
    SESSIONS_ENDED = "sessions_ended"
    LOCKED_BY_SUSPICION = "locked_by_suspicion"
    UNLOCK_REMINDER = "unlock_reminder"
    UNLOCK_TO_APPROVE = "unlock_to_approve"
    UNLOCK_LATE = "unlock_late"
    UNLOCK_NOT_CONFIRMED = "unlock_not_confirmed"
    UNLOCK_SENT_BACK = "unlock_sent_back"
    UNLOCKED_BY_MEETING = "unlocked_by_meeting"
    RISK_USE = "risk_use"
    RISK_FAILURES = "risk_failures"
    RISK_NEW_PLACE = "risk_new_place"
    RISK_TOKEN_REUSED = "risk_token_reused"  # noqa: S105
    LEAVING = "leaving"
    STAYS = "stays"
    TRANSFERRED = "transferred"
    STAFF_UNMATCHED = "staff_unmatched"
    EMERGENCY_TO_JUDGE = "emergency_to_judge"
    EMERGENCY_WAITS = "emergency_waits"
    EMERGENCY_LATE = "emergency_late"
    EMERGENCY_LATE_STAFF = "emergency_late_staff"
    EMERGENCY_JUSTIFIED = "emergency_justified"
    EMERGENCY_UNJUSTIFIED = "emergency_unjustified"
    EMERGENCY_UNJUSTIFIED_STAFF = "emergency_unjustified_staff"
    PATIENT_CODE = "patient_code"
    PATIENT_NOT_CHECKED = "patient_not_checked"
    NORM_NEAR = "norm_near"
    NORM_OVER = "norm_over"
    ACCREDITATION_SUBMITTED = "accreditation_submitted"
    ACCREDITATION_IN_REVIEW = "accreditation_in_review"
    ACCREDITATION_CLARIFICATION = "accreditation_clarification"
    ACCREDITATION_APPROVED = "accreditation_approved"
    ACCREDITATION_REJECTED = "accreditation_rejected"
    ACCREDITATION_WITHDRAWN = "accreditation_withdrawn"
    ACCREDITATION_LAPSED = "accreditation_lapsed"
    ACCREDITATION_FORWARDED = "accreditation_forwarded"
    ACCREDITATION_WITH_COMMISSION = "accreditation_with_commission"
    ACCREDITATION_CENTRE_ASKS = "accreditation_centre_asks"
    ACCREDITATION_RETURNED = "accreditation_returned"
    ACCREDITATION_REFUSED = "accreditation_refused"
    ACCREDITATION_GRANTED = "accreditation_granted"
    ACCREDITATION_OVERDUE = "accreditation_overdue"
    ACCREDITATION_CENTRE_LATE = "accreditation_centre_late"
    ACCREDITATION_ANSWERED = "accreditation_answered"
    ACCREDITATION_STUCK = "accreditation_stuck"
    VERIFICATION_SUBMITTED = "verification_submitted"
    VERIFICATION_IN_REVIEW = "verification_in_review"
    VERIFICATION_CLARIFICATION = "verification_clarification"
    VERIFICATION_APPROVED = "verification_approved"
    VERIFICATION_REJECTED = "verification_rejected"
    VERIFICATION_WITHDRAWN = "verification_withdrawn"
    VERIFICATION_LAPSED = "verification_lapsed"
    VERIFICATION_REMINDER = "verification_reminder"
    VERIFICATION_CONFIRMED = "verification_confirmed"
    VERIFICATION_ASSIGNED = "verification_assigned"
    VERIFICATION_WAITS = "verification_waits"
    VERIFICATION_STUCK = "verification_stuck"
    ACCOUNT_ACTIVE = "account_active"
    MEETING_BOOKED = "meeting_booked"
    MEETING_CANCELLED = "meeting_cancelled"
    MEETING_SOON = "meeting_soon"
    MEETING_CONFIRMED = "meeting_confirmed"
    MEETING_NOT_CONFIRMED = "meeting_not_confirmed"
    MEETING_MISSED = "meeting_missed"
    MEETING_UNRECORDED = "meeting_unrecorded"
    MEETING_TO_HOLD = "meeting_to_hold"
    MEETING_FREED = "meeting_freed"
    APPLICANT_LEFT = "applicant_left"
    CASE_STUCK = "case_stuck"
    ACCESS_SUBMITTED = "access_submitted"
    ACCESS_ASSIGNED = "access_assigned"
    ACCESS_CONFIRMED = "access_confirmed"
    ACCESS_APPROVED = "access_approved"
    ACCESS_REJECTED = "access_rejected"
    ACCESS_WITHDRAWN = "access_withdrawn"
    ACCESS_PROPOSED = "access_proposed"
    ACCESS_URGENT = "access_urgent"
    RIGHTS_CHANGED = "rights_changed"
    EXPORT_READY = "export_ready"
    EXPORT_FAILED = "export_failed"
    RETENTION_ENDS = "retention_ends"
    RETENTION_DUE = "retention_due"
    COURSE_ASSIGNED = "course_assigned"
    COURSE_NEAR = "course_near"
    COURSE_OVERDUE = "course_overdue"
    CREDENTIAL_ENDS = "credential_ends"
    CREDENTIAL_EXPIRED = "credential_expired"
    CREDENTIAL_EXPIRED_STAFF = "credential_expired_staff"
    REGISTER_CHECKED = "register_checked"
    REGISTER_CHECK_GIVEN_UP = "register_check_given_up"
    HANDOVER_ASKED = "handover_asked"
    HANDOVER_WAITS = "handover_waits"
    HANDOVER_READY = "handover_ready"
    HANDOVER_BROKEN = "handover_broken"
    HANDOVER_NOT_FETCHED = "handover_not_fetched"
    REGISTER_DIFFERS = "register_differs"
    REGISTER_DISPUTED = "register_disputed"
    REGISTER_ANSWERED = "register_answered"


class Channel(StrEnum):
    """Channels by which a notice goes.

    Every notice stands in the cabinet, whatever else is chosen.
    """

    CABINET = "cabinet"
    MAIL = "mail"
    SMS = "sms"
    PUSH = "push"


class NoticeGroup(StrEnum):
    """Groups of notices for which a person chooses channels.

    Values are stored: add, never rename.
    """

    CASES = "cases"
    COMMENTS = "comments"
    REVIEW = "review"
    CREDENTIALS = "credentials"
    OPERATION = "operation"
    SERVICE = "service"
    SECURITY = "security"


class RecipientRole(StrEnum):
    """Who is notified."""

    APPLICANT = "applicant"
    REVIEWER = "reviewer"
    PARTNER = "partner"
    ACCOUNT = "account"
    OPS = "ops"
    OPERATOR = "operator"
    SECURITY = "security"
    ADMINISTRATOR = "administrator"


class NoticeState(StrEnum):
    """Where a notice stands.

    `told`: the channel has accepted it; a delivery report may say more later. `superseded`: a later
    notice of the same case says it as well. `off`: its person turned it off while it waited.
    """

    WAITING = "waiting"
    TOLD = "told"
    FAILED = "failed"
    SUPERSEDED = "superseded"
    OFF = "off"


ON_BY_DEFAULT: Mapping[Channel, bool] = {
    Channel.MAIL: True,
    Channel.SMS: False,
    Channel.PUSH: True,
}
"""Whether a channel is used for people who have chosen nothing."""

SPARE = (Channel.MAIL, Channel.SMS, Channel.PUSH)
"""The order in which another channel is tried after one could not deliver."""
