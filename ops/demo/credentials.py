"""The demonstration of the qualification file: a diploma, and an accreditation that ends soon."""

from datetime import timedelta
from uuid import uuid4

from ops.demo.story import Demo, DemoUser, paper
from rules.clock import now


class QualificationDemo:
    """What a clinician keeps, and what personnel confirms."""

    def __init__(self, story: Demo, clinician: DemoUser, personnel: DemoUser) -> None:
        self.story = story
        self.clinician = clinician
        self.personnel = personnel

    def tell(self) -> None:
        """Two credentials, a newer version, an original that was seen, and what is missing."""
        mark = uuid4().hex[:6]
        diploma = self._add(
            "diploma",
            level="specialist",
            specialty="Лечебное дело",
            number=f"107704 {mark}",
            issuer="Первый медицинский университет",
            issued_on="2012-06-30",
        )
        values = {
            "kind": "periodic",
            "specialty": "Терапия",
            "number": f"7724 {mark}",
            "issuer": "Федеральный аккредитационный центр",
            "issued_on": str((now() - timedelta(days=1770)).date()),
            "valid_until": str((now() + timedelta(days=56)).date()),
        }
        made = self._add("accreditation", **values)
        self.story.say("keeps a diploma and an accreditation that ends in 56 days")
        here = f"/credentials/{made}"
        kept = [one["id"] for one in self.clinician.call("GET", here)["current"]["files"]]
        data = {**values, "issuer": "Центральная аккредитационная комиссия"}
        body = {"version": 1, "data": data, "files": kept}
        self.clinician.act(f"{here}/versions", body, 201)
        seen = self.clinician.call("GET", here)
        self.story.same([one["number"] for one in seen["versions"]], [2, 1], "both versions stay")
        self.story.same(seen["status"], "active", "it is valid until its last day")
        original = {"version": 1}
        self.personnel.call("POST", f"/credentials/{diploma}/confirm", 204, json=original)
        self.story.say("personnel has seen the original of the diploma")
        missing = self.clinician.call("GET", "/credentials")
        self.story.say(f"the file has {missing['done']} of {missing['total']}")

    def _add(self, category: str, **data: str) -> str:
        given = self.clinician.call(
            "POST",
            "/documents",
            201,
            params={"category": category, "file_name": f"{category}.pdf"},
            content=paper(category),
            headers={"Content-Type": "application/pdf"},
        )
        files = [given["version"]["id"]]
        body = {"category": category, "data": data, "files": files}
        made: str = self.clinician.act("/credentials", body, 201)["id"]
        return made
