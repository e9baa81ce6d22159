"""The journal's arithmetic: canonical bytes and the hash chain. Pure functions.

The hash of an entry covers the hash of the entry before it and a digest of its own canonical JSON
(RFC 8785): everything in the clear, and a salted digest of the contents. The contents themselves
are stored beside the entry, so that erasing them by law (with their salt) leaves every chain whole.
"""

import hashlib
import hmac
import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import rfc8785

HASH_VERSION = 1
GENESIS = bytes(32)
SYSTEM_CHAIN = UUID("00000000-0000-8000-8000-000000000001")
"""The chain of entries that belong to no case and no person."""


class JournalKind(StrEnum):
    """Everything that can be journaled. Values are stored for ever: add, never rename."""

    CASE_DRAFTED = "case.drafted"
    CASE_SUBMITTED = "case.submitted"
    CASE_RESUBMITTED = "case.resubmitted"
    CASE_CORRECTED = "case.corrected"
    CASE_CHECKED = "case.checked"
    CASE_CHECK_FAILED = "case.check_failed"
    CASE_REGISTER_DOWN = "case.register_down"
    CASE_REGISTER_BACK = "case.register_back"
    CASE_REVIEW_OPENED = "case.review_opened"
    CASE_ASSIGNED = "case.assigned"
    CASE_TAKEN = "case.taken"
    CASE_HANDED_OVER = "case.handed_over"
    CASE_MOVED = "case.moved"
    CASE_CHECKLIST_ANSWERED = "case.checklist_answered"
    CASE_REMINDED = "case.reminded"
    CASE_ESCALATED = "case.escalated"
    CASE_APPROVED = "case.approved"
    CASE_CLARIFICATION_ASKED = "case.clarification_asked"
    CASE_REJECTED = "case.rejected"
    CASE_CONFIRMED = "case.confirmed"
    CASE_CONFIRMATION_LAPSED = "case.confirmation_lapsed"
    CASE_WITHDRAWN = "case.withdrawn"
    CASE_LAPSED = "case.lapsed"
    CASE_COPIED = "case.copied"
    CASE_COMMENTED = "case.commented"
    CASE_ACT_ISSUED = "case.act_issued"
    CASE_ACT_DOWNLOADED = "case.act_downloaded"
    CASE_RECEIPT_ISSUED = "case.receipt_issued"
    CASE_TYPE_CHANGED = "case.type_changed"
    CASE_STUCK = "case.stuck"
    CASE_BEGUN_ANEW = "case.begun_anew"
    CASE_EXPORTED = "case.exported"
    CASE_KEPT_LONGER = "case.kept_longer"
    CASE_HELD = "case.held"
    CASE_RELEASED = "case.released"
    CASE_ERASED = "case.erased"
    CENTRE_DOWN = "centre.down"
    CENTRE_FORWARDED = "centre.forwarded"
    CENTRE_PASSED_ON = "centre.passed_on"
    CENTRE_ASKED = "centre.asked"
    CENTRE_RETURNED = "centre.returned"
    CENTRE_REFUSED = "centre.refused"
    CENTRE_ACCREDITED = "centre.accredited"
    EXPORT_ASKED = "export.asked"
    EXPORT_CANCELLED = "export.cancelled"
    EXPORT_DOWNLOADED = "export.downloaded"
    CASE_SIGNAL_WITHOUT_ACT = "case.signal_without_act"
    REQUEST_SENT = "request.sent"
    REQUEST_ANSWERED = "request.answered"
    REQUEST_REFUSED = "request.refused"
    REQUEST_ADDRESSEE_DOWN = "request.addressee_down"
    REQUEST_ODD_RECEIPT = "request.odd_receipt"
    REQUEST_WITHDRAWAL_TOLD = "request.withdrawal_told"
    REQUEST_ANSWER_UNVERIFIED = "request.answer_unverified"
    DOCUMENT_ADDED = "document.added"
    DOCUMENT_REPLACED = "document.replaced"
    DOCUMENT_REFUSED = "document.refused"
    DOCUMENT_REMOVED = "document.removed"
    CREDENTIAL_ADDED = "credential.added"
    CREDENTIAL_UPDATED = "credential.updated"
    CREDENTIAL_CORRECTED = "credential.corrected"
    CREDENTIAL_ACCEPTED = "credential.accepted"
    CREDENTIAL_CONFIRMED = "credential.confirmed"
    CREDENTIAL_REPLACED = "credential.replaced"
    CREDENTIAL_STANDS_AGAIN = "credential.stands_again"
    CREDENTIAL_WITHDRAWN = "credential.withdrawn"
    CREDENTIAL_REMINDED = "credential.reminded"
    CREDENTIAL_EXPIRED = "credential.expired"
    CREDENTIAL_RENEWAL_OPENED = "credential.renewal_opened"
    CREDENTIAL_RENEWAL_CLOSED = "credential.renewal_closed"
    RECORD_SIGNED = "record.signed"
    RECORD_CORRECTED = "record.corrected"
    RECORD_MISTAKEN = "record.mistaken"
    RECORD_ERASED = "record.erased"
    ICD10_IMPORTED = "icd10.imported"
    AUTHORITY_ADDED = "authority.added"
    AUTHORITY_ENDED = "authority.ended"
    HANDOVER_ASKED = "handover.asked"
    HANDOVER_RELEASED = "handover.released"
    HANDOVER_REFUSED = "handover.refused"
    HANDOVER_BROKEN = "handover.broken"
    HANDOVER_READY = "handover.ready"
    HANDOVER_FETCHED = "handover.fetched"
    HANDOVER_OVER = "handover.over"
    SUBSCRIBER_ADDED = "subscriber.added"
    SUBSCRIBER_CHANGED = "subscriber.changed"
    SUBSCRIBER_PAUSED = "subscriber.paused"
    SUBSCRIBER_RESUMED = "subscriber.resumed"
    SUBSCRIBER_ROTATED = "subscriber.rotated"
    SUBSCRIBER_TESTED = "subscriber.tested"
    SUBSCRIBER_RESENT = "subscriber.resent"
    SUBSCRIBER_GAVE_UP = "subscriber.gave_up"
    SUBSCRIBER_ENDED = "subscriber.ended"
    RESULT_HEARD = "result.heard"
    RESULT_MATCHED = "result.matched"
    RESULT_DETACHED = "result.detached"
    RESULT_RETURNED = "result.returned"
    RESULT_RETURN_TOLD = "result.return_told"
    RESULT_CONFIRMED = "result.confirmed"
    RESULT_REOPENED = "result.reopened"
    RESULT_TOLD = "result.told"
    RESULT_OFFERED = "result.offered"
    RESULT_OFFER_ENDED = "result.offer_ended"
    RESULT_PASSED = "result.passed"
    RESULT_REMINDED = "result.reminded"
    RESULT_ESCALATED = "result.escalated"
    NOTICE_FAILED = "notice.failed"
    ACCOUNT_CREATED = "account.created"
    ACCOUNT_SIGNED_IN = "account.signed_in"
    ACCOUNT_SIGN_IN_FAILED = "account.sign_in_failed"
    ACCOUNT_SIGNED_OUT = "account.signed_out"
    ACCOUNT_SECOND_FACTOR_SET = "account.second_factor_set"
    ACCOUNT_SECOND_FACTOR_REMOVED = "account.second_factor_removed"
    ACCOUNT_RECOVERY_CODES_MADE = "account.recovery_codes_made"
    ACCOUNT_PASSWORD_CHANGED = "account.password_changed"  # noqa: S105 - a tag
    ACCOUNT_CONTACT_CHANGED = "account.contact_changed"
    ACCOUNT_LOCKED = "account.locked"
    ACCOUNT_UNLOCKED = "account.unlocked"
    ACCOUNT_SESSIONS_ENDED = "account.sessions_ended"
    ACCOUNT_PROVIDER_LINKED = "account.provider_linked"
    ACCOUNT_PROVIDER_UNLINKED = "account.provider_unlinked"
    ACCOUNT_MET = "account.met"
    ACCOUNT_SENT_BACK = "account.sent_back"
    ACCOUNT_RISK = "account.risk"
    ACCOUNT_RISK_CLOSED = "account.risk_closed"
    ACCOUNT_TOKEN_MADE = "account.token_made"  # noqa: S105 - a tag
    ACCOUNT_TOKEN_REVOKED = "account.token_revoked"  # noqa: S105 - a tag
    ACCOUNT_COURSE_PASSED = "account.course_passed"
    PERSON_INVITED = "person.invited"
    PERSON_INVITATION_REVOKED = "person.invitation_revoked"
    PERSON_INVITATION_USED = "person.invitation_used"
    PERSON_REGISTERED = "person.registered"
    PERSON_LEAVING = "person.leaving"
    PERSON_STAYS = "person.stays"
    PERSON_LEFT = "person.left"
    PERSON_TRANSFERRED = "person.transferred"
    PATIENT_REGISTERED = "patient.registered"
    PATIENT_CORRECTED = "patient.corrected"
    PATIENT_CHECKED = "patient.checked"
    PATIENT_LINK_PROPOSED = "patient.link_proposed"
    PATIENT_LINK_REFUSED = "patient.link_refused"
    PATIENT_LINKED = "patient.linked"
    PATIENT_PARTED = "patient.parted"
    PATIENT_OPENED = "patient.opened"
    PATIENT_INVITED = "patient.invited"
    PATIENT_INVITATION_ENDED = "patient.invitation_ended"
    PATIENT_ENTERED = "patient.entered"
    PATIENTS_IMPORTED = "patient.list_imported"
    EMERGENCY_TAKEN = "emergency.taken"
    EMERGENCY_ESCALATED = "emergency.escalated"
    EMERGENCY_JUDGED = "emergency.judged"
    VERIFICATION_CONFIRMED = "verification.confirmed"
    ACCOUNT_STATE_REACHED = "account.state_reached"
    MEETING_TIMES_OPENED = "meeting.times_opened"
    MEETING_TIME_WITHDRAWN = "meeting.time_withdrawn"
    MEETING_BOOKED = "meeting.booked"
    MEETING_MOVED = "meeting.moved"
    MEETING_CANCELLED = "meeting.cancelled"
    MEETING_ENDED = "meeting.ended"
    APPOINTMENT_BOOKED = "appointment.booked"
    APPOINTMENT_CHANGED = "appointment.changed"
    APPOINTMENT_MOVED = "appointment.moved"
    SCHEDULE_PLANNED = "schedule.planned"
    CALENDAR_FEED_MADE = "calendar.made"
    CALENDAR_FEED_REVOKED = "calendar.revoked"
    ROLE_GRANTED = "role.granted"
    ROLE_ENDED = "role.ended"
    URGENT_ACCESS_SET = "role.urgent_access_set"
    ABSENCE_SET = "absence.set"
    ABSENCE_PLANNED = "absence.planned"
    ABSENCE_GATHERED = "absence.gathered"
    ABSENCE_SETTLED = "absence.settled"
    ABSENCE_TOLD = "absence.told"
    ABSENCE_ESCALATED = "absence.escalated"
    REGISTER_CHECK_ASKED = "register.check_asked"
    REGISTER_COMPARED = "register.compared"
    REGISTER_DISPUTED = "register.disputed"
    REGISTER_DISPUTE_ANSWERED = "register.dispute_answered"
    CATALOGUE_CHANGED = "catalogue.changed"
    CATALOGUE_CASES_MOVED = "catalogue.cases_moved"
    STAFF_IMPORTED = "staff.imported"
    STAFF_RECORD_CLOSED = "staff.record_closed"
    INSTALLATION_BEGUN = "installation.begun"
    INSTALLATION_BACKED_UP = "installation.backed_up"
    KEY_IN_USE = "installation.key_in_use"
    KEY_RETIRED = "installation.key_retired"
    INSTALLATION_RESTORED = "installation.restored"
    INSTALLATION_RECONCILED = "installation.reconciled"
    JOURNAL_ACCEPTED = "journal.accepted"
    JOURNAL_DECLARATION_CONFIRMED = "journal.declaration_confirmed"
    JOURNAL_SEARCHED = "journal.searched"
    JOURNAL_EXPORTED = "journal.exported"
    JOURNAL_VERIFIED = "journal.verified"
    INSTALLATION_SERVER_REPLACED = "installation.server_replaced"
    INSTALLATION_WORKFLOW_BEGUN_ANEW = "installation.workflow_begun_anew"
    CALLBACK_REFUSED = "callback.refused"
    PAYLOAD_DECODED = "payload.decoded"
    TEMPORAL_ACTED = "temporal.acted"
    OPERATION_RETRIED = "operation.retried"
    OPERATION_ASKED_AGAIN = "operation.asked_again"
    OPERATION_RESENT = "operation.resent"
    OPERATION_SENT_NOW = "operation.sent_now"
    OPERATION_HEAD_TOLD = "operation.head_told"
    OPERATION_STARTED = "operation.started"
    CONTENTS_ERASED = "journal.contents_erased"


def canonical(value: Any) -> bytes:
    """The value as canonical JSON. Raises rfc8785.CanonicalizationError."""
    return rfc8785.dumps(value)


def moment(at: datetime) -> str:
    """A time as it is hashed: in UTC, with microseconds.

    Raises ValueError for one without a zone.
    """
    if at.tzinfo is None:
        raise ValueError("a time without a zone")
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def new_salt() -> bytes:
    """32 random bytes that keep contents from being guessed by their digest; erased with them."""
    return os.urandom(32)


def contents_digest(contents: Any, salt: bytes) -> bytes:
    """HMAC-SHA256 of the canonical contents under their salt."""
    return hmac.new(salt, canonical(contents), hashlib.sha256).digest()


@dataclass(frozen=True, slots=True)
class EntryFacts:
    """An entry with all that is hashed or checked; `contents` as far as they could be read."""

    id: UUID
    chain: UUID
    position: int
    kind: str
    at: datetime
    by_person: UUID | None
    by_system: str | None
    step: int | None
    facts: dict[str, Any]
    contents_digest: bytes | None
    previous_hash: bytes
    hash_version: int = HASH_VERSION
    hash: bytes = b""
    salt: bytes | None = None
    contents: Any = None
    contents_state: str = "absent"
    """`absent`, `readable`, `unread` (no key ring was given) or `broken` (decryption failed)."""


def body_digest(entry: EntryFacts) -> bytes:
    """SHA-256 over the canonical form of the entry itself, without the hash of the one before.

    Raises ValueError for a hash version that this code does not know.
    """
    if entry.hash_version != HASH_VERSION:
        raise ValueError(f"hash version {entry.hash_version}")
    body = {
        "at": moment(entry.at),
        "by_person": str(entry.by_person) if entry.by_person else None,
        "by_system": entry.by_system,
        "chain": str(entry.chain),
        "contents_digest": entry.contents_digest.hex() if entry.contents_digest else None,
        "facts": entry.facts,
        "id": str(entry.id),
        "kind": str(entry.kind),
        "position": entry.position,
        "step": entry.step,
        "v": entry.hash_version,
    }
    return hashlib.sha256(canonical(body)).digest()


def chain_hash(previous_hash: bytes, digest: bytes) -> bytes:
    """The hash of an entry, from the hash of the one before and the entry's own digest.

    So a chain can be verified through entries whose facts and contents are not disclosed.
    """
    return hashlib.sha256(previous_hash + digest).digest()


def entry_hash(entry: EntryFacts) -> bytes:
    """The hash of an entry, which the next entry includes. Raises as `body_digest` does."""
    return chain_hash(entry.previous_hash, body_digest(entry))


@dataclass(frozen=True, slots=True)
class IntegrityFault:
    """Something in the journal that is not as it was written."""

    where: str
    what: str

    def __str__(self) -> str:
        """One line for the person who verifies."""
        return f"{self.where}: {self.what}"


def verify_chain(
    entries: Iterable[EntryFacts], previous: bytes = GENESIS, expected: int = 1
) -> list[IntegrityFault]:
    """All faults of one chain, whose entries are given in the order of positions.

    Of the end of a chain, `previous` is the hash before it and `expected` its first position.

    Finds changed entries and contents, gaps, entries out of order, contents erased without an entry
    that says so. A chain cut at its end looks whole by itself: only the checkpoints show that.
    """
    faults: list[IntegrityFault] = []
    bare: dict[int, str] = {}
    for entry in entries:
        where = f"chain {entry.chain}, position {entry.position}"
        if entry.position != expected:
            faults.append(
                IntegrityFault(where, f"position {expected} was expected: entries are missing")
            )
        if entry.previous_hash != previous:
            faults.append(IntegrityFault(where, "does not follow the entry before it"))
        try:
            if entry_hash(entry) != entry.hash:
                faults.append(IntegrityFault(where, "was changed after it was written"))
        except (ValueError, rfc8785.CanonicalizationError) as error:
            faults.append(IntegrityFault(where, f"cannot be hashed: {error}"))
        faults += [IntegrityFault(where, what) for what in _wrong_contents(entry)]
        if entry.contents_digest is not None and entry.contents_state == "absent":
            bare[entry.position] = where
        if entry.kind == JournalKind.CONTENTS_ERASED and isinstance(
            erased := entry.facts.get("position"), int
        ):
            bare.pop(erased, None)
        previous, expected = entry.hash, entry.position + 1
    faults += [
        IntegrityFault(where, "contents were erased, and no entry says by whom")
        for where in bare.values()
    ]
    return faults


def _wrong_contents(entry: EntryFacts) -> list[str]:
    """What is wrong with the contents of an entry."""
    if entry.contents_state == "broken":
        return ["contents cannot be decrypted: changed, or their key is missing"]
    if entry.contents_state == "absent":
        return []
    if entry.contents_digest is None:
        return ["contents were added after it was written"]
    if entry.contents_state == "unread":
        return []
    if entry.salt is None or contents_digest(entry.contents, entry.salt) != entry.contents_digest:
        return ["contents were changed after they were written"]
    return []


def view_hash(*, view: UUID, at: datetime, by_person: UUID, subject: UUID, what: str) -> bytes:
    """SHA-256 over the canonical form of one view of a record."""
    body = {
        "at": moment(at),
        "by_person": str(by_person),
        "id": str(view),
        "subject": str(subject),
        "v": HASH_VERSION,
        "what": what,
    }
    return hashlib.sha256(canonical(body)).digest()
