"""Checks of notices: the rows of every channel against what happened and what was received."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import httpx
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from clients.delivery.mail import Mailer
from models.tables.cases import Case
from models.tables.journal import JournalEntry
from models.tables.notices import Notice, NoticeSetting, PushSubscription
from models.tables.people import Person
from ops.faults.evidence import Evidence
from rules.cases.process import CaseKind
from rules.clock import now
from rules.journal.entries import JournalKind
from rules.notices.delivery import FAILED_REPORTS, DeliveryReport
from rules.notices.events import EVENTS
from rules.notices.kinds import ON_BY_DEFAULT, Channel, NoticeKind, NoticeState
from settings import Settings

if TYPE_CHECKING:
    from ops.faults.checks import CheckReport

CHECK = 3

_APPLICATION = {
    JournalKind.CASE_SUBMITTED: NoticeKind.APPLICATION_SUBMITTED,
    JournalKind.CASE_RESUBMITTED: NoticeKind.APPLICATION_SUBMITTED,
    JournalKind.CASE_CORRECTED: NoticeKind.APPLICATION_SUBMITTED,
    JournalKind.CASE_REVIEW_OPENED: NoticeKind.APPLICATION_IN_REVIEW,
    JournalKind.CASE_APPROVED: NoticeKind.APPLICATION_APPROVED,
    JournalKind.CASE_CLARIFICATION_ASKED: NoticeKind.APPLICATION_CLARIFICATION,
    JournalKind.CASE_REJECTED: NoticeKind.APPLICATION_REJECTED,
    JournalKind.CASE_WITHDRAWN: NoticeKind.APPLICATION_WITHDRAWN,
    JournalKind.CASE_ACT_ISSUED: NoticeKind.APPLICATION_ACT_READY,
}
_REQUEST = {
    JournalKind.CASE_SUBMITTED: NoticeKind.REQUEST_ACCEPTED,
    JournalKind.CASE_CORRECTED: NoticeKind.REQUEST_ACCEPTED,
    JournalKind.CASE_WITHDRAWN: NoticeKind.REQUEST_WITHDRAWN,
    JournalKind.REQUEST_SENT: NoticeKind.REQUEST_PROCESSING,
    JournalKind.REQUEST_ANSWERED: NoticeKind.REQUEST_READY,
    JournalKind.REQUEST_REFUSED: NoticeKind.REQUEST_REFUSED,
}
_VERIFICATION = {
    JournalKind.CASE_SUBMITTED: NoticeKind.VERIFICATION_SUBMITTED,
    JournalKind.CASE_RESUBMITTED: NoticeKind.VERIFICATION_SUBMITTED,
    JournalKind.CASE_CORRECTED: NoticeKind.VERIFICATION_SUBMITTED,
    JournalKind.CASE_REVIEW_OPENED: NoticeKind.VERIFICATION_IN_REVIEW,
    JournalKind.CASE_APPROVED: NoticeKind.VERIFICATION_APPROVED,
    JournalKind.CASE_CLARIFICATION_ASKED: NoticeKind.VERIFICATION_CLARIFICATION,
    JournalKind.CASE_REJECTED: NoticeKind.VERIFICATION_REJECTED,
    JournalKind.CASE_WITHDRAWN: NoticeKind.VERIFICATION_WITHDRAWN,
    JournalKind.CASE_LAPSED: NoticeKind.VERIFICATION_LAPSED,
    JournalKind.VERIFICATION_CONFIRMED: NoticeKind.VERIFICATION_CONFIRMED,
}
_ACCESS_CHANGE = {
    JournalKind.CASE_SUBMITTED: NoticeKind.ACCESS_SUBMITTED,
    JournalKind.CASE_CONFIRMED: NoticeKind.ACCESS_CONFIRMED,
    JournalKind.CASE_APPROVED: NoticeKind.ACCESS_APPROVED,
    JournalKind.CASE_REJECTED: NoticeKind.ACCESS_REJECTED,
    JournalKind.CASE_WITHDRAWN: NoticeKind.ACCESS_WITHDRAWN,
}
_ACCREDITATION = {
    JournalKind.CASE_SUBMITTED: NoticeKind.ACCREDITATION_SUBMITTED,
    JournalKind.CASE_RESUBMITTED: NoticeKind.ACCREDITATION_SUBMITTED,
    JournalKind.CASE_CORRECTED: NoticeKind.ACCREDITATION_SUBMITTED,
    JournalKind.CASE_REVIEW_OPENED: NoticeKind.ACCREDITATION_IN_REVIEW,
    JournalKind.CASE_APPROVED: NoticeKind.ACCREDITATION_APPROVED,
    JournalKind.CASE_CLARIFICATION_ASKED: NoticeKind.ACCREDITATION_CLARIFICATION,
    JournalKind.CASE_REJECTED: NoticeKind.ACCREDITATION_REJECTED,
    JournalKind.CASE_WITHDRAWN: NoticeKind.ACCREDITATION_WITHDRAWN,
    JournalKind.CASE_LAPSED: NoticeKind.ACCREDITATION_LAPSED,
    JournalKind.CENTRE_FORWARDED: NoticeKind.ACCREDITATION_FORWARDED,
    JournalKind.CENTRE_PASSED_ON: NoticeKind.ACCREDITATION_WITH_COMMISSION,
    JournalKind.CENTRE_ASKED: NoticeKind.ACCREDITATION_CENTRE_ASKS,
    JournalKind.CENTRE_RETURNED: NoticeKind.ACCREDITATION_RETURNED,
    JournalKind.CENTRE_REFUSED: NoticeKind.ACCREDITATION_REFUSED,
    JournalKind.CENTRE_ACCREDITED: NoticeKind.ACCREDITATION_GRANTED,
}
TOLD_ON = {
    CaseKind.APPLICATION: _APPLICATION,
    CaseKind.REQUEST: _REQUEST,
    CaseKind.VERIFICATION: _VERIFICATION,
    CaseKind.ACCESS_CHANGE: _ACCESS_CHANGE,
    CaseKind.ACCREDITATION: _ACCREDITATION,
}
"""The notice that the applicant must have got, by the journal entry."""

_ENTAILED = frozenset(NoticeKind(kind) for kinds in TOLD_ON.values() for kind in kinds.values())
_CUT_LEEWAY = timedelta(seconds=0.5)
_ASK_LEEWAY = timedelta(seconds=30)
"""How late a delivery report may be asked for, since the gateway may just have been down."""


@dataclass(frozen=True)
class NoticeRow:
    """A stored notice with what it is compared to."""

    notice: Notice
    others: tuple[Notice, ...]
    """The rows of the same event for the same person, by other channels."""
    admitted: bool
    """Whether the cabinet says that it could not be delivered."""

    @property
    def state(self) -> str:
        """The state of the notice, as stored."""
        return self.notice.state

    def __str__(self) -> str:
        """The row in a fault."""
        one = self.notice
        why = f" ({one.failure_reason})" if one.failure_reason else ""
        return f"{one.channel} {one.kind} {one.id} is {one.state}{why}"


@dataclass(frozen=True)
class ReachableChannels:
    """By which channels people can be told, as they stand at the end of the run."""

    chosen: Mapping[tuple[UUID, str, str], bool]
    phones: Mapping[UUID, str | None]
    with_browsers: frozenset[UUID]

    @classmethod
    async def read(cls, session: AsyncSession) -> "ReachableChannels":
        """What they chose, and where they are reached."""
        settings = (await session.exec(select(NoticeSetting))).all()
        phones = (await session.exec(select(Person.id, Person.phone))).all()
        browsers = (await session.exec(select(PushSubscription.person_id))).all()
        return cls(
            {(one.person_id, one.group, one.channel): one.on for one in settings},
            dict(phones),
            frozenset(browsers),
        )

    def channels(self, person_id: UUID, kind: NoticeKind) -> set[Channel]:
        """The channels outside the cabinet by which this person wants to be told of this kind."""
        event = EVENTS[kind]
        reachable = {
            Channel.MAIL: True,
            Channel.SMS: self.phones.get(person_id) is not None,
            Channel.PUSH: person_id in self.with_browsers,
        }
        return {
            channel
            for channel, default in ON_BY_DEFAULT.items()
            if channel in event.channels
            and reachable[channel]
            and self.chosen.get((person_id, event.group.value, channel.value), default)
        }


async def check(
    report: "CheckReport",
    database: Database,
    settings: Settings,
    cases: list[Case],
    sink: str,
    evidence: Evidence,
) -> None:
    """Compare events and messages.

    Every event is told by every channel its person wants. Every message came, and none came without
    a row.
    """
    by_id = {case.id: case for case in cases}
    async with database.work() as session:
        notices = (await session.exec(select(Notice))).all()
        entries = (
            await session.exec(select(JournalEntry).where(col(JournalEntry.chain).in_(list(by_id))))
        ).all()
        wishes = await ReachableChannels.read(session)
    _events(report, notices, entries, by_id, wishes)
    rows = _by_channel(notices)
    for row in (row for group in rows.values() for row in group):
        if row.state == NoticeState.FAILED:
            _taken_over(report, row, wishes)
    await _mails(report, rows[Channel.MAIL], settings, sink, evidence)
    await _texts(report, rows[Channel.SMS], settings, wishes)
    await _pushes(report, rows[Channel.PUSH], settings, evidence)


def _events(
    report: "CheckReport",
    notices: Sequence[Notice],
    entries: Sequence[JournalEntry],
    cases: Mapping[UUID, Case],
    wishes: ReachableChannels,
) -> None:
    """One row per event, person and channel: each that must be, and none that must not."""
    written = Counter((row.event_key, row.person_id, Channel(row.channel)) for row in notices)
    for (key, _, channel), count in written.items():
        report.compare(CHECK, count == 1, f"{key} has {count} notices by {channel}")
    happened: set[tuple[str, UUID]] = set()
    for entry in entries:
        case = cases[entry.chain]
        told = TOLD_ON[CaseKind(case.kind)].get(JournalKind(entry.kind))
        if told is None or entry.facts.get("draft"):
            continue
        key, person_id = f"{case.id}:{entry.step}:{told.value}", case.applicant_id
        happened.add((key, person_id))
        for channel in (Channel.CABINET, *wishes.channels(person_id, told)):
            known = (key, person_id, channel) in written
            report.compare(CHECK, known, f"{key} has no notice by {channel}")
    for row in notices:
        if row.kind in _ENTAILED:
            true = (row.event_key, row.person_id) in happened
            report.compare(CHECK, true, f"{row.event_key} was announced but did not happen")


def _by_channel(notices: Sequence[Notice]) -> dict[Channel, list[NoticeRow]]:
    """The rows of the channels outside the cabinet."""
    events: dict[tuple[str, UUID | None], list[Notice]] = defaultdict(list)
    found: dict[Channel, list[NoticeRow]] = {channel: [] for channel in ON_BY_DEFAULT}
    outer = [one for one in notices if one.channel != Channel.CABINET]
    for one in outer:
        events[one.event_key, one.person_id].append(one)
    admitted = {one.event_key for one in notices if one.kind == NoticeKind.DELIVERY_FAILED}
    for one in outer:
        others = tuple(row for row in events[one.event_key, one.person_id] if row is not one)
        said = f"{one.id}:{NoticeKind.DELIVERY_FAILED}" in admitted
        found[Channel(one.channel)].append(NoticeRow(one, others, said))
    return found


def _taken_over(report: "CheckReport", row: NoticeRow, wishes: ReachableChannels) -> None:
    """A notice that failed has a reason, is shown in the cabinet, and another channel tells it."""
    report.compare(CHECK, bool(row.notice.failure_reason), f"{row}, and nobody knows why")
    report.compare(CHECK, row.admitted, f"{row}, and the cabinet does not say so")
    wanted = wishes.channels(row.notice.addressee, NoticeKind(row.notice.kind))
    told = any(one.state in (NoticeState.TOLD, NoticeState.SUPERSEDED) for one in row.others)
    tried = {Channel(one.channel) for one in (row.notice, *row.others)}
    report.compare(CHECK, told or wanted <= tried, f"{row}, and no other channel took it over")


async def _mails(
    report: "CheckReport",
    rows: Sequence[NoticeRow],
    settings: Settings,
    sink: str,
    evidence: Evidence,
) -> None:
    received = await _kept_by(sink)
    mailer = Mailer(settings.smtp_url, settings.mail_from)
    mails = {mailer.message_id(row.notice.message_name): row for row in rows}
    copies = Counter(one["message_id"] for one in received)
    for message_id, row in mails.items():
        done = row.state == NoticeState.SUPERSEDED or (
            row.state == NoticeState.TOLD and copies[message_id] > 0
        )
        report.compare(CHECK, done, f"{row}, in the sink {copies[message_id]} times")
    strange = set(copies) - set(mails)
    report.compare(CHECK, not strange, f"{len(strange)} mails tell of nothing that is kept")
    unsaid = sum(1 for one in received if _while_cut(one, evidence))
    doubled = sum(count - 1 for count in copies.values())
    allowed = evidence.sender_interrupted + unsaid
    report.compare(CHECK, doubled <= allowed, f"{doubled} mails came twice, {allowed} are excused")
    report.notes.append(
        f"mails: {len(mails)} rows, {len(received)} received, {doubled} of them twice"
        f" ({evidence.sender_interrupted} interruptions of the sender, {unsaid} taken in silence)"
    )


def _while_cut(message: dict[str, Any], evidence: Evidence) -> bool:
    at = datetime.fromisoformat(message["received_at"])
    return any(a - _CUT_LEEWAY <= at <= b + _CUT_LEEWAY for a, b in evidence.cuts)


async def _texts(
    report: "CheckReport", rows: Sequence[NoticeRow], settings: Settings, wishes: ReachableChannels
) -> None:
    """Compare SMS. The gateway knows each by its id, so that nothing excuses a second one."""
    received = await _kept_by(settings.sms_url)
    box = {one["id"]: one for one in received}
    texts = {row.notice.message_name: row for row in rows}
    for name, row in texts.items():
        notice, sent = row.notice, box.get(name)
        if row.state == NoticeState.TOLD:
            came = sent is not None and sent["to"] == wishes.phones[notice.addressee]
            report.compare(CHECK, came, f"{row}, and did not come to the person")
            report.compare(CHECK, _answered_for(notice, sent), f"{row}, its receipt is lost")
        elif row.state == NoticeState.FAILED:
            bounced = sent is not None and sent["state"] == notice.failure_reason
            true = bounced and notice.receipt in FAILED_REPORTS
            report.compare(CHECK, true, f"{row}, and the gateway does not say so")
        else:
            report.compare(CHECK, row.state == NoticeState.SUPERSEDED, f"{row}")
    strange = set(box) - set(texts)
    report.compare(CHECK, not strange, f"{len(strange)} SMS tell of nothing that is kept")
    doubled = len(received) - len(box)
    report.compare(CHECK, not doubled, f"{doubled} SMS came twice")
    states = Counter(row.notice.receipt or row.state for row in rows)
    report.notes.append(f"SMS:   {len(texts)} rows, {len(received)} received: {dict(states)}")


def _answered_for(notice: Notice, sent: dict[str, Any] | None) -> bool:
    """Whether the delivery report is stored as the gateway gave it, or will still be asked for."""
    if notice.receipt is None:
        return notice.ask_at is not None and notice.ask_at > now() - _ASK_LEEWAY
    return notice.receipt == DeliveryReport.DELIVERED and (
        sent is None or sent["state"] == DeliveryReport.DELIVERED
    )


async def _pushes(
    report: "CheckReport", rows: Sequence[NoticeRow], settings: Settings, evidence: Evidence
) -> None:
    """Compare push messages. One that replaces another of its topic counts as a second one."""
    received = await _kept_by(settings.push_url)
    pushes = {row.notice.id.hex: row for row in rows}
    came: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for one in received:
        came[one["topic"]].append(one)
    ended = {evidence.browsers[name] for name in evidence.gone}
    for topic, row in pushes.items():
        person_id = row.notice.person_id
        owners = {evidence.browsers.get(one["subscription"]) for one in came[topic]}
        report.compare(CHECK, owners <= {person_id}, f"{row}, and came to somebody else")
        if row.state == NoticeState.TOLD:
            report.compare(CHECK, bool(owners), f"{row}, and did not come")
        elif row.state == NoticeState.FAILED:
            true = person_id in ended
            report.compare(CHECK, true, f"{row}, and the person's browsers are all there")
        else:
            report.compare(CHECK, row.state == NoticeState.SUPERSEDED, f"{row}")
    strange = {one["topic"] for one in received} - set(pushes)
    report.compare(CHECK, not strange, f"{len(strange)} pushes tell of nothing that is kept")
    unsaid = sum(one["unsaid"] for one in received)
    # A sender that was interrupted sends to all browsers of the person once more.
    doubled = sum(
        max([0, *(one["copies"] - 1 - one["unsaid"] for one in found)]) for found in came.values()
    )
    allowed = evidence.sender_interrupted
    report.compare(CHECK, doubled <= allowed, f"{doubled} pushes came twice, {allowed} are excused")
    report.notes.append(
        f"push:  {len(pushes)} rows, {len(received)} received, {doubled} of them twice"
        f" ({allowed} interruptions of the sender), {unsaid} again after a lost answer;"
        f" {len(evidence.gone)} browsers gone"
    )


async def _kept_by(address: str) -> list[dict[str, Any]]:
    """The messages that a server has received."""
    async with httpx.AsyncClient(trust_env=False, timeout=20) as http:
        answer = await http.get(f"{address}/messages")
    found: list[dict[str, Any]] = answer.raise_for_status().json()
    return found
