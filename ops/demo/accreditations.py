"""The demonstration of a periodic accreditation: from the qualification file to the commission."""

from datetime import timedelta
from uuid import uuid4

from ops.demo.story import Demo, DemoUser, paper
from rules.clock import now

ROOM = "/accreditations"


class AccreditationDemo:
    """What is missing, the draft that fills itself, and the federal centre's decision."""

    def __init__(self, story: Demo, clinician: DemoUser, personnel: DemoUser) -> None:
        self.story = story
        self.clinician = clinician
        self.personnel = personnel

    def tell(self) -> None:
        """Hours first, then the whole way; the file has the accreditation in the end."""
        clinician, story = self.clinician, self.story
        missing = clinician.call("GET", f"{ROOM}/needs")["missing"]
        story.say(f"an accreditation needs {missing} hours more")
        self._course(144, 72)
        needs = clinician.call("GET", f"{ROOM}/needs")
        story.same(needs["missing"], 0, "the course gives the missing hours")
        draft = clinician.call("POST", ROOM, 201)
        here = f"{ROOM}/{draft['id']}"
        draft = clinician.call("POST", f"{here}/draft/refresh")
        story.same(draft["data"]["hours"], needs["hours"], "the draft has the hours of the file")
        if not any(one["kind"] == "accreditation" for one in draft["attachments"]):
            # What is to be renewed stands in the file without its paper.
            cited = {"kind": "accreditation", "document_version_id": self._paper("accreditation")}
            clinician.call("POST", f"{here}/draft/attachments", json=cited)
        answers = {
            "specialty": draft["data"].get("specialty") or "therapy",
            "experience": 12,
            "report": "Приём, диагностика, школа пациентов.",
            "data_consent": True,
        }
        kept = clinician.call("PUT", f"{here}/draft", json={"data": answers})
        story.same(kept["errors"], [], "the draft has no errors")
        clinician.act(f"{here}/submit", {"step": 0})
        case = story.stands(self.personnel, draft["id"], "in_review", ROOM)
        story.say("the accreditation is checked and lies with the department", case)
        kind = self.personnel.call("GET", f"/case-types/{case['type']}")
        questions = kind["definition"]["checklist"]
        decision = {
            "step": case["step"],
            "outcome": "approve",
            "reason": "Документы сверены.",
            "checklist": {one["name"]: True for one in questions},
        }
        state = self.personnel.act(f"/applications/{draft['id']}/decision", decision)
        story.say(f"{self.personnel.name} approves: the portfolio is made, sealed and sent", state)
        case = story.stands(clinician, draft["id"], "accredited", ROOM)
        portfolio = clinician.call("GET", f"{here}/portfolio")
        story.say(f"the commission accredits; the portfolio has {len(portfolio)} bytes", case)
        standing = [
            one
            for one in clinician.call("GET", "/credentials")["credentials"]
            if one["category"] == "accreditation" and one["status"] == "active"
        ]
        story.same(bool(standing), True, "the file has the accreditation")

    def _course(self, hours: int, certified: int) -> None:
        ended = (now() - timedelta(days=20)).date()
        data = {
            "topic": "Терапия: клинические рекомендации",
            "hours": hours,
            "certified_hours": certified,
            "began_on": str(ended - timedelta(days=20)),
            "ended_on": str(ended),
            "issued_on": str(ended),
            "number": f"УПК-{uuid4().hex[:6]}",
            "issuer": "Академия последипломного образования врачей",
        }
        body = {"category": "course", "data": data, "files": [self._paper("course")]}
        self.clinician.act("/credentials", body, 201)
        self.story.say(f"adds a course of {hours} hours, {certified} of them certified")

    def _paper(self, category: str) -> str:
        """A document of this category: the id of its version."""
        given = self.clinician.call(
            "POST",
            "/documents",
            201,
            params={"category": category, "file_name": f"{category}.pdf"},
            content=paper(category),
            headers={"Content-Type": "application/pdf"},
        )
        version: str = given["version"]["id"]
        return version
