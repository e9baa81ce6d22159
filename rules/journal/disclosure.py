"""Which entries of a case's journal each audience may see, and which keys of them.

Everything that shows the journal of a case asks `disclosed`: pages, the JSON API, papers, archive
files. A row of the table names kinds of entry, audiences, and the keys of facts and contents that
these audiences may see. An entry of a kind that no row names for an audience is not shown to it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from rules.journal.entries import JournalKind as K


class Audience(StrEnum):
    """In what capacity a person looks at a case. On another's case one person may have several."""

    APPLICANT = "applicant"
    """The case is theirs. On their own case people have no other capacity, whatever their roles."""
    REVIEWER = "reviewer"
    """Reviews cases of the responsible unit, or answers its requests."""
    UNIT_HEAD = "unit_head"
    """Sees the cases of the applicant's unit, but takes no part in their review."""
    KEEPER = "keeper"
    """Decides how long closed cases of the responsible unit are kept."""
    AUDITOR = "auditor"
    """Reads, for a limited time, whatever any of the others may see."""


@dataclass(frozen=True)
class Disclosure:
    """Which keys of an entry are shown, and whether the name of the person who acted is."""

    facts: frozenset[str]
    contents: frozenset[str]
    names: bool


@dataclass(frozen=True)
class Disclosed:
    """What remains of an entry once everything that must not be shown is removed."""

    facts: Mapping[str, Any]
    contents: Mapping[str, Any] | None
    names: bool


@dataclass(frozen=True)
class _Row:
    kinds: tuple[K, ...]
    to: tuple[Audience, ...]
    facts: str = ""
    contents: str = ""
    names: bool = True
    internal: bool = False
    """Whether the row is about entries marked as internal by their facts, or about the others."""


_COLLEAGUES = (Audience.REVIEWER,)
_ALL = (Audience.APPLICANT, Audience.UNIT_HEAD, Audience.REVIEWER)
_MOVE = "number from to waits_for due_at version"

_ROWS = (
    _Row((K.CASE_DRAFTED,), _ALL),
    _Row((K.CASE_COPIED,), _ALL, facts="copied_from"),
    _Row(
        (K.CASE_SUBMITTED, K.CASE_RESUBMITTED, K.CASE_CORRECTED),
        _ALL,
        facts=f"{_MOVE} version_digest proposed",
    ),
    _Row((K.CASE_WITHDRAWN,), _ALL, facts=f"{_MOVE} draft", contents="reason"),
    _Row((K.CASE_LAPSED,), _ALL, facts=_MOVE),
    _Row((K.CASE_CHECKED, K.CASE_CHECK_FAILED, K.CASE_CHECKLIST_ANSWERED), _ALL),
    _Row((K.CASE_REGISTER_DOWN, K.CASE_REGISTER_BACK), _ALL, facts="number"),
    _Row((K.CASE_REVIEW_OPENED,), _ALL, facts=f"{_MOVE} findings"),
    _Row((K.CASE_REVIEW_OPENED,), _COLLEAGUES, facts="reviewer stands_in_for"),
    _Row((K.CASE_ASSIGNED, K.CASE_TAKEN, K.CASE_HANDED_OVER, K.CASE_MOVED), _ALL),
    _Row((K.CASE_ASSIGNED,), _COLLEAGUES, facts="from to stands_in_for"),
    _Row((K.CASE_TAKEN, K.CASE_HANDED_OVER), _COLLEAGUES, facts="from to"),
    # The form of a handover says that only colleagues will see the reason.
    _Row((K.CASE_HANDED_OVER,), _COLLEAGUES, contents="reason"),
    _Row((K.CASE_REMINDED, K.CASE_ESCALATED), _ALL, facts="alarm"),
    _Row((K.CASE_REMINDED, K.CASE_ESCALATED), _COLLEAGUES, facts="told"),
    _Row(
        (K.CASE_APPROVED, K.CASE_CLARIFICATION_ASKED, K.CASE_REJECTED, K.CASE_CONFIRMED),
        _ALL,
        facts=f"{_MOVE} checklist",
        contents="reason remarks",
    ),
    _Row((K.VERIFICATION_CONFIRMED,), _ALL, facts=_MOVE),
    _Row((K.CASE_CONFIRMATION_LAPSED,), _ALL, facts=_MOVE),
    _Row((K.CASE_COMMENTED,), _ALL, facts="comment internal files", contents="text files"),
    _Row(
        (K.CASE_COMMENTED,),
        _COLLEAGUES,
        facts="comment internal files",
        contents="text files",
        internal=True,
    ),
    _Row((K.CASE_ACT_ISSUED,), _ALL, facts=f"{_MOVE} act sha256"),
    _Row((K.CENTRE_DOWN,), _ALL, facts="number"),
    _Row((K.CENTRE_FORWARDED,), _ALL, facts=f"{_MOVE} sha256 pages package"),
    _Row((K.CENTRE_PASSED_ON,), _ALL, facts=_MOVE),
    _Row(
        (K.CENTRE_ASKED, K.CENTRE_RETURNED, K.CENTRE_REFUSED, K.CENTRE_ACCREDITED),
        _ALL,
        facts=f"{_MOVE} package",
        contents="reason number decided_on valid_until",
    ),
    # Acts of administrators and keepers of the archive: applicants see the act, not the name.
    _Row((K.CASE_TYPE_CHANGED,), _ALL, facts="from to due_before due", names=False),
    _Row((K.CASE_TYPE_CHANGED,), _COLLEAGUES, facts="change"),
    _Row((K.CASE_ERASED,), _ALL, facts="ground objects", names=False),
    _Row((K.CASE_ERASED,), _COLLEAGUES),
    _Row((K.CONTENTS_ERASED,), _ALL, facts="position ground", names=False),
    _Row(
        (K.CASE_KEPT_LONGER, K.CASE_HELD, K.CASE_RELEASED),
        _COLLEAGUES,
        facts="until",
        names=False,
        internal=True,
    ),
    _Row(
        (K.CASE_KEPT_LONGER, K.CASE_HELD, K.CASE_RELEASED),
        (Audience.KEEPER,),
        facts="until",
        contents="reason",
        internal=True,
    ),
    _Row((K.CASE_ACT_DOWNLOADED, K.CASE_RECEIPT_ISSUED), _COLLEAGUES),
    _Row((K.CASE_EXPORTED,), _COLLEAGUES, facts="files"),
    _Row((K.CASE_SIGNAL_WITHOUT_ACT,), _COLLEAGUES, facts="signal act"),
    _Row((K.CASE_STUCK,), _COLLEAGUES, facts="activity error"),
    _Row((K.CASE_BEGUN_ANEW,), _COLLEAGUES, facts="rings"),
    _Row((K.REQUEST_SENT,), _ALL, facts=f"{_MOVE} sha256 service message"),
    _Row((K.REQUEST_SENT,), _COLLEAGUES, facts="reviewer stands_in_for"),
    _Row(
        (K.REQUEST_ANSWERED,),
        _ALL,
        facts=f"{_MOVE} answer envelope_sha256 signer_serial",
        contents="message file",
    ),
    _Row(
        (K.REQUEST_REFUSED,),
        _ALL,
        facts=f"{_MOVE} answer envelope_sha256 signer_serial",
        contents="reason",
    ),
    _Row((K.REQUEST_ADDRESSEE_DOWN,), _ALL, facts="number"),
    _Row((K.REQUEST_WITHDRAWAL_TOLD,), _ALL, facts="version state"),
    _Row((K.REQUEST_ODD_RECEIPT,), _COLLEAGUES, facts="version state why digest"),
    _Row((K.REQUEST_ANSWER_UNVERIFIED,), _COLLEAGUES, facts="version code digest"),
)


def _table() -> Mapping[tuple[str, bool, Audience], Disclosure]:
    """The rows by kind, internal mark and audience. Rows about the same three are united."""
    table: dict[tuple[str, bool, Audience], Disclosure] = {}
    for row in _ROWS:
        facts, contents = frozenset(row.facts.split()), frozenset(row.contents.split())
        for kind in row.kinds:
            for audience in (*row.to, Audience.AUDITOR):
                key = (kind.value, row.internal, audience)
                known = table.get(key)
                table[key] = (
                    Disclosure(facts, contents, row.names)
                    if known is None
                    else Disclosure(
                        known.facts | facts, known.contents | contents, known.names or row.names
                    )
                )
    return table


DISCLOSURES: Mapping[tuple[str, bool, Audience], Disclosure] = _table()
"""By kind of entry, whether its facts mark it as internal, and audience."""


def disclosed(
    kind: str, facts: Mapping[str, Any], contents: Any, to: Iterable[Audience]
) -> Disclosed | None:
    """What the audiences together may see of an entry; None if they may not see it at all."""
    internal = bool(facts.get("internal"))
    rows = [row for one in to if (row := DISCLOSURES.get((kind, internal, one))) is not None]
    if not rows:
        return None
    shown_facts = frozenset().union(*(row.facts for row in rows))
    shown_contents = frozenset().union(*(row.contents for row in rows))
    given = contents if isinstance(contents, Mapping) else {}
    return Disclosed(
        facts={key: value for key, value in facts.items() if key in shown_facts},
        contents={key: value for key, value in given.items() if key in shown_contents} or None,
        names=any(row.names for row in rows),
    )


OF_CREDENTIAL: Mapping[str, frozenset[str]] = {
    kind.value: frozenset(contents)
    for kind, contents in (
        (K.CREDENTIAL_ADDED, ()),
        (K.CREDENTIAL_UPDATED, ()),
        (K.CREDENTIAL_CORRECTED, ("reason",)),
        (K.CREDENTIAL_ACCEPTED, ()),
        (K.CREDENTIAL_CONFIRMED, ()),
        (K.CREDENTIAL_REPLACED, ()),
        (K.CREDENTIAL_STANDS_AGAIN, ()),
        (K.CREDENTIAL_WITHDRAWN, ("reason",)),
        (K.CREDENTIAL_REMINDED, ()),
        (K.CREDENTIAL_EXPIRED, ()),
        (K.CREDENTIAL_RENEWAL_OPENED, ()),
        (K.CREDENTIAL_RENEWAL_CLOSED, ()),
    )
}
"""What everybody who may see a credential reads of its journal: kinds, and the keys of contents."""
