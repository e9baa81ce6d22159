"""Recorded histories go through the workflows as they are now, and a wrong change is found."""

from pathlib import Path

import pytest

from clients.replays import KEYS_FILE
from ops.replay import replay, run
from tests.changed_workflow import LooksFirst, RequestLooksFirst

HISTORIES = Path(__file__).parent / "histories"
RECORDED = {
    "approved",
    "clarified-1",
    "clarified-2",
    "escalated",
    "false-signal",
    "lapsed",
    "register-down",
    "rejected",
    "request-answered",
    "request-by-people",
    "request-corrected-1",
    "request-corrected-2",
    "request-false-signal",
    "request-late",
    "request-module-down",
    "request-refused",
    "request-sent-again-1",
    "request-sent-again-2",
    "request-taken-back",
    "request-taken-back-later",
    "withdrawn",
}


async def test_cases_begun_before_can_go_on() -> None:
    """O4: what was recorded is replayed command by command, each way a case can go."""
    done = {one.name: one for one in await replay(HISTORIES)}
    assert done.keys() >= RECORDED
    assert [one for one in done.values() if one.failure] == []


async def test_incompatible_change_is_found() -> None:
    """A changed order of commands fails on every history instead of blocking open cases later."""
    done = await replay(HISTORIES, [LooksFirst, RequestLooksFirst])
    assert len(done) >= len(RECORDED)
    assert all(one.failure and "ondeterminism" in one.failure for one in done)


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
