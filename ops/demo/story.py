"""What every story of the demo needs: people who sign in, printed steps, waits with a limit."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import typst
from rich.console import Console

from crypto.front_door import believing
from ops.data.seed import DemoAccount, end_absence, restore_sign_in, seed
from ops.local.home import Home
from rules.access import Role
from settings import Settings

PATIENCE = 30.0


class Unexpected(Exception):
    """Something was not as it should be."""


@dataclass
class DemoUser:
    """A person of the story with a signed-in client."""

    name: str
    http: httpx.Client

    def call(self, method: str, path: str, expect: int = 200, **more: Any) -> Any:
        """One request; raises Unexpected for another status than expected."""
        reply = self.http.request(method, f"/api/v1{path}", **more)
        if reply.status_code != expect:
            raise Unexpected(f"{method} {path}: {reply.status_code} {reply.text[:400]}")
        if reply.content and reply.headers.get("content-type", "").startswith(
            ("application/json", "application/problem+json")
        ):
            return reply.json()
        return reply.content

    def act(self, path: str, body: Mapping[str, Any], expect: int = 200, key: str = "") -> Any:
        """An act with an idempotency key of its own."""
        headers = {"Idempotency-Key": key or str(uuid4())}
        return self.call("POST", path, expect, json=dict(body), headers=headers)


class Demo:
    """The story and what it prints."""

    def __init__(self, settings: Settings, console: Console) -> None:
        self.settings = settings
        self.console = console
        self.steps = 0
        self.accounts = seed(settings)

    def say(self, text: str, case: Mapping[str, Any] | None = None) -> None:
        """Print one step, with the case's number and status."""
        self.steps += 1
        facts = f"  [bold]{case['number']}[/] {case['status']}" if case else ""
        self.console.print(f"{self.steps:>2}. {text}{facts}")

    def sign_in(self, role: Role) -> DemoUser:
        """Sign in with password and one-time code; what follows is done in that session."""
        account = next(a for a in self.accounts if role in a.roles)
        if end_absence(self.settings, account):
            self.say(f"{account.name} was away: back today")
        http = self._client()
        player = DemoUser(account.name, http)
        try:
            stage = self._entered(player, account)
        except Unexpected:
            restore_sign_in(self.settings, account)
            self.say(f"{account.name} signed in otherwise: set back to what `medcab up` prints")
            stage = self._entered(player, account)
        http.headers["X-CSRF-Token"] = stage["csrf_token"]
        self.say(f"{account.name} ({role}) signs in with password and one-time code")
        return player

    def _client(self) -> httpx.Client:
        """A client of the cabinet."""
        verify = believing(self.settings.tls_authority)
        return httpx.Client(base_url=self.settings.public_url, timeout=20, verify=verify)

    def _entered(self, player: DemoUser, account: DemoAccount) -> Any:
        """Sign in through both steps."""
        stage = player.call(
            "POST", "/sign-in", json={"email": account.email, "password": account.password}
        )
        return self._enter_code(player, account, stage["csrf_token"])

    def _enter_code(self, player: DemoUser, account: DemoAccount, csrf: str) -> Any:
        """Enter the code. It works once: if it was used already, wait for the next half minute."""
        headers = {"X-CSRF-Token": csrf}
        for _ in range(2):
            code = {"code": account.code()}
            reply = player.http.post("/api/v1/sign-in/code", json=code, headers=headers)
            if reply.status_code == 200:
                return reply.json()
            time.sleep(30 - time.time() % 30 + 0.5)
        raise Unexpected(f"the one-time code of {player.name} was refused: {reply.text[:300]}")

    def until(self, what: str, look: Callable[[], Any], holds: Callable[[Any], bool]) -> Any:
        """Poll until something holds, for at most half a minute."""
        end = time.monotonic() + PATIENCE
        while True:
            seen = look()
            if holds(seen):
                return seen
            if time.monotonic() > end:
                raise Unexpected(f"waited {PATIENCE:.0f} s for {what}, saw {str(seen)[:300]}")
            time.sleep(0.2)

    def stands(
        self, player: DemoUser, case_id: str, status: str, room: str = "/applications"
    ) -> Any:
        """Wait until the case has this status."""
        return self.until(
            f"status {status}",
            lambda: player.call("GET", f"{room}/{case_id}"),
            lambda case: case["status"] == status,
        )

    def server(self, name: str) -> str | None:
        """The address of a simulator of this system; None where it is somebody else's."""
        address: str | None = Home(self.settings.home).recorded().get("simulators", {}).get(name)
        return address

    def same(self, seen: Any, wanted: Any, what: str) -> None:
        """Raise Unexpected unless what is seen is as it should be."""
        if seen != wanted:
            raise Unexpected(f"{what}: wanted {wanted!r}, saw {seen!r}")


@contextmanager
def within_reach(player: DemoUser) -> Iterator[None]:
    """Meanwhile send mail about everything and SMS about messages; then restore the settings."""
    kept = player.call("GET", "/notices/settings")
    changed = [
        cell
        for cell in kept["channels"]
        if cell["channel"] in ("mail", "sms")
        and not cell["locked"]
        and cell["on"] != (cell["channel"] == "mail" or cell["group"] == "comments")
    ]
    pauses = ("quiet_from", "quiet_to", "digest_hour")
    player.call("PUT", "/notices/wishes", 204, json=dict.fromkeys(pauses))
    _choose(player, changed, other=True)
    try:
        yield
    finally:
        _choose(player, changed)
        wishes = {name: kept["wishes"][name] for name in pauses}
        player.call("PUT", "/notices/wishes", 204, json=wishes)


def _choose(player: DemoUser, cells: Iterable[Mapping[str, Any]], *, other: bool = False) -> None:
    for cell in cells:
        path = f"/notices/settings/{cell['group']}/{cell['channel']}"
        player.call("PUT", path, 204, json={"on": cell["on"] is not other})


def values_for(definition: Mapping[str, Any], usual: Mapping[str, Any]) -> dict[str, Any]:
    """Values for a form: those of `usual` it asks for, and valid ones for whatever else it
    requires."""
    given = {}
    for field in (one for section in definition["sections"] for one in section["fields"]):
        value = usual.get(field["name"])
        choices = [one["value"] for one in field["choices"]]
        if choices and value not in choices:
            value = choices[0] if field["required"] else None
        if value is None and field["required"] and not field["prefill"]:
            value = _ANY.get(field["kind"], "Для нового кабинета")
        if value is not None and not field["locked"]:
            given[field["name"]] = value
    return given


_ANY = {"checkbox": True, "date": "04.12.2030", "number": 2}


def paper(title: str) -> bytes:
    """A small born-digital PDF, different from any before."""
    made = typst.compile(
        f"#set page(width: 12cm, height: 8cm)\n= {title}\nПоказ {uuid4().hex}".encode(),
        format="pdf",
    )
    if not isinstance(made, bytes):
        raise Unexpected("typst gave no PDF")
    return made
