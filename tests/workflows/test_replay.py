"""Recorded histories go through the workflows as they are now, and a wrong change is found."""

import asyncio
import base64
import inspect
import json
import pkgutil
from collections.abc import Iterator, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from temporalio.activity import _Definition as Activity
from temporalio.workflow import _Definition as Workflow

import activities
from clients.temporal.replays import KEYS_FILE, Replayed
from ops.local.home import CHECKOUT
from ops.upkeep.replay import replay, run
from tests.shared.waiting import PATIENCE
from tests.workflows.changed import CHANGED
from worker import WORKFLOWS

HISTORIES = CHECKOUT / "tests" / "histories"
RECORDED = {
    "accreditation-asked-1",
    "accreditation-asked-2",
    "accreditation-centre-down",
    "accreditation-granted",
    "accreditation-lapsed",
    "accreditation-rejected",
    "accreditation-withdrawn",
    "absence",
    "account-lock",
    "approved",
    "approved-given-out",
    "archive-night",
    "clarified-1",
    "clarified-1-given-out",
    "clarified-2",
    "clarified-2-given-out",
    "clinic-clocks",
    "corrected",
    "corrected-given-out",
    "credential",
    "escalated",
    "escalated-given-out",
    "export",
    "export-given-up",
    "false-signal",
    "false-signal-given-out",
    "file-sweep",
    "handover",
    "journal-sealer",
    "laboratory-catch-up",
    "lapsed",
    "lapsed-given-out",
    "notices-mail",
    "notices-push",
    "notices-sms",
    "personnel-comparison",
    "register-down",
    "register-down-given-out",
    "rejected",
    "rejected-given-out",
    "request-answered",
    "request-by-people",
    "request-called-back",
    "request-corrected-1",
    "request-corrected-2",
    "request-false-signal",
    "request-late",
    "request-module-down",
    "request-refused",
    "request-refused-by-people",
    "request-sent-again-1",
    "request-sent-again-2",
    "request-stuck",
    "request-taken-back",
    "request-taken-back-later",
    "result",
    "rights-confirmed-anew",
    "rights-given",
    "rights-given-out",
    "rights-refused",
    "rights-withdrawn",
    "subscriber",
    "sweeper",
    "verification-clarified-1",
    "verification-clarified-2",
    "verification-confirmed",
    "verification-corrected",
    "verification-false-signal",
    "verification-lapsed",
    "verification-register-down",
    "withdrawn",
    "withdrawn-given-out",
}
LOCAL = "core_local_activity"
"""The marker in which the SDK records an activity that the worker did without asking Temporal."""
DEFINED = [Workflow.must_from_class(each) for each in WORKFLOWS]
SIGNALS = [(str(one.name), str(signal)) for one in DEFINED for signal in one.signals]


def activity_of(event: dict[str, Any]) -> str:
    """The type of the activity that an event schedules, or records as done by the worker itself."""
    if scheduled := event.get("activityTaskScheduledEventAttributes"):
        return str(scheduled["activityType"]["name"])
    recorded = event.get("markerRecordedEventAttributes", {})
    if recorded.get("markerName") != LOCAL:
        return ""
    [told] = recorded["details"]["data"]["payloads"]
    return str(json.loads(base64.b64decode(told["data"]))["activity_type"])


def type_of(history: dict[str, Any]) -> str:
    """The type of the workflow that it is of."""
    started = history["events"][0]["workflowExecutionStartedEventAttributes"]
    return str(started["workflowType"]["name"])


async def test_cases_begun_before_can_go_on() -> None:
    """O4: what was recorded is replayed command by command, each way a case can go."""
    done = {one.name: one for one in await replay(HISTORIES)}
    assert done.keys() >= RECORDED
    assert [one for one in done.values() if one.failure] == []


async def test_a_run_that_has_done_nothing_yet_holds_nobody_up(tmp_path: Path) -> None:
    """For a moment a run that begins anew has no task, and a worker that starts may see it so."""
    (tmp_path / KEYS_FILE).write_text((HISTORIES / KEYS_FILE).read_text())
    history = json.loads((HISTORIES / "clarified-2.json").read_text("utf-8"))
    history["events"] = history["events"][:1]
    (tmp_path / "begun.json").write_text(json.dumps(history), "utf-8")
    async with asyncio.timeout(PATIENCE):
        assert [one.failure for one in await replay(tmp_path)] == [None]


async def test_incompatible_change_is_found() -> None:
    """A changed order of commands fails on every history instead of blocking open cases later."""
    done = await replay(HISTORIES, CHANGED)
    assert len(done) >= len(RECORDED)
    assert [one.name for one in done if not one.differs] == []
    assert {one.workflow for one in done} == {one.name for one in DEFINED}, "each has a history"


@cache
def recorded() -> Sequence[str]:
    """All recorded histories, the shortest first."""
    return sorted((file.read_text("utf-8") for file in HISTORIES.glob("*.json")), key=len)


def renamed(workflow: str, signal: str) -> Iterator[str]:
    """Histories of a workflow that hear one of its signals, by another name."""
    for text in recorded():
        if f'"{signal}"' not in text:
            continue
        history = json.loads(text)
        heard = [
            told
            for event in history["events"]
            if (told := event.get("workflowExecutionSignaledEventAttributes"))
            and told["signalName"] == signal
        ]
        for told in heard:
            told["signalName"] = f"former_{signal}"
        if heard and type_of(history) == workflow:
            yield json.dumps(history)


@pytest.mark.parametrize(("workflow", "signal"), SIGNALS)
async def test_renamed_signal_is_found(tmp_path: Path, workflow: str, signal: str) -> None:
    """A run that was signalled by another name does not go on as it did."""
    (tmp_path / KEYS_FILE).write_text((HISTORIES / KEYS_FILE).read_text())
    done: list[Replayed] = []
    for text in renamed(workflow, signal):
        (tmp_path / "renamed.json").write_text(text, "utf-8")
        done += await replay(tmp_path)
        if done[-1].differs:
            break
    assert done, "no history has that signal: record one"
    assert done[-1].differs


async def test_renamed_local_activity_is_found(tmp_path: Path) -> None:
    """What the worker did itself stands in a marker, whose name is compared as well."""
    (tmp_path / KEYS_FILE).write_text((HISTORIES / KEYS_FILE).read_text())
    history = json.loads((HISTORIES / "verification-lapsed.json").read_text("utf-8"))
    [first, *_] = [one for one in history["events"] if activity_of(one) == "check_identity"]
    [told] = first["markerRecordedEventAttributes"]["details"]["data"]["payloads"]
    plain = base64.b64decode(told["data"]).replace(b"check_identity", b"former")
    told["data"] = base64.b64encode(plain).decode()
    (tmp_path / "renamed.json").write_text(json.dumps(history), "utf-8")
    assert [one.differs for one in await replay(tmp_path)] == [True]


def test_every_activity_stands_in_a_history() -> None:
    """What no history holds could be changed without being noticed."""
    names = {
        name
        for text in recorded()
        for event in json.loads(text)["events"]
        if (name := activity_of(event))
    }
    rooms = [
        import_module(f"activities.{one.name}") for one in pkgutil.iter_modules(activities.__path__)
    ]
    kinds = [kind for room in rooms for _, kind in inspect.getmembers(room, inspect.isclass)]
    members = [member for kind in kinds for _, member in inspect.getmembers(kind, callable)]
    defined = {made.name for member in members if (made := Activity.from_callable(member))}
    assert len(defined) > 15
    assert defined <= names


def test_nothing_to_replay_proves_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An empty folder is a failure, not a pass."""
    (tmp_path / KEYS_FILE).write_text((HISTORIES / KEYS_FILE).read_text())
    assert run(tmp_path) == 1
    assert "nothing is proved" in capsys.readouterr().out


def test_what_is_no_history_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that holds something else is named."""
    (tmp_path / KEYS_FILE).write_text((HISTORIES / KEYS_FILE).read_text())
    (tmp_path / "odd.json").write_text('{"events": []}')
    assert run(tmp_path / "odd.json") == 1
    assert "odd.json is not a whole history" in capsys.readouterr().out
