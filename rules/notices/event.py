"""What an event says to whom, by which channels: the shape of all of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from rules.notices.kinds import Channel, NoticeGroup, NoticeKind, RecipientRole

ALL_CHANNELS = (Channel.CABINET, Channel.MAIL, Channel.SMS, Channel.PUSH)

_GROUP_OF: Mapping[RecipientRole, NoticeGroup] = {
    RecipientRole.APPLICANT: NoticeGroup.CASES,
    RecipientRole.REVIEWER: NoticeGroup.REVIEW,
    RecipientRole.PARTNER: NoticeGroup.COMMENTS,
    RecipientRole.ACCOUNT: NoticeGroup.SERVICE,
    RecipientRole.OPS: NoticeGroup.OPERATION,
    RecipientRole.OPERATOR: NoticeGroup.REVIEW,
    RecipientRole.SECURITY: NoticeGroup.SECURITY,
    RecipientRole.ADMINISTRATOR: NoticeGroup.OPERATION,
}


@dataclass(frozen=True)
class Event:
    """How one kind of event is told.

    `delay` holds the message back, because an event of kind `superseded_by` normally follows within
    moments and says more: one message then covers both. `path` is filled with `case_id` and the
    facts. Messages of a `security` event cannot be turned off and wait neither for quiet hours nor
    for a digest.
    """

    audience: RecipientRole
    title: str
    text: str
    then: str
    channels: tuple[Channel, ...] = ALL_CHANNELS
    path: str = "/cases/%(case_id)s"
    link: str = "Открыть заявку"
    about: NoticeGroup | None = None
    superseded_by: "NoticeKind | None" = None
    delay: timedelta = timedelta(0)

    @property
    def group(self) -> NoticeGroup:
        """The group whose channels it uses: `about` if given, otherwise that of the audience."""
        return self.about or _GROUP_OF[self.audience]

    @property
    def security(self) -> bool:
        """Whether it concerns the safety of the account."""
        return self.group is NoticeGroup.SECURITY
