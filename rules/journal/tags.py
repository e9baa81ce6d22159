"""What every act, view and attempt is called in the audit: `subject:object:action` (I9).

The journal knows kinds of entries, views have codes, tries to sign in have a step and an outcome.
Here each has one tag, by which people search, filter and count; `WORDS` says it in a sentence.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum

from rules.accounts import Outcome, Step
from rules.journal.entries import JournalKind as K


class ViewCode(StrEnum):
    """What was looked at, or was asked for in vain. Values are stored for ever."""

    CASE = "case"
    CASE_AT = "case_at"
    PERSON = "person"
    PERSON_RIGHTS = "person_rights"
    DOCUMENT = "document"
    CREDENTIAL = "credential"
    CREDENTIALS = "credentials"
    RECORD_CARD = "record_card"
    HANDOVER = "handover"
    RESULT = "result"
    RESULT_UNMATCHED = "result_unmatched"
    CREDENTIALS_STAFF = "credentials_staff"
    ACT = "act"
    PORTFOLIO = "portfolio"
    REQUEST_DOCUMENT = "request_document"
    REQUEST_ANSWER = "request_answer"
    COURSE_OVERDUE = "course_overdue"
    SELF_CHECK = "self_check"
    MEETING = "meeting"
    SCHEDULE = "schedule"
    PATIENT = "patient"
    PATIENT_SEARCH = "patient_search"
    PATIENT_RECORD = "patient_record"
    REFUSED_CASE = "refused_case"
    REFUSED_PERSON = "refused_person"
    REFUSED_DOCUMENT = "refused_document"
    REFUSED_CREDENTIAL = "refused_credential"
    REFUSED_HANDOVER = "refused_handover"
    REFUSED_PATIENT = "refused_patient"
    REFUSED_RESULT = "refused_result"
    REFUSED_OTHER = "refused_other"


class AuditTag(StrEnum):
    """All tags. Values stand in files that were exported: add, never rename."""

    CASE_BEGIN = "case:draft:begin"
    CASE_SUBMIT = "case:version:submit"
    CASE_RESUBMIT = "case:version:resubmit"
    CASE_CORRECT = "case:version:correct"
    CASE_CHECK = "case:version:check"
    CASE_CHECK_FAIL = "case:version:check_fail"
    REGISTER_LOSE = "case:register:lose"
    REGISTER_REGAIN = "case:register:regain"
    REVIEW_OPEN = "case:review:open"
    REVIEW_ASSIGN = "case:review:assign"
    REVIEW_TAKE = "case:review:take"
    REVIEW_HAND_OVER = "case:review:hand_over"
    REVIEW_MOVE = "case:review:move"
    CHECKLIST_ANSWER = "case:checklist:answer"
    REVIEW_REMIND = "case:review:remind"
    REVIEW_ESCALATE = "case:review:escalate"
    CASE_APPROVE = "case:decision:approve"
    CASE_CLARIFY = "case:decision:clarify"
    CASE_REJECT = "case:decision:reject"
    CASE_CONFIRM = "case:decision:confirm"
    CASE_CONFIRM_ANEW = "case:decision:lapse"
    CASE_WITHDRAW = "case:case:withdraw"
    CASE_LAPSE = "case:case:lapse"
    CASE_COPY = "case:case:copy"
    CASE_COMMENT = "case:message:write"
    CASE_ISSUE = "case:certificate:issue"
    CERTIFICATE_DOWNLOAD = "case:certificate:download"
    RECEIPT_ISSUE = "case:receipt:issue"
    CASE_TYPE_CHANGE = "case:type:change"
    CASE_STICK = "case:run:stick"
    CASE_BEGIN_ANEW = "case:run:begin_anew"
    SIGNAL_WITHOUT_ACT = "case:run:signal_without_act"
    CASE_EXPORT = "case:archive_file:export"
    CASE_KEEP_LONGER = "case:retention:extend"
    CASE_HOLD = "case:retention:hold"
    CASE_RELEASE = "case:retention:release"
    CASE_ERASE = "case:contents:erase"
    CASE_VIEW = "case:case:view"
    CASE_VIEW_AT = "case:moment:view"
    CASE_REFUSE_VIEW = "case:case:refuse"
    CERTIFICATE_VIEW = "case:certificate:view"
    REQUEST_DOCUMENT_VIEW = "request:document:view"
    REQUEST_ANSWER_VIEW = "request:answer:view"
    REQUEST_SEND = "request:document:send"
    REQUEST_ANSWER = "request:answer:receive"
    REQUEST_REFUSE = "request:answer:refuse"
    ADDRESSEE_LOSE = "request:addressee:lose"
    REQUEST_ODD_RECEIPT = "request:acknowledgement:doubt"
    REQUEST_WITHDRAW = "request:withdrawal:tell"
    REQUEST_DOUBT_ANSWER = "request:answer:doubt"
    CENTRE_LOSE = "case:centre:lose"
    CENTRE_FORWARD = "case:centre:forward"
    CENTRE_PASS_ON = "case:centre:pass_on"  # noqa: S105 - a tag
    CENTRE_ASK = "case:centre:ask"
    CENTRE_RETURN = "case:centre:return"
    CENTRE_REFUSE = "case:centre:refuse"
    CENTRE_ACCREDIT = "case:centre:accredit"
    PORTFOLIO_VIEW = "case:portfolio:view"
    EXPORT_ASK = "export:list:ask"
    EXPORT_CANCEL = "export:list:cancel"
    EXPORT_DOWNLOAD = "export:list:download"
    DOCUMENT_ADD = "document:version:add"
    DOCUMENT_REPLACE = "document:version:replace"
    DOCUMENT_REFUSE = "document:version:refuse"
    DOCUMENT_REMOVE = "document:document:remove"
    DOCUMENT_VIEW = "document:version:view"
    DOCUMENT_REFUSE_VIEW = "document:document:refuse"
    CREDENTIAL_ADD = "credential:credential:add"
    CREDENTIAL_UPDATE = "credential:version:update"
    CREDENTIAL_CORRECT = "credential:version:correct"
    CREDENTIAL_ACCEPT = "credential:version:accept"
    CREDENTIAL_CONFIRM = "credential:version:confirm"
    CREDENTIAL_REPLACE = "credential:credential:replace"
    CREDENTIAL_STAND_AGAIN = "credential:credential:stand_again"
    CREDENTIAL_WITHDRAW = "credential:credential:withdraw"
    CREDENTIAL_REMIND = "credential:end:remind"
    CREDENTIAL_EXPIRE = "credential:end:expire"
    CREDENTIAL_RENEWAL_OPEN = "credential:renewal:open"
    CREDENTIAL_RENEWAL_CLOSE = "credential:renewal:close"
    CREDENTIAL_VIEW = "credential:credential:view"
    CREDENTIALS_VIEW = "credential:file:view"
    RECORD_SIGN = "record:entry:sign"
    RECORD_CORRECT = "record:entry:correct"
    RECORD_MARK_MISTAKEN = "record:entry:mark_mistaken"
    RECORD_ERASE = "record:entry:erase"
    RECORD_PRINT = "record:card:print"
    ICD10_IMPORT = "catalogue:diagnoses:import"
    AUTHORITY_ADD = "handover:authority:add"
    AUTHORITY_END = "handover:authority:end"
    HANDOVER_ASK = "handover:request:ask"
    HANDOVER_RELEASE = "handover:request:release"
    HANDOVER_REFUSE = "handover:request:refuse"
    HANDOVER_PACK = "handover:package:make"
    HANDOVER_BREAK = "handover:package:break"
    HANDOVER_FETCH = "handover:package:fetch"
    HANDOVER_REMOVE = "handover:package:remove"
    HANDOVER_REFUSE_VIEW = "handover:request:refuse_view"
    HANDOVER_VIEW = "handover:request:view"
    RESULT_HEAR = "result:version:hear"
    RESULT_MATCH = "result:patient:match"
    RESULT_DETACH = "result:patient:detach"
    RESULT_RETURN = "result:patient:return"
    RESULT_TELL_RETURN = "result:patient:tell_return"
    RESULT_CONFIRM = "result:confirmation:make"
    RESULT_REOPEN = "result:confirmation:reopen"
    RESULT_TELL = "result:call:record"
    RESULT_OFFER = "result:offer:make"
    RESULT_END_OFFER = "result:offer:end"
    RESULT_MOVE = "result:duty:move"
    RESULT_REMIND = "result:duty:remind"
    RESULT_ESCALATE = "result:duty:escalate"
    RESULT_VIEW = "result:result:view"
    RESULT_VIEW_UNMATCHED = "result:patient:view"
    RESULT_REFUSE_VIEW = "result:result:refuse_view"
    CREDENTIAL_REFUSE_VIEW = "credential:credential:refuse"
    CREDENTIALS_STAFF_VIEW = "credential:staff:view"
    SUBSCRIBER_ADD = "subscriber:subscriber:add"
    SUBSCRIBER_CHANGE = "subscriber:subscriber:change"
    SUBSCRIBER_PAUSE = "subscriber:subscriber:pause"
    SUBSCRIBER_RESUME = "subscriber:subscriber:resume"
    SUBSCRIBER_END = "subscriber:subscriber:end"
    SUBSCRIBER_ROTATE = "subscriber:secret:rotate"
    SUBSCRIBER_TEST = "subscriber:event:test"
    SUBSCRIBER_RESEND = "subscriber:event:resend"
    SUBSCRIBER_GIVE_UP = "subscriber:event:give_up"
    NOTICE_FAIL = "notice:delivery:fail"
    ACCOUNT_CREATE = "account:account:create"
    SIGN_IN = "account:session:open"
    SIGN_IN_FAIL = "account:session:fail"
    SIGN_OUT = "account:session:close"
    FACTOR_SET = "account:second_factor:set"
    FACTOR_REMOVE = "account:second_factor:remove"
    FACTOR_CHECK = "account:second_factor:check"
    RECOVERY_CODES_MAKE = "account:recovery_codes:make"
    PASSWORD_CHECK = "account:password:check"  # noqa: S105 - a tag
    PASSWORD_CHANGE = "account:password:change"  # noqa: S105 - a tag
    REGISTRATION_ASK = "account:registration:ask"
    PASSWORD_RESET_ASK = "account:password:ask_reset"  # noqa: S105 - a tag
    CONTACT_CHANGE = "account:contact:change"
    ACCOUNT_LOCK = "account:account:lock"
    PROVIDER_CHECK = "account:provider:check"
    PROVIDER_LINK = "account:provider:link"
    PROVIDER_UNLINK = "account:provider:unlink"
    ACCOUNT_MEET = "account:account:meet"
    ACCOUNT_SEND_BACK = "account:account:send_back"
    ACCOUNT_SUSPECT = "account:account:suspect"
    SUSPICION_CLOSE = "account:suspicion:close"
    ACCOUNT_UNLOCK = "account:account:unlock"
    SESSIONS_END = "account:session:end"
    TOKEN_MAKE = "account:token:make"  # noqa: S105 - a tag
    TOKEN_REVOKE = "account:token:revoke"  # noqa: S105 - a tag
    VERIFICATION_CONFIRM = "case:verification:confirm"
    ACCOUNT_REACH = "account:state:reach"
    MEETING_OPEN_TIMES = "meeting:times:open"
    MEETING_WITHDRAW_TIME = "meeting:times:withdraw"
    MEETING_BOOK = "meeting:meeting:book"
    MEETING_MOVE = "meeting:meeting:move"
    MEETING_CANCEL = "meeting:meeting:cancel"
    MEETING_END = "meeting:meeting:end"
    MEETING_VIEW = "meeting:meeting:view"
    SCHEDULE_BOOK = "schedule:appointment:book"
    SCHEDULE_CHANGE = "schedule:appointment:change"
    SCHEDULE_MOVE = "schedule:appointment:move"
    SCHEDULE_PLAN = "schedule:hours:change"
    SCHEDULE_MAKE_FEED = "schedule:calendar:make"
    SCHEDULE_REVOKE_FEED = "schedule:calendar:revoke"
    SCHEDULE_VIEW = "schedule:appointments:view"
    COURSE_PASS = "account:course:pass"  # noqa: S105 - a tag
    COURSE_VIEW_OVERDUE = "account:course:view_overdue"
    PERSON_INVITE = "person:invitation:send"
    INVITATION_REVOKE = "person:invitation:revoke"
    INVITATION_USE = "person:invitation:use"
    PERSON_REGISTER = "person:person:register"
    PERSON_SET_DEPARTURE = "person:departure:set"
    PERSON_CANCEL_DEPARTURE = "person:departure:cancel"
    PERSON_LEAVE = "person:departure:carry_out"
    PERSON_TRANSFER = "person:unit:transfer"
    PERSON_VIEW = "person:card:view"
    PERSON_VIEW_RIGHTS = "person:rights:view"
    PERSON_REFUSE_VIEW = "person:card:refuse"
    PATIENT_REGISTER = "patient:identity:register"
    PATIENT_VIEW = "patient:identity:view"
    PATIENT_CORRECT = "patient:identity:correct"
    PATIENT_CHECK = "patient:identity:check"
    PATIENT_SEARCH = "patient:identity:search"
    PATIENT_PROPOSE_LINK = "patient:link:propose"
    PATIENT_REFUSE_LINK = "patient:link:refuse"
    PATIENT_LINK = "patient:link:make"
    PATIENT_PART = "patient:link:end"
    PATIENT_INVITE = "patient:invitation:make"
    PATIENT_END_INVITATION = "patient:invitation:end"
    PATIENT_ENTER = "patient:invitation:enter"
    EMERGENCY_TAKE = "patient:emergency:take"
    EMERGENCY_ESCALATE = "patient:emergency:escalate"
    EMERGENCY_JUDGE = "patient:emergency:judge"
    PATIENT_OPEN = "patient:record:open"
    PATIENT_VIEW_RECORD = "patient:record:view"
    PATIENT_REFUSE_VIEW = "patient:record:refuse"
    ROLE_GRANT = "person:role:grant"
    ROLE_END = "person:role:end"
    URGENT_ACCESS_SET = "person:urgent_access:set"
    ABSENCE_SET = "person:absence:set"
    REGISTER_ASK = "register:person:ask"
    REGISTER_COMPARE = "register:everybody:compare"
    REGISTER_DISPUTE = "register:record:dispute"
    REGISTER_ANSWER = "register:dispute:answer"
    CATALOGUE_CHANGE = "catalogue:entry:change"
    CATALOGUE_MOVE_CASES = "catalogue:cases:move"
    STAFF_IMPORT = "person:list:import"
    STAFF_RECORD_CLOSE = "person:record:close"
    INSTALLATION_BEGIN = "installation:installation:begin"
    INSTALLATION_BACK_UP = "installation:backup:take"
    INSTALLATION_RESTORE = "installation:backup:restore"
    KEY_USE = "installation:key:use"
    KEY_RETIRE = "installation:key:retire"
    INSTALLATION_RECONCILE = "installation:backup:reconcile"
    SERVER_REPLACE = "installation:server:replace"
    STANDING_BEGIN_ANEW = "installation:run:begin_anew"
    JOURNAL_ACCEPT = "journal:entries:accept"
    JOURNAL_CONFIRM = "journal:declaration:confirm"
    JOURNAL_SEARCH = "journal:entries:search"
    JOURNAL_EXPORT = "journal:entries:export"
    JOURNAL_VERIFY = "journal:chain:verify"
    JOURNAL_ERASE = "journal:contents:erase"
    SELF_CHECK_VIEW = "installation:self_check:view"
    CALLBACK_REFUSE = "installation:callback:refuse"
    PAYLOAD_DECODE = "operation:payload:decode"
    TEMPORAL_ACT = "operation:run:act"
    OPERATION_RETRY = "operation:case:wake"
    OPERATION_ASK_AGAIN = "operation:system:ask_again"
    OPERATION_RESEND = "operation:notice:resend"
    OPERATION_SEND_NOW = "operation:channel:send_now"
    OPERATION_TELL_HEAD = "operation:head:tell"
    OPERATION_START = "operation:process:start"
    REFUSE_OTHER = "access:request:refuse"

    @property
    def subject(self) -> str:
        """The first part."""
        return self.value.split(":")[0]


T, V = AuditTag, ViewCode

OF_KIND: Mapping[K, AuditTag] = {
    K.CASE_DRAFTED: T.CASE_BEGIN,
    K.CASE_SUBMITTED: T.CASE_SUBMIT,
    K.CASE_RESUBMITTED: T.CASE_RESUBMIT,
    K.CASE_CORRECTED: T.CASE_CORRECT,
    K.CASE_CHECKED: T.CASE_CHECK,
    K.CASE_CHECK_FAILED: T.CASE_CHECK_FAIL,
    K.CASE_REGISTER_DOWN: T.REGISTER_LOSE,
    K.CASE_REGISTER_BACK: T.REGISTER_REGAIN,
    K.CASE_REVIEW_OPENED: T.REVIEW_OPEN,
    K.CASE_ASSIGNED: T.REVIEW_ASSIGN,
    K.CASE_TAKEN: T.REVIEW_TAKE,
    K.CASE_HANDED_OVER: T.REVIEW_HAND_OVER,
    K.CASE_MOVED: T.REVIEW_MOVE,
    K.CASE_CHECKLIST_ANSWERED: T.CHECKLIST_ANSWER,
    K.CASE_REMINDED: T.REVIEW_REMIND,
    K.CASE_ESCALATED: T.REVIEW_ESCALATE,
    K.CASE_APPROVED: T.CASE_APPROVE,
    K.CASE_CONFIRMED: T.CASE_CONFIRM,
    K.CASE_CONFIRMATION_LAPSED: T.CASE_CONFIRM_ANEW,
    K.CASE_CLARIFICATION_ASKED: T.CASE_CLARIFY,
    K.CASE_REJECTED: T.CASE_REJECT,
    K.CASE_WITHDRAWN: T.CASE_WITHDRAW,
    K.CASE_LAPSED: T.CASE_LAPSE,
    K.CASE_COPIED: T.CASE_COPY,
    K.CASE_COMMENTED: T.CASE_COMMENT,
    K.CASE_ACT_ISSUED: T.CASE_ISSUE,
    K.CASE_ACT_DOWNLOADED: T.CERTIFICATE_DOWNLOAD,
    K.CASE_RECEIPT_ISSUED: T.RECEIPT_ISSUE,
    K.CASE_TYPE_CHANGED: T.CASE_TYPE_CHANGE,
    K.CASE_STUCK: T.CASE_STICK,
    K.CASE_BEGUN_ANEW: T.CASE_BEGIN_ANEW,
    K.CASE_EXPORTED: T.CASE_EXPORT,
    K.CASE_KEPT_LONGER: T.CASE_KEEP_LONGER,
    K.CASE_HELD: T.CASE_HOLD,
    K.CASE_RELEASED: T.CASE_RELEASE,
    K.CASE_ERASED: T.CASE_ERASE,
    K.CENTRE_DOWN: T.CENTRE_LOSE,
    K.CENTRE_FORWARDED: T.CENTRE_FORWARD,
    K.CENTRE_PASSED_ON: T.CENTRE_PASS_ON,
    K.CENTRE_ASKED: T.CENTRE_ASK,
    K.CENTRE_RETURNED: T.CENTRE_RETURN,
    K.CENTRE_REFUSED: T.CENTRE_REFUSE,
    K.CENTRE_ACCREDITED: T.CENTRE_ACCREDIT,
    K.EXPORT_ASKED: T.EXPORT_ASK,
    K.EXPORT_CANCELLED: T.EXPORT_CANCEL,
    K.EXPORT_DOWNLOADED: T.EXPORT_DOWNLOAD,
    K.CASE_SIGNAL_WITHOUT_ACT: T.SIGNAL_WITHOUT_ACT,
    K.REQUEST_SENT: T.REQUEST_SEND,
    K.REQUEST_ANSWERED: T.REQUEST_ANSWER,
    K.REQUEST_REFUSED: T.REQUEST_REFUSE,
    K.REQUEST_ADDRESSEE_DOWN: T.ADDRESSEE_LOSE,
    K.REQUEST_ODD_RECEIPT: T.REQUEST_ODD_RECEIPT,
    K.REQUEST_WITHDRAWAL_TOLD: T.REQUEST_WITHDRAW,
    K.REQUEST_ANSWER_UNVERIFIED: T.REQUEST_DOUBT_ANSWER,
    K.DOCUMENT_ADDED: T.DOCUMENT_ADD,
    K.DOCUMENT_REPLACED: T.DOCUMENT_REPLACE,
    K.DOCUMENT_REFUSED: T.DOCUMENT_REFUSE,
    K.DOCUMENT_REMOVED: T.DOCUMENT_REMOVE,
    K.CREDENTIAL_ADDED: T.CREDENTIAL_ADD,
    K.CREDENTIAL_UPDATED: T.CREDENTIAL_UPDATE,
    K.CREDENTIAL_CORRECTED: T.CREDENTIAL_CORRECT,
    K.CREDENTIAL_ACCEPTED: T.CREDENTIAL_ACCEPT,
    K.CREDENTIAL_CONFIRMED: T.CREDENTIAL_CONFIRM,
    K.CREDENTIAL_REPLACED: T.CREDENTIAL_REPLACE,
    K.CREDENTIAL_STANDS_AGAIN: T.CREDENTIAL_STAND_AGAIN,
    K.CREDENTIAL_WITHDRAWN: T.CREDENTIAL_WITHDRAW,
    K.CREDENTIAL_REMINDED: T.CREDENTIAL_REMIND,
    K.CREDENTIAL_EXPIRED: T.CREDENTIAL_EXPIRE,
    K.CREDENTIAL_RENEWAL_OPENED: T.CREDENTIAL_RENEWAL_OPEN,
    K.CREDENTIAL_RENEWAL_CLOSED: T.CREDENTIAL_RENEWAL_CLOSE,
    K.RECORD_SIGNED: T.RECORD_SIGN,
    K.RECORD_CORRECTED: T.RECORD_CORRECT,
    K.RECORD_MISTAKEN: T.RECORD_MARK_MISTAKEN,
    K.RECORD_ERASED: T.RECORD_ERASE,
    K.ICD10_IMPORTED: T.ICD10_IMPORT,
    K.AUTHORITY_ADDED: T.AUTHORITY_ADD,
    K.AUTHORITY_ENDED: T.AUTHORITY_END,
    K.HANDOVER_ASKED: T.HANDOVER_ASK,
    K.HANDOVER_RELEASED: T.HANDOVER_RELEASE,
    K.HANDOVER_REFUSED: T.HANDOVER_REFUSE,
    K.HANDOVER_BROKEN: T.HANDOVER_BREAK,
    K.HANDOVER_READY: T.HANDOVER_PACK,
    K.HANDOVER_FETCHED: T.HANDOVER_FETCH,
    K.HANDOVER_OVER: T.HANDOVER_REMOVE,
    K.SUBSCRIBER_ADDED: T.SUBSCRIBER_ADD,
    K.SUBSCRIBER_CHANGED: T.SUBSCRIBER_CHANGE,
    K.SUBSCRIBER_PAUSED: T.SUBSCRIBER_PAUSE,
    K.SUBSCRIBER_RESUMED: T.SUBSCRIBER_RESUME,
    K.SUBSCRIBER_ENDED: T.SUBSCRIBER_END,
    K.SUBSCRIBER_ROTATED: T.SUBSCRIBER_ROTATE,
    K.SUBSCRIBER_TESTED: T.SUBSCRIBER_TEST,
    K.SUBSCRIBER_RESENT: T.SUBSCRIBER_RESEND,
    K.SUBSCRIBER_GAVE_UP: T.SUBSCRIBER_GIVE_UP,
    K.RESULT_HEARD: T.RESULT_HEAR,
    K.RESULT_MATCHED: T.RESULT_MATCH,
    K.RESULT_DETACHED: T.RESULT_DETACH,
    K.RESULT_RETURNED: T.RESULT_RETURN,
    K.RESULT_RETURN_TOLD: T.RESULT_TELL_RETURN,
    K.RESULT_CONFIRMED: T.RESULT_CONFIRM,
    K.RESULT_REOPENED: T.RESULT_REOPEN,
    K.RESULT_TOLD: T.RESULT_TELL,
    K.RESULT_OFFERED: T.RESULT_OFFER,
    K.RESULT_OFFER_ENDED: T.RESULT_END_OFFER,
    K.RESULT_PASSED: T.RESULT_MOVE,
    K.RESULT_REMINDED: T.RESULT_REMIND,
    K.RESULT_ESCALATED: T.RESULT_ESCALATE,
    K.NOTICE_FAILED: T.NOTICE_FAIL,
    K.ACCOUNT_CREATED: T.ACCOUNT_CREATE,
    K.ACCOUNT_SIGNED_IN: T.SIGN_IN,
    K.ACCOUNT_SIGN_IN_FAILED: T.SIGN_IN_FAIL,
    K.ACCOUNT_SIGNED_OUT: T.SIGN_OUT,
    K.ACCOUNT_SECOND_FACTOR_SET: T.FACTOR_SET,
    K.ACCOUNT_SECOND_FACTOR_REMOVED: T.FACTOR_REMOVE,
    K.ACCOUNT_RECOVERY_CODES_MADE: T.RECOVERY_CODES_MAKE,
    K.ACCOUNT_PASSWORD_CHANGED: T.PASSWORD_CHANGE,
    K.ACCOUNT_CONTACT_CHANGED: T.CONTACT_CHANGE,
    K.ACCOUNT_LOCKED: T.ACCOUNT_LOCK,
    K.ACCOUNT_PROVIDER_LINKED: T.PROVIDER_LINK,
    K.ACCOUNT_PROVIDER_UNLINKED: T.PROVIDER_UNLINK,
    K.ACCOUNT_MET: T.ACCOUNT_MEET,
    K.ACCOUNT_SENT_BACK: T.ACCOUNT_SEND_BACK,
    K.ACCOUNT_RISK: T.ACCOUNT_SUSPECT,
    K.ACCOUNT_RISK_CLOSED: T.SUSPICION_CLOSE,
    K.ACCOUNT_UNLOCKED: T.ACCOUNT_UNLOCK,
    K.ACCOUNT_SESSIONS_ENDED: T.SESSIONS_END,
    K.ACCOUNT_TOKEN_MADE: T.TOKEN_MAKE,
    K.ACCOUNT_TOKEN_REVOKED: T.TOKEN_REVOKE,
    K.ACCOUNT_COURSE_PASSED: T.COURSE_PASS,
    K.VERIFICATION_CONFIRMED: T.VERIFICATION_CONFIRM,
    K.ACCOUNT_STATE_REACHED: T.ACCOUNT_REACH,
    K.MEETING_TIMES_OPENED: T.MEETING_OPEN_TIMES,
    K.MEETING_TIME_WITHDRAWN: T.MEETING_WITHDRAW_TIME,
    K.MEETING_BOOKED: T.MEETING_BOOK,
    K.MEETING_MOVED: T.MEETING_MOVE,
    K.MEETING_CANCELLED: T.MEETING_CANCEL,
    K.MEETING_ENDED: T.MEETING_END,
    K.APPOINTMENT_BOOKED: T.SCHEDULE_BOOK,
    K.APPOINTMENT_CHANGED: T.SCHEDULE_CHANGE,
    K.APPOINTMENT_MOVED: T.SCHEDULE_MOVE,
    K.SCHEDULE_PLANNED: T.SCHEDULE_PLAN,
    K.CALENDAR_FEED_MADE: T.SCHEDULE_MAKE_FEED,
    K.CALENDAR_FEED_REVOKED: T.SCHEDULE_REVOKE_FEED,
    K.PERSON_INVITED: T.PERSON_INVITE,
    K.PERSON_INVITATION_REVOKED: T.INVITATION_REVOKE,
    K.PERSON_INVITATION_USED: T.INVITATION_USE,
    K.PERSON_REGISTERED: T.PERSON_REGISTER,
    K.PERSON_LEAVING: T.PERSON_SET_DEPARTURE,
    K.PERSON_STAYS: T.PERSON_CANCEL_DEPARTURE,
    K.PERSON_LEFT: T.PERSON_LEAVE,
    K.PERSON_TRANSFERRED: T.PERSON_TRANSFER,
    K.ROLE_GRANTED: T.ROLE_GRANT,
    K.PATIENT_REGISTERED: T.PATIENT_REGISTER,
    K.PATIENT_CORRECTED: T.PATIENT_CORRECT,
    K.PATIENT_CHECKED: T.PATIENT_CHECK,
    K.PATIENT_LINK_PROPOSED: T.PATIENT_PROPOSE_LINK,
    K.PATIENT_LINK_REFUSED: T.PATIENT_REFUSE_LINK,
    K.PATIENT_LINKED: T.PATIENT_LINK,
    K.PATIENT_PARTED: T.PATIENT_PART,
    K.PATIENT_OPENED: T.PATIENT_OPEN,
    K.PATIENT_INVITED: T.PATIENT_INVITE,
    K.PATIENT_INVITATION_ENDED: T.PATIENT_END_INVITATION,
    K.PATIENT_ENTERED: T.PATIENT_ENTER,
    K.EMERGENCY_TAKEN: T.EMERGENCY_TAKE,
    K.EMERGENCY_ESCALATED: T.EMERGENCY_ESCALATE,
    K.EMERGENCY_JUDGED: T.EMERGENCY_JUDGE,
    K.ROLE_ENDED: T.ROLE_END,
    K.URGENT_ACCESS_SET: T.URGENT_ACCESS_SET,
    K.ABSENCE_SET: T.ABSENCE_SET,
    K.REGISTER_CHECK_ASKED: T.REGISTER_ASK,
    K.REGISTER_COMPARED: T.REGISTER_COMPARE,
    K.REGISTER_DISPUTED: T.REGISTER_DISPUTE,
    K.REGISTER_DISPUTE_ANSWERED: T.REGISTER_ANSWER,
    K.CATALOGUE_CHANGED: T.CATALOGUE_CHANGE,
    K.CATALOGUE_CASES_MOVED: T.CATALOGUE_MOVE_CASES,
    K.STAFF_IMPORTED: T.STAFF_IMPORT,
    K.STAFF_RECORD_CLOSED: T.STAFF_RECORD_CLOSE,
    K.INSTALLATION_BEGUN: T.INSTALLATION_BEGIN,
    K.INSTALLATION_BACKED_UP: T.INSTALLATION_BACK_UP,
    K.KEY_IN_USE: T.KEY_USE,
    K.KEY_RETIRED: T.KEY_RETIRE,
    K.INSTALLATION_RESTORED: T.INSTALLATION_RESTORE,
    K.INSTALLATION_RECONCILED: T.INSTALLATION_RECONCILE,
    K.JOURNAL_ACCEPTED: T.JOURNAL_ACCEPT,
    K.JOURNAL_DECLARATION_CONFIRMED: T.JOURNAL_CONFIRM,
    K.JOURNAL_SEARCHED: T.JOURNAL_SEARCH,
    K.JOURNAL_EXPORTED: T.JOURNAL_EXPORT,
    K.JOURNAL_VERIFIED: T.JOURNAL_VERIFY,
    K.INSTALLATION_SERVER_REPLACED: T.SERVER_REPLACE,
    K.INSTALLATION_WORKFLOW_BEGUN_ANEW: T.STANDING_BEGIN_ANEW,
    K.CALLBACK_REFUSED: T.CALLBACK_REFUSE,
    K.PAYLOAD_DECODED: T.PAYLOAD_DECODE,
    K.TEMPORAL_ACTED: T.TEMPORAL_ACT,
    K.OPERATION_RETRIED: T.OPERATION_RETRY,
    K.OPERATION_ASKED_AGAIN: T.OPERATION_ASK_AGAIN,
    K.OPERATION_RESENT: T.OPERATION_RESEND,
    K.OPERATION_SENT_NOW: T.OPERATION_SEND_NOW,
    K.OPERATION_HEAD_TOLD: T.OPERATION_TELL_HEAD,
    K.OPERATION_STARTED: T.OPERATION_START,
    K.CONTENTS_ERASED: T.JOURNAL_ERASE,
}
"""The tag of each kind of entry. A kind without one fails a test."""

OF_VIEW: Mapping[ViewCode, AuditTag] = {
    V.CASE: T.CASE_VIEW,
    V.CASE_AT: T.CASE_VIEW_AT,
    V.PERSON: T.PERSON_VIEW,
    V.PERSON_RIGHTS: T.PERSON_VIEW_RIGHTS,
    V.DOCUMENT: T.DOCUMENT_VIEW,
    V.CREDENTIAL: T.CREDENTIAL_VIEW,
    V.CREDENTIALS: T.CREDENTIALS_VIEW,
    V.RECORD_CARD: T.RECORD_PRINT,
    V.HANDOVER: T.HANDOVER_VIEW,
    V.RESULT: T.RESULT_VIEW,
    V.RESULT_UNMATCHED: T.RESULT_VIEW_UNMATCHED,
    V.CREDENTIALS_STAFF: T.CREDENTIALS_STAFF_VIEW,
    V.ACT: T.CERTIFICATE_VIEW,
    V.PORTFOLIO: T.PORTFOLIO_VIEW,
    V.REQUEST_DOCUMENT: T.REQUEST_DOCUMENT_VIEW,
    V.REQUEST_ANSWER: T.REQUEST_ANSWER_VIEW,
    V.COURSE_OVERDUE: T.COURSE_VIEW_OVERDUE,
    V.SELF_CHECK: T.SELF_CHECK_VIEW,
    V.MEETING: T.MEETING_VIEW,
    V.SCHEDULE: T.SCHEDULE_VIEW,
    V.PATIENT: T.PATIENT_VIEW,
    V.PATIENT_SEARCH: T.PATIENT_SEARCH,
    V.PATIENT_RECORD: T.PATIENT_VIEW_RECORD,
    V.REFUSED_CASE: T.CASE_REFUSE_VIEW,
    V.REFUSED_PERSON: T.PERSON_REFUSE_VIEW,
    V.REFUSED_DOCUMENT: T.DOCUMENT_REFUSE_VIEW,
    V.REFUSED_HANDOVER: T.HANDOVER_REFUSE_VIEW,
    V.REFUSED_RESULT: T.RESULT_REFUSE_VIEW,
    V.REFUSED_CREDENTIAL: T.CREDENTIAL_REFUSE_VIEW,
    V.REFUSED_PATIENT: T.PATIENT_REFUSE_VIEW,
    V.REFUSED_OTHER: T.REFUSE_OTHER,
}
"""The tag of each view, and of each attempt to look at what is not open to whoever asked."""

OF_STEP: Mapping[Step, AuditTag] = {
    Step.PASSWORD: T.PASSWORD_CHECK,
    Step.CODE: T.SIGN_IN,
    Step.SETUP: T.FACTOR_SET,
    Step.CHECK: T.FACTOR_CHECK,
    Step.FACTOR_REMOVED: T.FACTOR_REMOVE,
    Step.RECOVERY_CODES: T.RECOVERY_CODES_MAKE,
    Step.PASSWORD_CHANGE: T.PASSWORD_CHANGE,
    Step.RESET_ASKED: T.PASSWORD_RESET_ASK,
    Step.REGISTRATION_ASKED: T.REGISTRATION_ASK,
    Step.PASSWORD_RESET: T.PASSWORD_CHANGE,
    Step.SIGN_OUT: T.SIGN_OUT,
    Step.SESSION_ENDED: T.SESSIONS_END,
    Step.TOKEN_MADE: T.TOKEN_MAKE,
    Step.TOKEN_ENDED: T.TOKEN_REVOKE,
    Step.LOCK: T.ACCOUNT_LOCK,
    Step.UNLOCK: T.ACCOUNT_UNLOCK,
    Step.PROVIDER: T.PROVIDER_CHECK,
    Step.PROVIDER_LINKED: T.PROVIDER_LINK,
    Step.PROVIDER_UNLINKED: T.PROVIDER_UNLINK,
}
"""The tag of each step of the login journal, when it went well."""


def of_attempt(step: str, outcome: str) -> AuditTag:
    """The tag of a line of the login journal: what failed is an attempt, whatever its step."""
    return OF_STEP[Step(step)] if outcome == Outcome.PASSED else AuditTag.SIGN_IN_FAIL


def kinds_of(tags: Iterable[AuditTag]) -> list[str]:
    """The kinds of entries that have one of these tags."""
    wanted = set(tags)
    return [kind.value for kind, tag in OF_KIND.items() if tag in wanted]


def views_of(tags: Iterable[AuditTag]) -> list[str]:
    """The codes of views that have one of these tags."""
    wanted = set(tags)
    return [code.value for code, tag in OF_VIEW.items() if tag in wanted]


def asked_tags(text: str) -> list[AuditTag]:
    """The tags that a filter means: one tag, or all of a subject. Empty for anything else."""
    return [tag for tag in AuditTag if text in (tag.value, tag.subject)]


SUBJECTS: Mapping[str, str] = {
    "case": "Дела",
    "request": "Запросы",
    "document": "Документы",
    "credential": "Квалификация",
    "record": "Медкарты",
    "handover": "Передача документов ведомствам",
    "subscriber": "Системы-подписчики",
    "result": "Результаты лаборатории",
    "account": "Вход и учётная запись",
    "person": "Сотрудники и права",
    "patient": "Пациенты",
    "meeting": "Видеовстречи",
    "schedule": "Расписание приёма",
    "register": "Реестры",
    "export": "Выгрузки",
    "notice": "Уведомления",
    "catalogue": "Каталог",
    "journal": "Журнал",
    "installation": "Система",
    "operation": "Эксплуатация",
    "access": "Отказы в доступе",
}
"""The subjects of tags in words (msgids)."""
