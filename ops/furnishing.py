"""Tables brought up to date, programmes and demo accounts entered: before our processes start.

It takes libraries that the supervisor has no other use for, so it is done by a process that ends.
That prints what it does, a JSON object a line.
"""

import json
import os
import sys
from collections.abc import Callable
from typing import Any

from ops.local.home import CHECKOUT
from ops.local.servers import Launch, ServerFailed
from ops.local.servers.process import begin, kill_group
from ops.local.system import System


def furnish(system: System, tell: Callable[[str], None]) -> list[str]:
    """Bring database, namespace and buckets of a system up to date; its demo accounts, in words.

    What people are to know besides is given to `tell`. Raises ServerFailed.
    """
    reading, writing = os.pipe()
    with os.fdopen(reading) as lines, os.fdopen(writing, "wb") as output:
        command = [sys.executable, "-m", __name__]
        launch = Launch(command, system.environment | {"PYTHONUNBUFFERED": "1"}, CHECKOUT)
        process = begin(launch, output, system.forks)
        output.close()
        accounts: list[str] = []
        others: list[str] = []
        try:
            for line in lines:
                if not line.startswith("{"):
                    others.append(line)
                    continue
                told: dict[str, Any] = json.loads(line)
                accounts += told.get("accounts", [])
                if "says" in told:
                    system.say("database", told["says"])
                if "tells" in told:
                    tell(told["tells"])
            failed = process.wait() != 0
        finally:
            if process.poll() is None:
                kill_group(process.pid)
                process.wait()
    if failed:
        raise ServerFailed("".join(others).strip())
    return accounts


def main() -> None:
    """Do it; the settings come from the environment."""
    from ops.data.seed import SeedRefusedError, seed
    from ops.upkeep.migrate import NotMigratedError, migrate
    from settings import get_settings

    def write(**told: object) -> None:
        print(json.dumps(told))

    settings = get_settings()
    write(says="bringing the tables up to date")
    try:
        migrate(settings)
    except NotMigratedError as reason:
        sys.exit(str(reason))
    write(says="entering programmes and demo accounts")
    try:
        accounts = seed(settings, lambda text: write(tells=text))
    except SeedRefusedError as reason:
        write(says=f"ready, without demo accounts: {reason}")
    else:
        write(accounts=[str(each) for each in accounts], says="ready")


if __name__ == "__main__":
    main()
