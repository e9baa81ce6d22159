"""The clinic: a patient entered, booked, treated, a result confirmed, an emergency judged."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid4, uuid5

import httpx

from ops.data.demo_people import PEOPLE
from ops.demo.story import Demo, DemoUser
from services.results.rows import id_of

PATIENT_ID = str(uuid5(NAMESPACE_URL, "medcab demo patient"))
"""The same in each telling: entering the same patient again changes nothing."""
IDENTITY = {
    "name": "Королёва Наталья Павловна",
    "birth_date": "14.03.1961",
    "sex": "female",
    "snils": "171-500-271 22",
}
HOURS = {"weekdays": [0, 1, 2, 3, 4], "valid_from": "2026-01-01"}
MORNING, EVENING, STEP = 9 * 60, 18 * 60, 30
NOTE = {"subject": "Первая беседа", "text": "Объяснила, когда прийти снова."}
POTASSIUM = {
    "stage": "final",
    "order": "З-000801",
    "unit": "therapy",
    "patient": {**IDENTITY, "birth_date": "1961-03-14"},
    "specimen": "венозная кровь",
    "test": {"code": "2823-3", "name": "Калий", "dictionary": "LOINC"},
    "unit_of_value": "ммоль/л",
    "reference": {"low": "3.5", "high": "5.1"},
}
OTHER = {"text": "Абрамов Сергей Львович"}
HAPPENED = "Доставлен без сознания, нужны сведения об аллергии"


class ClinicStory:
    """A day of the clinic: a registrar, a clinician, and who judges emergencies."""

    def __init__(
        self, story: Demo, clinician: DemoUser, registrar: DemoUser, judge: DemoUser
    ) -> None:
        self.story = story
        self.clinician = clinician
        self.registrar = registrar
        self.judge = judge
        self.session = clinician.call("GET", "/session")

    def tell(self) -> None:
        """From the new patient to the judged emergency."""
        self._enter()
        self._book()
        self._write()
        self._confirm()
        self._emergency()

    def _enter(self) -> None:
        body = {"id": PATIENT_ID, "unit_id": self.session["unit_id"], **IDENTITY}
        self.registrar.call("POST", "/patients", 201, json=body)
        seen = self.registrar.call("GET", f"/patients/{PATIENT_ID}/identity")
        self.story.same(bool(seen["likely"]), True, "a patient entered before is suggested")
        self.story.say(f"a patient is entered; {len(seen['likely'])} who may be the same are named")
        self.registrar.call("GET", f"/patients/{PATIENT_ID}/record", 403)
        self.story.say("the registrar knows who the patient is, and may not open the record")

    def _book(self) -> None:
        """A time is held, booked, moved and given back; two at one time are refused."""
        who = {"clinician_id": self.session["person_id"], "patient_id": PATIENT_ID}
        hours = {"unit_id": self.session["unit_id"], "starts": MORNING, "ends": EVENING}
        wish = {**HOURS, **hours, "clinician_id": who["clinician_id"], "step": STEP}
        self.registrar.call("POST", "/schedule/hours", 204, json=wish)
        asked = {
            "clinician_id": who["clinician_id"],
            "first": (datetime.now(UTC) + timedelta(days=1)).date().isoformat(),
            "days": "14",
        }
        free = self.registrar.call("GET", "/schedule/free", params=asked)
        first, second = (one["starts_at"] for one in free[:2])
        self.story.say(f"{len(free)} free times in two weeks, computed and never stored")
        here = "/schedule/appointments"
        held = self.registrar.act(here, {**who, "starts_at": first, "hold": True}, 201)
        taken = self.registrar.act(here, {**who, "starts_at": first}, 409)
        self.story.same(taken["code"], "taken", "a held time is nobody else's")
        booked = self._step(held, "confirm")
        body = {**who, "starts_at": second, "version": booked["version"]}
        moved = self.registrar.act(f"{here}/{booked['id']}/move", body, 201)
        old = self.registrar.call("GET", f"{here}/{booked['id']}")
        self.story.same(old["moved_to"], moved["id"], "the old appointment names the new one")
        self.story.say("a time is held, refused to another, booked, and moved")
        self._step(moved, "cancel", reason="Показ окончен")
        again = self.registrar.call("GET", "/schedule/free", params=asked)
        self.story.same(len(again), len(free), "all times are free again")
        self.story.say("the appointment is cancelled for a reason; its time is free again")

    def _step(self, seen: Any, step: str, **more: str) -> Any:
        body = {"version": seen["version"], "step": step, **more}
        return self.registrar.act(f"/schedule/appointments/{seen['id']}/steps", body)

    def _write(self) -> None:
        here = f"/patients/{PATIENT_ID}"
        self.clinician.call("POST", f"{here}/open", 204, json={"ground": "consent"})
        self.story.say("the doctor opens the record for three hours, on a ground from the law")
        draft = self.clinician.act(f"{here}/record/drafts", {"type": "note"}, 201)
        there = f"{here}/record/drafts/{draft['id']}"
        self.clinician.call("PUT", there, json={"data": NOTE})
        signed = self.clinician.call("POST", f"{there}/sign", json={"version": 0})
        entry = f"{here}/record/entries/{signed['id']}"
        fix = self.clinician.call("POST", f"{entry}/corrections", 201)
        there = f"{here}/record/drafts/{fix['id']}"
        body = {"data": {"text": "Прийти через неделю."}, "reason": "Дописан срок"}
        self.clinician.call("PUT", there, json=body)
        self.clinician.call("POST", f"{there}/sign", json={"version": fix["version"]})
        kept = self.clinician.call("GET", entry)
        self.story.same(len(kept["versions"]), 2, "both versions are kept")
        self.story.say("an entry is signed, then corrected for a reason; both versions stay")
        card = self.clinician.call("GET", f"{here}/record/card")
        self.story.same(card[:5], b"%PDF-", "the card is a PDF")

    def _confirm(self) -> None:
        """A result is heard, read and confirmed; a correction waits for the same person again."""
        laboratory = self.story.server("laboratory")
        if laboratory is None:
            self.story.say("the laboratory is the institution's own, and is not touched")
            return
        said = {
            **POTASSIUM,
            "number": f"L-{uuid4().hex[:12]}",
            "ordered_by": next(one.snils for one in PEOPLE if one.name == self.clinician.name),
        }
        found = self._heard(laboratory, said, "5.4", "high")
        here = f"/results/{found['id']}"
        said["stage"] = "corrected"
        newest = self._heard(laboratory, said, "6.9", "critical_high")
        old = {"version": 1, "patient_id": PATIENT_ID, "next_step": "repeat"}
        old["follows"] = "Повторить завтра утром"
        refused = self.clinician.call("POST", f"{here}/confirm", 409, json=old)
        self.story.say(f"a result was corrected before it was confirmed: {refused['code']}")
        told = {
            "version": newest["version"],
            "words": "Сообщила дежурная по телефону",
            "told_at": datetime.now(UTC).isoformat(),
        }
        self.clinician.call("POST", f"{here}/call", 204, json=told)
        body = {**old, "version": newest["version"], "next_step": "treatment"}
        self.clinician.call("POST", f"{here}/confirm", 204, json=body)
        left = self.clinician.call("GET", "/results")["mine"]
        gone = all(one["id"] != found["id"] for one in left)
        self.story.same(gone, True, "the result waits no more")
        self.story.say("the version that was read is confirmed, with what follows from it")

    def _heard(self, laboratory: str, said: Any, value: str, flag: str) -> Any:
        now = datetime.now(UTC).isoformat()
        message = {**said, "version": 1, "value": value, "flag": flag, "ready_at": now}
        httpx.put(f"{laboratory}/v1/results", json=message, timeout=10).raise_for_status()
        shown = (str(id_of(said["number"])), f"{value} {said['unit_of_value']}")

        def look() -> Any:
            lines = self.clinician.call("GET", "/results")["mine"]
            return next((one for one in lines if (one["id"], one["value"]) == shown), None)

        line = self.story.until(f"the result {shown[1]}", look, lambda one: one is not None)
        whole = self.clinician.call("GET", f"/results/{line['id']}")
        self.story.say(f"a result of the laboratory waits for the doctor: {line['urgency']}")
        return {"id": line["id"], "version": whole["versions"][0]["number"]}

    def _emergency(self) -> None:
        found = self.clinician.call("POST", "/patients/search", json=OTHER)["found"]
        here = f"/patients/{found[0]['id']}"
        words = {"words": HAPPENED}
        self.clinician.call("POST", f"{here}/open-at-once", 204, json=words)
        self.clinician.call("GET", f"{here}/record")
        self.story.say("the doctor opens another record at once, as an emergency")
        waiting = self.judge.call("GET", "/patients/emergencies")
        mine = [one for one in waiting if one["words"] == HAPPENED]
        for one in mine:
            there = f"/patients/emergencies/{one['id']}"
            self.judge.call("POST", f"{there}/take", 204)
            verdict = {"verdict": "justified", "reason": "Пациента доставила скорая"}
            self.judge.call("POST", f"{there}/judge", 204, json=verdict)
        self.story.same(bool(mine), True, "the emergency waited for its judgement")
        self.story.say(f"{self.judge.name} of information security judges it, once and for good")
