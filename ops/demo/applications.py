"""An application, from the draft to the signed certificate, with acts that must be refused."""

import io
import time
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import httpx
import pikepdf

from crypto.front_door import believing
from ops.demo.story import Demo, DemoUser, Unexpected, paper, values_for
from services.dossier import receipt as receipts

ANSWERS = {
    "specialty": "cardiology",
    "education_level": "higher",
    "institution": "Первый медицинский университет",
    "graduation_year": 2012,
    "diploma_number": "107704 0012345",
    "purpose": "Нужны умения для работы в новом кабинете.",
    "payer": "employer",
    "data_consent": True,
    "truth_consent": True,
}


class ApplicationDemo:
    """What a clinician and a reviewer do with one application."""

    def __init__(self, story: Demo, clinician: DemoUser, reviewer: DemoUser) -> None:
        self.story = story
        self.clinician = clinician
        self.reviewer = reviewer

    def tell(self) -> None:
        """From the draft to the signed certificate."""
        clinician, reviewer = self.clinician, self.reviewer
        case_id, draft = self._draft(clinician)
        key = str(uuid4())
        path = f"/applications/{case_id}/submit"
        first = clinician.act(path, {"step": 0}, key=key)
        again = clinician.act(path, {"step": 0}, key=key)
        self.story.same(first["number"], again["number"], "a double click gives the same number")
        self.story.say("submitted; a double click gave the same answer", first)
        case = self.story.stands(clinician, case_id, "in_review")
        self.story.say(
            f"checked and handed to {case['responsible_unit']}, due {case['due_at']}", case
        )
        state = clinician.call("GET", f"/applications/{case_id}/state")
        self.story.same(state["live"], True, "the running workflow answers")
        self.story.say(
            f"the running case says: waits for {state['waits_for']} until {state['until']}"
        )
        clinician.act(
            f"/applications/{case_id}/decision",
            {"step": case["step"], "outcome": "approve", "reason": "Сам себе."},
            expect=403,
        )
        self.story.say("deciding on one's own application is refused")
        self._clarify(clinician, reviewer, case_id, case)
        self._approve(clinician, reviewer, case_id, draft)
        self._mails(case["number"])

    def _programme(self, clinician: DemoUser) -> tuple[Any, str]:
        """The first programme with an intake that takes applications, and when it begins."""
        today = time.strftime("%Y-%m-%d", time.gmtime())
        for line in clinician.call("GET", "/programmes")["items"]:
            programme = clinician.call("GET", f"/programmes/{line['id']}")
            if not programme["intakes"]:
                return programme, f"{time.gmtime().tm_year + 1}-03-01"
            for intake in programme["intakes"]:
                if intake["apply_until"] > today and intake["places_left"] != 0:
                    return programme, intake["starts_on"]
        raise Unexpected("no programme takes applications")

    def _draft(self, clinician: DemoUser) -> tuple[str, Any]:
        programme, starts_on = self._programme(clinician)
        draft = clinician.call("POST", "/applications", 201, json={"programme_id": programme["id"]})
        self.story.say(f"chooses «{programme['title']}», {programme['hours']} h, and gets a draft")
        case = clinician.call("GET", f"/applications/{draft['id']}")
        cited = []
        for rule in case["attachment_rules"]:
            if rule["required"] and not rule["waived_reason"]:
                given = clinician.call(
                    "POST",
                    "/documents",
                    201,
                    params={
                        "category": rule["kind"],
                        "title": rule["title"],
                        "file_name": f"{rule['kind']}.pdf",
                    },
                    content=paper(rule["title"]),
                    headers={"Content-Type": "application/pdf"},
                )
                version = given["version"]["id"]
                cited.append({"kind": rule["kind"], "document_version_id": version})
        self.story.say(f"gives {len(cited)} documents, each checked at once")
        kind = clinician.call("GET", f"/case-types/{case['type']}")
        answers = values_for(kind["definition"], {**ANSWERS, "starts_on": starts_on})
        kept = clinician.call(
            "PUT",
            f"/applications/{draft['id']}/draft",
            json={"data": answers, "attachments": cited},
        )
        self.story.same(kept["errors"], [], "the draft has no errors")
        return draft["id"], kept

    def _clarify(
        self, clinician: DemoUser, reviewer: DemoUser, case_id: str, case: Mapping[str, Any]
    ) -> None:
        queue = reviewer.call("GET", "/desk", params={"number": case["number"]})["items"]
        self.story.same([line["id"] for line in queue], [case_id], "the case lies in the queue")
        decision = {
            "step": case["step"],
            "outcome": "clarify",
            "reason": "Опишите цель обучения подробнее.",
            "remarks": {"purpose": "Какие умения нужны?"},
        }
        state = reviewer.act(f"/applications/{case_id}/decision", decision)
        self.story.say(f"{reviewer.name} asks for a clarification of one field", state)
        reviewer.act(f"/applications/{case_id}/decision", decision, expect=409)
        self.story.say("a second decision on the step that is over is refused")
        clinician.call(
            "PUT",
            f"/applications/{case_id}/draft",
            json={"data": {"purpose": "Эхокардиография плода: открываем кабинет."}},
        )
        state = clinician.act(f"/applications/{case_id}/resubmit", {"step": state["step"]})
        self.story.say("the applicant answers with a new version, which is checked again", state)

    def _approve(
        self, clinician: DemoUser, reviewer: DemoUser, case_id: str, draft: Mapping[str, Any]
    ) -> None:
        case = self.story.stands(reviewer, case_id, "in_review")
        changes = case["versions"][-1]["changes"]
        self.story.same(
            [c["field"] for c in changes], ["purpose"], "the reviewer sees what changed"
        )
        self.story.say("back on the desk with the difference between the versions", case)
        state = reviewer.act(
            f"/applications/{case_id}/decision",
            {
                "step": case["step"],
                "outcome": "approve",
                "reason": "Документы в порядке.",
                "checklist": {item["name"]: True for item in case["checklist"]},
            },
        )
        self.story.say(f"{reviewer.name} approves", state)
        case = self.story.until(
            "the act",
            lambda: clinician.call("GET", f"/applications/{case_id}"),
            lambda seen: bool(seen["act_number"]),
        )
        act = clinician.call("GET", f"/applications/{case_id}/act")
        self.story.same(act[:5], b"%PDF-", "the act is a PDF")
        self.story.say(
            f"the act {case['act_number']} is signed and downloaded, {len(act)} bytes", case
        )
        url = _link_of(act)
        verify = believing(self.story.settings.tls_authority)
        public = httpx.get(url, timeout=10, verify=verify)
        if public.status_code != 200 or case["act_number"] not in public.text:
            raise Unexpected(f"{url} does not confirm the act: {public.status_code}")
        if clinician.name.split()[0] in public.text:
            raise Unexpected("the public page shows whose certificate it is")
        self.story.say("the public page from the QR confirms number, date and outcome, and no name")
        receipt = receipts.read(clinician.call("GET", f"/applications/{case_id}/receipt"))
        self.story.say(f"the receipt holds offline: {receipt.number}, version {receipt.version}")

    def _mails(self, number: str) -> None:
        sink = self.story.server("mail")
        if sink is None:
            self.story.say("mails go to a server of the institution's own, and are not looked at")
            return
        seen = self.story.until(
            "mails about the case",
            lambda: [
                m
                for m in httpx.get(f"{sink}/messages", timeout=10).json()
                if number in m["subject"]
            ],
            lambda mails: len(mails) >= 3,
        )
        self.story.say(f"{len(seen)} mails lie in the sink, each with a link to the case")


def _link_of(act: bytes) -> str:
    """The address of the public page, from the link in the certificate."""
    with pikepdf.open(io.BytesIO(act)) as pdf:
        for page in pdf.pages:
            for annotation in page.obj.get("/Annots") or []:
                action = annotation.get("/A")
                uri = str(action.get("/URI")) if action is not None else ""
                if "/verify/" in uri:
                    return uri
    raise Unexpected("the act has no link to its public page")
