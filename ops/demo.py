"""The whole story against the running system, through the public API, as its people would live it.

Every step prints the case's number and status; the first thing that is not as it should be ends the
story with an exit code of 1 and says what was seen.
"""

import io
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pikepdf
import typst
from rich.console import Console

from ops.home import Home
from ops.seed import DemoAccount, seed
from rules.permissions import Role
from settings import Settings

PATIENCE = 30.0
SCOPE = ["apply", "keep_documents", "review", "oversee_reviews"]
ANSWERS = {
    "specialty": "cardiology",
    "education_level": "higher",
    "institution": "Первый медицинский университет",
    "graduation_year": "2012",
    "diploma_number": "107704 0012345",
    "purpose": "Нужны умения для работы в новом кабинете.",
    "payer": "employer",
    "data_consent": True,
    "truth_consent": True,
}


class Unexpected(Exception):
    """Something was not as it should be."""


@dataclass
class Player:
    """A person of the story with a signed-in client."""

    name: str
    http: httpx.Client

    def call(self, method: str, path: str, expect: int = 200, **more: Any) -> Any:
        """One request; raises Unexpected for another status than expected."""
        reply = self.http.request(method, f"/api/v1{path}", **more)
        if reply.status_code != expect:
            raise Unexpected(f"{method} {path}: {reply.status_code} {reply.text[:400]}")
        if reply.headers.get("content-type", "").startswith(
            ("application/json", "application/problem+json")
        ):
            return reply.json()
        return reply.content

    def act(self, path: str, body: Mapping[str, Any], expect: int = 200, key: str = "") -> Any:
        """An act with an idempotency key of its own."""
        headers = {"Idempotency-Key": key or str(uuid4())}
        return self.call("POST", path, expect, json=dict(body), headers=headers)


class Story:
    """The story and what it prints."""

    def __init__(self, settings: Settings, console: Console) -> None:
        self.settings = settings
        self.console = console
        self.steps = 0
        self.accounts = seed(settings)

    def say(self, text: str, case: Mapping[str, Any] | None = None) -> None:
        """One step, with the case's number and status."""
        self.steps += 1
        facts = f"  [bold]{case['number']}[/] {case['status']}" if case else ""
        self.console.print(f"{self.steps:>2}. {text}{facts}")

    def sign_in(self, role: Role) -> Player:
        """Sign in with password and one-time code, and make an access token for an hour's work."""
        account = next(a for a in self.accounts if role in a.roles)
        http = httpx.Client(base_url=self.settings.public_url, timeout=20)
        player = Player(account.name, http)
        stage = player.call(
            "POST", "/sign-in", json={"email": account.email, "password": account.password}
        )
        stage = self._enter_code(player, account, stage["csrf_token"])
        token = player.call(
            "POST",
            "/tokens",
            201,
            json={"name": "Показ", "scope": self._scope(player), "days": 1},
            headers={"X-CSRF-Token": stage["csrf_token"]},
        )
        player.http = httpx.Client(
            base_url=self.settings.public_url,
            timeout=20,
            headers={"Authorization": f"Bearer {token['token']}"},
        )
        self.say(f"{account.name} ({role}) signs in with password and one-time code")
        return player

    def _scope(self, player: Player) -> list[str]:
        roles = {role["role"] for role in player.call("GET", "/session")["roles"]}
        reviews = roles & {"hr_reviewer", "hr_head"}
        return SCOPE if "hr_head" in roles else SCOPE[:3] if reviews else SCOPE[:2]

    def _enter_code(self, player: Player, account: DemoAccount, csrf: str) -> Any:
        """A code works once: where it was used already, wait for the next half minute."""
        headers = {"X-CSRF-Token": csrf}
        for _ in range(2):
            code = {"code": account.code()}
            reply = player.http.post("/api/v1/sign-in/code", json=code, headers=headers)
            if reply.status_code == 200:
                return reply.json()
            time.sleep(30 - time.time() % 30 + 0.5)
        raise Unexpected(f"the one-time code of {player.name} was refused: {reply.text[:300]}")

    def until(self, what: str, look: Callable[[], Any], holds: Callable[[Any], bool]) -> Any:
        """Look until something holds, for at most half a minute."""
        end = time.monotonic() + PATIENCE
        while True:
            seen = look()
            if holds(seen):
                return seen
            if time.monotonic() > end:
                raise Unexpected(f"waited {PATIENCE:.0f} s for {what}, saw {str(seen)[:300]}")
            time.sleep(0.2)

    def stands(self, player: Player, case_id: str, status: str) -> Any:
        """Wait until the case stands at a status."""
        return self.until(
            f"status {status}",
            lambda: player.call("GET", f"/applications/{case_id}"),
            lambda case: case["status"] == status,
        )

    def tell(self) -> None:
        """From the draft to the signed act, with everything on the way that must be refused."""
        clinician, reviewer = self.sign_in(Role.DOCTOR), self.sign_in(Role.HR_REVIEWER)
        case_id, draft = self._draft(clinician)
        key = str(uuid4())
        path = f"/applications/{case_id}/submit"
        first = clinician.act(path, {"step": 0}, key=key)
        again = clinician.act(path, {"step": 0}, key=key)
        self._same(first["number"], again["number"], "a double click gives the same number")
        self.say("submitted; a double click gave the same answer", first)
        case = self.stands(clinician, case_id, "in_review")
        self.say(f"checked and handed to {case['responsible_unit']}, due {case['due_at']}", case)
        state = clinician.call("GET", f"/applications/{case_id}/state")
        self._same(state["live"], True, "the running workflow answers")
        self.say(f"the running case says: waits for {state['waits_for']} until {state['until']}")
        clinician.act(
            f"/applications/{case_id}/decision",
            {"step": case["step"], "outcome": "approve", "reason": "Сам себе."},
            expect=403,
        )
        self.say("deciding on one's own application is refused")
        self._clarify(clinician, reviewer, case_id, case)
        self._approve(clinician, reviewer, case_id, draft)
        self._mails(case["number"])

    def _draft(self, clinician: Player) -> tuple[str, Any]:
        programmes = clinician.call("GET", "/programmes")["items"]
        programme = programmes[0]
        draft = clinician.call("POST", "/applications", 201, json={"programme_id": programme["id"]})
        self.say(f"chooses «{programme['title']}», {programme['hours']} h, and gets a draft")
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
                    content=_paper(rule["title"]),
                    headers={"Content-Type": "application/pdf"},
                )
                version = given["version"]["id"]
                cited.append({"kind": rule["kind"], "document_version_id": version})
        self.say(f"gives {len(cited)} documents, each checked at once")
        answers = {**ANSWERS, "starts_on": f"{time.gmtime().tm_year + 1}-03-01"}
        kept = clinician.call(
            "PUT",
            f"/applications/{draft['id']}/draft",
            json={"data": answers, "attachments": cited},
        )
        self._same(kept["errors"], [], "the draft has no errors")
        return draft["id"], kept

    def _clarify(
        self, clinician: Player, reviewer: Player, case_id: str, case: Mapping[str, Any]
    ) -> None:
        queue = reviewer.call("GET", "/desk", params={"number": case["number"]})["items"]
        self._same([line["id"] for line in queue], [case_id], "the case lies in the queue")
        decision = {
            "step": case["step"],
            "outcome": "clarify",
            "reason": "Опишите цель обучения подробнее.",
            "remarks": {"purpose": "Какие умения нужны?"},
        }
        state = reviewer.act(f"/applications/{case_id}/decision", decision)
        self.say(f"{reviewer.name} asks for a clarification of one field", state)
        reviewer.act(f"/applications/{case_id}/decision", decision, expect=409)
        self.say("a second decision on the step that is over is refused")
        clinician.call(
            "PUT",
            f"/applications/{case_id}/draft",
            json={"data": {"purpose": "Эхокардиография плода: открываем кабинет."}},
        )
        state = clinician.act(f"/applications/{case_id}/resubmit", {"step": state["step"]})
        self.say("the applicant answers with a new version, which is checked again", state)

    def _approve(
        self, clinician: Player, reviewer: Player, case_id: str, draft: Mapping[str, Any]
    ) -> None:
        case = self.stands(reviewer, case_id, "in_review")
        changes = case["versions"][-1]["changes"]
        self._same([c["field"] for c in changes], ["purpose"], "the reviewer sees what changed")
        self.say("back on the desk with the difference between the versions", case)
        state = reviewer.act(
            f"/applications/{case_id}/decision",
            {
                "step": case["step"],
                "outcome": "approve",
                "reason": "Документы в порядке.",
                "checklist": {item["name"]: True for item in case["checklist"]},
            },
        )
        self.say(f"{reviewer.name} approves", state)
        case = self.until(
            "the act",
            lambda: clinician.call("GET", f"/applications/{case_id}"),
            lambda seen: bool(seen["act_number"]),
        )
        act = clinician.call("GET", f"/applications/{case_id}/act")
        self._same(act[:5], b"%PDF-", "the act is a PDF")
        self.say(f"the act {case['act_number']} is signed and downloaded, {len(act)} bytes", case)
        url = _link_of(act)
        public = httpx.get(url, timeout=10)
        if public.status_code != 200 or case["act_number"] not in public.text:
            raise Unexpected(f"{url} does not confirm the act: {public.status_code}")
        if clinician.name.split()[0] in public.text:
            raise Unexpected("the public page tells whose act it is")
        self.say("the public page from the QR confirms number, date and outcome, and no name")
        receipt = clinician.call("GET", f"/applications/{case_id}/receipt")
        self.say(f"the receipt can be checked offline: {len(str(receipt))} characters")

    def _mails(self, number: str) -> None:
        servers = Home(self.settings.home).recorded().get("servers", [])
        sink = next((s["address"] for s in servers if s["name"] == "mail"), None)
        if sink is None:
            self.say("mails go to a server of the institution's own, and are not looked at")
            return
        seen = self.until(
            "mails about the case",
            lambda: [
                m
                for m in httpx.get(f"{sink}/messages", timeout=10).json()
                if number in m["subject"]
            ],
            lambda mails: len(mails) >= 3,
        )
        self.say(f"{len(seen)} mails lie in the sink, each with a link to the case")

    def _same(self, seen: Any, wanted: Any, what: str) -> None:
        if seen != wanted:
            raise Unexpected(f"{what}: wanted {wanted!r}, saw {seen!r}")


def _paper(title: str) -> bytes:
    """A small born-digital PDF, unlike any given before."""
    made = typst.compile(
        f"#set page(width: 12cm, height: 8cm)\n= {title}\nПоказ {uuid4().hex}".encode(),
        format="pdf",
    )
    if not isinstance(made, bytes):
        raise Unexpected("typst gave no PDF")
    return made


def _link_of(act: bytes) -> str:
    """The address of the public page, as the act's link carries it."""
    with pikepdf.open(io.BytesIO(act)) as pdf:
        for page in pdf.pages:
            for annotation in page.obj.get("/Annots") or []:
                action = annotation.get("/A")
                uri = str(action.get("/URI")) if action is not None else ""
                if "/verify/" in uri:
                    return uri
    raise Unexpected("the act has no link to its public page")


def run(settings: Settings) -> int:
    """Tell the story against the running system; 0 when everything was as it should be."""
    console = Console()
    story = Story(settings, console)
    try:
        story.tell()
    except (Unexpected, httpx.HTTPError) as error:
        console.print(f"[bold red]Not as it should be:[/] {error}")
        return 1
    console.print(f"[bold green]All {story.steps} steps went as they should.[/]")
    return 0
