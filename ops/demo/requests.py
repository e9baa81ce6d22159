"""Requests: a certificate of a state service, sent twice; equipment, answered by a unit."""

import io
import json
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import pikepdf

from ops.demo.story import Demo, DemoUser, Unexpected, values_for

CERTIFICATE = {
    "birth_date": "04.12.1985",
    "patient_id": "5400 0000 0000 0005",
    "vaccine": "influenza",
    "purpose": "В отдел кадров",
    "data_consent": True,
}


class RequestDemo:
    """What a clinician asks of the state and of the hospital."""

    def __init__(self, story: Demo, clinician: DemoUser, clerk: DemoUser) -> None:
        self.story = story
        self.clinician = clinician
        self.clerk = clerk

    def tell(self) -> tuple[str, str]:
        """A certificate, answered twice, and equipment, answered by people: the ids of both."""
        types = {one["key"]: one for one in self.clinician.call("GET", "/request-types")}
        self.story.say(f"{len(types)} kinds of requests may be sent")
        certificate = self._certificate(types["vaccination_certificate"])
        return certificate, self._equipment(types["equipment"])

    def _certificate(self, kind: Mapping[str, Any]) -> str:
        asked = values_for(kind["definition"], CERTIFICATE)
        case_id, case = self._sent(kind, asked, wrong={"birth_date": "31.02.1985"})
        self.story.until(
            "the acknowledgement of the gov service",
            lambda: self._look(case_id),
            lambda seen: seen["status"] in ("processing", "ready"),
        )
        self.story.say(f"signed, encrypted and acknowledged by «{kind['recipient']}»", case)
        ready = self._answered(case_id, 1)
        document = self.clinician.call("GET", f"/requests/{case_id}/document")
        with pikepdf.open(io.BytesIO(document)) as pdf:
            inside = json.loads(next(iter(pdf.attachments.values())).get_file().read_bytes())
        self.story.same(inside["number"], ready["number"], "the document carries its own data")
        self.story.say("the request is a PDF/A with its data inside", ready)
        again = {**asked, "vaccine": "all"}
        self.clinician.call("PUT", f"/requests/{case_id}/draft", json={"data": again})
        state = self.clinician.act(f"/requests/{case_id}/correct", {"step": ready["step"]})
        self.story.say("corrected and sent again after the answer", state)
        self._answered(case_id, 2)
        first = self.clinician.call("GET", f"/requests/{case_id}/answer/1?version=1")
        self.story.same(first[:5], b"%PDF-", "the earlier answer stays")
        self.story.say("both versions and both answers are kept")
        return case_id

    def _equipment(self, kind: Mapping[str, Any]) -> str:
        case_id, case = self._sent(kind, values_for(kind["definition"], {}))
        case = self.story.stands(self.clinician, case_id, "processing", "/requests")
        queue = self.clerk.call("GET", "/desk", params={"number": case["number"]})["items"]
        self.story.same([one["id"] for one in queue], [case_id], "the request lies on the desk")
        self.story.say(f"lies on the desk of «{case['responsible_unit']}»", case)
        answer = {"step": case["step"], "message": "Выдадим со склада 1 декабря."}
        state = self.clerk.act(f"/requests/{case_id}/answer", answer)
        self.story.say(f"{self.clerk.name} answers", state)
        [seen] = self._look(case_id)["answers"]
        self.story.same(seen["message"], answer["message"], "the applicant reads the answer")
        return case_id

    def _sent(
        self,
        kind: Mapping[str, Any],
        data: Mapping[str, Any],
        wrong: Mapping[str, Any] | None = None,
    ) -> tuple[str, Any]:
        draft = self.clinician.call("POST", "/requests", 201, json={"type": kind["key"]})
        path = f"/requests/{draft['id']}"
        if wrong is not None:
            kept = self.clinician.call("PUT", f"{path}/draft", json={"data": {**data, **wrong}})
            self.story.same([e["field"] for e in kept["errors"]], [*wrong], "mistakes are named")
            self.story.say("a wrong value is kept as typed; the answer says what to write")
        kept = self.clinician.call("PUT", f"{path}/draft", json={"data": dict(data)})
        self.story.same(kept["errors"], [], "the draft has no errors")
        key = str(uuid4())
        first = self.clinician.act(f"{path}/submit", {"step": 0}, key=key)
        again = self.clinician.act(f"{path}/submit", {"step": 0}, key=key)
        self.story.same(first["number"], again["number"], "a double click gives the same number")
        self.story.say(f"«{kind['title']}» is sent; a double click gave the same answer", first)
        return draft["id"], self._look(draft["id"])

    def _answered(self, case_id: str, version: int) -> Any:
        case = self.story.stands(self.clinician, case_id, "ready", "/requests")
        answer = next(one for one in case["answers"] if one["version"] == version)
        if not answer["signer"]:
            raise Unexpected("the answer bears no verified signature")
        file = self.clinician.call("GET", f"/requests/{case_id}/answer/1?version={version}")
        self.story.same(file[:5], b"%PDF-", "the answer is a PDF")
        self.story.say(f"answered, signed by {answer['signer']}, {len(file)} bytes", case)
        return case

    def _look(self, case_id: str) -> Any:
        return self.clinician.call("GET", f"/requests/{case_id}")
