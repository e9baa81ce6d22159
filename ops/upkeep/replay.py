"""`medcab replay`: run recorded histories through the present workflows.

A workflow that would now do something else than it did then cannot go on with open cases: such a
change needs `workflow.patched`. Histories are JSON as the Temporal UI and its CLI download them.
Their payloads are read with the keys that lie beside them, or else with those of the installation.
"""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from clients.temporal.replays import KEYS_FILE, Replayed, kept_in, replay_all
from crypto.key_ring import KeyRing
from ops.local.home import CHECKOUT
from settings import Settings, get_settings
from worker import WORKFLOWS

HISTORIES = CHECKOUT / "tests" / "histories"
"""The histories that are recorded with each change of a workflow."""


def run(path: Path, settings: Callable[[], Settings] = get_settings) -> int:
    """Replay a history, or all of a folder, and print each: 0 when all went as recorded.

    1 when one did not, or when there was none, which proves nothing.
    """
    try:
        done = asyncio.run(replay(path, settings=settings))
    except (OSError, ValueError) as error:
        print(f"Cannot replay {path}: {error}")
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


async def replay(
    path: Path,
    workflows: Sequence[type] = tuple(WORKFLOWS),
    settings: Callable[[], Settings] = get_settings,
) -> list[Replayed]:
    """Replay through these workflows. Raises OSError and ValueError for what cannot be read.

    The settings are asked only where no keys lie beside the histories.
    """
    files = _files(path)
    if not files:
        return []
    keys = _read(files[0].with_name(KEYS_FILE)) or settings().keys.get_secret_value()
    return await replay_all(kept_in(files), KeyRing.parse(keys), workflows)


def _files(path: Path) -> list[Path]:
    """The file, or those of the folder. Raises OSError where there is neither."""
    path.stat()
    return sorted(path.glob("*.json")) if path.is_dir() else [path]


def _read(keys: Path) -> str:
    return keys.read_text().strip() if keys.exists() else ""
