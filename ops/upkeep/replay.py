"""`medcab replay`: run recorded histories through the present workflows.

A workflow that would now do something else than it did then cannot go on with open cases: such a
change needs `workflow.patched`. Histories are JSON as the Temporal UI and its CLI download them.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from clients.temporal.replays import KEYS_FILE, Replayed, kept_in, replay_all
from crypto.key_ring import KeyRing
from settings import get_settings
from worker import WORKFLOWS


def run(path: Path) -> int:
    """Replay a history, or all of a folder, and print each: 0 when all went as recorded.

    1 when one did not, or when there was none, which proves nothing.
    """
    try:
        done = asyncio.run(replay(path))
    except (OSError, ValueError) as error:
        print(f"Cannot read {path}: {error}")
        return 1
    for one in done:
        print(f"{'FAULT' if one.failure else 'ok   '}  {one.name}: {one.workflow}", end="")
        print(f", {one.events} events")
        if one.failure:
            print(f"       {one.failure}")
    failed = sum(one.failure is not None for one in done)
    if not done:
        print(f"There are no histories in {path}, so nothing is proved.")
        return 1
    print(f"Histories: {len(done)}, failed: {failed}")
    return 1 if failed else 0


async def replay(path: Path, workflows: Sequence[type] = tuple(WORKFLOWS)) -> list[Replayed]:
    """Replay through these workflows. Raises OSError and ValueError for what cannot be read."""
    files, keys = _opened(path)
    return await replay_all(kept_in(files), keys, workflows)


def _opened(path: Path) -> tuple[list[Path], KeyRing]:
    """The files to replay, and the keys of their payloads."""
    files = sorted(path.glob("*.json")) if path.is_dir() else [path]
    beside = (path if path.is_dir() else path.parent) / KEYS_FILE
    if beside.exists():
        return files, KeyRing.parse(beside.read_text().strip())
    return files, KeyRing.parse(get_settings().keys.get_secret_value())
