"""What the personnel register pushes and nobody here can carry out without HR."""

import httpx

from ops.demo.story import Demo, DemoUser

RECORD = {
    "number": "К-000105",
    "snils": "160-722-344 37",
    "name": "Климова Татьяна Андреевна",
    "position": "врач-хирург",
    "unit": "surgery",
}
"""Somebody whom the cabinet does not know yet."""


class PersonnelStory:
    """Somebody is hired; the head of HR finds the record in the list, and closes it."""

    def __init__(self, story: Demo, head: DemoUser) -> None:
        self.story = story
        self.head = head

    def tell(self) -> None:
        """From the push to the list, and out of it with a reason."""
        register = self.story.server("personnel")
        if register is None:
            self.story.say("the personnel register is the institution's own, and is not touched")
            return
        event = {"kind": "hired", "record": RECORD}
        httpx.put(f"{register}/v1/staff", json=event, timeout=10).raise_for_status()
        waiting = self.story.until(
            "the record that the personnel register pushed",
            lambda: self.head.call("GET", "/personnel-records"),
            lambda rows: any(one["number"] == RECORD["number"] for one in rows),
        )
        found = next(one for one in waiting if one["number"] == RECORD["number"])
        self.story.same(found["trouble"], "unknown_person", "nobody here has this SNILS")
        self.story.say(f"the personnel register pushed a record, and it waits for {self.head.name}")
        path = f"/personnel-records/{found['id']}/close"
        self.head.act(path, {"reason": "Загрузим со следующим списком."}, expect=204)
        left = self.head.call("GET", "/personnel-records")
        gone = all(one["id"] != found["id"] for one in left)
        self.story.same(gone, True, "the record is off the list")
        self.story.say("the record is closed with a reason, until the register says something new")
