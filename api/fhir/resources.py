"""Resources of FHIR R4, as JSON objects. Nothing is ever empty or null in them.

Source: HL7 FHIR 4.0.1, pages Practitioner, Bundle, OperationOutcome and CapabilityStatement.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi.encoders import jsonable_encoder

from api.http.problems import Problem
from rules.credentials.versions import OWN
from services.credentials.audience import Owner
from services.credentials.seen import CredentialSeen

Resource = dict[str, Any]

ROOT = "/fhir/r4"
SNILS = "urn:oid:1.2.643.100.3"
"""The system of identifiers that are SNILS numbers."""
SOURCE = "urn:medcab:fhir:qualification-source"
CONFIRMED = "urn:medcab:fhir:qualification-confirmed"
"""Extensions of a qualification: who stated it, and when personnel saw the original."""
DEFINED_ON = "2026-11-30"
"""When what `capabilities` says changed last."""


def practitioner(owner: Owner, credentials: Sequence[CredentialSeen], public_url: str) -> Resource:
    """A person with the credentials that stand, each as its current version says.

    Neither SNILS nor contacts are in it: whoever searches by SNILS knows it already.
    """
    standing = [qualification(one, public_url) for one in credentials if one.stands]
    return {
        "resourceType": "Practitioner",
        "id": str(owner.id),
        "language": "ru",
        "active": not owner.left,
        "name": [{"text": owner.name}],
        **({"qualification": standing} if standing else {}),
    }


def qualification(one: CredentialSeen, public_url: str) -> Resource:
    """A credential. Its last day belongs to its period, here as there."""
    category = one.category
    days = {"start": one.issued_on, "end": one.valid_until}
    period = {name: day.isoformat() for name, day in days.items() if day is not None}
    found: Resource = {
        "id": str(one.id),
        "extension": [{"url": SOURCE, "valueCode": one.current.source}],
        "code": {
            "coding": [
                {
                    "system": f"{public_url}/api/v1/credentials/categories",
                    "version": str(category.version),
                    "code": category.key,
                    "display": category.title,
                }
            ],
            "text": f"{category.title}: {one.about}" if one.about else category.title,
        },
    }
    if one.current.confirmed_at is not None:
        moment = one.current.confirmed_at.isoformat(timespec="seconds")
        found["extension"].append({"url": CONFIRMED, "valueDateTime": moment})
    if one.number:
        found["identifier"] = [{"value": one.number}]
    if period:
        found["period"] = period
    if one.issuer:
        found["issuer"] = {"display": one.issuer}
    return found


def search_result(found: Sequence[Resource], public_url: str) -> Resource:
    """What a search has found. Its own link leaves the identifier out: addresses are logged."""
    base = f"{public_url}{ROOT}/Practitioner"
    entries = [
        {"fullUrl": f"{base}/{one['id']}", "resource": one, "search": {"mode": "match"}}
        for one in found
    ]
    return {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": len(found),
        "link": [{"relation": "self", "url": f"{base}/_search"}],
        **({"entry": entries} if entries else {}),
    }


_ISSUES: Mapping[int, str] = {
    401: "login",
    403: "forbidden",
    404: "not-found",
    405: "not-supported",
    408: "timeout",
    409: "conflict",
    413: "too-long",
    415: "not-supported",
    429: "throttled",
    503: "transient",
}
"""By status of HTTP, words of the value set IssueType."""


def outcome(problem: Problem, title: str, fields: Sequence[tuple[str, str]]) -> Resource:
    """An error: an issue, or one for each field. Titles and fields are in the reader's words."""
    broken = problem.status >= 500
    code = _ISSUES.get(problem.status, "exception" if broken else "invalid")
    coding = [{"system": "urn:medcab:problem", "code": problem.code}]
    facts = json.dumps(jsonable_encoder(dict(problem.facts))) if problem.facts else ""
    told = [*fields] or [(problem.instance or facts, title)]
    return {
        "resourceType": "OperationOutcome",
        "issue": [
            {
                "severity": "fatal" if code == "exception" else "error",
                "code": code,
                "details": {"coding": coding, "text": words},
                **({"diagnostics": where} if where else {}),
            }
            for where, words in told
        ],
    }


def capabilities(public_url: str) -> Resource:
    """What can be asked here."""
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": DEFINED_ON,
        "kind": "instance",
        "software": {"name": "Medcab"},
        "implementation": {
            "description": "Qualification of the people of this institution",
            "url": f"{public_url}{ROOT}",
        },
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json"],
        "rest": [
            {
                "mode": "server",
                "security": {
                    "description": "An access token as a bearer token, with the permission"
                    " view_credentials in the unit of the person. Views are recorded."
                },
                "resource": [
                    {
                        "type": "Practitioner",
                        "documentation": "Searched by POST only: identifiers of people do not"
                        f" belong in addresses. Qualifications bear the extensions {SOURCE}"
                        f" ({OWN}: as the person stated it, or the name of a register) and"
                        f" {CONFIRMED} (when personnel saw the original).",
                        "interaction": [{"code": "read"}, {"code": "search-type"}],
                        "versioning": "no-version",
                        "searchParam": [
                            {
                                "name": "identifier",
                                "type": "token",
                                "documentation": f"A SNILS: {SNILS}|12345678901",
                            }
                        ],
                    }
                ],
            }
        ],
    }
