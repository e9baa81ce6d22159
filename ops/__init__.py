"""The `medcab` command, and the servers that it starts."""

import sys

# httpx takes its own command line for not installed, and leaves out what draws on terminals:
# each server would keep that in memory.
sys.modules["httpx._main"] = None  # type: ignore[assignment]
