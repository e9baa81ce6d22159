"""The table of bad inputs: what is bad, who sends it where, and with which status it is refused."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from api.http.body_limits import FORM
from tests.shared.desk import cursor, key, raw

NOBODYS = "0192f0c1-2d3e-7a4b-8c5d-6e7f8a9b0c1d"
JSON = {"Content-Type": "application/json"}
PDF = {"Content-Type": "application/pdf"}
NOBODYS_PAPER = {"kind": "diploma", "document_version_id": NOBODYS}
Send = Callable[[Mapping[str, str]], dict[str, Any]]


@dataclass(frozen=True)
class Bad:
    """One bad request: who sends it, where, what, and how it is refused."""

    who: str
    route: str
    send: Send | dict[str, Any] = field(default_factory=dict)
    status: int = 422


def clinician(route: str, status: int = 422, /, **send: Any) -> Bad:
    """Sent by the applicant."""
    return Bad("clinician", route, send, status)


def reviewer(route: str, status: int = 422, /, **send: Any) -> Bad:
    """Sent by a reviewer."""
    return Bad("reviewer", route, send, status)


def act(body: Any) -> dict[str, Any]:
    """An act with an id of its own."""
    return {"json": body, "headers": key()}


def decision(**changes: Any) -> dict[str, Any]:
    """A decision that would be taken but for the changes."""
    return raw({"step": 2, "outcome": "reject", "reason": "Причина решения.", **changes})


DRAFT = "PUT /applications/{draft}/draft"
SUBMIT = "POST /applications/{draft}/submit"
DECIDE = "POST /applications/{case}/decision"
COMMENT = "POST /applications/{case}/comments"
WITHDRAW = "POST /applications/{case}/withdraw"
SEVERAL = "POST /desk/decisions"
DEEP = "[" * 300 + "]" * 300

BAD: dict[str, Bad] = {
    # What stands in the address.
    "an id that is none": clinician("GET /applications/1"),
    "an id with a NUL": clinician("GET /applications/%00", 400),
    "an id of nothing": clinician(f"GET /applications/{NOBODYS}", 404),
    "a path that climbs": clinician("GET /applications/..%2f..%2fsettings.py", 404),
    "a filter that is no status": clinician("GET /applications?status=gone"),
    "a filter by a type with a NUL": clinician("GET /applications?type=%00", 400),
    "a number that is none": clinician("GET /applications?number=DROP TABLE"),
    "a number with a wrong check digit": clinician("GET /applications?number=ПК-2026-000001-8"),
    "a number that is endless": clinician("GET /applications?number=" + "9" * 3000),
    "a date that is none": clinician("GET /applications?submitted_from=вчера"),
    "a date without a zone": clinician("GET /applications?submitted_from=2026-01-01"),
    "a day of requests without a zone": clinician("GET /requests?submitted_until=2026-01-01T10:00"),
    "a day of the archive without a zone": clinician("GET /archive?submitted_from=2026-01-01"),
    "words of the archive without end": clinician("GET /archive?text=" + "a+" * 1500),
    "an export of words without end": clinician(
        "POST /archive/exports", json={"text": "a " * 5_000}
    ),
    "an export since a day without a zone": clinician(
        "POST /archive/exports", json={"submitted_from": "2026-01-01"}
    ),
    "a page of none": clinician("GET /applications?limit=0"),
    "a page of too many": clinician("GET /applications?limit=100000"),
    "a cursor that is none": clinician("GET /applications?after=%%%"),
    "a cursor of other letters": clinician("GET /applications?after=далее"),
    "a cursor without a zone": clinician(
        f"GET /applications?after={cursor(f'2026-01-01T00:00:00|{NOBODYS}')}"
    ),
    "a cursor of a zone that is none": clinician(
        f"GET /applications?after={cursor(f'2026-01-01T00:00:00+00:00:30.000001|{NOBODYS}')}"
    ),
    "a cursor without an id": clinician(
        f"GET /applications?after={cursor('2026-01-01T00:00:00+00:00|')}"
    ),
    "an endless cursor": clinician("GET /applications?after=" + "A" * 20_000),
    "a desk cursor that is none": reviewer("GET /desk?after=abc"),
    "an order that is none": reviewer("GET /desk?order=random"),
    "a reviewer that is none": reviewer("GET /desk?reviewer=me' or 1=1"),
    "a method that is none": clinician("PATCH /applications/{case}", 405),
    # Who and how.
    "no key": Bad("clinician", SUBMIT, {"json": {"step": 0}}),
    "a key that is none": Bad(
        "clinician", SUBMIT, {"json": {"step": 0}, "headers": {"Idempotency-Key": "1"}}
    ),
    "an empty key": Bad(
        "clinician", SUBMIT, {"json": {"step": 0}, "headers": {"Idempotency-Key": ""}}
    ),
    "an endless key": Bad(
        "clinician", SUBMIT, {"json": {"step": 0}, "headers": {"Idempotency-Key": "a" * 5000}}
    ),
    # Bodies.
    "no body": Bad("clinician", SUBMIT, {"headers": key()}),
    "a body that is no JSON": Bad("clinician", DRAFT, {"content": b"{", "headers": JSON}),
    "a body that is no text": Bad(
        "clinician", DRAFT, {"content": b"\xff\xfe\x00", "headers": JSON}, 400
    ),
    "a body that is a form": Bad("clinician", DRAFT, {"data": {"data": "1"}}),
    "a body of another type": Bad(
        "clinician", DRAFT, {"content": b"<a/>", "headers": {"Content-Type": "text/xml"}}
    ),
    "a list for an object": clinician(DRAFT, json=[]),
    "a body without end": clinician(DRAFT, 413, content=b" " * (FORM + 1), headers=JSON),
    "a body nested without end": clinician(DRAFT, 400, content=b"[" * 100_000, headers=JSON),
    "a body nested deep": clinician(
        DRAFT, content=b'{"data":{"purpose":' + DEEP.encode() + b"}}", headers=JSON
    ),
    "a number without end": clinician(
        DRAFT, 400, content=b'{"data":{"purpose":' + b"9" * 5000 + b"}}", headers=JSON
    ),
    # Drafts.
    "data that is a list": clinician(DRAFT, json={"data": [1]}),
    "a list in a field": clinician(DRAFT, json={"data": {"purpose": ["a"]}}),
    "an object in a field": clinician(DRAFT, json={"data": {"purpose": {"$gt": ""}}}),
    "a fraction in a field": clinician(DRAFT, json={"data": {"hours": 1.5}}),
    "what is not a number": clinician(DRAFT, content=b'{"data":{"hours":NaN}}', headers=JSON),
    "half a character in a field": Bad("clinician", DRAFT, raw({"data": {"purpose": "\ud800"}})),
    "half a character in a name": Bad("clinician", DRAFT, raw({"data": {"\ud800": "x"}})),
    "a NUL in a field": Bad("clinician", DRAFT, raw({"data": {"purpose": "a\x00b"}})),
    "attachments that are text": clinician(DRAFT, json={"attachments": "diploma"}),
    "too many attachments": clinician(DRAFT, json={"attachments": [NOBODYS_PAPER] * 31}),
    "an attachment of nobody's": clinician(DRAFT, json={"attachments": [NOBODYS_PAPER]}),
    "an attachment of another's": Bad(
        "clinician",
        DRAFT,
        lambda ids: {
            "json": {
                "attachments": [{"kind": "diploma", "document_version_id": ids["others_paper"]}]
            }
        },
    ),
    "an attachment of an endless kind": clinician(
        DRAFT, json={"attachments": [{"kind": "d" * 65, "document_version_id": NOBODYS}]}
    ),
    "a programme that is none": clinician("POST /applications", json={"programme_id": "1"}),
    "a programme of nobody's": clinician("POST /applications", 404, json={"programme_id": NOBODYS}),
    "a draft of another's": Bad("reviewer", DRAFT, {"json": {"data": {"purpose": "x"}}}, 404),
    # Steps.
    "a step below none": Bad("clinician", SUBMIT, act({"step": -1})),
    "a step that is a fraction": Bad("clinician", SUBMIT, act({"step": 0.5})),
    "a step that is text": Bad("clinician", SUBMIT, act({"step": "первый"})),
    "a step that is null": Bad("clinician", SUBMIT, act({"step": None})),
    "a step beyond the database": Bad("clinician", SUBMIT, act({"step": 2**31})),
    "a step beyond all numbers": Bad("clinician", SUBMIT, act({"step": 2**64})),
    "a step that never was": Bad("clinician", WITHDRAW, act({"step": 999}), 409),
    "an empty draft": Bad("clinician", "POST /applications/{empty}/submit", act({"step": 0})),
    "a resubmission of a draft": Bad(
        "clinician", "POST /applications/{draft}/resubmit", act({"step": 0}), 409
    ),
    "an endless reason to withdraw": Bad(
        "clinician", WITHDRAW, act({"step": 2, "reason": "я" * 4001})
    ),
    "a copy of an open case": clinician("POST /applications/{case}/copy", 409),
    # Decisions.
    "an outcome that is none": Bad("reviewer", DECIDE, decision(outcome="submit")),
    "an outcome of the workflow's": Bad("reviewer", DECIDE, decision(outcome="issue_act")),
    "no reason": Bad("reviewer", DECIDE, decision(reason="")),
    "a reason of spaces": Bad("reviewer", DECIDE, decision(reason="  \n ")),
    "a reason without end": Bad("reviewer", DECIDE, decision(reason="я" * 4001)),
    "a reason of five megabytes": Bad("reviewer", DECIDE, decision(reason="x" * 5_000_000), 413),
    "half a character in a reason": Bad("reviewer", DECIDE, decision(reason="Причина \udfff")),
    "a NUL in a reason": Bad("reviewer", DECIDE, decision(reason="Причина \x00")),
    "a remark to no field": Bad(
        "reviewer", DECIDE, decision(outcome="clarify", remarks={"salary": "мало"})
    ),
    "a remark without end": Bad(
        "reviewer", DECIDE, decision(outcome="clarify", remarks={"purpose": "я" * 4001})
    ),
    "a remark that is empty": Bad(
        "reviewer", DECIDE, decision(outcome="clarify", remarks={"purpose": " "})
    ),
    "a remark that is a list": Bad(
        "reviewer", DECIDE, decision(outcome="clarify", remarks={"purpose": ["x"]})
    ),
    "half a character in a remark's name": Bad(
        "reviewer", DECIDE, decision(remarks={"\ud800": "x"})
    ),
    "a clarification of nothing": Bad("reviewer", DECIDE, decision(outcome="clarify")),
    "an answer to no question": Bad("reviewer", DECIDE, decision(checklist={"rich": True})),
    "an answer that is no yes": Bad("reviewer", DECIDE, decision(checklist={"rich": "maybe"})),
    "an approval with nothing checked": Bad("reviewer", DECIDE, decision(outcome="approve")),
    "too many remarks": Bad(
        "reviewer", DECIDE, decision(remarks={str(n): "x" for n in range(2000)})
    ),
    "an old step": Bad("reviewer", DECIDE, decision(step=0), 409),
    "a decision on a draft": Bad(
        "reviewer", "POST /applications/{draft}/decision", decision(step=0), 404
    ),
    "a decision by the applicant": Bad("clinician", DECIDE, decision(), 403),
    "several that are none": Bad(
        "reviewer", SEVERAL, raw({"outcome": "reject", "reason": "Причина", "cases": []})
    ),
    "several beyond number": Bad(
        "reviewer",
        SEVERAL,
        raw(
            {
                "outcome": "reject",
                "reason": "Причина",
                "cases": [{"step": 0, "case_id": NOBODYS, "act_id": NOBODYS}] * 101,
            }
        ),
    ),
    # Comments, desk.
    "an empty comment": clinician(COMMENT, json={"text": "  "}),
    "a comment without end": clinician(COMMENT, json={"text": "я" * 4001}),
    "half a character in a comment": Bad("clinician", COMMENT, raw({"text": "\ud800"})),
    "a NUL in a comment": Bad("clinician", COMMENT, raw({"text": "a\x00"})),
    "an internal comment of the applicant's": clinician(
        COMMENT, 403, json={"text": "тайна", "internal": True}
    ),
    "handing over to nobody": reviewer(
        "POST /applications/{case}/hand-over", json={"step": 2, "to": "nobody"}
    ),
    "handing over to the applicant": Bad(
        "head",
        "POST /applications/{case}/hand-over",
        lambda ids: {"json": {"step": 2, "to": ids["applicant"]}},
        403,
    ),
    "an absence that ends before it begins": Bad(
        "reviewer",
        "POST /desk/absences",
        lambda ids: {
            "json": {
                "person_id": ids["reviewer"],
                "first_day": "2027-01-02",
                "last_day": "2027-01-01",
            }
        },
    ),
    "an absence of ages": Bad(
        "reviewer",
        "POST /desk/absences",
        lambda ids: {
            "json": {
                "person_id": ids["reviewer"],
                "first_day": "0001-01-01",
                "last_day": "9999-12-31",
            }
        },
    ),
    "one's own deputy": Bad(
        "reviewer",
        "POST /desk/absences",
        lambda ids: {
            "json": {
                "person_id": ids["reviewer"],
                "first_day": "2027-01-01",
                "last_day": "2027-01-02",
                "deputy_id": ids["reviewer"],
            }
        },
    ),
    # Documents, notices, catalogue.
    "a document of no category": clinician("POST /documents", content=b"%PDF-1.7", headers=PDF),
    "an endless file name": clinician(
        "POST /documents?category=diploma&file_name=" + "a" * 301, content=b"%PDF-1.7"
    ),
    "a page before the first": clinician("GET /documents/versions/{paper}/pages/0.png"),
    "a file of another's": clinician("GET /documents/versions/{others_paper}/file", 404),
    "notices of nobody's": Bad("clinician", "POST /notices/" + NOBODYS + "/resend", {}, 404),
    "too many notices": clinician("POST /notices/read", json={"ids": [NOBODYS] * 201}),
    **{
        f"a zone that is {name}": clinician("PUT /notices/wishes", json={"zone": zone})
        for name, zone in {
            "none": "Mars/Base",
            "a control sign": "Ê\x01",
            "a folder": "Europe",
            "a path": "/etc/passwd",
            "too long for a file's name": "Europe/" + "М" * 50,
        }.items()
    },
    "a programme cursor that is none": clinician("GET /programmes?after=AAAA"),
    "a programme search with a NUL": clinician("GET /programmes?text=%00", 400),
    "a type of case that is none": clinician("GET /case-types/..", 404),
    "a version of a type beyond number": clinician(
        f"GET /case-types/qualification?version={2**63}"
    ),
}
"""By what is bad about them."""
