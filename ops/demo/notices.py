"""Notices by a channel that a person chose, about a message in a conversation."""

import httpx

from ops.demo.story import Demo, DemoUser


class NoticeStory:
    """A clerk writes, and the clinician gets an SMS too, as she chose."""

    def __init__(self, story: Demo, clinician: DemoUser, clerk: DemoUser) -> None:
        self.story = story
        self.clinician = clinician
        self.clerk = clerk

    def tell(self, case_id: str) -> None:
        """A message on the case, with notices in the cabinet, by e-mail and by SMS."""
        text = "Прибор можно забрать в кабинете 12."
        self.clerk.act(f"/cases/{case_id}/messages", {"text": text}, expect=201)
        said = self.clinician.call("GET", f"/cases/{case_id}/messages")
        self.story.same(said[-1]["text"], text, "the applicant reads the message")
        number = self.clinician.call("GET", f"/requests/{case_id}")["number"]
        told = self.story.until(
            "the SMS about the message",
            lambda: self._deliveries(case_id),
            lambda states: states.get("sms") == "told",
        )
        self.story.say(
            f"a notice of the message of {self.clerk.name} is sent: {', '.join(sorted(told))}"
        )
        phone = self.story.server("sms")
        if phone is None:
            self.story.say("SMS go by the institution's own gateway, and are not looked at")
            return
        seen = [m for m in httpx.get(f"{phone}/messages", timeout=10).json() if number in m["text"]]
        self.story.same(len(seen), 1, "one SMS came")
        self.story.same(text in seen[0]["text"], False, "the SMS holds nothing of what was said")
        self.story.say("the SMS names the case and nothing else")

    def _deliveries(self, case_id: str) -> dict[str, str]:
        """State by channel of the newest notice about a message on the case."""
        notices = self.clinician.call("GET", "/notices")
        newest = next(
            (n for n in notices if n["case_id"] == case_id and n["kind"] == "comment_added"), None
        )
        return {one["channel"]: one["state"] for one in newest["deliveries"]} if newest else {}
