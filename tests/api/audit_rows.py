"""The access table of the audit, API and pages. See `access.Row`."""

from rules.access import Role
from tests.api.access import (
    ADMINISTRATOR,
    EVERYBODY,
    JOURNAL_READERS,
    NOBODY,
    PEOPLE,
    SECURITY,
    UNIT_HEAD,
    Row,
    body,
    form,
    query,
)

AUDITOR = frozenset({Role.AUDITOR})
AUDITS = (NOBODY, AUDITOR, AUDITOR)
"""Nobody audits the own case."""
SEES_RIGHTS = (EVERYBODY, PEOPLE | AUDITOR, PEOPLE | AUDITOR)

AUDIT_ROWS: dict[str, Row] = {
    "GET /api/v1/journal/own": Row("signed_in", EVERYBODY),
    "GET /api/v1/journal/entries": Row("read_journal", JOURNAL_READERS),
    "GET /api/v1/journal/self-check": Row("read_journal", JOURNAL_READERS),
    "GET /api/v1/course": Row("session", EVERYBODY),
    "POST /api/v1/course": Row("session", EVERYBODY, send=body(version=1, answers={})),
    "GET /api/v1/course/overdue": Row("oversee_course", SECURITY | UNIT_HEAD),
    "GET /api/v1/audit/cases": Row("audit_cases", AUDITOR, send=query(number="нет")),
    "GET /api/v1/audit/cases/{case_id}": Row("signed_in", *AUDITS),
    "GET /api/v1/cases/{case_id}/at/{position}": Row("signed_in", *AUDITS),
    "GET /api/v1/people/{person_id}/rights": Row("signed_in", *SEES_RIGHTS),
}

AUDIT_PAGES: dict[str, Row] = {
    "GET /profile/log": Row("session", EVERYBODY),
    "GET /journal/self-check": Row("session", JOURNAL_READERS),
    "GET /administration/norms": Row("session", JOURNAL_READERS | ADMINISTRATOR),
    "GET /course": Row("session", EVERYBODY),
    "POST /course": Row("session", EVERYBODY, send=form(version="1")),
    "GET /course/overdue": Row("session", SECURITY | UNIT_HEAD),
    "POST /course/overdue/file": Row("session", SECURITY | UNIT_HEAD),
    "GET /audit": Row("session", AUDITOR),
    "GET /audit/cases/{case_id}": Row("session", *AUDITS),
    "GET /audit/cases/{case_id}/at/{position}": Row("session", *AUDITS),
    "GET /people/{person_id}/rights": Row("session", *SEES_RIGHTS),
    "GET /journal/search": Row("session", JOURNAL_READERS),
    "POST /journal/search/file": Row(
        "session", JOURNAL_READERS, send=form(query="?tag=account:session:open")
    ),
}
